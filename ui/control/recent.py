"""Timelines that were open lately, and what their user said of them: a small file among the user's settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...engine.files import WholeFile
from ...engine.legible import json_text
from ...plugin.jobs.defaults import defaults_path
from ..base.source import Source
from ..base.topics import Topic

FILE = "recent.json"
MOST = 20
_LARGEST = 1 << 20  # bytes of a file that is read


@dataclass(frozen=True)
class Entry:
    """A timeline that was open: which one, its name, and what the user said its tracks hold, by number."""

    source: Source
    name: str = ""
    told: Mapping[int, str] = field(default_factory=dict)

    @property
    def there(self) -> bool:
        """Whether the file is still where it was."""
        with suppress(OSError, ValueError):
            return self.source.path.exists()
        return False

    def to_dict(self) -> dict[str, Any]:
        """The entry as JSON values."""
        told = {str(number): kind for number, kind in self.told.items()}
        return {**self.source.to_dict(), "name": self.name, "told": told}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Entry:
        """What `to_dict` gave; raises ValueError, KeyError, TypeError or AttributeError for anything else."""
        told = {int(number): str(kind) for number, kind in data.get("told", {}).items()}
        return cls(Source.from_dict(data), str(data.get("name", "")), told)


def recent_path() -> Path | None:
    """Where the list lies: beside the user's defaults; None where nothing is to be read or written there."""
    path = defaults_path()
    return None if path is None else path.with_name(FILE)


class Recent:
    """The timelines that were open lately, the last first; `path` None keeps them for as long as the panel runs.

    A list that cannot be read is begun anew, and one that cannot be written is none the worse for the work on the
    timeline: `trouble` then says why.
    """

    def __init__(self, path: Path | None) -> None:
        self.changed: Topic[[]] = Topic()
        self.trouble = ""
        self._path = path
        self._entries = self._read()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The list."""
        return self._entries

    def find(self, source: Source) -> Entry | None:
        """What is known of a timeline."""
        return next((entry for entry in self._entries if _same(entry.source, source)), None)

    def add(self, entry: Entry) -> None:
        """Put a timeline first, in place of what was known of it."""
        self._change([entry], entry.source)

    def remove(self, source: Source) -> None:
        """Forget a timeline."""
        self._change([], source)

    def clear(self) -> None:
        """Forget all of them."""
        self._entries = ()
        self._write()
        self.changed.emit()

    def _change(self, first: list[Entry], source: Source) -> None:
        # Another window may have written since.
        others = [entry for entry in self._read() if not _same(entry.source, source)]
        self._entries = tuple([*first, *others][:MOST])
        self._write()
        self.changed.emit()

    def _read(self) -> tuple[Entry, ...]:
        if self._path is None:
            return getattr(self, "_entries", ())
        try:
            with self._path.open("rb") as file:
                listed = json.loads(file.read(_LARGEST))["timelines"]
        except (OSError, ValueError, KeyError, TypeError):
            return ()
        entries = []
        for data in listed if isinstance(listed, list) else ():
            with suppress(ValueError, KeyError, TypeError, AttributeError):
                entries.append(Entry.from_dict(data))
        return tuple(entries[:MOST])

    def _write(self) -> None:
        if self._path is None:
            return
        data = json_text({"timelines": [entry.to_dict() for entry in self._entries]}, indent=1)
        self.trouble = ""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with WholeFile(self._path, durable=False) as file:
                file.write(data.encode())
        except OSError as error:
            self.trouble = f"{self._path} cannot be written ({error.strerror or error})."


def _same(one: Source, other: Source) -> bool:
    """Whether both are one timeline: that of a file which nobody names is its first."""
    same = one.path.absolute() == other.path.absolute()
    return same and (one.timeline or "1") == (other.timeline or "1")
