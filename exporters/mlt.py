"""MLT XML: what melt plays and Shotcut opens as a project."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import accumulate
from math import ceil
from pathlib import Path
from typing import ClassVar
from xml.etree import ElementTree as ET

import numpy as np

from ..engine.edit import keyframes
from ..engine.edit.losses import Losses
from ..engine.edit.model import Edit, EditClip, EditMarker, EditMedia, EditTrack
from ..engine.errors import MediaError
from ..engine.media.container import probe
from ..engine.media.layout import Layout
from ..engine.media.time import to_frames
from . import common
from .common import Frames
from .overlaps import lanes

TITLE = "MLT XML"
EARLY = "Programs with FFmpeg before version 7 play uncompressed sound up to a frame early."
_WIDEST = 8  # channels that a clip may choose
_CHANNELS = (2, 4, 6)  # widths of a project in Shotcut and Kdenlive
_MARKER = "#008000"  # Shotcut's first colour
_UNCOMPRESSED = (".wav", ".bwf", ".w64", ".rf64", ".aif", ".aiff", ".caf")
_PACKET = 4096  # bytes
_SLOWEST, _FASTEST = Fraction(1, 100), Fraction(20)


def write(edit: Edit, out: Path, finer: int | None = None) -> tuple[str, ...]:
    """Write `edit` as an MLT document to `out`; returns what the format could not carry, a sentence each.

    Rendered by `melt FILE -consumer avformat:OUT channels=N`, where N is the width wanted. Positions count frames;
    frame n sounds from sample round(n·rate) on. Every audio track is a playlist that a "mix" transition adds to
    the sum at unity gain; gain curves are keyed "volume" filters; dissolves of sound overlap on two playlists.
    A single channel reaches both sides of a stereo render at -3 dB.

    Shotcut (22.12) takes a tractor for a project by its "shotcut" property, and then looks for the number of
    channels, the bin, a first track of black and a kind on every playlist; it crashes without them. It shows filters
    that lie on a producer, not those on a playlist's entry.

    At 29.97 and 59.94 frames per second melt 7.12 counts a frame's samples by its number in the file, so that a clip
    whose first frames in file and timeline differ by no multiple of five may shift what follows by one sample.

    `finer` multiplies the frame rate. Where melt uses FFmpeg before 7 (Debian 12), it enters uncompressed files with
    more than 16 bits or two channels late by a packet unless frames are short. None therefore takes the smallest
    multiple that plays every file on the sample where there is no picture, and the timeline's own rate otherwise.
    Raises WriteError.
    """
    needed = finest(edit)
    if finer is None:
        finer = 1 if any(track.kind == "video" and track.clips for track in edit.tracks) else needed
    writer = Writer(edit, edit.rate * finer)
    if finer < needed:
        writer.losses.add(EARLY)
    return save(writer, out)


def save(writer: Writer, out: Path) -> tuple[str, ...]:
    """Write a writer's document to `out`; returns what it could not carry. Raises WriteError."""
    common.write_xml(writer.document(), out)
    return writer.losses.sentences()


@dataclass
class Writer:
    """Makes an MLT document of an edit whose times count frames of `rate`; programs on MLT have dialects of it.

    `NAMES` says what properties the program knows its own filters by, `ON_ENTRIES` whether it looks for them on a
    playlist's entries or on their producers, `CAPTION` in which property a producer has its name.
    """

    CAPTION: ClassVar[str] = "shotcut:caption"
    ON_ENTRIES: ClassVar[bool] = False

    NAMES: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "fadein": {"shotcut:filter": "fadeInVolume"},
        "fadeout": {"shotcut:filter": "fadeOutVolume"},
    }
    edit: Edit
    rate: Fraction
    losses: Losses = field(init=False)
    root: ET.Element = field(init=False)
    producers: int = 0

    def __post_init__(self) -> None:
        self.losses = Losses(self.edit.losses)
        self.length = max(to_frames(self.edit.duration, self.rate), 1)

    @property
    def width(self) -> int:
        """Channels of the project: the least that Shotcut and Kdenlive offer for the widest track."""
        widest = max((track.channels for track in self.edit.tracks if track.kind == "audio"), default=2)
        return next((n for n in _CHANNELS if widest <= n), _CHANNELS[-1])

    def document(self) -> ET.Element:
        """The whole <mlt> element: profile, producers, playlists, and the tractor that plays them."""
        edit = self.edit
        self.root = ET.Element("mlt", LC_NUMERIC="C", version="7.12.0", title=edit.name, producer="main")
        self._profile()
        properties(ET.SubElement(self.root, "playlist", id="main_bin"), xml_retain=1)
        self._background()
        rows: list[tuple[str, str]] = [("background", "")]
        for number, track in enumerate(edit.tracks, start=1):
            for part, clips in enumerate(self._parts(track)):
                hide = "video" if track.kind == "audio" else "audio"
                name = f"track{number}" + (f"b{part}" if part else "")
                self._playlist(name, track, clips)
                rows.append((name, hide if track.enabled else "both"))
        self._tractor(rows)
        self._lost()
        return self.root

    def _parts(self, track: EditTrack) -> tuple[tuple[EditClip, ...], ...]:
        """A track's clips shared out so that none overlap."""
        if track.kind == "audio":
            return lanes(track)
        if track.transitions:
            self.losses.add("Picture dissolves become cuts", len(track.transitions))
        return (track.clips,)

    def _profile(self) -> None:
        rate, edit = self.rate, self.edit
        ratio = Fraction(edit.width, edit.height)
        ET.SubElement(
            self.root,
            "profile",
            description=f"{edit.height}p {float(rate):.6g}",
            width=str(edit.width),
            height=str(edit.height),
            progressive="1",
            sample_aspect_num="1",
            sample_aspect_den="1",
            display_aspect_num=str(ratio.numerator),
            display_aspect_den=str(ratio.denominator),
            frame_rate_num=str(rate.numerator),
            frame_rate_den=str(rate.denominator),
            colorspace="709",
        )

    def _background(self) -> None:
        whole = {"in": "0", "out": str(self.length - 1)}
        black = ET.SubElement(self.root, "producer", {"id": "black", **whole})
        properties(black, length=self.length, mlt_service="color", resource="black", eof="pause")
        playlist = ET.SubElement(self.root, "playlist", id="background")
        ET.SubElement(playlist, "entry", {"producer": "black", **whole})

    def _tractor(self, rows: list[tuple[str, str]]) -> None:
        tractor = ET.SubElement(
            self.root,
            "tractor",
            {"id": "main", "in": "0", "out": str(self.length - 1), "title": self.edit.name},
        )
        properties(tractor, **{"shotcut": 1, "shotcut:projectAudioChannels": self.width})
        self._markers(tractor)
        for name, hide in rows:
            ET.SubElement(tractor, "track", {"producer": name, **({"hide": hide} if hide else {})})
        for index, (_, hide) in enumerate(rows):
            if index and hide == "video":
                self._mix(tractor, index)

    @staticmethod
    def _mix(tractor: ET.Element, index: int, **more: object) -> None:
        """Add the sound of track `index` to the sum."""
        mix = ET.SubElement(tractor, "transition")
        properties(mix, a_track=0, b_track=index, mlt_service="mix", always_active=1, accepts_blanks=1, sum=1)
        properties(mix, **more)

    def _markers(self, tractor: ET.Element) -> None:
        """Shotcut's markers: numbered groups of properties, times as clock values."""
        if not self.edit.markers:
            return
        groups = ET.SubElement(tractor, "properties", name="shotcut:markers")
        for number, marker in enumerate(self.edit.markers):
            start = to_frames(marker.start, self.rate)
            end = max(to_frames(marker.start + marker.duration, self.rate), start)
            group = ET.SubElement(groups, "properties", name=str(number))
            times = [clock(frame / self.rate) for frame in (start, end)]
            properties(group, text=caption(marker), start=times[0], end=times[1], color=_MARKER)

    def _playlist(self, name: str, track: EditTrack, clips: Iterable[EditClip]) -> None:
        entries = self._entries(track, clips)
        playlist = ET.SubElement(self.root, "playlist", id=name)
        properties(playlist, **{f"shotcut:{track.kind}": 1, "shotcut:name": track.name})
        playlist.extend(entries)

    def _entries(self, track: EditTrack, clips: Iterable[EditClip]) -> list[ET.Element]:
        """Clips and the blanks between them; the producers that they name are in the document then."""
        entries = []
        position = 0
        for clip in clips:
            placed = self._placed(clip, track)
            if placed is None:
                continue
            start, entry, length = placed
            if start > position:
                entries.append(ET.Element("blank", length=str(start - position)))
            entries.append(entry)
            position = start + length
        return entries

    def _placed(self, clip: EditClip, track: EditTrack) -> tuple[int, ET.Element, int] | None:
        """A clip's first frame on the timeline, its playlist entry and its length in frames."""
        frames = Frames(clip, self.rate)
        if not self._playable(clip, track, frames):
            return None
        first = self._first(clip, frames)
        missing = max(-first, 0)
        start, length = frames.start + missing, frames.length - missing
        if length <= 0:
            return None
        first += missing
        if not frames.exact:
            self.losses.add("Clips off the frame grid are moved onto it, by up to half a frame", 1)
        last = first + length - 1
        producer = self._producer(clip, track, last)
        entry = ET.Element("entry", {"producer": producer.get("id", ""), "in": str(first), "out": str(last)})
        bearer = entry if self.ON_ENTRIES else producer
        if clip.speed == 0:
            bearer.append(self._filter("freeze", "freeze", {"in": first, "out": last}, frame=first))
        if track.kind == "audio":
            self._levels(bearer, clip, frames, (first, last), missing)
        return start, entry, length

    def _filter(self, service: str, name: str, bounds: dict[str, int], **values: object) -> ET.Element:
        """A filter that the program knows by `name`."""
        return filter_of(service, bounds, **values, **self.NAMES.get(name, {}))

    def _playable(self, clip: EditClip, track: EditTrack, frames: Frames) -> bool:
        """Whether a clip goes on its playlist; notes why not."""
        if frames.length <= 0:
            self.losses.add("Clips shorter than half a frame are left out", 1)
        elif not clip.enabled:
            self.losses.add("Disabled clips are left out", 1)
        elif clip.media is None:
            self.losses.add("Clips without a file are left out", 1)
        elif clip.speed == 0 and track.kind == "audio":
            self.losses.add("Frozen sound is left out", 1)
        elif clip.speed and not _SLOWEST <= abs(clip.speed) <= _FASTEST:
            self.losses.add("Clips slower than 1 % or faster than 2000 % are left out", 1)
        else:
            return True
        return False

    def _first(self, clip: EditClip, frames: Frames) -> int:
        """The producer's frame that the clip begins with; retimed producers count their own, slower frames.

        A producer in reverse begins at the file's end.
        """
        if clip.speed >= 0:
            return to_frames(frames.offset / (clip.speed or 1), self.rate)
        end = clip.media.duration if clip.media is not None and clip.media.duration else frames.offset
        return to_frames((end - frames.offset) / -clip.speed, self.rate)

    def _producer(self, clip: EditClip, track: EditTrack, last: int) -> ET.Element:
        """A producer of its own that plays the clip's file, channels and speed up to frame `last` at least.

        One shared by several clips would not seek, and lose its place, where a file is skipped by under 12 frames.
        """
        media = clip.media
        assert media is not None
        length = max(last + 1, ceil((media.duration or 0) * self.rate / (abs(clip.speed) or Fraction(1))))
        self.producers += 1
        return self._new_producer(clip, media, track.kind, length)

    def _new_producer(self, clip: EditClip, media: EditMedia, kind: str, length: int) -> ET.Element:
        file, name = address(media), f"producer{self.producers}"
        element = ET.SubElement(self.root, "producer", {"id": name, "in": "0", "out": str(length - 1)})
        properties(element, length=length, eof="pause")
        sound = kind == "audio"
        unused = {"video_index": -1} if sound else {"audio_index": -1}
        picks = self._picks(clip) if sound else None
        if clip.speed not in (0, 1):
            speed = f"{float(clip.speed):.12g}"
            properties(element, resource=f"{speed}:{file}", mlt_service="timewarp", warp_speed=speed)
            properties(element, warp_resource=file, warp_pitch=0)
            if picks is not None:
                self.losses.add("Retimed clips play all channels of their file", 1)
        elif picks is None:
            properties(element, resource=file, mlt_service="avformat", **unused)
        else:
            self._choose(element, media, *picks)
        properties(element, **{self.CAPTION: media.name})
        return element

    def _choose(self, element: ET.Element, media: EditMedia, stream: int, inner: tuple[int, ...]) -> None:
        """Let a producer play channels `inner` (as they lie) of its file's audio stream `stream` (from 0)."""
        # Without this detour melt folds the file down to the render's width before any channel can be chosen.
        properties(element, resource=f"avformat:{address(media)}", mlt_service="abnormal", video_index=-1)
        if stream:
            properties(element, audio_index=stream_index(media.path or Path(address(media)), stream))
        chosen = {
            "av.map": "|".join(map(str, inner)),
            "av.channel_layout": Layout.of_count(len(inner)).ffmpeg,
        }
        element.append(filter_of("avfilter.channelmap", {}, **chosen))
        element.extend(filter_of(service, {}) for service in ("swresample", "resample", "audioconvert"))

    def _picks(self, clip: EditClip) -> tuple[int, tuple[int, ...]] | None:
        """The stream and the channels in it that a clip chooses of a file that has others too."""
        media = clip.media
        if clip.channels is None or media is None or media.path is None or not media.streams:
            return None
        starts = list(accumulate(media.streams, initial=0))
        stream = bisect_right(starts, clip.channels[0]) - 1
        inner = tuple(
            c - starts[stream] for c in clip.channels if 0 <= c - starts[stream] < media.streams[stream]
        )
        if len(inner) < len(clip.channels) or len(inner) > _WIDEST:
            self.losses.add("Clips play channels of one audio stream only, at most 8", 1)
        return stream, _lying(media.path, stream, inner[:_WIDEST])

    def _levels(
        self, bearer: ET.Element, clip: EditClip, frames: Frames, bounds: tuple[int, int], missing: int
    ) -> None:
        """Volume filters for the gain curve and the fades, counted from the entry's first frame."""
        first, last = bounds
        count = last - first + 1
        if clip.gain is not None and not keyframes.is_unity(clip.gain):
            # melt slides from the last frame's level to this one's during a frame: a key is reached at its end. Only
            # the first frame holds one level all along.
            moved = frames.start / self.rate - clip.start
            reads = np.arange(1, count + 1, dtype=np.float64)
            reads[0] = 0.5
            shift = float((moved + missing / self.rate) * self.rate)
            keys = keyframes.frames(clip.gain, self.rate, count, reads=reads + shift)
            level = ";".join(f"{frame}={db:.4f}" for frame, db in keys)
            bearer.append(self._filter("volume", "volume", {"in": first, "out": last}, level=level))
        rise, fall = (min(to_frames(fade, self.rate), count) for fade in (clip.fade_in, clip.fade_out))
        for length, start, levels, named in (
            (rise, first, (0, 1), "fadein"),
            (fall, last - fall + 1, (1, 0), "fadeout"),
        ):
            if length:
                ends = {"in": start, "out": start + length - 1}
                bearer.append(self._filter("volume", named, ends, gain=levels[0], end=levels[1]))

    def _lost(self) -> None:
        if self.edit.start:
            self.losses.add("The start timecode is not carried.")
        clips = (clip for track in self.edit.tracks for clip in track.clips)
        for media in dict.fromkeys(clip.media for clip in clips if clip.media is not None):
            common.plain_path(media, self.losses)


def address(media: EditMedia) -> str:
    """What a producer opens a file by."""
    return common.plain_path(media)


def stream_index(path: Path, audio: int) -> int:
    """The place among all of a file's streams of its audio stream number `audio` (from 0), which melt counts by."""
    return probe(path).audio[audio].place


def _lying(path: Path | None, stream: int, channels: tuple[int, ...]) -> tuple[int, ...]:
    """Where in a file the channels of one of its streams lie: melt takes those, ours count in WAV order."""
    order: tuple[int, ...] = ()
    with suppress(MediaError):
        order = probe(path).audio[stream].order if path is not None else ()
    return tuple(order[channel] for channel in channels) if order else channels


def finest(edit: Edit) -> int:
    """The least multiple of the timeline's rate at which FFmpeg before 7 plays every file on the sample."""
    return max((_finer(edit.rate, clip) for track in edit.tracks for clip in track.clips), default=1)


def _finer(rate: Fraction, clip: EditClip) -> int:
    """The multiple of the frame rate at which half a frame is shorter than a packet of the clip's file.

    FFmpeg before 7 reads uncompressed files in packets of 4096 bytes, and melt 7.12 finds its place by the packet
    that completes the first half frame, taking it for the first one.
    """
    media = clip.media
    if media is None or not media.bits or Path(media.name).suffix.lower() not in _UNCOMPRESSED:
        return 1
    packet = _PACKET // max(media.channels * media.bits // 8, 1)
    return int(Fraction(media.sample_rate) / (2 * rate * packet)) + 1


def caption(marker: EditMarker) -> str:
    """A marker's name and note in a line."""
    return ": ".join(part for part in (marker.name, marker.note) if part)


def clock(seconds: Fraction) -> str:
    """MLT's clock value, hours:minutes:seconds.milliseconds."""
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def properties(element: ET.Element, **values: object) -> None:
    """Set MLT properties of an element."""
    for name, value in values.items():
        ET.SubElement(element, "property", name=name).text = str(value)


def filter_of(service: str, bounds: dict[str, int], **values: object) -> ET.Element:
    """An MLT filter; it works, and its keys count, from frame `bounds["in"]` of what it lies on."""
    element = ET.Element("filter", {key: str(value) for key, value in bounds.items()})
    properties(element, mlt_service=service, **values)
    return element
