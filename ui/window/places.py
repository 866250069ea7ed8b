"""Shows files where they lie, in the system's own file manager."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QDir, QProcess, QUrl
from PySide6.QtGui import QDesktopServices


def open_folder(path: Path) -> bool:
    """Open a folder, or the one that a file lies in; False where the system will not."""
    folder = path if path.is_dir() else path.parent
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def open_file(path: Path) -> bool:
    """Open a file in the program that the system has for it."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


def reveal(path: Path, system: str = sys.platform) -> bool:
    """Show a file in its folder, marked where the system can do that."""
    command = revealing(path, system)
    if not command or not path.exists():
        return open_folder(path)
    started, _ = QProcess.startDetached(command[0], command[1:])
    return started


def revealing(path: Path, system: str) -> list[str]:
    """The command that marks a file in the system's file manager; empty where there is none that always works."""
    if system == "darwin":
        return ["open", "-R", str(path)]
    if system == "win32":
        return ["explorer", "/select,", QDir.toNativeSeparators(str(path))]
    return []
