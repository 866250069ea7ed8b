"""Which clips of the queue's jobs were taken off their results, and which can be, one by one."""

from __future__ import annotations

from pathlib import Path

from ...plugin.jobs.results import CACHED, RENDERED
from ..base.asking import Engine, Failure
from ..base.source import Source
from ..base.topics import Topic
from .history import History
from .queue import DONE, Entry, JobQueue
from .takeback import TakeBack

NOT_DONE, NO_RESULT, TAKEN, BUSY = "not done", "no result", "taken", "busy"  # why a clip cannot be taken back


class Withdrawals:
    """Takes clips off what jobs have written, by `takeback`, whose deeds can be undone; a job done again puts all back.

    `changed` tells a job's number, `failed` why a clip stays.
    """

    def __init__(self, engine: Engine, queue: JobQueue, takeback: TakeBack | None = None) -> None:
        self.changed: Topic[[int]] = Topic()
        self.takeback = TakeBack(engine, History()) if takeback is None else takeback
        self.failed: Topic[[Failure]] = self.takeback.failed
        self._queue = queue
        self._asked: set[tuple[Path, int]] = set()
        self.takeback.changed.subscribe(self._told)
        self.failed.subscribe(lambda _: self._settled())
        queue.finished.subscribe(self._written)

    def taken(self, number: int) -> frozenset[int]:
        """The clips of a job that have been taken back."""
        out = next((self._out(entry) for entry in self._queue.entries if entry.number == number), None)
        return frozenset() if out is None else self.takeback.off(out)

    def why_not(self, entry: Entry, clip: int) -> str:
        """Why a clip's result cannot be taken back now; "" where it can."""
        out = self._out(entry)
        if entry.status != DONE or out is None:
            return NOT_DONE
        if clip in self.takeback.off(out):
            return TAKEN
        if (out, clip) in self._asked:
            return BUSY
        made = any(row.index == clip and row.status in (RENDERED, CACHED) for row in entry.rows)
        return "" if made else NO_RESULT

    def take(self, entry: Entry, clip: int) -> None:
        """Take one clip's result off what the job has written."""
        out = self._out(entry)
        if out is not None and not self.why_not(entry, clip):
            self._asked.add((out, clip))
            self._tell(out)
            self.takeback.take(out, (clip,), Source.from_dict(entry.data["source"]))

    @staticmethod
    def _out(entry: Entry) -> Path | None:
        return Path(entry.data["out"]) if entry.do == "rebalance" else None

    def _written(self, entry: Entry) -> None:
        out = self._out(entry)
        if out is not None:
            self.takeback.forget(out)

    def _told(self, out: Path, _off: frozenset[int]) -> None:
        self._asked = {asked for asked in self._asked if asked[0] != out}
        self._tell(out)

    def _settled(self) -> None:
        asked, self._asked = self._asked, set()
        for out in {out for out, _ in asked}:
            self._tell(out)

    def _tell(self, out: Path) -> None:
        for entry in self._queue.entries:
            if self._out(entry) == out:
                self.changed.emit(entry.number)
