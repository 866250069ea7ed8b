"""What a file says of itself: lengths, rates, starts, and the sentence for everything that can go wrong."""

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from av.stream import Disposition
from media_files import sweep, write_audio, write_mxf, write_video
from sightmix.engine.errors import MediaError
from sightmix.engine.media import container as module
from sightmix.engine.media.container import (
    AudioStream,
    MediaInfo,
    check_channels,
    explain,
    layout_of,
    presentation_start,
    probe,
)
from sightmix.engine.media.layout import Layout
from sightmix.engine.passage import Channel

RATE = 48_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("probed")


@pytest.mark.parametrize(
    ("name", "codec", "extra", "container", "samples", "tolerance"),
    [
        ("a.wav", "pcm_s16le", {}, "wav", 2 * RATE, 0),
        ("a.mp3", "libmp3lame", {}, "mp3", 2 * RATE, 0),
        ("plain.mp3", "libmp3lame", {"mux": {"write_xing": "0"}}, "mp3", None, Fraction(1, 10)),
        ("a.opus", "libopus", {}, "ogg", 2 * RATE, 0),
        ("a.mka", "libopus", {}, "matroska", None, Fraction(1, 50)),
        ("a.m4a", "aac", {}, "mov", 2 * RATE, 0),
        ("a.mp4", "aac", {"picture": True}, "mov", 2 * RATE, 0),
        ("a.aac", "aac", {}, "aac", None, Fraction(1, 2)),
        ("a.ts", "mp2", {"picture": True}, "mpegts", None, Fraction(1, 10)),
        ("a.avi", "libmp3lame", {"picture": True}, "avi", None, Fraction(1, 8)),
        ("a.aiff", "pcm_s16be", {}, "aiff", 2 * RATE, 0),
        ("a.au", "pcm_s16be", {}, "au", 2 * RATE, 0),
        ("a.w64", "pcm_s24le", {}, "w64", 2 * RATE, 0),
        ("a.caf", "pcm_s16le", {}, "caf", 2 * RATE, 0),
    ],
)  # fmt: skip
def test_lengths_are_exact_where_they_can_be_and_near_elsewhere(
    folder, name, codec, extra, container, samples, tolerance
):
    info = probe(write_audio(folder / name, codec, sweep(RATE, 2, 2), **extra))
    (stream,) = info.audio
    assert info.container == container
    assert info.path == folder / name
    assert (stream.index, stream.sample_rate, stream.channels, stream.order) == (0, RATE, 2, ())
    assert stream.layout == Layout.named("stereo")
    assert stream.samples == samples
    assert abs(stream.duration - 2) <= tolerance
    assert info.timecode is None
    if "picture" in extra:
        assert (info.video.width, info.video.height, info.video.rate, info.video.still) == (64, 48, 24, False)
        assert abs(info.video.duration - 2) <= Fraction(1, 10)
        assert info.duration == max(info.video.duration, stream.duration)
    else:
        assert info.video is None
        assert info.duration == stream.duration


@pytest.mark.parametrize(
    ("rate", "found"),
    [
        (Fraction(24000, 1001), Fraction(24000, 1001)),
        (Fraction(25), Fraction(25)),
        (Fraction(60000, 1001),) * 2,
    ],
)
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_rates_and_lengths_of_pictures(tmp_path, rate, found, name):
    info = probe(write_video(tmp_path / name, 30, rate=rate, codec="mpeg4"))
    assert info.video.rate == found
    assert abs(info.video.duration - 30 / rate) <= Fraction(1, 1000) if name != "a.mkv" else Fraction(1, 10)
    assert info.audio == ()
    assert info.duration == info.video.duration


def test_a_picture_that_begins_late_is_as_long_as_until_its_end(tmp_path):
    path = tmp_path / "a.mov"
    with av.open(str(path), "w") as out:
        sound = out.add_stream("pcm_s16le", rate=RATE, layout="mono")
        video = out.add_stream("mpeg4", rate=Fraction(25))
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, RATE), np.int16), "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
        out.mux(sound.encode(frame))
        for number in range(25, 50):
            picture = av.VideoFrame(64, 48, "yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            out.mux(video.encode(picture))
        out.mux(video.encode(None))
    info = probe(path)
    assert info.audio[0].duration == 1
    assert info.video.duration == info.duration == 2


# ---- where file offset 0 lies


def stream(kind, start, base=Fraction(1, RATE), cover=False):
    disposition = Disposition.attached_pic if cover else Disposition.default
    return SimpleNamespace(
        type=kind, start_time=start, time_base=base, disposition=disposition, codec_context=object()
    )


@pytest.mark.parametrize(
    ("streams", "start"),
    [
        ([], 0),
        ([("audio", 0)], 0),
        ([("audio", 24_000)], Fraction(1, 2)),
        ([("audio", -1024)], 0),  # priming
        ([("audio", 24_000), ("video", 12_000)], Fraction(1, 4)),
        ([("video", 24_000), ("audio", 12_000), ("audio", 36_000)], Fraction(1, 4)),
        ([("audio", -1024), ("video", 0)], 0),
        ([("audio", 24_000), ("data", 0), ("subtitle", 10)], Fraction(1, 2)),
        ([("audio", 24_000), ("video", 0, Fraction(1, RATE), True)], Fraction(1, 2)),  # cover art
        ([("audio", None), ("video", 12_000)], Fraction(1, 4)),
        ([("audio", 5, None), ("video", 90_000, Fraction(1, 90_000))], 1),
    ],
)
def test_file_offset_0_is_where_sound_or_picture_begins(streams, start):
    for name in ("mov,mp4", "ogg"):
        container = SimpleNamespace(
            streams=[stream(*given) for given in streams], format=SimpleNamespace(name=name)
        )
        assert presentation_start(container) == start


def test_a_clock_that_is_about_to_run_over_begins_below_0():
    container = SimpleNamespace(streams=[stream("audio", -24_000)], format=SimpleNamespace(name="mpegts"))
    assert presentation_start(container) == -Fraction(1, 2)


def test_cover_art_is_no_picture(tmp_path):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as out:
        sound = out.add_stream("aac", rate=RATE, layout="mono")
        cover = out.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        picture = av.VideoFrame(64, 48, "yuvj420p")
        picture.pts, picture.time_base = 0, Fraction(1, 1)
        out.mux(cover.encode(picture))
        out.mux(cover.encode(None))
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 48_000), np.float32), "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
        out.mux(sound.encode(frame))
        out.mux(sound.encode(None))
    info = probe(path)
    assert info.video is None
    assert info.duration == info.audio[0].duration


# ---- start timecode


def test_a_broadcast_waves_time_reference_is_its_start(tmp_path):
    from sightmix.engine.media.writer import Bext, WavWriter

    for reference in (0, 1, 48_000 * 3600 + 12):
        with WavWriter(tmp_path / "a.wav", 44_100, 1, bext=Bext(time_reference=reference)) as out:
            out.write(np.zeros((1, 10 + reference % 7), np.float32))
        assert probe(tmp_path / "a.wav").timecode == Fraction(reference, 44_100)


def said(metadata, streams=(), audio=(), video=None, name="matroska,webm"):
    """The start of day of a container that says so much."""
    found = [SimpleNamespace(metadata=m, average_rate=r) for m, r in streams]
    held = type(
        "Streams", (list,), {"audio": [SimpleNamespace(sample_rate=r, codec_context=object()) for r in audio]}
    )(found)
    container = SimpleNamespace(metadata=metadata, streams=held, format=SimpleNamespace(name=name))
    return module._start_of_day(Path("nowhere"), container, video)


def moving(rate, still=False):
    return module.VideoStream(64, 48, Fraction(rate), Fraction(1), still)


def test_which_tag_says_when_a_file_begins():
    hour = "01:00:00:12"
    assert said({"timecode": hour}, video=moving(25)) == 3600 + Fraction(12, 25)
    assert said({"TimeCode": hour}, video=moving(24)) == 3600 + Fraction(12, 24)
    assert said({}, [({}, None), ({"timecode": hour}, Fraction(30))], video=moving(25)) == 3600 + Fraction(
        12, 25
    )
    # Without a picture a tag counts by its own stream's rate; a still has none.
    assert said({}, [({"timecode": hour}, Fraction(30))]) == 3600 + Fraction(12, 30)
    assert said({}, [({"timecode": hour}, 29.97)]) == (108_000 + 12) * Fraction(1001, 30000)
    assert said({}, [({"timecode": hour}, Fraction(30))], video=moving(25, still=True)) == 3600 + Fraction(
        12, 30
    )
    assert said({"timecode": hour}) is None
    # What is no timecode is passed over.
    assert said({"timecode": "noon"}, [({"timecode": hour}, None)], video=moving(25)) == 3600 + Fraction(
        12, 25
    )
    assert said({"timecode": ""}, [({"timecode": hour}, None)], video=moving(25)) == 3600 + Fraction(12, 25)
    assert said({"timecode": "noon", "time_reference": "48000"}, audio=[48_000]) == 1
    assert said({"timecode": hour, "time_reference": "48000"}, audio=[48_000], video=moving(25)) > 3600
    assert said({"time_reference": "96000"}, audio=[48_000, 96_000]) == 2
    assert said({"time_reference": "-5"}, audio=[48_000]) is None
    assert said({"time_reference": "96000"}) is None
    assert said({"time_reference": "7"}, audio=[0]) == 7
    assert said({}, audio=[48_000]) is None


# ---- sentences


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FileNotFoundError(2, "x"), "does not exist; relink the clip or restore the file."),
        (IsADirectoryError(), "is a folder, not a media file."),
        (PermissionError(13, "x"), "cannot be opened: permission denied; check the file's access rights."),
        (av.error.InvalidDataError(1, "x"), "is damaged or not a media file; export or copy it again."),
        (av.error.EOFError(1, "x"), "is damaged or not a media file; export or copy it again."),
        (
            OSError(5, "Input/output error"),
            "cannot be read (Input/output error); check the disk or copy the file again.",
        ),
        (OSError(), "cannot be read (OSError); check the disk or copy the file again."),
        (MemoryError(), "asks for more memory than there is, so it is damaged; export or copy it again."),
        (OverflowError("int too\nlarge."), "cannot be understood (int too large); export or copy it again."),
        (AttributeError(), "cannot be understood (AttributeError); export or copy it again."),
    ],
)
def test_every_failure_has_its_sentence(error, words):
    said = explain(Path("/m/a.mov"), error)
    assert type(said) is MediaError
    assert str(said) == f"/m/a.mov {words}"


@pytest.mark.parametrize("name", ["a.txt", "a.ans", "a.idf", "a.xb"])
def test_text_is_no_media_even_where_ffmpeg_makes_a_picture_of_it(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(
        (b"XBIN\x1a\x50\0\x19\0\x10\0" if name == "a.xb" else b"") + b"Dear diary, nothing happened.\n" * 300
    )
    with pytest.raises(MediaError, match=r"is a text or binary file, not media; relink the clip\."):
        probe(path)


def info_of(*channels):
    streams = tuple(
        AudioStream(n, RATE, layout.channels, layout, None, Fraction(1)) for n, layout in enumerate(channels)
    )
    return MediaInfo(Path("a.mov"), "mov", Fraction(1), streams, None, None)


def test_channels_that_are_there_and_those_that_are_not():
    mono, stereo, surround = (Layout.named(n) for n in ("mono", "stereo", "5.1"))
    info = info_of(stereo, mono, mono)
    check_channels(info, [Channel(0, 0), Channel(0, 1), Channel(2, 0)])
    check_channels(info, [])
    for bad, words in (
        (Channel(3, 0), r"a\.mov has 3 audio stream\(s\), not 4; relink the clip\."),
        (Channel(-1, 0), r"3 audio stream\(s\), not 0"),
        (Channel(0, 2), r"audio stream 1 has 2 channel\(s\), not 3; relink"),
        (Channel(1, 1), r"audio stream 2 has 1 channel\(s\), not 2"),
        (Channel(0, -1), r"audio stream 1 has 2 channel\(s\), not 0"),
    ):
        with pytest.raises(MediaError, match=words):
            check_channels(info, [bad])
    assert layout_of(info) == stereo
    assert layout_of(info_of(surround, mono)) == surround
    assert layout_of(info, [Channel(0, 1), Channel(0, 0)]) == stereo
    assert layout_of(info, [Channel(2, 0)]) == mono
    assert layout_of(info, [Channel(1, 0), Channel(2, 0)]) == stereo
    assert layout_of(info, [Channel(0, 0), Channel(1, 0)]) == stereo
    assert layout_of(info, [Channel(0, 0), Channel(1, 0), Channel(2, 0)]) == Layout.discrete(3)
    assert layout_of(info_of(*[mono] * 6), [Channel(n, 0) for n in range(6)]) == surround
    assert layout_of(info_of(surround, mono), [Channel(0, n) for n in (0, 1, 2)]) == Layout.named("3.0")


def test_mxf_streams_are_probed_one_by_one(tmp_path):
    info = probe(write_mxf(tmp_path / "a.mxf", sweep(RATE, 2, 1), 25))
    assert [(s.index, s.samples, s.layout.ffmpeg) for s in info.audio] == [
        (0, RATE, "mono"),
        (1, RATE, "mono"),
    ]
    assert info.video.duration == 1
    assert info.container == "mxf"


@pytest.mark.parametrize(
    ("name", "codec", "channels", "size", "most"),
    [
        ("wav", "pcm_s16le", 2, 4044, 1011), ("wav", "pcm_s24le", 2, 4044, 674), ("w64", "pcm_f32le", 1, 4044, 1011),
        ("aiff", "pcm_f64be", 2, 4044, 252), ("au", "pcm_u8", 3, 100, 33), ("wav", "pcm_mulaw", 1, 100, 1 << 62),
        ("wav", "adpcm_ms", 1, 100, 1 << 62), ("mov", "pcm_s16le", 1, 100, 1 << 62),
    ],
)  # fmt: skip
def test_no_more_samples_than_there_are_bytes(name, codec, channels, size, most):
    stream = SimpleNamespace(codec_context=SimpleNamespace(name=codec), channels=channels)
    assert module._most_samples(SimpleNamespace(format=SimpleNamespace(name=name)), stream, size) == most


def test_the_preskip_of_opus_counts_in_ogg_only():
    def preskip(name, head):
        stream = SimpleNamespace(codec_context=SimpleNamespace(extradata=head))
        return module._opus_preskip(SimpleNamespace(format=SimpleNamespace(name=name)), stream)

    head = b"OpusHead\1\2" + (0x0138).to_bytes(2, "little") + bytes(7)
    assert preskip("ogg", head) == 312
    assert preskip("matroska,webm", head) == preskip("ogg", b"Vorbis" + head) == preskip("ogg", None) == 0


def audio_of(
    name="wav", duration=48_000, start=0, rate=RATE, channels=2, whole=3_000_000, origin=0, size=10**9
):
    """What is made of a stream whose clock ticks in samples, in a container that lasts `whole` microseconds."""
    context = SimpleNamespace(name="pcm_s16le", extradata=None)
    found = SimpleNamespace(
        sample_rate=rate, channels=channels, codec_context=context, start_time=start, duration=duration,
        time_base=Fraction(1, RATE), index=3,
    )  # fmt: skip
    container = SimpleNamespace(format=SimpleNamespace(name=name), duration=whole)
    made = module._audio(container, found, 1, Fraction(origin), size, Layout.named("stereo"))
    assert (made.index, made.sample_rate, made.channels, made.place) == (1, rate, channels, 3)
    return made.samples, made.duration


def test_a_streams_length_counts_from_file_offset_0():
    assert audio_of() == (48_000, 1)
    assert audio_of(start=24_000) == (72_000, Fraction(3, 2))
    assert audio_of(start=24_000, origin=Fraction(1, 2)) == (48_000, 1)
    assert audio_of(start=-1024) == (48_000 - 1024, Fraction(48_000 - 1024, RATE))
    assert audio_of(start=None) == (48_000, 1)
    assert audio_of(origin=2) == (0, 0)
    assert audio_of(size=4000) == (1000, Fraction(1, 48))
    # Where the container counts no samples, its estimate stands; where the stream says nothing, the container's.
    assert audio_of(name="matroska,webm") == (None, 1)
    assert audio_of(name="mov,mp4", size=4000) == (48_000, 1)
    assert audio_of(name="mp3") == (None, 1)
    assert audio_of(name="mp3", start=1105) == (49_105, Fraction(49_105, RATE))
    assert audio_of(duration=None) == audio_of(duration=0) == (None, 3)
    assert audio_of(duration=None, whole=None) == audio_of(duration=None, whole=-5) == (None, 0)


@pytest.mark.parametrize(
    ("length", "last", "end"),
    [
        (96_000, 143_232, 144_000),  # after an empty edit of a second, as FFmpeg writes it
        (
            216_000,
            215_040,
            216_000,
        ),  # three seconds out of a longer track after one of 1.5 s: it is counted in
        (168_000, 215_040, 216_064),  # the media's own 3.5 s, of which an edit plays three
    ],
)
def test_where_a_track_after_an_empty_edit_ends(length, last, end):
    entries = [SimpleNamespace(timestamp=at) for at in (last - 2048, last - 1024, last)]
    found = SimpleNamespace(
        start_time=48_000 if length == 96_000 else 72_000, duration=length, time_base=Fraction(1, RATE),
        index_entries=entries,
    )  # fmt: skip
    assert module._end(SimpleNamespace(format=SimpleNamespace(name="mov,mp4")), found) == Fraction(end, RATE)


def video_of(name="mov,mp4", duration=50, start=0, rates=(25, 30, 50), whole=3_000_000, origin=0):
    average, guessed, base = (None if rate is None else Fraction(rate) for rate in rates)
    found = SimpleNamespace(
        width=64, height=48, average_rate=average, guessed_rate=guessed, base_rate=base, start_time=start,
        duration=duration, time_base=Fraction(1, 25), index=0,
    )  # fmt: skip
    container = SimpleNamespace(format=SimpleNamespace(name=name), duration=whole)
    made = module._video(container, found, Fraction(origin))
    assert (made.width, made.height) == (64, 48)
    return made.rate, made.duration, made.still


def test_a_pictures_rate_and_length():
    assert video_of() == (25, 2, False)
    assert video_of(rates=(None, 30, 50)) == (30, 2, False)
    assert video_of(rates=(None, None, 50)) == (50, 2, False)
    assert video_of(rates=(None, None, None)) == (25, 2, False)
    assert video_of(rates=("23.98", 30, 50)) == (Fraction(24000, 1001), 2, False)
    assert video_of(start=25) == (25, 3, False)
    assert video_of(start=25, origin=1) == video_of(start=None) == (25, 2, False)
    assert video_of(origin=5) == (25, 0, False)
    assert video_of(duration=None) == video_of(duration=0) == (25, 3, False)
    for name in ("image2", "png_pipe", "jpeg_pipe"):
        assert video_of(name=name) == (25, 0, True)
    assert not video_of(name="_pipes")[2]


def test_only_containers_that_count_samples_are_exact():
    def exact(name, start=0):
        return module._is_exact(
            SimpleNamespace(format=SimpleNamespace(name=name)), SimpleNamespace(start_time=start)
        )

    names = ("wav", "w64", "aiff", "au", "caf", "flac", "ogg", "mxf", "mov,mp4,m4a,3gp,3g2,mj2")
    assert all(exact(name) for name in names)
    assert not any(exact(name, 1105) for name in ("matroska,webm", "mpegts", "avi", "aac"))
    assert exact("mp3", 1105)
    assert not exact("mp3")
    assert not exact("mp3", None)
