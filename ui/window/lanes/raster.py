"""Sound as pictures: one column of device pixels for every column of figures, exact and quick."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QImage

from .. import theme

Figures = NDArray[np.float32]

LOUDNESS = 0.6  # the power that amplitudes are drawn by: speech at its usual level fills a third of a lane
QUIETEST_DB, LOUDEST_DB = -84.0, -18.0  # of a band, what the spectrogram's ends of colour are


def wave(peaks: Figures, rows: int, colour: str, centre: float = 0.5) -> QImage:
    """Peaks (2, n), lowest and highest within ±1, as an image of `rows` by n pixels; NaN stays empty.

    `centre` is where silence lies: 0.5 between top and bottom, 1 for the upper half alone at the bottom, 0 for the
    lower half at the top.
    """
    with np.errstate(invalid="ignore"):
        low, high = (np.sign(p) * np.abs(np.clip(p, -1, 1)) ** LOUDNESS for p in peaks)
    if centre == 1.0:
        low, high = np.zeros_like(low), np.maximum(high, -low)
    elif centre == 0.0:
        low, high = np.minimum(low, -high), np.zeros_like(high)
    reach = max(centre, 1 - centre)
    top = rows * (centre - reach * high)
    bottom = rows * (centre - reach * low)
    thin = np.maximum(0, 1 - (bottom - top)) / 2  # silence is a line
    return coverage_image(_covered(top - thin, bottom + thin, rows), colour)


def area(heights: Figures, rows: int, colour: str) -> QImage:
    """Heights (n,) from 0 to 1 as an area that stands on the bottom, of `rows` by n pixels; NaN stays empty."""
    top = rows * (1 - np.clip(heights, 0, 1))
    return coverage_image(_covered(top, np.full_like(top, rows), rows), colour)


def band(top: NDArray[np.floating], bottom: NDArray[np.floating], rows: int, colour: str) -> QImage:
    """What lies between two lines (n,) of rows from the top, as an image of `rows` by n pixels; NaN stays empty."""
    return coverage_image(_covered(top, bottom, rows), colour)


def stripes(shares: NDArray[np.floating], colour: str) -> QImage:
    """Columns (n,) that are covered by 0 to 1, as an image one row high, to be drawn as high as is wanted."""
    return coverage_image((255 * shares[None, :]).astype(np.uint8), colour)


def spectrum(power: Figures, rows: int, ground: str, loud: str) -> QImage:
    """Power (bands, n) in dB, the lowest band first, as `rows` by n pixels from `ground` to `loud`."""
    with np.errstate(invalid="ignore"):
        share = np.clip((power - QUIETEST_DB) / (LOUDEST_DB - QUIETEST_DB), 0, 1)
    level = np.nan_to_num(255 * share).astype(np.uint8)
    row = np.minimum(np.arange(rows)[::-1] * len(power) // max(rows, 1), len(power) - 1)
    return _painted(level[row], _ramp(ground, loud))


def coverage_image(cover: NDArray[np.uint8], colour: str) -> QImage:
    """How much of each pixel is covered (0 to 255), painted in one colour."""
    return _painted(cover, _shades(colour))


@lru_cache(maxsize=64)
def _shades(colour: str) -> NDArray[np.uint32]:
    """A colour from clear to solid, its parts multiplied by how solid it is."""
    parts = np.array(QColor(colour).getRgb()[:3], np.uint32)  # type: ignore[index]
    alpha = np.arange(256, dtype=np.uint32)
    red, green, blue = ((part * alpha + 127) // 255 for part in parts)
    shades: NDArray[np.uint32] = (alpha << 24) | (red << 16) | (green << 8) | blue
    return shades


@lru_cache(maxsize=16)
def _ramp(ground: str, loud: str) -> NDArray[np.uint32]:
    return np.array([QColor(theme.dimmed(loud, ground, i / 255)).rgba() for i in range(256)], np.uint32)


def _covered(top: NDArray[np.floating], bottom: NDArray[np.floating], rows: int) -> NDArray[np.uint8]:
    row = np.arange(rows, dtype=np.float32)[:, None]
    with np.errstate(invalid="ignore"):
        share = np.minimum(bottom, row + 1) - np.maximum(top, row)
    cover: NDArray[np.uint8] = (255 * np.clip(np.nan_to_num(share), 0, 1)).astype(np.uint8)
    return cover


def _painted(level: NDArray[np.uint8], colours: NDArray[np.uint32]) -> QImage:
    """An image of levels (rows, columns) by what each of them looks like."""
    rows, columns = level.shape
    pixels = np.take(colours, level)
    form = QImage.Format.Format_ARGB32_Premultiplied
    return QImage(pixels.tobytes(), columns, rows, 4 * columns, form).copy()
