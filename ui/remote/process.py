"""One process of the engine as its starter sees it: messages to it and from it, its last words, and its end."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

from .protocol import Message, ProtocolError, read_message, write_message
from .table import WORK

_LAST_WORDS = 200  # lines of its standard error that are kept


class Process:
    """A running process; `told` is called with each message and `gone` once when it has ended, on threads of its own.

    `command` is started with pipes and without a window. Raises OSError where that cannot be done.
    """

    def __init__(
        self, name: str, command: Sequence[str], told: Callable[[Message], None], gone: Callable[[], None]
    ) -> None:
        self._told, self._gone = told, gone
        self._words: deque[str] = deque(maxlen=_LAST_WORDS)
        self._outgoing: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        pipe = subprocess.PIPE
        self._process: subprocess.Popen[bytes] = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, **_apart(name == WORK)
        )
        jobs = {"reads": self._read, "writes": self._write, "hears": self._hear}
        self._threads = [
            threading.Thread(target=job, name=f"sightmix-{name}-{what}", daemon=True)
            for what, job in jobs.items()
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """The system's number for it."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """How it ended: its exit status, less the signal that ended it; None while it runs."""
        return self._process.poll()

    @property
    def last_words(self) -> str:
        """The last lines it wrote to standard error."""
        return "\n".join(self._words)

    def send(self, message: Message) -> None:
        """Have a message written; never waits."""
        self._outgoing.put(message)

    def end(self) -> None:
        """Close its input, upon which it stops its work and ends; never waits."""
        self._outgoing.put(None)

    def kill(self) -> None:
        """End it now."""
        with suppress(OSError):
            self._process.kill()

    def join(self, seconds: float) -> None:
        """Wait until it has ended and nothing of it is left; kill it after `seconds`."""
        try:
            self._process.wait(max(seconds, 0.0))
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()
        self.end()
        for thread in self._threads:
            thread.join(1.0)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            try:
                while (message := read_message(cast(BinaryIO, stream))) is not None:
                    self._told(message)
            except (ProtocolError, OSError, ValueError) as error:
                self._words.append(f"{type(error).__name__}: {error}")
                self.kill()
        self._process.wait()
        self.end()
        self._threads[-1].join(0.5)  # its last words come first
        self._gone()

    def _write(self) -> None:
        assert self._process.stdin is not None
        stream = self._process.stdin
        with suppress(OSError):
            while (message := self._outgoing.get()) is not None:
                write_message(cast(BinaryIO, stream), message)
        with suppress(OSError):
            stream.close()

    def _hear(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as stream, suppress(OSError):
            for line in stream:
                self._words.append(line.decode("utf-8", "replace").rstrip())


def command_for(name: str, scratch: Path) -> list[str]:
    """The command of one of the engine's processes; nothing in the folder it is started in is taken for a module."""
    return [sys.executable, "-P", "-m", "sightmix.ui.remote.worker", name, "--scratch", str(scratch)]


if sys.platform == "win32":

    def _apart(patient: bool) -> dict[str, Any]:
        """No console window, no share in the console's Ctrl-C, and after others where it can wait."""
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
        return {"creationflags": flags | (subprocess.BELOW_NORMAL_PRIORITY_CLASS if patient else 0)}

else:

    def _apart(patient: bool) -> dict[str, Any]:  # noqa: ARG001  (it lowers its own priority)
        """No share in the terminal's Ctrl-C."""
        return {"process_group": 0}


def words_for(status: int | None) -> str:
    """How a process ended, in words."""
    if status is None:
        return "it wrote what nobody understands"
    if status < 0 and os.name == "posix":
        killed = "it was killed, perhaps for want of memory"
        return killed if status == -9 else f"signal {-status} ended it"
    return f"exit status {status}"
