"""Models against simple and ideal systems on unseen scenes: the rows of the results tables."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import SightmixError
from ..highlight.backends import load_model
from ..highlight.config import STEMS
from ..highlight.network import ProductModel
from ..training.checkpoints import load
from ..training.corpus import Corpus
from ..training.pictures import PicturedSource, picture_features
from ..training.scenes import PRESETS, RandomScenes, Scene
from ..training.step import Batch, collate, product_output, visah_output
from ..weights.store import load_card
from .baselines import (
    BroadbandGain,
    LevelledStems,
    LoudnessMatch,
    System,
    Table,
    evaluate_set,
    ideal_masks,
)
from .metrics import mag, si_sdr

Features = Mapping[str, NDArray[np.float32]]


class ModelSystem:
    """A shipped model, or a checkpoint (.pt), as a system under evaluation: muddy scene in, sound (samples,) out."""

    def __init__(self, name: str, features: Features, context: bool) -> None:
        self.model = load(Path(name)) if name.endswith(".pt") else load_model(load_card(name))
        self.features = features if context else {}

    def batch(self, scene: Scene) -> Batch:
        """The scene as the model is shown it."""
        return collate([scene], self.features, self.model.config.context_dim)

    def __call__(self, scene: Scene) -> NDArray[np.float32]:
        """The model's mix."""
        batch = self.batch(scene)
        with torch.inference_mode():
            mix = batch.stems.sum(1)
            if isinstance(self.model, ProductModel):
                output = product_output(self.model, mix, batch)[0]
            else:
                output = visah_output(self.model, mix, batch)
        return np.asarray(output[0].numpy(), np.float32)

    def stems(self, scene: Scene) -> NDArray[np.float32] | None:
        """The model's muddy stems (3, samples), if it makes any."""
        if not isinstance(self.model, ProductModel):
            return None
        batch = self.batch(scene)
        with torch.inference_mode():
            return np.asarray(product_output(self.model, batch.stems.sum(1), batch)[1][0].numpy(), np.float32)


def scenes_of(corpus: Path, split: str, preset: str, count: int, features: Features) -> Iterator[Scene]:
    """The first `count` scenes of a split."""
    scenes = RandomScenes(PicturedSource(Corpus(corpus), split, features), split, config=PRESETS[preset])
    return (scenes[i] for i in range(count))


def separation(system: ModelSystem, scenes: Iterator[Scene]) -> dict[str, dict[str, float]]:
    """Mean SI-SDR in dB of each stem and its gain over taking the mix, over clips where the stem sounds."""
    values: dict[str, list[tuple[float, float]]] = {name: [] for name in STEMS}
    for scene in scenes:
        estimate = system.stems(scene)
        if estimate is None:
            return {}
        present = [k for k in range(3) if scene.record["present"][k]]
        for k in present if len(present) > 1 else ():
            ours, before = si_sdr(estimate[k], scene.stems[k]), si_sdr(scene.mix(), scene.stems[k])
            if np.isfinite(ours) and np.isfinite(before):
                values[STEMS[k]].append((ours, before))
    return {
        name: {
            "si_sdr": float(np.mean([a for a, _ in pairs])),
            "improvement": float(np.mean([a - b for a, b in pairs])),
            "clips": len(pairs),
        }
        for name, pairs in values.items()
        if pairs
    }


def restraint(system: ModelSystem, scenes: Iterator[Scene]) -> float:
    """How much mixes that were already good are changed: MAG of output against input, over the muddy clips' MAG error.

    Clips the generator left alone are the good ones; 0 is no change at all.
    """
    change, error = [], []
    for scene in scenes:
        if scene.record["degradation"]["policy"] == "none":
            change.append(mag(system(scene), scene.mix()))
        else:
            error.append(mag(scene.mix(), scene.target()))
    return float(np.mean(change) / np.mean(error)) if change and error else float("nan")


def evaluate(
    corpus: Path, models: list[str], split: str, preset: str, clips: int, fit_clips: int
) -> tuple[Table, dict[str, Any]]:
    """The table of all systems over `clips` scenes, baselines fitted on `fit_clips` training ones; stem figures."""
    features = picture_features(corpus)

    def fit() -> Iterator[Scene]:
        return scenes_of(corpus, "train", preset, fit_clips, features)

    systems: dict[str, System] = {
        "loudness matched to the corpus mean": LoudnessMatch.fit(fit()),
        "one regressed gain over time": BroadbandGain.fit(fit()),
    }
    more: dict[str, Any] = {"separation": {}, "change_of_good_mixes": {}}
    for name in models:
        seen, blind = ModelSystem(name, features, True), ModelSystem(name, features, False)
        if seen.model.config.context_dim:
            systems[f"{name}, no picture"] = blind
        systems[name] = seen
        if isinstance(seen.model, ProductModel):
            more["separation"][name] = separation(seen, scenes_of(corpus, split, preset, clips, features))
            more["change_of_good_mixes"][name] = restraint(
                seen, scenes_of(corpus, split, preset, clips, features)
            )
    systems["perfect stems, regressed gains"] = LevelledStems.fit(fit())
    systems["ideal masks, true gains"] = ideal_masks
    return evaluate_set(scenes_of(corpus, split, preset, clips, features), systems), more


def main(arguments: list[str] | None = None) -> int:
    """Command line: `python -m sightmix.engine.evaluation.run --corpus DIR --model NAME …`."""
    parser = argparse.ArgumentParser(
        description="Compare models with simple and ideal systems on unseen scenes."
    )
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument(
        "--model", action="append", default=[], help="a card's name or a checkpoint; may be repeated"
    )
    parser.add_argument("--split", default="validation", choices=("validation", "test"))
    parser.add_argument("--scenes", default="well_mixed", choices=sorted(PRESETS))
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--fit-clips", type=int, default=300)
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    args = parser.parse_args(arguments)
    try:
        table, more = evaluate(args.corpus, args.model, args.split, args.scenes, args.clips, args.fit_clips)
    except SightmixError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{table.clips} clips, split {args.split}, {args.scenes} targets\n\n{table.text()}")
    print(f"\n{json.dumps(more, indent=1)}")
    if args.json:
        rows = {
            row.system: {"means": dict(row.means), "improvement": dict(row.improvement)} for row in table.rows
        }
        args.json.write_text(
            json.dumps(
                {"split": args.split, "scenes": args.scenes, "clips": table.clips, "rows": rows, **more},
                indent=1,
            )
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
