"""Signs of speech, music and effects in a window of sound: where a network's masks put it, and how it moves.

The signs are those that speech and music have long been told apart by: syllables modulate at 3 to 8 Hz and pause
(Scheirer & Slaney, "Construction and evaluation of a robust multifeature speech/music discriminator", 1997), voices
glide where notes hold and step, partials stay where they are, beats return.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft
from scipy.ndimage import maximum_filter1d

from ..roles import DIALOGUE, EFFECTS, MUSIC, STEMS
from .config import BINS, HOP, MODEL_RATE, N_FFT

Array = NDArray[np.float32]
Values = NDArray[np.float64]

FRAME_RATE = MODEL_RATE / HOP  # 43 frames in a second
_LOWEST, _SHELF = 60.0, 1500.0  # Hz: rumble counts little, and what ears hear well counts more
_RANGE = 40.0  # dB below a window's loud frames that count
_PAUSE = 20.0  # dB below them where nothing is said
_QUARTER = 11  # frames
_VOICE = (75.0, 400.0)  # Hz, fundamentals of voices
_TINY = 1e-12

NAMES = (
    *(f"{kind} {stem}" for kind in ("share", "lead", "part") for stem in STEMS),
    *(f"{kind} {stem}" for kind in ("at most", "often", "top") for stem in STEMS),
    *(f"syllables {stem}" for stem in STEMS),
    *(f"together {pair}" for pair in ("speech-music", "speech-effects", "music-effects")),
    *(f"under speech {stem}" for stem in STEMS if stem != DIALOGUE.stem),
    *(f"under music {stem}" for stem in STEMS if stem != MUSIC.stem),
    *(f"under effects {stem}" for stem in STEMS if stem != EFFECTS.stem),
    *("pauses", "syllables", "spread", "sounding"),
    *("voiced", "glide", "hold", "pitch range"),
    *("flat", "tones", "tones that stay", "flux", "flux spread", "centre", "centre spread", "high"),
    *("beat", "onsets"),
)


def stem_power(magnitudes: Array, masks: Array) -> Values:
    """The weighted power (3, T) of each stem by magnitudes (2048, T) and masks (3, 2048, T)."""
    spectrum = np.square(magnitudes, dtype=np.float64) * _weights()[:, None]
    power: Values = (masks * spectrum).sum(axis=1)
    return power


def signs(magnitudes: Array, stems: Values) -> Values:
    """The signs (len(NAMES),) of a window by its magnitudes (2048, T) and stems' power (3, T), in no common unit."""
    frames = stems.sum(axis=0) + _TINY
    loud = np.percentile(frames, 95)
    active = frames > loud * 10 ** (-_RANGE / 10)
    return np.concatenate(
        [
            _shares(stems, frames, active),
            _moments(stems),
            [_syllables(row) for row in stems],
            _together(stems, loud),
            *(_under(stems, first) for first in range(3)),
            _envelope(frames, active),
            _voice(magnitudes, active),
            _colour(magnitudes, active),
            _rhythm(magnitudes),
        ]
    )


def _weights() -> Values:
    """Weights (2048,) of power per bin: about what K-weighting does (ITU-R BS.1770)."""
    f = np.square(np.arange(BINS) * MODEL_RATE / N_FFT)
    low, shelf = _LOWEST**2, _SHELF**2
    weights: Values = np.square(f / (f + low)) * (1 + 1.5 * f / (f + shelf))
    return weights


def _db(power: Values) -> Values:
    out: Values = 10 * np.log10(power + _TINY)
    return out


def _shares(stems: Values, frames: Values, active: NDArray[np.bool_]) -> Values:
    """Of each stem its power in dB below all, the frames that it leads, and its mean part of a frame."""
    part = stems[:, active] / frames[active]
    share = np.maximum(_db(stems.sum(axis=1) / frames.sum()), -_RANGE)
    return np.concatenate([share, (part > 0.5).mean(axis=1), part.mean(axis=1)])


def _moments(stems: Values) -> Values:
    """Of each stem its part of a quarter of a second that few exceed, and some; its own top, in dB below that of all.

    What sounds only now and then is little of the whole.
    """
    blocks = stems[:, : stems.shape[1] // _QUARTER * _QUARTER].reshape(3, -1, _QUARTER).sum(axis=2) + _TINY
    total = blocks.sum(axis=0)
    part = (blocks / total)[:, total > np.percentile(total, 95) * 1e-3]
    tops = _db(np.percentile(blocks, 97, axis=1)) - _db(np.percentile(total, 97))
    return np.concatenate([np.percentile(part, 95, axis=1), np.percentile(part, 80, axis=1), tops])


def _levels(power: Values, loud: float) -> Values:
    """An envelope in dB below what is loud, no further than the range."""
    return np.clip(_db(power / (loud + _TINY)), -_RANGE, 10.0)


def _syllables(power: Values) -> float:
    """The part of an envelope's movement (1 to 16 Hz) that lies between 3 and 8 Hz."""
    envelope = _levels(power, float(np.percentile(power, 95)))
    moves = np.square(np.abs(rfft((envelope - envelope.mean()) * np.hanning(envelope.size))))
    f = np.arange(moves.size) * FRAME_RATE / envelope.size
    return float(moves[(f >= 3) & (f < 8)].sum() / (moves[(f >= 1) & (f < 16)].sum() + _TINY))


def _together(stems: Values, loud: float) -> Values:
    """Correlation of pairs of stems' levels: what only leaks into another stem goes with it."""
    levels = np.array([_levels(row, loud) for row in stems])
    levels -= levels.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.square(levels).sum(axis=1)) + 1e-3
    return np.array([(levels[a] @ levels[b]) / (spread[a] * spread[b]) for a, b in ((0, 1), (0, 2), (1, 2))])


def _under(stems: Values, first: int) -> Values:
    """How loud the other stems are where `first` pauses, in dB below what is loud in it."""
    loud = float(np.percentile(stems[first], 95))
    pauses = stems[first] < loud * 10 ** (-_PAUSE / 10)
    others = [row for index, row in enumerate(stems) if index != first]
    if pauses.mean() < 0.03:
        pauses = stems[first] <= np.percentile(stems[first], 5)
    return np.array([np.clip(_db(row[pauses].mean() / (loud + _TINY)), -60.0, 40.0) for row in others])


def _envelope(frames: Values, active: NDArray[np.bool_]) -> Values:
    loud = float(np.percentile(frames, 95))
    levels = _levels(frames, loud)
    return np.array([(levels < -_PAUSE).mean(), _syllables(frames), levels[active].std(), active.mean()])


def _voice(magnitudes: Array, active: NDArray[np.bool_]) -> Values:
    """How much is voiced (cepstral peak, Noll 1967), how its pitch glides, holds and ranges, in semitones."""
    log = np.log(np.square(magnitudes[: BINS // 4 + 1].astype(np.float64)) + 1e-6)  # up to 5.5 kHz
    log -= maximum_filter1d(log, 129, axis=0)
    log = np.maximum(log, -8.0)
    log -= log.mean(axis=0)
    cepstrum = irfft(log * np.hanning(2 * log.shape[0])[log.shape[0] :, None], axis=0)
    rate = MODEL_RATE / 4
    first, last = int(rate / _VOICE[1]), int(rate / _VOICE[0])
    stretch = cepstrum[first : last + 1]
    peak = stretch.max(axis=0) / (np.abs(stretch).mean(axis=0) + 1e-9)
    pitch = 12 * np.log2(1.0 / (first + stretch.argmax(axis=0)))
    voiced = (peak > 4.5) & active
    steps = np.abs(np.diff(pitch))[voiced[1:] & voiced[:-1]]
    near = steps[steps < 2.5]
    if near.size < 8:
        return np.array([voiced.sum() / max(1, active.sum()), 0.3, 0.5, 0.0])
    return np.array(
        [
            voiced.sum() / max(1, active.sum()),
            near.mean(),
            (steps < 0.05).mean(),
            np.subtract(*np.percentile(pitch[voiced], [90, 10])),
        ]
    )


def _colour(magnitudes: Array, active: NDArray[np.bool_]) -> Values:
    """Noise or tones, tones that stay, how the spectrum moves, and where it lies."""
    power = np.square(magnitudes[6:1500].astype(np.float64)) + 1e-7
    log = np.log(power)
    flat = np.exp(log.mean(axis=0)) / power.mean(axis=0)
    tones = (log == maximum_filter1d(log, 7, axis=0)) & (log > _smooth(log) + 2.3)
    wide = maximum_filter1d(tones.astype(np.int8), 3, axis=0).astype(bool)
    hold = 6  # frames: 140 ms
    kept = tones[:, :-hold] & wide[:, hold // 2 : -hold // 2] & wide[:, hold:]
    seen = tones[:, :-hold][:, active[:-hold]].sum()
    bands = np.sqrt(np.add.reduceat(power, np.unique(np.geomspace(1, 1494, 28).astype(int)) - 1, axis=0))
    unit = bands / (np.linalg.norm(bands, axis=0) + 1e-9)
    flux = 1 - (unit[:, 1:] * unit[:, :-1]).sum(axis=0)
    flux = flux[active[1:]]
    place = np.log2(np.arange(6, 1500))[:, None]
    centre = ((place * power).sum(axis=0) / power.sum(axis=0))[active]
    high = power[365:].sum(axis=0)[active].sum() / (power[:, active].sum() + _TINY)
    return np.array(
        [
            np.log(flat[active] + 1e-6).mean(),
            tones[:, active].mean() * 100,
            kept[:, active[:-hold]].sum() / max(1, seen),
            np.log(flux.mean() + 1e-4),
            flux.std(),
            centre.mean(),
            centre.std(),
            np.log(high + 1e-5),
        ]
    )


def _smooth(log: Values) -> Values:
    """Running means over 31 bins."""
    total = np.cumsum(np.pad(log, ((16, 15), (0, 0)), mode="edge"), axis=0)
    smooth: Values = (total[31:] - total[:-31]) / 31
    return smooth


def _rhythm(magnitudes: Array) -> Values:
    """How strongly onsets return between 0.25 and 1.2 s, and how strong they are."""
    log = np.log(magnitudes[4:1500:2].astype(np.float64) + 1e-3)
    onset = np.maximum(np.diff(log, axis=1), 0).mean(axis=0)
    onset = onset - onset.mean()
    n = onset.size
    spectrum = np.square(np.abs(rfft(onset, 2 * n)))
    lags = irfft(spectrum)[: n // 2] / (n - np.arange(n // 2)) * n
    lags /= lags[0] + _TINY
    first, last = int(0.25 * FRAME_RATE), int(1.2 * FRAME_RATE)
    return np.array([lags[first:last].max(), onset.std()])
