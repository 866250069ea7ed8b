"""Undo per clip: a clip's result is taken off a timeline that was written, and put back where that was a mistake."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...engine.errors import SettingsError, WriteError
from ...engine.files import write_bytes, write_text
from ...engine.locks import holding
from ..timeline.load import as_timeline, load
from ..timeline.pack import PLAYLIST
from ..timeline.save import to_text
from ..timeline.source import open_source
from ..timeline.withdraw import withdraw as take
from .names import result_folder
from .ranges import format_ranges, parse_ranges

_OTIO, _FOLDER = ".otio", ".otiod"
WHOLE, TAKEN = (
    "whole.otio",
    "withdrawn.json",
)  # in the result's folder: the document with all results, what is off it
_SCHEMA = "sightmix.withdrawn/1"


@dataclass(frozen=True)
class _Kept:
    """What is off a result: `taken` clips by number, the `whole` document, and what was left of it as a digest."""

    whole: bytes
    taken: frozenset[int]
    left: str


def withdraw(
    out: Path, clips: str, timeline: str = "", folders: Sequence[Path] = (), rate: str = ""
) -> tuple[int, ...]:
    """Take the results of `clips` ("3,5-9") off the timeline `out`, as if it had been written without them.

    Returns the clips' numbers. All else in the file stays to the byte; rendered files stay where they are, and the
    document as it was is kept in the result's folder, if that is there, for `put_back`. `timeline`, `folders` and
    `rate` are as for the job that wrote it. Raises SettingsError where none of the clips has a result, WriteError where
    the file is no OTIO document, or no longer what was written, TimelineError where it cannot be read.
    """
    target = _document_of(out)
    with holding(out):
        opened, _ = open_source(out, timeline, folders, rate)
        wanted = parse_ranges(clips, len(opened.clips))
        document = as_timeline(load(out, keep=True))
        before = target.read_bytes()
        taken = take(opened, document.root, set(wanted))
        if not taken:
            raise SettingsError(f"{out} holds no result of ours for clip {clips}; nothing was changed.")
        kept = _kept(out, before)
        after = to_text(document.root, document.style)
        _keep(out, kept, kept.taken | set(taken), after)
        write_text(target, after)
    return taken


def put_back(
    out: Path, clips: str, timeline: str = "", folders: Sequence[Path] = (), rate: str = ""
) -> tuple[int, ...]:
    """Put the results of `clips` back that `withdraw` has taken off `out`; returns the clips' numbers.

    Raises SettingsError where none of them is off, WriteError where the timeline was written or changed since.
    """
    target = _document_of(out)
    with holding(out):
        opened, _ = open_source(out, timeline, folders, rate)
        kept = _kept(out, target.read_bytes())
        back = kept.taken & set(parse_ranges(clips, len(opened.clips)))
        if not kept.taken:
            raise WriteError(
                f"{out} was written since its clips were taken off it; rebalance again to have them."
            )
        if not back:
            raise SettingsError(f"The result of clip {clips} was not taken off {out}.")
        off = kept.taken - back
        document = as_timeline(load(result_folder(out) / WHOLE, keep=True))
        take(opened, document.root, off)
        after = to_text(document.root, document.style) if off else kept.whole.decode("utf-8")
        _keep(out, kept, off, after)
        write_text(target, after)
    return tuple(sorted(back))


def _document_of(out: Path) -> Path:
    """The document of a result; raises WriteError where it is none of OTIO's."""
    kind = out.suffix.lower()
    if kind not in (_OTIO, _FOLDER):
        raise WriteError(
            f"A clip's result can be taken off an .otio or .otiod, not off {out.name}: rebalance again without the "
            "clip, or take it off the .otio and export that."
        )
    return out / PLAYLIST if kind == _FOLDER else out


def _kept(out: Path, now: bytes) -> _Kept:
    """What is off a result as it is `now`: nothing, where it was written since, or nothing was ever taken off."""
    folder = result_folder(out)
    try:
        facts = json.loads((folder / TAKEN).read_text(encoding="utf-8"))
        if facts["schema"] == _SCHEMA and facts["left"] == _digest(now):
            taken = frozenset(parse_ranges(facts["taken"], 10**6)) if facts["taken"] else frozenset()
            return _Kept((folder / WHOLE).read_bytes(), taken, facts["left"])
    except (OSError, ValueError, KeyError, TypeError, SettingsError):
        pass
    return _Kept(now, frozenset(), _digest(now))


def _keep(out: Path, kept: _Kept, taken: Iterable[int], after: str) -> None:
    """Write down what is off a result, and what it was whole; nowhere, where its folder is gone."""
    folder = result_folder(out)
    if not folder.is_dir():
        return
    facts = {
        "schema": _SCHEMA,
        "taken": format_ranges(tuple(sorted(taken))),
        "left": _digest(after.encode("utf-8")),
    }
    write_bytes(folder / WHOLE, kept.whole)
    write_text(folder / TAKEN, json.dumps(facts))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
