"""Where the playhead is in the timeline's own terms, and how it is moved: timecode, frames, clips and loops."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Protocol

from ...engine.errors import SettingsError
from ...engine.media.time import parse_timecode, round_half_up, timecode, to_frames
from ..base.topics import Topic
from .clips import Clips
from .state import Document
from .stills import frame_at

_HALF_DAY = 12 * 3600
_RELATIVE = re.compile(r"([+-])\s*([0-9:]+)")
_PARTS = re.compile(r"[0-9]{1,8}|[0-9]{1,2}(?::[0-9]{1,2}){1,3}")


class Deck(Protocol):
    """What the transport needs of a deck (`control.deck`); places are record samples, `rate` of them a second."""

    rate: int
    moved: Topic[[int]]
    side_changed: Topic[[str]]
    state: Topic[[]]
    starving_changed: Topic[[bool]]

    @property
    def position(self) -> int:
        """Where it is."""

    @property
    def samples(self) -> int:
        """How long the programme is."""

    @property
    def playing(self) -> bool:
        """Whether it plays."""

    @property
    def speed(self) -> float:
        """How fast, and below 0 backwards."""

    @property
    def starving(self) -> bool:
        """Whether it waits for the engine."""

    @property
    def side(self) -> str:
        """The side that is heard, "before" or "after"."""

    @property
    def residual(self) -> bool:
        """Whether what was taken away is heard."""

    @property
    def matched(self) -> bool:
        """Whether both sides are equally loud."""

    @property
    def match_db(self) -> float:
        """By how much the side after is turned up for that."""

    @property
    def loop(self) -> tuple[int, int] | None:
        """Between which samples it loops."""

    @property
    def volume_db(self) -> float:
        """The monitor's volume in dB."""

    @property
    def silent(self) -> bool:
        """Whether the monitor is muted."""

    def seek(self, sample: int) -> None:
        """Go to a sample."""

    def toggle(self) -> None:
        """Play or stop."""

    def pause(self) -> None:
        """Stop."""

    def shuttle(self, way: int) -> None:
        """J (-1), K (0) and L (1)."""

    def set_loop(self, loop: tuple[int, int] | None) -> None:
        """Loop between two samples, or not."""

    def ab(self) -> None:
        """Hear the other side."""

    def set_side(self, side: str) -> None:
        """Hear a side."""

    def set_residual(self, on: bool) -> None:
        """Hear what was taken away."""

    def set_matched(self, on: bool) -> None:
        """Bring both sides to one loudness."""

    def set_volume(self, db: float) -> None:
        """The monitor's volume in dB."""

    def set_silent(self, on: bool) -> None:
        """Mute the monitor."""


class Transport:
    """A deck in the terms of the timeline that is open.

    `marked` is the stretch of record seconds that a loop takes, where somebody has marked one. `changed` tells that
    another timeline is open, or none.
    """

    def __init__(self, deck: Deck, clips: Clips) -> None:
        self.changed: Topic[[]] = Topic()
        self.deck = deck
        self.marked: tuple[float, float] | None = None
        self._clips = clips
        clips.opened.subscribe(lambda _: self._begin())
        clips.state_changed.subscribe(self._see)
        self._open = clips.document is not None

    @property
    def document(self) -> Document | None:
        """The open timeline."""
        return self._clips.document

    @property
    def seconds(self) -> float:
        """Record seconds of the playhead."""
        return self.deck.position / self.deck.rate

    @property
    def timecode(self) -> str:
        """The playhead in the timeline's own timecode; "" where nothing is open."""
        document = self.document
        if document is None:
            return ""
        frame = Fraction(frame_at(self.seconds, document)) / document.rate
        return timecode(document.start + frame, document.rate, document.drop_frame)

    def go(self, seconds: float) -> None:
        """Go to record seconds, exactly."""
        self.deck.seek(round_half_up(Fraction(seconds).limit_denominator(1_000_000) * self.deck.rate))

    def go_to(self, text: str) -> None:
        """Go to a timecode as editors type it (`read_timecode`); raises SettingsError for what is none."""
        document = self.document
        if document is not None:
            self._go_to_frame(read_timecode(text, document, frame_at(self.seconds, document)))

    def step(self, frames: int) -> None:
        """Go so many frames on, or back, from the frame that is seen; playing stops."""
        document = self.document
        if document is not None:
            self.deck.pause()
            self._go_to_frame(frame_at(self.seconds, document) + frames)

    def to_start(self) -> None:
        """Go to the first frame."""
        self.deck.seek(0)

    def to_end(self) -> None:
        """Go to the end."""
        self.deck.seek(self.deck.samples)

    def go_to_clip(self, index: int) -> None:
        """Go to where a clip begins."""
        self.go(self._clips.row(index).record_in)

    def mark(self, stretch: tuple[float, float] | None) -> None:
        """Mark a stretch of record seconds, for loops; a loop that runs takes it at once."""
        self.marked = stretch
        if self.deck.loop is not None:
            self.set_loop(stretch is not None)

    def set_loop(self, on: bool) -> None:
        """Loop: what is marked, else what is chosen, else the clip under the playhead, else all; or not."""
        if not on:
            self.deck.set_loop(None)
            return
        first, last = self.looped()
        rate = self.deck.rate
        self.deck.set_loop((round(first * rate), round(last * rate)))

    def looped(self) -> tuple[float, float]:
        """The stretch that a loop would take now, in record seconds."""
        if self.marked is not None:
            return self.marked
        chosen = [self._clips.row(index) for index in self._clips.choice.chosen]
        rows = (
            chosen or [row for row in self._clips.rows if row.record_in <= self.seconds < row.record_out][:1]
        )
        if not rows:
            return 0.0, self.deck.samples / self.deck.rate
        return min(row.record_in for row in rows), max(row.record_out for row in rows)

    def _begin(self) -> None:
        self.mark(None)
        self._open = True
        self.changed.emit()

    def _see(self) -> None:
        if self._open != (self.document is not None):
            self._open = self.document is not None
            self.changed.emit()

    def _go_to_frame(self, frame: int) -> None:
        document = self.document
        assert document is not None
        self.deck.seek(max(0, round_half_up(frame / document.rate * self.deck.rate)))


def read_timecode(text: str, document: Document, at: int) -> int:
    """The frame of the record that somebody means, 0 at the least; `at` is the one they are at.

    Whole timecodes count as they are: "01:00:10:00", or "01001000". Of shorter ones, what is missing in front is taken
    from where they are: "10:10" is the tenth frame of the tenth second of this minute. "+12" and "-1:00" go so far from
    here. Raises SettingsError for anything else.
    """
    said = text.strip().replace(",", ":").replace(".", ":").replace(";", ":")
    relative = _RELATIVE.fullmatch(said)
    body = relative.group(2) if relative else said
    if not _PARTS.fullmatch(body):
        raise SettingsError(
            f"{text.strip()!r} is not a timecode; write hh:mm:ss:ff, or +10 for ten frames on."
        )
    if relative is not None:
        distance = _distance(body, document)
        return max(0, at + (distance if relative.group(1) == "+" else -distance))
    parts = _parts(body)
    here = timecode(document.start + at / document.rate, document.rate, document.drop_frame)
    parts = [*(int(part) for part in re.split("[:;]", here)[: 4 - len(parts)]), *parts]
    sign = ";" if document.drop_frame else ":"
    hours, minutes, seconds, frames = (f"{part:02d}" for part in parts)
    found = parse_timecode(f"{hours}:{minutes}:{seconds}{sign}{frames}", document.rate)
    if found < document.start - _HALF_DAY:  # timelines run over midnight
        found += 2 * _HALF_DAY
    return max(0, to_frames(found - document.start, document.rate))


def _parts(text: str) -> list[int]:
    """Hours, minutes, seconds and frames, as far as they were said, from the right."""
    if text.isdecimal():
        return [int(text[max(0, end - 2) : end]) for end in range(len(text), 0, -2)][::-1]
    return [int(part) for part in text.split(":")]


def _distance(text: str, document: Document) -> int:
    """A distance in frames; a number without colons counts frames."""
    parts = [int(part) for part in text.split(":")]
    nominal = max(1, round_half_up(document.rate))
    hours, minutes, seconds, frames = [0] * (4 - len(parts)) + parts
    return ((hours * 60 + minutes) * 60 + seconds) * nominal + frames
