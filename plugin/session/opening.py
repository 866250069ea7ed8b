"""An open timeline as plain values: all that a panel shows of it before anything is measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...engine.edit.categories import said
from ...engine.edit.keyframes import SILENCE_DB, is_level, levels
from ..jobs.inspection import timeline_data
from ..timeline import AudioClip, Timeline
from ..timeline.categories import held
from ..timeline.load import timelines

_PLACES = 512  # where a volume line is read


def document_data(timeline: Timeline, told: Sequence[str] = ()) -> dict[str, Any]:
    """A timeline as JSON values: what `inspect --json` tells, and exact times, cuts and notes for a panel.

    `told` is what the user says of its tracks, such as "A1=dialogue". Beside `timeline_data` it holds `source` (the
    file, which timeline of it, and the folders its media were looked for in), `chosen` (which of `timelines`, from 0),
    `start` and `length` (s, exact, as text), `cuts` of the picture in record seconds, `notes`, and of every clip its
    `volume` (dB on the mean of its length). Nobody listens to tracks that nothing tells of. Raises SettingsError for a
    track that there is not.
    """
    names = [name for name, _ in timelines(timeline.root)]
    chosen = next(i for i, (_, place) in enumerate(timelines(timeline.root)) if place == timeline.pointer)
    data = timeline_data(timeline, names, {}, found=held(timeline, said(told)))
    for clip, facts in zip(timeline.clips, data["clips"], strict=True):
        facts["volume"] = _volume(clip)
    return {
        **data,
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


def _volume(clip: AudioClip) -> float:
    """What the clip's volume line does to its level on the mean of its power, dB; SILENCE_DB at the least."""
    curve = clip.leaf.edit.gain
    if curve is None or is_level(curve):
        return max(curve.db[0], SILENCE_DB) if curve is not None else 0.0
    places = (np.arange(_PLACES) + 0.5) / _PLACES * float(clip.duration)
    power = 10.0 ** (np.maximum(levels(curve, places), SILENCE_DB) / 10.0)
    return round(float(10.0 * np.log10(power.mean())), 2)
