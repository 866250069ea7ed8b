"""The spectrogram front end in numpy: what a network sees, and masks applied at any sample rate, as a stream."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .config import BINS, HOP, MODEL_RATE, N_FFT, frames_of

Array = NDArray[np.float32]
PAD = HOP // 2 * 3


def hann(size: int) -> Array:
    """Periodic Hann window of `size` samples."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)


def magnitudes(x: Array) -> Array:
    """What a network sees of a window (L,) at 44.1 kHz: (2048, T) unnormalised magnitudes, T = ceil(L/1024).

    Frame k is centred at sample 1024·k + 512; the ends are mirrored; the Nyquist bin is dropped (spec: Hybrid Demucs
    front end, without its normalisation).
    """
    from scipy.fft import rfft

    frames = frames_of(x.shape[-1])
    padded = np.pad(x, (PAD, PAD + frames * HOP - x.shape[-1]), mode="reflect")
    segments = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP]
    spectrum = rfft(segments * hann(N_FFT), axis=-1)[:, :BINS]
    return np.ascontiguousarray(np.abs(spectrum).astype(np.float32).T)


def transform_size(rate: int) -> int:
    """STFT size at a sample rate that keeps the model's 93 ms: a power of two near 4096 · rate / 44100."""
    return 2 ** max(6, round(math.log2(N_FFT * rate / MODEL_RATE)))


class FrequencyMap:
    """Reads model masks (…, 2048) at the bins of another transform (…, bins), linearly between neighbours."""

    def __init__(self, rate: int) -> None:
        size = transform_size(rate)
        place = np.arange(size // 2 + 1) * (rate / size) / (MODEL_RATE / N_FFT)
        place = np.minimum(place, BINS - 1)
        self.low = np.floor(place).astype(np.intp)
        self.high = np.minimum(self.low + 1, BINS - 1)
        self.weight = (place - self.low).astype(np.float32)
        self.identical = size == N_FFT and rate == MODEL_RATE

    def __call__(self, masks: Array) -> Array:
        """Masks (…, 2048) at the other transform's bins (…, bins)."""
        low = masks[..., self.low]
        if self.identical:
            return low
        return low + self.weight * (masks[..., self.high] - low)


class MaskedStems:
    """Applies time-varying masks to sound at its own rate, block by block, without an edge anywhere.

    Feed sound with `push` and finished mask frames with `masks`; `pull` returns the sound (channels, n) and the
    masked signals (S, channels, n) that are complete. Masks are on the model's grid; between its frames and bins
    they are read linearly, so masks that sum to one still do.
    """

    def __init__(self, rate: int, channels: int, signals: int) -> None:
        self.rate, self.channels, self.signals = rate, channels, signals
        self.size = transform_size(rate)
        self.hop = self.size // 4
        # With this lead frame j is centred at (j - 3/2)·hop, which is the model's own grid at 44.1 kHz, and the
        # first sample lies under four frames like every other.
        self.lead = self.hop * 7 // 2
        self.map = FrequencyMap(rate)
        self._window = hann(self.size)
        self._padded = np.zeros((channels, self.lead), np.float32)
        self._dry = np.zeros((channels, 0), np.float32)
        self._wet = np.zeros((signals, channels, 0), np.float32)
        self._tail = np.zeros((signals, channels, self.size - self.hop), np.float32)
        self._skip = self.lead
        self._masks = np.zeros((signals, 0, BINS), np.float32)
        self._mask_start = 0  # model frame of the first row held
        self._frame = 0  # next transform frame
        self._pushed = 0

    def push(self, block: Array) -> None:
        """Take in sound (channels, n)."""
        self._padded = np.concatenate([self._padded, block], axis=1)
        self._dry = np.concatenate([self._dry, block], axis=1)
        self._pushed += block.shape[1]

    def extend(self, masks: Array) -> None:
        """Take in the next finished mask frames (S, 2048, k)."""
        self._masks = np.concatenate([self._masks, masks.transpose(0, 2, 1)], axis=1)

    def pull(self, last: bool = False) -> tuple[Array, Array]:
        """What is complete: sound (channels, n) and masked signals (S, channels, n); all the rest when `last`.

        At the end the last mask frame holds for what lies beyond it.
        """
        ready = self._frames_left() if last else self._frames_ready()
        if last:
            missing = max(0, (ready - 1) * self.hop + self.size - self._padded.shape[1])
            self._padded = np.pad(self._padded, ((0, 0), (0, missing)))
        while ready > 0:
            count = min(ready, 64)
            self._wet = np.concatenate([self._wet, self._transform(count)], axis=2)
            ready -= count
        if self._skip:
            dropped = min(self._skip, self._wet.shape[2])
            self._wet = self._wet[:, :, dropped:]
            self._skip -= dropped
        n = min(self._wet.shape[2], self._dry.shape[1])
        dry, wet = self._dry[:, :n], self._wet[:, :, :n]
        self._dry, self._wet = self._dry[:, n:], self._wet[:, :, n:]
        return dry, wet

    def _frames_left(self) -> int:
        return max(0, (self._pushed - 1 + self.lead) // self.hop + 1 - self._frame)

    def _frames_ready(self) -> int:
        """Transform frames whose sound and masks are both here."""
        if not self._masks.shape[1]:
            return 0
        by_sound = (self._padded.shape[1] - self.size) // self.hop + 1
        newest = self._mask_start + self._masks.shape[1] - 1
        centre = (newest * HOP + HOP / 2) / MODEL_RATE * self.rate
        by_masks = math.floor(centre / self.hop + 1.5) + 1 - self._frame
        return max(0, min(by_sound, by_masks))

    def _transform(self, count: int) -> Array:
        """The next `count` transform frames, as (S, channels, count·hop) samples nothing more will be added to."""
        from scipy.fft import irfft, rfft

        segments = np.lib.stride_tricks.sliding_window_view(self._padded, self.size, axis=1)
        spectrum = rfft(segments[:, : count * self.hop : self.hop] * self._window, axis=-1)
        masks = self._mask_rows(count)
        out = np.empty((self.signals, self.channels, count * self.hop), np.float32)
        for s in range(self.signals):
            # Squared Hann windows a quarter apart sum to 3/2.
            parts = irfft(spectrum * masks[s], n=self.size, axis=-1) * (self._window / np.float32(1.5))
            parts = parts.reshape(self.channels, count, 4, self.hop)
            line = np.zeros((self.channels, count + 3, self.hop), np.float32)
            line[:, :3] = self._tail[s].reshape(self.channels, 3, self.hop)
            for j in range(4):
                line[:, j : j + count] += parts[:, :, j]
            out[s] = line[:, :count].reshape(self.channels, -1)
            self._tail[s] = line[:, count:].reshape(self.channels, -1)
        self._padded = self._padded[:, count * self.hop :]
        self._frame += count
        return out

    def _mask_rows(self, count: int) -> Array:
        """Masks (S, count, bins) at the next transform frames."""
        centres = (np.arange(self._frame, self._frame + count) - 1.5) * self.hop / self.rate
        place = (centres * MODEL_RATE - HOP / 2) / HOP - self._mask_start
        place = np.clip(np.round(place, 9), 0, self._masks.shape[1] - 1)
        low = np.floor(place).astype(np.intp)
        high = np.minimum(low + 1, self._masks.shape[1] - 1)
        weight = (place - low).astype(np.float32)[None, :, None]
        rows = self._masks[:, low]
        if weight.any():
            rows = rows + weight * (self._masks[:, high] - rows)
        done = max(0, int(low[-1]) - 1)
        self._masks = self._masks[:, done:]
        self._mask_start += done
        return self.map(rows)


class GainRamps:
    """Gain curves in dB on the model's grid, read as linear gains at any sample rate, block by block.

    Straight lines in dB between frame centres; the first and last values hold beyond them.
    """

    def __init__(self, rate: int, curves: int) -> None:
        self.rate = rate
        self._curves = np.zeros((curves, 0), np.float32)
        self._start = 0
        self._sample = 0

    def extend(self, gains_db: Array) -> None:
        """Take in the next frames (curves, k) in dB."""
        self._curves = np.concatenate([self._curves, gains_db], axis=1)

    def pull(self, samples: int) -> Array:
        """Linear gains (curves, samples) for the next samples; exactly 1 where the curve is 0 dB."""
        if not samples:
            return np.zeros((self._curves.shape[0], 0), np.float32)
        index = np.arange(self._sample, self._sample + samples)
        place = (index * (MODEL_RATE / self.rate) - HOP / 2) / HOP - self._start
        # Only what the samples lie between: a whole programme's curves may be held, and are read block by block.
        first = min(max(0, int(place[0])), max(0, self._curves.shape[1] - 1))
        frames = np.arange(first, min(int(place[-1]) + 2, self._curves.shape[1]))
        rows = [np.interp(place, frames, curve[first:][: frames.size]) for curve in self._curves]
        self._sample += samples
        done = max(0, min(int(place[-1]) - 1, self._curves.shape[1] - 2))
        self._curves = self._curves[:, done:]
        self._start += done
        return np.power(10.0, np.stack(rows) / 20).astype(np.float32)
