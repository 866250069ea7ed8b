"""What hosts say of sounds in documents whose OTIO adapters pass it over: Final Cut's roles, Premiere's track names."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

from ...engine.edit.nodes import Node, metadata, schema
from .marks import walk

_CLIPS = ("clip", "asset-clip", "ref-clip")
_MARK = "\U000f5fa1"  # of private use: parts a clip's name from its roles on the way through the adapter


def with_roles(text: str) -> str:
    """An FCPXML document whose clips carry their audio roles behind their names; anything else as it is.

    The adapter keeps a clip's name and drops its roles, which `roles_apart` takes off again.
    """
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError):
        return text  # the adapter says what is wrong with it
    found = [(clip, roles) for clip in root.iter() if clip.tag in _CLIPS and (roles := _roles(clip))]
    for clip, roles in found:
        clip.set("name", f"{clip.get('name', '')}{_MARK}{roles}")
    return ElementTree.tostring(root, encoding="unicode") if found else text


def roles_apart(root: Node) -> None:
    """Take roles off clips' names again, into their metadata: `fcpx.audioRole`."""
    for node in walk(root):
        name = node.get("name")
        if isinstance(name, str) and _MARK in name:
            node["name"], _, roles = name.partition(_MARK)
            node.setdefault("metadata", {}).setdefault("fcpx", {})["audioRole"] = roles


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
