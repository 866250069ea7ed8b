"""Where things lie: children end to end in tracks, transitions between them, exact lengths at every depth."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from .media import Library
from .nodes import (
    Node,
    Pointer,
    Span,
    body,
    child_pointer,
    children,
    is_broken,
    is_container,
    name_of,
    schema,
    seconds,
    span,
)
from .timemap import Retiming, read_retiming

ZERO = Fraction(0)


@dataclass(frozen=True)
class Fade:
    """A transition at one end of a child: its offsets in seconds and where it lies in the file."""

    into: Fraction
    out_of: Fraction
    pointer: Pointer
    name: str = ""

    @property
    def shift(self) -> Fraction:
        """How far after the cut the middle of the transition lies, in seconds."""
        return (self.out_of - self.into) / 2


@dataclass(frozen=True)
class Child:
    """An item of a track with its record start (seconds after the first item's start) and length.

    `duration` None: unknown; `lost` is then set on what follows, naming the item whose length is unknown.
    """

    node: Node
    pointer: Pointer
    start: Fraction
    duration: Fraction | None
    before: Fade | None = None
    after: Fade | None = None
    lost: str = ""


class Placement:
    """Lengths and positions in a parsed timeline.

    `source_frames` is Premiere's reading of retimed clips' ranges, `origin` the start timecode in seconds.
    """

    def __init__(self, library: Library, source_frames: bool, origin: Fraction = ZERO) -> None:
        self.library = library
        self.origin = origin
        self.source_frames = source_frames
        self._durations: dict[int, Fraction | None] = {}
        self._tracks: dict[int, list[Child]] = {}
        self._stacks: dict[int, list[Child]] = {}
        self._retimings: dict[int, Retiming] = {}
        self._ranges: dict[int, Span | None] = {}

    def retiming(self, node: Node) -> Retiming:
        """The item's time effects, read once."""
        if id(node) not in self._retimings:
            self._retimings[id(node)] = read_retiming(node)
        return self._retimings[id(node)]

    def duration(self, node: Node) -> Fraction | None:
        """Record seconds an item takes in its parent, None if nobody can say."""
        if id(node) not in self._durations:
            self._durations[id(node)] = self._measure(node)
        return self._durations[id(node)]

    def entry(self, node: Node) -> Fraction:
        """Where a container is entered, in seconds of its own time: its source range's start.

        Some hosts count that start in timecode. Where it lies past everything the container holds, the start
        timecode is taken off: the nested timeline's, the outer one's, or the whole hour.
        """
        given = span(body(node).get("source_range")) or span(node.get("source_range"))
        if given is None:
            return ZERO
        content = self._content(node)
        if not content or given.start < content:
            return given.start
        own = seconds(node.get("global_start_time"))
        hour = given.start // 3600 * 3600
        inside = (given.start - origin for origin in (own, self.origin, hour) if origin is not None)
        return next((start for start in inside if 0 <= start < content), given.start)

    def media_range(self, clip: Node) -> Span | None:
        """A clip's source range with the length in record seconds put right for Premiere's dialect."""
        if id(clip) not in self._ranges:
            self._ranges[id(clip)] = self._range(clip)
        return self._ranges[id(clip)]

    def _range(self, clip: Node) -> Span | None:
        given = self.library.range_of(clip)
        speed = abs(self.retiming(clip).speed)
        if given is None or not self.source_frames or speed in (0, 1) or self.retiming(clip).keys:
            return given
        return Span(given.start, given.duration / speed)

    def track(self, node: Node, pointer: Pointer) -> list[Child]:
        """The items of a track end to end; transitions take no time and are noted at their neighbours."""
        if id(node) not in self._tracks:
            self._tracks[id(node)] = self._lay(node, pointer)
        return self._tracks[id(node)]

    def stack(self, node: Node, pointer: Pointer) -> list[Child]:
        """The layers of a stack from the bottom up; every one starts at the stack's own zero."""
        if id(node) not in self._stacks:
            self._stacks[id(node)] = self._pile(node, pointer)
        return self._stacks[id(node)]

    def _pile(self, node: Node, pointer: Pointer) -> list[Child]:
        return [
            Child(child, child_pointer(node, pointer, i), ZERO, self.duration(child))
            for i, child in children(node)
            if schema(child) != "Transition"
        ]

    def items(self, node: Node, pointer: Pointer) -> list[Child]:
        """What lies inside a container, wherever it is of."""
        is_track = schema(body(node)) in ("Track", "Sequence")
        return self.track(node, pointer) if is_track else self.stack(node, pointer)

    def _measure(self, node: Node) -> Fraction | None:
        if schema(node) == "Clip":
            given = self.media_range(node)
        else:
            given = span(node.get("source_range")) or span(body(node).get("source_range"))
        if given is not None:
            return max(given.duration, ZERO)
        if is_broken(node.get("source_range")):
            return None
        if is_container(node):
            return self._content(node)
        return None if schema(node) == "Clip" else ZERO

    def _content(self, node: Node) -> Fraction | None:
        lengths = [self.duration(child) for _, child in children(node) if schema(child) != "Transition"]
        known = [length for length in lengths if length is not None]
        if schema(body(node)) in ("Track", "Sequence"):
            return sum(known, ZERO) if len(known) == len(lengths) else None
        return self._least(node)

    def _least(self, node: Node) -> Fraction:
        """What a container's content takes at least: items whose length nobody knows take nothing."""
        lengths = []
        for _, child in children(node):
            if schema(child) != "Transition":
                length = self.duration(child)
                unknown = self._least(child) if is_container(child) else ZERO
                lengths.append(length if length is not None else unknown)
        is_track = schema(body(node)) in ("Track", "Sequence")
        return sum(lengths, ZERO) if is_track else max(lengths, default=ZERO)

    def _lay(self, node: Node, pointer: Pointer) -> list[Child]:
        laid: list[Child] = []
        position, lost, fade = ZERO, "", None
        for i, child in children(node):
            where = child_pointer(node, pointer, i)
            if schema(child) == "Transition":
                fade = Fade(
                    offset_seconds(child, "in_offset"),
                    offset_seconds(child, "out_offset"),
                    where,
                    name_of(child),
                )
                if laid:
                    laid[-1] = _ending(laid[-1], fade)
                continue
            duration = self.duration(child)
            laid.append(Child(child, where, position, duration, before=fade, lost=lost))
            if duration is None:
                lost = lost or str(child.get("name") or "an unnamed clip")
            position, fade = position + (duration or ZERO), None
        return laid


def offset_seconds(transition: Node, key: str) -> Fraction:
    """A transition's in or out offset in seconds, nought where it is absent, negative or unusable."""
    value = seconds(transition.get(key))
    return value if value is not None and value > 0 else Fraction(0)


def _ending(child: Child, fade: Fade) -> Child:
    return Child(child.node, child.pointer, child.start, child.duration, child.before, fade, child.lost)
