"""The page of what the window itself can be set to: theme, language, size of type, motion; and where things lie."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from ..control.preferences import SCALES, Preferences
from .overlay import Page
from .theme import BODY_PX, GRID

LANGUAGES = {"en": "English", "de": "Deutsch"}  # each by its own name


class PreferencesPage(Page):
    """Acts at once, without a button that says so; `places` gives what is written where: title and path."""

    def __init__(
        self, window: QWidget, preferences: Preferences, places: Callable[[], list[tuple[str, Path | None]]]
    ) -> None:
        self._preferences, self._places = preferences, places
        super().__init__(window, self.tr("Settings of the window"))

    def fill(self) -> None:
        """Show what is wanted now."""
        inner = QWidget()
        layout = QVBoxLayout(inner)
        layout.setContentsMargins(0, 0, GRID, 0)
        form = QFormLayout()
        form.setVerticalSpacing(GRID)
        form.setHorizontalSpacing(2 * GRID)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        wishes = self._preferences.wishes
        themes = {
            "dark": self.tr("Dark"),
            "light": self.tr("Light"),
            "system": self.tr("As the system has it"),
        }
        form.addRow(self.tr("Colours"), self._choice("theme", themes, wishes.theme))
        languages = {"": self.tr("As the system has it"), **LANGUAGES}
        form.addRow(self.tr("Language"), self._choice("language", languages, wishes.language))
        sizes = {scale: self.tr("{pixels} px").format(pixels=round(BODY_PX * scale)) for scale in SCALES}
        form.addRow(self.tr("Size of type"), self._choice("scale", sizes, wishes.scale))
        still = QCheckBox(self.tr("Nothing moves by itself"))
        still.setChecked(not wishes.motion)
        still.toggled.connect(lambda on: self._preferences.set(motion=not on))
        form.addRow(self.tr("Motion"), still)
        layout.addLayout(form)
        layout.addSpacing(GRID)
        heading = QLabel(self.tr("What is written where"))
        heading.setProperty("role", "heading")
        layout.addWidget(heading)
        for title, path in self._places():
            layout.addWidget(self._place(title, path))
        layout.addWidget(self._note())
        layout.addStretch(1)
        self.area.setWidget(inner)

    def _choice(self, wish: str, choices: dict, now: object) -> QComboBox:  # type: ignore[type-arg]
        box = QComboBox()
        for value, title in choices.items():
            box.addItem(title, value)
        box.setCurrentIndex(max(0, list(choices).index(now) if now in choices else 0))
        box.activated.connect(lambda i: self._preferences.set(**{wish: box.itemData(i)}))
        return box

    def _place(self, title: str, path: Path | None) -> QLabel:
        label = QLabel(f"{title}\n{path if path is not None else self.tr('nowhere: it is not kept')}")
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        return label

    def _note(self) -> QLabel:
        label = QLabel(self.tr("Everything runs on this computer; nothing is sent anywhere."))
        label.setProperty("role", "quiet")
        label.setWordWrap(True)
        return label
