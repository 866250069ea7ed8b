"""Timelines as writers take them: documents and OTIO's objects go through the one reader."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.edit.lanes import played
from ..engine.edit.media import Library
from ..engine.edit.model import Edit
from ..engine.edit.nodes import Node
from ..engine.edit.reader import read_edit
from ..engine.media.reader import MediaInfo

if TYPE_CHECKING:
    import opentimelineio as otio


def edit_of(
    timeline: otio.schema.Timeline | Node,
    base: Path | None = None,
    probe: Callable[[Path], MediaInfo] | None = None,
) -> Edit:
    """A timeline of OTIO's, or one of a parsed document, in terms that every host knows: see `lanes.played`.

    Relative media addresses count from `base` (the working folder if None). Raises TimelineError for endless
    nesting, WriteError for a gain curve of ours that is none.
    """
    document = timeline if isinstance(timeline, dict) else json.loads(timeline.to_json_string(indent=-1))
    return played(read_edit(document, Library(base or Path(), probe=probe)))
