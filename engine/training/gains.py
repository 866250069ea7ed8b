"""A head start for gain curves: the gain head alone, on the true levels of muddy stems.

How loud each stem should be depends mostly on how loud the stems are, and true stems cost no network. So the head
first learns that from many scenes, with leakage between stems as masks will have it, and the whole network goes on
from there.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..errors import SightmixError
from ..highlight.config import NetworkConfig
from ..highlight.network import POWER_FLOOR, GainHead, ProductModel, build
from ..highlight.spectral_torch import stft
from .batches import SceneBatches, Scenes, Shown, quiet_worker, scenes_of
from .checkpoints import take_over
from .config import TrainConfig
from .losses import SpectralLoss, SpectralSettings, gain_loss, level_loss, touched_loss
from .step import ProductObjective, ProductWeights

REFINING_RATE = 1e-3
LEAKAGE_DB = (-24.0, -8.0)  # of one stem into another
FIRST_SCENE = 10_000_000  # scenes the loop itself never reaches


class _Levels(Dataset[tuple[Tensor, Tensor, Tensor, Tensor]]):
    """Power (rows, T) of the mix and leaky stems, and (3, T) of the true stems, true gains in dB, activity."""

    def __init__(self, corpus: Path, config: TrainConfig, count: int, head: GainHead) -> None:
        self.corpus, self.config, self.count, self.head = corpus, config, count, head
        self.scenes: Scenes | None = None

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        if self.scenes is None:
            self.scenes = scenes_of(self.corpus, "train", self.config)
        scene = self.scenes[FIRST_SCENE + index]
        stems = torch.from_numpy(scene.stems)
        spectra = stft(torch.cat([stems.sum(0, keepdim=True), stems])).abs()
        with torch.no_grad():
            power = self.head.parts_power(spectra[None])[0].unflatten(0, (4, -1))
        generator = torch.Generator().manual_seed(index)
        low, high = LEAKAGE_DB
        leak = 10 ** ((low + (high - low) * torch.rand(3, 3, generator=generator)) / 10)
        leak.fill_diagonal_(1.0)
        leaky = torch.cat([power[:1], torch.einsum("ij,jkt->ikt", leak, power[1:])]).flatten(0, 1)
        active = torch.from_numpy(scene.active).float()
        return leaky, power[1:].sum(1), torch.from_numpy(scene.gains_db), active


def pretrain(config: TrainConfig, corpus: Path, out: Path, clips: int, batch: int = 16) -> float:
    """Train a gain head on `clips` scenes and store its weights in `out`; returns the last mean loss in dB."""
    torch.manual_seed(config.seed)
    network = NetworkConfig.from_dict(config.network)
    model = build(network)
    assert isinstance(model, ProductModel)
    head = model.gain
    torch.nn.init.constant_(head.norm_in.weight, 0.1)  # the trunk's word begins softly
    optimizer = torch.optim.Adam(head.parameters(), lr=2e-3)
    steps = clips // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=max(2, steps), pct_start=0.1)
    loader = DataLoader(
        _Levels(corpus, config, steps * batch, head),
        batch_size=batch,
        num_workers=config.workers,
        worker_init_fn=quiet_worker,
    )
    mean, began = 0.0, time.monotonic()
    for step, (power, true, gains, active) in enumerate(loader):
        latents = network.latent_steps(power.shape[-1])
        hidden = torch.zeros(power.shape[0], latents, network.width)
        curves, beliefs = head(hidden, power)
        loss = gain_loss(curves, gains, active)
        total = loss
        if beliefs is not None:
            total = loss + level_loss(beliefs.levels, true, POWER_FLOOR)
            total = total + touched_loss(beliefs.touched, gains, active)
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(head.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        mean = float(loss.detach()) if step == 0 else 0.98 * mean + 0.02 * float(loss.detach())
        if step % 20 == 0:
            print(
                json.dumps(
                    {
                        "clips": (step + 1) * batch,
                        "loss": round(mean, 3),
                        "s": round(time.monotonic() - began),
                    }
                )
            )
            sys.stdout.flush()
            _store(head, out)
    _store(head, out)
    return mean


def refine(config: TrainConfig, corpus: Path, checkpoint: Path, clips: int, batch: int = 4) -> float:
    """Train the gain head of a finished `checkpoint` on what is heard in the end, its masks held still.

    With the masks as they are, leaks and all, the best gains are not the true ones but those that bring the mix
    nearest to the good one. The loss is the configuration's without the masks. Rewrites the checkpoint; returns the
    loss's last mean.
    """
    torch.manual_seed(config.seed)
    stored = torch.load(checkpoint, map_location="cpu", weights_only=True)
    model = build(NetworkConfig.from_dict(config.network))
    assert isinstance(model, ProductModel)
    take_over(model, checkpoint)  # a head may have grown since
    model.trunk.mixed_precision = config.precision == "bf16"
    model.requires_grad_(False)
    model.gain.requires_grad_(True)
    optimizer = torch.optim.Adam(model.gain.parameters(), lr=REFINING_RATE)
    steps = clips // batch
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda k: min(1.0, (k + 1) / 20) * (1 - k / steps)
    )
    remix = SpectralLoss(SpectralSettings(**{"mode": "mixed", "overlap": 2, **config.remix_loss}))
    objective = ProductObjective(replace(ProductWeights(**config.weights), mask=0.0), remix)
    mean, began = 0.0, time.monotonic()
    more = replace(config, batch=batch, steps=FIRST_SCENE + steps)
    seen = Shown.of(corpus, config.context, model.config.context_dim)
    loader = DataLoader(
        SceneBatches(corpus, more, seen, FIRST_SCENE // batch),
        batch_size=None,
        num_workers=config.workers,
        worker_init_fn=quiet_worker,
    )
    for step, scenes in zip(range(steps), loader, strict=False):
        terms = objective(model, scenes)
        optimizer.zero_grad()
        terms["total"].backward()
        torch.nn.utils.clip_grad_norm_(model.gain.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        value = float(terms["total"].detach())
        mean = value if step == 0 else 0.97 * mean + 0.03 * value
        if step % 20 == 0:
            print(
                json.dumps(
                    {
                        "clips": (step + 1) * batch,
                        "loss": round(mean, 4),
                        "s": round(time.monotonic() - began),
                    }
                )
            )
            sys.stdout.flush()
    state = model.state_dict()
    part = checkpoint.with_suffix(".part")
    torch.save({**stored, "model": state, "average": state}, part)
    part.replace(checkpoint)
    return mean


def _store(head: GainHead, out: Path) -> None:
    part = out.with_suffix(".part")
    torch.save(head.state_dict(), part)
    part.replace(out)


def main(arguments: list[str] | None = None) -> int:
    """Command line: `python -m sightmix.engine.training.gains CONFIG --corpus DIR --out FILE --clips N`."""
    parser = argparse.ArgumentParser(
        description="Train the gain head on true stem levels, before the network."
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="train a head alone, and store it here")
    parser.add_argument("--refine", type=Path, help="train the head of this checkpoint, and rewrite it")
    parser.add_argument("--clips", type=int, default=10_000)
    args = parser.parse_args(arguments)
    try:
        config = TrainConfig.read(args.config)
        torch.set_num_threads(config.threads)
        if args.refine is not None:
            refine(config, args.corpus, args.refine, args.clips)
        if args.out is not None:
            pretrain(config, args.corpus, args.out, args.clips)
    except SightmixError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
