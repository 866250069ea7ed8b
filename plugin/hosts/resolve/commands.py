"""What can be asked of the Resolve road: install the script, examine, rebalance what is open; nothing is printed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ....engine.errors import SettingsError
from ...jobs.events import Finished, Waiting
from ...jobs.service import Service
from ...jobs.settings import JobSettings
from ..errors import HostError
from .doctor import Findings, examine
from .folders import Machine
from .install import install, uninstall
from .rebalance import Order, Outcome, names_of, rebalance, work_folder
from .roads import FILES, PYTHON, SCRIPT
from .session import Session
from .stems import long_stems
from .studio import connect
from .writeback import Keeper, NoKeeper

SCHEMA, DOCTOR_SCHEMA = "sightmix.resolve/1", "sightmix.doctor/1"
SERVE_WAIT = 60.0  # seconds for the script that started us to come


def data_folder() -> Path:
    """Where what is ours lies on this machine, beside the script."""
    return Machine().data


def install_scripts(everybody: bool) -> tuple[Path, ...]:
    """Install the scripts and return where they are, that which rebalances first."""
    return install(Machine(), everybody)


def uninstall_scripts(everybody: bool) -> tuple[Path, ...]:
    """Remove the scripts and return what was removed."""
    return uninstall(Machine(), everybody)


def doctor_text(findings: Findings) -> str:
    """The findings as lines."""
    known = "".join(f"\n  {line}" for line in findings.known)
    return "\n".join(findings.notes) + f"\nWhat is sure on this system, and by whose word:{known}"


def doctor_data(findings: Findings) -> dict[str, Any]:
    """The findings as JSON values."""
    return {
        "schema": DOCTOR_SCHEMA,
        "road": findings.road,
        "edition": findings.edition,
        "version": findings.version,
        "python": findings.python,
        "scripts": [
            {"folder": str(s.folder), "present": s.present, "up_to_date": s.up_to_date}
            for s in findings.installed
        ],
        "notes": list(findings.notes),
        "roads": [word.to_dict() for word in findings.words],
    }


def choose(wanted: str, machine: Machine) -> str:
    """The road to take; raises HostError where none but files is left, SettingsError for a word that is no road."""
    if wanted not in ("auto", PYTHON, SCRIPT):
        raise SettingsError(f"--road {wanted!r} is none of auto, {PYTHON}, {SCRIPT}.")
    if wanted != "auto":
        return wanted
    findings = examine(machine)
    if findings.road == FILES:
        raise HostError(
            f"No way into Resolve works. {findings.notes[-1]} Or install the script with 'sightmix resolve install'; "
            "'sightmix resolve doctor' says more."
        )
    return findings.road


@contextmanager
def reached(
    road: str, machine: Machine, out: Path, wait: float, service: Service
) -> Iterator[tuple[Any, Keeper]]:
    """Resolve's root object, and who removes an unfinished copy should this process die."""
    if road == PYTHON:
        yield connect(machine), NoKeeper()
        return
    with Session(machine.meeting, out, machine.profiles) as session:
        service.tell(Waiting("Waiting for Resolve: choose Workspace > Scripts > sightmix there."))
        yield session.connect(wait, service.progress.check), session


def rebalance_open(
    service: Service,
    settings: JobSettings,
    out: Path | None,
    clips: str = "",
    tracks: tuple[str, ...] = (),
    road: str = "auto",
    wait: float = 300.0,
) -> Outcome:
    """Rebalance the open timeline and lay the result on a copy of it; clips that fail are named in the outcome."""
    with service.telling():
        machine = Machine()
        base = output_folder(out)
        with reached(choose(road, machine), machine, base, wait, service) as (root, keeper):
            order = Order(work_folder(base, *names_of(root)), settings, clips, tracks)
            outcome = rebalance(root, order, service, long_stems, keeper)
        service.tell(Finished(outcome_data(outcome)))
    return outcome


def outcome_data(outcome: Outcome) -> dict[str, Any]:
    """What was made, as JSON values."""
    job, written = outcome.job, outcome.written
    return {
        "schema": SCHEMA,
        "timeline": written.timeline,
        "tracks": list(written.tracks),
        "muted_tracks": written.muted_tracks,
        "muted_clips": written.muted_clips,
        "done": len(job.done),
        "failed": len(job.failed),
        "folder": str(job.folder),
        "notes": list(outcome.notes),
        "losses": [loss.to_dict() for loss in job.losses],
        "exit_status": 1 if job.failed else 0,
    }


def output_folder(out: Path | None) -> Path:
    """The folder for all that is made, made where it is not there; raises HostError."""
    base = (out or Path.home() / "sightmix").absolute()
    try:
        base.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HostError(
            f"{base} cannot be made: {error.strerror or error}; choose another with --out."
        ) from error
    return base.resolve()
