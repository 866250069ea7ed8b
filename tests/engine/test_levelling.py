"""The programme's level: what is kept, met and held, on signals whose figures are known."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sightmix.engine.highlight.bounce import grid_times
from sightmix.engine.highlight.levelling import Aim, Levelled, Sum, level
from sightmix.engine.highlight.spectral import GainRamps
from sightmix.engine.media.layout import Layout
from sightmix.engine.media.loudness import measure
from sightmix.engine.passage import Loudness
from sightmix.engine.programme.loudness import Figures
from sightmix.engine.progress import Progress

RATE = 48_000
SECONDS = 6


def lanes(still: float = 0.0) -> np.ndarray:
    """Speech, music, effects and what stays as it is, (4, 2, samples): tones, and a click in the effects."""
    t = np.arange(SECONDS * RATE) / RATE
    tones = [0.1 * np.sin(2 * np.pi * f * t) for f in (400.0, 900.0, 2500.0)]
    tones[2][3 * RATE : 3 * RATE + 2000] *= 6.0
    rows = [*tones, still * np.sin(2 * np.pi * 1500.0 * t)]
    return np.stack([np.stack([row, row]) for row in rows]).astype(np.float32)


def sum_of(x: np.ndarray) -> Sum:
    def blocks() -> Iterator[np.ndarray]:
        for at in range(0, x.shape[2], 30_001):
            yield x[:, :, at : at + 30_001]

    return Sum("reel", RATE, x.shape[2], Layout.of_count(2), blocks)


def gains(*db: float) -> np.ndarray:
    frames = grid_times(SECONDS * RATE, RATE).size
    return np.repeat(np.array([db], np.float32).T, frames, axis=1)


def heard(x: np.ndarray, curves: np.ndarray, found: Levelled) -> np.ndarray:
    ramps = GainRamps(RATE, 3)
    ramps.extend(curves + found.added)
    mixed: np.ndarray = (x[:3] * ramps.pull(x.shape[2])[:, None]).sum(0) + x[3]
    return mixed.astype(np.float32)


@pytest.mark.parametrize("db", [(-6.0, 3.0, 0.0), (4.0, 4.0, 4.0), (0.0, 0.0, -20.0)])
def test_keep_leaves_the_programme_as_loud_as_it_was(db: tuple[float, ...]) -> None:
    x, curves = lanes(), gains(*db)
    found = level(sum_of(x), curves, Aim(keep=True), Progress())
    assert found.reached
    assert measure(heard(x, curves, found), RATE).integrated == pytest.approx(
        measure(x.sum(0), RATE).integrated, abs=0.05
    )
    assert found.after.integrated == pytest.approx(
        measure(heard(x, curves, found), RATE).integrated, abs=1e-3
    )


def test_nothing_asked_for_changes_nothing() -> None:
    x = lanes()
    found = level(sum_of(x), gains(0, 0, 0), Aim(keep=True), Progress())
    assert not found.added.any()
    assert found.before == found.after


def test_the_models_level_is_left_where_nothing_is_to_be_met() -> None:
    found = level(sum_of(lanes()), gains(-3, -3, -3), Aim(), Progress())
    assert found.gain_db == 0.0
    assert found.after.integrated == pytest.approx(found.before.integrated - 3.0, abs=0.01)


@pytest.mark.parametrize("still", [0.0, 0.05])
def test_a_figure_is_met_by_the_sum(still: float) -> None:
    x, curves = lanes(still), gains(2, -2, 1)
    found = level(sum_of(x), curves, Aim(-23.0, ceiling=-1.0), Progress())
    figures = measure(heard(x, curves, found), RATE)
    assert figures.integrated == pytest.approx(-23.0, abs=0.1)
    assert figures.true_peak <= -1.0 + 0.02
    assert found.reached


def test_peaks_are_held_by_a_dip_that_moves_as_a_hand_does() -> None:
    x, curves = lanes(), gains(0, 0, 0)
    found = level(sum_of(x), curves, Aim(-14.0, ceiling=-3.0), Progress())
    figures = measure(heard(x, curves, found), RATE)
    assert figures.true_peak <= -3.0 + 0.02
    assert figures.integrated == pytest.approx(-14.0, abs=0.1)
    assert found.deepest < -1.0
    times = grid_times(SECONDS * RATE, RATE)
    away = np.abs(times - 3.0) > 1.3
    assert np.ptp(found.added[away]) < 1e-6
    assert np.abs(np.diff(found.added)).max() / (1024 / 44_100) < 60.0


def test_a_peak_that_came_in_may_stay_but_none_grows() -> None:
    x = lanes()
    loud = x * 1.2
    before = measure(loud.sum(0), RATE).true_peak
    assert before > -1.0
    same = level(sum_of(loud), gains(0, 0, 0), Aim(keep=True, ceiling=-1.0), Progress())
    assert not same.added.any()
    more = level(sum_of(loud), gains(0, 0, 6), Aim(ceiling=-1.0), Progress())
    assert more.after.true_peak <= before + 0.02


def test_what_cannot_be_met_is_said() -> None:
    found = level(sum_of(lanes()), gains(0, 0, 0), Aim(-5.0, ceiling=-12.0), Progress())
    assert not found.reached
    assert found.after.true_peak <= -12.0 + 0.1


def test_silence_has_no_level() -> None:
    x = np.zeros_like(lanes())
    found = level(sum_of(x), gains(3, 3, 3), Aim(-23.0, ceiling=-1.0), Progress())
    assert not found.added.any()
    assert found.reached


def test_dialogue_is_what_a_dialogue_spec_measures() -> None:
    x: Any = lanes()
    x[0, :, : 2 * RATE] = 0.0
    aim = Aim(-27.0, ceiling=-2.0, dialogue=True, least_speech=0.15, sparse=-24.0)
    found = level(sum_of(x), gains(0, 0, 0), aim, Progress())
    spoken = heard(x, gains(0, 0, 0), found)[:, 2 * RATE :]
    assert measure(spoken, RATE).integrated == pytest.approx(-27.0, abs=0.3)
    x[0] = 0.0
    found = level(sum_of(x), gains(0, 0, 0), aim, Progress())
    assert found.after.integrated == pytest.approx(-24.0, abs=0.1)


def test_a_spec_without_a_figure_for_sparse_speech_has_one_for_all() -> None:
    loudness = Loudness(-30.0, 0.0, -3.0, -30.0, -30.0)
    speaking, hardly = Figures(loudness, -20.0, 0.5), Figures(loudness, -20.0, 0.1)
    aim = Aim(-27.0, dialogue=True, least_speech=0.15)
    assert (aim.missing(speaking, loudness), aim.missing(hardly, loudness)) == (-7.0, 3.0)
    assert Aim(-27.0, dialogue=True, least_speech=0.15, sparse=-24.0).missing(hardly, loudness) == 6.0


def test_a_programme_that_is_empty() -> None:
    found = level(
        sum_of(np.zeros((4, 2, 0), np.float32)), np.zeros((3, 0), np.float32), Aim(-23.0), Progress()
    )
    assert found.added.size == 0
