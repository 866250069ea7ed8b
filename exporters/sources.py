"""Which file an OTIO clip plays, where in it and which of its channels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import opentimelineio as otio
import soundfile

from ..engine.edit.model import EditMedia
from ..engine.errors import MediaError
from ..engine.media.paths import is_remote, locate
from ..engine.media.reader import MediaInfo
from ..engine.media.time import snap_rate
from .common import Losses

ZERO = Fraction(0)
_LARGEST = 10**12
_SUBTYPE_BITS = {
    "PCM_S8": 8,
    "PCM_U8": 8,
    "PCM_16": 16,
    "PCM_24": 24,
    "PCM_32": 32,
    "FLOAT": 32,
    "DOUBLE": 64,
}
_BY_SOUNDFILE = (".wav", ".bwf", ".aif", ".aiff", ".flac", ".w64", ".rf64", ".caf")


class Span(NamedTuple):
    """A stretch of time in exact seconds."""

    start: Fraction
    duration: Fraction


def number(value: object) -> Fraction | None:
    """The exact value of a number, None for anything that cannot be a time (NaN, infinity, text, 1e300)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Fraction(value) if -_LARGEST <= value <= _LARGEST else None


def tidy(value: Fraction) -> Fraction:
    """1/10 for the float 0.1: the simple fraction that a writer turned into this very float, if there is one."""
    simple = value.limit_denominator(10000)
    return simple if float(simple) == float(value) else value


def rate_of(time: Any) -> Fraction | None:
    """The exact rate of a RationalTime in Hz (NTSC rates snapped), None where it has no usable one."""
    return _snapped(time.rate) if time is not None else None


@lru_cache(maxsize=256)
def _snapped(rate: float) -> Fraction | None:
    exact = number(rate)
    return snap_rate(exact) if exact is not None and exact > 0 else None


def seconds(time: Any) -> Fraction | None:
    """A RationalTime in exact seconds, None where it is absent, its rate is nought or it is not a number."""
    rate = rate_of(time)
    value = number(time.value) if rate is not None else None
    return None if rate is None or value is None else value / rate


def span(time_range: Any) -> Span | None:
    """A TimeRange in exact seconds, None where it is absent or cannot be used."""
    if time_range is None:
        return None
    start, duration = seconds(time_range.start_time), seconds(time_range.duration)
    return None if start is None or duration is None else Span(start, max(duration, ZERO))


def meta(node: Any, *keys: str) -> Any:
    """A value inside an object's metadata, None where any step of the way is missing."""
    value: Any = node.metadata
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


@dataclass(frozen=True)
class Found:
    """A clip's media, and the range the timeline says the media has."""

    media: EditMedia | None
    available: Span | None = None
    info: MediaInfo | None = None


@dataclass
class Library:
    """Finds and probes the media of one timeline; relative addresses count from `base`."""

    base: Path
    probe: Callable[[Path], MediaInfo]
    losses: Losses
    rate: Fraction = Fraction(24)
    _infos: dict[Path, MediaInfo | None] = field(default_factory=dict)
    _media: dict[tuple[str, str, str], EditMedia] = field(default_factory=dict)

    def find(self, clip: otio.schema.Clip, kind: str) -> Found:
        """The first of a clip's references, the active one leading, whose file is here and has `kind` of media.

        Where none has, the first that names a file; then the one that tells the most. Media None: a generator,
        a title or nothing at all.
        """
        looked = [(self._look(ref, clip.name), _is_essence(ref)) for _, ref in _references(clip)]
        usable = [pair for pair in looked if pair[0].media is not None]
        ranked = sorted(usable, key=lambda pair: (_rank(pair[0], kind), kind == "audio" and not pair[1]))
        return ranked[0][0] if ranked else Found(None)

    def _look(self, reference: Any, clip_name: str) -> Found:
        available = span(reference.available_range)
        if isinstance(reference, otio.schema.ImageSequenceReference):
            return self._sequence(reference, available)
        if isinstance(reference, otio.schema.GeneratorReference):
            return Found(None, available)
        url = getattr(reference, "target_url", None)
        if not isinstance(url, str) or not url.strip():
            known = available is not None or "." in (reference.name or clip_name)
            media = EditMedia(reference.name or clip_name, "", None) if known else None
            return self._ranged(media, available)
        path = None if is_remote(url) else locate(url, self.base)
        path = path if path is not None and _is_file(path) else None
        info = self._probed(path) if path is not None else None
        name = reference.name or _last_part(url)
        return Found(self._described(EditMedia(name, url, path), info, available), available, info)

    def _ranged(self, media: EditMedia | None, available: Span | None) -> Found:
        if media is None or available is None:
            return Found(media, available)
        return Found(replace(media, start=available.start, duration=available.duration), available)

    def _sequence(self, reference: Any, available: Span | None) -> Found:
        """An image sequence, by its first picture."""
        try:
            url = reference.target_url_for_image_number(0)
        except (RuntimeError, ValueError, ZeroDivisionError, IndexError):
            url = ""
        path = locate(url, self.base) if url and not is_remote(url) else None
        path = path if path is not None and _is_file(path) else None
        rate = snap_rate(reference.rate) if reference.rate and reference.rate > 0 else None
        media = EditMedia(reference.name or _last_part(url), url, path, rate=rate)
        return self._ranged(media, available)

    def _probed(self, path: Path) -> MediaInfo | None:
        if path not in self._infos:
            try:
                self._infos[path] = self.probe(path)
            except MediaError as error:
                self.losses.add(str(error))
                self._infos[path] = None
        return self._infos[path]

    def _described(self, media: EditMedia, info: MediaInfo | None, available: Span | None) -> EditMedia:
        if info is None:
            if available is not None:
                media = replace(media, start=available.start, duration=available.duration)
            return media
        start = available.start if available is not None and available.start else info.timecode or ZERO
        video = info.video
        still = video is not None and video.still
        first = info.audio[0] if info.audio else None
        return replace(
            media,
            start=start,
            duration=None if still else _exact_length(info),
            sample_rate=first.sample_rate if first is not None else 0,
            channels=sum(stream.channels for stream in info.audio),
            streams=tuple(stream.channels for stream in info.audio),
            width=video.width if video is not None else 0,
            height=video.height if video is not None else 0,
            rate=video.rate if video is not None and not still else None,
            bits=_bits(media.path) if first is not None and media.path is not None else 0,
        )


def _is_essence(reference: Any) -> bool:
    """Whether Avid says that this file holds just the sound of this clip (its other references are whole masters)."""
    return meta(reference, "AAF", "EssenceDescription", "AudioSamplingRate") is not None


def _rank(found: Found, kind: str) -> int:
    """How good a reference is for `kind` of media: 0 a file that has it, 3 one that only has a name."""
    media, info = found.media, found.info
    if info is not None and (info.audio if kind == "audio" else info.video):
        return 0
    if media is not None and media.path is not None:
        return 1
    return 2 if media is not None and media.url else 3


def _exact_length(info: MediaInfo) -> Fraction:
    """To the sample where there is no picture and the first stream knows its samples."""
    if info.video is None and info.audio and info.audio[0].samples is not None:
        return Fraction(info.audio[0].samples, info.audio[0].sample_rate)
    return info.duration


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _last_part(url: str) -> str:
    return url.replace("\\", "/").rstrip("/").rpartition("/")[2] or url


def _bits(path: Path) -> int:
    """Bits per sample of an uncompressed or FLAC file, 0 where it has none."""
    if path.suffix.lower() not in _BY_SOUNDFILE:
        return 0
    try:
        return _SUBTYPE_BITS.get(soundfile.info(str(path)).subtype, 0)
    except (RuntimeError, OSError):
        return 0


def _references(clip: otio.schema.Clip) -> list[tuple[str, Any]]:
    """A clip's media references with their keys, the active one first."""
    active = clip.active_media_reference_key
    return sorted(clip.media_references().items(), key=lambda item: item[0] != active)


def media_range(clip: otio.schema.Clip, found: Found) -> Span | None:
    """A clip's range in its media: its source range, else what its media has; None where nobody knows."""
    given = span(clip.source_range)
    if given is not None:
        return given
    if found.available is not None and found.available.duration > 0:
        return found.available
    listed = [span(reference.available_range) for _, reference in _references(clip)]
    known = next(
        (available for available in listed if available is not None and available.duration > 0), None
    )
    if known is not None:
        return known
    media = found.media
    return Span(media.start, media.duration) if media is not None and media.duration else None


def file_offset(start: Fraction, found: Found) -> Fraction:
    """Seconds into the file for a source time: less the available range's start, or the file's own timecode.

    A source time past the file's end can only be a timecode.
    """
    offset = start - (found.available.start if found.available is not None else ZERO)
    info = found.info
    if info is None or not info.timecode or offset < info.duration:
        return offset
    return start - info.timecode if 0 <= start - info.timecode < info.duration else offset


def channels_of(clip: otio.schema.Clip, track: Any, media: EditMedia | None) -> tuple[int, ...] | None:
    """The file's channels a clip plays, counted from 0 over all streams; None for all of the first stream.

    Resolve names source tracks and channels, Premiere a channel group and channels in it, FCP7 XML the source
    track. Channels that the file is known not to have are dropped.
    """
    streams = media.streams if media is not None else ()
    said = (
        _pairs(meta(clip, "sightmix_source", "channels"), streams)
        or _pairs(_resolve_pairs(clip), streams)
        or _premiere(clip, streams)
        or _fcp(clip, track)
    )
    total = sum(streams) if streams else None
    usable = tuple(dict.fromkeys(c for c in said if c >= 0 and (total is None or c < total)))
    if not usable or (streams and usable == tuple(range(streams[0]))):
        return None
    return usable


def _whole(value: object) -> int | None:
    exact = number(value)
    return int(exact) if exact is not None else None


def _pairs(listed: Any, streams: tuple[int, ...]) -> list[int]:
    """(stream, channel) pairs as flat channel numbers; streams of unknown width count as mono."""
    found = []
    for pair in listed or []:
        stream, channel = _whole(pair[0]), _whole(pair[1])
        if stream is None or channel is None or stream < 0 or channel < 0:
            continue
        if not streams:
            found.append(stream + channel)
        elif stream < len(streams) and channel < streams[stream]:
            found.append(sum(streams[:stream]) + channel)
    return found


def _resolve_pairs(clip: Any) -> list[tuple[Any, Any]]:
    listed = meta(clip, "Resolve_OTIO", "Channels")
    items = [item for item in listed or [] if isinstance(item, Mapping)]
    return [(item.get("Source Track ID"), item.get("Source Channel ID")) for item in items]


def _premiere(clip: Any, streams: tuple[int, ...]) -> list[int]:
    listed = meta(clip, "PremierePro_OTIO", "AudioChannels", "SecondaryAssignments")
    counts = [_whole(item.get("SecondaryChannelIndex")) for item in listed or [] if isinstance(item, Mapping)]
    indices = [index for index in counts if index is not None]
    group = _whole(meta(clip, "PremierePro_OTIO", "OriginalChannelGroupIndex")) or 0
    if group < len(streams) or not streams:
        return _pairs([(group, index) for index in indices], streams)
    return [group * max(1, len(indices)) + index for index in indices]


def _fcp(clip: Any, track: Any) -> list[int]:
    """FCP7: the source track counted from 1; the library keeps only the first of a stereo pair's two tracks."""
    text = str(meta(clip, "fcp_xml", "sourcetrack", "trackindex") or "")
    if not text.isdigit() or int(text) < 1:
        return []
    exploded = str(meta(track, "fcp_xml", "@totalExplodedTrackCount") or "") if track is not None else ""
    mono = str(meta(clip, "fcp_xml", "@premiereChannelType") or "mono") == "mono"
    width = 1 if mono or not exploded.isdigit() else max(1, min(int(exploded), 32))
    return [int(text) - 1 + i for i in range(width)]
