"""The programme's level, found by measuring: one gain for all of it, and dips where its peaks would be too high."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..media.layout import Layout
from ..media.loudness import Meter
from ..media.truepeak import AFTER, BEFORE, TAPS, Interpolator, oversampling
from ..passage import Loudness
from ..programme.loudness import Figures, Gauge
from ..progress import Progress
from ..roles import DIALOGUE, STEMS
from .config import HOP, MODEL_RATE

Array = NDArray[np.float32]

_SPEECH = STEMS.index(DIALOGUE.stem)
_CLOSE = 0.02  # LU from the target that is near enough
_STEPS = 12
_LEAST_YIELD = 0.1
_PEAK_MARGIN = 0.05  # dB that a dip goes below the ceiling: hosts draw curves a little differently
_PEAK_TOLERANCE = 0.01  # dB: below what a true-peak meter can tell
# A dip is held for a tenth of a second around its peak and eased in and out over another half, as a hand would.
_HOLD, _EASE = 5, 21  # frames


@dataclass(frozen=True)
class Sum:
    """All that sounds: `blocks` gives (4, channels, n) at `rate`, again and again: three stems, and what stays put."""

    name: str
    rate: int
    samples: int
    layout: Layout
    blocks: Callable[[], Iterator[Array]]


@dataclass(frozen=True)
class Aim:
    """What the level is to be: `lufs` of the sum (None: as it comes), with true peaks up to `ceiling` dBTP.

    `keep` means the loudness before, whatever it is; a peak that was there before may stay. With `dialogue` the figure
    is that of the mix while somebody speaks, unless that is less than `least_speech` of the time, when the whole is
    to be at `sparse`.
    """

    lufs: float | None = None
    keep: bool = False
    ceiling: float = 0.0
    dialogue: bool = False
    least_speech: float = 0.0
    sparse: float | None = None

    def missing(self, figures: Figures, before: Loudness) -> float:
        """The gain in dB that would meet it; 0 where there is nothing to meet or only silence."""
        level, target = figures.loudness.integrated, before.integrated if self.keep else self.lufs
        if self.dialogue and figures.dialogue is not None:
            spoken = figures.speech > self.least_speech
            level, target = (figures.dialogue, self.lufs) if spoken else (level, self.sparse or self.lufs)
        missing = 0.0 if target is None else target - level
        return missing if math.isfinite(missing) else 0.0


@dataclass(frozen=True)
class Levelled:
    """The gain to add to all curves (T) in dB, and the sum's figures before and after.

    `gain_db` is what of it is one gain for all, `deepest` the deepest dip in dB (0 or less), `reached` whether the aim
    was met.
    """

    added: Array
    gain_db: float
    deepest: float
    before: Loudness
    after: Loudness
    reached: bool


def level(what: Sum, gains: Array, aim: Aim, progress: Progress) -> Levelled:
    """Find the gain and the dips for stems under `gains` (3, T) dB; raises MediaError and Cancelled."""
    meter = Meter(what.rate, what.layout.channels, what.layout)
    figures, moves_all = _measured(what, gains, aim, progress, meter)
    before = meter.result()
    # Without a figure to meet, a peak that came in may stay; a curve never makes a higher one.
    ceiling = aim.ceiling if aim.lufs is not None else max(aim.ceiling, before.true_peak)
    gain, dips = 0.0, np.zeros(gains.shape[1], np.float32)
    yields, last = 1.0, (0.0, 0.0)  # dB of loudness for a dB of gain: less where a part stays as it is
    for _ in range(_STEPS):
        missing = aim.missing(figures, before)
        close, over = abs(missing) < _CLOSE, figures.loudness.true_peak - ceiling
        if close and over <= _PEAK_TOLERANCE:
            break
        if not close:
            step, was_missing = last
            yields = min(max((was_missing - missing) / step, _LEAST_YIELD), 1.0) if step else yields
            step = missing / yields
            last = step, missing
            gain += step
            if moves_all:  # one gain for all that sounds only shifts the figures
                figures = _shifted(figures, step)
                continue
        else:
            dips = dips + _dips(_peaks(what, gains + gain + dips, progress), ceiling)
        figures, moves_all = _measured(what, gains + gain + dips, aim, progress)
    reached = abs(aim.missing(figures, before)) < 0.1 and figures.loudness.true_peak <= ceiling + 0.1
    added = (gain + dips).astype(np.float32)
    return Levelled(added, gain, float(dips.min(initial=0.0)), before, figures.loudness, reached)


def _shifted(figures: Figures, db: float) -> Figures:
    """The figures of the same sound under one more gain; the loudness range stays."""
    names = ("integrated", "true_peak", "momentary_max", "short_term_max")
    loudness = replace(figures.loudness, **{name: getattr(figures.loudness, name) + db for name in names})
    dialogue = None if figures.dialogue is None else figures.dialogue + db
    return replace(figures, loudness=loudness, dialogue=dialogue)


def _dips(peaks: Array, ceiling: float) -> Array:
    """Gains (T) of 0 dB or less that bring peaks (T) in dBTP under the ceiling, moving as a hand would."""
    needed = np.minimum(ceiling - _PEAK_MARGIN - peaks, 0.0)
    if not needed.any():
        return np.zeros_like(peaks)
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    held = minimum_filter1d(needed, 2 * (_HOLD + _EASE) + 1, mode="nearest")
    # A mean of what is held at least as long as itself is never above what is needed.
    eased = uniform_filter1d(held, _EASE, mode="nearest")
    return np.minimum(uniform_filter1d(eased, _EASE, mode="nearest"), 0.0).astype(np.float32)


def _measured(
    what: Sum, gains: Array, aim: Aim, progress: Progress, before: Meter | None = None
) -> tuple[Figures, bool]:
    """The sum's figures under gains (3, T), and whether all that sounds is under them.

    Its dialogue is measured as far as the aim asks for it; `before` takes in the sum without gains.
    """
    after = Gauge(what.rate, what.layout, what.layout if aim.dialogue else None)
    moves_all = True
    for stems, block in _ridden(what, gains, progress):
        after.push((stems.sum(axis=0, dtype=np.float64) + block[-1]).astype(np.float32), stems[_SPEECH])
        if before is not None:
            before.push(block.sum(axis=0, dtype=np.float64).astype(np.float32))
        moves_all = moves_all and not block[-1].any()
    return after.result(), moves_all


def _peaks(what: Sum, gains: Array, progress: Progress) -> Array:
    """The sum's highest true peak (T) in dBTP per frame under gains (3, T)."""
    peaks = _Peaks(what.rate, what.layout.channels, gains.shape[1])
    for stems, block in _ridden(what, gains, progress):
        peaks.push((stems.sum(axis=0, dtype=np.float64) + block[-1]).astype(np.float32))
    return peaks.result()


def _ridden(what: Sum, gains: Array, progress: Progress) -> Iterator[tuple[Array, Array]]:
    """The stems (3, channels, n) under their gains, and the block they are of."""
    from .spectral import GainRamps

    ramps = GainRamps(what.rate, len(gains))
    ramps.extend(gains)
    done = 0
    for block in what.blocks():
        yield block[: len(gains)] * ramps.pull(block.shape[2])[:, None], block
        done += block.shape[2]
        progress.report("loudness", what.name, done / what.rate, what.samples / what.rate)


class _Peaks:
    """The highest true peak of every frame of the model's grid, over all channels."""

    def __init__(self, rate: int, channels: int, frames: int) -> None:
        self._rate, self._at = rate, 0
        self._interpolator = Interpolator(oversampling(rate))
        self._recent = np.zeros((channels, TAPS - 1), np.float32)
        self._highest = np.zeros(frames, np.float32)

    def push(self, mixed: Array) -> None:
        """Take in sound (channels, n)."""
        if not self._highest.size:
            return
        padded = np.concatenate([self._recent, mixed], axis=1)
        self._recent = padded[:, padded.shape[1] - TAPS + 1 :].copy()
        between = self._interpolator.between(padded)
        # Sample i + BEFORE of what was padded lies before the value between i + BEFORE and the next one.
        own = np.abs(padded[:, BEFORE : BEFORE + between.shape[1]])
        highest = np.maximum(between, own).max(axis=0)
        first = self._at - AFTER
        index = (np.arange(first, first + highest.size) * (MODEL_RATE / self._rate) / HOP).astype(np.intp)
        np.maximum.at(self._highest, np.clip(index, 0, self._highest.size - 1), highest)
        self._at += mixed.shape[1]

    def result(self) -> Array:
        """Peaks (T) in dBTP."""
        levels: Array = (20 * np.log10(np.maximum(self._highest, 1e-9))).astype(np.float32)
        return levels
