"""The names of what was done, as undo and redo call them, for what the panel's logic calls them."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from ..control import curves


def deed_words(name: str) -> str:
    """What a deed is called in the menu; one that has no words of its own is called as it is."""
    tr = QCoreApplication.translate
    return {
        curves.ADD: tr("Deeds", "add curve point"),
        curves.MOVE: tr("Deeds", "move curve points"),
        curves.REMOVE: tr("Deeds", "delete curve points"),
        curves.DRAW: tr("Deeds", "draw curve"),
        curves.TAKE: tr("Deeds", "make points of curve"),
        curves.RESET: tr("Deeds", "reset stretch to the model"),
        curves.RESET_STEM: tr("Deeds", "reset stem to the model"),
        curves.RESET_ALL: tr("Deeds", "reset all curves to the model"),
        "category": tr("Deeds", "change category"),
        "foley-pick": tr("Deeds", "pick a sound"),
        "foley-nudge": tr("Deeds", "move a sound"),
        "queue-move": tr("Deeds", "move a job"),
        "queue-remove": tr("Deeds", "take a job off the queue"),
        "withdraw": tr("Deeds", "take results off the timeline"),
        "Reset settings": tr("Deeds", "reset settings"),
    }.get(name, name)
