"""What the writers share: addresses of files, whole frames, points of a volume line, what no medium can give."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from math import ceil
from pathlib import Path
from string import printable
from urllib.parse import quote
from xml.etree import ElementTree as ET

from ..engine.edit import keyframes
from ..engine.edit.keyframes import SILENCE_DB, STEP_DB
from ..engine.edit.losses import Losses
from ..engine.edit.model import Edit, EditClip, EditMedia, EditTrack, GainCurve
from ..engine.errors import WriteError
from ..engine.files import write_text
from ..engine.legible import legible, legible_line
from ..engine.media.time import round_half_up, to_frames

LOUDEST_DB = 12.0  # where the faders of most editors end
_IN_ADDRESSES = "".join(printable.split())  # what stays in an address that is one already
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_DROPPING = (Fraction(30000, 1001), Fraction(60000, 1001))


def address(media: EditMedia, host: str = "") -> str:
    """The file's URI, percent-encoded; `host` is what stands between "file://" and the path."""
    if media.path is not None:
        return f"file://{host}{media.path.absolute().as_uri().removeprefix('file://')}"
    if _DRIVE.match(media.url):
        drive, rest = media.url[:2], media.url[2:].replace("\\", "/")
        return f"file://{host}/{drive}{quote(rest)}"
    if media.url.startswith("/"):
        return f"file://{host}{quote(media.url)}"
    if media.url.startswith("file://"):
        return quote(media.url, safe=_IN_ADDRESSES)
    return f"file://{host}/{quote((media.url or media.name).replace(chr(92), '/'))}"


def plain_path(media: EditMedia, losses: Losses | None = None) -> str:
    """The file's path for formats that know no other address; where they cannot hold it, that is a loss."""
    path = str(media.path.absolute()) if media.path is not None else media.url or media.name
    found = legible_line(path)
    if found != path and losses is not None:
        losses.add(
            "Files with control characters in their names are not found; rename them and export again", 1
        )
    return found


def write_xml(root: ET.Element, out: Path, doctype: str = "") -> None:
    """Write a document that is well-formed whatever its names hold. Raises WriteError."""
    for element in root.iter():
        if element.text:
            element.text = legible(element.text)
        for key, value in element.items():
            element.set(key, legible(value))
    kind = f"<!DOCTYPE {doctype}>\n" if doctype else ""
    body = ET.tostring(root, encoding="unicode")
    write_text(out, f'<?xml version="1.0" encoding="UTF-8"?>\n{kind}{body}\n')


def write_lines(lines: Iterable[str], out: Path, newline: str = "\n") -> None:
    """Write a document of lines, each of which stays one whatever its names hold. Raises WriteError."""
    write_text(out, "".join(f"{legible_line(line)}\n" for line in lines), newline=newline)


def drops(edit: Edit, rate: Fraction) -> bool:
    """Whether the timeline counts drop-frame timecode and `rate` has it."""
    return edit.drop_frame and rate in _DROPPING


def countable(rate: Fraction) -> bool:
    """Whether the rate counts whole frames per second, or 1000/1001 of them."""
    nominal = round_half_up(rate)
    return 1 <= nominal <= 240 and rate in (nominal, Fraction(nominal * 1000, 1001))


def timebase(rate: Fraction, title: str) -> tuple[int, bool]:
    """Frames counted per second and whether they run 1000/1001 as fast.

    Raises WriteError where `title`, a format that counts whole frames, has no such rate.
    """
    if not countable(rate):
        raise WriteError(
            f"{title} cannot hold a timeline of {float(rate):g} frames per second; "
            "give it a rate such as 24, 25 or 29.97 or choose another format."
        )
    nominal = round_half_up(rate)
    return nominal, rate != nominal


def feasible(edit: Edit, losses: Losses) -> Edit:
    """The edit without what no medium can give: clips from before their media, dissolves beyond its ends."""
    return replace(edit, tracks=tuple(_feasible(track, losses) for track in edit.tracks))


def _feasible(track: EditTrack, losses: Losses) -> EditTrack:
    clips = []
    for clip in track.clips:
        late = min(max(-_head(clip), Fraction(0)), clip.duration)
        if late:
            losses.add("Clips that begin before their media start with it", 1)
            gain = keyframes.cut(clip.gain, late, clip.duration) if clip.gain else None
            source = clip.source_in + late * clip.speed
            clips.append(
                replace(
                    clip, start=clip.start + late, duration=clip.duration - late, source_in=source, gain=gain
                )
            )
        else:
            clips.append(clip)
    ends = {clip.end: clip for clip in clips}
    starts = {clip.start: clip for clip in clips}
    joints = []
    for joint in track.transitions:
        old, new = ends.get(joint.cut), starts.get(joint.cut)
        before = min(joint.before, max(_head(new), Fraction(0))) if new else joint.before
        after = min(joint.after, max(_tail(old), Fraction(0))) if old else joint.after
        if (before, after) != (joint.before, joint.after):
            losses.add("Dissolves longer than the media around their cut are shortened", 1)
        if before + after > 0:
            joints.append(replace(joint, before=before, after=after))
    return replace(track, clips=tuple(c for c in clips if c.duration > 0), transitions=tuple(joints))


def _head(clip: EditClip) -> Fraction:
    """Record seconds of media before the clip's first moment, negative where it begins too early."""
    if clip.media is None or clip.speed <= 0:
        return clip.duration
    return (clip.source_in - clip.media.start) / clip.speed


def _tail(clip: EditClip) -> Fraction:
    """Record seconds of media after the clip's last moment."""
    if clip.media is None or clip.media.duration is None or clip.speed <= 0:
        return clip.duration
    return (clip.media.start + clip.media.duration - clip.source_in) / clip.speed - clip.duration


class Frames:
    """A clip on the frame grid: first and last frame on the timeline, and the media time the first one shows."""

    def __init__(self, clip: EditClip, rate: Fraction) -> None:
        self.start = to_frames(clip.start, rate)
        self.end = to_frames(clip.end, rate)
        moved = self.start / rate - clip.start
        offset = clip.source_in - (clip.media.start if clip.media else Fraction(0))
        self.offset = offset + moved * clip.speed
        self.exact = moved == 0 and self.end == clip.end * rate and (offset * rate).denominator == 1

    @property
    def length(self) -> int:
        """Frames on the timeline."""
        return self.end - self.start


def file_channels(clip: EditClip, width: int) -> tuple[int, ...]:
    """The channels a clip plays, counted from 0: its own choice, else its file's first stream, else `width`."""
    if clip.channels is not None:
        return clip.channels
    media = clip.media
    count = (media.streams[0] if media.streams else media.channels) if media else 0
    return tuple(range(count or width))


def points(
    curve: GainCurve, duration: Fraction, low: float, high: float, rate: Fraction | None = None
) -> list[tuple[Fraction, float]]:
    """The volume line over a clip of `duration` seconds as (seconds, dB), from first to last moment.

    With `rate` the times lie on its frames. As few points as keep it within 0.05 dB; levels are cut to `low` … `high`
    dB and no step is larger than `STEP_DB` where the frames allow, so that hosts may draw it straight in dB or in
    amplitude.
    """
    part = keyframes.cut(curve, Fraction(0), duration)
    if rate is None:
        part = keyframes.simplify(part.times, part.db)
        given = list(zip(part.times, part.db, strict=True))
    else:
        given = [(n / rate, db) for n, db in keyframes.frames(part, rate)]
    found: list[tuple[Fraction, float]] = []
    for t, db in given:
        level = min(max(db, low), high)
        if found:
            found += _between(found[-1], (t, level), rate)
        found.append((t, level))
    return found


def constant(line: list[tuple[Fraction, float]]) -> float | None:
    """The level of a line that never changes by more than a hundredth of a dB, else None."""
    levels = [db for _, db in line]
    return levels[0] if max(levels) - min(levels) < 0.01 else None


def amplitude(db: float) -> float:
    """A factor for a level in dB; silence from `SILENCE_DB` down."""
    return 0.0 if db <= SILENCE_DB else 10 ** (db / 20)


def _between(
    a: tuple[Fraction, float], b: tuple[Fraction, float], rate: Fraction | None
) -> list[tuple[Fraction, float]]:
    """Points between two far apart in level, on the straight line in dB."""
    count = ceil(abs(b[1] - a[1]) / STEP_DB)
    times = [a[0] + (b[0] - a[0]) * Fraction(i, count) for i in range(1, count)]
    if rate is not None:
        times = sorted({to_frames(t, rate) / rate for t in times})
    return [(t, a[1] + float((t - a[0]) / (b[0] - a[0])) * (b[1] - a[1])) for t in times if a[0] < t < b[0]]


def too_loud(curve: GainCurve, duration: Fraction, high: float) -> bool:
    """Whether the curve goes beyond what a host's fader reaches, in what is played of it."""
    return any(db > high for db in keyframes.cut(curve, Fraction(0), duration).db)
