"""What stands left of a lane: its name, solo and mute, and the scale of its gain."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from ....engine.highlight.words import signed_db
from .. import theme
from .scale import MARKS, place

WIDE, NARROW = 112, 80  # pixels
SCALE = 26  # pixels of a scale's labels
BAR = 3  # pixels of the stem's colour


class Head(QWidget):
    """The name of a lane; `colour` is a stem whose colour it bears, "" for none."""

    solo_asked = Signal(bool)
    mute_asked = Signal(bool)

    def __init__(self, stem: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.stem = stem
        self.label = QLabel(self)
        self.solo, self.mute = QToolButton(self), QToolButton(self)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(8, 2, (SCALE - 4) if stem else 4, 2)
        outer.setSpacing(2)
        outer.addStretch(1)
        outer.addWidget(self.label)
        buttons = QHBoxLayout()
        buttons.setSpacing(2)
        for button, asked in ((self.solo, self.solo_asked), (self.mute, self.mute_asked)):
            button.setCheckable(True)
            button.setFixedSize(20, 20)
            button.clicked.connect(asked)
            button.setVisible(bool(stem))
            buttons.addWidget(button)
        buttons.addStretch(1)
        if stem:
            outer.addLayout(buttons)
        outer.addStretch(1)
        self.setFixedWidth(WIDE)

    def tell(self, text: str, title: str = "") -> None:
        """The name to show, and the one for tooltips and screen readers."""
        self.label.setText(text)
        title = title or text
        self.label.setToolTip(title)
        key = title[:1]
        for button, letter, words in (
            (self.solo, self.tr("S"), self.tr("Solo {stem}: hear it alone (hold {key})")),
            (self.mute, self.tr("M"), self.tr("Mute {stem}")),
        ):
            button.setText(letter)
            told = words.format(stem=title, key=key)
            button.setToolTip(told)
            button.setAccessibleName(told)

    def show_state(self, solo: bool, mute: bool) -> None:
        """Whether it is heard alone, and whether it is muted."""
        self.solo.setChecked(solo)
        self.mute.setChecked(mute)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """The stem's colour, and the scale's labels."""
        shown = theme.current()
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(shown.panel))
        if self.stem:
            painter.fillRect(QRectF(0, 0, BAR, self.height()), QColor(shown.stem(self.stem)))
            self._scale(painter)
        painter.end()

    def _scale(self, painter: QPainter) -> None:
        """Gains in dB; fewer where they would touch."""
        painter.setFont(theme.mono(10))
        painter.setPen(QColor(theme.current().quiet))
        last = -100.0
        for db in (0.0, -12.0, 12.0, -24.0) if self.height() < 60 else MARKS:
            y = place(db, self.height())
            if self.height() < 60 and db not in {0.0, -12.0}:
                continue
            if abs(y - last) < 10:
                continue
            last = y
            text = signed_db(db).removesuffix(" dB")
            box = QRectF(self.width() - SCALE, y - 7, SCALE - 4, 14)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
