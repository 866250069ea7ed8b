"""Where a gain lies in a lane: a fader's scale, wide about 0 dB and close below."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ....plugin.jobs.hand import HIGHEST_DB, LOWEST_DB

MARKS = (12.0, 0.0, -12.0, -24.0)  # dB that are labelled
_DB = np.array([LOWEST_DB, -36.0, -24.0, -12.0, 0.0, 12.0, HIGHEST_DB])
_PLACE = np.array([1.0, 0.88, 0.78, 0.58, 0.34, 0.13, 0.0])  # of the height, from the top
MARGIN = 5.0  # pixels at the top and the bottom that points need


def places(db: NDArray[np.floating] | list[float], height: float) -> NDArray[np.float64]:
    """Pixels from the top of a lane so high."""
    share: NDArray[np.float64] = np.interp(db, _DB, _PLACE)
    return MARGIN + (height - 2 * MARGIN) * share


def place(db: float, height: float) -> float:
    """As `places`, of one gain."""
    return float(places([db], height)[0])


def gain(y: float, height: float) -> float:
    """The gain in dB at a pixel from the top."""
    share = (y - MARGIN) / max(height - 2 * MARGIN, 1.0)
    return float(np.interp(share, _PLACE[::-1], _DB[::-1]))
