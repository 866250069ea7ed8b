"""From a finished job to the files that go on Resolve's tracks: as long as the timeline, from its first frame on."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio

from ....engine.edit.model import Edit, EditClip, EditTrack
from ....engine.errors import WriteError
from ....engine.progress import Progress
from ....engine.roles import MIX, PARTS
from ....exporters.flatten import edit_of
from ....exporters.stems import StemOptions, export_stems, unreadable
from ...jobs.plan import Plan
from ...jobs.results import JobResult
from .writeback import LongStems, Stem

TRACKS = {MIX.short: "sightmix"} | {role.short: f"sightmix {role.name}" for role in PARTS}
_SPARE = Fraction(1)  # s of silence at the end: a file a hair short of a whole frame would lose that frame


def long_stems(plan: Plan, job: JobResult, folder: Path, progress: Progress) -> LongStems:
    """Write the finished mix, or dialogue, music and effects where the job made them; see `stems_of`."""
    timeline = plan.timeline
    return stems_of(job.out, timeline.name, timeline.duration, job.settings.with_stems, folder, progress)


def stems_of(
    result: Path, name: str, duration: Fraction, apart: bool, folder: Path, progress: Progress
) -> LongStems:
    """Write a result's finished mix, or `apart` what it has of dialogue, music and effects, under `folder`/stems.

    Every run has names of its own, since Resolve keeps to what it has read under a name. The notes say what is
    silent in the stems, and what the tracks they are made of have that stems cannot. Raises WriteError,
    MediaError, SettingsError, Cancelled.
    """
    place = folder / "stems"
    try:
        place.mkdir(parents=True, exist_ok=True)
        timeline = otio.adapters.read_from_file(str(result))
    except (OSError, otio.exceptions.OTIOError, ValueError) as error:
        raise WriteError(f"Stems cannot be made of {result}: {error}.") from error
    edit = _with_spare(edit_of(timeline, result.parent), duration)
    wanted = (_parts(edit) if apart else ()) or (MIX.short,)
    [made] = export_stems(edit, place, StemOptions(project=name, stems=wanted), progress)
    clipped = [TRACKS[file.stem] for file in made.files if file.clipped]
    notes = [f"{', '.join(clipped)} passed full scale and clipped; lower the levels."] if clipped else []
    return LongStems(
        tuple(Stem(file.paths[0].resolve(), TRACKS[file.stem], file.layout) for file in made.files),
        (*notes, *unreadable(edit), *edit.losses),
    )


def _parts(edit: Edit) -> tuple[str, ...]:
    """The stems that an edit has tracks for."""
    roles = {track.role for track in edit.tracks if track.kind == "audio"}
    return tuple(role.short for role in PARTS if role.name in roles)


def _with_spare(edit: Edit, duration: Fraction) -> Edit:
    """The edit with silence up to a little after the timeline's end."""
    length = max(edit.duration, duration) + _SPARE
    silence = EditTrack("video", "", (EditClip("", Fraction(0), length, None),))
    return replace(edit, tracks=(*edit.tracks, silence))
