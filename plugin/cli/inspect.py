"""``sightmix inspect``: a timeline's tracks and audio clips, as a table or as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...engine.errors import SightmixError
from ...engine.progress import Progress
from ..jobs.eta import clock
from ..jobs.ranges import format_ranges
from .errors import say, sentences
from .options import AsJson, MediaFolders, Rate, Source, TimelineName
from .progress import shown
from .table import Column, print_table

if TYPE_CHECKING:
    from ...engine.passage import Loudness
    from ..timeline import AudioClip, Timeline

SCHEMA = "sightmix.timeline/1"


@sentences
def inspect(
    source: Source,
    as_json: AsJson = False,
    loudness: Annotated[
        bool, typer.Option("--loudness", help="Measure every online clip, and all that plays.")
    ] = False,
    timeline: TimelineName = "",
    media: MediaFolders = None,
    rate: Rate = "",
) -> None:
    """Show a timeline's tracks and audio clips, and what can be rebalanced."""
    inspect_timeline(source, as_json, loudness, timeline, media or [], rate)


def inspect_timeline(
    source: Path, as_json: bool, loudness: bool, name: str, folders: Sequence[Path], rate: str
) -> None:
    """Print what a timeline holds; raises TimelineError or SettingsError for input that cannot be read."""
    from ..timeline.source import open_source

    timeline, names = open_source(source, name, folders, rate)
    measured: dict[int, Loudness | str] = {}
    together: Loudness | str | None = None
    if loudness:
        with shown(quiet=as_json) as observer:
            progress = Progress(observer)
            measured = {clip.index: _measure(clip, progress) for clip in timeline.clips if clip.online}
            together = _measure_all(timeline, progress)
    if as_json:
        print(json.dumps(timeline_data(timeline, names, measured, together), ensure_ascii=False))
        return
    _print_head(timeline, names)
    _print_clips(timeline, measured)
    if together is not None:
        say(f"Together: {_figures(together)}")


def timeline_data(
    timeline: Timeline,
    names: Sequence[str],
    measured: dict[int, Loudness | str],
    together: Loudness | str | None = None,
) -> dict[str, Any]:
    """A timeline as JSON values: times in seconds and as timecode, loudness in LUFS, LU and dBTP.

    `measured` are clips by index, `together` is all that plays.
    """
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
        "tracks": timeline_tracks(timeline),
        "clips": [_clip_data(clip, measured.get(clip.index)) for clip in timeline.clips],
        **_loudness_data(together),
    }


def timeline_tracks(timeline: Timeline) -> list[dict[str, Any]]:
    """The audio tracks with their clips, in the timeline's order."""
    tracks: dict[tuple[int, str], list[int]] = {}
    for clip in timeline.clips:
        tracks.setdefault((clip.track_number, clip.track), []).append(clip.index)
    return [
        {"name": name, "number": number, "clips": indices}
        for (number, name), indices in sorted(tracks.items())
    ]


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
    from ..jobs.sidecar import loudness_to_dict

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


def _print_head(timeline: Timeline, names: Sequence[str]) -> None:
    rate = f"{float(timeline.rate):.6g} fps{' drop-frame' if timeline.drop_frame else ''}"
    picture = "with picture" if timeline.has_picture else "without picture"
    say(f"{timeline.name}: {timeline.dialect}, {rate}, {clock(float(timeline.duration))}, {picture}")
    if len(names) > 1:
        listed = ", ".join(f"{number} '{name}'" for number, name in enumerate(names, start=1))
        say(f"The file has {len(names)} timelines, choose with --timeline: {listed}")
    online = sum(clip.online for clip in timeline.clips)
    tracks = timeline_tracks(timeline)
    count = f"{len(timeline.clips)} audio clip{'' if len(timeline.clips) == 1 else 's'}"
    say(f"{count} on {len(tracks)} track{'' if len(tracks) == 1 else 's'}, {online} can be rebalanced")
    for track in tracks:
        say(f"  A{track['number']} {track['name']}: {format_ranges(tuple(track['clips']))}")


def _print_clips(timeline: Timeline, measured: dict[int, Loudness | str]) -> None:
    if not timeline.clips:
        return
    columns = [Column("#", right=True), Column("Clip"), Column("Track"), Column("In"), Column("Out")]
    columns += [Column("Seconds", right=True), Column("Media"), Column("Ch"), Column("Shots", right=True)]
    if measured:
        columns += [Column("LUFS", right=True), Column("dBTP", right=True), Column("LU", right=True)]
    columns.append(Column("State"))
    print_table(columns, [_row(clip, measured) for clip in timeline.clips])


def _row(clip: AudioClip, measured: dict[int, Loudness | str]) -> list[str]:
    media = clip.path.name if clip.path is not None else "-"
    cells = [str(clip.index), clip.name, clip.track, clip.timecode_in, clip.timecode_out]
    cells += [f"{float(clip.duration):.3f}", media, channels_text(clip), str(clip.shots)]
    state = clip.state if clip.online else f"{clip.state}: {clip.reason}"
    if measured:
        found = measured.get(clip.index)
        if found is None or isinstance(found, str):
            cells += ["-", "-", "-"]
            state = f"{state}: {found}" if found else state
        else:
            cells += [f"{v:.1f}" for v in (found.integrated, found.true_peak, found.range)]
    return [*cells, state]


def _measure_all(timeline: Timeline, progress: Progress) -> Loudness | str:
    """The loudness of all that plays together, or why it cannot be measured."""
    from ...engine.programme.loudness import measure_edit

    try:
        return measure_edit(timeline.edit, progress)
    except SightmixError as error:
        return str(error)


def _figures(found: Loudness | str) -> str:
    if isinstance(found, str):
        return found
    return f"{found.integrated:.1f} LUFS, {found.true_peak:.1f} dBTP, {found.range:.1f} LU"


def _measure(clip: AudioClip, progress: Progress) -> Loudness | str:
    """A clip's loudness from its first sample to its last, or why it cannot be measured."""
    from ..jobs.levels import measure_sound

    try:
        return measure_sound(clip.passage().sound, clip.name, progress)
    except SightmixError as error:
        return str(error)
