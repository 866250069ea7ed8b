"""What the window has to say: calm bars with what can be done about it, never a dialog in the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ...engine.legible import legible
from . import icons, theme
from .theme import GRID

Kind = Literal["info", "good", "warning", "fault"]
MOST = 3  # bars at a time: the eldest goes
_ICONS = {"info": "info", "good": "check", "warning": "warning", "fault": "fault"}
_COLOURS = {"info": "quiet", "good": "good", "warning": "warning", "fault": "fault"}


@dataclass(frozen=True)
class Notice:
    """A sentence, and what can be done: (title, what it does) each; `details` can be copied.

    One with a `key` takes the place of an earlier one with that key.
    """

    text: str
    kind: Kind = "info"
    deeds: Sequence[tuple[str, Callable[[], object]]] = field(default=())
    details: str = ""
    key: str = ""


class Notices(QWidget):
    """The bars, the newest on top. `changed` tells that there are others."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bars: list[_Bar] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(GRID // 2)
        self._leave = theme.changed.subscribe(self._painted)
        self.hide()

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What is said now, the newest first."""
        return tuple(bar.notice for bar in self._bars)

    def say(self, notice: Notice) -> None:
        """Say something."""
        for bar in [b for b in self._bars if notice.key and b.notice.key == notice.key]:
            self._drop(bar)
        bar = _Bar(notice, self)
        bar.done.connect(lambda: self._close(bar))
        self._bars.insert(0, bar)
        self._layout.insertWidget(0, bar)
        for old in self._bars[MOST:]:
            self._drop(old)
        self._told()

    def take_back(self, key: str) -> None:
        """What was said under a key is no longer so."""
        for bar in [b for b in self._bars if b.notice.key == key]:
            self._drop(bar)
        self._told()

    def close_all(self) -> None:
        """Say nothing."""
        for bar in list(self._bars):
            self._drop(bar)
        self._told()

    def stop(self) -> None:
        """Listen to nothing any more."""
        self._leave()

    def _close(self, bar: _Bar) -> None:
        self._drop(bar)
        self._told()

    def _drop(self, bar: _Bar) -> None:
        if bar in self._bars:
            self._bars.remove(bar)
            self._layout.removeWidget(bar)
            bar.hide()
            bar.deleteLater()

    def _told(self) -> None:
        self.setVisible(bool(self._bars))
        self.changed.emit()

    def _painted(self) -> None:
        for bar in self._bars:
            bar.paint()


class _Bar(QFrame):
    done = Signal()

    def __init__(self, notice: Notice, parent: QWidget) -> None:
        super().__init__(parent)
        self.notice = notice
        self.setProperty("role", "panel")
        self.setAccessibleName(legible(notice.text))
        self._icon = QLabel()
        self._icon.setFixedWidth(16)
        text = QLabel(legible(notice.text))
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setWordWrap(True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        top = QHBoxLayout()
        top.setSpacing(GRID)
        top.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        top.addWidget(text, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID // 2)
        for title, deed in notice.deeds:
            buttons.addWidget(self._button(title, deed))
        if notice.details:
            copy = self._button(self.tr("Copy details"), self._copy, leave=False)
            copy.setToolTip(self.tr("Copies the sentence and what the engine said, for who helps you"))
            buttons.addWidget(copy)
        close = QToolButton()
        close.setProperty("role", "flat")
        close.setIcon(icons.icon("close", "quiet"))
        close.setToolTip(self.tr("Close this notice"))
        close.setAccessibleName(self.tr("Close this notice"))
        close.clicked.connect(self.done)
        buttons.addWidget(close)
        self._arrange(top, buttons)
        self.paint()

    def paint(self) -> None:
        """Take the theme's colours."""
        self._icon.setPixmap(
            icons.pixmap(_ICONS[self.notice.kind], 16, _COLOURS[self.notice.kind], self.devicePixelRatio())
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """Escape closes it."""
        if event.key() == Qt.Key.Key_Escape:
            self.done.emit()
        else:
            super().keyPressEvent(event)

    def _arrange(self, top: QHBoxLayout, buttons: QHBoxLayout) -> None:
        """The buttons stand beside the sentence, or below it where the window is narrow."""
        narrow = self.window().width() < 640 and bool(self.notice.deeds or self.notice.details)
        if narrow:
            layout: QVBoxLayout | QHBoxLayout = QVBoxLayout(self)
            buttons.insertStretch(0, 1)
        else:
            layout = QHBoxLayout(self)
        layout.setContentsMargins(GRID, GRID // 2, GRID // 2, GRID // 2)
        layout.setSpacing(GRID // 2)
        layout.addLayout(top, 1)
        layout.addLayout(buttons)

    def _button(self, title: str, deed: Callable[[], object], leave: bool = True) -> QPushButton:
        button = QPushButton(title)
        button.setToolTip(title)
        button.clicked.connect(lambda _=False: deed())
        if leave:
            button.clicked.connect(self.done)
        return button

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(f"{self.notice.text}\n\n{self.notice.details}".strip() + "\n")
