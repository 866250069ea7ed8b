"""Time effects as exact maps from record time to media time."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from .nodes import Node, is_enabled, metadata, number, schema

Point = tuple[Fraction, Fraction]
_CONSTANT = ("LinearTimeWarp", "FreezeFrame")
_JUST_BEFORE = Fraction(1, 10**9)  # s: a ramp that begins with a freeze is entered this far before it


@dataclass(frozen=True)
class TimeMap:
    """Piecewise linear map: `points` are (record, media) seconds from the item's start, records increasing.

    Outside the points the first and last stretch go on, which is what handles see.
    """

    points: tuple[Point, ...]

    def at(self, record: Fraction) -> Fraction:
        """Media time in seconds at `record` seconds after the item's start."""
        r0, m0, slope = self._stretch(record)
        if slope == 1:
            return m0 + record - r0
        return m0 + (record - r0) * slope

    def slope(self, record: Fraction) -> Fraction:
        """Media seconds per record second at `record`."""
        return self._stretch(record)[2]

    def inverse(self, media: Fraction) -> Fraction | None:
        """The first record time that shows `media`, extended past both ends; None in a freeze."""
        pairs = list(zip(self.points, self.points[1:], strict=False))
        for (r0, m0), (r1, m1) in pairs:
            if m0 != m1 and min(m0, m1) <= media <= max(m0, m1):
                return r0 + (media - m0) * (r1 - r0) / (m1 - m0)
        first, last = pairs[0], pairs[-1]
        rising = self.points[-1][1] >= self.points[0][1]
        (r0, m0), (r1, m1) = first if (media < self.points[0][1]) == rising else last
        return None if m0 == m1 else r0 + (media - m0) * (r1 - r0) / (m1 - m0)

    def breaks(self, start: Fraction, end: Fraction) -> list[Fraction]:
        """Record times that part [start, end] into stretches of one speed, both ends included."""
        return [start, *(r for r, _ in self.points[1:-1] if start < r < end), end]

    @property
    def constant(self) -> bool:
        """Whether one speed holds all along."""
        return len(self.points) == 2

    @property
    def forward(self) -> bool:
        """Whether media time never runs backwards."""
        return all(a[1] <= b[1] for a, b in zip(self.points, self.points[1:], strict=False))

    @cached_property
    def _stretches(self) -> list[tuple[Fraction, Fraction, Fraction]]:
        """Start in the record, start in the media and speed of every stretch."""
        pairs = itertools.pairwise(self.points)
        return [(r0, m0, (m1 - m0) / (r1 - r0)) for (r0, m0), (r1, m1) in pairs]

    def _stretch(self, record: Fraction) -> tuple[Fraction, Fraction, Fraction]:
        for i, stretch in enumerate(self._stretches[:-1]):
            if record <= self.points[i + 1][0]:
                return stretch
        return self._stretches[-1]


def constant_map(duration: Fraction, speed: Fraction) -> TimeMap:
    """The map of an item of `duration` record seconds at one speed; a reversed one starts at its
    media's end.
    """
    length = duration if duration > 0 else Fraction(1)
    start = -speed * length if speed < 0 else Fraction(0)
    return TimeMap(((Fraction(0), start), (length, start + speed * length)))


@dataclass(frozen=True)
class Retiming:
    """What an item's time effects amount to: a constant `speed`, or a ramp's keys in seconds from the media's
    start.
    """

    speed: Fraction = Fraction(1)
    keys: tuple[Point, ...] = ()
    problem: str = ""

    @property
    def plain(self) -> bool:
        """Whether the item plays as it was shot."""
        return self.speed == 1 and not self.keys and not self.problem

    @property
    def frozen(self) -> bool:
        """Whether the item shows one frame only."""
        return self.speed == 0 and not self.keys

    def map(self, duration: Fraction, media_in: Fraction = Fraction(0)) -> TimeMap:
        """The map over `duration` record seconds; `media_in` is the item's start in its media (for ramps)."""
        if not self.keys:
            return constant_map(duration, self.speed)
        whole = TimeMap(self.keys)
        entry = whole.inverse(media_in)
        if entry is None:
            entry = Fraction(0)
        return TimeMap(tuple((r - entry, m - media_in) for r, m in self.keys))


def _tidy(value: Fraction) -> Fraction:
    """1/10 for the float 0.1: the simple fraction that a writer turned into this very float, if
    there is one.
    """
    simple = value.limit_denominator(10000)
    return simple if float(simple) == float(value) else value


def _ramp(effect: Node) -> Retiming:
    """Resolve's speed ramp: keys of (record, media) seconds counted over the whole media, handles
    included.
    """
    frames = metadata(effect, "Resolve_OTIO", "Key Frames")
    keys: list[Point] = []
    for frame in frames if isinstance(frames, list) else []:
        pair = [number(value) for value in frame[:2]] if isinstance(frame, list) else []
        if len(pair) != 2 or pair[0] is None or pair[1] is None:
            return Retiming(problem="has a speed ramp whose keyframes cannot be read")
        keys.append((pair[0], pair[1]))
    keys.sort()
    if len(keys) < 2 or any(a[0] == b[0] for a, b in itertools.pairwise(keys)):
        return Retiming(problem="has a speed change whose keyframes cannot be read")
    return Retiming(keys=tuple(keys))


def read_retiming(node: Node) -> Retiming:
    """All enabled time effects of an item taken together; effects of other kinds do not touch time."""
    effects = node.get("effects")
    speed = Fraction(1)
    ramps: list[Retiming] = []
    for effect in effects if isinstance(effects, list) else []:
        if not isinstance(effect, dict) or not is_enabled(effect):
            continue
        kind = schema(effect)
        if kind in _CONSTANT:
            scalar = number(effect.get("time_scalar", 0 if kind == "FreezeFrame" else 1))
            if scalar is None:
                return Retiming(problem="has a speed change without a usable speed")
            speed *= _tidy(scalar)
        elif kind == "TimeEffect":
            ramps.append(_ramp(effect))
    if not ramps:
        return Retiming(speed=speed)
    if len(ramps) > 1 or speed != 1:
        return Retiming(problem="has several speed changes on top of each other")
    return ramps[0]


def timed(points: Sequence[Point], origin: Fraction) -> tuple[Fraction, list[Node]]:
    """The media time at which a clip's source range begins and its time effects, so that it plays `points`.

    `points` are (record seconds from the clip's start, media seconds on the file's own clock), both ends included, and
    `origin` where that clock stands at the file's first sample. Ramps are written as Resolve's.
    """
    (_, first), (length, last) = points[0], points[-1]
    if len(points) > 2:
        freezes = first == points[1][1]
        first -= _JUST_BEFORE if freezes else 0
        keys = [
            [float(record), float(media - origin)] for record, media in ((points[0][0], first), *points[1:])
        ]
        return first, [_time_effect("TimeEffect.1", {"metadata": {"Resolve_OTIO": {"Key Frames": keys}}})]
    speed = (last - first) / length
    return (first if speed >= 0 else last), [] if speed == 1 else [speed_effect(speed)]


def speed_effect(speed: float | Fraction) -> Node:
    """The effect that plays media at `speed` times its own; 0 freezes it."""
    return _time_effect("LinearTimeWarp.1" if speed else "FreezeFrame.1", {"time_scalar": float(speed)})


def _time_effect(schema_: str, words: Node) -> Node:
    return {
        "OTIO_SCHEMA": schema_,
        "metadata": {},
        "name": "",
        "effect_name": schema_.partition(".")[0],
        "enabled": True,
    } | words


def moved_ramps(effects: list[object], start: Fraction, length: Fraction) -> None:
    """Make the speed ramps in a copied list of effects count over another file, in place.

    Resolve counts a ramp's keys from its media's first frame. The new file holds `length` seconds of that media
    from `start` on, so the keys inside it are moved and the first and last one put at its ends.
    """
    for effect in effects:
        retiming = (
            _ramp(effect) if isinstance(effect, dict) and schema(effect) == "TimeEffect" else Retiming()
        )
        if not isinstance(effect, dict) or not retiming.keys:
            continue
        plan = TimeMap(retiming.keys)
        first, last = plan.inverse(start), plan.inverse(start + length)
        if first is None or last is None or last <= first:
            continue
        host = effect["metadata"]["Resolve_OTIO"]
        rows = sorted(host["Key Frames"], key=lambda row: Fraction(row[0]))
        inner = [row for row in rows if first < row[0] < last]
        ends = [[float(t), float(m), False, 0.0, 0.0, 0.0, 0.0] for t, m in ((0, 0), (last - first, length))]
        moved = [[float(row[0] - first), float(row[1] - start), *row[2:]] for row in inner]
        host["Key Frames"] = [ends[0], *moved, ends[1]]
        if "Speed Ratio" in host:
            host["Speed Ratio"] = float(length / (last - first))
