"""Asking the engine in its own processes: one for work that takes long, one for sound and pictures.

Neither the load nor the end of one stops the other. A process that went down is started again and asked again what it
had not answered.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...engine.files import staging
from ..base.asking import Failure, Ticket, Told
from ..base.pump import Pump
from ..base.topics import Topic
from .process import Process, command_for, words_for
from .protocol import SCHEMA, Message
from .table import PROCESSES, TABLE, WORK

STARTING, READY, RESTARTING, STOPPED = "starting", "ready", "restarting", "stopped"
BACKOFF = (0.2, 1.0, 3.0)  # s before a process that went down is started again
MOST_CRASHES = 3
MOST_ENDS = 6  # in a row, of a process that starts and ends over nothing that anybody asked for
_CALM = 60.0  # s that a process has to run for its earlier ends to be forgotten
_LEAVE = 2.0  # s to end in when the panel is closed
_STOPPED = Failure("Stopped on request.", "Cancelled", cancelled=True)

Commands = Callable[[str, Path], Sequence[str]]


@dataclass(eq=False)
class Asked:
    """One request and who wants its answer."""

    number: int
    do: str
    data: Mapping[str, Any]
    slot: str
    event: Told | None
    done: Told | None
    failed: Callable[[Failure], object] | None
    line: Line = field(repr=False)
    open: bool = True
    sent: bool = False
    began: bool = False
    crashes: int = 0

    def cancel(self) -> None:
        """See `Ticket.cancel`."""
        self.line.take_back(self)

    def end(self, failure: Failure) -> None:
        """Close it and say why."""
        self.open = False
        if self.failed is not None:
            self.failed(failure)


class Line:
    """The road to one process, on the pump's thread: what it was asked and has not answered, and bringing it back."""

    def __init__(
        self, name: str, pump: Pump, command: Sequence[str], state: Callable[[str, str], object]
    ) -> None:
        self.name, self._pump, self._command, self._tell = name, pump, command, state
        self._asked: dict[int, Asked] = {}
        self._process: Process | None = None
        self._past: list[Process] = []
        self._state, self._ends, self._ready, self._since = STOPPED, 0, False, 0.0
        self._leave_timer: Callable[[], None] | None = None
        self._closed = False

    @property
    def state(self) -> str:
        """starting, ready, restarting or stopped."""
        return self._state

    @property
    def pid(self) -> int | None:
        """The process's number, None where none runs."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start the process if it neither runs nor is about to."""
        if self._process is None and self._leave_timer is None and not self._closed:
            self._begin(STARTING)

    def ask(self, asked: Asked) -> None:
        """Have something done."""
        if self._closed:
            asked.end(_STOPPED)
            return
        self._asked[asked.number] = asked
        self.start()
        if self._process is not None and not asked.sent and asked.open:
            self._send(asked)

    def take_back(self, asked: Asked) -> None:
        """Have something not done; whoever asked is told at once and hears no more of it."""
        if self._asked.pop(asked.number, None) is None or not asked.open:
            return
        if asked.sent and self._process is not None:
            self._process.send(Message({"cancel": asked.number}))
        asked.end(_STOPPED)
        self._send_suspect()

    def holding(self, slot: str) -> list[Asked]:
        """What is asked for with that slot."""
        return [asked for asked in self._asked.values() if asked.slot == slot]

    def leave(self) -> None:
        """Take everything back and have the process end; never waits."""
        self._closed = True
        if self._leave_timer is not None:
            self._leave_timer()
            self._leave_timer = None
        for asked in list(self._asked.values()):
            self.take_back(asked)
        if self._process is not None:
            self._process.end()

    def join(self, until: float) -> None:
        """Wait for the process's end until `until` on time.monotonic's clock, then kill it."""
        for process in (*self._past, *([self._process] if self._process else ())):
            process.join(until - time.monotonic())
        self._process = None
        self._become(STOPPED)

    def _begin(self, state: str) -> None:
        self._become(state)
        self._ready, self._since = False, time.monotonic()
        own: list[Process] = []
        try:
            self._process = Process(
                self.name,
                self._command,
                lambda message: self._pump.post(lambda: self._told(own, message)),
                lambda: self._pump.post(lambda: self._gone(own)),
            )
        except OSError as error:
            self._give_up(f"The engine cannot be started: {error.strerror or error}.", str(error))
            return
        own.append(self._process)
        for asked in list(self._asked.values()):
            if not asked.crashes and asked.open:
                self._send(asked)
        self._send_suspect()

    def _send(self, asked: Asked) -> None:
        assert self._process is not None
        asked.sent = True
        slot = {"slot": asked.slot} if asked.slot else {}
        self._process.send(Message({**asked.data, "id": asked.number, "do": asked.do, **slot}))

    def _send_suspect(self) -> None:
        """Ask again, one at a time, for what may have brought the process down."""
        suspects = [asked for asked in self._asked.values() if asked.crashes]
        if self._process is not None and suspects and not any(asked.sent for asked in suspects):
            self._send(suspects[0])

    def _told(self, own: list[Process], message: Message) -> None:
        if self._process is None or own != [self._process]:
            return  # it is gone, or was one before this
        data = message.data
        if "ready" in data:
            self._ready = True
            if data["ready"] == SCHEMA:
                self._become(READY)
            else:
                self._process.kill()  # of another version
            return
        asked = self._asked.get(data.get("id", 0))
        if asked is None or not asked.open:
            return
        if "began" in data:
            asked.began = True
        elif "event" in data:
            if asked.event is not None:
                asked.event(data["event"], message.payload)
        else:
            self._answered(asked, message)

    def _answered(self, asked: Asked, message: Message) -> None:
        del self._asked[asked.number]
        asked.open = False
        self._ends = 0
        self._send_suspect()
        failed = message.data.get("failed")
        if failed is not None:
            asked.end(Failure(**{name: failed[name] for name in ("error", "kind", "cancelled", "details")}))
        elif asked.done is not None:
            asked.done(message.data["done"], message.payload)

    def _gone(self, own: list[Process]) -> None:
        process = self._process
        if process is None or own != [process]:
            return
        self._past = [process]
        self._process = None
        if self._closed:
            return
        self._ends = 1 if time.monotonic() - self._since > _CALM else self._ends + 1
        how, words = words_for(process.status), process.last_words
        for asked in self._asked.values():
            asked.crashes += asked.began
            asked.sent = asked.began = False
        if self._ends >= (MOST_ENDS if self._ready else MOST_CRASHES):
            self._give_up(f"The engine does not {'keep running' if self._ready else 'start'}: {how}.", words)
            return
        self._leave_timer = self._pump.later(BACKOFF[min(self._ends, len(BACKOFF)) - 1], self._again)
        self._become(RESTARTING)
        for asked in [one for one in self._asked.values() if one.crashes >= MOST_CRASHES]:
            del self._asked[asked.number]
            self._ends = 0
            asked.end(
                Failure(
                    f"The engine went down {MOST_CRASHES} times over this ({how}); try a shorter stretch or other "
                    f"media, and report it with the details.",
                    "Crashed",
                    crashed=True,
                    details=words,
                )
            )

    def _again(self) -> None:
        self._leave_timer = None
        if not self._closed and self._process is None:
            self._begin(RESTARTING)

    def _give_up(self, sentence: str, details: str) -> None:
        """Nothing can be asked for now; the next request tries to start the process once more."""
        self._process, self._ends = None, 0
        self._become(STOPPED)
        failure = Failure(f"{sentence} Install sightmix again.", "Crashed", crashed=True, details=details)
        waiting, self._asked = list(self._asked.values()), {}
        for asked in waiting:
            asked.end(failure)

    def _become(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self._tell(self.name, state)


class EngineClient:
    """The engine in two processes; see `base.asking.Engine`. All of it belongs to the pump's thread.

    `scratch` is where a folder for what crosses between them is made (the system's temporary folder), to be removed on
    `close`; what killed panels left there is removed at the start. `state` tells a process's name and starting, ready,
    restarting or stopped.
    """

    def __init__(self, pump: Pump, scratch: Path | None = None, command: Commands = command_for) -> None:
        self.state: Topic[[str, str]] = Topic()
        self._stack = ExitStack()
        base = Path(tempfile.gettempdir()) if scratch is None else scratch
        self.scratch = self._stack.enter_context(staging(base / "sightmix-panel"))
        self.scratch.chmod(0o700)
        self._numbers = itertools.count(1)
        self._lines = {
            name: Line(name, pump, command(name, self.scratch), self.state.emit) for name in PROCESSES
        }

    def start(self) -> None:
        """Start the processes before anybody asks, so that they are ready then."""
        for line in self._lines.values():
            line.start()

    def state_of(self, process: str) -> str:
        """Whether a process is starting, ready, restarting or stopped."""
        return self._lines[process].state

    def pid_of(self, process: str) -> int | None:
        """The system's number for a process, None where it does not run."""
        return self._lines[process].pid

    def ask(
        self,
        do: str,
        data: Mapping[str, Any],
        *,
        slot: str = "",
        event: Told | None = None,
        done: Told | None = None,
        failed: Callable[[Failure], object] | None = None,
    ) -> Ticket:
        """See `base.asking.Engine.ask`."""
        for line in self._lines.values() if slot else ():
            for earlier in line.holding(slot):
                earlier.cancel()
        line = self._lines[TABLE[do].process if do in TABLE else WORK]
        asked = Asked(next(self._numbers), do, data, slot, event, done, failed, line)
        line.ask(asked)
        return asked

    def close(self) -> None:
        """Take everything back, end the processes within two seconds or kill them, and remove the scratch folder."""
        for line in self._lines.values():
            line.leave()
        until = time.monotonic() + _LEAVE
        for line in self._lines.values():
            line.join(until)
        self._stack.close()
