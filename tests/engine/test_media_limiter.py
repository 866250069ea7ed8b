import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.signal import resample
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


def slowly_limited(x, peaks, rate, ceiling):
    """The limiter's rule sample by sample, and the lowest gain in dB; `peaks` is what each sample stands for."""
    span = round(0.005 * rate)
    needed = np.minimum(0, ceiling - 20 * np.log10(peaks.astype(np.float64)))
    needed = np.pad(needed, span)
    released, now = [], 0.0
    for at in range(len(needed)):
        now = min(0.0, now + 20 / rate, needed[at : at + span].min())
        released.append(now)
    window = np.sin(np.pi * np.arange(1, span + 1) / (span + 1)) ** 2  # raised cosine
    gains = [
        np.dot(window / window.sum(), released[at - span + 1 : at + 1][::-1])
        for at in range(span, span + x.shape[1])
    ]
    return x * 10 ** (np.array(gains) / 20), min(gains)


def test_every_gain_is_the_rules():
    rate = 120_000
    x = np.full((2, 6_000), 0.25, np.float32)
    for at, channel, peak in (
        (1000, 0, 1.0),
        (1100, 1, -0.9),
        (3000, 1, 0.6),
        (3599, 0, 2.0),
        (5_990, 0, 1.5),
    ):
        x[channel, at] = peak
    expected, deepest = slowly_limited(x.astype(np.float64), np.abs(x).max(axis=0), rate, -6.0)
    for sizes in ([6_000], [999, 1, 0, 3000, 2000], [100] * 60):
        limiter = Limiter(rate, 2, -6.0)
        parts = [limiter.process(piece) for piece in np.split(x, np.cumsum(sizes), axis=1)]
        got = np.concatenate([*parts, limiter.process(x[:, :0], last=True)], axis=1)
        np.testing.assert_allclose(got, expected, rtol=0, atol=2e-6)
        assert limiter.reduction_db == pytest.approx(-deepest, abs=1e-4)
    assert -deepest == pytest.approx(
        20 * np.log10(2.0) + 6, abs=1e-9
    )  # the gain comes to what the peak needs


def test_it_recovers_by_twenty_decibels_a_second():
    x = np.full((1, 48_000), 0.1, np.float32)
    x[0, 1000] = 1.0
    y = limited(x, ceiling=-12.0)
    gains = 20 * np.log10(y[0, 2000:48_000:4800] / x[0, 2000:48_000:4800])
    np.testing.assert_allclose(np.diff(gains)[:5], 2.0, atol=1e-3)
    assert gains[-1] == 0


def test_five_milliseconds_are_held_back():
    limiter = Limiter(48_000, 1, -1.0)
    out = limiter.process(np.full((1, 4800), 0.1, np.float32))
    assert out.shape == (1, 4800 - 240 - 11)  # and what the interpolation looks ahead
    assert limiter.process(np.zeros((1, 0), np.float32), last=True).shape == (1, 251)


def test_some_channels_steer_the_others():
    rate = 192_000
    x = np.full((3, 4000), 0.25, np.float32)
    x[2, 2000] = 4.0  # not listened to
    quiet = Limiter(rate, 3, -6.0, steering=2)
    np.testing.assert_array_equal(quiet.process(x, last=True), x)
    assert quiet.reduction_db == 0
    x[1, 1500] = 1.0
    both = Limiter(rate, 3, -6.0, steering=2)
    y = both.process(x, last=True)
    assert both.reduction_db == pytest.approx(6.0, abs=1e-6)
    np.testing.assert_allclose(y[2] / x[2], y[0] / x[0], rtol=1e-6)


@pytest.mark.parametrize(("rate", "factor"), [(48_000, 4), (96_000, 2)])
def test_peaks_between_samples_cut_those_on_either_side(rate, factor):
    # Two bursts, the second of which peaks between two samples, oversampled by way of the frequency domain.
    n = np.arange(2048)
    bursts = [
        a * np.cos(np.pi * (n - at) / 2) * np.exp(-(((n - at) / 30) ** 2))
        for a, at in ((0.9, 700), (1.2, 1500.5))
    ]
    x = np.stack([np.sum(bursts, axis=0), 0.3 * bursts[0]]).astype(np.float32)
    fine = np.abs(resample(x.astype(np.float64), factor * x.shape[1], axis=1)).max(axis=0).reshape(-1, factor)
    gaps = fine[:, 1:].max(axis=1)
    peaks = np.maximum(fine[:, 0], np.maximum(gaps, np.concatenate([[0], gaps[:-1]])))
    expected, deepest = slowly_limited(x.astype(np.float64), np.maximum(peaks, 1e-9), rate, -3.0)
    limiter = Limiter(rate, 2, -3.0)
    y = np.concatenate(
        [limiter.process(p, last=p.shape[1] < 500) for p in np.split(x, [500, 1000, 1600], axis=1)], axis=1
    )
    np.testing.assert_allclose(y, expected, rtol=0, atol=3e-4)
    assert limiter.reduction_db == pytest.approx(-deepest, abs=5e-3)


def test_a_ceiling_of_full_scale_is_allowed():
    assert np.abs(limited(np.full((1, 500), 1.5, np.float32), ceiling=0.0)).max() <= 1 + 1e-6
