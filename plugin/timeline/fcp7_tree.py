"""The elements of FCP 7 XML: what they say, by Apple's XML Interchange Format and by what its writers make of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element

from ...engine.errors import SettingsError
from ...engine.media.time import parse_timecode, round_half_up, snap_rate

TICKS = 254_016_000_000  # per second: what Premiere counts exact times in
_HIGHEST = 1000  # frames per second
_LARGEST = 10**12
_YES = ("TRUE", "1", "YES")


class Tree:
    """A document whose elements may stand once in full and elsewhere by their id alone."""

    def __init__(self, root: Element) -> None:
        self.root = root
        self._full: dict[tuple[str, str], Element] = {}
        for element in root.iter():
            identity = element.get("id")
            if identity is not None and len(element) and (element.tag, identity) not in self._full:
                self._full[element.tag, identity] = element

    def full(self, element: Element | None) -> Element | None:
        """The element itself, or the one that says what this one only names."""
        if element is None or len(element):
            return element
        return self._full.get((element.tag, element.get("id", "")), element)

    def child(self, element: Element, tag: str) -> Element | None:
        """A child in full."""
        return self.full(element.find(tag))

    def sequences(self) -> list[Element]:
        """The sequences that stand by themselves, in the document's order; of a document without any, its clips."""
        inner = {id(s) for item in self.root.iter("clipitem") for s in item.iter("sequence")}
        found = [s for s in self.root.iter("sequence") if id(s) not in inner and s.find("media") is not None]
        if self.root.tag == "sequence":
            return [self.root]
        return found or [c for c in self.root.iter("clip") if c.find("media/*/track") is not None]


def text(element: Element | None, path: str = ".") -> str:
    """What an element, or one below it, says."""
    found = element.find(path) if element is not None else None
    return (found.text or "").strip() if found is not None else ""


def number(element: Element | None, path: str) -> Fraction | None:
    """A number, None where there is none that could be a time."""
    try:
        value = float(text(element, path))
    except ValueError:
        return None
    return Fraction(text(element, path)) if -_LARGEST < value < _LARGEST else None


def rate_of(element: Element | None, inherited: Fraction | None) -> Fraction | None:
    """Frames per second that an element states, else those of what it lies in.

    NTSC is only what has such a rate: 24, 30, 60 and so on. A rate that is none, as of placeholders, is none stated.
    """
    base = number(element, "rate/timebase")
    if base is None or not 0 < base <= _HIGHEST:
        return inherited
    exact, said = snap_rate(base), text(element, "rate/ntsc").upper()
    if exact.denominator != 1 or (exact % 24 and exact % 30):
        return exact
    if not said and inherited is not None and round_half_up(inherited) == exact:
        return inherited
    return exact * 1000 / 1001 if said in _YES else exact


def start_of(timecode: Element | None, inherited: Fraction) -> tuple[Fraction, Fraction] | None:
    """A timecode as frames and their rate; None where it says none."""
    rate = rate_of(timecode, inherited) or inherited
    frame = number(timecode, "frame")
    if frame is not None:
        return frame, rate
    said = text(timecode, "string")
    if text(timecode, "displayformat") == "DF":
        said = said[:-3] + ";" + said[-2:]
    try:
        return parse_timecode(said, rate) * rate, rate
    except SettingsError:
        return None


def as_dict(element: Element, left_out: Collection[str] = ()) -> dict[str, Any]:
    """What stands below an element, as OTIO's adapter keeps it: attributes with an @, what is there often as a list."""
    skipped = {*left_out, *(("frame", "string") if element.tag == "timecode" else ())}
    found: dict[str, Any] = {f"@{key}": value for key, value in element.attrib.items()}
    several: set[str] = set()
    for child in element:
        if child.tag in skipped:
            continue
        value = as_dict(child) if len(child) else child.text
        if child.tag in several:
            found[child.tag].append(value)
        elif child.tag in found:
            found[child.tag] = [found[child.tag], value]
            several.add(child.tag)
        else:
            found[child.tag] = value
    return found


def lanes(media: Element | None) -> Iterator[tuple[str, Element]]:
    """The kind, Video or Audio, and element of what holds the tracks of a sequence."""
    for element in media if media is not None else ():
        if element.tag.lower() in ("video", "audio"):
            yield element.tag.capitalize(), element
