"""CMX 3600 edit decision lists with sound."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from ..engine.edit import keyframes
from ..engine.edit.losses import Losses
from ..engine.edit.model import Edit, EditClip, EditMedia, EditTrack, EditTransition
from ..engine.errors import SettingsError
from ..engine.media.time import timecode, to_frames
from . import common
from .common import Frames

TITLE = "CMX 3600 EDL"
CHANNELS = 4
_MOST_EVENTS = 999
_NOT_REEL = re.compile(r"[^A-Z0-9_]+")
# The four sound channels: two have codes of their own, the others stand on a line below the event.
_CODES = {(1,): "A", (2,): "A2", (1, 2): "AA", (3,): "NONE", (4,): "NONE", (3, 4): "NONE", (2, 3): "A2"}


def write(edit: Edit, out: Path) -> tuple[str, ...]:
    """Write `edit` as a CMX 3600 list to `out`; returns what the format could not carry, a sentence each.

    One picture track and four channels of sound: tracks fill as many channels as they are wide while all fit, else
    one each; disabled tracks stay away. Gain curves become comments. Raises WriteError.
    """
    rate = edit.rate
    nominal, _ = common.timebase(rate, TITLE)
    losses = Losses(edit.losses)
    if nominal > 30:
        losses.add(f"Timecode counts {nominal} frames per second, which CMX 3600 did not know.")
    writer = _Writer(common.feasible(edit, losses), losses)
    lines = list(writer.lines())
    common.write_lines(lines, out, newline="\r\n")
    return losses.sentences()


def check(edit: Edit) -> None:
    """Raise WriteError where the timeline's rate counts no frames."""
    common.timebase(edit.rate, TITLE)


@dataclass(frozen=True)
class _Line:
    """A track and where it goes: "V", or the sound channels it fills."""

    track: EditTrack
    channels: tuple[int, ...]

    @property
    def code(self) -> str:
        return _CODES[self.channels] if self.channels else "V"

    @property
    def below(self) -> str:
        """The line that names channels 3 and 4."""
        far = [str(c) for c in self.channels if c > 2]
        return "AUD   " + "    ".join(far) if far else ""


@dataclass(frozen=True)
class _Event:
    """A clip on its line, and how many frames of a dissolve from `before` (None: from black) lead into it."""

    line: _Line
    clip: EditClip
    frames: Frames
    dissolve: int = 0
    before: EditClip | None = None


class _Writer:
    def __init__(self, edit: Edit, losses: Losses) -> None:
        self.edit = edit
        self.rate = edit.rate
        self.drop = common.drops(edit, edit.rate)
        self.losses = losses
        self._reels: dict[EditMedia, str] = {}

    def lines(self) -> Iterator[str]:
        yield f"TITLE: {' '.join(self.edit.name.split()) or 'sightmix'}"
        yield f"FCM: {'DROP FRAME' if self.drop else 'NON-DROP FRAME'}"
        yield ""
        events = sorted(self._events(), key=lambda e: (e.frames.start, e.line.channels))
        if len(events) > _MOST_EVENTS:
            self.losses.add(f"The list has {len(events)} events; CMX 3600 numbers {_MOST_EVENTS} of them.")
        for number, event in enumerate(events, 1):
            yield from self._event(number, event)

    def _events(self) -> Iterator[_Event]:
        for line in self._assigned():
            for clip in line.track.clips:
                frames = Frames(clip, self.rate)
                if frames.length < 1 or not clip.enabled:
                    self.losses.add("Disabled clips and clips shorter than half a frame are left out", 1)
                    continue
                if not frames.exact:
                    self.losses.add("Cuts between frames are rounded", 1)
                if clip.fade_out:
                    self.losses.add("Fades to black or silence are left out", 1)
                yield self._shifted(line, clip)

    def _shifted(self, line: _Line, clip: EditClip) -> _Event:
        """The clip with its dissolves the way lists have them: one begins where the new clip does."""
        track = line.track
        moved = _moved(track, clip)
        frames = Frames(moved, self.rate)
        into = _at(track, clip.start)
        before = next((c for c in track.clips if c.end == clip.start), None)
        if clip.fade_in:
            return _Event(line, moved, frames, to_frames(clip.fade_in, self.rate))
        if into is None or before is None:
            return _Event(line, moved, frames)
        if into.before:
            self.losses.add("Dissolves keep their beginning and length, but not where their cut was", 1)
        length = to_frames(into.before + into.after, self.rate)
        return _Event(line, moved, frames, length, _moved(track, before))

    def _assigned(self) -> Iterator[_Line]:
        """Which track goes where."""
        pictures = [t for t in self.edit.tracks if t.kind == "video" and t.clips and t.enabled]
        sounds = [t for t in self.edit.tracks if t.kind == "audio" and t.clips and t.enabled]
        if any(not t.enabled and t.clips for t in self.edit.tracks):
            self.losses.add("Disabled tracks are left out.")
        if len(pictures) > 1:
            self.losses.add("Only the lowest picture track is written.")
        yield from (_Line(track, ()) for track in pictures[:1])
        wide = sum(t.channels for t in sounds) > CHANNELS
        if any(t.channels > 1 for t in sounds) and wide:
            self.losses.add("Tracks take one channel each, however wide they are: a list has four in all.")
        if wide and len(sounds) > CHANNELS:
            left = ", ".join(t.name or "unnamed" for t in sounds[CHANNELS:])
            self.losses.add(f"Sound tracks beyond the fourth channel are left out: {left}.")
        first = 1
        for track in sounds[:CHANNELS] if wide else sounds:
            width = 1 if wide else track.channels
            yield from self._lines_for(track, first, width)
            first += width

    @staticmethod
    def _lines_for(track: EditTrack, first: int, width: int) -> Iterator[_Line]:
        channels = tuple(range(first, first + width))
        if channels in _CODES:
            yield _Line(track, channels)
            return
        for part in (channels[:2], channels[2:]):
            if part:
                yield _Line(track, part)

    # Events.

    def _event(self, number: int, event: _Event) -> Iterator[str]:
        line, clip, frames = event.line, event.clip, event.frames
        reel = self._reel(clip)
        origin = to_frames(self.edit.start, self.rate)
        record = self._span(origin + frames.start, frames.length)
        head = f"{number:03d}  {{reel:<8}} {line.code:<5}"
        if event.dissolve:
            old = event.before
            at = self._out_point(old) if old else 0
            start = origin + frames.start
            still = f"{self._span(at, 0)} {self._span(start, 0)}"
            yield f"{head.format(reel=self._reel(old) if old else 'BL')} C        {still}"
        cut = f"D    {event.dissolve:03d}" if event.dissolve else "C       "
        yield f"{head.format(reel=reel)} {cut} {self._source(clip, frames)} {record}"
        if line.below:
            yield line.below
        yield from self._comments(line, clip, frames, reel, origin)

    def _comments(self, line: _Line, clip: EditClip, frames: Frames, reel: str, origin: int) -> Iterator[str]:
        if clip.speed != 1:
            speed = float(clip.speed * self.rate)
            yield f"M2   {reel:<8} {speed:08.3f}                {self._source(clip, frames).split()[0]}"
        yield f"* FROM CLIP NAME: {' '.join(clip.name.split())}"
        if clip.media is not None and (clip.media.path or clip.media.url):
            yield f"* SOURCE FILE: {clip.media.path or clip.media.url}"
        yield f"* TRACK: {line.track.name}"
        if clip.gain is not None and line.channels:
            self.losses.add("Gain curves are comments, which no editor applies", 1)
            names = " ".join(f"A{c}" for c in line.channels)
            length = frames.length / self.rate
            points = common.points(clip.gain, length, keyframes.SILENCE_DB, common.LOUDEST_DB, self.rate)
            for t, db in points if common.constant(points) is None else points[:1]:
                at = self._code(origin + frames.start + to_frames(t, self.rate))
                yield f"* AUDIO LEVEL AT {at} IS {db:+.2f} DB  (REEL {reel} {names})"
        yield ""

    # Reels and timecode.

    def _reel(self, clip: EditClip) -> str:
        """A name of up to eight letters and figures, one for each file."""
        media = clip.media
        if media is None:
            return "AX"
        if media not in self._reels:
            stem = _NOT_REEL.sub("_", Path(media.name).stem.upper()).strip("_")[:8] or "AX"
            taken = set(self._reels.values())
            number = 1
            name = stem
            while name in taken:
                number += 1
                name = f"{stem[: 8 - len(str(number))]}{number}"
            self._reels[media] = name
        return self._reels[media]

    def _source(self, clip: EditClip, frames: Frames) -> str:
        stamp = clip.media.start if clip.media else Fraction(0)
        first = to_frames(stamp + frames.offset, self.rate)
        length = frames.length if clip.speed == 1 else to_frames(clip.duration * abs(clip.speed), self.rate)
        return self._span(first, length)

    def _out_point(self, clip: EditClip) -> int:
        frames = Frames(clip, self.rate)
        stamp = clip.media.start if clip.media else Fraction(0)
        return to_frames(stamp + frames.offset + frames.length / self.rate * clip.speed, self.rate)

    def _span(self, first: int, length: int) -> str:
        return f"{self._code(first)} {self._code(first + length)}"

    def _code(self, frame: int) -> str:
        try:
            return timecode(frame / self.rate, self.rate, self.drop)
        except SettingsError:
            return timecode(frame / self.rate, self.rate)


def _at(track: EditTrack, cut: Fraction) -> EditTransition | None:
    return next((t for t in track.transitions if t.cut == cut), None)


def _moved(track: EditTrack, clip: EditClip) -> EditClip:
    """The clip from where its dissolve begins to where the next one does."""
    into, out = _at(track, clip.start), _at(track, clip.end)
    early = into.before if into else Fraction(0)
    late = out.before if out else Fraction(0)
    return replace(
        clip,
        start=clip.start - early,
        source_in=clip.source_in - early * clip.speed,
        duration=clip.duration + early - late,
        gain=keyframes.extended(clip.gain, early),
    )
