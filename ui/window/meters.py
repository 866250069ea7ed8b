"""The meters, seen: momentary, short-term and integrated loudness, and true peak, with the target they should meet."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ..control.meters import Figures, Meters
from ..control.needs import Target
from ..control.player import AFTER, BEFORE
from . import theme
from .clip_words import level
from .theme import GRID

_ROWS = 5  # of the grid: how high it is
_LOUD = (-50.0, 0.0)  # LUFS from a bar's left end to its right
_PEAK = (-30.0, 3.0)  # dBTP
_SPOKEN = 1.0  # seconds between what assistive technology is told


@dataclass(frozen=True)
class _Cell:
    """A figure as it is painted; `filled` and `line` in px from the bar's left end, `line` -1 for none."""

    name: str
    figure: str
    unit: str
    filled: int
    line: int
    colour: str


class MeterView(QWidget):
    """Four figures with their bars; a click, or Delete, measures anew.

    Only figures that look otherwise are painted again, as often as `Meters` tells of others: 20 times a second.
    """

    def __init__(self, meters: Meters, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._meters = meters
        self._target = Target()
        self._cells: list[_Cell] = []
        self._spoken = -math.inf
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumSize(40 * GRID, _ROWS * GRID)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Loudness"))
        self.setToolTip(
            self.tr(
                "Loudness of what is heard, as it would be written: momentary (0.4 s), short-term (3 s), and integrated"
                " and true peak since playing began. Click, or press Delete, to measure anew."
            )
        )
        self._leave = [meters.changed.subscribe(self._show), theme.changed.subscribe(self._themed)]
        self._show(meters.figures)

    @property
    def text(self) -> str:
        """All it shows, in words."""
        figures = self._meters.figures
        return self.tr(
            "Momentary {momentary} LUFS, short-term {short_term} LUFS, integrated {integrated} LUFS, "
            "true peak {true_peak} dBTP"
        ).format(
            momentary=level(_shown(figures.momentary)),
            short_term=level(_shown(figures.short_term)),
            integrated=level(_shown(figures.integrated)),
            true_peak=level(_shown(figures.true_peak)),
        )

    def set_target(self, target: Target) -> None:
        """The loudness and the ceiling that are aimed at."""
        self._target = target
        self._show(self._meters.figures)

    def release(self) -> None:
        """Hear of nothing any more: the window closes."""
        for leave in self._leave:
            leave()
        self._leave.clear()

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Qt's: how large it would like to be."""
        return QSize(60 * GRID, _ROWS * GRID)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  (Qt's name)
        """Qt's: paint the figures that lie in what has to be painted."""
        painter = QPainter(self)
        for index, cell in enumerate(self._cells):
            place = self._place(index)
            if place.intersects(event.rect()):
                self._paint(painter, place, cell)
        if self.hasFocus():
            painter.setPen(QColor(theme.current().text))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  (Qt's name)
        """Qt's: the bars have another length."""
        super().resizeEvent(event)
        self._show(self._meters.figures)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802  (Qt's name)
        """Qt's: measure anew."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._meters.reset()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """Qt's: Delete measures anew."""
        if event.key() in {Qt.Key.Key_Delete, Qt.Key.Key_Backspace}:
            self._meters.reset()
        else:
            super().keyPressEvent(event)

    def _themed(self) -> None:
        self._show(self._meters.figures)
        self.update()

    def _show(self, figures: Figures) -> None:
        """Paint again what looks otherwise."""
        earlier, self._cells = self._cells, self._made(figures)
        for index, cell in enumerate(self._cells):
            if len(earlier) != len(self._cells) or earlier[index] != cell:
                self.update(self._place(index))
        now = time.monotonic()
        if now - self._spoken >= _SPOKEN:
            self._spoken = now
            self.setAccessibleDescription(self.text)

    def _made(self, figures: Figures) -> list[_Cell]:
        loud, aim = self.tr("LUFS"), self._target.lufs
        reached, over = _on_target(figures, self._target), _below(figures, self._target)
        return [
            self._cell(self.tr("M", "momentary"), figures.momentary, loud, aim, _LOUD),
            self._cell(self.tr("S", "short-term"), figures.short_term, loud, aim, _LOUD),
            self._cell(self.tr("I", "integrated"), figures.integrated, loud, aim, _LOUD, reached),
            self._cell(
                self.tr("TP", "true peak"), figures.true_peak, "dBTP", self._target.ceiling, _PEAK, over
            ),
        ]

    def _cell(
        self,
        name: str,
        value: float,
        unit: str,
        aim: float | None,
        scale: tuple[float, float],
        colour: str = "quiet",
    ) -> _Cell:
        width = self._place(0).width() - GRID
        line = -1 if aim is None else _along(aim, scale, width)
        return _Cell(name, level(_shown(value)), unit, _along(value, scale, width), line, colour)

    def _place(self, index: int) -> QRect:
        """Where a figure lies, the gap to its right included."""
        edges = [round(self.width() * edge / 4) for edge in (index, index + 1)]
        return QRect(edges[0], 0, edges[1] - edges[0], self.height())

    def _paint(self, painter: QPainter, place: QRect, cell: _Cell) -> None:
        colours = theme.current()
        colour = QColor(getattr(colours, cell.colour))
        area = place.adjusted(GRID // 2, GRID // 2, -GRID // 2, -GRID // 2)
        words = QRectF(area.x(), area.y(), area.width(), 2 * GRID + GRID // 2)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(theme.small())
        painter.setPen(QColor(colours.quiet))
        painter.drawText(words, middle | Qt.AlignmentFlag.AlignLeft, cell.name)
        painter.drawText(words, middle | Qt.AlignmentFlag.AlignRight, cell.unit)
        unit = painter.fontMetrics().horizontalAdvance(cell.unit) + GRID // 2
        painter.setFont(theme.mono())
        painter.setPen(QColor(colours.text) if cell.colour == "quiet" else colour)
        painter.drawText(words.adjusted(0, 0, -unit, 0), middle | Qt.AlignmentFlag.AlignRight, cell.figure)
        bar = QRect(area.x(), area.bottom() - GRID // 2, place.width() - GRID, GRID // 2)
        painter.fillRect(bar, QColor(colours.separator))
        painter.fillRect(QRect(bar.x(), bar.y(), cell.filled, bar.height()), colour)
        if cell.line >= 0:
            mark = QRect(bar.x() + min(cell.line, bar.width() - 1), bar.y() - 2, 2, bar.height() + 4)
            painter.fillRect(mark, QColor(colours.text))


def _shown(value: float) -> float:
    """A figure as it is written; what lies below all that is audible is silence."""
    return value if value >= -99.9 else -math.inf


def _along(value: float, scale: tuple[float, float], width: int) -> int:
    low, high = scale
    share = (max(low, min(value, high)) - low) / (high - low)
    return round(share * max(0, width))


def _on_target(figures: Figures, target: Target) -> str:
    # A lane alone, or what was taken away, has no target to meet.
    if target.lufs is None or figures.heard not in {BEFORE, AFTER} or not math.isfinite(figures.integrated):
        return "quiet"
    return "good" if abs(figures.integrated - target.lufs) <= target.tolerance else "warning"


def _below(figures: Figures, target: Target) -> str:
    return "fault" if figures.true_peak > target.ceiling else "quiet"
