"""The weights store: where cards and weights lie, found by name and verified before use."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..errors import ModelError
from .card import Card, card_from, file_digest, make_card, nearest, read_card, write_card
from .tensors import load_tensors, save_tensors, strict_match

__all__ = [
    "Card",
    "absent_message",
    "add_card",
    "cache_folder",
    "card_from",
    "file_digest",
    "find_file",
    "list_cards",
    "load_card",
    "load_tensors",
    "make_card",
    "read_card",
    "save_tensors",
    "strict_match",
    "verify",
    "weights_path",
    "weights_roots",
    "writable_root",
    "write_card",
]

WEIGHTS_VARIABLE = "SIGHTMIX_WEIGHTS"
PACKAGED = Path(__file__).resolve().parent

_verified: set[tuple[str, int, int, str]] = set()


def cache_folder() -> Path:
    """The folder of fetched weights: the platform's cache folder for this user, plus `sightmix/weights`."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "sightmix" / "weights"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "sightmix" / "weights"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "sightmix" / "weights"


def weights_roots() -> tuple[Path, ...]:
    """Folders searched for cards and weights, first hit wins: packaged, `SIGHTMIX_WEIGHTS`, the user's cache.

    Each may hold `cards/NAME.json`, and weights directly or under `files/`.
    """
    own = os.environ.get(WEIGHTS_VARIABLE)
    return (PACKAGED, *([Path(own)] if own else []), cache_folder())


def writable_root() -> Path:
    """Where fetched weights go: `SIGHTMIX_WEIGHTS` if set, else the user's cache folder."""
    own = os.environ.get(WEIGHTS_VARIABLE)
    return Path(own) if own else cache_folder()


def find_file(name: str) -> Path | None:
    """The first file or folder called `name` among the weights roots, or None."""
    for root in weights_roots():
        for path in (root / name, root / "files" / name):
            if path.exists():
                return path
    return None


def list_cards() -> tuple[Card, ...]:
    """Every card found, by name; the first root that has a name wins.

    Raises `ModelError` for a broken card.
    """
    return tuple(read_card(path) for _, path in sorted(_card_files().items()))


def load_card(name: str) -> Card:
    """The card called `name`. Raises `ModelError` with the nearest names if there is none."""
    found = _card_files()
    if name not in found:
        raise ModelError(f"There is no model called '{name}'{nearest(name, found)}.")
    card = read_card(found[name])
    if card.name != name:
        raise ModelError(
            f"The model card {found[name]} describes '{card.name}'; rename the file or the model."
        )
    return card


def add_card(card: Card, root: Path | None = None) -> Path:
    """Write a card into a weights root (default: where fetched weights go), where it is found by name."""
    return write_card(card, (root or writable_root()) / "cards")


def _card_files() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for root in reversed(weights_roots()):
        found.update({path.stem: path for path in (root / "cards").glob("*.json")})
    return found


def weights_path(card: Card) -> Path:
    """Where the weights of `card` lie, their size and digest verified (once per process and file state).

    Raises `ModelError` if they are absent, saying how to get them, or if they are not what the card
    describes.
    """
    path = find_file(card.file)
    if path is None:
        raise ModelError(absent_message(card))
    verify(path, card)
    return path


def absent_message(card: Card) -> str:
    """The sentence for weights that are nowhere: file, size, where they come from and what to do."""
    file = f"{card.file} ({card.size_text}, {card.licence})"
    text = f"The weights of '{card.name}' are not on this computer: {file}"
    place = f"a folder named by {WEIGHTS_VARIABLE}"
    if card.url is None:
        return f"{text} belongs in {writable_root()} or in {place}."
    return (
        f"{text} can be fetched from {card.url} with `sightmix models fetch {card.name}`, "
        f"or put by hand into {writable_root()} or {place}."
    )


def verify(path: Path, card: Card) -> None:
    """Raise `ModelError` unless the file at `path` has the size and the digest that `card` gives."""
    try:
        state = path.stat()
        key = (str(path.resolve()), state.st_mtime_ns, state.st_size, card.sha256)
        if key in _verified:
            return
        if state.st_size != card.size:
            raise ModelError(
                f"The weights {path} are {state.st_size:,} bytes long and should be {card.size:,}; "
                f"remove the file and get '{card.name}' again."
            )
        digest = file_digest(path)
    except OSError as error:
        raise ModelError(f"The weights {path} cannot be read: {error.strerror}.") from error
    if digest != card.sha256:
        raise ModelError(
            f"The weights {path} are damaged or not those of '{card.name}' "
            f"(sha256 {digest[:12]}…, expected {card.sha256[:12]}…); remove the file and get it again."
        )
    _verified.add(key)
