"""Peaks between samples: polyphase oversampling as fast matrix products, shared by the meter and the limiter."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.float32]

TAPS = 24
BEFORE = TAPS // 2 - 1
AFTER = TAPS // 2
_SEGMENT = 32


def oversampling(sample_rate: int) -> int:
    """How many times to oversample: 4 up to 50 kHz (BS.1770-4 Annex 2), 2 at 88.2 and 96 kHz, 1 above."""
    return 4 if sample_rate <= 50_000 else 2 if sample_rate <= 100_000 else 1


class Interpolator:
    """The greatest magnitude between neighbouring samples, by windowed-sinc interpolation at `factor` x the rate.

    The value between samples i and i + 1 depends on samples i - BEFORE … i + AFTER.
    """

    def __init__(self, factor: int) -> None:
        self.factor = factor
        self._matrix, self.gain = _toeplitz(factor)

    def between(self, padded: Block) -> Block:
        """Magnitudes (channels, n) between the samples of `padded` (channels, n + TAPS - 1)."""
        channels, length = padded.shape[0], padded.shape[1] - TAPS + 1
        segments = -(-length // _SEGMENT)
        full = np.zeros((channels, segments * _SEGMENT + TAPS - 1), np.float32)
        full[:, : padded.shape[1]] = padded
        if self.factor == 1:
            return np.zeros((channels, length), np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(full, _SEGMENT + TAPS - 1, axis=1)[:, ::_SEGMENT]
        fine = windows.reshape(channels * segments, -1) @ self._matrix
        peaks: Block = np.abs(fine).reshape(channels, segments, self.factor - 1, _SEGMENT).max(axis=2)
        return peaks.reshape(channels, -1)[:, :length]


@lru_cache(maxsize=4)
def _toeplitz(factor: int) -> tuple[Block, float]:
    """Interpolation of one segment as a matrix, and the most it can amplify (sum of a phase's magnitudes)."""
    offsets = np.arange(-BEFORE, AFTER + 1)
    matrix = np.zeros((_SEGMENT + TAPS - 1, factor - 1, _SEGMENT), np.float32)
    gain = 1.0
    for phase in range(1, factor):
        delay = phase / factor
        kernel = np.sinc(offsets - delay) * np.i0(8.0 * np.sqrt(1 - ((offsets - delay) / (AFTER + 0.5)) ** 2))
        kernel /= kernel.sum()
        gain = max(gain, float(np.abs(kernel).sum()))
        for at in range(_SEGMENT):
            matrix[at : at + TAPS, phase - 1, at] = kernel
    return matrix.reshape(_SEGMENT + TAPS - 1, -1), gain
