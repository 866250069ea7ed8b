"""``sightmix evaluate``: how near sounds are to their targets, by the measures of the VisAH paper."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...engine.legible import json_text
from ...engine.progress import Progress
from .errors import say, sentences
from .options import AsJson
from .progress import shown, stoppable
from .table import Column, print_table

if TYPE_CHECKING:
    from ...engine.evaluation.folders import FolderScore

SCHEMA = "sightmix.evaluation/1"
_DECIBELS = ("SI-SDR", "SDR")
_LEGEND = "All but decibels times 100, as in the paper's tables; “at equal loudness” after matching LUFS."


@dataclass(frozen=True)
class Extras:
    """What else is asked for: KLD by PaSST, DNSMOS, word error rates, against `transcripts` if there are any."""

    classes: bool = False
    speech: bool = False
    words: bool = False
    transcripts: Path | None = None


@sentences
def evaluate(
    sounds: Annotated[
        Path, typer.Option("--input", metavar="FOLDER", help="The sounds to judge: results of any program.")
    ],
    targets: Annotated[
        Path, typer.Option("--target", metavar="FOLDER", help="What they should be, under the same names.")
    ],
    before: Annotated[
        Path | None,
        typer.Option("--before", metavar="FOLDER", help="The sounds before the work: adds the improvement."),
    ] = None,
    videos: Annotated[
        Path | None,
        typer.Option(
            "--video", metavar="FOLDER", help="Their pictures: adds ΔIB, if ImageBind is installed."
        ),
    ] = None,
    classes: Annotated[bool, typer.Option("--kld", help="Add KLD, if PaSST is installed.")] = False,
    speech: Annotated[bool, typer.Option("--speech", help="Add DNSMOS; needs the extra speech.")] = False,
    words: Annotated[
        bool, typer.Option("--words", help="Add word error rates; needs the extra speech.")
    ] = False,
    transcripts: Annotated[
        Path | None,
        typer.Option(
            "--transcripts",
            metavar="FOLDER",
            help="What is said, as text files under the same names; else what is heard in the targets.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Judge a folder of sounds by how near they are to their targets (MAG, ENV, W-dis, SI-SDR)."""
    extras = Extras(classes, speech, words, transcripts)
    evaluate_folders(sounds, targets, before, videos, extras, as_json)


def evaluate_folders(
    sounds: Path, targets: Path, before: Path | None, videos: Path | None, extras: Extras, as_json: bool
) -> None:
    """Print the measures of every file and their means; raises SettingsError, MediaError or ModelError.

    `videos` adds ΔIB by ImageBind.
    """
    from ...engine.evaluation.folders import Judges, find_pairs, score_folder
    from ...engine.evaluation.perceptual import PictureSound, SoundClasses
    from ...engine.evaluation.speech import SpeechQuality, open_words

    pairs, unmatched = find_pairs(sounds, targets, before, videos)
    judges = Judges(
        SoundClasses() if extras.classes else None,
        PictureSound() if videos is not None else None,
        SpeechQuality() if extras.speech else None,
        open_words(extras.transcripts) if extras.words or extras.transcripts is not None else None,
    )
    with shown(quiet=as_json) as observer:
        progress = Progress(observer)
        with stoppable(progress):
            score = score_folder(pairs, unmatched, progress, judges)
    if as_json:
        print(json_text(score_data(score)))
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
        "means_before": None if score.before is None else _plain(score.before),
        "improvement_percent": None if score.improvement is None else _plain(score.improvement),
        "unmatched": list(score.unmatched),
    }


def _plain(values: dict[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def _print(score: FolderScore) -> None:
    spoken = [name for name in score.means if name in ("WER", "words") or name.startswith("DNSMOS")]
    _print_measures(score, [name for name in score.means if name not in spoken])
    say(_LEGEND)
    if spoken:
        _print_measures(score, spoken)
        say("DNSMOS runs from 1 to 5: speech (SIG), background (BAK), the whole (OVRL).")
    if score.unmatched:
        say(f"Without a partner, and left out: {', '.join(score.unmatched)}.", error=True)


def _print_measures(score: FolderScore, names: list[str]) -> None:
    headings = [Column("file"), *(Column(_heading(name), right=True) for name in names)]
    rows = [[file.name, *(_shown(name, file.measures[name]) for name in names)] for file in score.files]
    rows.append(["mean", *(_shown(name, score.means[name]) for name in names)])
    if score.before is not None:
        rows.append(["mean before", *(_shown(name, score.before[name]) for name in names)])
    better = [(score.improvement or {}).get(name, math.nan) for name in names]
    if not all(math.isnan(x) for x in better):
        rows.append(["better than before", *("" if math.isnan(x) else f"{x:+.1f} %" for x in better)])
    print_table(headings, rows)


def _heading(name: str) -> str:
    plain, _, matched = name.partition("_")
    plain = "W-dis" if plain == "W" else plain
    if plain == "DNSMOS":
        return "DNSMOS of the target" if matched == "target" else f"DNSMOS {matched}"
    return f"{plain} at equal loudness" if matched else plain


def _shown(name: str, value: float) -> str:
    if not math.isfinite(value):
        return "–" if math.isnan(value) else ("∞" if value > 0 else "-∞")
    if name in _DECIBELS:
        return f"{value:.1f} dB"
    if name in ("WER", "words"):
        return f"{100 * value:.1f} %" if name == "WER" else f"{value:.0f}"
    return f"{value:.2f}" if name.startswith("DNSMOS") else f"{100 * value:.2f}"
