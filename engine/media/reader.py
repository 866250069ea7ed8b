"""Sound out of any media file: exact spans as float32 at the file's own rate and channels, block by block."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from math import ceil, floor
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from ..errors import MediaError
from ..passage import Channel
from ..stamp import Stamp
from .changes import Fold, said
from .clock import mended
from .container import (
    AudioStream,
    MediaInfo,
    VideoStream,
    check_channels,
    explain,
    keep_only,
    open_media,
    presentation_start,
    probe,
    reading,
)
from .resample import Resampler
from .time import round_half_up, to_samples

__all__ = ["AudioStream", "MediaInfo", "VideoStream", "probe", "read_blocks", "read_span"]

Block = NDArray[np.float32]

# Decoders carry state from frame to frame (overlaps, bit reservoir): Opus takes longest to settle, 0.56 s.
_PREROLL = Fraction(1)
# These draw noise from a generator that runs through the file. They are decoded in stretches with fixed ends,
# each by a fresh decoder, so that a sample does not depend on where reading began.
_NOISY = frozenset({"aac", "aac_latm", "mp1", "mp2", "wmav1", "wmav2", "wmapro", "cook", "atrac3"})
_STRETCH = Fraction(60)
# These can draw their noise from the frame itself, so they need no stretches.
_AC3 = frozenset({"ac3", "eac3"})
# Jitter of time stamps that is not a gap (s).
_JITTER = Fraction(1, 100)
_GRID_FRAMES = 16


def _nobody(_: str) -> None:
    pass


def read_blocks(
    path: Path | str,
    start: int,
    samples: int,
    channels: Sequence[Channel] | None = None,
    block: int = 1 << 16,
    tell: Callable[[str], object] = _nobody,
    stamp: Stamp | None = None,
) -> Iterator[Block]:
    """Yield `samples` frames from frame `start` as float32 blocks (channels, n <= block).

    Counted at the file's own rate from the start of the container's presentation, whichever stream begins
    first. Silence before 0, after the end and where packets are missing; overlapping packets are trimmed.
    Integer PCM maps full scale to ±1. `channels` None takes every channel of the first audio stream. A stream's
    channels count in WAV order, whichever order the file has them in. Where they change inside the stream, or its rate
    does, it is folded into what it begins with, and `tell` is told so in a sentence. `stamp` is of the file that was
    meant: another one, or what is left of it, fails, before anything is read or before the last block.
    Raises MediaError (missing, damaged, no such stream or channel, samples that are not finite numbers).
    """
    path = Path(path)
    if stamp is not None:
        stamp.check(path)
    info = probe(path)
    picks = _picks(info, channels)
    order = sorted({pick.stream for pick in picks})
    rate = info.audio[order[0]].sample_rate
    rows = [(order.index(pick.stream), pick.channel) for pick in picks]
    with reading(path), closing(_Reader(info, order, start, start + max(0, samples), tell)) as reader:
        at, end = start, start + samples
        while at < end:
            count = min(block, end - at)
            lanes = reader.take(count)
            out = np.stack([lanes[lane][channel] for lane, channel in rows])
            _check_finite(out, at, rate, path)
            if stamp is not None and at + count >= end:
                stamp.check(path)
            yield out
            at += count


def read_span(
    path: Path | str,
    start: Fraction,
    duration: Fraction,
    channels: Sequence[Channel] | None = None,
    rate: int | None = None,
) -> Block:
    """The span from `start` for `duration` seconds as one array (channels, samples).

    Resampled to `rate` Hz if given. Its length is `duration` rounded to samples at the resulting rate.
    Errors as for `read_blocks`.
    """
    info = probe(path)
    picks = _picks(info, channels)
    own = info.audio[picks[0].stream].sample_rate
    count = to_samples(duration, own)
    blocks = list(read_blocks(path, to_samples(start, own), count, picks))
    if rate is None or rate == own:
        return np.concatenate(blocks, axis=1) if blocks else np.zeros((len(picks), 0), np.float32)
    resampler = Resampler(own, rate, len(picks))
    parts = [resampler.process(part) for part in blocks]
    parts.append(resampler.process(np.zeros((len(picks), 0), np.float32), last=True))
    out = np.concatenate(parts, axis=1)[:, : to_samples(duration, rate)]
    return np.pad(out, ((0, 0), (0, to_samples(duration, rate) - out.shape[1])))


def _picks(info: MediaInfo, channels: Sequence[Channel] | None) -> tuple[Channel, ...]:
    """The channels asked for, checked against what the file has."""
    if not info.audio:
        raise MediaError(f"{info.path} has no audio stream; choose a clip with sound.")
    if channels is None:
        channels = [Channel(0, channel) for channel in range(info.audio[0].channels)]
    check_channels(info, channels)
    rates = {info.audio[pick.stream].sample_rate for pick in channels}
    if len(rates) != 1 or 0 in rates:
        raise MediaError(
            f"{info.path}: the chosen channels have no common sample rate; choose one audio stream."
        )
    return tuple(channels)


def _check_finite(out: Block, at: int, rate: int, path: Path) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(out.sum()):
            return
    bad = ~np.isfinite(out).all(axis=0)
    if bad.any():
        seconds = (at + int(bad.argmax())) / rate
        raise MediaError(f"{path} holds samples that are not numbers at {seconds:.3f} s; export it again.")


def _to_float(frame: av.AudioFrame) -> Block:
    """A decoded frame as float32 (channels, samples); integers scaled so that full scale is ±1."""
    data = frame.to_ndarray()
    if frame.format.is_packed:
        data = data.reshape(-1, frame.layout.nb_channels).T
    if data.dtype == np.uint8:
        return (data.astype(np.float32) - np.float32(128)) / np.float32(128)
    if data.dtype.kind == "i":
        return data.astype(np.float32) * np.float32(2.0 ** (1 - 8 * data.dtype.itemsize))
    return data.astype(np.float32, copy=False)


class _Lane:
    """One audio stream's samples between decoder and blocks, held sparsely so that gaps cost nothing."""

    def __init__(self, info: AudioStream, cursor: int) -> None:
        self.channels = info.channels
        self.cursor = cursor
        self.known = 0
        self.tail: int | None = None
        self.limit = info.samples
        self._order = list(info.order)
        self._jitter = to_samples(_JITTER, info.sample_rate)
        self._parts: deque[tuple[int, Block]] = deque()

    def reaches(self, position: int) -> bool:
        """Whether every sample before `position` is known."""
        if self.limit is not None:
            position = min(position, self.limit)
        return position <= max(self.cursor, self.known)

    def follows(self, at: int) -> bool:
        """Whether a frame at `at` joins the one before it, give or take the clock's jitter."""
        return self.tail is None or abs(at - self.tail) <= self._jitter

    def put(self, at: int, data: Block, high: int) -> None:
        """Accept decoded samples that begin at `at`, keeping those not yet known and before `high`."""
        if self.tail is not None and self.follows(at):
            at = self.tail
        end = at + data.shape[1]
        self.tail = end if self.tail is None else max(end, self.tail)
        first = max(at, self.cursor, self.known)
        last = min(end, high, end if self.limit is None else self.limit)
        if first < last:
            if self._order:
                data = data[self._order]
            self._parts.append((first, data[: self.channels, first - at : last - at]))
        self.known = max(self.known, min(end, high))

    def take(self, count: int) -> Block:
        """The next `count` samples (channels, count), silence where nothing was decoded."""
        out = np.zeros((self.channels, count), np.float32)
        end = self.cursor + count
        while self._parts and self._parts[0][0] < end:
            at, data = self._parts.popleft()
            fits = min(data.shape[1], end - at)
            out[: data.shape[0], at - self.cursor : at - self.cursor + fits] = data[:, :fits]
            if fits < data.shape[1]:
                self._parts.appendleft((at + fits, data[:, fits:]))
        self.cursor = end
        return out


class _Reader:
    """Decodes several audio streams of one file over [start, end) in step."""

    def __init__(
        self, info: MediaInfo, order: Sequence[int], start: int, end: int, tell: Callable[[str], object]
    ) -> None:
        self._info, self._tell = info, tell
        self._order = tuple(order)
        self._lanes = [_Lane(info.audio[index], start) for index in order]
        self._end = end
        self._stretch: _Stretch | None = None
        self._next: int | None = max(0, start)

    def _once(self, sentence: str) -> None:
        """Tell the first thing there is to tell; later stretches would only say it of other places."""
        tell, self._tell = self._tell, _nobody
        tell(sentence)

    def close(self) -> None:
        """Close the file."""
        if self._stretch is not None:
            self._stretch.close()
            self._stretch = None

    def take(self, count: int) -> list[Block]:
        """The next `count` samples of every stream."""
        goal = self._lanes[0].cursor + count
        while not all(lane.reaches(goal) for lane in self._lanes):
            if self._stretch is None:
                if self._next is None:
                    break
                self._stretch = _Stretch(self._info, self._order, self._next, self._end, self._once)
            elif not self._stretch.pump(self._lanes):
                self._turn()
        return [lane.take(count) for lane in self._lanes]

    def _turn(self) -> None:
        """Leave the stretch that is used up; the next begins where it ended, unless the file ended."""
        assert self._stretch is not None
        ended, high = self._stretch.ended, self._stretch.high
        self.close()
        self._next = None if ended or high >= self._end else high
        for lane in self._lanes:
            lane.tail = None


@dataclass(frozen=True)
class _Grid:
    """A frame's exact position where the container's clock is coarser than samples (Matroska: 1 ms).

    Works for streams of frames of one size: every frame but the first lies at `base` + k · `size`.
    """

    base: int
    size: int
    reach: int

    def snap(self, at: int) -> int:
        """The frame position meant by the rounded position `at`."""
        near = self.base + round_half_up(Fraction(at - self.base, self.size)) * self.size
        return near if abs(near - at) <= self.reach else at


def _learn_grid(path: Path, place: int) -> _Grid | None:
    """The frame grid of a stream with a coarse clock, from its first frames; None if their sizes differ."""
    with open_media(path) as container:
        stream = _sound(container, place)
        origin = presentation_start(container)
        frames = list(islice(container.decode(stream), _GRID_FRAMES))
        sizes = {frame.samples for frame in frames[1:-1]}
        first = _position(frames[0], origin, stream.sample_rate) if frames else None
        if len(sizes) != 1 or first is None:
            return None
        return _Grid(first + frames[0].samples, sizes.pop(), _reach(frames[0], stream.sample_rate))


def _sound(container: InputContainer, place: int) -> av.AudioStream:
    """The audio stream at a place among all of a file's."""
    stream = container.streams[place]
    if not isinstance(stream, av.AudioStream):
        raise ValueError(f"stream {place} is no sound any more")
    return stream


def _position(frame: av.AudioFrame, origin: Fraction, rate: int) -> int | None:
    """Where a frame begins by its time stamp, in samples; a clock coarser than samples cannot tell it from 0."""
    if frame.pts is None or frame.time_base is None:
        return None
    at = to_samples(frame.pts * frame.time_base - origin, rate)
    return 0 if abs(at) <= _reach(frame, rate) and frame.time_base * rate > 1 else at


def _reach(frame: av.AudioFrame, rate: int) -> int:
    """How far, in samples, a time stamp may be off by rounding."""
    return ceil((frame.time_base or 0) * rate)


def _from(packets: Iterable[av.Packet[Any]], begin: Fraction) -> Iterator[av.Packet[Any]]:
    """The packets that end after container time `begin` (s), and those without a time."""
    for packet in packets:
        end = None
        if packet.size and packet.pts is not None and packet.time_base:
            end = (packet.pts + (packet.duration or 0)) * packet.time_base
        if end is None or end > begin:
            yield packet


class _OvershotError(Exception):
    """A seek landed too late for the decoders to settle before the first sample wanted."""


class _Stretch:
    """One pass of demuxer and decoders up to `high`, begun early enough for the decoders to have settled."""

    def __init__(
        self, info: MediaInfo, order: tuple[int, ...], start: int, end: int, tell: Callable[[str], object]
    ) -> None:
        self.high = end
        self.ended = False
        self._path, self._info, self._order = info.path, info, order
        self._rate = info.audio[order[0]].sample_rate
        self._settled = start
        self._grids: dict[int, _Grid | None] = {}
        self._folds: dict[int, Fold] = {}
        self._tell = tell
        self._decoded = self._failed = 0
        self._stack = ExitStack()
        self._sought = self._begin(seek=True)

    def close(self) -> None:
        """Close the file."""
        self._stack.close()

    def pump(self, lanes: Sequence[_Lane]) -> bool:
        """Decode one packet into the lanes; False once nothing more can come of this stretch."""
        try:
            packet = self._next_packet()
            if packet is None:
                return self._at_end(lanes)
            for frame in self._decode(packet):
                self._place(frame, packet.stream, lanes)
        except _OvershotError:
            self._from_the_beginning(lanes)
        return not all(lane.known >= self.high for lane in lanes)

    def _begin(self, seek: bool) -> bool:
        """Open the file and go to where decoding must begin; True if that took a seek."""
        container = self._stack.enter_context(open_media(self._path))
        streams = [_sound(container, self._info.audio[index].place) for index in self._order]
        self._origin = presentation_start(container)
        keep_only(container, streams)
        for stream in streams:
            if stream.codec_context.name in _AC3:
                stream.codec_context.options = {"cons_noisegen": "1"}
        jumpy = any(self._info.audio[index].jumps for index in self._order)
        # Reading from the beginning again for every stretch would take for ever.
        if not jumpy and any(stream.codec_context.name in _NOISY for stream in streams):
            length = to_samples(_STRETCH, self._rate)
            self._settled -= self._settled % length
            self.high = min(self.high, self._settled + length)
        self._lane_of = {stream.index: lane for lane, stream in enumerate(streams)}
        begin = Fraction(self._settled, self._rate) - _PREROLL
        jumps = {info.place: info.jumps for info in self._info.audio if info.jumps}
        if jumps:
            self._packets = _from(mended(container.demux(*streams), jumps), begin + self._origin)
            return False
        self._packets = container.demux(*streams)
        if not seek or begin <= _PREROLL or not self._seekable(streams):
            return False
        try:
            base = streams[0].time_base or Fraction(1, av.time_base)
            container.seek(floor((begin + self._origin) / base), stream=streams[0])
        except (OSError, av.FFmpegError):
            self._stack.close()
            return self._begin(seek=False)
        return True

    def _grid(self, index: int, stream: av.AudioStream) -> _Grid | None:
        """The frame grid of a stream whose clock is coarser than its samples, if it has one."""
        if index not in self._grids:
            self._grids[index] = None
            with suppress(MediaError):
                if self._coarse(stream):
                    self._grids[index] = _learn_grid(self._path, self._info.audio[self._order[index]].place)
        return self._grids[index]

    def _coarse(self, stream: av.AudioStream) -> bool:
        return stream.time_base is None or stream.time_base * self._rate > 1

    def _seekable(self, streams: Sequence[av.AudioStream]) -> bool:
        """Whether positions are exact after a seek: a clock as fine as samples, or frames on a grid."""
        return all(not self._coarse(stream) or self._grid(n, stream) for n, stream in enumerate(streams))

    def _from_the_beginning(self, lanes: Sequence[_Lane]) -> None:
        self._stack.close()
        self._sought = self._begin(seek=False)
        for lane in lanes:
            lane.tail = None

    def _next_packet(self) -> av.Packet[Any] | None:
        try:
            return next(self._packets, None)
        except (av.error.InvalidDataError, av.error.EOFError):
            return None  # a torn file: what could be read stands, silence follows
        except (OSError, av.FFmpegError) as error:
            raise explain(self._path, error) from error

    def _at_end(self, lanes: Sequence[_Lane]) -> bool:
        if self._sought and not self._decoded and any(lane.limit is None for lane in lanes):
            raise _OvershotError
        if self._failed and not self._decoded and not self._sought:
            raise MediaError(f"{self._path}: none of its sound can be decoded; export or copy it again.")
        for index, fold in self._folds.items():
            for place, data in fold.end():
                lanes[index].put(place, data, self.high)
        self.ended = True
        return False

    def _decode(self, packet: av.Packet[Any]) -> list[av.AudioFrame]:
        """A packet's frames; a damaged packet gives none and becomes silence."""
        try:
            frames: list[Any] = list(packet.decode())
        except av.FFmpegError:
            self._failed += 1
            return []
        self._decoded += len(frames)
        return frames

    def _place(self, frame: av.AudioFrame, stream: av.AudioStream, lanes: Sequence[_Lane]) -> None:
        index = self._lane_of[stream.index]
        lane = lanes[index]
        stamped = _position(frame, self._origin, self._rate)
        at = stamped if stamped is not None else lane.tail or 0
        grid = self._grid(index, stream) if self._sought or not lane.follows(at) else None
        if grid is not None:
            at = grid.snap(at)
        if self._sought and lane.tail is None:
            if at > self._settled - to_samples(_PREROLL / 4, self._rate):
                raise _OvershotError
            if grid is not None and frame.samples != grid.size:
                return  # cut short by the decoder after the seek: off the grid, and long before what is wanted
        data = _to_float(frame)
        as_begun = frame.sample_rate == self._rate and data.shape[0] == lane.channels
        if index not in self._folds and not as_begun:
            info = self._info.audio[self._order[index]]
            self._folds[index] = Fold(info.layout, self._rate)
            if not info.changes:
                self._tell(said(self._path.name, info.layout, [Fraction(at, self._rate)]))
        fold = self._folds.get(index)
        for place, part in [(at, data)] if fold is None else fold.put(frame, data, at):
            lane.put(place, part, self.high)
