"""OTIO's objects as an `Edit`: they go through the same reader as documents do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import opentimelineio as otio

from ..engine.edit.lanes import played
from ..engine.edit.media import Library
from ..engine.edit.model import Edit
from ..engine.edit.reader import read_edit
from ..engine.media.reader import MediaInfo


def edit_of(
    timeline: otio.schema.Timeline,
    base: Path | None = None,
    probe: Callable[[Path], MediaInfo] | None = None,
) -> Edit:
    """The timeline as an `Edit` in terms that every host knows: constant speeds, dissolves and fades.

    Relative media addresses count from `base` (the working folder if None). Raises TimelineError for endless
    nesting, WriteError for a gain curve of ours that is none. See `engine.edit.reader` and `engine.edit.lanes.played`.
    """
    document = json.loads(timeline.to_json_string(indent=-1))
    return played(read_edit(document, Library(base or Path(), probe=probe)))
