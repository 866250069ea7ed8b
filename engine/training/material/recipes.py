"""Corpus recipes as data: which packages, what their files are, under which licence, and what must never be used."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import TrainingError
from ...roles import STEMS

KINDS = STEMS
SPLITS = ("train", "validation", "test")
DROP = "drop"
# Kept apart for the project's own evaluation: whoever trains on them can no longer measure anything.
RESERVED = (
    "drascula*",
    "beneath-a-steel-sky*",
    "supertuxkart-data",
    "openarena-*",
    "nexuiz-data",
    "nexuiz-music",
    "singularity-music",
    "freecol*",
    "psychopy*",
    "stempeg*",
)
RECIPES = Path(__file__).parent / "recipe"


@dataclass(frozen=True)
class Rule:
    """What the files whose path matches are: a kind (or `drop`), their split, and caps in seconds."""

    kind: str
    match: tuple[str, ...]
    unless: tuple[str, ...] = ()
    split: str = "train"
    licence: str | None = None
    label: str | None = None
    total_s: float | None = None
    item_s: float | None = None

    def fits(self, path: str) -> bool:
        """Whether this rule speaks of `path` (patterns as in `fnmatch`, letter case ignored, `*` crosses folders)."""
        return any_match(path, self.match) and not any_match(path, self.unless)


@dataclass(frozen=True)
class PackageRecipe:
    """One package: its licence as its copyright file states it, the archives inside it, and its rules in order.

    `licences` names the files under another licence than the package's, `pictures` those to pair with sounds.
    """

    name: str
    licence: str
    rules: tuple[Rule, ...]
    credit: str = ""
    url: str = ""
    archives: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    pictures: Mapping[str, Any] | None = None
    licences: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def rule_for(self, path: str) -> int | None:
        """The index of the first rule that fits `path`; None when no rule does or it says to drop the file."""
        for index, rule in enumerate(self.rules):
            if rule.fits(path):
                return None if rule.kind == DROP else index
        return None

    def licence_of(self, path: str, rule: Rule) -> str:
        """The licence of one file: the one named for it, else its rule's, else the package's."""
        for licence, patterns in self.licences.items():
            if any_match(path, patterns):
                return licence
        return rule.licence or self.licence


@dataclass(frozen=True)
class Recipe:
    """What to fetch and how to sort it; `shortest_s` by kind."""

    name: str
    packages: tuple[PackageRecipe, ...]
    shortest_s: Mapping[str, float] = field(
        default_factory=lambda: {"speech": 0.4, "music": 5.0, "effects": 0.25}
    )


def any_match(path: str, patterns: Iterable[str]) -> bool:
    """Whether `path` fits one of `patterns` (as in `fnmatch`, letter case ignored, `*` crosses folders)."""
    low = path.lower()
    return any(fnmatch.fnmatchcase(low, pattern.lower()) for pattern in patterns)


def load_recipe(source: str | Path) -> Recipe:
    """Read a recipe: the name of one that comes with the package (`open`) or the path of a JSON file.

    Raises `TrainingError` when it cannot be read, has an unknown kind or split, splits a package, or names a
    reserved one.
    """
    path = RECIPES / f"{source}.json" if (RECIPES / f"{source}.json").is_file() else Path(source)
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        recipe = Recipe(
            name=raw["name"],
            packages=tuple(_package_recipe(entry) for entry in raw["packages"]),
            shortest_s=raw["shortest_s"],
        )
    except OSError:
        known = ", ".join(sorted(p.stem for p in RECIPES.glob("*.json")))
        raise TrainingError(f"There is no recipe {source}; recipes that come along: {known}.") from None
    except (ValueError, KeyError, TypeError) as fault:
        raise TrainingError(f"The recipe {path} is not well formed: {fault}.") from None
    _check_recipe(recipe)
    return recipe


def _package_recipe(entry: Mapping[str, Any]) -> PackageRecipe:
    lists = {key: tuple(entry[key]) for key in ("archives", "containers") if key in entry}
    rules = tuple(
        Rule(**{**rule, "match": tuple(rule["match"]), "unless": tuple(rule.get("unless", ()))})
        for rule in entry["rules"]
    )
    return PackageRecipe(**{**entry, **lists, "rules": rules})


def _check_recipe(recipe: Recipe) -> None:
    for package in recipe.packages:
        refuse_reserved(package.name)
        for rule in package.rules:
            if rule.kind not in (*KINDS, DROP):
                raise TrainingError(
                    f"The recipe {recipe.name} calls files of {package.name} {rule.kind!r}; "
                    f"use one of {', '.join((*KINDS, DROP))}."
                )
            if rule.split not in SPLITS:
                raise TrainingError(
                    f"The recipe {recipe.name} puts files of {package.name} in split {rule.split!r}; "
                    f"use one of {', '.join(SPLITS)}."
                )
        _refuse_two_splits(recipe.name, package)


def _refuse_two_splits(recipe: str, package: PackageRecipe) -> None:
    """A package is one hand's work: what is learned from some of it is no longer unknown in the rest."""
    splits = {rule.split for rule in package.rules if rule.kind != DROP}
    if package.pictures is not None:
        splits.add(package.pictures.get("split", "train"))
    if len(splits) > 1:
        raise TrainingError(
            f"The recipe {recipe} puts {package.name} in {' and '.join(sorted(splits))}; "
            "give all sounds and pictures of a package one split."
        )


def refuse_reserved(package: str) -> None:
    """Raise `TrainingError` when `package` is kept for evaluation and must never be trained on."""
    if any_match(package, RESERVED):
        raise TrainingError(
            f"The package {package} is reserved for evaluation; take it out of the recipe, "
            "nothing may be trained, tuned or selected on it."
        )
