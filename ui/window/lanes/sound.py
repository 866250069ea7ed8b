"""Sound before and after as waveforms, and the spectrum of the side that is heard."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

from ...control.lanes import AFTER, BEFORE, Figures
from .. import theme
from . import raster
from .board import Board
from .lane import Lane

Fetch = Callable[[float, float, int], Figures]
DIM = 0.45  # how much of its colour a side has that is not heard


class Kept:
    """Figures of the visible columns; only those of columns that come into view are asked for."""

    def __init__(self, lane: Lane, fetch: Fetch) -> None:
        self._lane, self._fetch = lane, fetch
        self._at: tuple[float, int, int] | None = None
        self._figures: Figures = np.zeros((0, 0), np.float32)

    def columns(self, first: int, last: int) -> Figures:
        """The figures of device columns."""
        self._scroll()
        return self._figures[..., first:last]

    def changed(self) -> tuple[int, int] | None:
        """Ask again; from which device column to before which they are others, None where they are the same."""
        before, at = self._figures, self._at
        self._take()
        if at != self._at or before.shape != self._figures.shape:
            return 0, self._lane.axis.columns
        same = (before == self._figures) | (np.isnan(before) & np.isnan(self._figures))
        other = np.flatnonzero(~same.reshape(-1, same.shape[-1]).all(axis=0))
        return (int(other[0]), int(other[-1]) + 1) if len(other) else None

    def forget(self) -> None:
        """They are to be asked for when they are painted."""
        self._at = None

    def _take(self) -> None:
        self._at = self._place()
        self._figures = self._fetch(*self._lane.visible_span)

    def _scroll(self) -> None:
        """Have figures of what is visible now."""
        before, now = self._at, self._place()
        if before == now:
            return
        scale, first, columns = now
        by = first - before[1] if before is not None else columns
        if before is None or (before[0], before[2]) != (scale, columns) or abs(by) >= columns:
            self._take()
            return
        self._at = now
        if by > 0:
            parts = self._figures[..., by:], self._fetch(*self._lane.span_of(columns - by, columns))
        else:
            parts = self._fetch(*self._lane.span_of(0, -by)), self._figures[..., :by]
        self._figures = np.concatenate(parts, axis=-1)

    def _place(self) -> tuple[float, int, int]:
        axis = self._lane.axis
        return axis.scale, axis.first, axis.columns


class SoundLane(Lane):
    """Waveforms of one side, or of both: then before stands up and after hangs down. What is heard is bright."""

    def __init__(self, board: Board, sides: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(board, parent)
        self.sides = sides
        self._figures = {side: Kept(self, self._fetching(side)) for side in (BEFORE, AFTER)}
        board.side_changed.connect(self.refresh)
        self.name()

    def name(self) -> None:
        """Say what it is, in the language of the moment."""
        names = {BEFORE: self.tr("Sound before"), AFTER: self.tr("Sound after")}
        both = self.tr("Sound before and after")
        self.setAccessibleName(both if len(self.sides) > 1 else names[self.sides[0]])
        self.setAccessibleDescription(self.tr("Waveform. Click to go there, drag to scrub."))

    def show_sides(self, sides: tuple[str, ...]) -> None:
        """Show these sides."""
        if sides != self.sides:
            self.sides = sides
            self.name()
            self.refresh()

    def _fetching(self, side: str) -> Fetch:
        return lambda first, last, columns: self.board.live.waveform(side, first, last, columns)

    def forget(self) -> None:
        """Ask for all peaks again."""
        for kept in self._figures.values():
            kept.forget()
        self.refresh()

    def compare(self) -> None:
        """Paint the columns whose peaks are others."""
        for side in self.sides:
            found = self._figures[side].changed()
            if found is not None:
                self.refresh_columns(*found)

    def columns(self, painter: QPainter, first: int, last: int) -> None:
        """Peaks, and quiet ground where nobody has listened yet."""
        ratio = self.axis.ratio
        rows = max(1, round(self.height() * ratio))
        target = QRectF(first / ratio, 0, (last - first) / ratio, rows / ratio)
        centres = (0.5,) if len(self.sides) == 1 else (1.0, 0.0)
        middle = self.height() / 2
        for side, centre in zip(self.sides, centres, strict=True):
            peaks = self._figures[side].columns(first, last)
            self._unknown(painter, peaks, first, middle)
            if len(self.sides) == 1:
                painter.drawImage(target, raster.wave(peaks, rows, self._colour(side)))
            else:
                half = QRectF(
                    target.x(), 0 if centre else rows // 2 / ratio, target.width(), rows // 2 / ratio
                )
                painter.drawImage(half, raster.wave(peaks, rows // 2, self._colour(side), centre))
        if len(self.sides) > 1:
            painter.fillRect(QRectF(target.x(), middle, target.width(), 1), QColor(theme.current().panel))

    def _colour(self, side: str) -> str:
        shown = theme.current()
        return shown.text if side == self.board.side else theme.dimmed(shown.text, shown.panel, DIM)

    def _unknown(self, painter: QPainter, peaks: Figures, first: int, middle: float) -> None:
        unknown = np.isnan(peaks).any(axis=0)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], unknown.view(np.int8), [0]])))
        ratio = self.axis.ratio
        end = self.axis.x(self.axis.duration)
        for a, b in edges.reshape(-1, 2):
            left, right = (first + int(a)) / ratio, min((first + int(b)) / ratio, end)
            if left < right:
                painter.fillRect(QRectF(left, middle - 2, right - left, 4), QColor(theme.current().raised))


class SpectrumLane(Lane):
    """The spectrum of the side that is heard, low below and high above."""

    def __init__(self, board: Board, parent: QWidget | None = None) -> None:
        super().__init__(board, parent)
        self._figures = Kept(self, self._fetch)
        board.side_changed.connect(self.forget)
        self.name()

    def name(self) -> None:
        """Say what it is, in the language of the moment."""
        self.setAccessibleName(self.tr("Spectrum"))
        self.setAccessibleDescription(
            self.tr("The spectrum of the side that is heard, low below, high above.")
        )

    def _fetch(self, first: float, last: float, columns: int) -> Figures:
        return self.board.live.spectrogram(self.board.side, first, last, columns)

    def forget(self) -> None:
        """Ask for all of it again."""
        self._figures.forget()
        self.refresh()

    def compare(self) -> None:
        """Paint the columns that are others."""
        found = self._figures.changed()
        if found is not None:
            self.refresh_columns(*found)

    def columns(self, painter: QPainter, first: int, last: int) -> None:
        """Power by band."""
        shown = theme.current()
        ratio = self.axis.ratio
        rows = max(1, round(self.height() * ratio))
        power = self._figures.columns(first, last)
        if not power.size:
            return
        target = QRectF(first / ratio, 0, (last - first) / ratio, rows / ratio)
        painter.drawImage(target, raster.spectrum(power, rows, shown.panel, shown.text))

    def over(self, painter: QPainter) -> None:
        """Which side it is of."""
        words = {BEFORE: self.tr("before"), AFTER: self.tr("after")}
        shown = theme.current()
        painter.setFont(theme.small())
        text = words.get(self.board.side, "")
        box = QRectF(4, 2, painter.fontMetrics().horizontalAdvance(text) + 8, 16)
        painter.fillRect(box, QColor(shown.panel))
        painter.setPen(QColor(shown.quiet))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
