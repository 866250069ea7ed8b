"""How a network under training does on scenes it has not seen."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ...errors import TrainingError
from ...highlight.backends import load_model
from ...weights.store import load_card
from ..networks.registry import Network, sound_of
from ..networks.step import Batch, to_device
from .batches import Shown, scenes_of
from .config import TrainConfig
from .metrics import NAMES, improvement, measure

Sound = NDArray[np.float32]
Distances = dict[str, list[float]]  # of each clip, by the names of the metrics
NOTHING: Sound = np.zeros(0, np.float32)


@dataclass(frozen=True)
class Validation:
    """Improvement over the muddy input in % of MAG, ENV and W-dis, and the first scene to listen to.

    `before` and `after` are the distances that it is made from, clip by clip; `reference` those of the network that
    the run is measured against, where there is one.
    """

    improvement: dict[str, float]
    muddy: Sound
    target: Sound
    output: Sound
    before: Distances = field(default_factory=dict)
    after: Distances = field(default_factory=dict)
    reference: Distances = field(default_factory=dict)

    @property
    def score(self) -> float:
        """What the best weights are chosen by: the mean improvement of the three distances, each in % of its own."""
        return float(np.mean(list(self.improvement.values())))

    @property
    def scenes(self) -> str:
        """Tells these scenes from others, those of another corpus or drawn in another way; "" where none are known."""
        known = [f"{value:.4g}" for name in NAMES for value in self.before.get(name, ())]
        return f"{len(known) // len(NAMES)}:{zlib.crc32(','.join(known).encode()):08x}" if known else ""

    def entries(self) -> dict[str, float]:
        """The figures by the names the log uses."""
        named = {f"{name.lower()}_improvement": value for name, value in self.improvement.items()}
        return {**named, "score": self.score}

    def clips(self) -> dict[str, Distances]:
        """The distances of every clip, to seven digits, however small they are."""
        parts = {"before": self.before, "after": self.after, "reference": self.reference}
        return {
            part: {name: [float(f"{value:.7g}") for value in values] for name, values in distances.items()}
            for part, distances in parts.items()
            if distances
        }


def improved(before: Distances, after: Distances) -> dict[str, float]:
    """Improvement in % of the means of distances."""
    means = (
        {name: float(np.mean(values)) if values else 0.0 for name, values in part.items()}
        for part in (before, after)
    )
    return improvement(*means)


def joined(parts: Sequence[Validation]) -> Validation:
    """One validation of those of several devices, each of which heard every so many-th clip."""
    if len(parts) == 1:
        return parts[0]

    def woven(which: str) -> Distances:
        rows = [getattr(part, which) for part in parts]
        return {
            name: [
                row[name][turn]
                for turn in range(max(len(row.get(name, ())) for row in rows))
                for row in rows
                if turn < len(row.get(name, ()))
            ]
            for name in rows[0]
        }

    before, after, reference = (woven(which) for which in ("before", "after", "reference"))
    first = parts[0]
    return Validation(
        improved(before, after), first.muddy, first.target, first.output, before, after, reference
    )


@dataclass(frozen=True)
class Held:
    """Validation scenes, drawn once and kept: 5 MB each of ten seconds. Their number alone says what they are.

    `reference` are the distances of the network that a run is measured against, once it has been heard.
    """

    batches: Sequence[Batch]
    targets: Sequence[Sound]
    before: Distances
    reference: Distances = field(default_factory=dict)


def hold(
    corpus: Path,
    config: TrainConfig,
    shown: Shown,
    device: torch.device,
    rank: int = 0,
    ranks: int = 1,
) -> Held:
    """The first `validate_clips` validation scenes, of which device `rank` of `ranks` hears every so many-th."""
    scenes = scenes_of(corpus, "validation", config)
    batches, targets, before = [], [], []
    for index in range(rank, config.validate_clips, ranks):
        scene = scenes[index]
        batches.append(shown.batch([scene]))
        targets.append(scene.target())
        before.append(_distances(scene.mix(), targets[-1]))
    held = Held(batches, targets, _columns(before))
    if config.reference:
        held.reference.update(validate(reference(config, device), held, device).after)
    return held


def reference(config: TrainConfig, device: torch.device) -> Network:
    """The shipped network that a run is measured against. Raises `TrainingError` where it hears another context."""
    model: Network = load_model(load_card(config.reference)).to(device)
    theirs, ours = int(model.config.context_dim), int(config.network.get("context_dim", 0))
    if theirs != ours:
        raise TrainingError(
            f"The reference '{config.reference}' has a context of {theirs} values and this run's network {ours}: "
            "the two cannot be shown the same; take 'reference' out, or name another model."
        )
    return model


def validate(model: Network, held: Held, device: torch.device) -> Validation:
    """How `model` does on scenes held."""
    after: list[dict[str, float]] = []
    heard: tuple[Sound, Sound, Sound] = (NOTHING, NOTHING, NOTHING)
    model.eval()
    for number, (kept, target) in enumerate(zip(held.batches, held.targets, strict=True)):
        batch = to_device(kept, device)
        with torch.no_grad():
            mix = batch.stems.sum(1)
            output = sound_of(model, mix, batch)
        sound = output[0].float().cpu().numpy()
        after.append(_distances(sound, target))
        if number == 0:
            heard = mix[0].cpu().numpy(), target, sound
    distances = _columns(after)
    return Validation(improved(held.before, distances), *heard, held.before, distances, dict(held.reference))


def _distances(sound: Sound, target: Sound) -> dict[str, float]:
    return measure(sound, target, matched=False)


def _columns(rows: Sequence[dict[str, float]]) -> Distances:
    return {name: [row[name] for row in rows] for name in NAMES} if rows else {name: [] for name in NAMES}
