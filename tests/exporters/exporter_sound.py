"""Sound files with known content, edits of them, and what a host should make of those: for tests in real hosts."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from sightmix.engine.edit import keyframes
from sightmix.engine.edit.model import Edit, EditClip, EditMedia, EditTrack
from sightmix.engine.media.time import to_samples

SAMPLE_RATE = 48000
RATES = [
    Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(50),
    Fraction(60000, 1001), Fraction(60),
]  # fmt: skip


def noise(path: Path, seconds: float, channels: int = 2, seed: int = 0, level: float = 0.1) -> EditMedia:
    """A float WAV of noise that differs from channel to channel, with its description."""
    samples = round(seconds * SAMPLE_RATE)
    x = np.random.default_rng(seed).uniform(-level, level, (samples, channels)).astype(np.float32)
    return sound(path, x)


def sound(path: Path, x: NDArray[np.float32]) -> EditMedia:
    """`x` (samples, channels) as a float WAV, with its description."""
    form = "WAVEX" if x.shape[1] > 2 else "WAV"
    soundfile.write(path, x, SAMPLE_RATE, subtype="FLOAT", format=form)
    return EditMedia(
        name=path.name, url=str(path), path=path, duration=Fraction(len(x), SAMPLE_RATE),
        sample_rate=SAMPLE_RATE, channels=x.shape[1], streams=(x.shape[1],), bits=32,
    )  # fmt: skip


def framed(
    media: EditMedia, rate: Fraction, start: int, length: int, source: int, **more: object
) -> EditClip:
    """A clip on the frame grid: `start`, `length` and `source` in frames."""
    return EditClip(media.name, start / rate, length / rate, media, source_in=source / rate, **more)  # type: ignore[arg-type]


def audio_edit(rate: Fraction, *tracks: Sequence[EditClip], channels: int = 2) -> Edit:
    made = [
        EditTrack("audio", f"A{i}", tuple(clips), channels=channels)
        for i, clips in enumerate(tracks, start=1)
    ]
    return Edit("cut", rate, tuple(made))


def mixed(edit: Edit, channels: int = 2) -> NDArray[np.float64]:
    """The edit's sound (samples, channels) by the definition: clips placed, gained in dB and summed."""
    total = np.zeros((to_samples(edit.duration, SAMPLE_RATE), channels))
    for track in edit.tracks:
        for clip in track.clips:
            assert clip.media is not None
            assert clip.media.path is not None
            x, _ = soundfile.read(clip.media.path, always_2d=True)
            first, last = to_samples(clip.start, SAMPLE_RATE), to_samples(clip.end, SAMPLE_RATE)
            source = to_samples(clip.source_in - clip.media.start, SAMPLE_RATE)
            part = x[source : source + last - first]
            if clip.gain is not None:
                times = np.arange(len(part)) / SAMPLE_RATE
                part = part * 10 ** (keyframes.levels(clip.gain, times)[:, None] / 20)
            total[first : first + len(part)] += part
    return total
