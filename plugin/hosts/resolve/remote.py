"""Resolve's objects as they look from here, each call going through the bridge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from .calls import ENUMS, METHODS, VALUE, Enum, Gate


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
            made = self._gate.check(self.kind, name, args)
            value = self._caller.call(
                op="call", on=self.handle, method=name, args=[_outgoing(a) for a in args]
            )
            return self._incoming(value, made)

        return call

    def _incoming(self, value: Any, made: str) -> Any:
        if made == VALUE or value is None:
            return value
        if made.endswith("*"):
            return [self._incoming(v, made[:-1]) for v in value] if isinstance(value, list) else None
        if not isinstance(value, dict) or not isinstance(value.get("$"), int):
            return None
        return Remote(self._caller, self._gate, value["$"], made)


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
