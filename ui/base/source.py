"""Which timeline a request is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Source:
    """Which timeline: a file, which one in it, more folders to look for media in, and what an EDL counts in."""

    path: Path
    timeline: str = ""
    folders: tuple[Path, ...] = ()
    rate: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The source as JSON values."""
        return {
            "path": str(self.path),
            "timeline": self.timeline,
            "folders": [str(folder) for folder in self.folders],
            "rate": self.rate,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Source:
        """What `to_dict` gave."""
        folders = tuple(Path(folder) for folder in data.get("folders", ()))
        return cls(Path(data["path"]), data.get("timeline", ""), folders, data.get("rate", ""))
