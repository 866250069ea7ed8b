"""Facts of a whole timeline: which host wrote it, its frame rate, its timecode, its picture size."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from ..media.time import parse_timecode, round_half_up
from .nodes import Node, body, children, kind_of, metadata, number, rate_of, schema, seconds

Dialect = Literal["resolve", "premiere", "fcp7", "fcpxml", "aaf", "otio"]
HIGHEST_FRAME_RATE = 240  # what counts faster counts samples
_SIGNS: tuple[tuple[str, Dialect], ...] = (
    ("Resolve_OTIO", "resolve"),
    ("PremierePro_OTIO", "premiere"),
    ("fcp_xml", "fcp7"),
    ("fcpx", "fcpxml"),
    ("AAF", "aaf"),
)


def dialect_of(timeline: Node) -> Dialect:
    """Which host wrote the timeline, by the metadata that only it writes."""
    nodes = [timeline, body(timeline), *(track for _, track in children(timeline))]
    for key, dialect in _SIGNS:
        if any(metadata(node, key) is not None for node in nodes):
            return dialect
    return "otio"


def source_rate(clip: Node) -> Fraction | None:
    """The rate a clip's source range counts in, None where it has none."""
    source = clip.get("source_range")
    return rate_of(source.get("duration")) if isinstance(source, dict) else None


def key_rate(item: Node, rate: Fraction) -> Fraction:
    """What the keys and faders of an item count in: its own frames, the timeline's `rate` where it counts samples."""
    own = source_rate(item)
    return own if own is not None and own <= HIGHEST_FRAME_RATE else rate


def frame_rate(timeline: Node) -> Fraction:
    """Frames per second: the global start's, Premiere's note of it, or the first picture rate met; 24 if none is."""
    noted = metadata(body(timeline), "PremierePro_OTIO", "VideoFrameRate")
    candidates = [rate_of(timeline.get("global_start_time")), rate_of({"rate": noted})]
    tracks = sorted((t for _, t in children(timeline)), key=lambda t: kind_of(t, "") != "Video")
    for track in tracks:
        items = [item for _, item in children(track)] or [track]
        candidates += [source_rate(item) for item in items if schema(item) != "Transition"]
    usable = (rate for rate in candidates if rate is not None and rate <= HIGHEST_FRAME_RATE)
    return next(usable, Fraction(24))


def drops_frames(timeline: Node, rate: Fraction) -> bool:
    """Whether the timecode drops frames: said by FCP7 XML, FCPXML and EDLs, else seen from a start on such an hour."""
    if rate.denominator != 1001 or round_half_up(rate) % 30:
        return False
    shown = metadata(timeline, "fcp_xml", "timecode", "displayformat")
    shown = shown or metadata(timeline, "fcpx", "tcFormat")
    if shown is not None:
        return bool(shown == "DF")
    if metadata(timeline, "cmx_3600", "fcm") == "DROP FRAME":
        return True
    start = seconds(timeline.get("global_start_time"))
    if start is None or start <= 0:
        return False
    hour = parse_timecode("01:00:00;00", rate)
    return start % hour == 0 and (start * rate) % (3600 * round_half_up(rate)) != 0


def resolution(timeline: Node) -> tuple[int, int] | None:
    """Width and height of the picture in pixels, where Premiere or FCPXML say them."""
    size = metadata(body(timeline), "PremierePro_OTIO", "VideoResolution") or metadata(
        timeline, "fcpx", "size"
    )
    if isinstance(size, dict):
        size = [size.get("width") or size.get("Width"), size.get("height") or size.get("Height")]
    if not isinstance(size, list) or len(size) != 2:
        return None
    width, height = (number(value) for value in size)
    return (int(width), int(height)) if width and height and width > 0 and height > 0 else None
