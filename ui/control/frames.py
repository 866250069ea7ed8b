"""Frames of a timeline's picture: asked for where they are looked at, kept while they fit; the newest wish wins."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..base.asking import Engine, Failure, Ticket
from ..base.pump import Pump
from ..base.source import Source
from ..base.topics import Topic

MOST_BYTES = 32 << 20
WAIT = 0.06  # seconds that a wish must last: while lanes are scrolled nothing is asked for
AT_ONCE = 64  # frames of one request
SLOT = "lanes: frames"
CRASHES = 3  # in a row, after which frames are not asked for again


@dataclass(frozen=True)
class Frame:
    """A frame as RGB, eight bits each, rows without padding; of no width where there is no picture."""

    time: float
    width: int
    height: int
    pixels: bytes = b""


Key = tuple[int, int]  # milliseconds, height


class Frames:
    """Small frames of the open timeline, by time and height."""

    def __init__(self, engine: Engine, pump: Pump, most_bytes: int = MOST_BYTES) -> None:
        self.changed: Topic[[]] = Topic()
        self.most_bytes = most_bytes
        self._engine, self._pump = engine, pump
        self._source: Source | None = None
        self._kept: OrderedDict[Key, Frame] = OrderedDict()
        self._bytes = 0
        self._wanted: dict[Key, float] = {}
        self._refused: set[Key] = set()
        self._ticket: Ticket | None = None
        self._asked: dict[Key, float] = {}
        self._leave_timer: Callable[[], None] = _nothing
        self._crashes = 0

    def open(self, source: Source | None) -> None:
        """Frames of another timeline, None for none."""
        self.close()
        self._source = source

    def close(self) -> None:
        """Forget all frames and ask for nothing more."""
        self._leave_timer()
        self._wanted, self._asked = {}, {}
        ticket, self._ticket = self._ticket, None
        if ticket is not None:
            ticket.cancel()
        self._source = None
        self._kept.clear()
        self._refused.clear()
        self._bytes = 0

    def get(self, time: float, height: int) -> Frame | None:
        """The frame at a time, where it is there already."""
        frame = self._kept.get(_key(time, height))
        if frame is not None:
            self._kept.move_to_end(_key(time, height))
        return frame

    def want(self, times: Iterable[float], height: int) -> None:
        """These are the frames that are looked at now; what was wanted before is not any more."""
        missing = {_key(time, height): time for time in times}
        missing = {k: t for k, t in missing.items() if k not in self._kept and k not in self._refused}
        if missing == self._wanted:
            return
        self._wanted = missing
        self._leave_timer()
        if missing and self._source is not None:
            self._leave_timer = self._pump.later(WAIT, self._ask)

    def _ask(self) -> None:
        self._leave_timer = _nothing
        if not self._wanted or self._source is None or self._wanted.keys() <= self._asked.keys():
            return
        asked = dict(list(self._wanted.items())[:AT_ONCE])
        self._asked = asked
        height = next(iter(asked))[1]
        data = {"source": self._source.to_dict(), "times": list(asked.values()), "height": height}
        ticket = self._engine.ask(
            "thumbnails",
            data,
            slot=SLOT,
            event=lambda told, pixels: self._told(asked, told, pixels),
            done=lambda told, pixels: self._done(asked),  # noqa: ARG005
            failed=lambda failure: self._failed(asked, failure),
        )
        self._ticket = ticket if asked is self._asked else self._ticket

    def _told(self, asked: Mapping[Key, float], told: Mapping[str, Any], pixels: bytes) -> None:
        if self._source is None:
            return
        height = next(iter(asked))[1]
        key = _key(float(told["time"]), height)
        frame = Frame(float(told["time"]), int(told["width"]), int(told["height"]), pixels)
        if len(pixels) != 3 * frame.width * frame.height:
            self._refused.add(key)
            return
        self._crashes = 0
        self._keep(key, frame)
        self._wanted.pop(key, None)
        self.changed.emit()

    def _keep(self, key: Key, frame: Frame) -> None:
        old = self._kept.pop(key, None)
        self._bytes += len(frame.pixels) - (len(old.pixels) if old is not None else 0)
        self._kept[key] = frame
        while self._bytes > self.most_bytes and len(self._kept) > 1:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= len(gone.pixels)

    def _done(self, asked: Mapping[Key, float]) -> None:
        """What has not come will not; what more is wanted is asked for."""
        if asked is not self._asked:
            return
        self._refused |= asked.keys() - self._kept.keys()
        self._next()

    def _failed(self, asked: Mapping[Key, float], failure: Failure) -> None:
        if asked is not self._asked:
            return
        self._crashes += failure.crashed
        if not failure.cancelled and (not failure.crashed or self._crashes >= CRASHES):
            self._refused |= asked.keys()
        self._next()

    def _next(self) -> None:
        self._asked, self._ticket = {}, None
        self._wanted = {key: time for key, time in self._wanted.items() if key not in self._refused}
        if self._wanted and self._source is not None:
            self._leave_timer()
            self._leave_timer = self._pump.later(WAIT, self._ask)


def _key(time: float, height: int) -> Key:
    return round(1000 * time), height


def _nothing() -> None:
    """Nothing to take back."""
