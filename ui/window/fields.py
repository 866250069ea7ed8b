"""Widgets that settings are made with: faders, fields for figures, lists; wheel and keys are theirs only with focus."""

from __future__ import annotations

import re
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QStandardItemModel,
    QWheelEvent,
)
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QSizePolicy, QSlider, QToolButton, QWidget

from ..control.options import Choice
from . import icons, theme

_HANDLE = 5.0  # px: half of a fader's handle
_SHORTEST = 64  # px of a fader that can be aimed
_LARGE = 10  # steps of a page key
_BREAKABLE = re.compile(r"[/\\\\_.]+(?=\S)")  # where a path may go on in the next line
_KEYS = Qt.Key
_ENTER = frozenset({_KEYS.Key_Return, _KEYS.Key_Enter})
_MOVES = frozenset(
    {
        _KEYS.Key_Up,
        _KEYS.Key_Down,
        _KEYS.Key_Left,
        _KEYS.Key_Right,
        _KEYS.Key_Home,
        _KEYS.Key_End,
        _KEYS.Key_PageUp,
        _KEYS.Key_PageDown,
    }
)


def until_gone(widget: QObject, *leaves: Callable[[], None]) -> None:
    """End subscriptions with the widget that they are for."""
    widget.destroyed.connect(lambda: [leave() for leave in leaves])


def toned(label: QLabel, role: str) -> None:
    """Give a label another tone of the theme: quiet, warning, fault."""
    if label.property("role") != role:
        label.setProperty("role", role)
        label.style().unpolish(label)
        label.style().polish(label)


def _keeps(event: QEvent, keys: frozenset[Qt.Key]) -> bool:
    """Whether a key that a command of the window also has is the widget's own; it is accepted then."""
    if event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in keys:
        event.accept()
        return True
    return False


class Fader(QSlider):
    """A slider over figures from `low` to `high` in steps, filled from `origin`; a double click asks for a reset.

    `moved` tells each figure the user moves it to; `settled` that a drag, or a turn at the keyboard, is over.
    """

    moved = Signal(float)
    settled = Signal()
    reset = Signal()

    def __init__(self, low: float, high: float, step: float, origin: float, colour: str = "") -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._low, self._step, self._origin, self._colour = low, step, origin, colour
        self.setRange(0, round((high - low) / step))
        self.setSingleStep(1)
        self.setPageStep(_LARGE)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._shown = False
        self.setMinimumWidth(_SHORTEST)
        self.valueChanged.connect(self._changed)
        self.sliderReleased.connect(self.settled)

    @property
    def figure(self) -> float:
        """Where it stands."""
        return round(self._low + self.value() * self._step, 6)

    def show_figure(self, figure: float) -> None:
        """Put it there, as near as steps and range allow, without telling anybody."""
        self._shown = True
        self.setValue(round((figure - self._low) / self._step))
        self._shown = False

    def event(self, event: QEvent) -> bool:
        """Keep the keys that move it."""
        return True if _keeps(event, _MOVES) else super().event(event)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802  (Qt's name)
        """Turn only what has the focus; else the column is scrolled."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """What was done at the keyboard is done."""
        super().focusOutEvent(event)
        self.settled.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Go where the mouse is, and follow it."""
        if event.button() is not Qt.MouseButton.LeftButton:
            event.ignore()
            return
        self.setSliderDown(True)
        if abs(event.position().x() - self._x(self.value())) > _HANDLE + 1:
            self._follow(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Follow the mouse."""
        if self.isSliderDown():
            self._follow(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802, ARG002
        """Stay there."""
        self.setSliderDown(False)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802, ARG002
        """Ask for the figure it has by default."""
        self.setSliderDown(False)
        self.reset.emit()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """A line, filled from where nothing is changed, and a handle."""
        tokens = theme.current()
        colour = tokens.stem(self._colour) if self._colour else tokens.text
        enabled = self.isEnabled()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle, x = self.height() / 2, self._x(self.value())
        first, last = self._x(0), self._x(self.maximum())
        painter.fillRect(QRectF(first, middle - 1, last - first, 2), QColor(tokens.line))
        start = self._x((self._origin - self._low) / self._step)
        if enabled:
            painter.fillRect(QRectF(min(start, x), middle - 1, abs(x - start), 2), QColor(colour))
        if first < start < last:
            painter.fillRect(QRectF(start - 0.5, middle - 4, 1, 8), QColor(tokens.line))
        painter.setBrush(QColor(colour if enabled else tokens.line))
        painter.setPen(QPen(QColor(tokens.panel), 1))
        painter.drawEllipse(QPointF(x, middle), _HANDLE, _HANDLE)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(tokens.text), 1.5))
            painter.drawEllipse(QPointF(x, middle), _HANDLE + 2.5, _HANDLE + 2.5)

    def _x(self, value: float) -> float:
        edge = _HANDLE + 3
        return edge + (self.width() - 2 * edge) * value / max(1, self.maximum())

    def _follow(self, event: QMouseEvent) -> None:
        first, last = self._x(0), self._x(self.maximum())
        share = (event.position().x() - first) / max(1.0, last - first)
        self.setValue(round(min(max(share, 0.0), 1.0) * self.maximum()))

    def _changed(self) -> None:
        self.update()
        if not self._shown:
            self.moved.emit(self.figure)


class Entry(QLineEdit):
    """A line of text whose Enter is its own, and whose Escape gives it up."""

    given_up = Signal()

    def event(self, event: QEvent) -> bool:
        """Keep Enter and Escape from the window's commands."""
        return True if _keeps(event, _ENTER | {_KEYS.Key_Escape}) else super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Give up on Escape."""
        if event.key() == _KEYS.Key_Escape:
            self.given_up.emit()
        else:
            super().keyPressEvent(event)


class Figure(Entry):
    """A field for a figure with its unit; any text can be typed, `typed` tells it, and arrows ask for steps."""

    typed = Signal(str)
    stepped = Signal(int)
    settled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._text, self._wrong = "", False
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setFont(theme.mono())
        self.editingFinished.connect(self._finished)
        self.given_up.connect(lambda: self.setText(self._text))

    def fit(self, longest: str) -> None:
        """Be as wide as the longest figure needs, in the type of the moment."""
        self.ensurePolished()
        self.setFixedWidth(self.fontMetrics().horizontalAdvance(longest) + 3 * theme.GRID)

    def show_text(self, text: str, *, wrong: bool = False) -> None:
        """Show what is in force, or what was typed and is `wrong`."""
        self._text, self._wrong = text, wrong
        self.update()
        if self.text() != text:
            self.setText(text)
            self.setCursorPosition(0)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """As any line of text, framed as a fault where it cannot be."""
        super().paintEvent(event)
        if self._wrong:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QColor(theme.current().fault))
            frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
            painter.drawRoundedRect(frame, theme.RADIUS, theme.RADIUS)

    def event(self, event: QEvent) -> bool:
        """Keep the keys that step."""
        steps = frozenset({_KEYS.Key_Up, _KEYS.Key_Down, _KEYS.Key_PageUp, _KEYS.Key_PageDown})
        return True if _keeps(event, steps) else super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Arrows step by one, page keys by ten."""
        steps = {
            _KEYS.Key_Up: 1,
            _KEYS.Key_Down: -1,
            _KEYS.Key_PageUp: _LARGE,
            _KEYS.Key_PageDown: -_LARGE,
        }.get(Qt.Key(event.key()))
        if steps is None:
            super().keyPressEvent(event)
            return
        self._finished()
        self.stepped.emit(steps)

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """Be ready to be typed over."""
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self.selectAll()

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """What was done at the keyboard is done."""
        super().focusOutEvent(event)
        self.settled.emit()

    def _finished(self) -> None:
        if self.text() != self._text:
            self._text = self.text()
            self.typed.emit(self._text)


class Choices(QComboBox):
    """A list to choose from; `chosen` tells what the user took. What cannot be taken says why."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(1)
        self.setMinimumWidth(6 * theme.GRID)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.activated.connect(lambda index: self.chosen.emit(str(self.itemData(index))))

    def fill(self, offered: list[tuple[Choice, str] | None]) -> None:
        """What there is to choose from, each with its title; None for a line between."""
        self.clear()
        for one in offered:
            if one is None:
                self.insertSeparator(self.count())
                continue
            choice, title = one
            self.addItem(title, choice.value)
            self.setItemData(self.count() - 1, choice.reason, Qt.ItemDataRole.ToolTipRole)
            items = self.model()
            if not choice.usable and isinstance(items, QStandardItemModel):
                items.item(self.count() - 1).setEnabled(False)

    def show_value(self, value: str) -> None:
        """Show a value that is in the list."""
        self.setCurrentIndex(self.findData(value))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """As any list, with the arrow that style sheets take away."""
        super().paintEvent(event)
        place = QRect(self.width() - 18, (self.height() - 10) // 2, 10, 10)
        icons.icon("down", "quiet" if self.isEnabled() else "line").paint(QPainter(self), place)

    def event(self, event: QEvent) -> bool:
        """Keep the keys that choose."""
        keys = _MOVES - {_KEYS.Key_Left, _KEYS.Key_Right} | {_KEYS.Key_Space}
        return True if _keeps(event, keys) else super().event(event)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Turn only what has the focus; else the column is scrolled."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class Divider(QWidget):
    """A line of one pixel between groups."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(1)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Paint it."""
        QPainter(self).fillRect(self.rect(), QColor(theme.current().separator))


class Wrapped(QLabel):
    """A sentence in as many lines as it needs; nothing, and no place, where there is none.

    A long path in it is broken behind its dividers, and never makes the column wider.
    """

    def __init__(self, role: str = "quiet", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sentence = ""
        self.setWordWrap(True)
        self.setProperty("role", role)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.hide()

    @property
    def sentence(self) -> str:
        """What it says."""
        return self._sentence

    def say(self, text: str, role: str = "") -> None:
        """Show a sentence, in another tone where one is named."""
        if role:
            toned(self, role)
        if text != self._sentence:
            self._sentence = text
            self.setText(_BREAKABLE.sub("\\g<0>\u200b", text))
            self.setAccessibleName(text)
        self.setVisible(bool(text))


class Cut(QToolButton):
    """A button whose words are cut off with dots where there is no room, and never make the column wider."""

    def __init__(self) -> None:
        super().__init__()
        self._words = ""
        self.setProperty("role", "flat")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def words(self) -> str:
        """All of its words."""
        return self._words

    def set_words(self, words: str) -> None:
        """Have other words."""
        self._words = words
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Show as many of them as there is room for."""
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Some letters are enough; it takes the room there is."""
        return QSize(6 * theme.GRID, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """As `sizeHint`."""
        return self.sizeHint()

    def _fit(self) -> None:
        icon = 0 if self.icon().isNull() else self.iconSize().width() + 4
        room = self.width() - icon - theme.GRID
        shown = self.fontMetrics().elidedText(self._words, Qt.TextElideMode.ElideRight, max(0, room))
        if shown != self.text():
            self.setText(shown)
