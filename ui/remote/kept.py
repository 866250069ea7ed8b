"""What a process of the engine keeps from one request to the next: opened timelines, open picture files, engines."""

from __future__ import annotations

import itertools
import json
import tempfile
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ...engine.errors import MediaError
from ..base.source import Source

if TYPE_CHECKING:
    from ...engine.media.reel import Reel
    from ...engine.passage import Shot
    from ...engine.progress import Progress
    from ...plugin.jobs.rebalance import Engines
    from ...plugin.session.sound import Array, Lanes
    from ...plugin.timeline import Timeline

_TIMELINES, _REELS, _TAPES = 3, 4, 4
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The last few things that were made, by key; made anew where they have been dropped.

    Safe among threads: who wants a thing waits while it is made, and for no other.
    """

    def __init__(self, most: int, drop: Callable[[V], object] = lambda _: None) -> None:
        self._most, self._drop = most, drop
        self._things: OrderedDict[K, V] = OrderedDict()
        self._making: dict[K, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: K, make: Callable[[], V], fresh: bool = False) -> V:
        """The thing with that key, or a new one if it is to be `fresh`; whatever `make` raises."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._things and not fresh:
                    self._things.move_to_end(key)
                    return self._things[key]
            made = make()
            with self._lock:
                dropped = [self._things.pop(key)] if key in self._things else []
                self._things[key] = made
                while len(self._things) > self._most:
                    old, thing = self._things.popitem(last=False)
                    self._making.pop(old, None)
                    dropped.append(thing)
        for thing in dropped:
            self._drop(thing)
        return made


class Opened:
    """An opened timeline and its picture, shot by shot in record time."""

    _numbers = itertools.count()

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.number = next(self._numbers)  # another one each time a file is opened

    @cached_property
    def shots(self) -> tuple[Shot, ...]:
        """What is seen, from the timeline's first frame to its last; nothing where it has no picture."""
        return self.timeline.picture()

    @cached_property
    def _starts(self) -> list[Fraction]:
        return [shot.start for shot in self.shots]

    def shot_at(self, time: Fraction) -> Shot | None:
        """The shot that is seen at a record time; None outside the picture."""
        place = bisect_right(self._starts, time) - 1
        if place < 0 or time >= self.shots[place].start + self.shots[place].duration:
            return None
        return self.shots[place]


class Tape:
    """A timeline's lanes as players ask for them, a piece at a time: reading on goes on where the last piece ended."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._blocks: Iterator[Array] = iter(())
        self._at = -1
        self._left: Array | None = None

    @property
    def broken(self) -> tuple[str, ...]:
        """Why files are taken for silent, as far as it was found out."""
        return self._lanes.broken

    def close(self) -> None:
        """Let go of the files."""
        self._blocks, self._left, self._at = iter(()), None, -1

    def read(self, first: int, samples: int, progress: Progress) -> Array:
        """Stereo (4, 2, samples) from the record's sample `first` on, silence beyond its ends.

        Raises MediaError where nothing can be read at all, and Cancelled, after which it goes on from there.
        """
        try:
            return self._read(first, samples, progress)
        except MediaError:
            self.close()
            raise

    def _read(self, first: int, samples: int, progress: Progress) -> Array:
        import numpy as np

        if self._at != first:
            self._blocks, self._left, self._at = self._lanes.blocks(max(first, 0)), None, max(first, 0)
        found = np.zeros((4, 2, samples), np.float32)
        done = self._at - first
        while done < samples:
            progress.check()
            block = self._left if self._left is not None else next(self._blocks, None)
            if block is None:
                break
            taken = min(block.shape[2], samples - done)
            found[:, :, done : done + taken] = self._lanes.stereo(block[:, :, :taken])
            self._left = block[:, :, taken:] if taken < block.shape[2] else None
            done, self._at = done + taken, self._at + taken
        return found


class _Own(threading.local):
    """What belongs to one thread, since it cannot be used by two."""

    def __init__(self) -> None:
        self.tapes: Recent[Hashable, Tape] = Recent(_TAPES, lambda tape: tape.close())
        self.reels: dict[str, Recent[Hashable, Reel]] = {}


class Kept:
    """What one process keeps; `scratch` is a folder for what other processes are to read."""

    def __init__(self, process: str = "", scratch: Path | None = None) -> None:
        self.process = process
        self._scratch = scratch
        self._timelines: Recent[Hashable, Opened] = Recent(_TIMELINES)
        self._own = _Own()

    @cached_property
    def scratch(self) -> Path:
        """A folder for what other processes are to read."""
        return self._scratch or Path(tempfile.mkdtemp(prefix="sightmix-"))

    @cached_property
    def engines(self) -> Engines:
        """The engines that are loaded."""
        from ...plugin.jobs.rebalance import Engines

        return Engines()

    def opened(self, source: Mapping[str, Any], fresh: bool = False) -> Opened:
        """The timeline that a request is about, as it was opened before unless its file has changed, or `fresh`.

        Raises TimelineError or SettingsError.
        """
        from ...plugin.timeline.source import open_source

        asked = Source.from_dict(source)

        def make() -> Opened:
            return Opened(open_source(asked.path, asked.timeline, asked.folders, asked.rate)[0])

        return self._timelines.get((asked, _stamps(asked.path)), make, fresh)

    def lanes(
        self, source: Mapping[str, Any], laid: Mapping[str, Any] | None, told: Sequence[str] = ()
    ) -> Lanes:
        """A timeline's sound in lanes, laid as told, or else by what is known without listening.

        Raises TimelineError, SettingsError and MediaError.
        """
        return _lanes(self.opened(source), laid, told)

    def tape(
        self, source: Mapping[str, Any], laid: Mapping[str, Any] | None, told: Sequence[str] = ()
    ) -> Tape:
        """The same to be played, by this thread; arguments and errors as of `lanes`."""
        opened = self.opened(source)
        key = (opened.number, json.dumps([laid, list(told)], sort_keys=True))
        return self._own.tapes.get(key, lambda: Tape(_lanes(opened, laid, told)))

    def reel(self, path: Path, do: str) -> Reel:
        """An open picture file, for one kind of request on this thread; raises MediaError.

        Kinds share none, since one may come between the steps of another.
        """
        from ...engine.media.reel import Reel
        from ...engine.stamp import Stamp

        reels = self._own.reels.setdefault(do, Recent(_REELS, lambda reel: reel.close()))
        return reels.get((path, Stamp.of(path)), lambda: Reel(path))


def _lanes(opened: Opened, laid: Mapping[str, Any] | None, told: Sequence[str]) -> Lanes:
    from ...plugin.session.laid import Laid
    from ...plugin.session.sound import Lanes, lay

    timeline = opened.timeline
    return Lanes(timeline, lay(timeline, told) if laid is None else Laid.from_dict(laid))


def _stamps(path: Path) -> Hashable:
    """What tells whether a timeline's file, or what lies in its bundle, is still the same; None where it is gone."""
    from ...engine.stamp import Stamp

    try:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        return tuple((file.name, Stamp.of(file)) for file in files)
    except (OSError, MediaError):
        return None
