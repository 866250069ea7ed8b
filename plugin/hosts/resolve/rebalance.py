"""Rebalances the timeline open in Resolve: export it, run the job, make long stems, lay them on a copy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from ....engine.edit.nodes import kind_of
from ....engine.media.time import to_frames
from ....engine.progress import Progress
from ...jobs.losses import sentences
from ...jobs.names import ascii_slug
from ...jobs.plan import Plan
from ...jobs.results import JobResult
from ...jobs.service import Request, Service
from ...jobs.settings import BAKED, JobSettings
from ...timeline import AudioClip, Timeline
from ...timeline.timeline import Leaf
from ..errors import HostError
from .writeback import Keeper, LongStems, Muted, Written, current, look_at, write_back

# A finished job into files as long as the timeline, one per kind of track, in the folder given.
StemMaker = Callable[[Plan, JobResult, Path, Progress], LongStems]
_TOP_LEVEL = 5  # pointer steps from a timeline to a clip on one of its tracks


@dataclass(frozen=True)
class Order:
    """What to rebalance and where its files go."""

    folder: Path
    settings: JobSettings
    clips: str = ""
    tracks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """The job's result, the timeline that was made of it in Resolve, and what else the editor should know."""

    job: JobResult
    written: Written
    notes: tuple[str, ...] = ()


def names_of(root: Any) -> tuple[str, str]:
    """The names of the open project and timeline; raises HostError where there is none."""
    project, timeline = current(root)
    return str(project.GetName()), str(timeline.GetName())


def work_folder(out: Path, project: str, timeline: str) -> Path:
    """Where the files of one timeline go: they must stay, since Resolve plays them from there."""
    return out / ascii_slug(project) / ascii_slug(timeline)


def rebalance(
    root: Any,
    order: Order,
    service: Service,
    make_stems: StemMaker,
    keeper: Keeper | None = None,
) -> Outcome:
    """Rebalance the open timeline and lay the result on a copy of it.

    Raises HostError when Resolve refuses something, and what a job raises. The editor's timeline stays as it is.
    The outcome's notes tell all losses: of reading, of clips, of the stems.
    """
    service.begin("export")
    seen = look_at(root)
    source = export(root, order.folder)
    out = order.folder / "rebalanced.otio"
    # The file is for whoever imports it by hand; there too the originals would sound under the result.
    # What is laid down in Resolve are files, since its scripts cannot write volume curves.
    settings = replace(order.settings, keep_originals=False, as_=BAKED)
    prepared = service.prepare(Request(source, out, settings, order.clips, order.tracks))
    plan, timeline = prepared.plan, prepared.plan.timeline
    # What cannot be laid down is better said before the rendering than after it.
    muted_for(timeline, {task.facts.index for task in plan.tasks})
    job = service.run(prepared)
    done = {clip.facts.index for clip in job.done}
    if not done:
        reasons = "; ".join(clip.reason for clip in job.failed[:3])
        raise HostError(f"No clip was rebalanced, so nothing was changed in Resolve: {reasons}")
    muted = muted_for(timeline, done)
    service.begin("stems")
    made = make_stems(plan, job, order.folder, service.progress)
    service.begin("write")
    written = write_back(root, made.stems, muted, timeline.duration, keeper, seen)
    return Outcome(job, written, tuple(dict.fromkeys((*made.notes, *sentences(job.losses)))))


def export(root: Any, folder: Path) -> Path:
    """Have Resolve write the open timeline as OTIO; raises HostError unless the file is really there."""
    _, timeline = current(root)
    path = folder.resolve() / "timeline.otio"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
    except OSError as error:
        raise HostError(f"{folder} cannot be used: {error.strerror or error}.") from error
    # The third argument matters to other formats only, but there are versions that want it.
    said = timeline.Export(str(path), root.EXPORT_OTIO) or timeline.Export(
        str(path), root.EXPORT_OTIO, root.EXPORT_NONE
    )
    if not said or not path.is_file() or not path.stat().st_size:
        raise HostError(
            "Resolve did not export the timeline as OTIO, which it can since version 18.5; if a window in it waits "
            "for a click, answer it and try again."
        )
    return path


def muted_for(timeline: Timeline, done: set[int]) -> Muted:
    """What has to fall silent where the clips of `done` are heard from stems.

    A track goes off as a whole if all that plays on it was rebalanced. Raises HostError for a compound clip of which
    only a part was: it cannot be switched off in part.
    """
    layers = timeline.placement.stack(timeline.node, timeline.pointer)
    tracks: list[int] = []
    clips: list[tuple[int, int]] = []
    for number, layer in enumerate(layers):
        playing = [(clip, leaf) for clip, leaf in timeline.on_layer(number) if clip.enabled]
        chosen = [clip for clip, _ in playing if clip.index in done]
        if not chosen or kind_of(layer.node, "") != "Audio":
            continue
        if len(chosen) == len(playing):
            tracks.append(timeline.track_number(number))
        else:
            clips += _single(timeline, playing, done)
    return Muted(tuple(tracks), tuple(clips))


def _single(
    timeline: Timeline, playing: Sequence[tuple[AudioClip, Leaf]], done: set[int]
) -> list[tuple[int, int]]:
    """A track number and a frame inside each item of one track that falls silent."""
    items: dict[object, list[AudioClip]] = {}
    for clip, leaf in playing:
        items.setdefault(leaf.pointer[: len(timeline.pointer) + _TOP_LEVEL], []).append(clip)
    number = timeline.track_number(playing[0][1].track)
    found = []
    for members in items.values():
        rendered = [clip.index in done for clip in members]
        if not any(rendered):
            continue
        if not all(rendered):
            raise HostError(
                f"{members[0].track} has a compound clip at {members[0].timecode_in} of which only a part would be "
                "rebalanced; choose all of it or none of it."
            )
        first = members[0]
        middle = first.record_in + first.duration / 2
        found.append((number, to_frames(middle - Fraction(1, 2) / timeline.rate, timeline.rate)))
    return found
