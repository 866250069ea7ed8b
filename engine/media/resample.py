"""Sample-rate conversion by soxr, streaming or whole, with exact lengths."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import soxr
from numpy.typing import NDArray

from ..errors import SettingsError
from .time import round_half_up

Block = NDArray[np.float32]


class Resampler:
    """Converts float32 blocks (channels, n) from `source_rate` to `target_rate` Hz as they come.

    Blocks of any size give the same samples. Once `process(…, last=True)` was called, exactly
    n · target / source samples (half-up) have come out. soxr at very high quality, linear phase.
    """

    def __init__(self, source_rate: int, target_rate: int, channels: int) -> None:
        if min(source_rate, target_rate, channels) <= 0:
            raise SettingsError(
                f"Cannot resample {channels} channels from {source_rate} to {target_rate} Hz: not possible."
            )
        self._ratio = Fraction(target_rate, source_rate)
        self._channels = channels
        self._taken = self._given = 0
        self._stream = None
        if source_rate != target_rate:
            self._stream = soxr.ResampleStream(
                source_rate, target_rate, channels, dtype="float32", quality="VHQ"
            )

    def process(self, block: Block, last: bool = False) -> Block:
        """What `block` (channels, n) makes ready; `last` also hands out the rest and ends the stream."""
        if self._stream is None:
            return block
        self._taken += block.shape[1]
        flat = np.ascontiguousarray(block.T, dtype=np.float32).reshape(-1, self._channels)
        out = self._stream.resample_chunk(flat if self._channels > 1 else flat[:, 0], last=last)
        made = np.ascontiguousarray(out.reshape(-1, self._channels).T)
        if last:
            made = _fit(made, round_half_up(self._taken * self._ratio) - self._given)
        self._given += made.shape[1]
        return made


def _fit(block: Block, length: int) -> Block:
    """Cut or pad by the sample or so that soxr's own rounding differs from ours."""
    return np.pad(block[:, :length], ((0, 0), (0, max(0, length - block.shape[1]))))


def resample(x: Block, source_rate: int, target_rate: int) -> Block:
    """Convert `x` (channels, n) from `source_rate` to `target_rate` Hz.

    Gives n · target / source samples, half-up.
    """
    return Resampler(source_rate, target_rate, x.shape[0]).process(x, last=True)
