"""``sightmix panel``: opens the window, where it is installed."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated, Literal

import typer

from ...engine.installation import line_for
from .errors import USAGE, say, sentences

_MODULE = "sightmix.ui.window.start"


@sentences
def panel(
    timeline: Annotated[
        Path | None, typer.Argument(metavar="[TIMELINE]", help="A timeline or a media file to open.")
    ] = None,
    resolve: Annotated[
        bool, typer.Option("--resolve", help="Open the timeline that is open in DaVinci Resolve.")
    ] = False,
    demo: Annotated[bool, typer.Option("--demo", help="Open the demo's timeline.")] = False,
    theme: Annotated[
        Literal["dark", "light", "system"] | None, typer.Option("--theme", help="Its colours, this time.")
    ] = None,
    language: Annotated[
        Literal["en", "de"] | None, typer.Option("--language", help="Its language, this time.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Log everything to the terminal.")] = False,
) -> None:
    """Open the panel: hear before and after, rebalance, edit the curves, export."""
    if timeline is not None and not timeline.exists():
        say(f"sightmix: {timeline} is not there.", error=True)
        raise typer.Exit(USAGE)
    # By name: what is below the window must not import it.
    try:
        start = import_module(_MODULE)
    except ModuleNotFoundError:
        say(f"sightmix: The panel's window is not installed; this adds it: {line_for('panel')}", error=True)
        raise typer.Exit(USAGE) from None
    given = [str(timeline.absolute())] if timeline is not None else []
    given += ["--resolve"] * resolve + ["--demo"] * demo + ["--debug"] * debug
    for name, value in (("--theme", theme), ("--language", language)):
        given += [name, value] if value is not None else []
    raise typer.Exit(start.main(given))
