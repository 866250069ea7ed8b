"""Where a timeline has picture and no sound: found by listening to all that plays, shot by shot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ...engine.edit.picture import Piece, visible
from ...engine.programme.programme import SAMPLE_RATE, audible
from ...engine.progress import Progress
from ..timeline import AudioClip, Timeline
from .foley import GAP, MUTED, OFFLINE, SILENT, Place

SHORTEST = 1.0  # s of silence under a picture that are worth a sound
QUIETEST_DBFS = -60.0  # RMS of a cell below which nothing is heard: well under any room's tone
_CELL = SAMPLE_RATE // 10  # samples: a tenth of a second
_REASON = {"disabled": MUTED, "offline": OFFLINE, "unsupported": OFFLINE, "online": SILENT}

Span = tuple[float, float]


def find_silent(timeline: Timeline, progress: Progress, shortest: float = SHORTEST) -> tuple[Place, ...]:
    """Where the picture is seen and nothing is heard for `shortest` seconds, shot by shot, in order.

    All that sounds is listened to once, in blocks, and found to a tenth of a second. Raises MediaError or Cancelled.
    """
    found: list[tuple[Piece, Span]] = []
    quiet = list(_stretches(_cells(timeline, progress), float(timeline.duration)))
    for shot in visible(timeline.edit, timeline.duration, lambda clip: clip.title):
        for first, last in quiet:
            begin, end = max(first, float(shot.start)), min(last, float(shot.end))
            if end - begin >= shortest - 1e-9:
                found.append((shot, (begin, end)))
    return tuple(_told_of(timeline, number, *one) for number, one in enumerate(found, start=1))


def _cells(timeline: Timeline, progress: Progress) -> Iterator[bool]:
    """Whether each tenth of a second is silent."""
    programme = audible(timeline.edit)
    floor = 10 ** (QUIETEST_DBFS / 10)
    left = np.zeros((programme.channels, 0), np.float32)
    done = 0
    for block in programme.blocks():
        left = np.concatenate([left, block[0]], axis=1)
        cells = left.shape[1] // _CELL
        yield from _silent(left[:, : cells * _CELL], floor)
        left = left[:, cells * _CELL :]
        done += block.shape[-1]
        progress.report("silences", timeline.name, done / SAMPLE_RATE, programme.samples / SAMPLE_RATE)
    if left.shape[1]:
        yield from _silent(left, floor)


def _silent(x: NDArray[np.float32], floor: float) -> Iterator[bool]:
    """Whether the loudest channel's power stays below `floor`, a cell at a time; a shorter rest is a cell."""
    cells = x.reshape(x.shape[0], -1, min(_CELL, max(1, x.shape[1])))
    power = np.square(cells, dtype=np.float64).mean(axis=2).max(axis=0)
    yield from (power < floor).tolist()


def _stretches(cells: Iterable[bool], end: float) -> Iterator[Span]:
    """The silent stretches in record seconds; past the last cell nothing plays."""
    step, begun, at = _CELL / SAMPLE_RATE, None, 0
    for at, silent in enumerate(cells, start=1):
        if silent and begun is None:
            begun = (at - 1) * step
        if not silent and begun is not None:
            yield begun, (at - 1) * step
            begun = None
    begun = at * step if begun is None else begun
    if begun < end:
        yield begun, end


def _told_of(timeline: Timeline, number: int, shot: Piece, span: Span) -> Place:
    first, last = (Fraction(time).limit_denominator(1000) for time in span)
    lying = [clip for clip in timeline.clips if clip.record_in < last and clip.record_out > first]
    return Place(
        number=number,
        first=float(first),
        last=float(last),
        name=shot.clip.name,
        reason=_reason(lying),
        clips=tuple(clip.index for clip in lying),
        timecode_in=timeline.timecode(first),
        timecode_out=timeline.timecode(last),
    )


def _reason(lying: Sequence[AudioClip]) -> str:
    """Why nothing is heard: what is there and silent says more than what is offline, and that more than a mute."""
    reasons = {_REASON[clip.state] for clip in lying}
    return next((reason for reason in (SILENT, OFFLINE, MUTED) if reason in reasons), GAP)
