"""Volume lines: reading, cutting and thinning gain curves, and saying them in frames or as amplitudes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import acosh, ceil, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import WriteError
from .model import GainCurve

TOLERANCE_DB = 0.05
SILENCE_DB = -96.0  # where a fader that shows decibels is shut
# A straight line in amplitude strays from a straight line in dB by 0.0144 dB times the square of the step in dB:
# steps of 1.8 dB keep the two within 0.05 dB, whichever of them a host draws.
STEP_DB = 1.8
_FADE_STEP_DB = 2
# Points looked ahead from one key for the next: bounds the work on long level stretches.
_AHEAD = 1024
_PLAIN = Fraction(1)


def at(curve: GainCurve, t: Fraction) -> float:
    """The curve's level in dB at `t` seconds: straight in dB between points, level before and after them."""
    i = bisect_right(curve.times, t)
    if i == 0:
        return curve.db[0]
    if i == len(curve.times):
        return curve.db[-1]
    t0, t1 = curve.times[i - 1], curve.times[i]
    share = float((t - t0) / (t1 - t0))
    return curve.db[i - 1] + share * (curve.db[i] - curve.db[i - 1])


def levels(curve: GainCurve, times: Sequence[float] | NDArray[Any]) -> NDArray[np.float64]:
    """The curve's levels in dB at many times in seconds (n)."""
    known = np.array([float(t) for t in curve.times])
    return np.interp(np.asarray(times, np.float64), known, np.asarray(curve.db, np.float64))


def is_level(curve: GainCurve) -> bool:
    """Whether the curve holds one level all along."""
    return all(db == curve.db[0] for db in curve.db)


def is_unity(curve: GainCurve | None) -> bool:
    """Whether there is no curve, or one that changes nothing."""
    return curve is None or all(db == 0 for db in curve.db)


def checked(times: Sequence[float | Fraction], db: Sequence[float]) -> GainCurve:
    """A curve out of figures from elsewhere; points at one time keep the last.

    Raises WriteError where they are no curve: none at all, unequal in number, not numbers or running backwards.
    """
    if not times or len(times) != len(db):
        raise WriteError(
            f"A gain curve of {len(times)} times and {len(db)} levels makes no sense; rebalance again."
        )
    if not np.isfinite(np.array([[float(t) for t in times], [float(v) for v in db]])).all():
        raise WriteError("A gain curve holds values that are not numbers; rebalance the clip again.")
    exact = [Fraction(t) for t in times]
    if any(b < a for a, b in pairwise(exact)):
        raise WriteError("A gain curve's times run backwards; rebalance the clip again.")
    points = dict(zip(exact, (float(v) for v in db), strict=True))
    return GainCurve(tuple(points), tuple(points.values()))


def cut(curve: GainCurve, start: Fraction, end: Fraction) -> GainCurve:
    """The part between two times, counted from `start`, with points at both ends."""
    if end <= start:
        return GainCurve((Fraction(0),), (at(curve, start),))
    inner = [(t, v) for t, v in zip(curve.times, curve.db, strict=True) if start < t < end]
    points = [(start, at(curve, start)), *inner, (end, at(curve, end))]
    return GainCurve(tuple(t - start for t, _ in points), tuple(v for _, v in points))


def played(curve: GainCurve, offset: Fraction, duration: Fraction, speed: Fraction = _PLAIN) -> GainCurve:
    """A file's curve as a clip plays it: from `offset` seconds in the file, for `duration` record seconds.

    `speed` is file seconds per record second, negative in reverse, 0 in a freeze.
    """
    if speed == 0:
        return GainCurve((Fraction(0),), (at(curve, offset),))
    pairs = [((t - offset) / speed, v) for t, v in zip(curve.times, curve.db, strict=True)]
    pairs.sort(key=lambda pair: pair[0])
    return cut(GainCurve(tuple(t for t, _ in pairs), tuple(v for _, v in pairs)), Fraction(0), duration)


def plus(curve: GainCurve | None, other: GainCurve | None) -> GainCurve | None:
    """Two volume lines on top of each other, with every point of either."""
    if curve is None or other is None:
        return curve if other is None else other
    times = tuple(sorted({*curve.times, *other.times}))
    return GainCurve(times, tuple(at(curve, t) + at(other, t) for t in times))


def fade_line(fade_in: Fraction, fade_out: Fraction, length: Fraction) -> GainCurve | None:
    """Fades at both ends of `length` seconds as a volume line: straight in amplitude, from and to silence."""
    if not fade_in and not fade_out:
        return None
    shares = _straight_fade()
    levels = tuple(db for _, db in shares)
    rise = GainCurve(tuple(fade_in * s for s, _ in shares), levels) if fade_in else None
    fall = GainCurve(tuple(length - fade_out * s for s, _ in reversed(shares)), levels[::-1])
    return plus(rise, fall if fade_out else None)


@cache
def _straight_fade() -> tuple[tuple[Fraction, float], ...]:
    """A fade from silence that is straight in amplitude, as (share of its length, dB) for lines straight in dB."""
    levels = range(int(SILENCE_DB), 1, _FADE_STEP_DB)
    rising = ((Fraction(10 ** (db / 20)).limit_denominator(10**6), float(db)) for db in levels)
    return (Fraction(0), SILENCE_DB), *rising


def extended(curve: GainCurve | None, head: Fraction) -> GainCurve | None:
    """The same curve on a clip that begins `head` seconds earlier."""
    if curve is None or head == 0:
        return curve
    return GainCurve(tuple(t + head for t in curve.times), curve.db)


def simplify(
    times: Sequence[float | Fraction], db: Sequence[float], tolerance: float = TOLERANCE_DB
) -> GainCurve:
    """The fewest of the given points whose straight lines (in dB) stay within `tolerance` dB of all of them.

    `times` in seconds, rising; the first and last point stay. Fewest among lines that begin and end on given points
    and span at most about 1000 of them. Raises WriteError for figures that are no curve.
    """
    curve = checked(times, db)
    # Exact times may lie closer to each other than figures tell: of those the last counts.
    last = {float(t): i for i, t in enumerate(curve.times)}
    curve = GainCurve(tuple(curve.times[i] for i in last.values()), tuple(curve.db[i] for i in last.values()))
    if len(last) <= 2:
        return curve
    kept = _fewest(np.array(list(last)), np.array(curve.db), tolerance)
    if len(kept) == 2 and curve.db[kept[0]] == curve.db[kept[1]]:
        kept = kept[:1]
    return GainCurve(tuple(curve.times[i] for i in kept), tuple(curve.db[i] for i in kept))


def _fewest(t: NDArray[np.float64], v: NDArray[np.float64], tolerance: float) -> list[int]:
    """Indices of the points of a shortest chain from the first point to the last."""
    count = len(t)
    needed = np.zeros(count, np.int64)
    follows = np.zeros(count, np.int64)
    width = 32
    for i in range(count - 2, -1, -1):
        reach = i + 1 + _visible(t, v, i, tolerance, width)
        width = min(max(2 * int(reach[-1] - i), 32), _AHEAD)
        steps = needed[reach]
        # Of equally short chains the one with the longest first line: ties go to the last index.
        best = len(steps) - 1 - int(steps[::-1].argmin())
        needed[i], follows[i] = steps[best] + 1, reach[best]
    chain = [0]
    while chain[-1] != count - 1:
        chain.append(int(follows[chain[-1]]))
    return chain


def _visible(
    t: NDArray[np.float64], v: NDArray[np.float64], i: int, tolerance: float, width: int
) -> NDArray[np.int64]:
    """Offsets j such that the line from point i to point i + 1 + j passes within tolerance of all between.

    `width` is how many points are looked at first.
    """
    while True:
        dt = t[i + 1 : i + 1 + width] - t[i]
        dv = v[i + 1 : i + 1 + width] - v[i]
        low = np.maximum.accumulate((dv - tolerance) / dt)
        high = np.minimum.accumulate((dv + tolerance) / dt)
        closed = low > high
        if closed.any() or i + 1 + width >= len(t) or width >= _AHEAD:
            break
        width *= 4
    slope = dv / dt
    seen = (slope >= low) & (slope <= high)
    return np.flatnonzero(seen)


def frames(
    curve: GainCurve,
    rate: Fraction,
    count: int | None = None,
    tolerance: float = TOLERANCE_DB,
    reads: NDArray[np.float64] | None = None,
) -> tuple[tuple[int, float], ...]:
    """The curve as keys on whole frames: (frame from the clip's start, dB), for hosts without finer ones.

    The curve is read on each of `count` frames at `rate` (all up to its last point if None), or at the places `reads`
    gives in frames, and thinned within `tolerance` dB: the keys differ from the curve only by what it does inside a
    frame.
    """
    count = ceil(curve.times[-1] * rate) + 1 if count is None else count
    places = np.arange(count, dtype=np.float64) if reads is None else reads
    read = levels(curve, places / float(rate))
    thin = simplify(range(count), [float(v) for v in read], tolerance)
    return tuple((int(t), v) for t, v in zip(thin.times, thin.db, strict=True))


def to_amplitude_points(
    curve: GainCurve, tolerance: float = TOLERANCE_DB
) -> tuple[tuple[Fraction, float], ...]:
    """The curve as (seconds, linear gain) whose straight lines in amplitude stay within `tolerance` dB of it.

    A line straight in amplitude bulges above one straight in dB by 20·lg cosh(d·ln 10/40) dB in the middle of a
    change of d dB, so steep stretches get points in between.
    """
    widest = 0.97 * 40 / log(10) * acosh(10 ** (tolerance / 20))
    points = [(curve.times[0], 10 ** (curve.db[0] / 20))]
    for (t0, v0), (t1, v1) in pairwise(zip(curve.times, curve.db, strict=True)):
        parts = max(1, ceil(abs(v1 - v0) / widest))
        points += [
            (t0 + (t1 - t0) * Fraction(k, parts), 10 ** ((v0 + (v1 - v0) * k / parts) / 20))
            for k in range(1, parts + 1)
        ]
    return tuple(points)
