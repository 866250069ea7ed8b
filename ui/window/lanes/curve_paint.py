"""Gain curves as lines: the shape they have at any zoom, and no more points than there are pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from ...control.curves import Table
from ...control.stretches import Line, Point
from .. import theme
from . import raster
from .axis import Axis
from .scale import MARKS, place, places

APART = 0.25  # seconds between two frames of gains: there is nothing known between them
BAND = 2  # pixels of the bar under what was drawn by hand
THIN, THICK = 1.4, 2.6  # pixels of the curve that acts, and of what was drawn
HANDLE = 3.5  # pixels, half of a point's handle
CLOSE = 7  # pixels: of points that stand closer only one has a handle


def paint_trace(
    painter: QPainter,
    table: Table,
    row: int,
    axis: Axis,
    columns: tuple[int, int],
    height: float,
    colour: str,
) -> bool:
    """A stem's curve as it acts, over device columns from one to before another; False where there is none.

    Where several frames fall on a column it is painted from their lowest to their highest, so that nothing is lost at
    any zoom.
    """
    times, gains = table
    first, last = columns
    t0, t1 = (axis.first + first - 2) / axis.scale, (axis.first + last + 2) / axis.scale
    low = max(int(np.searchsorted(times, t0)) - 1, 0)
    high = min(int(np.searchsorted(times, t1)) + 1, len(times))
    if high - low < 1:
        return False
    at, db = times[low:high], gains[row, low:high].astype(np.float64)
    if len(at) > 2 * (last - first + 4):
        _paint_dense(painter, at, db, axis, columns, height, colour)
    else:
        _paint_lines(painter, at, db, axis, height, colour)
    return True


def _paint_dense(
    painter: QPainter,
    at: NDArray[np.float64],
    db: NDArray[np.float64],
    axis: Axis,
    columns: tuple[int, int],
    height: float,
    colour: str,
) -> None:
    """Frames that lie closer than columns: from the highest to the lowest of each, joined with the one before."""
    first, last = columns
    ratio = axis.ratio
    column = np.floor(at * axis.scale).astype(np.int64) - axis.first - first
    starts = np.flatnonzero(np.concatenate([[True], np.diff(column) > 0]))
    bottom = places(np.minimum.reduceat(db, starts), height) * ratio
    top = places(np.maximum.reduceat(db, starts), height) * ratio
    joined = np.diff(column[starts]) == 1
    higher = np.where(joined, np.minimum(top[1:], bottom[:-1]), top[1:])
    lower = np.where(joined, np.maximum(bottom[1:], top[:-1]), bottom[1:])
    lines = np.full((2, last - first), np.nan)
    inside = (column[starts] >= 0) & (column[starts] < last - first)
    half = THIN * ratio / 2
    lines[0, column[starts][inside]] = (np.concatenate([top[:1], higher]) - half)[inside]
    lines[1, column[starts][inside]] = (np.concatenate([bottom[:1], lower]) + half)[inside]
    rows = max(1, round(height * ratio))
    target = QRectF(first / ratio, 0, (last - first) / ratio, rows / ratio)
    painter.drawImage(target, raster.band(lines[0], lines[1], rows, colour))


def _paint_lines(
    painter: QPainter,
    at: NDArray[np.float64],
    db: NDArray[np.float64],
    axis: Axis,
    height: float,
    colour: str,
) -> None:
    """Frames that lie farther than columns: straight lines between them, but for where nothing is known."""
    cuts = np.flatnonzero(np.diff(at) > max(APART, 3 / axis.scale)) + 1
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(colour), THIN))
    for times, levels in zip(np.split(at, cuts), np.split(db, cuts), strict=True):
        painter.drawPolyline(_polygon(times, levels, axis, height))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def paint_grid(painter: QPainter, left: float, width: float, height: float) -> None:
    """Hairlines at the labelled gains, 0 dB the strongest."""
    shown = theme.current()
    for db in MARKS:
        y = round(place(db, height))
        painter.fillRect(QRectF(left, y, width, 1), QColor(shown.line if db == 0 else shown.separator))


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
        painter.setPen(QPen(QColor(colour), THICK))
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


def with_room(xs: Sequence[float]) -> list[bool]:
    """Which of rising pixels are `CLOSE` or more from the one that was kept before."""
    kept, last = [], -math.inf
    for x in xs:
        kept.append(x - last >= CLOSE)
        last = x if kept[-1] else last
    return kept


def visible(points: Sequence[Point], span: tuple[float, float], margin: float) -> list[Point]:
    """The points within a span and a margin round it."""
    return [point for point in points if span[0] - margin <= point[0] <= span[1] + margin]


def _polygon(times: NDArray[np.float64], db: NDArray[np.float64], axis: Axis, height: float) -> QPolygonF:
    x = (times * axis.scale - axis.first) / axis.ratio
    return QPolygonF([QPointF(a, b) for a, b in zip(x.tolist(), places(db, height).tolist(), strict=True)])
