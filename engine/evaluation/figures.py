"""What is said of systems: their figures on a set with intervals, and differences between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..roles import STEMS
from ..training.loop.metrics import NAMES
from .compute import Spent
from .plans import Experiment, Row, SceneSet
from .scoring import Facts, Stored
from .statistics import (
    Interval,
    Packages,
    apart,
    break_even,
    difference_of,
    improvement_of,
    mean_of,
    share_of,
)

DISTANCES = (*NAMES, *(f"{name}_matched" for name in NAMES))
RESTRAINT = ("change of good mixes", "muddy mixes nearer", "worth it up to")


@dataclass(frozen=True)
class Point:
    """Distances of a row's network at a stage of its training, and what it had cost by then."""

    stored: Stored
    spent: Spent | None


@dataclass(frozen=True)
class RowResult:
    """A row's figures, or the `mark` that stands for them; `note` and what it cost are set beside its name.

    `curve` holds the stages of its training, the last one included, where there are several.
    """

    row: Row
    stored: Stored
    mark: str = ""
    note: str = ""
    spent: Spent | None = None
    curve: tuple[Point, ...] = ()


@dataclass(frozen=True)
class SetResult:
    """All rows on one set; `before` holds the muddy input's distances, `guesses` those of a guesser by levels alone."""

    chosen: SceneSet
    before: Stored
    rows: tuple[RowResult, ...]
    guesses: Stored | None = None

    @property
    def facts(self) -> list[Facts]:
        """What each scene of the set is."""
        return [self.before.facts.get(clip, Facts()) for clip in range(self.chosen.clips)]

    @property
    def clips(self) -> list[int]:
        """The scenes that the figures are over: those with the target that the set asks for."""
        only = self.chosen.only
        return [clip for clip, facts in enumerate(self.facts) if not only or facts.target == only]

    @property
    def packages(self) -> Packages:
        """Where the recordings of those scenes come from."""
        facts = self.facts
        found = [facts[clip].packages for clip in self.clips]
        return found if len({len(names) for names in found}) == 1 else ()

    def row(self, name: str) -> RowResult:
        """A row's result by name; raises KeyError."""
        return {result.row.name: result for result in self.rows}[name]


@dataclass(frozen=True)
class Result:
    """An experiment's results, set by set."""

    experiment: Experiment
    sets: tuple[SetResult, ...]


# Figures -----------------------------------------------------------------------------------------------


def figures(result: SetResult, one: RowResult, measure: str) -> dict[str, dict[str, Interval | float]]:
    """What is said of a row, by column: its mean and, as an interval, its improvement or share."""
    if one.mark or one.row.kind == "published":
        return {}
    if measure == "restraint":
        return _restraint(result, one.stored)
    if measure == "stems":
        return _stems(result, one.stored)
    return distances_of(result, one.stored)


def distances_of(result: SetResult, stored: Stored) -> dict[str, dict[str, Interval | float]]:
    """Mean distances of a system, and by how much they lie below the input's."""
    clips = result.clips
    return {
        name: {
            "mean": float(np.mean(stored.column(name, clips))) if clips else math.nan,
            "improvement": improvement_of(
                result.before.column(name, clips), stored.column(name, clips), result.packages
            ),
        }
        for name in DISTANCES
    }


def _stems(result: SetResult, stored: Stored) -> dict[str, dict[str, Interval | float]]:
    found: dict[str, dict[str, Interval | float]] = {}
    for name in STEMS:
        after, before = (stored.column(one, result.clips) for one in (name, f"{name}_before"))
        gain = mean_of([a - b for a, b in zip(after, before, strict=True)], result.packages)
        found[name] = {"mean": mean_of(after).value, "gain": gain, "clips": _count(after)}
    return found


def _restraint(result: SetResult, stored: Stored) -> dict[str, dict[str, Interval | float]]:
    change, error, after = (stored.column(name, result.clips) for name in ("change", "error", "after"))
    packages = result.packages
    shares = (
        share_of(change, error, packages),
        improvement_of(error, after, packages),
        break_even(change, error, after, packages),
    )
    counts = (_count(change), _count(error), len(result.clips))
    return {
        name: {"share": share, "clips": count}
        for name, share, count in zip(RESTRAINT, shares, counts, strict=True)
    }


def differences(result: SetResult, pair: tuple[str, str], measure: str = "distances") -> dict[str, Interval]:
    """By how many percentage points the first row lies above the second, by column; empty if one is missing.

    Of distances it is their improvement; of restraint how much less good mixes are changed, and by how much nearer
    muddy ones come.
    """
    one, other = (result.row(name) for name in pair)
    if any(row.mark or row.row.kind == "published" for row in (one, other)):
        return {}
    clips, packages = result.clips, result.packages
    if measure == "restraint":
        error = one.stored.column("error", clips)
        return {
            column: difference_of(
                error, one.stored.column(name, clips), other.stored.column(name, clips), packages
            )
            for column, name in zip(RESTRAINT, ("change", "after"), strict=False)
        }
    return {
        name: difference_of(
            result.before.column(name, clips),
            one.stored.column(name, clips),
            other.stored.column(name, clips),
            packages,
        )
        for name in DISTANCES
    }


def guessed(result: SetResult) -> dict[str, Interval]:
    """How often levels alone tell which stem to bring out, how often chance does, in %, and how far they lie apart."""
    if result.guesses is None:
        return {}
    right, chance = (
        [100.0 * value for value in result.guesses.column(name, result.clips)] for name in ("right", "chance")
    )
    return {
        "right": mean_of(right, result.packages),
        "chance": mean_of(chance, result.packages),
        "above chance": apart(right, chance, result.packages),
    }


def _count(values: Sequence[float]) -> int:
    return sum(math.isfinite(value) for value in values)
