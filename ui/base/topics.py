"""Who wants to know: plain topics that views and scripts subscribe to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, ParamSpec

P = ParamSpec("P")


class Topic(Generic[P]):
    """Something that happens; subscribers are called in order, on the thread that emits."""

    def __init__(self) -> None:
        self._subscribers: list[Callable[P, object]] = []

    def subscribe(self, subscriber: Callable[P, object]) -> Callable[[], None]:
        """Call `subscriber` whenever it happens; returns what ends that."""
        self._subscribers.append(subscriber)

        def leave() -> None:
            if subscriber in self._subscribers:
                self._subscribers.remove(subscriber)

        return leave

    def emit(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Tell everybody who was subscribed when it happened."""
        for subscriber in tuple(self._subscribers):
            subscriber(*args, **kwargs)
