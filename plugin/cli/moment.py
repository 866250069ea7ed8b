"""When the command was given, so that the time it names is what its user has waited."""

from __future__ import annotations

import time

_given: list[float] = []


def begin() -> None:
    """The command begins: called by the console script before anything that takes long."""
    _given[:] = [time.monotonic()]


def waited() -> float:
    """Seconds since the command began; 0 where no console script has said when."""
    return time.monotonic() - _given[0] if _given else 0.0
