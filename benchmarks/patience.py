"""How long a process and what it starts may take, however busy the machine is.

Time by the clock says little where other work has priority: a process that is only kept from a processor looks as if it
hung. The kernel counts how long each thread stood ready while others ran (`/proc/PID/task/TID/schedstat`); what is left
of the clock's time the process computed, slept, or waited for something that may never come.
"""

from __future__ import annotations

import time
from pathlib import Path

PROC = Path("/proc")
LOOK_S = 1.0  # how often a group's threads are looked at


class Patience:
    """The time of a group of processes (its leader's id) that is its own, against `allowed` seconds of it.

    Threads that are gone keep what was last seen of them. Where several stand ready at once, more is taken off than
    the clock went on: a group is rather given too long than too short.
    """

    def __init__(self, group: int, allowed: float, proc: Path = PROC) -> None:
        self._group, self._allowed, self._proc = group, allowed, proc
        self._began = self._looked = time.monotonic()
        self._stood: dict[str, float] = {}

    @property
    def knows(self) -> bool:
        """Whether the kernel says who stood ready; without that, what is over may only have been kept waiting."""
        return (self._proc / "self" / "schedstat").exists()

    def over(self) -> bool:
        """Whether the time is up."""
        now = time.monotonic()
        if now - self._looked >= LOOK_S:
            self._looked = now
            self._stood |= stood_ready(self._group, self._proc)
        return now - self._began - sum(self._stood.values()) > self._allowed


def stood_ready(group: int, proc: Path = PROC) -> dict[str, float]:
    """Seconds that each thread of a group of processes has stood ready while others ran, by their ids."""
    found = {}
    for process in proc.glob("[0-9]*"):
        if _group_of(process) != group:
            continue
        for thread in (process / "task").glob("*"):
            try:
                found[thread.name] = int((thread / "schedstat").read_text().split()[1]) / 1e9
            except (OSError, IndexError, ValueError):
                continue  # gone meanwhile, or not counted
    return found


def _group_of(process: Path) -> int:
    """The process group of a folder of /proc; 0 where it is gone."""
    try:
        # "PID (name) state parent group …": a name may hold blanks and brackets.
        return int((process / "stat").read_text().rpartition(")")[2].split()[2])
    except (OSError, IndexError, ValueError):
        return 0
