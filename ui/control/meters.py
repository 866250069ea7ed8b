"""What is being heard, in figures: momentary, short-term and integrated loudness, and true peak."""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...engine.media.loudness import KWeighting, gated
from ...engine.media.truepeak import TAPS, Interpolator, oversampling
from ..base.pump import Pump
from ..base.topics import Topic
from .deck import Deck
from .player import RATE, Array

_TICK = 0.05  # seconds between figures: 20 a second
_CELL = 0.01  # seconds that energies are summed over
_PIECE = 480  # samples that peaks are looked for in at once
_MOMENTARY, _SHORT_TERM, _HOP = 40, 300, 10  # cells


@dataclass(frozen=True)
class Figures:
    """Loudness in LUFS and true peak in dBTP; -inf for silence, and for less than 0.4 s or 3 s of sound.

    Momentary and short-term are of the last 400 ms and 3 s, the others of all that was `heard` under that name (see
    `player.View.name`) since the start.
    """

    momentary: float = -math.inf
    short_term: float = -math.inf
    integrated: float = -math.inf
    true_peak: float = -math.inf
    heard: str = ""


@dataclass
class _Heard:
    """All that was heard under one name: energies of its gating blocks, and its peak so far."""

    blocks: array[float] = field(default_factory=lambda: array("d"))
    peak: float = 0.0


class LiveMeter:
    """Measures stereo as it is heard, in blocks (n, 2), as EBU Tech 3341's live meters do.

    A gating block counts for what is heard where all of it was that. Memory grows by 80 bytes a second.
    """

    def __init__(self, rate: int = RATE) -> None:
        self._rate = rate
        self._cell = round(rate * _CELL)
        self._interpolator = Interpolator(oversampling(rate))
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._weighting: KWeighting | None = None  # loads filters that nothing needs before there is sound
        self._partial = np.zeros(0)
        self._cells: deque[float] = deque(maxlen=_SHORT_TERM)
        self._recent = np.zeros((2, TAPS - 1), np.float32)
        self._all: dict[str, _Heard] = {}
        self._heard, self._same, self._count = "", 0, 0

    def push(self, block: Array, heard: str) -> None:
        """Measure the next frames (n, 2); `heard` is "" where one thing is faded into another."""
        if heard != self._heard:
            self._same = 0
            self._recent[:] = 0
        self._heard = heard or self._heard
        of = self._all.setdefault(heard, _Heard())
        sound = np.ascontiguousarray(block.T)
        if self._weighting is None:
            self._weighting = KWeighting(self._rate, 2)
        squares = np.square(self._weighting.process(sound)).sum(axis=0)
        squares = np.concatenate([self._partial, squares])
        whole = len(squares) // self._cell * self._cell
        self._partial = squares[whole:]
        for energy in squares[:whole].reshape(-1, self._cell).sum(axis=1):
            self._cells.append(float(energy))
            self._same += 1
            self._count += 1
            if self._count % _HOP == 0 and self._same >= _MOMENTARY:
                of.blocks.append(self._mean(_MOMENTARY))
        of.peak = self._peak(sound, of.peak)

    def figures(self) -> Figures:
        """The figures now."""
        of = self._all.get(self._heard, _Heard())
        return Figures(
            momentary=_lufs(self._mean(_MOMENTARY)),
            short_term=_lufs(self._mean(_SHORT_TERM)),
            integrated=gated(np.frombuffer(of.blocks)) if of.blocks else -math.inf,
            true_peak=20 * math.log10(of.peak) if of.peak > 0 else -math.inf,
            heard=self._heard,
        )

    def _mean(self, cells: int) -> float:
        """The mean square of the last so many cells, 0 where there were not so many."""
        if len(self._cells) < cells:
            return 0.0
        start = len(self._cells) - cells
        return sum(self._cells[i] for i in range(start, len(self._cells))) / (cells * self._cell)

    def _peak(self, sound: NDArray[np.float32], known: float) -> float:
        padded = np.concatenate([self._recent, sound], axis=1)
        self._recent = padded[:, padded.shape[1] - TAPS + 1 :].copy()
        # In small pieces: larger products are shared out to threads, which wait for each other where cores are busy.
        for at in range(0, sound.shape[1], _PIECE):
            piece = padded[:, at : at + _PIECE + TAPS - 1]
            samples = float(np.abs(piece).max())
            known = max(known, samples)
            if samples * self._interpolator.gain > known:
                known = max(known, float(self._interpolator.between(piece).max(initial=0.0)))
        return known


class Meters:
    """Measures what a deck plays, on the pump's thread: the sound device's is not kept from its work.

    Neither the monitor's volume nor the level match is in the figures: they are those of what would be written.
    Begins anew whenever playing begins, and on `reset`; where it stops, the figures stay.
    """

    def __init__(self, deck: Deck, pump: Pump) -> None:
        self.changed: Topic[[Figures]] = Topic()
        self.figures = Figures()
        self._deck, self._pump = deck, pump
        self._meter = LiveMeter(deck.rate)
        self._playing = False
        self._leave: Callable[[], None] | None = None
        deck.state.subscribe(self._follow)

    def reset(self) -> None:
        """Measure from now on."""
        self._deck.tap.clear()
        self._meter.reset()
        self._tell()

    def _follow(self) -> None:
        if self._deck.playing == self._playing:
            return
        self._playing = self._deck.playing
        if self._playing:
            self.reset()
        if self._leave is not None:
            self._leave()
        # Where it has stopped, one more look at what was played until then.
        self._leave = self._pump.later(_TICK, self._tick)

    def _tick(self) -> None:
        self._leave = self._pump.later(_TICK, self._tick) if self._playing else None
        tap = self._deck.tap
        while tap:
            sound, heard, match = tap.popleft()
            self._meter.push(sound if match == 1.0 else sound / np.float32(match), heard)
        self._tell()

    def _tell(self) -> None:
        figures = self._meter.figures()
        if figures != self.figures:
            self.figures = figures
            self.changed.emit(figures)


def _lufs(energy: float) -> float:
    return 10 * math.log10(energy) - 0.691 if energy > 0 else -math.inf
