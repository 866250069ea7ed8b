"""Where picture has no sound: by listening, shot by shot, and for which reason; and what is asked of a Foley engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import timeline_kit as kit
from sightmix.engine.errors import Cancelled, ModelError
from sightmix.engine.progress import Progress
from sightmix.plugin.session import foley
from sightmix.plugin.session.foley import GAP, MUTED, OFFLINE, SILENT, Candidate, Place
from sightmix.plugin.session.silences import find_silent
from sightmix.plugin.timeline import Timeline, open_timeline


@pytest.fixture
def films(tmp_path: Path) -> tuple[str, str, str]:
    """A picture of ten seconds, a tone that is silent from 3 s to 5 s, and silence, a hair above nothing."""
    x = 0.1 * np.sin(2 * np.pi * 440 * np.arange(10 * 48000) / 48000).astype(np.float32)
    x[3 * 48000 : 5 * 48000] = 0.0
    soundfile.write(tmp_path / "tone.wav", x, 48000)
    soundfile.write(tmp_path / "still.wav", np.full(10 * 48000, 0.0005, np.float32), 48000)
    picture = kit.movie(tmp_path / "film.mov")
    return str(picture), str(tmp_path / "tone.wav"), str(tmp_path / "still.wav")


def opened(folder: Path, *tracks: dict[str, object]) -> Timeline:
    return open_timeline(kit.save(folder / "cut.otio", kit.timeline(*tracks, start=kit.rt(86400, 24))))


def places(timeline: Timeline) -> list[tuple[float, float, str, str]]:
    found = find_silent(timeline, Progress())
    assert [place.number for place in found] == list(range(1, len(found) + 1))
    return [(round(p.first, 3), round(p.last, 3), p.name, p.reason) for p in found]


def test_gaps_silences_mutes_and_missing_files_shot_by_shot(
    films: tuple[str, str, str], tmp_path: Path
) -> None:
    film, tone, still = films
    shots = [kit.clip(name, kit.tr(0, 96), film) for name in ("one", "two", "three", "four", "five")]
    timeline = opened(
        tmp_path,
        kit.track("Video", *shots),
        kit.track(
            "Audio",
            kit.clip("talk", kit.tr(0, 144), tone),  # 0 s to 6 s, silent from 3 s to 5 s
            kit.gap(48),  # to 8 s
            kit.clip("room", kit.tr(0, 96), still),  # to 12 s
            kit.clip("lost", kit.tr(0, 96), str(tmp_path / "lost.wav")),  # to 16 s
            kit.clip("off", kit.tr(0, 96), tone, enabled=False),
        ),
    )
    assert places(timeline) == [
        (3.0, 4.0, "one", SILENT),
        (4.0, 5.0, "two", SILENT),
        (6.0, 8.0, "two", GAP),
        (8.0, 12.0, "three", SILENT),
        (12.0, 16.0, "four", OFFLINE),
        (16.0, 20.0, "five", MUTED),
    ]
    third = find_silent(timeline, Progress())[3]
    assert (third.timecode_in, third.timecode_out, third.clips) == ("01:00:08:00", "01:00:12:00", (2,))
    assert Place.from_dict(third.to_dict()) == third


def test_what_another_track_sounds_is_heard_and_black_is_no_picture(
    films: tuple[str, str, str], tmp_path: Path
) -> None:
    film, tone, still = films
    timeline = opened(
        tmp_path,
        kit.track(
            "Video", kit.clip("one", kit.tr(0, 48), film), kit.gap(48), kit.clip("two", kit.tr(0, 48), film)
        ),
        kit.track("Audio", kit.clip("room", kit.tr(0, 96), still)),
        kit.track("Audio", kit.clip("talk", kit.tr(0, 60), tone)),
    )
    assert places(timeline) == [(4.0, 6.0, "two", GAP)]


def test_what_is_too_short_is_let_be(films: tuple[str, str, str], tmp_path: Path) -> None:
    film, tone, _ = films
    timeline = opened(
        tmp_path,
        kit.track("Video", kit.clip("one", kit.tr(0, 120), film)),
        kit.track(
            "Audio", kit.clip("talk", kit.tr(0, 60), tone), kit.gap(18), kit.clip("on", kit.tr(0, 42), tone)
        ),
    )
    assert places(timeline) == []
    assert [round(p.last - p.first, 1) for p in find_silent(timeline, Progress(), 0.5)] == [0.7]


def test_no_sound_at_all_and_no_picture(films: tuple[str, str, str], tmp_path: Path) -> None:
    film, tone, _ = films
    silent = opened(tmp_path, kit.track("Video", kit.clip("one", kit.tr(0, 60), film)))
    assert places(silent) == [(0.0, 2.5, "one", GAP)]
    heard = opened(tmp_path, kit.track("Audio", kit.clip("talk", kit.tr(0, 240), tone)))
    assert places(heard) == []


def test_looking_can_be_stopped_and_is_told_of(films: tuple[str, str, str], tmp_path: Path) -> None:
    film, tone, _ = films
    timeline = opened(
        tmp_path,
        kit.track("Video", kit.clip("one", kit.tr(0, 240), film)),
        kit.track("Audio", kit.clip("talk", kit.tr(0, 240), tone)),
    )
    told: list[float] = []
    find_silent(timeline, Progress(lambda step: told.append(step.done / step.total)))
    assert told[-1] == 1.0
    stopped = Progress()
    stopped.cancel()
    with pytest.raises(Cancelled):
        find_silent(timeline, stopped)


class Tapper:
    """An engine that taps."""

    def __init__(self, able: bool = True) -> None:
        self.able = able

    def available(self) -> tuple[bool, str]:
        return self.able, "" if self.able else "It needs a graphics card."

    def candidates(
        self, timeline: Timeline, place: Place, most: int, progress: Progress
    ) -> Iterator[Candidate]:
        yield from (Candidate(str(n), f"Tap {n}", 1 / n, 0.5) for n in range(1, most + 1))

    def sound(self, timeline: Timeline, place: Place, candidate: Candidate, progress: Progress) -> np.ndarray:
        return np.full((1, 4), float(candidate.key), np.float32)


def test_an_engine_is_there_once_it_is_registered() -> None:
    assert foley.availability() == (False, foley.NOT_THERE)
    with pytest.raises(ModelError, match="No engine for Foley is installed yet"):
        foley.engine()
    leave = foley.register(Tapper())
    try:
        assert foley.availability() == (True, "")
        assert isinstance(foley.engine(), Tapper)
    finally:
        leave()
    assert foley.availability() == (False, foley.NOT_THERE)


def test_an_engine_that_cannot_work_here_says_why() -> None:
    leave = foley.register(Tapper(able=False))
    try:
        with pytest.raises(ModelError, match="needs a graphics card"):
            foley.engine()
    finally:
        leave()


def test_engines_register_themselves_once_somebody_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tapping_engine.py").write_text(
        "from sightmix.plugin.session import foley\n"
        "class Engine:\n    def available(self):\n        return False, 'It is being tuned.'\n"
        "foley.register(Engine())\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(foley, "_registered", [])
    monkeypatch.setattr(foley, "ENGINES", ("tapping_engine",))
    assert foley.availability() == (False, "It is being tuned.")
