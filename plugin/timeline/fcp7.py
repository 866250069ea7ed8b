"""FCP 7 XML, as Final Cut Pro 7, Premiere, Resolve and other programs write it, as an OTIO document.

Clips lie where `start` and `end` say; -1 there is the cut of the transition beside them. What a document says that OTIO
has no place for is kept in `metadata.fcp_xml`, as OTIO's own adapter keeps it. Sequences inside clips become stacks.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from xml.etree.ElementTree import Element

from ...engine.edit.nodes import Node
from ...engine.errors import TimelineError
from . import build
from .fcp7_counting import Counts, counts_in, votes
from .fcp7_tree import Tree, as_dict, lanes, number, rate_of, start_of, text

_ITEMS = ("clipitem", "generatoritem")
_KEPT_ELSEWHERE = {
    "name",
    "start",
    "end",
    "in",
    "out",
    "duration",
    "file",
    "marker",
    "effect",
    "rate",
    "sequence",
}
_DEEPEST = 50  # sequences inside each other
_MOST = 200_000  # clips, those of nested sequences counted wherever they are played


@dataclass
class _Item:
    """A clip of a track: record frames of its sequence, and how far its in point lies before them."""

    element: Element
    start: Fraction
    end: Fraction
    late: Fraction = Fraction(0)


@dataclass(frozen=True)
class _Cut:
    """A transition: record frames of its ends and of its cut."""

    element: Element
    start: Fraction
    end: Fraction
    at: Fraction


@dataclass
class _Lane:
    items: list[Node] = field(default_factory=list)
    end: Fraction = Fraction(0)


def read_fcp7(root: Element, where: str) -> tuple[Node, tuple[str, ...]]:
    """The document, a timeline or several, and what is to be said of it; TimelineError for one without a sequence."""
    reader = _Reader(Tree(root), where)
    found = [reader.timeline(sequence) for sequence in reader.tree.sequences()]
    if not found:
        raise TimelineError(
            f"{where} cannot be read as FCP7 XML: it holds no sequence; export the sequence itself."
        )
    notes = tuple(dict.fromkeys(reader.notes))
    if len(found) == 1:
        return found[0], notes
    collection = {"OTIO_SCHEMA": "SerializableCollection.1", "metadata": {}, "name": "", "children": found}
    return collection, notes


class _Reader:
    """Reads the sequences of one document."""

    def __init__(self, tree: Tree, where: str) -> None:
        self.tree, self.where = tree, where
        self.notes: list[str] = []
        self.counting: Counts = "sequence"
        self._inside: list[int] = []
        self._made = 0

    def timeline(self, sequence: Element) -> Node:
        """A sequence that stands by itself."""
        rate = self._rate(sequence, None)
        self.counting = votes(self.tree, sequence, rate)
        said = as_dict(sequence, {"name", "media", "marker", "duration"})
        media = self.tree.child(sequence, "media")
        below = {e.tag: as_dict(e, {"track"}) for e in (media if media is not None else ())}
        if any(below.values()):
            said["media"] = {tag: words for tag, words in below.items() if words}
        given = start_of(self.tree.child(sequence, "timecode"), rate)
        start = build.time(*given) if given is not None else None
        made = build.timeline(text(sequence, "name"), self._tracks(sequence, rate), start, _fcp(said))
        made["tracks"]["name"] = text(sequence, "name")
        made["tracks"]["markers"] = self._markers(sequence, rate)
        return made

    def _rate(self, sequence: Element, inherited: Fraction | None) -> Fraction:
        """A sequence's rate, where it does not say one its picture's, or what its clips agree on."""
        rate = rate_of(sequence, None) or rate_of(sequence.find("timecode"), None)
        rate = rate or rate_of(sequence.find("media/video/format/samplecharacteristics"), None)
        if rate is None:
            known = (rate_of(item, None) for item in sequence.iter("clipitem"))
            counted = Counter(found for found in known if found is not None)
            rate = inherited or (counted.most_common(1)[0][0] if counted else Fraction(24))
            self.notes.append(
                f"The sequence “{text(sequence, 'name')}” says no frame rate; it is counted at {float(rate):.6g}."
            )
        return rate

    # ---- tracks

    def _tracks(self, sequence: Element, rate: Fraction) -> list[Node]:
        if id(sequence) in self._inside or len(self._inside) >= _DEEPEST:
            raise TimelineError(f"{self.where} is nested too deeply to be a real timeline.")
        self._inside.append(id(sequence))
        found: list[Node] = []
        for kind, holder in lanes(self.tree.child(sequence, "media")):
            firsts = self._first_sides(holder) if kind == "Audio" else set()
            for track in (self.tree.full(track) for track in holder.iterfind("track")):
                if track is not None and not (kind == "Audio" and _is_other_side(track)):
                    found += self._track(track, kind, rate, firsts)
        self._inside.pop()
        return found

    def _first_sides(self, audio: Element) -> set[tuple[str, str]]:
        """Where nested sequences play their first channel: the tracks of their others would play them again."""
        items = (item for track in audio.iterfind("track") for item in track.iterfind("clipitem"))
        return {_side(item) for item in items if text(item, "sourcetrack/trackindex") in ("", "1")}

    def _track(self, track: Element, kind: str, rate: Fraction, firsts: set[tuple[str, str]]) -> list[Node]:
        """A track's clips end to end; those that overlap others by more than a frame on further tracks."""
        items, cuts = self._laid(track, rate)
        made = [_Lane()]
        for item in items:
            again = item.element.find("sequence") is not None and _side(item.element) in firsts
            if kind == "Audio" and again and text(item.element, "sourcetrack/trackindex") not in ("", "1"):
                continue
            lane = next((lane for lane in made if lane.end <= item.start), None)
            if lane is None:
                lane = _Lane()
                made.append(lane)
                self.notes.append(
                    f"Clips of the track “{_name(track)}” overlap; the later ones are on one of their own."
                )
            if item.start > lane.end:
                lane.items.append(build.gap(item.start - lane.end, rate))
            lane.items.append(self._item(item, rate))
            lane.end = item.end
        self._join(made[0], cuts, rate)
        words = as_dict(track, {*_ITEMS, "transitionitem"})
        names = [text(track, "name"), *(f"{_name(track)} ({i})" for i in range(2, len(made) + 1))]
        return [
            build.track(name, kind, lane.items, _fcp(words)) for name, lane in zip(names, made, strict=True)
        ]

    def _laid(self, track: Element, rate: Fraction) -> tuple[list[_Item], list[_Cut]]:
        """A track's clips in record order with their ends known, and its transitions."""
        elements = [e for e in (self.tree.full(e) for e in track) if e is not None]
        elements = [e for e in elements if e.tag in (*_ITEMS, "transitionitem")]
        cuts = {id(e): _cut(e) for e in elements if e.tag == "transitionitem"}
        items: list[_Item] = []
        cursor = Fraction(0)
        for i, element in enumerate(elements):
            if element.tag == "transitionitem":
                continue
            before = cuts.get(id(elements[i - 1])) if i else None
            after = cuts.get(id(elements[i + 1])) if i + 1 < len(elements) else None
            item = self._ends(element, before, after, cursor, rate)
            if item.end > item.start:
                items.append(item)
                cursor = item.end
        items.sort(key=lambda item: item.start)
        for one, other in pairwise(items):
            if one.end - other.start == 1 and one.end - one.start > 1:
                one.end = other.start  # rounded apart
        return items, [cut for cut in cuts.values() if cut is not None]

    def _ends(
        self, element: Element, before: _Cut | None, after: _Cut | None, cursor: Fraction, rate: Fraction
    ) -> _Item:
        """Where a clip begins and ends: at the cut of a transition where it says -1, or reaches into the transition."""
        start, end = number(element, "start"), number(element, "end")
        first, last = number(element, "in") or Fraction(0), number(element, "out")
        length = (
            (last - first) * rate / self._counted(element, rate)
            if last is not None and last > first
            else None
        )
        late = Fraction(0)
        if before is not None and (start is None or start < 0 or before.start <= start < before.at):
            late = before.at - (before.start if start is None or start < 0 else start)
            start = before.at
        elif start is None or start < 0:
            ends = end if end is not None and end >= 0 else None
            start = cursor if ends is None or length is None else max(cursor, ends - length)
        if after is not None and (end is None or end < 0 or after.at < end <= after.end):
            end = after.at
        elif end is None or end < 0:
            end = start + (length - late if length is not None else Fraction(0))
        return _Item(element, start, max(end, start), late)

    def _join(self, lane: _Lane, cuts: list[_Cut], rate: Fraction) -> None:
        """Put the transitions at their cuts, where a clip ends or begins."""
        at, bounds = Fraction(0), {Fraction(0): 0}
        for i, item in enumerate(lane.items, start=1):
            at += Fraction(item["source_range"]["duration"]["value"]) * rate / self._own_rate(item, rate)
            bounds[Fraction(round(at))] = i
        for cut in sorted(cuts, key=lambda cut: cut.at, reverse=True):
            place = bounds.get(Fraction(round(cut.at)))
            if place is None or not lane.items or cut.end <= cut.start:
                continue
            name = text(cut.element, "effect/name")
            words = _fcp(as_dict(cut.element, _KEPT_ELSEWHERE))
            into, out_of = cut.at - cut.start, cut.end - cut.at
            lane.items.insert(place, build.transition(name, "SMPTE_Dissolve", into, out_of, rate, words))

    @staticmethod
    def _own_rate(item: Node, rate: Fraction) -> Fraction:
        return Fraction(item["source_range"]["duration"]["rate"]) if item["OTIO_SCHEMA"] != "Gap.1" else rate

    # ---- clips

    def _counted(self, element: Element, rate: Fraction) -> Fraction:
        """What a clip's in and out count."""
        return counts_in(element, rate, self.counting)

    def _item(self, item: _Item, rate: Fraction) -> Node:
        """A clip, or a nested sequence as a stack."""
        self._made += 1
        if self._made > _MOST:
            raise TimelineError(
                f"{self.where} holds more than {_MOST} clips, which is too large for a real timeline."
            )
        element = item.element
        own = self._counted(element, rate)
        first = (number(element, "in") or Fraction(0)) / own
        first = max(first, Fraction(0)) + item.late / rate
        sequence = self.tree.child(element, "sequence")
        file = self.tree.child(element, "file")
        name = text(element, "name") or text(file, "name")
        words = _fcp(as_dict(element, _KEPT_ELSEWHERE))
        length = (item.end - item.start) / rate
        if sequence is not None:
            inner = self._rate(sequence, rate)
            made = build.stack(name, self._tracks(sequence, inner), None, words)
        else:
            clip_rate = rate_of(element, rate) or rate
            made = build.clip(name, None, self._reference(element, file, clip_rate), words)
            first += self._media_start(file, clip_rate)
        made["source_range"] = build.time_range(first * own, length * own, own)
        made["markers"] = self._markers(element, rate_of(element, rate) or rate)
        made["effects"] = [
            _effect(f) for f in (self.tree.full(f) for f in element.iterfind("filter")) if f is not None
        ]
        return made

    def _media_start(self, file: Element | None, rate: Fraction) -> Fraction:
        """The media's first timecode in seconds."""
        given = self._file_start(file, rate_of(file, rate) or rate)
        return given[0] / given[1] if given is not None else Fraction(0)

    def _file_start(self, file: Element | None, rate: Fraction) -> tuple[Fraction, Fraction] | None:
        timecode = self.tree.child(file, "timecode") if file is not None else None
        return start_of(timecode, rate) if timecode is not None else None

    def _reference(self, element: Element, file: Element | None, inherited: Fraction) -> Node:
        if file is None:
            kind = text(element, "effect/effectid")
            if element.tag == "generatoritem":
                return build.generator(kind, text(element, "effect/name"))
            return build.missing(text(element, "name"))
        rate = rate_of(file, inherited) or inherited
        given, duration = self._file_start(file, rate), number(file, "duration")
        start = given[0] / given[1] * rate if given is not None else Fraction(0)
        available = None
        if duration is not None and duration > 0:
            available = build.time_range(start, duration, rate)
        elif given is not None:
            available = build.time_range(start, 0, rate)
        words = _fcp(as_dict(file, {"duration", "name", "pathurl", "mediaSource"}))
        name, url, source = text(file, "name"), text(file, "pathurl"), text(file, "mediaSource")
        if url:
            return build.external(url, name, available, words)
        if source or element.tag == "generatoritem":
            return build.generator(source or text(element, "effect/effectid"), name, None, words)
        return build.missing(name, None, words)

    def _markers(self, element: Element, rate: Fraction) -> list[Node]:
        found = []
        for marker in element.iterfind("marker"):
            first, last = number(marker, "in"), number(marker, "out")
            if first is None:
                continue
            length = max(last - first, Fraction(0)) if last is not None and last > 0 else Fraction(0)
            made = build.marker(text(marker, "name"), first, length, rate, "GREEN")
            made["metadata"] = _fcp(as_dict(marker, {"in", "out", "name"}))
            found.append(made)
        return found


def _fcp(words: Node) -> Node:
    return {"fcp_xml": words} if words else {}


def _name(track: Element) -> str:
    return text(track, "name") or track.get("MZ.TrackName", "").strip()


def _side(item: Element) -> tuple[str, str]:
    sequence = item.find("sequence")
    return (sequence.get("id", "") or text(item, "name") if sequence is not None else "", text(item, "start"))


def _is_other_side(track: Element) -> bool:
    """Whether Premiere made this track of the further channels of the one before it."""
    first = track.get("currentExplodedTrackIndex", "0") == "0"
    return not first and track.get("totalExplodedTrackCount", "1") != "1"


def _effect(filter_: Element) -> Node:
    effect = filter_.find("effect")
    return {
        "OTIO_SCHEMA": "Effect.1",
        "metadata": _fcp(as_dict(effect, {"name"})) if effect is not None else {},
        "name": text(effect, "name"),
        "effect_name": "",
        "enabled": True,
    }


def _cut(element: Element) -> _Cut | None:
    """A transition's ends and its cut, by its alignment."""
    start, end = number(element, "start"), number(element, "end")
    if start is None or end is None or end < start or start < 0:
        return None
    alignment = text(element, "alignment")
    middle = Fraction((start + end) // 2)
    at = end if alignment.startswith("end") else start if alignment.startswith("start") else middle
    return _Cut(element, start, end, at)
