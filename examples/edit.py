"""The demo's timeline: the film as shots on V1, a muddy mixdown on A1, and what a track of it plays."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import opentimelineio as otio
import soundfile
from soundtrack import RATE, Excerpt, Sound

THROUGH_EDITS = (
    992,
    1938,
)  # frames at which the mixdown is cut into clips, as by an editor working in scenes


def write_timeline(excerpt: Excerpt, mixdown: Path, out: Path) -> None:
    """An OTIO timeline with every shot its own clip over a mixdown in three."""
    timeline = otio.schema.Timeline(
        "The landlord", global_start_time=otio.opentime.RationalTime(86_400, excerpt.rate)
    )
    picture = _track("V1", otio.schema.TrackKind.Video)
    for number, (first, count) in enumerate(excerpt.shots, 1):
        picture.append(_clip(f"shot {number:02d}", excerpt.picture, first, count, excerpt))
    sound = _track("A1", otio.schema.TrackKind.Audio)
    edges = [0, *THROUGH_EDITS, excerpt.frames]
    for number, (a, b) in enumerate(itertools.pairwise(edges), 1):
        sound.append(_clip(f"mixdown {number}", mixdown, a, b - a, excerpt))
    timeline.tracks.extend([picture, sound])
    otio.adapters.write_to_file(timeline, str(out))


def _track(name: str, kind: str) -> otio.schema.Track:
    return otio.schema.Track(name=name, kind=kind)


def _clip(name: str, media: Path, first: int, count: int, excerpt: Excerpt) -> otio.schema.Clip:
    return otio.schema.Clip(
        name,
        otio.schema.ExternalReference(media.resolve().as_uri(), _range(0, excerpt.frames, excerpt.rate)),
        _range(first, count, excerpt.rate),
    )


def _range(first: int, count: int, rate: int) -> otio.opentime.TimeRange:
    return otio.opentime.TimeRange(
        otio.opentime.RationalTime(first, rate), otio.opentime.RationalTime(count, rate)
    )


def rebalanced_track(result: Path) -> otio.schema.Track:
    """The track of a result timeline that plays the new mix."""
    tracks = otio.adapters.read_from_file(str(result)).audio_tracks()
    return next(track for track in tracks if track.metadata.get("sightmix", {}).get("role") == "rebalanced")


def sound_of(track: otio.schema.Track, folder: Path, samples: int) -> Sound:
    """What a track of WAV clips at the demo's rate plays, (2, samples), laid by its clips' exact times."""
    sound = np.zeros((2, samples), np.float32)
    for clip in track.find_clips():
        reference = clip.media_reference
        offset = _seconds(clip.source_range.start_time) - _seconds(reference.available_range.start_time)
        place = round(_seconds(track.range_of_child(clip).start_time) * RATE)
        start, length = round(offset * RATE), round(_seconds(clip.source_range.duration) * RATE)
        block, rate = soundfile.read(
            _path(reference.target_url, folder), length, start, dtype="float32", always_2d=True
        )
        if rate != RATE or block.shape != (length, 2):
            raise SystemExit(f"{reference.target_url} does not hold what clip '{clip.name}' shows of it.")
        sound[:, place : place + length] = block.T
    return sound


def _seconds(time: otio.opentime.RationalTime) -> Fraction:
    return Fraction(time.value) / Fraction(time.rate)


def _path(url: str, folder: Path) -> Path:
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else folder / unquote(url)
