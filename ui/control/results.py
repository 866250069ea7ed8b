"""Where a result goes that nobody named: beside its timeline, under a name that is free or already ours."""

from __future__ import annotations

from itertools import chain, count
from pathlib import Path

from ...plugin.jobs.names import result_folder
from ...plugin.jobs.plan import is_ours
from ...plugin.timeline.save import suffixes

_MIXED = "mixed"
_OTIO = ".otio"
_MOST = 1000  # names that are tried


def free_result(source: Path, folder: Path | None = None) -> Path:
    """The result of a timeline: "cut_mixed.otio" beside "cut.otio" (or in `folder`), of its own format where that can
    be written, else an OTIO file. Names that somebody else's file has are passed over; the last is taken in any case.
    """
    suffix = source.suffix if source.suffix.lower() in suffixes() else _OTIO
    base = (folder or source.absolute().parent) / source.stem
    names = chain([f"{base.name}_{_MIXED}"], (f"{base.name}_{_MIXED}_{n}" for n in count(2)))
    out = base
    for _, name in zip(range(_MOST), names, strict=False):
        out = base.with_name(f"{name}{suffix}")
        if not out.exists() or is_ours(out, result_folder(out)):
            return out
    return out
