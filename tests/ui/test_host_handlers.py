"""What the engine's process answers for exports to come and for Foley, asked through its own table."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from fakes import Asked, FakeEngine
from sightmix.engine.progress import Progress
from sightmix.plugin.session import foley
from sightmix.plugin.session.foley import Candidate, Place
from sightmix.plugin.timeline import Timeline
from sightmix.ui.base.source import Source
from sightmix.ui.control.exporting import Exporting
from sightmix.ui.control.foley import Foley, Heard
from sightmix.ui.control.history import History
from sightmix.ui.remote.call import Call
from sightmix.ui.remote.host_handlers import HANDLERS
from sightmix.ui.remote.kept import Kept
from sightmix.ui.remote.protocol import Message
from sightmix.ui.remote.table import TABLE

sys.path.append(str(Path(__file__).parent.parent / "plugin"))

import timeline_kit as kit


def test_the_table_knows_every_handler() -> None:
    for name, handler in HANDLERS.items():
        kind = TABLE[name]
        assert getattr(import_module(kind.module), kind.function or name) is handler, name


class Tapper:
    """An engine that taps, as loudly as a candidate says, on the timeline it is given."""

    def available(self) -> tuple[bool, str]:
        return True, ""

    def candidates(
        self, timeline: Timeline, place: Place, most: int, progress: Progress
    ) -> Iterator[Candidate]:
        yield from (
            Candidate(str(n), f"{timeline.name} {place.name} {n}", 1 / n, 0.5) for n in range(1, most + 1)
        )

    def sound(self, timeline: Timeline, place: Place, candidate: Candidate, progress: Progress) -> np.ndarray:
        return np.full((2, 480), float(candidate.key), np.float64)


class Process(FakeEngine):
    """Answers at once, by the real handlers."""

    def __init__(self, folder: Path) -> None:
        super().__init__(self.by_handler)
        self.kept = Kept("media", folder)

    def by_handler(self, asked: Asked) -> None:
        def send(message: Message) -> None:
            asked.tell(message.data["event"], message.payload)

        answer = HANDLERS[asked.do](Call(1, asked.do, asked.slot, asked.data, send), self.kept)
        data, payload = answer if isinstance(answer, tuple) else (answer, b"")
        asked.finish(data, payload)


@pytest.fixture
def cut(tmp_path: Path) -> Source:
    film, still = kit.movie(tmp_path / "film.mov"), kit.wav(tmp_path / "still.wav")
    tracks = (
        kit.track(
            "Video", kit.clip("Door", kit.tr(0, 48), str(film)), kit.clip("Street", kit.tr(0, 48), str(film))
        ),
        kit.track("Audio", kit.clip("room", kit.tr(0, 96), str(still)), name="A1"),
    )
    return Source(kit.save(tmp_path / "cut.otio", kit.timeline(*tracks, start=kit.rt(86400, 24))))


def test_foley_from_finding_to_hearing(cut: Source, tmp_path: Path) -> None:
    leave = foley.register(Tapper())
    try:
        history = History()
        page = Foley(Process(tmp_path), history)
        heard: list[Heard] = []
        page.heard.subscribe(heard.append)
        page.show(cut)
        assert page.able
        page.find()
        assert page.places is not None
        assert [(place.name, place.reason) for place in page.places] == [
            ("Door", "silent"),
            ("Street", "silent"),
        ]
        page.choose(2)
        page.list(3)
        assert [one.title for one in page.candidates] == ["cut Street 1", "cut Street 2", "cut Street 3"]
        page.pick("2")
        page.nudge(0.25)
        page.hear("2")
        assert heard[0].sound.shape == (2, 480)
        assert float(heard[0].sound.max()) == 2.0
        assert heard[0].start == 2.25
        assert (page.finding, page.listing, page.loading) == (False, False, False)
    finally:
        leave()


def test_no_engine_is_a_reason_and_no_failure(cut: Source, tmp_path: Path) -> None:
    page = Foley(Process(tmp_path), History())
    page.show(cut)
    assert (page.able, page.reason) == (False, foley.NOT_THERE)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("shotcut", "The start timecode is not carried."),
        ("format:kdenlive", None),
        ("reaper", None),
        ("stems", None),
        ("format:otio-plain", None),
    ],
)
def test_what_an_export_will_lack_is_known_before(
    target: str, said: str | None, cut: Source, tmp_path: Path
) -> None:
    page = Exporting(Process(tmp_path))
    page.show(cut)
    page.look(True)
    page.choose(target)
    assert page.lacking is not None
    assert (said is None) or any(sentence.startswith(said) for sentence in page.lacking)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut.otio", "film.mov", "still.wav"]
