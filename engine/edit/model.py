"""A timeline understood once: flat tracks of clips in exact seconds, whatever host wrote it.

`reader.py` makes it of an OTIO document. Planning, the picture, the sum of what sounds and every writer work on it;
what has to be written back goes to the document itself, by the clips' pointers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from ..roles import TRACK_NAMES
from ..stamp import Stamp
from .nodes import Pointer

ROLES = TRACK_NAMES

Point = tuple[Fraction, Fraction]
State = Literal["online", "offline", "unsupported"]
Side = Literal["both", "out", "in"]


@dataclass(frozen=True)
class GainCurve:
    """A volume line: `times` in seconds from the clip's first sample, rising, and as many levels in dB.

    Between two points the level runs straight in dB; before the first and after the last it stays. Points before 0
    and past the clip's end are heard where a transition plays the clip's handles.
    """

    times: tuple[Fraction, ...]
    db: tuple[float, ...]


@dataclass(frozen=True)
class PanLine:
    """Where a sound lies: `times` in seconds from the clip's in point, rising, and as many places from -1 to 1."""

    times: tuple[Fraction, ...]
    places: tuple[float, ...]


@dataclass(frozen=True)
class EditMedia:
    """A media file. `url` is what the timeline calls it, `path` where it was found (None: offline).

    `start` is the media's own first time stamp (seconds), `duration` its length; None where nobody knows. Figures of
    sound and picture are None or 0 where the file has none of it or cannot be read. `stamp` is of the file as it was
    looked at: whoever plays it later asks for that one.
    """

    name: str
    url: str
    path: Path | None
    start: Fraction = Fraction(0)
    duration: Fraction | None = None
    sample_rate: int = 0
    channels: int = 0
    streams: tuple[int, ...] = ()  # channels of every audio stream, in file order
    width: int = 0
    height: int = 0
    rate: Fraction | None = None  # frames per second of the picture
    bits: int = 0
    still: bool = False
    stamp: Stamp | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class EditClip:
    """A clip on a track.

    `start` is record time in seconds from the timeline's first frame, `source_in` the place in the media in the
    media's own time stamps (so the file offset is `source_in - media.start`). `speed` is media seconds per record
    second: 0 a freeze, negative reverse; where `ramp` is given it holds the clip's (record, media) points instead,
    record seconds from the clip's first moment, media in its own time stamps, both ends included. `channels` are the
    channels played, counted from 0 over all streams of the file, None for all of the first stream. `enabled` says
    that it and everything it lies in plays, but for its track. `fade_in` and `fade_out` (seconds) come from hosts'
    faders, or from transitions to or from nothing. `pan` is
    what the host says, which nothing here plays yet. `link` is the same for clips that belong together, None where
    nothing says so. `pointer` is the clip's place in the document and `skipped` how much of it a compound around it
    trims off its beginning (record s). `problem` is one sentence about what could not be understood of it, `state` and
    `reason` say whether its media can be read, and why not; `title` that what lies below it is seen through it.
    """

    name: str
    start: Fraction
    duration: Fraction
    media: EditMedia | None
    source_in: Fraction = Fraction(0)
    speed: Fraction = Fraction(1)
    channels: tuple[int, ...] | None = None
    enabled: bool = True
    gain: GainCurve | None = None
    fade_in: Fraction = Fraction(0)
    fade_out: Fraction = Fraction(0)
    pan: PanLine | None = None
    link: int | None = None
    notes: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    ramp: tuple[Point, ...] = ()
    pointer: Pointer = ()
    skipped: Fraction = Fraction(0)
    problem: str = ""
    state: State = "online"
    reason: str = ""
    title: bool = False

    @property
    def end(self) -> Fraction:
        """Record time of the first moment after the clip, in seconds."""
        return self.start + self.duration


@dataclass(frozen=True)
class EditTransition:
    """A transition around the cut at record time `cut` (s), `before` and `after` it in seconds.

    `side` is "both" for a dissolve between two clips that meet, "out" where only one ends there, "in" where only one
    begins; `pointer` is its place in the document.
    """

    cut: Fraction
    before: Fraction
    after: Fraction
    name: str = ""
    side: Side = "both"
    pointer: Pointer = ()


@dataclass(frozen=True)
class EditMarker:
    """A marker at record time `start` (s)."""

    start: Fraction
    duration: Fraction
    name: str
    note: str = ""
    color: str = ""


@dataclass(frozen=True)
class EditTrack:
    """A track, "video" or "audio", its clips in record order without overlap.

    `role` is one of `ROLES` on tracks of ours, what their clips hold where that is known, and empty elsewhere;
    `channels` the width of an audio track; `layer` the number of the document's track that it comes from, from 0: a
    track that holds compounds becomes several.
    """

    kind: str
    name: str
    clips: tuple[EditClip, ...]
    transitions: tuple[EditTransition, ...] = ()
    role: str = ""
    channels: int = 2
    enabled: bool = True
    layer: int = 0


@dataclass(frozen=True)
class Edit:
    """A timeline: video tracks from the bottom up, then audio tracks from the top down.

    `rate` is frames per second (NTSC rates as n·1000/1001), `start` the time of day of the first frame in seconds
    of real time, `losses` what could not be understood or carried, a sentence each, `unheard` what the editor
    hears or sees and no stage takes into account, `length` what the timeline takes, gaps behind its last clip too.
    """

    name: str
    rate: Fraction
    tracks: tuple[EditTrack, ...]
    start: Fraction = Fraction(0)
    drop_frame: bool = False
    width: int = 1920
    height: int = 1080
    sample_rate: int = 48000
    markers: tuple[EditMarker, ...] = ()
    losses: tuple[str, ...] = ()
    unheard: tuple[str, ...] = ()
    length: Fraction = Fraction(0)

    @property
    def duration(self) -> Fraction:
        """Record seconds until the timeline's end: its last clip's, or that of a gap behind it."""
        return max((self.length, *(c.end for t in self.tracks for c in t.clips)))
