"""Puts our script where Resolve lists scripts, and takes it away again: our own files, and no others."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ....engine.files import WholeFile
from ..errors import HostError
from .folders import Machine
from .script import launcher

SCRIPT, MANIFEST = "sightmix.lua", "sightmix.manifest.json"
PANEL_SCRIPT = "sightmix panel.lua"
SCHEMA = "sightmix.resolve-install/1"
_MARK = "-- sightmix for DaVinci Resolve"


@dataclass(frozen=True)
class Installed:
    """What is in a script folder: our script or not, all as this version writes it or not."""

    folder: Path
    present: bool
    up_to_date: bool


def has_panel() -> bool:
    """Whether what the panel's window needs is installed."""
    return find_spec("PySide6") is not None


def scripts(machine: Machine, everybody: bool) -> dict[str, str]:
    """The scripts by file name, which is what Resolve's menu calls them: one rebalances, one opens the panel.

    For one user, who may start sightmix with them; for all, who each have their own session, only the first, which then
    starts nothing. Without the panel's window there is no entry for it.
    """
    if everybody:
        return {SCRIPT: launcher(None, system=machine.system)}
    command = (sys.executable, "-m", "sightmix.plugin.cli")
    found = {SCRIPT: launcher(machine.meeting, (*command, "resolve", "serve"), machine.system)}
    if has_panel():
        starts = (*command, "panel", "--resolve")
        found[PANEL_SCRIPT] = launcher(
            machine.meeting, starts, machine.system, opens="sightmix panel --resolve"
        )
    return found


def install(machine: Machine, everybody: bool = False) -> tuple[Path, ...]:
    """Write the scripts, or replace earlier ones of ours; returns where they are, that which rebalances first.

    Raises HostError where a file of such a name is not ours, or the folder may not be written.
    """
    folder = machine.scripts(everybody)
    texts = scripts(machine, everybody)
    for name in texts:
        _check_ours(folder / name)
    try:
        made = _make(folder)
        before = _manifest(folder)
        made += [Path(name) for name in before.get("folders", [])]
        facts = {
            "schema": SCHEMA,
            "files": {name: _digest(text.encode()) for name, text in texts.items()},
            "folders": sorted({str(path) for path in made}, reverse=True),
        }
        for name, digest in _files(before).items():
            if name not in texts and _is_as_written(folder / name, digest):
                (folder / name).unlink()
        # The manifest first: a script without one could not be told from somebody else's.
        _put(folder / MANIFEST, json.dumps(facts, indent=2) + "\n")
        for name, text in texts.items():
            _put(folder / name, text)
    except OSError as error:
        raise _refused(folder, error, everybody) from error
    return tuple(folder / name for name in texts)


def uninstall(machine: Machine, everybody: bool = False) -> tuple[Path, ...]:
    """Remove the files an installation wrote, as long as they are as it wrote them; returns what was removed.

    Folders go only if an installation made them and nothing else is in them. Raises HostError where a file of
    ours was edited, or nothing may be removed.
    """
    folder = machine.scripts(everybody)
    manifest = _manifest(folder)
    removed: list[Path] = []
    try:
        for name, digest in _files(manifest).items():
            path = folder / name
            if not path.is_file() and not path.is_symlink():
                continue
            if not _is_as_written(path, digest):
                raise HostError(f"{path} was changed after it was installed, so it stays; remove it by hand.")
            path.unlink()
            removed.append(path)
        if manifest:
            (folder / MANIFEST).unlink(missing_ok=True)
    except OSError as error:
        raise _refused(folder, error, everybody) from error
    made = {str(name) for name in manifest.get("folders", [])}
    for path in (folder, *folder.parents):
        if str(path) in made:
            with suppress(OSError):
                path.rmdir()
    return tuple(removed)


def look(machine: Machine, everybody: bool = False) -> Installed:
    """What is installed for one user or for all."""
    folder = machine.scripts(everybody)
    there = {name: _text(folder / name) for name in (SCRIPT, PANEL_SCRIPT)}
    wanted = scripts(machine, everybody)
    up_to_date = all(there[name] == wanted.get(name, "") for name in there)
    return Installed(folder, there[SCRIPT].startswith(_MARK), up_to_date)


def _text(path: Path) -> str:
    """A file's text, "" where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _is_as_written(path: Path, digest: str) -> bool:
    """Whether a file is there, and what an installation wrote."""
    return path.is_file() and not path.is_symlink() and _digest(path.read_bytes()) == digest


def _check_ours(path: Path) -> None:
    try:
        ours = not path.is_symlink() and path.read_bytes().startswith(_MARK.encode())
    except FileNotFoundError:
        return
    except OSError as error:
        raise HostError(f"{path} cannot be read: {error.strerror or error}.") from error
    if not ours:
        raise HostError(f"{path} is there already and not ours; move it away, then install again.")


def _make(folder: Path) -> list[Path]:
    """Make a folder with its parents; returns those that were missing, the innermost first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and found.get("schema") == SCHEMA else {}


def _files(manifest: Mapping[str, Any]) -> dict[str, str]:
    """The manifest's files: plain names in its own folder, whatever somebody may have written into it."""
    files = manifest.get("files")
    if not isinstance(files, dict):
        return {}
    return {
        name: str(digest) for name, digest in files.items() if name == Path(name).name and name != MANIFEST
    }


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _put(path: Path, text: str) -> None:
    with WholeFile(path) as file:
        file.write(text.encode())


def _refused(folder: Path, error: OSError, everybody: bool) -> HostError:
    hint = "run this as an administrator, or leave --all-users away" if everybody else "check who owns it"
    return HostError(f"{folder} cannot be written: {error.strerror or error}; {hint}.")
