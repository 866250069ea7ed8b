"""Model cards: what is known about one model's weights, as one JSON file each."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ..errors import ModelError
from ..files import write_text


@dataclass(frozen=True)
class Card:
    """What is known about one model's weights.

    `file` is a bare file name, `size` its length in bytes, `sha256` its lower-case hexadecimal digest.
    `kind` says which code reads it, `config` what that code needs, `results` what was measured. `trained_on`
    lists the material with its licences; `source` and `credit` say where the weights come from and whom to
    name. `url` None means that the file cannot be fetched: it is packaged, or trained here.
    """

    name: str
    kind: str
    file: str
    size: int
    sha256: str
    licence: str
    trained_on: tuple[str, ...]
    config: dict[str, Any] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    url: str | None = None
    source: str = ""
    credit: str = ""

    @property
    def size_text(self) -> str:
        """The size as people read it, in decimal megabytes."""
        return f"{self.size / 1e6:,.1f} MB"


def read_card(path: Path) -> Card:
    """Read and validate one card file. Raises `ModelError` in one sentence if it is not a card."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"The model card {path} cannot be read: {error}.") from error
    return card_from(data, str(path))


def card_from(data: object, where: str) -> Card:
    """Make a card of parsed JSON; `where` names its origin in the `ModelError` raised if it does not fit."""
    if not isinstance(data, dict):
        raise ModelError(f"The model card {where} is not a JSON object.")
    known = {f.name: f for f in fields(Card)}
    required = [n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING]
    missing = [name for name in required if name not in data]
    unknown = [name for name in data if name not in known]
    complaints = [f"lacks {names_of(missing)}"] if missing else []
    complaints += [f"has unknown {names_of(unknown)}{nearest(unknown[0], known)}"] if unknown else []
    if not complaints:
        complaints = _wrong_values(data)
    if complaints:
        raise ModelError(f"The model card {where} {' and '.join(complaints)}.")
    trained_on = data["trained_on"]
    trained_on = (trained_on,) if isinstance(trained_on, str) else tuple(trained_on)
    return Card(**{**data, "trained_on": trained_on, "sha256": data["sha256"].lower()})


def make_card(path: Path, **values: Any) -> Card:
    """A card for the weights at `path`: file name, size and digest are measured, the other fields given.

    Raises `ModelError` if a field is unknown or missing or the file cannot be read.
    """
    try:
        measured = {"file": path.name, "size": path.stat().st_size, "sha256": file_digest(path)}
    except OSError as error:
        raise ModelError(f"The weights {path} cannot be read: {error.strerror}.") from error
    return card_from({**values, **measured}, f"for {path.name}")


def write_card(card: Card, folder: Path) -> Path:
    """Write `folder/NAME.json`, whole or not at all, and return its path.

    Raises `ModelError` if a value does not fit or is nothing JSON can hold (NaN too), and `WriteError`.
    """
    data = asdict(card)
    card_from(data, f"for {card.name}")
    path = folder / f"{card.name}.json"
    try:
        text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise ModelError(f"The model card for {card.name} cannot be written as JSON: {error}.") from error
    write_text(path, text, parents=True)
    return path


def _wrong_values(data: Mapping[str, Any]) -> list[str]:
    texts = ("name", "kind", "file", "sha256", "licence", "source", "credit")
    complaints = [
        f"gives '{n}' as {data[n]!r}, not text" for n in texts if not isinstance(data.get(n, ""), str)
    ]
    if complaints:
        return complaints
    url, trained_on = data.get("url"), data["trained_on"]
    checks = {
        "has an empty name": bool(data["name"]),
        "names a file with a folder in it": data["file"] == Path(data["file"]).name != "",
        "has a size that is not a number of bytes": type(data["size"]) is int and data["size"] > 0,
        "has a sha256 that is not 64 hexadecimal digits": _is_digest(data["sha256"]),
        "has a url that is not text": url is None or isinstance(url, str),
        "has a trained_on that is not a list of texts": isinstance(trained_on, str)
        or (isinstance(trained_on, list | tuple) and all(isinstance(t, str) for t in trained_on)),
        "has a config that is not an object": isinstance(data.get("config", {}), dict),
        "has results that are not an object": isinstance(data.get("results", {}), dict),
    }
    return [text for text, good in checks.items() if not good]


def _is_digest(text: str) -> bool:
    return len(text) == 64 and all(c in "0123456789abcdef" for c in text.lower())


def file_digest(path: Path) -> str:
    """SHA-256 of a file in lower-case hexadecimal, read in blocks. Raises `OSError`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about a wrong name: the nearest known one, or all of them."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return f" (did you mean '{close[0]}'?)"
    return f" (known are {names_of(known)})" if known else ""


def names_of(names: Iterable[str]) -> str:
    """Names in quotes, with commas between."""
    return ", ".join(f"'{name}'" for name in names)
