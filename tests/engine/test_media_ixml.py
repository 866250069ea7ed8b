"""iXML written by us reads back field by field, also behind a long data chunk; damage is no drama."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from sightmix.engine.errors import MediaError
from sightmix.engine.media.ixml import read_ixml, track_names
from sightmix.engine.media.writer import Ixml, WavWriter

GIVEN = Ixml(
    project="Show & tell",
    scene="12A",
    take="3",
    tape="R7",
    note="über <all>",
    timecode_rate=Fraction(30000, 1001),
    drop_frame=True,
    tracks=("DX", "MX"),
)


def written(path: Path, monkeypatch: pytest.MonkeyPatch | None = None, limit: int | None = None) -> Path:
    if monkeypatch and limit:
        monkeypatch.setattr(WavWriter, "riff_limit", limit)
    with WavWriter(path, 48_000, 2, ixml=GIVEN) as writer:
        writer.write(np.zeros((2, 3001), np.float32))
    return path


@pytest.mark.parametrize("limit", [None, 5000])
def test_what_was_written_reads_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int | None
) -> None:
    path = written(tmp_path / "a.wav", monkeypatch, limit)
    assert path.read_bytes()[:4] == (b"RF64" if limit else b"RIFF")
    assert read_ixml(path) == GIVEN


def test_none_damaged_and_missing(tmp_path: Path) -> None:
    sf.write(tmp_path / "plain.wav", np.zeros(100), 48_000)
    assert read_ixml(tmp_path / "plain.wav") is None
    path = written(tmp_path / "a.wav")
    path.write_bytes(path.read_bytes().replace(b"</BWFXML>", b"</BWF****"))
    assert read_ixml(path) is None
    (tmp_path / "text.wav").write_text("no sound")
    assert read_ixml(tmp_path / "text.wav") is None
    with pytest.raises(MediaError, match="cannot be read"):
        read_ixml(tmp_path / "gone.wav")


def riff(*parts: tuple[bytes, bytes], kind: bytes = b"RIFF") -> bytes:
    """A WAVE file of chunks, each padded to an even length."""
    body = b"".join(name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for name, data in parts)
    return kind + struct.pack("<I", len(body) + 4) + b"WAVE" + body


def said(path: Path, text: bytes, *before: tuple[bytes, bytes]) -> Ixml | None:
    path.write_bytes(riff(*before, (b"iXML", text)))
    return read_ixml(path)


@pytest.mark.parametrize("odd", [b"", b"x", b"xx", b"xyz" * 1001])
def test_chunks_of_any_length_before_it_are_passed_over(tmp_path: Path, odd: bytes) -> None:
    text = b"<BWFXML><PROJECT>P</PROJECT></BWFXML>"
    found = said(tmp_path / "a.wav", text, (b"JUNK", odd), (b"data", odd), (b"fact", odd))
    assert found == Ixml(project="P")


def test_what_is_left_out_has_its_usual_value(tmp_path: Path) -> None:
    assert said(tmp_path / "a.wav", b"<BWFXML/>") == Ixml()
    assert said(tmp_path / "a.wav", b"<BWFXML><SPEED/></BWFXML>") == Ixml(timecode_rate=Fraction(25))
    speed = b"<SPEED><TIMECODE_RATE>24000/1001</TIMECODE_RATE><TIMECODE_FLAG>%s</TIMECODE_FLAG></SPEED>"
    for flag, drops in ((b"DF", True), (b"NDF", False), (b"", False)):
        found = said(tmp_path / "a.wav", b"<BWFXML>" + speed % flag + b"</BWFXML>")
        assert found == Ixml(timecode_rate=Fraction(24000, 1001), drop_frame=drops)
    tracks = b"<TRACK_LIST><TRACK><NAME>DX</NAME></TRACK><TRACK/></TRACK_LIST>"
    assert said(tmp_path / "a.wav", b"<BWFXML>" + tracks + b"</BWFXML>") == Ixml(tracks=("DX", ""))
    fields = b"<SCENE>s</SCENE><TAKE>t</TAKE><TAPE>r</TAPE><NOTE>n</NOTE>"
    assert said(tmp_path / "a.wav", b"<BWFXML>" + fields + b"</BWFXML>") == Ixml("", "s", "t", "r", "n")


@pytest.mark.parametrize("rate", [b"25/0", b"fast", b""])
def test_a_rate_that_is_none_makes_it_unreadable(tmp_path: Path, rate: bytes) -> None:
    text = b"<BWFXML><SPEED><TIMECODE_RATE>%s</TIMECODE_RATE></SPEED></BWFXML>" % rate
    assert said(tmp_path / "a.wav", text) is None


def test_a_long_data_chunk_is_as_long_as_ds64_says(tmp_path: Path) -> None:
    text = b"<BWFXML><PROJECT>P</PROJECT></BWFXML>"
    ds64 = struct.pack("<QQQI", 0, 1001, 500, 0)
    data = riff((b"ds64", ds64), (b"fmt ", bytes(16)), (b"data", bytes(1001)), (b"iXML", text), kind=b"RF64")
    data = data.replace(b"data" + struct.pack("<I", 1001), b"data" + b"\xff" * 4)
    (tmp_path / "a.wav").write_bytes(data)
    assert read_ixml(tmp_path / "a.wav") == Ixml(project="P")
    # Only the data chunk has its length there, and only where its own says so.
    other = data.replace(b"fmt " + struct.pack("<I", 16), b"fmt " + b"\xff" * 4)
    (tmp_path / "b.wav").write_bytes(other)
    assert read_ixml(tmp_path / "b.wav") is None


def test_more_text_than_anybody_writes_is_cut_and_so_unreadable(tmp_path: Path) -> None:
    def filled(length: int) -> bytes:
        text = b"<BWFXML><NOTE>%s</NOTE></BWFXML>"
        return text % (b"n" * (length - len(text) + 2))

    assert said(tmp_path / "a.wav", filled(1 << 20)) is not None
    assert said(tmp_path / "a.wav", filled((1 << 20) + 1)) is None


def test_a_file_that_ends_within_a_chunks_head(tmp_path: Path) -> None:
    for tail in (b"", b"iXM", b"iXML\4\0\0"):
        (tmp_path / "a.wav").write_bytes(riff((b"data", b"xx")) + tail)
        assert read_ixml(tmp_path / "a.wav") is None
    (tmp_path / "a.wav").write_bytes(b"FORM" + riff((b"iXML", b"<BWFXML/>"))[4:])
    assert read_ixml(tmp_path / "a.wav") is None


def test_tracks_count_as_the_file_interleaves_them(tmp_path: Path) -> None:
    def track(place: bytes, name: bytes) -> bytes:
        return b"<TRACK><INTERLEAVE_INDEX>%s</INTERLEAVE_INDEX><NAME>%s</NAME></TRACK>" % (place, name)

    def names(*tracks: bytes) -> Ixml | None:
        text = b"<BWFXML><TRACK_LIST>%s</TRACK_LIST></BWFXML>" % b"".join(tracks)
        return said(tmp_path / "a.wav", text)

    assert names(track(b"2", b"Lav"), track(b" 1 ", b"Boom")) == Ixml(tracks=("Boom", "Lav"))
    assert names(track(b"3", b"Lav"), track(b"1", b"Boom")) == Ixml(tracks=("Boom", "", "Lav"))
    # Numbers that are none, or too many, or twice the same, say nothing.
    for odd in (b"x", b"", b"0", b"65", b"1"):
        assert names(track(odd, b"Lav"), track(b"1", b"Boom")) == Ixml(tracks=("Lav", "Boom"))


@pytest.mark.parametrize(
    "text",
    [
        b"sSPEED=025.000-NDF\r\nsTRK1=Boom\r\nsTRK3=Lav Ann\r\nsNOTE=fine\r\n",
        b"sTAKE=1 zTRK1=Boom zTRK3=Lav Ann zNOTE=fine",
    ],
)
def test_names_in_a_recorders_description(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "a.wav"
    bext = (b"bext", text.ljust(256, b"\0") + b"zTRK4=Beyond\r\n".ljust(346, b"\0"))
    path.write_bytes(riff(bext, (b"data", b"xx")))
    assert track_names(path) == ("Boom", "", "Lav Ann")
    # iXML says it better, where it says it.
    for named, expected in ((b"Vox", ("Vox",)), (b"", ("Boom", "", "Lav Ann"))):
        ixml = b"<BWFXML><TRACK_LIST><TRACK><NAME>%s</NAME></TRACK></TRACK_LIST></BWFXML>" % named
        path.write_bytes(riff(bext, (b"iXML", ixml)))
        assert track_names(path) == expected
    path.write_bytes(riff((b"data", b"xx")))
    assert track_names(path) == ()
