"""The lines of an edit decision list: events, what is said of them, and what their timecodes count.

The form is that of CMX 3600 and of the lists like it (CMX 340, GVG, Sony): an event number, a reel, channels, the edit
with its length, and four timecodes (source in and out, record in and out). What editors add stands in comments below.
Drop-frame timecode is known by the `FCM` line or by ";" or "," before the frames (CMX 3600).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from ...engine.media.time import round_half_up

_TIMECODE = re.compile(r"(\d{1,2})[:;.,](\d{2})[:;.,](\d{2})([:;.,])(\d{2,3})", re.ASCII)
_FRAMES = re.compile(r"\d{1,9}", re.ASCII)
_NUMBER = re.compile(r"[0-9A-Z]{0,7}\d[0-9A-Z]{0,4}", re.ASCII | re.IGNORECASE)
_EDIT = re.compile(r"C|D|W\d{0,3}|K[BO]?", re.ASCII)
_CHANNEL = re.compile(r"AA|A\d{0,2}|V\d{0,2}|B", re.ASCII)
_CHANNELS = re.compile(rf"NONE|(?:{_CHANNEL.pattern})(?:[/,+&]?(?:{_CHANNEL.pattern}|\d{{1,2}}))*", re.ASCII)
_SPEED = re.compile(
    r"M2\s+(?P<reel>.*?)\s*(?P<speed>-?\d+(?:\.\d*)?)\s+\d\d[:;.,]\S*$", re.ASCII | re.IGNORECASE
)
_COMMENT = re.compile(
    r"[*>]*\s*((?:FROM |TO |KEY |AUDIO |FROM KEY )?CLIP NAME\b|[A-Z][A-Z_ ]*(?=:))\s*:?\s*(.*)", re.IGNORECASE
)
_AUD = re.compile(r"AUD((?:\s+\d{1,2})+)", re.ASCII | re.IGNORECASE)
_DROPPING, _NOT_DROPPING = ";,", ":"

Channels = tuple[str, ...]


@dataclass(frozen=True)
class Event:
    """An event: `edit` is C, D, W… or K…, `length` the frames of its transition, `codes` source in and out, record in
    and out as they stand. `drop` is what the last FCM line says (None: there was none), `said` the comments by what
    they are of, `others` the rest of them, `speed` what an M2 line says in frames per second.
    """

    number: str
    reel: str
    channels: Channels
    edit: str
    length: int
    codes: tuple[str, str, str, str]
    drop: bool | None = None
    said: dict[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    speed: str = ""


@dataclass
class Lines:
    """A list as it stands: its events in order, its title, its first FCM line, its locators (timecode, rest), and
    lines that begin like events and are none.
    """

    title: str = ""
    drop: bool | None = None
    events: list[Event] = field(default_factory=list)
    locators: list[tuple[str, str]] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)


def read_lines(text: str) -> Lines:
    """Every event of a list, with the comments that belong to it."""
    found, drop, group = Lines(), None, 0
    for line in (line.strip() for line in text.splitlines()):
        upper = line.upper()
        event = _event(line, drop)
        if event is not None:
            if not found.events or not _same(found.events[-1], event):
                group = len(found.events)
            found.events.append(event)
        elif upper.startswith("TITLE:"):
            found.title = line[6:].strip()
        elif upper.startswith("FCM"):
            drop = (
                "NON" not in upper
                and ("DROP" in upper or upper.rstrip().endswith("DF"))
                and "NDF" not in upper
            )
            found.drop = drop if found.drop is None else found.drop
        elif line[:1].isdecimal() and len(line.split()) > 5:
            found.odd.append(line)
        elif found.events and line:
            _remark(found, group, line)
    return found


def _same(last: Event, event: Event) -> bool:
    """Whether an event goes with the line before it: a transition, whose comments stand below both."""
    return last.number == event.number and (event.edit != "C" or not last.said)


def _event(line: str, drop: bool | None) -> Event | None:
    """A line as an event, None where it is none."""
    words = line.split()
    first = next((i for i in range(len(words) - 4, 1, -1) if all(map(_is_code, words[i : i + 4]))), 0)
    if first < 2 or not _NUMBER.fullmatch(words[0]):
        return None
    codes = (words[first], words[first + 1], words[first + 2], words[first + 3])
    head = words[1:first]
    length = (
        int(head.pop()) if len(head) > 1 and _FRAMES.fullmatch(head[-1]) and not _is_edit(head[-1]) else 0
    )
    if len(head) > 1 and head[-2].upper() == "K" and head[-1].upper() in ("B", "O"):
        head[-2:] = ["K" + head[-1].upper()]
    if not head or not _is_edit(head[-1]):
        return None
    edit = head.pop().upper()
    known = bool(head) and _CHANNELS.fullmatch(head[-1].upper()) is not None
    channels = _channels(head.pop().upper()) if known or len(head) > 1 else ("V", "A1")
    return Event(words[0], " ".join(head), channels, edit, length, codes, drop)


def _is_edit(word: str) -> bool:
    return _EDIT.fullmatch(word.upper()) is not None


def _is_code(word: str) -> bool:
    return _TIMECODE.fullmatch(word) is not None or _FRAMES.fullmatch(word) is not None


def _channels(word: str) -> Channels:
    """The tracks of a channel code: V, A1 to A99, both of B and AA; what is none of these names its own track."""
    if word == "NONE":
        return ()
    if not _CHANNELS.fullmatch(word):
        return (word,)
    names: list[str] = []
    for part in re.findall(rf"{_CHANNEL.pattern}|\d{{1,2}}", word):
        if part.isdecimal() and names:
            names.append(names[-1][0] + part)
        else:
            names += {"A": ["A1"], "AA": ["A1", "A2"], "B": ["V", "A1"], "V1": ["V"]}.get(part, [part])
    return tuple(dict.fromkeys(names))


def _remark(found: Lines, first: int, line: str) -> None:
    """Put what a line says to the events from `first` on, which it stands below."""
    speed, aud = _SPEED.match(line), _AUD.match(line)
    if speed is not None:
        _sped(found.events, first, speed.group("reel"), speed.group("speed"))
        return
    if aud is not None:
        added = tuple(f"A{int(number)}" for number in aud.group(1).split())
        last = found.events[-1]
        found.events[-1] = replace(last, channels=tuple(dict.fromkeys((*last.channels, *added))))
        return
    comment = _COMMENT.fullmatch(line)
    key = " ".join(comment.group(1).upper().split()) if comment is not None else ""
    if comment is not None and key == "LOC":
        code, _, rest = comment.group(2).partition(" ")
        found.locators.append((code, rest.strip()))
        return
    for i in range(first, len(found.events)):
        event = found.events[i]
        if comment is not None and comment.group(2).strip():
            event = replace(event, said={**event.said, key: event.said.get(key) or comment.group(2).strip()})
        found.events[i] = replace(event, others=(*event.others, line.lstrip("* ")))


def _sped(events: list[Event], first: int, reel: str, speed: str) -> None:
    """Give an M2 line's speed to the event of its reel, or to the last one."""
    fitting = [i for i in range(first, len(events)) if events[i].reel.upper() == reel.strip().upper()]
    place = fitting[-1] if fitting else len(events) - 1
    events[place] = replace(events[place], speed=speed)


def drops(code: str) -> bool | None:
    """Whether a timecode says by its last separator that it drops frames; None where it leaves that to the FCM line."""
    match = _TIMECODE.fullmatch(code)
    return True if match is not None and match.group(4) in _DROPPING else None


def highest_frame(events: Sequence[Event]) -> int:
    """The highest number of a frame within its second."""
    found = (_TIMECODE.fullmatch(code) for event in events for code in event.codes)
    return max((int(match.group(5)) for match in found if match is not None), default=0)


def frames(code: str, rate: Fraction, drop: bool) -> int | None:
    """Frames since midnight; None for a timecode that does not exist at `rate` frames per second.

    Frames are dropped (SMPTE ST 12-1) where a second has 30, 60 or 120 of them, whatever the exact rate.
    """
    if _FRAMES.fullmatch(code):
        return int(code)
    match = _TIMECODE.fullmatch(code)
    nominal = max(1, round_half_up(rate))
    if match is None:
        return None
    hours, minutes, seconds, frame = (int(match.group(i)) for i in (1, 2, 3, 5))
    if minutes > 59 or seconds > 59 or frame >= nominal:
        return None
    whole = hours * 60 + minutes
    dropped = nominal // 15 * (whole - whole // 10) if drop and nominal % 30 == 0 else 0
    return (whole * 60 + seconds) * nominal + frame - dropped
