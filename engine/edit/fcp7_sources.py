"""What the source tracks of FCP 7 XML count: the channels of a file, or the streams in it.

Final Cut Pro 7 and Premiere have a source track for every channel: the two sides of a stereo sound are 1 and 2, on
tracks of their own. Resolve, and what writes for it, has one for every stream: track n is the n-th sound of the file
with all its channels. A document does not say which it means, but shows it: by Premiere's words for channels
(`premiereChannelType`, `premiereTrackType`, exploded tracks), by `outputchannelindex`, which only tracks of one channel
have, by pans to either side, by source tracks beyond the file's streams, or by a file that declares its channels one by
one. Where nothing shows channels, streams are meant: a lone stereo file is heard whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..passage import Channel
from . import fcp7_levels
from .nodes import Node, children, metadata, references, schema, text_of


@dataclass(frozen=True)
class SourceTracks:
    """What a timeline shows of its source tracks: that they are `channels`, and the highest one used of each file."""

    channels: bool = False
    highest: dict[str, int] = field(default_factory=dict)

    def played(self, clip: Node, track: Node | None, widths: Sequence[int]) -> list[Channel]:
        """The channels a clip plays of a file whose streams have `widths` channels (empty: nobody knows); none where
        it names no source track.
        """
        first = index_of(clip)
        if not first:
            return []
        if self.channels or _says_channels(clip, track) or self._beyond(clip, first, widths):
            found = [nth_channel(widths, first - 1 + i) for i in range(_sides(clip, track))]
            return [channel for channel in found if channel is not None]
        return [Channel(first - 1, channel) for channel in range(widths[first - 1])]

    def _beyond(self, clip: Node, first: int, widths: Sequence[int]) -> bool:
        """Whether a file has fewer streams than the timeline uses source tracks of it, or declares channels."""
        highest = max(first, self.highest.get(_url(clip), 0))
        declared = _declared(clip)
        each = len(declared) > len(widths) and set(declared) == {1} and len(declared) == sum(widths)
        return highest > len(widths) or each


def source_tracks(timeline: Node) -> SourceTracks:
    """What all clips of a timeline together show."""
    highest: dict[str, int] = {}
    shown = metadata(timeline, "fcp_xml", "@explodedTracks") == "true"
    for clip, track in _clips(timeline, None):
        index = index_of(clip)
        if index:
            highest[_url(clip)] = max(index, highest.get(_url(clip), 0))
            shown = shown or _says_channels(clip, track)
    return SourceTracks(shown, highest)


def nth_channel(widths: Sequence[int], index: int) -> Channel | None:
    """The file's n-th channel (from 0), counted through all its streams; None where it has fewer."""
    if not widths:
        return Channel(index, 0)
    for stream, count in enumerate(widths):
        if 0 <= index < count:
            return Channel(stream, index)
        index -= count
    return None


def index_of(clip: Node) -> int:
    """The source track a clip names, counted from 1; 0 where it names none."""
    return _counted(metadata(clip, "fcp_xml", "sourcetrack", "trackindex"))


def _clips(node: Node, track: Node | None) -> Iterator[tuple[Node, Node | None]]:
    for _, child in children(node):
        if schema(child) == "Clip":
            yield child, track
        else:
            yield from _clips(child, child if schema(child) in ("Track", "Sequence") else track)


def _url(clip: Node) -> str:
    return next((text_of(reference.get("target_url")) for _, reference in references(clip)), "")


def _says_channels(clip: Node, track: Node | None) -> bool:
    """Whether a clip or its track is of one channel, in words that only hosts use that count channels."""
    words = [
        metadata(track or {}, "fcp_xml", key) for key in ("@premiereTrackType", "@totalExplodedTrackCount")
    ]
    words += [
        metadata(clip, "fcp_xml", "@premiereChannelType"),
        metadata(track or {}, "fcp_xml", "outputchannelindex"),
    ]
    return any(words) or _panned(clip)


def _panned(clip: Node) -> bool:
    line = fcp7_levels.pan_of(clip, fcp7_levels.PLAIN)
    return line is not None and all(abs(place) == 1 for place in line.places)


def _sides(clip: Node, track: Node | None) -> int:
    """How many channels a clip plays: OTIO keeps only the first of the tracks that a stereo sound is on."""
    exploded = _counted(metadata(track or {}, "fcp_xml", "@totalExplodedTrackCount"))
    mono = str(metadata(clip, "fcp_xml", "@premiereChannelType") or "mono") == "mono"
    return 1 if mono else max(1, min(exploded, 32))


def _declared(clip: Node) -> list[int]:
    """The channels of each sound that the document declares of a clip's file."""
    for _, reference in references(clip):
        sounds = metadata(reference, "fcp_xml", "media", "audio")
        listed = sounds if isinstance(sounds, list) else [sounds]
        return [_counted(sound.get("channelcount")) for sound in listed if isinstance(sound, dict)]
    return []


def _counted(value: object) -> int:
    """A number from 1 as the adapter hands it on, 0 for anything else."""
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
