"""An FCPXML document as the parsed dictionary of an OTIO document: a timeline, or a collection of several."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from ....engine.edit.nodes import Node
from ....engine.errors import TimelineError
from ....engine.limits import document_bytes
from .. import build
from .document import Resources, located, parsed
from .lay import laid
from .walk import Walk

_USUAL = Fraction(24)  # frames per second of a timeline that does not say
_CLIPS = ("asset-clip", "clip", "sync-clip", "mc-clip", "ref-clip")


def read(path: Path) -> Node:
    """The document at `path`, or in the bundle there: its projects, each a timeline with flat tracks.

    A document without projects gives its compound clips, one without these the clips of its events. Every time is
    exact. What cannot be placed or played stands in the timeline's metadata under "sightmix_source", a sentence each.
    Raises TimelineError with one sentence.
    """
    root = parsed(document_bytes(located(path)), path)
    resources = Resources(root, path)
    try:
        made = [_timeline(name, sequence, resources) for name, sequence in _sequences(root, resources)]
    except RecursionError as error:
        raise TimelineError(f"{path} is nested too deeply to be a real timeline.") from error
    if not made:
        raise TimelineError(f"{path} is FCPXML without a project or clips; export the project.")
    if len(made) == 1:
        return made[0]
    return {
        "OTIO_SCHEMA": "SerializableCollection.1",
        "metadata": {},
        "name": path.stem,
        "children": made,
    }


def _sequences(root: Element, resources: Resources) -> Iterator[tuple[str, Element]]:
    """Names and sequences of what a document holds: projects, else compound clips, else single clips."""
    projects = [(p.get("name", ""), p.find("sequence")) for p in root.iter("project")]
    found = [(name, sequence) for name, sequence in projects if sequence is not None]
    if not found:
        media = [(m.get("name", ""), m.find("sequence")) for m in resources.all("media")]
        found = [(name, sequence) for name, sequence in media if sequence is not None]
    if not found:
        holders = [root, *root.iter("event")]
        found = [_alone(clip, resources) for holder in holders for clip in holder if clip.tag in _CLIPS]
    yield from found


def _alone(clip: Element, resources: Resources) -> tuple[str, Element]:
    """A clip of an event as a sequence of its own."""
    asset = resources.element(clip.get("ref"), "asset")
    shape = clip.get("format", "") or (asset.get("format", "") if asset is not None else "")
    sequence = Element("sequence", {"format": shape})
    moved = {key: value for key, value in clip.attrib.items() if key not in ("offset", "lane")}
    copy = SubElement(SubElement(sequence, "spine"), clip.tag, {**moved, "offset": "0s"})
    copy.extend(list(clip))
    return clip.get("name", ""), sequence


def _timeline(name: str, sequence: Element, resources: Resources) -> Node:
    shape = sequence.get("format")
    rate = resources.rate(shape)
    known = rate or next((found for found in resources.rates() if found), _USUAL)
    walk = Walk(resources, known)
    if rate is None:
        assumed = f"{float(known):.5g} frames per second are assumed"
        walk.losses.add(f"The project's format names no frame rate; {assumed}.")
    walk.sequence(sequence)
    told = {"tcFormat": sequence.get("tcFormat", ""), "size": resources.size(shape)}
    own = {"losses": list(walk.losses.sentences()), "unheard": list(walk.unheard.sentences())}
    words: Node = {"fcpx": {key: value for key, value in told.items() if value}}
    if any(own.values()):
        words["sightmix_source"] = {key: said for key, said in own.items() if said}
    start = build.time((resources.time(sequence, "tcStart") or 0) * known, known)
    return {**build.timeline(name, [], start, words), "tracks": laid(walk.parts, walk.marks, known)}
