"""What a file's own timecode track counts in, which need not be the picture's frames: 50p is often counted at 25.

QuickTime keeps it in the `tmcd` sample description (Apple, QuickTime File Format, "Timecode Sample Description"), MXF
in the Timecode Component's RoundedTimecodeBase (SMPTE ST 377-1, Annex B); FFmpeg hands out neither.
"""

from __future__ import annotations

import os
import struct
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from .time import snap_rate

_CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
_TIMECODE_COMPONENT = bytes.fromhex("060e2b34025301010d01010101011400")
_ROUNDED_BASE = 0x1502
_HEADER = 1 << 20  # bytes of an MXF file in which its header metadata begins
_MOST_BOXES = 10_000


def counted_at(path: Path, container: str, picture: Fraction | None) -> Fraction | None:
    """Frames per second that the timecode of a QuickTime or MXF file counts; None where nothing says so.

    `picture` is the picture's rate: a whole number of frames counts 1000/1001 as fast beside an NTSC one.
    """
    reader = _mxf if container == "mxf" else _quicktime if "mov" in container.split(",") else None
    if reader is None:
        return None
    try:
        with path.open("rb") as file:
            nominal, exact = reader(file)
    except (OSError, struct.error, ValueError, OverflowError):  # sizes may claim anything
        return None
    if not nominal:
        return None
    # FFmpeg reads a start that is counted half as fast as the track's clock runs at the clock's rate.
    if exact is not None and round(exact) % nominal == 0:
        return snap_rate(exact)
    ntsc = picture is not None and snap_rate(picture).denominator == 1001
    return Fraction(nominal * 1000, 1001) if ntsc else Fraction(nominal)


def _quicktime(file: BinaryIO) -> tuple[int, Fraction | None]:
    """Frames a second, whole and by the entry's own clock, of the first timecode track; (0, None) if there is none."""
    end = file.seek(0, os.SEEK_END)
    for start, _ in _boxes(file, 0, end):
        file.seek(start + 8)  # version, flags, number of entries
        entry = file.read(8 + 8 + 17)
        if entry[4:8] == b"tmcd" and len(entry) == 33:
            scale, duration, frames = struct.unpack(">IIB", entry[24:33])
            return frames, Fraction(scale, duration) if scale and duration else None
    return 0, None


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The extents of every sample description table's contents, in the file's order."""
    waiting, seen = deque([(start, end)]), 0
    while waiting:
        at, last = waiting.popleft()
        while at + 8 <= last and seen < _MOST_BOXES:
            seen += 1
            file.seek(at)
            size, name = struct.unpack(">I4s", file.read(8))
            head = 8
            if size == 1:
                (size,), head = struct.unpack(">Q", file.read(8)), 16
            size = size or last - at
            if size < head:
                return
            if name == b"stsd":
                yield at + head, at + size
            elif name in _CONTAINERS:
                waiting.append((at + head, min(at + size, last)))
            at += size


def _mxf(file: BinaryIO) -> tuple[int, Fraction | None]:
    """Frames a second, whole, of the first timecode component; 0 if there is none."""
    head = file.read(_HEADER)
    at = head.find(_TIMECODE_COMPONENT)
    at += len(_TIMECODE_COMPONENT)
    if at < len(_TIMECODE_COMPONENT) or at >= len(head):
        return 0, None
    size = head[at]
    at += 1
    if size > 0x7F:
        width = size & 0x7F
        size, at = int.from_bytes(head[at : at + width], "big"), at + width
    last = at + size
    while at + 4 <= min(last, len(head)):
        tag, length = struct.unpack(">HH", head[at : at + 4])
        if tag == _ROUNDED_BASE and length == 2:
            return struct.unpack(">H", head[at + 4 : at + 6])[0], None
        at += 4 + length
    return 0, None
