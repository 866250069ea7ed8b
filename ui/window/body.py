"""How the parts lie: three columns where there is room, one where the window is docked beside an editor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollBar,
    QSizePolicy,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from . import theme
from .theme import GRID

WIDE = 900  # px: from here on there are three columns
NARROW = 420  # px: what it is docked at, and can be used at
_DRAWER = 320  # px: how wide the clip list is as a drawer, at most


@dataclass(frozen=True)
class Parts:
    """The views that the window lays out.

    `inspector` can fold its settings to a line (`set_narrow`), `clips` has a filter to write into (`look_for`).
    """

    clips: Any
    picture: QWidget
    transport: QWidget
    lanes: QWidget
    meters: QWidget
    inspector: Any
    queue: QWidget


class Body(QWidget):
    """The parts, in one of two arrangements; the same widgets lie in both, so that nothing they show is lost.

    `arranged` tells that another arrangement is shown, `placed` that a divider was moved: its name.
    """

    arranged = Signal(bool)
    placed = Signal(str)

    def __init__(self, parts: Parts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wide: bool | None = None
        self._shown: dict[str, tuple[int, ...]] = {}
        self._clips = _panel(parts.clips)
        self._picture = _panel(parts.picture, parts.transport)
        self._lanes = _panel(parts.lanes, parts.meters)
        self._settings = parts.inspector
        self._middle = _splitter(Qt.Orientation.Vertical, "middle")
        self._middle.addWidget(self._picture)
        self._middle.addWidget(self._lanes)
        self._columns = _splitter(Qt.Orientation.Horizontal, "columns")
        self._columns.addWidget(self._middle)
        self.drawer = Drawer(self)
        for divider in (self._middle, self._columns):
            divider.splitterMoved.connect(lambda *_, d=divider: self.placed.emit(self._name(d)))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addWidget(self._columns, 1)

    @property
    def wide(self) -> bool:
        """Whether there are three columns."""
        return bool(self._wide)

    def places(self) -> dict[str, tuple[int, ...]]:
        """Where the dividers of the arrangement that is shown are, by their names."""
        dividers = [divider for divider in (self._middle, self._columns) if divider.count() > 1]
        return {self._name(divider): tuple(divider.sizes()) for divider in dividers}

    def place(self, places: dict[str, tuple[int, ...]]) -> None:
        """Have dividers where they were left, each from the next time its arrangement is shown."""
        self._shown = dict(places)
        self._put()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  (Qt's name)
        """Another arrangement where there is room for it, or no longer."""
        super().resizeEvent(event)
        self.arrange(event.size().width() >= WIDE - 2 * GRID)
        self.drawer.fit()

    def arrange(self, wide: bool) -> None:
        """Lay the parts out in three columns, or in one; focus and places of scrolling stay what they are."""
        if wide == self._wide:
            return
        focus = QApplication.focusWidget()
        places = [(bar, bar.value()) for bar in self._bars()]
        self.setUpdatesEnabled(False)
        self._wide = wide
        (self._lay_wide if wide else self._lay_narrow)()
        self._put()
        self.setUpdatesEnabled(True)
        if focus is not None and self.isAncestorOf(focus):
            focus.setFocus(Qt.FocusReason.OtherFocusReason)
        for bar, value in places:
            bar.setValue(value)
        self.arranged.emit(wide)

    def _lay_wide(self) -> None:
        self.drawer.give_back()
        self._columns.insertWidget(0, self._clips)
        self._columns.addWidget(self._settings)
        self._settings.set_narrow(False)
        self._clips.show()
        self._settings.show()
        for i, stretch in enumerate((0, 1, 0)):
            self._columns.setStretchFactor(i, stretch)
            self._columns.setCollapsible(i, False)

    def _lay_narrow(self) -> None:
        self.drawer.take(self._clips)
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.addWidget(self._settings)
        self._settings.set_narrow(True)
        self._settings.show()

    def _put(self) -> None:
        for divider in (self._middle, self._columns):
            sizes = self._shown.get(self._name(divider), ())
            usual = _USUAL[self._name(divider)]
            if divider.count() == len(sizes or usual):
                divider.setSizes(list(sizes or usual))

    def _name(self, divider: QSplitter) -> str:
        return f"{divider.objectName()} {'wide' if self._wide else 'narrow'}"

    def _bars(self) -> list[QScrollBar]:
        areas = self.findChildren(QAbstractScrollArea)
        return [bar for area in areas for bar in (area.verticalScrollBar(), area.horizontalScrollBar())]


_USUAL: dict[str, tuple[int, ...]] = {
    "middle wide": (420, 340),
    "middle narrow": (240, 320),
    "columns wide": (296, 720, 272),
    "columns narrow": (400,),
}


def _splitter(way: Qt.Orientation, name: str) -> QSplitter:
    found = QSplitter(way)
    found.setObjectName(name)
    found.setChildrenCollapsible(False)
    found.setHandleWidth(GRID)
    return found


def _panel(*parts: QWidget) -> QFrame:
    frame = QFrame()
    frame.setProperty("role", "panel")
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(1, 1, 1, 1)
    layout.setSpacing(0)
    for i, part in enumerate(parts):
        layout.addWidget(part, 0 if i else 1)
    return frame


class Drawer(QWidget):
    """The clip list over the window's left side, with the rest dimmed; Escape or a click beside it closes it."""

    def __init__(self, body: QWidget) -> None:
        super().__init__(body)
        self._held: QWidget | None = None
        self._before: QWidget | None = None
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.addStretch(1)
        self.hide()

    def take(self, widget: QWidget) -> None:
        """Hold a widget, out of sight until the drawer is opened."""
        self._held = widget
        self._layout.insertWidget(0, widget)
        widget.show()
        self.fit()

    def give_back(self) -> None:
        """Hold nothing: the widget is laid out somewhere else."""
        if self._held is not None:
            self._layout.removeWidget(self._held)
            self._held.setMinimumWidth(0)
            self._held.setMaximumWidth(16777215)
            self._held = None
        self.hide()

    def open(self) -> None:
        """Show it, with the keyboard in it."""
        if self._held is None:
            return
        self._before = QApplication.focusWidget()
        self.fit()
        self.show()
        self.raise_()
        self._held.setFocus()
        self._held.focusNextChild() if self._held.focusPolicy() is Qt.FocusPolicy.NoFocus else None

    def close_(self) -> None:
        """Close it, and give the keyboard back."""
        if self.isVisible():
            self.hide()
            if self._before is not None:
                self._before.setFocus()

    def fit(self) -> None:
        """Cover the whole of what is dimmed."""
        parent = self.parentWidget()
        if parent is None:
            return
        self.setGeometry(QRect(0, 0, parent.width(), parent.height()))
        if self._held is not None:
            self._held.setFixedWidth(min(_DRAWER, parent.width() - 6 * GRID))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  (Qt's name)
        """Dim what lies behind."""
        painter = QPainter(self)
        ground = QColor(theme.current().ground)
        ground.setAlphaF(0.7)
        painter.fillRect(event.rect(), ground)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """A click beside the list closes it."""
        event.accept()
        self.close_()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Escape closes it."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_()
        else:
            super().keyPressEvent(event)


class Elided(QLabel):
    """A line of text that is cut off with dots where there is no room, and whole in its tooltip."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = text
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setText(text)

    def setText(self, text: str) -> None:  # noqa: N802
        """Show another text."""
        self._whole = text
        self.updateGeometry()
        self._fit()

    @property
    def whole(self) -> str:
        """All of the text."""
        return self._whole

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Show as much as there is room for."""
        super().resizeEvent(event)
        self._fit()

    def event(self, event: QEvent) -> bool:
        """Another font takes another room."""
        done = super().event(event)
        if event.type() in {QEvent.Type.FontChange, QEvent.Type.StyleChange}:
            self._fit()
        return done

    def sizeHint(self) -> QSize:  # noqa: N802
        """All of the text, where there is room for it."""
        hint = super().sizeHint()
        return QSize(self.fontMetrics().horizontalAdvance(self._whole) + 4, hint.height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Some letters are enough."""
        return QSize(6 * GRID, super().minimumSizeHint().height())

    def _fit(self) -> None:
        shown = self.fontMetrics().elidedText(
            self._whole, Qt.TextElideMode.ElideRight, max(0, self.width() - 2)
        )
        if QLabel.text(self) != shown:
            super().setText(shown)
        self.setToolTip(self._whole if shown != self._whole else "")
        self.setAccessibleName(self._whole)
