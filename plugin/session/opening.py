"""An open timeline as plain values: all that a panel shows of it before anything is measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...engine.edit.categories import said
from ..jobs.inspection import timeline_data
from ..timeline import Timeline
from ..timeline.categories import held
from ..timeline.load import timelines


def document_data(timeline: Timeline, told: Sequence[str] = ()) -> dict[str, Any]:
    """A timeline as JSON values: what `inspect --json` tells, and exact times, cuts and notes for a panel.

    `told` is what the user says of its tracks, such as "A1=dialogue". Beside `timeline_data` it holds `source` (the
    file, which timeline of it, and the folders its media were looked for in), `chosen` (which of `timelines`, from 0),
    `start` and `length` (s, exact, as text), `cuts` of the picture in record seconds, and `notes`. Nobody listens to
    tracks that nothing tells of. Raises SettingsError for a track that there is not.
    """
    names = [name for name, _ in timelines(timeline.root)]
    chosen = next(i for i, (_, place) in enumerate(timelines(timeline.root)) if place == timeline.pointer)
    return {
        **timeline_data(timeline, names, {}, found=held(timeline, said(told))),
        "source": {
            "path": str(timeline.path),
            "timeline": str(chosen + 1) if len(names) > 1 else "",
            "folders": [str(folder) for folder in timeline.library.folders],
        },
        "chosen": chosen,
        "start": str(timeline.start),
        "length": str(timeline.duration),
        "cuts": _cuts(timeline),
        "notes": list(dict.fromkeys((*timeline.notes, *timeline.edit.unheard))),
    }


def _cuts(timeline: Timeline) -> list[float]:
    """Where the picture is cut, in record seconds; neither its first moment nor its end is a cut."""
    return [float(shot.start) for shot in timeline.picture()[1:]]
