"""A word on the desktop when a job ends and nobody is looking, where the desktop takes one; silence elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

from ..control.queue import DONE, Entry, JobQueue
from . import icons, queue_words
from .fields import until_gone

SHOWN_MS = 8000


def system_tray(window: QWidget) -> QSystemTrayIcon | None:
    """The desktop's tray, where there is one that shows messages."""
    if not QSystemTrayIcon.isSystemTrayAvailable() or not QSystemTrayIcon.supportsMessages():
        return None
    icon = window.windowIcon()
    return QSystemTrayIcon(icon if not icon.isNull() else icons.icon("sound"), window)


class Notifier(QObject):
    """Tells of every job that ends while the window is not the active one; a click on it brings the window up."""

    def __init__(
        self,
        window: QWidget,
        queue: JobQueue,
        make: Callable[[QWidget], QSystemTrayIcon | None] = system_tray,
    ) -> None:
        super().__init__(window)
        self._window, self._make = window, make
        self._tray: QSystemTrayIcon | None = None
        window.installEventFilter(self)
        until_gone(self, queue.finished.subscribe(self._ended), queue.failed.subscribe(self._ended))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """Somebody looks: what stands in the tray has been seen."""
        if watched is self._window and event.type() in (QEvent.Type.WindowActivate, QEvent.Type.Close):
            self._put_away()
        return False

    def _ended(self, entry: Entry) -> None:
        if self._window.isActiveWindow():
            return
        QApplication.alert(self._window)
        if self._tray is None:
            self._tray = self._make(self._window)
            if self._tray is None:
                return
            self._tray.messageClicked.connect(self._bring_up)
            self._tray.activated.connect(self._bring_up)
        self._tray.setToolTip(entry.title)
        self._tray.show()
        good = entry.status == DONE and not entry.failed_rows
        title = self.tr("Rebalanced: {title}") if entry.status == DONE else self.tr("Not done: {title}")
        kind = QSystemTrayIcon.MessageIcon.Information if good else QSystemTrayIcon.MessageIcon.Warning
        text = queue_words.result(entry) if entry.status == DONE else queue_words.sentence(entry)
        self._tray.showMessage(title.format(title=entry.title), text, kind, SHOWN_MS)

    def _bring_up(self) -> None:
        if self._window.isMinimized():
            self._window.showNormal()
        self._window.raise_()
        self._window.activateWindow()

    def _put_away(self) -> None:
        if self._tray is not None:
            self._tray.hide()
            self._tray.deleteLater()
            self._tray = None
