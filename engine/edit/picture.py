"""What the viewer sees of an edit: the topmost enabled picture at every moment."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from .lanes import ZERO, media_at
from .model import Edit, EditClip, EditTrack


@dataclass(frozen=True)
class Piece:
    """A stretch of one clip seen from `start` to `end` (record s); `first` and `last` are its media's times there."""

    start: Fraction
    end: Fraction
    clip: EditClip
    first: Fraction
    last: Fraction

    def between(self, start: Fraction, end: Fraction) -> Piece:
        """The same picture cut down to [start, end]."""
        if start == self.start and end == self.end:
            return self
        slope = (self.last - self.first) / (self.end - self.start)
        return Piece(
            start,
            end,
            self.clip,
            self.first + (start - self.start) * slope,
            self.last - (self.end - end) * slope,
        )


def visible(edit: Edit, end: Fraction, seen_through: Callable[[EditClip], bool]) -> list[Piece]:
    """The picture of an edit in order up to record time `end` (s), with holes where it is black.

    `seen_through` says of a clip whether what lies below it shows: titles, generators, adjustment clips. Across a
    dissolve the picture changes in its middle.
    """
    shown: list[Piece] = []
    for track in edit.tracks:
        if track.kind == "video" and track.enabled:
            shown = _over(shown, _pieces(track, seen_through))
    return cut(shown, ZERO, end)


def has_picture(edit: Edit) -> bool:
    """Whether there is any enabled video track at all."""
    return any(track.kind == "video" and track.enabled for track in edit.tracks)


def cut(pieces: Sequence[Piece], start: Fraction | None, end: Fraction | None) -> list[Piece]:
    """The part of `pieces` (in order, not overlapping) between two times; None is open-ended."""
    first = 0 if start is None else max(0, bisect_right(pieces, start, key=lambda p: p.start) - 1)
    last = len(pieces) if end is None else bisect_left(pieces, end, key=lambda p: p.start)
    parts = list(pieces[first:last])
    if parts and start is not None and parts[0].start < start:
        parts[:1] = [parts[0].between(start, parts[0].end)] if start < parts[0].end else []
    if parts and end is not None and end < parts[-1].end:
        parts[-1] = parts[-1].between(parts[-1].start, end)
    return parts


def _over(below: list[Piece], above: list[Piece]) -> list[Piece]:
    """`above` laid over `below`: below shows only where nothing covers it."""
    if not below or not above:
        return above or below
    shown = list(above)
    position: Fraction | None = None
    for upper in [*above, None]:
        end = upper.start if upper is not None else None
        if position is None or end is None or position < end:
            shown += cut(below, position, end)
        position = upper.end if upper is not None else None
    return sorted(shown, key=lambda p: p.start)


def _pieces(track: EditTrack, seen_through: Callable[[EditClip], bool]) -> list[Piece]:
    """What a track shows, stretch by stretch of constant speed."""
    late = {t.cut: (t.after - t.before) / 2 for t in track.transitions}
    shown: list[Piece] = []
    for clip in track.clips:
        if not clip.enabled or clip.duration <= 0 or seen_through(clip):
            continue
        # Fractions are slow to look up; most tracks have no transitions.
        first = late.get(clip.start, ZERO) if late else ZERO
        last = clip.duration + late.get(clip.end, ZERO) if late else clip.duration
        inner = (r for r, _ in clip.ramp[1:-1] if first < r < last)
        for a, b in itertools.pairwise([first, *inner, last]):
            if a < b:
                ends = (media_at(clip, a), media_at(clip, b))
                shown.append(Piece(clip.start + a, clip.start + b, clip, *ends))
    return shown
