"""Spectrograms have the right level at the right time and frequency, however the sound is cut into blocks."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sightmix.plugin.jobs.spectrogram import HIGH_HZ, LOW_HZ, Spectrogram, palette

RATE = 48_000


def tone(frequency: float, seconds: float, level: float = 1.0) -> np.ndarray:
    t = np.arange(int(RATE * seconds)) / RATE
    return np.stack([level * np.sin(2 * np.pi * frequency * t)] * 2).astype(np.float32)


def levels(x: np.ndarray, rate: int = RATE, **sizes: int) -> np.ndarray:
    gathered = Spectrogram(rate, x.shape[1], **sizes)
    gathered.push(x)
    return gathered.levels()


@pytest.mark.parametrize("frequency", [100.0, 440.0, 1000.0, 5000.0, 12_000.0])
@pytest.mark.parametrize("level_db", [0.0, -40.0])
def test_a_sine_shows_its_level_in_its_row(frequency: float, level_db: float) -> None:
    found = levels(tone(frequency, 4.0, 10 ** (level_db / 20)), rows=96)
    rows = np.geomspace(LOW_HZ, HIGH_HZ, 96)
    middle = found[:, found.shape[1] // 2]
    assert abs(int(middle.argmax()) - int(np.abs(np.log(rows / frequency)).argmin())) <= 1
    assert middle.max() == pytest.approx(level_db, abs=3.5)


def test_a_sound_in_the_middle_shows_in_the_middle() -> None:
    x = np.zeros((1, RATE * 10), np.float32)
    x[:, RATE * 4 : RATE * 6] = tone(1000.0, 2.0)[:1]
    found = levels(x, columns=100).max(axis=0)
    assert (found[41:59] > -10).all()
    assert (found[:38] < -60).all()
    assert (found[62:] < -60).all()


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 9000), min_size=1, max_size=12), st.integers(0, 2**32 - 1))
def test_blocks_do_not_matter(cuts: list[int], seed: int) -> None:
    x = np.random.default_rng(seed).standard_normal((2, sum(cuts))).astype(np.float32)
    streamed = Spectrogram(RATE, x.shape[1])
    for block in np.split(x, np.cumsum(cuts)[:-1], axis=1):
        streamed.push(block)
    np.testing.assert_allclose(streamed.levels(), levels(x), atol=1e-3)


@pytest.mark.parametrize("samples", [0, 1, 100, 5000])
@pytest.mark.parametrize("rate", [8000, 44_100, 192_000])
def test_the_shortest_sounds_and_all_rates_give_a_picture(samples: int, rate: int) -> None:
    gathered = Spectrogram(rate, samples)
    gathered.push(np.full((1, samples), 0.1, np.float32))
    image = Image.open(io.BytesIO(gathered.png()))
    assert image.height == 96
    assert image.width == gathered.columns


def test_memory_does_not_grow_with_the_sound() -> None:
    gathered = Spectrogram(RATE, RATE * 3600)
    for _ in range(50):
        gathered.push(np.zeros((2, 1 << 16), np.float32))
        assert gathered._held.size < 1 << 17


def test_high_frequencies_are_on_top_and_loud_is_light() -> None:
    gathered = Spectrogram(RATE, RATE * 2)
    gathered.push(tone(8000.0, 2.0))
    grey = np.asarray(Image.open(io.BytesIO(gathered.png())).convert("L")).astype(float)
    assert grey[: grey.shape[0] // 2].max() > 200
    assert grey[grey.shape[0] // 2 :, 10:-10].max() < 80


def test_the_colours_rise_evenly_in_lightness() -> None:
    lightness = palette().astype(float) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(lightness) > 0).all()
