"""What hosts say of clips in documents whose OTIO adapters pass it over: Final Cut's roles, Premiere's track names."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

from ...engine.edit.nodes import Node, metadata, schema
from .marks import walk

_CLIPS = ("clip", "asset-clip", "ref-clip")
_MARK = "\U000f5fa1"  # of private use: parts a clip's name from other words on the way through the adapter
_OFF = "off"


def with_words(text: str) -> str:
    """An FCPXML document for OTIO's adapter: what it passes over of clips stands behind their names.

    That is their audio roles and whether they are switched off, which `words_apart` takes off again. Addresses of
    media, which have an element of their own since version 1.9, are put where the adapter looks. Anything that is no
    XML stays as it is.
    """
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError):
        return text  # the adapter says what is wrong with it
    for asset in root.iter("asset"):
        media = sorted(asset.findall("media-rep"), key=lambda rep: rep.get("kind", "") == "proxy-media")
        if media and not asset.get("src"):
            asset.set("src", media[0].get("src", ""))
    for clip in (element for element in root.iter() if element.tag in _CLIPS):
        words = (_roles(clip), _OFF if clip.get("enabled") == "0" else "")
        if any(words):
            clip.set("name", _MARK.join((clip.get("name", ""), *words)))
    return ElementTree.tostring(root, encoding="unicode")


def words_apart(root: Node) -> None:
    """Take what `with_words` put behind clips' names off again: roles into `fcpx.audioRole`, switches into effect."""
    for node in walk(root):
        name = node.get("name")
        if isinstance(name, str) and name.count(_MARK) == 2:
            node["name"], roles, switch = name.split(_MARK)
            if roles:
                node.setdefault("metadata", {}).setdefault("fcpx", {})["audioRole"] = roles
            if switch:
                node["enabled"] = False


def premiere_names(root: Node) -> None:
    """Name the tracks of an FCP 7 XML document as Premiere does, which keeps names where the format has no place."""
    for node in walk(root):
        name = metadata(node, "fcp_xml", "@MZ.TrackName")
        if schema(node) == "Track" and isinstance(name, str) and name.strip() and not node.get("name"):
            node["name"] = name.strip()


def _roles(clip: ElementTree.Element) -> str:
    """The audio roles of a clip: those of its channels or parts where they have some, else its own."""
    inner = [role for part in _parts(clip) if (role := part.get("role", "").strip())]
    return " ".join(dict.fromkeys(inner)) or clip.get("audioRole", "").strip()


def _parts(element: ElementTree.Element) -> Iterator[ElementTree.Element]:
    """The audio elements and channels of a clip that play, not those of clips connected to it."""
    for child in element:
        if child.tag in _CLIPS or child.get("enabled") == "0":
            continue
        if child.tag in ("audio", "audio-channel-source"):
            yield child
        yield from _parts(child)
