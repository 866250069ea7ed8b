"""How loud what sounds is: a stream measured while it passes, whoever makes it, and its dialogue beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..edit.model import Edit
from ..media.layout import Layout
from ..media.loudness import Meter, lufs_of
from ..passage import Loudness
from ..progress import Progress
from ..roles import DIALOGUE
from .rate import SAMPLE_RATE

Array = NDArray[np.float32]

_ABSOLUTE_GATE, _RELATIVE_GATE = -70.0, 10.0


def listen(
    meter: Meter,
    blocks: Iterable[Array],
    samples: int,
    rate: int,
    name: str,
    progress: Progress,
) -> Meter:
    """Take in `samples` of sound, blocks (channels, n), reporting seconds under `name`; returns the meter."""
    done = 0
    for block in blocks:
        meter.push(block)
        done += block.shape[-1]
        progress.report("loudness", name, done / rate, samples / rate)
    return meter


@dataclass(frozen=True)
class Figures:
    """A mix measured: loudness, and of its dialogue the loudness (LUFS) and share of the time (0 … 1).

    `dialogue` is None where there was no dialogue stem to tell by, -inf where it is silent.
    """

    loudness: Loudness
    dialogue: float | None = None
    speech: float = 0.0


class Gauge:
    """Measures a mix and its dialogue side by side, blocks (channels, n) at one sample rate."""

    def __init__(self, sample_rate: int, layout: Layout, dialogue: Layout | None) -> None:
        self._mix = Meter(sample_rate, layout.channels, layout)
        self._speech = None
        if dialogue is not None:
            self._speech = Meter(sample_rate, dialogue.channels, dialogue, true_peak=False)

    def push(self, mix: Array, dialogue: Array | None) -> None:
        """Take the next samples of both."""
        self._mix.push(mix)
        if self._speech is not None and dialogue is not None:
            self._speech.push(dialogue)

    def result(self) -> Figures:
        """The figures so far."""
        loudness = self._mix.result()
        if self._speech is None:
            return Figures(loudness)
        spoken = self._speech.gating_energies()
        heard = self._mix.gating_energies()
        count = min(len(spoken), len(heard))
        active = activity(spoken)[:count]
        if not active.any():
            return Figures(loudness, -math.inf, 0.0)
        energy = float(heard[:count][active].mean())
        return Figures(loudness, lufs_of(energy), float(active.mean()))

    def take(
        self,
        pairs: Iterable[tuple[Array, Array | None]],
        samples: int,
        rate: int,
        name: str,
        progress: Progress,
    ) -> Figures:
        """Measure a whole stream of `samples` of mix and dialogue, reporting seconds under `name`."""
        done = 0
        for mix, dialogue in pairs:
            self.push(mix, dialogue)
            done += mix.shape[1]
            progress.report("measure", name, done / rate, samples / rate)
        return self.result()


def activity(energies: NDArray[np.float64]) -> NDArray[np.bool_]:
    """In which 400 ms blocks a dialogue stem speaks, from their weighted mean squares: BS.1770-4's two gates."""
    floor = 10 ** ((_ABSOLUTE_GATE + 0.691) / 10)
    loud = energies >= floor
    if not loud.any():
        return loud
    threshold = float(energies[loud].mean()) * 10 ** (-_RELATIVE_GATE / 10)
    spoken: NDArray[np.bool_] = loud & (energies > threshold)
    return spoken


def summed(blocks: Iterable[Array], parts: Sequence[str]) -> Iterator[tuple[Array, Array | None]]:
    """Blocks (parts, channels, n) of a programme as its mix and, where "DX" is among the parts, its dialogue."""
    speech = parts.index(DIALOGUE.short) if DIALOGUE.short in parts else None
    for block in blocks:
        mix = block.sum(axis=0, dtype=np.float64).astype(np.float32)
        yield mix, None if speech is None else block[speech]


def measure_edit(edit: Edit, progress: Progress | None = None) -> Loudness:
    """Loudness and true peak of all that an edit's tracks sound together, in the layout of the widest of them.

    Raises MediaError for sound that cannot be read.
    """
    from .programme import audible

    programme = audible(edit)
    gauge = Gauge(SAMPLE_RATE, programme.layout, None)
    pairs = summed(programme.blocks(), programme.parts)
    return gauge.take(pairs, programme.samples, SAMPLE_RATE, programme.name, progress or Progress()).loudness
