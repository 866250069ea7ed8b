"""Bootstrap intervals against answers that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t as student
from sightmix.engine.evaluation.statistics import (
    Interval,
    bootstrap,
    break_even,
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


# Packages ----------------------------------------------------------------------------------------------


def width(found: Interval) -> float:
    return found.high - found.low


def test_clips_of_one_package_say_nothing_of_others() -> None:
    values = list(np.random.default_rng(5).normal(size=20))
    found = mean_of(values, [("a", None, "b")] * 20)
    assert found.value == pytest.approx(np.mean(values))
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert mean_of(values, [(None, None, None)] * 20) == mean_of(values)


def test_packages_of_equal_clips_are_as_many_values_as_packages() -> None:
    """Student's interval of the packages' means: with five clips each, all alike, clips add nothing."""
    means = np.array([1.0, 2.0, 4.0, 9.0])
    half = student.ppf(0.975, 3) * means.std(ddof=1) / 2.0
    found = mean_of(np.repeat(means, 5), [(name,) for name in "abcd" for _ in range(5)])
    assert (found.low, found.high) == pytest.approx((4.0 - half, 4.0 + half))


def test_clips_without_the_stem_keep_their_share() -> None:
    """A stem's clips are alike whatever their package: that others lack the stem is no difference of packages."""
    values = [1.0] * 12 + [0.0] * 12
    names = [(name,) for name in "abc" for _ in range(4)] + [(None,)] * 12
    wide, narrow = mean_of(values, names), mean_of(values)
    assert width(wide) == pytest.approx(width(narrow), rel=0.2)


def test_it_is_never_narrower_than_over_clips() -> None:
    rng = np.random.default_rng(6)
    for _ in range(20):
        values = rng.normal(size=30)
        names = [tuple(f"{k}{rng.integers(2 + k)}" for k in range(3)) for _ in values]
        wide, narrow = mean_of(values, names), mean_of(values)
        assert wide.low <= narrow.low <= narrow.high <= wide.high


def simulated(rng: np.random.Generator, packages: tuple[int, ...], spread: float) -> tuple[np.ndarray, list]:
    """80 clips of crossed packages, some without the first stem, whose true mean is 0."""
    drawn = [rng.integers(count, size=80) for count in packages]
    values = rng.normal(size=80)
    names = []
    sounds = rng.random(80) < 0.6
    for way, (count, numbers) in enumerate(zip(packages, drawn, strict=True)):
        heard = sounds if way == 0 else np.ones(80, bool)
        values += np.where(heard, rng.normal(0.0, spread, count)[numbers], 0.0)
        names.append([str(n) if one else None for n, one in zip(numbers, heard, strict=True)])
    return values, list(zip(*names, strict=True))


@pytest.mark.parametrize("spread", [0.3, 1.0])
@pytest.mark.parametrize("packages", [(2, 2, 3), (3, 4, 6)])
def test_over_packages_it_covers_the_truth_where_clips_alone_do_not(packages: tuple, spread: float) -> None:
    rng = np.random.default_rng(7)
    over_packages = over_clips = 0
    for _ in range(150):
        values, names = simulated(rng, packages, spread)
        wide = bootstrap([values], lambda means: means[0], 200, names)
        narrow = bootstrap([values], lambda means: means[0], 200)
        over_packages += wide.low <= 0.0 <= wide.high
        over_clips += narrow.low <= 0.0 <= narrow.high
    assert over_packages >= 136  # 142 expected, standard deviation 3
    assert over_clips < 120


def test_packages_without_differences_widen_little() -> None:
    rng = np.random.default_rng(8)
    wide, narrow = [], []
    for _ in range(60):
        values, names = simulated(rng, (4, 4, 6), 0.0)
        wide.append(width(bootstrap([values], lambda means: means[0], 200, names)))
        narrow.append(width(bootstrap([values], lambda means: means[0], 200)))
    assert np.median(wide) < 2.5 * np.median(narrow)


def test_differences_over_packages_are_paired() -> None:
    """Packages differ a lot, the two systems by the same in each."""
    before = np.repeat([1.0, 5.0, 20.0], 10)
    names = [(name,) for name in "abc" for _ in range(10)]
    found = difference_of(before, 0.5 * before, 0.6 * before, names)
    assert (found.value, found.low, found.high) == pytest.approx((10.0, 10.0, 10.0))
    assert width(improvement_of(before, np.repeat([0.5, 3.0, 9.0], 10), names)) > 1.0


def test_up_to_which_share_of_good_mixes_it_is_worth_it() -> None:
    """Good mixes are moved by 2, muddy ones come nearer by 6: harm outweighs from 3 good ones to each muddy one."""
    nan = math.nan
    assert break_even([2.0, nan], [nan, 10.0], [nan, 4.0]).value == pytest.approx(75.0)
    assert break_even([2.0, nan], [nan, 10.0], [nan, 11.0]).value == 0.0
    assert math.isnan(break_even([0.0, nan], [nan, 10.0], [nan, 10.0]).value)
