"""OTIO as Kdenlive (25.04 and later) imports it: one rate, whole frames, and nothing it would misread."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio

from ..engine.edit import keyframes
from ..engine.edit.losses import Losses
from ..engine.edit.model import Edit, EditClip, EditMedia, EditTrack
from ..engine.files import write_text
from ..engine.media.time import to_frames
from . import common
from .common import Frames
from .otio_frames import Scale, empty_track

TITLE = "OTIO for Kdenlive"


def write(edit: Edit, out: Path) -> tuple[str, ...]:
    """Write `edit` as an OTIO timeline for Kdenlive to `out`; returns what it cannot carry, a sentence each.

    Kdenlive takes the timeline's rate from its duration and only clips, gaps and markers from its tracks (its
    src/otio/otioimport.cpp): speed, gain, fades, transitions, channels and switches are passed over, so what is
    switched off is left out here. It takes a picture file's own start timecode off the source range, and nothing off
    that of a sound file. Raises WriteError.
    """
    writer = _Writer(edit)
    text = otio.adapters.write_to_string(writer.timeline(), "otio_json")
    write_text(out, text + "\n")
    return writer.losses.sentences()


@dataclass
class _Writer:
    edit: Edit
    losses: Losses = field(init=False)

    def __post_init__(self) -> None:
        self.losses = Losses(self.edit.losses)
        self.rate = self.edit.rate
        self.scale = Scale(self.rate)

    def timeline(self) -> Any:
        """The whole timeline."""
        made = self.scale.timeline(self.edit)
        for track in self.edit.tracks:
            if not track.enabled:
                self.losses.add("Muted tracks are left out.")
                continue
            made.tracks.append(self._track(track))
        return made

    def _track(self, track: EditTrack) -> Any:
        made = empty_track(track)
        if track.transitions:
            self.losses.add("Dissolves become cuts", len(track.transitions))
        position = 0
        for clip in track.clips:
            frames = Frames(clip, self.rate)
            if frames.length <= 0 or not self._carried(clip, frames):
                continue
            if frames.start > position:
                made.append(self.scale.gap(frames.start - position))
            made.append(self._clip(clip, frames))
            position = frames.end
        return made

    def _carried(self, clip: EditClip, frames: Frames) -> bool:
        """Whether a clip is written; notes what is lost either way."""
        if not clip.enabled:
            self.losses.add("Disabled clips are left out", 1)
            return False
        if clip.media is None:
            self.losses.add("Clips without a file are left out", 1)
            return False
        lost = {
            "Clips off the frame grid are moved onto it, by up to half a frame": not frames.exact,
            "Retimed clips play at their own speed": clip.speed != 1,
            "Gain curves are not carried; use baked results": not keyframes.is_unity(clip.gain),
            "Fades are not carried": bool(clip.fade_in or clip.fade_out),
            "Clips play all channels of their file": clip.channels is not None,
        }
        for sentence, does in lost.items():
            if does:
                self.losses.add(sentence, 1)
        return True

    def _clip(self, clip: EditClip, frames: Frames) -> Any:
        media = clip.media
        assert media is not None
        origin = _origin(media)
        low = min(frames.offset, frames.offset + clip.speed * (frames.length / self.rate))
        start = to_frames(origin + low, self.rate)
        reference = otio.schema.ExternalReference(common.address(media))
        reference.name = media.name
        if media.duration is not None:
            length = max(to_frames(media.duration, self.rate), 1)
            reference.available_range = self.scale.range(to_frames(origin, self.rate), length)
        return otio.schema.Clip(clip.name or media.name, reference, self.scale.range(start, frames.length))


def _origin(media: EditMedia) -> Fraction:
    """The start timecode that Kdenlive finds in the file and takes off."""
    return media.start if media.width else Fraction(0)
