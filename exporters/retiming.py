"""What an OTIO item's time effects amount to."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import opentimelineio as otio

from .sources import ZERO, meta, number, tidy

Point = tuple[Fraction, Fraction]


@dataclass(frozen=True)
class Retiming:
    """A constant `speed` (media seconds per record second), or a ramp's (record, media) keys in seconds from the
    media's start; `problem` says what is wrong with effects that cannot be read.
    """

    speed: Fraction = Fraction(1)
    keys: tuple[Point, ...] = ()
    problem: str = ""

    @property
    def plain(self) -> bool:
        """Whether the item plays as it was shot."""
        return self.speed == 1 and not self.keys and not self.problem

    @property
    def mean(self) -> Fraction:
        """The speed, over a whole ramp."""
        if not self.keys:
            return self.speed
        (r0, m0), (r1, m1) = self.keys[0], self.keys[-1]
        return (m1 - m0) / (r1 - r0)

    def entry(self, duration: Fraction, offset: Fraction) -> Fraction:
        """Media seconds from the source range's start to the first moment played, over `duration` record seconds.

        A reversed item begins at its media's end. `offset` is the source range's start in the file (for ramps).
        """
        if self.keys:
            return self.bounds(offset, duration)[0][1] - offset
        return -self.speed * duration if self.speed < 0 else ZERO

    def bounds(self, offset: Fraction, duration: Fraction) -> list[Point]:
        """The ramp's (record, file) points within `duration` record seconds of the moment that plays `offset`."""
        begin = self._record(offset)
        moved = [(r - begin, m) for r, m in self.keys]
        inner = [(r, m) for r, m in moved if ZERO < r < duration]
        return [(ZERO, _media(moved, ZERO)), *inner, (duration, _media(moved, duration))]

    def _record(self, media: Fraction) -> Fraction:
        """The first record time that plays `media`, extended past both ends; 0 in a freeze."""
        pairs = list(pairwise(self.keys))
        for (r0, m0), (r1, m1) in pairs:
            if m0 != m1 and min(m0, m1) <= media <= max(m0, m1):
                return r0 + (media - m0) * (r1 - r0) / (m1 - m0)
        rising = self.keys[-1][1] >= self.keys[0][1]
        (r0, m0), (r1, m1) = pairs[0] if (media < self.keys[0][1]) == rising else pairs[-1]
        return ZERO if m0 == m1 else r0 + (media - m0) * (r1 - r0) / (m1 - m0)


def _media(keys: list[Point], record: Fraction) -> Fraction:
    """File seconds at a record time; the first and last stretch go on outside the keys."""
    pairs = list(pairwise(keys))
    (r0, m0), (r1, m1) = next((pair for pair in pairs if record <= pair[1][0]), pairs[-1])
    return m0 + (record - r0) * (m1 - m0) / (r1 - r0)


def read_retiming(node: Any) -> Retiming:
    """All enabled time effects of an item taken together; effects of other kinds do not touch time."""
    speed = Fraction(1)
    ramps: list[Retiming] = []
    for effect in node.effects:
        if not getattr(effect, "enabled", True):
            continue
        if isinstance(effect, otio.schema.LinearTimeWarp):
            scalar = number(effect.time_scalar)
            if scalar is None:
                return Retiming(problem="has a speed change without a usable speed")
            speed *= tidy(scalar)
        elif isinstance(effect, otio.schema.TimeEffect):
            ramps.append(_ramp(effect))
    if not ramps:
        return Retiming(speed=speed)
    if len(ramps) > 1 or speed != 1:
        return Retiming(problem="has several speed changes on top of each other")
    return ramps[0]


def _ramp(effect: Any) -> Retiming:
    """Resolve's speed ramp: keys of (record, media) seconds counted over the whole media, handles included."""
    keys: list[Point] = []
    for row in meta(effect, "Resolve_OTIO", "Key Frames") or []:
        pair = [number(value) for value in list(row)[:2]]
        if len(pair) != 2 or pair[0] is None or pair[1] is None:
            return Retiming(problem="has a speed ramp whose keyframes cannot be read")
        keys.append((pair[0], pair[1]))
    keys.sort()
    if len(keys) < 2 or any(a[0] == b[0] for a, b in pairwise(keys)):
        return Retiming(problem="has a speed change whose keyframes cannot be read")
    return Retiming(keys=tuple(keys))
