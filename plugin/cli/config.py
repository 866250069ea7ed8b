"""``sightmix config``: the user's own defaults, where they are, and a file to begin with."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from .errors import say, sentences
from .options import AsJson


@sentences
def config(
    init: Annotated[
        bool, typer.Option("--init", help="Write a file with every setting in it, each commented out.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show which defaults of yours hold, and in which file they are."""
    from ..jobs.defaults import read_defaults, write_template

    if init:
        say(f"Wrote {write_template()}: edit it to your taste.")
        return
    found = read_defaults()
    settings = {"media": [str(folder) for folder in found.media], **found.settings}
    if as_json:
        path = str(found.path) if found.path else None
        print(
            json.dumps({"schema": "sightmix.config/1", "path": path, "there": found.there, "set": settings})
        )
        return
    if not found.there:
        say(
            f"No defaults of yours: {found.path or 'SIGHTMIX_CONFIG'} is {'not there' if found.path else 'empty'}."
        )
        say("`sightmix config --init` writes a file to begin with.")
        return
    say(str(found.path))
    for name, value in settings.items():
        say(f"  {name.rstrip('_')}: {value}")
