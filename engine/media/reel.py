"""A picture file kept open, for whoever looks at one frame after the other, as players do."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, suppress
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any, cast

import av
import av.error
import numpy as np
from av.video.reformatter import VideoReformatter

from ..errors import MediaError
from ..progress import Progress
from .container import keep_only, open_media, picture_stream, presentation_start, reading
from .picture import Pictures, jumps_of, sample_frames, scaled
from .time import round_half_up

_NEAR = Fraction(1, 2)  # s: reading on is cheaper than going to a keyframe less than this far ahead
_BLIND = Fraction(10)  # s: the same where no index tells of keyframes
_SLACK = Fraction(1, 2000)  # s: Matroska rounds time stamps to 1 ms
_BACK = 64  # s: a search for the keyframe before a time gives up this far back, and begins at the start
_NEVER = -(1 << 62)  # ticks
_NOBODY = Progress()


class Reel:
    """The picture of one file; reading on from frame to frame decodes each of them once and seeks nowhere.

    Raises MediaError where the file is missing, damaged or has no picture. Not for several threads at once.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with ExitStack() as stack:
            container = stack.enter_context(open_media(path))
            stream = picture_stream(container)
            if stream is None:
                raise MediaError(f"{path} has no picture; choose a file with video.")
            stream.thread_type = "AUTO"
            keep_only(container, [stream])
            self._jumps = jumps_of(path, container)
            self._container, self._stream = container, stream
            self._tick = stream.time_base or Fraction(1, av.time_base)
            self._second = round_half_up(1 / self._tick)
            self._origin = presentation_start(container) + min(self._tick / 2, _SLACK)
            self._stack = stack.pop_all()
        self._scaler = VideoReformatter()
        self._frames = self._decoded()
        self._shown: tuple[int, av.VideoFrame] | None = None
        self._next: tuple[int, av.VideoFrame] | None = None
        self._ended = self._sought = self._at_start = False
        self._goal = self._hurried = (
            _NEVER  # where the way leads to, and how far frames have been passed over
        )

    def close(self) -> None:
        """Close the file."""
        self._frames.close()
        self._shown = self._next = None
        self._stack.close()

    def picture(
        self,
        time: Fraction,
        width: int,
        height: int,
        progress: Progress | None = None,
        earliest: Fraction | None = None,
    ) -> Pictures:
        """The picture at `time` (seconds from file offset 0), upright, as RGB (h, w, 3), as large as the box allows.

        That is the frame shown then; the first frame before it, the last after the end. With `earliest` any frame
        from there on will do, which is cheaper where a keyframe is among them. Raises MediaError, and Cancelled.
        """
        progress = progress or _NOBODY
        with reading(self.path):
            low = self._at(time if earliest is None else min(earliest, time))
            self._goal = low - self._second
            frame = self._frame(self._at(time), low if earliest is not None else None, progress)
            w, h = fitted(self._shape(frame), width, height)
            if self._jumps:
                return cast(Pictures, sample_frames(self.path, [time], h, w, progress)[0])
            seen: Pictures = np.ascontiguousarray(scaled(self._scaler, frame, h, w))
            return seen

    def _at(self, time: Fraction) -> int:
        return floor((time + self._origin) / self._tick)

    def _shape(self, frame: av.VideoFrame) -> Fraction:
        """Width by height of the picture as it is seen."""
        aspect = self._stream.sample_aspect_ratio or Fraction(1)
        shape = Fraction(frame.width, frame.height) * (Fraction(aspect) if aspect > 0 else 1)
        return 1 / shape if round(frame.rotation / 90) % 2 else shape

    def _frame(self, at: int, low: int | None, progress: Progress) -> av.VideoFrame:
        if self._jumps:  # only its shape is asked for
            return self._first()
        if at <= self._hurried or (self._current(at, low) is None and not self._reads_on_to(at)):
            self._seek(at, 0)
        back = 0
        while (found := self._read_on(at, low, progress)) is None and self._sought:
            back = max(1, 4 * back)
            self._seek(at, back)
        if found is None:
            raise MediaError(f"{self.path}: none of its picture can be decoded; export or copy it again.")
        return found

    def _read_on(self, at: int, low: int | None, progress: Progress) -> av.VideoFrame | None:
        """The frame for `at`, from here on; None where a search led behind it."""
        while (found := self._current(at, low)) is None:
            progress.check()
            if not self._advance():
                return self._shown[1] if self._shown is not None else None
            if self._sought and self._shown is not None and self._shown[0] > at:
                return None
        return found

    def _first(self) -> av.VideoFrame:
        if self._shown is None and not self._advance():
            raise MediaError(f"{self.path}: none of its picture can be decoded; export or copy it again.")
        assert self._shown is not None
        return self._shown[1]

    def _current(self, at: int, low: int | None) -> av.VideoFrame | None:
        """The frame at hand, if it is the one for `at`, or from `low` on."""
        if self._shown is None:
            return None
        pts, frame = self._shown
        if low is not None and low <= pts <= at:
            return frame
        last = self._next is None and self._ended
        shows = pts <= at and (last or (self._next is not None and at < self._next[0]))
        return frame if shows or (pts > at and not self._sought and self._at_start) else None

    def _advance(self) -> bool:
        """Go on by one frame; False where there is none."""
        if self._shown is None:
            first = next(self._frames, None)
            if first is None:
                self._ended = True
                return False
            self._shown, self._at_start = first, not self._sought
        elif self._next is None:
            return False
        else:
            self._shown, self._at_start = self._next, False
        self._next = next(self._frames, None)
        self._ended = self._next is None
        return True

    def _reads_on_to(self, at: int) -> bool:
        """Whether the frame for `at` is found soonest by decoding on from here."""
        newest = self._shown[0] if self._shown is not None else (self._stream.start_time or 0)
        if at < newest:
            return self._shown is None
        if at - newest <= _NEAR * self._second:
            return True
        entries: Any = getattr(self._stream, "index_entries", ())  # PyAV 17 on
        before = at - self._second // 2
        if not len(entries) or entries[len(entries) - 1].timestamp < before:
            return at - newest <= _BLIND * self._second
        found = entries.search_timestamp(before)
        return found < 0 or bool(entries[found].timestamp <= newest)

    def _seek(self, at: int, back: int) -> None:
        """Go to the keyframe before `at`, or before `back` seconds earlier."""
        first = self._stream.start_time or 0
        goal = at - self._second // 2 - back * self._second
        self._sought = goal > first and back <= _BACK
        # Some formats seek before their beginning to find it, others refuse to.
        for place in (goal,) if self._sought else (first - self._second, first):
            with suppress(OSError, av.FFmpegError):
                self._container.seek(place, stream=self._stream)
                break
        self._frames.close()
        self._stream.codec_context.flush_buffers()
        self._frames = self._decoded()
        self._shown = self._next = None
        self._ended = self._at_start = False
        self._hurried = _NEVER

    def _decoded(self) -> Generator[tuple[int, av.VideoFrame], None, None]:
        """Frames with their times from here to the file's end; what is damaged is passed over."""
        settled = False
        packets = self._container.demux(self._stream)
        context = self._stream.codec_context
        last = -1
        while True:
            try:
                packet = next(packets, None)
            except (av.error.InvalidDataError, av.error.EOFError):
                packet = None
            if packet is None:
                return
            settled = settled or packet.is_keyframe or not packet.size
            if not settled:
                continue  # a seek may land between keyframes
            # What nothing depends on is passed over on the way to a place further on.
            context.skip_frame = "DEFAULT"
            if packet.pts is not None and packet.pts < self._goal:
                context.skip_frame, self._hurried = "NONREF", packet.pts
            try:
                frames = context.decode(packet if packet.size else None)
            except av.FFmpegError:
                frames = []
            for frame in frames:
                pts = frame.pts if frame.pts is not None else frame.dts
                last = last + 1 if pts is None else pts
                yield last, frame
            if not packet.size:
                return


def fitted(shape: Fraction, width: int, height: int) -> tuple[int, int]:
    """The largest even width and height of that shape (width by height) inside a box, at least 2 by 2."""
    if shape * height <= width:
        width = round_half_up(height * shape)
    else:
        height = round_half_up(width / shape)
    return max(2, width // 2 * 2), max(2, height // 2 * 2)
