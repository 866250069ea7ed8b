"""What an FCPXML 1.10 file must look like, for the elements we write.

The rules say in our own words what Apple's DTD of version 1.10 demands of these elements (order of children, attributes
and their values) and what Final Cut Pro asks beyond it (exact times, picture on frames). The DTD itself comes with
Final Cut Pro and with no package, so it cannot be run here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from xml.etree import ElementTree as ET

TIME = re.compile(r"-?\d+(/[1-9]\d*)?s")
BOOLEAN = {"0", "1"}
ANCHORED = "(asset-clip |spine )*(marker )*"


@dataclass(frozen=True)
class Rule:
    """Children as a pattern over their tags, each followed by a blank; attributes: required, then optional."""

    children: str
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


RULES = {
    "fcpxml": Rule("resources library ", ("version",)),
    "resources": Rule("(asset |effect |format )*"),
    "library": Rule("(event )*"),
    "event": Rule("(project )*", (), ("name",)),
    "project": Rule("sequence ", (), ("name",)),
    "sequence": Rule("spine ", ("format",), ("duration", "tcStart", "tcFormat", "audioLayout", "audioRate")),
    "spine": Rule("(asset-clip |gap |transition )*", (), ("lane", "offset")),
    "gap": Rule(ANCHORED, ("duration",), ("name", "offset", "start")),
    "asset-clip": Rule(
        f"(note )?(timeMap )?(adjust-volume )?{ANCHORED}(audio-channel-source )*",
        ("ref",),
        ("lane", "offset", "name", "start", "duration", "enabled", "srcEnable", "audioRole", "videoRole"),
    ),
    "audio-channel-source": Rule("", ("srcCh",), ("role",)),
    "timeMap": Rule("(timept )*"),
    "timept": Rule("", ("time", "value"), ("interp",)),
    "adjust-volume": Rule("(param )*", (), ("amount",)),
    "param": Rule("(fadeIn )?(fadeOut )?(keyframeAnimation )?", ("name",)),
    "fadeIn": Rule("", ("duration",), ("type",)),
    "fadeOut": Rule("", ("duration",), ("type",)),
    "keyframeAnimation": Rule("(keyframe )*"),
    "keyframe": Rule("", ("time", "value"), ("interp", "curve")),
    "transition": Rule("(filter-video )?(filter-audio )?", ("duration",), ("name", "offset")),
    "filter-video": Rule("", ("ref",), ("name",)),
    "filter-audio": Rule("", ("ref",), ("name",)),
    "marker": Rule("", ("start", "value"), ("duration", "note")),
    "note": Rule(""),
    "format": Rule("", ("id",), ("frameDuration", "width", "height")),
    "effect": Rule("", ("id", "uid"), ("name",)),
    "asset": Rule(
        "(media-rep )+",
        ("id",),
        ("name", "start", "duration", "hasVideo", "format", "videoSources", "hasAudio", "audioSources",
         "audioChannels", "audioRate"),
    ),
    "media-rep": Rule("", ("src",), ("kind",)),
}  # fmt: skip
VALUES = {
    "enabled": BOOLEAN,
    "hasVideo": BOOLEAN,
    "hasAudio": BOOLEAN,
    "srcEnable": {"all", "audio", "video"},
    "tcFormat": {"DF", "NDF"},
    "audioLayout": {"mono", "stereo", "surround"},
    "interp": {"linear", "ease", "easeIn", "easeOut", "smooth", "smooth2"},
    "curve": {"linear", "smooth"},
    "type": {"linear", "easeIn", "easeOut", "easeInOut"},
    "kind": {"original-media", "proxy-media"},
}
TIMES = {"offset", "start", "duration", "tcStart", "time", "frameDuration"}


def time(text: str | None) -> Fraction:
    """A time as FCPXML writes it; nothing is 0."""
    return Fraction((text or "0s").removesuffix("s"))


def check(root: ET.Element) -> None:
    """Assert that every rule holds."""
    assert root.get("version") == "1.10"
    assert root.find(".//sequence").get("audioRate") in {
        "32k",
        "44.1k",
        "48k",
        "88.2k",
        "96k",
        "176.4k",
        "192k",
    }
    for element in root.iter():
        _check_element(element)
    _check_references(root)
    _check_storyline(root)


def _check_element(element: ET.Element) -> None:
    rule = RULES[element.tag]
    children = "".join(f"{child.tag} " for child in element)
    assert re.fullmatch(rule.children, children), f"{element.tag}: {children}"
    assert set(rule.required) <= set(element.attrib), f"{element.tag}: {element.attrib}"
    assert set(element.attrib) <= {*rule.required, *rule.optional}, f"{element.tag}: {element.attrib}"
    for key, value in element.attrib.items():
        assert value in VALUES.get(key, {value}), f"{element.tag} {key}={value}"
        if key in TIMES:
            assert TIME.fullmatch(value), f"{element.tag} {key}={value}"
            assert time(value).denominator < 2**31
    if "duration" in element.attrib and element.tag != "sequence":
        assert time(element.get("duration")) > 0


def _check_references(root: ET.Element) -> None:
    known = [e.get("id") for e in root.find("resources")]
    assert len(known) == len(set(known))
    for element in root.iter():
        for key in ("ref", "format"):
            assert element.get(key) in {None, *known}
    assets = {a.get("id"): a for a in root.iter("asset")}
    for clip in root.iter("asset-clip"):
        asset = assets[clip.get("ref")]
        if clip.find("timeMap") is None:
            assert time(clip.get("start")) >= time(asset.get("start"))


def _check_storyline(root: ET.Element) -> None:
    """The primary storyline has no holes, begins at tcStart, lies on frames; what hangs on it begins within."""
    sequence = root.find(".//sequence")
    shape = next(f for f in root.iter("format") if f.get("id") == sequence.get("format"))
    frame = time(shape.get("frameDuration"))
    at = time(sequence.get("tcStart"))
    for element in sequence.find("spine"):
        if element.tag == "transition":
            continue
        assert time(element.get("offset")) == at
        at += time(element.get("duration"))
        assert (at / frame).denominator == 1
        for child in element:
            if child.tag in {"asset-clip", "spine"}:
                begun = time(child.get("offset")) - time(element.get("start"))
                assert 0 <= begun < time(element.get("duration"))
                assert int(child.get("lane")) != 0
    assert at - time(sequence.get("tcStart")) == time(sequence.get("duration"))


@dataclass(frozen=True)
class Placed:
    """A clip where Final Cut Pro puts it."""

    name: str
    lane: int
    start: Fraction
    duration: Fraction
    source: Fraction
    element: ET.Element


def placed(root: ET.Element) -> list[Placed]:
    """Every clip of the file, in seconds from the timeline's first frame."""
    sequence = root.find(".//sequence")
    found: list[Placed] = []

    def walk(element: ET.Element, zero: Fraction, lane: int) -> None:
        start = time(element.get("offset")) - zero
        if element.tag == "spine":
            for child in element:
                if child.tag != "transition":
                    walk(child, -start, lane)
            return
        if element.tag == "asset-clip":
            length = time(element.get("duration"))
            found.append(
                Placed(element.get("name"), lane, start, length, time(element.get("start")), element)
            )
        for child in element:
            if child.tag in {"asset-clip", "spine"}:
                walk(child, time(element.get("start")) - start, int(child.get("lane")))

    for element in sequence.find("spine"):
        if element.tag != "transition":
            walk(element, time(sequence.get("tcStart")), 0)
    return found
