"""The training loop, on Lightning Fabric: resumable to the bit, checkpointed, logged, on one device or many."""

from __future__ import annotations

import argparse
import copy
import json
import math
import pickle
import signal
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import closing, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...compat import ensure_companions
from ...errors import SightmixError, TrainingError
from ...files import write_error
from ...highlight.network import ProductModel, VisAH, parameter_count
from ...highlight.spectral_torch import stft
from ...installation import line_for
from ...locks import holding_folder
from ..networks.initialise import unit_variance
from ..networks.losses import SpectralLoss, SpectralSettings
from ..networks.registry import Network, build_network, config_of, objective_of
from ..networks.step import Batch, ProductWeights, to_device
from .batches import LaidBatches, ShardBatches, Shown, pinned, scenes_of
from .checkpoints import store, take_over
from .config import TrainConfig
from .descent import follow, make_optimizer
from .loading import loaded
from .peers import Peers
from .precision import halved
from .validate import Held, Validation, hold, joined, validate
from .watch import Observer, Watch

SHOW_EVERY = 20


def rate_at(step: int, config: TrainConfig) -> float:
    """Learning rate of a step."""
    up = min(1.0, (step + 1) / max(1, config.warmup))
    down = min(1.0, (config.steps - step) / max(1, config.decay))
    return config.learning_rate * min(up, down)


def make_fabric(device: str = "auto", devices: int = 1, idle: bool = False) -> Any:
    """Lightning Fabric on `devices` devices: "auto", "cpu" or "cuda"; raises `TrainingError` if there are none such.

    `idle` says that parts of the network have no say in the loss, which costs time where several devices learn.
    """
    ensure_companions()
    try:
        from lightning_fabric import Fabric
        from lightning_fabric.strategies.ddp import DDPStrategy
    except ImportError as error:
        raise TrainingError(f"Training needs Lightning Fabric: `{line_for('train')}` ({error}).") from error
    strategy: Any = DDPStrategy(find_unused_parameters=idle) if devices > 1 else "auto"
    try:
        fabric = Fabric(accelerator=device, devices=devices, strategy=strategy)
        fabric.launch()
    except Exception as error:
        raise TrainingError(
            f"Training cannot use {devices} × {device}: {str(error).splitlines()[0]}"
        ) from error
    return fabric


class Trainer:
    """One run in `folder`: `checkpoint.pt` to resume from, `best-STEP.pt` to ship, `log.jsonl` to read.

    `validation.jsonl` has the distances of every clip at every validation.

    `fabric` says where it runs; without one, on the processor.
    """

    def __init__(
        self,
        config: TrainConfig,
        corpus: Path,
        folder: Path,
        fabric: Any = None,
        observe: Observer | None = None,
    ) -> None:
        self.config, self.corpus, self.folder = config, corpus, folder
        self.fabric = fabric or make_fabric("cpu")
        self.device: torch.device = self.fabric.device
        folder.mkdir(parents=True, exist_ok=True)
        self.watch = Watch(folder, observe)
        torch.manual_seed(config.seed)
        self.network = config_of(config.network)
        self.shown = Shown.of(corpus, config.context, self.network.context_dim)
        self.model: Network = build_network(self.network).to(self.device)
        if config.unit_variance:
            self._scale_start()
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        self.model.trunk.mixed_precision = halved(config.precision, self.device)
        self.optimizer = make_optimizer(self.model, config)
        self.learner, self.stepper = self.fabric.setup(self.model, self.optimizer)
        remix = SpectralLoss(
            SpectralSettings(**{"mode": "mixed", "overlap": 2, **_tuples(config.remix_loss)})
        )
        if self.network.kind == "product":
            self.learner.mark_forward_method("logits")
            self.learner.mark_forward_method("mask_logits")
        self.objective = objective_of(self.network, config.weights, remix.to(self.device))
        self.step = 0
        self.best: list[tuple[float, int]] = []
        self.best_of = ""  # which scenes the best were chosen by
        self.stop = False
        self.peers = Peers(int(self.fabric.global_rank), int(self.fabric.world_size))
        self.broken = torch.full((), -1.0, device=self.device)  # the step whose loss was no number
        self.held: Held | None = None
        self.validated: tuple[int, Validation] | None = None

    def _scale_start(self) -> None:
        scenes = scenes_of(self.corpus, "train", self.config)
        batch = to_device(self.shown.batch([scenes[i] for i in range(4)]), self.device)
        mix = batch.stems.sum(1)
        assert isinstance(self.model, ProductModel | VisAH)  # the configuration sees to that
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
            self.best = [(float(value), int(step)) for value, step in state.get("best", [])]
            self.best_of = str(state.get("best_of", ""))
        except (RuntimeError, KeyError, EOFError, OSError, ValueError, pickle.UnpicklingError) as error:
            raise TrainingError(
                f"Checkpoint {path} does not fit this run: {str(error).splitlines()[0]}. Move it away to start anew."
            ) from error

    def start_from(self, checkpoint: Path) -> None:
        """Begin with another run's averaged weights, where they fit; a run under way keeps its own."""
        if self.step == 0:
            count = take_over(self.model, checkpoint)
            self.average.load_state_dict(self.model.state_dict())
            self.watch.entry(event="weights taken over", tensors=count)

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

    def save(self, name: str = "checkpoint.pt") -> None:
        """Write the checkpoint. Raises `TrainingError`, and writes nothing, where its weights are no numbers."""
        self._check()
        if not self.fabric.is_global_zero:
            return
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "best": self.best,
            "best_of": self.best_of,
            "config": json.dumps(asdict(self.config)),
        }
        store(state, self.folder / name)

    def run(self) -> None:
        """Train from where the run stands to the last step; an interrupt saves and stops."""
        self._tell(event="start", step=self.step, parameters=parameter_count(self.model))
        try:
            with closing(self._steps()) as steps:
                for _ in steps:
                    stopping = self.peers.any(self.stop)
                    validating = self.step % self.config.validate_every == 0
                    if validating or stopping or self.step % self.config.save_every == 0:
                        self.save()
                    if validating and self._validated():
                        break
                    if stopping:
                        self.stop = True
                        return
            if self.validated is None or self.validated[0] != self.step:
                self._rank("done")
            else:
                self._tell(event="done", step=self.step, **self.validate().entries())
            self.save()
        except torch.OutOfMemoryError as error:
            raise TrainingError(
                f"Memory of {self.device} ran out at step {self.step} with batches of {self.config.batch}; the last "
                f"good checkpoint is {self.folder / 'checkpoint.pt'}. Make 'batch' smaller and 'accumulate' larger."
            ) from error
        finally:
            self.watch.close()

    def validate(self) -> Validation:
        """How the averaged weights do on validation scenes; asked twice at a step, it answers from memory."""
        if self.validated is None or self.validated[0] != self.step:
            self._check()
            if self.held is None:
                ours = (self.peers.rank, self.peers.count)
                self.held = hold(self.corpus, self.config, self.shown, self.device, *ours)
            part = validate(self.average, self.held, self.device)
            self.validated = (self.step, joined(self.peers.gathered(part)))
        return self.validated[1]

    def _steps(self) -> Generator[int, None, None]:
        """Take the steps that are left, and tell every so many how they went."""
        with closing(self._batches()) as batches:
            yield from self._steps_of(batches)

    def _steps_of(self, batches: Iterator[Batch]) -> Iterator[int]:
        began, first, logged, waited = time.monotonic(), self.step, self.step, 0.0
        sums: dict[str, Tensor] = {}
        while self.step < self.config.steps:
            group = []
            for _ in range(self.config.accumulate):
                asked = time.monotonic()
                group.append(next(batches))
                waited += time.monotonic() - asked
            for name, value in self._advance(*group).items():
                sums[name] = sums[name] + value if name in sums else value
            if self.step % SHOW_EVERY == 0:
                # The one time that a graphics card is waited for.
                totals = torch.stack(list(sums.values())).tolist()
                means = {name: value / (self.step - logged) for name, value in zip(sums, totals, strict=True)}
                self._check()
                spent = time.monotonic() - began
                pace = {
                    "seconds_per_step": spent / (self.step - first),
                    "clips_per_second": self._clips(self.step - first) / spent,
                    "waiting_for_data": waited / spent,
                }
                if self.fabric.is_global_zero:
                    self.watch.figures(self.step, {**pace, **means})
                sums, logged = {}, self.step
            yield self.step

    def _clips(self, steps: int) -> int:
        return steps * self.config.accumulate * self.config.batch * int(self.fabric.world_size)

    def _validated(self) -> bool:
        """Validate, keep the weights if they are among the best; whether to stop for want of better ones."""
        self._rank("validation")
        self.save()
        leader = self.best[0][1] if self.best else self.step
        patience = self.config.early_stop * self.config.validate_every
        return bool(patience) and self.step - leader >= patience

    def _rank(self, event: str) -> None:
        """Validate, tell how it went, and keep the weights if they are among the best."""
        found = self.validate()
        if found.scenes != self.best_of:  # other scenes, by which the best so far were not chosen
            self.best, self.best_of = [], found.scenes
        others = [entry for entry in self.best if entry[1] != self.step]
        ranked = sorted([*others, (found.score, self.step)], reverse=True)
        dropped = ranked[self.config.keep_best :]
        self.best = ranked[: self.config.keep_best]
        if (found.score, self.step) in self.best:
            self.save(f"best-{self.step}.pt")
        if self.fabric.is_global_zero:
            for _, step in dropped:
                (self.folder / f"best-{step}.pt").unlink(missing_ok=True)
            self.watch.validation(self.step, found, event, best=self.best[0][1] if self.best else None)

    def _batches(self) -> Generator[Batch, None, None]:
        """Batches from where the run stands: drawn where they are learned from, or read from films' shards."""
        config, first = self.config, self.step * self.config.accumulate
        ours = (self.peers.rank, self.peers.count)
        if config.data == "corpus":
            yield from LaidBatches(self.corpus, config, self.shown, first, self.device, *ours)
        else:
            films = ShardBatches(self.corpus, config, self.shown, first, *ours)
            yield from loaded(films, config.workers, ahead=4)

    def _advance(self, *batches: Batch) -> dict[str, Tensor]:
        """One step from `accumulate` batches; the terms of its loss, means over them, still on the device.

        Nothing here waits for a graphics card. A loss that is no number spoils the weights and is noticed by `_check`,
        before they are saved.
        """
        self.model.train()
        # What dropout leaves out is a matter of the step alone, so that a resumed run leaves out the same.
        drawn = np.random.SeedSequence([self.config.seed, self.step, int(self.fabric.global_rank)])
        torch.manual_seed(int(drawn.generate_state(1)[0]))
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(self.step, self.config) * group.get("share", 1.0)
        self.optimizer.zero_grad(set_to_none=True)
        sums: dict[str, Tensor] = {}
        for number, batch in enumerate(batches, start=1):
            with self.fabric.no_backward_sync(self.learner, enabled=number < len(batches)):
                terms = self.objective(self.learner, pinned(batch, self.device))
                self.fabric.backward(terms["total"] / len(batches))
            for name, value in terms.items():
                part = value.detach() / len(batches)
                sums[name] = sums[name] + part if name in sums else part
        norm = self.fabric.clip_gradients(
            self.learner, self.stepper, max_norm=self.config.clip or math.inf, error_if_nonfinite=False
        )
        wrong = (self.broken < 0) & ~torch.isfinite(norm)
        self.broken = torch.where(wrong, float(self.step), self.broken)
        self.stepper.step()
        follow(self.average, self.model, self.config.ema, self.step)
        self.step += 1
        return sums | {"norm": norm}

    def _check(self) -> None:
        """Raise `TrainingError` where the loss has been no number, or a weight is none."""
        step = int(self.broken)
        if step < 0 and _finite(self.model) and _finite(self.average):
            return
        raise TrainingError(
            f"The loss is not finite at step {step if step >= 0 else self.step}; the last good checkpoint is "
            f"{self.folder / 'checkpoint.pt'}. Lower the learning rate and start again from it."
        )

    def _tell(self, **values: Any) -> None:
        if self.fabric.is_global_zero:
            self.watch.entry(**values)


def _finite(model: torch.nn.Module) -> bool:
    """Whether all weights are numbers."""
    return bool(torch.stack([p.detach().isfinite().all() for p in model.parameters()]).all())


def _tuples(data: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}


def _idle(config: TrainConfig) -> bool:
    """Whether the gain head is left out: where neither gains nor the rebalanced sound count."""
    if config.network.get("kind") != "product":
        return False
    return not ProductWeights(**config.weights).needs_gains


def train(
    config: TrainConfig,
    corpus: Path,
    folder: Path,
    *,
    device: str = "auto",
    devices: int = 1,
    start: Path | None = None,
    gains: Path | None = None,
    observe: Observer | None = None,
) -> Trainer:
    """Train a configuration to its last step, or resume it; Ctrl-C saves and stops, which `Trainer.stop` tells.

    `start` is another run's checkpoint whose fitting weights a new run begins with, `gains` a gain head trained
    beforehand. Raises `TrainingError` in one sentence.
    """
    torch.set_num_threads(config.threads)
    fabric = make_fabric(device, devices, idle=_idle(config))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(folder, error) from error
    with holding_folder(folder) if fabric.global_rank == 0 else nullcontext():
        trainer = Trainer(config, corpus, folder, fabric, observe)
        trainer.resume()
        if start is not None:
            trainer.start_from(start)
        if gains is not None:
            trainer.adopt_gains(gains)

        def stop(*_: object) -> None:
            trainer.stop = True

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            trainer.run()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    return trainer


def main(arguments: list[str] | None = None) -> int:
    """Command line of the loop: `python -m sightmix.engine.training.loop.run CONFIG --corpus DIR --out DIR`."""
    parser = argparse.ArgumentParser(description="Train a sightmix network from a configuration file.")
    parser.add_argument("config", type=Path)
    parser.add_argument("--corpus", type=Path, required=True, help="folder made by the corpus builder")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of the run; an existing one is resumed"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--devices", type=int, default=1, help="how many of them learn together")
    parser.add_argument("--steps", type=int, help="last step, instead of the configuration's")
    parser.add_argument(
        "--start", type=Path, help="another run's checkpoint to take fitting weights from, for a new run"
    )
    parser.add_argument("--gains", type=Path, help="a gain head trained beforehand, to go on with")
    args = parser.parse_args(arguments)
    try:
        config = TrainConfig.read(args.config)
        if args.steps is not None:
            config = replace(config, steps=args.steps)
        train(
            config,
            args.corpus,
            args.out,
            device=args.device,
            devices=args.devices,
            start=args.start,
            gains=args.gains,
        )
    except SightmixError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
