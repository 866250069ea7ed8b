"""``sightmix evaluate``: how near sounds are to their targets, by the measures of the VisAH paper."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from ..engine.evaluation.folders import FolderScore, Judges, find_pairs, score_folder
from ..engine.evaluation.perceptual import PictureSound, SoundClasses
from ..engine.progress import Progress
from .cli_errors import say
from .cli_progress import shown
from .cli_rebalance import stoppable
from .cli_table import Column, print_table

SCHEMA = "sightmix.evaluation/1"
_DECIBELS = ("SI-SDR", "SDR")


def evaluate_folders(
    sounds: Path, targets: Path, before: Path | None, videos: Path | None, classes: bool, as_json: bool
) -> None:
    """Print the measures of every file and their means; raises SettingsError, MediaError or ModelError.

    `videos` adds ΔIB by ImageBind, `classes` KLD by PaSST.
    """
    pairs, unmatched = find_pairs(sounds, targets, before, videos)
    judges = Judges(SoundClasses() if classes else None, PictureSound() if videos is not None else None)
    with shown(quiet=as_json) as observer:
        progress = Progress(observer)
        with stoppable(progress):
            score = score_folder(pairs, unmatched, progress, judges)
    if as_json:
        print(json.dumps(score_data(score), ensure_ascii=False))
        return
    _print(score)


def score_data(score: FolderScore) -> dict[str, Any]:
    """A score as JSON values; null stands for what has no value, such as the SDR of silence."""
    return {
        "schema": SCHEMA,
        "files": [
            {
                "name": file.name,
                "seconds": round(file.seconds, 3),
                "measures": _plain(file.measures),
                "before": None if file.before is None else _plain(file.before),
            }
            for file in score.files
        ],
        "means": _plain(score.means),
        "improvement_percent": None if score.improvement is None else _plain(score.improvement),
        "unmatched": list(score.unmatched),
    }


def _plain(values: dict[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def _print(score: FolderScore) -> None:
    names = list(score.means)
    headings = [Column("file"), *(Column(_heading(name), right=True) for name in names)]
    rows = [[file.name, *(_shown(name, file.measures[name]) for name in names)] for file in score.files]
    rows.append(["mean", *(_shown(name, score.means[name]) for name in names)])
    if score.improvement is not None:
        better = [score.improvement.get(name, math.nan) for name in names]
        rows.append(["better than before", *("" if math.isnan(x) else f"{x:+.1f} %" for x in better)])
    print_table(headings, rows)
    say("All but decibels times 100, as in the paper's tables; “at equal loudness” after matching LUFS.")
    if score.unmatched:
        say(f"Without a partner, and left out: {', '.join(score.unmatched)}.", error=True)


def _heading(name: str) -> str:
    plain, _, matched = name.partition("_")
    plain = "W-dis" if plain == "W" else plain
    return f"{plain} at equal loudness" if matched else plain


def _shown(name: str, value: float) -> str:
    if not math.isfinite(value):
        return "–" if math.isnan(value) else ("∞" if value > 0 else "-∞")
    return f"{value:.1f} dB" if name in _DECIBELS else f"{100 * value:.2f}"
