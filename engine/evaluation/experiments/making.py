"""Training what an experiment lacks: a row's configuration with its overrides, in the folder of runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from ...errors import SettingsError, TrainingError
from ...files import replacing, write_text
from ...highlight.backends import load_model
from ...training.loop.config import SHIPPED, TrainConfig
from ...training.loop.run import train
from ...weights.card import nearest
from ...weights.store import list_cards, load_card
from ..compute import CoreClock
from ..plans import Row
from ..systems import CHECKPOINT, Trained, is_shards, stage_name

CONFIG = "experiment.json"
# What of a training configuration says which scenes are learned from, and what there is where it does not say.
_POLICY: Mapping[str, Any] = {"scenes": TrainConfig.scenes, "scene_options": {}, "films": TrainConfig.films}


def configuration(row: Row, data: Path, runs: Path) -> TrainConfig:
    """The training configuration of a row, also written to its run's folder as `experiment.json`.

    Entries of objects such as `network` are overridden one by one. Raises `SettingsError` or `TrainingError`.
    """
    entries = _merged(_entries(row, row.config), {"name": row.run, **row.overrides})
    if row.policy:
        theirs = _entries(row, row.policy)
        entries |= {name: theirs.get(name, default) for name, default in _POLICY.items()}
    if is_shards(data):
        entries["data"] = "shards"
    written = runs / row.run / CONFIG
    write_text(written, (json.dumps(entries, indent=2) + "\n"), parents=True)
    return TrainConfig.read(written)


def _entries(row: Row, name: str) -> dict[str, Any]:
    """What the training configuration of a name or file says."""
    known = {path.stem: path for path in SHIPPED.glob("*.json")}
    path = known.get(name, Path(name))
    if not path.is_file():
        raise SettingsError(
            f"'{row.name}' names a training configuration '{name}' that there is not{nearest(name, known)}."
        )
    try:
        entries: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"Training configuration {path} cannot be read: {error}.") from error
    return entries


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in over.items():
        inner = merged.get(name)
        both = isinstance(inner, dict) and isinstance(value, dict) and name != "scene_options"
        merged[name] = _merged(inner, value) if both and isinstance(inner, dict) else value
    return merged


def is_done(row: Row, runs: Path) -> bool:
    """Whether a row's run has come to its last step, or had to. Raises `TrainingError` for a broken checkpoint."""
    path = runs / row.run / CHECKPOINT
    if not path.exists():
        return False
    found = Trained.read(path)
    return found.step >= found.last(row)


def make(row: Row, data: Path, runs: Path, device: str = "auto") -> bool:
    """Train a row's checkpoint, or go on with its run; False where it was stopped, which saves first.

    A run in stages brings the learning rate down to 0 at each, keeps what it has come to, and goes on with the next.
    What it costs is logged. Raises `TrainingError` in one sentence.
    """
    config = configuration(row, data, runs)
    folder = runs / row.run
    start = beginning(row, runs) if not (folder / CHECKPOINT).exists() else None
    clock = CoreClock(folder)
    for before, stage in pairwise([0, *row.stages, config.steps]):
        kept = folder / stage_name(stage)
        if kept.exists() or _stands_at(folder) > stage:
            continue
        share = (stage - before) / config.steps
        part = replace(config, steps=stage, decay=round(share * config.decay))
        if train(part, data, folder, device=device, start=start, observe=clock).stop:
            return False
        if stage < config.steps:
            with replacing(kept) as file:
                file.write((folder / CHECKPOINT).read_bytes())
    return True


def _stands_at(folder: Path) -> int:
    """The step a run stands at."""
    path = folder / CHECKPOINT
    return Trained.read(path).step if path.exists() else 0


def beginning(row: Row, runs: Path) -> Path | None:
    """The checkpoint a row's run starts from: another run's, or one made of a card's weights; None: none.

    Raises `TrainingError` if there is neither such a run nor such a card.
    """
    if not row.start:
        return None
    other = runs / row.start / CHECKPOINT
    if other.exists():
        return other
    if row.start not in {card.name for card in list_cards()}:
        raise TrainingError(
            f"'{row.name}' begins with the weights of '{row.start}', which is no model and has no checkpoint {other}: "
            "train that first."
        )
    card = load_card(row.start)
    path = runs / row.run / "start.pt"
    about = json.dumps({"name": card.name, "network": card.config["network"]})
    with replacing(path, parents=True) as file:
        torch.save({"average": load_model(card).state_dict(), "step": 0, "config": about}, file)
    return path
