"""OTIO for any reader: clips on whole frames, gaps, and dissolves of the picture; no more."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import opentimelineio as otio

from ..engine.edit.losses import Losses
from ..engine.edit.model import Edit, EditClip, EditTrack, EditTransition
from ..engine.files import write_text
from ..engine.media.time import to_frames
from ..engine.progress import Progress
from . import common
from .baking import baked
from .common import Frames
from .otio_frames import Scale, empty_track

TITLE = "plain OTIO"
FOLDER = ".sounds"


def write(edit: Edit, out: Path, progress: Progress | None = None) -> tuple[str, ...]:
    """Write `edit` as plain OTIO to `out`; returns what it cannot carry, a sentence each.

    For readers that place files and know nothing else, such as GStreamer Editing Services, which passes over start
    timecodes, switches and effects and opens nothing but URIs. Media count from zero and are addressed by file URIs,
    what is muted is left out, and sound that is more than a stretch of a file is rendered into the folder
    "NAME.sounds" beside `out` (`baking.baked`). The schemas are OTIO's own, without metadata, and all tracks are
    equally long. What is offline becomes a MissingReference: such readers refuse a timeline for one file they do not
    find.
    Raises MediaError, WriteError or Cancelled.
    """
    losses = Losses(edit.losses)
    with baked(edit, out.with_suffix(FOLDER), losses, progress) as simple:
        text = otio.adapters.write_to_string(_Writer(simple, losses).timeline(), "otio_json")
        write_text(out, text + "\n")
    return losses.sentences()


@dataclass(frozen=True)
class _Writer:
    edit: Edit
    losses: Losses

    @cached_property
    def scale(self) -> Scale:
        """Frames of the timeline."""
        return Scale(self.edit.rate)

    def timeline(self) -> Any:
        """The whole timeline."""
        made = self.scale.timeline(self.edit)
        made.tracks.extend(self._track(track) for track in self.edit.tracks)
        return made

    def _track(self, track: EditTrack) -> Any:
        made = empty_track(track)
        dissolves = self._dissolves(track)
        position = 0
        for clip in track.clips:
            if not self._carried(clip, track.kind):
                continue
            frames = Frames(clip, self.edit.rate)
            start = max(
                frames.start, position
            )  # a silent placeholder gives way to sound that begins inside a frame
            if frames.end <= start:
                continue
            if start > position:
                made.append(self.scale.gap(start - position))
            elif start in dissolves:
                made.append(dissolves[start])
            made.append(self._clip(clip, frames, start))
            position = frames.end
        if position < self._length:
            made.append(self.scale.gap(self._length - position))
        return made

    @cached_property
    def _length(self) -> int:
        """Frames of every track: some readers take tracks of several lengths for damaged."""
        edit = self.edit
        clips = [clip for track in edit.tracks for clip in track.clips if clip.enabled and clip.media]
        return max([to_frames(edit.duration, edit.rate), *(Frames(clip, edit.rate).end for clip in clips)])

    def _dissolves(self, track: EditTrack) -> dict[int, Any]:
        """The dissolves between two clips that meet, by the frame of their cut."""
        found = {}
        playing = [clip for clip in track.clips if clip.enabled and clip.media is not None]
        met = {clip.end for clip in playing} & {clip.start for clip in playing}
        for joint in track.transitions:
            if joint.cut in met:
                found[to_frames(joint.cut, self.edit.rate)] = self._dissolve(joint)
            else:
                self.losses.add("Fades of the picture are left out", 1)
        return found

    def _dissolve(self, joint: EditTransition) -> Any:
        rate = self.edit.rate
        return otio.schema.Transition(
            joint.name or "Dissolve",
            otio.schema.TransitionTypes.SMPTE_Dissolve,
            self.scale.time(to_frames(joint.before, rate)),
            self.scale.time(to_frames(joint.after, rate)),
        )

    def _carried(self, clip: EditClip, kind: str) -> bool:
        """Whether a clip is written; notes what is lost either way. Of sound, `baked` has said it."""
        if kind == "audio":
            return True
        if not clip.enabled:
            self.losses.add("Disabled clips are left out", 1)
        elif clip.media is None:
            self.losses.add("Clips without a file are left out", 1)
        else:
            if not Frames(clip, self.edit.rate).exact:
                self.losses.add("Picture cuts between frames are rounded", 1)
            if clip.speed != 1:
                self.losses.add("Retimed pictures play at their own speed", 1)
            return True
        return False

    def _clip(self, clip: EditClip, frames: Frames, start: int) -> Any:
        media, rate = clip.media, self.edit.rate
        assert media is not None
        low = min(frames.offset, frames.offset + clip.speed * (frames.length / rate))
        first = to_frames(max(low, Fraction(0)), rate) + start - frames.start
        reference = otio.schema.MissingReference()
        if media.path is not None and media.path.is_file():
            reference = otio.schema.ExternalReference(common.address(media))
        else:
            self.losses.add("Clips whose file is missing or cannot be read keep only their place and name", 1)
        reference.name = media.name
        if media.duration is not None and not media.still:
            reference.available_range = self.scale.range(0, max(to_frames(media.duration, rate), 1))
        source = self.scale.range(first, frames.end - start)
        return otio.schema.Clip(clip.name or media.name, reference, source)
