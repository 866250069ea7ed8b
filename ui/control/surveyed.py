"""A survey as it arrives: waveforms, spectrograms and powers of the lanes, at any zoom."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...plugin.session.surveyed import BANDS, CELL_RATE, LOWEST_DB, PEAK_RATE, Surveyed, decibels

Array = NDArray[np.float32]
Values = NDArray[np.float64]

_ROWS, _LANES = 5, 4
_STEP = 10  # between levels of the pyramids
_FLOOR = 10 ** (LOWEST_DB / 10)


class SurveyedLanes:
    """What is known of the lanes' sound over `seconds`; NaN where nobody has looked yet."""

    def __init__(self, seconds: float) -> None:
        self.cells = math.ceil(round(seconds * CELL_RATE, 6))
        points = math.ceil(round(seconds * PEAK_RATE, 6))
        self.power = np.full((self.cells, _LANES, _LANES), np.nan, np.float32)
        self._bands = np.zeros((_LANES, BANDS, self.cells), np.uint8)
        self._seen = np.zeros(self.cells, bool)
        # From the finest to the coarsest: points a second, and what lies there.
        self._peaks: list[tuple[float, Array]] = []
        self._tones: list[tuple[float, Array]] = []
        for level in range(4):
            size = -(-points // _STEP**level)
            self._peaks.append((PEAK_RATE / _STEP**level, np.full((_ROWS, size, 2), np.nan, np.float32)))
        for level in (1, 2):
            size = -(-self.cells // _STEP**level)
            self._tones.append((CELL_RATE / _STEP**level, np.full((_LANES, BANDS, size), np.nan, np.float32)))

    @property
    def complete(self) -> bool:
        """Whether all of it was looked over."""
        return bool(self._seen.all())

    def take(self, stretch: Surveyed) -> None:
        """Take in a stretch, in the place of what was known of it."""
        cell = round(stretch.first * CELL_RATE)
        last = min(self.cells, cell + stretch.power.shape[0])
        if not 0 <= cell < last:
            return
        self.power[cell:last] = stretch.power[: last - cell]
        self._bands[:, :, cell:last] = stretch.bands[:, :, : last - cell]
        self._seen[cell:last] = True
        peaks, at = stretch.peaks, round(stretch.first * PEAK_RATE)
        for _, level in self._peaks:
            room = level[:, at : at + peaks.shape[1]]
            room[:] = peaks[:, : room.shape[1]]
            peaks, at = _coarser(peaks), at // _STEP
        tones, at = _powers(stretch.bands), cell
        for _, means in self._tones:
            tones, at = _means(tones), at // _STEP
            space = means[:, :, at : at + tones.shape[2]]
            space[:] = tones[:, :, : space.shape[2]]

    def peaks(self, first: float, last: float, columns: int) -> Array:
        """Lowest and highest samples (5, 2, columns) between two record seconds: of the lanes, and of their sum."""
        rate, level = _fitting(self._peaks, (last - first) / max(columns, 1))
        low = _reduced(np.minimum, level[:, :, 0], first * rate, last * rate, columns, np.nan)
        high = _reduced(np.maximum, level[:, :, 1], first * rate, last * rate, columns, np.nan)
        return np.stack([low, high], axis=1).astype(np.float32)

    def tones(self, first: float, last: float, columns: int) -> Array:
        """Power (4, bands, columns) of the lanes between two record seconds."""
        rate, level = _fitting(self._tones, (last - first) / max(columns, 1), finest=CELL_RATE)
        if level.size == 0:
            begin = max(0, min(int(first * CELL_RATE), self.cells))
            end = max(begin, min(math.ceil(last * CELL_RATE) + 1, self.cells))
            level = np.where(self._seen[begin:end], _powers(self._bands[:, :, begin:end]), np.nan)
            first, last = first - begin / CELL_RATE, last - begin / CELL_RATE
        found = _reduced(np.add, level, first * rate, last * rate, columns, np.nan, mean=True)
        return found.astype(np.float32)

    def powers(self, first: float, last: float, columns: int) -> Values:
        """Mean squares (4, columns) of the lanes under K-weighting between two record seconds."""
        own = np.einsum("tii->it", self.power)
        return _reduced(np.add, own, first * CELL_RATE, last * CELL_RATE, columns, np.nan, mean=True)


def averaged(values: NDArray[Any], first: float, last: float, columns: int) -> Values:
    """Means (…, columns) of values (…, cells) a cell apart, between two record seconds; the ends hold beyond."""
    return _reduced(np.add, values, first * CELL_RATE, last * CELL_RATE, columns, None, mean=True)


def _powers(bands: NDArray[np.uint8]) -> Array:
    return np.asarray(np.power(np.float32(10), decibels(bands) / 10) - np.float32(_FLOOR), np.float32)


def _coarser(peaks: Array) -> Array:
    """Peaks (rows, n, 2) of ten in one."""
    n = peaks.shape[1]
    filled = np.pad(peaks, [(0, 0), (0, -n % _STEP), (0, 0)], mode="edge").reshape(
        peaks.shape[0], -1, _STEP, 2
    )
    return np.stack([filled[..., 0].min(axis=2), filled[..., 1].max(axis=2)], axis=-1)


def _means(tones: Array) -> Array:
    """Powers (lanes, bands, n) of ten in one."""
    n = tones.shape[2]
    filled = np.pad(tones, [(0, 0), (0, 0), (0, -n % _STEP)], mode="edge")
    return np.asarray(filled.reshape(*tones.shape[:2], -1, _STEP).mean(axis=3), np.float32)


def _fitting(levels: list[tuple[float, Array]], seconds: float, finest: float = 0.0) -> tuple[float, Array]:
    """The coarsest level with two values at least in so many seconds; `finest`, of nothing, where none has."""
    fine = [(finest, np.zeros(0, np.float32))] if finest else []
    fitting = [level for level in [*fine, *levels] if level[0] * seconds >= 2.0]
    return (fitting or [*fine, *levels])[-1 if fitting else 0]


def _reduced(
    how: np.ufunc,
    values: NDArray[Any],
    first: float,
    last: float,
    columns: int,
    beyond: float | None,
    *,
    mean: bool = False,
) -> Values:
    """Values (…, n) between two places brought to so many columns; `beyond` the ends, or as at the ends (None)."""
    size = values.shape[-1]
    if columns < 1 or not size:
        return np.full((*values.shape[:-1], max(0, columns)), np.nan)
    edges = first + (last - first) * np.arange(columns + 1) / columns
    starts, ends = np.floor(edges[:-1] + 1e-6).astype(np.intp), np.floor(edges[1:] - 1e-6).astype(np.intp) + 1
    outside = (ends <= 0) | (starts >= size)
    starts = np.clip(starts, 0, size - 1)
    ends = np.clip(np.maximum(ends, starts + 1), 1, size)
    low, high = int(starts[0]), int(ends.max())
    part = np.asarray(values[..., low:high], np.float64)
    if mean:
        sums = np.concatenate(
            [np.zeros((*part.shape[:-1], 1)), np.cumsum(np.nan_to_num(part), axis=-1)], axis=-1
        )
        found = (sums[..., ends - low] - sums[..., starts - low]) / (ends - starts)
        unknown = np.isnan(part)
        if unknown.any():
            holes = np.concatenate([np.zeros((*part.shape[:-1], 1)), np.cumsum(unknown, axis=-1)], axis=-1)
            found[(holes[..., ends - low] - holes[..., starts - low]) > 0] = np.nan
    else:
        pairs = np.stack([starts, np.minimum(ends, high)], axis=1).ravel() - low
        padded = np.concatenate([part, part[..., -1:]], axis=-1)
        found = how.reduceat(padded, pairs, axis=-1)[..., ::2]
    if beyond is not None:
        found[..., outside] = beyond
    return np.asarray(found, np.float64)
