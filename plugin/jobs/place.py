"""Puts a job's renditions on the timeline, with how they were made."""

from __future__ import annotations

from dataclasses import replace

from ...engine.edit.categories import said
from ...engine.media.reader import probe
from ...engine.media.time import to_samples
from ...engine.passage import Rendition
from ...engine.roles import MIX
from ...engine.version import engine_version
from ..timeline import ResultTrack, result_tracks, write_result
from ..timeline.results import Gain, Ridden
from .hand import to_data
from .plan import Plan
from .results import ClipResult, JobResult
from .sidecar import plain


def place(plan: Plan, job: JobResult) -> tuple[str, ...]:
    """Write the timeline with a new clip for every finished one; raises WriteError or TimelineError.

    What is written says how it was made, but not when or how fast: the same job gives the same bytes. Returns what
    the format could not carry, a sentence each.
    """
    results = {clip.facts.index: _tracks(clip, job.settings.as_) for clip in job.done}
    provenance = {
        "version": engine_version(),
        "model": job.model,
        "weights_sha256": job.weights_sha256,
        "settings": plain(job.settings.to_dict()),
        "gain_db": job.gain_db,
    }
    if plan.job.drawn:
        provenance["curves"] = to_data(plan.job.drawn)["curves"]
    losses: list[str] = []
    told = said(plan.job.categories)
    muted = not job.settings.keep_originals
    write_result(plan.timeline, results, job.out, muted, provenance, losses, told, job.settings.dialect)
    return tuple(losses)


def _tracks(clip: ClipResult, form: str) -> list[ResultTrack | Ridden]:
    """What of a clip goes on the timeline."""
    found: list[ResultTrack | Ridden] = []
    if clip.rendition is not None:
        found += _files(clip, clip.rendition, form)
    if clip.riding is not None:
        beside = clip.rendition is not None
        line = Gain(tuple(float(t) for t in clip.riding.line.times), clip.riding.line.db)
        role = clip.category.kind if beside else MIX.name
        facts = {"key": clip.key, "why": clip.category.reason}
        found.append(Ridden(line, facts, not beside, role, clip.category.kind))
    return found


def _files(clip: ClipResult, rendition: Rendition, form: str) -> list[ResultTrack]:
    stamp = probe(rendition.path).timecode
    media_start = 0 if stamp is None else to_samples(stamp, rendition.sample_rate)
    made = {name: value for name, value in rendition.provenance.items() if name != "seconds"}
    facts = plain(made) | {"key": clip.key, "makeup_db": rendition.makeup_db}
    return result_tracks(replace(rendition, provenance=facts), media_start, form)
