"""Whether a file's header can be believed about lengths: what it leaves out, guesses or has no bytes for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from av.container import InputContainer
from av.stream import Stream

from .clock import may_jump

# Bare streams of a codec: FFmpeg takes their length from the bit rate of their first second. An FLV's leaves out the
# last packet.
_GUESSED = frozenset(
    {
        "aac",
        "ac3",
        "eac3",
        "dts",
        "dtshd",
        "truehd",
        "mlp",
        "loas",
        "amr",
        "amrnb",
        "amrwb",
        "flv",
        "live_flv",
    }
)
_HEAD = 1 << 16
_BLOCK = 1 << 22
_BEGINS = b"OggS\0\2"  # an Ogg page that begins a stream
_MP3_TAGS = 128  # bytes of an ID3v1 tag, which may follow the last frame
_FLAC_HEADER = 16  # bytes of the longest frame header
_CLUSTERS = bytes.fromhex("18538067")
_PARTITION = bytes.fromhex("060e2b34020501010d01020101")


def is_doubtful(container: InputContainer, path: Path, size: int, streams: Sequence[Stream]) -> bool:
    """Whether the lengths of `streams` have to be counted, in a file of `size` bytes.

    That is so where none is given, where it is guessed, where the clock may jump, and where the file is shorter than
    its header says. Costs a look at the file's ends at most.
    """
    name = container.format.name.split(",")[0]
    if name == "ogg":
        return _look(path, _is_chained)
    if may_jump(container) or name in _GUESSED:
        return True
    if any(not stream.duration for stream in streams) and not container.duration:
        return True
    ends = (_last_byte(stream) for stream in streams)
    if any(end > size for end in ends):
        return True
    check = _CHECKS.get(name)
    return check is not None and _look(path, check)


def _last_byte(stream: Stream) -> int:
    """Where the last packet of a stream's index ends in the file; 0 without an index."""
    entries: Any = getattr(stream, "index_entries", ())  # PyAV 17 on
    if not len(entries):
        return 0
    last = entries[len(entries) - 1]
    return int(last.pos + last.size)


def _look(path: Path, check: Any) -> bool:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            return bool(check(file, size))
    except (OSError, IndexError):
        return True


def _is_chained(file: BinaryIO, _size: int) -> bool:
    """Whether another Ogg stream follows the ones that begin at the file's head (RFC 3533, section 4)."""
    data, heading = b"", True
    while block := file.read(_BLOCK):
        data = data[-len(_BEGINS) :] + block
        at = data.find(b"OggS")
        while heading and data[at : at + len(_BEGINS)] == _BEGINS:
            at = data.find(b"OggS", at + 4)
        heading = heading and at < 0
        if at >= 0 and data.find(_BEGINS, at) >= 0:
            return True
    return False


def _is_torn_matroska(file: BinaryIO, size: int) -> bool:
    """Whether the segment is longer than the file (RFC 9559); live ones leave its length open."""
    head = file.read(_HEAD)
    at = head.find(_CLUSTERS) + len(_CLUSTERS)
    if at < len(_CLUSTERS):
        return False
    width = 9 - head[at].bit_length()
    length = int.from_bytes(head[at : at + width], "big") & ((1 << 7 * width) - 1)
    return length != (1 << 7 * width) - 1 and at + width + length > size


def _is_torn_riff(file: BinaryIO, size: int) -> bool:
    """Whether an AVI's first RIFF chunk is longer than the file, or of no length yet."""
    head = file.read(8)
    length = int.from_bytes(head[4:8], "little")
    return length == 0 or length + 8 > size


def _is_torn_mxf(file: BinaryIO, size: int) -> bool:
    """Whether the footer that the header partition points to is missing (SMPTE ST 377-1, Partition Pack)."""
    head = file.read(_HEAD)
    at = head.find(_PARTITION) + 16
    if at < 16:
        return False
    at += 1 + (head[at] & 0x7F if head[at] & 0x80 else 0)
    return int.from_bytes(head[at + 24 : at + 32], "big") >= size


def _is_untrue_mp3(file: BinaryIO, size: int) -> bool:
    """Whether an MP3 has no count of its bytes, or is not as long as it says (Xing and Info headers)."""
    start = 0
    head = file.read(10)
    if head[:3] == b"ID3":
        start = 10 + sum(
            (byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True)
        )
    file.seek(start)
    frame = file.read(4096)
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    if at < 0 or frame[at + 7] & 3 != 3:
        return True
    lead = max(0, frame.find(b"\xff"))
    said = int.from_bytes(frame[at + 12 : at + 16], "big")
    return not 0 <= size - start - lead - said <= _MP3_TAGS


def _is_torn_flac(file: BinaryIO, size: int) -> bool:
    """Whether a FLAC file's last frame lies far before the end that its header counts (RFC 9639, 8.2 and 9.1)."""
    head = file.read(26)
    total, largest = int.from_bytes(head[18:26], "big") & ((1 << 36) - 1), int.from_bytes(head[10:12], "big")
    if head[:4] != b"fLaC":
        return True
    file.seek(max(0, size - _HEAD))
    tail = file.read()
    at = tail.rfind(b"\xff")
    while at >= 0:
        place = _flac_place(tail[at : at + _FLAC_HEADER], largest)
        if place is not None:
            return place + 2 * largest < total
        at = tail.rfind(b"\xff", 0, at)
    return True


def _flac_place(data: bytes, size: int) -> int | None:
    """The first sample of the frame whose header `data` begins with, in frames of `size`; None where it is none."""
    if len(data) < _FLAC_HEADER or data[1] & 0xFE != 0xF8:
        return None
    more = max(0, 7 - (data[4] ^ 0xFF).bit_length())  # bytes that follow, coded as in UTF-8
    number = data[4] & (0x3F >> more if more else 0x7F)
    for byte in data[5 : 5 + more]:
        number = number << 6 | byte & 0x3F
    length = 5 + more
    length += {6: 1, 7: 2}.get(data[2] >> 4, 0) + {12: 1, 13: 2, 14: 2}.get(data[2] & 15, 0)
    if _crc8(data[: length + 1]):
        return None
    return number if data[1] & 1 else number * size


def _crc8(data: bytes) -> int:
    """The remainder by x⁸ + x² + x + 1: 0 over a header with its own check byte."""
    found = 0
    for byte in data:
        found ^= byte
        for _ in range(8):
            found = (found << 1 ^ 0x07 if found & 0x80 else found << 1) & 0xFF
    return found


_CHECKS = {
    "matroska": _is_torn_matroska,
    "avi": _is_torn_riff,
    "mxf": _is_torn_mxf,
    "flac": _is_torn_flac,
    "mp3": _is_untrue_mp3,
}
