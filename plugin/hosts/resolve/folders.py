"""Where Resolve keeps scripts, its scripting modules and its preferences, and where sightmix meets it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import HostError

_VENDOR = "Blackmagic Design/DaVinci Resolve"
_SCRIPTS = "Fusion/Scripts/Utility"
_PREFS = "Fusion/Profiles/Default/Fusion.prefs"


@dataclass(frozen=True)
class Machine:
    """A computer as Resolve's documentation divides them: system, environment, home.

    `root` stands for the file system's top; tests put one of their own there.
    """

    system: str = sys.platform
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    home: Path = field(default_factory=Path.home)
    root: Path = Path("/")

    @property
    def windows(self) -> bool:
        """Whether it runs Windows."""
        return self.system == "win32"

    @property
    def mac(self) -> bool:
        """Whether it runs macOS."""
        return self.system == "darwin"

    def _variable(self, name: str) -> Path:
        found = self.env.get(name, "")
        if not found:
            raise HostError(
                f"The environment variable {name} is not set, so Resolve's folders cannot be found."
            )
        return Path(found)

    def scripts(self, everybody: bool = False) -> Path:
        """The folder whose scripts Workspace > Scripts lists on every page, for one user or for all."""
        if self.windows:
            if everybody:
                return self._variable("PROGRAMDATA") / _VENDOR / _SCRIPTS
            return self._variable("APPDATA") / _VENDOR / "Support" / _SCRIPTS
        if self.mac:
            return (
                (self.root if everybody else self.home) / "Library/Application Support" / _VENDOR / _SCRIPTS
            )
        return self._linux_scripts(everybody)

    def _linux_scripts(self, everybody: bool) -> Path:
        if not everybody:
            return self.home / ".local/share/DaVinciResolve" / _SCRIPTS
        places = [self.root / "opt/resolve", self.root / "home/resolve"]
        return next((place for place in places if place.is_dir()), places[0]) / _SCRIPTS

    @property
    def script_api(self) -> Path:
        """The folder of the scripting modules, unless RESOLVE_SCRIPT_API names another."""
        given = self.env.get("RESOLVE_SCRIPT_API")
        if given:
            return Path(given)
        if self.windows:
            return self._variable("PROGRAMDATA") / _VENDOR / "Support/Developer/Scripting"
        if self.mac:
            return self.root / "Library/Application Support" / _VENDOR / "Developer/Scripting"
        return self.root / "opt/resolve/Developer/Scripting"

    @property
    def script_library(self) -> Path:
        """Resolve's library that the modules load, unless RESOLVE_SCRIPT_LIB names another."""
        given = self.env.get("RESOLVE_SCRIPT_LIB")
        if given:
            return Path(given)
        if self.windows:
            programs = Path(self.env.get("PROGRAMFILES", "C:/Program Files"))
            return programs / _VENDOR / "fusionscript.dll"
        if self.mac:
            bundle = self.root / "Applications/DaVinci Resolve/DaVinci Resolve.app/Contents"
            return bundle / "Libraries/Fusion/fusionscript.so"
        return self.root / "opt/resolve/libs/Fusion/fusionscript.so"

    @property
    def profiles(self) -> tuple[Path, ...]:
        """Where Fusion's preferences may lie."""
        if self.windows:
            base = self._variable("APPDATA") / _VENDOR
            return (base / "Support" / _PREFS, base / _PREFS)
        if self.mac:
            return (self.home / "Library/Application Support" / _VENDOR / _PREFS,)
        return (self.home / ".local/share/DaVinciResolve" / _PREFS,)

    @property
    def data(self) -> Path:
        """Our own folder for this user."""
        if self.windows:
            return self._variable("LOCALAPPDATA") / "sightmix"
        if self.mac:
            return self.home / "Library/Application Support/sightmix"
        return Path(self.env.get("XDG_DATA_HOME") or self.home / ".local/share") / "sightmix"

    @property
    def meeting(self) -> Path:
        """Where a session waits for the script in Resolve."""
        return self.data / "resolve"

    def script_environment(self) -> dict[str, str]:
        """What a Python needs in its environment to load Resolve's modules.

        On Windows Resolve's library would else pick a Python from the registry and may crash.
        """
        modules = str(self.script_api / "Modules")
        paths = [p for p in self.env.get("PYTHONPATH", "").split(os.pathsep) if p and p != modules]
        found = {
            "RESOLVE_SCRIPT_API": str(self.script_api),
            "RESOLVE_SCRIPT_LIB": str(self.script_library),
            "PYTHONPATH": os.pathsep.join([*paths, modules]),
        }
        if self.windows:
            found |= {"FUSION_PYTHON3_HOME": sys.base_prefix}
        return found
