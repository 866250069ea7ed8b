"""What a survey finds of a stretch of a timeline's lanes, and how that is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.errors import MediaError
from ..jobs.laid import LANES

Array = NDArray[np.float32]
Bytes = NDArray[np.uint8]

PEAK_RATE = 100  # waveform points a second
CELL_RATE = 10  # cells of power, and columns of the spectrogram, a second
BANDS = 64
SECONDS = 10  # of a stretch
LOWEST_DB, DB_STEP = -120.0, 0.5  # what 0 means in `bands`, and 1 more of it


@dataclass(frozen=True)
class Surveyed:
    """A stretch of the record from `first` seconds on, `seconds` long, of four lanes (`LANES`).

    `peaks` (5, n, 2): lowest and highest sample of the stereo downmix, over both channels, 100 a second, of every lane
    and, last, of their sum. `power`
    (m, 4, 4): for every 100 ms the mean product of every two lanes under K-weighting, summed over channels with their
    BS.1770 weights, so that gains g give the mix a mean square of Σ g_i g_j power_ij. `bands` (4, 64, k): level of the
    mono downmix for every 100 ms in bands even in log frequency, lowest first, in steps of half a dB from -120 dBFS
    (`decibels`). What is left of a cell at the programme's end counts as silence.
    """

    first: float
    seconds: float
    peaks: Array
    power: Array
    bands: Bytes

    @property
    def facts(self) -> dict[str, Any]:
        """What has to be known to read `payload`, as JSON values."""
        return {
            "first": self.first,
            "seconds": self.seconds,
            "peaks": self.peaks.shape[1],
            "power": self.power.shape[0],
            "bands": self.bands.shape[1],
            "columns": self.bands.shape[2],
        }


def encode(stretch: Surveyed) -> tuple[dict[str, Any], bytes]:
    """A stretch as JSON values and the bytes that belong to them, little-endian."""
    peaks, power = (np.ascontiguousarray(a, "<f4").tobytes() for a in (stretch.peaks, stretch.power))
    return stretch.facts, peaks + power + np.ascontiguousarray(stretch.bands).tobytes()


def decode(facts: Mapping[str, Any], payload: bytes) -> Surveyed:
    """What `encode` gave; raises MediaError where it is not whole."""
    lanes = len(LANES)
    rows = lanes + 1
    peaks, cells, bands, columns = (int(facts[name]) for name in ("peaks", "power", "bands", "columns"))
    sizes = (rows * peaks * 2 * 4, cells * lanes * lanes * 4, lanes * bands * columns)
    if min(sizes) < 0 or sum(sizes) != len(payload):
        raise MediaError("A survey's stretch is not whole; ask for it again.")
    at = np.cumsum((0, *sizes))
    first, second, third = (payload[a:b] for a, b in pairwise(at))
    return Surveyed(
        float(facts["first"]),
        float(facts["seconds"]),
        np.frombuffer(first, "<f4").reshape(rows, peaks, 2).astype(np.float32),
        np.frombuffer(second, "<f4").reshape(cells, lanes, lanes).astype(np.float32),
        np.frombuffer(third, np.uint8).reshape(lanes, bands, columns).copy(),
    )


def decibels(bands: Bytes) -> Array:
    """Levels in dBFS of `Surveyed.bands`."""
    return bands.astype(np.float32) * np.float32(DB_STEP) + np.float32(LOWEST_DB)
