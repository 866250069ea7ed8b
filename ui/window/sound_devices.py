"""The choice of a sound device, as part of a menu."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu

from ...engine.legible import legible_line
from .sound import SoundOut


def add_devices(menu: QMenu, out: SoundOut, chosen: Callable[[str], object] | None = None) -> None:
    """Add the devices there are to a menu, the one that is played on checked; `chosen` is told what the user chose.

    Where there is none, the menu says so.
    """
    tr = QCoreApplication.translate
    menu.addSection(tr("Sound", "Sound device"))
    devices = out.devices
    if not devices:
        menu.addAction(tr("Sound", "There is none")).setEnabled(False)
        return
    group = QActionGroup(menu)
    default = next((device.name for device in devices if device.default), devices[0].name)
    usual = tr("Sound", "The system's: {0}").format(legible_line(default))
    known = out.chosen if any(device.id == out.chosen for device in devices) else ""
    for name, title in [("", usual), *((device.id, legible_line(device.name)) for device in devices)]:
        action = menu.addAction(title.replace("&", "&&"))
        action.setCheckable(True)
        action.setChecked(name == known)
        action.setActionGroup(group)
        action.triggered.connect(partial(_choose, out, name, chosen))


def _choose(
    out: SoundOut, device: str, chosen: Callable[[str], object] | None, _checked: bool = False
) -> None:
    out.choose(device)
    if chosen is not None:
        chosen(device)
