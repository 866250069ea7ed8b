"""Sound devices for tests: they take what they are given room for, and keep every byte."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sightmix.ui.base.topics import Topic
from sightmix.ui.window.sound import Device, Format, Sink, SoundError


class FakeSink:
    """A device's buffer that plays when the test says so."""

    def __init__(self, frames: int, kind: Format = "float32", *, opens: bool = True) -> None:
        self.format: Format = kind
        self.frames, self.below = frames, 100
        self.written = bytearray()
        self.threads: set[int] = set()  # that wrote to it
        self.opened = self.closed = 0
        self.most: int | None = None  # bytes that it takes at once
        self.breaks = False
        self._opens = opens
        self._played = 0
        self._lock = threading.Lock()

    @property
    def _width(self) -> int:
        return 8 if self.format == "float32" else 4

    def play(self, frames: int) -> None:
        """Let it play so many frames of what it holds."""
        with self._lock:
            self._played += frames

    def sound(self) -> NDArray[np.float32]:
        """All that it was given (n, 2)."""
        with self._lock:
            return np.frombuffer(bytes(self.written), "<f4" if self._width == 8 else "<i2").reshape(-1, 2)

    def open(self) -> None:
        if not self._opens:
            raise SoundError("Headset cannot be opened; choose another sound device.")
        self.opened += 1

    def free(self) -> int:
        if self.breaks:
            raise SoundError("")
        with self._lock:
            return self.frames + self._played - len(self.written) // self._width

    def write(self, data: bytes) -> int:
        self.threads.add(threading.get_ident())
        taken = data if self.most is None else data[: self.most]
        with self._lock:
            self.written += taken
        return len(taken)

    def close(self) -> None:
        self.closed += 1


class FakeOutputs:
    """Devices that come and go."""

    def __init__(self, *devices: Device, make: Callable[[Device, int], FakeSink] | None = None) -> None:
        self.changed: Topic[[]] = Topic()
        self.there = list(devices)
        self.prepared = 0
        self.sinks: list[tuple[str, FakeSink]] = []
        self._make = make or (lambda device, frames: FakeSink(frames))

    def prepare(self) -> None:
        self.prepared += 1

    def devices(self) -> tuple[Device, ...]:
        return tuple(self.there)

    def sink(self, device: Device, rate: int, frames: int) -> Sink:
        made = self._make(device, frames)
        self.sinks.append((device.id, made))
        return made

    @property
    def last(self) -> FakeSink:
        return self.sinks[-1][1]
