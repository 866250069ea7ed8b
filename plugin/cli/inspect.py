"""``sightmix inspect``: a timeline's tracks and audio clips, as a table or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...engine.edit.categories import CERTAIN
from ...engine.legible import json_text
from ...engine.progress import Progress
from ..jobs.eta import clock
from ..jobs.ranges import format_ranges
from .errors import say, sentences
from .options import AsJson, Categories, MediaFolders, Rate, Source, TimelineName
from .progress import shown
from .table import Column, print_table

if TYPE_CHECKING:
    from ...engine.edit.categories import Category
    from ...engine.passage import Loudness
    from ..timeline import AudioClip, Timeline
    from ..timeline.categories import Held


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
    category: Categories = None,
    listen: Annotated[
        bool, typer.Option("--listen/--no-listen", help="Listen to tracks that nothing else tells of.")
    ] = True,
) -> None:
    """Show a timeline's tracks, what they hold, its audio clips, and what can be rebalanced."""
    inspect_timeline(source, as_json, loudness, timeline, media or [], rate, category or [], listen)


def inspect_timeline(
    source: Path,
    as_json: bool,
    loudness: bool,
    name: str,
    folders: Sequence[Path],
    rate: str,
    categories: Sequence[str] = (),
    listen: bool = True,
) -> None:
    """Print what a timeline holds; raises TimelineError or SettingsError for input that cannot be read."""
    from ...engine.edit.categories import said
    from ..jobs.inspection import measured_clips, measured_together, timeline_data, timeline_tracks
    from ..timeline.categories import doubts
    from ..timeline.source import open_source

    told = said(categories)
    timeline, names = open_source(source, name, folders, rate)
    found = _found(timeline, told, listen, as_json)
    measured: dict[int, Loudness | str] = {}
    together: Loudness | str | None = None
    if loudness:
        with shown(quiet=as_json) as observer:
            progress = Progress(observer)
            measured = measured_clips(timeline, progress)
            together = measured_together(timeline, progress)
    if as_json:
        print(json_text(timeline_data(timeline, names, measured, together, found)))
        return
    _print_head(timeline, names, timeline_tracks(timeline, found))
    _print_clips(timeline, measured, _apart(timeline, found))
    if together is not None:
        say(f"Together: {_figures(together)}")
    for sentence in (*timeline.notes, *doubts(timeline, found)):
        say(sentence)


def _found(timeline: Timeline, told: dict[str, str], listen: bool, quiet: bool) -> Held:
    """What the timeline holds; where nothing can listen, what is known without, and a sentence on stderr."""
    from ...engine.errors import ModelError
    from ..jobs.listening import Listener
    from ..timeline.categories import held

    if not listen:
        return held(timeline, told)
    try:
        with shown(quiet=quiet) as observer:
            return held(timeline, told, Listener(Progress(observer)))
    except ModelError as error:
        say(f"No track is listened to: {error}", error=True)
        return held(timeline, told)


def _apart(timeline: Timeline, found: Held) -> dict[int, str]:
    """What clips hold, by index, on a timeline where some hold other than their track."""
    differ = any(found.clips[clip.index] != found.tracks[clip.track_number] for clip in timeline.clips)
    return {index: _held_by(category) for index, category in found.clips.items()} if differ else {}


def _held_by(category: Category) -> str:
    return f"{category.kind}{'' if category.certain else '?'}" if category.kind else "-"


def _print_head(timeline: Timeline, names: Sequence[str], tracks: Sequence[dict[str, Any]]) -> None:
    rate = f"{float(timeline.rate):.6g} fps{' drop-frame' if timeline.drop_frame else ''}"
    picture = "with picture" if timeline.has_picture else "without picture"
    say(f"{timeline.name}: {timeline.dialect}, {rate}, {clock(float(timeline.duration))}, {picture}")
    if len(names) > 1:
        listed = ", ".join(f"{number} '{name}'" for number, name in enumerate(names, start=1))
        say(f"The file has {len(names)} timelines, choose with --timeline: {listed}")
    online = sum(clip.online for clip in timeline.clips)
    count = f"{len(timeline.clips)} audio clip{'' if len(timeline.clips) == 1 else 's'}"
    say(f"{count} on {len(tracks)} track{'' if len(tracks) == 1 else 's'}, {online} can be rebalanced")
    for track in tracks:
        say(
            f"  A{track['number']} {track['name']}: {format_ranges(tuple(track['clips']))}; {_held(track['category'])}"
        )


def _held(category: dict[str, Any]) -> str:
    """What a track holds, and why; a doubtful one is said to be."""
    if category["kind"] is None:
        return str(category["reason"])
    doubt = "" if category["confidence"] >= CERTAIN else "perhaps "
    sure = f", {100 * category['confidence']:.0f} % sure" if category["confidence"] < 1 else ""
    return f"{doubt}{category['kind']} ({category['reason']}{sure})"


def _print_clips(timeline: Timeline, measured: dict[int, Loudness | str], kinds: dict[int, str]) -> None:
    if not timeline.clips:
        return
    columns = [Column("#", right=True), Column("Clip"), Column("Track"), Column("In"), Column("Out")]
    columns += [Column("Seconds", right=True), Column("Media"), Column("Ch"), Column("Shots", right=True)]
    if measured:
        columns += [Column("LUFS", right=True), Column("dBTP", right=True), Column("LU", right=True)]
    columns += [Column("Holds")] if kinds else []
    columns.append(Column("State"))
    print_table(columns, [_row(clip, measured, kinds) for clip in timeline.clips])


def _row(clip: AudioClip, measured: dict[int, Loudness | str], kinds: dict[int, str]) -> list[str]:
    from ..jobs.inspection import channels_text

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
    return [*cells, *([kinds[clip.index]] if kinds else []), state]


def _figures(found: Loudness | str) -> str:
    if isinstance(found, str):
        return found
    return f"{found.integrated:.1f} LUFS, {found.true_peak:.1f} dBTP, {found.range:.1f} LU"
