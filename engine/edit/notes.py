"""What editors wrote on the timeline: markers and clip notes, in record time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from .nodes import Node, Pointer, Span, body, is_container, metadata, name_of, schema, span, text_of
from .placing import ZERO, Child, Placement


@dataclass(frozen=True)
class Remark:
    """Text over a stretch of record time, seconds from its container's start."""

    start: Fraction
    end: Fraction
    text: str


def _text(*parts: object) -> str:
    words = [text_of(part).strip() for part in parts if isinstance(part, str) and part.strip()]
    return ": ".join(dict.fromkeys(words))


def marker_text(marker: Node, named: bool = True) -> str:
    """What a marker says: its name (if `named`) and its notes."""
    return _text(
        name_of(marker) if named else "",
        marker.get("comment"),
        metadata(marker, "Resolve_OTIO", "Note"),
        metadata(marker, "fcp_xml", "comment"),
    )


def clip_note(clip: Node) -> str:
    """The note an editor left on a clip."""
    return _text(
        metadata(clip, "Resolve_OTIO", "Note"),
        metadata(clip, "fcp_xml", "logginginfo", "lognote"),
        metadata(clip, "note"),
    )


def _markers(node: Node) -> list[tuple[Span, str]]:
    listed = node.get("markers")
    found = []
    for marker in listed if isinstance(listed, list) else []:
        where = span(marker.get("marked_range")) if isinstance(marker, dict) else None
        text = marker_text(marker) if isinstance(marker, dict) else ""
        if where is not None and text:
            found.append((Span(where.start, max(where.duration, ZERO)), text))
    return found


def _inside(remarks: list[Remark], start: Fraction, end: Fraction) -> list[Remark]:
    kept = []
    for remark in remarks:
        first, last = max(remark.start, start), min(remark.end, end)
        if first < last or (remark.start == remark.end and start <= remark.start < end):
            kept.append(replace(remark, start=first, end=last))
    return kept


def remarks(placement: Placement, timeline: Node, pointer: Pointer, origin: Fraction) -> list[Remark]:
    """Every remark of a timeline in record order, seconds from its first frame.

    `origin` is the timeline's global start: markers that can only be counted from it are moved back by it.
    """
    length = placement.duration(timeline) or ZERO
    found = _item(placement, Child(timeline, pointer, ZERO, length))
    entry = placement.entry(timeline)
    for node in (timeline, body(timeline)):
        for where, text in _markers(node):
            start = where.start - entry
            if start >= length and ZERO < origin <= start:
                start -= origin
            found.append(Remark(start, start + where.duration, text))
    unique = dict.fromkeys(_inside(found, ZERO, max(length, Fraction(1))))
    return sorted(unique, key=lambda remark: (remark.start, remark.end))


def _item(placement: Placement, child: Child) -> list[Remark]:
    """The remarks on an item and inside it, seconds from its start; none from inside a retimed compound."""
    node, length = child.node, child.duration or ZERO
    if schema(node) == "Clip":
        found = _on_clip(placement, node, length)
    elif is_container(node) and placement.retiming(node).plain:
        entry = placement.entry(node)
        found = []
        for item in placement.items(node, child.pointer):
            start = item.start - entry
            found += [replace(r, start=r.start + start, end=r.end + start) for r in _item(placement, item)]
            if is_container(item.node):
                found += _on_container(placement, item, start)
    else:
        found = []
    return _inside(found, ZERO, length)


def _on_container(placement: Placement, item: Child, start: Fraction) -> list[Remark]:
    entry = placement.entry(item.node)
    found = [
        Remark(where.start - entry + start, where.start - entry + start + where.duration, text)
        for where, text in _markers(item.node)
    ]
    return _inside(found, start, start + (item.duration or ZERO))


def _on_clip(placement: Placement, clip: Node, length: Fraction) -> list[Remark]:
    note = clip_note(clip)
    found = [Remark(ZERO, length, note)] if note else []
    given = placement.media_range(clip)
    if given is None:
        return found
    plan = placement.retiming(clip).map(given.duration)
    for where, text in _markers(clip):
        # Some hosts count clip markers from the clip's start, others in the media's timecode.
        relative = where.start < given.start and where.start < length
        media = where.start if relative else where.start - given.start
        times = [plan.inverse(media), plan.inverse(media + where.duration)]
        if times[0] is not None and times[1] is not None:
            found.append(Remark(min(times[0], times[1]), max(times[0], times[1]), text))
    return found
