"""Says in plain words what of Resolve is here and which road to it works."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import HostError
from .folders import Machine
from .install import Installed, look
from .roads import FILES, FREE, PYTHON, SCRIPT, STUDIO, Word, lines, words
from .studio import Probe, probe

_NEWEST_TRIED = (3, 12)


@dataclass(frozen=True)
class Findings:
    """What was found. `road` is the best that works now; `notes` are sentences, the road's last.

    `words` is what is known of every road on this system, of the edition and version that answered or of all, and
    `known` the same in lines.
    """

    road: str
    edition: str
    version: str
    python: str
    installed: tuple[Installed, ...]
    notes: tuple[str, ...]
    words: tuple[Word, ...] = ()
    known: tuple[str, ...] = ()

    @property
    def studio(self) -> bool:
        """Whether the edition is known to be Studio."""
        return self.edition.endswith("Studio")


def examine(machine: Machine, ask: Callable[[Machine], Probe] = probe) -> Findings:
    """Look at the folders, load Resolve's module in another process, and judge."""
    there = _is_there(machine)
    found = ask(machine) if there else Probe(sys.version.split(maxsplit=1)[0])
    scripts = tuple(_look(machine))
    road = _road(found, scripts)
    notes = [
        *_about_resolve(machine, there, found),
        *_about_python(machine, found),
        *_about_scripts(scripts),
        _about_road(road, found),
    ]
    about = (machine.system, _edition(found), found.version)
    return Findings(
        road, found.product, found.version, found.python, scripts, tuple(notes), words(*about), lines(*about)
    )


def _edition(found: Probe) -> str:
    """The edition that answered, "" where none did."""
    if not found.works:
        return ""
    return STUDIO if found.product.endswith("Studio") else FREE


def _is_there(machine: Machine) -> bool:
    try:
        return machine.script_library.exists() and machine.script_api.is_dir()
    except (OSError, HostError):
        return False


def _look(machine: Machine) -> list[Installed]:
    found = []
    for everybody in (False, True):
        try:
            found.append(look(machine, everybody))
        except (OSError, HostError):
            continue
    return found


def _road(found: Probe, scripts: tuple[Installed, ...]) -> str:
    if found.works:
        return PYTHON
    return SCRIPT if any(script.present for script in scripts) else FILES


def _about_resolve(machine: Machine, there: bool, found: Probe) -> list[str]:
    if not there:
        return [
            "DaVinci Resolve's scripting files were not found where it installs them: it is not installed here, or "
            "it came from an app store, whose edition has none."
        ]
    if found.works:
        return [f"{found.product} {found.version} is running and lets programs in."]
    if found.module:
        return [
            "DaVinci Resolve is installed. It is not running, or it is the free edition, or Preferences > System > "
            "General > External scripting using is not set to Local: it lets no program in."
        ]
    return [f"DaVinci Resolve is installed at {machine.script_library.parent}."]


def _about_python(machine: Machine, found: Probe) -> list[str]:
    notes = [f"This is Python {found.python}."]
    version = tuple(int(part) for part in found.python.split(".")[:2] if part.isdecimal())
    if found.crashed:
        notes.append(
            "Resolve's Python module brought down the process that loaded it: this Python and this Resolve do not "
            "go together; Python 3.10 to 3.12 do with most versions."
        )
    elif found.error:
        notes.append(f"Resolve's Python module cannot be used: {found.error}.")
    elif machine.windows and version > _NEWEST_TRIED:
        notes.append("On Windows, Resolve has been seen to crash with Python 3.13; 3.10 to 3.12 are safer.")
    return notes


def _about_scripts(scripts: tuple[Installed, ...]) -> list[str]:
    notes = []
    for script in scripts:
        if script.present:
            state = (
                ""
                if script.up_to_date
                else ", from another version or place: run sightmix resolve install again"
            )
            notes.append(f"The script is installed in {script.folder}{state}.")
    return notes or [
        "The script for Workspace > Scripts is not installed; sightmix resolve install does that."
    ]


def _about_road(road: str, found: Probe) -> str:
    if road == PYTHON:
        return f"Road: Python. 'sightmix resolve rebalance' works on the timeline open in {found.product}."
    if road == SCRIPT:
        return (
            "Road: the script. Run 'sightmix resolve rebalance', then choose Workspace > Scripts > sightmix "
            "in Resolve; where that is not listed or does nothing, as it may in the free edition from 21.1 on, "
            "go by files."
        )
    return (
        "Road: files. In Resolve choose File > Export > Timeline and the type OTIO, run 'sightmix rebalance', and "
        "import the result with File > Import > Timeline; this works in every edition."
    )
