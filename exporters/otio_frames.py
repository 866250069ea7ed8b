"""OTIO objects that count whole frames of one rate: what writers for simple readers share."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from ..engine.edit.model import Edit, EditMarker, EditTrack
from ..engine.media.time import to_frames


@dataclass(frozen=True)
class Scale:
    """Frames at `rate` per second as OTIO has them."""

    rate: Fraction

    def time(self, frames: int) -> Any:
        """A RationalTime."""
        return otio.opentime.RationalTime(frames, float(self.rate))

    def range(self, start: int, length: int) -> Any:
        """A TimeRange."""
        return otio.opentime.TimeRange(self.time(start), self.time(length))

    def gap(self, length: int) -> Any:
        """A gap of so many frames."""
        return otio.schema.Gap(source_range=self.range(0, length))

    def marker(self, marker: EditMarker) -> Any:
        """A marker of the timeline, its name and note as comment."""
        place = self.range(to_frames(marker.start, self.rate), to_frames(marker.duration, self.rate))
        made = otio.schema.Marker(marker.name, place)
        made.comment = ": ".join(part for part in (marker.name, marker.note) if part)
        if marker.color:
            made.color = marker.color
        return made

    def timeline(self, edit: Edit) -> Any:
        """A timeline with its name, start and markers, and no tracks."""
        made = otio.schema.Timeline(edit.name)
        if edit.start:
            made.global_start_time = self.time(to_frames(edit.start, self.rate))
        made.tracks.markers.extend(self.marker(marker) for marker in edit.markers)
        return made


def empty_track(track: EditTrack) -> Any:
    """A track of OTIO's with the name and kind of one of ours."""
    kind = otio.schema.TrackKind.Video if track.kind == "video" else otio.schema.TrackKind.Audio
    return otio.schema.Track(track.name, kind=kind)
