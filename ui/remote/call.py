"""A request while it is being answered: what it asks for, how it tells and how it is stopped."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...engine.errors import Cancelled
from ...engine.progress import Progress
from ...plugin.jobs.logs import sentence_of
from .protocol import Message

Send = Callable[[Message], None]
_DEEPEST = 20_000  # characters of a traceback


@dataclass
class Stoppable(Progress):
    """Progress that also makes way for what is more urgent, between the steps of one thread's work."""

    make_way: Callable[[], None] = field(default=lambda: None)

    def check(self) -> None:
        """See `Progress.check`."""
        super().check()
        self.make_way()
        super().check()


class Call:
    """A request: its `data`, the `progress` that stops it, and the name of the `thread` it is done on.

    It is answered once; what is told of it afterwards, by work that took its time to stop, is dropped.
    """

    def __init__(self, number: int, do: str, slot: str, data: Mapping[str, Any], send: Send) -> None:
        self.number, self.do, self.slot, self.data = number, do, slot, data
        self.thread = ""
        self.progress = Stoppable()
        self._send, self._lock, self._answered = send, threading.Lock(), False

    @property
    def answered(self) -> bool:
        """Whether there is an answer already."""
        return self._answered

    def began(self) -> None:
        """Tell that work on it has begun."""
        self._tell({"id": self.number, "began": True})

    def event(self, data: Mapping[str, Any], payload: bytes = b"") -> None:
        """Tell something on the way. Raises Cancelled once the request was taken back."""
        self.progress.check()
        self._tell({"id": self.number, "event": data}, payload)

    def done(self, data: Mapping[str, Any], payload: bytes = b"") -> None:
        """Answer it."""
        self._tell({"id": self.number, "done": data}, payload, last=True)

    def fail(self, error: BaseException) -> None:
        """Say in a sentence why it is not done; the details hold the traceback."""
        cancelled = isinstance(error, Cancelled)
        details = "" if cancelled else "".join(traceback.format_exception(error))[-_DEEPEST:]
        failed = {
            "error": sentence_of(error),
            "kind": type(error).__name__,
            "cancelled": cancelled,
            "details": details,
        }
        self._tell({"id": self.number, "failed": failed}, last=True)

    def _tell(self, data: Mapping[str, Any], payload: bytes = b"", last: bool = False) -> None:
        with self._lock:
            if self._answered:
                return
            self._answered = last
        self._send(Message(data, payload))
