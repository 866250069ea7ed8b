"""OTIO's JSON objects, made from scratch: what our own readers turn other formats into."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ...engine.edit.nodes import Node


def time(value: float | Fraction, rate: float | Fraction) -> Node:
    """`value` units at `rate` Hz."""
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(rate), "value": float(value)}


def time_range(start: float | Fraction, duration: float | Fraction, rate: float | Fraction) -> Node:
    """A range of units at `rate` Hz."""
    return {"OTIO_SCHEMA": "TimeRange.1", "duration": time(duration, rate), "start_time": time(start, rate)}


def item(
    schema: str, name: str, source: Node | None = None, metadata: Node | None = None, **more: Any
) -> Node:
    """What clips, gaps, tracks and stacks have in common, and `more` of each."""
    return {
        "OTIO_SCHEMA": schema,
        "metadata": metadata or {},
        "name": name,
        "source_range": source,
        "effects": [],
        "markers": [],
        "enabled": True,
        **more,
    }


def gap(duration: float | Fraction, rate: float | Fraction) -> Node:
    """Nothing for `duration` units."""
    return item("Gap.1", "", time_range(0, duration, rate), None)


def track(name: str, kind: str, items: list[Node], metadata: Node | None = None) -> Node:
    """A track, "Video" or "Audio"."""
    return {**item("Track.1", name, None, metadata), "children": items, "kind": kind}


def stack(name: str, layers: list[Node], source: Node | None = None, metadata: Node | None = None) -> Node:
    """Layers above each other, the lowest first."""
    return {**item("Stack.1", name, source, metadata), "children": layers}


def timeline(name: str, tracks: list[Node], start: Node | None, metadata: Node | None = None) -> Node:
    """A timeline whose first frame is at `start`, a time of day."""
    return {
        "OTIO_SCHEMA": "Timeline.1",
        "metadata": metadata or {},
        "name": name,
        "global_start_time": start,
        "tracks": stack("tracks", tracks),
    }


def clip(name: str, source: Node | None, reference: Node, metadata: Node | None = None) -> Node:
    """A clip that plays `source` of its media."""
    return {
        **item("Clip.2", name, source, metadata),
        "media_references": {"DEFAULT_MEDIA": reference},
        "active_media_reference_key": "DEFAULT_MEDIA",
    }


def _reference(schema: str, name: str, available: Node | None, metadata: Node | None) -> Node:
    return {
        "OTIO_SCHEMA": schema,
        "metadata": metadata or {},
        "name": name,
        "available_range": available,
        "available_image_bounds": None,
    }


def external(url: str, name: str, available: Node | None = None, metadata: Node | None = None) -> Node:
    """A media file."""
    return {**_reference("ExternalReference.1", name, available, metadata), "target_url": url}


def missing(name: str, available: Node | None = None, metadata: Node | None = None) -> Node:
    """Media that nothing says the place of."""
    return _reference("MissingReference.1", name, available, metadata)


def generator(kind: str, name: str = "", available: Node | None = None, metadata: Node | None = None) -> Node:
    """A picture or sound that the host makes."""
    return {
        **_reference("GeneratorReference.1", name, available, metadata),
        "generator_kind": kind,
        "parameters": {},
    }


def transition(
    name: str,
    kind: str,
    into: Fraction,
    out_of: Fraction,
    rate: float | Fraction,
    metadata: Node | None = None,
) -> Node:
    """A transition that begins `into` units before the cut and ends `out_of` units after it."""
    return {
        "OTIO_SCHEMA": "Transition.1",
        "metadata": metadata or {},
        "name": name,
        "in_offset": time(into, rate),
        "out_offset": time(out_of, rate),
        "transition_type": kind,
    }


def marker(
    name: str, start: Fraction, duration: Fraction, rate: float | Fraction, color: str, note: str = ""
) -> Node:
    """A marker over `duration` units."""
    return {
        "OTIO_SCHEMA": "Marker.2",
        "metadata": {},
        "name": name,
        "color": color,
        "marked_range": time_range(start, duration, rate),
        "comment": note,
    }
