"""Decides on the loudness stage: one gain for all clips of a job, and a true-peak ceiling for each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...engine.media.loudness import Meter, integrated_of
from ...engine.media.reader import probe, read_blocks
from ...engine.media.time import to_samples
from ...engine.passage import Passage, Rendition
from ...engine.progress import Progress
from .settings import JobSettings

_PEAK_TOLERANCE = 0.01  # dB: below what a true-peak meter can tell


@dataclass(frozen=True)
class Stage:
    """What the loudness stage does to one rendition: a gain in dB, then a ceiling in dBTP; None: nothing."""

    gain_db: float
    ceiling_dbtp: float | None


def meter_clip(rendition: Rendition, passage: Passage, progress: Progress) -> Meter:
    """Measure a rendition from the clip's first to its last sample; handles do not count."""
    layout = probe(rendition.path).audio[0].layout
    meter = Meter(rendition.sample_rate, rendition.channels, layout)
    first = to_samples(-rendition.start, rendition.sample_rate)
    samples = min(to_samples(passage.sound.duration, rendition.sample_rate), rendition.samples - first)
    done = 0
    for block in read_blocks(rendition.path, first, samples):
        meter.push(block)
        done += block.shape[-1]
        progress.report(
            "loudness", passage.name, done / rendition.sample_rate, samples / rendition.sample_rate
        )
    return meter


def programme_gain(
    rendered: Sequence[tuple[Rendition, Passage]], target_lufs: float, progress: Progress
) -> float:
    """The gain in dB that brings the clips, gated together (ITU-R BS.1770), to `target_lufs`; 0 for silence."""
    integrated = integrated_of([meter_clip(rendition, passage, progress) for rendition, passage in rendered])
    return target_lufs - integrated if math.isfinite(integrated) else 0.0


def stage_for(rendition: Rendition, gain_db: float, settings: JobSettings) -> Stage:
    """What to do to one rendition.

    Without a loudness target a clip may keep the true peak it came with: what was not touched stays so.
    """
    ceiling = settings.true_peak
    if settings.target_lufs is None:
        ceiling = max(ceiling, rendition.before.true_peak)
    gain_db = round(gain_db, 4)
    if gain_db == 0.0 and not rendition.after.true_peak > ceiling + _PEAK_TOLERANCE:
        return Stage(0.0, None)
    return Stage(gain_db, ceiling)
