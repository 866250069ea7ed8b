"""Stretches drawn by hand as lines of points that never overlap: laying one over others, cutting, joining, moving."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from ...engine.roles import STEMS
from ...plugin.jobs.hand import HIGHEST_DB, LOWEST_DB, Drawn

Point = tuple[float, float]  # record seconds, dB
Line = tuple[Point, ...]
Lines = Mapping[str, tuple[Line, ...]]  # by stem, in order of time

GAP = 0.01  # seconds: points of one stem lie no closer; gains are told on a coarser grid
_TOUCHING = GAP / 2  # seconds: points this close are one
FREEHAND_DB = 0.3  # how far a stretch drawn freehand may lie from what the hand did


def bounded(db: float) -> float:
    """A level where points may lie."""
    return min(max(db, LOWEST_DB), HIGHEST_DB) if math.isfinite(db) else LOWEST_DB


def lines_of(drawn: Iterable[Drawn]) -> dict[str, tuple[Line, ...]]:
    """Stretches as lines by stem that do not overlap; later ones lie over earlier ones, as they are heard."""
    lines: dict[str, tuple[Line, ...]] = {stem: () for stem in STEMS}
    for one in drawn:
        lines[one.stem] = laid(lines[one.stem], tuple(zip(one.times, one.db, strict=True)))
    return lines


def drawn_of(lines: Lines) -> tuple[Drawn, ...]:
    """What `lines_of` gave, as stretches in the order of stems and time."""
    return tuple(
        Drawn(stem, tuple(time for time, _ in line), tuple(db for _, db in line))
        for stem in STEMS
        for line in lines.get(stem, ())
    )


def level(line: Line, time: float) -> float:
    """The level of a line at a time inside it, dB."""
    return float(np.interp(time, [t for t, _ in line], [db for _, db in line]))


def covering(lines: Sequence[Line], time: float, margin: float = 0.0) -> int | None:
    """Which line plays at a time, or less than `margin` seconds from it; None between lines."""
    for i, line in enumerate(lines):
        if line[0][0] <= time <= line[-1][0] or min(abs(line[0][0] - time), abs(line[-1][0] - time)) < margin:
            return i
    return None


def laid(lines: Sequence[Line], new: Line) -> tuple[Line, ...]:
    """`new` over what was there: what lies under it goes, and what it meets becomes one line with it."""
    first, last = new[0][0], new[-1][0]
    found: list[Line] = []
    joined = new
    for line in lines:
        if line[-1][0] < first - _TOUCHING or line[0][0] > last + _TOUCHING:
            found.append(line)
            continue
        joined = (*_before(line, joined[0]), *joined, *_after(line, joined[-1]))
    return tuple(sorted([*found, joined]))


def _before(line: Line, meets: Point) -> Line:
    """The points of a line before a point that lies on it or cuts it off."""
    kept = tuple(point for point in line if point[0] < meets[0] - _TOUCHING)
    jumps = line[-1][0] > meets[0] and abs(level(line, meets[0]) - meets[1]) > 1e-6
    if kept and jumps:  # it is heard as it was to where the other begins
        edge = meets[0] - GAP
        kept = (*(point for point in kept if point[0] < edge - _TOUCHING), (edge, level(line, edge)))
    return kept


def _after(line: Line, meets: Point) -> Line:
    mirrored = tuple((-time, db) for time, db in reversed(line))
    kept = _before(mirrored, (-meets[0], meets[1]))
    return tuple((-time, db) for time, db in reversed(kept))


def without(lines: Sequence[Line], times: Iterable[float]) -> tuple[Line, ...]:
    """Lines without the points at these times; a line of less than two points is none."""
    gone = set(times)
    kept = (tuple(point for point in line if point[0] not in gone) for line in lines)
    return tuple(line for line in kept if len(line) >= 2)


def with_point(lines: Sequence[Line], which: int, point: Point) -> tuple[tuple[Line, ...], float]:
    """Lines with one more point in line `which`, or its neighbour there where one is too close, and its time."""
    line = lines[which]
    near = min(line, key=lambda other: abs(other[0] - point[0]))
    if abs(near[0] - point[0]) < GAP:
        point = (near[0], point[1])
        line = tuple(point if other == near else other for other in line)
    else:
        at = bisect_left(line, point)
        line = (*line[:at], point, *line[at:])
    return (*lines[:which], line, *lines[which + 1 :]), point[0]


def room(lines: Sequence[Line], times: frozenset[float], end: float) -> tuple[float, float]:
    """How far points may be moved together, in seconds back (≤ 0) and on (≥ 0), to their neighbours that stay."""
    ordered = [time for line in lines for time, _ in line]
    back, on = -math.inf, math.inf
    for before, after in pairwise([-GAP, *ordered, end + GAP]):
        if after in times and before not in times:
            back = max(back, before + GAP - after)
        if before in times and after not in times:
            on = min(on, after - GAP - before)
    return min(back, 0.0), max(on, 0.0)


def moved(lines: Sequence[Line], times: frozenset[float], seconds: float, db: float) -> tuple[Line, ...]:
    """Lines with the points at these times moved by seconds and dB; levels stay where points may lie."""
    return tuple(
        tuple((t + seconds, bounded(level_ + db)) if t in times else (t, level_) for t, level_ in line)
        for line in lines
    )


def simple(times: Sequence[float], db: Sequence[float], tolerance: float) -> Line:
    """Few of these points, two or more, whose straight lines stay within `tolerance` dB of all of them.

    Split where a line is farthest off (Douglas and Peucker, 1973), in dB. `engine.edit.keyframes.simplify` finds the
    fewest; it takes many times as long, and here a hand waits.
    """
    t, v = np.asarray(times, np.float64), np.asarray(db, np.float64)
    kept = {0, len(t) - 1}
    open_ = [(0, len(t) - 1)]
    while open_:
        first, last = open_.pop()
        if last - first < 2:
            continue
        share = (t[first + 1 : last] - t[first]) / (t[last] - t[first])
        off = np.abs(v[first + 1 : last] - v[first] - share * (v[last] - v[first]))
        farthest = int(off.argmax())
        if off[farthest] > tolerance:
            middle = first + 1 + farthest
            kept.add(middle)
            open_ += [(first, middle), (middle, last)]
    return apart((float(t[i]), bounded(float(v[i]))) for i in sorted(kept))


def apart(points: Iterable[Point]) -> Line:
    """Points in order of time without those that lie closer than `GAP` to the one before; the last one stays."""
    ordered = sorted(points)
    kept = ordered[:1]
    for point in ordered[1:]:
        if point[0] - kept[-1][0] >= GAP:
            kept.append(point)
    if len(kept) > 2 and kept[-1] != ordered[-1]:
        kept[-1] = ordered[-1]
    return tuple(kept)
