"""File names of results: stable, readable, plain ASCII."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

from ...engine.files import write_text
from ..timeline.save import suffixes
from .cache import Shelf

NAMES, NAMES_SCHEMA = "names.json", "sightmix.names/1"

_LONGEST = 40
_RESULT_SUFFIX = ".otio"
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{2,4}$")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)


def ascii_slug(text: str, longest: int = _LONGEST, otherwise: str = "clip") -> str:
    """`text` as letters, digits, dots, dashes and underscores; `otherwise` where nothing is left of it."""
    flat = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^A-Za-z0-9.-]+", "_", flat)[:longest].strip("._-")
    if not slug or _RESERVED.fullmatch(slug.partition(".")[0]):
        return f"{otherwise}_{slug}".rstrip("_")
    return slug


def base_names(names: Iterable[str]) -> list[str]:
    """A base name for the files of every clip of a timeline, by the clips' names in order, such as
    ``interview_rebalanced``; of one name the later ones are ``interview_2_rebalanced`` and so on.
    """
    found: list[str] = []
    taken: set[str] = set()
    counts: dict[str, int] = {}
    for name in names:
        slug = ascii_slug(_EXTENSION.sub("", name))
        count = counts.get(slug.casefold(), 0) + 1
        while (base := f"{slug}_{count}" if count > 1 else slug).casefold() in taken:
            count += 1
        counts[slug.casefold()] = count
        taken.add(base.casefold())
        found.append(f"{base}_rebalanced")
    return found


class FileNames:
    """Which files of a job's folder belong to which delivered sound, by its key; kept in the folder, for ever.

    A sound that is made again finds its own name. Another sound of the same clip, as other settings make it, is
    ``interview_rebalanced_v2``: an editor may still play the first. A name is written down before its file is, so that
    one left by a kill is written anew; files that nobody wrote down are somebody else's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keys = self._noted()
        self._looked = False

    def of(self, base: str, key: str) -> str:
        """The base name of the files of the sound `key`: `base`, or one that begins with it. Raises WriteError."""
        name = self._known(key)
        if name is None:
            name = next(name for name in self._candidates(base) if self._is_free(name))
            self._keys[name] = key
            text = json.dumps({"schema": NAMES_SCHEMA, "names": self._keys}, indent=1)
            write_text(self._folder / NAMES, text, parents=True)
        return name

    def _known(self, key: str) -> str | None:
        name = next((name for name, known in self._keys.items() if known == key), None)
        if name is None and not self._looked:  # results of before there was a list, or one that was lost
            self._looked = True
            for entry in Shelf(self._folder).entries():
                self._keys.setdefault(entry.sidecar.stem, entry.key)
            return self._known(key)
        return name

    @staticmethod
    def _candidates(base: str) -> Iterator[str]:
        yield base
        yield from (f"{base}_v{number}" for number in count(2))

    def _is_free(self, name: str) -> bool:
        lower = {known.casefold() for known in self._keys}
        here = (self._folder / f"{name}{suffix}" for suffix in (".wav", ".json"))
        return name.casefold() not in lower and not any(path.exists() for path in here)

    def _noted(self) -> dict[str, str]:
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            stored = json.loads((self._folder / NAMES).read_text(encoding="utf-8"))
            if stored["schema"] == NAMES_SCHEMA:
                return {str(name): str(key) for name, key in stored["names"].items()}
        return {}


def result_path(out: Path) -> Path:
    """`out` with the suffix of an OTIO timeline unless it has that of another kind of timeline."""
    return out if out.suffix.lower() in suffixes() else out.with_name(out.name + _RESULT_SUFFIX)


def result_folder(out: Path) -> Path:
    """The folder of media and report that belongs to the result timeline `out`."""
    base = out.stem if out.suffix.lower() == _RESULT_SUFFIX else out.name
    return out.with_name(f"{base}.sightmix")
