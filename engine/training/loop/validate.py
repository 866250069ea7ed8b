"""How a network under training does on scenes it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..networks.registry import Network, sound_of
from ..networks.step import to_device
from .batches import Shown, scenes_of
from .config import TrainConfig
from .metrics import env, improvement, mag, w_dis

Sound = NDArray[np.float32]


@dataclass(frozen=True)
class Validation:
    """Improvement over the muddy input in % of MAG, ENV and W-dis, and the first scene to listen to."""

    improvement: dict[str, float]
    muddy: Sound
    target: Sound
    output: Sound

    def entries(self) -> dict[str, float]:
        """The figures by the names the log uses."""
        return {f"{name.lower()}_improvement": value for name, value in self.improvement.items()}


def validate(
    model: Network,
    corpus: Path,
    config: TrainConfig,
    shown: Shown,
    device: torch.device,
) -> Validation:
    """Mean improvement of `model` over the first `validate_clips` validation scenes."""
    scenes = scenes_of(corpus, "validation", config)
    sums = [dict.fromkeys(("MAG", "ENV", "W"), 0.0) for _ in range(2)]
    heard: list[Sound] = []
    model.eval()
    for index in range(config.validate_clips):
        scene = scenes[index]
        batch = to_device(shown.batch([scene]), device)
        with torch.no_grad():
            mix = batch.stems.sum(1)
            output = sound_of(model, mix, batch)
        target, muddy, sound = scene.target(), scene.mix(), output[0].cpu().numpy()
        for total, x in zip(sums, (muddy, sound), strict=True):
            for name, distance in (("MAG", mag), ("ENV", env), ("W", w_dis)):
                total[name] += distance(x, target)
        heard = heard or [muddy, target, sound]
    return Validation(improvement(*sums), *heard)
