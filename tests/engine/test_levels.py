import math

import numpy as np
import pyloudnorm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sightmix.engine.training.material import levels

RATE = 44_100


def sine(db, hertz, seconds, rate=RATE):
    return (10 ** (db / 20) * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(
        np.float32
    )


@pytest.mark.parametrize(("db", "expected"), [(0.0, -3.01), (-20.0, -23.01), (-30.0, -33.01)])
def test_a_997_hz_sine_in_one_channel_reads_3_lu_below_its_peak(db, expected):
    assert levels.loudness(sine(db, 997.0, 5.0)) == pytest.approx(expected, abs=0.02)


def test_relative_gate_drops_what_is_10_lu_below():
    # The shape of EBU Tech 3341 case 3, in mono: 10 s at -36, 60 s at -23, 10 s at -36 read -23 LUFS.
    loud, quiet = sine(-20 + 0.01, 997.0, 60.0), sine(-33 + 0.01, 997.0, 10.0)
    assert levels.loudness(np.concatenate([quiet, loud, quiet])) == pytest.approx(-23.0, abs=0.1)


def test_agrees_with_pyloudnorm_at_48_khz():
    rng = np.random.default_rng(1)
    x = (0.1 * rng.standard_normal(48_000 * 6) * np.repeat(rng.uniform(0.02, 1.0, 12), 24_000)).astype(
        np.float32
    )
    theirs = pyloudnorm.Meter(48_000).integrated_loudness(x.astype(np.float64))
    assert levels.loudness(x, 48_000) == pytest.approx(theirs, abs=0.1)


@pytest.mark.parametrize("x", [np.zeros(RATE, np.float32), np.ones(100, np.float32), sine(-90, 997.0, 2.0)])
def test_silence_and_crumbs_have_no_loudness(x):
    assert levels.loudness(x) == -math.inf


@given(st.integers(1, 5000), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_gain_is_the_curve_at_frame_centres_and_straight_in_db_between(samples, seed):
    frames = levels.frames_of(samples)
    curve = np.random.default_rng(seed).uniform(-20, 20, (2, frames))
    db = 20 * np.log10(levels.gain_samples(curve, samples).astype(np.float64))
    expected = [np.interp(np.arange(samples), np.arange(frames) * 1024 + 512, row) for row in curve]
    np.testing.assert_allclose(db, expected, atol=1e-4)


def test_gain_frames_are_those_of_the_spectrogram():
    assert levels.frames_of(441_000) == 431


def test_constant_curve_scales_exactly_as_a_number():
    x = np.random.default_rng(0).standard_normal((3, 3000)).astype(np.float32)
    out = levels.apply_gain(x, np.full((3, 3), -6.0))
    np.testing.assert_allclose(out, x * 10 ** (-6 / 20), rtol=1e-6)


def test_frame_power_averages_each_hop_and_the_short_last_one():
    x = np.concatenate([np.full(1024, 0.5), np.full(10, 2.0)]).astype(np.float32)
    np.testing.assert_allclose(levels.frame_power(x), [0.25, 4.0])
