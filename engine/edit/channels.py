"""Which of its file's channels a clip plays, in the words of the host that wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from ..passage import Channel
from .fcp7_sources import SourceTracks, nth_channel
from .nodes import Node, metadata, number


def channels_of(
    clip: Node, track: Node | None, widths: Sequence[int], sources: SourceTracks
) -> tuple[Channel, ...] | None:
    """The channels a clip plays; None (all of the first stream) where nothing usable is said.

    Resolve names source tracks and channels, Premiere a channel group and channels in it, FCP7 XML the source
    track, which counts what `sources` found out of the whole timeline. `widths` are the channels of every audio stream
    of the file, in file order; where nobody knows them (empty), every stream counts as mono. Channels the file does
    not have are dropped; one that is named twice (dual mono) is played twice.
    """
    said = (
        _own(clip, widths) or _resolve(clip) or _premiere(clip, widths) or sources.played(clip, track, widths)
    )
    if widths:
        said = [c for c in said if c.stream < len(widths) and c.channel < widths[c.stream]]
    usable = tuple(c for c in said if c.stream >= 0 and c.channel >= 0)
    return usable or None


def flat_numbers(channels: Sequence[Channel], widths: Sequence[int]) -> tuple[int, ...]:
    """Channels counted from 0 over all streams of the file; streams of unknown width count as mono."""
    firsts = [0, *accumulate(widths)]
    return tuple((firsts[c.stream] if c.stream < len(widths) else c.stream) + c.channel for c in channels)


def link_of(clip: Node) -> str:
    """What ties a clip to its picture in its host: link group, link ID; empty where it is not linked."""
    for keys in (
        ("sightmix_source", "link"),
        ("Resolve_OTIO", "Link Group ID"),
        ("PremierePro_OTIO", "LinkID"),
    ):
        value = metadata(clip, *keys)
        if isinstance(value, str | int | float):
            return str(value)
    return ""


def lacking(clip: Node, widths: Sequence[int]) -> str:
    """One sentence where a clip plays a stream, or channels alone, that its file does not have, else ""; `widths` as in
    `channels_of`.
    """
    stream = number(metadata(clip, "sightmix_source", "stream"))
    if stream is None:
        beyond = _counted(clip) if widths else []
        if not beyond or min(beyond) < sum(widths):
            return ""
        return f"It plays channel {min(beyond) + 1} of a file that has {sum(widths)}."
    if not widths or stream < len(widths):
        return ""
    return f"It plays stream {int(stream) + 1} of sound in a file that has {len(widths)}."


def _counted(clip: Node) -> list[int]:
    """The numbers of the channels that our own readers noted."""
    played = metadata(clip, "sightmix_source", "played")
    counts = [number(value) for value in played] if isinstance(played, list) else []
    return [int(count) for count in counts if count is not None]


def _own(clip: Node, widths: Sequence[int]) -> list[Channel]:
    """What our own readers noted: streams and channels, or channels of one stream or counted through all of them."""
    listed = metadata(clip, "sightmix_source", "channels")
    rows = [row for row in listed if isinstance(row, list)] if isinstance(listed, list) else []
    pairs = [(number(row[0]), number(row[1])) for row in rows if len(row) == 2]
    if pairs:
        return [Channel(int(s), int(c)) for s, c in pairs if s is not None and c is not None]
    stream = number(metadata(clip, "sightmix_source", "stream"))
    indices = _counted(clip)
    if stream is None:
        found = [nth_channel(widths, index) for index in indices]
        return [channel for channel in found if channel is not None]
    known = range(widths[int(stream)] if 0 <= stream < len(widths) else 1)
    return [Channel(int(stream), index) for index in indices or known]


def _resolve(clip: Node) -> list[Channel]:
    listed = metadata(clip, "Resolve_OTIO", "Channels")
    pairs = [
        (number(item.get("Source Track ID")), number(item.get("Source Channel ID")))
        for item in (listed if isinstance(listed, list) else [])
        if isinstance(item, dict)
    ]
    return [Channel(int(s), int(c)) for s, c in pairs if s is not None and c is not None]


def _premiere(clip: Node, widths: Sequence[int]) -> list[Channel]:
    listed = metadata(clip, "PremierePro_OTIO", "AudioChannels", "SecondaryAssignments")
    if not isinstance(listed, list):
        return []
    group = int(number(metadata(clip, "PremierePro_OTIO", "OriginalChannelGroupIndex")) or 0)
    counts = [number(item.get("SecondaryChannelIndex")) for item in listed if isinstance(item, dict)]
    indices = [int(index) for index in counts if index is not None]
    if group < len(widths) or not widths:
        return [Channel(group, index) for index in indices]
    found = [nth_channel(widths, group * max(1, len(indices)) + index) for index in indices]
    return [channel for channel in found if channel is not None]
