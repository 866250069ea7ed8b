"""Gain curves as lines: the shape they have at any zoom, and no more points than there are pixels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from ...control.curves import Table
from ...control.stretches import Line, Point
from .. import theme
from .axis import Axis
from .scale import MARKS, place, places

APART = 0.25  # seconds between two frames of gains: there is nothing known between them
BAND = 2  # pixels of the bar under what was drawn by hand
HANDLE = 3.5  # pixels, half of a point's handle
MOST_HANDLES = 300  # visible points of a stem that have handles


def trace(table: Table, row: int, axis: Axis, first: int, last: int) -> list[NDArray[np.float64]]:
    """A stem's curve over device columns as lines of (n, 2): record seconds and dB.

    Where several frames fall on a column it is their lowest and highest, so that nothing is lost at any zoom.
    """
    times, gains = table
    t0, t1 = (axis.first + first - 2) / axis.scale, (axis.first + last + 2) / axis.scale
    low = max(int(np.searchsorted(times, t0)) - 1, 0)
    high = min(int(np.searchsorted(times, t1)) + 1, len(times))
    if high - low < 1:
        return []
    at, db = times[low:high], gains[row, low:high].astype(np.float64)
    if len(at) > 2 * (last - first + 4):
        at, db = _per_column(at, db, axis.scale)
    cuts = np.flatnonzero(np.diff(at) > max(APART, 3 / axis.scale)) + 1
    return [np.column_stack(pair) for pair in zip(np.split(at, cuts), np.split(db, cuts), strict=True)]


def _per_column(
    at: NDArray[np.float64], db: NDArray[np.float64], scale: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The lowest and highest of every column that has frames, at its middle; columns count from 0 s."""
    column = np.floor(at * scale).astype(np.int64)
    starts = np.flatnonzero(np.concatenate([[True], np.diff(column) > 0]))
    lowest, highest = np.minimum.reduceat(db, starts), np.maximum.reduceat(db, starts)
    middle = (column[starts] + 0.5) / scale
    falling = db[starts] >= db[np.concatenate([starts[1:], [len(db)]]) - 1]
    pair = np.where(falling[:, None], np.column_stack([highest, lowest]), np.column_stack([lowest, highest]))
    return np.repeat(middle, 2), pair.reshape(-1)


def paint_grid(painter: QPainter, left: float, width: float, height: float) -> None:
    """Hairlines at the labelled gains, 0 dB the strongest."""
    shown = theme.current()
    for db in MARKS:
        y = round(place(db, height))
        painter.fillRect(QRectF(left, y, width, 1), QColor(shown.line if db == 0 else shown.separator))


def paint_trace(
    painter: QPainter, lines: Iterable[NDArray[np.float64]], axis: Axis, height: float, colour: str
) -> None:
    """The curve that acts, as a thin line."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(colour), 1.4))
    for line in lines:
        painter.drawPolyline(_polygon(line[:, 0], line[:, 1], axis, height))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def paint_drawn(
    painter: QPainter,
    lines: Sequence[Line],
    axis: Axis,
    span: tuple[float, float],
    height: float,
    colour: str,
) -> None:
    """Stretches drawn by hand: a thick line, and a bar at the bottom from where to where."""
    for line in lines:
        start, end = line[0][0], line[-1][0]
        if end < span[0] or start > span[1]:
            continue
        left, right = max(axis.x(start), axis.x(span[0]) - 4), min(axis.x(end), axis.x(span[1]) + 4)
        band = QRectF(left, height - BAND, max(right - left, 1.0), BAND)
        painter.fillRect(band, QColor(theme.current().text))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(colour), 2.6))
        at = _dense([time for time, _ in line], axis, span)
        db = np.interp(at, [time for time, _ in line], [level for _, level in line])
        painter.drawPolyline(_polygon(at, db, axis, height))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _dense(times: Sequence[float], axis: Axis, span: tuple[float, float]) -> NDArray[np.float64]:
    """Times of a line within a span, close enough for a scale that is not straight."""
    first, last = max(times[0], span[0] - axis.seconds(8)), min(times[-1], span[1] + axis.seconds(8))
    even = np.arange(first, last, axis.seconds(4))
    inside = [time for time in times if first < time < last]
    return np.unique(np.concatenate([even, inside, [first, last]]))


def paint_points(painter: QPainter, points: Sequence[tuple[float, float, bool, bool]], colour: str) -> None:
    """Handles at x and y; filled where selected, larger under the pointer."""
    shown = theme.current()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for x, y, selected, near in points:
        half = HANDLE + (1.5 if near else 0.0)
        painter.setPen(QPen(QColor(shown.text if selected or near else colour), 1.5))
        painter.setBrush(QColor(shown.text if selected else shown.panel))
        painter.drawRect(QRectF(x - half, y - half, 2 * half, 2 * half))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def visible(points: Sequence[Point], span: tuple[float, float], margin: float) -> list[Point]:
    """The points within a span and a margin round it."""
    return [point for point in points if span[0] - margin <= point[0] <= span[1] + margin]


def _polygon(times: NDArray[np.float64], db: NDArray[np.float64], axis: Axis, height: float) -> QPolygonF:
    x = (times * axis.scale - axis.first) / axis.ratio
    return QPolygonF([QPointF(a, b) for a, b in zip(x.tolist(), places(db, height).tolist(), strict=True)])
