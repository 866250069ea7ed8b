from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sightmix.engine.errors import SettingsError
from sightmix.engine.media.resample import Resampler, resample
from sightmix.engine.media.time import round_half_up

PAIRS = [
    (48000, 44100),
    (44100, 48000),
    (48000, 16000),
    (96000, 44100),
    (32000, 44100),
    (48000, 48000),
    (44100, 96000),
]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_sine_stays_the_same_sine(source, target):
    t = np.arange(source) / source
    x = np.stack([np.sin(2 * np.pi * 997 * t), np.cos(2 * np.pi * 4999 * t)]).astype(np.float32) * 0.5
    y = resample(x, source, target)
    t = np.arange(target) / target
    expected = np.stack([np.sin(2 * np.pi * 997 * t), np.cos(2 * np.pi * 4999 * t)]) * 0.5
    assert y.shape == (2, target)
    assert y.dtype == np.float32
    inner = slice(target // 10, -target // 10)
    assert np.abs(y[:, inner] - expected[:, inner]).max() < 2e-6


def test_what_the_target_cannot_hold_is_gone():
    t = np.arange(96000) / 96000
    x = np.sin(2 * np.pi * 30000 * t).astype(np.float32)[None]
    y = resample(x, 96000, 44100)
    assert np.abs(y[:, 4410:-4410]).max() < 1e-5


def test_a_click_stays_where_it_was():
    x = np.zeros((1, 48000), np.float32)
    x[0, 24000] = 1
    assert int(np.abs(resample(x, 48000, 96000)).argmax()) == 48000
    assert int(np.abs(resample(x, 48000, 24000)).argmax()) == 12000


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(0, 8000), min_size=1, max_size=10),
    st.sampled_from(PAIRS),
    st.integers(1, 3),
    st.booleans(),
)
def test_streaming_equals_one_shot_and_lengths_are_exact(sizes, pair, channels, flush_apart):
    source, target = pair
    total = sum(sizes)
    x = np.random.default_rng(total).standard_normal((channels, total)).astype(np.float32)
    stream = Resampler(source, target, channels)
    pieces = np.split(x, np.cumsum(sizes)[:-1], axis=1)
    if flush_apart:
        pieces.append(x[:, :0])
    parts = [stream.process(piece, last=n == len(pieces) - 1) for n, piece in enumerate(pieces)]
    got = np.concatenate(parts, axis=1)
    assert got.shape == (channels, round_half_up(Fraction(total * target, source)))
    np.testing.assert_allclose(got, resample(x, source, target), rtol=0, atol=1e-6)


@pytest.mark.parametrize("arguments", [(0, 44100, 1), (48000, -1, 1), (48000, 44100, 0)])
def test_impossible_rates(arguments):
    with pytest.raises(SettingsError):
        Resampler(*arguments)


def test_a_block_passes_untouched_at_its_own_rate():
    x = np.ones((2, 5), np.float32)
    assert Resampler(48_000, 48_000, 2).process(x) is x


@pytest.mark.parametrize(("source", "target"), [(48_000, 44_100), (96_000, 48_000)])
def test_tones_close_to_the_edge_of_the_band_keep_their_level(source, target):
    t = np.arange(source) / source
    tone = 0.46 * target  # VHQ's band goes further than soxr's usual one
    y = resample(np.sin(2 * np.pi * tone * t).astype(np.float32)[None], source, target)
    inner = y[0, target // 10 : -target // 10].astype(np.float64)
    assert np.sqrt(2 * np.mean(inner**2)) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 100, 101, 240])  # soxr makes 220 of 240: half a sample down
def test_short_sounds_have_their_exact_length(length):
    for source, target in ((48_000, 44_100), (44_100, 48_000), (48_000, 8_000)):
        x = np.full((1, length), 0.5, np.float32)
        expected = round_half_up(Fraction(length * target, source))
        assert resample(x, source, target).shape == (1, expected)
