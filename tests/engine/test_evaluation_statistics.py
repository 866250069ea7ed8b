"""Bootstrap intervals against answers that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sightmix.engine.evaluation.statistics import (
    Interval,
    bootstrap,
    difference_of,
    improvement_of,
    mean_of,
    share_of,
)


def test_the_interval_of_a_mean_is_that_of_the_normal_law() -> None:
    """Of many values of spread 2 the mean's 95 % interval is ±1.96 · 2 / sqrt(n)."""
    values = np.random.default_rng(3).normal(5.0, 2.0, 400)
    found = mean_of(values)
    half = 1.96 * values.std() / math.sqrt(values.size)
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.05 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.05 * half)


def test_two_clips_give_the_three_means_there_are() -> None:
    """Both clips, the first twice, the second twice: with probabilities 1/2, 1/4 and 1/4."""
    assert mean_of([1.0, 3.0]) == Interval(2.0, 1.0, 3.0)


def test_it_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        found = bootstrap([rng.normal(0.0, 1.0, 60)], lambda means: means[0], resamples=400)
        hits += found.low <= 0.0 <= found.high
    assert 180 <= hits <= 198  # 190 expected, standard deviation 3


def test_the_same_share_of_every_clip_is_sure() -> None:
    before = [1.0, 5.0, 20.0]
    found = improvement_of(before, [0.25 * x for x in before])
    assert (found.value, found.low, found.high) == pytest.approx((75.0, 75.0, 75.0))


def test_differences_are_paired() -> None:
    """Clips differ a lot, the two systems by the same on each: unpaired, the interval would hold 0."""
    before = np.random.default_rng(1).uniform(1.0, 9.0, 50)
    one, other = 0.5 * before, 0.6 * before
    found = difference_of(before, one, other)
    assert (found.value, found.low, found.high) == pytest.approx((10.0, 10.0, 10.0))
    apart = improvement_of(before, np.random.default_rng(2).permutation(one))
    assert apart.high - apart.low > 5.0


def test_clips_without_a_value_do_not_count() -> None:
    assert mean_of([1.0, math.nan, 1.0]) == Interval(1.0, 1.0, 1.0)
    found = share_of([1.0, math.nan, 1.0, math.nan], [math.nan, 4.0, math.nan, 4.0])
    assert (found.value, found.low, found.high) == (25.0, 25.0, 25.0)


def test_nothing_has_no_interval() -> None:
    assert all(math.isnan(x) for x in vars(mean_of([])).values())
    assert math.isnan(mean_of([math.nan]).value)
    assert math.isnan(mean_of([math.nan]).low)


def test_the_same_values_give_the_same_interval() -> None:
    values = list(np.random.default_rng(4).normal(size=30))
    assert mean_of(values) == mean_of(values)
