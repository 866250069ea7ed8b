"""Progress as a plain object: engine code reports, the terminal or the panel observes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .errors import Cancelled


@dataclass(frozen=True)
class Step:
    """One report: `stage` of the work on `item`, `done` of `total` in `unit`."""

    stage: str
    item: str
    done: float
    total: float
    unit: str = "s"


@dataclass
class Progress:
    """Carries reports out and the wish to stop in; without an observer it works headless.

    `check()` is called between steps of long work and raises `Cancelled` once `cancel()` was called.
    """

    observe: Callable[[Step], None] = field(default=lambda _: None)
    _cancelled: bool = False

    def report(self, stage: str, item: str, done: float, total: float, unit: str = "s") -> None:
        """Tell the observer where the work stands, and stop here if the user asked to."""
        self.check()
        self.observe(Step(stage, item, done, total, unit))

    def cancel(self) -> None:
        """Ask the work to stop at its next check; safe to call from another thread or a signal handler."""
        self._cancelled = True

    def check(self) -> None:
        """Raise `Cancelled` if a stop was asked for."""
        if self._cancelled:
            raise Cancelled("Stopped on request; nothing half-written was left behind.")
