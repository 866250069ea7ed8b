import errno
import os
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from media_files import sweep, write_audio, write_mxf, write_video
from scipy.signal import correlate
from sightmix.engine.errors import MediaError
from sightmix.engine.media import reader
from sightmix.engine.media.container import open_media
from sightmix.engine.media.reader import probe, read_blocks, read_span
from sightmix.engine.passage import Channel

SECONDS = 5
NO_NOISE = {"aac_pns": "0"}
FORMATS = {
    "a.wav": ("pcm_s24le", {}),
    "a.flac": ("flac", {}),
    "cbr.mp3": ("libmp3lame", {}),
    "vbr.mp3": ("libmp3lame", {"options": {"q": "4"}}),
    "untagged.mp3": ("libmp3lame", {"mux": {"write_xing": "0"}}),
    "a.mp2": ("mp2", {}),
    "a.m4a": ("aac", {}),
    "a.aac": ("aac", {}),
    "alac.m4a": ("alac", {}),
    "a.opus": ("libopus", {}),
    "a.ac3": ("ac3", {}),
    "a.eac3": ("eac3", {}),
    "aac.mp4": ("aac", {"picture": True}),
    "mp3.mp4": ("libmp3lame", {"picture": True}),
    "pcm.mov": ("pcm_s24le", {"picture": True}),
    "aac.mkv": ("aac", {"picture": True}),
    "ac3.mkv": ("ac3", {"picture": True}),
    "opus.mkv": ("libopus", {"picture": True}),
    "flac.mkv": ("flac", {"picture": True}),
    "mp3.mka": ("libmp3lame", {}),
    "pcm.mkv": ("pcm_s16le", {"picture": True}),
    "aac.ts": ("aac", {"picture": True}),
    "mp3.avi": ("libmp3lame", {"picture": True}),
    "a.w64": ("pcm_s16le", {}),
    "a.aiff": ("pcm_s16be", {}),
}
EXACT = {
    "a.wav", "a.flac", "cbr.mp3", "vbr.mp3", "a.m4a", "alac.m4a", "a.opus", "aac.mp4", "pcm.mov", "a.w64", "a.aiff",
}  # fmt: skip


@pytest.fixture(scope="module")
def source():
    return sweep(48000, 2, SECONDS)


@pytest.fixture(scope="module")
def files(tmp_path_factory, source):
    folder = tmp_path_factory.mktemp("formats")
    made = {n: write_audio(folder / n, codec, source, **extra) for n, (codec, extra) in FORMATS.items()}
    soundfile.write(folder / "vorbis.ogg", source.T, 48000, format="OGG", subtype="VORBIS")
    return {**made, "vorbis.ogg": folder / "vorbis.ogg"}


def whole(path, samples, **kwargs):
    return np.concatenate(list(read_blocks(path, 0, samples, **kwargs)), axis=1)


@pytest.mark.parametrize("name", [*FORMATS, "vorbis.ogg"])
def test_reading_from_the_middle_equals_slicing_a_full_decode(files, name):
    path, length = files[name], SECONDS * 48000 + 4000
    full = whole(path, length)
    assert full.shape == (2, length)
    rng = np.random.default_rng(len(name))
    for start in [0, 47999, 4 * 48000 + 17, *rng.integers(96000, 230000, 4)]:
        got = np.concatenate(list(read_blocks(path, int(start), 3000, block=1234)), axis=1)
        np.testing.assert_array_equal(got, full[:, start : start + 3000])


@pytest.mark.parametrize("name", [*FORMATS, "vorbis.ogg"])
def test_sound_is_where_the_encoder_put_it(files, source, name):
    # Raw AAC, MPEG and transport streams cannot say how much priming they hold; a lag of it is theirs.
    priming = {
        "a.aac": 1024,
        "untagged.mp3": 1105,
        "mp3.avi": 1105,
        "a.ac3": 256,
        "a.eac3": 256,
        "a.mp2": 481,
    }
    got = whole(files[name], 120000)[0, 48000:96000].astype(np.float64)
    lags = range(-1300, 1301)
    scores = correlate(np.pad(got, 1300), source[0, 48000:96000].astype(np.float64), "valid", "fft")
    assert lags[int(scores.argmax())] in {0, priming.get(name, 0), 1024 if name == "aac.ts" else 0}


@pytest.mark.parametrize("name", sorted(EXACT))
def test_length_is_known_to_the_sample(files, name):
    stream = probe(files[name]).audio[0]
    assert stream.samples == SECONDS * 48000
    assert stream.duration == SECONDS
    assert not whole(files[name], SECONDS * 48000 + 500)[:, SECONDS * 48000 :].any()


@pytest.mark.parametrize(("bits", "subtype"), [(16, "PCM_16"), (24, "PCM_24"), (32, "PCM_32")])
def test_integer_pcm_decodes_exactly(tmp_path, bits, subtype):
    rng = np.random.default_rng(bits)
    values = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (1000, 2))
    values[:2] = [[-(2 ** (bits - 1))] * 2, [2 ** (bits - 1) - 1] * 2]
    soundfile.write(tmp_path / "a.wav", (values << (32 - bits)).astype(np.int32), 48000, subtype=subtype)
    expected = (values / 2.0 ** (bits - 1)).astype(np.float32).T
    np.testing.assert_array_equal(whole(tmp_path / "a.wav", 1000), expected)


def test_eight_bit_float_and_double(tmp_path):
    x = sweep(44100, 3, 0.5)
    for subtype, error in (("FLOAT", 0), ("DOUBLE", 1e-7), ("PCM_U8", 1 / 127)):
        soundfile.write(tmp_path / f"{subtype}.wav", x.T, 44100, subtype=subtype)
        np.testing.assert_allclose(whole(tmp_path / f"{subtype}.wav", x.shape[1]), x, rtol=0, atol=error)


def test_silence_before_and_after(tmp_path):
    x = sweep(48000, 1, 0.1)
    soundfile.write(tmp_path / "a.wav", x.T, 48000, subtype="FLOAT")
    blocks = list(read_blocks(tmp_path / "a.wav", -700, 6000, block=999))
    assert [b.shape[1] for b in blocks] == [999] * 6 + [6]
    assert all(b.dtype == np.float32 for b in blocks)
    expected = np.pad(x, ((0, 0), (700, 500)))
    np.testing.assert_array_equal(np.concatenate(blocks, axis=1), expected)
    assert not np.concatenate(list(read_blocks(tmp_path / "a.wav", -500, 400)), axis=1).any()
    assert not np.concatenate(list(read_blocks(tmp_path / "a.wav", 10**9, 400)), axis=1).any()
    assert list(read_blocks(tmp_path / "a.wav", 5, 0)) == []


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(start=st.integers(-5000, 250_000), samples=st.integers(1, 20_000), block=st.integers(64, 30_000))
@pytest.mark.parametrize("name", ["a.wav", "a.m4a", "opus.mkv"])
def test_any_span_in_any_blocks(files, cached_full, name, start, samples, block):
    got = np.concatenate(list(read_blocks(files[name], start, samples, block=block)), axis=1)
    padded = cached_full[name]
    np.testing.assert_array_equal(got, padded[:, start + 5000 : start + 5000 + samples])


@pytest.fixture(scope="module")
def cached_full(files):
    names = ("a.wav", "a.m4a", "opus.mkv")
    return {n: np.pad(whole(files[n], 280_000), ((0, 0), (5000, 0))) for n in names}


def test_noisy_codecs_do_not_depend_on_where_reading_began_across_stretches(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "_STRETCH", Fraction(2))
    path = write_audio(tmp_path / "a.m4a", "aac", sweep(48000, 2, 9))
    full = whole(path, 9 * 48000)
    for start in (50_000, 95_990, 96_000, 200_123, 300_000):
        got = np.concatenate(list(read_blocks(path, start, 120_000)), axis=1)
        expected = np.pad(full, ((0, 0), (0, 120_000)))[:, start : start + 120_000]
        np.testing.assert_array_equal(got, expected)


def test_channels_from_several_streams(tmp_path):
    x = sweep(48000, 4, 2)
    path = write_mxf(tmp_path / "a.mxf", x, 50)
    info = probe(path)
    assert [(a.index, a.channels, a.samples) for a in info.audio] == [(n, 1, 96000) for n in range(4)]
    picks = [Channel(3, 0), Channel(0, 0), Channel(3, 0)]
    got = np.concatenate(list(read_blocks(path, 40_001, 3000, picks, block=777)), axis=1)
    expected = (np.rint(x * 32768) / 32768).astype(np.float32)[[3, 0, 3], 40_001:43_001]
    np.testing.assert_array_equal(got, expected)


def test_channels_of_one_stream_and_those_that_do_not_exist(tmp_path):
    x = sweep(48000, 6, 0.2)
    soundfile.write(tmp_path / "a.wav", x.T, 48000, subtype="FLOAT")
    got = read_span(tmp_path / "a.wav", Fraction(0), Fraction(1, 5), [Channel(0, 4), Channel(0, 1)])
    np.testing.assert_array_equal(got, x[[4, 1]])
    for bad, words in (
        (Channel(1, 0), "1 audio stream"),
        (Channel(0, 6), "6 channel"),
        (Channel(-1, 0), "stream"),
    ):
        with pytest.raises(MediaError, match=words):
            read_span(tmp_path / "a.wav", Fraction(0), Fraction(1, 5), [bad])


def test_a_late_stream_keeps_its_distance_and_a_late_container_starts_at_zero(tmp_path):
    x = sweep(48000, 2, 2)
    late = write_audio(tmp_path / "late.mkv", "pcm_s16le", x, start=24000, picture=True)
    got = whole(late, 30000)
    assert not got[:, :23990].any()
    assert np.abs(got[:, 24100:25000] - x[:, 100:1000]).max() < 1e-4
    alone = write_audio(tmp_path / "alone.mka", "pcm_s16le", x, start=48000)
    assert np.abs(whole(alone, 1000) - x[:, :1000]).max() < 1e-4


def _drop_packets(source, target, unwanted):
    """Copy an audio file without the packets for whose index `unwanted` is true."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        stream = new.add_stream_from_template(old.streams.audio[0])
        for number, packet in enumerate(p for p in old.demux(old.streams.audio[0]) if p.size):
            if not unwanted(number):
                packet.stream = stream
                new.mux(packet)
    return target


@pytest.mark.parametrize(("codec", "suffix"), [("pcm_s16le", "mkv"), ("flac", "mkv"), ("aac", "ts")])
def test_missing_packets_become_silence_and_later_sound_stays_in_sync(tmp_path, codec, suffix):
    path = write_audio(
        tmp_path / f"full.{suffix}", codec, sweep(48000, 2, 4), options=NO_NOISE if codec == "aac" else {}
    )
    size = {"flac": 4608}.get(codec, 1024)
    torn = _drop_packets(path, tmp_path / f"torn.{suffix}", lambda n: 20 <= n < 25)
    full, got = whole(path, 190_000), whole(torn, 190_000)
    if codec != "aac":
        assert not got[:, 20 * size + 100 : 25 * size - 100].any()
    settled = slice(25 * size + 4096, 185_000)
    np.testing.assert_array_equal(got[:, settled], full[:, settled])
    np.testing.assert_array_equal(got[:, : 19 * size], full[:, : 19 * size])


def test_damaged_packets_become_silence(tmp_path):
    path = write_audio(tmp_path / "a.flac", "flac", sweep(48000, 2, 3))
    good = whole(path, 144_000)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 5000] = bytes(5000)
    path.write_bytes(data)
    bad = whole(path, 144_000)
    assert bad.shape == good.shape
    np.testing.assert_array_equal(bad[:, :40_000], good[:, :40_000])
    np.testing.assert_array_equal(bad[:, 120_000:], good[:, 120_000:])


def test_a_truncated_file_ends_in_silence(tmp_path):
    path = write_audio(tmp_path / "a.mkv", "flac", sweep(48000, 2, 3))
    good = whole(path, 144_000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    got = whole(path, 144_000)
    np.testing.assert_array_equal(got[:, :48_000], good[:, :48_000])
    assert not got[:, 100_000:].any()


def test_a_header_that_claims_thirty_hours(tmp_path):
    soundfile.write(tmp_path / "a.wav", sweep(8000, 1, 1).T, 8000, subtype="PCM_16")
    data = bytearray((tmp_path / "a.wav").read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = struct.pack("<I", 30 * 3600 * 8000 * 2)
    (tmp_path / "a.wav").write_bytes(data)
    assert probe(tmp_path / "a.wav").duration < 2
    last = list(read_blocks(tmp_path / "a.wav", 29 * 3600 * 8000, 1000))
    assert not np.concatenate(last, axis=1).any()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.wav", b"", "is empty"),
        ("text.wav", b"Dear diary,\nnothing happened.\n" * 50, "not a media file"),
        ("notes.txt", b"Dear diary,\nnothing happened.\n" * 50, "relink|not a media file"),
        ("torn.mp4", b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(range(256)) * 8, "damaged"),
        ("noise.mkv", bytes(np.random.default_rng(0).integers(0, 256, 5000, np.uint8)), "damaged"),
    ],
)
def test_what_is_no_media_is_said_in_a_sentence(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(MediaError, match=words) as caught:
        list(read_blocks(path, 0, 100))
    assert str(path) in str(caught.value)
    assert str(caught.value).count(". ") == 0


def test_missing_folder_silent_picture_and_colons(tmp_path):
    with pytest.raises(MediaError, match="does not exist"):
        probe(tmp_path / "gone.wav")
    with pytest.raises(MediaError, match="is a folder"):
        probe(tmp_path)
    write_video(tmp_path / "mute.mp4", 10)
    with pytest.raises(MediaError, match="no audio stream"):
        list(read_blocks(tmp_path / "mute.mp4", 0, 10))
    soundfile.write(tmp_path / "a:b %03d.wav", np.zeros((10, 1)), 48000)
    assert probe(tmp_path / "a:b %03d.wav").audio[0].samples == 10


def test_denied_and_failing_disks(tmp_path, monkeypatch):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros((10, 1)), 48000)
    for code, words in ((errno.EACCES, "permission denied"), (errno.EIO, "cannot be read")):

        def refuse(*args, code=code, **kwargs):
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(av, "open", refuse)
        with pytest.raises(MediaError, match=words):
            next(read_blocks(path, 0, 5))


def test_a_file_that_vanishes_between_blocks_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "_STRETCH", Fraction(1))
    path = write_audio(tmp_path / "a.m4a", "aac", sweep(48000, 1, 4), layout="mono")
    blocks = read_blocks(path, 0, 190_000, block=4800)
    next(blocks)
    path.unlink()
    with pytest.raises(MediaError, match="does not exist"):
        list(blocks)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_numbers_are_named_with_their_time(tmp_path, value):
    x = np.zeros((48000, 2), np.float32)
    x[36000, 1] = value
    soundfile.write(tmp_path / "a.wav", x, 48000, subtype="FLOAT")
    with pytest.raises(MediaError, match=r"a\.wav holds samples that are not numbers at 0\.750 s"):
        list(read_blocks(tmp_path / "a.wav", 0, 48000))
    assert sum(b.shape[1] for b in read_blocks(tmp_path / "a.wav", 0, 36000)) == 36000


def test_span_at_another_rate(tmp_path):
    t = np.arange(48000) / 48000
    soundfile.write(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 1000 * t), 48000, subtype="FLOAT")
    got = read_span(tmp_path / "a.wav", Fraction(1, 4), Fraction(1, 2), rate=44100)
    assert got.shape == (1, 22050)
    expected = 0.5 * np.sin(2 * np.pi * 1000 * (np.arange(22050) / 44100 + 0.25))
    assert np.abs(got[0, 500:-500] - expected[500:-500]).max() < 1e-5


def test_timecode_of_a_picture_and_of_a_broadcast_wave(tmp_path):
    for name, rate, text in (
        ("a.mov", Fraction(30000, 1001), "01:00:00;00"),
        ("b.mov", Fraction(25), "10:00:00:12"),
    ):
        with av.open(str(tmp_path / name), "w") as container:
            container.metadata["timecode"] = text
            stream = container.add_stream("mpeg4", rate=rate)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for number in range(5):
                frame = av.VideoFrame(64, 48, "yuv420p")
                frame.pts, frame.time_base = number, 1 / rate
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    assert probe(tmp_path / "a.mov").timecode == Fraction(107892 * 1001, 30000)
    assert probe(tmp_path / "b.mov").timecode == 36000 + Fraction(12, 25)
    assert probe(tmp_path / "b.mov").video.rate == 25
    soundfile.write(tmp_path / "plain.wav", np.zeros((10, 1)), 48000)
    assert probe(tmp_path / "plain.wav").timecode is None


def test_probe_notices_a_changed_file(tmp_path):
    path = Path(tmp_path / "a.wav")
    soundfile.write(path, np.zeros((100, 1)), 48000)
    assert probe(path) is probe(str(path))
    soundfile.write(path, np.zeros((200, 2)), 44100)
    assert (probe(path).audio[0].samples, probe(path).audio[0].channels) == (200, 2)


@pytest.mark.parametrize("tag", [b"Caf\xe9 \xa9", b"\xff\xfe\x00x", b"\x80" * 8])
def test_tags_that_are_no_utf8_do_not_matter(tmp_path, tag):
    """Broadcast recorders write INFO tags in whatever their makers used; PyAV 18 and 19 treat them differently."""
    path = tmp_path / "field.wav"
    soundfile.write(path, np.full((4800, 1), 0.25), 48000, subtype="PCM_24")
    tag += b"\0" * (len(tag) % 2)
    chunk = b"INFO" + b"IART" + len(tag).to_bytes(4, "little") + tag
    data = path.read_bytes() + b"LIST" + len(chunk).to_bytes(4, "little") + chunk
    path.write_bytes(data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:])
    with open_media(path) as container:
        assert container.metadata["artist"].isascii() is False
    assert probe(path).audio[0].samples == 4800
    assert np.all(read_span(path, Fraction(0), Fraction(1, 10)) == 0.25)
