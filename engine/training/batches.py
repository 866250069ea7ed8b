"""Scenes as batches, in one sequence that a run can be resumed in."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from .config import TrainConfig
from .corpus import Corpus
from .pictures import PicturedSource
from .scenes import PRESETS, RandomScenes, Scene
from .shards import ShardScenes
from .step import Batch, collate


class Scenes(Protocol):
    """A repeatable sequence of scenes: the same number always gives the same one."""

    def __getitem__(self, index: int) -> Scene:
        """Scene number `index`."""
        ...


class SceneBatches(Dataset[Batch]):
    """Batch k is made of scenes k·B … k·B + B - 1, so that resuming at batch `first` continues the same sequence.

    Of `devices` that learn together, number `device` takes every so many-th batch.
    """

    def __init__(
        self,
        corpus: Path,
        config: TrainConfig,
        features: Mapping[str, NDArray[np.float32]],
        first: int,
        device: int = 0,
        devices: int = 1,
    ) -> None:
        self.corpus, self.config, self.features, self.first = corpus, config, features, first
        self.device, self.devices = device, devices
        self.scenes: Scenes | None = None

    def __len__(self) -> int:
        return max(0, self.config.steps * self.config.accumulate - self.first)

    def __getitem__(self, index: int) -> Batch:
        if self.scenes is None:
            self.scenes = scenes_of(self.corpus, "train", self.config, self.features)
        first = ((self.first + index) * self.devices + self.device) * self.config.batch
        drawn = [self.scenes[first + i] for i in range(self.config.batch)]
        return collate(drawn, self.features, int(self.config.network.get("context_dim", 0)))


def scenes_of(
    corpus: Path, split: str, config: TrainConfig, features: Mapping[str, NDArray[np.float32]]
) -> Scenes:
    """The run's scenes of a split: laid from a corpus's recordings, or films' own from shards."""
    preset = replace(PRESETS[config.scenes], **config.scene_options)
    if config.data == "shards":
        dim = int(config.network.get("context_dim", 0))
        return ShardScenes(corpus, split, config.seconds, preset, dim)
    return RandomScenes(PicturedSource(Corpus(corpus), split, features), split, config.seconds, preset)


def quiet_worker(_: int) -> None:
    """One thread, and no part in signals: the loop decides when to stop, and saves first."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
