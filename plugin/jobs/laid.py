"""In which lane every clip of a timeline lies: what its tracks hold, and the stems it was separated into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...engine.roles import STEMS

LANES = (*STEMS, "rest")  # stems that gains move, then all that stays as it is


@dataclass(frozen=True)
class Parted:
    """A clip's separated stems: files of `samples` at `rate`, the first at `first` of the media file.

    They may be those of a stretch of the clip only: around it the clip is heard as it is.
    """

    stems: Mapping[str, Path]
    first: int
    samples: int
    rate: int

    def to_dict(self) -> dict[str, Any]:
        """The stems as JSON values."""
        stems = {stem: str(path) for stem, path in self.stems.items()}
        return {"stems": stems, "first": self.first, "samples": self.samples, "rate": self.rate}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Parted:
        """What `to_dict` gave."""
        stems = {stem: Path(path) for stem, path in data["stems"].items()}
        return cls(stems, data["first"], data["samples"], data["rate"])

    @property
    def complete(self) -> bool:
        """Whether all of its files are still there."""
        return all(path.is_file() for path in self.stems.values())


@dataclass(frozen=True)
class Laid:
    """Where clips lie, by their number: `kinds` what they hold (dialogue, music, effects; anything else is the rest),
    `moved` those that gains move, and `parted` those that were separated.
    """

    kinds: Mapping[int, str] = field(default_factory=dict)
    moved: frozenset[int] = frozenset()
    parted: Mapping[int, Parted] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The lanes as JSON values."""
        return {
            "kinds": {str(clip): kind for clip, kind in self.kinds.items()},
            "moved": sorted(self.moved),
            "parted": {str(clip): parted.to_dict() for clip, parted in self.parted.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Laid:
        """What `to_dict` gave."""
        return cls(
            {int(clip): kind for clip, kind in data["kinds"].items()},
            frozenset(data["moved"]),
            {int(clip): Parted.from_dict(parted) for clip, parted in data["parted"].items()},
        )
