"""``sightmix resolve``: install the script, look at what works, rebalance the timeline that is open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ..jobs.settings import JobSettings
from .errors import sentences
from .options import AsJson, Clips, Tracks, with_settings

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
    from ..hosts.resolve.commands import install_script

    install_script(all_users)


@resolve.command()
@sentences
def uninstall(all_users: AllUsers = False) -> None:
    """Remove what install put there, and nothing else."""
    from ..hosts.resolve.commands import uninstall_script

    uninstall_script(all_users)


@resolve.command()
@sentences
def doctor(as_json: AsJson = False) -> None:
    """Say which Resolve and which Python are here, and which road between them works."""
    from ..hosts.resolve.commands import doctor_data, doctor_text
    from ..hosts.resolve.doctor import examine
    from ..hosts.resolve.folders import Machine

    findings = examine(Machine())
    print(json.dumps(doctor_data(findings), ensure_ascii=False) if as_json else doctor_text(findings))


@resolve.command()
@sentences
@with_settings("as_", "mute_originals", "detect_cuts")
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
) -> None:
    """Rebalance the timeline open in Resolve, and lay the result on a copy of it; the timeline itself stays."""
    from ..hosts.resolve.commands import rebalance_open

    rebalance_open(settings, out, clips, tuple(track or ()), road, wait, as_json)


@resolve.command()
@sentences
def serve(out: Out = None) -> None:
    """Rebalance the open timeline with the usual settings, at the script's request; it starts this by itself."""
    from ..hosts.resolve.commands import serve_script

    serve_script(out)
