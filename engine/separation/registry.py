"""Separators by name."""

from __future__ import annotations

from importlib.util import find_spec

from ..errors import ModelError
from ..installation import line_with
from ..version import SHIPPED_MODEL
from ..weights.card import nearest
from ..weights.store import Card, find_file, list_cards
from .base import Separator
from .checkpoints import FAMILIES, CheckpointSeparator
from .packages import AudioSeparator, DemucsSeparator
from .product import ProductSeparator

_PACKAGES = {"demucs": "demucs", "audio-separator": "audio_separator"}


def load_separator(name: str = SHIPPED_MODEL, device: str = "cpu", threads: int | None = None) -> Separator:
    """The separator called `name`.

    A product model's card; "demucs" or "audio-separator", with ":MODEL" for another model than their usual one; or the
    card of a Bandit v2, TIGER or MRX checkpoint. Raises `ModelError` in one sentence if it is unknown or something it
    needs is missing.
    """
    package, _, model = name.partition(":")
    if package == "demucs":
        return DemucsSeparator(model, "cuda" if device.startswith("cuda") else "cpu")
    if package == "audio-separator":
        return AudioSeparator(model, device)
    cards = {card.name: card for card in list_cards() if _separates(card)}
    if name in cards:
        if cards[name].kind == "highlight":
            return ProductSeparator.open(cards[name], device, threads)
        return CheckpointSeparator(cards[name], "cuda" if device.startswith("cuda") else "cpu")
    if name in FAMILIES:
        family = FAMILIES[name]
        raise ModelError(
            f"'{name}' needs a checkpoint ({family.weights}; {family.licence}): "
            f"take it in with `sightmix data separator {name} FILE`, or name one of its cards."
        )
    raise ModelError(
        f"There is no separator called '{name}'{nearest(name, [*cards, *_PACKAGES, *FAMILIES])}."
    )


def available() -> tuple[tuple[str, str, str], ...]:
    """Every separator as (name, licence, what is still missing or "")."""
    rows = []
    for card in list_cards():
        if _separates(card):
            missing = [] if find_file(card.file) else ["weights"]
            family = FAMILIES.get(card.kind.removeprefix("separator-"))
            if family is not None and not _importable(family.module):
                missing.append(f"code of {family.project}")
            rows.append((card.name, card.licence, ", ".join(missing)))
    for name, module in _PACKAGES.items():
        rows.append((name, "MIT code", "" if _importable(module) else line_with(name)))
    return tuple(rows)


def _separates(card: Card) -> bool:
    if card.kind == "highlight":
        return bool(card.config.get("network", {}).get("kind") == "product")
    return card.kind.removeprefix("separator-") in FAMILIES


def _importable(module: str) -> bool:
    try:
        return find_spec(module.split(".", maxsplit=1)[0]) is not None
    except (ImportError, ValueError):
        return False
