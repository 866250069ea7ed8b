"""Puts a job's renditions on the timeline, with how they were made."""

from __future__ import annotations

from dataclasses import replace

from ...engine.media.reader import probe
from ...engine.media.time import to_samples
from ...engine.passage import Rendition
from ...engine.version import engine_version
from ..timeline import ResultTrack, result_tracks, write_result
from .plan import Plan
from .results import ClipResult, JobResult
from .sidecar import plain


def place(plan: Plan, job: JobResult) -> tuple[str, ...]:
    """Write the timeline with a new clip for every finished one; raises WriteError or TimelineError.

    What is written says how it was made, but not when or how fast: the same job gives the same bytes. Returns what
    the format could not carry, a sentence each.
    """
    results = {
        clip.facts.index: _tracks(clip, clip.rendition, job.settings.as_)
        for clip in job.done
        if clip.rendition is not None
    }
    provenance = {
        "version": engine_version(),
        "model": job.model,
        "weights_sha256": job.weights_sha256,
        "settings": plain(job.settings.to_dict()),
        "gain_db": job.gain_db,
    }
    losses: list[str] = []
    write_result(plan.timeline, results, job.out, job.settings.mute_originals, provenance, losses)
    return tuple(losses)


def _tracks(clip: ClipResult, rendition: Rendition, form: str) -> list[ResultTrack]:
    stamp = probe(rendition.path).timecode
    media_start = 0 if stamp is None else to_samples(stamp, rendition.sample_rate)
    made = {name: value for name, value in rendition.provenance.items() if name != "seconds"}
    facts = plain(made) | {"key": clip.key, "makeup_db": rendition.makeup_db}
    return result_tracks(replace(rendition, provenance=facts), media_start, form)
