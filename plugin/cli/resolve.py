"""``sightmix resolve``: install the script, look at what works, rebalance the timeline that is open."""

from __future__ import annotations

import sys
from contextlib import redirect_stderr, redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...engine.legible import json_text
from ..jobs.settings import JobSettings
from .errors import SOME_FAILED, say, sentences
from .options import AsEvents, AsJson, Clips, Tracks, with_settings
from .progress import stoppable, watched

if TYPE_CHECKING:
    from ..hosts.resolve.rebalance import Outcome

_LOG = "resolve.log"
ROADS = ("auto", "python", "script")

resolve = typer.Typer(
    help="Work with DaVinci Resolve: install the script, see what works, rebalance the open timeline.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

AllUsers = Annotated[
    bool, typer.Option("--all-users", help="For everybody on this machine, not for you alone.")
]
Out = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--out",
        metavar="FOLDER",
        help="Where the stems go, to stay: Resolve plays them from there. A folder 'sightmix' in your home "
        "folder when not given.",
    ),
]


@resolve.command()
@sentences
def install(all_users: AllUsers = False) -> None:
    """Put our script into Resolve's menu Workspace > Scripts."""
    from ..hosts.resolve.commands import install_scripts

    paths = install_scripts(all_users)
    for path in paths:
        say(f"Installed {path}.")
    say(
        "In Resolve it is at Workspace > Scripts > sightmix. Run 'sightmix resolve rebalance' first, then choose it."
    )
    if len(paths) > 1:
        say("Workspace > Scripts > sightmix panel opens the panel on the open timeline.")


@resolve.command()
@sentences
def uninstall(all_users: AllUsers = False) -> None:
    """Remove what install put there, and nothing else."""
    from ..hosts.resolve.commands import uninstall_scripts

    removed = uninstall_scripts(all_users)
    for path in removed:
        say(f"Removed {path}.")
    if not removed:
        say("Nothing of ours is installed there.")


@resolve.command()
@sentences
def doctor(as_json: AsJson = False) -> None:
    """Say which Resolve and which Python are here, and which road between them works."""
    from ..hosts.resolve.commands import doctor_data, doctor_text
    from ..hosts.resolve.doctor import examine
    from ..hosts.resolve.folders import Machine

    findings = examine(Machine())
    print(json_text(doctor_data(findings)) if as_json else doctor_text(findings))


@resolve.command()
@sentences
def specimen(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="An empty folder, or one to be made.")],
    as_json: AsJson = False,
) -> None:
    """Write a small project with known contents, in every format, and a page of what is to be seen in an editor."""
    from ..hosts.specimen.make import CHECKLIST, make

    made = make(folder)
    if as_json:
        files = [str(path) for path in made.files]
        print(json_text({"folder": str(made.folder), "files": files, "losses": made.losses}))
        return
    say(f"Made {', '.join(path.name for path in made.files)} in {made.folder}.")
    say(
        f"Print {made.folder / CHECKLIST}, import one of the files and compare. Leave the folder where it is."
    )


@resolve.command()
@sentences
@with_settings("as_", "dialect", "keep_originals", "detect_cuts")
def rebalance(
    *,
    out: Out = None,
    clips: Clips = "",
    track: Tracks = None,
    settings: JobSettings,
    road: Annotated[
        str, typer.Option("--road", metavar="|".join(ROADS), help="How to reach Resolve; auto finds out.")
    ] = "auto",
    wait: Annotated[
        float, typer.Option("--wait", metavar="S", min=1, help="How long to wait for the script in Resolve.")
    ] = 300.0,
    as_json: AsJson = False,
    as_events: AsEvents = False,
) -> None:
    """Rebalance the timeline open in Resolve, and lay the result on a copy of it; the timeline itself stays."""
    _rebalance(settings, out, clips, tuple(track or ()), road, wait, as_json, as_events)


@resolve.command()
@sentences
def serve(out: Out = None) -> None:
    """Rebalance the open timeline with the usual settings, at the script's request; it starts this by itself."""
    from ..hosts.errors import HostError
    from ..hosts.resolve import commands

    folder = commands.data_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        log = (folder / _LOG).open("a", encoding="utf-8")
    except OSError as error:
        raise HostError(f"{folder / _LOG} cannot be written: {error.strerror or error}.") from error
    # The script that started this shows nothing: what is said goes to a log.
    with log, redirect_stdout(log), redirect_stderr(log):
        say(f"--- {datetime.now().astimezone().isoformat(timespec='seconds')}")
        try:
            _rebalance(JobSettings(), out, "", (), "script", commands.SERVE_WAIT, as_json=False)
        except Exception as error:
            say(f"sightmix: {error}", error=True)
            raise


def _rebalance(
    settings: JobSettings,
    out: Path | None,
    clips: str,
    tracks: tuple[str, ...],
    road: str,
    wait: float,
    as_json: bool,
    as_events: bool = False,
) -> None:
    """Rebalance the open timeline and say what was made; leaves with status 1 where clips failed."""
    from ..hosts.resolve.commands import rebalance_open
    from ..jobs.service import Service

    with watched(as_json, as_events) as observer:
        service = Service(observer)
        with stoppable(service.progress):
            outcome = rebalance_open(service, settings, out, clips, tracks, road, wait)
    if not as_events:
        _print(outcome, as_json)
    if outcome.job.failed:
        raise typer.Exit(SOME_FAILED)


def _print(outcome: Outcome, as_json: bool) -> None:
    from ..hosts.resolve.commands import outcome_data

    job, written = outcome.job, outcome.written
    for clip in job.failed:
        say(f"sightmix: {clip.facts.label} was not rebalanced: {clip.reason}", error=True)
    if as_json:
        print(json_text(outcome_data(outcome)))
        return
    say(f"{len(job.done)} of {len(job.done) + len(job.failed)} clips rebalanced.")
    say(f"The result is the timeline '{written.timeline}' in Resolve, on: {', '.join(written.tracks)}.")
    for note in outcome.notes:
        say(note)
    say(f"Report: {job.folder / 'report.html'}")
    sys.stdout.flush()
