"""RF64 files whose recorder never wrote their lengths: read as if it had, to the file's end."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import IO

_NAMES = (b"RF64", b"BW64")
_SUFFIXES = (".wav", ".wave", ".bwf", ".rf64", ".bw64")
_HEAD = 1 << 16


class Finished:
    """An open file that begins with other bytes than those on the disk; nothing is written."""

    def __init__(self, file: IO[bytes], head: bytes) -> None:
        self.name = file.name
        self._file, self._head = file, head

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes."""
        at = self._file.tell()
        data = self._file.read(size)
        if at >= len(self._head):
            return data
        front = self._head[at : at + len(data)]
        return front + data[len(front) :]

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place in the file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The place in the file."""
        return self._file.tell()


def finished_head(path: Path, size: int) -> bytes | None:
    """The head of an RF64 file of `size` bytes as it should be; None where it is, or where it is none.

    The ds64 chunk has the data's true length (EBU Tech 3306, 3.2); recorders fill it in last, and leave 0 or all ones
    where they crash or write to a pipe.
    """
    if path.suffix.lower() not in _SUFFIXES:
        return None
    with path.open("rb") as file:
        if file.read(4) not in _NAMES:
            return None
        file.seek(0)
        head = bytearray(file.read(_HEAD))
    if head[12:16] != b"ds64" or len(head) < 48:
        return None
    said = int.from_bytes(head[28:36], "little")
    data = _data(head)
    if data is None or 0 < said <= size:
        return None
    head[20:44] = struct.pack("<QQQ", size - 8, size - data, 0)
    return bytes(head)


def _data(head: bytearray) -> int | None:
    """Where the data chunk's bytes begin."""
    at = 12
    while at + 8 <= len(head):
        name, length = struct.unpack("<4sI", head[at : at + 8])
        if name == b"data":
            return at + 8
        at += 8 + length + length % 2
    return None
