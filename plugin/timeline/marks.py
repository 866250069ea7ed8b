"""Our own marks in a timeline: what we added, what we muted, and how to take both away again."""

from __future__ import annotations

from collections.abc import Iterator

from .nodes import Node

KEY = "sightmix"


def mark_generated(node: Node, facts: Node) -> None:
    """Mark a track or clip as ours, with what is known about it."""
    node.setdefault("metadata", {})[KEY] = {"generated": True, **facts}


def is_generated(node: Node) -> bool:
    """Whether we added this track or clip in an earlier run."""
    return _mark(node).get("generated") is True


def mute(node: Node) -> None:
    """Disable a track or clip and note how it was, so that `strip` can restore it to the byte."""
    if _mark(node).get("muted"):
        return
    had_metadata = isinstance(node.get("metadata"), dict)
    if not had_metadata:
        node["metadata"] = {}
    was = {"enabled": node["enabled"]} if "enabled" in node else {}
    node["metadata"][KEY] = {"muted": True, "was": was, "had_metadata": had_metadata}
    node["enabled"] = False


def strip(root: Node) -> None:
    """Remove every track and clip we added and enable what we muted: the document as the editor left it."""
    for node in walk(root):
        listed = node.get("children")
        if isinstance(listed, list) and any(isinstance(c, dict) and is_generated(c) for c in listed):
            node["children"] = [c for c in listed if not (isinstance(c, dict) and is_generated(c))]
        if _mark(node).get("muted"):
            _restore(node)


def _restore(node: Node) -> None:
    mark = node["metadata"].pop(KEY)
    was = mark.get("was")
    if isinstance(was, dict) and "enabled" in was:
        node["enabled"] = was["enabled"]
    else:
        node.pop("enabled", None)
    if mark.get("had_metadata") is False and not node["metadata"]:
        del node["metadata"]


def _mark(node: Node) -> Node:
    metadata = node.get("metadata")
    mark = metadata.get(KEY) if isinstance(metadata, dict) else None
    return mark if isinstance(mark, dict) else {}


def walk(root: Node) -> Iterator[Node]:
    """Every object of the composition, parents first, without recursion."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        listed = node.get("children")
        inner = [*(listed if isinstance(listed, list) else []), node.get("tracks")]
        waiting += [child for child in inner if isinstance(child, dict)]
