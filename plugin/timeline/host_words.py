"""What hosts say in documents whose OTIO adapters pass it over: Premiere's track names."""

from __future__ import annotations

from ...engine.edit.nodes import Node, metadata, schema
from .marks import walk


def premiere_names(root: Node) -> None:
    """Name the tracks of an FCP 7 XML document as Premiere does, which keeps names where the format has no place."""
    for node in walk(root):
        name = metadata(node, "fcp_xml", "@MZ.TrackName")
        if schema(node) == "Track" and isinstance(name, str) and name.strip() and not node.get("name"):
            node["name"] = name.strip()
