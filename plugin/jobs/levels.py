"""Decides on the loudness stage: one gain for all clips of a job, and a true-peak ceiling for each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...engine.errors import MediaError
from ...engine.media.loudness import Meter, integrated_of
from ...engine.media.reader import probe, read_blocks
from ...engine.media.time import to_samples
from ...engine.passage import Loudness, Passage, Rendition, Sound
from ...engine.progress import Progress
from .settings import JobSettings

_PEAK_TOLERANCE = 0.01  # dB: below what a true-peak meter can tell


@dataclass(frozen=True)
class Stage:
    """What the loudness stage does to one rendition: a gain in dB, then a ceiling in dBTP, if it is needed."""

    gain_db: float
    ceiling_dbtp: float
    needed: bool


def programme_gain(
    rendered: Sequence[tuple[Rendition, Passage]], target_lufs: float, progress: Progress
) -> float:
    """The gain in dB that brings the clips together to `target_lufs`; 0 where there is only silence."""
    integrated = programme_loudness(rendered, progress)
    return target_lufs - integrated if math.isfinite(integrated) else 0.0


def programme_loudness(
    rendered: Sequence[tuple[Rendition, Passage]], progress: Progress, original: bool = False
) -> float:
    """Integrated loudness of several clips gated together (ITU-R BS.1770) in LUFS, of the originals if asked.

    Handles do not count. Raises MediaError when a file can no longer be read.
    """
    return integrated_of([_meter(r, passage, progress, original) for r, passage in rendered])


def measure_sound(sound: Sound, name: str, progress: Progress) -> Loudness:
    """Loudness of a stretch of a media file as it is; raises MediaError when it cannot be read."""
    streams = probe(sound.path).audio
    if not streams:
        raise MediaError(f"{sound.path} has no sound to measure.")
    stream = streams[sound.channels[0].stream if sound.channels else 0]
    rate = stream.sample_rate
    whole = sound.channels is None or len(sound.channels) == stream.channels
    channels = stream.channels if sound.channels is None else len(sound.channels)
    meter = Meter(rate, channels, stream.layout if whole else None)
    first, samples = to_samples(sound.start, rate), to_samples(sound.duration, rate)
    _push(meter, read_blocks(sound.path, first, samples, sound.channels), samples, rate, name, progress)
    return meter.result()


def _meter(rendition: Rendition, passage: Passage, progress: Progress, original: bool) -> Meter:
    rate, sound = rendition.sample_rate, passage.sound
    samples = to_samples(sound.duration, rate)
    if original:
        path, first, channels = sound.path, to_samples(sound.start, rate), sound.channels
    else:
        path, first, channels = rendition.path, to_samples(-rendition.start, rate), None
        samples = min(samples, rendition.samples - first)
    meter = Meter(rate, rendition.channels, probe(rendition.path).audio[0].layout)
    _push(meter, read_blocks(path, first, samples, channels), samples, rate, passage.name, progress)
    return meter


def _push(
    meter: Meter,
    blocks: Iterable[NDArray[np.float32]],
    samples: int,
    rate: int,
    name: str,
    progress: Progress,
) -> None:
    done = 0
    for block in blocks:
        meter.push(block)
        done += block.shape[-1]
        progress.report("loudness", name, done / rate, samples / rate)


def stage_for(rendition: Rendition, gain_db: float, settings: JobSettings) -> Stage:
    """What to do to one rendition.

    Without a loudness target a clip may keep the true peak it came with: what was not touched stays so.
    """
    ceiling = settings.true_peak
    if settings.target_lufs is None:
        ceiling = max(ceiling, rendition.before.true_peak)
    gain_db = round(gain_db, 4)
    too_high = rendition.after.true_peak > ceiling + _PEAK_TOLERANCE
    return Stage(gain_db, round(ceiling, 4), needed=gain_db != 0.0 or too_high)
