"""The demo's timelines: the film as shots on V1 over tracks of sound, and what a timeline sounds like."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import opentimelineio as otio
from sightmix.engine.edit.media import Library
from sightmix.engine.edit.reader import read_edit
from sightmix.engine.programme.programme import audible
from sightmix.plugin.timeline.load import load
from soundtrack import Excerpt, Sound

THROUGH_EDITS = (
    992,
    1938,
)  # frames at which the mixdown is cut into clips, as by an editor working in scenes


@dataclass(frozen=True)
class Laid:
    """A track: its name, a file as long as the excerpt, and the frames (first, after the last) of it that are clips."""

    name: str
    media: Path
    clips: tuple[tuple[int, int], ...]


def in_scenes(excerpt: Excerpt) -> tuple[tuple[int, int], ...]:
    """The whole excerpt in three clips."""
    return tuple(itertools.pairwise((0, *THROUGH_EDITS, excerpt.frames)))


def write_timeline(excerpt: Excerpt, tracks: Sequence[Laid], out: Path) -> None:
    """An OTIO timeline with every shot its own clip over tracks of sound."""
    timeline = otio.schema.Timeline(
        "The landlord", global_start_time=otio.opentime.RationalTime(86_400, excerpt.rate)
    )
    picture = _track("V1", otio.schema.TrackKind.Video)
    for number, (first, count) in enumerate(excerpt.shots, 1):
        picture.append(_clip(f"shot {number:02d}", excerpt.picture, first, count, excerpt))
    timeline.tracks.append(picture)
    for laid in tracks:
        timeline.tracks.append(_sound(laid, excerpt))
    otio.adapters.write_to_file(timeline, str(out))


def _sound(laid: Laid, excerpt: Excerpt) -> otio.schema.Track:
    track, at = _track(laid.name, otio.schema.TrackKind.Audio), 0
    for number, (first, last) in enumerate(laid.clips, 1):
        if first > at:
            track.append(otio.schema.Gap(source_range=_range(0, first - at, excerpt.rate)))
        track.append(_clip(f"{laid.media.stem} {number}", laid.media, first, last - first, excerpt))
        at = last
    return track


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


def heard(timeline: Path) -> Sound:
    """What a timeline sounds like as an editor hears it, (2, samples): every audible track, with its volume lines."""
    document = load(
        timeline, keep=True
    )  # with the tracks of a result, which reading a timeline anew leaves out
    edit = read_edit(document.root, Library(timeline.parent))
    return np.concatenate([block[0] for block in audible(edit).blocks()], axis=1)
