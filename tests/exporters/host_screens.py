"""Pictures of editors with one of our timelines open: `python tests/exporters/host_screens.py` writes docs/hosts/*.png.

They need Xvfb, xdotool, ImageMagick, dbus-run-session, and the programs; what is not installed is passed over.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import host_kit
import host_window
from host_window import Screen
from sightmix.exporters import fcp7, kdenlive_project, mlt

DOCS = Path(__file__).parents[2] / "docs/hosts"
# OpenShot asks for each file that it does not find; here it is told the folder, where the name is one that it can find.
OPENSHOT = """
import sys
xml, folder = sys.argv[1:]
sys.argv[1:] = []
sys.path.insert(0, "/usr/lib/python3/dist-packages/openshot_qt")
import requests
requests.get = requests.post = lambda *a, **k: None  # nothing of this is to be counted as somebody's use
from PyQt5 import QtCore, QtWidgets
import launch
from classes.app import OpenShotApp
started = OpenShotApp.gui
def gui(self):
    self.get_settings().set("tutorial_enabled", False)
    done = started(self)
    QtCore.QTimer.singleShot(4000, lambda: load(self))
    return done
def load(self):
    dialogs = QtWidgets.QFileDialog
    dialogs.getOpenFileName = staticmethod(lambda *a, **k: (xml, ""))
    dialogs.getExistingDirectory = staticmethod(lambda *a, **k: "" if "%" in a[1] else folder)
    QtWidgets.QMessageBox.warning = staticmethod(lambda *a, **k: None)
    self.window.resize(1400, 900)
    self.window.resizeDocks([self.window.dockTimeline], [520], QtCore.Qt.Vertical)
    from classes.importers.final_cut_pro import import_xml
    import_xml()
    self.window.setWindowTitle("imported")
OpenShotApp.gui = gui
launch.main()
"""


def shotcut(shown: Screen, folder: Path) -> None:
    project = folder / "specimen.mlt"
    mlt.write(host_kit.specimen(folder / "media"), project)
    shown.start("shotcut", "--noupgrade", str(project))
    shown.window(f"{project.name} - Shotcut")
    shown.drag((637, 628), (637, 330))
    shown.tell("mousemove", "700", "800", "click", "1", "key", "0")


def kdenlive(shown: Screen, folder: Path) -> None:
    project = folder / "specimen.kdenlive"
    kdenlive_project.write(host_kit.specimen(folder / "media"), project)
    shown.start("kdenlive", str(project))
    shown.window(f"^{project.stem} / ")
    shown.drag((702, 490), (702, 330))
    shown.tell("mousemove", "180", "850", "keydown", "ctrl", "click", "--repeat", "4", "--delay", "300", "4")
    shown.tell("keyup", "ctrl", "key", "Home")


def openshot(shown: Screen, folder: Path) -> None:
    document = folder / "specimen.xml"
    fcp7.write(host_kit.specimen(folder / "media"), document)
    shown.start("/usr/bin/python3", "-c", OPENSHOT, str(document), str(folder / "media"))
    shown.window("^imported")


PROGRAMS: dict[str, tuple[str, Callable[[Screen, Path], None]]] = {
    "shotcut": ("shotcut", shotcut),
    "kdenlive": ("kdenlive", kdenlive),
    "openshot": ("openshot-qt", openshot),
}


def main() -> None:
    """A picture of every program that is installed, or of those named."""
    for name, (program, opened) in PROGRAMS.items():
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        if absent := host_window.missing(program, "import"):
            print(f"{name}: no {', '.join(absent)}")
            continue
        with tempfile.TemporaryDirectory() as folder, host_window.screen(Path(folder)) as shown:
            opened(shown, Path(folder))
            time.sleep(4)  # until thumbnails and waveforms are drawn
            shown.shot(DOCS / f"{name}.png")
            shown.close()


if __name__ == "__main__":
    main()
