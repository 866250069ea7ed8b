"""Resolve's objects as they look from here, each call going through the bridge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ..errors import HostError
from .calls import ENUMS, METHODS, VALUE, Enum, Gate

Request = tuple[Any, str, tuple[Any, ...]]


class Caller(Protocol):
    """Whatever takes a call to Resolve and brings the answer."""

    def call(self, patience: float | None = None, **payload: Any) -> Any:
        """Send a call, return its value."""


class Remote:
    """An object in Resolve, known here by a number: its methods are those of the table of calls."""

    def __init__(self, caller: Caller, gate: Gate, handle: int, kind: str) -> None:
        self._caller, self._gate = caller, gate
        self.handle, self.kind = handle, kind

    def __dir__(self) -> list[str]:
        return sorted(METHODS[self.kind])

    def __getattr__(self, name: str) -> Any:
        if self.kind == "Resolve" and name in ENUMS:
            return Enum(name)
        if name not in METHODS[self.kind]:
            raise AttributeError(f"{self.kind} has no {name}")
        return self._method(name)

    def _method(self, name: str) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            made, payload = self.prepare(name, args)
            return self.incoming(self._caller.call(op="call", **payload), made)

        return call

    def prepare(self, name: str, args: Sequence[Any]) -> tuple[str, dict[str, Any]]:
        """A call as it goes over the bridge, and what will come back; raises HostError for one not allowed."""
        made = self._gate.check(self.kind, name, args)
        return made, {"on": self.handle, "method": name, "args": [_outgoing(a) for a in args]}

    def together(self, requests: Sequence[Request]) -> list[Any]:
        """Several calls of objects of this session in one message, and their values in order."""
        prepared = [one.prepare(name, args) for one, name, args in requests]
        values = self._caller.call(op="many", calls=[payload for _, payload in prepared])
        if not isinstance(values, list) or len(values) != len(requests):
            raise HostError("Resolve's side answered something else than it was asked.")
        found = [value.get("v") if isinstance(value, dict) else None for value in values]
        return [self.incoming(value, made) for value, (made, _) in zip(found, prepared, strict=True)]

    def incoming(self, value: Any, made: str) -> Any:
        """A value from the other side as the table of calls has it."""
        if made == VALUE or value is None:
            return value
        if made.endswith("*"):
            return [self.incoming(v, made[:-1]) for v in value] if isinstance(value, list) else None
        if not isinstance(value, dict) or not isinstance(value.get("$"), int):
            return None
        return Remote(self._caller, self._gate, value["$"], made)


def gather(requests: Sequence[Request]) -> list[Any]:
    """The values of several calls (object, method, arguments) that do not depend on each other.

    Over the bridge they go in one message, which takes as long as one call.
    """
    first = requests[0][0] if requests else None
    if isinstance(first, Remote):
        return first.together(requests)
    return [getattr(one, name)(*args) for one, name, args in requests]


def _outgoing(value: Any) -> Any:
    if isinstance(value, Remote):
        return {"$": value.handle}
    if isinstance(value, Enum):
        return {"enum": value.name}
    if isinstance(value, list | tuple):
        return [_outgoing(v) for v in value]
    if isinstance(value, dict):
        return {k: _outgoing(v) for k, v in value.items()}
    return value
