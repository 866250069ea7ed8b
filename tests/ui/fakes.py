"""An engine for tests of the panel's parts: it keeps what it was asked, and the test answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sightmix.ui.base.asking import Failure, Told


@dataclass
class Asked:
    """One request; the test answers by `tell`, `finish` or `fail`."""

    do: str
    data: Mapping[str, Any]
    slot: str = ""
    event: Told | None = None
    done: Told | None = None
    failed: Callable[[Failure], object] | None = None
    open: bool = True
    cancelled: bool = False

    def cancel(self) -> None:
        if self.open:
            self.cancelled = True
            self.fail(Failure("Stopped on request.", "Cancelled", cancelled=True))

    def tell(self, data: Mapping[str, Any], payload: bytes = b"") -> None:
        assert self.open
        if self.event is not None:
            self.event(data, payload)

    def finish(self, data: Mapping[str, Any] | None = None, payload: bytes = b"") -> None:
        assert self.open
        self.open = False
        if self.done is not None:
            self.done(data or {}, payload)

    def fail(self, failure: Failure) -> None:
        assert self.open
        self.open = False
        if self.failed is not None:
            self.failed(failure)


@dataclass
class FakeEngine:
    """Keeps all requests in order; `answer` is called with each new one and may answer at once."""

    answer: Callable[[Asked], object] | None = None
    asked: list[Asked] = field(default_factory=list)

    def ask(
        self,
        do: str,
        data: Mapping[str, Any],
        *,
        slot: str = "",
        event: Told | None = None,
        done: Told | None = None,
        failed: Callable[[Failure], object] | None = None,
    ) -> Asked:
        for earlier in self.asked:
            if slot and earlier.slot == slot and earlier.open:
                earlier.cancel()
        request = Asked(do, data, slot, event, done, failed)
        self.asked.append(request)
        if self.answer is not None:
            self.answer(request)
        return request

    def open(self, do: str) -> list[Asked]:
        """The requests of a kind that nobody has answered."""
        return [request for request in self.asked if request.do == do and request.open]
