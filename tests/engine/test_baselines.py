from dataclasses import replace

import numpy as np
import pytest
from sightmix.engine.errors import TrainingError
from sightmix.engine.evaluation import baselines, metrics
from sightmix.engine.training import scenes
from sightmix.engine.training.levels import frames_of, loudness
from sightmix.engine.training.targets import FILMS
from synthetic_sounds import RATE, SyntheticSource

CONFIG = replace(
    scenes.PRODUCT,
    presence=replace(FILMS, silent=(0.0, 0.0, 0.0)),
    policies={"paper": 1.0},
    untouched=0.0,
    picture=0.0,
)
SCENES = scenes.RandomScenes(SyntheticSource(), "train", 2.0, CONFIG)


@pytest.fixture(scope="module")
def train():
    return SCENES.first(24)


@pytest.fixture(scope="module")
def valid():
    return scenes.RandomScenes(SyntheticSource(), "validation", 2.0, CONFIG).first(6)


def gained(gain_db, seconds=2.0, seed=0):
    """A scene whose one stem needs one constant gain."""
    n = round(seconds * RATE)
    stems = np.zeros((3, n), np.float32)
    stems[1] = 0.05 * np.random.default_rng(seed).standard_normal(n)
    gains = np.zeros((3, frames_of(n)), np.float32)
    gains[1] = gain_db
    return scenes.Scene(stems, gains, stems[:, ::1024][:, : gains.shape[1]] != 0, {})


def test_table_of_all_systems_orders_as_it_must(train, valid):
    systems = {
        "loudness": baselines.LoudnessMatch.fit(train),
        "broadband": baselines.BroadbandGain.fit(train),
        "levelled": baselines.LevelledStems.fit(train),
        "masks": baselines.ideal_masks,
        "truth": lambda scene: scene.target(),
    }
    table = baselines.evaluate_set(valid, systems)
    assert table.clips == 6
    assert [row.system for row in table.rows] == ["input", *systems]
    mag = {row.system: row.means["MAG"] for row in table.rows}
    assert mag["truth"] == 0 < mag["masks"] < mag["levelled"] < mag["input"]
    assert table.row("truth").improvement["ENV"] == 100.0
    assert table.row("input").improvement["W"] == 0.0
    direct = np.mean([metrics.mag(s.mix(), s.target()) for s in valid])
    assert mag["input"] == pytest.approx(direct)
    assert "| truth | 0.00 (+100 %) |" in table.text()
    with pytest.raises(KeyError):
        table.row("nobody")


def test_loudness_match_brings_every_clip_to_the_mean(valid):
    system = baselines.LoudnessMatch.fit(valid)
    assert system.lufs == pytest.approx(np.mean([loudness(s.target()) for s in valid]))
    assert loudness(system(valid[0])) == pytest.approx(system.lufs, abs=0.01)
    silent = gained(0.0)
    silent.stems[:] = 0
    assert not system(silent).any()


def test_broadband_gain_learns_a_gain_that_the_level_tells():
    # The wanted level is always the same, so the right gain follows from the mix alone.
    def scene(seed):
        level = np.random.default_rng(seed).uniform(-9, 9)
        made = gained(-level, seed=seed)
        return replace(made, stems=made.stems * np.float32(10 ** (level / 20)))

    system = baselines.BroadbandGain.fit([scene(i) for i in range(30)])
    table = baselines.evaluate_set([scene(100 + i) for i in range(4)], {"gain": system}, matched=False)
    assert table.row("gain").improvement["MAG"] > 80


def test_best_gain_is_the_level_difference():
    gain, weight = baselines.BroadbandGain.best_gain(gained(-7.0))
    np.testing.assert_allclose(gain, -7.0, atol=1e-4)
    assert (weight > 0).all()


def test_levelled_stems_recover_a_rule_in_the_levels(valid):
    fitted = baselines.LevelledStems.fit([gained(4.0, seed=i) for i in range(8)])
    out = fitted(gained(4.0, seed=99))
    np.testing.assert_allclose(out, gained(4.0, seed=99).target(), rtol=1e-2, atol=1e-5)


def test_ideal_masks_of_one_stem_are_exact():
    scene = gained(6.0)
    np.testing.assert_allclose(baselines.ideal_masks(scene), scene.target(), atol=1e-4)


def test_ridge_recovers_a_line_and_leaves_unweighted_rows_out():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 3))
    y = x @ np.array([[1.0], [-2.0], [0.5]]) + 3
    y[100:] = 1e3
    weight = np.r_[np.ones(100), np.zeros(100)]
    ridge = baselines.Ridge.fit(x, y, weight, 1e-9)
    np.testing.assert_allclose(ridge(x[:100]), y[:100], atol=1e-3)


@pytest.mark.parametrize(
    "fit", [baselines.LoudnessMatch.fit, baselines.BroadbandGain.fit, baselines.LevelledStems.fit]
)
def test_nothing_to_fit_on_is_an_error(fit):
    with pytest.raises(TrainingError, match="check the training corpus"):
        fit([])


def test_nothing_to_evaluate_is_an_error():
    with pytest.raises(TrainingError, match="no clips"):
        baselines.evaluate_set([], {})
