"""The one button, always in the same place, with what it will do in words beside it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from .keys import Keys
from .theme import GRID


class ActionBar(QWidget):
    """ "Rebalance audio", the preview beside it, and a sentence."""

    def __init__(self, keys: Keys, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = QLabel()
        self.words.setProperty("role", "quiet")
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.preview = QPushButton(keys.action("preview").text())
        self.rebalance = QPushButton(keys.action("rebalance").text())
        self.rebalance.setProperty("role", "primary")
        self.rebalance.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        for button, name in ((self.preview, "preview"), (self.rebalance, "rebalance")):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            keys.dress(button, name)
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        buttons.addWidget(self.preview)
        buttons.addWidget(self.rebalance, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.setSpacing(GRID)
        layout.addWidget(self.words)
        layout.addLayout(buttons)

    def say(self, words: str) -> None:
        """Say what the button will do, or why it can do nothing."""
        self.words.setText(words)
        self.rebalance.setAccessibleDescription(words)
