"""Levels tell whom a composed scene brings out by the paper's rule, and nothing where they are to tell nothing."""

from dataclasses import replace

from invented_scenes import invented_batch
from sightmix.engine.evaluation.guesser import guess
from sightmix.engine.training.scenes import settings
from sightmix.engine.training.scenes.priors import FILMS

COMPOSED = replace(
    settings.COMPOSED,
    presence=replace(FILMS, silent=(0.0, 0.0, 0.0)),
    picture=1.0,
    untouched=0.0,
    flat=1.0,
    policies={"paper": 1.0},
)


def scenes(config, first, count=90):
    batch = invented_batch(range(first, first + count), config, 2.0)
    return [batch.scene(i) for i in range(count)]


def test_levels_tell_by_the_papers_rule_and_nothing_where_they_are_to_tell_nothing() -> None:
    told = guess(scenes(COMPOSED, 0), scenes(COMPOSED, 500))
    blind = replace(COMPOSED, level_blind=1.0)
    nothing = guess(scenes(blind, 0), scenes(blind, 500))
    assert told.interval[0] > 0.6
    low, high = nothing.interval
    assert low < nothing.chance < high
