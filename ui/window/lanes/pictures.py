"""The frames that the network looked at, at their times; before it has looked, one for every shot."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap, QPolygonF
from PySide6.QtWidgets import QWidget

from ...control.frames import Frame
from ...control.lanes import spread
from .. import theme
from .board import Board
from .lane import Lane

MARGIN, NOTCH = 2, 4  # pixels round a frame, and of the mark that shows its time
SHAPE = 16 / 9  # of a frame that has not come yet


class Pictures(Lane):
    """Thumbnails over the axis; asked for where they are visible, and drawn so that none hides another."""

    cuts_over = False

    def __init__(self, board: Board, parent: QWidget | None = None) -> None:
        super().__init__(board, parent)
        self._pixmaps: dict[tuple[float, int], QPixmap] = {}
        self._wanted: list[float] = []
        self._looks: NDArray[np.float64] | None = None  # times of what was looked at, until that changes
        self._spread: tuple[object, NDArray[np.float64]] = (None, np.zeros(0))
        self.name()

    def name(self) -> None:
        """Say what it is, in the language of the moment."""
        self.setAccessibleName(self.tr("Pictures"))
        self.setAccessibleDescription(self.tr("The frames that were looked at, at their times."))

    @property
    def rows(self) -> int:
        """Device pixels that a frame is high."""
        return max(8, round((self.height() - 2 * MARGIN - NOTCH) * self.axis.ratio))

    def times(self) -> tuple[NDArray[np.float64], bool]:
        """The times of all frames there are to show, in order, and whether they were looked at."""
        if self._looks is None:
            self._looks = np.array([look.time for look in self.board.live.looks], np.float64)
        if len(self._looks):
            return self._looks, True
        document = self.board.document
        if document is None or not document.has_picture:
            return np.zeros(0), False
        return np.unique(np.array([0.0, *document.cuts])), False

    def compare(self) -> None:
        """Other frames may have been looked at."""
        before, self._looks = self._looks, None
        times, looked = self.times()
        if before is None or not np.array_equal(before, times if looked else np.zeros(0)):
            self.refresh()

    def columns(self, painter: QPainter, first: int, last: int) -> None:
        """The frames that reach into these columns."""
        document = self.board.document
        if document is not None and not document.has_picture:
            return
        times, looked = self._shown()
        half = round(self._width / 2)
        t0, t1, _ = self.span_of(first, last)
        reach = self.axis.seconds(2 * self._width)
        for time in times[(times >= t0 - reach) & (times <= t1 + reach)]:
            x = self.crisp(float(time))
            self._frame(painter, float(time), x - half if looked else x + MARGIN, x if looked else None)

    @property
    def _width(self) -> float:
        return self.rows / self.axis.ratio * SHAPE

    def _shown(self) -> tuple[NDArray[np.float64], bool]:
        """Those that have room; the same ones wherever the lanes are scrolled to."""
        times, looked = self.times()
        apart = self.axis.seconds(self._width + 2 * MARGIN)
        key = (len(times), float(times[-1]) if len(times) else 0.0, apart, looked)
        if self._spread[0] != key:
            self._spread = (key, times[spread(times, apart)])
        return self._spread[1], looked

    def _frame(self, painter: QPainter, time: float, left: float, notch: float | None) -> None:
        shown = theme.current()
        width, height = self._width, self.rows / self.axis.ratio
        box = QRectF(left, MARGIN, width, height)
        found = self._pixmap(time)
        if found is None:
            painter.fillRect(box, QColor(shown.raised))
        elif not found.isNull():
            wide = min(found.width() / self.axis.ratio, width)
            box = QRectF(left + (width - wide) / 2 if notch is not None else left, MARGIN, wide, height)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(box, found, QRectF(found.rect()))
        if notch is not None:
            y = MARGIN + height
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(shown.quiet))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.drawPolygon(
                QPolygonF([QPointF(notch - NOTCH, y), QPointF(notch + NOTCH, y), QPointF(notch, y + NOTCH)])
            )
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _pixmap(self, time: float) -> QPixmap | None:
        """The frame as a pixmap, a null one where there is no picture, None where it has not come."""
        frame = self.board.frames.get(time, self.rows)
        if frame is None:
            return None
        key = (time, self.rows)
        if key not in self._pixmaps:
            if len(self._pixmaps) > 256:
                self._pixmaps.clear()
            self._pixmaps[key] = QPixmap.fromImage(_image(frame))
        return self._pixmaps[key]

    def over(self, painter: QPainter) -> None:
        """A word where there is no picture, and the wish for what is visible."""
        document = self.board.document
        if document is None:
            return
        if not document.has_picture:
            painter.setPen(QColor(theme.current().quiet))
            painter.setFont(theme.small())
            painter.drawText(
                self.rect(), Qt.AlignmentFlag.AlignCenter, self.tr("This timeline has no picture")
            )
            return
        times, _ = self._shown()
        t0, t1, _ = self.visible_span
        reach = self.axis.seconds(self._width)
        wanted = [float(time) for time in times[(times >= t0 - reach) & (times <= t1 + reach)]]
        if wanted != self._wanted:
            self._wanted = wanted
            self.board.frames.want(wanted, self.rows)

    def arrived(self) -> None:
        """Frames have come."""
        self.refresh()

    def forget(self) -> None:
        """Another timeline: its frames are others."""
        self._pixmaps.clear()
        self._wanted, self._looks = [], None
        self.refresh()

    def told_at(self, time: float) -> str:
        """What the frame nearest to a time shows, "" where nothing is known or it is far."""
        looks = self.board.live.looks
        if not looks:
            return ""
        near = min(looks, key=lambda look: abs(look.time - time))
        return near.subject if abs(near.time - time) <= self.axis.seconds(self._width) else ""


def _image(frame: Frame) -> QImage:
    if not frame.width:
        return QImage()
    form = QImage.Format.Format_RGB888
    return QImage(frame.pixels, frame.width, frame.height, 3 * frame.width, form).copy()
