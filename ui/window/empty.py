"""Nothing is open: where files can be dropped, what was open lately, and the demo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayoutItem,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ..base.source import Source
from ..control.recent import Recent
from . import icons, theme
from .body import Elided
from .keys import Keys
from .theme import GRID

_WIDTH = 440  # px: what is read is no wider
_SHOWN = 8  # recent timelines


class EmptyView(QWidget):
    """The window with nothing open. `open_` opens a timeline that was open before."""

    def __init__(
        self, keys: Keys, recent: Recent, open_: Callable[[Source], object], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._recent, self._open = recent, open_
        self.setAccessibleName(self.tr("Nothing is open"))
        self._target = QWidget()
        layout = QVBoxLayout(self._target)
        layout.setContentsMargins(3 * GRID, 4 * GRID, 3 * GRID, 4 * GRID)
        layout.setSpacing(GRID)
        layout.addWidget(self._label(self.tr("Drop a timeline here"), "title"))
        layout.addWidget(self._label(self.tr("OTIO, FCPXML, FCP 7 XML, AAF, EDL or a media file"), "quiet"))
        layout.addSpacing(GRID)
        layout.addWidget(self._button(keys, "open", primary=True))
        layout.addWidget(self._button(keys, "open_resolve"))
        layout.addWidget(self._button(keys, "demo"))
        self._listed: list[QPushButton] = []
        self._list = QVBoxLayout()
        self._list.setSpacing(GRID // 2)
        column = QVBoxLayout()
        column.setSpacing(3 * GRID)
        column.addStretch(1)
        column.addWidget(self._target)
        column.addLayout(self._list)
        column.addWidget(
            self._label(self.tr("Everything runs on this computer; originals are never changed."), "quiet")
        )
        column.addStretch(2)
        inner = QWidget()
        across = QHBoxLayout(inner)
        across.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        across.addStretch(1)
        held = QWidget()
        held.setMaximumWidth(_WIDTH)
        held.setLayout(column)
        across.addWidget(held, 100)
        across.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(inner)
        scroll.viewport().setAutoFillBackground(False)
        scroll.setStyleSheet("QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; }")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)
        self._leave = recent.changed.subscribe(self.renew)
        self.renew()

    @property
    def listed(self) -> list[QPushButton]:
        """The buttons of what was open lately."""
        return self._listed

    def renew(self) -> None:
        """List what was open lately, as far as it is still there."""
        while self._list.count():
            item: QLayoutItem | None = self._list.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.deleteLater()
        self._listed.clear()
        entries = self._recent.entries[:_SHOWN]
        if entries:
            heading = self._label(self.tr("Open lately"), "heading")
            heading.setAlignment(Qt.AlignmentFlag.AlignLeft)
            self._list.addWidget(heading)
        for entry in entries:
            self._listed.append(self._entry(entry.source, entry.name, entry.there))
            self._list.addWidget(self._listed[-1])

    def stop(self) -> None:
        """Listen to nothing any more."""
        self._leave()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  (Qt's name)
        """Draw the border of where things can be dropped."""
        super().paintEvent(event)
        shown = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(QColor(shown.line), 1.0)
        pen.setDashPattern([4, 4])
        painter.setPen(pen)
        where = QRectF(self._target.rect()).translated(
            self._target.mapTo(self, self._target.rect().topLeft())
        )
        painter.drawRoundedRect(where.adjusted(0.5, 0.5, -0.5, -0.5), theme.RADIUS, theme.RADIUS)

    def _entry(self, source: Source, name: str, there: bool) -> QPushButton:
        button = QPushButton()
        button.setProperty("flat", True)
        button.setEnabled(there)
        row = QHBoxLayout(button)
        row.setContentsMargins(GRID, 0, GRID, 0)
        row.setSpacing(GRID)
        picture = QLabel()
        picture.setPixmap(
            icons.pixmap("recent" if there else "offline", 14, "quiet", self.devicePixelRatio())
        )
        title = QLabel(name or source.path.name)
        where = Elided(str(_short(source.path.parent)) if there else self.tr("is not there any more"))
        where.setProperty("role", "quiet")
        for part in (picture, title, where):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        row.addWidget(picture)
        row.addWidget(title)
        row.addWidget(where, 1)
        button.setMinimumHeight(3 * GRID)
        button.setToolTip(str(source.path))
        button.setAccessibleName(self.tr("Open {name}").format(name=name or source.path.name))
        button.clicked.connect(lambda: self._open(source))
        return button

    def _button(self, keys: Keys, name: str, primary: bool = False) -> QPushButton:
        button = QPushButton(keys.action(name).text())
        if primary:
            button.setProperty("role", "primary")
        keys.dress(button, name)
        if primary:
            button.setIcon(icons.icon("open", "primary_text"))
        return button

    @staticmethod
    def _label(text: str, role: str) -> QLabel:
        label = QLabel(text)
        label.setProperty("role", role)
        label.setWordWrap(True)
        label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        return label


def _short(path: Path) -> Path | str:
    """A folder as people write it: ~ for their own."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except (ValueError, RuntimeError):
        return path
