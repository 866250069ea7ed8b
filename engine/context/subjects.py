"""What a picture shows, in words: the nearest of the subjects that the embedded encoder's features are known of."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..weights.store import load_card, load_tensors, strict_match, weights_path

KNOWN_SUBJECTS = "known-subjects"  # the card of the shipped ones

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Subject:
    """What a picture shows: in an editor's words, the stem it would be heard on, how sure that is (0…1)."""

    name: str
    kind: str
    score: float


@dataclass(frozen=True)
class KnownSubjects:
    """Subjects as nearest means under one covariance (linear discriminants), and the scores that are enough to speak.

    `weights` (K + 1, C) and `bias` (K + 1) are of the K subjects and, last, of what makes no sound; `names`,
    `kinds` and `families` are the subjects'. A family takes in several subjects of one kind, and may be sure where
    none of them is.
    """

    names: Sequence[str]
    kinds: Sequence[str]
    families: Sequence[str]
    weights: Array
    bias: Array
    temperature: float
    threshold: float
    family_threshold: float

    def probabilities(self, features: Array) -> Array:
        """How probable each subject and, last, nothing that sounds is, (n, K + 1), of pictures' features (n, C)."""
        scores = (discriminable(features) @ self.weights.T + self.bias) / self.temperature
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)

    def nearest(self, features: Array) -> list[Subject | None]:
        """The subject, or else the family, that each of the pictures (n, C) shows; None where neither is sure."""
        if not len(features) or features.shape[1] != self.weights.shape[1]:
            return [None] * len(features)
        return [self._named(row[:-1]) for row in self.probabilities(features)]

    def _named(self, row: Array) -> Subject | None:
        best = int(row.argmax())
        if row[best] >= self.threshold:
            return Subject(self.names[best], self.kinds[best], float(row[best]))
        families = {family: kind for family, kind in zip(self.families, self.kinds, strict=True) if family}
        members = np.array(self.families)
        sums = {family: float(row[members == family].sum()) for family in families}
        family = max(sums, key=lambda name: sums[name], default="")
        if not family or sums[family] < self.family_threshold:
            return None
        return Subject(family, families[family], sums[family])


def discriminable(features: Array) -> Array:
    """Features (n, C) of pictures as subjects are told apart by: roots, since they are skewed, of one length."""
    roots = np.sqrt(np.maximum(features, 0.0))
    return np.asarray(roots / np.maximum(np.linalg.norm(roots, axis=1, keepdims=True), 1e-6), np.float32)


def nearest(features: Array) -> list[Subject | None]:
    """What each picture shows, of features (n, C) by the embedded encoder; None where nothing known is near.

    Of another encoder's features, told by their width, nothing is known. What is known is read at the first call.
    Raises `ModelError` where its file is missing or damaged.
    """
    return known_subjects().nearest(np.asarray(features, np.float32))


@functools.cache
def known_subjects(name: str = KNOWN_SUBJECTS) -> KnownSubjects:
    """The subjects of a card. Raises `ModelError` where its file is missing, damaged, or does not fit the card."""
    card = load_card(name)
    config: dict[str, Any] = card.config
    subjects = config["subjects"]
    tensors = load_tensors(weights_path(card))
    rows = len(subjects) + 1
    strict_match({"weights": (rows, config["dim"]), "bias": (rows,)}, tensors, f"The subjects of '{name}'")
    return KnownSubjects(
        [s["name"] for s in subjects],
        [s["kind"] for s in subjects],
        [s["family"] for s in subjects],
        tensors["weights"],
        tensors["bias"],
        config["temperature"],
        config["threshold"],
        config["family_threshold"],
    )
