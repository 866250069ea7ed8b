"""Which file a clip plays, where it lies, what it holds, and where in it the clip begins."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from ..errors import MediaError
from ..legible import encodable, legible
from ..media.paths import is_foreign, is_remote, locate, shown_name, spellings
from ..media.reader import AudioStream, MediaInfo, probe
from ..media.search import MediaSearch, has_media_ending
from ..passage import Channel
from .model import EditMedia, State
from .nodes import (
    Node,
    Span,
    is_broken,
    metadata,
    name_of,
    number,
    rate_of,
    references,
    schema,
    span,
    text_of,
)

STILLS = (
    ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".psd", ".exr", ".dpx", ".tga", ".heic", ".svg",
)  # fmt: skip
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


@dataclass(frozen=True)
class Found:
    """What became of a clip's media references: a readable file, or the reason why there is none.

    `url` and `name` are what the timeline calls the file, `rate` the frames per second of an image sequence;
    `unreadable` says that the file is there and is no media.
    """

    state: State
    reason: str = ""
    path: Path | None = None
    info: MediaInfo | None = None
    available: Span | None = None
    still: bool = False
    url: str = ""
    name: str = ""
    rate: Fraction | None = None
    generator: bool = False
    unreadable: bool = False


@dataclass
class Library:
    """Finds and probes the media of one timeline; every file is looked at once.

    Relative addresses count from `base`; `folders` are searched by name for media that is not where the timeline says,
    or of which it says no place.
    """

    base: Path
    folders: Sequence[Path] = ()
    probe: Callable[[Path], MediaInfo] | None = None
    _chosen: dict[tuple[int, str], Found] = field(default_factory=dict)
    _kept: list[Node] = field(default_factory=list)
    _places: dict[str, tuple[Path, bool]] = field(default_factory=dict)
    _infos: dict[Path, MediaInfo | MediaError] = field(default_factory=dict)
    _media: dict[tuple[object, ...], EditMedia | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._search = MediaSearch(self.folders)

    def sound(self, clip: Node) -> Found:
        """The first of a clip's references that can be read and has sound."""
        return self._choose(clip, "sound")

    def picture(self, clip: Node) -> Found:
        """The first of a clip's references that can be read and has a picture."""
        return self._choose(clip, "picture")

    def media(self, found: Found, clip: Node) -> EditMedia | None:
        """What was found as an edit describes it; None: a generator, a title or nothing at all."""
        named = found.name or name_of(clip)
        known = found.url or found.path is not None or found.available is not None or "." in named
        if found.generator or not known:
            return None
        key = (found.url, named, found.path, found.available, found.rate, found.info is None)
        if key not in self._media:
            self._media[key] = self._described(found, named)
        return self._media[key]

    def called(self, clip: Node, found: Found) -> str:
        """A clip's name, without the escapes of an address that it was taken from; empty where it has none."""
        name = name_of(clip)
        here = found.state != "offline"
        return shown_name(name, found.url, found.path if here else None) if name and found.url else name

    def range_of(self, clip: Node) -> Span | None:
        """A clip's range in its media's own time: source range, else available range, else the probed length."""
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

    def _choose(self, clip: Node, what: str) -> Found:
        """The best of a clip's references: a file that has what is wanted, one that is here, one that has a name."""
        key = (id(clip), what)
        if key not in self._chosen:
            self._kept.append(clip)  # keeps the id from being given to another object
            self._chosen[key] = self._best(clip, what)
        return self._chosen[key]

    def _best(self, clip: Node, what: str) -> Found:
        listed = [reference for _, reference in references(clip)]
        judge = self._sound_of if what == "sound" else self._picture_of
        verdicts = [
            (judge(reference), what == "sound" and not _is_essence(reference)) for reference in listed
        ]
        best = (Found("offline", "It names no media."), True)
        best = min(verdicts, key=lambda verdict: (_rank(verdict[0]), verdict[1]), default=best)
        return self._sought(clip, best[0], what) if self.folders and best[0].state == "offline" else best[0]

    def _sought(self, clip: Node, lost: Found, what: str) -> Found:
        """Media that is not where the timeline says, or is said to be nowhere, looked for in the user's folders."""
        if any(schema(reference) == "ImageSequenceReference" for _, reference in references(clip)):
            return lost
        names, stems = _names_of(clip, lost), what == "sound" or metadata(clip, "cmx_3600") is not None
        found = self._search.find(names, stems and not lost.url)
        if found.several:
            listed = ", ".join(str(path) for path in found.several[:3])
            more = f" and {len(found.several) - 3} more" if len(found.several) > 3 else ""
            reason = f"Several files are called so: {listed}{more}; give the folder of the right one."
            return replace(lost, reason=reason)
        if found.path is None:
            return lost
        judge = self._sound_of if what == "sound" else self._picture_of
        available = next(
            (r.get("available_range") for _, r in references(clip) if r.get("available_range")), None
        )
        return judge(
            {
                "OTIO_SCHEMA": "ExternalReference.1",
                "target_url": str(found.path.absolute()),
                "name": lost.name or found.path.name,
                "available_range": available,
            }
        )

    def _file(self, reference: Node) -> Found:
        address = reference.get("target_url")
        url = encodable(address) if isinstance(address, str) else ""
        available = span(reference.get("available_range"))
        if not url.strip():
            return Found(
                "offline", "Its media reference is empty.", available=available, name=name_of(reference)
            )
        said = name_of(reference)
        found = Found("online", available=available, url=url, name=shown_name(said, url))
        if is_remote(url):
            return replace(found, state="offline", reason=f"Its media is no local file: {url[:200]}")
        path, here = self._place(url)
        found = replace(found, name=shown_name(said, url, path if here else None))
        if here:
            return replace(found, path=path)
        where = "is a Windows path, out of reach here" if is_foreign(str(path)) else "does not exist"
        reason = f"Its media is offline: {str(path)[:400]} {where}."
        return replace(found, state="offline", reason=reason, path=path)

    def _place(self, url: str) -> tuple[Path, bool]:
        """Where an address leads, and whether a file is there."""
        if url not in self._places:
            path = locate(url, self.base, self.folders)
            self._places[url] = (path, os.path.isfile(path))  # noqa: PTH113  (swallows names the system refuses)
        return self._places[url]

    def _info(self, path: Path) -> MediaInfo | MediaError:
        """What a file holds, or why it cannot be read."""
        if path not in self._infos:
            try:
                self._infos[path] = (self.probe or probe)(path)
            except MediaError as error:
                self._infos[path] = error
        return self._infos[path]

    def _sound_of(self, reference: Node) -> Found:
        other = _without_file(reference, "sound")
        if other is not None:
            return other
        found = self._file(reference)
        if found.state != "online" or found.path is None:
            return found
        if found.path.suffix.lower() in STILLS:
            reason = f"Its media is a still picture, which has no sound: {found.path.name}."
            return replace(found, state="unsupported", reason=reason, still=True)
        found = self._probed(found, found.path)
        if found.info is None or found.info.audio:
            return found
        return replace(found, state="unsupported", reason=_lacking(found.info, "audio"))

    def _picture_of(self, reference: Node) -> Found:
        sequence = schema(reference) == "ImageSequenceReference"
        other = self._sequence(reference) if sequence else _without_file(reference, "picture")
        if other is not None:
            return other
        found = self._file(reference)
        if found.state != "online" or found.path is None:
            return found
        if found.path.suffix.lower() in STILLS:
            return replace(found, still=True)
        found = self._probed(found, found.path)
        if found.info is None:
            return found
        if found.info.video is None:
            return replace(found, state="unsupported", reason=_lacking(found.info, "video"))
        return replace(found, still=found.info.video.still)

    def _probed(self, found: Found, path: Path) -> Found:
        """The same, with what the file holds; unsupported where it cannot be read."""
        info = self._info(path)
        if isinstance(info, MediaError):
            return replace(found, state="unsupported", reason=str(info), unreadable=True)
        return replace(found, info=info)

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
        found = self._file({**reference, "target_url": f"{base}{joint}{prefix}{count}{suffix}"})
        return replace(found, still=True, rate=rate_of(reference))

    def _described(self, found: Found, named: str) -> EditMedia:
        here = found.path is not None and found.url in self._places and self._places[found.url][1]
        media = EditMedia(
            legible(named), found.url, found.path if here else None, rate=found.rate, still=found.still
        )
        info = found.info
        if info is None and here and found.still and found.rate is None and found.path is not None:
            known = self._info(found.path)
            info = known if isinstance(known, MediaInfo) else None
        available = found.available
        if info is None:
            if available is None:
                return media
            return replace(media, start=available.start, duration=available.duration)
        return _measured(media, info, available)


def _measured(media: EditMedia, info: MediaInfo, available: Span | None) -> EditMedia:
    """A file's description with what it holds."""
    start = available.start if available is not None and available.start else info.timecode or Fraction(0)
    video = info.video
    still = video is not None and video.still
    first = info.audio[0] if info.audio else None
    return replace(
        media,
        start=start,
        still=still,
        duration=None if still else _exact_length(info),
        sample_rate=first.sample_rate if first is not None else 0,
        channels=sum(stream.channels for stream in info.audio),
        streams=tuple(stream.channels for stream in info.audio),
        width=video.width if video is not None else 0,
        height=video.height if video is not None else 0,
        rate=video.rate if video is not None and not still else None,
        bits=_bits(media.path) if first is not None and media.path is not None else 0,
        stamp=info.stamp,
    )


def _exact_length(info: MediaInfo) -> Fraction:
    """To the sample where there is no picture and the first stream knows its samples."""
    if info.video is None and info.audio and info.audio[0].samples is not None:
        return Fraction(info.audio[0].samples, info.audio[0].sample_rate)
    return info.duration


def _bits(path: Path) -> int:
    """Bits per sample of an uncompressed or FLAC file, 0 where it has none."""
    if path.suffix.lower() not in _BY_SOUNDFILE:
        return 0
    import soundfile

    try:
        return _SUBTYPE_BITS.get(soundfile.info(str(path)).subtype, 0)
    except (RuntimeError, OSError, ValueError):
        return 0


def _lacking(info: MediaInfo, kind: str) -> str:
    """Why a file has none of the sound ("audio") or picture ("video") asked for."""
    what = "sound" if kind == "audio" else "picture"
    if kind in info.unknown:
        return f"The {what} of {info.path.name} is in a codec that is not known here; convert it."
    if kind == "audio":
        return f"Its media has no sound: {info.path.name}."
    return f"{info.path.name} has no picture."


def _names_of(clip: Node, lost: Found) -> list[str]:
    """What the media of a clip may be called: by its address, else by its reference, its clip, or its reel."""
    if lost.url:
        return [spellings(lost.url)[0]]
    reel = text_of(metadata(clip, "cmx_3600", "reel"))
    names = [lost.name, name_of(clip), reel]
    with_ending = [name for name in names if has_media_ending(name)]
    return list(dict.fromkeys(name for name in (*with_ending, *names) if name))


def _rank(found: Found) -> int:
    """How good a reference is: 0 a file that has what is wanted, 3 one that only has a name."""
    if found.state == "online":
        return 0
    if found.state == "unsupported" and found.path is not None:
        return 1
    return 2 if found.url else 3


def _is_essence(reference: Node) -> bool:
    """Whether Avid says that this file holds just the sound of this clip (its other references are whole masters)."""
    return metadata(reference, "AAF", "EssenceDescription", "AudioSamplingRate") is not None


def _without_file(reference: Node, what: str) -> Found | None:
    """The verdict on references that are no single file."""
    kind = schema(reference)
    found = Found("unsupported", available=span(reference.get("available_range")), name=name_of(reference))
    if kind == "MissingReference":
        return replace(
            found,
            state="offline",
            reason="Its media is missing in the timeline; give the folder it lies in with --media.",
        )
    if kind == "GeneratorReference":
        return replace(found, reason=f"It is a generator, which has no {what}.", generator=True)
    if kind == "ImageSequenceReference":
        return replace(found, reason=f"It is an image sequence, which has no {what}.")
    if kind != "ExternalReference":
        return replace(found, reason=f"Its media reference is of an unknown kind ({kind or 'none'}).")
    return None


def file_offset(start: Fraction, found: Found) -> Fraction:
    """Seconds into the file for a source time: less the available range's start, or the file's own timecode.

    A source time past the file's end can only be a timecode.
    """
    offset = start - (found.available.start if found.available is not None else 0)
    info = found.info
    if info is None or not info.timecode or offset < info.duration:
        return offset
    return start - info.timecode if 0 <= start - info.timecode < info.duration else offset


def stream_of(info: MediaInfo, channels: tuple[Channel, ...] | None) -> AudioStream:
    """The audio stream whose length and rate count: the first one the clip takes channels from."""
    index = channels[0].stream if channels else 0
    return info.audio[index]
