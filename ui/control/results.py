"""Where a result goes that nobody named: beside its timeline, under a name that is free or already its own."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from contextlib import suppress
from itertools import chain, count
from pathlib import Path

import platformdirs

from ...plugin.jobs.names import result_folder
from ...plugin.jobs.plan import is_ours
from ...plugin.timeline.save import suffixes

_MIXED = "mixed"
_OTIO = ".otio"
_MOST = 1000  # names that are tried


def free_result(
    source: Path, folder: Path | None = None, name: str = "", taken: Collection[Path] = frozenset()
) -> Path:
    """The result of a timeline: "cut_mixed.otio" beside "cut.otio" (or in `folder`), of its own format where that can
    be written, else an OTIO file; among the user's documents where nothing can be written beside it.

    Passed over are names that somebody else's file has, the result of another timeline (of `name`, where the file holds
    several), or that are `taken` by jobs that wait. The last is taken in any case.
    """
    suffix = source.suffix if source.suffix.lower() in suffixes() else _OTIO
    base = _writable(folder or source.absolute().parent) / source.stem
    names = chain([f"{base.name}_{_MIXED}"], (f"{base.name}_{_MIXED}_{n}" for n in count(2)))
    out = base
    for _, stem in zip(range(_MOST), names, strict=False):
        out = base.with_name(f"{stem}{suffix}")
        if out not in taken and (not out.exists() or (is_result(out) and not _of_another(out, source, name))):
            return out
    return out


def is_result(out: Path) -> bool:
    """Whether there is a timeline that an earlier job has written."""
    return out.exists() and is_ours(out, result_folder(out))


def is_newer(out: Path, source: Path) -> bool:
    """Whether a result was written after its timeline was last saved: it may be of an earlier cut otherwise."""
    with suppress(OSError):
        return out.stat().st_mtime_ns >= source.stat().st_mtime_ns
    return False


def _of_another(out: Path, source: Path, name: str) -> bool:
    """Whether a result's report says that it is of another timeline."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads((result_folder(out) / "report.json").read_text(encoding="utf-8"))["timeline"]
        return Path(told["source"]).resolve() != source.resolve() or bool(name and told["name"] != name)
    return False


def _writable(folder: Path) -> Path:
    """The folder, or another in which something can be written."""
    documents = platformdirs.user_documents_path()
    places = [folder, documents, Path.home()]
    return next((place for place in places if place.is_dir() and os.access(place, os.W_OK)), folder)
