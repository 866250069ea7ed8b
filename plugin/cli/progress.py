"""Progress on a terminal, or as plain lines where there is none."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TextIO

from ...engine.legible import json_text, printable
from ...engine.progress import Progress, Step
from ..jobs.eta import JOB, Clock, fraction
from ..jobs.events import Event, Moved, Observer, Waiting
from .words import word_for

_EVENT_EVERY = 0.2  # seconds between events of progress within one stage


class Lines:
    """Writes a line per stage and item, as each begins: ``progress: 42 % interview, rebalancing, 31 s left``."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._clock = Clock()
        self._whole = 0.0
        self._told: set[tuple[str, str]] = set()

    def __call__(self, step: Step) -> None:
        """Write one step, unless its stage was told of its item before."""
        if step.stage == JOB:
            self._whole = max(self._whole, fraction(step))
            return
        if (step.stage, step.item) in self._told:
            return
        self._told.add((step.stage, step.item))
        left = self._clock.left(self._whole)
        eta = f", {left:.0f} s left" if left is not None and self._whole < 1.0 else ""
        whole = f"{self._whole:.0%}".replace("%", " %")
        print(
            f"progress: {whole} {printable(step.item)}, {word_for(step.stage)}{eta}",
            file=self._stream,
            flush=True,
        )


@contextmanager
def shown(quiet: bool, stream: TextIO | None = None) -> Iterator[Callable[[Step], None]]:
    """Give an observer for steps: bars on a terminal, plain lines otherwise or when `quiet`."""
    stream = sys.stderr if stream is None else stream
    if quiet or not stream.isatty():
        yield Lines(stream)
        return
    from .bars import Bars

    with Bars(stream) as bars:
        yield bars


class EventLines:
    """Writes events as JSON lines, of the same stage's progress no more than a few a second."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last: tuple[str, str] = ("", "")
        self._when = -_EVENT_EVERY

    def __call__(self, event: Event) -> None:
        """Write one event."""
        if isinstance(event, Moved):
            now, what = time.monotonic(), (event.stage, event.item)
            if now - self._when < _EVENT_EVERY and (what == self._last or event.stage == JOB):
                return
            self._when, self._last = now, what if event.stage != JOB else self._last
        text = json_text(event.to_dict(), allow_nan=False)
        print(text, file=self._stream, flush=True)


@contextmanager
def watched(as_json: bool, as_events: bool = False) -> Iterator[Observer]:
    """Give an observer for a job's events: JSON lines on stdout if wanted, else its progress as `shown` shows it."""
    if as_events:
        yield EventLines(sys.stdout)
        return
    with shown(quiet=as_json) as steps:

        def observe(event: Event) -> None:
            if isinstance(event, Moved):
                steps(event.step)
            elif isinstance(event, Waiting):
                print(printable(event.text), file=sys.stderr, flush=True)

        yield observe


@contextmanager
def stoppable(progress: Progress) -> Iterator[None]:
    """Ctrl-C and a request to terminate stop the work at its next step; a second Ctrl-C stops at once."""

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  (the signal module's signature)
        progress.cancel()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
