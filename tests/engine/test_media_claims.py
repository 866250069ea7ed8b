"""A media header is a claim: unknown codecs, lengths that nobody wrote down, clocks that jump, layouts that change."""

from contextlib import suppress
from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest
from media_files import grey_frame, read_number, sweep, write_audio, write_mxf
from sightmix.engine.errors import MediaError
from sightmix.engine.media import container as module
from sightmix.engine.media.picture import sample_frames
from sightmix.engine.media.reader import probe, read_blocks
from sightmix.engine.passage import Channel

RATE = 48_000


def write_streams(path, sounds, picture=False):
    """A file with a PCM stream for each of `sounds` (channels, n), and Motion JPEG at 24 fps if `picture`."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("mjpeg", rate=Fraction(24)) if picture else None
        if video is not None:
            video.width, video.height, video.pix_fmt = 64, 48, "yuvj420p"
        streams = [
            out.add_stream("pcm_s16le", rate=RATE, layout="stereo" if len(x) == 2 else "mono") for x in sounds
        ]
        out.start_encoding()
        for number in range(24 if video is not None else 0):
            out.mux(video.encode(grey_frame(number, 64, 48, Fraction(24))))
        for x, stream in zip(sounds, streams, strict=True):
            packed = np.ascontiguousarray(np.rint(x * 32767).astype(np.int16).T).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(packed, "s16", stream.layout.name)
            frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
            out.mux(stream.encode(frame))
        for stream in [*streams, *([video] if video is not None else [])]:
            out.mux(stream.encode(None))
    return path


def rename(path, old, new, which):
    """Give the codec of the stream number `which` among those called `old` another name in its description."""
    data = bytearray(path.read_bytes())
    at = data.index(b"stsd")
    for _ in range(which + 1):
        at = data.index(old, at + 4)
    data[at : at + 4] = new
    path.write_bytes(data)
    return path


def span(path, samples, channels=None, start=0):
    return np.concatenate(list(read_blocks(path, start, samples, channels)), axis=1)


# ---- codecs that nobody knows


def test_a_stream_in_an_unknown_codec_is_passed_over(tmp_path):
    sounds = [sweep(RATE, 2, 1, seed=n) for n in range(2)]
    for which in range(2):
        path = rename(write_streams(tmp_path / f"{which}.mov", sounds, True), b"sowt", b"apac", which)
        info = probe(path)
        assert [(s.index, s.place, s.channels) for s in info.audio] == [(0, 2 - which, 2)]
        assert info.unknown == ("audio",)
        assert info.duration == info.video.duration == 1
        got = span(path, RATE)
        np.testing.assert_allclose(got, sounds[1 - which][:, :RATE], atol=1e-4)
        with pytest.raises(MediaError, match=r"has 1 audio stream\(s\), not 2; relink the clip"):
            span(path, RATE, [Channel(1, 0)])
        assert read_number(sample_frames(path, [Fraction(5, 24)], 48, 64)[0]) == 5


@pytest.mark.parametrize("rate", [536_918_912, 4_294_967_295 >> 1, 1])
def test_a_sample_rate_that_no_sound_has_is_a_sentence(rate, tmp_path):
    """Half a second of it would take gigabytes, or hours."""
    path = write_streams(tmp_path / "a.wav", [sweep(RATE, 2, 0.1)])
    data = bytearray(path.read_bytes())
    at = data.index(b"fmt ") + 12
    data[at : at + 4] = rate.to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(MediaError, match=rf"a second of its sound has {rate} samples, which is damage"):
        probe(path)


def test_a_picture_in_an_unknown_codec_is_none(tmp_path):
    path = rename(write_streams(tmp_path / "a.mov", [sweep(RATE, 1, 1)], True), b"jpeg", b"zzzz", 0)
    info = probe(path)
    assert info.video is None
    assert info.unknown == ("video",)
    np.testing.assert_allclose(span(path, RATE), sweep(RATE, 1, 1), atol=1e-4)
    with pytest.raises(MediaError, match="has no picture"):
        sample_frames(path, [Fraction(0)], 48, 64)


@pytest.mark.parametrize("kind", [AttributeError, OverflowError, UnicodeDecodeError, MemoryError, ValueError])
def test_whatever_a_file_makes_of_its_readers_is_a_sentence_about_it(tmp_path, monkeypatch, kind):
    path = write_streams(tmp_path / "a.mov", [sweep(RATE, 1, 1)], True)
    error = kind("utf-8", b"x", 0, 1, "no") if kind is UnicodeDecodeError else kind("no")

    def fail(*_):
        raise error

    probe(path)
    with monkeypatch.context() as patch:
        patch.setattr("sightmix.engine.media.reader._to_float", fail)
        with pytest.raises(MediaError, match=r"a\.mov .*; export or copy it again\."):
            span(path, 100)
    with monkeypatch.context() as patch:
        patch.setattr("sightmix.engine.media.picture.scaled", fail)
        with pytest.raises(MediaError, match=r"a\.mov .*; export or copy it again\."):
            sample_frames(path, [Fraction(0)], 48, 64)
    with monkeypatch.context() as patch:
        patch.setattr(module, "presentation_start", fail)
        module._probe.cache_clear()
        with pytest.raises(MediaError, match=r"a\.mov .*; export or copy it again\."):
            probe(path)


# ---- lengths that nobody wrote down, or that are not true any more


def headless_mp3(path, quiet, loud):
    """MP3 without a header: an average of the bit rate of its first second says nothing of the rest."""
    with av.open(str(path), "w", options={"write_xing": "0", "id3v2_version": "0"}) as out:
        stream = out.add_stream("libmp3lame", rate=RATE, layout="mono", options={"compression_level": "9"})
        stream.codec_context.global_quality, stream.codec_context.flags = 4 * 118, 2  # variable bit rate
        x = np.concatenate([np.full((1, quiet), 1e-5, np.float32), sweep(RATE, 1, loud / RATE)], axis=1)
        frame = av.AudioFrame.from_ndarray(x, "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def decoded(path):
    """All that FFmpeg decodes of a file's sound, end to end (channels, samples)."""
    with av.open(str(path)) as container:
        frames = []
        with suppress(av.error.InvalidDataError):  # the frame that a cut went through
            for frame in container.decode(audio=0):
                data, channels = frame.to_ndarray(), frame.layout.nb_channels
                frames.append(data.reshape(-1, channels).T if frame.format.is_packed else data)
    return np.concatenate(frames, axis=1)


def piped(path, name, codec, x, picture=False, **options):
    """A file written where nothing can be gone back to: lengths are never filled in."""
    with path.open("wb") as file:
        write = SimpleNamespace(write=file.write)
        with av.open(write, "w", format=name, options=options) as out:
            stream = out.add_stream(codec, rate=RATE, layout="stereo")
            video = out.add_stream("mpeg4", rate=Fraction(24)) if picture else None
            if video is not None:
                video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
            out.start_encoding()
            for number in range(int(24 * x.shape[1] / RATE) if video is not None else 0):
                out.mux(video.encode(grey_frame(number, 64, 48, Fraction(24))))
            form = stream.codec_context.format.name
            whole = {"s16": (np.int16, 32767), "s16p": (np.int16, 32767), "s32p": (np.int32, 2**31 - 128)}
            kind, full = whole.get(form, (np.float32, 1))
            data = (x * full).astype(kind)
            data = data if form.endswith("p") else data.T.reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(data), form, "stereo")
            frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
            out.mux(stream.encode(frame))
            for one in [stream, *([video] if video is not None else [])]:
                out.mux(one.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "codec", "picture"),
    [
        ("flac", "flac", False),
        ("matroska", "flac", True),
        ("webm", "libopus", False),
        ("flv", "libmp3lame", False),
    ],
)
def test_a_stream_without_a_length_is_as_long_as_its_packets(tmp_path, name, codec, picture):
    x = sweep(RATE, 2, 2.5)
    path = piped(tmp_path / "a", name, codec, x, picture)
    with av.open(str(path)) as container:
        assert not container.duration or name == "flv"
    info = probe(path)
    assert abs(float(info.audio[0].duration) - 2.5) < 0.06
    assert info.video is None or abs(info.video.duration - Fraction(60, 24)) <= Fraction(1, 1000)
    if codec == "flac":
        assert info.audio[0].duration == Fraction(5, 2)
        np.testing.assert_allclose(span(path, x.shape[1]), x, atol=1e-4)


def test_an_mp3_without_a_header_is_counted(tmp_path):
    path = headless_mp3(tmp_path / "a.mp3", 2 * RATE, 3 * RATE)
    whole = decoded(path)
    with av.open(str(path)) as container:
        assert abs(container.duration / av.time_base - whole.shape[1] / RATE) > 0.05  # FFmpeg guesses
    info = probe(path)
    assert info.audio[0].duration == Fraction(whole.shape[1], RATE)
    np.testing.assert_array_equal(span(path, whole.shape[1]), whole)


def test_a_bare_aac_stream_is_counted(tmp_path):
    path = write_audio(tmp_path / "a.aac", "aac", sweep(RATE, 2, 3))
    assert probe(path).audio[0].duration == Fraction(decoded(path).shape[1], RATE)


@pytest.mark.parametrize("name", ["a.mkv", "a.mov", "a.avi", "a.mxf", "a.mp3", "a.flac"])
def test_a_file_cut_short_is_as_long_as_what_is_left(tmp_path, name):
    path, x = tmp_path / name, sweep(RATE, 2, 4)
    if name == "a.mxf":
        write_mxf(path, x, 100)
    elif name == "a.mp3":
        write_audio(path, "libmp3lame", x)
    elif name == "a.flac":
        write_audio(path, "flac", x)
    else:
        mux = {"movflags": "faststart"} if name == "a.mov" else {}
        write_audio(path, "flac" if name == "a.mkv" else "pcm_s16le", x, picture=True, mux=mux)
    assert abs(float(probe(path).duration) - 4) < 0.05
    known = probe(path).audio[0].samples
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 5 // 8])
    info, rest = probe(path), decoded(path)
    assert known in (None, 4 * RATE)
    assert info.audio[0].samples is None
    assert 1.5 < info.audio[0].duration < 3
    assert abs(info.audio[0].duration - Fraction(rest.shape[1], RATE)) < Fraction(1, 8)


def test_what_can_be_believed_is_not_counted(tmp_path, monkeypatch):
    x = sweep(RATE, 2, 1)
    paths = [
        write_audio(tmp_path / name, codec, x, picture=name in ("a.mp4", "a.mkv"))
        for name, codec in (
            ("a.wav", "pcm_s16le"), ("a.mp4", "aac"), ("a.mkv", "aac"), ("a.flac", "flac"), ("a.ogg", "libopus"),
            ("a.mp3", "libmp3lame"), ("a.aiff", "pcm_s16be"), ("a.avi", "pcm_s16le"),
        )
    ]  # fmt: skip

    def never(*_):
        raise AssertionError

    monkeypatch.setattr(module, "count", never)
    for path in [*paths, write_mxf(tmp_path / "a.mxf", x, 25)]:
        assert abs(float(probe(path).duration) - 1) < 0.06


@pytest.mark.parametrize("length", [0, (1 << 64) - 1, 1 << 40])
def test_an_rf64_file_that_was_never_finished_is_read_to_its_end(tmp_path, length):
    x, path = sweep(RATE, 2, 1), tmp_path / "a.wav"
    write_audio(path, "pcm_s16le", x, mux={"rf64": "always"})
    good, data = span(path, RATE), bytearray(path.read_bytes())
    assert data[:4] == b"RF64"
    at = data.index(b"ds64") + 8
    data[at : at + 24] = length.to_bytes(8, "little") * 3
    path.write_bytes(data)
    info = probe(path)
    assert abs(info.audio[0].samples - RATE) < 64  # chunks after the sound cannot be told from it
    np.testing.assert_array_equal(span(path, RATE), good)
    np.testing.assert_array_equal(span(path, 1000, start=RATE // 2), good[:, RATE // 2 : RATE // 2 + 1000])
    assert path.read_bytes() == data


# ---- clocks that jump


def recording(path, x, first, begin):
    """A transport stream of MP2 and numbered pictures from `first` on at 24 fps, whose clock begins at `begin` s."""
    with av.open(str(path), "w", options={"mpegts_copyts": "1"}) as out:
        video = out.add_stream("mpeg2video", rate=Fraction(24), options={"g": "12", "bf": "0"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.bit_rate = 2_000_000
        sound = out.add_stream("mp2", rate=RATE, layout="stereo", options={"b": "384000"})
        out.start_encoding()
        size, count = 1152, 0
        for at in range(0, x.shape[1] - size + 1, size):
            while count * RATE <= at * 24:
                frame = grey_frame(first + count, 64, 48, Fraction(24))
                frame.pts = round(begin * 24) + count
                out.mux(video.encode(frame))
                count += 1
            data = np.rint(x[:, at : at + size] * 32767).astype(np.int16).T.reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(data), "s16", "stereo")
            frame.sample_rate, frame.pts, frame.time_base = RATE, round(begin * RATE) + at, Fraction(1, RATE)
            out.mux(sound.encode(frame))
        out.mux(video.encode(None))
        out.mux(sound.encode(None))
    return path.read_bytes()


def place_of(want, got, at):
    """How many samples later than `at` in `got` (n) `want` lies, at most 1500 either way, and their likeness there."""
    near = got[at - 1500 : at + len(want) + 1500]
    lag = int(np.argmax(np.correlate(near, want, "valid")))
    found = near[lag : lag + len(want)]
    return lag - 1500, float(found @ want / np.sqrt((found @ found) * (want @ want)))


PIECE = 50 * 1152  # samples of one recording: 1.2 s


@pytest.mark.parametrize(
    ("begins", "jumps"),
    [
        ((1, 3601), 1),  # the recorder ran on for an hour
        ((1, 1), 1),  # it was reset
        ((100, 1), 1),
        ((1, 30, 5), 2),
        ((95443, 95443 + 1.2), 0),  # the 33 bits of the clock run over, and it goes on
        ((1, 1 + 1.2), 0),  # it goes on as it should
    ],
)
def test_recordings_that_were_appended_play_one_after_the_other(tmp_path, begins, jumps):
    x = sweep(RATE, 2, len(begins) * PIECE / RATE + 1)
    data, path = b"", tmp_path / "a.ts"
    for number, begin in enumerate(begins):
        part = x[:, number * PIECE : (number + 1) * PIECE]
        data += recording(tmp_path / "part.ts", part, 40 * number, begin)
    path.write_bytes(data)
    info, samples = probe(path), len(begins) * PIECE
    assert len(info.audio[0].jumps) == jumps
    assert abs(info.audio[0].duration - Fraction(samples, RATE)) < Fraction(1, 20)
    got = span(path, samples)
    for number in range(len(begins)):
        at = number * PIECE + PIECE // 3
        lag, alike = place_of(x[0, at : at + 4000], got[0], at)
        assert abs(lag) <= 1152
        assert alike > 0.98
    # From the middle as from the beginning, and the picture in step with the sound.
    at = samples - PIECE // 2
    np.testing.assert_allclose(span(path, 5000, start=at), got[:, at : at + 5000], atol=1e-3)
    times = [Fraction(number * PIECE, RATE) + Fraction(1, 2) for number in range(len(begins))]
    shown = [read_number(p) for p in sample_frames(path, times, 48, 64)]
    assert np.abs(np.array(shown) - 40 * np.arange(len(begins)) - 12).max() <= 2
    assert bool(info.remarks) == bool(jumps)
    assert all("jumps at 1.2" in remark for remark in info.remarks)


def test_a_gap_that_may_be_a_jump_is_named_and_stays_silent(tmp_path):
    x, path = sweep(RATE, 2, 2 * PIECE / RATE), tmp_path / "a.ts"
    parts = [
        recording(tmp_path / "p.ts", x[:, n * PIECE : (n + 1) * PIECE], 0, 1 + 4.2 * n) for n in range(2)
    ]
    path.write_bytes(b"".join(parts))
    info = probe(path)
    (remark,) = info.remarks
    assert remark.startswith("The clock of a.ts runs on without sound at 1.2")
    assert "for up to 3.0 s" in remark
    assert abs(info.audio[0].duration - Fraction(27, 5)) < Fraction(1, 10)
    assert not span(path, RATE, start=2 * RATE).any()


def test_streams_that_are_chained_in_one_ogg_file_play_on(tmp_path):
    parts = [write_audio(tmp_path / f"{n}.ogg", "libopus", sweep(RATE, 2, 2, seed=n)) for n in range(2)]
    path = tmp_path / "a.ogg"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert abs(probe(path).audio[0].duration - 4) < Fraction(1, 25)
    got, second = span(path, 4 * RATE), span(parts[1], 2 * RATE)
    lag, alike = place_of(second[0, 24_000:28_000], got[0], 2 * RATE + 24_000)
    assert abs(lag) < 600
    assert alike > 0.99


# ---- channels that change inside a stream

TONES = (500, 700, 900, 60, 1100, 1300)  # Hz, of L R C LFE Ls Rs


def tones(speakers, seconds=1):
    t = np.arange(int(RATE * seconds)) / RATE
    return np.stack([0.1 * np.sin(2 * np.pi * TONES[n] * t) for n in speakers]).astype(np.float32)


def heard(x, frequency):
    """The amplitude of a tone in `x` (n), by a tenth of what `tones` has."""
    t = np.arange(x.shape[-1]) / RATE
    return abs(2 * np.mean(x * np.exp(-2j * np.pi * frequency * t))) / 0.1


@pytest.mark.parametrize(
    ("codec", "first", "then"),
    [
        ("ac3", "stereo", "5.1"), ("eac3", "stereo", "5.1"), ("aac", "mono", "stereo"),
        ("ac3", "5.1", "stereo"), ("ac3", "mono", "stereo"),
    ],
)  # fmt: skip
def test_channels_that_change_are_folded_into_the_first_layout(tmp_path, codec, first, then):
    count = {"mono": (2,), "stereo": (0, 1), "5.1": range(6)}
    parts = [
        write_audio(
            tmp_path / f"{n}.{codec}", codec, tones(count[name]), layout=name, options={"b": "384000"}
        )
        for n, name in enumerate((first, then, first))
    ]
    path = tmp_path / f"a.{codec}"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    info = probe(path)
    assert info.audio[0].layout.title == first
    assert any(f"what it begins with, {first} (ITU-R BS.775)" in remark for remark in info.remarks)
    got = span(path, 3 * RATE)
    half = 0.7071
    expected = {
        ("stereo", "5.1"): [(1, 0, half, 0, half, 0), (0, 1, half, 0, 0, half)],
        ("5.1", "stereo"): [(1, 0), (0, 1), (0, 0), (0, 0), (0, 0), (0, 0)],
        ("mono", "stereo"): [(half, half)],
    }[first, then]
    middle = got[:, RATE + RATE // 4 : RATE + 3 * RATE // 4]
    for row, gains in zip(middle, expected, strict=True):
        for tone, gain in zip(TONES, gains, strict=False):
            assert heard(row, tone) == pytest.approx(gain, abs=0.06)
    again = got[:, 2 * RATE + RATE // 3 : 2 * RATE + RATE // 2]
    for row, number in zip(again, count[first], strict=True):
        assert heard(row, TONES[number]) == pytest.approx(1, abs=0.06)


def test_channels_that_change_are_told_of_when_only_reading_finds_them(tmp_path):
    parts = [
        write_audio(tmp_path / f"{n}.ac3", "ac3", tones(range(c)), layout=name)
        for n, (c, name) in enumerate(((2, "stereo"), (6, "5.1"), (2, "stereo"), (6, "5.1")))
    ]
    joined, path = tmp_path / "a.ac3", tmp_path / "a.mkv"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    with av.open(str(joined)) as source, av.open(str(path), "w") as out:
        copy = out.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.size:
                packet.stream = copy
                out.mux(packet)
    assert not probe(path).remarks
    told = []
    for _ in read_blocks(path, 0, 4 * RATE, tell=told.append):
        pass
    (sentence,) = told
    assert sentence.startswith("The sound of a.mkv changes its channels or its rate at 1.0")
