"""How this sightmix was installed, and the line that adds to it what an option needs."""

from __future__ import annotations

import re
import shlex
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any

NAME = "sightmix"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
_CONDITION = re.compile(r"""^(?P<what>[^;]+?)\s*;.*\bextra\s*==\s*["'](?P<extra>[\w-]+)["']""")
_OURS = re.compile(rf"^{NAME}\[(?P<extra>[\w-]+)\]$")
_PROJECT = re.compile(r"^[\w.-]+")
_TORCH = ("torch", "torchvision", "torchaudio")


def line_for(extra: str) -> str:
    """The command that adds what our `extra` needs to this installation, whatever made it."""
    return Installation().line(needs(extra) or _packages(extra))


def line_with(*packages: str) -> str:
    """The command that adds packages, as pip is told them, to this installation."""
    return Installation().line(packages)


def needs(extra: str) -> tuple[str, ...]:
    """What of an extra's packages is not installed yet, as pip is told them.

    sightmix is in no index, so its own name is no help to an installer: its packages' names are.
    """
    return tuple(package for package in _packages(extra) if not _installed(package))


def _packages(extra: str) -> tuple[str, ...]:
    try:
        required = distribution(NAME).requires or []
    except PackageNotFoundError:
        return (f"{NAME}[{extra}]",)
    found: list[str] = []
    for requirement in required:
        match = _CONDITION.match(requirement)
        if match is None or match["extra"] != extra:
            continue
        inner = _OURS.match(match["what"])
        found += _packages(inner["extra"]) if inner else [match["what"]]
    return tuple(dict.fromkeys(found)) or (f"{NAME}[{extra}]",)


def _installed(package: str) -> bool:
    name = _PROJECT.match(package)
    try:
        distribution(name[0] if name else package)
    except PackageNotFoundError:
        return False
    return True


@dataclass(frozen=True)
class Installation:
    """An environment that sightmix lies in: its folder, its Python, the system, the graphics card.

    `way` says who made it: "pipx", "uv tool", "uv" for an environment without pip, or "pip".
    """

    prefix: Path = field(default_factory=lambda: Path(sys.prefix))
    python: str = sys.executable
    system: str = sys.platform
    pip: bool = field(default_factory=lambda: find_spec("pip") is not None)
    nvidia: bool = field(default_factory=lambda: Path("/dev/nvidiactl").exists())

    @cached_property
    def way(self) -> str:
        """Who made this environment, by what that program leaves in it."""
        if (self.prefix / "pipx_metadata.json").is_file():
            return "pipx"
        if self._receipt:
            return "uv tool"
        return "pip" if self.pip else "uv"

    def line(self, packages: Sequence[str]) -> str:
        """The command that adds `packages` here, to be typed into a terminal."""
        words = {"pipx": self._pipx, "uv tool": self._uv_tool, "uv": self._uv, "pip": self._pip}[self.way]
        return self._quoted(words(packages, self._small_torch(packages)))

    def _small_torch(self, packages: Sequence[str]) -> bool:
        """Whether PyPI's PyTorch would be the build for graphics cards, gigabytes of it, without such a card here."""
        names = [match[0].lower() for package in packages if (match := _PROJECT.match(package))]
        return self.system.startswith("linux") and not self.nvidia and any(name in _TORCH for name in names)

    def _pip(self, packages: Sequence[str], small: bool) -> list[str]:
        index = ["--extra-index-url", CPU_INDEX] if small else []
        return [self.python, "-m", "pip", "install", *index, *packages]

    def _uv(self, packages: Sequence[str], small: bool) -> list[str]:
        backend = ["--torch-backend", "cpu"] if small else []
        return ["uv", "pip", "install", "--python", self.python, *backend, *packages]

    def _pipx(self, packages: Sequence[str], small: bool) -> list[str]:
        index = [f"--pip-args=--extra-index-url {CPU_INDEX}"] if small else []
        return ["pipx", "inject", *index, self.prefix.name, *packages]

    def _uv_tool(self, packages: Sequence[str], small: bool) -> list[str]:
        """uv makes a tool's environment anew: it has to be told again all that was asked for before."""
        earlier = [
            f"{entry['name']}{entry.get('specifier', '')}"
            for entry in self._receipt
            if entry.get("name") != NAME and set(entry) <= {"name", "specifier"}
        ]
        source = self._source(next((entry for entry in self._receipt if entry.get("name") == NAME), {}))
        if not source:
            return self._uv(packages, small)
        added = [word for package in dict.fromkeys([*earlier, *packages]) for word in ("--with", package)]
        backend = ["--torch-backend", "cpu"] if small else []
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return ["uv", "tool", "install", "--python", version, *backend, *added, *source]

    @staticmethod
    def _source(entry: dict[str, Any]) -> list[str]:
        """What uv was told to install sightmix from; nothing where that is no file or folder."""
        extras = entry.get("extras")
        asked = f"[{','.join(extras)}]" if extras else ""
        for key, option in (("editable", ["--editable"]), ("directory", []), ("path", [])):
            if isinstance(entry.get(key), str):
                return [*option, entry[key] + asked]
        return []

    @cached_property
    def _receipt(self) -> tuple[dict[str, Any], ...]:
        """What uv noted of a tool it installed."""
        try:
            noted = tomllib.loads((self.prefix / "uv-receipt.toml").read_text(encoding="utf-8"))
            listed = list(noted["tool"]["requirements"])
        except (OSError, ValueError, KeyError, TypeError):
            return ()
        return tuple(entry for entry in listed if isinstance(entry, dict) and "name" in entry)

    def _quoted(self, words: Sequence[str]) -> str:
        if self.system == "win32":  # cmd takes > for a redirection unless it stands in quotes
            return " ".join(f'"{word}"' if set(word) & set(" <>&|^,;=") else word for word in words)
        return shlex.join(words)
