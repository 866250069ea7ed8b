"""Reading OTIO's JSON objects without the library: schemas, exact times, children, references."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from ..legible import legible
from ..media.time import snap_rate

Node = dict[str, Any]
Pointer = tuple[str | int, ...]

_LARGEST = 10**12
_SLOWEST, _LONGEST = (
    Fraction(1, 1000),
    10**11,
)  # Hz and s: beyond them no clock counts, and sums lose their samples
_CONTAINERS = ("Stack", "Track", "Sequence", "Timeline", "Composition")


class Span(NamedTuple):
    """A stretch of time in exact seconds."""

    start: Fraction
    duration: Fraction


def schema(node: object) -> str:
    """Name of an object's schema without its version: "Clip" for "Clip.2", "" for anything else."""
    name = node.get("OTIO_SCHEMA") if isinstance(node, dict) else None
    return name.rpartition(".")[0] or name if isinstance(name, str) else ""


def is_container(node: Node) -> bool:
    """Whether the object holds further clips: a stack, a track or a nested timeline."""
    return schema(node) in _CONTAINERS


def number(value: object) -> Fraction | None:
    """The exact value of a JSON number, None for anything that cannot be a time (NaN, infinity,
    text, 1e300).
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Fraction(value) if -_LARGEST <= value <= _LARGEST else None


def rate_of(time: object) -> Fraction | None:
    """The exact rate of a RationalTime in Hz (NTSC rates snapped), None where it has no usable one."""
    rate = time.get("rate") if isinstance(time, dict) else None
    return _exact_rate(rate) if isinstance(rate, int | float) else None


def seconds(time: object) -> Fraction | None:
    """A RationalTime in exact seconds, None where its value or rate cannot be used."""
    rate = rate_of(time)
    value = time.get("value") if isinstance(time, dict) else None
    if rate is None or not isinstance(value, int | float):
        return None
    return _exact_time(value, rate)


# Timelines say the same few rates and many of the same times over and over; fractions are slow to make.
@lru_cache(maxsize=256, typed=True)
def _exact_rate(rate: float) -> Fraction | None:
    exact = number(rate)
    return snap_rate(exact) if exact is not None and exact >= _SLOWEST else None


@lru_cache(maxsize=1 << 16, typed=True)
def _exact_time(value: float, rate: Fraction) -> Fraction | None:
    exact = number(value)
    return None if exact is None or abs(exact / rate) > _LONGEST else exact / rate


def span(time_range: object) -> Span | None:
    """A TimeRange in exact seconds, None where it is absent or cannot be used."""
    if not isinstance(time_range, dict):
        return None
    start, duration = seconds(time_range.get("start_time")), seconds(time_range.get("duration"))
    return None if start is None or duration is None else Span(start, duration)


def is_broken(time_range: object) -> bool:
    """Whether a range is there but makes no sense; one at rate nought (Kdenlive's stills) counts as
    absent.
    """
    if not isinstance(time_range, dict) or span(time_range) is not None:
        return False
    times = (time_range.get("start_time"), time_range.get("duration"))
    return not any(isinstance(time, dict) and number(time.get("rate")) == 0 for time in times)


def is_enabled(node: Node) -> bool:
    """Whether the object itself plays; its ancestors may still be disabled.

    OTIO's FCP 7 adapter keeps what the document says of that in its metadata only.
    """
    return node.get("enabled", True) is not False and metadata(node, "fcp_xml", "enabled") != "FALSE"


def body(node: Node) -> Node:
    """The composition inside a nested timeline (its stack), or the object itself."""
    tracks = node.get("tracks")
    return tracks if schema(node) == "Timeline" and isinstance(tracks, dict) else node


def children(node: Node) -> Iterator[tuple[int, Node]]:
    """The objects inside a stack or track with their positions in the file's list; junk is passed over."""
    listed = body(node).get("children")
    if isinstance(listed, list):
        yield from ((i, child) for i, child in enumerate(listed) if isinstance(child, dict))


def child_pointer(parent: Node, pointer: Pointer, index: int) -> Pointer:
    """Where a child lies below the file's root."""
    inner = ("tracks",) if schema(parent) == "Timeline" else ()
    return (*pointer, *inner, "children", index)


def follow(root: Any, pointer: Pointer) -> Node:
    """The object a pointer leads to."""
    for step in pointer:
        root = root[step]
    node: Node = root
    return node


def metadata(node: Node, *keys: str) -> Any:
    """A value inside an object's metadata, None where any step of the way is missing."""
    value: Any = node.get("metadata")
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def references(clip: Node) -> list[tuple[str, Node]]:
    """A clip's media references with their keys: the active one first, the others in file order."""
    several = clip.get("media_references")
    if not isinstance(several, dict):
        single = clip.get("media_reference")
        return [("DEFAULT_MEDIA", single)] if isinstance(single, dict) else []
    active = clip.get("active_media_reference_key", "DEFAULT_MEDIA")
    found = [(key, ref) for key, ref in several.items() if isinstance(ref, dict)]
    return sorted(found, key=lambda item: item[0] != active)


def kind_of(track: Node, inherited: str) -> str:
    """ "Audio" or "Video" (or a host's own kind) of a track; a track without one takes its parent's."""
    kind = track.get("kind")
    return kind.capitalize() if isinstance(kind, str) and kind else inherited or "Video"


def name_of(node: Node) -> str:
    """The object's name, or an empty string."""
    return text_of(node.get("name"))


def text_of(value: object) -> str:
    """The text as every file can hold it (`legible`), "" for anything else."""
    return legible(value) if isinstance(value, str) else ""
