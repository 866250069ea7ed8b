"""A programme of four lanes as arrays, and an engine that sends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from fakes import Asked, FakeEngine
from numpy.typing import NDArray
from sightmix.ui.base.pump import InlinePump
from sightmix.ui.base.source import Source
from sightmix.ui.control.deck import Deck

Array = NDArray[np.float32]
SOURCE = Source(Path("film.otio"))


def noise(samples: int, seed: int = 0, level: float = 0.1) -> Array:
    """Four lanes (4, 2, samples) of which no sample is like another."""
    return (level * np.random.default_rng(seed).standard_normal((4, 2, samples))).astype(np.float32)


def ramp(samples: int) -> Array:
    """Lanes whose sum tells the sample's number: `index_of` reads it; all of it lies in the rest."""
    lanes = np.zeros((4, 2, samples), np.float32)
    lanes[3] = np.arange(1, samples + 1) / np.float32(1 << 20)
    return lanes


def index_of(sound: Array) -> NDArray[np.int64]:
    """The numbers of a ramp's samples (n, 2); -1 where there is silence."""
    return np.round(sound[:, 0].astype(np.float64) * (1 << 20)).astype(np.int64) - 1


@dataclass
class Clock:
    """Time that passes when told to."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Rig:
    """A deck with a programme open, an engine that answers at once or when `serve` is called, and a clock."""

    lanes: Array
    chunk: int = 4800
    fade: int = 240
    at_once: bool = True
    memory: int = 128 << 20
    engine: FakeEngine = field(init=False)
    deck: Deck = field(init=False)

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.pump = InlinePump(self.clock)
        self.engine = FakeEngine(self._answer if self.at_once else None)
        self.deck = Deck(self.engine, self.pump, chunk=self.chunk, fade=self.fade, memory=self.memory)
        self.deck.load(SOURCE, self.lanes.shape[2])

    def _answer(self, asked: Asked) -> None:
        assert asked.do == "sound"
        first, samples = asked.data["first"], asked.data["samples"]
        payload = np.ascontiguousarray(self.lanes[:, :, first : first + samples]).tobytes()
        asked.finish({"first": first, "samples": samples, "lanes": 4, "channels": 2}, payload)

    def serve(self, most: int = 1000) -> int:
        """Answer what was asked, in that order; returns how many requests that were."""
        served = 0
        while served < most and (waiting := self.engine.open("sound")):
            self._answer(waiting[0])
            served += 1
        return served

    def pull(self, frames: int, block: int = 480) -> Array:
        """What the device gets (frames, 2), block by block, the panel's thread looking on after each."""
        parts = []
        while frames > 0:
            parts.append(self.deck.fill(min(block, frames)))
            frames -= block
            self.tick()
        return np.concatenate(parts)

    def tick(self) -> None:
        """Let what is due on the panel's thread happen."""
        self.clock.now += 0.03
        self.pump.run()

    def before(self) -> Array:
        """The sum of all lanes (samples, 2), added in their order."""
        total = self.lanes[0]
        for lane in self.lanes[1:]:
            total = total + lane
        return total.T
