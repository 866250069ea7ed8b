"""The line on top: which timeline is open, and the three menus that are always at hand."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSizePolicy, QToolButton, QWidget

from ...engine.media.time import timecode
from ..control.state import Document
from . import icons, theme
from .body import Elided
from .keys import Keys
from .theme import GRID


class Header(QWidget):
    """Name, rate and length of the timeline, and Open, Export and the window's settings."""

    def __init__(self, keys: Keys, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._roomy = True
        self.open_menu, self.export_menu = QMenu(self), QMenu(self)
        self.drawer = self._button("drawer")
        keys.dress(self.drawer, "drawer")
        self.title = Elided()
        self.title.setProperty("role", "title")
        self.title.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.facts = QLabel()
        self.facts.setProperty("role", "quiet")
        self.told = Elided()
        self.told.setProperty("role", "warning")
        self.told.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.told.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.open = self._dropping("open", self.tr("Open"), self.open_menu)
        self.export = self._dropping("export", self.tr("Export"), self.export_menu)
        self.settings = self._button("settings")
        keys.dress(self.settings, "settings")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addWidget(self.drawer)
        layout.addWidget(self.title)
        layout.addWidget(self.facts)
        layout.addWidget(self.told, 1)
        layout.addWidget(self.open)
        layout.addWidget(self.export)
        layout.addWidget(self.settings)
        self.renew()

    def show_document(self, document: Document | None, opening: str = "") -> None:
        """Say what is open, or what is being read."""
        if opening:
            self.title.setText(self.tr("Reading {name} …").format(name=opening))
            self.facts.setText("")
        elif document is None:
            self.title.setText("sightmix")
            self.facts.setText("")
        else:
            self.title.setText(document.name or document.source.path.name)
            self.facts.setText(f"{rate_words(document)} · {_length(document)}")

    def say(self, sentence: str) -> None:
        """Say something in passing, where there is little room in place of rate and length."""
        self.told.setText(sentence)
        self.facts.setVisible(self._roomy or not sentence)

    def arrange(self, wide: bool, drawer: bool) -> None:
        """Words on the buttons where there is room for them; the list's button where the list is a drawer."""
        self._roomy = wide
        style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if wide else Qt.ToolButtonStyle.ToolButtonIconOnly
        for button in (self.open, self.export):
            button.setToolButtonStyle(style)
        self.drawer.setVisible(drawer)

    def renew(self) -> None:
        """Another theme or size of type."""
        self.title.setFont(theme.title())
        self.facts.setFont(theme.mono(theme.BODY_PX))

    def _button(self, icon: str) -> QToolButton:
        button = QToolButton()
        button.setProperty("role", "flat")
        button.setIcon(icons.icon(icon))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _dropping(self, icon: str, title: str, menu: QMenu) -> QToolButton:
        button = self._button(icon)
        button.setText(title + " ▾")
        button.setToolTip(title)
        button.setAccessibleName(title)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setMenu(menu)
        menu.setToolTipsVisible(True)
        return button


def rate_words(document: Document) -> str:
    """A rate as editors say it: 25 fps, 23.976 fps, 29.97 fps DF."""
    rate = float(document.rate)
    words = f"{rate:.3f}".rstrip("0").rstrip(".")
    return f"{words} fps{' DF' if document.drop_frame else ''}"


def _length(document: Document) -> str:
    return timecode(document.duration, document.rate, document.drop_frame)
