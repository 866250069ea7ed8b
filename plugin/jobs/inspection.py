"""What a timeline holds, as plain values: for ``inspect``, scripts and panels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...engine.edit.categories import Category
from ...engine.errors import SightmixError
from ...engine.passage import Loudness
from ...engine.progress import Progress
from ..timeline import AudioClip, Timeline
from ..timeline.categories import Held, doubts, held
from .sidecar import loudness_to_dict

SCHEMA = "sightmix.timeline/1"


def measured_clips(timeline: Timeline, progress: Progress) -> dict[int, Loudness | str]:
    """The loudness of every online clip by index, or why it cannot be measured."""
    return {clip.index: _measure(clip, progress) for clip in timeline.clips if clip.online}


def timeline_data(
    timeline: Timeline,
    names: Sequence[str],
    measured: dict[int, Loudness | str],
    together: Loudness | str | None = None,
    found: Held | None = None,
) -> dict[str, Any]:
    """A timeline as JSON values: times in seconds and as timecode, loudness in LUFS, LU and dBTP.

    `measured` are clips by index, `together` is all that plays, `found` what its tracks and clips hold if that was
    asked.
    """
    found = held(timeline) if found is None else found
    return {
        "schema": SCHEMA,
        "path": str(timeline.path),
        "name": timeline.name,
        "timelines": list(names),
        "dialect": timeline.dialect,
        "rate": float(timeline.rate),
        "rate_exact": str(timeline.rate),
        "drop_frame": timeline.drop_frame,
        "start_tc": timeline.timecode(timeline.duration * 0),
        "duration": float(timeline.duration),
        "has_picture": timeline.has_picture,
        "tracks": timeline_tracks(timeline, found),
        "clips": [
            {
                **_clip_data(clip, measured.get(clip.index)),
                "category": category_data(found.clips[clip.index]),
            }
            for clip in timeline.clips
        ],
        "doubts": doubts(timeline, found),
        **_loudness_data(together),
    }


def timeline_tracks(timeline: Timeline, found: Held) -> list[dict[str, Any]]:
    """The audio tracks with their clips and what they hold, in the timeline's order."""
    tracks: dict[tuple[int, str], list[int]] = {}
    for clip in timeline.clips:
        tracks.setdefault((clip.track_number, clip.track), []).append(clip.index)
    return [
        {"name": name, "number": number, "clips": indices, "category": category_data(found.tracks[number])}
        for (number, name), indices in sorted(tracks.items())
    ]


def category_data(category: Category) -> dict[str, Any]:
    """What a track holds, as JSON values."""
    return {
        "kind": category.kind or None,
        "by": category.by or None,
        "confidence": category.confidence,
        "certain": category.certain,
        "reason": category.reason,
    }


def _clip_data(clip: AudioClip, measured: Loudness | str | None) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "index": clip.index,
        "name": clip.name,
        "track": clip.track,
        "track_number": clip.track_number,
        "record_in": float(clip.record_in),
        "record_out": float(clip.record_out),
        "record_in_tc": clip.timecode_in,
        "record_out_tc": clip.timecode_out,
        "media": None if clip.path is None else str(clip.path),
        "channels": channels_text(clip),
        "layout": _layout_text(clip),
        "state": clip.state,
        "reason": clip.reason,
        "shots": clip.shots,
        "speed": float(clip.speed),
    }
    return {**facts, **_loudness_data(measured)}


def _loudness_data(measured: Loudness | str | None) -> dict[str, Any]:
    """What was measured, or why it could not be; nothing where nobody asked."""
    if isinstance(measured, str):
        return {"loudness_error": measured}
    return {} if measured is None else {"loudness": loudness_to_dict(measured)}


def _layout_text(clip: AudioClip) -> str | None:
    """What the channels a clip plays are for, such as "stereo" or "5.1"; None where its file cannot be read."""
    from ...engine.media.container import layout_of, probe

    if clip.path is None or not clip.online:
        return None
    return layout_of(probe(clip.path), clip.channels).title


def channels_text(clip: AudioClip) -> str:
    """Which channels a clip plays, such as "1,2", or "2:1" (stream 2, channel 1); "all" of the file."""
    if clip.channels is None:
        return "all"
    single = {channel.stream for channel in clip.channels} == {0}
    return ",".join(
        f"{c.channel + 1}" if single else f"{c.stream + 1}:{c.channel + 1}" for c in clip.channels
    )


def measured_together(timeline: Timeline, progress: Progress) -> Loudness | str:
    """The loudness of all that plays together, or why it cannot be measured."""
    from ...engine.programme.loudness import measure_edit

    try:
        return measure_edit(timeline.edit, progress)
    except SightmixError as error:
        return str(error)


def _measure(clip: AudioClip, progress: Progress) -> Loudness | str:
    """A clip's loudness from its first sample to its last, or why it cannot be measured."""
    from .levels import measure_sound

    try:
        return measure_sound(clip.passage().sound, clip.name, progress)
    except SightmixError as error:
        return str(error)
