"""What the panel's parts see of the engine: they ask, and are told on the panel's own thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Failure:
    """Why something asked for did not come: a sentence, the error's class, and details for who wants to report it.

    `cancelled` where somebody took it back or a newer request took its place, `crashed` where the engine's process
    went down with it.
    """

    error: str
    kind: str = ""
    cancelled: bool = False
    crashed: bool = False
    details: str = ""


class Ticket(Protocol):
    """Something asked for."""

    def cancel(self) -> None:
        """Take it back; `failed` is called with `cancelled`, unless it has ended already."""


Told = Callable[[Mapping[str, Any], bytes], object]


class Engine(Protocol):
    """The engine, wherever it runs; `remote.client` has the one in a process of its own."""

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
        """Ask for something; `event` any number of times, then one of `done` and `failed`, on the pump's thread.

        A request with a `slot` takes the place of an earlier one with that slot.
        """
