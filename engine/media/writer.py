"""Sound into Broadcast Wave files: streaming, 24 bit or float, time-stamped, RF64 past 4 GB, whole or not at all."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, NoReturn, Self
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from ..errors import WriteError
from ..files import WholeFile, write_error
from ..passage import Loudness
from .layout import Layout
from .time import to_samples

Subtype = Literal["PCM_24", "FLOAT"]

_DAY = Fraction(24 * 3600)
_FULL_SCALE = 1 << 23
# KSDATAFORMAT_SUBTYPE_PCM and _IEEE_FLOAT share all but their first two bytes.
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
_DS64_SIZE = 28
_NO_VALUE = 0x7FFF


def time_reference(start: Fraction, rate: int) -> int:
    """Samples since midnight at `rate` Hz for a start in seconds of the day; times wrap at 24 h.

    A file that begins before its timeline's midnight, as a head handle of the very first clip does, is stamped with
    midnight: the field knows nothing earlier, and the day before would put it 24 h late.
    """
    return to_samples(max(start, Fraction(0)) % _DAY, rate)


@dataclass(frozen=True)
class Bext:
    """Broadcast extension (EBU Tech 3285 v2). Text beyond a field's length is cut, non-ASCII becomes "?".

    `date` is "yyyy-mm-dd", `time` "hh:mm:ss", `time_reference` samples since midnight.
    """

    description: str = ""
    originator: str = "sightmix"
    originator_reference: str = ""
    date: str = ""
    time: str = ""
    time_reference: int = 0
    coding_history: str = ""


@dataclass(frozen=True)
class Ixml:
    """iXML production data: exact timecode rate in frames per second, drop-frame flag and a name per channel.

    The time stamp is the bext chunk's.
    """

    project: str = ""
    scene: str = ""
    take: str = ""
    tape: str = ""
    note: str = ""
    timecode_rate: Fraction = Fraction(25)
    drop_frame: bool = False
    tracks: Sequence[str] = field(default_factory=tuple)


class WavWriter:
    """Writes float32 blocks (channels, n), full scale ±1, to a WAV file that appears only when complete.

    The file grows under a temporary name beside `path` and takes its name on `close`; an exception inside the
    `with` block removes it. PCM_24 rounds to the nearest of 2²³ steps, ties to even, and clips at full scale
    (`clipped` counts samples). A bext chunk is always written; `layout` chooses the speaker mask, without one it is
    that of so many channels. Past `riff_limit` bytes the header turns into RF64 (EBU Tech 3306).
    Raises WriteError: folder missing or not writable, disk full, samples that are not finite.
    """

    riff_limit = 0xFFFF_FFFF

    def __init__(
        self,
        path: Path | str,
        sample_rate: int,
        channels: int,
        *,
        subtype: Subtype = "PCM_24",
        bext: Bext | None = None,
        ixml: Ixml | None = None,
        layout: Layout | None = None,
    ) -> None:
        self.path = Path(path)
        self.samples = 0
        self.clipped = 0
        self._rate, self._channels, self._subtype = sample_rate, channels, subtype
        self._mask = (layout or Layout.of_count(channels)).mask
        self._bext, self._ixml = bext or Bext(), ixml
        self._loudness: Loudness | None = None
        self._width = 3 if subtype == "PCM_24" else 4
        self._whole: WholeFile | None = None
        self._file: BinaryIO | None = None
        try:
            self._whole = WholeFile(self.path)
            self._file = self._whole.file
            self._file.write(self._header(0))
        except OSError as error:
            self._fail(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def write(self, block: NDArray[np.float32]) -> None:
        """Append samples (channels, n)."""
        if self._file is None:
            raise WriteError(f"{self.path} is closed already; nothing more can be written to it.")
        if block.ndim != 2 or block.shape[0] != self._channels:
            self.abort()
            raise WriteError(
                f"{self.path} has {self._channels} channels; sound of shape {block.shape} does not fit."
            )
        if not np.isfinite(block).all():
            at = (self.samples + int((~np.isfinite(block)).any(axis=0).argmax())) / self._rate
            self.abort()
            raise WriteError(
                f"{self.path}: a sample at {at:.3f} s is not a number, so the file was not written."
            )
        try:
            self._file.write(self._encode(block))
        except OSError as error:
            self._fail(error)
        self.samples += block.shape[1]

    def set_loudness(self, loudness: Loudness) -> None:
        """Put measured figures into the bext chunk; to be called before `close`."""
        self._loudness = loudness

    def close(self) -> None:
        """Complete the file and give it its name; without effect once closed."""
        if self._file is None or self._whole is None:
            return
        try:
            self._file.write(self._footer())
            self._file.seek(0)
            self._file.write(self._header(self.samples))
            self._whole.finish()
        except OSError as error:
            self._fail(error)
        self._file = None

    def abort(self) -> None:
        """Drop the file; nothing is left behind."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None
        if self._whole is not None:
            self._whole.discard()

    def _fail(self, error: OSError) -> NoReturn:
        self.abort()
        raise write_error(self.path, error) from error

    def _encode(self, block: NDArray[np.float32]) -> bytes:
        """Interleaved little-endian samples."""
        if self._subtype == "FLOAT":
            return np.ascontiguousarray(block.T, dtype="<f4").tobytes()
        scaled = np.rint(block.T * np.float32(_FULL_SCALE))
        clipped = np.clip(scaled, -_FULL_SCALE, _FULL_SCALE - 1)
        self.clipped += int(np.count_nonzero(scaled != clipped))
        return np.ascontiguousarray(clipped, dtype="<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()

    def _header(self, samples: int) -> bytes:
        """Everything before the samples; the same length whatever the sizes."""
        data = samples * self._channels * self._width
        head = _chunk(b"bext", self._bext_body()) + _chunk(b"fmt ", self._format_body())
        if self._subtype == "FLOAT":
            head += _chunk(b"fact", struct.pack("<I", min(samples, 0xFFFF_FFFF)))
        riff = 4 + 8 + _DS64_SIZE + len(head) + 8 + len(self._footer()) + data
        if riff > self.riff_limit:
            sizes = _chunk(b"ds64", struct.pack("<QQQI", riff, data, samples, 0))
            opening = b"RF64" + struct.pack("<I", 0xFFFF_FFFF) + b"WAVE" + sizes
            return opening + head + b"data" + struct.pack("<I", 0xFFFF_FFFF)
        opening = b"RIFF" + struct.pack("<I", riff) + b"WAVE" + _chunk(b"JUNK", bytes(_DS64_SIZE))
        return opening + head + b"data" + struct.pack("<I", data)

    def _footer(self) -> bytes:
        """The data chunk's padding and what follows it."""
        pad = bytes(self.samples * self._channels * self._width % 2)
        return pad if self._ixml is None else pad + _chunk(b"iXML", self._ixml_text(self._ixml).encode())

    def _format_body(self) -> bytes:
        bits = 8 * self._width
        frame = self._channels * self._width
        tag = 1 if self._subtype == "PCM_24" else 3
        extensible = self._subtype == "PCM_24" or self._channels > 2
        common = (self._channels, self._rate, self._rate * frame, frame, bits)
        if not extensible:
            return struct.pack("<HHIIHHH", tag, *common, 0)
        extension = struct.pack("<HHIH", 22, bits, self._mask, tag) + _GUID_TAIL
        return struct.pack("<HHIIHH", 0xFFFE, *common) + extension

    def _bext_body(self) -> bytes:
        bext, figures = self._bext, self._loudness
        values: list[float | None] = [None] * 5
        if figures is not None:
            values = [
                figures.integrated,
                figures.range,
                figures.true_peak,
                figures.momentary_max,
                figures.short_term_max,
            ]
        fixed = b"".join(
            [
                _text(bext.description, 256),
                _text(bext.originator, 32),
                _text(bext.originator_reference, 32),
                _text(bext.date, 10),
                _text(bext.time, 8),
                struct.pack("<QH64x", bext.time_reference, 2),
                struct.pack("<5h180x", *(_hundredths(value) for value in values)),
            ]
        )
        history = bext.coding_history or self._coding_history()
        return fixed + history.encode("ascii", "replace")

    def _coding_history(self) -> str:
        """How the sound is coded, by EBU R 98."""
        mode = {1: "mono", 2: "stereo"}.get(self._channels, "multitrack")
        return f"A=PCM,F={self._rate},W={8 * self._width},M={mode},T=sightmix\r\n"

    def _ixml_text(self, ixml: Ixml) -> str:
        rate, stamp = ixml.timecode_rate, self._bext.time_reference
        names = [*ixml.tracks, *(str(n + 1) for n in range(len(ixml.tracks), self._channels))]
        tracks = "".join(
            _element(
                "TRACK", _tag("CHANNEL_INDEX", n + 1), _tag("INTERLEAVE_INDEX", n + 1), _tag("NAME", name)
            )
            for n, name in enumerate(names[: self._channels])
        )
        speed = _element(
            "SPEED",
            *(_tag(name, f"{rate.numerator}/{rate.denominator}") for name in _SPEEDS),
            _tag("TIMECODE_FLAG", "DF" if ixml.drop_frame else "NDF"),
            _tag("FILE_SAMPLE_RATE", self._rate),
            _tag("AUDIO_BIT_DEPTH", 8 * self._width),
            _tag("DIGITIZER_SAMPLE_RATE", self._rate),
            _tag("TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI", stamp >> 32),
            _tag("TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO", stamp & 0xFFFF_FFFF),
            _tag("TIMESTAMP_SAMPLE_RATE", self._rate),
        )
        return '<?xml version="1.0" encoding="UTF-8"?>\n' + _element(
            "BWFXML",
            _tag("IXML_VERSION", "1.61"),
            _tag("PROJECT", ixml.project),
            _tag("SCENE", ixml.scene),
            _tag("TAKE", ixml.take),
            _tag("TAPE", ixml.tape),
            _tag("NOTE", ixml.note),
            speed,
            _element("TRACK_LIST", _tag("TRACK_COUNT", self._channels), tracks),
        )


_SPEEDS = ("MASTER_SPEED", "CURRENT_SPEED", "TIMECODE_RATE")


def _chunk(name: bytes, body: bytes) -> bytes:
    """A RIFF chunk, padded to an even length."""
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def _text(text: str, length: int) -> bytes:
    return text.encode("ascii", "replace")[:length].ljust(length, b"\0")


def _hundredths(value: float | None) -> int:
    """A loudness figure x 100, or the mark for one that is not known or out of range."""
    if value is None or not math.isfinite(value) or abs(value) > 300:
        return _NO_VALUE
    return math.floor(value * 100 + 0.5)


def _tag(name: str, value: object) -> str:
    legal = "".join(c for c in str(value) if c in "\t\n" or c >= " ")
    return f"<{name}>{escape(legal)}</{name}>"


def _element(name: str, *inner: str) -> str:
    return f"<{name}>{''.join(inner)}</{name}>"
