"""Between the job and the one script in Resolve it talks to: a call goes out, its reply comes back, once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..errors import HostError, HostGoneError

PROTOCOL = 1
_QUICK, _SLOW = 30.0, 600.0
_FOLLOWS = 0.05  # seconds
_SLOW_METHODS = frozenset(
    {"Export", "ImportMedia", "DuplicateTimeline", "AppendToTimeline", "DeleteTimelines"}
)


class Refused(Exception):  # noqa: N818  (an answer to a stranger, not a fault)
    """A message that is not let in, with the HTTP status that says why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass
class _Pending:
    payload: dict[str, Any]
    handed_out: bool = False
    reply: dict[str, Any] | None = None


@dataclass
class Broker:
    """One client at a time; `gone_after` seconds without a sign of life it counts as gone.

    `polls` says whether the client asks all the time (HTTP) or only answers (mailbox): silence means something
    only of a client that polls.
    """

    gone_after: float = 10.0
    clock: Callable[[], float] = time.monotonic
    client: str = ""
    hello: dict[str, Any] = field(default_factory=dict)
    polls: bool = True
    refused: int = 0
    _pending: _Pending | None = None
    _number: int = 0
    _last_seen: float = 0.0
    _closed: bool = False
    _turn: threading.Condition = field(default_factory=threading.Condition)

    def exchange(self, client: str, message: dict[str, Any], polls: bool) -> dict[str, Any] | None:
        """Take what a client says, give it the call that waits for it; raises Refused for a second client."""
        with self._turn:
            self._admit(client, message, polls)
            self._last_seen = self.clock()
            pending = self._pending
            if pending is not None and message.get("id") == pending.payload["id"]:
                pending.reply = message
                self._turn.notify_all()
                if polls:
                    # The next call mostly follows at once: better to hand it over now than at the next poll.
                    self._turn.wait_for(lambda: self._next(self._pending) is not None, _FOLLOWS)
            self._turn.notify_all()
            return self._hand_out()

    def _admit(self, client: str, message: dict[str, Any], polls: bool) -> None:
        if self._closed:
            raise Refused(410, "the session is over")
        if client and client == self.client:
            return
        if self.client and not (self.polls and self._silent() and self._pending is None):
            self.refused += 1
            raise Refused(409, "another script is connected")
        hello = message.get("hello")
        if not client or not isinstance(hello, dict):
            raise Refused(400, "no greeting")
        if hello.get("protocol") != PROTOCOL:
            raise Refused(
                426, "the installed script is of another version; run sightmix resolve install again"
            )
        self.client, self.hello, self.polls = client, hello, polls

    def _silent(self) -> bool:
        return self.clock() - self._last_seen > self.gone_after

    @staticmethod
    def _next(pending: _Pending | None) -> dict[str, Any] | None:
        return None if pending is None or pending.reply is not None else pending.payload

    def _hand_out(self) -> dict[str, Any] | None:
        payload = self._next(self._pending)
        if payload is not None and self._pending is not None:
            self._pending.handed_out = True
        return payload

    @property
    def waiting(self) -> dict[str, Any] | None:
        """The call that has no reply yet."""
        with self._turn:
            return self._next(self._pending)

    def wait_for_client(self, seconds: float, check: Callable[[], None] = lambda: None) -> bool:
        """Wait until a script has connected; `check` is called now and then and may raise to give up."""
        end = self.clock() + seconds
        with self._turn:
            while not self.client and self.clock() < end:
                check()
                self._turn.wait(min(0.2, max(0.0, end - self.clock())))
            return bool(self.client)

    def call(self, patience: float | None = None, **payload: Any) -> Any:
        """Send a call and return the value of its reply, waiting up to `patience` seconds (None: as it needs).

        Raises HostError when Resolve's side says no, HostGoneError when no reply comes.
        """
        usual = _SLOW if payload.get("method") in _SLOW_METHODS else _QUICK
        with self._turn:
            self._number += 1
            pending = self._pending = _Pending(payload | {"id": self._number})
            self._turn.notify_all()
            try:
                reply = self._await(pending, usual if patience is None else patience)
            finally:
                self._pending = None
        if not reply.get("ok"):
            raise HostError(
                f"Resolve's side refused {payload.get('method', payload.get('op'))}: {reply.get('error')}."
            )
        return reply.get("value")

    def _await(self, pending: _Pending, seconds: float) -> dict[str, Any]:
        end = self.clock() + seconds
        while pending.reply is None:
            lost = self.polls and not pending.handed_out and self._silent()
            if self._closed or lost or self.clock() > end:
                self.client = ""
                raise HostGoneError(
                    "Resolve has stopped answering: it was closed, or a window in it waits for a click."
                )
            self._turn.wait(0.1)
        return pending.reply

    def close(self) -> None:
        """Let nobody in any more."""
        with self._turn:
            self._closed = True
            self._turn.notify_all()
