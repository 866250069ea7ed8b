"""Undo per clip of a written result, through the panel's own undo."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from fakes import FakeEngine
from sightmix.plugin.jobs.names import result_folder
from sightmix.plugin.timeline import open_timeline, write_result
from sightmix.plugin.timeline.results import Gain, Ridden
from sightmix.ui.base.asking import Failure
from sightmix.ui.base.source import Source
from sightmix.ui.control.history import History
from sightmix.ui.control.takeback import TakeBack
from test_host_handlers import Process

sys.path.append(str(Path(__file__).parent.parent / "plugin"))

import timeline_kit as kit


@pytest.fixture
def result(tmp_path: Path) -> Path:
    media = str(kit.wav(tmp_path / "ten.wav"))
    clips = [kit.clip(name, kit.tr(0, 24), media) for name in ("one", "two", "three")]
    opened = open_timeline(
        kit.save(tmp_path / "cut.otio", kit.timeline(kit.track("Audio", *clips, name="A1")))
    )
    results = {index: [Ridden(Gain((0.0,), (-6.0,)))] for index in (1, 2, 3)}
    out = write_result(opened, results, tmp_path / "out.otio", mute_originals=True)
    result_folder(out).mkdir()
    return out


def test_taken_back_undone_and_redone(result: Path, tmp_path: Path) -> None:
    first = result.read_bytes()
    history = History()
    part = TakeBack(Process(tmp_path), history)
    told: list[frozenset[int]] = []
    part.changed.subscribe(lambda out, clips: told.append(clips))
    source = Source(tmp_path / "cut.otio")
    part.take(result, (2,), source)
    part.take(result, (2, 3), source)
    assert part.off(result) == {2, 3}
    both_off = result.read_bytes()
    history.undo()
    assert part.off(result) == {2}
    history.undo()
    assert result.read_bytes() == first
    history.redo()
    history.redo()
    assert result.read_bytes() == both_off
    assert told == [{2}, {2, 3}, {2}, frozenset(), {2}, {2, 3}]
    part.take(result, (2, 3), source)
    assert history.next_undo == "withdraw"
    assert len(told) == 6, "nothing was left to do"


def test_written_again_everything_is_on_it(result: Path, tmp_path: Path) -> None:
    part = TakeBack(Process(tmp_path), History())
    part.take(result, (1,))
    part.forget(result)
    assert part.off(result) == frozenset()


def test_a_failure_changes_nothing() -> None:
    engine = FakeEngine()
    part = TakeBack(engine, History())
    failed: list[Failure] = []
    part.failed.subscribe(failed.append)
    out = Path("/film/out.fcpxml")
    part.take(out, (1,))
    engine.open("withdraw")[0].fail(Failure("Not off an .fcpxml."))
    assert part.off(out) == frozenset()
    assert [failure.error for failure in failed] == ["Not off an .fcpxml."]
