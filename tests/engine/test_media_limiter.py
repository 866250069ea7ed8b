import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sightmix.engine.errors import SettingsError
from sightmix.engine.media.limiter import Limiter
from sightmix.engine.media.loudness import measure


def programme(rate=48000, channels=2, seconds=2.0, seed=0):
    """Band-limited noise with loud bursts (channels, samples)."""
    rng = np.random.default_rng(seed)
    n = int(rate * seconds)
    x = rng.standard_normal((channels, n))
    x = np.apply_along_axis(lambda row: np.convolve(row, np.hanning(8) / 4, "same"), 1, x)
    swell = 0.05 + np.repeat(rng.choice([0.0, 0.05, 0.6], -(-n // 4800)), 4800)[:n]
    return (x * swell).astype(np.float32)


def limited(x, rate=48000, ceiling=-1.0, pieces=1):
    limiter = Limiter(rate, x.shape[0], ceiling)
    parts = [limiter.process(piece) for piece in np.array_split(x, pieces, axis=1)]
    parts.append(limiter.process(x[:, :0], last=True))
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize("rate", [22050, 44100, 48000, 96000])
@pytest.mark.parametrize("ceiling", [-1.0, -2.0, -9.0])
def test_true_peak_stays_below_the_ceiling(rate, ceiling):
    x = programme(rate)
    assert measure(x, rate).true_peak > ceiling + 1
    y = limited(x, rate, ceiling)
    assert y.shape == x.shape
    assert y.dtype == np.float32
    assert ceiling - 0.5 <= measure(y, rate).true_peak <= ceiling + 0.05


def test_what_does_not_exceed_passes_to_the_last_bit():
    x = programme()
    x *= np.float32(10 ** (-(measure(x, 48000).true_peak + 1.01) / 20))
    np.testing.assert_array_equal(limited(x, pieces=7), x)


def test_only_the_neighbourhood_of_a_peak_is_touched():
    x = programme() * np.float32(0.05)
    x[0, 48000] = 2.0
    y = limited(x)
    changed = np.flatnonzero((x != y).any(axis=0))
    assert changed[0] > 48000 - 260
    assert changed[-1] < 48000 + 48000 * 8 / 20
    assert abs(y[0, 48000]) <= 10 ** (-1 / 20) + 1e-6
    ratio = y[1, 47000:50000] / x[1, 47000:50000]
    assert ratio.min() == pytest.approx(y[0, 48000] / 2.0, rel=1e-3)  # one gain for all channels
    assert np.abs(np.diff(ratio)).max() < 0.02  # without a step


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 9000), min_size=1, max_size=10), st.integers(0, 3))
@example([485, 1], 2)
def test_blocks_of_any_size_give_the_same_samples(sizes, seed):
    x = programme(seconds=1, seed=seed)[:, : sum(sizes)]
    limiter = Limiter(48000, 2, -3.0)
    parts = [limiter.process(piece) for piece in np.split(x, np.cumsum(sizes), axis=1)]
    got = np.concatenate([*parts, limiter.process(x[:, :0], last=True)], axis=1)
    assert got.shape == x.shape
    np.testing.assert_allclose(got, limited(x, ceiling=-3.0), rtol=0, atol=1e-6)


def test_peaks_at_both_ends_and_very_short_sounds():
    for samples in (0, 1, 2, 50, 300):
        x = np.full((1, samples), 1.5, np.float32)
        y = limited(x)
        assert y.shape == x.shape
        if samples:
            assert np.abs(y).max() <= 10 ** (-1 / 20) + 1e-6


def test_the_deepest_cut_is_told():
    limiter = Limiter(48000, 1, -1.0)
    limiter.process(2 * np.hanning(96000).astype(np.float32)[None], last=True)
    assert limiter.reduction_db == pytest.approx(7.02, abs=0.01)
    quiet = Limiter(48000, 1, -1.0)
    quiet.process(np.full((1, 4800), 0.1, np.float32), last=True)
    assert quiet.reduction_db == 0


@pytest.mark.parametrize("ceiling", [0.5, float("nan")])
def test_impossible_ceilings(ceiling):
    with pytest.raises(SettingsError, match="ceiling"):
        Limiter(48000, 2, ceiling)
