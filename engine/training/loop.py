"""The training loop: resumable, checkpointed, logged; one command per configuration file."""

from __future__ import annotations

import argparse
import copy
import difflib
import json
import math
import pickle
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from ..errors import SightmixError, TrainingError
from ..highlight.config import NetworkConfig
from ..highlight.network import ProductModel, VisAH, build, parameter_count
from ..highlight.spectral_torch import stft
from .checkpoints import take_over
from .corpus import Corpus
from .initialise import unit_variance
from .losses import SpectralLoss, SpectralSettings
from .pictures import PicturedSource, picture_features
from .scenes import PRESETS, RandomScenes, SceneConfig
from .step import (
    Batch,
    ProductObjective,
    ProductWeights,
    VisAHObjective,
    collate,
    product_output,
    to_device,
    visah_output,
)

PRECISIONS = ("float32", "bf16")


@dataclass(frozen=True)
class TrainConfig:
    """A training run. Learning rate: linear warm-up, constant, then linear to 0 over the last `decay` steps.

    `scene_options` change entries of the scenes' preset (`SceneConfig`), such as the share of clips left untouched.
    `precision` "bf16" runs the trunk's layers in bfloat16 under autocast; weights, gain head and losses stay float32.
    """

    name: str
    network: dict[str, Any]
    scenes: str = "well_mixed"
    scene_options: dict[str, Any] = field(default_factory=dict)
    seconds: float = 10.0
    batch: int = 2
    steps: int = 20_000
    learning_rate: float = 1e-3
    warmup: int = 100
    decay: int = 1000
    clip: float = 1.0
    ema: float = 0.998
    unit_variance: bool = False
    seed: int = 42
    workers: int = 1
    threads: int = 1
    precision: str = "float32"
    save_every: int = 100
    validate_every: int = 500
    validate_clips: int = 16
    weights: dict[str, float] = field(default_factory=dict)
    remix_loss: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> TrainConfig:
        """A configuration from a JSON file; an unknown entry is named with the nearest known one."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise TrainingError(f"Training configuration {path} cannot be read: {error}.") from error
        known = {f.name for f in fields(cls)}
        _known(data, known, path)
        missing = {"name", "network"} - set(data)
        if missing:
            raise TrainingError(f"Training configuration {path} lacks {sorted(missing)}.")
        if data.get("precision", "float32") not in PRECISIONS:
            raise TrainingError(
                f"Training configuration {path}: precision is one of {', '.join(PRECISIONS)}."
            )
        _known(data.get("scene_options", {}), {f.name for f in fields(SceneConfig)}, path)
        return cls(**data)


def _known(entries: Mapping[str, Any], known: set[str], path: Path) -> None:
    for key in entries:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"; did you mean '{near[0]}'?" if near else "."
            raise TrainingError(f"Training configuration {path} has an unknown entry '{key}'{hint}")


class SceneBatches(Dataset[Batch]):
    """Step k's batch, made from scenes k·B … k·B + B - 1, so that resuming continues the same sequence."""

    def __init__(
        self, corpus: Path, config: TrainConfig, features: Mapping[str, NDArray[np.float32]], first: int
    ) -> None:
        self.corpus, self.config, self.features, self.first = corpus, config, features, first
        self.scenes: RandomScenes | None = None

    def __len__(self) -> int:
        return max(0, self.config.steps - self.first)

    def __getitem__(self, index: int) -> Batch:
        if self.scenes is None:
            self.scenes = scenes_of(self.corpus, "train", self.config, self.features)
        first = (self.first + index) * self.config.batch
        drawn = [self.scenes[first + i] for i in range(self.config.batch)]
        return collate(drawn, self.features, int(self.config.network.get("context_dim", 0)))


def scenes_of(
    corpus: Path, split: str, config: TrainConfig, features: Mapping[str, NDArray[np.float32]]
) -> RandomScenes:
    """The run's scenes of a split."""
    preset = replace(PRESETS[config.scenes], **config.scene_options)
    return RandomScenes(PicturedSource(Corpus(corpus), split, features), split, config.seconds, preset)


def rate_at(step: int, config: TrainConfig) -> float:
    """Learning rate of a step."""
    up = min(1.0, (step + 1) / max(1, config.warmup))
    down = min(1.0, (config.steps - step) / max(1, config.decay))
    return config.learning_rate * min(up, down)


class Trainer:
    """One run in `folder`: `checkpoint.pt` to resume from, `log.jsonl` to read."""

    def __init__(self, config: TrainConfig, corpus: Path, folder: Path, device: str = "cpu") -> None:
        self.config, self.corpus, self.folder = config, corpus, folder
        self.device = torch.device(device)
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config.seed)
        self.network = NetworkConfig.from_dict(config.network)
        self.features = picture_features(corpus) if self.network.context_dim else {}
        self.model = build(self.network).to(self.device)
        if config.unit_variance:
            self._scale_start()
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        self.model.trunk.mixed_precision = config.precision == "bf16"
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=config.learning_rate)
        remix = SpectralLoss(
            SpectralSettings(**{"mode": "mixed", "overlap": 2, **_tuples(config.remix_loss)})
        )
        self.objective: ProductObjective | VisAHObjective
        if self.network.kind == "product":
            self.objective = ProductObjective(ProductWeights(**config.weights), remix.to(self.device))
        else:
            self.objective = VisAHObjective(remix.to(self.device))
        self.step = 0
        self.stop = False

    def _scale_start(self) -> None:
        scenes = scenes_of(self.corpus, "train", self.config, self.features)
        batch = collate([scenes[i] for i in range(4)], self.features, self.network.context_dim)
        batch = to_device(batch, self.device)
        mix = batch.stems.sum(1)
        unit_variance(self.model, (stft(mix).abs(), mix, batch.context, batch.times, batch.valid))

    def resume(self) -> None:
        """Go on from the folder's checkpoint, if there is one."""
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            self.model.load_state_dict(state["model"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step = int(state["step"])
        except (RuntimeError, KeyError, EOFError, OSError, pickle.UnpicklingError) as error:
            raise TrainingError(
                f"Checkpoint {path} does not fit this run: {str(error).splitlines()[0]}. Move it away to start anew."
            ) from error

    def start_from(self, checkpoint: Path) -> None:
        """Begin with another run's averaged weights, where they fit; a run under way keeps its own."""
        if self.step == 0:
            count = take_over(self.model, checkpoint)
            take_over(self.average, checkpoint)
            self._log({"event": "weights taken over", "tensors": count})

    def adopt_gains(self, path: Path) -> None:
        """Take over a gain head trained beforehand (`gains`), forgetting what the optimizer knew of the old one."""
        try:
            head = torch.load(path, map_location=self.device, weights_only=True)
            for model in (self.model, self.average):
                assert isinstance(model, ProductModel)
                model.gain.load_state_dict(head)
        except (AssertionError, RuntimeError, OSError, EOFError, pickle.UnpicklingError) as error:
            raise TrainingError(
                f"The gain head {path} does not fit this run: {str(error).splitlines()[:1]}."
            ) from error
        assert isinstance(self.model, ProductModel)
        for parameter in self.model.gain.parameters():
            self.optimizer.state.pop(parameter, None)

    def save(self) -> None:
        """Write the checkpoint: a temporary name first, so that a kill never leaves half of one."""
        path = self.folder / "checkpoint.pt"
        temporary = path.with_suffix(".part")
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "config": json.dumps(asdict(self.config)),
        }
        torch.save(state, temporary)
        temporary.replace(path)

    def run(self) -> None:
        """Train from where the run stands to the last step; an interrupt saves and stops."""
        self._log({"event": "start", "step": self.step, "parameters": parameter_count(self.model)})
        began, first = time.monotonic(), self.step
        sums: dict[str, float] = {}
        logged = self.step
        for batch in self._batches():
            terms = self._advance(batch)
            for name, value in terms.items():
                sums[name] = sums.get(name, 0.0) + value
            if self.step % 20 == 0:
                pace = (time.monotonic() - began) / max(1, self.step - first)
                means = {name: value / (self.step - logged) for name, value in sums.items()}
                self._log({"step": self.step, "seconds_per_step": pace, **means})
                sums, logged = {}, self.step
            if self.step % self.config.save_every == 0 or self.stop:
                self.save()
            if self.step % self.config.validate_every == 0:
                self._log({"event": "validation", "step": self.step, **self.validate()})
            if self.stop:
                return
        self.save()
        self._log({"event": "done", "step": self.step, **self.validate()})

    def validate(self) -> dict[str, float]:
        """Mean improvement over the muddy input in MAG and ENV, in %, of the averaged weights on validation scenes."""
        from ..evaluation.metrics import env, mag

        scenes = scenes_of(self.corpus, "validation", self.config, self.features)
        sums = np.zeros((2, 2))
        self.average.eval()
        for index in range(self.config.validate_clips):
            scene = scenes[index]
            batch = to_device(collate([scene], self.features, self.network.context_dim), self.device)
            with torch.no_grad():
                mix = batch.stems.sum(1)
                if isinstance(self.average, ProductModel):
                    output = product_output(self.average, mix, batch)[0]
                else:
                    assert isinstance(self.average, VisAH)
                    output = visah_output(self.average, mix, batch)
            target = scene.target()
            for row, sound in enumerate((scene.mix(), output[0].cpu().numpy())):
                sums[row] += mag(sound, target), env(sound, target)
        better = 100 * (1 - sums[1] / sums[0])
        return {"mag_improvement": float(better[0]), "env_improvement": float(better[1])}

    def _batches(self) -> Iterator[Batch]:
        data = SceneBatches(self.corpus, self.config, self.features, self.step)
        loader: DataLoader[Batch] = DataLoader(
            data,
            batch_size=None,
            num_workers=self.config.workers,
            prefetch_factor=4 if self.config.workers else None,
            worker_init_fn=quiet_worker,
        )
        return iter(loader)

    def _advance(self, batch: Batch) -> dict[str, float]:
        self.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(self.step, self.config)
        terms = self.objective(self.model, to_device(batch, self.device))  # type: ignore[arg-type]
        self.optimizer.zero_grad(set_to_none=True)
        terms["total"].backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        if not math.isfinite(float(norm)):
            raise TrainingError(
                f"The loss is not finite at step {self.step}; the last good checkpoint is "
                f"{self.folder / 'checkpoint.pt'}. Lower the learning rate and start again from it."
            )
        self.optimizer.step()
        keep = min(self.config.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1 - keep)
        self.step += 1
        return {name: float(value.detach()) for name, value in terms.items()} | {"norm": float(norm)}

    def _log(self, entry: dict[str, Any]) -> None:
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps({"time": round(time.time(), 1), **entry}) + "\n")


def _tuples(data: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}


def quiet_worker(_: int) -> None:
    """One thread, and no part in signals: the loop decides when to stop, and saves first."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def main(arguments: list[str] | None = None) -> int:
    """Command line of the loop: `python -m sightmix.engine.training.loop CONFIG --corpus DIR --out DIR`."""
    parser = argparse.ArgumentParser(description="Train a sightmix network from a configuration file.")
    parser.add_argument("config", type=Path)
    parser.add_argument("--corpus", type=Path, required=True, help="folder made by the corpus builder")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of the run; an existing one is resumed"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--steps", type=int, help="last step, instead of the configuration's")
    parser.add_argument(
        "--start", type=Path, help="another run's checkpoint to take fitting weights from, for a new run"
    )
    parser.add_argument("--gains", type=Path, help="a gain head trained beforehand, to go on with")
    args = parser.parse_args(arguments)
    try:
        config = TrainConfig.read(args.config)
        if args.steps is not None:
            config = TrainConfig(**{**asdict(config), "steps": args.steps})
        torch.set_num_threads(config.threads)
        trainer = Trainer(config, args.corpus, args.out, args.device)
        trainer.resume()
        if args.start is not None:
            trainer.start_from(args.start)
        if args.gains is not None:
            trainer.adopt_gains(args.gains)

        def stop(*_: object) -> None:
            trainer.stop = True

        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        trainer.run()
    except SightmixError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
