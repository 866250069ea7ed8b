"""What a gain head may be told of stems that are known, instead of what it takes for them itself; numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..roles import STEMS
from .config import BINS, LEVEL_BANDS

Array = NDArray[np.float32]

INPUTS = ("told_power", "told_unsure", "told_heard")  # what a graph calls the fields of `Told`


@dataclass(frozen=True)
class Told:
    """Levels of the stems in a batch of windows.

    `power` (B, 18, T): band powers of speech, music and effects, six each as `band_power` gives them. `unsure` (B, 3),
    0…1: the share of a stem's power that comes from separation, by which the head's own correction of its level is
    scaled; 0 takes the level as it is. `heard` (B,): 1 adds the stems that the network's own masks give, 0 leaves them
    out. A head that reads no levels in bands makes nothing of it.
    """

    power: Array
    unsure: Array
    heard: Array

    @classmethod
    def nothing(cls, batch: int, frames: int) -> Told:
        """What leaves a network to itself."""
        rows = len(LEVEL_BANDS) * len(STEMS)
        return cls(
            np.zeros((batch, rows, frames), np.float32),
            np.ones((batch, len(STEMS)), np.float32),
            np.ones(batch, np.float32),
        )

    @classmethod
    def of(cls, stems: Array, unsure: Array) -> Told:
        """All there is to hear, from the stems' magnitudes (B, 3, 2048, T); `unsure` (B, 3)."""
        power = band_power(stems)
        return cls(
            power.reshape(len(power), -1, power.shape[-1]),
            np.asarray(unsure, np.float32),
            np.zeros(len(power), np.float32),
        )

    @property
    def arrays(self) -> tuple[Array, Array, Array]:
        """The fields in the order of `INPUTS`."""
        return self.power, self.unsure, self.heard


def band_power(magnitudes: Array) -> Array:
    """Mean power over all bins that each band has a part in, (…, 2048, T) to (…, 6, T): the bands sum to the whole."""
    starts = [low for low, _ in LEVEL_BANDS]
    return np.asarray(np.add.reduceat(np.square(magnitudes), starts, axis=-2) / np.float32(BINS), np.float32)
