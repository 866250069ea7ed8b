"""A stem's lane: its level, drawn quietly, and over it the gain that acts on it, to be drawn by hand."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QEnterEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
)
from PySide6.QtWidgets import QMenu, QWidget

from ....engine.highlight.words import signed_db
from ....engine.roles import STEMS
from ...control.curves import TAKEN_MOST, Spot, Table
from ...control.lanes import CHANGED, NOT_HEARD, UNCHANGED, Figures, changed_span, state_of, unheard
from .. import theme
from . import curve_paint, raster
from .board import Board
from .lane import Lane
from .scale import gain, place
from .sound import Kept

NEAR = 8  # pixels from a point that still mean it
REACH = 48  # pixels from a new point to where its stretch meets the model's curve
FINE = 0.1  # of the way, with Shift held
FLOOR_DB = -60.0  # level at the bottom of the lane
VEIL = 0.6  # how far what was not heard is drawn back
QUIET = 0.24  # how much of the stem's colour its level has
ARROWS = {
    Qt.Key.Key_Left: (-1, 0.0),
    Qt.Key.Key_Right: (1, 0.0),
    Qt.Key.Key_Up: (0, 0.1),
    Qt.Key.Key_Down: (0, -0.1),
}


class StemLane(Lane):
    """Points of what was drawn are dragged; a double click adds one, Delete deletes, Alt draws freehand.

    With the keyboard: N adds a point at the playhead, Ctrl with an arrow goes from point to point, arrows move what is
    selected by a frame or 0.1 dB (with Shift 1 dB), Ctrl+A selects all, Escape nothing.
    """

    menu_asked = Signal(object)  # a QMenu that is about to be shown

    def __init__(self, board: Board, stem: str, parent: QWidget | None = None) -> None:
        super().__init__(board, parent)
        self.stem, self.row = stem, STEMS.index(stem)
        self.hint = False  # whether this lane says what there is to do when nothing was heard
        self._table: Table = board.live.plain_table()
        self._state = state_of(board.live)
        self._spans = board.live.heard_spans
        self._lines = board.curves.lines(stem)
        self._level = Kept(self, self._fetch)
        self._near: Spot | None = None
        self._drag: QPointF | None = None  # where a point was taken hold of
        self._moved = False
        self._drawing = False
        self._leave = board.curves.changed.subscribe(self._selected)
        self.name()

    def close_lane(self) -> None:
        """Listen to the curves no longer."""
        self._leave()

    def name(self) -> None:
        """Say what it is and what is selected, in the language of the moment."""
        title = self.title()
        self.setAccessibleName(self.tr("{stem}: level and gain").format(stem=title))
        count = len(self.board.curves.points(self.stem))
        told = self.tr(
            "Double-click or N adds a point, Delete deletes, Alt draws. Arrows move selected points."
        )
        chosen = self._chosen()
        if chosen:
            told = f"{self._readout(chosen[0])}. {told}"
        self.setAccessibleDescription(self.tr("%n point(s) drawn by hand.", "", count) + f" {told}")

    def title(self) -> str:
        """The stem's name for people."""
        words = {"speech": self.tr("Dialogue"), "music": self.tr("Music"), "effects": self.tr("Effects")}
        return words[self.stem]

    @property
    def colour(self) -> str:
        """The stem's colour in the theme of the moment."""
        return theme.current().stem(self.stem)

    def _chosen(self) -> list[Spot]:
        return sorted(spot for spot in self.board.curves.selected if spot.stem == self.stem)

    def _fetch(self, first: float, last: float, columns: int) -> Figures:
        return self.board.live.level(self.stem, first, last, columns)

    # ------------------------------------------------------------------------------------------------------- painting

    def forget(self) -> None:
        """Ask for level and gains again."""
        self._table, self._lines = self.board.live.plain_table(), self.board.curves.lines(self.stem)
        self._state = state_of(self.board.live)
        self._spans = self.board.live.heard_spans
        self._level.forget()
        self.refresh()

    def compare(self) -> None:
        """Paint the columns where the curve or the level are others."""
        before, self._table = self._table, self.board.live.plain_table()
        self._state = state_of(self.board.live) if self.hint else CHANGED
        lines, self._lines = self._lines, self.board.curves.lines(self.stem)
        if self._spans != self.board.live.heard_spans:
            self._spans = self.board.live.heard_spans
            self.refresh()
        span = changed_span(before, self._table, self.row)
        for line in set(lines) ^ set(self._lines):
            first, last = line[0][0], line[-1][0]
            span = (first, last) if span is None else (min(span[0], first), max(span[1], last))
        if span is not None:
            margin = self.axis.seconds(6)
            self.refresh_span(span[0] - margin, span[1] + margin)
        level = self._level.changed()
        if level is not None:
            self.refresh_columns(*level)

    def columns(self, painter: QPainter, first: int, last: int) -> None:
        """Level, grid, the curve that acts, and what was drawn."""
        shown, ratio = theme.current(), self.axis.ratio
        rows = max(1, round(self.height() * ratio))
        left, width = first / ratio, (last - first) / ratio
        level = self._level.columns(first, last)
        heights = (level - FLOOR_DB) / -FLOOR_DB
        quiet = theme.dimmed(self.colour, shown.panel, QUIET)
        painter.drawImage(QRectF(left, 0, width, rows / ratio), raster.area(heights, rows, quiet))
        curve_paint.paint_grid(painter, left, width, self.height())
        height, colour = self.height(), self.colour
        curve_paint.paint_trace(painter, self._table, self.row, self.axis, (first, last), height, colour)
        if not len(self._table[0]):
            y = round(place(0.0, self.height()))
            painter.fillRect(QRectF(left, y, width, 1), QColor(self.colour))
        t0, t1, _ = self.span_of(first, last)
        self._dim(painter, t0, t1)
        curve_paint.paint_drawn(painter, self._lines, self.axis, (t0, t1), self.height(), self.colour)

    def _dim(self, painter: QPainter, first: float, last: float) -> None:
        """Draw what nobody has listened to yet back, where something was heard."""
        veil = QColor(theme.current().panel)
        veil.setAlphaF(VEIL)
        for start, end in unheard(self._spans, first, last):
            left, right = self.crisp(start), self.crisp(end)
            painter.fillRect(QRectF(left, 0, right - left, self.height()), veil)

    def over(self, painter: QPainter) -> None:
        """Points, what is read while they are dragged, and a word where nothing was heard."""
        curve_paint.paint_points(painter, self._handles(), self.colour)
        if self.hint:
            self._say(painter)
        if self._drag is not None or self._drawing:
            self._paint_readout(painter)

    def _handles(self) -> list[tuple[float, float, bool, bool]]:
        margin = self.axis.seconds(NEAR)
        points = curve_paint.visible([p for line in self._lines for p in line], self.axis.span, margin)
        selected = self.board.curves.selected
        room = curve_paint.with_room([self.axis.x(time) for time, _ in points])
        found = []
        for (time, db), shown in zip(points, room, strict=True):
            spot = Spot(self.stem, time)
            if shown or spot in selected or spot == self._near:
                y = place(db, self.height())
                found.append((self.axis.x(time), y, spot in selected, spot == self._near))
        return found

    def _say(self, painter: QPainter) -> None:
        words = {
            NOT_HEARD: self.tr("Preview to see what would be done"),
            UNCHANGED: self.tr("This mix is fine: nothing was changed"),
        }
        if self._state not in words or self.board.document is None:
            return
        self._label(painter, words[self._state], QPointF(self.width() / 2, self.height() / 2))

    def _paint_readout(self, painter: QPainter) -> None:
        chosen = self._chosen()
        if self._drawing and self._drag is not None:
            at = self._drag
            text = self._told(self.axis.time(at.x()), gain(at.y(), self.height()))
        elif chosen:
            spot = self._near if self._near in chosen and self._near is not None else chosen[0]
            at = QPointF(self.axis.x(spot.time), place(self.board.curves.db(spot), self.height()))
            text = self._readout(spot)
        else:
            return
        above = at.y() > self.height() / 2
        self._label(painter, text, at + QPointF(0, -18 if above else 18))

    def _label(self, painter: QPainter, text: str, middle: QPointF) -> None:
        """A line of text on a ground of its own, within the lane."""
        shown = theme.current()
        painter.setFont(theme.mono())
        width = painter.fontMetrics().horizontalAdvance(text) + 12
        x = min(max(middle.x() - width / 2, 2.0), max(self.width() - width - 2.0, 2.0))
        y = min(max(middle.y() - 9, 1.0), max(self.height() - 19.0, 1.0))
        box = QRectF(x, y, width, 18)
        painter.fillRect(box, QColor(shown.raised))
        painter.setPen(QColor(shown.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _readout(self, spot: Spot) -> str:
        return self._told(spot.time, self.board.curves.db(spot))

    def _told(self, time: float, db: float) -> str:
        return f"{signed_db(db)}  {self.board.timecode(time)}"

    # ---------------------------------------------------------------------------------------------------- the pointer

    def spot_at(self, at: QPointF) -> Spot | None:
        """The point under the pointer, None where there is none; of two that lie close the nearer."""
        margin = self.axis.seconds(NEAR)
        time = self.axis.time(at.x())
        found = None
        least = float(NEAR * NEAR)
        for other, db in curve_paint.visible(self.board.curves.points(self.stem), (time, time), margin):
            x, y = self.axis.x(other), place(db, self.height())
            away = (x - at.x()) ** 2 + (y - at.y()) ** 2
            if away <= least:
                found, least = Spot(self.stem, other), away
        return found

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Take hold of a point, draw with Alt, or seek."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        held, at = event.modifiers(), event.position()
        spot = self.spot_at(at)
        if held & Qt.KeyboardModifier.AltModifier:
            self._drawing, self._drag = True, at
            self.board.curves.begin()
            self._draw(at)
        elif spot is not None:
            self._take(spot, held, at)
        else:
            if not held & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier):
                self.board.curves.select(())
            super().mousePressEvent(event)
        event.accept()

    def _take(self, spot: Spot, held: Qt.KeyboardModifier, at: QPointF) -> None:
        curves = self.board.curves
        if held & Qt.KeyboardModifier.ControlModifier:
            curves.select([spot], toggle=True)
            return
        if spot not in curves.selected:
            curves.select([spot], extend=bool(held & Qt.KeyboardModifier.ShiftModifier))
        self._near, self._drag, self._moved = spot, at, False
        curves.begin()
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Have the point follow, draw on, or tell what is under the pointer."""
        at = event.position()
        if self._drawing:
            self._drag = at
            self._draw(at)
        elif self._drag is not None:
            self._dragged(at, bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        else:
            self._hover(at)
            super().mouseMoveEvent(event)

    def _dragged(self, at: QPointF, fine: bool) -> None:
        start = self._drag
        if start is None or (not self._moved and (at - start).manhattanLength() < 3):
            return
        self._moved = True
        share = FINE if fine else 1.0
        height = self.height()
        db = share * (gain(at.y(), height) - gain(start.y(), height))
        seconds = 0.0 if fine else self.axis.seconds(at.x() - start.x())
        index = self._index()
        self.board.curves.drag(seconds, db)
        chosen = self._chosen()
        self._near = chosen[index] if index < len(chosen) else None
        if self._near is not None:
            self.board.told.emit(self._readout(self._near))

    def _index(self) -> int:
        chosen = self._chosen()
        return chosen.index(self._near) if self._near in chosen and self._near is not None else 0

    def _draw(self, at: QPointF) -> None:
        time, db = self.axis.time(at.x()), gain(at.y(), self.height())
        self.board.curves.draw(self.stem, time, db)
        self.board.told.emit(self._told(time, db))
        self.update()

    def _hover(self, at: QPointF) -> None:
        near = self.spot_at(at)
        if near != self._near:
            self._near = near
            self.setCursor(Qt.CursorShape.SizeAllCursor if near else Qt.CursorShape.ArrowCursor)
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Let go."""
        if event.button() == Qt.MouseButton.LeftButton and self._drag is not None:
            self._drag, self._drawing = None, False
            self.board.curves.end()
            self.board.told.emit("")
            self.update()
        super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Add a point, and have it follow as long as the button is held."""
        at = event.position()
        if event.button() != Qt.MouseButton.LeftButton or self.spot_at(at) is not None:
            return
        self.add(self.axis.time(at.x()), gain(at.y(), self.height()))
        if self._near is not None:
            self._take(self._near, Qt.KeyboardModifier.NoModifier, at)
        event.accept()

    def add(self, time: float, db: float) -> None:
        """Add a point; its stretch reaches as far as is seen well at this zoom."""
        self._near = self.board.curves.add(self.stem, time, db, self.axis.seconds(REACH))

    def enterEvent(self, event: QEnterEvent) -> None:  # noqa: N802
        """Say what can be done here, where there is nothing else to say."""
        self.board.hinted.emit(
            self.tr("Double-click adds a point · drag moves it · Alt draws · right-click for more")
        )
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        """Nothing is under the pointer."""
        self.board.hinted.emit("")
        self._near = None
        self.update()
        super().leaveEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802
        """What can be done here."""
        at = QPointF(event.pos())
        keyboard = event.reason() == QContextMenuEvent.Reason.Keyboard
        menu = self.menu(None if keyboard else at)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.menu_asked.emit(menu)
        menu.popup(event.globalPos())

    def menu(self, at: QPointF | None) -> QMenu:
        """What can be done at a place, or at the playhead."""
        curves, stem = self.board.curves, self.stem
        time = self.axis.time(at.x()) if at is not None else self.board.playhead
        db = gain(at.y(), self.height()) if at is not None else curves.value(stem, time)
        spot = self.spot_at(at) if at is not None else None
        if spot is not None and spot not in curves.selected:
            curves.select([spot])
        menu = QMenu(self)
        span = self.board.loop or self.axis.span
        able = min(span[1], self.axis.duration) - span[0] <= TAKEN_MOST
        here = any(line[0][0] <= time <= line[-1][0] for line in curves.lines(stem))
        reset_stem = self.tr("Reset {stem} to the model").format(stem=self.title())
        for text, do, can in (
            (self.tr("Add point here\tN"), partial(self.add, time, db), True),
            (self.tr("Delete selected points\tDel"), curves.remove, bool(curves.selected)),
            (self.tr("Make points of what is visible or looped"), partial(curves.take, stem, *span), able),
            ("", None, True),
            (self.tr("Reset this stretch to the model"), partial(curves.reset, stem, time), here),
            (reset_stem, partial(curves.reset_stem, stem), bool(curves.points(stem))),
            (self.tr("Reset all curves to the model"), curves.reset_all, bool(self.board.live.drawn)),
        ):
            if do is None:
                menu.addSeparator()
                continue
            menu.addAction(text, do).setEnabled(can)
        return menu

    # --------------------------------------------------------------------------------------------------- the keyboard

    def event(self, event: QEvent) -> bool:
        """Keys that move points are not the window's while this lane has the focus."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and self._mine(event)
        ):
            event.accept()
            return True
        return super().event(event)

    def _mine(self, event: QKeyEvent) -> bool:
        key, held = event.key(), event.modifiers()
        if held & Qt.KeyboardModifier.ControlModifier:
            return key in {Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_A}
        if key in {Qt.Key.Key_N, Qt.Key.Key_Insert}:
            return True
        more = {Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_Escape}
        return (key in ARROWS or key in more) and bool(self.board.curves.selected)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Move from point to point, move points, add and delete them."""
        if not self._mine(event):
            super().keyPressEvent(event)
            return
        curves, key = self.board.curves, event.key()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._go(key)
        elif key in ARROWS:
            frames, db = ARROWS[Qt.Key(key)]
            coarse = 10.0 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
            curves.nudge(frames, coarse * db, again=event.isAutoRepeat())
        elif key in {Qt.Key.Key_N, Qt.Key.Key_Insert}:
            self.add(self.board.playhead, curves.value(self.stem, self.board.playhead))
        elif key == Qt.Key.Key_Escape:
            curves.select(())
        else:
            curves.remove()

    def _go(self, key: int) -> None:
        """To the next point, which is made visible, or all of them."""
        if key == Qt.Key.Key_A:
            self.board.curves.select_all(self.stem)
            return
        step = 1 if key == Qt.Key.Key_Right else -1
        spot = self.board.curves.select_next(self.stem, step, self.board.playhead)
        if spot is not None:
            self.axis.reveal(spot.time, 0.5)

    def _selected(self) -> None:
        """The selection or the curves have changed."""
        self.name()
        self.update()
        chosen = self._chosen()
        if chosen and self.hasFocus():
            self.board.told.emit(self._readout(chosen[0]))

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """Let go of what is read."""
        self.board.told.emit("")
        super().focusOutEvent(event)
