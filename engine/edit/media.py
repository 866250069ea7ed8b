"""Which file a clip plays, where in it, and which of its channels."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

from ..errors import MediaError
from ..media.paths import is_foreign, is_remote, locate
from ..media.reader import AudioStream, MediaInfo, probe
from ..passage import Channel
from .nodes import Node, Span, is_broken, metadata, number, references, schema, seconds, span

State = Literal["online", "offline", "unsupported"]

STILLS = tuple(
    [
        ".png",
        ".jpg",
        ".jpeg",
        ".tif",
        ".tiff",
        ".bmp",
        ".webp",
        ".gif",
        ".psd",
        ".exr",
        ".dpx",
        ".tga",
        ".heic",
        ".svg",
    ]
)


@dataclass(frozen=True)
class Found:
    """What became of a clip's media references: a readable file, or the reason why there is none."""

    state: State
    reason: str = ""
    path: Path | None = None
    info: MediaInfo | None = None
    available: Span | None = None
    still: bool = False


@dataclass
class Library:
    """Finds and probes the media of one timeline; every file is looked at once."""

    base: Path
    folders: Sequence[Path] = ()
    _sound: dict[int, Found] = field(default_factory=dict)
    _picture: dict[int, Found] = field(default_factory=dict)
    _kept: list[Node] = field(default_factory=list)

    def sound(self, clip: Node) -> Found:
        """The first of a clip's references that can be read and has sound."""
        if id(clip) not in self._sound:
            self._kept.append(clip)  # keeps the id from being given to another object
            self._sound[id(clip)] = self._choose(clip, self._sound_of, prefers=_is_essence)
        return self._sound[id(clip)]

    def picture(self, clip: Node) -> Found:
        """The first of a clip's references that can be read and has a picture."""
        if id(clip) not in self._picture:
            self._kept.append(clip)
            self._picture[id(clip)] = self._choose(clip, self._picture_of)
        return self._picture[id(clip)]

    def range_of(self, clip: Node) -> Span | None:
        """A clip's range in its media's own time: source range, else available range, else the
        probed length.
        """
        given = span(clip.get("source_range"))
        if given is not None or is_broken(clip.get("source_range")):
            return given
        for _, reference in references(clip):
            available = span(reference.get("available_range"))
            if available is not None:
                return available
        for found in (self.sound(clip), self.picture(clip)):
            if found.info is not None and not found.still:
                return Span(found.info.timecode or Fraction(0), found.info.duration)
        return None

    def _choose(
        self, clip: Node, judge: Callable[[Node], Found], prefers: Callable[[Node], bool] | None = None
    ) -> Found:
        listed = references(clip)
        if not listed:
            return Found("offline", "It names no media.")
        verdicts = [judge(reference) for _, reference in listed]
        paired = zip(listed, verdicts, strict=True)
        playing = [(ref, found) for (_, ref), found in paired if found.state == "online"]
        best = [found for reference, found in playing if prefers is not None and prefers(reference)]
        online = next(iter(best + [found for _, found in playing]), None)
        return online or next((found for found in verdicts if found.path is not None), verdicts[0])

    def _file(self, reference: Node) -> Found:
        url = reference.get("target_url")
        available = span(reference.get("available_range"))
        if not isinstance(url, str) or not url.strip():
            return Found("offline", "Its media reference is empty.", available=available)
        if is_remote(url):
            return Found("offline", f"Its media is no local file: {url[:200]}", available=available)
        path = locate(url, self.base, self.folders)
        if os.path.isfile(path):  # noqa: PTH113  (swallows names the system refuses)
            return Found("online", path=path, available=available)
        where = "is a Windows path, out of reach here" if is_foreign(str(path)) else "does not exist"
        return Found(
            "offline", f"Its media is offline: {str(path)[:400]} {where}.", path, available=available
        )

    def _sound_of(self, reference: Node) -> Found:
        other = _without_file(reference, "sound")
        if other is not None:
            return other
        found = self._file(reference)
        if found.state != "online" or found.path is None:
            return found
        if found.path.suffix.lower() in STILLS:
            reason = f"Its media is a still picture, which has no sound: {found.path.name}."
            return Found("unsupported", reason, found.path)
        found = _probed(found, found.path)
        if found.info is None or found.info.audio:
            return found
        return replace(found, state="unsupported", reason=f"Its media has no sound: {found.info.path.name}.")

    def _picture_of(self, reference: Node) -> Found:
        sequence = schema(reference) == "ImageSequenceReference"
        other = self._sequence(reference) if sequence else _without_file(reference, "picture")
        if other is not None:
            return other
        found = self._file(reference)
        if found.state != "online" or found.path is None:
            return found
        if found.path.suffix.lower() in STILLS:
            return Found("online", "", found.path, available=found.available, still=True)
        try:
            info = probe(found.path)
        except MediaError as error:
            return Found("unsupported", str(error), found.path, available=found.available)
        if info.video is None:
            return Found(
                "unsupported", f"{found.path.name} has no picture.", found.path, info, found.available
            )
        return Found("online", "", found.path, info, found.available, info.video.still)

    def _sequence(self, reference: Node) -> Found | None:
        """An image sequence is shown by its first frame that exists: good enough to see what a shot is of."""
        base, prefix, suffix = (
            str(reference.get(key) or "") for key in ("target_url_base", "name_prefix", "name_suffix")
        )
        first, padding = (
            number(reference.get("start_frame", 1)),
            number(reference.get("frame_zero_padding", 0)),
        )
        count = f"{int(first or 0):0{min(int(padding or 0), 20)}d}"
        joint = "" if not base or base.endswith(("/", "\\")) else "/"
        found = self._file({"target_url": f"{base}{joint}{prefix}{count}{suffix}"})
        return Found(found.state, found.reason, found.path, still=True)


def _is_essence(reference: Node) -> bool:
    """Whether Avid says that this file holds just the sound of this clip (its other references are whole masters)."""
    return metadata(reference, "AAF", "EssenceDescription", "AudioSamplingRate") is not None


def _probed(found: Found, path: Path) -> Found:
    """The same, with what the file holds; unsupported where it cannot be read."""
    try:
        return replace(found, info=probe(path))
    except MediaError as error:
        return replace(found, state="unsupported", reason=str(error))


def _without_file(reference: Node, what: str) -> Found | None:
    """The verdict on references that are no single file."""
    kind = schema(reference)
    available = span(reference.get("available_range"))
    if kind == "MissingReference":
        return Found("offline", "Its media is missing in the timeline.", available=available)
    if kind == "GeneratorReference":
        return Found("unsupported", f"It is a generator, which has no {what}.", available=available)
    if kind == "ImageSequenceReference":
        return Found("unsupported", f"It is an image sequence, which has no {what}.", available=available)
    if kind != "ExternalReference":
        return Found("unsupported", f"Its media reference is of an unknown kind ({kind or 'none'}).")
    return None


def file_offset(start: Fraction, found: Found, length: Fraction | None) -> Fraction:
    """Seconds into the file for a source time: less the available range's start, or the file's own start
    timecode.

    `length` is the media's length in seconds; a source time past it can only be a timecode.
    """
    offset = start - (found.available.start if found.available is not None else 0)
    origin = found.info.timecode if found.info is not None else None
    if length is None or offset < length or not origin:
        return offset
    return start - origin if 0 <= start - origin < length else offset


def stream_of(info: MediaInfo, channels: tuple[Channel, ...] | None) -> AudioStream:
    """The audio stream whose length and rate count: the first one the clip takes channels from."""
    index = channels[0].stream if channels else 0
    return info.audio[index]


def _flat(info: MediaInfo, index: int) -> Channel | None:
    """The file's n-th channel (from 0), counted through all its streams."""
    for stream in info.audio:
        if 0 <= index < stream.channels:
            return Channel(stream.index, index)
        index -= stream.channels
    return None


def _resolve_channels(clip: Node) -> list[Channel]:
    listed = metadata(clip, "Resolve_OTIO", "Channels")
    pairs = [
        (number(item.get("Source Track ID")), number(item.get("Source Channel ID")))
        for item in (listed if isinstance(listed, list) else [])
        if isinstance(item, dict)
    ]
    return [Channel(int(s), int(c)) for s, c in pairs if s is not None and c is not None]


def _premiere_channels(clip: Node, info: MediaInfo) -> list[Channel]:
    listed = metadata(clip, "PremierePro_OTIO", "AudioChannels", "SecondaryAssignments")
    if not isinstance(listed, list):
        return []
    group = int(number(metadata(clip, "PremierePro_OTIO", "OriginalChannelGroupIndex")) or 0)
    counts = [number(item.get("SecondaryChannelIndex")) for item in listed if isinstance(item, dict)]
    indices = [int(index) for index in counts if index is not None]
    if group < len(info.audio):
        return [Channel(group, index) for index in indices]
    found = [_flat(info, group * max(1, len(indices)) + index) for index in indices]
    return [channel for channel in found if channel is not None]


def _fcp_channels(clip: Node, track: Node | None, info: MediaInfo) -> list[Channel]:
    """FCP7: the source track counted from 1; the library keeps only the first of a stereo pair's two
    tracks.
    """
    text = str(metadata(clip, "fcp_xml", "sourcetrack", "trackindex") or "")
    if not text.isdigit() or int(text) < 1:
        return []
    exploded = str(metadata(track or {}, "fcp_xml", "@totalExplodedTrackCount") or "")
    mono = str(metadata(clip, "fcp_xml", "@premiereChannelType") or "mono") == "mono"
    width = 1 if mono or not exploded.isdigit() else max(1, min(int(exploded), 32))
    found = [_flat(info, int(text) - 1 + i) for i in range(width)]
    return [channel for channel in found if channel is not None]


def _own_channels(clip: Node) -> list[Channel]:
    listed = metadata(clip, "sightmix_source", "channels")
    return [Channel(int(s), int(c)) for s, c in listed] if isinstance(listed, list) else []


def channels_of(clip: Node, track: Node | None, info: MediaInfo) -> tuple[Channel, ...] | None:
    """The channels a clip plays, in its host's dialect; None (all of the first stream) where nothing usable
    is said.

    Resolve: `Channels` with source track and channel IDs; Premiere: `AudioChannels` in a channel group; FCP7
    XML: the source track number. Channels that the file does not have are dropped.
    """
    said = (
        _own_channels(clip)
        or _resolve_channels(clip)
        or _premiere_channels(clip, info)
        or _fcp_channels(clip, track, info)
    )
    widths = {stream.index: stream.channels for stream in info.audio}
    usable = tuple(dict.fromkeys(c for c in said if 0 <= c.channel < widths.get(c.stream, 0)))
    return usable or None


def link_of(clip: Node) -> str:
    """What ties a clip to its picture in its host: link group, link ID; empty where it is not linked."""
    for keys in (("Resolve_OTIO", "Link Group ID"), ("PremierePro_OTIO", "LinkID")):
        value = metadata(clip, *keys)
        if isinstance(value, str | int | float):
            return str(value)
    return ""


def offset_seconds(transition: Node, key: str) -> Fraction:
    """A transition's in or out offset in seconds, nought where it is absent, negative or unusable."""
    value = seconds(transition.get(key))
    return value if value is not None and value > 0 else Fraction(0)
