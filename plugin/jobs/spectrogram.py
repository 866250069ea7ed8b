"""Small spectrogram pictures of long sounds, computed as the sound streams by."""

from __future__ import annotations

import io
import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # takes a second to load, and the panel starts without it
    from scipy.sparse import csr_array

Floats = NDArray[np.float32]

LOW_HZ = 40.0
HIGH_HZ = 16_000.0
FLOOR_DB, TOP_DB = -100.0, -16.0  # dBFS of a sine at the ends of the colour scale
FFT_SIZE = 4096  # samples of a window
_FRAMES_PER_COLUMN = 2
_LEVELS = 64

# Dark to light with evenly rising lightness, readable in print and with any kind of colour vision.
_ANCHORS = (
    (10, 9, 22),
    (34, 22, 66),
    (78, 30, 106),
    (126, 40, 117),
    (176, 54, 106),
    (216, 82, 82),
    (241, 126, 60),
    (251, 180, 70),
    (253, 234, 156),
)


def palette() -> NDArray[np.uint8]:
    """The colour scale, dark to light: (levels, 3) RGB."""
    at = np.linspace(0, len(_ANCHORS) - 1, _LEVELS)
    columns = [np.interp(at, np.arange(len(_ANCHORS)), channel) for channel in zip(*_ANCHORS, strict=True)]
    return np.round(np.stack(columns, axis=1)).astype(np.uint8)


class Spectrogram:
    """Gathers a signal of `samples` samples, pushed in blocks, into `columns` by `rows` levels in dBFS.

    Rows are spaced evenly in log frequency from 40 Hz to 16 kHz (or Nyquist); memory stays flat.
    """

    def __init__(self, sample_rate: int, samples: int, columns: int = 720, rows: int = 96) -> None:
        self.columns = max(1, min(columns, samples // 256))
        self._samples = max(1, samples)
        self._hop = max(FFT_SIZE // 4, self._samples // (self.columns * _FRAMES_PER_COLUMN))
        self._rate = sample_rate
        self._power = np.zeros((rows, self.columns), np.float64)
        self._count = np.zeros(self.columns, np.int64)
        self._next = 0  # first sample of the next frame
        self._held_from = 0
        self._held: Floats = np.zeros(
            FFT_SIZE // 2, np.float32
        )  # frames are centred: half a frame of silence first

    def push(self, block: Floats) -> None:
        """Take the next samples, (channels, n); channels are averaged."""
        self._take(np.asarray(block.mean(axis=0), np.float32))

    def levels(self) -> NDArray[np.float64]:
        """Close the signal and return (rows, columns) in dBFS, lowest frequency first."""
        self._take(np.zeros(FFT_SIZE // 2, np.float32))
        filled = np.flatnonzero(self._count)
        if not filled.size:
            return np.full(self._power.shape, FLOOR_DB)
        mean = self._power[:, filled] / self._count[filled]
        nearest = filled[np.abs(np.arange(self.columns)[:, None] - filled).argmin(axis=1)]
        mean = mean[:, np.searchsorted(filled, nearest)]
        return np.asarray(10.0 * np.log10(np.maximum(mean, 1e-12)))

    def png(self) -> bytes:
        """Close the signal and return it as a PNG with high frequencies on top."""
        scaled = np.clip((self.levels() - FLOOR_DB) / (TOP_DB - FLOOR_DB), 0.0, 1.0)
        indices = np.round(scaled[::-1] * (_LEVELS - 1)).astype(np.uint8)
        from PIL import Image

        image = Image.fromarray(indices)
        image.putpalette(palette().tobytes())
        buffer = io.BytesIO()
        image.save(buffer, "PNG", optimize=True)
        return buffer.getvalue()

    def _take(self, mono: Floats) -> None:
        held = np.concatenate([self._held, mono])
        starts = np.arange(self._next, self._held_from + held.size - FFT_SIZE + 1, self._hop)
        for some in np.array_split(starts, 1 + starts.size // 256):
            self._analyse(held, some)
        if starts.size:
            self._next = int(starts[-1]) + self._hop
        drop = min(max(0, self._next - self._held_from), held.size)
        self._held, self._held_from = held[drop:], self._held_from + drop

    def _analyse(self, held: Floats, starts: NDArray[np.int64]) -> None:
        if not starts.size:
            return
        power = band_power(held, starts - self._held_from, self._rate, self._power.shape[0])
        column = np.minimum(starts * self.columns // self._samples, self.columns - 1)
        np.add.at(self._power.T, column, power.T)
        np.add.at(self._count, column, 1)


def band_power(sound: Floats, starts: NDArray[np.int64], sample_rate: int, rows: int) -> NDArray[np.float64]:
    """Power (rows, starts) of sound (n,) in windows of `FFT_SIZE` samples from `starts` on, lowest frequency first.

    Rows are those of `Spectrogram`; a sine of full scale has a power of about 1 in its row.
    """
    from scipy.fft import rfft

    window = _window()
    frames = np.lib.stride_tricks.sliding_window_view(sound, FFT_SIZE)[starts] * window
    power = np.abs(rfft(frames, axis=1)) ** 2 * (2.0 / float(window.sum())) ** 2
    return np.asarray(_bands(sample_rate, rows) @ power.T)


@cache
def _window() -> Floats:
    from scipy.signal import get_window

    return np.asarray(get_window("hann", FFT_SIZE), np.float32)


@cache
def _bands(sample_rate: int, rows: int) -> csr_array:
    """Weights (rows, bins), nearly all 0: triangles over log-spaced centres, two bins wide at least, peaking at 1."""
    from scipy.sparse import csr_array

    high = min(HIGH_HZ, sample_rate / 2)
    centres = np.geomspace(LOW_HZ, high, rows)
    width_hz = sample_rate / FFT_SIZE
    bins = np.arange(FFT_SIZE // 2 + 1) * width_hz
    half = np.maximum(centres * (math.exp(math.log(high / LOW_HZ) / (rows - 1)) - 1.0), width_hz)
    weights = np.clip(1.0 - np.abs(bins - centres[:, None]) / half[:, None], 0.0, None)
    return csr_array((weights / weights.max(axis=1, keepdims=True)).astype(np.float32))
