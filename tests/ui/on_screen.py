"""The window on a real screen: opens a timeline, waits until all of it is there, and saves what the screen shows.

python on_screen.py TIMELINE PICTURE
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path


def main(timeline: Path, picture: Path) -> int:
    from PySide6.QtGui import QGuiApplication
    from PySide6.QtWidgets import QApplication
    from sightmix.ui.base.source import Source
    from sightmix.ui.control.panel import Keep
    from sightmix.ui.remote.client import EngineClient
    from sightmix.ui.window import theme
    from sightmix.ui.window.assembly import Assembled
    from sightmix.ui.window.qt_pump import QtPump

    application = QApplication([])
    assert QGuiApplication.platformName() == "xcb"
    theme.use("dark")
    with tempfile.TemporaryDirectory() as folder:
        pump = QtPump()
        engine = EngineClient(pump, Path(folder))
        whole = Assembled(engine, pump, keep=Keep(), states=engine.state, sound=False)
        whole.window.resize(1200, 760)
        whole.window.show()
        whole.panel.clips.open(Source(timeline))
        end = time.monotonic() + 90
        panel = whole.panel
        while time.monotonic() < end and not (panel.clips.document and panel.live.figures.complete):
            application.processEvents()
            time.sleep(0.01)
        seen = panel.clips.document is not None and panel.live.figures.complete
        for _ in range(50):  # what was told last is painted
            application.processEvents()
            time.sleep(0.01)
        whole.window.screen().grabWindow(whole.window.winId()).save(str(picture))
        whole.close()
        engine.close()
        pump.stop()
    return 0 if seen else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
