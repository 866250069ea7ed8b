"""How far each clip of the open timeline is in the queue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from ...plugin.jobs.ranges import parse_ranges
from ...plugin.jobs.results import CACHED, LEFT_OUT, RENDERED
from ..base.topics import Topic
from .clips import Clips
from .queue import CANCELLED, DONE, FAILED, RUNNING, WAITING, WORKING, Entry, JobQueue
from .withdrawals import Withdrawals

Stand = Literal["", "waiting", "running", "done", "failed", "cancelled", "undone"]
_MADE = (RENDERED, CACHED)


class Standing:
    """Of every clip of the open timeline, how it stands in the newest job that it is part of.

    `changed` tells of clips, by index, that stand otherwise.
    """

    def __init__(self, clips: Clips, queue: JobQueue, withdrawals: Withdrawals | None = None) -> None:
        self.changed: Topic[[tuple[int, ...]]] = Topic()
        self._clips, self._queue, self._withdrawals = clips, queue, withdrawals
        self._known: dict[int, Stand] = {}
        clips.opened.subscribe(lambda _: self._renew())
        queue.changed.subscribe(lambda _: self._renew())
        queue.listed.subscribe(self._renew)
        if withdrawals is not None:
            withdrawals.changed.subscribe(lambda _: self._renew())

    def of(self, clip: int) -> Stand:
        """How a clip stands; "" where it is part of no job."""
        return self._known.get(clip, "")

    def _renew(self) -> None:
        was, self._known = self._known, {}
        for entry in self._queue.entries:
            if self._is_of_open(entry):
                taken = (
                    self._withdrawals.taken(entry.number) if self._withdrawals is not None else frozenset()
                )
                self._known.update(stands(entry, taken, len(self._clips.rows)))
        changed = {clip for clip in (*was, *self._known) if was.get(clip) != self._known.get(clip)}
        if changed:
            self.changed.emit(tuple(sorted(changed)))

    def _is_of_open(self, entry: Entry) -> bool:
        """Whether a job is about the open timeline, wherever its media were looked for."""
        source = self._clips.source
        if source is None or entry.do != "rebalance":
            return False
        own, other = source.to_dict(), entry.data.get("source", {})
        return all(own[name] == other.get(name) for name in ("path", "timeline"))


def stands(entry: Entry, taken: Iterable[int], clips: int) -> dict[int, Stand]:
    """How the clips of a job stand, by index.

    `taken` are those whose result was taken back, `clips` how many clips the timeline has.
    """
    gone = frozenset(taken)
    if not entry.rows:
        chosen = entry.data.get("clips", "")
        every = range(1, clips + 1) if not chosen else parse_ranges(chosen, max(clips, _last(chosen)))
        stand = _whole(entry.status)
        return {clip: stand for clip in every if stand and clip <= clips}
    found: dict[int, Stand] = {}
    for row in entry.rows:
        stand = "undone" if row.index in gone else _one(row.status, entry.status)
        if stand:
            found[row.index] = stand
    return found


def _whole(status: str) -> Stand:
    """How the clips of a job stand of which nothing is known."""
    return "waiting" if status in (WAITING, RUNNING, "paused") else "failed" if status == FAILED else ""


def _one(row: str, job: str) -> Stand:
    """How a clip stands, by what is said of it and of its job: a result is there once the job is done."""
    if row == LEFT_OUT:
        return ""
    if row == FAILED:
        return "failed"
    if row == WORKING:
        return "running"
    if row in _MADE:
        return "done" if job != CANCELLED else "cancelled"
    if job == DONE:
        return "done"
    return "cancelled" if job == CANCELLED else "failed" if job == FAILED else "waiting"


def _last(chosen: str) -> int:
    """The highest number in a list of clips: a timeline may have had more of them when the job was asked for."""
    return max(
        (int(part) for part in chosen.replace("-", ",").split(",") if part.strip().isdecimal()), default=1
    )
