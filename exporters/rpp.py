"""REAPER projects: items with handles, fades, volume envelopes and markers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from ..engine.edit import keyframes
from ..engine.edit.losses import Losses
from ..engine.edit.model import Edit, EditClip, EditTrack
from ..engine.media.time import round_half_up
from ..engine.roles import PARTS
from . import common
from .overlaps import overlapping

TITLE = "REAPER project"
_SOURCES = {
    ".wav": "WAVE", ".bwf": "WAVE", ".w64": "WAVE", ".rf64": "WAVE", ".aif": "WAVE", ".aiff": "WAVE",
    ".mp3": "MP3", ".flac": "FLAC", ".ogg": "VORBIS", ".opus": "VORBIS",
}  # fmt: skip
# A track's own colour: blue, green and red bytes below a bit that says it has one.
_COLOURS = {role.name: 1 << 24 | int.from_bytes(bytes.fromhex(role.light[1:]), "little") for role in PARTS}
_SPACE = uuid.UUID("6f2f1c9e-55a0-5c0e-9a7c-0f6f8f1b3a11")


def write(edit: Edit, out: Path) -> tuple[str, ...]:
    """Write `edit` as a REAPER project to `out`; returns what the format could not carry, a sentence each.

    Times are seconds, so nothing is rounded to frames. A gain curve becomes the take's volume envelope, whose points
    are linear gains that REAPER joins by straight lines; dissolves become overlapping items with straight fades.
    Raises WriteError.
    """
    writer = _Writer(edit)
    common.write_lines(writer.lines(), out)
    return writer.losses.sentences()


@dataclass
class _Writer:
    edit: Edit
    losses: Losses = field(init=False)

    def __post_init__(self) -> None:
        self.losses = Losses(self.edit.losses)

    def lines(self) -> Iterator[str]:
        """The project's text, line by line."""
        edit = self.edit
        base = round_half_up(edit.rate)
        counting = 1 if edit.drop_frame else 2 if edit.rate.denominator != 1 else 0
        yield '<REAPER_PROJECT 0.1 "6.0/sightmix" 0'
        yield f"  PROJOFFS {_number(edit.start)} 0 0"
        yield f"  SAMPLERATE {edit.sample_rate} 1 0"
        yield f"  TIMEMODE 1 5 -1 {base} {counting} 0 -1"
        for number, marker in enumerate(edit.markers, start=1):
            text = ": ".join(part for part in (marker.name, marker.note) if part)
            yield f"  MARKER {number} {_number(marker.start)} {_quoted(text)} {1 if marker.duration else 0}"
            if marker.duration:
                yield f'  MARKER {number} {_number(marker.start + marker.duration)} "" 1'
        for number, track in enumerate(edit.tracks):
            yield from self._track(number, track)
        yield ">"

    def _track(self, number: int, track: EditTrack) -> Iterator[str]:
        video = track.kind == "video"
        yield f"  <TRACK {_guid(self.edit.name, number)}"
        yield f"    NAME {_quoted(track.name)}"
        if track.role in _COLOURS:
            yield f"    PEAKCOL {_COLOURS[track.role]}"
        # The sound of a picture item is on an audio track of its own.
        yield f"    VOLPAN {0 if video else 1} 0 -1 -1 1"
        yield f"    MUTESOLO {0 if track.enabled else 1} 0 0"
        yield f"    NCHAN {max(2, track.channels + track.channels % 2)}"
        if video and track.transitions:
            self.losses.add("Picture dissolves become cuts", len(track.transitions))
        clips = track.clips if video else overlapping(track)
        for place, clip in enumerate(clips):
            yield from self._item(clip, video, _guid(self.edit.name, number, place))
        yield "  >"

    def _item(self, clip: EditClip, video: bool, guid: str) -> Iterator[str]:
        media = clip.media
        if media is None:
            self.losses.add("Clips without a file are left out", 1)
            return
        if clip.speed <= 0:
            what = "Frozen" if clip.speed == 0 else "Reversed"
            self.losses.add(f"{what} clips are left out", 1)
            return
        yield "    <ITEM"
        yield f"      POSITION {_number(clip.start)}"
        yield f"      LENGTH {_number(clip.duration)}"
        yield "      LOOP 0"
        yield f"      MUTE {0 if clip.enabled else 1} 0"
        yield f"      FADEIN 0 {_number(clip.fade_in)} 0 0 0 0 0"
        yield f"      FADEOUT 0 {_number(clip.fade_out)} 0 0 0 0 0"
        yield f"      IGUID {guid}"
        if clip.link is not None:
            yield f"      GROUP {clip.link}"
        yield f"      NAME {_quoted(clip.name or media.name)}"
        yield "      VOLPAN 1 0 1 -1"
        yield f"      SOFFS {_number(clip.source_in - media.start)}"
        # The pitch follows the speed, as it does where the editor did not ask for another treatment.
        yield f"      PLAYRATE {_number(clip.speed)} 0 0 -1 0 0.0025"
        yield f"      CHANMODE {0 if video else self._channel_mode(clip)}"
        yield f"      <SOURCE {'VIDEO' if video else _source(media.name)}"
        yield f"        FILE {_quoted(common.plain_path(media, self.losses))}"
        yield "      >"
        yield from self._envelope(clip)
        if clip.notes:
            yield "      <NOTES"
            yield from (f"        |{line}" for line in clip.notes.splitlines())
            yield "      >"
        yield "    >"

    def _envelope(self, clip: EditClip) -> Iterator[str]:
        """The take's volume; its points count the media's seconds, not the timeline's."""
        if clip.gain is None or keyframes.is_unity(clip.gain):
            return
        yield "      <VOLENV"
        yield "        ACT 1 -1"
        yield "        VIS 1 1 1"
        yield "        ARM 0"
        yield "        DEFSHAPE 0 -1 -1"
        line = keyframes.cut(clip.gain, Fraction(0), clip.duration)
        for t, gain in keyframes.to_amplitude_points(keyframes.simplify(line.times, line.db)):
            yield f"        PT {_number(t * clip.speed)} {gain:.9f} 0"
        yield "      >"

    def _channel_mode(self, clip: EditClip) -> int:
        """REAPER's number for the channels a take plays: 0 all, 1 swapped, 3 + n one, 67 + n a pair from n on."""
        picks = clip.channels
        if picks is None:
            return 0
        first = clip.media.streams[0] if clip.media is not None and clip.media.streams else max(picks) + 1
        if max(picks) < first:
            if picks == (1, 0):
                return 1
            if len(picks) == 1:
                return 3 + picks[0]
            if len(picks) == 2 and picks[1] == picks[0] + 1:
                return 67 + picks[0]
        self.losses.add("Clips that choose other channels than one, or a pair of neighbours, play all", 1)
        return 0


def _source(name: str) -> str:
    return _SOURCES.get(Path(name).suffix.lower(), "VIDEO")


def _number(value: Fraction) -> str:
    text = f"{float(value):.12f}".rstrip("0").rstrip(".")
    return text if text not in ("", "-0") else "0"


def _guid(*parts: object) -> str:
    """The same identifier for the same place in the same project."""
    return f"{{{str(uuid.uuid5(_SPACE, repr(parts))).upper()}}}"


def _quoted(text: str) -> str:
    """A word in the quotes that do not occur in it, on one line."""
    flat = " ".join(text.split())
    mark = next((mark for mark in "\"'`" if mark not in flat), None)
    return f"{mark}{flat}{mark}" if mark is not None else "`" + flat.replace("`", "'") + "`"
