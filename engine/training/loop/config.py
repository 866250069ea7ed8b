"""What a training run is told: one small JSON file."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ...errors import ModelError, TrainingError
from ...highlight.config import NetworkConfig
from ..networks.losses import SpectralSettings
from ..networks.registry import config_of, config_type, names_of, weight_names
from ..scenes.settings import PRESETS, SceneConfig
from .precision import PRECISIONS

SHIPPED = Path(__file__).parent / "configs"
DATA = ("corpus", "shards")
OPTIMIZERS = ("adam", "muon")
ABOVE_ZERO = (
    "seconds",
    "batch",
    "accumulate",
    "pieces",
    "steps",
    "learning_rate",
    "save_every",
    "validate_every",
    "validate_clips",
)
NOT_NEGATIVE = ("warmup", "decay", "clip", "ema", "early_stop")
CONTEXTS = ("frames", "one_frame", "text", "one_text", "frames+text")


@dataclass(frozen=True)
class TrainConfig:
    """A training run. Learning rate: linear warm-up, constant, then linear to 0 over the last `decay` steps.

    A step learns from `batch` scenes on every device, `accumulate` times over. Every `validate_every` steps the
    averaged weights are tried on `validate_clips` scenes, the same at every try and whatever the `seed`; the
    `keep_best` best by the mean improvement of MAG, ENV and W-dis are kept beside the checkpoint, and after
    `early_stop` tries without a better one the run ends (0: never). `reference` names a model that hears the same
    scenes, so that a try can be compared with it clip by clip ("": none).
    `seed` decides what weights start as, what dropout leaves out, and which scenes are learned from.
    `data` says what the folder to train on holds: "corpus", recordings that scenes are laid from, or "shards" of
    films (`sightmix data muddy-mix`). `scene_options` change entries of the scenes' preset (`SceneConfig`), such as the
    share of clips left untouched.
    `context` says what a network with a context is shown: pictures' features ("frames", a picture a second;
    "one_frame", the one in the middle of the clip), their captions' ("text", "one_text"), or both side by side
    ("frames+text").
    `films` is the share of training clips taken from the shards in the corpus's folder `films`, real picture with its
    own sound; the rest are laid from recordings.
    `redraw` spoils films' mixes anew in every pass after the first, as `scene_options` have it; without, every pass
    takes them as their shards were built.
    `pieces` above 1 lays scenes so many times as long and cuts them into clips of `seconds`, their stems mixed anew
    among neighbouring scenes: cheaper to lay and more various, without pictures, for learning masks alone.
    `clip` is the longest gradient that is not shortened (0: none is), `ema` the share of itself that the average of
    weights keeps at a step (0: it is the last step's weights).
    `optimizer` "muon" turns the matrices between layers by orthogonal steps (`descent`), the rest by Adam's.
    `precision` "bf16" runs the trunk's layers in bfloat16 under autocast, "auto" does where the device has such
    arithmetic; weights, gain head and losses stay float32.
    """

    name: str
    network: dict[str, Any]
    data: str = "corpus"
    scenes: str = "well_mixed"
    scene_options: dict[str, Any] = field(default_factory=dict)
    context: str = "frames"
    films: float = 0.0
    redraw: bool = True
    seconds: float = 10.0
    pieces: int = 1
    batch: int = 2
    accumulate: int = 1
    steps: int = 20_000
    learning_rate: float = 1e-3
    warmup: int = 100
    decay: int = 1000
    clip: float = 1.0
    ema: float = 0.998
    optimizer: str = "adam"
    unit_variance: bool = False
    seed: int = 42
    workers: int = 1
    threads: int = 1
    precision: str = "float32"
    save_every: int = 100
    validate_every: int = 500
    validate_clips: int = 48
    reference: str = ""
    keep_best: int = 1
    early_stop: int = 0
    weights: dict[str, float] = field(default_factory=dict)
    remix_loss: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> TrainConfig:
        """A configuration from a JSON file; an unknown entry is named with the nearest known one."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise TrainingError(f"Training configuration {path} cannot be read: {error}.") from error
        if not isinstance(data, dict):
            raise TrainingError(f"Training configuration {path} must be one JSON object.")
        _known(data, {f.name for f in fields(cls)}, path)
        missing = {"name", "network"} - set(data)
        if missing:
            raise TrainingError(f"Training configuration {path} lacks {sorted(missing)}.")
        _known_parts(data, path)
        for entry, choices in (
            ("precision", PRECISIONS),
            ("data", DATA),
            ("scenes", tuple(PRESETS)),
            ("context", CONTEXTS),
            ("optimizer", OPTIMIZERS),
        ):
            if data.get(entry, choices[0]) not in choices:
                raise TrainingError(f"Training configuration {path}: {entry} is one of {', '.join(choices)}.")
        config = cls(**data)
        config._check(path)
        return config

    def _check(self, path: Path) -> None:
        for entry in ABOVE_ZERO + NOT_NEGATIVE:
            value = getattr(self, entry)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or value < 0 or (value == 0 and entry in ABOVE_ZERO):
                least = "more than 0" if entry in ABOVE_ZERO else "0 or more"
                raise TrainingError(f"Training configuration {path}: {entry} must be {least}, not {value!r}.")
        for entry, kind in (("redraw", bool), ("unit_variance", bool), ("reference", str)):
            if not isinstance(getattr(self, entry), kind):
                known = "true or false" if kind is bool else "a name"
                raise TrainingError(f"Training configuration {path}: {entry} must be {known}.")
        if self.ema >= 1:
            raise TrainingError(
                f"Training configuration {path}: ema must be less than 1, or the average never moves; not {self.ema}."
            )
        try:
            network = config_of(self.network)
        except ModelError as error:
            raise TrainingError(f"Training configuration {path}: {error}") from error
        if self.unit_variance and not (isinstance(network, NetworkConfig) and network.trunk == "unet"):
            raise TrainingError(
                f"Training configuration {path}: unit_variance is for the U-Nets of product and visah; any other "
                "network starts well without it."
            )
        if self.pieces > 1 and (self.data != "corpus" or self.films):
            raise TrainingError(
                f"Training configuration {path}: pieces are cut from scenes laid from a corpus, not from films."
            )


def _known_parts(data: Mapping[str, Any], path: Path) -> None:
    for entry in ("network", "scene_options", "weights", "remix_loss"):
        if not isinstance(data.get(entry, {}), dict):
            raise TrainingError(f"Training configuration {path}: {entry} must be a JSON object.")
    try:
        known = {"network": names_of(config_type(data["network"])), "weights": weight_names(data["network"])}
    except ModelError as error:
        raise TrainingError(f"Training configuration {path}: {error}") from error
    known |= {"scene_options": names_of(SceneConfig), "remix_loss": names_of(SpectralSettings)}
    for entry, names in known.items():
        _known(data.get(entry, {}), names, path, f"{entry}.")


def _known(entries: Mapping[str, Any], known: set[str], path: Path, inside: str = "") -> None:
    for key in entries:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"; did you mean '{near[0]}'?" if near else "."
            raise TrainingError(f"Training configuration {path} has an unknown entry '{inside}{key}'{hint}")
