"""Loudness and true peak by ITU-R BS.1770-4, EBU R 128, Tech 3341 and Tech 3342, streaming."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingsError
from ..passage import Loudness
from .layout import Layout
from .truepeak import AFTER, TAPS, Interpolator, oversampling

Block = NDArray[np.float32]
Energies = NDArray[np.float64]

_ABSOLUTE_GATE = -70.0
_RELATIVE_GATE = 10.0
_RANGE_GATE = 20.0
# Energies are summed over 10 ms; gating blocks start every 100 ms, the maxima slide by 10 ms.
_PER_SECOND = 100
_HOP = 10
_MOMENTARY = 40
_SHORT_TERM = 300
_CHUNK = 1 << 15


def _k_weighting(sample_rate: int) -> Energies:
    """The two K-weighting biquads at any rate as second-order sections, from pyloudnorm's derivation by De Man."""
    import pyloudnorm  # not before somebody measures: it takes a second

    stages = (
        pyloudnorm.IIRfilter(
            3.99984385397, 0.7071752369554193, 1681.9744509555319, sample_rate, "high_shelf_DeMan"
        ),
        pyloudnorm.IIRfilter(0.0, 0.5003270373253953, 38.13547087613982, sample_rate, "high_pass_DeMan"),
    )
    return np.array([[*stage.b, *stage.a] for stage in stages])


class KWeighting:
    """BS.1770's K-weighting of sound as it comes, blocks (channels, n) at `sample_rate`, every channel alike."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._sections = _k_weighting(sample_rate)
        self._state = np.zeros((2, channels, 2))

    def process(self, block: Block) -> Energies:
        """The next samples weighted, (channels, n)."""
        from scipy.signal import sosfilt

        weighted: Energies
        weighted, self._state = sosfilt(self._sections, block.astype(np.float64), axis=1, zi=self._state)
        return weighted


class Meter:
    """Measures sound as it comes, blocks (channels, n) of float32 in any sizes; memory 80 bytes per 100 ms.

    Without a layout it is what so many channels are (`Layout.of_count`). Only whole gating blocks count: less than
    0.4 s has no loudness (-inf), less than 3 s no range (0 LU). Without `true_peak` the peak is not measured (nan),
    which saves half the work. Raises SettingsError where layout and channels do not agree.
    """

    def __init__(
        self, sample_rate: int, channels: int, layout: Layout | None = None, *, true_peak: bool = True
    ) -> None:
        if sample_rate < 1000 or channels < 1:
            raise SettingsError(f"Cannot measure {channels} channels at {sample_rate} Hz; check the sound.")
        self._rate = sample_rate
        layout = layout or Layout.of_count(channels)
        if layout.channels != channels:
            raise SettingsError(
                f"Layout {layout.ffmpeg} has {layout.channels} channels, the sound has {channels}."
            )
        weights = layout.weights
        self._heard = np.flatnonzero(weights)
        self._weights = weights[self._heard]
        self._weighting = KWeighting(sample_rate, len(self._heard))
        self._position = 0
        self._partial = 0.0
        self._energies: list[Energies] = []
        self._peak = 0.0
        self._with_peak = true_peak
        self._interpolator = Interpolator(oversampling(sample_rate))
        self._recent = np.zeros((channels, TAPS - 1), np.float32)

    def push(self, block: Block) -> None:
        """Measure the next samples, (channels, n)."""
        for at in range(0, block.shape[1], _CHUNK):
            chunk = block[:, at : at + _CHUNK]
            self._push_energy(chunk)
            if self._with_peak:
                self._push_peak(chunk)

    def result(self) -> Loudness:
        """Integrated, momentary and short-term maximum in LUFS, range in LU, true peak in dBTP so far."""
        fine = self._fine()
        tail = self._interpolator.between(np.pad(self._recent, ((0, 0), (0, AFTER))))
        peak = max(self._peak, float(tail.max(initial=0.0)))
        return Loudness(
            integrated=gated(self.gating_energies()),
            range=_loudness_range(self._sliding(fine, _SHORT_TERM)[::_HOP]),
            true_peak=_decibels(peak * peak) if self._with_peak else float("nan"),
            momentary_max=lufs_of(self._sliding(fine, _MOMENTARY).max(initial=0.0)),
            short_term_max=lufs_of(self._sliding(fine, _SHORT_TERM).max(initial=0.0)),
        )

    def gating_energies(self) -> Energies:
        """Weighted mean squares of the whole 400 ms blocks so far, one every 100 ms."""
        return self._sliding(self._fine(), _MOMENTARY)[::_HOP]

    def _push_energy(self, chunk: Block) -> None:
        squares = self._weights @ np.square(self._weighting.process(chunk[self._heard]))
        start, self._position = self._position, self._position + chunk.shape[1]
        # Cell k holds the samples from floor(k · rate / 100) on.
        first = (100 * (start + 1) - 1) // self._rate + 1
        last = (100 * (self._position + 1) - 1) // self._rate
        cuts = np.arange(first, last + 1) * self._rate // _PER_SECOND - start
        pieces = [float(piece.sum()) for piece in np.split(squares, cuts)]
        pieces[0] += self._partial
        self._partial = pieces.pop()
        self._energies.append(np.array(pieces))

    def _push_peak(self, chunk: Block) -> None:
        padded = np.concatenate([self._recent, chunk], axis=1, dtype=np.float32)
        self._recent = padded[:, padded.shape[1] - TAPS + 1 :].copy()
        sample_peak = float(max(padded.max(initial=0.0), -padded.min(initial=0.0)))
        self._peak = max(self._peak, sample_peak)
        if sample_peak * self._interpolator.gain > self._peak:
            self._peak = max(self._peak, float(self._interpolator.between(padded).max(initial=0.0)))

    def _fine(self) -> Energies:
        """Energy per 10 ms so far."""
        self._energies = [np.concatenate(self._energies)] if self._energies else []
        return self._energies[0] if self._energies else np.zeros(0)

    def _sliding(self, fine: Energies, cells: int) -> Energies:
        """Mean squares of windows of `cells` x 10 ms, one starting in every cell that has room for it."""
        if len(fine) < cells:
            return np.zeros(0)
        windows = np.lib.stride_tricks.sliding_window_view(fine, cells)
        sums: Energies = windows.sum(axis=1)
        return sums * _PER_SECOND / (cells * self._rate)


def measure(x: Block, sample_rate: int, layout: Layout | None = None) -> Loudness:
    """All figures of a whole sound (channels, samples); see `Meter`."""
    meter = Meter(sample_rate, x.shape[0], layout)
    meter.push(x)
    return meter.result()


def integrated_of(meters: Sequence[Meter]) -> float:
    """Integrated loudness in LUFS of several programmes' parts together: both gates act on the pooled blocks."""
    energies = [meter.gating_energies() for meter in meters]
    return gated(np.concatenate(energies) if energies else np.zeros(0))


def _decibels(power: float) -> float:
    return 10.0 * float(np.log10(power)) if power > 0 else -np.inf


def lufs_of(energy: float) -> float:
    """Loudness in LUFS of a weighted mean square; -inf for silence."""
    return _decibels(energy) - 0.691


def _levels(energies: Energies) -> Energies:
    with np.errstate(divide="ignore"):
        levels: Energies = 10.0 * np.log10(energies) - 0.691
    return levels


def gated(energies: Energies) -> float:
    """Integrated loudness in LUFS of the energies of 400 ms blocks (BS.1770-4, equations 5 to 7)."""
    levels = _levels(energies)
    loud = levels >= _ABSOLUTE_GATE
    if not loud.any():
        return -np.inf
    gate = lufs_of(float(energies[loud].mean())) - _RELATIVE_GATE
    return lufs_of(float(energies[loud & (levels > gate)].mean()))


def _loudness_range(energies: Energies) -> float:
    """Spread in LU of 3 s windows between their 10th and 95th percentile, gated (EBU Tech 3342)."""
    levels = _levels(energies)
    loud = levels >= _ABSOLUTE_GATE
    if not loud.any():
        return 0.0
    gate = lufs_of(float(energies[loud].mean())) - _RANGE_GATE
    kept = np.sort(levels[loud & (levels >= gate)])
    low, high = (kept[int((len(kept) - 1) * share + 0.5)] for share in (0.10, 0.95))
    return float(high - low)
