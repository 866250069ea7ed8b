"""Finds every audio clip of a timeline, at any depth, with its exact record time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from .nodes import Node, Pointer, body, is_container, is_enabled, kind_of, metadata, name_of, schema
from .placing import ZERO, Child, Fade, Placement
from .timemap import TimeMap


@dataclass(frozen=True)
class Leaf:
    """One audio clip as its container plays it, in seconds of the container's own time.

    `start` and `end` bound what is heard, `entry` is where the untrimmed clip would begin. `parent` is the
    track it lies on; `before` and `after` are its transitions, None where a trim cuts them off.
    """

    node: Node
    pointer: Pointer
    parent: Node
    start: Fraction
    end: Fraction
    entry: Fraction
    enabled: bool
    problem: str = ""
    before: Fade | None = None
    after: Fade | None = None
    track: int = 0


def _shifted(leaf: Leaf, by: Fraction) -> Leaf:
    return replace(leaf, start=leaf.start + by, end=leaf.end + by, entry=leaf.entry + by)


def _windowed(leaves: Iterable[Leaf], start: Fraction, end: Fraction) -> list[Leaf]:
    """What is heard of `leaves` between `start` and `end`; clips of unknown length stay."""
    kept = []
    for leaf in leaves:
        first, last = max(leaf.start, start), min(leaf.end, end)
        if first < last or (leaf.start == leaf.end and start <= leaf.start <= end):
            before = leaf.before if leaf.start >= start else None
            after = leaf.after if leaf.end <= end else None
            kept.append(replace(leaf, start=first, end=max(first, last), before=before, after=after))
    return kept


class Ear:
    """Walks a timeline the way it sounds: audio tracks, and the audio inside nested stacks wherever
    they lie.
    """

    def __init__(self, layout: Placement) -> None:
        self.layout = layout

    def leaves(self, timeline: Node, pointer: Pointer) -> list[Leaf]:
        """All audio clips of a timeline in record order then track order; seconds count from its
        first frame.
        """
        found: list[Leaf] = []
        twins = self._twins(timeline, pointer)
        for number, layer in enumerate(self.layout.stack(timeline, pointer)):
            heard = self._layer(layer, "", is_enabled(body(timeline)), twins)
            found += [replace(leaf, track=number) for leaf in heard]
        entry = self.layout.entry(timeline)
        length = self.layout.duration(timeline)
        end = entry + length if length is not None else _furthest(found, entry)
        inside = _windowed(found, entry, end)
        ordered = sorted(inside, key=lambda leaf: (leaf.start, leaf.track))
        return [_shifted(leaf, -entry) for leaf in ordered]

    def _layer(self, child: Child, kind: str, enabled: bool, twins: Twins) -> list[Leaf]:
        node = child.node
        if schema(node) in ("Track", "Sequence"):
            kind = kind_of(node, kind)
        if kind not in ("", "Audio") and not is_container(node):
            return []
        return self._item(child, node, kind, enabled, twins)

    def _item(self, child: Child, parent: Node, kind: str, enabled: bool, twins: Twins) -> list[Leaf]:
        """The leaves of one item, placed in its container's time."""
        node = child.node
        enabled = enabled and is_enabled(node)
        if schema(node) == "Clip":
            return [self._clip(child, parent, enabled)] if kind == "Audio" else []
        if not is_container(node):
            return []
        return self._inside(child, kind, enabled, twins)

    def _inside(self, child: Child, kind: str, enabled: bool, twins: Twins) -> list[Leaf]:
        node, length = child.node, child.duration
        found: list[Leaf] = []
        if schema(body(node)) in ("Track", "Sequence"):
            for item in self.layout.track(node, child.pointer):
                if kind == "Audio" or (is_container(item.node) and twins.missing(item)):
                    found += self._item(item, node, kind, enabled, Twins())
        else:
            inner = self._twins(node, child.pointer)
            for layer in self.layout.stack(node, child.pointer):
                found += self._layer(layer, kind if kind == "Audio" else "", enabled, inner)
        entry = self.layout.entry(node)
        retiming = self.layout.retiming(node)
        if length is None or retiming.plain:
            end = entry + length if length is not None else _furthest(found, entry)
            placed = _windowed(found, entry, end)
        else:
            placed = _retimed(found, entry, retiming.map(length), length, name_of(node))
        return [_shifted(leaf, child.start - entry) for leaf in _troubled(placed, child)]

    def _clip(self, child: Child, parent: Node, enabled: bool) -> Leaf:
        length = child.duration if child.duration is not None else ZERO
        problem = (
            f"Its place is unknown, because the length of “{child.lost}” before it is." if child.lost else ""
        )
        if child.duration is None:
            problem = "Its length is unknown: it has no usable range and its media cannot be read."
        start, end = child.start, child.start + length
        leaf = Leaf(child.node, child.pointer, parent, start, end, start, enabled, problem)
        return replace(leaf, before=child.before, after=child.after)

    def _twins(self, stack: Node, pointer: Pointer) -> Twins:
        """The compounds on a stack's audio tracks: their partners on video tracks would sound a
        second time.
        """
        keys: set[tuple[str, Fraction]] = set()
        for layer in self.layout.stack(stack, pointer):
            if schema(layer.node) in ("Track", "Sequence") and kind_of(layer.node, "") == "Audio":
                items = self.layout.track(layer.node, layer.pointer)
                keys |= {key for item in items if is_container(item.node) for key in _identities(item)}
        return Twins(frozenset(keys))


@dataclass(frozen=True)
class Twins:
    """Compounds that sound on an audio track, by (name or link, record start)."""

    keys: frozenset[tuple[str, Fraction]] = frozenset()

    def missing(self, item: Child) -> bool:
        """Whether a compound on a video track has no partner among the audio tracks."""
        return not any(key in self.keys for key in _identities(item))


def _identities(item: Child) -> list[tuple[str, Fraction]]:
    link = metadata(item.node, "Resolve_OTIO", "Link Group ID")
    linked = [(f"link {link}", item.start)] if link is not None else []
    return [(f"name {name_of(item.node)}", item.start), *linked]


def _furthest(leaves: list[Leaf], entry: Fraction) -> Fraction:
    return max((leaf.end for leaf in leaves), default=entry)


def _troubled(leaves: list[Leaf], child: Child) -> list[Leaf]:
    """Hands down that the container's own place is unknown."""
    if not child.lost:
        return leaves
    problem = f"Its place is unknown, because the length of “{child.lost}” before it is."
    return [replace(leaf, problem=leaf.problem or problem) for leaf in leaves]


def _retimed(leaves: list[Leaf], entry: Fraction, plan: TimeMap, length: Fraction, name: str) -> list[Leaf]:
    """Clips inside a container whose speed was changed are placed as well as can be, but cannot be rendered."""
    shown = [plan.at(record) for record in plan.breaks(ZERO, length)]
    heard = _windowed(leaves, entry + min(shown), entry + max(shown))
    problem = (
        f"It lies inside “{name or 'a compound clip'}”, whose speed was changed; render that clip first."
    )
    placed = []
    for leaf in heard:
        ends = [plan.inverse(t - entry) for t in (leaf.start, leaf.end)]
        times = sorted(min(max(t, ZERO), length) if t is not None else ZERO for t in ends)
        start, end = entry + times[0], entry + times[-1]
        moved = replace(leaf, start=start, end=end, entry=start, before=None, after=None)
        placed.append(replace(moved, problem=problem))
    return placed
