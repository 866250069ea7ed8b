"""Folders of sounds judged against folders of targets, file by file."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import MediaError, SettingsError
from ..media.picture import sample_frames
from ..media.reader import probe, read_span
from ..progress import Progress
from ..training.loop.metrics import improvement, measure, sdr, si_sdr
from ..training.material.levels import SAMPLE_RATE
from .perceptual import kld
from .speech import RATE, Words

CLIP_SECONDS = 10  # the paper's clips
_SHORTEST = Fraction(1, 10)  # seconds; shorter rests join the clip before them
_PADDING = Fraction(1, 10)  # seconds by which two files may differ: codecs pad
_PICTURE = 224  # rows and columns
_DISTANCES = ("MAG", "ENV", "W", "KLD", "MAG_matched", "ENV_matched", "W_matched")


Mono = NDArray[np.float32]


@dataclass(frozen=True)
class Pair:
    """A sound and its target, and, where wanted, the sound before the work was done."""

    name: str
    sound: Path
    target: Path
    before: Path | None = None
    video: Path | None = None


@dataclass(frozen=True)
class Judges:
    """Published networks that judge besides: `classes` gives KLD, `fit` ΔIB where a pair has a video.

    `speech` gives DNSMOS of mono sound at 44.1 kHz, `words` word error rates.
    """

    classes: Callable[[Mono], NDArray[np.float64]] | None = None
    fit: Callable[[Sequence[Mono], NDArray[np.uint8]], list[float]] | None = None
    speech: Callable[[Mono], dict[str, float]] | None = None
    words: Words | None = None


NO_JUDGES = Judges()


@dataclass(frozen=True)
class FileScore:
    """Measures of one file, means over its clips of ten seconds; `before` those of the sound before."""

    name: str
    seconds: float
    measures: dict[str, float]
    before: dict[str, float] | None = None


@dataclass(frozen=True)
class FolderScore:
    """Measures of all files and their means, every second of sound counting the same.

    `before` holds the means of the sounds before and `improvement` is in % of the distance before, as in the paper's
    Table 1; None where there is no sound before. `unmatched` names files without a partner.
    """

    files: tuple[FileScore, ...]
    means: dict[str, float]
    improvement: dict[str, float] | None
    unmatched: tuple[str, ...]
    before: dict[str, float] | None = None


def find_pairs(
    sounds: Path, targets: Path, before: Path | None = None, videos: Path | None = None
) -> tuple[list[Pair], list[str]]:
    """Files of the same relative name, whatever the suffix, in order of name; and the names without a partner.

    Raises `SettingsError` where a folder is missing, a name is used twice, or nothing fits together.
    """
    wanted = {"sound": sounds, "target": targets, "before": before, "video": videos}
    folders = {role: _named(folder) for role, folder in wanted.items() if folder is not None}
    everywhere = set.intersection(*(set(found) for found in folders.values()))
    if not everywhere:
        others = " and ".join(str(folder) for folder in (targets, before, videos) if folder is not None)
        raise SettingsError(
            f"No file in {sounds} has a namesake in {others}: pairs are found by name, without suffix."
        )
    pairs = [
        Pair(name, **{role: found[name] for role, found in folders.items()}) for name in sorted(everywhere)
    ]
    alone = sorted(set.union(*(set(found) for found in folders.values())) - everywhere)
    return pairs, alone


def _named(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise SettingsError(f"{folder} is not a folder: give a folder of sound files.")
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if not path.is_file() or path.name.startswith("."):
            continue
        if name in found:
            raise SettingsError(
                f"{found[name]} and {path} have the same name without suffix: keep one of them there."
            )
        found[name] = path
    return found


def score_pair(pair: Pair, judges: Judges = NO_JUDGES) -> FileScore:
    """Measures of one pair in mono at 44.1 kHz; raises `MediaError` where the files do not belong together."""
    length = _common_length(pair)
    rows: list[tuple[dict[str, float], dict[str, float]]] = []
    weights = []
    for start, duration in _clips(length):
        target = _mono(pair.target, start, duration)
        judged = [p for p in (pair.sound, pair.before) if p is not None]
        sounds = [_mono(path, start, duration) for path in judged]
        measured = [_measures(sound, target) for sound in sounds]
        _judge(pair, judges, (start, duration), sounds, target, measured)
        rows.append((measured[0], measured[-1]))
        weights.append(target.size)
    means = [_mean([row[k] for row in rows], weights) for k in ((0,) if pair.before is None else (0, 1))]
    if judges.words is not None:
        _count_words(pair, judges.words, length, means)
    return FileScore(pair.name, float(length), means[0], means[1] if pair.before is not None else None)


def _count_words(pair: Pair, words: Words, length: Fraction, means: Sequence[dict[str, float]]) -> None:
    """Add the word error rates of a whole file to the means of the sound now and before."""
    judged = [p for p in (pair.sound, pair.before) if p is not None]
    target, *sounds = (_mono(path, Fraction(0), length, RATE) for path in (pair.target, *judged))
    rates, count = words.rates(pair.name, sounds, target)
    for measures, rate in zip(means, rates, strict=True):
        measures["WER"], measures["words"] = rate, float(count)


def _judge(
    pair: Pair,
    judges: Judges,
    span: tuple[Fraction, Fraction],
    sounds: Sequence[Mono],
    target: Mono,
    measured: Sequence[dict[str, float]],
) -> None:
    """Add what the judges say of `sounds` to their measures."""
    if judges.classes is not None:
        wanted = judges.classes(target)
        for sound, measures in zip(sounds, measured, strict=True):
            measures["KLD"] = kld(judges.classes(sound), wanted)
    if judges.speech is not None:
        best = judges.speech(target)["OVRL"]
        for sound, measures in zip(sounds, measured, strict=True):
            for name, value in judges.speech(sound).items():
                measures[f"DNSMOS_{name}"] = value
            measures["DNSMOS_target"] = best
    if judges.fit is not None and pair.video is not None:
        start, duration = span
        times = [start + k for k in range(max(1, math.floor(duration)))]
        pictures = sample_frames(pair.video, times, _PICTURE, _PICTURE)
        wanted_fit, *fits = judges.fit([target, *sounds], pictures)
        for fit, measures in zip(fits, measured, strict=True):
            measures["ΔIB"] = wanted_fit - fit


def score_folder(
    pairs: Sequence[Pair],
    unmatched: Sequence[str] = (),
    progress: Progress | None = None,
    judges: Judges = NO_JUDGES,
) -> FolderScore:
    """Measures of all pairs; `progress` may stop the work between two files."""
    if judges.words is not None:
        judges.words.check([pair.name for pair in pairs])
    files = []
    for pair in pairs:
        if progress is not None:
            progress.check()
        files.append(score_pair(pair, judges))
    seconds = [file.seconds for file in files]
    means = _pooled([file.measures for file in files], seconds)
    before = [file.before for file in files if file.before is not None]
    old = _pooled(before, seconds) if before else None
    better = None
    if old is not None:
        better = improvement({name: old[name] for name in _DISTANCES if name in old}, means)
    return FolderScore(tuple(files), means, better, tuple(unmatched), old)


def _pooled(rows: Sequence[dict[str, float]], seconds: Sequence[float]) -> dict[str, float]:
    """Means over files by seconds, but of word errors by words."""
    means = _mean(rows, seconds)
    if "words" in means:
        counts = [row["words"] for row in rows]
        means["WER"] = _mean([{"WER": row["WER"]} for row in rows], counts)["WER"]
        means["words"] = sum(counts)
    return means


def _common_length(pair: Pair) -> Fraction:
    paths = [p for p in (pair.sound, pair.target, pair.before) if p is not None]
    lengths = []
    for path in paths:
        streams = probe(path).audio
        if not streams:
            raise MediaError(f"{path} has no sound: only sound files can be compared.")
        lengths.append(streams[0].duration)
    if max(lengths) - min(lengths) > _PADDING:
        raise MediaError(
            f"{pair.sound} and its partners differ in length by {float(max(lengths) - min(lengths)):.2f} s: "
            "compare files that begin and end together."
        )
    if min(lengths) < _SHORTEST:
        raise MediaError(f"{pair.sound} is too short to be judged: it needs a tenth of a second of sound.")
    return min(lengths)


def _clips(length: Fraction) -> Iterator[tuple[Fraction, Fraction]]:
    """Clips of ten seconds (start, duration); a short rest joins the last one."""
    count = max(1, math.ceil((length - 1) / CLIP_SECONDS))
    for k in range(count):
        start = Fraction(k * CLIP_SECONDS)
        yield start, (length - start if k == count - 1 else Fraction(CLIP_SECONDS))


def _mono(path: Path, start: Fraction, duration: Fraction, rate: int = SAMPLE_RATE) -> Mono:
    sound = read_span(path, start, duration, rate=rate)
    return np.asarray(probe(path).audio[0].layout.mono @ sound, np.float32)


def _measures(sound: Mono, target: Mono) -> dict[str, float]:
    return {**measure(sound, target), "SI-SDR": si_sdr(sound, target), "SDR": sdr(sound, target)}


def _mean(rows: Sequence[Mapping[str, float]], weights: Sequence[float]) -> dict[str, float]:
    """Weighted means by name; what is not finite in a row (silence has no SDR) is left out."""
    means = {}
    for name in rows[0]:
        kept = [(row[name], w) for row, w in zip(rows, weights, strict=True) if math.isfinite(row[name])]
        total = sum(w for _, w in kept)
        means[name] = sum(value * w for value, w in kept) / total if total else math.nan
    return means
