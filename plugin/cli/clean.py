"""``sightmix clean``: remove what none of a job's last results plays."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...engine.legible import json_text
from ..jobs.clean import KEEP
from ..jobs.disk import size_text
from .errors import say, sentences
from .options import AsJson

SCHEMA = "sightmix.clean/1"


@sentences
def clean(
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="The timeline a job wrote, or its folder NAME.sightmix.")
    ],
    keep: Annotated[
        int, typer.Option("--keep", metavar="N", min=1, help="How many of the last results stay whole.")
    ] = KEEP,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove rendered files that none of the last results uses; a job itself never removes what a timeline plays."""
    from ..jobs.clean import clean as remove
    from ..jobs.names import result_folder, result_path

    path = out.absolute()
    folder = path if path.is_dir() and path.suffix == ".sightmix" else result_folder(result_path(path))
    done = remove(folder, keep, dry_run)
    if as_json:
        data = {
            "schema": SCHEMA,
            "folder": str(folder),
            "removed": [] if dry_run else [str(path) for path in done.files],
            "would_remove": [str(path) for path in done.files] if dry_run else [],
            "bytes": done.bytes,
            "kept_results": done.kept,
        }
        print(json_text(data))
        return
    would = "Would remove" if dry_run else "Removed"
    say(f"{would} {len(done.files)} files, {size_text(done.bytes)}; {_last(done.kept)}.")


def _last(count: int) -> str:
    return "the last result keeps its own" if count == 1 else f"the last {count} results keep theirs"
