"""From a checkpoint to a shipped model: half-precision weights, an ONNX graph and a card."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...context.encoders import DEFAULT_ENCODER
from ...errors import SightmixError, TrainingError
from ...highlight.backends import write_graph
from ...highlight.config import WINDOW_FRAMES, NetworkConfig
from ...highlight.network import ProductModel, build
from ...weights.store import Card, make_card, save_tensors, write_card
from ..networks.registry import AnyConfig
from ..scenes.shards import MANIFEST, shard_credits
from .batches import FILMS_FOLDER
from .checkpoints import averaged

HALF_MAX = float(np.finfo(np.float16).max)


def shippable(network: AnyConfig, where: Path) -> NetworkConfig:
    """The description found in `where`, of a network a card can hold; raises `TrainingError` for a baseline's."""
    if not isinstance(network, NetworkConfig):
        raise TrainingError(
            f"{where} is about the network {network.kind}, a baseline to measure against; only product and visah "
            "networks can be shipped."
        )
    return network


def export(
    checkpoint: Path,
    root: Path,
    *,
    name: str,
    licence: str,
    trained_on: Sequence[str],
    results: Mapping[str, Any] | None = None,
    context: str = DEFAULT_ENCODER,
    credit: str = "",
    raise_db: float = 0.0,
) -> Card:
    """Write `root`/files/NAME.safetensors (fp16, averaged weights), its graphs, and `root`/cards/NAME.json.

    `raise_db` is added to every gain that a product model wants, before bound and gate: who learns by distances of
    magnitude stays on the quiet side where in doubt, so that its mixes are too quiet on the mean.

    Raises `TrainingError` if the checkpoint is not one of the training loop's, holds a baseline, or weights that half
    precision cannot.
    """
    trained, state, step = averaged(checkpoint)
    network = shippable(trained, checkpoint)
    files, cards = root / "files", root / "cards"
    files.mkdir(parents=True, exist_ok=True)
    cards.mkdir(parents=True, exist_ok=True)
    if raise_db:
        if "gain.out.bias" not in state:
            raise TrainingError(f"{checkpoint} sets no gains that could be raised.")
        state["gain.out.bias"] = state["gain.out.bias"] + raise_db
    tensors = {key: value.numpy() for key, value in state.items()}
    for key, value in tensors.items():
        if not np.isfinite(value).all() or np.abs(value).max(initial=0.0) > HALF_MAX:
            raise TrainingError(
                f"{checkpoint}: the weights '{key}' do not fit half precision; train with a lower rate."
            )
    weights = files / f"{name}.safetensors"
    save_tensors(weights, {key: value.astype(np.float16) for key, value in tensors.items()})
    config: dict[str, Any] = {"network": network.to_dict(), "context": context, "steps": step}
    model = build(network)
    model.load_state_dict(state)
    if isinstance(model, ProductModel):
        config["graph"] = f"{name}.onnx"
        write_graph(model, files / config["graph"], WINDOW_FRAMES)
        if network.gain_head == "levels":
            config["told_graph"] = f"{name}-told.onnx"
            write_graph(model, files / config["told_graph"], WINDOW_FRAMES, told=True)
    card = make_card(
        weights,
        name=name,
        kind="highlight",
        licence=licence,
        trained_on=list(trained_on),
        config=config,
        results=dict(results or {}),
        source="trained with sightmix's own trainer",
        credit=credit,
    )
    write_card(card, cards)
    return card


def corpus_credits(corpus: Path) -> list[str]:
    """One line per package a corpus, or film that shards, were built from: name, hours trained on, licence."""
    if (corpus / MANIFEST).exists():
        return shard_credits(corpus)
    try:
        manifest = json.loads((corpus / "corpus.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"The corpus in {corpus} has no readable corpus.json: {error}.") from error
    hours: dict[str, dict[str, float]] = {}
    licences: dict[str, str] = {}
    for item in manifest["items"]:
        if item["split"] == "train":
            kinds = hours.setdefault(item["package"], {})
            kinds[item["kind"]] = (
                kinds.get(item["kind"], 0.0) + item["samples"] / manifest["sample_rate"] / 3600
            )
            licences[item["package"]] = item["licence"]
    films = corpus / FILMS_FOLDER
    shown = shard_credits(films) if (films / MANIFEST).exists() else []
    return [
        f"{package}: {', '.join(f'{value:.2f} h {kind}' for kind, value in sorted(kinds.items()))}; {licences[package]}"
        for package, kinds in sorted(hours.items())
    ] + shown


def main(arguments: list[str] | None = None) -> int:
    """Command line: `python -m sightmix.engine.training.loop.export CHECKPOINT --name NAME --corpus DIR --root DIR`."""
    parser = argparse.ArgumentParser(
        description="Turn a training checkpoint into a model that can be shipped."
    )
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument(
        "--corpus", type=Path, required=True, help="the corpus it was trained on, for the card"
    )
    parser.add_argument("--root", type=Path, required=True, help="a weights folder, with files/ and cards/")
    parser.add_argument("--licence", default="CC-BY-SA-4.0")
    parser.add_argument("--results", type=Path, help="JSON file of measured results for the card")
    parser.add_argument("--raise-db", type=float, default=0.0, help="raise all gains by so much")
    args = parser.parse_args(arguments)
    try:
        results = json.loads(args.results.read_text(encoding="utf-8")) if args.results else {}
        card = export(
            args.checkpoint,
            args.root,
            name=args.name,
            licence=args.licence,
            trained_on=corpus_credits(args.corpus),
            results=results,
            raise_db=args.raise_db,
        )
    except (SightmixError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{card.name}: {card.size_text}, sha256 {card.sha256}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
