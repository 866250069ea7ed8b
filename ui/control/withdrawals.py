"""Taking the results of single clips off what a job has written, while the others stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...plugin.jobs.results import CACHED, RENDERED
from ..base.asking import Engine, Failure
from ..base.topics import Topic
from .queue import DONE, Entry, JobQueue

NOT_DONE, NO_RESULT, TAKEN, BUSY = "not done", "no result", "taken", "busy"  # why a clip cannot be taken back


class Withdrawals:
    """Which clips of which jobs have been taken back; doing a job again puts them back.

    `changed` tells a job's number, `failed` why a clip stays.
    """

    def __init__(self, engine: Engine, queue: JobQueue) -> None:
        self.changed: Topic[[int]] = Topic()
        self.failed: Topic[[Failure]] = Topic()
        self._engine = engine
        self._taken: dict[int, frozenset[int]] = {}
        self._asked: set[tuple[int, int]] = set()
        queue.changed.subscribe(self._told)

    def taken(self, number: int) -> frozenset[int]:
        """The clips of a job that have been taken back."""
        return self._taken.get(number, frozenset())

    def why_not(self, entry: Entry, clip: int) -> str:
        """Why a clip's result cannot be taken back now; "" where it can."""
        if entry.status != DONE or entry.do != "rebalance":
            return NOT_DONE
        if clip in self.taken(entry.number):
            return TAKEN
        if (entry.number, clip) in self._asked:
            return BUSY
        made = any(row.index == clip and row.status in (RENDERED, CACHED) for row in entry.rows)
        return "" if made else NO_RESULT

    def take(self, entry: Entry, clip: int) -> None:
        """Take one clip's result off what the job has written."""
        if self.why_not(entry, clip):
            return
        self._asked.add((entry.number, clip))
        data = {"source": entry.data["source"], "out": entry.data["out"], "clips": str(clip)}
        self._engine.ask(
            "withdraw",
            data,
            done=lambda answer, _: self._done(entry.number, clip, answer),
            failed=lambda failure: self._fail(entry.number, clip, failure),
        )
        self.changed.emit(entry.number)

    def _done(self, number: int, clip: int, answer: Mapping[str, Any]) -> None:
        if (number, clip) in self._asked:  # else the job was begun anew meanwhile
            self._asked.discard((number, clip))
            self._taken[number] = self.taken(number) | frozenset(answer["clips"])
            self.changed.emit(number)

    def _fail(self, number: int, clip: int, failure: Failure) -> None:
        self._asked.discard((number, clip))
        self.changed.emit(number)
        if not failure.cancelled:
            self.failed.emit(failure)

    def _told(self, entry: Entry) -> None:
        if entry.status != DONE:
            self._taken.pop(entry.number, None)
            self._asked = {asked for asked in self._asked if asked[0] != entry.number}
