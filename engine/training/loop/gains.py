"""A head start for gain curves: the gain head alone, on the true levels of muddy stems.

How loud each stem should be depends mostly on how loud the stems are, and true stems cost no network. So the head
first learns that from many scenes, with leakage between stems as masks will have it, and the whole network goes on
from there.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module
from torch.utils.data import Dataset, Subset

from ...errors import SightmixError, TrainingError
from ...highlight.config import NetworkConfig
from ...highlight.network import POWER_FLOOR, GainHead, LevelGainHead, ProductModel, build
from ...highlight.spectral_torch import stft
from ..material.library import Corpus
from ..networks.losses import gain_loss, level_loss, touched_loss
from ..networks.step import ProductWeights
from ..scenes.dice import Dice
from ..scenes.pictures import PictureTable, picture_features
from .balances import BalanceObjective, Heard, assemble, hear
from .batches import Shown, TrainingScenes
from .checkpoints import store, take_over
from .config import TrainConfig
from .descent import follow
from .loading import loaded
from .precision import halved

LEAKAGE_DB = (-24.0, -8.0)  # of one stem into another
FIRST_SCENE = 10_000_000  # scenes the loop itself never reaches


class _Levels(Dataset[tuple[Tensor, Tensor, Tensor, Tensor]]):
    """Power (rows, T) of the mix and leaky stems, and (3, T) of the true stems, true gains in dB, activity."""

    def __init__(self, corpus: Path, config: TrainConfig, count: int, head: GainHead) -> None:
        self.scenes, self.count, self.head = TrainingScenes(corpus, config), count, head

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
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
    levels = _Levels(corpus, config, steps * batch, head)
    mean, began = 0.0, time.monotonic()
    with closing(loaded(levels, config.workers, batch)) as loader:
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
                _tell({"clips": (step + 1) * batch, "loss": round(mean, 3)}, began)
                store(head.state_dict(), out)
    store(head.state_dict(), out)
    return mean


def refine(
    config: TrainConfig,
    corpus: Path,
    checkpoint: Path,
    clips: int,
    *,
    rounds: int = 10,
    redrawn: float = 0.5,
    looking: bool = False,
    batch: int = 16,
) -> float:
    """Train the gain head of a finished `checkpoint` on what its balance leads to, its masks held still.

    With the masks as they are, leaks and all, the best gains are not the true ones but those that bring the mix
    nearest to the good one. `clips` scenes of the configuration are heard once, about half a megabyte each, and
    balanced `rounds` times, `redrawn` of those muddied by the paper's rule under other pictures each time
    (`balances`). With `looking` nothing learns but what looks at pictures, so that without one all stays as it was.
    Terms and learning rate are the configuration's. Rewrites the checkpoint; returns the last mean of the loss. Raises
    `TrainingError` where nothing looks.
    """
    torch.manual_seed(config.seed)
    stored = torch.load(checkpoint, map_location="cpu", weights_only=True)
    model = build(NetworkConfig.from_dict(config.network))
    assert isinstance(model, ProductModel)
    take_over(model, checkpoint)  # a head may have grown since
    model.trunk.mixed_precision = halved(config.precision, torch.device("cpu"))
    model.requires_grad_(False)
    shown = Shown.of(corpus, config.context, model.config.context_dim)
    learning = _looking(model.gain, checkpoint) if looking else model.gain
    learning.requires_grad_(True)
    began = time.monotonic()
    heard = _hear(model, config, corpus, shown, clips, began)
    shards = config.data == "shards"  # of films, whose pictures are their own
    table = None if shards else PictureTable.of(Corpus(corpus), "train", picture_features(corpus).keys())
    objective = BalanceObjective(ProductWeights(**config.weights))
    optimizer = torch.optim.Adam(learning.parameters(), lr=config.learning_rate)
    per_round = max(1, clips // batch)
    steps = rounds * per_round
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda k: min(1.0, (k + 1) / 20) * (1 - k / steps)
    )
    average = copy.deepcopy(model.gain)
    mean = 0.0
    for step in range(steps):
        if step % per_round == 0:
            order = np.random.default_rng((config.seed, step, 1)).permutation(clips)
        picked = order[step % per_round * batch :][:batch]
        dice = Dice(f"balances {step}", picked.tolist(), config.seed)
        scenes = assemble([heard[i] for i in picked], shown, table, redrawn, dice)
        terms = objective(model, scenes)
        optimizer.zero_grad()
        terms["total"].backward()
        torch.nn.utils.clip_grad_norm_(model.gain.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        follow(average, model.gain, config.ema, step)
        value = float(terms["total"].detach())
        mean = value if step == 0 else 0.98 * mean + 0.02 * value
        if step % 50 == 0:
            _tell({"step": step, "of": steps, "loss": round(mean, 4)}, began)
    model.gain.load_state_dict(average.state_dict())
    state = model.state_dict()
    store({**stored, "model": state, "average": state}, checkpoint)
    return mean


def _looking(head: GainHead, checkpoint: Path) -> Module:
    """The part of a gain head that looks at pictures."""
    encoder = head.seen_in if isinstance(head, LevelGainHead) else None
    if encoder is None:
        raise TrainingError(
            f"The gain head of {checkpoint} does not look at pictures itself; train all of it."
        )
    return encoder


def _hear(
    model: ProductModel, config: TrainConfig, corpus: Path, shown: Shown, clips: int, began: float
) -> list[Heard]:
    """So many scenes of a configuration, through the network's masks."""
    wanted = Subset(TrainingScenes(corpus, config), range(FIRST_SCENE, FIRST_SCENE + clips))
    heard: list[Heard] = []
    with closing(loaded(wanted, config.workers)) as scenes:
        for scene in scenes:
            heard.append(hear(model, scene, shown))
            if len(heard) % 200 == 0:
                _tell({"heard": len(heard), "of": clips}, began)
    return heard


def _tell(values: dict[str, float], began: float) -> None:
    print(json.dumps({**values, "s": round(time.monotonic() - began)}), flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Command line: `python -m sightmix.engine.training.loop.gains CONFIG --corpus DIR --out FILE --clips N`."""
    parser = argparse.ArgumentParser(
        description="Train the gain head on true stem levels, before the network."
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="train a head alone, and store it here")
    parser.add_argument("--refine", type=Path, help="train the head of this checkpoint, and rewrite it")
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=10, help="how often --refine balances every clip")
    parser.add_argument(
        "--redrawn", type=float, default=0.5, help="share of them shown other pictures each time"
    )
    parser.add_argument("--looking", action="store_true", help="--refine only what looks at pictures")
    args = parser.parse_args(arguments)
    try:
        config = TrainConfig.read(args.config)
        torch.set_num_threads(config.threads)
        if args.refine is not None:
            refine(
                config,
                args.corpus,
                args.refine,
                args.clips,
                rounds=args.rounds,
                redrawn=args.redrawn,
                looking=args.looking,
            )
        if args.out is not None:
            pretrain(config, args.corpus, args.out, args.clips)
    except SightmixError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
