from fractions import Fraction
from types import SimpleNamespace

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


# ---- which frame, by known answers


def test_a_nearer_keyframe_after_the_time_is_taken_as_well(clips):
    def at(seconds, tolerance, **kwargs):
        return numbers(clips["short.mp4"], [Fraction(seconds)], tolerance=Fraction(tolerance), **kwargs)[0]

    # Keyframes lie at every half second: 12 frames.
    assert [at(n + "/10", "3/10") for n in ("4", "14", "39")] == [12, 36, 96]
    assert [at(n + "/10", "3/10") for n in ("1", "11", "36")] == [0, 24, 84]
    assert at("1/4", "1/4") == 0  # as near either way: the earlier one
    # Out of reach on either side: the frame at the time itself.
    assert at("1/4", "1/5") == 6
    assert at("29/20", "1/25") == 34
    # Within reach, but not within the bounds.
    assert at("4/10", "3/10", bounds=[(Fraction(0), Fraction(45, 100))]) == 9
    assert at("4/10", "1/2", bounds=[(Fraction(0), Fraction(45, 100))]) == 0
    assert at("11/10", "3/10", bounds=[(Fraction(105, 100), Fraction(2))]) == 26
    assert at("11/10", "1/2", bounds=[(Fraction(105, 100), Fraction(2))]) == 36


@pytest.mark.parametrize("name", NAMES)
def test_a_frame_has_to_lie_within_its_shot(clips, name):
    def within(time, low, high):
        time, low, high = (Fraction(n) / FPS for n in (time, low, high))
        return numbers(clips[name], [time], bounds=[(low, high)])[0]

    assert within(60, 50, 70) == 60
    assert within(Fraction(599, 10), 60, 70) == 60  # the first of the shot in place of what is before the cut
    assert within(40, 60, 70) == within(40, Fraction(591, 10), 70) == 60
    assert (
        within(80, 60, 70) == within(80, 60, Fraction(709, 10)) == 70
    )  # its last in place of what comes after it
    assert within(Fraction(1601, 10), Fraction(1601, 10), Fraction(1602, 10)) == 160  # no frame lies within


def test_bounds_belong_to_their_times_whatever_the_order(clips):
    times = [Fraction(n, 24) for n in (100, 20, 60, 20)]
    bounds = [(Fraction(n, 24), Fraction(n + 5, 24)) for n in (101, 20, 55, 22)]
    assert numbers(clips["long.mp4"], times, bounds=bounds) == [101, 20, 60, 22]


# ---- what it costs


@pytest.fixture
def traffic(monkeypatch):
    """Packets read, packets decoded and leaps."""
    found = {"read": 0, "feed": 0, "leap": 0}

    def counted(owner, name):
        original = getattr(owner, name)

        def counting(self, *args):
            found[name] += 1
            return original(self, *args)

        monkeypatch.setattr(owner, name, counting)

    counted(picture._Demuxer, "read")
    counted(picture._Demuxer, "leap")
    counted(picture._Decoder, "feed")
    return found


@pytest.mark.parametrize(
    ("name", "asked", "read", "feed", "leap"),
    [
        ("short.mp4", (180,), 40, 1, 1), ("short.mp4", (0, 180), 50, 2, 1), ("short.mp4", (0, 12), 22, 2, 0),
        ("short.mp4", (0, 60, 120, 180), 150, 4, 3), ("a.mkv", (168,), 60, 1, 1), ("intra.mov", (0, 190), 60, 2, 1),
        ("intra.mov", (10, 14), 24, 2, 0), ("long.mp4", (3,), 12, 5, 0), ("short.mp4", (185,), 40, 8, 1),
    ],
)  # fmt: skip
def test_no_more_is_read_than_the_index_asks_for(clips, traffic, name, asked, read, feed, leap):
    assert numbers(clips[name], [n / FPS for n in asked]) == list(asked)
    assert traffic["read"] <= read
    assert traffic["feed"] <= feed
    assert traffic["leap"] == leap


def test_without_an_index_only_long_ways_are_leapt(clips, traffic, monkeypatch):
    assert numbers(clips["a.ts"], [Fraction(0), 190 / FPS]) == [0, 190]
    assert traffic["leap"] == 0
    monkeypatch.setattr(picture, "_BLIND_LEAP", Fraction(4))
    assert numbers(clips["a.ts"], [Fraction(0), 190 / FPS]) == [0, 190]
    assert traffic["leap"] in (1, 2)  # such a seek may have to go back


# ---- parts


@pytest.mark.parametrize(
    ("rotation", "turns"), [(0, 0), (90, 1), (180, 2), (-180, 2), (270, 3), (-90, 3), (89.6, 1)]
)
def test_recorded_rotation_is_undone(rotation, turns):
    upright = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    stored = np.rot90(upright, -turns)
    asked = []

    class Scaler:
        def reformat(self, frame, width, height, form, interpolation):
            asked.append((width, height, form, interpolation))
            return SimpleNamespace(to_ndarray=lambda: stored)

    found = picture.scaled(Scaler(), SimpleNamespace(rotation=rotation), 2, 3)
    np.testing.assert_array_equal(found, upright)
    assert asked == [(stored.shape[1], stored.shape[0], "rgb24", "BICUBIC")]


def demuxer(**fields):
    made = object.__new__(picture._Demuxer)
    made._undated, made.newest, made.ended, made._second = 0, None, False, 1000
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def packet(pts, dts, key=False):
    return SimpleNamespace(pts=pts, dts=dts, is_keyframe=key)


def test_how_far_decoding_times_have_come():
    one = demuxer()
    assert not one.knows(0)
    for pts, dts, held, newest in ((2, 0, 2, 0), (8, 1, 8, 1), (None, 2, 2, 2), (4, 1, 4, 2)):
        assert one._dated(packet(pts, dts)).pts == held
        assert one.newest == newest
    assert one.knows(1)
    assert not one.knows(2)
    assert demuxer(ended=True).knows(10**9)
    # Those without decoding time are reordered ones at first; from the 33rd on they count.
    undated = demuxer()
    for n in range(32):
        assert undated._dated(packet(n, None)).pts == n
        assert undated.newest is None
    assert undated._dated(packet(40, None)).pts == 40
    assert undated.newest == 40
    assert demuxer()._dated(packet(None, None)).pts == 1
    assert demuxer()._dated(packet(3, 3, key=True)).key


def test_times_become_ticks_with_the_clocks_slack():
    def wanted(base, time, tolerance=0, bounds=None):
        stream = SimpleNamespace(
            type="video", codec_context=object(), start_time=0, time_base=base, disposition=0
        )
        container = SimpleNamespace(streams=[stream])
        (want,) = picture._wanted(container, stream, [Fraction(time)], Fraction(tolerance), bounds)
        return want.at, want.low, want.high, want.near

    assert wanted(Fraction(1, 24), "10/24") == (10, 10, 10, False)
    assert wanted(Fraction(1, 1000), "1/24") == (42, 42, 42, False)  # 41.67 ms are written as 42
    assert wanted(Fraction(1, 1000), "0.0414") == (41, 41, 41, False)
    assert wanted(Fraction(1, 100), "0.0294") == (2, 3, 2, False)
    assert wanted(Fraction(1, 100), "0.0295") == (3, 3, 3, False)  # no more than half a millisecond
    assert wanted(Fraction(1, 24), "10/24", "2/24") == (10, 8, 12, True)
    given = [(Fraction(9, 24), Fraction(11, 24))]
    assert wanted(Fraction(1, 24), "10/24", "2/24", given) == (10, 9, 11, True)
    assert wanted(Fraction(1, 24), "10/24", "1/48", given) == (10, 10, 10, True)
    assert wanted(Fraction(1, 24), "10/24", 0, given) == (10, 9, 11, False)
