"""What sightmix is, its version, its licences, and what of this it uses."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import Qt, qVersion
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from .overlay import Page
from .theme import GRID

_USED = ("PySide6-Essentials", "QtAwesome", "av", "opentimelineio")


class AboutPage(Page):
    """A page to be read, and copied from."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window, self.tr("About sightmix"))

    def fill(self) -> None:
        """Say it."""
        inner = QWidget()
        layout = QVBoxLayout(inner)
        layout.setContentsMargins(0, 0, GRID, 0)
        layout.setSpacing(GRID)
        for text in (
            self.tr("sightmix {version} brings speech, music and effects to where the picture asks for them.").format(
                version=_version("sightmix")
            ),
            self.tr("The program is under the Apache licence 2.0, its own models under CC BY-SA 4.0."),
            self.tr("Icons: Phosphor, MIT licence. Qt for Python: LGPL 3."),
            self.facts(),
        ):  # fmt: skip
            label = QLabel(text)
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            layout.addWidget(label)
        layout.addStretch(1)
        self.area.setWidget(inner)

    @staticmethod
    def facts() -> str:
        """The versions that a report of a fault needs."""
        told = [f"Python {sys.version.split()[0]}, Qt {qVersion()}, {sys.platform}"]
        told += [f"{name} {_version(name)}" for name in _USED if _version(name)]
        return "\n".join(told)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
