"""What the commands of ``sightmix resolve`` do."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import Any

import typer

from ....engine.errors import SettingsError
from ....engine.progress import Progress
from ...cli.errors import SOME_FAILED, say
from ...cli.progress import shown, stoppable
from ...jobs.render import load_renderer
from ...jobs.settings import JobSettings
from ..errors import HostError
from .doctor import FILES, PYTHON, SCRIPT, Findings, examine
from .folders import Machine
from .install import install, uninstall
from .rebalance import Order, Outcome, names_of, rebalance, work_folder
from .session import Session
from .stems import long_stems
from .studio import connect
from .writeback import Keeper, NoKeeper

SCHEMA, DOCTOR_SCHEMA = "sightmix.resolve/1", "sightmix.doctor/1"
_LOG = "resolve.log"
_SERVE_WAIT = 60.0


def install_script(everybody: bool) -> None:
    """Install the script and say where, and what to do next."""
    path = install(Machine(), everybody)
    say(f"Installed {path}.")
    say(
        "In Resolve it is at Workspace > Scripts > sightmix. Run 'sightmix resolve rebalance' first, then choose it."
    )


def uninstall_script(everybody: bool) -> None:
    """Remove the script and say what was removed."""
    removed = uninstall(Machine(), everybody)
    for path in removed:
        say(f"Removed {path}.")
    if not removed:
        say("Nothing of ours is installed there.")


def doctor_text(findings: Findings) -> str:
    """The findings as lines."""
    return "\n".join(findings.notes)


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
    road: str, machine: Machine, out: Path, wait: float, progress: Progress
) -> Iterator[tuple[Any, Keeper]]:
    """Resolve's root object, and who removes an unfinished copy should this process die."""
    if road == PYTHON:
        yield connect(machine), NoKeeper()
        return
    with Session(machine.meeting, out, machine.profiles) as session:
        say("Waiting for Resolve: choose Workspace > Scripts > sightmix there.", error=True)
        yield session.connect(wait, progress.check), session


def rebalance_open(
    settings: JobSettings,
    out: Path | None,
    clips: str,
    tracks: tuple[str, ...],
    road: str,
    wait: float,
    as_json: bool,
) -> None:
    """Rebalance the open timeline and say what was made; leaves with status 1 where clips failed."""
    machine = Machine()
    base = _folder(out)
    with shown(quiet=as_json) as observer:
        progress = Progress(observer)
        with (
            stoppable(progress),
            reached(choose(road, machine), machine, base, wait, progress) as (root, keeper),
        ):
            place = work_folder(base, *names_of(root))
            order = Order(place, settings, clips, tracks)
            outcome = rebalance(root, order, load_renderer(settings), long_stems, progress, keeper)
    _print(outcome, as_json)
    if outcome.job.failed:
        raise typer.Exit(SOME_FAILED)


def serve_script(out: Path | None) -> None:
    """As `rebalance_open` for the script that started this, which shows nothing: what is said goes to a log."""
    folder = Machine().data
    try:
        folder.mkdir(parents=True, exist_ok=True)
        log = (folder / _LOG).open("a", encoding="utf-8")
    except OSError as error:
        raise HostError(f"{folder / _LOG} cannot be written: {error.strerror or error}.") from error
    with log, redirect_stdout(log), redirect_stderr(log):
        say(f"--- {datetime.now().astimezone().isoformat(timespec='seconds')}")
        try:
            rebalance_open(JobSettings(), out, "", (), SCRIPT, _SERVE_WAIT, as_json=False)
        except Exception as error:
            say(f"sightmix: {error}", error=True)
            raise


def _folder(out: Path | None) -> Path:
    base = (out or Path.home() / "sightmix").absolute()
    try:
        base.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HostError(
            f"{base} cannot be made: {error.strerror or error}; choose another with --out."
        ) from error
    return base.resolve()


def _print(outcome: Outcome, as_json: bool) -> None:
    job, written = outcome.job, outcome.written
    for clip in job.failed:
        say(f"sightmix: {clip.facts.label} was not rebalanced: {clip.reason}", error=True)
    if as_json:
        data = {
            "schema": SCHEMA,
            "timeline": written.timeline,
            "tracks": list(written.tracks),
            "muted_tracks": written.muted_tracks,
            "muted_clips": written.muted_clips,
            "done": len(job.done),
            "failed": len(job.failed),
            "folder": str(job.folder),
            "notes": list(outcome.notes),
            "exit_status": SOME_FAILED if job.failed else 0,
        }
        print(json.dumps(data, ensure_ascii=False))
        return
    say(f"{len(job.done)} of {len(job.done) + len(job.failed)} clips rebalanced.")
    say(f"The result is the timeline '{written.timeline}' in Resolve, on: {', '.join(written.tracks)}.")
    for note in outcome.notes:
        say(note)
    say(f"Report: {job.folder / 'report.html'}")
    sys.stdout.flush()
