"""Our own marks in a timeline: what we added, what we muted, and how to take both away again."""

from __future__ import annotations

from collections.abc import Iterator

from ...engine.edit.nodes import Node

KEY = "sightmix"


def mark_generated(node: Node, facts: Node) -> None:
    """Mark a track or clip as ours, with what is known about it."""
    node.setdefault("metadata", {})[KEY] = {"generated": True, **facts}


def is_generated(node: Node) -> bool:
    """Whether we added this track or clip in an earlier run."""
    return _mark(node).get("generated") is True


def stands_for(node: Node) -> str:
    """The identifier of the editor's clip that a clip of ours stands for, "" for anything else."""
    mark = _mark(node)
    return str(mark.get("clip", "")) if mark.get("generated") is True else ""


def clips_stood_for(root: Node) -> frozenset[int]:
    """The numbers of the editor's clips that something of ours stands for."""
    found = (stands_for(node).partition("-")[0] for node in walk(root))
    return frozenset(int(number) for number in found if number.isdecimal())


def is_muted(node: Node) -> bool:
    """Whether we disabled this track or clip."""
    return bool(_mark(node).get("muted"))


def mute(node: Node) -> None:
    """Disable a track or clip and note how it was, so that `strip` can restore it to the byte."""
    if is_muted(node):
        return
    was: Node = {key: node[key] for key in ("enabled", "metadata") if key in node}
    if isinstance(was.get("metadata"), dict):
        del was["metadata"]
        was["has_metadata"] = True
    else:
        node["metadata"] = {}
    node["metadata"][KEY] = {"muted": True, "was": was}
    node["enabled"] = False


def unmute(node: Node) -> None:
    """Put back a track or clip that we disabled, as it was; leave any other alone."""
    if is_muted(node):
        _restore(node)


def strip(root: Node) -> None:
    """Remove every track and clip we added and enable what we muted: the document as the editor left it."""
    for node in walk(root):
        listed = node.get("children")
        if isinstance(listed, list) and any(isinstance(c, dict) and is_generated(c) for c in listed):
            node["children"] = [c for c in listed if not (isinstance(c, dict) and is_generated(c))]
        unmute(node)


def _restore(node: Node) -> None:
    was = node["metadata"].pop(KEY).get("was")
    was = was if isinstance(was, dict) else {"enabled": True, "has_metadata": True}
    if "enabled" in was:
        node["enabled"] = was["enabled"]
    else:
        node.pop("enabled", None)
    if "metadata" in was:
        node["metadata"] = was["metadata"]
    elif not was.get("has_metadata") and not node["metadata"]:
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
