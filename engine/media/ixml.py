"""Reads back the iXML data of a wave file, so that a copy can carry it on."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO
from xml.etree import ElementTree

from ..errors import MediaError
from .writer import Ixml

_LONGEST = 1 << 20  # bytes of iXML anybody writes


def read_ixml(path: Path) -> Ixml | None:
    """What a WAV or RF64 file's iXML chunk says, or None if it has none that can be read.

    Raises `MediaError` if the file itself cannot be read.
    """
    try:
        with path.open("rb") as file:
            text = _find(file)
    except OSError as error:
        raise MediaError(f"{path} cannot be read: {error.strerror or error}.") from error
    if text is None:
        return None
    try:
        root = ElementTree.fromstring(text)
        speed = root.find("SPEED")
        rate = Fraction(speed.findtext("TIMECODE_RATE", "25/1") if speed is not None else 25)
    except (ElementTree.ParseError, ValueError, ZeroDivisionError):
        return None
    flag = "" if speed is None else speed.findtext("TIMECODE_FLAG", "")
    return Ixml(
        project=root.findtext("PROJECT", ""),
        scene=root.findtext("SCENE", ""),
        take=root.findtext("TAKE", ""),
        tape=root.findtext("TAPE", ""),
        note=root.findtext("NOTE", ""),
        timecode_rate=rate,
        drop_frame=flag == "DF",
        tracks=tuple(track.findtext("NAME", "") for track in root.findall("TRACK_LIST/TRACK")),
    )


def _find(file: BinaryIO) -> bytes | None:
    """The iXML chunk's bytes; in RF64 the data chunk's true length stands in ds64."""
    if file.read(4) not in (b"RIFF", b"RF64"):
        return None
    file.seek(12)
    long_data = 0
    while len(head := file.read(8)) == 8:
        name, size = head[:4], struct.unpack("<I", head[4:])[0]
        if name == b"ds64":
            body = file.read(size)
            long_data = struct.unpack("<Q", body[8:16])[0]
            continue
        if name == b"iXML":
            return file.read(min(size, _LONGEST))
        if name == b"data" and size == 0xFFFF_FFFF:
            size = long_data
        file.seek(size + size % 2, 1)
    return None
