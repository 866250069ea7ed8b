"""The timeline's picture at the playhead, as large as there is room for, and in words where there is none."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHideEvent, QImage, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ..control.clips import Clips
from ..control.stills import Still, Stills
from . import clip_words, theme
from .theme import GRID

_LARGEST = (1280, 720)  # px that are asked for at most: more takes longer to fetch than it can be seen
_LEAST = QSize(160, 90)


class PictureView(QWidget):
    """Paints what `Stills` shows, letterboxed; nothing is fetched while it is hidden."""

    def __init__(self, stills: Stills, clips: Clips, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stills, self._clips = stills, clips
        self._still: Still | None = None
        self._image = QImage()
        self.setMinimumSize(_LEAST)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._leave = [
            stills.shown.subscribe(self._take),
            clips.state_changed.subscribe(self._take),
            theme.changed.subscribe(self.update),
        ]
        self._take()

    def stop(self) -> None:
        """Listen to nothing any more, and have nothing fetched: the window has closed."""
        self._stills.look(0, 0)
        for leave in self._leave:
            leave()
        self._leave.clear()

    @property
    def words(self) -> str:
        """What is said in the picture's place; "" where there is one, or it is on its way."""
        document, still = self._clips.document, self._stills.still
        if document is None:
            return ""
        if not document.has_picture:
            return self.tr("This timeline has no picture: the mix is made by what is heard.")
        if self._stills.failure is not None:
            return self._stills.failure.error
        if still is None or not still.black:
            return ""
        return still.reason or self.tr("Black: no picture on the timeline.")

    @property
    def target(self) -> QRect:
        """Where the picture lies in the widget."""
        if self._image.isNull():
            return QRect()
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        return QRect(
            (self.width() - size.width()) // 2,
            (self.height() - size.height()) // 2,
            size.width(),
            size.height(),
        )

    # What Qt calls

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """The shape of most films."""
        return QSize(480, 270)

    def hasHeightForWidth(self) -> bool:  # noqa: N802  (Qt's name)
        """In one column it is as high as a film of its width."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802  (Qt's name)
        """As high as a film of this width is."""
        return width * 9 // 16

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  (Qt's name)
        """Another size is fetched."""
        super().resizeEvent(event)
        self._look()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  (Qt's name)
        """From now on it is looked at."""
        super().showEvent(event)
        self._look()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802  (Qt's name)
        """Nobody looks."""
        super().hideEvent(event)
        self._stills.look(0, 0)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  (Qt's name)
        """The picture, or why there is none."""
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(theme.current().picture))
        words = self.words
        if not words and not self._image.isNull():
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(QRectF(self.target), self._image)
        elif words:
            self._paint_words(painter, words)
        painter.end()

    def _paint_words(self, painter: QPainter, words: str) -> None:
        shown = theme.DARK  # what lies round a film is dark in every theme
        painter.setFont(theme.body())
        painter.setPen(QColor(shown.fault if self._stills.failure is not None else shown.quiet))
        room = self.rect().adjusted(2 * GRID, GRID, -2 * GRID, -GRID)
        painter.drawText(room, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, words)

    # Inside

    def _look(self) -> None:
        if not self.isVisible():
            return
        ratio = self.devicePixelRatioF()
        wanted = QSize(round(self.width() * ratio), round(self.height() * ratio))
        if wanted.width() > _LARGEST[0] or wanted.height() > _LARGEST[1]:
            wanted = wanted.scaled(QSize(*_LARGEST), Qt.AspectRatioMode.KeepAspectRatio)
        self._stills.look(wanted.width(), wanted.height())

    def _take(self) -> None:
        still = self._stills.still
        if still is not self._still:
            self._still = still  # keeps the bytes that the image lies on
            self._image = QImage()
            if still is not None and not still.black:
                rgb, stride = still.rgb, 3 * still.width
                self._image = QImage(rgb, still.width, still.height, stride, QImage.Format.Format_RGB888)
        document = self._clips.document
        at = document.timecode(still.time) if document is not None and still is not None else ""
        self.setAccessibleName(self.words or self.tr("Picture at {0}").format(at).strip())
        self.setToolTip(clip_words.plain_tip(self.words))
        self.update()
