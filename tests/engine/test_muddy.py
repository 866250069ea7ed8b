"""How a balance is spoilt, many scenes at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sightmix.engine.errors import TrainingError
from sightmix.engine.training.scenes import levels, muddy
from sightmix.engine.training.scenes.dice import Dice

RATE = 44_100
STEPS = {6.0, 9.0, 12.0}
LEVELS = (-25.0, -35.0, -30.0)
SILENT = -np.inf


def changes(policy, lufs, seeds, frames=40, level_db=None):
    """Curves (B, 3, frames) for scenes numbered `seeds`, all of the same loudness."""
    dice = Dice("train", seeds)
    found = torch.tensor(lufs).expand(len(dice), -1)
    number = torch.tensor(muddy.policy_numbers([policy])).expand(len(dice))
    level_db = torch.full((len(dice), 3, frames), -40.0) if level_db is None else level_db
    curve = muddy.draw_changes(dice, number, found, level_db, [policy])
    assert curve.shape == (len(dice), 3, frames)
    return curve


@given(st.integers(0, 10_000), st.permutations(LEVELS))
@settings(max_examples=60, deadline=None)
def test_paper_suppresses_the_loudest_and_boosts_the_other_two(seed, found):
    curve = changes("paper", found, [seed])[0].numpy()
    assert np.ptp(curve, axis=1).max() == 0
    for k in range(3):
        assert abs(curve[k, 0]) in STEPS
        assert (curve[k, 0] < 0) == (k == int(np.argmax(found)))


def test_all_steps_of_the_paper_are_drawn_for_each_stem():
    drawn = changes("paper", LEVELS, range(200))[..., 0].abs()
    for k in range(3):
        shares = [float((drawn[:, k] == size).float().mean()) for size in STEPS]
        assert all(0.2 < share < 0.47 for share in shares)
    assert (drawn[:, 0] != drawn[:, 1]).any(), "each by its own draw"


def test_released_boosts_one_of_the_others_and_suppresses_the_third():
    change = changes("released", LEVELS, range(60))[..., 0]
    assert set(change.abs().flatten().tolist()) <= STEPS
    assert (change[:, 0] < 0).all()
    assert ((change > 0).sum(1) == 1).all()
    assert set(change.argmax(1).tolist()) == {1, 2}
    other = changes("released", (-30.0, -35.0, -25.0), range(60))[..., 0]
    assert (other[:, 2] < 0).all()
    assert set(other.argmax(1).tolist()) == {0, 1}


def test_released_may_boost_a_silent_class_so_that_everything_is_only_turned_down():
    change = changes("released", (-25.0, -30.0, SILENT), range(40))[..., 0]
    assert not change[:, 2].any()
    assert (change <= 0).all(1).any()
    assert (change > 0).any()


@pytest.mark.parametrize(("policy", "size"), [("low", 6.0), ("moderate", 9.0), ("high", 12.0)])
def test_difficulty_levels_are_fixed(policy, size):
    np.testing.assert_array_equal(changes(policy, LEVELS, [3])[0, :, 0], [-size, size, size])


def test_continuous_draws_lie_between_6_and_12_db():
    drawn = changes("continuous", LEVELS, range(200))[..., 0].abs()
    assert (drawn >= 6).all()
    assert (drawn <= 12).all()
    assert drawn.unique().numel() == drawn.numel()
    assert drawn.min() < 6.2
    assert drawn.max() > 11.8


@pytest.mark.parametrize("policy", muddy.POLICIES)
def test_silent_stems_are_left_alone_and_silence_is_no_error(policy):
    assert not changes(policy, (-20.0, SILENT, -30.0), [1])[0, 1].any()
    assert not changes(policy, [SILENT] * 3, [1]).any()


def test_none_changes_nothing():
    assert not changes("none", LEVELS, [0]).any()


def test_unknown_policy_is_named_with_the_known_ones():
    with pytest.raises(TrainingError, match=r"'papr'.*paper, released"):
        muddy.policy_numbers(["paper", "papr"])


def test_every_scene_has_its_own_policy():
    dice = Dice("train", range(len(muddy.POLICIES)))
    lufs = torch.tensor(LEVELS).expand(len(dice), -1)
    level_db = torch.full((len(dice), 3, 200), -40.0)
    together = muddy.draw_changes(dice, torch.arange(len(dice)), lufs, level_db, muddy.POLICIES)
    for number, policy in enumerate(muddy.POLICIES):
        alone = changes(policy, LEVELS, [number], 200)[0]
        torch.testing.assert_close(together[number], alone)


def test_per_second_follows_the_stem_that_is_loudest_there_and_moves_smoothly():
    frames = 431
    level_db = torch.full((1, 3, frames), -40.0)
    level_db[:, 0, :200] = -20.0
    level_db[:, 1, 231:] = -20.0
    curve = changes("per_second", LEVELS, [2], frames, level_db)[0].numpy()
    assert curve[0, 0] <= -6 <= 6 <= curve[0, -1]
    assert curve[1, 0] >= 6 >= -6 >= curve[1, -1]
    assert (
        np.abs(np.diff(curve, axis=1)).max() < 24 * np.pi / 2 / 33
    )  # a raised cosine over 0.8 s at the least
    assert len({round(float(v), 3) for v in curve[2]}) > 20


def test_policies_are_chosen_by_their_shares():
    chosen = muddy.choose_policy(Dice("train", range(4000)), {"paper": 3.0, "high": 1.0}, 0.2)
    shares = {name: float((chosen == k).float().mean()) for k, name in enumerate(muddy.POLICIES)}
    assert shares["none"] == pytest.approx(0.2, abs=0.02)
    assert shares["paper"] == pytest.approx(0.6, abs=0.03)
    assert shares["high"] == pytest.approx(0.2, abs=0.02)
    with pytest.raises(TrainingError, match="'hihg'"):
        muddy.choose_policy(Dice("train", [0]), {"hihg": 1.0}, 0.0)


def stems(loud=0.05):
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 3, 3 * RATE)).astype(np.float32)) * loud
    return x * torch.tensor([[2.0], [0.5], [1.0]])


def spoilt(x, policy, number=4):
    wanted = torch.tensor(muddy.policy_numbers([policy]))
    return muddy.spoil(x, Dice("train", [number]), wanted, [policy])


@pytest.mark.parametrize("policy", muddy.POLICIES)
def test_the_gains_lead_from_the_muddy_stems_back_to_the_good_ones(policy):
    x = stems()
    found = spoilt(x, policy)
    torch.testing.assert_close(levels.apply_gain(found.stems, found.gains_db), x, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(-found.gains_db.mean(-1) - found.guard_db, found.changes_db, rtol=0, atol=1e-4)
    assert found.loudest.tolist() == [0]
    assert found.policy.tolist() == muddy.policy_numbers([policy])


@pytest.mark.parametrize("policy", ["paper", "released"])
def test_peak_guard_is_common_to_all_stems(policy):
    found = spoilt(stems(loud=0.4), policy)
    assert found.stems.sum(1).abs().max() <= 10 ** (-0.5 / 20) + 1e-5
    assert found.guard_db < 0
    assert {round(abs(v), 2) for v in (found.gains_db[0, :, 0] + found.guard_db).tolist()} <= STEPS


def test_the_released_guard_minds_each_stem_too():
    left = torch.zeros(1, 3, 4)
    left[0, 0, 0], left[0, 1, 0] = 2.0, -2.0  # their sum is silent, each is over
    assert levels.peak_guard(left) == 0.0
    assert float(levels.stem_guard(left)) == pytest.approx(-20 * np.log10(2) - 0.5, abs=1e-4)
    loud = stems(loud=0.3)
    loud[:, 1] = 0.02 * loud[:, 1] - loud[:, 0]
    assert levels.stem_guard(loud) < levels.peak_guard(loud) - 1.0
    assert spoilt(loud, "released").guard_db < -1.0


def test_what_nobody_hears_is_no_stem_of_the_mix():
    lufs = torch.tensor([[-20.0, -49.9, -50.1], [SILENT, SILENT, SILENT], [-20.0, SILENT, -50.0]])
    there = muddy.heard(lufs).isfinite().tolist()
    assert there == [[True, True, False], [False] * 3, [True, False, False]]
    x = stems()
    x[:, 2] *= 1e-3
    assert not spoilt(x, "paper").changes_db[0, 2]


def test_the_same_number_gives_the_same_degradation_in_any_company():
    alone = muddy.spoil(stems(), Dice("train", [9]), torch.tensor([3]), ["per_second"]).stems
    pair = muddy.spoil(
        stems().expand(2, -1, -1), Dice("train", [8, 9]), torch.tensor([3, 3]), ["per_second"]
    ).stems
    torch.testing.assert_close(alone[0], pair[1])
    assert not torch.equal(pair[0], pair[1])
