"""The specimen's checklist: for every feature the value to be seen, on one page to print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ....engine.media.time import timecode
from ...jobs.page import templates
from . import facts
from .facts import DIALOGUE, EFFECTS, MUSIC, RATE, at

FILES = (".otio", ".xml", ".fcpxml", ".aaf", ".edl")
_SOUND = (".otio", ".xml", ".fcpxml", ".aaf")
_TRACKS_MUTED = (".otio", ".xml")
_MUTED = (".otio", ".xml", ".fcpxml", ".aaf")
_MARKED = (".otio", ".xml", ".fcpxml", ".aaf")


@dataclass(frozen=True)
class Row:
    """A line of the list: what to look at and where, the value to be seen, and the files it is in."""

    what: str
    value: str
    files: Sequence[str] = FILES

    @property
    def listed(self) -> str:
        """The files' endings, for the page."""
        return "all" if tuple(self.files) == FILES else " ".join(self.files)


def rows() -> tuple[Row, ...]:
    """Every line, in the order in which somebody goes through the timeline."""
    return (*_timeline(), *_picture(), *_tracks(), *_levels(), *_new_clips(), *_markers())


def _timeline() -> Iterator[Row]:
    yield Row("Import: nothing offline, no message; frame rate of the timeline", f"{RATE} fps")
    yield Row("First frame of the timeline", at(0))
    yield Row("Length of the timeline", _length(facts.LENGTH))


def _picture() -> Iterator[Row]:
    for number, cut in enumerate(facts.SHOTS, start=1):
        film = next(film for film in facts.FILMS.values() if film.file == cut.file)
        source = timecode(film.hour * 3600 + cut.source / RATE, RATE)
        yield Row(
            f"V1, shot {number}: first frame, length, source in",
            f"{at(cut.start)}, {_length(cut.frames)}, {source}",
        )
        middle = cut.start + cut.frames // 2
        seen = f"{film.letter} {cut.source + cut.frames // 2:03d}"
        yield Row(f"Picture at {at(middle)}", seen)
        sync = cut.start + facts.SYNC - cut.source
        yield Row(
            f"White picture and a high beep, one frame, at {at(sync)}", f"{film.letter} {facts.SYNC:03d}"
        )
    middle, half = facts.SHOTS[0].end, facts.DISSOLVE // 2
    yield Row(
        f"V1: dissolve around {at(middle)}: first and last frame",
        f"{at(middle - half)}, {at(middle + half - 1)} ({facts.DISSOLVE} frames)",
    )


def _tracks() -> Iterator[Row]:
    names = ", ".join(f"{name} {facts.RESULT}" for name in facts.TRACKS)
    yield Row("New sound tracks, below the others", names, _SOUND)
    before = ", ".join(facts.TRACKS)
    yield Row(f"The tracks {before}", "off (muted)", _TRACKS_MUTED)
    yield Row(f"The clips on {before}", "disabled", _MUTED)
    alone = facts.ALONE
    loud = f"{_db(facts.level(DIALOGUE, alone))}; muting failed: {_db(facts.unmuted(DIALOGUE, alone))}"
    yield Row(f"Main meter at {_moment(alone)} (peak)", loud, _SOUND)


def _levels() -> Iterator[Row]:
    for track, moments in facts.READINGS.items():
        for moment in moments:
            what = f"Meter of {track} {facts.RESULT} at {_moment(moment)} (peak)"
            yield Row(what, _db(facts.level(track, moment)), _SOUND)
    yield Row(
        f"The same of {DIALOGUE} {facts.RESULT} at {_moment(facts.HALFWAY)}, on its way down",
        f"about {_db(facts.level(DIALOGUE, facts.HALFWAY))}",
        _SOUND,
    )
    for track in (DIALOGUE, MUSIC):
        yield Row(f"{track} {facts.RESULT}: volume points on the clips", "can be dragged", _SOUND)


def _new_clips() -> Iterator[Row]:
    for number, cut in enumerate(facts.NEW_CLIPS, start=1):
        what = f"{EFFECTS} {facts.RESULT}, clip {number}: first frame, length, handles"
        yield Row(
            what, f"{at(cut.start)}, {_length(cut.frames)}, {facts.HANDLE} frames at either end", _SOUND
        )
    own, outside, before = facts.NEW_EFFECTS.hz, facts.OUTSIDE.hz, facts.TONES[EFFECTS].hz
    tones = f"{own:g} Hz; {outside:g} Hz: misplaced; {before:g} Hz: not muted"
    yield Row("What these clips sound like, from first to last frame", tones, _SOUND)


def _markers() -> Iterator[Row]:
    frame, title, _ = facts.MARKER
    yield Row(f"Marker of the timeline: “{title}”", at(frame), _MARKED)
    frame, title, _ = facts.CLIP_MARKER
    shot = facts.SHOTS[1]
    yield Row(f"Marker of shot 2: “{title}”", at(shot.start + frame - shot.source), _MARKED)


def _length(frames: int) -> str:
    return timecode(frames / RATE, RATE)


def _moment(second: Fraction) -> str:
    return timecode(facts.START + second, RATE)


def _db(level: float) -> str:
    return f"{level:.1f} dBFS".replace("-", "−")


def checklist(folder: Path, losses: Mapping[str, Sequence[str]]) -> str:
    """The page, for a specimen in `folder`; `losses` says of every file what it cannot carry."""
    page = templates(Path(__file__).parent).get_template("checklist.html")
    return page.render(folder=folder, rows=rows(), losses=losses, name=facts.NAME)
