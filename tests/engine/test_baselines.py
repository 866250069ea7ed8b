from dataclasses import replace

import numpy as np
import pytest
from sightmix.engine.errors import TrainingError
from sightmix.engine.evaluation import baselines
from sightmix.engine.training.loop import metrics
from sightmix.engine.training.material.levels import frames_of, loudness
from sightmix.engine.training.scenes import settings
from sightmix.engine.training.scenes.drawing import RandomScenes
from sightmix.engine.training.scenes.levels import PEAK_CEILING
from sightmix.engine.training.scenes.priors import DNR_V2, FILMS
from sightmix.engine.training.scenes.scene import Scene

RATE = 44_100
CONFIG = replace(
    settings.PRODUCT,
    presence=replace(FILMS, silent=(0.0, 0.0, 0.0)),
    policies={"paper": 1.0},
    untouched=0.0,
    picture=0.0,
)


def drawn(corpus, split, count):
    batch = RandomScenes.of(corpus, split, 2.0, CONFIG).batch(range(count))
    return [batch.scene(i) for i in range(count)]


@pytest.fixture(scope="module")
def train(tiny_corpus):
    return drawn(tiny_corpus, "train", 24)


@pytest.fixture(scope="module")
def valid(tiny_corpus):
    return drawn(tiny_corpus, "validation", 6)


def gained(gain_db, seconds=2.0, seed=0):
    """A scene whose one stem needs one constant gain."""
    n = round(seconds * RATE)
    stems = np.zeros((3, n), np.float32)
    stems[1] = 0.05 * np.random.default_rng(seed).standard_normal(n)
    gains = np.zeros((3, frames_of(n)), np.float32)
    gains[1] = gain_db
    return Scene(stems, gains, stems[:, ::1024][:, : gains.shape[1]] != 0, {})


def distances_of(scenes_, system):
    return np.mean([metrics.mag(system(s), s.target()) for s in scenes_])


def test_systems_order_as_they_must(train, valid):
    fitted = baselines.fit(train, list(baselines.FITTED))
    mag = {name: distances_of(valid, system) for name, system in fitted.items()}
    mag |= {
        "input": distances_of(valid, baselines.unchanged),
        "masks": distances_of(valid, baselines.ideal_masks),
    }
    assert 0 < mag["masks"] < mag["levelled_stems"] < mag["input"]


def test_fitting_together_is_fitting_alone(train, valid):
    together = baselines.fit(iter(train), ["loudness", "levelled_stems"])
    alone = baselines.fit(iter(train), ["levelled_stems"])["levelled_stems"]
    np.testing.assert_array_equal(together["levelled_stems"](valid[0]), alone(valid[0]))


@pytest.mark.parametrize("prior", [DNR_V2, FILMS])
def test_relevelling_reaches_the_levels_drawn(valid, prior):
    system = baselines.Relevelled(baselines.true_stems, prior)
    scene = valid[1]
    levelled, wanted = system.levelled(scene)
    assert np.isfinite(wanted).any()
    for stem, level, before in zip(levelled, wanted, scene.stems, strict=True):
        if np.isfinite(level):
            assert loudness(stem) == pytest.approx(level, abs=0.05)
        else:
            np.testing.assert_array_equal(stem, before)
    if prior is DNR_V2:
        drawn = np.isfinite(wanted)
        assert (np.abs(wanted - DNR_V2.mean)[drawn] <= 2.0).all()
    out = system(scene)
    assert np.max(np.abs(out)) <= PEAK_CEILING + 1e-6
    flat = np.dot(out, levelled.sum(0)) / np.dot(levelled.sum(0), levelled.sum(0))
    np.testing.assert_allclose(out, flat * levelled.sum(0), atol=1e-5)
    np.testing.assert_array_equal(out, system(replace(scene, pictures=None)))
    assert (system.levelled(valid[2])[1] != wanted).any()


def test_what_a_separator_leaves_behind_is_not_levelled():
    scene = gained(0.0)
    scene.stems[0] = 1e-3 * scene.stems[1]
    levelled, wanted = baselines.Relevelled(baselines.true_stems, FILMS).levelled(scene)
    assert np.isnan(wanted[[0, 2]]).all()
    np.testing.assert_array_equal(levelled[0], scene.stems[0])


def test_loudness_match_brings_every_clip_to_the_mean(valid):
    system = baselines.fit(valid, ["loudness"])["loudness"]
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

    system = baselines.fit((scene(i) for i in range(30)), ["gain"])["gain"]
    unseen = [scene(100 + i) for i in range(4)]
    assert distances_of(unseen, system) < 0.2 * distances_of(unseen, baselines.unchanged)


def test_best_gain_is_the_level_difference():
    gain, weight = baselines.BroadbandGain.best_gain(gained(-7.0))
    np.testing.assert_allclose(gain, -7.0, atol=1e-4)
    assert (weight > 0).all()


def test_levelled_stems_recover_a_rule_in_the_levels(valid):
    fitted = baselines.fit((gained(4.0, seed=i) for i in range(8)), ["levelled_stems"])["levelled_stems"]
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


@pytest.mark.parametrize("kind", list(baselines.FITTED))
def test_nothing_to_fit_on_is_an_error(kind):
    with pytest.raises(TrainingError, match="check the training corpus"):
        baselines.fit([], [kind])
