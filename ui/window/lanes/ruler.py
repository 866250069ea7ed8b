"""The ruler: timecode, the loop, and where clips begin and end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from ...control.lanes import marks, step_for
from .. import theme
from .board import Board, Span
from .lane import Lane

LOOP, CLIPS = 10, 6  # pixels of the loop's strip at the top, and of the clips' at the bottom
EDGE = 6  # pixels at a loop's ends by which it is made longer
SHORTEST = 0.04  # seconds of a loop


class Ruler(Lane):
    """Click seeks, dragging scrubs; in the strip at the top the loop is drawn, moved and made longer."""

    def __init__(self, board: Board, parent: QWidget | None = None) -> None:
        super().__init__(board, parent)
        self._grip = ""  # what of the loop is held: "first", "last", "all" or "new"
        self._held: tuple[float, Span] = (0.0, (0.0, 0.0))
        self.name()

    def name(self) -> None:
        """Say what it is, in the language of the moment."""
        self.setAccessibleName(self.tr("Time ruler"))
        self.setAccessibleDescription(
            self.tr(
                "Click to go there. Drag along the top edge to loop; I and O set its ends at the playhead."
            )
        )

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """The axis is as wide as the ruler, and so are all lanes."""
        self.axis.resize(self.width(), self.devicePixelRatioF())
        super().resizeEvent(event)

    def event(self, event: QEvent) -> bool:
        """Follow to a screen with other pixels."""
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self.axis.resize(self.width(), self.devicePixelRatioF())
        return super().event(event)

    # ------------------------------------------------------------------------------------------------------- painting

    def columns(self, painter: QPainter, first: int, last: int) -> None:
        """Marks with their timecode, and clips."""
        shown = theme.current()
        painter.fillRect(QRectF(0, 0, self.width(), self.height()), QColor(shown.ground))
        self._clips(painter, first, last)
        document = self.board.document
        if document is None or document.duration <= 0:
            return
        font = theme.mono()
        painter.setFont(font)
        label = QFontMetricsF(font).horizontalAdvance("00:00:00:00") + 16
        step = step_for(document.rate, self.axis.seconds(label))
        fine = step_for(document.rate, self.axis.seconds(8))
        t0, t1, _ = self.span_of(first, last)
        bottom = self.height() - CLIPS
        painter.setPen(QPen(QColor(shown.separator), 0))
        for time, _ in marks(document, t0, t1, fine):
            x = self.crisp(time)
            painter.fillRect(QRectF(x, bottom - 4, 1, 4), QColor(shown.separator))
        for time, text in marks(document, t0 - self.axis.seconds(label), t1, step):
            x = self.crisp(time)
            painter.fillRect(QRectF(x, LOOP, 1, bottom - LOOP), QColor(shown.line))
            painter.setPen(QColor(shown.quiet))
            painter.drawText(
                QRectF(x + 4, LOOP, label, bottom - LOOP - 2),
                Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft,
                text,
            )

    def _clips(self, painter: QPainter, first: int, last: int) -> None:
        """Every clip as a line between its ends, selected ones bright; those that touch are told apart."""
        shown = theme.current()
        y = self.height() - CLIPS + 1
        cover = self._covered(first, last)
        self.paint_stripes(painter, cover, first, y, CLIPS - 2, shown.line)
        for start, end in self.board.selected:
            left, right = max(self.axis.x(start), -2.0), min(self.axis.x(end), self.width() + 2.0)
            if left < right:
                painter.fillRect(QRectF(left, y - 1, right - left, CLIPS), QColor(shown.text))

    def _covered(self, first: int, last: int) -> NDArray[np.float64]:
        """Which device columns clips cover; the first of each is free where it has more than three."""
        exact = self.board.ends * self.axis.scale - self.axis.first - first
        ends = np.clip(np.round(exact), -1, last - first + 1).astype(np.int64) + 1
        steps = np.zeros(last - first + 4)
        np.add.at(steps, ends[0], 1)
        np.add.at(steps, ends[1], -1)
        cover = (np.cumsum(steps) > 0).astype(np.float64)
        cover[ends[0][ends[1] - ends[0] > 3]] = 0.0
        return cover[1 : 1 + last - first]

    def over(self, painter: QPainter) -> None:
        """The loop."""
        if self.board.loop is None:
            return
        shown = theme.current()
        left, right = (self.axis.x(time) for time in self.board.loop)
        if right < 0 or left > self.width():
            return
        bar = QRectF(left, 1, max(right - left, 1.0), LOOP - 2)
        fill = QColor(shown.warning)
        fill.setAlphaF(0.55)
        painter.fillRect(bar, fill)
        for x in (left, right - 2):
            painter.fillRect(QRectF(x, 0, 2, self.height() - CLIPS), QColor(shown.warning))

    # ------------------------------------------------------------------------------------------------------- the mouse

    def _gripped(self, x: float, y: float) -> str:
        """What of the loop is under the pointer."""
        if self.board.loop is not None:
            left, right = (self.axis.x(time) for time in self.board.loop)
            for name, edge in (("last", right), ("first", left)):
                if abs(x - edge) <= EDGE and y <= self.height() - CLIPS:
                    return name
            if left < x < right and y <= LOOP:
                return "all"
        return "new" if y <= LOOP else ""

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Take hold of the loop, or seek."""
        at = event.position()
        self._grip = self._gripped(at.x(), at.y()) if event.button() == Qt.MouseButton.LeftButton else ""
        if not self._grip:
            super().mousePressEvent(event)
            return
        time = self.axis.time(at.x())
        self._held = (time, self.board.loop or (time, time))
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Have the loop follow."""
        at = event.position()
        if not self._grip:
            self._shape(self._gripped(at.x(), at.y()))
            super().mouseMoveEvent(event)
            return
        time = self.board.framed(self.axis.time(at.x()))
        self.board.pointed.emit(time)
        start, (first, last) = self._held
        if self._grip == "all":
            by = min(max(time - start, -first), self.axis.duration - last)
            self._ask(first + by, last + by)
        elif self._grip == "new":
            self._ask(self.board.framed(start), time)
        else:
            self._ask(*((time, last) if self._grip == "first" else (first, time)))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Let go of the loop."""
        self._grip = ""
        super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """A double click on the loop ends it."""
        if event.position().y() <= LOOP and self.board.loop is not None:
            self.board.loop_asked.emit(None)
        self._grip = ""

    def _shape(self, grip: str) -> None:
        shapes = {"first": Qt.CursorShape.SizeHorCursor, "last": Qt.CursorShape.SizeHorCursor}
        shapes |= {"all": Qt.CursorShape.OpenHandCursor, "new": Qt.CursorShape.IBeamCursor}
        self.setCursor(shapes.get(grip, Qt.CursorShape.ArrowCursor))

    def _ask(self, one: float, other: float) -> None:
        first, last = sorted((one, other))
        if last - first >= SHORTEST:
            self.board.loop_asked.emit((first, last))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """I and O set the loop's ends at the playhead, Escape ends it."""
        first, last = self.board.loop or (0.0, self.axis.duration)
        at = self.board.framed(self.board.playhead)
        if event.key() == Qt.Key.Key_I:
            self._ask(at, last if last > at else self.axis.duration)
        elif event.key() == Qt.Key.Key_O:
            self._ask(first if first < at else 0.0, at)
        elif event.key() == Qt.Key.Key_Escape and self.board.loop is not None:
            self.board.loop_asked.emit(None)
        else:
            super().keyPressEvent(event)
