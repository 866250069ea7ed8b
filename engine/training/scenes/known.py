"""The subjects that pictures are named by: made of a corpus's training pictures, judged on its validation pictures."""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...context.encoders import DEFAULT_ENCODER
from ...context.subjects import KNOWN_SUBJECTS, KnownSubjects, discriminable
from ...errors import SightmixError, TrainingError
from ...weights.store import Card, add_card, make_card, save_tensors
from ..material.library import Corpus, Picture
from .pictures import picture_features

RULES = Path(__file__).with_name("known_subjects.json")
SHRINKAGE = 0.6  # of the covariance towards a sphere, and
PRIOR = 0.5  # the power of a subject's share of the pictures that counts: by validation pictures
TEMPERATURES = (1, 2, 4, 6, 8, 12, 16, 24, 32, 48)
# Of what is named, this much has to be right on validation pictures: a wrong name is worse than none.
PRECISION = 0.95

UNKNOWN = -1  # a picture of something that sounds and has no rule

Array = NDArray[np.float32]
Numbers = NDArray[np.intp]


@dataclass(frozen=True)
class Rule:
    """A subject: pictures of `kind` (a stem) whose caption `match`es (a regular expression, lower case) show it."""

    name: str
    kind: str
    family: str
    match: str


@dataclass(frozen=True)
class Shown:
    """Pictures of one split: features (n, C), the number of what each shows (n,), packages with their counts.

    The number after the last rule's is nothing that sounds.
    """

    features: Array
    numbers: Numbers
    packages: Mapping[str, int]


def read_rules(path: Path = RULES) -> tuple[Rule, ...]:
    """The rules of a file, in order. Raises `TrainingError` when it cannot be read or a rule lacks something."""
    try:
        return tuple(Rule(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))["subjects"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise TrainingError(f"The subjects in {path} cannot be read: {error}.") from error


def number_of(picture: Picture, rules: Sequence[Rule]) -> int:
    """The number of the first rule that a picture fits, their count for what makes no sound, or `UNKNOWN`."""
    if picture.subject is None:
        return len(rules)
    caption = picture.caption.lower()
    fitting = (
        number
        for number, rule in enumerate(rules)
        if rule.kind == picture.subject and re.search(rule.match, caption)
    )
    return next(fitting, UNKNOWN)


def shown(
    corpus: Corpus, vectors: Mapping[str, NDArray[np.float32]], split: str, rules: Sequence[Rule]
) -> Shown:
    """The pictures of a split whose features are known and that show a subject or nothing that sounds."""
    pictures = [
        (picture, number_of(picture, rules))
        for picture in (*corpus.subjects, *corpus.pictures, *corpus.distractors)
        if picture.split == split and picture.id in vectors
    ]
    kept = [(picture, number) for picture, number in pictures if number != UNKNOWN]
    if not kept:
        raise TrainingError(f"The corpus in {corpus.root} has no described pictures for {split}.")
    packages = Counter(_package(picture, corpus) for picture, _ in kept)
    return Shown(
        np.stack([vectors[picture.id] for picture, _ in kept]),
        np.array([number for _, number in kept], np.intp),
        dict(sorted(packages.items())),
    )


def _package(picture: Picture, corpus: Corpus) -> str:
    """The package that a picture comes from, by its file's name, which begins with it."""
    name = Path(picture.file).name
    return max((package for package in corpus.packages if name.startswith(f"{package}-")), key=len)


def discriminants(train: Shown, rules: Sequence[Rule]) -> KnownSubjects:
    """Linear discriminants (Fisher's, with a covariance shrunk towards a sphere) of the subjects of `rules`.

    Raises `TrainingError` naming a rule that no picture fits.
    """
    numbers, points = train.numbers, discriminable(train.features).astype(np.float64)
    counts = np.bincount(numbers, minlength=len(rules) + 1)
    for rule, count in zip(rules, counts, strict=False):
        if not count:
            raise TrainingError(f"No training picture shows '{rule.name}'; widen its rule or take it out.")
    means = np.stack([points[numbers == number].mean(axis=0) for number in range(len(counts))])
    rest = points - means[numbers]
    covariance = rest.T @ rest / len(rest)
    size = len(covariance)
    shrunk = (1 - SHRINKAGE) * covariance + SHRINKAGE * np.trace(covariance) / size * np.eye(size)
    weights = np.linalg.solve(shrunk, means.T).T
    bias = PRIOR * np.log(counts) - 0.5 * (weights * means).sum(axis=1)
    # What all have in common cancels; taken off, it leaves half precision more of what differs.
    half = (weights - weights.mean(axis=0)).astype(np.float16)
    return KnownSubjects(
        [rule.name for rule in rules],
        [rule.kind for rule in rules],
        [rule.family for rule in rules],
        half.astype(np.float32),
        (bias - bias.mean()).astype(np.float32),
        temperature=1.0,
        threshold=1.0,
        family_threshold=1.0,
    )


def judged(known: KnownSubjects, validation: Shown) -> KnownSubjects:
    """With the temperature under which the truth is likeliest, and thresholds that keep `PRECISION`."""
    temperature = min(
        TEMPERATURES, key=lambda value: _surprise(replace(known, temperature=value), validation)
    )
    known = replace(known, temperature=float(temperature))
    chances, truth = known.probabilities(validation.features)[:, :-1], validation.numbers
    names = np.array([*known.names, ""])
    best = chances.argmax(axis=1)
    threshold = _threshold(chances.max(axis=1), names[best] == names[truth])
    rest = chances.max(axis=1) < threshold
    families, sums = _families(known, chances)
    right = families[sums.argmax(axis=1)] == np.array([*known.families, "\0"])[truth]
    return replace(
        known, threshold=threshold, family_threshold=_threshold(sums.max(axis=1)[rest], right[rest])
    )


def _families(known: KnownSubjects, chances: Array) -> tuple[NDArray[np.str_], Array]:
    """The names of families (F,), and how probable each is, (n, F)."""
    members = np.array(known.families)
    families = np.array(sorted(set(known.families) - {""}))
    return families, np.stack([chances[:, members == family].sum(axis=1) for family in families], axis=1)


def _surprise(known: KnownSubjects, pictures: Shown) -> float:
    chances = known.probabilities(pictures.features)[np.arange(len(pictures.numbers)), pictures.numbers]
    return float(-np.log(np.maximum(chances, 1e-9)).mean())


def _threshold(scores: Array, right: NDArray[np.bool_]) -> float:
    """The lowest of `scores` (n,) from which on `PRECISION` of all are `right`, in thousandths; 1 if there is none.

    It is never under a half: nothing that is more likely wrong is said.
    """
    order = np.argsort(-scores, kind="stable")
    shares = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(shares >= PRECISION)
    return max(0.5, math.ceil(float(scores[order][enough[-1]]) * 1000) / 1000) if enough.size else 1.0


def measured(known: KnownSubjects, pictures: Shown) -> dict[str, Any]:
    """How many pictures there are, how many are named, and the shares of names, and of their kinds, that are right."""
    named = known.nearest(pictures.features)
    names, kinds = [*known.names, ""], [*known.kinds, ""]
    families = [*known.families, ""]
    said = [
        (subject, number)
        for subject, number in zip(named, pictures.numbers, strict=True)
        if subject is not None
    ]
    right = sum(s.name in (names[n], families[n]) for s, n in said)
    return {
        "pictures": len(named),
        "that_sound": int((pictures.numbers < len(known.names)).sum()),
        "named": len(said),
        "precision": round(right / max(len(said), 1), 3),
        "precision_of_kind": round(sum(s.kind == kinds[n] for s, n in said) / max(len(said), 1), 3),
    }


def make(corpus: Path, root: Path) -> Card:
    """Write `root`/files/known-subjects.safetensors and its card; raises `TrainingError` if the corpus does not do."""
    read, vectors, rules = Corpus(corpus), picture_features(corpus), read_rules()
    sets = {split: shown(read, vectors, split, rules) for split in ("train", "validation", "test")}
    known = judged(discriminants(sets["train"], rules), sets["validation"])
    path = root / "files" / f"{KNOWN_SUBJECTS}.safetensors"
    save_tensors(path, {"weights": known.weights.astype(np.float16), "bias": known.bias})
    counts = np.bincount(sets["train"].numbers)
    subjects = [
        {"name": rule.name, "kind": rule.kind, "family": rule.family, "pictures": int(count)}
        for rule, count in zip(rules, counts, strict=False)
    ]
    card = make_card(
        path,
        name=KNOWN_SUBJECTS,
        kind="picture-subjects",
        licence="CC-BY-SA-4.0",
        trained_on=[
            f"{package}: {count} pictures; {read.packages[package]['licence']}"
            for package, count in sets["train"].packages.items()
        ],
        config={
            "encoder": DEFAULT_ENCODER,
            "dim": int(known.weights.shape[1]),
            "temperature": known.temperature,
            "threshold": known.threshold,
            "family_threshold": known.family_threshold,
            "subjects": subjects,
        },
        results={split: measured(known, sets[split]) for split in ("validation", "test")},
        source="python -m sightmix.engine.training.scenes.known",
        credit="; ".join(read.packages[package]["credit"] for package in sets["train"].packages),
    )
    add_card(card, root)
    return card


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m sightmix.engine.training.scenes.known CORPUS --root WEIGHTS`."""
    parser = argparse.ArgumentParser(prog="sightmix.engine.training.scenes.known", description=__doc__)
    parser.add_argument("corpus", type=Path, help="folder of a corpus whose pictures have been described")
    parser.add_argument("--root", type=Path, required=True, help="a weights folder, with files/ and cards/")
    options = parser.parse_args(arguments)
    try:
        card = make(options.corpus, options.root)
    except SightmixError as fault:
        print(fault, file=sys.stderr)
        return 1
    for split, result in card.results.items():
        print(f"{split}: {result}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
