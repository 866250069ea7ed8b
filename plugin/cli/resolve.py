"""``sightmix resolve``: install the script, look at what works, rebalance the timeline that is open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from .errors import sentences
from .flags import DEFAULTS, flag

ROADS = ("auto", "python", "script")

resolve = typer.Typer(
    help="Work with DaVinci Resolve: install the script, see what works, rebalance the open timeline.",
    no_args_is_help=True,
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
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Say which Resolve and which Python are here, and which road between them works."""
    from ..hosts.resolve.commands import doctor_data, doctor_text
    from ..hosts.resolve.doctor import examine
    from ..hosts.resolve.folders import Machine

    findings = examine(Machine())
    print(json.dumps(doctor_data(findings), ensure_ascii=False) if as_json else doctor_text(findings))


@resolve.command()
@sentences
def rebalance(
    out: Out = None,
    clips: Annotated[str, typer.Option("--clips", metavar="3,5-9", help="Which clips, by number.")] = "",
    track: Annotated[
        list[str] | None,
        typer.Option("--track", metavar="A1", help="Every clip of this audio track; may be repeated."),
    ] = None,
    strength: Annotated[float, flag("strength")] = DEFAULTS.strength,
    dialogue: Annotated[float, flag("dialogue")] = DEFAULTS.dialogue,
    music: Annotated[float, flag("music")] = DEFAULTS.music,
    effects: Annotated[float, flag("effects")] = DEFAULTS.effects,
    loudness: Annotated[str, flag("loudness")] = DEFAULTS.loudness,
    true_peak: Annotated[float, flag("true_peak")] = DEFAULTS.true_peak,
    context: Annotated[str, flag("context")] = DEFAULTS.context,
    model: Annotated[str, flag("model")] = DEFAULTS.model,
    handles: Annotated[int, flag("handles")] = DEFAULTS.handles,
    stems: Annotated[bool, flag("stems")] = DEFAULTS.stems,
    device: Annotated[str, flag("device")] = DEFAULTS.device,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Render anew even what an earlier run has left.")
    ] = False,
    road: Annotated[
        str, typer.Option("--road", metavar="|".join(ROADS), help="How to reach Resolve; auto finds out.")
    ] = "auto",
    wait: Annotated[
        float, typer.Option("--wait", metavar="S", min=1, help="How long to wait for the script in Resolve.")
    ] = 300.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object; progress goes to stderr.")
    ] = False,
) -> None:
    """Rebalance the timeline open in Resolve, and lay the result on a copy of it; the timeline itself stays."""
    from ..hosts.resolve.commands import rebalance_open
    from ..jobs.settings import JobSettings

    settings = JobSettings(
        strength=strength,
        dialogue=dialogue,
        music=music,
        effects=effects,
        loudness=loudness,
        true_peak=true_peak,
        context=context,
        model=model,
        handles=handles,
        stems=stems,
        device=device,
        cache=not no_cache,
    )
    rebalance_open(settings, out, clips, tuple(track or ()), road, wait, as_json)


@resolve.command()
@sentences
def serve(out: Out = None) -> None:
    """Rebalance the open timeline with the usual settings, at the script's request; it starts this by itself."""
    from ..hosts.resolve.commands import serve_script

    serve_script(out)
