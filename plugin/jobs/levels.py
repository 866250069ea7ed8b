"""Decides on the loudness stage: one gain for all clips of a job, and a true-peak ceiling for each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...engine.errors import MediaError
from ...engine.highlight.finish import levelled
from ...engine.media.container import layout_of
from ...engine.media.loudness import Meter, integrated_of
from ...engine.media.reader import probe, read_blocks
from ...engine.media.time import to_samples
from ...engine.passage import Loudness, Passage, Rendition, Sound
from ...engine.programme.loudness import listen
from ...engine.progress import Progress
from .settings import JobSettings

_PEAK_TOLERANCE = 0.01  # dB: below what a true-peak meter can tell
_STEPS = 4
_CLOSE = 0.05  # LU from the target that is near enough


@dataclass(frozen=True)
class Stage:
    """What the loudness stage does to one rendition: a gain in dB, then a ceiling in dBTP, if it is needed."""

    gain_db: float
    ceiling_dbtp: float
    needed: bool


def programme_gain(
    rendered: Sequence[tuple[Rendition, Passage]],
    target_lufs: float,
    ceiling_dbtp: float,
    progress: Progress,
) -> float:
    """The gain in dB that brings the clips together to `target_lufs`; 0 where there is only silence.

    Where the limiter will have to work, what it takes away is made up for, within what a few steps can do.
    """
    integrated = programme_loudness(rendered, progress)
    if not math.isfinite(integrated):
        return 0.0
    gain_db = target_lufs - integrated
    for _ in range(_STEPS):
        if not any(r.after.true_peak + gain_db > ceiling_dbtp for r, _ in rendered):
            break
        missing = target_lufs - _limited_loudness(rendered, gain_db, ceiling_dbtp, progress)
        if abs(missing) < _CLOSE:
            break
        gain_db += missing
    return gain_db


def _limited_loudness(
    rendered: Sequence[tuple[Rendition, Passage]], gain_db: float, ceiling_dbtp: float, progress: Progress
) -> float:
    """Programme loudness in LUFS as it will be after gain and limiter; nothing is written."""
    meters = []
    for rendition, passage in rendered:
        rate = rendition.sample_rate
        first = to_samples(-rendition.start, rate)
        samples = min(to_samples(passage.sound.duration, rate), rendition.samples - first)
        meter = Meter(rate, rendition.channels, probe(rendition.path).audio[0].layout)
        blocks = read_blocks(rendition.path, first, samples)
        limited = levelled(blocks, rendition, gain_db, ceiling_dbtp)
        meters.append(listen(meter, limited, samples, rate, passage.name, progress))
    return integrated_of(meters)


def programme_loudness(
    rendered: Sequence[tuple[Rendition, Passage]], progress: Progress, original: bool = False
) -> float:
    """Integrated loudness of several clips gated together (ITU-R BS.1770) in LUFS, of the originals if asked.

    Handles do not count. Raises MediaError when a file can no longer be read.
    """
    return integrated_of([_meter(r, passage, progress, original) for r, passage in rendered])


def measure_sound(sound: Sound, name: str, progress: Progress) -> Loudness:
    """Loudness of a stretch of a media file as it is; raises MediaError when it cannot be read."""
    info = probe(sound.path)
    if not info.audio:
        raise MediaError(f"{sound.path} has no sound to measure.")
    layout = layout_of(info, sound.channels)
    rate = info.audio[sound.channels[0].stream if sound.channels else 0].sample_rate
    meter = Meter(rate, layout.channels, layout)
    first, samples = to_samples(sound.start, rate), to_samples(sound.duration, rate)
    blocks = read_blocks(sound.path, first, samples, sound.channels, stamp=sound.stamp)
    return listen(meter, blocks, samples, rate, name, progress).result()


def _meter(rendition: Rendition, passage: Passage, progress: Progress, original: bool) -> Meter:
    rate, sound = rendition.sample_rate, passage.sound
    samples = to_samples(sound.duration, rate)
    if original:
        path, first, channels = sound.path, to_samples(sound.start, rate), sound.channels
        stamp = sound.stamp
    else:
        path, first, channels = rendition.path, to_samples(-rendition.start, rate), None
        stamp = None
        samples = min(samples, rendition.samples - first)
    meter = Meter(rate, rendition.channels, layout_of(probe(path), channels))
    blocks = read_blocks(path, first, samples, channels, stamp=stamp)
    return listen(meter, blocks, samples, rate, passage.name, progress)


def stage_for(rendition: Rendition, gain_db: float, settings: JobSettings) -> Stage:
    """What to do to one rendition.

    Without a loudness target a clip may keep the true peak it came with: what was not touched stays so.
    """
    ceiling = settings.ceiling
    if settings.target_lufs is None:
        ceiling = max(ceiling, rendition.before.true_peak)
    gain_db = round(gain_db, 4)
    too_high = rendition.after.true_peak > ceiling + _PEAK_TOLERANCE
    # A limiter holds full scale at the most: what came in above it and has grown is brought down to that.
    return Stage(gain_db, round(min(ceiling, 0.0), 4), needed=gain_db != 0.0 or too_high)
