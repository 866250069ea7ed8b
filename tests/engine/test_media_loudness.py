"""EBU Tech 3341 and 3342 test signals, synthesised from their published definitions, and pyloudnorm."""

import math

import numpy as np
import pyloudnorm
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import sosfilt
from sightmix.engine.errors import SettingsError
from sightmix.engine.media import loudness
from sightmix.engine.media.layout import Layout
from sightmix.engine.media.loudness import Meter, integrated_of, measure

RATE = 48000


def tone(*parts, channels=2, rate=RATE, frequency=1000):
    """A sine whose level follows `parts` of (dBFS peak, seconds), alike in all channels (channels, samples)."""
    levels = np.concatenate([np.full(round(seconds * rate), level, np.float64) for level, seconds in parts])
    x = 10 ** (levels / 20) * np.sin(2 * np.pi * frequency / rate * np.arange(len(levels)))
    return np.tile(x.astype(np.float32), (channels, 1))


OFF = -np.inf


@pytest.mark.parametrize(
    ("parts", "target"),
    [
        ([(-23, 20)], -23.0),
        ([(-33, 20)], -33.0),
        ([(-36, 10), (-23, 60), (-36, 10)], -23.0),
        ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23.0),
        ([(-26, 20), (-20, 20.1), (-26, 20)], -23.0),
    ],
    ids=["3341-1", "3341-2", "3341-3", "3341-4", "3341-5"],
)
def test_integrated(parts, target):
    found = measure(tone(*parts), RATE)
    assert found.integrated == pytest.approx(target, abs=0.1)
    if len(parts) == 1:
        assert found.momentary_max == pytest.approx(target, abs=0.1)
        assert found.short_term_max == pytest.approx(target, abs=0.1)
        assert found.range == pytest.approx(0, abs=0.05)


def test_3341_6_surround_channels_weigh_more():
    levels = np.array([-28, -28, -24, -30, -30])
    x = tone((0, 20), channels=5)[:, : 8 * RATE] * (10 ** (levels / 20))[:, None].astype(np.float32)
    assert measure(x, RATE, Layout.named("5.0")).integrated == pytest.approx(-23, abs=0.1)
    with_lfe = np.insert(x, 3, tone((0, 8), channels=1, frequency=50), axis=0)
    assert (
        measure(with_lfe, RATE, Layout.named("5.1")).integrated
        == measure(x, RATE, Layout.named("5.0(side)")).integrated
    )
    assert measure(with_lfe, RATE).integrated == measure(with_lfe, RATE, Layout.named("5.1(side)")).integrated


def test_3341_9_and_10_short_term():
    assert measure(tone(*[(-20, 1.34), (-30, 1.66)] * 5), RATE).short_term_max == pytest.approx(-23, abs=0.1)
    for i in range(0, 20, 4):
        found = measure(tone((OFF, 0.15 * i), (-23, 3), (OFF, 1)), RATE)
        assert found.short_term_max == pytest.approx(-23, abs=0.1)


def test_3341_12_and_13_momentary():
    assert measure(tone(*[(-20, 0.18), (-30, 0.22)] * 25), RATE).momentary_max == pytest.approx(-23, abs=0.1)
    for i in range(20):
        found = measure(tone((OFF, 0.02 * i), (-23, 0.4), (OFF, 1)), RATE)
        assert found.momentary_max == pytest.approx(-23, abs=0.1)


@pytest.mark.parametrize(
    ("divisor", "degrees", "amplitude", "target"),
    [(4, 0, 0.5, -6.0), (4, 45, 0.5, -6.0), (6, 60, 0.5, -6.0), (8, 67.5, 0.5, -6.0), (4, 45, 1.41, 3.0)],
    ids=["3341-15", "3341-16", "3341-17", "3341-18", "3341-19"],
)
@pytest.mark.parametrize("rate", [44100, 48000])
def test_true_peak_of_steady_tones(divisor, degrees, amplitude, target, rate):
    n = np.arange(rate)
    fade = np.minimum(1, np.minimum(n, n[::-1]) / 1000)
    x = (amplitude * fade * np.sin(2 * np.pi * n / divisor + np.radians(degrees))).astype(np.float32)
    found = measure(np.stack([x, x]), rate).true_peak
    assert target - 0.4 <= found <= target + 0.2


@pytest.mark.parametrize("offset", [0, 1, 2, 3])
def test_3341_20_to_23_a_peak_between_samples_at_every_quarter(offset):
    # A burst at a sixth of the rate that peaks at full scale, sampled at four positions within the sample grid.
    fine = np.zeros(4 * 4800)
    n = np.arange(-240, 241)
    fine[9600 - 240 + offset : 9600 + 241 + offset] = np.cos(2 * np.pi * n / 24) * np.hanning(481)
    x = soxr.resample(fine, 4 * RATE, RATE, quality="VHQ").astype(np.float32)
    assert -0.4 <= measure(x[None], RATE).true_peak <= 0.2


def test_true_peak_at_high_rates_and_at_the_very_end():
    x = tone((-1, 0.1), channels=1, rate=96000, frequency=24000 * 0.97)
    assert measure(x, 96000).true_peak == pytest.approx(-1, abs=0.3)
    assert measure(np.pad(x, ((0, 0), (0, 1))), 192000).true_peak == pytest.approx(-1, abs=0.3)
    step = np.full((1, 100), 0.5, np.float32)
    assert measure(step, RATE).true_peak > 20 * np.log10(0.5) + 0.5  # what ends abruptly rings


@pytest.mark.parametrize(
    ("parts", "target"),
    [
        ([(-20, 20), (-30, 20)], 10),
        ([(-20, 20), (-15, 20)], 5),
        ([(-40, 20), (-20, 20)], 20),
        ([(-50, 20), (-35, 20), (-20, 20), (-35, 20), (-50, 20)], 15),
    ],
    ids=["3342-1", "3342-2", "3342-3", "3342-4"],
)
def test_loudness_range(parts, target):
    assert measure(tone(*parts, channels=1), RATE).range == pytest.approx(target, abs=1)


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_integrated_equals_pyloudnorm(rate, channels):
    rng = np.random.default_rng(channels)
    swell = np.repeat(10 ** rng.uniform(-3, -0.5, 60), rate // 10)
    x = (rng.standard_normal((channels, len(swell))) * swell).astype(np.float32)
    theirs = pyloudnorm.Meter(rate, filter_class="DeMan").integrated_loudness(x.T.astype(np.float64))
    assert measure(x, rate).integrated == pytest.approx(theirs, abs=1e-6)


def test_filters_at_48k_are_those_of_the_standard():
    meter = Meter(RATE, 1)
    shelf = [1.53512485958697, -2.69169618940638, 1.19839281085285, 1, -1.69065929318241, 0.73248077421585]
    highpass = [1, -2, 1, 1, -1.99004745483398, 0.99007225036621]
    np.testing.assert_allclose(meter._weighting._sections, [shelf, highpass], atol=1e-7)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 15_000), min_size=1, max_size=9))
def test_blocks_of_any_size_give_the_same_figures(sizes):
    total = sum(sizes)
    x = (np.random.default_rng(total).standard_normal((2, total)) * 0.1).astype(np.float32)
    meter = Meter(22050, 2)
    for piece in np.split(x, np.cumsum(sizes), axis=1):
        meter.push(piece)
    whole = measure(x, 22050)
    for name in ("integrated", "range", "true_peak", "momentary_max", "short_term_max"):
        assert getattr(meter.result(), name) == pytest.approx(getattr(whole, name), abs=1e-5), name


def test_results_along_the_way_do_not_disturb():
    x = tone((-20, 5))
    meter = Meter(RATE, 2)
    for piece in np.array_split(x, 7, axis=1):
        meter.push(piece)
        meter.result()
    assert meter.result().integrated == pytest.approx(measure(x, RATE).integrated, abs=1e-9)


@pytest.mark.parametrize("samples", [0, 1, 19199])
def test_silence_and_what_is_too_short(samples):
    found = measure(np.zeros((2, samples), np.float32), RATE)
    assert found.integrated == found.momentary_max == found.short_term_max == found.true_peak == -np.inf
    assert found.range == 0
    loud = measure(tone((-6, 10))[:, :samples], RATE)
    assert loud.integrated == -np.inf


def test_pooled_programmes_are_gated_together():
    quiet, loud = tone((-45, 10)), tone((-20, 10))
    meters = [Meter(RATE, 2), Meter(RATE, 2)]
    meters[0].push(quiet)
    meters[1].push(loud)
    assert integrated_of(meters) == pytest.approx(-20, abs=0.05)
    assert integrated_of(meters[:1]) == meters[0].result().integrated
    assert integrated_of([]) == -np.inf


def test_layouts_weigh():
    x = np.zeros((6, 5 * RATE), np.float32)
    x[4] = tone((-20, 5))[0]
    surround = measure(x, RATE).integrated
    assert surround == measure(x, RATE, Layout.named("5.1(side)")).integrated
    assert surround == measure(x, RATE, Layout.named("6 channels")).integrated
    front = measure(x, RATE, Layout.discrete(6)).integrated
    assert surround - front == pytest.approx(10 * np.log10(1.41), abs=0.01)
    assert measure(x[[0, 1, 2, 4, 3, 5]], RATE).integrated == -np.inf  # all in the LFE
    with pytest.raises(SettingsError, match=r"Layout 5.1 has 6 channels, the sound has 2"):
        Meter(RATE, 2, Layout.named("5.1"))
    with pytest.raises(SettingsError):
        Meter(0, 2)


def test_a_meter_without_peaks_measures_the_rest_alike() -> None:
    x = (0.2 * np.random.default_rng(0).standard_normal((2, 5 * 48_000))).astype(np.float32)
    full, light = Meter(48_000, 2), Meter(48_000, 2, true_peak=False)
    full.push(x)
    light.push(x)
    assert math.isnan(light.result().true_peak)
    assert light.result().integrated == full.result().integrated
    assert light.result().range == full.result().range


# ---- the arithmetic behind the figures, by numbers worked out from the standards' equations


def energies(*levels):
    """Mean squares of blocks of such loudness in LUFS (BS.1770-4, equation 2)."""
    return 10 ** ((np.array(levels, np.float64) + 0.691) / 10)


def mean_of(*levels):
    return 10 * np.log10(energies(*levels).mean()) - 0.691


@pytest.mark.parametrize(
    ("levels", "kept"),
    [
        ([-20, -20, -69.9], [-20, -20]),
        ([-69, -69.9, -70.1, -75], [-69, -69.9]),
        ([-20, -29.9, -30.1], [-20, -29.9, -30.1]),  # the gate lies 10 LU under the mean, -24.4
        ([-20, -20, -20, -30.7, -31.5], [-20, -20, -20, -30.7, -31.5]),
        ([-20] * 30 + [-29.9, -30.3], [-20] * 30 + [-29.9]),
    ],
)
def test_both_gates_of_bs_1770(levels, kept):
    assert loudness.gated(energies(*levels)) == pytest.approx(mean_of(*kept), abs=1e-9)


def test_nothing_over_the_absolute_gate():
    assert loudness.gated(energies(-70.1, -80)) == -np.inf
    assert loudness._loudness_range(energies(-70.1, -80)) == 0


def test_the_percentiles_of_tech_3342():
    rising = np.linspace(-40, -20, 101)
    assert loudness._loudness_range(energies(*rising)) == pytest.approx(0.85 * 20)
    assert loudness._loudness_range(energies(*rising[::-1])) == pytest.approx(0.85 * 20)
    # Ten windows: the 10th percentile is the second (0.9 rounds up), the 95th the tenth (8.55 rounds up).
    assert loudness._loudness_range(energies(*range(-30, -20))) == pytest.approx(8)
    assert loudness._loudness_range(energies(-23)) == 0
    assert loudness._loudness_range(energies(-25, -22)) == pytest.approx(3)


def test_the_range_is_gated_twenty_below_the_ungated_mean():
    loud = [-20.0] * 85
    mean = mean_of(*loud, *[-39.0] * 15)
    assert loudness._loudness_range(energies(*loud, *[-39.0] * 15)) == pytest.approx(19)
    below = mean_of(*loud, *[-42.0] * 15) - 20
    assert below > -42.0
    assert loudness._loudness_range(energies(*loud, *[-42.0] * 15)) == 0
    assert mean - 20 < -39.0
    # What is under the absolute gate does not draw the mean down.
    assert loudness._loudness_range(energies(*[-55.0] * 50, *[-68.0] * 20, *[-90.0] * 900)) == pytest.approx(
        13
    )


def test_gating_blocks_and_windows_begin_where_they_should():
    rate = 1000
    x = np.zeros((1, 5 * rate), np.float32)
    meter = Meter(rate, 1)
    meter.push(x[:, : 4 * rate - 1])
    assert len(meter.gating_energies()) == 36
    meter.push(x[:, :1])
    assert len(meter.gating_energies()) == 37  # (4 s - 0.4 s) / 0.1 s + 1
    assert len(Meter(rate, 1).gating_energies()) == 0
    short = Meter(rate, 1)
    short.push(x[:, :400])
    assert len(short.gating_energies()) == 1


def test_a_quiet_second_counts_by_its_share_of_every_block():
    # Levels that change at 10 ms cells: the loudest window of 400 ms, and of 3 s, straddle what is loud.
    for seconds, window, name in ((0.1, 0.4, "momentary_max"), (1.0, 3.0, "short_term_max")):
        found = getattr(measure(tone((OFF, 4), (-20, seconds), (OFF, 4)), RATE), name)
        assert found == pytest.approx(-20 + 10 * np.log10(seconds / window), abs=0.1)


@pytest.mark.parametrize("rate", [11_025, 22_050, 44_100])
def test_cells_of_ten_milliseconds_where_the_rate_has_no_whole_ones(rate):
    x = tone((-23, 12), rate=rate)
    meter = Meter(rate, 2)
    for piece in np.array_split(x, 50, axis=1):
        meter.push(piece)
    cells = np.concatenate(meter._energies)
    assert len(cells) == 1200
    starts = np.arange(1201) * rate // 100
    squares = np.square(sosfilt(meter._weighting._sections, x.astype(np.float64), axis=1)).sum(axis=0)
    np.testing.assert_allclose(cells, np.add.reduceat(squares, starts[:-1]), rtol=1e-9)


def test_peaks_ring_neither_before_the_start_nor_beyond_what_was_heard():
    # A plateau that comes and goes slowly has no peak between samples, not even in what is looked at last.
    fade = np.hanning(400)
    slow = (0.5 * np.concatenate([fade[:200], np.ones(100), fade[200:]])).astype(np.float32)[None]
    assert measure(slow, RATE).true_peak == pytest.approx(20 * np.log10(0.5), abs=0.01)
    # Gone within the filter's length: only the steep end rings, and what went before is remembered.
    steep = slow[:, :300].copy()
    steep[0, -16:] *= np.linspace(1, 0, 16, dtype=np.float32)
    assert measure(steep, RATE).true_peak == pytest.approx(20 * np.log10(0.5), abs=0.35)


def test_peaks_of_either_sign_and_of_every_channel_count():
    for channel, sign in ((0, 1), (1, 1), (0, -1), (1, -1)):
        x = np.full((2, 3000), 0.01, np.float32)
        x[channel, 1500:1530] = sign * 0.5 * np.hanning(30)
        assert measure(x, RATE).true_peak == pytest.approx(20 * np.log10(0.5), abs=0.1)
    lfe = np.zeros((6, 3000), np.float32)
    lfe[3, 1500:1530] = 0.5 * np.hanning(30)
    assert measure(lfe, RATE).true_peak == pytest.approx(20 * np.log10(0.5), abs=0.1)


def test_long_pushes_measure_as_short_ones():
    x = (np.random.default_rng(3).standard_normal((2, 100_000)) * 0.1).astype(np.float32)
    x[1, 99_990] = 0.9
    meter = Meter(RATE, 2)
    for piece in np.array_split(x, 13, axis=1):
        meter.push(piece)
    long, short = measure(x, RATE), meter.result()
    assert long.integrated == pytest.approx(short.integrated, abs=1e-9)
    assert long.true_peak == pytest.approx(short.true_peak, abs=1e-6)
    assert long.momentary_max == pytest.approx(short.momentary_max, abs=1e-9)


def test_rates_and_channels_that_can_be_measured():
    assert Meter(1000, 1).result().integrated == -np.inf
    for rate, channels in ((999, 1), (1000, 0), (48_000, -1)):
        with pytest.raises(SettingsError, match="Cannot measure"):
            Meter(rate, channels)


def test_the_last_peak_is_the_one_that_silence_behind_it_would_show():
    chance = np.random.default_rng(5)
    for _ in range(60):
        x = chance.uniform(-0.9, 0.9, (1, int(chance.integers(1, 40)))).astype(np.float32)
        padded = np.pad(x, ((0, 0), (0, 100)))
        assert measure(x, RATE).true_peak == pytest.approx(measure(padded, RATE).true_peak, abs=1e-5)
