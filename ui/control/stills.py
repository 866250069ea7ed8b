"""Pictures of an open timeline: a small one for every clip that is looked at, and the one at the playhead."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import Any, Protocol

from ..base.asking import Engine, Failure, Ticket
from ..base.pump import Pump
from ..base.topics import Topic
from .clips import Clips
from .state import ClipRow, Document

THUMB_HEIGHT = 36  # px of a clip's picture, before the screen's own scale
_THUMBS = 300  # clips' pictures that are kept: 64 x 36 of them take 2 MB, at twice the scale 8
_INTO = 0.5  # s into a clip, or half of a shorter one: what lies at a cut is often black or a flash
_FRAMES = 12  # pictures of the playhead that are kept
_MOST_PER_SECOND = 25  # pictures asked for while playing
_SIZES = (
    64,
    36,
)  # px: sizes are asked for in these steps, so that what was seen fits when a window is drawn wider


@dataclass(frozen=True)
class Still:
    """A picture: RGB888 rows without padding, `width` 0 where there is none, for a `reason` ("" black)."""

    time: float
    width: int = 0
    height: int = 0
    rgb: bytes = field(default=b"", repr=False)
    reason: str = ""

    @property
    def black(self) -> bool:
        """Whether there is no picture."""
        return self.width == 0 or self.height == 0

    @classmethod
    def of(cls, data: Mapping[str, Any], payload: bytes) -> Still:
        """What the engine answers; a payload of another size than it says is no picture."""
        width, height = data["width"], data["height"]
        if len(payload) != 3 * width * height:
            return cls(data["time"])
        return cls(data["time"], width, height, payload, data.get("reason", ""))


class Thumbs:
    """A small picture of every clip that somebody looks at, the last few hundred of them.

    `came` tells of clips, by index, whose picture is there. Clips that begin together share one.
    """

    def __init__(self, engine: Engine, clips: Clips) -> None:
        self.came: Topic[[tuple[int, ...]]] = Topic()
        self.height = THUMB_HEIGHT
        self._engine, self._clips = engine, clips
        self._kept: OrderedDict[float, Still] = OrderedDict()
        self._asked: dict[float, list[int]] = {}  # clips by the time that is asked for
        self._ticket: Ticket | None = None
        clips.opened.subscribe(lambda _: self._begin())

    def still(self, index: int) -> Still | None:
        """A clip's picture; None as long as it is not there."""
        document = self._clips.document
        if document is None or not document.has_picture:
            return None
        at = _first_look(self._clips.row(index), document)
        found = self._kept.get(at)
        if found is not None:
            self._kept.move_to_end(at)
        return found

    def want(self, indices: Iterable[int]) -> None:
        """These clips are seen now: ask for what is missing of them, and no longer for others."""
        document = self._clips.document
        if document is None or not document.has_picture:
            return
        wanted: dict[float, list[int]] = {}
        for index in indices:
            wanted.setdefault(_first_look(self._clips.row(index), document), []).append(index)
        missing = {at: held for at, held in wanted.items() if at not in self._kept}
        if not missing or missing.keys() <= self._asked.keys():
            return
        self._asked = missing
        request = {"source": document.source.to_dict(), "times": list(missing), "height": self.height}
        asked = self._asked

        def take(data: Mapping[str, Any], payload: bytes) -> None:
            if asked is self._asked:
                self._take(Still.of(data, payload))

        def end(*_: object) -> None:
            if asked is self._asked:
                self._asked = {}

        self._ticket = self._engine.ask(
            "thumbnails", request, slot="clips.thumbnails", event=take, done=end, failed=end
        )

    def _take(self, still: Still) -> None:
        indices = self._asked.pop(still.time, None)
        if indices is None:
            return
        self._kept[still.time] = still
        while len(self._kept) > _THUMBS:
            self._kept.popitem(last=False)
        self.came.emit(tuple(indices))

    def _begin(self) -> None:
        self._kept.clear()
        self._asked = {}
        if self._ticket is not None:
            self._ticket.cancel()


def _first_look(row: ClipRow, document: Document) -> float:
    """The record time of the picture that stands for a clip: the middle of a frame."""
    at = row.record_in + min(_INTO, (row.record_out - row.record_in) / 2)
    return middle_of(frame_at(at, document), document)


def frame_at(seconds: float, document: Document) -> int:
    """The frame of the timeline that is seen at record `seconds`."""
    return floor(Fraction(seconds).limit_denominator(1_000_000) * document.rate + Fraction(1, 1000))


def middle_of(frame: int, document: Document) -> float:
    """Record seconds of the middle of a frame: no rounding leads from there to another one."""
    return float((Fraction(frame) + Fraction(1, 2)) / document.rate)


class Place(Protocol):
    """What is known of the playhead: a deck (`control.deck`)."""

    rate: int
    moved: Topic[[int]]

    @property
    def position(self) -> int:
        """The record sample it is at, `rate` of them a second."""

    @property
    def playing(self) -> bool:
        """Whether it moves by itself."""


class Stills:
    """The picture at the playhead. `shown` tells that there is another.

    One request is on its way at a time, and one waits: the newest. While the deck plays, 25 are asked for in a second
    at most, and those whose moment has passed are left out. Nothing is asked for while nobody looks (`look`).
    """

    def __init__(
        self,
        engine: Engine,
        pump: Pump,
        clips: Clips,
        deck: Place,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.shown: Topic[[]] = Topic()
        self.still: Still | None = None
        self.failure: Failure | None = None
        self._engine, self._pump, self._clips, self._deck, self._clock = engine, pump, clips, deck, clock
        self._size = (0, 0)
        self._kept: OrderedDict[tuple[int, tuple[int, int]], Still] = OrderedDict()
        self._asked: tuple[int, tuple[int, int]] | None = None
        self._last = -1.0  # when something was asked for last
        self._ticket: Ticket | None = None
        self._reading = 0
        self._leave: Callable[[], None] | None = None
        clips.opened.subscribe(lambda _: self._begin())
        deck.moved.subscribe(lambda _: self._renew())

    def look(self, width: int, height: int) -> None:
        """Somebody looks at a picture of at most so many pixels; (0, 0): nobody does."""
        size = (width, height)
        if width > 0 and height > 0:
            size = (_up(width, _SIZES[0]), _up(height, _SIZES[1]))
        if size != self._size:
            self._size = size
            self._renew()

    @property
    def late(self) -> bool:
        """Whether the picture that is shown is that of another moment than the playhead's."""
        document, still = self._clips.document, self.still
        return (
            document is not None
            and still is not None
            and frame_at(still.time, document) != self._frame(document)
        )

    def _begin(self) -> None:
        self._reading += 1
        self._kept.clear()
        self.still, self.failure, self._asked = None, None, None
        if self._ticket is not None:
            self._ticket.cancel()
        self.shown.emit()
        self._renew()

    def _frame(self, document: Document) -> int:
        last = max(0, floor(document.duration * document.rate) - 1)
        return min(frame_at(self._deck.position / self._deck.rate, document), last)

    def _renew(self) -> None:
        """Show the picture at the playhead, or ask for it."""
        document = self._clips.document
        if document is None or not document.has_picture or 0 in self._size:
            return
        wanted = (self._frame(document), self._size)
        known = self._kept.get(wanted)
        if known is not None:
            self._kept.move_to_end(wanted)
            self._show(known)
        elif self._asked is None:
            self._ask_soon(document, wanted)

    def _ask_soon(self, document: Document, wanted: tuple[int, tuple[int, int]]) -> None:
        wait = self._last + 1 / _MOST_PER_SECOND - self._clock() if self._deck.playing else 0.0
        if wait > 1e-6:
            if self._leave is None:
                self._leave = self._pump.later(wait, self._woken)
            return
        self._ask(document, wanted)

    def _woken(self) -> None:
        self._leave = None
        self._renew()

    def _ask(self, document: Document, wanted: tuple[int, tuple[int, int]]) -> None:
        reading = self._reading
        self._asked, self._last = wanted, self._clock()

        def done(data: Mapping[str, Any], payload: bytes) -> None:
            if reading == self._reading:
                self._take(wanted, Still.of(data, payload))

        def failed(failure: Failure) -> None:
            if reading == self._reading:
                self._fail(failure)

        frame, (width, height) = wanted
        request = {
            "source": document.source.to_dict(),
            "time": middle_of(frame, document),
            "width": width,
            "height": height,
        }
        self._ticket = self._engine.ask("picture", request, slot="picture", done=done, failed=failed)

    def _take(self, wanted: tuple[int, tuple[int, int]], still: Still) -> None:
        self._asked, self.failure = None, None
        self._kept[wanted] = still
        while len(self._kept) > _FRAMES:
            self._kept.popitem(last=False)
        document = self._clips.document
        # A picture that is a little late is better than none; one of a place that was left is not.
        if document is not None and (self._deck.playing or wanted[0] == self._frame(document)):
            self._show(still)
        self._renew()

    def _fail(self, failure: Failure) -> None:
        self._asked = None
        if not failure.cancelled:
            self.failure = failure  # it is asked for again as soon as the playhead moves
            self.shown.emit()

    def _show(self, still: Still) -> None:
        if still is not self.still or self.failure is not None:
            self.still, self.failure = still, None
            self.shown.emit()


def _up(value: int, step: int) -> int:
    return -(-value // step) * step
