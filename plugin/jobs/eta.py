"""How far a whole job is, told from the engine's reports on one clip, and how long it will take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...engine.progress import Progress, Step

JOB = "job"  # the stage whose steps count seconds of sound over all clips of a job
_CLIP = "rebalance"  # the stage that takes a clip from its first to its last second
_SETTLED = 0.02


@contextmanager
def clip_share(
    progress: Progress, item: str, before: float, size: float, total: float, stage: str = _CLIP
) -> Iterator[None]:
    """While one clip of `size` seconds is worked on, add a step of the whole job to each of its own.

    `before` seconds of `total` were done when it began; `stage` is the one that takes it from end to end.
    """
    outer = progress.observe
    reached = 0.0

    def observe(step: Step) -> None:
        nonlocal reached
        outer(step)
        if step.stage == stage:
            reached = max(reached, fraction(step))
        outer(Step(JOB, item, before + size * reached, total))

    progress.report(JOB, item, before, total)
    progress.observe = observe
    try:
        yield
        outer(Step(JOB, item, before + size, total))
    finally:
        progress.observe = outer


def fraction(step: Step) -> float:
    """How much of its stage a step has done, 0 to 1."""
    return min(max(step.done / step.total, 0.0), 1.0) if step.total > 0 else 0.0


class Clock:
    """Guesses the seconds left from how long the job has taken so far."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._began: float | None = None

    def left(self, whole: float) -> float | None:
        """Seconds left when `whole` (0 to 1) is done; None while it is too early to tell."""
        now = self._now()
        if self._began is None:
            self._began = now
        if whole < _SETTLED:
            return None
        return (now - self._began) * (1.0 - whole) / whole


def clock(seconds: float, step: float = 1.0) -> str:
    """Seconds as a time people read: 0:05, 1:02:03; with decimals where steps are below a second."""
    sign = "−" if seconds < 0 else ""
    decimals = 0 if step >= 1 else (1 if step >= 0.1 else 2)
    whole, rest = divmod(round(abs(seconds), decimals), 60)
    hours, minutes = divmod(int(whole), 60)
    tail = f"{rest:0{3 + decimals if decimals else 2}.{decimals}f}"
    return f"{sign}{hours}:{minutes:02d}:{tail}" if hours else f"{sign}{minutes}:{tail}"
