"""What lies between samples: the interpolation's values, its alignment, and the most it can amplify."""

import numpy as np
import pytest
from sightmix.engine.media.truepeak import AFTER, BEFORE, TAPS, Interpolator, oversampling


@pytest.mark.parametrize(
    ("rate", "factor"),
    [(8000, 4), (44_100, 4), (50_000, 4), (50_001, 2), (96_000, 2), (100_000, 2), (100_001, 1), (192_000, 1)],
)
def test_the_higher_the_rate_the_less_it_is_oversampled(rate, factor):
    assert oversampling(rate) == factor


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("length", [1, 31, 32, 33, 100])
def test_the_greatest_of_a_tone_between_neighbours(factor, length):
    at = np.arange(length + TAPS - 1)
    tones = ((0.11, 0.3), (0.2, 1.7))  # cycles a sample, phase
    padded = np.stack([np.sin(2 * np.pi * f * at + p) for f, p in tones]).astype(np.float32)
    found = Interpolator(factor).between(padded)
    assert found.shape == (2, length)
    # The value between samples i and i + 1 needs BEFORE samples before i.
    fine = BEFORE + np.arange(length)[:, None] + np.arange(1, factor) / factor
    expected = [np.abs(np.sin(2 * np.pi * f * fine + p)).max(axis=1) for f, p in tones]
    np.testing.assert_allclose(found, expected, atol=3e-4)


def test_so_many_samples_are_looked_at():
    assert (BEFORE, AFTER, TAPS) == (11, 12, 24)
    between = Interpolator(4).between
    for at in range(TAPS + 4):
        click = np.zeros((1, TAPS + 4), np.float32)
        click[0, at] = 1
        assert between(click)[0, 2] > 0 if 2 <= at < 2 + TAPS else between(click)[0, 2] == 0


def test_a_constant_stays_and_nothing_is_between_samples_of_a_high_rate():
    steady = np.full((1, 60), 0.5, np.float32)
    np.testing.assert_allclose(Interpolator(4).between(steady), np.full((1, 37), 0.5), atol=1e-6)
    assert not Interpolator(1).between(steady).any()
    assert Interpolator(1).between(steady).shape == (1, 37)


@pytest.mark.parametrize(("factor", "gain"), [(1, 1.0), (2, None), (4, None)])
def test_the_most_it_can_amplify(factor, gain):
    interpolator = Interpolator(factor)
    if gain is not None:
        assert interpolator.gain == gain
        return
    rows = []
    for at in range(TAPS):
        click = np.zeros((1, TAPS), np.float32)
        click[0, at] = 1
        rows.append(interpolator.between(click)[0, 0])
    # Halfway between samples every tap counts most: there the magnitudes of the response sum to the gain.
    assert interpolator.gain == pytest.approx(np.sum(rows), rel=0.2)
    signs = np.array(
        [(-1.0) ** (BEFORE - at if at <= BEFORE else at - AFTER) for at in range(TAPS)], np.float32
    )
    assert float(interpolator.between(signs[None])[0, 0]) == pytest.approx(interpolator.gain, rel=1e-5)
