"""Finished renditions on disk, each with a JSON sidecar; only whole, unchanged ones count."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...engine.errors import WriteError
from ...engine.files import place, write_text
from ...engine.passage import Rendition
from .keys import sampled_hash
from .sidecar import rendition_from_dict, rendition_to_dict

SCHEMA = "sightmix.rendition/1"
_CLOCK_GRAIN = 2_000_000_000  # ns


@dataclass(frozen=True)
class Entry:
    """One rendition on disk: its key, the span of media it was made from, and its sidecar file."""

    key: str
    span: str
    sidecar: Path
    rendition: Rendition

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that belongs to the rendition, the sidecar last."""
        return (self.rendition.path, *self.rendition.stems.values(), self.sidecar)

    def complete(self, stems: bool, raw: bool = False) -> bool:
        """True when the files are all here, as they were written, with stems (`raw`: before gain) if wanted."""
        if stems and not (self.rendition.stems and self.rendition.raw_stems == raw):
            return False
        try:
            stored = json.loads(self.sidecar.read_text(encoding="utf-8"))["files"]
            return all(_same(stored[path.name], _fingerprint(path)) for path in self.files[:-1])
        except (OSError, ValueError, KeyError, TypeError):
            return False


class Shelf:
    """A folder of renditions with sidecars; files without one of our sidecars are never touched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def entries(self) -> Iterator[Entry]:
        """Yield every entry whose sidecar can be read, in order of file name."""
        for sidecar in sorted(self.folder.glob("*.json")):
            entry = _read(sidecar)
            if entry is not None:
                yield entry

    def find(self, name: str, key: str, stems: bool, raw: bool = False) -> Rendition | None:
        """Return the rendition called `name` if it is whole, of this `key`, and has stems where wanted.

        `raw` asks for stems before their gains.
        """
        entry = _read(self.folder / f"{name}.json")
        if entry is None or entry.key != key or not entry.complete(stems, raw):
            return None
        return entry.rendition

    def store(self, key: str, span: str, rendition: Rendition) -> None:
        """Write the sidecar that makes a finished rendition in this folder count; raises WriteError."""
        files = (rendition.path, *rendition.stems.values())
        try:
            fingerprints = {path.name: _fingerprint(path) for path in files}
        except OSError as error:
            raise WriteError(f"{error.filename} vanished while it was rendered: {error.strerror}.") from error
        body = {
            "schema": SCHEMA,
            "key": key,
            "span": span,
            "files": fingerprints,
            "rendition": rendition_to_dict(rendition),
        }
        write_text(
            self.folder / f"{rendition.path.stem}.json",
            json.dumps(body, separators=(",", ":"), allow_nan=False),
            parents=True,
        )

    def unwanted(self, keep: Callable[[Entry], bool]) -> tuple[Path, ...]:
        """The files of every entry that `keep` refuses, less those that a kept entry has too."""
        entries = list(self.entries())
        kept = [entry for entry in entries if keep(entry)]
        wanted = {path for entry in kept for path in entry.files}
        return tuple(sorted({path for entry in entries for path in entry.files} - wanted))


def deliver(rendition: Rendition, folder: Path, name: str) -> Rendition:
    """Put a rendition's files into `folder` under `name`, by hard link where the disk allows, else by copy.

    Raises WriteError when neither works.
    """
    path = folder / f"{name}.wav"
    place(rendition.path, path)
    stems = {}
    for stem, source in rendition.stems.items():
        stems[stem] = folder / f"{name}.{stem}.wav"
        place(source, stems[stem])
    return replace(rendition, path=path, stems=stems)


def _read(sidecar: Path) -> Entry | None:
    try:
        stored: dict[str, Any] = json.loads(sidecar.read_text(encoding="utf-8"))
        if stored["schema"] != SCHEMA:
            return None
        rendition = rendition_from_dict(stored["rendition"], sidecar.parent)
        return Entry(stored["key"], stored["span"], sidecar, rendition)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _fingerprint(path: Path) -> list[Any]:
    state = path.stat()
    return [state.st_size, state.st_mtime_ns, sampled_hash(path)]


def _same(stored: list[Any], found: list[Any]) -> bool:
    """Equal but for the modification time, which some disks keep to two seconds only."""
    return stored[::2] == found[::2] and abs(stored[1] - found[1]) <= _CLOCK_GRAIN
