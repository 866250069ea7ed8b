"""Sounds inside games' own container files: ScummVM resource tables, OpenTTD catalogues, OpenClonk groups."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from ...errors import TrainingError

Entries = Iterator[tuple[str, bytes]]
_GROUP_HEAD, _GROUP_ENTRY = 204, 316  # bytes
_GROUP_MAGIC = b"RedWolf Design GrpFolder"
_PACKED = (b"\x1e\x8c", b"\x1f\x8b")  # a gzip file with or without its first two bytes disguised


def entries(path: Path, inside: str) -> Entries:
    """Every (name, bytes) in the container `path`, known by how it begins; `inside` is what a message calls it.

    Raises `TrainingError` for a container of another kind or a damaged one.
    """
    data = path.read_bytes()
    try:
        if data[:4] == b"QTBL":
            yield from _table(data)
        elif data[:2] in _PACKED:
            yield from _group(zlib.decompress(_PACKED[1] + data[2:], wbits=31))
        elif path.suffix.lower() == ".cat":
            yield from _catalogue(data)
        else:
            raise TrainingError(f"The container {inside} has no table of contents this builder knows.")
    except (struct.error, zlib.error, IndexError, ValueError):
        raise TrainingError(
            f"The container {inside} inside the package is damaged; delete the .deb and fetch it anew."
        ) from None


def _table(data: bytes) -> Entries:
    """A ScummVM resource file with its table in front: name (12 bytes), bundle, offset, size, big-endian."""
    (count,) = struct.unpack_from(">H", data, 13)
    for row in range(count):
        name, offset, size = struct.unpack_from(">12sx2I", data, 15 + 21 * row)
        yield name.split(b"\0")[0].decode("latin-1"), data[offset : offset + size]


def _catalogue(data: bytes) -> Entries:
    """OpenTTD's sample catalogue: pairs of offset and size in front, then a title and a WAV file for each.

    The first offset is where the pairs end; its highest bit says that the titles are there.
    """
    (first,) = struct.unpack_from("<I", data)
    for row in range((first & 0x7FFFFFFF) // 8):
        (offset,) = struct.unpack_from("<I", data, 8 * row)
        offset &= 0x7FFFFFFF
        title = data[offset + 1 : offset + data[offset]].decode("latin-1")
        start = offset + 1 + data[offset]
        if data[start : start + 4] != b"RIFF":
            raise ValueError("no WAV file where the catalogue says")
        (size,) = struct.unpack_from("<I", data, start + 4)
        # What a title quotes first is the sound's name; the rest of it names authors and licences.
        name = title.split('"')[1] if title.count('"') > 1 else title
        yield f"{row:03d} {name.replace('/', ' ')}.wav", data[start : start + 8 + size]


def _group(data: bytes, folder: str = "") -> Entries:
    """An OpenClonk group: a scrambled header, then entries of fixed size, then their data, groups within groups."""
    head = bytearray(byte ^ 237 for byte in data[:_GROUP_HEAD])
    for index in range(0, _GROUP_HEAD - 2, 3):
        head[index], head[index + 2] = head[index + 2], head[index]
    if head[: len(_GROUP_MAGIC)] != _GROUP_MAGIC:
        raise ValueError("no group where one was said to be")
    (count,) = struct.unpack_from("<i", head, 36)
    base = _GROUP_HEAD + _GROUP_ENTRY * count
    for row in range(count):
        entry = data[_GROUP_HEAD + _GROUP_ENTRY * row :][:_GROUP_ENTRY]
        name = f"{folder}{entry[:260].split(bytes(1))[0].decode('latin-1')}"
        _, is_group, size, _, offset = struct.unpack_from("<5i", entry, 260)
        content = data[base + offset : base + offset + size]
        if is_group:
            yield from _group(content, f"{name}/")
        else:
            yield name, content
