"""``sightmix panel`` and ``sightmix-panel``: what they are given, and one sentence where no window can be shown."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from ...engine.installation import line_for
from .given import parse

DONE, USAGE = 0, 2
# What Debian and its kin call the package of a library that Qt wants of a Linux system.
PACKAGES = {
    "libEGL": "libegl1",
    "libGL": "libgl1",
    "libxcb-cursor": "libxcb-cursor0",
    "libxcb-icccm": "libxcb-icccm4",
    "libxcb-image": "libxcb-image0",
    "libxcb-keysyms": "libxcb-keysyms1",
    "libxcb-render-util": "libxcb-render-util0",
    "libxcb-shape": "libxcb-shape0",
    "libxcb-xinerama": "libxcb-xinerama0",
    "libxkbcommon-x11": "libxkbcommon-x11-0",
    "libxkbcommon": "libxkbcommon0",
    "libdbus-1": "libdbus-1-3",
    "libfontconfig": "libfontconfig1",
    "libglib-2.0": "libglib2.0-0",
}
# All that the panel wants beyond Qt's own files; the sound's one too.
ALL_PACKAGES = ("libegl1", "libxcb-cursor0", "libxkbcommon-x11-0", "libxcb-icccm4", "libxcb-image0", "libxcb-keysyms1",
                "libxcb-render-util0", "libxcb-shape0", "libxcb-xinerama0", "libpulse0")  # fmt: skip
_MISSING = re.compile(r"(lib[\w.+-]+?)\.so[\d.]*: cannot open shared object file")


def main(arguments: Sequence[str] | None = None) -> int:
    """Show the window and return its exit status; with no Qt, or nowhere to show it, say so in one sentence."""
    given = parse(arguments)
    trouble = missing()
    if trouble:
        tell(trouble)
        return USAGE
    from .app import run

    return run(given)


def missing(system: str = sys.platform, environment: Mapping[str, str] = os.environ) -> str:
    """Why no window can be shown on this computer, as a sentence; "" where one can."""
    if find_spec("PySide6") is None or find_spec("qtawesome") is None:
        return f"The panel's window is not installed; this adds it: {line_for('panel')}"
    try:
        import PySide6.QtWidgets
    except ImportError as error:
        return without_library(str(error))
    if system.startswith("linux") and not environment.get("QT_QPA_PLATFORM"):
        return _no_screen(environment) or _no_plugin(Path(PySide6.__file__).parent)
    return ""


def without_library(error: str) -> str:
    """The sentence for a library of the system's that Qt wants and does not find, with the package that has it."""
    found = _MISSING.search(error)
    if found is None:
        return f"Qt cannot be loaded: {' '.join(error.split())}. This may mend it: {line_for('panel')}"
    package = PACKAGES.get(found[1], "")
    if not package:
        return f"The panel needs the system's library {found[1]}, which is not installed."
    others = " ".join(ALL_PACKAGES)
    return (
        f"The panel needs the system's library {found[1]}: on Debian and Ubuntu it is in the package {package}; "
        f"`apt install {others}` installs all that the panel needs."
    )


def _no_screen(environment: Mapping[str, str]) -> str:
    if environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"):
        return ""
    return "There is no screen to show the panel on: neither DISPLAY nor WAYLAND_DISPLAY is set."


def _no_plugin(qt: Path) -> str:
    """Qt ends the whole process where its plugin for X11 lacks a library; so it is tried first."""
    plugin = qt / "Qt" / "plugins" / "platforms" / "libqxcb.so"
    if os.environ.get("WAYLAND_DISPLAY") or not plugin.is_file():
        return ""
    try:
        ctypes.CDLL(str(plugin))
    except OSError as error:
        return without_library(str(error))
    return ""


def tell(sentence: str) -> None:
    """Say why there is no window: in the terminal, or in a box of Windows where there is none."""
    if sys.stderr is not None:
        print(f"sightmix: {sentence}", file=sys.stderr)
    elif sys.platform == "win32":
        ctypes.windll.user32.MessageBoxW(None, sentence, "sightmix", 0x10)


if __name__ == "__main__":
    sys.exit(main())
