"""What levels alone tell of whom a composed scene brings out: a guesser that hears nothing else and sees nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..training.material.levels import HOP, SAMPLE_RATE, STEMS, decibels, frame_power
from ..training.scenes.scene import Scene

_QUIET = -70.0
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Guesses:
    """How often a shot's subject was guessed from levels: `right` of `shots`, `chance` if nothing is told."""

    right: int
    shots: int
    chance: float

    @property
    def interval(self) -> tuple[float, float]:
        """The share that is right, with 95 % (Wilson's interval)."""
        n, z = self.shots, 1.96
        share, spread = self.right / n, z * z / n
        middle = (share + spread / 2) / (1 + spread)
        half = z * math.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
        return middle - half, middle + half


def examples(scenes: Sequence[Scene]) -> tuple[Matrix, NDArray[np.int64]]:
    """Levels of muddy stems and their differences (N, 6), dB, in shots that show one of them; and which (N,)."""
    rows, leads = [], []
    for scene in scenes:
        power = frame_power(scene.stems)
        shown = scene.pictures or ()
        ends = [start for start, _ in shown[1:]] + [scene.stems.shape[-1] / SAMPLE_RATE]
        for (start, name), end in zip(shown, ends, strict=True):
            kind = name.removeprefix("subject:").partition(":")[0]
            if name.startswith("subject:") and kind in STEMS:
                part = slice(round(start * SAMPLE_RATE / HOP), max(round(end * SAMPLE_RATE / HOP), 1))
                level = np.maximum(decibels(power[:, part].mean(axis=1)), _QUIET)
                rows.append(np.concatenate([level, level - np.roll(level, 1)]))
                leads.append(STEMS.index(kind))
    return np.array(rows).reshape(-1, 6), np.array(leads, np.int64)


def guess(train: Sequence[Scene], test: Sequence[Scene], steps: int = 400) -> Guesses:
    """Multinomial logistic regression of the subject on levels: fitted on `train`, tried on `test` scenes."""
    x, y = examples(train)
    unseen, wanted = examples(test)
    mean, spread = x.mean(0), x.std(0) + 1e-6
    x, unseen = (np.c_[(values - mean) / spread, np.ones(len(values))] for values in (x, unseen))
    weights = np.zeros((x.shape[1], len(STEMS)))
    for _ in range(steps):
        logits = x @ weights
        shares = np.exp(logits - logits.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        weights -= 0.5 * (x.T @ (shares - np.eye(len(STEMS))[y]) / len(x) + 1e-3 * weights)
    there = unseen[:, :3] * spread[:3] + mean[:3] > _QUIET + 1.0
    found = np.where(there, unseen @ weights, -np.inf).argmax(1)
    chance = float(np.mean(1.0 / np.maximum(there.sum(1), 1)))
    return Guesses(int(np.sum(found == wanted)), len(wanted), chance)
