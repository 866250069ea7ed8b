"""What all lanes look at: the axis, the mix, where the playhead is, and what is marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from ...control.curves import Curves
from ...control.frames import Frames
from ...control.lanes import BEFORE, LiveLanes
from ...control.state import ClipRow, Document
from .axis import Axis

Span = tuple[float, float]


class Board(QObject):
    """The state that lanes share, and what they ask for; no lane knows another."""

    playhead_moved = Signal(float, float)  # from, to, in record seconds
    marked = Signal()  # cuts, clips, selection, loop or document
    side_changed = Signal()
    pointed = Signal(object)  # the record second under the pointer, None for none
    told = Signal(str)  # something to read in the status line while it goes on, "" when it is over
    hinted = Signal(str)  # what can be done under the pointer, "" for nothing of its own
    seek_asked = Signal(float)
    loop_asked = Signal(object)  # a span in record seconds, or None

    def __init__(
        self, live: LiveLanes, curves: Curves, frames: Frames, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.live, self.curves, self.frames = live, curves, frames
        self.axis = Axis(self)
        self.document: Document | None = None
        self.side = BEFORE
        self.playhead = 0.0
        self.loop: Span | None = None
        self.cuts: NDArray[np.float64] = np.zeros(0)
        self.clips: Sequence[ClipRow] = ()
        self.ends: NDArray[np.float64] = np.zeros((2, 0))  # of the clips, in record seconds
        self.selected: tuple[Span, ...] = ()
        self.narrow = False

    def open(self, document: Document | None) -> None:
        """Another timeline, None for none."""
        self.document = document
        self.cuts = np.array(sorted(document.cuts) if document is not None else [], np.float64)
        self.clips = document.clips if document is not None else ()
        ends = [(clip.record_in, clip.record_out) for clip in self.clips]
        self.ends = np.array(ends, np.float64).reshape(-1, 2).T
        self.selected, self.loop = (), None
        self.playhead = 0.0
        self.axis.take(float(document.duration) if document is not None else 0.0)
        self.marked.emit()

    def select(self, clips: Iterable[int]) -> None:
        """The clips, by number, whose stretches are marked."""
        wanted = set(clips)
        spans = sorted((c.record_in, c.record_out) for c in self.clips if c.index in wanted)
        self.selected = tuple(_united(spans))
        self.marked.emit()

    def move(self, seconds: float) -> None:
        """The playhead is at a record second."""
        before, self.playhead = self.playhead, seconds
        if before != seconds:
            self.playhead_moved.emit(before, seconds)

    def hear(self, side: str) -> None:
        """This side is heard."""
        if side != self.side:
            self.side = side
            self.side_changed.emit()

    def set_loop(self, loop: Span | None) -> None:
        """This stretch is looped."""
        if loop != self.loop:
            self.loop = loop
            self.marked.emit()

    def timecode(self, seconds: float) -> str:
        """A record second in the timeline's own timecode."""
        return self.document.timecode(seconds) if self.document is not None else ""

    def framed(self, seconds: float) -> float:
        """The start of the frame that a record second lies in the nearest of."""
        if self.document is None:
            return seconds
        rate = float(self.document.rate)
        return min(max(round(seconds * rate) / rate, 0.0), float(self.document.duration))


def _united(spans: Iterable[Span]) -> list[Span]:
    """Spans in order as those that do not touch."""
    found: list[Span] = []
    for first, last in spans:
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found
