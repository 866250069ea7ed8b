"""A small film for tests that ask the engine: numbered pictures, dialogue, a mix, and a clip that is gone."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import opentimelineio as otio

for beside in ("engine", "plugin"):  # their kits make the media
    sys.path.append(str(Path(__file__).parent.parent / beside))

from job_helpers import tone, write  # noqa: E402
from media_files import write_video  # noqa: E402

RATE, FPS, SECONDS = 48_000, 25, 6


def span(start: float, seconds: float) -> otio.opentime.TimeRange:
    return otio.opentime.TimeRange(
        otio.opentime.RationalTime(start * FPS, FPS), otio.opentime.RationalTime(seconds * FPS, FPS)
    )


def clip(media: Path, start: float, seconds: float) -> otio.schema.Clip:
    reference = otio.schema.ExternalReference(target_url=str(media))
    return otio.schema.Clip(media.stem, media_reference=reference, source_range=span(start, seconds))


def make_film(folder: Path) -> Path:
    """Two shots of one numbered picture (0 to 3 s as they are, 3 to 5 s from its fifth second), black to the end;
    dialogue, a mix and a clip that is gone."""
    picture = write_video(folder / "shots.mp4", 8 * FPS, rate=Fraction(FPS), gop=250)
    tone(folder / "voice.wav", SECONDS, -24)
    noise = np.random.default_rng(5).standard_normal((2, SECONDS * RATE)) * 0.05
    write(folder / "film.wav", noise.astype(np.float32))
    timeline = otio.schema.Timeline("Film")
    for name, clips in {
        "V": [clip(picture, 0, 3), clip(picture, 5, 2)],
        "Dialogue": [clip(folder / "voice.wav", 0, 4)],
        "Mix": [clip(folder / "film.wav", 0, SECONDS), clip(folder / "gone.wav", 0, 1)],
    }.items():
        kind = otio.schema.TrackKind.Video if name == "V" else otio.schema.TrackKind.Audio
        timeline.tracks.append(otio.schema.Track(name, children=clips, kind=kind))
    otio.adapters.write_to_file(timeline, str(folder / "film.otio"))
    return folder / "film.otio"
