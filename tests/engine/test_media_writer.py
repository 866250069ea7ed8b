import errno
import io
import os
import resource
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
