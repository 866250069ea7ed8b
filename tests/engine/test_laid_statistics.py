"""Laid scenes against those of an earlier, independent laying, whose statistics are kept."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny_training
import torch
from laid_statistics import SECONDS, distance, gathered
from sightmix.engine.training.material.corpus import Corpus
from sightmix.engine.training.scenes.dice import Dice
from sightmix.engine.training.scenes.laying import LayingConfig, lay
from sightmix.engine.training.scenes.recordings import Recordings

RECORDED = json.loads((Path(__file__).parents[1] / "data/scenes/laying.json").read_text())
SCENES, BATCH = 160, 10
# Of two samples of one distribution, one pair in 500 is further apart than this times √(1/m + 1/n) (Smirnov's limit);
# of the seventeen pairs of this test, at most one in thirty runs would have one by chance.
LIMIT = math.sqrt(-0.5 * math.log(0.002 / 2))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    folder = tmp_path_factory.mktemp("corpus")
    tiny_training.build_corpus(folder)
    recordings = Recordings(Corpus(folder), "train")
    parts: list[dict[str, np.ndarray]] = list(_batches(recordings))
    return {name: np.concatenate([part[name] for part in parts if name in part]) for name in parts[0]}


def _batches(recordings: Recordings) -> Iterator[dict[str, np.ndarray]]:
    for first in range(0, SCENES, BATCH):
        dice = Dice("train", range(first, first + BATCH), 5)
        with torch.no_grad():
            laid = lay(recordings, dice, round(SECONDS * tiny_training.RATE), LayingConfig())
        events = laid.event_valid.sum(1).tolist()
        yield gathered(list(laid.stems.numpy()), events, laid.transient.tolist())


@pytest.mark.parametrize("name", sorted(RECORDED["quantiles"]))
def test_laid_stems_are_spread_as_they_were(found: dict[str, np.ndarray], name: str) -> None:
    own = found[name].size
    recorded = RECORDED["scenes"] * own / SCENES
    assert distance(RECORDED["quantiles"][name], found[name]) < LIMIT * math.sqrt(1 / own + 1 / recorded)
