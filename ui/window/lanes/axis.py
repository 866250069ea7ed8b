"""The axis of time that all lanes share: which record second lies at which pixel."""

from __future__ import annotations

import math

from PySide6.QtCore import QObject, Signal

CLOSEST = 2000.0  # device pixels a second at most
STEP = 1.25  # of one notch of zoom


class Axis(QObject):
    """Record seconds over columns of device pixels.

    The first visible column is a whole number of device pixels from the programme's start: whatever is painted for a
    column stays right while the lanes are scrolled, and only columns that come into view are painted.
    """

    moved = Signal()  # another place, or another scale

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.duration = 0.0  # s
        self.ratio = 1.0  # device pixels a pixel
        self.columns = 1  # visible device pixels
        self.first = 0  # the first of them
        self.scale = 1.0  # device pixels a second
        self._fits = True

    def time(self, x: float) -> float:
        """The record second at a pixel, within the programme."""
        return min(max((x * self.ratio + self.first) / self.scale, 0.0), self.duration)

    def x(self, time: float) -> float:
        """The pixel of a record second; it may lie outside of what is visible."""
        return (time * self.scale - self.first) / self.ratio

    def seconds(self, pixels: float) -> float:
        """How long so many pixels are."""
        return pixels * self.ratio / self.scale

    @property
    def span(self) -> tuple[float, float]:
        """The visible record seconds."""
        return self.first / self.scale, (self.first + self.columns) / self.scale

    @property
    def last_first(self) -> int:
        """The greatest `first` there is: the programme's end is visible."""
        return max(0, math.ceil(self.duration * self.scale) - self.columns)

    @property
    def fits(self) -> bool:
        """Whether all of the programme is visible, and stays so when the lanes grow."""
        return self._fits

    def take(self, duration: float) -> None:
        """A programme of so many seconds, all of it visible."""
        self.duration = duration
        self.fit()

    def resize(self, width: int, ratio: float) -> None:
        """The lanes are so many pixels wide, at a screen of so many device pixels each."""
        columns = max(1, round(width * ratio))
        if (columns, ratio) == (self.columns, self.ratio):
            return
        grown = ratio / self.ratio
        self.columns, self.ratio = columns, ratio
        if self._fits:
            self.fit()
        else:
            self._set(self.scale * grown, self.first * grown)
            self.moved.emit()

    def fit(self) -> None:
        """Make all of the programme visible."""
        self._set(self._least, 0)
        self._fits = True
        self.moved.emit()

    def zoom(self, factor: float, x: float) -> None:
        """Zoom in (`factor` > 1) or out; the time at pixel `x` stays there."""
        time = (x * self.ratio + self.first) / self.scale
        scale = min(max(self.scale * factor, self._least), CLOSEST * self.ratio)
        self._set(scale, time * scale - x * self.ratio)
        self._fits = scale <= self._least
        self.moved.emit()

    def scroll(self, columns: float) -> None:
        """Move on by so many device pixels."""
        self.show_from(self.first + columns)

    def show_from(self, first: float) -> None:
        """Make a column the first visible one, as far as there is something to show."""
        before = self.first
        self._set(self.scale, first)
        if self.first != before:
            self.moved.emit()

    def show(self, first: float, last: float, margin: float = 0.1) -> None:
        """Make a stretch of record seconds fill the lanes but for a margin on either side."""
        length = max(last - first, 0.1)
        scale = min(max(self.columns / (length * (1 + 2 * margin)), self._least), CLOSEST * self.ratio)
        self._set(scale, (first - margin * length) * scale)
        self._fits = scale <= self._least
        self.moved.emit()

    def reveal(self, time: float, share: float = 0.1) -> None:
        """Scroll so that a time is visible, `share` of the width from the left; nothing where it is."""
        if not self.first <= time * self.scale < self.first + self.columns:
            self.show_from(time * self.scale - share * self.columns)

    @property
    def _least(self) -> float:
        return self.columns / self.duration if self.duration > 0 else 1.0

    def _set(self, scale: float, first: float) -> None:
        self.scale = max(scale, self._least)
        self.first = min(max(round(first), 0), self.last_first)
