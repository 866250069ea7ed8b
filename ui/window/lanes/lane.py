"""A lane: what is painted once and kept while it is scrolled, and what moves over it."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QRect, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import QWidget

from .. import theme
from . import raster
from .board import Board

HAIRLINES = (
    0.06  # of the columns: with more cuts than these, hairlines fade so as not to hide what they cross
)
CUT = 0.5  # how strong a cut's hairline is
PLAYHEAD = 3  # pixels beside the playhead that are painted anew when it moves


class Lane(QWidget):
    """A row over the shared axis.

    `columns` paints device columns of what stays; they are kept in a pixmap that is moved along with the axis, so that
    only columns that came into view, or changed, are painted. `over` paints what is above them, and is cheap.
    """

    cuts_over = True  # whether cuts run over what stays, or under it

    def __init__(self, board: Board, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.board, self.axis = board, board.axis
        self.painted = 0  # columns since it was made
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._kept = QPixmap()
        self._ratio = 0.0
        self._at = (0.0, 0)  # scale and first column that are kept
        self._dirty: list[tuple[int, int]] = []
        self._stale = False
        self._seeking = False
        board.axis.moved.connect(self.update)
        board.playhead_moved.connect(self._follow)
        board.marked.connect(self.refresh)

    # ----------------------------------------------------------------------------------------- for lanes to fill in

    def name(self) -> None:
        """Give it its accessible name and description, in the language of the moment."""

    def columns(self, painter: QPainter, first: int, last: int) -> None:
        """Paint device columns `first` to before `last` of the widget over the ground; clipped to them."""

    def over(self, painter: QPainter) -> None:
        """Paint what is above the columns."""

    def forget(self) -> None:
        """Another timeline: nothing that was asked for is right."""
        self.refresh()

    def compare(self) -> None:
        """The mix has changed since it was painted: call `refresh_columns` where that is seen."""

    def crisp(self, time: float) -> float:
        """The pixel of a record second, on the edge of a device pixel: the same however far it was scrolled."""
        return (round(time * self.axis.scale) - self.axis.first) / self.axis.ratio

    # -------------------------------------------------------------------------------------------------------- repaint

    def stale(self) -> None:
        """The mix has changed; what of it is seen is found when the lane is painted next, however often it did."""
        self._stale = True
        self.update()

    @property
    def visible_span(self) -> tuple[float, float, int]:
        """The visible record seconds, and how many columns they fill."""
        return (*self.axis.span, self.axis.columns)

    def span_of(self, first: int, last: int) -> tuple[float, float, int]:
        """The record seconds of device columns of the widget, and how many they are."""
        at = self.axis.first
        return (at + first) / self.axis.scale, (at + last) / self.axis.scale, last - first

    def refresh(self) -> None:
        """All of it has changed."""
        self._ratio = 0.0
        self.update()

    def refresh_span(self, first: float, last: float) -> None:
        """What lies between two record seconds has changed."""
        low = max(self.axis.x(first), -1e6) * self.axis.ratio
        high = min(self.axis.x(last), 1e6) * self.axis.ratio
        self.refresh_columns(math.floor(low) - 1, math.ceil(high) + 2)

    def refresh_columns(self, first: int, last: int) -> None:
        """These device columns have changed."""
        first, last = max(first, 0), min(last, self.axis.columns)
        if first < last:
            self._scrolled()
            self._dirty.append((first, last))
            self.update(self._rect(first, last))

    def _follow(self, before: float, now: float) -> None:
        for time in (before, now):
            x = self.axis.x(time)
            if -PLAYHEAD <= x <= self.width() + PLAYHEAD:
                self.update(math.floor(x) - PLAYHEAD, 0, 2 * PLAYHEAD + 1, self.height())

    def _rect(self, first: int, last: int) -> QRect:
        left, right = math.floor(first / self.axis.ratio), math.ceil(last / self.axis.ratio)
        return QRect(left, 0, right - left, self.height())

    def _scrolled(self) -> None:
        """Move what is kept to where the axis is now."""
        scale, first = self._at
        by = self.axis.first - first
        if self._ratio == 0.0 or self.axis.scale != scale or abs(by) >= self.axis.columns:
            self._dirty = [(0, self.axis.columns)]
        elif by:
            self._kept.scroll(-by, 0, QRect(0, 0, self._kept.width(), self._kept.height()))
            self._dirty = [(a - by, b - by) for a, b in self._dirty]
            self._dirty.append((self.axis.columns - by, self.axis.columns) if by > 0 else (0, -by))
        self._at = (self.axis.scale, self.axis.first)

    def _fill(self) -> None:
        """Paint what is kept where it is not right."""
        size = (self.axis.columns, max(1, round(self.height() * self.axis.ratio)))
        if (self._kept.width(), self._kept.height()) != size:
            self._kept = QPixmap(*size)
            self._ratio = 0.0
        self._scrolled()
        self._ratio = self.axis.ratio
        columns = _columns(self._dirty, self.axis.columns)
        self._dirty = []
        if not columns:
            return
        self._kept.setDevicePixelRatio(self.axis.ratio)
        painter = QPainter(self._kept)
        for first, last in columns:
            self._paint_columns(painter, first, last)
        painter.end()
        self._kept.setDevicePixelRatio(1.0)

    def _paint_columns(self, painter: QPainter, first: int, last: int) -> None:
        painter.save()
        ratio = self.axis.ratio
        exact = QRectF(first / ratio, 0, (last - first) / ratio, self.height())
        painter.setClipRect(exact)
        painter.fillRect(exact, QColor(theme.current().panel))
        self.painted += last - first
        self._paint_selected(painter)
        if self.cuts_over:
            self.columns(painter, first, last)
        self._paint_cuts(painter, first, last)
        if not self.cuts_over:
            self.columns(painter, first, last)
        painter.restore()

    def _paint_selected(self, painter: QPainter) -> None:
        """Selected clips, under all else."""
        for first, last in self.board.selected:
            left, right = max(self.axis.x(first), -1.0), min(self.axis.x(last), self.width() + 1.0)
            if left < right:
                painter.fillRect(
                    QRectF(left, 0, right - left, self.height()), QColor(theme.current().selected)
                )

    def _paint_cuts(self, painter: QPainter, first: int, last: int) -> None:
        """The picture's cuts as hairlines of one device pixel; fainter where they stand close."""
        cuts = self.board.cuts
        across = (cuts >= self.axis.span[0]) & (cuts <= self.axis.span[1])
        at = np.unique(np.round(cuts[across] * self.axis.scale).astype(np.int64)) - self.axis.first
        share = len(at) / max(self.axis.columns, 1)
        cover = np.zeros(last - first)
        cover[at[(at >= first) & (at < last)] - first] = CUT * min(1.0, HAIRLINES / max(share, 1e-6))
        self.paint_stripes(painter, cover, first, 0, self.height(), theme.current().line)

    def paint_stripes(
        self,
        painter: QPainter,
        cover: NDArray[np.float64],
        first: int,
        top: float,
        height: float,
        colour: str,
    ) -> None:
        """Paint device columns from `first` on, each as far as it is covered (0 to 1), between two rows."""
        if cover.any():
            ratio = self.axis.ratio
            target = QRectF(first / ratio, top, len(cover) / ratio, height)
            painter.drawImage(target, raster.stripes(cover, colour))

    # ---------------------------------------------------------------------------------------------------- Qt's events

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Copy what is kept, and paint what moves over it."""
        if self._stale:
            self._stale = False
            self.compare()
        self._fill()
        painter = QPainter(self)
        ratio = self.axis.ratio
        region = event.region()  # which has to stay while it is gone through
        rects: Iterable[QRect] = iter(region)  # type: ignore[call-overload]  # PySide's stubs lack it
        for rect in rects:
            left, right = math.floor(rect.left() * ratio), math.ceil((rect.right() + 1) * ratio)
            source = QRectF(left, 0, right - left, self._kept.height())
            target = QRectF(left / ratio, 0, source.width() / ratio, source.height() / ratio)
            painter.drawPixmap(target, self._kept, source)
        painter.save()
        self.over(painter)
        painter.restore()
        self._paint_playhead(painter)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.current().text), 1))
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        painter.end()

    def _paint_playhead(self, painter: QPainter) -> None:
        x = self.crisp(self.board.playhead)
        if -1 <= x <= self.width() + 1:
            painter.fillRect(
                QRectF(x, 0, max(1.0, 1 / self.axis.ratio), self.height()), QColor(theme.current().text)
            )

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Other colours or type."""
        if event.type() in {
            QEvent.Type.PaletteChange,
            QEvent.Type.StyleChange,
            QEvent.Type.FontChange,
            QEvent.Type.LanguageChange,
        }:
            self.refresh()
        super().changeEvent(event)

    # ------------------------------------------------------------------------------------------------------- the mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Click: the playhead goes there; drag: it follows."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._seeking = True
            self.board.seek_asked.emit(self.axis.time(event.position().x()))
            event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Tell what is under the pointer, and scrub while the button is held."""
        self.board.pointed.emit(self.axis.time(event.position().x()))
        if self._seeking:
            self.board.seek_asked.emit(self.axis.time(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """The playhead stays."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._seeking = False

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        """Nothing is under the pointer."""
        self.board.pointed.emit(None)
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """No keys of its own: the window has them."""
        event.ignore()


def _columns(spans: list[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """Spans of columns within the widget, united and in order."""
    found: list[tuple[int, int]] = []
    for first, last in sorted((max(a, 0), min(b, most)) for a, b in spans):
        if first >= last:
            continue
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found
