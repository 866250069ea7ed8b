"""Any models against simple and ideal systems on unseen scenes, as in the results tables."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import SightmixError
from ..files import write_text
from ..training.scenes.settings import PRESETS
from . import report
from .experiments.study import Study
from .plans import SPLITS, Experiment, Row, SceneSet
from .scoring import Cache
from .systems import Workshop


def comparison(models: Sequence[str], chosen: SceneSet) -> list[Experiment]:
    """Distances of all systems on a set; stems of the models and how they treat good mixes."""
    rows = [
        Row("input", "input"),
        Row("loudness matched to the corpus mean", "loudness"),
        Row("one regressed gain over time", "gain"),
        Row(
            "separate and re-level, film levels",
            "relevel",
            prior="films",
            stems=models[0] if models else "true",
        ),
    ]
    for name in models:
        rows.append(Row(f"{name}, no picture", "card", card=name, picture="none"))
        rows.append(Row(name, "card", card=name))
    rows += [
        Row("perfect stems, regressed gains", "oracle", oracle="levelled_stems"),
        Row("ideal masks, true gains", "oracle", oracle="ideal_masks"),
    ]
    found = [Experiment("distances", f"{chosen.scenes} targets", (chosen,), tuple(rows))]
    seen = tuple(Row(name, "card", card=name) for name in models)
    if seen:
        found.append(Experiment("stems", "SI-SDR of stems", (chosen,), seen, measure="stems"))
        found.append(Experiment("restraint", "Mixes that were good", (chosen,), seen, measure="restraint"))
    return found


def main(arguments: list[str] | None = None) -> int:
    """Command line: `python -m sightmix.engine.evaluation.run --corpus DIR --model NAME …`."""
    parser = argparse.ArgumentParser(
        description="Compare models with simple and ideal systems on unseen scenes."
    )
    parser.add_argument("--corpus", type=Path, required=True, help="corpus, or folder of muddy-mix shards")
    parser.add_argument(
        "--model", action="append", default=[], help="a card's name or a checkpoint; may be repeated"
    )
    parser.add_argument("--split", default="validation", choices=SPLITS)
    parser.add_argument("--scenes", default="well_mixed", choices=sorted(PRESETS))
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10.0, help="of every clip")
    parser.add_argument("--fit-clips", type=int, default=300)
    parser.add_argument("--device", default="cpu", help="where networks are evaluated: cpu or cuda")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    args = parser.parse_args(arguments)
    chosen = SceneSet(args.scenes, args.scenes, {}, args.split, args.clips, args.seconds)
    workshop = Workshop(args.corpus, Path(), "", args.fit_clips, args.device)
    try:
        for name in args.model:
            workshop.named(name)
        results = Study(workshop, Cache(None)).run(comparison(args.model, chosen))
        if args.json:
            write_text(
                args.json,
                (json.dumps(report.data(results), indent=1, ensure_ascii=False) + "\n"),
                parents=True,
            )
    except SightmixError as error:
        print(error, file=sys.stderr)
        return 2
    print(report.markdown(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
