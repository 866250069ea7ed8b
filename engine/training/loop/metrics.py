"""VisAH's waveform metrics MAG, ENV and W-dis, level-matched variants and SI-SDR, for mono at 44.1 kHz."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft
from scipy.signal import hilbert

from ...errors import TrainingError
from ..material.levels import loudness

NAMES = ("MAG", "ENV", "W")
_SIZE, _WINDOW, _HOP = 2048, 1764, 441

Signal = NDArray[np.floating[Any]]


def _pair(predicted: Signal, target: Signal) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    a, b = np.asarray(predicted, np.float64), np.asarray(target, np.float64)
    if a.ndim != 1 or a.shape != b.shape or a.size <= _SIZE // 2:
        raise TrainingError(
            f"Metrics compare two mono signals of the same length, longer than 1024 samples; "
            f"got {a.shape} and {b.shape}."
        )
    return a, b


def _amplitudes(x: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Amplitude spectra, 256 frames at a time: 40 ms Hann windows every 10 ms, reflected at the edges."""
    window = np.zeros(_SIZE)
    start = (_SIZE - _WINDOW) // 2
    window[start : start + _WINDOW] = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(_WINDOW) / _WINDOW)
    padded = np.pad(x, _SIZE // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _SIZE)[::_HOP]
    for first in range(0, frames.shape[0], 256):
        spectrum = rfft(frames[first : first + 256] * window, axis=-1)
        yield np.sqrt(spectrum.real**2 + spectrum.imag**2 + 1e-8)


def mag(predicted: Signal, target: Signal) -> float:
    """MAG: mean absolute difference of amplitude spectra (VisAH's released metric) of signals (samples,).

    n_fft 2048, window 1764, hop 441, amplitude sqrt(re² + im² + 1e-8). Lower is better; the paper's tables
    show 100 times this.
    """
    a, b = _pair(predicted, target)
    total, count = 0.0, 0
    for x, y in zip(_amplitudes(a), _amplitudes(b), strict=True):
        total += float(np.sum(np.abs(x - y)))
        count += x.size
    return total / count


def env(predicted: Signal, target: Signal) -> float:
    """ENV: root mean square difference of the Hilbert envelopes of signals (samples,), per clip."""
    a, b = _pair(predicted, target)
    return float(np.sqrt(np.mean((np.abs(hilbert(a)) - np.abs(hilbert(b))) ** 2)))


def w_dis(predicted: Signal, target: Signal) -> float:
    """W-dis: Wasserstein distance of the sample values of signals (samples,), blind to their order."""
    a, b = _pair(predicted, target)
    return float(np.mean(np.abs(np.sort(a) - np.sort(b))))


def si_sdr(predicted: Signal, target: Signal) -> float:
    """Scale-invariant signal-to-distortion ratio in dB; nan for a silent target."""
    a, b = _pair(predicted, target)
    energy = float(np.dot(b, b))
    if energy <= 0.0:
        return math.nan
    projected = float(np.dot(a, b)) / energy * b
    error = a - projected
    signal, noise = float(np.dot(projected, projected)), float(np.dot(error, error))
    if signal <= 1e-20 * energy:
        return -math.inf
    return math.inf if noise <= 1e-20 * signal else 10.0 * math.log10(signal / noise)


def sdr(predicted: Signal, target: Signal) -> float:
    """Signal-to-distortion ratio in dB: target energy over error energy; nan for a silent target."""
    a, b = _pair(predicted, target)
    signal, noise = float(np.dot(b, b)), float(np.dot(a - b, a - b))
    if signal <= 0.0:
        return math.nan
    return math.inf if noise <= 1e-20 * signal else 10.0 * math.log10(signal / noise)


def match_loudness(predicted: Signal, target: Signal) -> Signal:
    """The prediction at the target's integrated loudness; unchanged where either is silent."""
    wanted, found = loudness(np.asarray(target, np.float32)), loudness(np.asarray(predicted, np.float32))
    if not (math.isfinite(wanted) and math.isfinite(found)):
        return predicted
    return np.asarray(predicted * 10.0 ** ((wanted - found) / 20.0))


def measure(predicted: Signal, target: Signal, matched: bool = True) -> dict[str, float]:
    """MAG, ENV and W of a prediction (samples,), and as "…_matched" once at the target's loudness."""
    metrics = {
        "MAG": mag(predicted, target),
        "ENV": env(predicted, target),
        "W": w_dis(predicted, target),
    }
    if matched:
        levelled = measure(match_loudness(predicted, target), target, matched=False)
        metrics |= {f"{name}_matched": value for name, value in levelled.items()}
    return metrics


def improvement(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """How much smaller each distance became, in %: 100 is perfect, 0 no change, below 0 worse.

    Both are mean distances over the same clips, as in the paper's Table 1. nan where there was nothing to
    improve.
    """
    return {
        name: 100.0 * (1.0 - after[name] / value) if value > 0.0 else math.nan
        for name, value in before.items()
        if name in after
    }
