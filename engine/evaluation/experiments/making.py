"""Training what an experiment lacks: a row's configuration with its overrides, in the folder of runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
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
from ..plans import Row
from ..systems import CHECKPOINT, Trained, is_shards

CONFIG = "experiment.json"


def configuration(row: Row, data: Path, runs: Path) -> TrainConfig:
    """The training configuration of a row, also written to its run's folder as `experiment.json`.

    Entries of objects such as `network` are overridden one by one. Raises `SettingsError` or `TrainingError`.
    """
    known = {path.stem: path for path in SHIPPED.glob("*.json")}
    path = known.get(row.config, Path(row.config))
    if not path.is_file():
        raise SettingsError(
            f"'{row.name}' names a training configuration '{row.config}' that there is not"
            f"{nearest(row.config, known)}."
        )
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"Training configuration {path} cannot be read: {error}.") from error
    entries = _merged(entries, {"name": row.run, **row.overrides})
    if is_shards(data):
        entries["data"] = "shards"
    written = runs / row.run / CONFIG
    write_text(written, (json.dumps(entries, indent=2) + "\n"), parents=True)
    return TrainConfig.read(written)


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in over.items():
        inner = merged.get(name)
        both = isinstance(inner, dict) and isinstance(value, dict) and name != "scene_options"
        merged[name] = _merged(inner, value) if both and isinstance(inner, dict) else value
    return merged


def is_done(row: Row, runs: Path) -> bool:
    """Whether a row's run has come to its last step. Raises `TrainingError` for a broken checkpoint."""
    path = runs / row.run / CHECKPOINT
    if not path.exists():
        return False
    found = Trained.read(path)
    return found.step >= found.steps


def make(row: Row, data: Path, runs: Path, device: str = "auto") -> bool:
    """Train a row's checkpoint, or go on with its run; False where it was stopped, which saves first.

    Raises `TrainingError` in one sentence.
    """
    config = configuration(row, data, runs)
    folder = runs / row.run
    start = beginning(row, runs) if not (folder / CHECKPOINT).exists() else None
    return not train(config, data, folder, device=device, start=start).stop


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
