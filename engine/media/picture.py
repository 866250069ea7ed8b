"""Frames out of any picture file at given times, decoding no more of it than they need."""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.container import InputContainer
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from ..errors import MediaError
from ..progress import Progress
from .clock import Jump, may_jump, mended
from .container import explain, keep_only, open_media, picture_stream, presentation_start, probe
from .time import round_half_up

Pictures = NDArray[np.uint8]
Bounds = tuple[Fraction, Fraction]

# Without an index a seek may land before what is decoded already, so only leaps are worth one (s).
_BLIND_LEAP = Fraction(10)
# With one, reading on is cheaper than seeking to a keyframe less than this far ahead (s).
_NEAR = Fraction(1, 2)
# Matroska rounds time stamps to 1 ms, so a frame may seem to begin this much late (s).
_SLACK = Fraction(1, 2000)
# Packets without a decoding time that are taken for reordered ones at a file's start.
_MOST_UNDATED = 32
# Packets kept undecoded while it is not known whether a later keyframe makes them needless.
_MOST_HELD = 1200
_NOBODY = Progress()


def sample_frames(
    path: Path | str,
    times: Sequence[Fraction],
    height: int,
    width: int,
    cancel: Progress | None = None,
    *,
    tolerance: Fraction = Fraction(0),
    bounds: Sequence[Bounds] | None = None,
) -> Pictures:
    """The pictures shown at `times` (seconds from file offset 0) as RGB (n, height, width, 3), in that order.

    Each is the nearest frame at or before its time; the first frame before it, the last after the end. A still
    gives the same picture for every time. With a `tolerance` in seconds, a keyframe that near stands in for the
    frame asked for, which is cheaper to decode; `bounds` gives per time the [earliest, latest] file time a frame
    may have, such as its shot's, and holds unless no frame lies within. Recorded rotation is applied.
    Raises MediaError if the file is missing, damaged or has no picture; Cancelled on request.
    """
    path = Path(path)
    out = np.zeros((len(times), height, width, 3), np.uint8)
    if not len(times):
        return out
    with open_media(path) as container:
        stream = picture_stream(container)
        if stream is None:
            raise MediaError(f"{path} has no picture; choose a file with video.")
        stream.thread_type = "AUTO"
        keep_only(container, [stream])
        wants = _wanted(container, stream, times, tolerance, bounds)
        scaler = VideoReformatter()
        missing = set(range(len(times)))
        for indexes, frame in _Picker(path, container, stream, wants).run():
            (cancel or _NOBODY).check()
            out[indexes] = scaled(scaler, frame, height, width)
            missing.difference_update(indexes)
    if missing:
        raise MediaError(f"{path}: none of its picture can be decoded; export or copy it again.")
    return out


def scaled(scaler: VideoReformatter, frame: av.VideoFrame, height: int, width: int) -> Pictures:
    """A frame as upright RGB (height, width, 3)."""
    turns = round(frame.rotation / 90) % 4
    if turns % 2:
        height, width = width, height
    small = scaler.reformat(frame, width, height, "rgb24", interpolation="BICUBIC")
    return np.rot90(small.to_ndarray(), turns).astype(np.uint8, copy=False)


@dataclass(frozen=True)
class _Want:
    """A picture asked for, in ticks of the stream's clock: the frame shown at `at`, or one in [low, high].

    With `near` a keyframe in that range is preferred, else the range counts if the frame lies outside it.
    """

    at: int
    low: int
    high: int
    near: bool
    index: int

    @property
    def horizon(self) -> int:
        """The choice can be made once every packet before this decoding time is known."""
        return max(self.at, self.high) if self.near else self.at


@dataclass
class _Held:
    """A packet not yet decoded, and which pictures it was chosen for."""

    packet: av.Packet[Any]
    pts: int
    key: bool
    indexes: list[int] = field(default_factory=list)


def _wanted(
    container: InputContainer,
    stream: av.VideoStream,
    times: Sequence[Fraction],
    tolerance: Fraction,
    bounds: Sequence[Bounds] | None,
) -> list[_Want]:
    """Times as ticks, in order, with the slack that the container's own rounding of time stamps asks for."""
    tick = stream.time_base or Fraction(1, av.time_base)
    origin, slack = presentation_start(container), min(tick / 2, _SLACK)
    wants = []
    for index, asked in enumerate(times):
        first, last = (asked - tolerance, asked + tolerance) if bounds is None else bounds[index]
        time = min(max(asked, first), last)
        near = (max(first, time - tolerance), min(last, time + tolerance))
        low, high = near if tolerance else (first, last)
        at, latest = (floor((seconds + origin + slack) / tick) for seconds in (time, high))
        wants.append(_Want(at, ceil((low + origin - slack) / tick), latest, tolerance > 0, index))
    return sorted(wants, key=lambda want: (want.at, want.index))


def jumps_of(path: Path, container: InputContainer) -> tuple[Jump, ...]:
    """Where the picture's clock jumps."""
    video = probe(path).video if may_jump(container) else None
    return video.jumps if video is not None else ()


class _Demuxer:
    """Reads a video stream's packets in decoding order, leaping over what is not needed."""

    def __init__(self, path: Path, container: InputContainer, stream: av.VideoStream) -> None:
        self._path, self._container, self._stream = path, container, stream
        self._packets = container.demux(stream)
        # A seek goes by the clock, so there is none where the clock jumps.
        self._jumps = jumps_of(path, container)
        if self._jumps:
            self._packets = mended(self._packets, {stream.index: self._jumps})
        self._second = round_half_up(1 / (stream.time_base or Fraction(1, av.time_base)))
        self._undated = 0
        self._settled = True
        self.newest: int | None = None
        self.ended = False
        self.sought = False

    def read(self) -> _Held | None:
        """The next packet, None at the end of the file."""
        while (packet := self._next()) is not None:
            self._settled = self._settled or packet.is_keyframe
            if packet.size and self._settled:
                return self._dated(packet)
        self.ended = True
        return None

    def _dated(self, packet: av.Packet[Any]) -> _Held:
        """The packet with its presentation time; remembers how far decoding times have come."""
        dts = packet.dts
        if dts is None:
            self._undated += 1
            dts = packet.pts if packet.pts is not None else self._undated
        if packet.dts is not None or self._undated > _MOST_UNDATED:
            self.newest = dts if self.newest is None else max(self.newest, dts)
        return _Held(packet, dts if packet.pts is None else packet.pts, packet.is_keyframe)

    def _next(self) -> av.Packet[Any] | None:
        try:
            return next(self._packets, None)
        except (av.error.InvalidDataError, av.error.EOFError):
            return None  # a torn file: what could be read stands
        except (OSError, av.FFmpegError) as error:
            raise explain(self._path, error) from error

    def knows(self, at: int) -> bool:
        """Whether every packet that decodes at or before `at` has been read."""
        return self.ended or (self.newest is not None and self.newest > at)

    def worth_a_leap(self, at: int) -> bool:
        """Whether seeking to `at` passes over packets rather than going back."""
        if self._jumps:
            return False
        if self.newest is None:
            return at > 2 * self._second
        entries: Any = getattr(self._stream, "index_entries", ())  # PyAV 17 on
        if not len(entries) or entries[len(entries) - 1].timestamp < self._before(at):
            return at - self.newest > _BLIND_LEAP * self._second
        found = entries.search_timestamp(self._before(at))
        return found >= 0 and bool(entries[found].timestamp > self.newest + self._second * _NEAR)

    def leap(self, at: int, back: int = 0) -> None:
        """Go to a keyframe before `at`, earlier by `back` seconds; this also flushes the decoder."""
        goal = self._before(at) - back * self._second
        first = self._stream.start_time or 0
        self.sought = goal > first
        with suppress(OSError, av.FFmpegError):
            self._container.seek(max(goal, first - self._second), stream=self._stream)
            self._packets = self._container.demux(self._stream)
            # Where there is no index a seek may land between keyframes.
            self.newest, self.ended, self._settled = None, False, False

    def _before(self, at: int) -> int:
        """A margin for indexes that count decoding times, which run ahead of presentation."""
        return at - self._second // 2


class _Decoder:
    """Decodes packets, cheaply where only others depend on them, and hands over the frames wanted."""

    def __init__(self, stream: av.VideoStream) -> None:
        self._context = stream.codec_context
        self.intra_only = stream.codec_context.codec.intra_only
        self._pending: list[tuple[int, list[int]]] = []
        self._orphans: list[int] = []
        self._last: tuple[int, av.VideoFrame] | None = None
        self._fed = False

    def feed(self, held: _Held) -> Iterator[tuple[list[int], av.VideoFrame]]:
        """Decode a packet; frames that nothing depends on are skipped unless wanted."""
        self._context.skip_frame = "DEFAULT" if held.indexes else "NONREF"
        if held.indexes:
            insort(self._pending, (held.pts, held.indexes))
        self._fed = True
        yield from self._emit(held.packet)

    def drain(self) -> Iterator[tuple[list[int], av.VideoFrame]]:
        """Hand over what the decoder still holds and make it ready for another place in the file."""
        if not self._fed:
            return
        yield from self._emit(None)
        for _, indexes in self._pending:
            if self._last is None:
                self._orphans += indexes
            else:
                yield indexes, self._last[1]
        self._pending.clear()
        self._context.flush_buffers()
        self._fed = False

    def _emit(self, packet: av.Packet[Any] | None) -> Iterator[tuple[list[int], av.VideoFrame]]:
        try:
            frames = self._context.decode(packet)
        except av.FFmpegError:
            return  # a damaged packet: its neighbours stand in
        for frame in frames:
            yield from self._matched(frame)

    def _matched(self, frame: av.VideoFrame) -> Iterator[tuple[list[int], av.VideoFrame]]:
        """The wants this frame settles; one whose own frame did not come gets the nearest."""
        at = frame.pts if frame.pts is not None else frame.dts or 0
        if self._orphans:
            yield self._orphans, frame
            self._orphans = []
        while self._pending and self._pending[0][0] <= at:
            pts, indexes = self._pending.pop(0)
            use_last = self._last is not None and pts - self._last[0] < at - pts
            yield indexes, self._last[1] if use_last and self._last else frame
        self._last = (at, frame)


class _Picker:
    """Chooses the packets whose frames are wanted and decodes those and what they depend on."""

    def __init__(
        self, path: Path, container: InputContainer, stream: av.VideoStream, wants: Sequence[_Want]
    ) -> None:
        self._demuxer = _Demuxer(path, container, stream)
        self._decoder = _Decoder(stream)
        self._wants = deque(wants)
        self._held: list[_Held] = []
        self._gap = self._leapt = False
        self._back = 0

    def run(self) -> Iterator[tuple[list[int], av.VideoFrame]]:
        """Yield (indexes, frame) until every want is met or the file has nothing more."""
        while self._wants:
            want = self._wants[0]
            if self._demuxer.knows(want.horizon):
                if self._choose(want):
                    self._wants.popleft()
                    self._leapt, self._back = False, 0
                continue
            yield from self._release(want)
            if not self._leapt and not self._marked() and self._demuxer.worth_a_leap(want.at):
                yield from self._decoder.drain()
                self._forget()
                self._demuxer.leap(want.at)
            held = self._demuxer.read()
            if held is not None:
                self._held.append(held)
        yield from self._submit(self._marked())
        yield from self._decoder.drain()

    def _forget(self) -> None:
        self._held.clear()
        self._leapt = True

    def _marked(self) -> int:
        """How many held packets there are up to the last chosen one."""
        return max((n + 1 for n, held in enumerate(self._held) if held.indexes), default=0)

    def _choose(self, want: _Want) -> bool:
        """Mark the packet that serves `want`; False if reading had to go back first."""
        shown = max((held for held in self._held if held.pts <= want.at), key=_pts, default=None)
        if shown is None and self._demuxer.sought and not self._marked():
            self._forget()
            self._back = 4 * max(1, self._back)
            self._demuxer.leap(want.at, self._back)
            return False
        inside = [held for held in self._held if want.low <= held.pts <= want.high]
        keys = [held for held in inside if held.key] if want.near else []
        if keys:
            chosen = min(keys, key=lambda held: abs(held.pts - want.at))
        elif inside and (shown is None or shown.pts < want.low):
            chosen = min(inside, key=_pts)
        elif shown is not None:
            chosen = shown
        elif self._held:
            chosen = min(self._held, key=_pts)
        else:
            return True
        chosen.indexes.append(want.index)
        return True

    def _release(self, want: _Want) -> Iterator[tuple[list[int], av.VideoFrame]]:
        """Decode up to the last chosen packet, or drop what precedes a keyframe, if `want` needs none of it."""
        shown = max((held.pts for held in self._held if held.pts <= want.at), default=None)
        if shown is None:
            return
        past = 0
        for held in self._held:
            if held.pts >= shown or (want.near and held.key and held.pts >= want.low):
                break
            past += 1
        marked = self._marked()
        if marked:
            if marked <= past:
                yield from self._submit(marked)
            return
        keys = [n for n, held in enumerate(self._held[: past + 1]) if n and held.key and held.pts <= want.at]
        if keys:
            del self._held[: keys[-1]]
            self._gap = not self._decoder.intra_only
        elif len(self._held) > _MOST_HELD:
            yield from self._submit(past)

    def _submit(self, count: int) -> Iterator[tuple[list[int], av.VideoFrame]]:
        if count and self._gap:
            yield from self._decoder.drain()
            self._gap = False
        for held in self._held[:count]:
            yield from self._decoder.feed(held)
        del self._held[:count]


def _pts(held: _Held) -> int:
    return held.pts
