"""Random numbers of scenes: known answers, independence, and what they do not depend on."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sightmix.engine.training.scenes.dice import Dice, _hashed, _signed


def test_the_hash_is_splitmix64() -> None:
    # The published generator's first outputs for the seed 1234567.
    states = torch.tensor([_signed(1234567 + k * 0x9E3779B97F4A7C15) for k in (1, 2, 3)])
    wanted = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [int(x) % 2**64 for x in _hashed(states)] == wanted


def test_a_scene_is_the_same_in_any_company() -> None:
    together = Dice("train", range(40), 7)
    alone = Dice("train", [23], 7)
    for draw in (
        lambda d: d.uniform("a", 3, 2),
        lambda d: d.normal("b", 5),
        lambda d: d.below("c", 17, 4),
        lambda d: d.pick("d", [1.0, 2.0, 3.0], 6),
        lambda d: d.noise("e", 100),
    ):
        assert torch.equal(draw(together)[23], draw(alone)[0])


def test_longer_draws_begin_as_shorter_ones() -> None:
    dice = Dice("train", [3, 4])
    assert torch.equal(dice.uniform("a", 10)[:, :4], dice.uniform("a", 4))


@pytest.mark.parametrize("other", [Dice("test", [5], 1), Dice("train", [6], 1), Dice("train", [5], 2)])
def test_split_scene_seed_and_name_all_count(other: Dice) -> None:
    mine = Dice("train", [5], 1)
    assert not torch.equal(mine.uniform("x", 50), other.uniform("x", 50))
    assert not torch.equal(mine.uniform("x", 50), mine.uniform("y", 50))


def test_neighbours_are_independent() -> None:
    dice = Dice("train", range(4000))
    columns = torch.stack([dice.uniform("a"), dice.uniform("b"), *dice.uniform("c", 3).T])
    lagged = torch.cat([columns[:, 1:], columns[:, :-1]])
    found = torch.corrcoef(lagged) - torch.eye(10)
    assert float(found.abs().max()) < 5 / math.sqrt(4000)


def test_distributions() -> None:
    dice = Dice("train", range(200))
    even = dice.uniform("u", 500, low=-2.0, high=6.0).flatten().numpy()
    assert even.min() >= -2
    assert even.max() < 6
    assert np.allclose(np.quantile(even, [0.1, 0.5, 0.9]), [-1.2, 2.0, 5.2], atol=0.06)
    normal = dice.normal("n", 500).flatten().numpy()
    assert np.allclose(np.quantile(normal, [0.023, 0.5, 0.977]), [-2, 0, 2], atol=0.03)
    assert float(dice.normal("n", 500, widest=2.0).abs().max()) == 2.0
    assert abs(float(dice.exponential("e", 500, mean=0.8).mean()) - 0.8) < 0.01
    assert abs(float(dice.chance("p", 0.3, 500).float().mean()) - 0.3) < 0.006
    counted = np.bincount(dice.pick("k", [1.0, 0.0, 3.0], 500).flatten().numpy(), minlength=3) / 1e5
    assert np.allclose(counted, [0.25, 0, 0.75], atol=0.006)
    whole = dice.below("w", 5, 500).flatten().numpy()
    assert np.allclose(np.bincount(whole) / 1e5, 0.2, atol=0.006)


def test_counts_and_shares_may_differ_from_scene_to_scene() -> None:
    dice = Dice("train", [0, 1, 2])
    counts = torch.tensor([[1], [2], [1_000_000_000]]).expand(3, 400)
    drawn = dice.below("w", counts, 400)
    assert [int(row.max()) for row in drawn[:2]] == [0, 1]
    assert 9 * 10**8 < int(drawn[2].max()) < 10**9
    shares = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    assert dice.pick("s", shares)[:2].tolist() == [0, 1]


@pytest.mark.gpu
def test_a_graphics_card_draws_the_same() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no graphics card")
    here, there = Dice("train", range(9)), Dice("train", range(9), device="cuda")
    assert torch.equal(here.uniform("a", 1000), there.uniform("a", 1000).cpu())
    assert torch.equal(here.below("b", 10**9, 1000), there.below("b", 10**9, 1000).cpu())
