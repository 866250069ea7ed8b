"""What crosses between timelines and the engine: a passage goes in, a rendition comes out.

All times are exact seconds (`Fraction`). *Passage time* is media time of the passage's sound, counted from the
first sample of the clip proper: the head handle lies at negative times, the tail handle after `duration`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from .roles import ordered
from .stamp import Stamp


@dataclass(frozen=True)
class Channel:
    """One channel of one audio stream, both counted from 0 inside the file."""

    stream: int
    channel: int


@dataclass(frozen=True)
class Sound:
    """A stretch of one media file's sound.

    `start` is the file offset in seconds of the clip's first sample (0 is the file's first sample).
    `channels` None means every channel of the first audio stream, in file order. `stamp` is of the file that is meant.
    """

    path: Path
    start: Fraction
    duration: Fraction
    channels: tuple[Channel, ...] | None = None
    stamp: Stamp | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Shot:
    """A stretch of picture between two cuts, as the viewer sees it.

    `start` and `duration` are in passage time (`start` is negative for a shot that begins before the clip);
    `media_start` is the file offset shown at `start`, and `speed` media seconds per passage second (0: a freeze or
    a still, negative: reverse). `path` None is black or a picture that cannot be read; `reason` then says why.
    """

    start: Fraction
    duration: Fraction
    path: Path | None
    media_start: Fraction = Fraction(0)
    speed: Fraction = Fraction(1)
    name: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Note:
    """Text an editor left on the timeline (marker or clip note), over a stretch of passage time."""

    start: Fraction
    duration: Fraction
    text: str


@dataclass(frozen=True)
class Passage:
    """One audio clip's sound and the shots seen with it.

    `head` and `tail` are seconds of media to render as handles before and after the clip; they exist in the media.
    `shots` are in order, without gaps, and cover at least [-head, duration + tail] where the timeline has picture;
    neighbours on both sides are included so that a short shot is seen with what surrounds it.
    `record_start` is the clip's start in seconds from the timeline's first frame, `record_offset` the time of day of
    that first frame (global start), both for time stamps only.
    """

    identifier: str
    name: str
    sound: Sound
    head: Fraction = Fraction(0)
    tail: Fraction = Fraction(0)
    shots: tuple[Shot, ...] = ()
    notes: tuple[Note, ...] = ()
    record_start: Fraction = Fraction(0)
    record_offset: Fraction = Fraction(0)
    timecode_rate: Fraction = Fraction(24)
    drop_frame: bool = False

    @property
    def rendered_start(self) -> Fraction:
        """File offset of the first rendered sample in seconds: the clip's start less the head handle."""
        return self.sound.start - self.head

    @property
    def rendered_duration(self) -> Fraction:
        """Seconds of media rendered: head handle, clip, tail handle."""
        return self.head + self.sound.duration + self.tail


@dataclass(frozen=True)
class Loudness:
    """Programme figures of one signal: LUFS, LU, dBTP; -inf where there is only silence."""

    integrated: float
    range: float
    true_peak: float
    momentary_max: float
    short_term_max: float


@dataclass(frozen=True)
class SeenFrame:
    """A frame the model looked at: where it is in the file and at what passage time (seconds), which shot."""

    time: float
    path: Path
    media_time: Fraction
    shot: int


@dataclass(frozen=True)
class GainCurves:
    """Gains in dB over time: `times` (n) seconds of passage time, `levels` a stem's line (n) each.

    The lines are in the order of `roles`. Raises ValueError for a line of another length.
    """

    times: tuple[float, ...]
    levels: Mapping[str, tuple[float, ...]]

    def __post_init__(self) -> None:
        if any(len(line) != len(self.times) for line in self.levels.values()):
            raise ValueError("every gain curve needs a level for every time")
        object.__setattr__(self, "levels", ordered(self.levels))


@dataclass(frozen=True)
class Rendition:
    """What the engine hands back for a passage.

    `path` holds `samples` frames at `sample_rate`, the first of them at `start` seconds of passage time (minus the
    head handle). `stems` maps stems (`roles.STEMS`) to files of the same length that sum to `path` before
    the loudness stage, whose gain is `makeup_db`. With `raw_stems` they are the stems before their gains: they sum
    to the original sound, and times `gains`, which then has a point for every frame of the model's grid, to `path`
    before the loudness stage. `stem_levels` maps each stem to integrated LUFS (before, after),
    `stem_quality` to how well it is thought to have been separated: SI-SDR in dB, for every second from the start.
    """

    identifier: str
    path: Path
    start: Fraction
    samples: int
    sample_rate: int
    channels: int
    before: Loudness
    after: Loudness
    gains: GainCurves
    stems: dict[str, Path] = field(default_factory=dict)
    raw_stems: bool = False
    stem_levels: dict[str, tuple[float, float]] = field(default_factory=dict)
    stem_quality: dict[str, tuple[float, ...]] = field(default_factory=dict)
    frames: tuple[SeenFrame, ...] = ()
    makeup_db: float = 0.0
    provenance: dict[str, object] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
