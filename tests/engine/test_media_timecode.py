"""Start timecode counts in the timecode track's own frames, whatever the picture's rate is."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from sightmix.engine.media.container import probe
from sightmix.engine.media.timecode_track import counted_at


def film(path: Path, rate: Fraction, text: str) -> Path:
    with av.open(str(path), "w") as container:
        container.metadata["timecode"] = text
        video = container.add_stream("mpeg2video" if path.suffix == ".mxf" else "mpeg4", rate=rate)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for _ in range(10):
            container.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8))))
        container.mux(video.encode(None))
    return path


def counted_otherwise(path: Path, count: int, clock: tuple[int, int], frames: tuple[int, int]) -> None:
    """Make a QuickTime timecode track count `count` frames a second by its `clock`; `frames` old and new start."""
    data = bytearray(path.read_bytes())
    at = next(
        i
        for i in range(len(data) - 33)
        if data[i + 4 : i + 8] == b"tmcd" and data[i + 8 : i + 16] == bytes(7) + b"\1"
    )
    data[at + 24 : at + 33] = struct.pack(">IIB", *clock, count)
    old, new = (struct.pack(">I", n) for n in frames)
    assert old == new or data.count(old) == 1
    path.write_bytes(bytes(data).replace(old, new))


@pytest.mark.parametrize("suffix", [".mov", ".mxf"])
@pytest.mark.parametrize(
    ("rate", "text", "seconds"),
    [
        (Fraction(25), "01:00:00:20", Fraction(36008, 10)),
        (Fraction(50), "01:00:00:20", Fraction(36004, 10)),
        (Fraction(24000, 1001), "01:00:00:20", (86400 + 20) * Fraction(1001, 24000)),
        (Fraction(30000, 1001), "01:00:00;20", (107892 + 20) * Fraction(1001, 30000)),
    ],
)
def test_timecode_at_the_pictures_rate(
    tmp_path: Path, suffix: str, rate: Fraction, text: str, seconds: Fraction
) -> None:
    assert probe(film(tmp_path / f"a{suffix}", rate, text)).timecode == seconds


@pytest.mark.parametrize(
    ("rate", "text", "count", "clock", "start", "seconds"),
    [
        (Fraction(50), "01:00:00:20", 25, (25000, 1000), 90_020, Fraction(36008, 10)),
        (Fraction(50), "00:00:00:20", 25, (50, 2), 20, Fraction(8, 10)),
        (Fraction(60000, 1001), "01:00:00:20", 30, (30000, 1001), 108_020, 108_020 * Fraction(1001, 30000)),
        # A clock of the picture's frames beside a count of half as many.
        (Fraction(60000, 1001), "01:00:00:20", 30, (60000, 1001), 108_020, 108_020 * Fraction(1001, 30000)),
    ],
)
def test_a_quicktime_track_that_counts_otherwise(
    tmp_path: Path,
    rate: Fraction,
    text: str,
    count: int,
    clock: tuple[int, int],
    start: int,
    seconds: Fraction,
) -> None:
    path = film(tmp_path / "a.mov", rate, text)
    nominal = round(rate)
    old = nominal * (3600 if text.startswith("01") else 0) + 20
    counted_otherwise(path, count, clock, (old, start))
    assert probe(path).timecode == seconds


def test_an_mxf_that_counts_otherwise(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mxf", Fraction(50), "01:00:00:20")
    data = path.read_bytes()
    old, new = (struct.pack(">HHH", 0x1502, 2, n) for n in (50, 25))
    assert old in data
    path.write_bytes(data.replace(old, new))
    # 180020 frames, 25 of them a second.
    assert probe(path).timecode == Fraction(180_020, 25)


@pytest.mark.parametrize("length", [0, 40, 200, 700])
def test_a_cut_off_header_says_nothing(tmp_path: Path, length: int) -> None:
    for name, container in (("a.mov", "mov,mp4"), ("a.mxf", "mxf")):
        path = film(tmp_path / name, Fraction(25), "01:00:00:20")
        path.write_bytes(path.read_bytes()[:length])
        assert counted_at(path, container, Fraction(25)) in (None, Fraction(25))


def test_an_mxf_that_ends_with_the_components_name_says_nothing(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mxf", Fraction(25), "01:00:00:20")
    name = bytes.fromhex("060e2b34025301010d01010101011400")
    path.write_bytes(path.read_bytes().partition(name)[0] + name)
    assert counted_at(path, "mxf", Fraction(25)) is None


def box(name: bytes, body: bytes, kind: str = "plain") -> bytes:
    """A QuickTime atom: its size in 32 bits, in 64 ("wide"), or 0 for one that runs to the end ("open")."""
    if kind == "wide":
        return struct.pack(">I4sQ", 1, name, len(body) + 16) + body
    return struct.pack(">I4s", 0 if kind == "open" else len(body) + 8, name) + body


def described(count: int, clock: tuple[int, int], kind: bytes = b"tmcd") -> bytes:
    """A sample description table with a timecode entry (QuickTime File Format, "Timecode Sample Description")."""
    entry = bytes(6) + struct.pack(">HIIIIBx", 1, 0, 0, *clock, count)
    return bytes(4) + struct.pack(">I", 1) + box(kind, entry)


def track(table: bytes, kinds: str = "plain plain plain plain plain plain") -> bytes:
    stbl, minf, mdia, trak, moov, stsd = kinds.split()
    inner = box(b"stbl", box(b"stts", bytes(8)) + box(b"stsd", table, stsd), stbl)
    return box(
        b"moov",
        box(b"mvhd", bytes(20)) + box(b"trak", box(b"mdia", box(b"minf", inner, minf), mdia), trak),
        moov,
    )


def counted(
    path: Path, data: bytes, picture: Fraction | None = None, container: str = "mov,mp4"
) -> Fraction | None:
    path.write_bytes(data)
    return counted_at(path, container, picture)


NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("count", "clock", "picture", "rate"),
    [
        (25, (25, 1), None, Fraction(25)),
        (30, (30000, 1001), None, NTSC),
        (30, (2997, 100), Fraction(25), NTSC),
        (30, (60000, 1001), NTSC, 2 * NTSC),  # read by FFmpeg at the clock's rate
        (25, (50, 1), None, Fraction(50)),
        (25, (0, 1), None, Fraction(25)),
        (25, (25, 0), None, Fraction(25)),
        (30, (0, 0), Fraction(60000, 1001), NTSC),
        (30, (0, 0), Fraction(60), Fraction(30)),
        (25, (90000, 2), None, Fraction(45000)),
        (24, (90001, 1000), Fraction(24000, 1001), Fraction(24000, 1001)),  # a clock that is no multiple
        (24, (90001, 1000), None, Fraction(24)),
        (0, (25, 1), None, None),
    ],
)
def test_what_a_timecode_entry_counts(
    tmp_path: Path, count: int, clock: tuple[int, int], picture: Fraction | None, rate: Fraction | None
) -> None:
    data = box(b"ftyp", bytes(8)) + track(described(count, clock))
    assert counted(tmp_path / "a.mov", data, picture) == rate
    # Those of 64-bit size and those that run to the end hold the same.
    wide = box(b"mdat", bytes(5), "wide") + track(described(count, clock), "wide wide wide wide wide wide")
    assert counted(tmp_path / "b.mov", wide, picture) == rate
    assert (
        counted(
            tmp_path / "c.mov", track(described(count, clock), "plain plain plain plain open plain"), picture
        )
        == rate
    )
    assert (
        counted(tmp_path / "d.mov", track(described(count, clock), "open open open open open open"), picture)
        == rate
    )


def test_the_first_timecode_entry_of_all_tracks_counts(tmp_path: Path) -> None:
    video = track(described(9, (9, 1), b"avc1"))
    assert counted(tmp_path / "a.mov", video + track(described(25, (25, 1)))) == 25
    both = box(b"moov", track(described(25, (25, 1)))[8:] + track(described(24, (24, 1)))[8:])
    assert counted(tmp_path / "two.mov", both) == 25
    assert counted(tmp_path / "b.mov", video) is None
    assert counted(tmp_path / "c.mov", box(b"free", described(25, (25, 1)))) is None
    assert counted(tmp_path / "d.mov", track(described(25, (25, 1)))[:-2]) is None  # one byte short
    # A size less than its own head ends the reading.
    assert (
        counted(tmp_path / "e.mov", struct.pack(">I4s", 7, b"free") + track(described(25, (25, 1)))) is None
    )
    broken = struct.pack(">I4sQ", 1, b"free", 15) + track(described(25, (25, 1)))
    assert counted(tmp_path / "f.mov", broken) is None
    # Boxes without number are given up.
    assert counted(tmp_path / "g.mov", box(b"free", b"") * 9_990 + track(described(25, (25, 1)))) == 25
    assert counted(tmp_path / "h.mov", box(b"free", b"") * 10_001 + track(described(25, (25, 1)))) is None


def test_only_quicktime_and_mxf_are_asked(tmp_path: Path) -> None:
    data = track(described(25, (25, 1)))
    assert counted(tmp_path / "a", data, None, "mov,mp4,m4a") == 25
    assert counted(tmp_path / "a", data, None, "mp4") is None
    assert counted(tmp_path / "a", data, None, "matroska,webm") is None
    assert counted(tmp_path / "a", data, None, "mxf") is None
    assert counted_at(tmp_path / "gone.mov", "mov", None) is None


COMPONENT = bytes.fromhex("060e2b34025301010d01010101011400")


def component(*items: tuple[int, bytes], length: str = "short", before: int = 0) -> bytes:
    """An MXF timecode component (SMPTE ST 377-1, annex B.17) as a local set after `before` bytes of anything."""
    body = b"".join(struct.pack(">HH", tag, len(value)) + value for tag, value in items)
    size = {
        "short": bytes([len(body)]),
        "one": b"\x81" + bytes([len(body)]),
        "four": b"\x83" + len(body).to_bytes(3, "big"),
    }[length]
    return bytes(before) + COMPONENT + size + body


START, BASE, DROP = (0x1501, bytes(8)), (0x1502, b"\0\x1e"), (0x1503, b"\1")


@pytest.mark.parametrize("length", ["short", "one", "four"])
def test_an_mxf_timecode_component_by_the_letter(tmp_path: Path, length: str) -> None:
    path = tmp_path / "a.mxf"

    def base(*items: tuple[int, bytes], picture: Fraction | None = None, before: int = 0) -> Fraction | None:
        return counted(path, component(*items, length=length, before=before), picture, "mxf")

    assert base(START, BASE, DROP) == base(BASE) == base(DROP, START, BASE, before=1000) == 30
    assert base(START, BASE, picture=NTSC) == base(BASE, picture=Fraction(60000, 1001)) == NTSC
    assert base(BASE, picture=Fraction(30)) == 30
    assert base(START, DROP) is None
    assert base(START, (0x1502, b"\0\0\0\x1e")) is None  # not as long as it must be
    assert base((0x1502, b"\0\0"), DROP) is None
    # What lies behind the set belongs to another.
    path.write_bytes(component(START, length=length) + struct.pack(">HH", *BASE[:1], 2) + BASE[1])
    assert counted_at(path, "mxf", None) is None


def test_an_mxf_header_beyond_a_mebibyte_is_not_searched(tmp_path: Path) -> None:
    near, far = ((1 << 20) - 40, 1 << 20)
    assert counted(tmp_path / "a.mxf", component(BASE, before=near), None, "mxf") == 30
    assert counted(tmp_path / "b.mxf", component(BASE, before=far), None, "mxf") is None
