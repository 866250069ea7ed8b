"""Timelines, media and folders that are dropped onto the window, and what is shown while they hang over it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QRect, Qt
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QWidget

from ..control.clips import Clips, Drop
from . import icons, theme
from .theme import GRID


class DropTarget(QObject):
    """Makes a widget take files; while they hang over it, says over all of it what letting go will do."""

    def __init__(self, target: QWidget, clips: Clips) -> None:
        super().__init__(target)
        self._target, self._clips = target, clips
        self.overlay = _Overlay(target)
        target.setAcceptDrops(True)
        target.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """Take what can be opened, or looked in."""
        if isinstance(event, QDropEvent) and event.type() is QEvent.Type.Drop:
            self.overlay.hide()
            if self._clips.drop(dropped(event.mimeData())).do:
                event.setDropAction(Qt.DropAction.CopyAction)
                event.accept()
            return True
        if isinstance(event, QDragEnterEvent | QDragMoveEvent):
            found = self._clips.judge(dropped(event.mimeData()))
            if event.type() is QEvent.Type.DragEnter:
                self.overlay.say(self._words(found), possible=bool(found.do))
            if found.do:
                event.setDropAction(Qt.DropAction.CopyAction)
                event.accept()
            elif event.type() is QEvent.Type.DragEnter and event.mimeData().hasUrls():
                event.acceptProposedAction()  # so that it can be said why nothing happens
            return True
        if isinstance(event, QDragLeaveEvent):
            self.overlay.hide()
        return super().eventFilter(watched, event)

    def _words(self, found: Drop) -> str:
        name = found.path.name
        if found.do == "open":
            return self.tr("Open {0}").format(name)
        if found.do == "look":
            return self.tr("Look for media in {0}").format(name or str(found.path))
        return self.tr("This is neither a timeline nor a media file")


def dropped(data: QMimeData) -> list[Path]:
    """The local files of what is dropped."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


class _Overlay(QWidget):
    """Lies over a widget and says one thing."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self._words, self._possible = "", True
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def say(self, words: str, possible: bool) -> None:
        """Show it."""
        self._words, self._possible = words, possible
        self.setAccessibleName(words)
        self.setGeometry(self._over.rect())
        self.raise_()
        self.show()
        self.update()

    @property
    def words(self) -> str:
        """What is said."""
        return self._words

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802  (Qt's name)
        """A frame, a glyph and the words."""
        shown = theme.current()
        painter = QPainter(self)
        ground = QColor(shown.ground)
        ground.setAlphaF(0.92)
        painter.fillRect(self.rect(), ground)
        painter.setPen(QPen(QColor(shown.text if self._possible else shown.line), 2, Qt.PenStyle.DashLine))
        painter.drawRect(self.rect().adjusted(GRID, GRID, -GRID, -GRID))
        middle = QRect(0, 0, 32, 32)
        middle.moveCenter(self.rect().center())
        middle.moveBottom(self.rect().center().y())
        icons.icon("open" if self._possible else "cancel", "text" if self._possible else "quiet").paint(
            painter, middle
        )
        painter.setFont(theme.body())
        painter.setPen(QColor(shown.text))
        below = self.rect().adjusted(2 * GRID, self.rect().center().y() + GRID, -2 * GRID, -2 * GRID)
        painter.drawText(
            below,
            Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap,
            self._words,
        )
        painter.end()
