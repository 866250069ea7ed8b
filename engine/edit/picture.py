"""What the viewer sees: the topmost enabled video at every moment, through nesting, retimes and
transitions.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from dataclasses import dataclass, replace
from fractions import Fraction

from .nodes import (
    Node,
    Pointer,
    body,
    is_container,
    is_enabled,
    kind_of,
    metadata,
    name_of,
    references,
    schema,
    span,
)
from .placing import ZERO, Child, Placement
from .timemap import TimeMap

_GLIMPSE = Fraction(1, 1000)


@dataclass(frozen=True)
class Piece:
    """A stretch of one clip seen from `start` to `end`; `first` and `last` are the clip's source
    times there.
    """

    start: Fraction
    end: Fraction
    clip: Node
    first: Fraction
    last: Fraction

    def between(self, start: Fraction, end: Fraction) -> Piece:
        """The same picture cut down to [start, end]."""
        if start == self.start and end == self.end:
            return self
        slope = (self.last - self.first) / (self.end - self.start)
        return Piece(
            start,
            end,
            self.clip,
            self.first + (start - self.start) * slope,
            self.last - (self.end - end) * slope,
        )


def cut(pieces: list[Piece], start: Fraction | None, end: Fraction | None) -> list[Piece]:
    """The part of `pieces` (in order, not overlapping) between two times; None is open-ended."""
    parts = []
    first = 0 if start is None else max(0, bisect_right(pieces, start, key=lambda p: p.start) - 1)
    for i in range(first, len(pieces)):
        piece = pieces[i]
        if end is not None and piece.start >= end:
            break
        a = piece.start if start is None else max(piece.start, start)
        b = piece.end if end is None else min(piece.end, end)
        if a < b:
            parts.append(piece.between(a, b))
    return parts


def _over(below: list[Piece], above: list[Piece]) -> list[Piece]:
    """`above` laid over `below`: below shows only where nothing covers it."""
    shown = list(above)
    position: Fraction | None = None
    for upper in [*above, None]:
        end = upper.start if upper is not None else None
        if position is None or end is None or position < end:
            shown += cut(below, position, end)
        position = upper.end if upper is not None else None
    return sorted(shown, key=lambda p: p.start)


def _is_title(clip: Node, resolve: bool) -> bool:
    """Titles, generators and adjustment clips: what lies below is seen through them.

    Resolve writes them as clips without media; unlike offline video they have no file name and no range.
    """
    listed = references(clip)
    if any(schema(ref) == "GeneratorReference" for _, ref in listed[:1]):
        return True
    missing = all(schema(ref) == "MissingReference" for _, ref in listed)
    unnamed = "." not in name_of(clip)
    return resolve and missing and unnamed and not any(span(ref.get("available_range")) for _, ref in listed)


class Eye:
    """Walks a timeline the way it looks."""

    def __init__(self, layout: Placement, resolve: bool) -> None:
        self.layout = layout
        self.resolve = resolve

    def pieces(self, timeline: Node, pointer: Pointer) -> list[Piece]:
        """The whole timeline's picture in order, with holes where it is black; seconds from its
        first frame.
        """
        length = self.layout.duration(timeline) or ZERO
        return self._item(Child(timeline, pointer, ZERO, length), "", ZERO, length)

    def has_picture(self, timeline: Node) -> bool:
        """Whether there is any video track at all."""
        return any(
            kind_of(layer.node, "") == "Video" and is_enabled(layer.node)
            for layer in self.layout.stack(timeline, ())
            if schema(layer.node) in ("Track", "Sequence")
        )

    def _item(self, child: Child, kind: str, start: Fraction, end: Fraction) -> list[Piece]:
        """What an item shows between two times counted from its own start; times outside it are its
        handles.
        """
        node = child.node
        if not is_enabled(node) or not is_enabled(body(node)) or start >= end:
            return []
        if schema(node) == "Clip":
            return self._clip(node, start, end) if kind != "Audio" else []
        if not is_container(node):
            return []
        retiming = self.layout.retiming(node)
        entry = self.layout.entry(node)
        if retiming.plain:
            seen = self._inside(child, kind, entry + start, entry + end)
            return [replace(p, start=p.start - entry, end=p.end - entry) for p in seen]
        plan = retiming.map(self.layout.duration(node) or ZERO)
        bounds = plan.breaks(start, end)
        parts = itertools.pairwise(bounds)
        return [p for a, b in parts for p in self._retimed(child, kind, plan, (a, b))]

    def _retimed(
        self, child: Child, kind: str, plan: TimeMap, part: tuple[Fraction, Fraction]
    ) -> list[Piece]:
        """One stretch of constant speed of a retimed container."""
        (a, b), entry = part, self.layout.entry(child.node)
        first, last = entry + plan.at(a), entry + plan.at(b)
        if first == last:
            held = self._inside(child, kind, first, first + _GLIMPSE)[:1]
            return [Piece(a, b, p.clip, p.first, p.first) for p in held if p.start == first]
        seen = self._inside(child, kind, min(first, last), max(first, last))
        slope = (last - first) / (b - a)
        placed = []
        for p in seen:
            ends = (a + (p.start - first) / slope, a + (p.end - first) / slope)
            media = (p.first, p.last) if slope > 0 else (p.last, p.first)
            placed.append(Piece(min(ends), max(ends), p.clip, *media))
        return sorted(placed, key=lambda p: p.start)

    def _inside(self, child: Child, kind: str, start: Fraction, end: Fraction) -> list[Piece]:
        """What a container's content shows, in the container's inner time."""
        node = child.node
        if schema(body(node)) in ("Track", "Sequence"):
            return self._track(child, kind, start, end)
        seen: list[Piece] = []
        for layer in self.layout.stack(node, child.pointer):
            of = kind_of(layer.node, kind) if schema(layer.node) in ("Track", "Sequence") else kind
            if of in ("", "Video"):
                length = layer.duration if layer.duration is not None else ZERO
                seen = _over(seen, self._item(layer, of, max(start, ZERO), min(end, length)))
        return seen

    def _track(self, child: Child, kind: str, start: Fraction, end: Fraction) -> list[Piece]:
        seen: list[Piece] = []
        for item in self.layout.track(child.node, child.pointer):
            first = item.start + (item.before.shift if item.before else ZERO)
            last = item.start + (item.duration or ZERO) + (item.after.shift if item.after else ZERO)
            first, last = max(first, start), min(last, end)
            found = self._item(item, kind, first - item.start, last - item.start)
            seen += [replace(p, start=p.start + item.start, end=p.end + item.start) for p in found]
        return seen

    def _clip(self, clip: Node, start: Fraction, end: Fraction) -> list[Piece]:
        given = self.layout.media_range(clip)
        if given is None or _is_title(clip, self.resolve):
            return []
        available = next((a for _, r in references(clip) if (a := span(r.get("available_range")))), None)
        origin = available.start if available is not None else ZERO
        plan = self.layout.retiming(clip).map(given.duration, given.start - origin)
        bounds = plan.breaks(start, end)
        return [
            Piece(a, b, clip, given.start + plan.at(a), given.start + plan.at(b))
            for a, b in itertools.pairwise(bounds)
        ]


def is_forced_cut(clip: Node) -> bool:
    """Whether a clip begins at a cut the user named, though its media runs on."""
    return metadata(clip, "sightmix_source", "cut") is True
