"""A guesser by levels alone: right where they tell which stem a picture brings out, at chance where they do not."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from invented_scenes import invented_batch
from sightmix.engine.errors import TrainingError
from sightmix.engine.evaluation.guessing import LevelGuess, shots_of
from sightmix.engine.evaluation.scoring import guesses
from sightmix.engine.roles import STEMS
from sightmix.engine.training.material.levels import SAMPLE_RATE, frames_of
from sightmix.engine.training.scenes import settings
from sightmix.engine.training.scenes.priors import FILMS
from sightmix.engine.training.scenes.scene import Scene

SECONDS = 1.0


def scene(rng: np.random.Generator, told: bool, present: tuple[bool, ...] = (True, True, True)) -> Scene:
    """Noise at random levels under one picture, of the quietest stem (`told`) or of any that sounds."""
    levels = rng.permutation([-40.0, -30.0, -20.0]) + rng.normal(0.0, 2.0, 3)
    sounding = np.flatnonzero(present)
    lead = int(sounding[np.argmin(levels[sounding])] if told else rng.choice(sounding))
    samples = round(SECONDS * SAMPLE_RATE)
    stems = rng.standard_normal((3, samples)) * 10.0 ** (levels[:, None] / 20.0) * np.array(present)[:, None]
    frames = frames_of(samples)
    active = np.repeat(np.array(present)[:, None], frames, axis=1)
    pictures = ((0.0, "other:hill"), (0.2, f"subject:{STEMS[lead]}:{rng.integers(9)}"))
    return Scene(stems.astype(np.float32), np.zeros((3, frames), np.float32), active, {}, pictures)


def accuracy(told: bool, seen: int = 60, tried: int = 60) -> float:
    rng = np.random.default_rng(11)
    guess = LevelGuess.fit(scene(rng, told) for _ in range(seen))
    return float(np.mean([guesses(guess, scene(rng, told))["right"] for _ in range(tried)]))


def test_levels_that_tell_are_found_out() -> None:
    assert accuracy(told=True) > 0.9


def test_levels_that_tell_nothing_leave_it_at_chance() -> None:
    assert abs(accuracy(told=False) - 1 / 3) < 0.16


def composed(first: int, level_blind: float, count: int = 90) -> list[Scene]:
    """Drawn scenes that follow the picture, muddied by the paper's rule."""
    config = replace(
        settings.COMPOSED,
        presence=replace(FILMS, silent=(0.0, 0.0, 0.0)),
        picture=1.0,
        untouched=0.0,
        flat=1.0,
        policies={"paper": 1.0},
        level_blind=level_blind,
    )
    batch = invented_batch(range(first, first + count), config, 2.0)
    return [batch.scene(i) for i in range(count)]


@pytest.mark.parametrize("level_blind", [0.0, 1.0])
def test_the_papers_rule_tells_whom_drawn_scenes_bring_out_unless_levels_are_to_tell_nothing(
    level_blind: float,
) -> None:
    guess = LevelGuess.fit(composed(0, level_blind))
    told = np.concatenate([guess(one) for one in composed(500, level_blind)])
    right, chance = told.mean(axis=0)
    within = 1.96 * math.sqrt(chance * (1.0 - chance) / len(told))
    assert len(told) > 70
    if level_blind:
        assert abs(right - chance) < within
    else:
        assert right > 0.75


def test_only_shots_of_what_sounds_beside_something_count() -> None:
    rng = np.random.default_rng(1)
    found = scene(rng, True)
    (shot,) = shots_of(found)
    assert STEMS[shot.lead] in found.pictures[1][1]
    assert shot.sounding.tolist() == [True, True, True]
    pair = scene(rng, True, (True, False, True))
    assert shots_of(pair)[0].sounding.tolist() == [True, False, True]
    guess = LevelGuess.fit([found, pair])
    assert guesses(guess, pair)["chance"] == 0.5
    alone = scene(rng, True, (False, True, False))
    assert shots_of(alone) == []
    assert math.isnan(guesses(guess, alone)["right"])
    assert shots_of(Scene(found.stems, found.gains_db, found.active, {})) == []


def test_nothing_to_guess_is_one_sentence() -> None:
    with pytest.raises(TrainingError, match="picture features"):
        LevelGuess.fit([])
