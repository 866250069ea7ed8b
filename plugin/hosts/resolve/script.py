"""The Lua script as installed: the template with this machine's facts and the table of calls filled in."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

from .broker import PROTOCOL
from .calls import ENUMS, METHODS, PATHS
from .literals import lua_string

LOST = 15  # seconds without a sign of life after which the script gives up


def launcher(
    folder: Path | None,
    command: Sequence[str] = (),
    system: str = sys.platform,
    lost: float = LOST,
    opens: str = "sightmix resolve rebalance",
) -> str:
    """The script's text; `folder` None lets it find each user's own session, `command` starts sightmix.

    `opens` is what to type in a terminal where scripts may not start programs.
    """
    text = resources.files(__package__).joinpath("launcher.lua").read_text(encoding="utf-8")
    filled = {
        "@PROTOCOL@": str(PROTOCOL),
        "@LOST@": f"{lost:g}",
        "@FOLDER@": lua_string("" if folder is None else str(folder)),
        "@COMMAND@": lua_string(in_background(command, system)),
        "@OPENS@": lua_string(opens),
        "@METHODS@": _table({kind: _table(calls) for kind, calls in METHODS.items()}, nested=True),
        "@PATHS@": _table(PATHS),
        "@ENUMS@": _table(dict.fromkeys(ENUMS, True)),
    }
    for mark, value in filled.items():
        text = text.replace(mark, value)
    return text


def in_background(command: Sequence[str], system: str = sys.platform) -> str:
    """A shell's line that starts `command` and returns at once; empty for no command."""
    if not command:
        return ""
    if system == "win32":
        return f'start "sightmix" /min {subprocess.list2cmdline(command)}'
    return f"{shlex.join(command)} >/dev/null 2>&1 &"


def _table(data: Mapping[str, str | int], nested: bool = False) -> str:
    items = [f"[{lua_string(key)}] = {value if nested else _literal(value)}" for key, value in data.items()]
    return "{" + ", ".join(items) + "}"


def _literal(value: str | int) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return lua_string(value) if isinstance(value, str) else str(value)
