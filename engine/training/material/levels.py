"""The gain grid and loudness of mono stems at 44.1 kHz, fast enough to make training scenes."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import sosfilt

from ... import roles
from ...highlight import config

STEMS = roles.STEMS
SAMPLE_RATE = config.MODEL_RATE
HOP = config.HOP
CENTRE = 512  # sample of a window on which its gain frame 0 is centred
SILENCE_LUFS = -70.0

Array = NDArray[np.float32]

frames_of = config.frames_of  # gain frames are spectrogram frames


def gain_samples(curve_db: NDArray[np.floating[Any]], samples: int) -> Array:
    """Linear gain (…, samples) of a curve (…, frames) in dB, straight in dB between frames."""
    curve = np.asarray(curve_db, np.float32)
    frames = curve.shape[-1]
    ramp = np.arange(HOP, dtype=np.float32) / HOP
    decibels = np.empty((*curve.shape[:-1], frames * HOP), np.float32)
    decibels[..., :CENTRE] = curve[..., :1]
    inner = curve[..., :-1, None] + (curve[..., 1:] - curve[..., :-1])[..., None] * ramp
    decibels[..., CENTRE : CENTRE + (frames - 1) * HOP] = inner.reshape(*curve.shape[:-1], -1)
    decibels[..., CENTRE + (frames - 1) * HOP :] = curve[..., -1:]
    decibels = decibels[..., :samples]
    decibels *= np.float32(math.log(10.0) / 20.0)
    return np.asarray(np.exp(decibels, out=decibels))


def apply_gain(stems: Array, curve_db: NDArray[np.floating[Any]]) -> Array:
    """Stems (…, samples) under gain curves in dB (…, frames)."""
    if np.all(curve_db == curve_db[..., :1]):
        return np.asarray(stems * np.power(10.0, curve_db[..., :1] / 20.0).astype(np.float32))
    return stems * gain_samples(curve_db, stems.shape[-1])


def frame_power(x: Array) -> NDArray[np.float64]:
    """Mean square of each hop of 1024 samples, (…, samples) -> (…, frames)."""
    frames = frames_of(x.shape[-1])
    whole = x.shape[-1] // HOP * HOP
    power = np.zeros((*x.shape[:-1], frames))
    body = x[..., :whole].reshape(*x.shape[:-1], -1, HOP)
    power[..., : body.shape[-2]] = np.einsum("...i,...i->...", body, body) / HOP
    if whole < x.shape[-1]:
        rest = x[..., whole:]
        power[..., -1] = np.einsum("...i,...i->...", rest, rest) / rest.shape[-1]
    return power


def decibels(power: NDArray[np.floating[Any]] | float) -> NDArray[np.float64]:
    """10·log10 of a power, floored at -120 dB."""
    return np.asarray(10.0 * np.log10(np.maximum(power, 1e-12)), np.float64)


@cache
def k_weighting(rate: int) -> NDArray[np.float64]:
    """Second-order sections of BS.1770's K-weighting at any rate, by bilinear transform."""
    k = math.tan(math.pi * 1681.974450955533 / rate)
    high, q = 10.0 ** (3.999843853973347 / 20.0), 0.7071752369554196
    band = high**0.4996667741545416
    a0 = 1.0 + k / q + k * k
    shelf = [
        (high + band * k / q + k * k) / a0,
        2.0 * (k * k - high) / a0,
        (high - band * k / q + k * k) / a0,
        1.0,
        2.0 * (k * k - 1.0) / a0,
        (1.0 - k / q + k * k) / a0,
    ]
    k, q = math.tan(math.pi * 38.13547087602444 / rate), 0.5003270373238773
    a0 = 1.0 + k / q + k * k
    low_cut = [1.0, -2.0, 1.0, 1.0, 2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0]
    return np.array([shelf, low_cut])


def loudness(x: Array, rate: int = SAMPLE_RATE) -> float:
    """Integrated loudness (BS.1770-4) in LUFS of a mono signal (samples,); -inf: silence."""
    step = round(0.1 * rate)
    steps = x.shape[-1] // step
    if steps < 4 or not np.any(x):
        return -math.inf
    weighted = sosfilt(k_weighting(rate), x[: steps * step].astype(np.float64))
    tenths = np.einsum("ij,ij->i", weighted.reshape(steps, step), weighted.reshape(steps, step)) / step
    blocks = (tenths[:-3] + tenths[1:-2] + tenths[2:-1] + tenths[3:]) / 4.0
    loud = blocks[blocks > 10.0 ** ((SILENCE_LUFS + 0.691) / 10.0)]
    if not loud.size:
        return -math.inf
    loud = loud[loud > np.mean(loud) * 0.1]
    return float(-0.691 + 10.0 * math.log10(float(np.mean(loud))))


def stem_loudness(stems: Array) -> NDArray[np.float64]:
    """Integrated loudness in LUFS of each stem (stems, samples) -> (stems,)."""
    return np.array([loudness(stem) for stem in stems])
