"""Geometry of the report's lanes: pictures, gain curves and spectrograms of one clip on one time axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...engine.passage import GainCurves, SeenFrame
from .eta import clock

WIDTH = 1100.0
GUTTER = 66.0
EDGE = 10.0
PLOT = WIDTH - GUTTER - EDGE
THUMB_HEIGHT = 62.0
_POINTS = 420


@dataclass(frozen=True)
class Axis:
    """Maps passage time in seconds, from `first` to `last`, onto the width of a lane."""

    first: float
    last: float

    def x(self, seconds: float) -> float:
        """Horizontal place of a time, kept inside the lane."""
        span = max(self.last - self.first, 1e-9)
        at = GUTTER + (seconds - self.first) / span * PLOT
        return round(min(max(at, GUTTER), GUTTER + PLOT), 2)

    def ticks(self) -> list[tuple[float, str]]:
        """Places and texts of about eight round times."""
        step = _round_step((self.last - self.first) / 8)
        first, last = math.ceil(self.first / step - 1e-9), math.floor(self.last / step + 1e-9)
        return [(self.x(n * step), clock(n * step, step)) for n in range(first, last + 1)]


def _round_step(least: float) -> float:
    for step in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800):
        if step >= least:
            return step
    return 3600.0 * math.ceil(least / 3600)


def gain_bound(gains: GainCurves) -> float:
    """The dB above and below zero that a gain lane shows: a multiple of 3, at least 6."""
    values = [abs(v) for levels in gains.levels.values() for v in levels if math.isfinite(v)]
    return max(6.0, 3.0 * math.ceil(max(values, default=0.0) / 3.0 - 1e-9))


def gain_ticks(bound: float) -> list[float]:
    """The dB values with a grid line: both ends, halves where they are whole numbers of 3 dB, zero."""
    half = [bound / 2, -bound / 2] if bound % 6 == 0 else []
    return sorted([bound, -bound, 0.0, *half])


def gain_path(axis: Axis, times: Sequence[float], values: Sequence[float], top: float, height: float) -> str:
    """A gain curve as an SVG polyline's points; long curves are averaged down, the ends kept."""
    if not times:
        return ""
    t, v = np.asarray(times, float), np.asarray(values, float)
    if t.size > _POINTS:
        edges = np.linspace(0, t.size, _POINTS + 1).astype(int)[:-1]
        counts = np.diff([*edges, t.size])
        t, v = np.add.reduceat(t, edges) / counts, np.add.reduceat(v, edges) / counts
    return " ".join(
        f"{axis.x(float(a))},{round(top + height * float(b), 2)}" for a, b in zip(t, v, strict=True)
    )


def gain_y(value: float, bound: float) -> float:
    """Height of a gain in its lane: 0 at +bound, 1 at −bound."""
    return min(max((bound - value) / (2 * bound), 0.0), 1.0)


def choose_frames(frames: Sequence[SeenFrame], axis: Axis, width: float) -> list[tuple[SeenFrame, float]]:
    """Pick frames that fit side by side, `width` wide each, with the left edge of each one's picture.

    Frames come in order of time; those picked are spread evenly over all that were seen.
    """
    ordered = sorted(frames, key=lambda f: f.time)
    places = int(PLOT // (width + 4))
    if len(ordered) > places:
        at = np.round(np.linspace(0, len(ordered) - 1, places)).astype(int)
        ordered = [ordered[i] for i in dict.fromkeys(at.tolist())]
    lefts = [axis.x(f.time) - width / 2 for f in ordered]
    return list(zip(ordered, _spread(lefts, width + 4), strict=True))


def _spread(lefts: list[float], pitch: float) -> list[float]:
    """Move left edges apart to at least `pitch`, staying in the lane; the order stays."""
    placed: list[float] = []
    for left in lefts:
        placed.append(max(left, placed[-1] + pitch if placed else GUTTER))
    limit = GUTTER + PLOT - (pitch - 4)
    for i in reversed(range(len(placed))):
        placed[i] = min(placed[i], limit)
        limit = placed[i] - pitch
    return [round(left, 2) for left in placed]
