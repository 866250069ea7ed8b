"""What the user made of a timeline in the panel and has not lost when it is opened again: curves, settings, places."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...engine.errors import SettingsError
from ...engine.files import WholeFile
from ...engine.legible import json_text
from ...plugin.jobs.hand import Drawn, from_data, to_data
from ..base.source import Source

SCHEMA = "sightmix.workspace/1"
FOLDER = "timelines"
_LARGEST = 64 << 20  # bytes of a file that is read


@dataclass(frozen=True)
class Workspace:
    """What belongs to one timeline: curves drawn by hand, settings that differ from the user's defaults, where the
    last result went (None: there is none) with the mix it was made by, and the playhead in record seconds.
    """

    drawn: tuple[Drawn, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    out: Path | None = None
    mix: Path | None = None
    position: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """The workspace as JSON values."""
        return {
            "schema": SCHEMA,
            "drawn": to_data(self.drawn),
            "settings": dict(self.settings),
            "out": None if self.out is None else str(self.out),
            "mix": None if self.mix is None else str(self.mix),
            "position": self.position,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Workspace:
        """What `to_dict` gave; raises ValueError, KeyError, TypeError, AttributeError or SettingsError otherwise."""
        if data["schema"] != SCHEMA:
            raise ValueError(data["schema"])
        out, mix = data["out"], data["mix"]
        return cls(
            from_data(data["drawn"]),
            {str(name): value for name, value in data["settings"].items()},
            None if out is None else Path(out),
            None if mix is None else Path(mix),
            max(0.0, float(data["position"])),
        )


class Workspaces:
    """The workspaces of all timelines, a small file each in `folder`; None keeps nothing.

    What cannot be read is as if it were not there; what cannot be written costs nothing else: `trouble` says why.
    """

    def __init__(self, folder: Path | None) -> None:
        self.trouble = ""
        self._folder = folder

    def read(self, source: Source) -> Workspace:
        """What is known of a timeline."""
        if self._folder is None:
            return Workspace()
        path = self._path(self._folder, source)
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, SettingsError):
            if path.stat().st_size <= _LARGEST:
                return Workspace.from_dict(json.loads(path.read_bytes()))
        return Workspace()

    def write(self, source: Source, workspace: Workspace) -> None:
        """Keep what is known of a timeline, whole or as it was."""
        if self._folder is None:
            return
        path = self._path(self._folder, source)
        self.trouble = ""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with WholeFile(path, durable=False) as file:
                file.write(json_text(workspace.to_dict(), indent=1).encode())
        except OSError as error:
            self.trouble = f"{path} cannot be written ({error.strerror or error})."

    @staticmethod
    def _path(folder: Path, source: Source) -> Path:
        name = f"{source.path.absolute()}\n{source.timeline}"
        return folder / f"{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}.json"


def workspaces_folder() -> Path | None:
    """Where they lie: beside the user's defaults; None where nothing is to be read or written there."""
    from ...plugin.jobs.defaults import defaults_path

    path = defaults_path()
    return None if path is None else path.with_name(FOLDER)
