"""How sure a mean over clips is: percentile bootstrap intervals, paired where two systems heard the same clips."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
CONFIDENCE = 0.95
_SEED = 20_260
_AT_ONCE = 1000  # resamples drawn together

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A figure and the ends of its 95 % interval; nan where there is nothing to say."""

    value: float
    low: float
    high: float


def bootstrap(
    columns: Sequence[Sequence[float]] | NDArray[np.float64],
    statistic: Callable[[Vector], Vector],
    resamples: int = RESAMPLES,
) -> Interval:
    """A statistic of the means of `columns` (columns, clips) and its percentile interval over resampled clips.

    All columns are resampled together, so that comparisons are paired. nan stands for a clip that has no such value.
    `statistic` takes means (columns, n) to figures (n,). The same columns always give the same interval.
    """
    values = np.asarray(columns, np.float64)
    clips = values.shape[1] if values.ndim == 2 else 0
    if not clips:
        return Interval(math.nan, math.nan, math.nan)
    present = np.isfinite(values)
    filled = np.where(present, values, 0.0)

    def figures(counts: Vector) -> Vector:
        """The statistic where clip i counts `counts[i, n]` times."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(statistic((filled @ counts) / (present @ counts)), np.float64)

    rng = np.random.default_rng(_SEED)
    drawn = []
    for first in range(0, resamples, _AT_ONCE):
        count = min(_AT_ONCE, resamples - first)
        drawn.append(figures(rng.multinomial(clips, np.full(clips, 1.0 / clips), count).T.astype(np.float64)))
    spread = np.concatenate(drawn)
    spread = spread[np.isfinite(spread)]
    value = float(figures(np.ones((clips, 1)))[0])
    if not spread.size:
        return Interval(value, math.nan, math.nan)
    tail = 100.0 * (1.0 - CONFIDENCE) / 2.0
    low, high = np.percentile(spread, [tail, 100.0 - tail])
    return Interval(value, float(low), float(high))


def mean_of(values: Sequence[float]) -> Interval:
    """The mean of values (clips,)."""
    return bootstrap([values], lambda means: means[0])


def improvement_of(before: Sequence[float], after: Sequence[float]) -> Interval:
    """By how much a mean distance shrank, in %, as in the paper's Table 1: distances (clips,) of the same clips."""
    return bootstrap([before, after], lambda means: 100.0 * (1.0 - means[1] / means[0]))


def difference_of(before: Sequence[float], one: Sequence[float], other: Sequence[float]) -> Interval:
    """How many percentage points the improvement of `one` lies above that of `other`, heard on the same clips."""
    return bootstrap([before, one, other], lambda means: 100.0 * (means[2] - means[1]) / means[0])


def share_of(part: Sequence[float], whole: Sequence[float]) -> Interval:
    """One mean in % of another; each may lack (nan) the clips that the other has."""
    return bootstrap([part, whole], lambda means: 100.0 * means[0] / means[1])
