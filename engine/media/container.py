"""What a media file holds: opening it with clear errors, and its streams, lengths and start timecode."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import av.stream
from av.container import InputContainer
from av.stream import Disposition, Stream

from ..errors import MediaError, SettingsError, SightmixError
from ..limits import odd_kind
from ..passage import Channel
from ..stamp import Stamp
from . import changes
from .claims import is_doubtful
from .clock import Count, Jump, count, may_jump, remarks
from .layout import Layout
from .time import parse_timecode, snap_rate, to_samples
from .timecode_track import counted_at
from .unfinished import Finished, finished_head

_RATES = range(
    100, 12_288_001
)  # Hz: no sound is sampled with more or less, but damaged headers claim what they like
# Demuxers that take any text or binary file for a picture of characters.
_TEXT_FORMATS = frozenset({"tty", "bin", "xbin", "adf", "idf"})
_EXACT_FORMATS = frozenset({"wav", "w64", "aiff", "au", "caf", "flac", "ogg", "mxf", "mov"})
_RAW_FORMATS = frozenset({"wav", "w64", "aiff", "au"})
_CLOCKS_OF_33_BITS = frozenset({"mpegts", "mpeg"})
_PCM_BITS = re.compile(r"pcm_[suf](\d+)")
# PyAV 18 refuses a file with a tag that is no UTF-8 unless told otherwise; 19 reads on, and has no such option.
_ANY_TAGS: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}
_DAMAGED = "is damaged or not a media file; export or copy it again."
_FAILURES: tuple[tuple[type[Exception], str], ...] = (
    (FileNotFoundError, "does not exist; relink the clip or restore the file."),
    (IsADirectoryError, "is a folder, not a media file."),
    (PermissionError, "cannot be opened: permission denied; check the file's access rights."),
    (av.error.InvalidDataError, _DAMAGED),
    (av.error.EOFError, _DAMAGED),
    (MemoryError, "asks for more memory than there is, so it is damaged; export or copy it again."),
)


@dataclass(frozen=True)
class AudioStream:
    """One audio stream: `index` counts audio streams from 0, `sample_rate` in Hz, `layout` its channels' speakers.

    `samples` counts frames from file offset 0 to the stream's end where the container knows it to the sample,
    else None; `duration` in seconds is then the container's estimate. Channels count in WAV order everywhere;
    `order` says where in the file each of them lies, and is empty where they lie so. `place` is the stream's number
    among all of the file's; `jumps` is where its clock jumps, in a file that must then be read from its beginning, and
    `changes` where (s) other channels or another rate begin, as far as that shows without decoding.
    """

    index: int
    sample_rate: int
    channels: int
    layout: Layout
    samples: int | None
    duration: Fraction
    order: tuple[int, ...] = ()
    place: int = 0
    jumps: tuple[Jump, ...] = ()
    changes: tuple[Fraction, ...] = ()


@dataclass(frozen=True)
class VideoStream:
    """The picture: `rate` in frames per second, `duration` in seconds (0 for a still), sizes in pixels.

    `place` and `jumps` as those of `AudioStream`.
    """

    width: int
    height: int
    rate: Fraction
    duration: Fraction
    still: bool
    place: int = 0
    jumps: tuple[Jump, ...] = ()


@dataclass(frozen=True)
class MediaInfo:
    """What `probe` found; `timecode` is the start time of day in seconds if the file carries one.

    Streams in a codec that nobody here knows are left out, as hosts do, and are named by their kind in `unknown`:
    "audio", "video". `remarks` is what a user should know of the file, a sentence each; `stamp` tells whether it is
    still the file that was looked at.
    """

    path: Path
    container: str
    duration: Fraction
    audio: tuple[AudioStream, ...]
    video: VideoStream | None
    timecode: Fraction | None
    unknown: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    stamp: Stamp | None = None


def explain(path: Path, error: Exception) -> MediaError:
    """The sentence for a failure to open or read `path`."""
    return MediaError(f"{path} {_failure(error)}")


def _failure(error: Exception) -> str:
    for kind, words in _FAILURES:
        if isinstance(error, kind):
            return words
    if isinstance(error, OSError | av.FFmpegError):
        reason = error.strerror or type(error).__name__
        return f"cannot be read ({reason}); check the disk or copy the file again."
    reason = " ".join(str(error).split())[:160].rstrip(".") or type(error).__name__
    return f"cannot be understood ({reason}); export or copy it again."


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Whatever a file makes FFmpeg, PyAV or numpy raise inside the block becomes a MediaError about that file.

    A damaged header may claim anything, so nobody can list what comes of it; the cause stays with the error.
    """
    try:
        yield
    except SightmixError:
        raise
    except Exception as error:
        raise explain(path, error) from error


def _check_file(path: Path) -> os.stat_result:
    try:
        stat = path.stat()
        if path.is_dir():
            raise IsADirectoryError
    except OSError as error:
        raise explain(path, error) from error
    kind = odd_kind(stat.st_mode)
    if kind:
        raise MediaError(f"{path} is {kind}, not a media file; relink the clip.")
    if stat.st_size == 0:
        raise MediaError(f"{path} is empty (0 bytes); export or copy it again.")
    return stat


@contextmanager
def open_media(path: Path) -> Iterator[InputContainer]:
    """Open `path` for reading; errors inside the block become MediaError, as `reading` says."""
    with _opened(path) as (container, _):
        yield container


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, list[tuple[av.AudioStream, Layout]]]]:
    """The open file, and what it says of the channels of every audio stream, in the file's own order.

    Streams in a codec that FFmpeg does not know are not among them: PyAV has nothing to ask of those.
    """
    size = _check_file(path).st_size
    with reading(path), ExitStack() as stack:
        head = finished_head(path, size)
        source = f"file:{path}" if head is None else Finished(stack.enter_context(path.open("rb")), head)
        # The protocol keeps names with colons from being taken for addresses, the option those with % for series.
        options = {"pattern_type": "none"}
        with av.open(source, mode="r", options=options, **_ANY_TAGS) as container:
            if container.format.name in _TEXT_FORMATS:
                raise MediaError(f"{path} is a text or binary file, not media; relink the clip.")
            streams = [stream for stream in container.streams.audio if _is_known(stream)]
            yield container, [(stream, _settled(stream)) for stream in streams]


def _is_known(stream: Stream) -> bool:
    """Whether FFmpeg has a decoder for a stream."""
    return stream.codec_context is not None


def _settled(stream: av.AudioStream) -> Layout:
    """A stream's layout as the file has it, after which its decoder knows none but one in WAV order.

    FFmpeg keeps an order of the file's own in memory that every layout PyAV makes of it frees again, which ends the
    process (18 and 19): by then another one must be in its place, and nothing but this may look before, not even
    for the number of channels.
    """
    context = stream.codec_context
    found = context.layout
    if not found.nb_channels:
        return Layout.of_count(1)
    try:
        layout = Layout.named(found.name)
        plain = "(" not in found.name or layout.ffmpeg == found.name
    except SettingsError:
        layout, plain = Layout.discrete(found.nb_channels), False
    if not plain:
        context.layout = layout.in_wav_order().ffmpeg
    return layout


def _is_picture(stream: Stream) -> bool:
    """Whether a stream is moving picture or a still that can be decoded, not cover art."""
    return stream.type == "video" and _is_known(stream) and not stream.disposition & Disposition.attached_pic


def picture_stream(container: InputContainer) -> av.VideoStream | None:
    """The first video stream that is not cover art."""
    return next((stream for stream in container.streams.video if _is_picture(stream)), None)


def keep_only(container: InputContainer, wanted: Sequence[Stream]) -> None:
    """Spare the demuxer every other stream's packets, where this PyAV can."""
    discard = getattr(av.stream, "Discard", None)
    for stream in container.streams:
        if discard is not None and stream not in wanted:
            stream.discard = discard.all


def presentation_start(container: InputContainer) -> Fraction:
    """Container time in seconds of file offset 0: the earliest start of its sound and picture.

    Streams that begin later keep their distance. Encoder priming lies before offset 0 and is not heard, so that is
    never below 0; but where a clock of 33 bits is about to run over, FFmpeg counts from there and begins below it.
    """
    starts = [
        stream.start_time * stream.time_base
        for stream in container.streams
        if stream.start_time is not None
        and stream.time_base is not None
        and ((stream.type == "audio" and _is_known(stream)) or _is_picture(stream))
    ]
    start = min(starts, default=Fraction(0))
    return start if start >= 0 or container.format.name in _CLOCKS_OF_33_BITS else Fraction(0)


def check_channels(info: MediaInfo, channels: Sequence[Channel]) -> None:
    """Raise MediaError where a file lacks one of the channels that are asked for."""
    for pick in channels:
        if not 0 <= pick.stream < len(info.audio):
            raise MediaError(
                f"{info.path} has {len(info.audio)} audio stream(s), not {pick.stream + 1}; relink the clip."
            )
        if not 0 <= pick.channel < info.audio[pick.stream].channels:
            raise MediaError(
                f"{info.path}: audio stream {pick.stream + 1} has {info.audio[pick.stream].channels} "
                f"channel(s), not {pick.channel + 1}; relink the clip."
            )


def layout_of(info: MediaInfo, channels: Sequence[Channel] | None = None) -> Layout:
    """The layout of the channels that a clip plays of a file; of its first audio stream where `channels` is None.

    Raises MediaError for channels that the file does not have.
    """
    if channels is None:
        return info.audio[0].layout
    check_channels(info, channels)
    first = info.audio[channels[0].stream]
    if all(channel.stream == first.index for channel in channels):
        return first.layout.pick([channel.channel for channel in channels])
    streams = [info.audio[channel.stream].layout for channel in channels]
    if all(stream.channels == 1 for stream in streams):
        return Layout.joined(streams)
    return Layout.of_count(2) if len(channels) == 2 else Layout.discrete(len(channels))


def probe(path: Path | str) -> MediaInfo:
    """Streams, exact lengths and start timecode of a media file; cached on path, modification time and size.

    File offset 0 is the start of the container's presentation (see `presentation_start`).
    Raises MediaError if the file is missing, empty, unreadable or not media.
    """
    path = Path(path)
    stat = _check_file(path)
    try:
        return _probe(path, stat.st_mtime_ns, stat.st_size, stat.st_ino)
    except SettingsError as error:  # a rate that is none, say
        raise explain(path, error) from error


@lru_cache(maxsize=1024)
def _probe(path: Path, modified: int, size: int, number: int) -> MediaInfo:
    with _opened(path) as (container, streams):
        origin = presentation_start(container)
        found = [
            (stream, said) for stream, said in streams if stream.sample_rate in _RATES and stream.channels
        ]
        picture = picture_stream(container)
        absurd = _absurd(path, streams)
        if absurd and not found and picture is None:
            raise MediaError(absurd)
        counts = _counted(container, path, size, [stream for stream, _ in found], picture)
        audio = []
        for index, (stream, said) in enumerate(found):
            one = _audio(container, stream, index, origin, size, said)
            if counts:
                places = tuple(at - origin for at in counts[one.place].changes)
                one = replace(one, samples=None, changes=places, **_told(counts[one.place], origin))
                one = _as_begun(path, one) if places else one
            audio.append(one)
        video = None if picture is None else _video(container, picture, origin)
        if video is not None and video.place in counts:
            video = replace(video, **_told(counts[video.place], origin))
        ends = [stream.duration for stream in audio] + ([video.duration] if video else [])
        name = container.format.name.split(",")[0]
        timecode = _start_of_day(path, container, video)
        kinds = ("audio", "video")
        unknown = tuple(s.type for s in container.streams if s.type in kinds and not _is_known(s))
        marks = remarks(path.name, next(iter(counts.values())), origin) if counts else ()
        marks += (absurd,) if absurd else ()
        marks += tuple(changes.said(path.name, one.layout, one.changes) for one in audio if one.changes)
        longest = max(ends, default=Fraction(0))
        stamp = Stamp(size, modified, number)
        return MediaInfo(path, name, longest, tuple(audio), video, timecode, unknown, marks, stamp)


def _absurd(path: Path, streams: Sequence[tuple[av.AudioStream, Layout]]) -> str:
    """The sentence for a stream with a sample rate that no sound has; empty where there is none."""
    odd = [rate for stream, _ in streams if (rate := stream.sample_rate or 0) and rate not in _RATES]
    if not odd:
        return ""
    return f"{path} says that a second of its sound has {odd[0]} samples, which is damage; export or copy it again."


def _counted(
    container: InputContainer,
    path: Path,
    size: int,
    sounds: Sequence[av.AudioStream],
    picture: av.VideoStream | None,
) -> dict[int, Count]:
    """What the packets of a file whose header cannot be believed say, by the streams' places; else nothing.

    Of a file with sound, a clock that may jump is looked for in the sound alone, which is much the quickest to read.
    """
    moving = [] if picture is None or _is_still(container) else [picture]
    streams = [*sounds, *moving]
    if not streams or not is_doubtful(container, path, size, streams):
        return {}
    lengths = all(stream.duration for stream in streams)
    if may_jump(container) and sounds and moving and lengths:
        found = _count(path, sounds)
        if not any(one.jumps for one in found.values()):
            return found
    return _count(path, streams)


def _count(path: Path, streams: Sequence[Stream]) -> dict[int, Count]:
    with open_media(path) as container:
        same = [container.streams[stream.index] for stream in streams]
        keep_only(container, same)
        return count(container, same)


def _as_begun(path: Path, stream: AudioStream) -> AudioStream:
    """A stream that changes, as its first frame has it: FFmpeg may look as far as what comes later."""
    with open_media(path) as container:
        for frame in container.decode(container.streams[stream.place]):
            if isinstance(frame, av.AudioFrame):
                layout = changes.layout_of_frame(frame).in_wav_order()
                return replace(
                    stream, layout=layout, channels=layout.channels, sample_rate=frame.sample_rate, order=()
                )
    return stream


def _told(found: Count, origin: Fraction) -> dict[str, Any]:
    """The length and the clock that a stream's packets tell of."""
    end = origin if found.end is None else max(origin, found.end)
    return {"duration": end - origin, "jumps": found.jumps}


def _container_duration(container: InputContainer) -> Fraction:
    return Fraction(max(0, container.duration or 0), av.time_base)


def _audio(
    container: InputContainer,
    stream: av.AudioStream,
    index: int,
    origin: Fraction,
    size: int,
    said: Layout,
) -> AudioStream:
    rate, place = stream.sample_rate, stream.index
    # PCM lies as the container says; what is coded comes out of its decoder in WAV order.
    raw = said.wav_order if stream.codec_context.name.startswith("pcm_") else ()
    order = () if raw == tuple(range(len(raw))) else raw
    layout = said.in_wav_order()
    length = (stream.duration or 0) * (stream.time_base or Fraction(0))
    duration = (
        max(Fraction(0), _end(container, stream) - origin) if length else _container_duration(container)
    )
    if not length or not _is_exact(container, stream):
        return AudioStream(index, rate, stream.channels, layout, None, duration, order, place)
    samples = to_samples(duration, rate) - _opus_preskip(container, stream)
    samples = max(0, min(samples, _most_samples(container, stream, size)))
    return AudioStream(index, rate, stream.channels, layout, samples, Fraction(samples, rate), order, place)


def _end(container: InputContainer, stream: Stream) -> Fraction:
    """Container time (s) at which a stream of known length ends, by its header.

    FFmpeg's length of a QuickTime track that begins with an empty edit counts that edit in, or leaves it out, or is
    the media's whole length: there the index of packets tells which (to the packet, where it is none of them).
    """
    base, start, length = stream.time_base or Fraction(0), stream.start_time or 0, stream.duration or 0
    entries: Any = getattr(stream, "index_entries", ())  # PyAV 17 on
    if start > 0 and len(entries) > 1 and "mov" in container.format.name:
        last = entries[len(entries) - 1].timestamp
        packet = last - entries[len(entries) - 2].timestamp
        near = min((start + length, length), key=lambda end: abs(end - last - packet))
        return (near if abs(near - last - packet) <= 4 * packet else last + packet) * base
    return (start + length) * base


def _is_exact(container: InputContainer, stream: av.AudioStream) -> bool:
    """Whether the stream's duration is counted in samples rather than estimated from the bit rate."""
    name = container.format.name.split(",")[0]
    # An MP3 with a gapless header starts after its priming; without one the length is a guess.
    return name in _EXACT_FORMATS or (name == "mp3" and bool(stream.start_time))


def _opus_preskip(container: InputContainer, stream: av.AudioStream) -> int:
    """Samples at 48 kHz that Ogg counts into an Opus stream's duration unheard (RFC 7845)."""
    head = stream.codec_context.extradata or b""
    if container.format.name != "ogg" or not head.startswith(b"OpusHead"):
        return 0
    return int.from_bytes(head[10:12], "little")


def _most_samples(container: InputContainer, stream: av.AudioStream, size: int) -> int:
    """No more PCM than the file has bytes for, whatever its header claims."""
    match = _PCM_BITS.match(stream.codec_context.name)
    if match is None or container.format.name not in _RAW_FORMATS:
        return 1 << 62
    return size * 8 // (int(match.group(1)) * stream.channels)


def _video(container: InputContainer, stream: av.VideoStream, origin: Fraction) -> VideoStream:
    still = _is_still(container)
    rate = stream.average_rate or stream.guessed_rate or stream.base_rate or Fraction(25)
    if still:
        duration = Fraction(0)
    elif stream.duration:
        duration = max(Fraction(0), _end(container, stream) - origin)
    else:
        duration = _container_duration(container)
    return VideoStream(stream.width, stream.height, snap_rate(rate), duration, still, stream.index)


def _is_still(container: InputContainer) -> bool:
    name = container.format.name
    return name == "image2" or name.endswith("_pipe")


def _start_of_day(path: Path, container: InputContainer, video: VideoStream | None) -> Fraction | None:
    """Start time of day: a timecode tag on the container or a stream, else BWF's time reference.

    A tag counts in the timecode track's own frames where the file has such a track, else in the picture's.
    """
    tagged = [(container.metadata, None)] + [
        (stream.metadata, getattr(stream, "average_rate", None)) for stream in container.streams
    ]
    for metadata, own_rate in tagged:
        text = next((value for key, value in metadata.items() if key.lower() == "timecode"), None)
        if text:
            rate = video.rate if video and not video.still else own_rate
            rate = counted_at(path, container.format.name, rate) or rate
            with suppress(SightmixError):
                if rate:
                    return parse_timecode(text, snap_rate(rate))
    reference = container.metadata.get("time_reference", "")
    first = next((stream for stream in container.streams.audio if _is_known(stream)), None)
    if reference.isdecimal() and first is not None:
        return Fraction(int(reference), first.sample_rate or 1)
    return None
