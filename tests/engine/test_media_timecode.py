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
