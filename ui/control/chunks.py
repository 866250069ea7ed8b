"""Lanes of sound by the chunk: asked for where they will be heard, the oldest given up for room."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...plugin.session.laid import LANES, Laid
from ..base.asking import Engine, Failure, Ticket
from ..base.source import Source
from .player import Array, Key

_AT_ONCE = (
    2  # requests on their way: enough that the engine never waits for us, few enough to change one's mind
)


@dataclass(eq=False)
class _Asked:
    """A request on its way; an engine that answers at once has answered before there is a ticket."""

    ticket: Ticket | None = None


class Chunks:
    """Chunks (4, 2, `samples`) of float32 by owner and number; `held` is read from other threads and never waits.

    Memory is bounded by `most` bytes; what is wanted now is never given up.
    """

    def __init__(
        self,
        engine: Engine,
        samples: int,
        most: int,
        arrived: Callable[[], object],
        failed: Callable[[Failure], object],
    ) -> None:
        self.held: dict[Key, Array] = {}
        self.samples = samples
        self._engine, self._most = engine, most
        self._arrived, self._failed = arrived, failed
        self._owners: dict[int, tuple[Mapping[str, Any], Mapping[str, Any] | None, int]] = {}
        self._wanted: tuple[Key, ...] = ()
        self._asked: dict[Key, _Asked] = {}
        self._used: dict[Key, int] = {}
        self._turn = 0
        self._asking = False

    @property
    def size(self) -> int:
        """Bytes that are held."""
        return sum(lanes.nbytes for lanes in self.held.values())

    @property
    def room(self) -> int:
        """How many whole chunks there is room for."""
        return max(2, self._most // (len(LANES) * 2 * 4 * self.samples))

    def add(self, owner: int, source: Source, laid: Laid | None, samples: int) -> None:
        """Let chunks of `owner` be those of a programme of so many samples, with its clips laid like that."""
        self._owners[owner] = (source.to_dict(), None if laid is None else laid.to_dict(), samples)

    def drop(self, but: Sequence[int]) -> None:
        """Forget all owners except `but`, their chunks, and what was asked for them."""
        self._owners = {owner: about for owner, about in self._owners.items() if owner in but}
        self.want([key for key in self._wanted if key[0] in but])
        for key in [key for key in self.held if key[0] not in but]:
            self._give_up(key)

    def count(self, owner: int) -> int:
        """How many chunks an owner's programme has."""
        return -(-self._owners[owner][2] // self.samples) if owner in self._owners else 0

    def want(self, keys: Sequence[Key]) -> None:
        """These are wanted, the most urgent first; what was asked for before and is none of them is taken back."""
        self._wanted = tuple(dict.fromkeys(key for key in keys if key[0] in self._owners))[: self.room]
        self._turn += 1
        self._used.update(dict.fromkeys((key for key in self._wanted if key in self.held), self._turn))
        for key in [key for key in self._asked if key not in self._wanted]:
            asked = self._asked.pop(key)
            if asked.ticket is not None:
                asked.ticket.cancel()
        self._ask()

    def has(self, keys: Sequence[Key]) -> bool:
        """Whether all of these are there."""
        return all(key in self.held for key in keys)

    def _ask(self) -> None:
        if self._asking:  # an engine that answers at once calls back in here
            return
        self._asking = True
        try:
            while len(self._asked) < _AT_ONCE:
                key = next((k for k in self._wanted if k not in self.held and k not in self._asked), None)
                if key is None:
                    return
                self._ask_for(key)
        finally:
            self._asking = False

    def _ask_for(self, key: Key) -> None:
        source, laid, total = self._owners[key[0]]
        first = key[1] * self.samples
        samples = min(self.samples, total - first)
        asked = self._asked[key] = _Asked()
        asked.ticket = self._engine.ask(
            "sound",
            {"source": source, "laid": laid, "first": first, "samples": samples},
            done=lambda _, payload: self._take(payload, samples, key) if self._ended(key, asked) else None,
            failed=lambda failure: self._lose(failure) if self._ended(key, asked) else None,
        )

    def _ended(self, key: Key, asked: _Asked) -> bool:
        """Whether a request that has ended is still one of ours: not taken back meanwhile."""
        if self._asked.get(key) is not asked:
            return False
        del self._asked[key]
        return True

    def _take(self, payload: bytes, samples: int, key: Key) -> None:
        if len(payload) != 4 * 2 * len(LANES) * samples:
            self._lose(Failure("The engine sent other sound than it was asked for.", "ProtocolError"))
            return
        self._used[key] = self._turn
        self.held[key] = np.frombuffer(payload, "<f4").reshape(len(LANES), 2, samples)
        self._shrink()
        self._ask()
        self._arrived()

    def _lose(self, failure: Failure) -> None:
        if failure.cancelled:
            return
        self._wanted = ()
        self._failed(failure)

    def _shrink(self) -> None:
        spare = sorted((key for key in self.held if key not in self._wanted), key=lambda key: self._used[key])
        for key in spare:
            if self.size <= self._most:
                return
            self._give_up(key)

    def _give_up(self, key: Key) -> None:
        del self.held[key], self._used[key]
