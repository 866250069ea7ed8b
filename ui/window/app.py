"""The application: Qt, the theme, the language, the panel behind its window, and their end."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import (
    QCoreApplication,
    QLibraryInfo,
    QLocale,
    QObject,
    QSocketNotifier,
    QTimer,
    QTranslator,
)
from PySide6.QtWidgets import QApplication

from ..base.source import Source
from ..control.preferences import Preferences, preferences_path
from . import theme
from .given import LANGUAGES, Given
from .qt_pump import QtPump

LOG = logging.getLogger(__name__)
TRANSLATIONS = Path(__file__).resolve().parent.parent / "translations"


def run(given: Given) -> int:
    """Show the window until it is closed; returns the exit status."""
    _log(given.debug)
    application = _application()
    preferences = Preferences(preferences_path())
    wishes = preferences.wishes
    theme.motion(wishes.motion)
    theme.use(given.theme or wishes.theme, scale=wishes.scale)  # type: ignore[arg-type]
    speak(application, given.language or wishes.language)
    shown = Shown(given, preferences)
    stopping = Stopping(shown.stop)
    try:
        return application.exec()
    finally:
        stopping.close()
        shown.close()


def _application() -> QApplication:
    made = QApplication(sys.argv[:1])
    made.setApplicationName("sightmix")
    made.setApplicationDisplayName("sightmix")
    made.setDesktopFileName("sightmix")
    return made


spoken: list[QTranslator] = []  # what is installed in the application, which does not own them


def speak(application: QApplication, language: str = "") -> str:
    """Have the window speak a language, "" for the system's; returns the one it speaks, English where ours has none."""
    wanted = language or QLocale.system().name()[:2]
    found = wanted if wanted in LANGUAGES else "en"
    QLocale.setDefault(QLocale(language) if language else QLocale.system())
    qts = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    for name, folder in ((f"qtbase_{found}", qts), (f"sightmix_{found}", str(TRANSLATIONS))):
        translator = QTranslator(application)
        if translator.load(name, folder):
            application.installTranslator(translator)
            spoken.append(translator)
    return found


def _log(debug: bool) -> None:
    if debug:
        os.environ["SIGHTMIX_DEBUG"] = "1"
    if sys.stderr is not None:
        logging.basicConfig(
            level=logging.DEBUG if debug else logging.WARNING,
            format="%(asctime)s %(levelname)s %(name)s: %(message)s" if debug else "sightmix: %(message)s",
        )


def _load_filters() -> None:
    """Load what the meters filter with beside the window: a second that would be missed at the first sound."""
    from ...engine.media.loudness import KWeighting

    KWeighting(48_000, 2)


class Shown:
    """The window and what is behind it: shown first, the engine after."""

    def __init__(self, given: Given, preferences: Preferences) -> None:
        from ..control.demo import Demo
        from ..remote.client import EngineClient
        from .assembly import Assembled

        self.pump = QtPump()
        self.engine = EngineClient(self.pump)
        demo = Demo(self.pump)
        self.whole = Assembled(
            self.engine, self.pump, states=self.engine.state, preferences=preferences, demo=demo
        )
        self.window = self.whole.window
        self._given = given
        self._loading: threading.Thread | None = None
        self._earlier = sys.excepthook
        sys.excepthook = self._unexpected
        self.window.show()
        QTimer.singleShot(0, self._begin)

    def stop(self) -> None:
        """Close the window as its user would."""
        self.window.close()

    def close(self) -> None:
        """Leave nothing running."""
        sys.excepthook = self._earlier
        self.whole.close()
        self.engine.close()
        self.pump.stop()
        if self._loading is not None:
            self._loading.join()

    def _begin(self) -> None:
        """What takes longer, once the window is there."""
        self.engine.start()
        self._loading = threading.Thread(target=_load_filters, name="loads filters", daemon=True)
        self._loading.start()
        if self.whole.sound is not None:
            self.whole.sound.prepare()
        if self._given.timeline is not None:
            self.whole.panel.clips.open(Source(self._given.timeline.absolute()))
        elif self._given.resolve:
            self.whole.outside.launched()
        elif self._given.demo:
            self.window.open_demo()

    def _unexpected(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Something of ours failed: it is logged and shown, and the window goes on."""
        from .notices import Notice

        if issubclass(kind, KeyboardInterrupt):
            self.stop()
            return
        LOG.error("something in the window has failed", exc_info=(kind, error, trace))
        details = "".join(traceback.format_exception(kind, error, trace))
        sentence = QCoreApplication.translate(
            "App", "Something in the panel has failed; what you did is not lost."
        )
        self.window.notice(Notice(sentence, "fault", details=details, key="unexpected"))


class Stopping(QObject):
    """Ctrl-C in the terminal closes the window, although Qt's loop lets no Python run while it waits."""

    def __init__(self, stop: Callable[[], object]) -> None:
        super().__init__()
        self._stop = stop
        self._ours, theirs = socket.socketpair()
        self._theirs = theirs
        for end in (self._ours, theirs):
            end.setblocking(False)
        self._notifier = QSocketNotifier(self._ours.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._woken)
        self._woke = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        self._before = {
            number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)
        }

    def close(self) -> None:
        """Leave signals as they were."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._woke)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._ours.close()
        self._theirs.close()

    def _woken(self) -> None:
        if self._ours.recv(64):
            self._stop()
