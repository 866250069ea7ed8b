"""A page at the window's right edge that stops nothing: what lies beside it can be used on."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from . import icons
from .theme import GRID

WIDTH = 424  # px: where the window is no wider than that and a little, the page takes all of it


class SidePage(QFrame):
    """Lays a view over the right edge of `window`, made when it is first opened; Escape or its cross closes it.

    `opened` and `closed` tell that somebody looks at it, or no longer. While the keyboard is in it, keys without Ctrl
    are its own, and not the window's shortcuts. A view's `take_keyboard` says where the keyboard goes, and its `stop`
    that the window has closed.
    """

    opened = Signal()
    closed = Signal()

    def __init__(self, window: QWidget, title: str, make: Callable[[], QWidget]) -> None:
        super().__init__(window)
        self.view: QWidget | None = None
        self._make = make
        self._before: QWidget | None = None
        self.setProperty("role", "panel")
        self.setAccessibleName(title)
        heading = QLabel(title)
        heading.setProperty("role", "title")
        self.cross = QToolButton()
        self.cross.setProperty("role", "flat")
        self.cross.setIcon(icons.icon("close"))
        self.cross.setToolTip(self.tr("Close (Esc)"))
        self.cross.setAccessibleName(self.tr("Close"))
        self.cross.clicked.connect(self.close_)
        top = QHBoxLayout()
        top.setContentsMargins(GRID, GRID // 2, GRID // 2, 0)
        top.addWidget(heading, 1)
        top.addWidget(self.cross)
        self._area = area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        layout.addLayout(top)
        layout.addWidget(area, 1)
        window.installEventFilter(self)
        self.hide()

    def open(self) -> None:
        """Show it, with the keyboard."""
        if self.isVisible():
            self._take_keyboard()
            return
        if self.view is None:
            self.view = self._make()
            self._area.setWidget(self.view)
        self._before = QApplication.focusWidget()
        self._fit()
        self.show()
        self.raise_()
        self.opened.emit()
        self._take_keyboard()

    def close_(self) -> None:
        """Close it, and give the keyboard back to where it was."""
        if not self.isVisible():
            return
        self.hide()
        if self._before is not None:
            self._before.setFocus()
        self._before = None
        self.closed.emit()

    def stop(self) -> None:
        """Listen to nothing any more: the window has closed."""
        stop = getattr(self.view, "stop", None)
        if callable(stop):
            stop()

    def toggle(self) -> None:
        """Open or close it."""
        (self.close_ if self.isVisible() else self.open)()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """Keep to the window's edge."""
        if watched is self.parent() and event.type() is QEvent.Type.Resize and self.isVisible():
            self._fit()
        return False

    def event(self, event: QEvent) -> bool:
        """Keep keys of its own from the window's shortcuts."""
        if event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            held = event.modifiers() & ~(
                Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier
            )
            if held == Qt.KeyboardModifier.NoModifier:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Escape closes it."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_()
            event.accept()
        else:
            super().keyPressEvent(event)

    def _take_keyboard(self) -> None:
        focus = getattr(self.view, "take_keyboard", None)
        (focus if callable(focus) else self.setFocus)()

    def _fit(self) -> None:
        window = self.parentWidget()
        assert window is not None
        width = window.width() if window.width() < WIDTH + 8 * GRID else WIDTH
        self.setGeometry(window.width() - width, 0, width, window.height())
