from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from media_files import read_number, write_audio, write_video
from PIL import Image
from sightmix.engine.errors import Cancelled, MediaError
from sightmix.engine.media import picture
from sightmix.engine.media.picture import sample_frames
from sightmix.engine.media.reader import probe
from sightmix.engine.progress import Progress

FPS = Fraction(24)
FRAMES = 200


def numbers(path, times, **kwargs):
    return [read_number(p) for p in sample_frames(path, times, 48, 64, **kwargs)]


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    return {
        "long.mp4": write_video(folder / "long.mp4", FRAMES, gop=250, options={"bf": "3"}),
        "short.mp4": write_video(folder / "short.mp4", FRAMES, gop=12),
        "open.mp4": write_video(folder / "open.mp4", FRAMES, gop=24, options={"x264opts": "open-gop=1"}),
        "a.mkv": write_video(folder / "a.mkv", FRAMES, gop=24),
        "a.ts": write_video(folder / "a.ts", FRAMES, gop=24),
        "intra.mov": write_video(folder / "intra.mov", FRAMES, codec="mjpeg", pix_fmt="yuvj420p"),
        "mpeg4.avi": write_video(folder / "mpeg4.avi", FRAMES, codec="mpeg4", gop=12),
        "mpeg2.mxf": write_video(folder / "mpeg2.mxf", FRAMES, codec="mpeg2video", gop=12, rate=FPS),
    }


NAMES = ["long.mp4", "short.mp4", "open.mp4", "a.mkv", "a.ts", "intra.mov", "mpeg4.avi", "mpeg2.mxf"]


@pytest.mark.parametrize("name", NAMES)
def test_every_frame_is_found_at_its_time(clips, name):
    asked = [*range(0, FRAMES, 7), 1, 2, 3, FRAMES - 1]
    times = [n / FPS for n in asked]
    assert numbers(clips[name], times) == asked


@pytest.mark.parametrize("name", NAMES)
def test_times_between_frames_show_the_one_before(clips, name):
    times = [Fraction(n, 24) + Fraction(1, 30) for n in (150, 3, 77, 77)]
    assert numbers(clips[name], times) == [150, 3, 77, 77]


@pytest.mark.parametrize("name", NAMES)
def test_before_the_first_and_after_the_last(clips, name):
    assert numbers(clips[name], [Fraction(-5), Fraction(0), Fraction(1000)]) == [0, 0, FRAMES - 1]


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(asked=st.lists(st.integers(0, FRAMES - 1), min_size=1, max_size=12))
@pytest.mark.parametrize("name", NAMES)
def test_any_set_of_frames(clips, name, asked):
    assert numbers(clips[name], [n / FPS for n in asked]) == asked


def test_long_leaps_find_the_right_frames(tmp_path, monkeypatch):
    monkeypatch.setattr(picture, "_BLIND_LEAP", Fraction(1))
    for name in ("a.mp4", "a.mkv", "a.ts"):
        path = write_video(tmp_path / name, 1000, gop=24)
        assert numbers(path, [Fraction(n, 24) for n in (990, 500, 505, 20)]) == [990, 500, 505, 20]


def test_tolerance_takes_keyframes_and_bounds_hold(clips):
    times = [Fraction(n, 2) + Fraction(1, 7) for n in range(1, 12)]
    found = numbers(clips["short.mp4"], times, tolerance=Fraction(1, 3))
    assert all(n % 12 == 0 for n in found)
    assert all(abs(n / FPS - t) <= Fraction(1, 3) for n, t in zip(found, times, strict=True))
    bounds = [(t - Fraction(1, 24), t + Fraction(1, 24)) for t in times]
    kept = numbers(clips["short.mp4"], times, tolerance=Fraction(1, 3), bounds=bounds)
    assert all(low <= n / FPS <= high for n, (low, high) in zip(kept, bounds, strict=True))


def test_bounds_keep_a_frame_from_before_the_cut_away(clips):
    cut = 50 / FPS
    just_after = cut - Fraction(1, 100)
    assert numbers(clips["long.mp4"], [just_after]) == [49]
    assert numbers(clips["long.mp4"], [just_after], bounds=[(cut - Fraction(1, 100), cut + 1)]) == [50]


def test_fewer_packets_are_decoded_than_there_are(clips, monkeypatch):
    fed = []
    original = picture._Decoder.feed
    monkeypatch.setattr(
        picture._Decoder, "feed", lambda self, held: fed.append(held.pts) or original(self, held)
    )
    numbers(clips["short.mp4"], [Fraction(n) for n in range(8)])
    assert len(fed) == 8
    fed.clear()
    numbers(clips["intra.mov"], [Fraction(n) + Fraction(1, 5) for n in range(8)])
    assert len(fed) == 8


def test_variable_rate_holds_the_last_frame(tmp_path):
    stamps = [0, 1, 2, 60, 61, 100]
    path = write_video(tmp_path / "v.mp4", 6, stamps=stamps, options={"bf": "2"})
    assert numbers(path, [Fraction(n, 24) for n in (1, 30, 59, 60, 99, 100)]) == [1, 2, 2, 3, 4, 5]


def test_picture_and_sound_share_their_zero(tmp_path):
    path = write_audio(tmp_path / "a.ts", "mp2", np.zeros((2, 96000), np.float32), picture=True)
    assert numbers(path, [Fraction(0), Fraction(10, 24) + Fraction(1, 25)])[1] in (10, 11)
    assert probe(path).video.rate == 24


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "bmp"])
def test_a_still_is_the_same_at_every_time(tmp_path, suffix):
    pixels = np.zeros((90, 160, 3), np.uint8)
    pixels[:, :80] = [250, 10, 20]
    Image.fromarray(pixels).save(tmp_path / f"a %d.{suffix}")
    info = probe(tmp_path / f"a %d.{suffix}")
    assert info.video.still
    assert (info.video.width, info.video.height, info.video.duration) == (160, 90, 0)
    got = sample_frames(tmp_path / f"a %d.{suffix}", [Fraction(0), Fraction(-3), Fraction(99)], 45, 80)
    assert np.array_equal(got[0], got[1])
    assert np.array_equal(got[0], got[2])
    assert np.abs(got[0][20, 10].astype(int) - [250, 10, 20]).max() < 12


def test_sizes_and_rotation(tmp_path):
    path = write_video(tmp_path / "a.mp4", 3)
    assert sample_frames(path, [Fraction(0)] * 2, 24, 32).shape == (2, 24, 32, 3)
    assert sample_frames(path, [], 24, 32).shape == (0, 24, 32, 3)
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:, :30] = 255
    image = Image.fromarray(pixels)
    exif = image.getexif()
    exif[0x0112] = 6  # to be shown turned a quarter clockwise
    image.save(tmp_path / "a.jpg", exif=exif)
    got = sample_frames(tmp_path / "a.jpg", [Fraction(0)], 60, 40)[0]
    assert got[:25].min() > 200
    assert got[35:].max() < 60


def test_damaged_packets_give_a_neighbour(tmp_path):
    path = write_video(tmp_path / "a.mov", 40, codec="mjpeg", pix_fmt="yuvj420p")
    with av.open(str(path)) as container:
        spoiled = [p.pos for p in container.demux(video=0) if p.size][20]
    data = bytearray(path.read_bytes())
    data[spoiled : spoiled + 300] = bytes(300)
    path.write_bytes(data)
    assert numbers(path, [Fraction(n, 24) for n in (18, 20, 22)])[::2] == [18, 22]


def test_what_has_no_picture_or_is_not_there(tmp_path):
    sound = write_audio(tmp_path / "a.wav", "pcm_s16le", np.zeros((2, 100), np.float32))
    with pytest.raises(MediaError, match="has no picture"):
        sample_frames(sound, [Fraction(0)], 8, 8)
    with pytest.raises(MediaError, match="does not exist"):
        sample_frames(tmp_path / "gone.mov", [Fraction(0)], 8, 8)
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(MediaError):
        sample_frames(tmp_path / "torn.png", [Fraction(0)], 8, 8)


def test_cancel_is_honoured(clips):
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        sample_frames(clips["long.mp4"], [Fraction(1)], 8, 8, cancel=progress)
