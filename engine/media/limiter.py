"""A look-ahead true-peak limiter: transparent below the ceiling, streaming, delay compensated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d

from ..errors import SettingsError
from .truepeak import AFTER, TAPS, Interpolator, oversampling

Block = NDArray[np.float32]
Gains = NDArray[np.float64]

_LOOK_AHEAD = 0.005
_RELEASE_DB_PER_SECOND = 20.0


class Limiter:
    """Keeps the true peak of float32 blocks (channels, n) at or below `ceiling_dbtp`, within 0.05 dB.

    One gain for all channels, falling over 5 ms ahead of a peak along a raised cosine, recovering at 20 dB/s.
    Where nothing exceeds the ceiling samples pass unchanged to the last bit. `reduction_db` is the deepest cut
    so far. With `steering` only so many of the channels are listened to, the first ones, and the others get the
    same gain: stems under a mix still sum to it. Raises SettingsError for a ceiling above full scale.
    """

    def __init__(
        self, sample_rate: int, channels: int, ceiling_dbtp: float, *, steering: int | None = None
    ) -> None:
        if not ceiling_dbtp <= 0:
            raise SettingsError(f"A true-peak ceiling of {ceiling_dbtp} dBTP is not possible; use 0 or less.")
        self.reduction_db = 0.0
        self._ceiling_db = ceiling_dbtp
        self._ceiling = 10.0 ** (ceiling_dbtp / 20.0)
        self._interpolator = Interpolator(oversampling(sample_rate))
        self._span = max(2, round(_LOOK_AHEAD * sample_rate))
        window = np.hanning(self._span + 2)[1:-1]
        self._smoothing = window / window.sum()
        self._release = _RELEASE_DB_PER_SECOND / sample_rate
        self._waiting = np.zeros((channels, 0), np.float32)
        # Gains come out later than samples go in; those of the silence before the start are dropped.
        self._delay = AFTER + self._span - 1
        self._surplus = self._delay
        # What samples to come still look back on.
        self._steering = channels if steering is None else steering
        self._recent = np.zeros((self._steering, TAPS - 1), np.float32)
        self._between = np.zeros(1, np.float32)
        self._needed = np.zeros(self._span - 1)
        self._released = np.zeros(self._span - 1)
        self._lowest = 0.0
        self._counter = 0

    def process(self, block: Block, last: bool = False) -> Block:
        """Take samples (channels, n), hand out limited ones: 5 ms are held back until `last` releases them."""
        block = block.astype(np.float32, copy=False)
        self._waiting = np.concatenate([self._waiting, block], axis=1)
        heard = block[: self._steering]
        gains = self._gains(np.pad(heard, ((0, 0), (0, self._delay if last else 0))))
        drop = min(self._surplus, len(gains))
        self._surplus -= drop
        gains = gains[drop:]
        out, self._waiting = self._waiting[:, : len(gains)], self._waiting[:, len(gains) :]
        if not gains.any():
            return out.copy()
        self.reduction_db = max(self.reduction_db, -float(gains.min()))
        return (out * np.power(10.0, gains / 20.0)).astype(np.float32)

    def _gains(self, block: Block) -> Gains:
        """As many gains in dB as `block` has samples, those of `delay` samples ago."""
        count = block.shape[1]
        if count == 0:
            return np.zeros(0)
        needed = np.concatenate([self._needed, self._needs(block)])
        self._needed = needed[count:]
        first, self._counter = self._counter, self._counter + count
        resting = self._lowest + self._release * first >= 0 and not self._released.any()
        if resting and not needed.any():
            return np.zeros(count)
        # Smoothing averages the gains of the last `span` samples, so each must satisfy what is needed until then.
        held = minimum_filter1d(needed, self._span, origin=-(self._span // 2))[:count]
        ramp = self._release * np.arange(first, first + count)
        lowest = np.minimum.accumulate(np.concatenate([[self._lowest], held - ramp]))[1:]
        self._lowest = float(lowest[-1])
        released = np.concatenate([self._released, np.minimum(0.0, lowest + ramp)])
        self._released = released[count:]
        return np.convolve(released, self._smoothing, mode="valid")

    def _needs(self, block: Block) -> Gains:
        """The gain in dB each sample needs for itself and its two gaps, `AFTER` samples behind `block`."""
        count = block.shape[1]
        padded = np.concatenate([self._recent, block], axis=1)
        self._recent = padded[:, count:]
        if np.abs(padded).max() * self._interpolator.gain <= self._ceiling:
            self._between = np.zeros(1, np.float32)
            return np.zeros(count)
        gaps = np.concatenate([self._between, self._interpolator.between(padded).max(axis=0)])
        self._between = gaps[-1:]
        samples = np.abs(padded[:, AFTER - 1 : AFTER - 1 + count]).max(axis=0)
        peaks = np.maximum(samples, np.maximum(gaps[:-1], gaps[1:])).astype(np.float64)
        needs: Gains = np.minimum(0.0, self._ceiling_db - 20.0 * np.log10(np.maximum(peaks, self._ceiling)))
        return needs
