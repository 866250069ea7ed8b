"""Writing a result before there is one: what its format will not carry is said before the work, not after it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...engine.media.container import layout_of
from ...engine.media.reader import probe
from ...engine.media.time import to_samples
from ...engine.media.writer import time_reference
from ...engine.passage import GainCurves, Loudness, Passage, Rendition
from ...engine.roles import STEMS
from ..timeline import result_tracks
from ..timeline.results import Gain, Result, Ridden
from ..timeline.write import rehearse
from .settings import AUTO, KEYFRAMES, JobSettings

if TYPE_CHECKING:
    from .plan import Plan, Task

_UNKNOWN = Loudness(-23.0, 0.0, -1.0, -23.0, -23.0)
_TIMES, _MOVES = (0.0, 1.0), (0.0, -1.0)  # s, dB: any curve that is none


def uncarried(plan: Plan) -> tuple[str, ...]:
    """What the format of a job's result will not carry, a sentence each.

    Raises what writing the result would: WriteError or TimelineError.
    """
    settings = plan.job.settings
    results = {task.facts.index: _results(task, plan) for task in plan.tasks}
    return rehearse(plan.timeline, results, plan.out, not settings.keep_originals) if results else ()


def _results(task: Task, plan: Plan) -> list[Result]:
    """What of a clip will go on the timeline, as far as formats can tell the difference."""
    settings = plan.job.settings
    ridden = settings.whole and task.known
    found: list[Result] = []
    if not (ridden and settings.as_ in (AUTO, KEYFRAMES)):
        made, start = _rendition(task.passage, settings, plan.folder / f"{task.facts.index}.wav")
        found += result_tracks(made, start, settings.as_)
    if ridden and (settings.keyframed or not found):
        found.append(Ridden(Gain(_TIMES, _MOVES), enabled=not found, category=task.category.kind))
    return found


def _rendition(passage: Passage, settings: JobSettings, path: Path) -> tuple[Rendition, int]:
    """A rendition as it will be, but for its sound, and its file's time stamp in samples."""
    sound = passage.sound
    info = probe(sound.path)
    stream = info.audio[sound.channels[0].stream if sound.channels else 0]
    rate = stream.sample_rate
    stems = {stem: path.with_suffix(f".{stem}.wav") for stem in STEMS} if settings.with_stems else {}
    made = Rendition(
        identifier=passage.identifier,
        path=path,
        start=-passage.head,
        samples=to_samples(passage.rendered_duration, rate),
        sample_rate=rate,
        channels=layout_of(info, sound.channels).channels,
        before=_UNKNOWN,
        after=_UNKNOWN,
        gains=GainCurves(_TIMES, {stem: _MOVES for stem in STEMS}),
        stems=stems,
        raw_stems=bool(stems) and settings.keyframed,
    )
    return made, time_reference(passage.record_offset + passage.record_start - passage.head, rate)
