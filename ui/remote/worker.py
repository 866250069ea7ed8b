"""The engine's process: ``python -m sightmix.ui.remote.worker`` reads requests from its standard input and answers.

Requests are done on threads by kind of work (`table`), while the main thread reads on, so that cancelling is heard at
any time. The process ends with its input: whoever started it, even killed, leaves no orphan.
"""

from __future__ import annotations

import argparse
import faulthandler
import heapq
import importlib
import itertools
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from ...engine.errors import Cancelled
from .call import Call
from .protocol import SCHEMA, Message, ProtocolError, read_message, write_message
from .table import AHEAD, PROCESSES, TABLE, WORK, Kind

GRACE = 0.4  # s that work has to stop before a cancelled request is answered without it
PATIENCE = 20.0  # s that it has until others go on without it
_LEAVE = 1.5  # s that work has to stop and clean up before the process ends
_NICE = {
    "work": 4,
    "facts": 8,
}  # of threads whose work can wait: sound and pictures first, then what was asked for
_log = logging.getLogger(__name__)

Answer = tuple[Mapping[str, Any], bytes]
Handler = Callable[[Call, Any], Mapping[str, Any] | Answer]


class UnknownRequestError(Exception):
    """Something was asked for that nobody here does."""


class Thread:
    """One kind of work: its requests are done one at a time, those with the lowest turn first.

    Where one does not stop that was taken back, such as a read from a disk that does not answer, another thread takes
    over what waits, and the first one ends when it can.
    """

    def __init__(self, name: str, do: Callable[[Call], None]) -> None:
        self.name, self._do = name, do
        self._waiting: list[tuple[int, int, Call]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._busy: list[Call] = []
        self._start()

    def put(self, call: Call, turn: int) -> None:
        """Have a request done when it is its turn."""
        call.progress.make_way = lambda: self._make_way(turn)
        with self._changed:
            heapq.heappush(self._waiting, (turn, next(self._order), call))
            self._changed.notify_all()

    def take_out(self, call: Call) -> bool:
        """Take back a request that still waits; False where it has been begun."""
        with self._changed:
            kept = [one for one in self._waiting if one[2] is not call]
            found = len(kept) < len(self._waiting)
            heapq.heapify(kept)
            self._waiting = kept
        return found

    def take_over(self, call: Call) -> None:
        """Have another thread do what waits, if a request is still at work."""
        with self._changed:
            if call in self._busy:
                _log.warning("%s does not stop; what waits goes on without it", call.do)
                self._start()
                self._changed.notify_all()

    def idle(self, seconds: float) -> bool:
        """Wait up to `seconds` until nothing is at work; whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._busy and not self._waiting, seconds)

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=f"sightmix-{self.name}", daemon=True)
        self._thread.start()

    def _make_way(self, turn: int) -> None:
        if threading.current_thread() is not self._thread:
            return  # a helper of the work's own
        while (call := self._next(turn)) is not None:
            self._one(call)

    def _next(self, before: int) -> Call | None:
        with self._changed:
            if not self._waiting or self._waiting[0][0] >= before:
                return None
            return self._taken()

    def _taken(self) -> Call:
        call = heapq.heappop(self._waiting)[2]
        self._busy.append(call)
        return call

    def _run(self) -> None:
        _be_nice(_NICE.get(self.name, 0))
        own = threading.current_thread()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._thread is not own)
                if self._thread is not own:
                    return
                call = self._taken()
            self._one(call)
            del call

    def _one(self, call: Call) -> None:
        try:
            self._do(call)
        finally:
            with self._changed:
                self._busy.remove(call)
                self._changed.notify_all()


class Worker:
    """Answers requests of one stream on another; `kept` is what handlers keep from one request to the next."""

    def __init__(
        self, requests: BinaryIO, answers: BinaryIO, kept: Any, table: Mapping[str, Kind] = TABLE
    ) -> None:
        self._requests, self._answers, self._kept, self._table = requests, answers, kept, table
        self._writing = threading.Lock()
        self._threads: dict[str, Thread] = {}
        self._open: dict[int, Call] = {}
        self._guard = threading.Lock()

    def serve(self, ahead: str = "") -> None:
        """Read and do requests until the stream ends; then stop what is at work.

        What will be needed is loaded on the thread `ahead`, if it is named.
        """
        self._send(Message({"ready": SCHEMA}))
        if ahead:
            self._put(
                Call(0, "load_ahead", "", {}, lambda _: None), Kind("", ahead, self._table["load_ahead"].turn)
            )
        while True:
            try:
                message = read_message(self._requests)
            except ProtocolError as error:
                _log.error("%s", error)
                continue
            except (OSError, ValueError):
                break
            if message is None:
                break
            self._hear(message.data)
        self.stop()

    def stop(self) -> None:
        """Cancel everything and wait a little for it to clean up."""
        with self._guard:
            calls = list(self._open.values())
        for call in calls:
            self._cancel(call)
        for thread in self._threads.values():
            thread.idle(_LEAVE)

    def _hear(self, data: Mapping[str, Any]) -> None:
        if isinstance(data.get("cancel"), int):
            call = self._open.get(data["cancel"])
            if call is not None:
                self._cancel(call)
            return
        number, do = data.get("id"), data.get("do")
        if not isinstance(number, int) or not isinstance(do, str):
            _log.error("this is no request: %.80r", data)
            return
        call = Call(number, do, str(data.get("slot", "")), data, self._send)
        kind = self._table.get(do)
        if kind is None:
            call.fail(UnknownRequestError(f"nobody here knows what {do!r} is"))
            return
        self._supersede(call.slot)
        self._put(call, kind)

    def _put(self, call: Call, kind: Kind) -> None:
        call.thread = kind.thread
        with self._guard:
            self._open = {n: one for n, one in self._open.items() if not one.answered}
            self._open[call.number] = call
        if kind.thread not in self._threads:
            self._threads[kind.thread] = Thread(kind.thread, self._do)
        self._threads[kind.thread].put(call, kind.turn_of(call.data))

    def _supersede(self, slot: str) -> None:
        for call in list(self._open.values()) if slot else ():
            if call.slot == slot and not call.answered:
                self._cancel(call)

    def _cancel(self, call: Call) -> None:
        if call.answered:
            return
        call.progress.cancel()
        stopped = Cancelled("Stopped on request; nothing half-written was left behind.")
        if self._threads[call.thread].take_out(call):
            call.fail(stopped)
            return
        take_over = partial(self._threads[call.thread].take_over, call)
        for seconds, what in ((GRACE, partial(call.fail, stopped)), (PATIENCE, take_over)):
            late = threading.Timer(seconds, what)
            late.daemon = True
            late.start()

    def _do(self, call: Call) -> None:
        """Do one request; whatever happens, it is answered."""
        try:
            call.began()
            call.progress.check()
            kind = self._table[call.do]
            handler: Handler = getattr(importlib.import_module(kind.module), kind.function or call.do)
            answer = handler(call, self._kept)
            data, payload = answer if isinstance(answer, tuple) else (answer, b"")
            call.progress.check()
            call.done(data, payload)
        except BaseException as error:  # noqa: BLE001  (a request is never left unanswered)
            with suppress(Exception):
                call.fail(error)

    def _send(self, message: Message) -> None:
        try:
            with self._writing:
                write_message(self._answers, message)
        except OSError:
            os._exit(0)  # nobody listens any more


def _be_nice(more: int) -> None:
    """Let other threads go before this one, where the system counts threads one by one."""
    if more and sys.platform == "linux":
        own = threading.get_native_id()
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, own, os.getpriority(os.PRIO_PROCESS, own) + more)


def _own_streams() -> tuple[BinaryIO, BinaryIO]:
    """The process's standard input and output for messages alone; what anybody prints goes to standard error."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return requests, answers


def main(worker: Callable[[BinaryIO, BinaryIO, Any], Worker] = Worker) -> None:
    """Serve until the input ends."""
    asked = argparse.ArgumentParser()
    asked.add_argument("process", nargs="?", default=WORK, choices=PROCESSES)
    asked.add_argument("--scratch", type=Path, default=None)
    given = asked.parse_args()
    requests, answers = _own_streams()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started us
    if sys.platform == "darwin" and given.process == WORK:  # threads are not counted one by one there
        os.nice(_NICE["work"])
    faulthandler.enable()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    from .kept import Kept

    worker(requests, answers, Kept(given.process, given.scratch)).serve(AHEAD[given.process][0])
    sys.stderr.flush()
    os._exit(0)  # threads that did not stop in time do not keep it


if __name__ == "__main__":
    main()
