"""One pass over a timeline's lanes: all that is drawn of them, and what their loudness is reckoned from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.media.layout import Layout
from ...engine.media.loudness import KWeighting
from ...engine.programme.programme import SAMPLE_RATE
from ...engine.progress import Progress
from ..jobs.laid import LANES
from ..jobs.spectrogram import FFT_SIZE, band_power
from .sound import Lanes
from .surveyed import (
    BANDS,
    CELL_RATE,
    DB_STEP,
    LOWEST_DB,
    PEAK_RATE,
    SECONDS,
    Surveyed,
    decibels,
    decode,
    encode,
)

__all__ = ["Surveyed", "decibels", "decode", "encode", "survey"]

Array = NDArray[np.float32]
Bytes = NDArray[np.uint8]

_PEAK, _CELL = SAMPLE_RATE // PEAK_RATE, SAMPLE_RATE // CELL_RATE
_LEAD = 1  # s before a part, in which filters that begin inside of sound settle
_BEYOND = SAMPLE_RATE // 2  # samples after a part that its last columns reach into
_QUIET = 1e-9  # mean square of what a K-weighting still gives that is nothing: -90 LUFS


def survey(
    lanes: Lanes, progress: Progress, first: float = 0.0, seconds: float | None = None
) -> Iterator[Surveyed]:
    """Look over all that sounds a stretch of ten seconds at a time, or over the stretches that `seconds` from `first`
    on lie in.

    Memory does not grow with its length. Raises MediaError, and Cancelled where `progress` is.
    """
    size = SECONDS * SAMPLE_RATE
    given = int(max(0.0, first) // SECONDS) * size
    last = lanes.samples
    if seconds is not None:
        last = min(last, math.ceil((first + seconds) / SECONDS) * size)
    lead = min(given // SAMPLE_RATE, _LEAD)
    gathered = _Gathered(lanes.layout, lead)
    at, found = given, given - lead * SAMPLE_RATE
    end = min(lanes.samples, last + _BEYOND)
    for block in lanes.blocks(found, end - found) if at < last else ():
        found += block.shape[2]
        progress.report("survey", lanes.name, found / SAMPLE_RATE, end / SAMPLE_RATE)
        gathered.push(block, lanes.stereo(block))
        if found >= end:
            gathered.end()
        while at < last and (stretch := gathered.take(at, last)) is not None:
            yield stretch
            at += size


class _Gathered:
    """What was found so far and not yet given; what was found in the first `lead` seconds is not."""

    def __init__(self, layout: Layout, lead: int = 0) -> None:
        self._lead = lead
        self._peaks, self._power, self._bands = _Peaks(), _Powers(layout), _Bands(layout)
        self._ended = False

    def push(self, block: Array, stereo: Array) -> None:
        """Take in blocks (4, channels, n), and the same in stereo."""
        self._peaks.push(np.concatenate([stereo, stereo.sum(axis=0, keepdims=True)]))
        self._power.push(block)
        self._bands.push(block)

    def end(self) -> None:
        """Nothing more will come."""
        for part in (self._peaks, self._power, self._bands):
            part.end()
        self._ended = True

    def take(self, first: int, total: int) -> Surveyed | None:
        """The stretch from sample `first` on, as soon as all of it is there."""
        peaks, cells = SECONDS * PEAK_RATE, SECONDS * CELL_RATE
        lead_peaks, lead_cells = self._lead * PEAK_RATE, self._lead * CELL_RATE
        ready = min(self._power.ready, self._bands.ready)
        there = self._peaks.ready >= lead_peaks + peaks and ready >= lead_cells + cells
        if not (there or self._ended):
            return None
        if self._lead:
            for part, cells_ in (
                (self._peaks, lead_peaks),
                (self._power, lead_cells),
                (self._bands, lead_cells),
            ):
                part.take(cells_)
            self._lead = 0
        samples = min(SECONDS * SAMPLE_RATE, total - first)
        bands = np.rint((self._bands.take(cells) - LOWEST_DB) / DB_STEP)
        return Surveyed(
            first / SAMPLE_RATE,
            samples / SAMPLE_RATE,
            self._peaks.take(peaks),
            self._power.take(cells),
            np.clip(bands, 0, 255).astype(np.uint8),
        )


class _Cells:
    """Sound in blocks of any size, looked at in cells of one size; results wait until they are taken."""

    axis = -1  # of the results, along which cells lie

    def __init__(self, size: int, rows: tuple[int, ...], ahead: int = 0) -> None:
        self._size, self._ahead = size, ahead
        self._held: NDArray[Any] = np.zeros((*rows, 0), np.float32)
        self._made: list[Array] = []
        self.ready = 0

    def push(self, sound: NDArray[Any]) -> None:
        """Take in sound (…, n)."""
        self._held = np.concatenate([self._held, sound], axis=-1)
        self._work((self._held.shape[-1] - self._ahead) // self._size)

    def end(self) -> None:
        """Fill the last cell with silence."""
        held = max(0, self._held.shape[-1] - self._ahead)
        cells = -(-held // self._size)
        missing = cells * self._size + self._ahead - self._held.shape[-1]
        self._held = np.pad(self._held, [(0, 0)] * (self._held.ndim - 1) + [(0, max(0, missing))])
        self._work(cells)

    def take(self, cells: int) -> Array:
        """The next results, the time axis where they have it."""
        whole = np.concatenate(self._made, axis=self.axis)
        taken, kept = np.split(whole, [min(cells, self.ready)], axis=self.axis)
        self._made, self.ready = [kept], kept.shape[self.axis]
        return np.ascontiguousarray(taken)

    def made(self, sound: NDArray[Any], cells: int) -> Array:
        """What is found in so many cells, sound (…, cells · size + ahead)."""
        raise NotImplementedError

    def _work(self, cells: int) -> None:
        if cells > 0:
            used = cells * self._size
            self._made.append(self.made(self._held[..., : used + self._ahead], cells))
            self._held = self._held[..., used:]
            self.ready += cells


class _Peaks(_Cells):
    axis = 1

    def __init__(self) -> None:
        super().__init__(_PEAK, (len(LANES) + 1, 2))

    def made(self, sound: NDArray[Any], cells: int) -> Array:
        parts = sound.reshape(len(LANES) + 1, 2, cells, _PEAK)
        return np.stack([parts.min(axis=(1, 3)), parts.max(axis=(1, 3))], axis=-1).astype(np.float32)


class _Powers(_Cells):
    axis = 0

    def __init__(self, layout: Layout) -> None:
        self._weights = np.sqrt(layout.weights)[:, None]
        self._filters: list[KWeighting | None] = [None] * len(LANES)
        super().__init__(_CELL, (len(LANES), layout.channels))

    def push(self, sound: NDArray[Any]) -> None:
        """Take in blocks (4, channels, n); lanes that are silent cost nothing."""
        weighted = np.zeros(sound.shape, np.float32)
        for lane, block in enumerate(sound):
            weighting = self._filters[lane]
            silent = not block.any()
            if silent and weighting is None:
                continue
            weighting = weighting or KWeighting(SAMPLE_RATE, block.shape[0])
            weighted[lane] = weighting.process(block) * self._weights
            quiet = silent and float(np.square(weighted[lane, :, -_PEAK:]).mean()) < _QUIET
            self._filters[lane] = None if quiet else weighting
        super().push(weighted)

    def made(self, sound: NDArray[Any], cells: int) -> Array:
        lanes, channels = sound.shape[:2]
        parts = sound.reshape(lanes, channels, cells, _CELL).transpose(2, 0, 1, 3).reshape(cells, lanes, -1)
        return np.asarray(parts @ parts.transpose(0, 2, 1) / np.float32(_CELL), np.float32)


class _Bands(_Cells):
    """Two windows a column, centred at a quarter and three quarters of it."""

    def __init__(self, layout: Layout) -> None:
        self._mono = layout.mono
        self._starts = np.array([_CELL // 4, 3 * _CELL // 4])
        before = FFT_SIZE // 2
        super().__init__(_CELL, (len(LANES),), ahead=FFT_SIZE)
        # Sound is held from half a window before the cell on.
        self._held = np.zeros((len(LANES), before), np.float32)

    def push(self, sound: NDArray[Any]) -> None:
        """Take in blocks (4, channels, n)."""
        super().push(np.einsum("lcn,c->ln", sound, self._mono))

    def end(self) -> None:
        self._held = np.pad(self._held, [(0, 0), (0, FFT_SIZE - FFT_SIZE // 2)])
        super().end()

    def made(self, sound: NDArray[Any], cells: int) -> Array:
        found = np.full((len(LANES), BANDS, cells), LOWEST_DB, np.float32)
        starts = (np.arange(cells)[:, None] * _CELL + self._starts).ravel()
        for lane, row in enumerate(sound):
            if row.any():
                power = band_power(row, starts, SAMPLE_RATE, BANDS).reshape(BANDS, cells, 2).mean(axis=2)
                found[lane] = 10 * np.log10(np.maximum(power, 10 ** (LOWEST_DB / 10)))
        return found
