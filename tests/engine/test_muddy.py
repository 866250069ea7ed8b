import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sightmix.engine.errors import TrainingError
from sightmix.engine.training.material import levels
from sightmix.engine.training.scenes import muddy

RATE = 44_100
STEPS = {6.0, 9.0, 12.0}
LEVELS = np.array([-25.0, -35.0, -30.0])


def changes(policy, levels_lufs, seed):
    curve = muddy.draw(policy, np.asarray(levels_lufs), 40, np.random.default_rng(seed)).curve_db
    assert curve.shape == (3, 40)
    return curve


@given(st.integers(0, 10_000), st.permutations([-25.0, -35.0, -30.0]))
@settings(max_examples=60, deadline=None)
def test_paper_suppresses_the_loudest_and_boosts_the_other_two(seed, found):
    curve = changes("paper", found, seed)
    assert np.ptp(curve, axis=1).max() == 0
    for k in range(3):
        assert abs(curve[k, 0]) in STEPS
        assert (curve[k, 0] < 0) == (k == int(np.argmax(found)))


def test_released_boosts_one_of_the_others_and_suppresses_the_third():
    boosted = set()
    for seed in range(60):
        change = changes("released", LEVELS, seed)[:, 0]
        assert set(np.abs(change)) <= STEPS
        assert change[0] < 0
        assert (change > 0).sum() == 1
        boosted.add(int(np.argmax(change)))
    assert boosted == {1, 2}


def test_released_may_boost_a_silent_class_so_that_everything_is_only_turned_down():
    results = [changes("released", [-25.0, -30.0, -np.inf], seed)[:, 0] for seed in range(40)]
    assert all(change[2] == 0 for change in results)
    assert any((change <= 0).all() for change in results)
    assert any((change > 0).any() for change in results)


@pytest.mark.parametrize(("policy", "size"), [("low", 6.0), ("moderate", 9.0), ("high", 12.0)])
def test_difficulty_levels_are_fixed(policy, size):
    np.testing.assert_array_equal(changes(policy, LEVELS, 3)[:, 0], [-size, size, size])


def test_continuous_draws_lie_between_6_and_12_db():
    drawn = np.array([changes("continuous", LEVELS, seed)[:, 0] for seed in range(200)])
    assert (np.abs(drawn) >= 6).all()
    assert (np.abs(drawn) <= 12).all()
    assert len(np.unique(drawn)) == drawn.size


@pytest.mark.parametrize("policy", muddy.POLICIES)
def test_silent_stems_are_left_alone_and_silence_is_no_error(policy):
    assert not changes(policy, [-20.0, -np.inf, -30.0], 1)[1].any()
    assert not changes(policy, [-np.inf] * 3, 1).any()


def test_none_changes_nothing():
    assert not changes("none", LEVELS, 0).any()


def test_unknown_policy_is_named_with_the_known_ones():
    with pytest.raises(TrainingError, match=r"'papr'.*paper, released"):
        changes("papr", LEVELS, 0)


def test_per_second_follows_the_stem_that_is_loudest_there_and_moves_smoothly():
    frames = 431
    level_db = np.full((3, frames), -40.0)
    level_db[0, :200] = -20.0
    level_db[1, 231:] = -20.0
    curve = muddy.draw("per_second", LEVELS, frames, np.random.default_rng(2), level_db).curve_db
    assert curve[0, 0] <= -6 <= 6 <= curve[0, -1]
    assert curve[1, 0] >= 6 >= -6 >= curve[1, -1]
    assert (
        np.abs(np.diff(curve, axis=1)).max() < 24 * np.pi / 2 / 33
    )  # a raised cosine over 0.8 s at the least
    assert len({round(float(v), 3) for v in curve[2]}) > 20


def stems(seed=0, loud=0.05):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((3, 3 * RATE)).astype(np.float32) * loud
    return x * np.array([[2.0], [0.5], [1.0]], np.float32)


@pytest.mark.parametrize("policy", muddy.POLICIES)
def test_degraded_stems_are_the_stems_under_the_reported_curve(policy):
    x = stems()
    out, degradation = muddy.degrade(x, policy, np.random.default_rng(4))
    np.testing.assert_allclose(out, levels.apply_gain(x, degradation.curve_db), rtol=1e-4, atol=1e-7)
    assert degradation.record["policy"] == policy
    assert degradation.record["loudest"] == "speech"


@pytest.mark.parametrize("policy", ["paper", "released"])
def test_peak_guard_is_common_to_all_stems_and_reported(policy):
    x = stems(loud=0.4)
    out, degradation = muddy.degrade(x, policy, np.random.default_rng(4))
    assert np.abs(out.sum(axis=0)).max() <= 10 ** (-0.5 / 20) + 1e-5
    guard = degradation.record["guard_db"]
    assert guard < 0
    assert {round(abs(v), 2) for v in degradation.curve_db[:, 0] - guard} <= STEPS


def test_released_guard_minds_each_stem_too():
    left = np.zeros((3, 4), np.float32)
    left[0, 0], left[1, 0] = 2.0, -2.0  # their sum is silent, each is over
    assert muddy.peak_guard(left) == 0.0
    assert muddy.peak_guard(left, per_stem=True) == pytest.approx(-20 * np.log10(2) - 0.5, abs=1e-4)


def test_same_seed_same_degradation():
    a, b = (muddy.degrade(stems(), "per_second", np.random.default_rng(9))[0] for _ in range(2))
    np.testing.assert_array_equal(a, b)
