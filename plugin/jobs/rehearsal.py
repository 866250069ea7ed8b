"""Writing a result before there is one: what its format will not carry is said before the work, not after it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ...engine.media.container import layout_of
from ...engine.media.reader import probe
from ...engine.media.time import to_samples
from ...engine.media.writer import time_reference
from ...engine.passage import GainCurves, Loudness, Passage, Rendition
from ...engine.roles import STEMS
from ..timeline import Timeline, result_tracks
from ..timeline.results import Gain, Result, Ridden
from ..timeline.write import rehearse
from .settings import AUTO, KEYFRAMES, JobSettings

_UNKNOWN = Loudness(-23.0, 0.0, -1.0, -23.0, -23.0)
_STAND_IN = "sightmix_not_yet_made_"
_TIMES, _MOVES = (0.0, 1.0), (0.0, -1.0)  # s, dB: any curve that is none


@dataclass(frozen=True)
class Part:
    """A clip to be worked on, by its number; `category` is what it is known to hold, "" where it is a mix."""

    index: int
    passage: Passage
    category: str


def uncarried(
    timeline: Timeline, parts: Iterable[Part], settings: JobSettings, out: Path, folder: Path
) -> tuple[str, ...]:
    """What the format of `out` will not carry of a result, a sentence each; `folder` is where its files will lie.

    Raises what writing the result would: WriteError or TimelineError.
    """
    results = {part.index: _results(part, settings, folder) for part in parts}
    told = rehearse(timeline, results, out, not settings.keep_originals) if results else ()
    return tuple(text for text in told if _STAND_IN not in text)  # that those files are not there


def _results(part: Part, settings: JobSettings, folder: Path) -> list[Result]:
    """What of a clip will go on the timeline, as far as formats can tell the difference."""
    ridden = settings.whole and bool(part.category)
    found: list[Result] = []
    if not (ridden and settings.as_ in (AUTO, KEYFRAMES)):
        made, start = _rendition(part.passage, settings, folder / f"{_STAND_IN}{part.index}.wav")
        found += result_tracks(made, start, settings.as_)
    if ridden and (settings.keyframed or not found):
        found.append(Ridden(Gain(_TIMES, _MOVES), enabled=not found, category=part.category))
    return found


def _rendition(passage: Passage, settings: JobSettings, path: Path) -> tuple[Rendition, int]:
    """A rendition as it will be, but for its sound, and its file's time stamp in samples."""
    sound = passage.sound
    info = probe(sound.path)
    stream = info.audio[sound.channels[0].stream if sound.channels else 0]
    rate = stream.sample_rate
    stems = {stem: path.with_suffix(f".{stem}.wav") for stem in STEMS} if settings.with_stems else {}
    made = Rendition(
        identifier=passage.identifier,
        path=path,
        start=-passage.head,
        samples=to_samples(passage.rendered_duration, rate),
        sample_rate=rate,
        channels=layout_of(info, sound.channels).channels,
        before=_UNKNOWN,
        after=_UNKNOWN,
        gains=GainCurves(_TIMES, {stem: _MOVES for stem in STEMS}),
        stems=stems,
        raw_stems=bool(stems) and settings.keyframed,
    )
    return made, time_reference(passage.record_offset + passage.record_start - passage.head, rate)
