"""Closing the window with work in the queue: the one question there is, and what its answers do."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QMessageBox, QWidget

from ..control.queue import JobQueue
from . import words
from .fields import until_gone

STOP, FINISH, STAY = "stop", "finish", "stay"


class ClosingDialog(QMessageBox):
    """Asks once what is to become of the work that is left; `answer` is STOP, FINISH or STAY."""

    def __init__(self, queue: JobQueue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        left = len(queue.unfinished)
        seconds = queue.running.left if queue.running is not None else None
        self.setIcon(QMessageBox.Icon.Question)
        self.setWindowTitle(self.tr("Close sightmix"))
        self.setText(
            self.tr("A job is not done yet.")
            if left == 1
            else self.tr("{n} jobs are not done yet.").format(n=left)
        )
        told = self.tr("What is complete is kept: the next time the panel is opened they go on from there.")
        if seconds is not None:
            about = self.tr("The one that runs takes about {time} more.").format(time=words.spell(seconds))
            told = f"{about} {told}"
        self.setInformativeText(told)
        self.stop = self.addButton(self.tr("Stop and close"), QMessageBox.ButtonRole.DestructiveRole)
        self.finish = self.addButton(self.tr("Finish, then close"), QMessageBox.ButtonRole.AcceptRole)
        self.stay = self.addButton(self.tr("Stay"), QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(self.stay)
        self.setEscapeButton(self.stay)

    @property
    def answer(self) -> str:
        """What was chosen; STAY where it was closed."""
        chosen = self.clickedButton()
        return STOP if chosen is self.stop else FINISH if chosen is self.finish else STAY


class FinishThenClose(QObject):
    """Puts the window away and closes it once the queue is done, unless somebody brings it up again before."""

    def __init__(self, window: QWidget, queue: JobQueue) -> None:
        super().__init__(window)
        self._window, self._queue, self._wanted = window, queue, True
        until_gone(self, queue.listed.subscribe(self._look), queue.changed.subscribe(lambda _: self._look()))
        queue.resume()
        window.showMinimized()
        window.installEventFilter(self)
        self._look()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """Somebody has brought it up: it stays."""
        if event.type() is QEvent.Type.WindowStateChange and watched is self._window:
            self._wanted = self._wanted and self._window.isMinimized()
        return False

    def _look(self) -> None:
        if self._wanted and not self._queue.unfinished:
            QTimer.singleShot(0, self, self._close)  # who tells of the end has more to tell

    def _close(self) -> None:
        if self._wanted and not self._queue.unfinished:
            self._wanted = False
            self._window.close()


def ask(window: QWidget, queue: JobQueue) -> str:
    """Ask, and say what was chosen; STOP without a question where nothing is left to do."""
    if not queue.unfinished:
        return STOP
    dialog = ClosingDialog(queue, window)
    dialog.exec()
    answer = dialog.answer
    dialog.deleteLater()
    return answer
