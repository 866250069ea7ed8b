"""An FCPXML file as a tree of elements: found, parsed, its resources and times looked up.

Element meanings: Apple, FCPXML Reference and its document type definitions of versions 1.0 to 1.13.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from ....engine.errors import TimelineError
from ....engine.media.time import snap_rate
from ..texts import xml_root

BUNDLE = ".fcpxmld"
_INFO = "Info.fcpxml"
_TIME = re.compile(r"(-?\d{1,19})(?:/(\d{1,19})|(\.\d{1,12}))?s?", re.ASCII)
_NAMED_RATE = re.compile(r"[\dDVx]([pi])(\d{2,5})$", re.ASCII)
_WHOLE = {"2398": Fraction(24000, 1001), "2997": Fraction(30000, 1001), "5994": Fraction(60000, 1001)}
_KINDS = {"original-media": 0, "proxy-media": 1}


def located(path: Path) -> Path:
    """The document itself: that inside the bundle, if `path` is a bundle. Raises TimelineError for one without."""
    if not path.is_dir():
        return path
    inside = sorted(path.glob("*.fcpxml"))
    found = path / _INFO if (path / _INFO).is_file() else inside[0] if len(inside) == 1 else None
    if found is None:
        raise TimelineError(f"{path} is a Final Cut bundle without its {_INFO}; export it again.")
    return found


def parsed(content: bytes, path: Path) -> Element:
    """The document's root element; raises TimelineError with one sentence for what is no FCPXML."""
    if not content.strip():
        raise TimelineError(f"{path} is empty; export the timeline again.")
    try:
        root = xml_root(content)
    except ParseError as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise TimelineError(f"{path} cannot be read as FCPXML: {reason}.") from error
    if root.tag != "fcpxml":
        raise TimelineError(f"{path} cannot be read as FCPXML: its first element is <{root.tag[:40]}>.")
    return root


@dataclass(frozen=True)
class Asset:
    """A media file as the document describes it: times in seconds of its own clock, `urls` the original first."""

    name: str
    start: Fraction
    duration: Fraction | None
    picture: bool
    sound: bool
    sources: int  # streams of sound
    urls: tuple[str, ...]


class Resources:
    """What a document's `resources` hold, by their ids."""

    def __init__(self, root: Element, path: Path) -> None:
        self.path = path
        self._by_id: dict[str, Element] = {}
        for holder in root.iter("resources"):
            for element in holder:
                self._by_id.setdefault(element.get("id", ""), element)
        self._assets: dict[str, Asset] = {}

    def element(self, identity: str | None, tag: str) -> Element | None:
        """The resource of this id and kind, None where there is none."""
        found = self._by_id.get(identity or "")
        return found if found is not None and found.tag == tag else None

    def all(self, tag: str) -> Iterator[Element]:
        """Every resource of a kind, in the document's order."""
        return (element for element in self._by_id.values() if element.tag == tag)

    def asset(self, identity: str | None) -> Asset | None:
        """The media file of this id, None where there is none."""
        element = self.element(identity, "asset")
        if element is None or identity is None:
            return None
        if identity not in self._assets:
            self._assets[identity] = self._described(element)
        return self._assets[identity]

    def _described(self, element: Element) -> Asset:
        length = self.time(element, "duration", None)
        picture, sound = _sides(element)
        sources = element.get("audioSources", "1")
        return Asset(
            name=element.get("name", ""),
            start=self.time(element, "start") or Fraction(0),
            duration=length if length else None,
            picture=picture,
            sound=sound,
            sources=int(sources) if sources.isdecimal() and len(sources) < 4 else 1,
            urls=tuple(_addresses(element)),
        )

    def rate(self, identity: str | None) -> Fraction | None:
        """Frames per second of a format, by its frame duration or else by its name; None where neither tells."""
        element = self.element(identity, "format")
        if element is None:
            return None
        frame = self.time(element, "frameDuration", None)
        if frame:
            return snap_rate(1 / frame)
        return _rate_named(element.get("name", ""))

    def rates(self) -> Iterator[Fraction | None]:
        """Those of all formats."""
        return (self.rate(element.get("id")) for element in self.all("format"))

    def size(self, identity: str | None) -> list[int] | None:
        """Width and height of a format in pixels, None where it has none."""
        element = self.element(identity, "format")
        sides = [element.get(key, "") for key in ("width", "height")] if element is not None else []
        whole = [int(side) for side in sides if side.isdecimal() and 0 < len(side) < 7]
        return whole if len(whole) == 2 and all(whole) else None

    def time(self, element: Element, key: str, default: Fraction | None = Fraction(0)) -> Fraction | None:
        """An attribute's time in exact seconds; raises TimelineError for one that is no time."""
        text = element.get(key)
        if text is None:
            return default
        match = _TIME.fullmatch(text.strip())
        if match is None or (match.group(2) and not int(match.group(2))):
            raise TimelineError(
                f"{self.path} cannot be read as FCPXML: the {key} {text[:40]!r} of its <{element.tag}> is no time."
            )
        return Fraction(match.group(1) + (match.group(3) or "")) / int(match.group(2) or 1)


def _sides(element: Element) -> tuple[bool, bool]:
    """Whether an asset has picture, and whether it has sound; an asset that says neither may have both."""
    said = (element.get("hasVideo"), element.get("hasAudio"))
    if said != (None, None):
        return said[0] == "1", said[1] == "1"
    told = (
        "videoSources" in element.attrib,
        "audioSources" in element.attrib or "audioChannels" in element.attrib,
    )
    return told if any(told) else (True, True)


def _addresses(element: Element) -> Iterator[str]:
    """Where an asset's media lies: its representations since version 1.9, the original first, else its own `src`."""
    listed = [
        (_KINDS.get(rep.get("kind", ""), 0), rep.get("src", "")) for rep in element.findall("media-rep")
    ]
    found = [src for _, src in sorted(listed, key=lambda rep: rep[0])]
    yield from dict.fromkeys(url for url in (*found, element.get("src", "")) if url.strip())


def _rate_named(name: str) -> Fraction | None:
    """The rate that a format's name ends with: "FFVideoFormat1080p2997"; interlaced ones count fields."""
    match = _NAMED_RATE.search(name)
    if match is None:
        return None
    rate = _WHOLE.get(match.group(2)) or Fraction(int(match.group(2)))
    return (rate / 2 if match.group(1) == "i" and rate > 40 else rate) or None
