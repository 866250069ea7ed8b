import errno
import io
import os
import resource
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sightmix.engine.errors import WriteError
from sightmix.engine.files import unfinished
from sightmix.engine.media.layout import Layout
from sightmix.engine.media.reader import probe, read_span
from sightmix.engine.media.writer import Bext, Ixml, WavWriter, time_reference
from sightmix.engine.passage import Loudness
from wavinfo import WavInfoReader

RATE = 48000
BEXT = Bext(
    description="Scene 4, rebalanced",
    originator="sightmix",
    originator_reference="XXSMX20261122",
    date="2026-11-22",
    time="10:11:12",
    time_reference=172_799_827,
)
IXML = Ixml("Film <1> & more", "4A", "2", "R01", "dark ☾", Fraction(30000, 1001), True, ("DX", "MX"))


def noise(channels=2, samples=1001, scale=0.1):
    return (np.random.default_rng(channels).standard_normal((channels, samples)) * scale).astype(np.float32)


def write(path, x, *, pieces=3, loudness=None, **kwargs):
    with WavWriter(path, RATE, x.shape[0], **kwargs) as out:
        for piece in np.array_split(x, pieces, axis=1):
            out.write(piece)
        if loudness is not None:
            out.set_loudness(loudness)
    return out


def test_every_bext_field_is_read_back(tmp_path):
    write(tmp_path / "a.wav", noise(), bext=BEXT, loudness=Loudness(-23.004, 5.125, -1.0, -18.5, -np.inf))
    bext = WavInfoReader(str(tmp_path / "a.wav")).bext
    assert bext.description == "Scene 4, rebalanced"
    assert bext.originator == "sightmix"
    assert bext.originator_ref == "XXSMX20261122"
    assert (bext.originator_date, bext.originator_time) == ("2026-11-22", "10:11:12")
    assert bext.time_reference == 172_799_827
    assert bext.version == 2
    assert (bext.loudness_value, bext.loudness_range, bext.max_true_peak) == (-23.0, 5.13, -1.0)
    assert (bext.max_momentary_loudness, bext.max_shortterm_loudness) == (-18.5, 327.67)
    assert bext.coding_history == "A=PCM,F=48000,W=24,M=stereo,T=sightmix\r\n"
    assert probe(tmp_path / "a.wav").timecode == Fraction(172_799_827, RATE)


def test_ixml_is_read_back(tmp_path):
    write(tmp_path / "a.wav", noise(3, 101), bext=BEXT, ixml=IXML)
    ixml = WavInfoReader(str(tmp_path / "a.wav")).ixml
    assert (ixml.project, ixml.scene, ixml.take, ixml.tape) == ("Film <1> & more", "4A", "2", "R01")
    assert [t.name for t in ixml.track_list] == ["DX", "MX", "3"]

    def text(path):
        return ixml.parsed.find(path).text

    assert text("./SPEED/TIMECODE_RATE") == "30000/1001"
    assert text("./SPEED/TIMECODE_FLAG") == "DF"
    assert text("./SPEED/FILE_SAMPLE_RATE") == "48000"
    assert text("./SPEED/TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI") == "0"
    assert text("./SPEED/TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO") == "172799827"
    assert text("./NOTE") == "dark ☾"
    assert text("./TRACK_LIST/TRACK_COUNT") == "3"


@pytest.mark.parametrize(
    ("channels", "subtype", "layout", "tag", "mask"),
    [
        (1, "PCM_24", None, 0xFFFE, 0x4),
        (2, "PCM_24", None, 0xFFFE, 0x3),
        (6, "PCM_24", None, 0xFFFE, 0x3F),
        (6, "FLOAT", "5.1(side)", 0xFFFE, 0x60F),
        (8, "PCM_24", "7.1", 0xFFFE, 0x63F),
        (2, "FLOAT", None, 3, None),
        (12, "FLOAT", None, 0xFFFE, 0),
    ],
)
def test_format_and_speakers(tmp_path, channels, subtype, layout, tag, mask):
    x = noise(channels, 333)
    write(tmp_path / "a.wav", x, subtype=subtype, layout=Layout.named(layout) if layout else None)
    data = (tmp_path / "a.wav").read_bytes()
    at = data.index(b"fmt ") + 8
    assert int.from_bytes(data[at : at + 2], "little") == tag
    if mask is not None:
        assert int.from_bytes(data[at + 20 : at + 24], "little") == mask
    assert (len(data) - 8) == int.from_bytes(data[4:8], "little")
    back, rate = soundfile.read(tmp_path / "a.wav", dtype="float32", always_2d=True)
    assert rate == RATE
    np.testing.assert_allclose(back.T, x, rtol=0, atol=0 if subtype == "FLOAT" else 2**-24)
    with av.open(str(tmp_path / "a.wav")) as container:
        assert container.streams.audio[0].channels == channels
        if layout:
            assert container.streams.audio[0].layout.name == layout


@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize("subtype", ["PCM_24", "FLOAT"])
def test_integer_sources_survive_to_the_last_bit(tmp_path, bits, subtype):
    values = np.random.default_rng(bits).integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (2, 5000))
    values[:, :2] = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1]
    soundfile.write(
        tmp_path / "in.wav", (values.T << (32 - bits)).astype(np.int32), RATE, subtype=f"PCM_{bits}"
    )
    x = read_span(tmp_path / "in.wav", Fraction(0), Fraction(5000, RATE))
    assert write(tmp_path / "out.wav", x, subtype=subtype).clipped == 0
    np.testing.assert_array_equal(read_span(tmp_path / "out.wav", Fraction(0), Fraction(5000, RATE)), x)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=6), st.integers(1, 5))
def test_block_sizes_do_not_matter_and_odd_lengths_are_padded(tmp_path, sizes, channels):
    x = noise(channels, sum(sizes))
    with WavWriter(tmp_path / "a.wav", RATE, channels, ixml=IXML) as out:
        for piece in np.split(x, np.cumsum(sizes)[:-1], axis=1):
            out.write(piece)
    one = WavWriter(tmp_path / "b.wav", RATE, channels, ixml=IXML)
    one.write(x)
    one.close()
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    assert soundfile.info(tmp_path / "a.wav").frames == sum(sizes)
    assert WavInfoReader(str(tmp_path / "a.wav")).ixml is not None


def test_rounding_is_to_the_nearest_even_and_clipping_is_counted(tmp_path):
    steps = np.array([[0.5, 1.5, 2.5, -0.5, -1.5, 0.49]], np.float32) / 2**23
    loud = np.array([[1.0, -1.0, 1.5, -2.0]], np.float32)
    out = write(tmp_path / "a.wav", np.concatenate([steps, loud], axis=1), pieces=1)
    back = soundfile.read(tmp_path / "a.wav", dtype="int32")[0] >> 8
    assert list(back) == [0, 2, 2, 0, -2, 0, 2**23 - 1, -(2**23), 2**23 - 1, -(2**23)]
    assert out.clipped == 3


def test_rf64_past_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(WavWriter, "riff_limit", 4000)
    x = noise(2, 3001)
    write(tmp_path / "big.wav", x, bext=BEXT, ixml=IXML)
    assert (tmp_path / "big.wav").read_bytes()[:4] == b"RF64"
    assert soundfile.info(tmp_path / "big.wav").format == "RF64"
    assert WavInfoReader(str(tmp_path / "big.wav")).bext.time_reference == 172_799_827
    np.testing.assert_allclose(
        read_span(tmp_path / "big.wav", Fraction(0), Fraction(3001, RATE)), x, atol=2**-24
    )


def test_a_real_file_of_more_than_four_gigabytes(tmp_path):
    samples = 200_000_000
    tail = noise(8, 100)
    out = WavWriter(tmp_path / "huge.wav", RATE, 8, bext=BEXT)
    out._file.seek(samples * 24, io.SEEK_CUR)  # a hole on disk stands for silence
    out.samples = samples
    out.write(tail)
    out.close()
    info = probe(tmp_path / "huge.wav")
    assert info.audio[0].samples == samples + 100 == soundfile.info(tmp_path / "huge.wav").frames
    got = read_span(tmp_path / "huge.wav", Fraction(samples - 100, RATE), Fraction(200, RATE))
    assert not got[:, :100].any()
    np.testing.assert_allclose(got[:, 100:], tail, atol=2**-24)
    (tmp_path / "huge.wav").unlink()


def test_nothing_is_there_until_it_is_complete(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"an older result")
    with WavWriter(path, RATE, 2) as out:
        out.write(noise())
        assert path.read_bytes() == b"an older result"
        assert len(unfinished(tmp_path)) == 1
    assert path.read_bytes()[:4] == b"RIFF"
    assert [p.name for p in tmp_path.iterdir()] == ["a.wav"]
    out.close()
    with pytest.raises(WriteError, match="closed already"):
        out.write(noise())


def test_an_exception_leaves_nothing_behind(tmp_path):
    def stumble():
        with WavWriter(tmp_path / "a.wav", RATE, 2) as out:
            out.write(noise())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stumble()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_not_numbers_are_refused(tmp_path, value):
    x = noise(2, 48000)
    x[1, 24000] = value
    with (
        pytest.raises(WriteError, match=r"0\.500 s is not a number"),
        WavWriter(tmp_path / "a.wav", RATE, 2) as out,
    ):
        out.write(x)
    assert not list(tmp_path.iterdir())


def test_wrong_shape_missing_folder_and_folder_in_the_way(tmp_path):
    with pytest.raises(WriteError, match="has 2 channels"), WavWriter(tmp_path / "a.wav", RATE, 2) as out:
        out.write(noise(3))
    with pytest.raises(WriteError, match="does not exist; create it"):
        WavWriter(tmp_path / "gone" / "a.wav", RATE, 2)
    (tmp_path / "taken.wav").mkdir()
    with pytest.raises(WriteError), WavWriter(tmp_path / "taken.wav", RATE, 2) as out:
        out.write(noise())
    assert [p.name for p in tmp_path.iterdir()] == ["taken.wav"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EIO])
def test_disks_that_fail_midway(tmp_path, monkeypatch, code):
    words = {errno.ENOSPC: "disk is full", errno.EACCES: "permission denied", errno.EIO: "check the disk"}[
        code
    ]

    class Failing:
        def __init__(self, file):
            self.file = file

        def write(self, data):
            raise OSError(code, os.strerror(code))

        def close(self):
            self.file.close()

    out = WavWriter(tmp_path / "a.wav", RATE, 2)
    out._file = Failing(out._file)
    with pytest.raises(WriteError, match=words):
        out.write(noise())
    assert not list(tmp_path.iterdir())


def test_a_full_device(monkeypatch, tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    out = WavWriter(tmp_path / "a.wav", RATE, 2)
    out._file.close()
    out._file = open("/dev/full", "w+b", buffering=1 << 16)  # noqa: PTH123, SIM115
    with pytest.raises(WriteError, match="disk is full"):
        out.write(noise(2, 99_999))
    assert not list(tmp_path.iterdir())


def test_a_file_size_limit(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with (
            pytest.raises(WriteError, match="beyond what its disk allows"),
            WavWriter(tmp_path / "a.wav", RATE, 2) as out,
        ):
            out.write(noise(2, 60_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


def test_time_reference_counts_real_frames():
    fps = Fraction(30000, 1001)
    assert time_reference(107892 / fps, 48000) == 172_799_827
    assert time_reference(108000 / fps, 48000) == 172_972_800
    assert time_reference(Fraction(24 * 3600), 48000) == 0
    assert time_reference(Fraction(-1), 48000) == 0


FFMPEG_LAYOUTS = (
    "mono", "stereo", "2.1", "3.0", "3.1", "quad", "quad(side)", "4.0", "4.1", "5.0", "5.0(side)", "5.1", "5.1(side)",
    "6.0", "6.1", "7.0", "7.1", "7.1(wide)",
)  # fmt: skip


@pytest.mark.parametrize("name", [*FFMPEG_LAYOUTS, "7.1.2", "7.1.4"])
def test_every_layout_reads_as_itself(tmp_path, name):
    layout = Layout.named(name)
    write(tmp_path / "a.wav", noise(layout.channels, 99), layout=layout)
    assert probe(tmp_path / "a.wav").audio[0].layout == layout
    with av.open(str(tmp_path / "a.wav")) as container:
        assert container.streams.audio[0].layout.name == name


def test_masks_agree_with_ffmpeg():
    bits = {
        name: 1 << n
        for n, name in enumerate(["FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR"])
    }
    layouts = {name: Layout.named(name).mask for name in FFMPEG_LAYOUTS}
    for name, mask in layouts.items():
        assert sum(bits[c.name] for c in av.AudioLayout(name).channels) == mask


# ---- byte by byte: RIFF, EBU Tech 3285 v2 (bext), EBU Tech 3306 (RF64), WAVE_FORMAT_EXTENSIBLE


def chunks(data):
    """A WAV file's chunks in order as (name, offset of the body, body); data chunks of RF64 by their ds64."""
    found, at, long_data = [], 12, None
    while at < len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == b"data" and size == 0xFFFF_FFFF:
            size = long_data
        body = data[at + 8 : at + 8 + size]
        assert len(body) == size
        if name == b"ds64":
            long_data = int.from_bytes(body[8:16], "little")
        found.append((name.decode(), at + 8, body))
        at += 8 + size + size % 2
    assert at == len(data)
    return found


@pytest.mark.parametrize(
    ("channels", "subtype", "layout", "tag", "sub", "mask"),
    [
        (1, "PCM_24", None, 0xFFFE, 1, 4), (2, "PCM_24", None, 0xFFFE, 1, 3), (3, "FLOAT", None, 0xFFFE, 3, 7),
        (1, "FLOAT", None, 3, None, None), (2, "FLOAT", None, 3, None, None),
        (6, "PCM_24", "5.1(side)", 0xFFFE, 1, 0x60F), (2, "PCM_24", "2 channels", 0xFFFE, 1, 3),
        (9, "PCM_24", None, 0xFFFE, 1, 0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("limit", [None, 100])
def test_the_header_field_by_field(tmp_path, monkeypatch, channels, subtype, layout, tag, sub, mask, limit):
    if limit is not None:
        monkeypatch.setattr(WavWriter, "riff_limit", limit)
    x = noise(channels, 333)
    write(tmp_path / "a.wav", x, subtype=subtype, layout=Layout.named(layout) if layout else None)
    data = (tmp_path / "a.wav").read_bytes()
    width, found = (3 if subtype == "PCM_24" else 4), chunks(data)
    fact = ["fact"] if subtype == "FLOAT" else []
    assert [name for name, _, _ in found] == ["ds64" if limit else "JUNK", "bext", "fmt ", *fact, "data"]
    parts = {name: body for name, _, body in found}
    assert data[:4] + data[8:12] == (b"RF64" if limit else b"RIFF") + b"WAVE"
    if limit:
        assert data[4:8] == b"\xff" * 4
        assert struct.unpack("<QQQI", parts["ds64"]) == (len(data) - 8, 333 * channels * width, 333, 0)
    else:
        assert int.from_bytes(data[4:8], "little") == len(data) - 8
        assert parts["JUNK"] == bytes(28)  # room for a ds64
    fmt = parts["fmt "]
    frame = channels * width
    assert struct.unpack("<HHIIHHH", fmt[:18]) == (
        tag, channels, RATE, RATE * frame, frame, 8 * width, 0 if sub is None else 22,
    )  # fmt: skip
    if sub is None:
        assert len(fmt) == 18
    else:
        assert struct.unpack("<HI", fmt[18:24]) == (8 * width, mask)
        assert fmt[24:] == sub.to_bytes(2, "little") + bytes.fromhex("000000001000800000aa00389b71")
    if fact:
        assert struct.unpack("<I", parts["fact"]) == (333,)
    kind = f"W={8 * width},M={ {1: 'mono', 2: 'stereo'}.get(channels, 'multitrack') }"
    assert parts["bext"][602:] == f"A=PCM,F=48000,{kind},T=sightmix\r\n".encode()


def test_the_bext_chunk_field_by_field(tmp_path):
    bext = Bext("d" * 300, "Mäuse", "r" * 32, "2026-11-22", "10:11:12", 0x1_2345_6789, "A=ANALOGUE\r\n")
    write(tmp_path / "a.wav", noise(), bext=bext, loudness=Loudness(-23.005, 12.344, 300.0, -300.01, np.nan))
    body = dict((name, body) for name, _, body in chunks((tmp_path / "a.wav").read_bytes()))["bext"]
    assert body[:256] == b"d" * 256
    assert body[256:288] == b"M?use" + bytes(27)
    assert body[288:320] == b"r" * 32
    assert body[320:338] == b"2026-11-2210:11:12"
    assert struct.unpack("<IIH", body[338:348]) == (0x2345_6789, 1, 2)
    assert body[348:412] == bytes(64)  # UMID
    # value, range, true peak, momentary, short-term: halves go up, 0x7FFF says "not known"
    assert struct.unpack("<5h", body[412:422]) == (-2300, 1234, 30_000, 0x7FFF, 0x7FFF)
    assert body[422:602] == bytes(180)
    assert body[602:] == b"A=ANALOGUE\r\n"
    write(tmp_path / "b.wav", noise())
    plain = dict((name, body) for name, _, body in chunks((tmp_path / "b.wav").read_bytes()))["bext"]
    assert plain[256:264] == b"sightmix"
    assert struct.unpack("<5h", plain[412:422]) == (0x7FFF,) * 5
    assert not plain[:256].strip(b"\0")


def test_the_ixml_text_to_the_letter(tmp_path):
    bext = Bext(time_reference=0x3_0000_0005)
    ixml = Ixml(
        "P", "S", "T", "R", "a\tb\x07c", Fraction(24000, 1001), False, ("one", "two", "three", "four")
    )
    write(tmp_path / "a.wav", noise(3, 11), bext=bext, ixml=ixml)
    found = chunks((tmp_path / "a.wav").read_bytes())
    assert [name for name, _, _ in found] == ["JUNK", "bext", "fmt ", "data", "iXML"]
    rate = "".join(f"<{n}>24000/1001</{n}>" for n in ("MASTER_SPEED", "CURRENT_SPEED", "TIMECODE_RATE"))
    tracks = "".join(
        f"<TRACK><CHANNEL_INDEX>{n}</CHANNEL_INDEX><INTERLEAVE_INDEX>{n}</INTERLEAVE_INDEX><NAME>{name}</NAME></TRACK>"
        for n, name in ((1, "one"), (2, "two"), (3, "three"))
    )
    assert found[-1][2].decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<BWFXML><IXML_VERSION>1.61</IXML_VERSION><PROJECT>P</PROJECT>'
        "<SCENE>S</SCENE><TAKE>T</TAKE><TAPE>R</TAPE><NOTE>a\tbc</NOTE>"
        f"<SPEED>{rate}<TIMECODE_FLAG>NDF</TIMECODE_FLAG><FILE_SAMPLE_RATE>48000</FILE_SAMPLE_RATE>"
        "<AUDIO_BIT_DEPTH>24</AUDIO_BIT_DEPTH><DIGITIZER_SAMPLE_RATE>48000</DIGITIZER_SAMPLE_RATE>"
        "<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>3</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>"
        "<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>5</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>"
        "<TIMESTAMP_SAMPLE_RATE>48000</TIMESTAMP_SAMPLE_RATE></SPEED>"
        f"<TRACK_LIST><TRACK_COUNT>3</TRACK_COUNT>{tracks}</TRACK_LIST></BWFXML>"
    )


@pytest.mark.parametrize("ixml", [None, IXML])
def test_a_header_turns_when_the_file_passes_the_limit_and_not_before(tmp_path, monkeypatch, ixml):
    x = noise(1, 333)  # an odd number of bytes, so that the padding counts as well
    write(tmp_path / "a.wav", x, ixml=ixml)
    size = (tmp_path / "a.wav").stat().st_size - 8
    for limit, name in ((size, b"RIFF"), (size - 1, b"RF64")):
        monkeypatch.setattr(WavWriter, "riff_limit", limit)
        write(tmp_path / "a.wav", x, ixml=ixml)
        data = (tmp_path / "a.wav").read_bytes()
        assert data[:4] == name
        assert len(data) == size + 8  # as long either way
        assert {"data"} <= {name for name, _, _ in chunks(data)}
    monkeypatch.undo()
    assert WavWriter.riff_limit == 2**32 - 1


def test_what_a_sample_becomes(tmp_path):
    x = np.array([[0.25, -0.25, 1 / 2**23], [0.5, -1.0, -1 / 2**23]], np.float32)
    write(tmp_path / "a.wav", x)
    body = chunks((tmp_path / "a.wav").read_bytes())[-1][2]
    assert body.hex() == "000020" + "000040" + "0000e0" + "000080" + "010000" + "ffffff"
    write(tmp_path / "b.wav", x, subtype="FLOAT")
    assert chunks((tmp_path / "b.wav").read_bytes())[-1][2] == x.T.astype("<f4").tobytes()


def test_clipped_samples_are_counted_over_all_blocks_and_never_in_floats(tmp_path):
    x = np.array([[1.0, 0.5, -1.0, -1.0001], [2.0, -3.0, 1 - 2**-24, 0.0]], np.float32)
    assert write(tmp_path / "a.wav", x, pieces=4).clipped == 5  # 1 - 2**-24 rounds up to full scale
    out = write(tmp_path / "b.wav", x, pieces=4, subtype="FLOAT")
    assert out.clipped == 0
    assert out.samples == 4
    back = read_span(tmp_path / "b.wav", Fraction(0), Fraction(4, RATE))
    np.testing.assert_array_equal(back, x)


def test_a_bad_samples_time_counts_from_the_files_start(tmp_path):
    out = WavWriter(tmp_path / "a.wav", RATE, 2)
    out.write(noise(2, RATE))
    bad = noise(2, RATE)
    bad[0, 12_000], bad[1, 36_000] = np.nan, np.inf
    with pytest.raises(WriteError, match=r"at 1\.250 s is not a number"):
        out.write(bad)
    with pytest.raises(WriteError, match="closed already"):
        out.write(noise())
    assert not list(tmp_path.iterdir())


def test_one_dimension_does_not_fit_and_closing_twice_does_no_harm(tmp_path):
    out = WavWriter(tmp_path / "a.wav", RATE, 2)
    with pytest.raises(WriteError, match=r"has 2 channels; sound of shape \(2,\) does not fit"):
        out.write(np.zeros(2, np.float32))
    out.abort()
    out.close()
    assert not list(tmp_path.iterdir())
    out = write(tmp_path / "b.wav", noise())
    before = (tmp_path / "b.wav").read_bytes()
    out.close()
    out.abort()
    assert (tmp_path / "b.wav").read_bytes() == before


def test_time_references_within_the_day():
    assert time_reference(Fraction(23 * 3600 + 1), 48_000) == 82_801 * 48_000
    assert time_reference(Fraction(24 * 3600) - Fraction(1, 48_000), 48_000) == 86_400 * 48_000 - 1
    assert time_reference(Fraction(49 * 3600), 48_000) == 3600 * 48_000
    assert time_reference(Fraction(1, 96_000), 48_000) == 1
