"""Rows of an experiment made into systems: baselines, networks of runs and cards, separators, oracles."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import ModelError, SightmixError, TrainingError
from ..highlight.backends import TorchNetwork, load_model
from ..highlight.config import REFERENCE_LUFS
from ..highlight.network import ProductModel
from ..separation.registry import load_separator
from ..training.loop.batches import Shown, scenes_of
from ..training.loop.checkpoints import load
from ..training.loop.config import TrainConfig
from ..training.material.levels import SAMPLE_RATE
from ..training.networks.registry import Network, sound_of, stems_of
from ..training.networks.step import to_device
from ..training.scenes.priors import PRIORS
from ..training.scenes.scene import Scene
from ..training.scenes.shards import MANIFEST
from ..weights.card import file_digest
from ..weights.store import list_cards, load_card
from .baselines import FITTED, Relevelled, fit, ideal_masks, true_stems
from .guessing import LevelGuess
from .plans import TRUE_STEMS, Row, SceneSet
from .scoring import Heard, Joined, SceneWindow
from .tracks import Ears, OwnTracks

Sound = NDArray[np.float32]
CHECKPOINT = "checkpoint.pt"


def stage_name(step: int) -> str:
    """What the checkpoint of a run's stage is called."""
    return f"stage-{step}.pt"


class Absent(SightmixError):  # noqa: N818  (a row that is left out, and why)
    """A row that cannot be had here; `mark` says so in its table."""

    def __init__(self, sentence: str, mark: str) -> None:
        super().__init__(sentence)
        self.mark = mark


# Networks ----------------------------------------------------------------------------------------------


class NetworkSystem:
    """A network as a system under evaluation: muddy scene in, sound (samples,) out; stems where it makes any."""

    def __init__(self, model: Network, shown: Shown, device: str = "cpu") -> None:
        self.model, self.shown, self.device = model.eval().to(device), shown, torch.device(device)

    def __call__(self, scene: Scene) -> Sound:
        """The network's mix."""
        batch = to_device(self.shown.batch([scene]), self.device)
        with torch.inference_mode():
            sound = sound_of(self.model, batch.stems.sum(1), batch)
        return _plain(sound)

    def stems(self, scene: Scene) -> Sound | None:
        """The network's muddy stems (3, samples), if it makes any."""
        batch = to_device(self.shown.batch([scene]), self.device)
        with torch.inference_mode():
            stems = stems_of(self.model, batch.stems.sum(1), batch)
        return None if stems is None else _plain(stems)


def _plain(sounds: torch.Tensor) -> Sound:
    """The first of a batch, as numbers."""
    return np.asarray(sounds[0].float().cpu().numpy(), np.float32)


class SeparatorStems:
    """A separator, as what makes stems (3, samples) of a scene's mix."""

    def __init__(self, name: str) -> None:
        self._separator = load_separator(name)

    def __call__(self, scene: Scene) -> Sound:
        """The separator's stems; they sum to the mix."""
        return np.asarray(self._separator.separate(scene.mix()[None], SAMPLE_RATE)[:, 0], np.float32)


@dataclass(frozen=True)
class Trained:
    """What a checkpoint says of itself: the configuration of its run, and the step it stands at."""

    config: Mapping[str, Any]
    step: int

    @classmethod
    def read(cls, checkpoint: Path) -> Trained:
        """Raises `TrainingError` if it is no checkpoint."""
        try:
            stored = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)
            return cls(json.loads(stored["config"]), int(stored["step"]))
        except (OSError, RuntimeError, KeyError, ValueError, EOFError, pickle.UnpicklingError) as error:
            raise TrainingError(
                f"{checkpoint} is not a checkpoint of a training run: {str(error).splitlines()[0]}."
            ) from error

    def last(self, row: Row) -> int:
        """The step at which the run of a row is done: a run in stages takes each of them for its last."""
        return int(row.step or row.overrides.get("steps", self.config.get("steps", self.step)))

    @property
    def clips_per_step(self) -> int:
        """How many clips a step learns from, on one device."""
        return int(self.config.get("batch", 1)) * int(self.config.get("accumulate", 1))


# Scenes ------------------------------------------------------------------------------------------------


def is_shards(data: Path) -> bool:
    """Whether a folder holds shards of films, whose scenes are as they were built, and not a corpus."""
    return (data / MANIFEST).exists()


def window_of(data: Path, chosen: SceneSet, split: str = "") -> SceneWindow:
    """The scenes of a set (of another `split`, where one is named), from a corpus or from shards."""
    config = TrainConfig(
        name=chosen.name,
        network={},
        data="shards" if is_shards(data) else "corpus",
        scenes=chosen.scenes,
        scene_options=chosen.scene_options,
        seconds=chosen.seconds,
    )
    scenes = scenes_of(data, split or chosen.split, config)
    return SceneWindow(scenes if chosen.joined == 1 else Joined(scenes, chosen.joined))


# Rows --------------------------------------------------------------------------------------------------


@dataclass
class Workshop:
    """Makes systems of rows: `data` is the corpus or shards, `runs` the folder of training runs.

    `product` is the card or checkpoint that rows of the product model mean, `fit_clips` the number of training scenes
    that baselines are fitted on.
    """

    data: Path
    runs: Path
    product: str
    fit_clips: int = 150
    device: str = "cpu"

    def __post_init__(self) -> None:
        self._fitted: dict[str, dict[str, Heard]] = {}
        self._networks: dict[str, NetworkSystem] = {}
        self._ears: dict[str, Ears] = {}
        self._digests: dict[Path, str] = {}
        self._windows: dict[str, str] = {}

    def identity(self, row: Row, chosen: SceneSet) -> dict[str, Any]:
        """What tells a row's figures from those of any other system, as JSON. Raises `Absent`, `ModelError`."""
        kind = row.oracle or row.kind
        if kind in FITTED:
            return {"kind": kind, "fit": self.fit_clips, "on": self._training_print(chosen)}
        if row.kind == "oracle":
            return {"kind": row.oracle}
        if row.kind == "relevel":
            stems = {"kind": TRUE_STEMS} if row.stems == TRUE_STEMS else self.named(row.stems or self.product)
            return {"kind": "relevel", "prior": asdict(PRIORS[row.prior]), "stems": stems}
        if row.kind == "checkpoint":
            return {**self.named(str(self.checkpoint(row))), "picture": row.picture}
        if row.kind in ("card", "tracks"):
            told = {"tracks": [row.style, row.loudness], "reference": REFERENCE_LUFS}
            found = {**self.named(self.model_of(row)), "picture": row.picture}
            return found if row.kind == "card" else {**found, **told}
        return {"kind": row.kind}

    def build(self, row: Row, chosen: SceneSet) -> Heard:
        """The system of a row; `chosen` says which kind of training scenes a baseline is fitted on."""
        kind = row.oracle or row.kind
        if kind in FITTED:
            return self._fit(chosen)[kind]
        makers: Mapping[str, Callable[[], Heard]] = {
            "input": lambda: Scene.mix,
            "oracle": lambda: ideal_masks,
            "relevel": lambda: Relevelled(self._stems(row), PRIORS[row.prior]),
            "checkpoint": lambda: self.network(str(self.checkpoint(row))),
            "card": lambda: self.network(self.model_of(row)),
            "tracks": lambda: OwnTracks(self.ears(self.model_of(row)), row.style, row.loudness),
        }
        return makers[row.kind]()

    def ears(self, name: str) -> Ears:
        """A network that is told the stems of what it hears; rows that differ in style alone have the same."""
        if name not in self._ears:
            network = self.network(name)
            if not isinstance(network.model, ProductModel):
                raise ModelError(f"{name} sets no gains for tracks; name a stem-and-gain model.")
            self._ears[name] = Ears(TorchNetwork(network.model, self.device), network.shown)
        return self._ears[name]

    def model_of(self, row: Row) -> str:
        """The card or checkpoint a row of the kind "card" or "tracks" means."""
        return row.card or self.product

    def checkpoint(self, row: Row) -> Path:
        """Where a row's checkpoint lies; raises `Absent` where it has not been trained."""
        path = self.runs / row.run / (stage_name(row.step) if row.step else CHECKPOINT)
        if not path.exists():
            raise Absent(f"'{row.name}' has no checkpoint {path}", "not trained")
        return path

    def network(self, name: str) -> NetworkSystem:
        """The network of a card or, for a name ending in .pt, of a checkpoint, with the context it was trained on."""
        if name not in self._networks:
            if name.endswith(".pt"):
                model: Network = load(Path(name))
                config = Trained.read(Path(name)).config
            else:
                card = load_card(name)
                model, config = load_model(card), card.config
            kind = str(config.get("context", "frames"))
            shown = Shown.of(self.data, kind, model.config.context_dim)
            self._networks[name] = NetworkSystem(model, shown, self.device)
        return self._networks[name]

    def _stems(self, row: Row) -> Callable[[Scene], Sound]:
        if row.stems == TRUE_STEMS:
            return true_stems
        name = row.stems or self.product
        if not name.endswith(".pt"):
            return SeparatorStems(name)
        network = self.network(name)

        def separate(scene: Scene) -> Sound:
            found = network.stems(scene)
            if found is None:
                raise ModelError(f"{name} makes no stems to level; name a separator that does.")
            return found

        return separate

    def named(self, name: str) -> dict[str, Any]:
        """A card or separator by its name and weights, a checkpoint by its bytes; raises `ModelError`."""
        if name.endswith(".pt"):
            path = Path(name)
            try:
                self._digests.setdefault(path, file_digest(path))
            except OSError as error:
                raise ModelError(f"The checkpoint {name} cannot be read: {error.strerror}.") from error
            return {"kind": "checkpoint", "sha256": self._digests[path]}
        if name in {card.name for card in list_cards()}:
            return {"kind": "card", "name": name, "sha256": load_card(name).sha256}
        load_separator(name)  # says what is missing
        return {"kind": "separator", "name": name}

    def guesser(self, chosen: SceneSet, clips: int) -> LevelGuess:
        """What levels alone tell, fitted on so many training scenes of the kind of a set."""
        scenes = window_of(self.data, chosen, "train")
        return LevelGuess.fit(scenes[i] for i in range(clips))

    def guesser_identity(self, chosen: SceneSet, clips: int) -> dict[str, Any]:
        """What tells that guesser's figures from any other system's, as JSON."""
        return {"kind": "guesser", "fit": clips, "on": self._training_print(chosen)}

    def _training_print(self, chosen: SceneSet) -> str:
        key = self._key(chosen)
        if key not in self._windows:
            self._windows[key] = window_of(self.data, chosen, "train").fingerprint()
        return self._windows[key]

    def _fit(self, chosen: SceneSet) -> dict[str, Heard]:
        key = self._key(chosen)
        if key not in self._fitted:
            scenes = window_of(self.data, chosen, "train")
            self._fitted[key] = dict(fit((scenes[i] for i in range(self.fit_clips)), list(FITTED)))
        return self._fitted[key]

    def _key(self, chosen: SceneSet) -> str:
        return json.dumps(
            [chosen.scenes, chosen.scene_options, chosen.seconds, chosen.joined], sort_keys=True
        )
