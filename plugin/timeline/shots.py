"""A clip's passage: its sound, its handles, the shots seen with it and the notes over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import pairwise
from math import ceil, floor
from pathlib import Path

from ...engine.edit.lanes import ZERO
from ...engine.edit.model import EditClip
from ...engine.edit.notes import Remark
from ...engine.edit.picture import Piece, cut
from ...engine.passage import Note, Shot

MARGIN = Fraction(10)
_SAME = Fraction(1, 1000)


@dataclass(frozen=True)
class Seen:
    """A stretch of picture in record time with file offsets at both ends; `path` None is black or
    unreadable.
    """

    start: Fraction
    end: Fraction
    path: Path | None
    first: Fraction = ZERO
    last: Fraction = ZERO
    name: str = ""
    reason: str = ""
    forced: bool = False

    @cached_property
    def length(self) -> Fraction:
        """Record seconds."""
        return self.end - self.start

    @cached_property
    def speed(self) -> Fraction:
        """Media seconds per record second."""
        return (self.last - self.first) / self.length

    def goes_on_in(self, other: Seen) -> bool:
        """Whether `other` shows the very next moment of the same media, so that nobody sees a cut."""
        if other.forced or self.name != other.name or self.path != other.path or other.start != self.end:
            return False
        same_reason = self.reason == other.reason
        return same_reason and abs(self.last - other.first) < _SAME and abs(self.speed - other.speed) < _SAME

    def joined(self, other: Seen) -> Seen:
        """Both as one stretch."""
        return Seen(
            self.start, other.end, self.path, self.first, other.last, self.name, self.reason, self.forced
        )


def _resolved(piece: Piece) -> Seen:
    clip = piece.clip
    media = clip.media
    forced = _is_forced_cut(clip)
    if clip.state != "online" or media is None or media.path is None:
        return Seen(piece.start, piece.end, None, piece.first, piece.last, clip.name, clip.reason, forced)
    if media.still:
        return Seen(piece.start, piece.end, media.path, ZERO, ZERO, clip.name, "", forced)
    ends = (piece.first - media.start, piece.last - media.start)
    return Seen(piece.start, piece.end, media.path, *ends, clip.name, "", forced)


def _is_forced_cut(clip: EditClip) -> bool:
    """Whether a clip begins at a cut the user named, though its media runs on."""
    ours = clip.metadata.get("sightmix_source")
    return isinstance(ours, dict) and ours.get("cut") is True


def seen(
    pieces: Sequence[Piece],
    start: Fraction,
    end: Fraction,
    known: dict[int, tuple[Piece, Seen]] | None = None,
) -> list[Seen]:
    """The picture between two record times without holes: black where nothing is seen, through edits joined.

    `known` keeps what whole pieces show from one call to the next.
    """
    known = {} if known is None else known
    shown: list[Seen] = []
    position = start
    black = "Black: no picture on the timeline."
    origin: list[int] = []
    for piece in cut(pieces, start, end):
        if piece.start > position:
            shown.append(Seen(position, piece.start, None, reason=black))
            origin.append(0)
        if id(piece) not in known:
            known[id(piece)] = (piece, _resolved(piece))
        shown.append(known[id(piece)][1])
        origin.append(id(piece.clip))
        position = piece.end
    if position < end:
        shown.append(Seen(position, end, None, reason=black))
        origin.append(0)
    return _merged(shown, origin)


def _merged(shown: list[Seen], origin: list[int]) -> list[Seen]:
    """Joins what runs on: through edits, and the stretches of one ramped clip."""
    merged: list[Seen] = []
    previous = -1
    for stretch, clip in zip(shown, origin, strict=True):
        ramp = bool(merged) and clip != 0 and clip == previous and merged[-1].end == stretch.start
        ramp = ramp and abs(merged[-1].last - stretch.first) < _SAME
        if merged and (ramp or merged[-1].goes_on_in(stretch)):
            merged[-1] = merged[-1].joined(stretch)
        else:
            merged.append(stretch)
        previous = clip
    return merged


def to_shots(
    stretches: list[Seen], passage_time: Callable[[Fraction], Fraction], plain: bool = False
) -> tuple[Shot, ...]:
    """Shots in passage time; what the passage shows backwards is turned round, what it freezes on falls away.

    `plain` says that passage time runs as fast as the record's, which saves most of the arithmetic.
    """
    if plain:
        return tuple(_plain_shot(stretch, passage_time(stretch.start)) for stretch in stretches)
    shots = []
    forward = True
    # The stretches leave no holes, so each one begins where the last one ended.
    times = [passage_time(time) for time in [s.start for s in stretches[:1]] + [s.end for s in stretches]]
    for stretch, (a, b) in zip(stretches, pairwise(times), strict=True):
        first, last = stretch.first, stretch.last
        at, length = a, b - a
        if length < 0:
            at, length, first, last, forward = b, -length, last, first, False
        if not length:
            continue
        is_file = stretch.path is not None
        speed = (last - first) / length if is_file else Fraction(1)
        start = first if is_file else ZERO
        shots.append(Shot(at, length, stretch.path, start, speed, stretch.name, stretch.reason))
    return tuple(shots if forward else sorted(shots, key=lambda shot: shot.start))


def _plain_shot(stretch: Seen, at: Fraction) -> Shot:
    if stretch.path is None:
        return Shot(at, stretch.length, None, ZERO, Fraction(1), stretch.name, stretch.reason)
    return Shot(at, stretch.length, stretch.path, stretch.first, stretch.speed, stretch.name, stretch.reason)


def to_notes(
    found: list[Remark], start: Fraction, end: Fraction, passage_time: Callable[[Fraction], Fraction]
) -> tuple[Note, ...]:
    """The remarks that touch [start, end] in record time, as notes in passage time."""
    notes = []
    for remark in found:
        if remark.start < end and (remark.end > start or remark.start == remark.end >= start):
            ends = sorted((passage_time(max(remark.start, start)), passage_time(min(remark.end, end))))
            notes.append(Note(ends[0], ends[1] - ends[0], remark.text))
    return tuple(sorted(notes, key=lambda note: (note.start, note.duration)))


def handle(
    wanted: Fraction, needed: Fraction, limit: Fraction, frame_rate: Fraction, sample_rate: int
) -> Fraction:
    """A handle's length in seconds: about `wanted`, at most `limit` (what the media holds), at least `needed`
    if it can.

    Preferred are lengths that are whole frames and whole samples at once, so that the new clip's source range
    counts in the old clip's rate and still names the exact sample, if that gives up no more than half of it.
    """
    wanted, limit = max(wanted, needed), max(limit, ZERO)
    least = max(needed, min(wanted, limit) / 2)
    both = _whole_units(frame_rate, sample_rate)
    for length in _lengths(wanted, limit, both, frame_rate):
        if least <= length <= limit and length <= 2 * wanted + both:
            return length
    return Fraction(floor(min(wanted, limit) * sample_rate), sample_rate)


def _lengths(wanted: Fraction, limit: Fraction, both: Fraction, frame_rate: Fraction) -> Iterator[Fraction]:
    """A handle's lengths, the best first."""
    if both <= 2 * wanted:
        yield ceil(wanted / both) * both
    yield floor(limit / both) * both
    yield floor(limit * frame_rate) / frame_rate


@lru_cache(maxsize=64)
def _whole_units(frame_rate: Fraction, sample_rate: int) -> Fraction:
    """The shortest time in seconds that is whole frames and whole samples."""
    return Fraction((Fraction(sample_rate) / frame_rate).denominator) / frame_rate
