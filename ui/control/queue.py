"""The queue of jobs: one after the other, stopped and resumed at will, and kept until they are done."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...engine.errors import WriteError
from ...engine.files import WholeFile
from ...engine.locks import holding
from ...engine.progress import Step
from ...plugin.jobs.eta import JOB, Clock, fraction
from ..base.asking import Engine, Failure, Ticket
from ..base.topics import Topic
from .history import Deed, History

SCHEMA = "sightmix.queue/1"
WAITING, RUNNING, PAUSED = "waiting", "running", "paused"
DONE, FAILED, CANCELLED = "done", "failed", "cancelled"
UNFINISHED = (WAITING, RUNNING, PAUSED)
WORKING = "working"  # a clip's status while the network is at it
# How much of a job is done when a part of it begins, as a minute of married mix took; before these, while clips go
# through the network, it is as much of the first figure as the engine tells.
_BEFORE = {"level": 0.67, "measure": 0.73, "ride": 0.77, "report": 0.94, "write": 0.99}
_LARGEST = 64 << 20  # bytes of a file that is read


@dataclass(frozen=True)
class Row:
    """One clip of a job: its number, name and track, and how it stands, with the reason where there is one.

    `status` is what the plan says ("to render", "to ride", "cached", "left out", "failed"), "working" while the network
    is at it, and in the end "rendered", "cached", "left out" or "failed".
    """

    index: int
    name: str
    track: str
    status: str
    reason: str = ""


@dataclass(frozen=True)
class Entry:
    """One job: what the engine is asked (`do`, `data`), and how it stands.

    `stage` and `item` are what it is doing, `share` how much of it is done (0 to 1, None: nobody knows), `left` the
    seconds it will still take, `restarting` whether the engine is just being brought back. `answer` is what the engine
    answered in the end, `failure` why it did not.
    """

    number: int
    do: str
    data: Mapping[str, Any]
    title: str
    status: str = WAITING
    rows: tuple[Row, ...] = ()
    stage: str = ""
    item: str = ""
    share: float | None = None
    left: float | None = None
    restarting: bool = False
    losses: tuple[str, ...] = ()
    answer: Mapping[str, Any] | None = field(default=None, repr=False)
    failure: Failure | None = None

    @property
    def unfinished(self) -> bool:
        """Whether there is something to do for it."""
        return self.status in UNFINISHED

    @property
    def failed_rows(self) -> tuple[Row, ...]:
        """The clips that failed, whatever became of the whole."""
        return tuple(row for row in self.rows if row.status == FAILED)


class JobQueue:
    """Jobs, done by the engine one at a time, in order.

    `path` is where those that are not done are kept for the next start (None: nowhere); what an earlier panel left
    there is in `resume_offer`. Where another panel keeps its own there, this one keeps nothing. `trouble` is why the
    list could not be written. Topics: `changed` with an entry, `listed` when entries come, go or move, or the queue is
    paused, and `finished` and `failed` with an entry whose job has ended.
    """

    def __init__(
        self,
        engine: Engine,
        path: Path | None = None,
        history: History | None = None,
        states: Topic[[str, str]] | None = None,
        clock: Callable[[], Clock] = Clock,
    ) -> None:
        self.changed: Topic[[Entry]] = Topic()
        self.listed: Topic[[]] = Topic()
        self.finished: Topic[[Entry]] = Topic()
        self.failed: Topic[[Entry]] = Topic()
        self.trouble = ""
        self._engine, self._history, self._make_clock = engine, history, clock
        self._stack = ExitStack()
        self._path = self._held(path)
        self._numbers = itertools.count(1)
        self._entries: list[Entry] = []
        self._offer = self._read()
        self._paused = self._closed = False
        self._ticket: Ticket | None = None
        self._at_work: object = None  # who the answers are for: of a job that was stopped none is taken
        self._clock = clock()
        if states is not None:
            self._stack.callback(states.subscribe(self._engine_is))

    # What there is.

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All jobs, in the order in which they are done."""
        return tuple(self._entries)

    @property
    def paused(self) -> bool:
        """Whether nothing new is begun."""
        return self._paused

    @property
    def running(self) -> Entry | None:
        """The job that is being done."""
        return next((entry for entry in self._entries if entry.status == RUNNING), None)

    @property
    def unfinished(self) -> tuple[Entry, ...]:
        """What is still to be done."""
        return tuple(entry for entry in self._entries if entry.unfinished)

    @property
    def resume_offer(self) -> tuple[Entry, ...]:
        """Jobs that an earlier panel did not finish: to be taken up, or dropped."""
        return self._offer

    def entry(self, number: int) -> Entry:
        """The job with that number; KeyError where there is none."""
        for entry in self._entries:
            if entry.number == number:
                return entry
        raise KeyError(number)

    # What can be done.

    def add(self, data: Mapping[str, Any], title: str, do: str = "rebalance") -> Entry:
        """Put a job at the end; it begins when those before it are done."""
        entry = Entry(next(self._numbers), do, dict(data), title)
        self._entries.append(entry)
        self._list_changed()
        self._go_on()
        return self.entry(entry.number)

    def move(self, number: int, place: int) -> None:
        """Put a waiting job at another place (from 0 among all); those that run or are done do not move."""
        entry = self.entry(number)
        before = [one.number for one in self._entries]
        if entry.status != WAITING:
            return
        after = [n for n in before if n != number]
        after.insert(max(0, min(place, len(after))), number)
        if after != before:
            self._do("queue-move", lambda: self._order(after), lambda: self._order(before))

    def cancel(self, number: int) -> None:
        """Have a job not done, or stopped; what is complete of it is kept for a later one."""
        entry = self.entry(number)
        if not entry.unfinished:
            return
        if entry.status == RUNNING:
            self._stop()
        self._set(replace(entry, status=CANCELLED, left=None, restarting=False, rows=_idle(entry.rows)))
        self._write()
        self._go_on()

    def retry(self, number: int) -> None:
        """Do a job again that has ended; clips that are complete come from its cache."""
        entry = self.entry(number)
        if entry.unfinished:
            return
        self._entries.remove(entry)
        self._entries.append(Entry(entry.number, entry.do, entry.data, entry.title))
        self._list_changed()
        self._go_on()

    def remove(self, number: int) -> None:
        """Take a job off the list that is not running; where it waits, it is not done."""
        entry = self.entry(number)
        if entry.status == RUNNING:
            return
        place = self._entries.index(entry)
        self._do("queue-remove", lambda: self._take_out(number), lambda: self._put_back(entry, place))

    def clear(self) -> None:
        """Take all jobs off the list that have ended."""
        self._entries = list(self.unfinished)
        self._list_changed()

    def pause(self) -> None:
        """Begin nothing new, and stop what runs at its next step; it goes on from what is complete."""
        if self._paused:
            return
        self._paused = True
        running = self.running
        if running is not None:
            self._stop()
            self._set(replace(running, status=PAUSED, left=None, restarting=False, rows=_idle(running.rows)))
        self.listed.emit()

    def resume(self) -> None:
        """Go on."""
        if self._paused:
            self._paused = False
            self.listed.emit()
            self._go_on()

    def take_up(self) -> None:
        """Put what was offered to be resumed on the list."""
        offer, self._offer = self._offer, ()
        self._entries += offer
        self._list_changed()
        self._go_on()

    def drop_offer(self) -> None:
        """Forget what was offered to be resumed."""
        self._offer = ()
        self._list_changed()

    def close(self) -> None:
        """Stop what runs and begin nothing any more; what is not done is offered at the next start."""
        if not self._closed:
            self._write()
            self._closed = True
            if self.running is not None:
                self._stop()
            self._stack.close()

    # How it is done.

    def _go_on(self) -> None:
        """Begin the next job, if it is time."""
        if self._paused or self._closed or self.running is not None:
            return
        entry = next((one for one in self._entries if one.status in (PAUSED, WAITING)), None)
        if entry is None:
            return
        own = self._at_work = object()
        self._clock, self._ticket = self._make_clock(), None
        self._set(replace(entry, status=RUNNING, failure=None))
        ticket = self._engine.ask(
            entry.do,
            entry.data,
            event=lambda data, _: self._told(own, data),
            done=lambda data, _: self._done(own, data),
            failed=lambda failure: self._fail(own, failure),
        )
        if self._at_work is own:  # it may have been answered at once
            self._ticket = ticket

    def _stop(self) -> None:
        ticket, self._ticket, self._at_work = self._ticket, None, None
        if ticket is not None:
            ticket.cancel()

    def _told(self, own: object, data: Mapping[str, Any]) -> None:
        entry = self.running
        if own is not self._at_work or entry is None:
            return
        self._set(replace(self._after(entry, data), restarting=False))

    def _after(self, entry: Entry, data: Mapping[str, Any]) -> Entry:
        """The entry after one event of its job."""
        match data.get("event"):
            case "accepted":  # it begins, or begins again after the engine went down
                self._clock = self._make_clock()
                return replace(entry, rows=(), stage="", item="", share=None, left=None, losses=())
            case "planned":
                return replace(entry, rows=tuple(_row(clip) for clip in data["plan"]["clips"]))
            case "stage":
                entry = replace(entry, stage=data["stage"], item="", rows=_idle(entry.rows))
                return self._as_far(entry, _BEFORE.get(entry.stage, 0.0))
            case "clip":
                return replace(entry, rows=_with(entry.rows, data))
            case "loss":
                return replace(entry, losses=(*entry.losses, f"{data['where']}: {data['text']}"))
        return self._moved(entry, data)

    def _moved(self, entry: Entry, data: Mapping[str, Any]) -> Entry:
        """The entry after a report of progress; anything else changes nothing."""
        if "done" not in data:
            return entry
        step = Step(data.get("stage", ""), data.get("item", ""), data["done"], data.get("total", 0.0))
        if entry.do != "rebalance":
            return self._as_far(entry, fraction(step))
        if step.stage == JOB:
            return self._as_far(entry, fraction(step) * _BEFORE["level"])
        rows = _at(entry.rows, step.item) if step.item != entry.item else entry.rows
        return replace(entry, stage=step.stage, item=step.item, rows=rows)

    def _as_far(self, entry: Entry, share: float) -> Entry:
        """The entry when at least so much of its job is done."""
        share = max(entry.share or 0.0, share)
        return replace(entry, share=share, left=self._clock.left(share) if share < 1 else None)

    def _done(self, own: object, data: Mapping[str, Any]) -> None:
        entry = self.running
        if own is not self._at_work or entry is None:
            return
        self._ticket = self._at_work = None
        clips = data.get("result", {}).get("clips", ()) if entry.do == "rebalance" else ()
        rows = entry.rows
        for clip in clips:
            rows = _with(rows, clip)
        ended = replace(
            entry,
            status=DONE,
            rows=rows,
            share=1.0,
            left=None,
            stage="",
            item="",
            restarting=False,
            answer=data,
        )
        self._set(ended)
        self._write()
        self.finished.emit(ended)
        self._go_on()

    def _fail(self, own: object, failure: Failure) -> None:
        entry = self.running
        if own is not self._at_work or entry is None:
            return
        self._ticket = self._at_work = None
        status = CANCELLED if failure.cancelled else FAILED
        ended = replace(
            entry, status=status, left=None, restarting=False, failure=failure, rows=_idle(entry.rows)
        )
        self._set(ended)
        self._write()
        if not failure.cancelled:
            self.failed.emit(ended)
        self._go_on()

    def _engine_is(self, process: str, state: str) -> None:
        entry = self.running
        if process == "work" and entry is not None and state == "restarting":
            self._set(replace(entry, restarting=True, left=None, rows=_idle(entry.rows)))

    # How the list is kept.

    def _set(self, entry: Entry) -> None:
        place = next(i for i, one in enumerate(self._entries) if one.number == entry.number)
        if self._entries[place] != entry:
            self._entries[place] = entry
            self.changed.emit(entry)

    def _do(self, name: str, redo: Callable[[], object], undo: Callable[[], object]) -> None:
        if self._history is None:
            redo()
        else:
            self._history.do(Deed(name, redo, undo))

    def _order(self, numbers: list[int]) -> None:
        """Put jobs in this order; those that have come since go last."""
        places = {number: place for place, number in enumerate(numbers)}
        self._entries.sort(key=lambda entry: places.get(entry.number, len(places)))
        self._list_changed()

    def _take_out(self, number: int) -> None:
        self._entries = [e for e in self._entries if e.number != number or e.status == RUNNING]
        self._list_changed()

    def _put_back(self, entry: Entry, place: int) -> None:
        if all(one.number != entry.number for one in self._entries):
            self._entries.insert(place, entry)
            self._list_changed()
            self._go_on()

    def _list_changed(self) -> None:
        self._write()
        self.listed.emit()

    def _held(self, path: Path | None) -> Path | None:
        """The list's path, if no other panel keeps its own there."""
        if path is None:
            return None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stack.enter_context(holding(path))
        except (WriteError, OSError) as error:
            self.trouble = str(error)
            return None
        return path

    def _read(self) -> tuple[Entry, ...]:
        if self._path is None:
            return ()
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            if self._path.stat().st_size <= _LARGEST:
                data = json.loads(self._path.read_bytes())
                if data["schema"] == SCHEMA:
                    return tuple(
                        Entry(next(self._numbers), str(one["do"]), dict(one["data"]), str(one["title"]))
                        for one in data["entries"]
                    )
        return ()

    def _write(self) -> None:
        if self._path is None or self._closed:
            return
        kept: Iterable[Entry] = (*self._offer, *self.unfinished)
        entries = [{"do": one.do, "data": one.data, "title": one.title} for one in kept]
        try:
            if not entries:
                self._path.unlink(missing_ok=True)
                return
            with WholeFile(self._path, durable=False) as file:
                file.write(json.dumps({"schema": SCHEMA, "entries": entries}).encode())
            self.trouble = ""
        except OSError as error:
            self.trouble = f"The queue cannot be kept for the next start: {error.strerror or error}."


def _row(clip: Mapping[str, Any]) -> Row:
    return Row(clip["index"], clip["name"], clip["track"], clip["status"], clip.get("reason", ""))


def _with(rows: tuple[Row, ...], clip: Mapping[str, Any]) -> tuple[Row, ...]:
    """Rows with what became of one clip."""
    return tuple(
        replace(row, status=clip["status"], reason=clip.get("reason") or "")
        if row.index == clip["index"]
        else row
        for row in rows
    )


def _at(rows: tuple[Row, ...], name: str) -> tuple[Row, ...]:
    """Rows while the network is at a clip of that name: the first that is still to be rendered."""
    rows = _idle(rows)
    place = next((i for i, row in enumerate(rows) if row.name == name and row.status == "to render"), None)
    if place is None:
        return rows
    return (*rows[:place], replace(rows[place], status=WORKING), *rows[place + 1 :])


def _idle(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """Rows while the network is at none of them."""
    if all(row.status != WORKING for row in rows):
        return rows
    return tuple(replace(row, status="to render") if row.status == WORKING else row for row in rows)
