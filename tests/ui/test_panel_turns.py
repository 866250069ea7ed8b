"""The panel without its window over an engine that the test answers for: what happens while something is on its way."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from clips_kit import many
from fakes import Asked, FakeEngine
from sightmix.engine.highlight.config import HOP, MODEL_RATE
from sightmix.plugin.jobs.defaults import Defaults
from sightmix.plugin.jobs.hand import Drawn
from sightmix.plugin.jobs.laid import Laid, Parted
from sightmix.plugin.jobs.mix import Mix, write_mix
from sightmix.plugin.jobs.names import result_folder
from sightmix.ui.base.asking import Failure
from sightmix.ui.base.pump import InlinePump
from sightmix.ui.base.source import Source
from sightmix.ui.control.panel import Keep, Panel
from sightmix.ui.control.results import free_result

SECONDS = 40.0  # of the timeline
DRAWN = (Drawn("speech", (1.0, 2.0), (-6.0, -6.0)),)


class Desk:
    """A panel whose timelines lie in a folder, and its engine."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.engine, self.pump = folder, FakeEngine(), InlinePump()
        self.panel = Panel(self.engine, self.pump, Keep(workspaces=folder / "kept"), Defaults(None))
        self.failures: list[Failure] = []
        self.heard: list[Mix] = []
        self.panel.failed.subscribe(self.failures.append)
        self.panel.heard.subscribe(self.heard.append)

    def open(
        self, name: str = "a.otio", timeline: str = "", timelines: tuple[str, ...] = ("Scene 4",)
    ) -> Source:
        source = Source(self.folder / name, timeline)
        if not source.path.exists():
            source.path.write_text("{}")
        self.panel.clips.open(source)
        shown = timelines[int(timeline) - 1] if timeline else timelines[0]
        self.last("open").finish({**many(20), "name": shown, "timelines": list(timelines)})
        return source

    def last(self, do: str, **data: object) -> Asked:
        return next(
            asked
            for asked in reversed(self.engine.open(do))
            if all(asked.data.get(name) == value for name, value in data.items())
        )

    def mix(self, start: float, seconds: float, clip: int = 1) -> Path:
        """What the network says of a stretch, of which a clip lies as stems."""
        path = self.folder / f"mix-{start:g}-{seconds:g}.npz"
        frames = round(seconds * MODEL_RATE / HOP)
        laid = Laid({}, frozenset({clip}), {clip: Parted({}, clip, 9, 48_000)})
        write_mix(path, Mix(start, seconds, laid, {"transparent": np.zeros((3, frames), np.float32)}))
        return path

    def finish(self, mix: Path | None = None) -> None:
        """The job that runs is done."""
        asked = self.last("rebalance")
        out = Path(asked.data["out"])
        write_report(out, Path(asked.data["source"]["path"]))
        report = {"clips": [], "summary": {"seconds": 1.0}}
        asked.finish({"result": report, "mix": None if mix is None else str(mix)})


def write_report(out: Path, source: Path, name: str = "Scene 4") -> None:
    """A result with the report that a job leaves beside it."""
    out.write_text("{}")
    result_folder(out).mkdir(exist_ok=True)
    told = {"result": str(out), "source": str(source), "name": name}
    (result_folder(out) / "report.json").write_text(json.dumps({"timeline": told}))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.panel.close()


def test_what_was_done_last_is_kept_when_another_timeline_is_opened(desk: Desk) -> None:
    desk.open("a.otio")
    desk.panel.live.drawn = DRAWN
    desk.open("b.otio")
    assert desk.panel.live.drawn == ()
    desk.open("a.otio")
    assert desk.panel.live.drawn == DRAWN


def test_looking_for_media_elsewhere_costs_no_curve(tmp_path: Path) -> None:
    engine = FakeEngine()
    panel = Panel(engine, InlinePump(), defaults=Defaults(None))
    panel.clips.open(Source(tmp_path / "a.otio"))
    engine.open("open")[-1].finish(many(20))
    panel.live.drawn = DRAWN
    panel.options.set("strength", 0.5)
    panel.clips.look_in(tmp_path / "media")
    engine.open("open")[-1].finish(many(20))
    assert panel.live.drawn == DRAWN
    assert panel.options.value("strength") == 0.5
    panel.close()


def test_a_preview_asked_for_while_the_last_is_surveyed_takes_its_place(desk: Desk) -> None:
    desk.open()
    desk.panel.preview(2.0, 4.0)
    desk.last("preview").finish({"mix": str(desk.mix(2.0, 4.0))})
    late = desk.last("survey", first=2.0)
    desk.panel.preview(20.0, 4.0)
    assert late.cancelled
    hearing = desk.panel.hearing
    assert hearing is not None
    assert hearing.first == 20.0
    desk.last("preview").finish({"mix": str(desk.mix(20.0, 4.0, clip=2))})
    desk.last("survey", first=20.0).finish()
    assert [mix.start for mix in desk.heard] == [20.0]
    assert desk.panel.deck.playing
    assert desk.panel.hearing is None


def test_a_preview_and_a_job_that_are_done_together_are_both_heard(desk: Desk) -> None:
    desk.open()
    desk.panel.rebalance()
    desk.finish(desk.mix(0.0, SECONDS))
    whole = desk.last("survey", first=0.0)
    desk.panel.preview(20.0, 4.0)
    desk.last("preview").finish({"mix": str(desk.mix(20.0, 4.0, clip=2))})
    of_preview = desk.last("survey", first=20.0)
    assert whole.open
    whole.finish()
    of_preview.finish()
    desk.last("survey", first=20.0).finish()  # anew: clips lie otherwise since the job's is heard
    assert desk.panel.live.heard_whole
    assert [mix.start for mix in desk.heard] == [20.0]
    assert set(desk.panel.live.laid.parted) == {1, 2}


def test_a_preview_survives_that_a_job_s_result_cannot_be_surveyed(desk: Desk) -> None:
    desk.open()
    desk.panel.rebalance()
    desk.finish(desk.mix(0.0, SECONDS))
    desk.panel.preview(20.0, 4.0)
    desk.last("survey", first=0.0).fail(Failure("No."))
    assert desk.panel.hearing is not None
    assert [failure.error for failure in desk.failures] == ["No."]


def test_other_categories_ask_anew_for_a_preview_that_is_on_its_way(desk: Desk) -> None:
    desk.open()
    desk.panel.preview(2.0, 4.0)
    old = desk.last("preview")
    desk.panel.clips.set_category([1], "music")
    assert old.cancelled
    new = desk.last("preview")
    assert (new.data["start"], new.data["seconds"]) == (2.0, 4.0)
    assert "A1=music" in new.data["told"]
    desk.panel.options.set("context", "none")
    assert new.cancelled
    assert desk.last("preview").data["settings"]["context"] == "none"


@pytest.mark.parametrize("other", [False, True])
def test_a_job_is_heard_where_its_categories_are_those_of_now(desk: Desk, other: bool) -> None:
    desk.open()
    desk.panel.rebalance()
    if other:
        desk.panel.clips.set_category([1], "music")
    desk.finish(desk.mix(0.0, SECONDS))
    assert desk.panel.result is not None
    if other:
        assert not [asked for asked in desk.engine.open("survey") if "first" in asked.data]
    else:
        desk.last("survey", first=0.0).finish()
    assert desk.panel.live.heard_whole is not other


def test_a_job_done_for_a_timeline_that_is_not_open_is_heard_when_it_is(desk: Desk) -> None:
    desk.open("a.otio")
    desk.panel.live.drawn = DRAWN
    desk.panel.rebalance()
    desk.open("b.otio")
    desk.finish(desk.mix(0.0, SECONDS))
    assert desk.panel.result is None
    assert not desk.panel.live.heard
    desk.open("a.otio")
    assert desk.panel.result == desk.folder / "a_mixed.otio"
    assert desk.panel.live.heard_whole
    assert desk.panel.live.drawn == DRAWN


def test_what_was_heard_of_an_earlier_cut_is_not_heard_of_a_new_one(desk: Desk) -> None:
    source = desk.open("a.otio")
    desk.panel.rebalance()
    desk.finish(desk.mix(0.0, SECONDS))
    desk.open("b.otio")
    later = (desk.folder / "a_mixed.otio").stat().st_mtime_ns + 10**9
    os.utime(source.path, ns=(later, later))
    desk.open("a.otio")
    assert desk.panel.result is not None
    assert not desk.panel.live.heard


def test_a_file_that_somebody_else_put_in_a_result_s_place_is_no_result(desk: Desk) -> None:
    desk.open("a.otio")
    desk.panel.rebalance()
    desk.finish()
    out = desk.panel.result
    assert out is not None
    desk.open("b.otio")
    (result_folder(out) / "report.json").unlink()
    out.write_text('{"OTIO_SCHEMA": "Timeline.1"}')
    desk.open("a.otio")
    assert desk.panel.result is None
    entry = desk.panel.rebalance()
    assert entry is not None
    assert entry.data["out"] == str(desk.folder / "a_mixed_2.otio")


def test_two_timelines_of_one_file_write_two_results(desk: Desk) -> None:
    both = ("Scene 4", "Scene 5")
    desk.open("a.otio", "1", both)
    one = desk.panel.rebalance()
    desk.open("a.otio", "2", both)
    other = desk.panel.rebalance()
    assert one is not None
    assert other is not None
    assert (Path(one.data["out"]).name, Path(other.data["out"]).name) == ("a_mixed.otio", "a_mixed_2.otio")


def test_a_name_that_another_timeline_s_result_has_is_passed_over(tmp_path: Path) -> None:
    source, out = tmp_path / "cut.mov", tmp_path / "cut_mixed.otio"
    write_report(out, source, "One")
    assert free_result(source) == out
    assert free_result(source, name="One") == out
    assert free_result(source, name="Two").name == "cut_mixed_2.otio"
    assert free_result(tmp_path / "cut.wav").name == "cut_mixed_2.otio"


def test_beside_a_timeline_where_nothing_can_be_written_its_result_goes_to_the_documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents, card = tmp_path / "documents", tmp_path / "card"
    documents.mkdir()
    card.mkdir()
    monkeypatch.setattr("platformdirs.user_documents_path", lambda: documents)
    assert free_result(card / "a.mov") == card / "a_mixed.otio"
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != card)
    assert free_result(card / "a.mov") == documents / "a_mixed.otio"


def test_closing_leaves_nothing_to_be_done_or_asked(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.open("a.otio")
    desk.panel.preview(2.0, 4.0)
    desk.panel.live.drawn = DRAWN
    desk.panel.clips.open(Source(tmp_path / "b.otio"))
    desk.panel.close()
    count = len(desk.engine.asked)
    desk.pump.run(0.5)
    assert len(desk.engine.asked) == count
    assert not desk.pump._timers
    assert not [
        asked.do for asked in desk.engine.asked if asked.open and asked.do not in ("warm", "devices", "foley")
    ]
