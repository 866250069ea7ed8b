"""What the next job will do, asked of the engine as settings and selection change, before anybody presses a button."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..base.asking import Engine, Failure
from ..base.pump import Pump
from ..base.topics import Topic
from .options import Options

EMPTY = "empty"  # nothing is open
NO_CLIPS = "no clips"  # nothing of it can be rebalanced
_SETTLED = 0.3  # s without a change before the engine is asked
_BUSY = "BusyError"  # a job is writing there now, behind which the next one waits
_LEARNT = 0.5  # how much the last job counts of what is known of the speed


@dataclass(frozen=True)
class Outlook:
    """What a job will do: to how many clips of how many tracks, how many of them an earlier one has left.

    `seconds` is about how long it will take, None as long as no job has shown how fast this computer is. `muted` is
    whether the originals will be. `doubts` are what the plan warns of, a sentence each.
    """

    tracks: int
    clips: int
    ready: int
    left_out: int
    sound: float
    seconds: float | None
    muted: bool
    bytes: int = 0
    doubts: tuple[str, ...] = ()


class Planning:
    """Keeps the outlook on the next job; `changed` whenever that, or why there can be none, is another.

    `want` says what the job would be about: the data of a plan request without its settings.
    """

    def __init__(self, engine: Engine, pump: Pump, options: Options) -> None:
        self.changed: Topic[[]] = Topic()
        self._engine, self._pump, self._options = engine, pump, options
        self._wanted: Mapping[str, Any] | None = None
        self._why = EMPTY
        self._plan: Mapping[str, Any] | None = None
        self._failure = ""
        self._speed: float | None = None  # seconds of sound a second of work gets done
        self._leave: Callable[[], None] | None = None
        options.changed.subscribe(lambda _: self.refresh())

    def want(self, data: Mapping[str, Any] | None, why: str = EMPTY) -> None:
        """Plan this from now on; None, and why, where there is nothing to plan."""
        changed = data != self._wanted
        self._wanted, self._why = data, why
        if data is None or changed:
            self._plan, self._failure = None, ""
        self.refresh()

    def refresh(self) -> None:
        """Ask again once nothing has changed for a moment: settings, selection or files are others."""
        self._stop()
        if self._wanted is not None and not self._options.faults:
            self._leave = self._pump.later(_SETTLED, self._ask)
        self.changed.emit()

    def close(self) -> None:
        """Ask nothing more."""
        self._stop()

    @property
    def blocked(self) -> str:
        """Why no job can be asked for: EMPTY, NO_CLIPS, or a sentence; "" where one can."""
        if self._wanted is None:
            return self._why
        if self._options.faults:
            return self._options.faults[0]
        if self._failure:
            return self._failure
        outlook = self.outlook
        return NO_CLIPS if outlook is not None and outlook.clips == 0 else ""

    @property
    def outlook(self) -> Outlook | None:
        """What a job will do; None as long as that is not known."""
        if self._plan is None:
            return None
        clips = self._plan["clips"]
        tasks = [clip for clip in clips if "seconds" in clip]
        ready = [clip for clip in tasks if clip["status"] == "cached"]
        sound = sum(clip["seconds"] for clip in tasks if clip["status"] != "cached")
        return Outlook(
            len({clip["track"] for clip in tasks}),
            len(tasks),
            len(ready),
            len(clips) - len(tasks),
            sound,
            None if self._speed is None else sound / self._speed,
            not self._options.value("keep_originals"),
            int(self._plan["bytes_needed"]),
            tuple(loss["text"] for loss in self._plan["losses"]),
        )

    def learn(self, report: Mapping[str, Any]) -> None:
        """Take from a job's report how fast this computer is."""
        done = [clip for clip in report["clips"] if clip["status"] == "rendered"]
        sound = sum(clip["record_out"] - clip["record_in"] for clip in done)
        seconds = report["summary"]["seconds"]
        if sound <= 0 or seconds <= 0:
            return
        speed = sound / seconds
        self._speed = speed if self._speed is None else _LEARNT * speed + (1 - _LEARNT) * self._speed
        self.changed.emit()

    def _stop(self) -> None:
        if self._leave is not None:
            self._leave()
            self._leave = None

    def _ask(self) -> None:
        self._leave = None
        if self._wanted is None or self._options.faults:
            return
        data = {**self._wanted, "settings": self._options.settings().to_dict()}
        self._engine.ask(
            "plan", data, slot="plan", done=lambda plan, _: self._planned(plan), failed=self._failed
        )

    def _planned(self, plan: Mapping[str, Any]) -> None:
        self._plan, self._failure = plan, ""
        self.changed.emit()

    def _failed(self, failure: Failure) -> None:
        if failure.cancelled or failure.crashed:
            return
        busy = failure.kind == _BUSY
        self._failure = "" if busy else failure.error
        self._plan = self._plan if busy else None
        self.changed.emit()
