"""The mill: one run after another from what is shipped, on one thread, and whether it beats that.

mill.py FOLDER --corpus CORPUS [--config FILE]    start or resume the newest run, until SIGINT or SIGTERM
mill.py FOLDER --line                             whether its best weights beat what is shipped

`mill.sh` builds the corpus, sees to it that one mill grinds at a time, and gives it the lowest priority.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sightmix.engine.errors import SightmixError
from sightmix.engine.evaluation.statistics import Interval, bootstrap
from sightmix.engine.files import write_text

CONFIG = "mill.json"  # beside a run: what it was begun with
VALIDATIONS = "validation.jsonl"
NAMES = ("MAG", "ENV", "W")

Entry = Mapping[str, Any]


def runs(folder: Path) -> list[Path]:
    """The mill's runs, the newest last."""
    return sorted(path.parent for path in folder.glob(f"run-*/{CONFIG}"))


def validations(run: Path) -> list[Entry]:
    """A run's validations that were measured against a reference, by step; what a kill cut short is passed over."""
    found: dict[int, Entry] = {}
    path = run / VALIDATIONS
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            entry = json.loads(line)
            _ = entry["reference"]["W"]
            found[int(entry["step"])] = entry
        except (ValueError, KeyError, TypeError):
            continue
    newest = [entry for _, entry in sorted(found.items())]
    return [entry for entry in newest if entry["scenes"] == newest[-1]["scenes"]]


def improvement(before: Entry, after: Entry) -> float:
    """The mean over the three distances of by how much their mean shrank, in %."""
    shares = [100.0 * (1.0 - sum(after[name]) / sum(before[name])) for name in NAMES]
    return sum(shares) / len(shares)


def ahead(entry: Entry) -> Interval:
    """How many percentage points the mean improvement lies above the reference's, on the same clips."""
    columns = [entry[part][name] for part in ("before", "after", "reference") for name in NAMES]

    def difference(means: Any) -> Any:
        before, after, reference = means[:3], means[3:6], means[6:]
        return (100.0 * (reference - after) / before).mean(axis=0)

    return bootstrap(columns, difference)


def line(run: Path) -> str:
    """One sentence: whether the run's best weights beat its reference, by how much, and how sure that is."""
    entries = validations(run)
    if not entries:
        return f"{run.name} has not been validated yet."
    best = max(entries, key=lambda entry: improvement(entry["before"], entry["after"]))
    reference = json.loads((run / CONFIG).read_text(encoding="utf-8"))["reference"]
    found = ahead(best)
    verdict = "does not beat"
    if found.low > 0:
        verdict = "beats"
    elif found.high < 0:
        verdict = "is worse than"
    clips = len(best["before"]["W"])
    ours, theirs = (improvement(best["before"], best[part]) for part in ("after", "reference"))
    return (
        f"{run.name} at step {best['step']} {verdict} {reference}: mean improvement {ours:.2f} % against {theirs:.2f} %"
        f", {found.value:+.2f} points, 95 % interval [{found.low:+.2f}, {found.high:+.2f}], paired over {clips} "
        f"validation clips; best of {len(entries)} on these, newest at step {entries[-1]['step']}."
    )


def current(folder: Path, config: Path) -> Path:
    """The newest run if it was begun with `config` and is not at its end; else a new one with another seed."""
    from sightmix.engine.evaluation.systems import CHECKPOINT, Trained
    from sightmix.engine.training.loop.config import TrainConfig

    settings = asdict(TrainConfig.read(config))
    there = runs(folder)
    if there:
        begun = json.loads((there[-1] / CONFIG).read_text(encoding="utf-8"))
        path = there[-1] / CHECKPOINT
        done = path.exists() and Trained.read(path).step >= int(begun["steps"])
        if {**begun, "seed": settings["seed"]} == settings and not done:
            return there[-1]
    number = 1 + (int(there[-1].name.removeprefix("run-")) if there else 0)
    run = folder / f"run-{number:03d}"
    if run.exists():  # killed before it had a configuration
        shutil.rmtree(run)
    settings["seed"] += number - 1
    write_text(run / CONFIG, json.dumps(settings, indent=2) + "\n", parents=True)
    return run


def grind(folder: Path, corpus: Path, config: Path) -> Path:
    """Train the current run until it is stopped or done; every validation gives the line."""
    from sightmix.engine.evaluation.experiments.making import beginning
    from sightmix.engine.evaluation.plans import Row
    from sightmix.engine.evaluation.systems import CHECKPOINT
    from sightmix.engine.training.loop.config import TrainConfig
    from sightmix.engine.training.loop.run import train

    run = current(folder, config)
    settings = TrainConfig.read(run / CONFIG)
    start = None
    if not (run / CHECKPOINT).exists():
        start = beginning(Row(run.name, "checkpoint", run=run.name, start=settings.reference), folder)

    def observe(entry: dict[str, Any]) -> None:
        if entry.get("event") in ("validation", "done"):
            print(line(run), flush=True)

    train(settings, corpus, run, device="cpu", start=start, observe=observe)
    return run


def main(arguments: Sequence[str] | None = None) -> int:
    """Grind, or say where the mill stands."""
    parser = argparse.ArgumentParser(
        description="Train on from what is shipped, and say whether that is beaten."
    )
    parser.add_argument("folder", type=Path, help="where runs are kept")
    parser.add_argument("--corpus", type=Path, help="what to learn from")
    parser.add_argument(
        "--config", type=Path, default=_shipped(), help="training configuration with a 'reference'"
    )
    parser.add_argument(
        "--line", action="store_true", help="say in one line whether what is shipped is beaten"
    )
    options = parser.parse_args(arguments)
    try:
        if options.line:
            there = runs(options.folder)
            print(line(there[-1]) if there else f"There is no run in {options.folder} yet.")
        elif options.corpus is None:
            parser.error("--corpus is needed to train")
        else:
            grind(options.folder, options.corpus, options.config)
    except SightmixError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _shipped() -> Path:
    return Path(__file__).parents[1] / "engine/training/loop/configs/mill.json"


if __name__ == "__main__":
    sys.exit(main())
