"""The sentences for what the panel's logic gives as keys: why a command cannot be used, and what was done."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication


def reason(key: str) -> str:
    """Why something cannot be done now, "" for ""; a key that is none comes back as it is."""
    tr = QCoreApplication.translate
    return {
        "": "",
        "empty": tr("Reasons", "No timeline is open."),
        "opening": tr("Reasons", "The timeline is still being read."),
        "no clips": tr("Reasons", "The timeline has no audio clips."),
        "no_match": tr("Reasons", "There is no such clip."),
        "nothing_done": tr("Reasons", "Nothing was done that could be undone."),
        "nothing_undone": tr("Reasons", "Nothing was undone."),
        "not_drawn": tr("Reasons", "Nothing was drawn by hand."),
        "as_usual": tr("Reasons", "All settings are as they are by themselves."),
        "no_demo": tr("Reasons", "The demo comes with the source of sightmix, not with this installation."),
        "making_demo": tr("Reasons", "The demo is being made."),
        "no_file": tr("Reasons", "The timeline lies in no folder."),
        "wide": tr("Reasons", "The clip list stands beside the picture already."),
        "nothing_runs": tr("Reasons", "Nothing runs."),
        "no_result": tr("Reasons", "There is no result yet: rebalance first."),
        "not_resolve": tr("Reasons", "This timeline was not opened from DaVinci Resolve."),
        "resolve_busy": tr("Reasons", "Resolve is being asked already."),
        "no_choice": tr("Reasons", "No clip is chosen."),
        "offline": tr("Reasons", "No clip has its media."),
        "wrong": tr("Reasons", "A setting has no value that it can have."),
    }.get(key, key)
