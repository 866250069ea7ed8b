"""The one place where work crosses threads: other threads post, one thread runs what was posted."""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import Protocol


class Pump(Protocol):
    """Runs what other threads post on the one thread that the panel's state belongs to."""

    def post(self, call: Callable[[], object]) -> None:
        """Have `call` run there, after all that was posted before; from any thread."""

    def later(self, seconds: float, call: Callable[[], object]) -> Callable[[], None]:
        """Have `call` run there once, in `seconds`; returns what takes it back. From that thread only."""


class InlinePump:
    """A pump without an event loop: whoever owns the thread calls `run`; a script or a test."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        import time

        self._clock = clock or time.monotonic
        self._posted: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._timers: list[tuple[float, Callable[[], object]]] = []

    def post(self, call: Callable[[], object]) -> None:
        """See `Pump.post`."""
        self._posted.put(call)

    def later(self, seconds: float, call: Callable[[], object]) -> Callable[[], None]:
        """See `Pump.later`."""
        timer = (self._clock() + seconds, call)
        self._timers.append(timer)

        def leave() -> None:
            if timer in self._timers:
                self._timers.remove(timer)

        return leave

    def run(self, seconds: float = 0.0) -> None:
        """Run what was posted, and timers that are due, for `seconds` or until nothing is left."""
        end = self._clock() + seconds
        while True:
            self._run_due()
            try:
                left = end - self._clock()
                call = self._posted.get(timeout=min(0.01, left)) if left > 0 else self._posted.get_nowait()
            except queue.Empty:
                if self._clock() >= end:
                    return
                continue
            call()

    def run_until(self, done: Callable[[], bool], seconds: float = 60.0) -> None:
        """Run until `done()`; raises TimeoutError where that takes longer than `seconds`."""
        end = self._clock() + seconds
        while not done():
            if self._clock() >= end:
                raise TimeoutError(f"not done within {seconds:g} s")
            self.run(0.02)

    def _run_due(self) -> None:
        now = self._clock()
        for timer in sorted((t for t in self._timers if t[0] <= now), key=lambda t: t[0]):
            if timer in self._timers:
                self._timers.remove(timer)
                timer[1]()
