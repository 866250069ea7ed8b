"""The command: `python -m sightmix.engine.evaluation.experiments --corpus DIR --runs DIR`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from ...errors import SightmixError
from ...files import write_text
from ...progress import Progress, Step
from ...version import SHIPPED_MODEL
from .. import report
from ..plans import SPLITS, choose, shipped
from ..scoring import Cache
from ..systems import Workshop
from .study import COMMAND, KEPT, Options, Study


class _Teller:
    """Says on stderr, every ten seconds, how far the scenes of a set are."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def __call__(self, step: Step) -> None:
        if time.monotonic() - self._said >= 10.0:
            self._said = time.monotonic()
            print(f"{step.item}: {step.done:.0f} of {step.total:.0f} clips", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=COMMAND, description="The tables of models from checkpoints.")
    parser.add_argument("--corpus", type=Path, required=True, help="corpus, or folder of muddy-mix shards")
    parser.add_argument(
        "--runs", type=Path, required=True, help="folder of training runs; figures are kept there"
    )
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help=f"of {', '.join(shipped())}; or a file"
    )
    parser.add_argument(
        "--train", action="store_true", help="train the checkpoints that are missing, or go on"
    )
    parser.add_argument(
        "--model", default=SHIPPED_MODEL, help="the product model: a card's name or a checkpoint"
    )
    parser.add_argument(
        "--clips", type=int, default=0, help="of every set, instead of the experiment's own number"
    )
    parser.add_argument(
        "--seconds", type=float, default=0.0, help="of every clip, instead of the experiment's own"
    )
    parser.add_argument(
        "--fit-clips", type=int, default=150, help="training scenes that baselines are fitted on"
    )
    parser.add_argument("--split", default="", choices=("", *SPLITS), help="instead of the experiment's own")
    parser.add_argument("--device", default="cpu", help="where networks are evaluated: cpu or cuda")
    parser.add_argument("--train-device", default="auto", help="where they are trained: auto, cpu or cuda")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write all figures, clip by clip, here as well"
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="replace its marked section")
    return parser


def reproduce(args: argparse.Namespace) -> str:
    """Run the experiments asked for and write what was asked to be written; returns the Markdown."""
    experiments = choose(args.only)
    workshop = Workshop(args.corpus, args.runs, args.model, args.fit_clips, args.device)
    workshop.named(args.model)
    options = Options(args.clips, args.seconds, args.split, args.train, args.train_device)
    study = Study(workshop, Cache(args.runs / KEPT), options, Progress(_Teller()))
    results = study.run(experiments)
    for sentence in study.absent:
        print(sentence, file=sys.stderr)
    text = report.markdown(results)
    if args.json:
        write_text(
            args.json, (json.dumps(report.data(results), indent=1, ensure_ascii=False) + "\n"), parents=True
        )
    if args.report:
        report.update_report(args.report, results)
    return text


def main(arguments: list[str] | None = None) -> int:
    """Command line: `python -m sightmix.engine.evaluation.experiments --corpus DIR --runs DIR …`."""
    args = _parser().parse_args(arguments)
    try:
        print(reproduce(args))
    except SightmixError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; figures of finished clips are kept, and the same command goes on.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
