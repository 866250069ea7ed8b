"""What a training run leaves behind, read back."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import torch

from ...errors import TrainingError, WriteError
from ...files import replacing_path
from ..networks.registry import AnyConfig, Network, build_network, config_of


def store(state: dict[str, Any], path: Path) -> None:
    """Write a checkpoint, whole or not at all; raises `TrainingError` when it cannot be, as on a full disk."""
    try:
        with replacing_path(path) as partial:
            torch.save(state, partial)
    except (WriteError, RuntimeError) as error:  # torch says RuntimeError when the disk is full
        raise TrainingError(
            f"The checkpoint {path} cannot be written ({str(error).splitlines()[0]}); the one before it is "
            "untouched. Make room and start again."
        ) from error


def averaged(checkpoint: Path) -> tuple[AnyConfig, dict[str, torch.Tensor], int]:
    """A checkpoint's network, its averaged weights by name, and its step; raises `TrainingError` if it has none."""
    try:
        stored = torch.load(checkpoint, map_location="cpu", weights_only=True)
        network = config_of(json.loads(stored["config"])["network"])
        return network, stored["average"], int(stored["step"])
    except (OSError, RuntimeError, KeyError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise TrainingError(
            f"{checkpoint} is not a checkpoint of a training run: {str(error).splitlines()[0]}."
        ) from error


def load(checkpoint: Path) -> Network:
    """A checkpoint's network with its averaged weights, ready to be run."""
    network, state, _ = averaged(checkpoint)
    model = build_network(network)
    model.load_state_dict(state)
    return model.eval()


def take_over(model: Network, checkpoint: Path) -> int:
    """Copy into `model` every averaged weight of `checkpoint` that has the same name and shape; returns how many.

    The networks may differ: VisAH takes over a product model's trunk, for one. Raises `TrainingError` if nothing fits.
    """
    _, state, _ = averaged(checkpoint)
    own = model.state_dict()
    fitting = {k: v for k, v in state.items() if k in own and own[k].shape == v.shape}
    if not fitting:
        raise TrainingError(
            f"Nothing in {checkpoint} fits this network; check that their widths are the same."
        )
    model.load_state_dict(fitting, strict=False)
    return len(fitting)
