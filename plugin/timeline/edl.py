"""Edit decision lists (CMX 3600 and its kin) as OTIO documents.

A channel is a track. Events lie where their record times say, from the first of them on, which is the timeline's
start; where two of one channel overlap by more than a frame the later one goes to a track of its own, so that nothing
is lost. A source that lies on several channels of sound plays one of its own on each. A dissolve or wipe begins at its
event's record in (CMX 3600); a key's foreground lies on a track above.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from ...engine.edit.nodes import Node
from ...engine.edit.timemap import speed_effect
from ...engine.errors import TimelineError
from ...engine.media.time import round_half_up
from . import build
from .edl_lines import Event, Lines, drops, frames, highest_frame, read_lines

_PATHS = (
    "FROM CLIP",
    "FROM FILE",
    "SOURCE FILE PATH",
    "SOURCE FILE",
    "FILE PATH",
    "CLIP PATH",
    "UNC PATH",
    "OTIO REFERENCE FROM CLIP",
)
_NAMES = (
    "FROM CLIP NAME",
    "CLIP NAME",
    "AUDIO CLIP NAME",
    "KEY CLIP NAME",
    "FROM KEY CLIP NAME",
    "SOURCE CLIP NAME",
)
_TO = ("TO CLIP NAME", "TO CLIP")
_BLACK = ("BL", "BLK", "BLACK")
_FILE = re.compile(r"[\\/]|\.[A-Za-z0-9]{2,5}$")
_SEQUENCE = re.compile(
    r"(?P<folder>.*[\\/])?(?P<prefix>[^\\/]*)\[(?P<first>\d+)-(?P<last>\d+)\](?P<suffix>\.\w+)"
)
_TRIPLE = r"\(\s*([-+.\d]+)[ ,]+([-+.\d]+)[ ,]+([-+.\d]+)\s*\)"
_DAY = 24 * 3600
_COLORS = ("PINK", "RED", "ORANGE", "YELLOW", "GREEN", "CYAN", "BLUE", "PURPLE", "MAGENTA", "BLACK", "WHITE")


@dataclass(frozen=True)
class _Placed:
    """An event with its places in frames; `length` is what it takes of the record."""

    event: Event
    source: int
    source_length: int
    record: int
    length: int


@dataclass
class _Lane:
    """A track in the making: its items, and the frame it reaches to."""

    items: list[Node] = field(default_factory=list)
    end: int = 0


def read_edl(text: str, rate: Fraction | None, where: str) -> tuple[Node, tuple[str, ...]]:
    """The document of a list counted at `rate` frames per second, and what is to be said of it, a sentence each.

    Without a rate 24, or what its timecodes need: 29.97 where they drop frames. Raises TimelineError, which names the
    list as `where`, for a list without events, or one that cannot count at that rate.
    """
    lines = read_lines(text)
    if not lines.events:
        raise TimelineError(
            f"{where} cannot be read as EDL: no line of it is an event (number, reel, channels, cut, timecodes)."
        )
    return _Reader(lines, rate, where).document()


class _Reader:
    """Turns a list's events into tracks."""

    def __init__(self, lines: Lines, rate: Fraction | None, where: str) -> None:
        self.lines, self.where = lines, where
        self.notes = [
            f"A line of the EDL is no event that can be read; it is left out: {line[:80]}"
            for line in lines.odd
        ]
        self.dropping = self._record_drops()
        self.rate = self._dropped(rate) if rate else self._guessed()
        self.nominal = max(1, round_half_up(self.rate))
        self.sides = _sides(lines)

    def document(self) -> tuple[Node, tuple[str, ...]]:
        found = [self._placed(event) for event in self.lines.events]
        placed = self._after_midnight([one for one in found if one is not None])
        origin = min((one.record for one in placed if one.length), default=0)
        lanes = self._lanes(placed, origin)
        tracks = [
            build.track(name, "Audio" if name.startswith("A") else "Video", lane.items)
            for name, lane in lanes
        ]
        metadata = {"cmx_3600": {"fcm": "DROP FRAME"}} if self.dropping else {}
        start = build.time(origin, self.rate)
        document = build.timeline(self.lines.title, tracks, start, metadata)
        document["tracks"]["markers"] = list(self._markers(origin))
        return document, tuple(dict.fromkeys(self.notes))

    # ---- counting

    def _record_drops(self) -> bool:
        """Whether the record timecode drops frames: by its separators, else by the list's first FCM line."""
        said = any(drops(code) for event in self.lines.events for code in event.codes[2:])
        return said or bool(self.lines.drop)

    def _dropped(self, rate: Fraction) -> Fraction:
        """The rate that was said: 29.97 for 30 where frames are dropped, since that is what they are dropped for."""
        if not self.dropping or rate.denominator != 1 or rate % 30:
            return rate
        exact = rate * 1000 / 1001
        self.notes.append(
            f"The EDL drops frames, which is done at {float(exact):.6g} frames per second; it is counted at that."
        )
        return exact

    def _guessed(self) -> Fraction:
        """24 frames per second, or what the list's numbers need."""
        highest = highest_frame(self.lines.events)
        known = [rate for rate in (24, 25, 30, 50, 60, 120) if rate > highest]
        rate = Fraction(known[0] if known else 240)
        if self.dropping:
            rate = Fraction(60000, 1001) if highest >= 30 else Fraction(30000, 1001)
        if rate != 24:
            why = "its timecode drops frames" if self.dropping else f"it numbers frames up to {highest}"
            self.notes.append(
                f"The EDL does not say its frame rate; it is counted at {float(rate):.6g}, because {why}."
            )
        return rate

    def _frames(self, event: Event, code: str, drop: bool) -> int:
        count = frames(code, self.rate, drop)
        if count is None:
            raise TimelineError(
                f"{self.where} cannot be read as EDL: event {event.number} has the timecode {code[:20]}, which "
                f"does not exist at {float(self.rate):.6g} frames per second; say what the list counts in with --rate."
            )
        return count

    def _placed(self, event: Event) -> _Placed | None:
        """Where an event lies; None for one that takes no time, as the outgoing side of a transition."""
        first, last = (self._frames(event, c, self._drops(c, self.dropping)) for c in event.codes[2:])
        length = last - first
        if length < 0:
            length += _DAY * self.nominal
        if length > _DAY * self.nominal // 2:
            self.notes.append(f"Event {event.number} of the EDL ends before it begins; it is left out.")
            return None
        source, source_length = self._source(event, length)
        return _Placed(event, source, source_length, first, length)

    def _drops(self, code: str, otherwise: bool) -> bool:
        said = drops(code)
        return otherwise if said is None else said

    def _source(self, event: Event, length: int) -> tuple[int, int]:
        """An event's source in and length in frames.

        A source's timecode drops frames as the record's does, or as the FCM line above the event says, whichever
        makes both as long.
        """
        modes = dict.fromkeys(
            (self.dropping if event.drop is None else event.drop, self.dropping, not self.dropping)
        )
        found = []
        for mode in modes:
            first, last = (self._frames(event, code, self._drops(code, mode)) for code in event.codes[:2])
            found.append((first, last - first if last >= first else last - first + _DAY * self.nominal))
        return next((one for one in found if one[1] == length), found[0])

    def _after_midnight(self, placed: list[_Placed]) -> list[_Placed]:
        """The same; what was recorded after midnight lies behind what was recorded before it."""
        hour = 3600 * self.nominal
        late = [one for one in placed if one.record >= 20 * hour]
        early = [one for one in placed if one.record < 4 * hour]
        if not late or not early or len(late) + len(early) < len(placed):
            return placed
        ends_late = any(one.record + one.length >= 23 * hour for one in late)
        if not ends_late:
            return placed
        move = _DAY * self.nominal
        return [
            _Placed(o.event, o.source, o.source_length, o.record + move, o.length)
            if o.record < 4 * hour
            else o
            for o in placed
        ]

    # ---- tracks

    def _lanes(self, placed: list[_Placed], origin: int) -> list[tuple[str, _Lane]]:
        """The tracks by name: picture from the lowest up, then sound."""
        found: dict[str, list[_Lane]] = {}
        for one in sorted((one for one in placed if one.length), key=lambda one: one.record):
            for channel in one.event.channels:
                name = channel
                if one.event.edit in ("K", "KO") and channel.startswith("V"):
                    name = "V2" if channel == "V" else f"{channel} key"
                self._lay(found.setdefault(name, [_Lane()]), one, origin, name)
        named = [
            (f"{name} ({i})" if i > 1 else name, lane)
            for name, lanes in found.items()
            for i, lane in enumerate(lanes, start=1)
        ]
        return sorted(named, key=lambda item: (item[0].startswith("A"), _natural(item[0])))

    def _lay(self, lanes: list[_Lane], one: _Placed, origin: int, name: str) -> None:
        """Put an event on the first of a channel's lanes that is free there."""
        start = one.record - origin
        lane = next((lane for lane in lanes if lane.end <= start), None)
        if lane is None and lanes[0].end - start == 1 and _shortened(lanes[0]):
            lane = lanes[0]
            lane.end -= 1
        if lane is None:
            lane = _Lane()
            lanes.append(lane)
            self.notes.append(
                f"Events of the EDL overlap on channel {name}; the later ones are on a track of their own."
            )
        if start > lane.end:
            lane.items.append(build.gap(start - lane.end, self.rate))
        before = lane.items[-1]["name"] if lane.items else ""
        silent = _is_black(one.event) and name.startswith("A")
        clip = build.gap(one.length, self.rate) if silent else self._clip(one, name)
        if one.event.length and one.event.edit[0] in "DW":
            lane.items.append(self._transition(one, before, clip["name"]))
        lane.items.append(clip)
        lane.end = start + one.length

    def _transition(self, one: _Placed, before: str, after: str) -> Node:
        event = one.event
        kind = "SMPTE_Wipe" if event.edit.startswith("W") else "SMPTE_Dissolve"
        said = {"cmx_3600": {"transition": event.edit, "transition_duration": float(event.length)}}
        name = f"{kind} from {before} to {after}" if before else f"{kind} to {after}"
        return build.transition(name, kind, Fraction(0), Fraction(event.length), self.rate, said)

    def _clip(self, one: _Placed, channel: str) -> Node:
        event = one.event
        reference = self._reference(event, one)
        name = _name(event) or reference["name"] or (event.reel if event.reel != "AX" else "") or event.number
        said: Node = {"event": event.number}
        if event.reel and event.reel != "AX":
            said["reel"] = event.reel
        if event.others:
            said["comments"] = list(event.others)
        metadata: Node = {"cmx_3600": said, **_colours(event), **self._side(event, channel)}
        made = build.clip(name, build.time_range(one.source, one.length, self.rate), reference, metadata)
        pace = self._speed(one)
        if pace != 1:
            made["effects"] = [speed_effect(pace)]
            if not pace and name.endswith(" FF"):
                made["name"] = name[:-3]
        return made

    def _side(self, event: Event, channel: str) -> Node:
        """Which channel of its source an event plays where it lies on several of sound: the first on the first."""
        sides = self.sides.get(_source_key(event), [])
        return (
            {"sightmix_source": {"played": [sides.index(channel)]}}
            if len(sides) > 1 and channel in sides
            else {}
        )

    def _speed(self, one: _Placed) -> Fraction:
        """Source frames per record frame: what the M2 line says, which counts from 30 as often as from 29.97."""
        event = one.event
        if any(line.upper().startswith("FREEZE FRAME") for line in event.others):
            return Fraction(0)
        if event.speed:
            asked = Fraction(event.speed)
            ratio = Fraction(one.source_length, one.length)
            near = min((asked / self.nominal, asked / self.rate), key=lambda pace: abs(abs(pace) - ratio))
            return near.limit_denominator(10000)
        if one.source_length != one.length and not _is_black(event):
            self.notes.append(
                f"Event {event.number} of the EDL takes {one.source_length} frames of its source for {one.length} "
                "of the record and names no speed; it plays at its own, for as long as the record says."
            )
        return Fraction(1)

    def _reference(self, event: Event, one: _Placed) -> Node:
        if _is_black(event):
            return build.generator("black")
        if event.reel.upper() == "BARS":
            return build.generator("SMPTEBars")
        keys = (
            *(_TO if event.edit != "C" else ()),
            *_PATHS,
            *(k for k in event.said if k.startswith("OTIO REFERENCE")),
        )
        for key in keys:
            text = event.said.get(key, "")
            if _FILE.search(text):
                return self._file(text, one)
        text = next((event.said[key] for key in keys if event.said.get(key)), "")
        return build.missing(text or _name(event))

    def _file(self, text: str, one: _Placed) -> Node:
        pictures = _SEQUENCE.fullmatch(text)
        if pictures is None:
            return build.external(text, re.split(r"[\\/]", text)[-1])
        first = pictures["first"]
        return {
            "OTIO_SCHEMA": "ImageSequenceReference.1",
            "metadata": {},
            "name": "",
            "available_range": build.time_range(one.source, one.source_length, self.rate),
            "available_image_bounds": None,
            "target_url_base": pictures["folder"] or "",
            "name_prefix": pictures["prefix"],
            "name_suffix": pictures["suffix"],
            "start_frame": int(first),
            "frame_step": 1,
            "rate": float(self.rate),
            "frame_zero_padding": len(first),
            "missing_frame_policy": "error",
        }

    def _markers(self, origin: int) -> Iterator[Node]:
        """Locators, whose timecodes are the record's."""
        for code, rest in self.lines.locators:
            count = frames(code, self.rate, self._drops(code, self.dropping))
            if count is None:
                continue
            color, _, name = rest.partition(" ")
            known = color.upper() in _COLORS
            yield build.marker(
                name.strip() if known else rest,
                Fraction(count - origin),
                Fraction(0),
                self.rate,
                color.upper() if known else "RED",
            )


def _shortened(lane: _Lane) -> bool:
    """Take a frame off a lane's last item, where it has more than one: two that overlap by it were rounded apart."""
    duration = lane.items[-1]["source_range"]["duration"]
    if duration["value"] <= 1:
        return False
    duration["value"] -= 1.0
    return True


def _source_key(event: Event) -> tuple[object, ...]:
    return event.reel, _name(event), event.codes


def _sides(lines: Lines) -> dict[tuple[object, ...], list[str]]:
    """The channels of sound that one stretch of a source lies on at one place: its own channels, in order."""
    found: dict[tuple[object, ...], set[str]] = {}
    for event in lines.events:
        found.setdefault(_source_key(event), set()).update(c for c in event.channels if c.startswith("A"))
    return {key: sorted(names, key=_natural) for key, names in found.items()}


def _is_black(event: Event) -> bool:
    return event.reel.upper() in _BLACK


def _name(event: Event) -> str:
    """What an event's clip is called: a transition's is the one it leads to."""
    keys = (*_TO, *_NAMES) if event.edit != "C" else _NAMES
    return next((event.said[key] for key in keys if event.said.get(key)), "")


def _colours(event: Event) -> Node:
    """The colour decision of an event (ASC CDL), where the list has one."""
    found = re.match(rf"{_TRIPLE}\s*{_TRIPLE}\s*{_TRIPLE}", event.said.get("ASC_SOP", ""))
    saturation = event.said.get("ASC_SAT", "")
    try:
        values = [float(value) for value in found.groups()] if found else [1.0] * 3 + [0.0] * 3 + [1.0] * 3
        level = float(saturation or 1)
    except ValueError:
        return {}
    if found is None and not saturation:
        return {}
    sop = {"slope": values[:3], "offset": values[3:6], "power": values[6:]}
    return {"cdl": {"asc_sat": level, "asc_sop": sop}}


def _natural(name: str) -> list[tuple[int, str]]:
    """A key that puts A2 before A10."""
    parts = re.findall(r"\d+|\D+", name)
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts]
