"""Which frames to look at: spread over the shots of a window, never on or across a cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ..errors import SettingsError
from ..passage import Shot

# Distance in seconds kept from a cut: more than half a frame at 23.976 fps, the slowest rate in use.
MARGIN = Fraction(1, 40)


@dataclass(frozen=True)
class PlannedFrame:
    """A frame to look at: passage time (s), index of its shot, file, and offset in the file (s)."""

    time: Fraction
    shot: int
    path: Path
    media_time: Fraction


@dataclass(frozen=True)
class _Seen:
    """The part of a shot that lies in the window and clear of the cuts, and how many frames it can use."""

    index: int
    shot: Shot
    path: Path
    start: Fraction
    end: Fraction
    most: int

    @property
    def length(self) -> Fraction:
        return self.end - self.start


def plan_frames(
    shots: Sequence[Shot],
    start: Fraction,
    duration: Fraction,
    per_second: Fraction = Fraction(1),
    limit: int = 10,
) -> tuple[PlannedFrame, ...]:
    """The frames to look at for the window [start, start + duration) of passage time, in order of time.

    About `per_second` frames for each second of picture and never more than `limit`. Every shot seen in the
    window gets one before any gets two; with more shots than `limit`, those seen longest get theirs. A
    shot's frames are spread evenly over what the window shows of it, `MARGIN` away from its cuts where it is
    long enough (else at a third of it). Stills and freezes (speed 0) get one frame; black, unreadable and
    barely grazed shots none. Raises `SettingsError` if `per_second` or `limit` is not positive.
    """
    if per_second <= 0 or limit < 1:
        raise SettingsError(
            f"Frames per second and their limit must be positive, not {per_second} and {limit}."
        )
    seen = _seen(shots, start, start + duration, per_second)
    counts = _share(seen, per_second, limit)
    frames = [frame for part in seen for frame in _spread(part, counts.get(part.index, 0))]
    return tuple(sorted(frames, key=lambda frame: (frame.time, frame.shot)))


def _seen(shots: Sequence[Shot], start: Fraction, end: Fraction, per_second: Fraction) -> list[_Seen]:
    seen = []
    for index, shot in enumerate(shots):
        margin = min(MARGIN, shot.duration / 3)
        a = max(start, shot.start + margin)
        b = min(end, shot.start + shot.duration - margin)
        if shot.path is not None and a < b:
            most = 1 if shot.speed == 0 else max(1, _ceil((b - a) * per_second))
            seen.append(_Seen(index, shot, shot.path, a, b, most))
    return seen


def _share(seen: Sequence[_Seen], per_second: Fraction, limit: int) -> dict[int, int]:
    """Frames per shot index: one each, longest first, then to whichever shot's frames lie furthest apart."""
    total = min(
        limit, max(len(seen), _half_up(sum((part.length for part in seen), Fraction(0)) * per_second))
    )
    longest = sorted(seen, key=lambda part: (-part.length, part.index))
    counts = {part.index: 1 for part in longest[:total]}
    for _ in range(total - len(counts)):
        open_to_more = [part for part in longest if counts[part.index] < part.most]
        if not open_to_more:
            break
        widest = max(open_to_more, key=lambda part: part.length / counts[part.index])
        counts[widest.index] += 1
    return counts


def _spread(part: _Seen, count: int) -> list[PlannedFrame]:
    times = [part.start + part.length * Fraction(2 * i + 1, 2 * count) for i in range(count)]
    return [PlannedFrame(t, part.index, part.path, media_time(part.shot, t)) for t in times]


def media_time(shot: Shot, time: Fraction) -> Fraction:
    """The offset in the shot's file (s) that is shown at passage time `time`."""
    return shot.media_start + (time - shot.start) * shot.speed


def _ceil(x: Fraction) -> int:
    return -(-x.numerator // x.denominator)


def _half_up(x: Fraction) -> int:
    return (2 * x.numerator + x.denominator) // (2 * x.denominator)
