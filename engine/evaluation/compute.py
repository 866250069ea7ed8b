"""What training a run has cost: core-seconds in its log, steps, and clips heard."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOG = "log.jsonl"
EVENT = "compute"


@dataclass(frozen=True)
class Spent:
    """Processor time of training in core-seconds (validation and loading of libraries included), steps, clips heard."""

    core_seconds: float
    steps: int
    clips: int

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.core_seconds + other.core_seconds, self.steps + other.steps, self.clips + other.clips
        )

    def __str__(self) -> str:
        return f"{self.core_seconds / 60:.1f} core-minutes, {self.steps:,} steps, {self.clips:,} clips"


class CoreClock:
    """Hears of a run's entries and logs what processor time has gone by since the last, workers that ended included."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / LOG
        self._before = _used()

    def __call__(self, entry: Mapping[str, Any]) -> None:
        """Log the core-seconds up to a step, where the entry is of one."""
        if "step" not in entry:
            return
        now = _used()
        line = {"event": EVENT, "step": int(entry["step"]), "core_seconds": round(now - self._before, 3)}
        self._before = now
        with self._log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")


def _used() -> float:
    """Processor time of this process and of those of its workers that have ended, in seconds."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def spent(folder: Path, step: int, clips_per_step: int) -> Spent | None:
    """What the run in `folder` cost up to a step; None where its log does not say from the first step on."""
    try:
        text = (folder / LOG).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    counted: list[tuple[int, float]] = []
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # what a kill left of a line
        if entry.get("event") == EVENT:
            counted.append((int(entry["step"]), float(entry["core_seconds"])))
    if not counted or counted[0][0] > 0:
        return None
    return Spent(sum(cost for at, cost in counted if at <= step), step, step * clips_per_step)
