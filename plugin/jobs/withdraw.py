"""Undo per clip: a clip's result is taken off a timeline that was written, and the clip itself sounds again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...engine.errors import SettingsError, WriteError
from ...engine.files import write_text
from ...engine.locks import holding
from ..timeline.load import as_timeline, load
from ..timeline.pack import PLAYLIST
from ..timeline.save import to_text
from ..timeline.source import open_source
from ..timeline.withdraw import withdraw as take
from .ranges import parse_ranges

_OTIO, _FOLDER = ".otio", ".otiod"


def withdraw(
    out: Path, clips: str, timeline: str = "", folders: Sequence[Path] = (), rate: str = ""
) -> tuple[int, ...]:
    """Take the results of `clips` ("3,5-9") off the timeline `out`, as if it had been written without them.

    Returns the clips' numbers. All else in the file stays to the byte; rendered files stay where they are. `timeline`,
    `folders` and `rate` are as for the job that wrote it. Raises SettingsError where none of the clips has a result,
    WriteError where the file is no OTIO document, or no longer what was written, TimelineError where it cannot be read.
    """
    kind = out.suffix.lower()
    if kind not in (_OTIO, _FOLDER):
        raise WriteError(
            f"A clip's result can be taken off an .otio or .otiod, not off {out.name}: rebalance again without the "
            "clip, or take it off the .otio and export that."
        )
    target = out / PLAYLIST if kind == _FOLDER else out
    with holding(out):
        opened, _ = open_source(out, timeline, folders, rate)
        document = as_timeline(load(out, keep=True))
        taken = take(opened, document.root, set(parse_ranges(clips, len(opened.clips))))
        if not taken:
            raise SettingsError(f"{out} holds no result of ours for clip {clips}; nothing was changed.")
        write_text(target, to_text(document.root, document.style))
    return taken
