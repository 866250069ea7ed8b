"""Reads back the iXML data of a wave file, so that a copy can carry it on, and what its channels are called."""

from __future__ import annotations

import re
import struct
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO
from xml.etree import ElementTree

from ..errors import MediaError
from .writer import Ixml

_LONGEST = 1 << 20  # bytes of iXML anybody writes
_RATE = re.compile(r"[0-9]{1,9}([/.][0-9]{1,9})?")
_DESCRIPTION = 256  # bytes of bext that are free text
# Sound Devices' recorders and others write "sTRK1=Boom" or "zTRK1=Boom" there, on lines of their own or in one.
_TRACK = re.compile(r"\b[sz]TRK(\d{1,2})=(.*?)(?=\s+[a-z][A-Z]+\d*=|[\r\n\0]|$)")


def read_ixml(path: Path) -> Ixml | None:
    """What a WAV or RF64 file's iXML chunk says, or None if it has none that can be read.

    Raises `MediaError` if the file itself cannot be read.
    """
    text = _chunk(path, b"iXML")
    if text is None:
        return None
    try:
        root = ElementTree.fromstring(text)
        speed = root.find("SPEED")
        said = speed.findtext("TIMECODE_RATE", "25/1").strip() if speed is not None else "25/1"
        rate = Fraction(said if _RATE.fullmatch(said) else "none")  # an exponent could take for ever
    except (ElementTree.ParseError, LookupError, ValueError, ZeroDivisionError):
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
        tracks=_in_order(root.findall("TRACK_LIST/TRACK")),
    )


def track_names(path: Path) -> tuple[str, ...]:
    """What a WAV or RF64 file's channels are called, by iXML or else by its description; "" where one has no name.

    Raises `MediaError` if the file itself cannot be read.
    """
    ixml = read_ixml(path)
    if ixml is not None and any(ixml.tracks):
        return tuple(ixml.tracks)
    described = (_chunk(path, b"bext") or b"")[:_DESCRIPTION].decode("ascii", "replace")
    found = {int(number): name.strip() for number, name in _TRACK.findall(described)}
    return tuple(found.get(number, "") for number in range(1, max(found, default=0) + 1))


def _in_order(tracks: list[ElementTree.Element]) -> tuple[str, ...]:
    """Names by the channels of the file: a recorder may list its tracks in another order, or only those it armed."""
    places = [track.findtext("INTERLEAVE_INDEX", "").strip() for track in tracks]
    names = [track.findtext("NAME", "") for track in tracks]
    if len(set(places)) < len(places) or not all(
        place.isdecimal() and 0 < int(place) <= 64 for place in places
    ):
        return tuple(names)
    by_place = {int(place): name for place, name in zip(places, names, strict=True)}
    return tuple(by_place.get(place, "") for place in range(1, max(by_place, default=0) + 1))


def _chunk(path: Path, wanted: bytes) -> bytes | None:
    try:
        with path.open("rb") as file:
            return _find(file, wanted)
    except OSError as error:
        raise MediaError(f"{path} cannot be read: {error.strerror or error}.") from error


def _find(file: BinaryIO, wanted: bytes) -> bytes | None:
    """The bytes of the first chunk of a name; in RF64 the data chunk's true length stands in ds64."""
    if file.read(4) not in (b"RIFF", b"RF64"):
        return None
    file.seek(12)
    long_data = 0
    while len(head := file.read(8)) == 8:
        name, size = head[:4], struct.unpack("<I", head[4:])[0]
        if name == b"ds64":
            body = file.read(min(size, _LONGEST))
            long_data = int.from_bytes(body[8:16], "little")
            continue
        if name == wanted:
            return file.read(min(size, _LONGEST))
        if name == b"data" and size == 0xFFFF_FFFF:
            size = long_data
        file.seek(size + size % 2, 1)
    return None
