"""Writes the specimen into a folder: media, the editor's timeline, our result in every format, the checklist."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ....engine.errors import WriteError
from ....engine.files import write_error, write_text
from ....engine.installation import line_for
from ....exporters import formats
from ...timeline import open_timeline
from ...timeline.source import open_edit
from .checklist import checklist
from .media import write_media
from .timeline import lay_results, original

ORIGINAL, RESULT, CHECKLIST, MEDIA = "specimen_before.otio", "specimen.otio", "checklist.html", "media"
FORMATS = ("fcp7", "fcpxml", "aaf", "edl")


@dataclass(frozen=True)
class Specimen:
    """What was written: the folder, its documents, and what each of them cannot carry, a sentence each."""

    folder: Path
    files: tuple[Path, ...]
    losses: dict[str, tuple[str, ...]]


def make(folder: Path) -> Specimen:
    """Write the specimen into `folder`, which must be empty or not there yet; the same bytes every time.

    The documents name their media by absolute paths, so it is to be made where it is to be opened. Raises WriteError;
    nothing is left behind then.
    """
    folder = folder.absolute()
    with _emptied(folder):
        media = folder / MEDIA
        media.mkdir()
        write_media(media)
        return _documents(folder, media)


def _documents(folder: Path, media: Path) -> Specimen:
    before, result = folder / ORIGINAL, folder / RESULT
    write_text(before, json.dumps(original(media), indent=4) + "\n")
    lay_results(open_timeline(before), media, result)
    edit = open_edit(result)
    files = [before, result]
    losses: dict[str, tuple[str, ...]] = {RESULT: ()}
    for key in FORMATS:
        form = formats.find(key)
        out = result.with_suffix(form.suffix)
        options: dict[str, Any] = {"repeatable": True} if "repeatable" in form.options else {}
        if key == "aaf" and find_spec("aaf2") is None:
            losses[out.name] = (
                f"Left out: writing AAF needs pyaaf2; install it with `{line_for('hosts')}`.",
            )
            continue
        losses[out.name] = formats.export(edit, out, key, **options)
        files.append(out)
    page = folder / CHECKLIST
    write_text(page, checklist(folder, losses))
    return Specimen(folder, (*files, page), losses)


@contextmanager
def _emptied(folder: Path) -> Iterator[None]:
    """Make `folder` where it is missing, refuse one that holds something, and empty it again where the block fails."""
    try:
        there = folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise WriteError(f"{folder} is not empty; name a folder that is, or one that does not exist yet.")
    except OSError as error:
        raise write_error(folder, error) from error
    try:
        yield
    except BaseException as error:
        for item in folder.iterdir():
            shutil.rmtree(item) if item.is_dir() else item.unlink()
        if not there:
            folder.rmdir()
        if isinstance(error, OSError):
            raise write_error(folder, error) from error
        raise
