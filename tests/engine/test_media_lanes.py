"""Between decoder and blocks: where decoded frames go, how far a clock may be off, and what a seek costs."""

from contextlib import contextmanager
from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from media_files import sweep, write_audio
from sightmix.engine.errors import MediaError
from sightmix.engine.media import reader
from sightmix.engine.media.container import AudioStream
from sightmix.engine.media.layout import Layout
from sightmix.engine.media.reader import probe, read_blocks, read_span
from sightmix.engine.media.time import round_half_up
from sightmix.engine.passage import Channel

RATE = 48_000
JITTER = 480  # 10 ms


def lane(cursor=0, samples=None, channels=1, order=()):
    layout = Layout.of_count(channels)
    return reader._Lane(AudioStream(0, RATE, channels, layout, samples, Fraction(0), order), cursor)


def ramp(first, count, channels=1):
    """Samples that say where they belong: channel c's at n is n + 1000 c + 1."""
    return (np.arange(first, first + count) + 1000.0 * np.arange(channels)[:, None] + 1).astype(np.float32)


def taken(of, count):
    return of.take(count)[0].tolist()


# ---- lanes


def test_frames_join_at_the_jitter_and_leave_silence_beyond_it():
    for off, joined in ((0, True), (JITTER, True), (-JITTER, True), (JITTER + 1, False)):
        one = lane()
        one.put(0, ramp(0, 1000), 10_000)
        assert one.follows(1000 + off) == joined
        one.put(1000 + off, ramp(1000, 1000), 10_000)
        found = taken(one, 4000)
        start = 1000 if joined else 1000 + off
        assert found[:1000] == ramp(0, 1000)[0].tolist()
        assert not any(found[1000:start])
        assert found[start : start + 1000] == ramp(1000, 1000)[0].tolist()
        assert not any(found[start + 1000 :])


def test_what_overlaps_is_trimmed_and_what_comes_late_is_still_in_place():
    one = lane()
    one.put(0, ramp(0, 3000), 10_000)
    one.put(2000, -ramp(0, 2000), 10_000)  # a thousand samples are known already
    assert one.tail == 4000
    found = taken(one, 4000)
    assert found[:3000] == ramp(0, 3000)[0].tolist()
    assert found[3000:] == (-ramp(1000, 1000))[0].tolist()
    one = lane()
    one.put(0, ramp(0, 3000), 10_000)
    one.put(1000, -ramp(0, 100), 10_000)  # wholly known: nothing, and the end stays where it was
    assert one.tail == one.known == 3000
    assert taken(one, 3001) == [*ramp(0, 3000)[0].tolist(), 0]


def test_nothing_before_the_cursor_nor_from_the_high_mark_or_the_streams_end_on():
    one = lane(cursor=100)
    one.put(50, ramp(50, 100), 120)
    assert one.known == 120
    assert taken(one, 30) == [*ramp(100, 20)[0].tolist(), *[0] * 10]
    short = lane(samples=110)
    short.put(50, ramp(50, 100), 200)
    assert short.known == 150
    assert taken(short, 130) == [*[0] * 50, *ramp(50, 60)[0].tolist(), *[0] * 20]
    before = lane(cursor=100)
    before.put(0, ramp(0, 100), 200)
    assert not any(taken(before, 50))


@pytest.mark.parametrize("steps", [[7, 13, 1, 40], [61], [1] * 61])
def test_takes_of_any_size_run_through_parts(steps):
    one = lane(cursor=5)
    for first, count in ((10, 20), (30, 1), (31, 30)):
        one.put(first, ramp(first, count), 1000)
    found = [value for count in steps for value in taken(one, count)]
    assert found == [0] * 5 + ramp(10, 51)[0].tolist() + [0] * 5
    assert one.cursor == 66


def test_channels_are_put_in_order_and_those_beyond_are_left_out():
    three = lane(channels=3, order=(2, 0, 1))
    three.put(0, ramp(0, 2, 3), 10)
    np.testing.assert_array_equal(three.take(2), ramp(0, 2, 3)[[2, 0, 1]])
    two = lane(channels=2)
    two.put(0, ramp(0, 2, 3), 10)
    np.testing.assert_array_equal(two.take(3), np.pad(ramp(0, 2, 2), ((0, 0), (0, 1))))
    # A decoder that gives fewer leaves the others silent.
    two = lane(channels=2)
    two.put(0, ramp(3, 1, 1), 10)
    np.testing.assert_array_equal(two.take(1), [[4], [0]])


def test_how_far_everything_is_known():
    one = lane(cursor=10, samples=50)
    assert one.reaches(10)
    assert not one.reaches(11)
    one.put(10, ramp(10, 20), 1000)
    assert one.reaches(30)
    assert not one.reaches(31)
    one.put(30, ramp(30, 20), 1000)
    assert one.reaches(10**9)  # silence follows the end
    endless = lane()
    assert endless.reaches(0)
    assert not endless.reaches(1)


# ---- clocks that are coarser than samples


def frame(pts, base=Fraction(1, 1000), samples=1152):
    return SimpleNamespace(pts=pts, time_base=base, samples=samples)


@given(st.integers(-50, 50), st.integers(-60, 60))
def test_a_grid_snaps_what_the_clock_may_have_rounded(k, off):
    grid = reader._Grid(base=1105, size=1152, reach=48)
    exact = 1105 + 1152 * k
    assert grid.snap(exact + off) == (exact if abs(off) <= 48 else exact + off)


def test_positions_by_the_clock():
    assert reader._reach(frame(0), RATE) == 48
    assert reader._reach(frame(0), 44_100) == 45  # 44.1 and up
    assert reader._reach(frame(0, None), RATE) == 0
    assert reader._position(frame(1000), Fraction(0), RATE) == 48_000
    assert reader._position(frame(1000), Fraction(1, 4), RATE) == 36_000
    # Within the clock's own rounding of the start nobody can tell it from the start.
    assert [reader._position(frame(n), Fraction(0), RATE) for n in (-2, -1, 0, 1, 2)] == [-96, 0, 0, 0, 96]
    fine = Fraction(1, 48_000)
    assert [reader._position(frame(n, fine), Fraction(0), RATE) for n in (-1, 0, 1)] == [-1, 0, 1]
    finer = Fraction(1, 90_000)
    assert [reader._position(frame(n, finer), Fraction(0), RATE) for n in (0, 1, 2)] == [0, 1, 1]
    assert reader._position(frame(None), Fraction(0), RATE) is None
    assert reader._position(frame(5, None), Fraction(0), RATE) is None


def test_the_grid_of_a_matroska_stream(tmp_path):
    mp3 = write_audio(tmp_path / "a.mka", "libmp3lame", sweep(RATE, 2, 1))
    grid = reader._learn_grid(mp3, 0)
    assert (grid.size, grid.reach) == (1152, 48)
    # Vorbis changes the size of its blocks.
    soundfile.write(tmp_path / "a.ogg", sweep(RATE, 1, 1).T, RATE, format="OGG", subtype="VORBIS")
    assert reader._learn_grid(tmp_path / "a.ogg", 0) is None


# ---- what reading from the middle costs


@pytest.fixture
def decoded(monkeypatch):
    """Samples that came out of decoders, by file reading."""
    found = []
    original = reader._Stretch._decode

    def counting(self, packet):
        frames = original(self, packet)
        found.append(sum(f.samples for f in frames))
        return frames

    monkeypatch.setattr(reader._Stretch, "_decode", counting)
    return found


@pytest.mark.parametrize(
    ("name", "codec", "most"),
    [
        ("a.wav", "pcm_s16le", 1.5), ("a.flac", "flac", 1.5), ("a.mp3", "libmp3lame", 1.5), ("alac.m4a", "alac", 1.5),
        ("a.opus", "libopus", 2.2), ("a.ac3", "ac3", 1.5),
        ("a.mka", "flac", 5.5), ("mp3.mka", "libmp3lame", 5.5),  # an entry in the index every 5 s
    ],
)  # fmt: skip
def test_reading_begins_a_second_before_what_is_wanted(tmp_path, decoded, name, codec, most):
    path = write_audio(tmp_path / name, codec, sweep(RATE, 1, 8), layout="mono")
    probe(path)
    sum(b.shape[1] for b in read_blocks(path, 7 * RATE, 4800))
    # A second of preroll, what is asked for, and at most a packet or a seek point's distance on either side.
    assert 1.09 * RATE <= sum(decoded) <= most * RATE
    decoded.clear()
    sum(b.shape[1] for b in read_blocks(path, 0, 4800))
    assert 4800 <= sum(decoded) <= 0.3 * RATE


def test_several_readings_to_the_end_decode_nothing_twice(tmp_path, decoded):
    path = write_audio(tmp_path / "a.flac", "flac", sweep(RATE, 1, 6), layout="mono")
    for block in (999, 1 << 16):
        decoded.clear()
        sum(b.shape[1] for b in read_blocks(path, 0, 6 * RATE, block=block))
        assert sum(decoded) == 6 * RATE


def test_where_a_seek_fails_or_lands_too_late_reading_begins_at_the_start(tmp_path, monkeypatch, decoded):
    path = write_audio(tmp_path / "a.mp3", "libmp3lame", sweep(RATE, 1, 6), layout="mono")
    expected = np.concatenate(list(read_blocks(path, 4 * RATE, 9600)), axis=1)
    original, goals = reader.open_media, []

    class Elsewhere:
        """A container whose seeks go wrong."""

        def __init__(self, container, seek):
            self._container, self._seek = container, seek

        def __getattr__(self, name):
            return getattr(self._container, name)

        def seek(self, goal, stream):
            goals.append(goal * stream.time_base)
            self._seek(self._container, goal, stream)

    def refuse(container, goal, stream):
        raise av.error.PermissionError(1, "no")

    def overshoot(container, goal, stream):
        container.seek(goal + int(Fraction(3, 2) / stream.time_base), stream=stream)

    def beyond(container, goal, stream):
        container.seek(goal + int(60 / stream.time_base), stream=stream)

    for seek in (refuse, overshoot, beyond):
        goals.clear()
        decoded.clear()

        @contextmanager
        def opened(path, seek=seek):
            with original(path) as container:
                yield Elsewhere(container, seek)

        monkeypatch.setattr(reader, "open_media", opened)
        found = np.concatenate(list(read_blocks(path, 4 * RATE, 9600)), axis=1)
        np.testing.assert_array_equal(found, expected)
        assert len(goals) == 1  # and no second try
        assert abs(goals[0] - 3) < Fraction(1, 10)
        assert sum(decoded) >= 4.1 * RATE


def test_a_stream_of_unknown_length_is_silent_beyond_its_end(tmp_path):
    path = write_audio(tmp_path / "a.mka", "libmp3lame", sweep(RATE, 1, 4), layout="mono")
    assert probe(path).audio[0].samples is None
    tail = np.concatenate(list(read_blocks(path, 4 * RATE - 4800, 3 * RATE)), axis=1)
    assert tail[:, :4000].any()
    assert not tail[:, 4800 + 2400 :].any()
    assert not np.concatenate(list(read_blocks(path, 9 * RATE, 4800)), axis=1).any()


# ---- faults of files


def spoiled(path, source, every=1):
    """The same container with packets of noise in the place of each `every`th of the coded ones."""
    chance = np.random.default_rng(0)
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        stream = new.add_stream_from_template(old.streams.audio[0])
        for number, packet in enumerate(p for p in old.demux(old.streams.audio[0]) if p.size):
            out = packet
            if number % every == 0:
                out = av.Packet(bytes(chance.integers(0, 255, packet.size, np.uint8)))
                out.pts, out.dts, out.duration, out.time_base = (
                    packet.pts,
                    packet.dts,
                    packet.duration,
                    packet.time_base,
                )
            out.stream = stream
            new.mux(out)
    return path


@pytest.mark.parametrize("start", [0, 4 * RATE])
def test_sound_none_of_which_can_be_decoded_is_named(tmp_path, start):
    source = write_audio(tmp_path / "a.mka", "flac", sweep(RATE, 1, 6), layout="mono")
    path = spoiled(tmp_path / "b.mka", source)
    with pytest.raises(MediaError, match="none of its sound can be decoded"):
        list(read_blocks(path, start, RATE))
    half = spoiled(tmp_path / "c.mka", source, every=2)
    assert np.concatenate(list(read_blocks(half, start, RATE)), axis=1).any()


def test_a_rate_that_changes_within_the_file_is_brought_to_the_first(tmp_path):
    tones = [
        np.sin(2 * np.pi * 440 * np.arange(rate) / rate).astype(np.float32)[None] / 2
        for rate in (RATE, 44_100)
    ]
    parts = [
        write_audio(tmp_path / f"{rate}.aac", "aac", x, rate=rate, layout="mono")
        for rate, x in zip((RATE, 44_100), tones, strict=True)
    ]
    path = tmp_path / "both.aac"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert abs(float(probe(path).audio[0].duration) - 2) < 0.1
    (remark,) = probe(path).remarks
    assert "changes its channels or its rate at 1.0" in remark
    got = np.concatenate(list(read_blocks(path, 0, 2 * RATE)), axis=1)
    for start in (RATE // 4, RATE + RATE // 2):
        heard = np.abs(np.fft.rfft(got[0, start : start + 12_000]))
        assert np.argmax(heard) == 110  # 440 Hz in a quarter of a second
        assert heard[110] / 6000 == pytest.approx(0.5, abs=0.03)


def test_only_the_channels_asked_for_have_to_be_numbers(tmp_path):
    x = np.full((1000, 2), 3e38, np.float32)  # finite, though their sum is not
    soundfile.write(tmp_path / "a.wav", x, RATE, subtype="FLOAT")
    assert sum(b.shape[1] for b in read_blocks(tmp_path / "a.wav", 0, 1000)) == 1000
    x[500, 1] = np.nan
    soundfile.write(tmp_path / "b.wav", x, RATE, subtype="FLOAT")
    assert sum(b.shape[1] for b in read_blocks(tmp_path / "b.wav", 0, 1000, [Channel(0, 0)])) == 1000
    with pytest.raises(MediaError, match=r"at 0\.010 s"):
        list(read_blocks(tmp_path / "b.wav", 0, 1000, block=300))
    x[500] = [np.inf, -np.inf]
    soundfile.write(tmp_path / "c.wav", x, RATE, subtype="FLOAT")
    with pytest.raises(MediaError, match=r"at 0\.010 s"):
        list(read_blocks(tmp_path / "c.wav", 0, 1000))


def test_channels_of_different_rates_do_not_go_together(tmp_path):
    with av.open(str(tmp_path / "a.mov"), "w") as container:
        streams = [container.add_stream("pcm_s16le", rate=rate, layout="mono") for rate in (48_000, 44_100)]
        for stream in streams:
            silent = av.AudioFrame.from_ndarray(np.zeros((1, 4410), np.int16), "s16", "mono")
            silent.sample_rate, silent.pts, silent.time_base = stream.rate, 0, Fraction(1, stream.rate)
            container.mux(stream.encode(silent))
    assert read_span(tmp_path / "a.mov", Fraction(0), Fraction(1, 100), [Channel(1, 0)]).shape == (1, 441)
    with pytest.raises(MediaError, match="no common sample rate"):
        read_span(tmp_path / "a.mov", Fraction(0), Fraction(1, 100), [Channel(0, 0), Channel(1, 0)])


# ---- samples and spans


@pytest.mark.parametrize(
    ("form", "values", "expected"),
    [
        ("u8", np.array([[0, 128, 255, 192]], np.uint8), [-1, 0, 127 / 128, 0.5]),
        ("s16", np.array([[-32768, 0, 32767, 16384]], np.int16), [-1, 0, 1 - 2**-15, 0.5]),
        ("s32", np.array([[-(2**31), 0, 2**31 - 128, 2**30]], np.int32), [-1, 0, 1 - 2**-24, 0.5]),
        ("flt", np.array([[-1.5, 0, 1, 0.5]], np.float32), [-1.5, 0, 1, 0.5]),
        ("dbl", np.array([[-1.5, 0, 1, 0.5]], np.float64), [-1.5, 0, 1, 0.5]),
    ],
)  # fmt: skip
def test_samples_of_every_format(form, values, expected):
    planar = reader._to_float(av.AudioFrame.from_ndarray(values, f"{form}p", "mono"))
    packed = reader._to_float(av.AudioFrame.from_ndarray(values, form, "stereo"))
    assert planar.dtype == packed.dtype == np.float32
    np.testing.assert_array_equal(planar, np.array([expected], np.float32))
    np.testing.assert_array_equal(packed, np.array([expected[::2], expected[1::2]], np.float32))


@pytest.fixture(scope="module")
def click(tmp_path_factory):
    """A click at 0.5 s, at 48 kHz."""
    path = tmp_path_factory.mktemp("click") / "click.wav"
    x = np.zeros((RATE, 2), np.float32)
    x[24_000] = [1.0, -0.5]
    soundfile.write(path, x, RATE, subtype="FLOAT")
    return path


@pytest.mark.parametrize("rate", [8000, 44_100, 96_000])
@pytest.mark.parametrize("start", [Fraction(-1, 4), Fraction(1, 10), Fraction(1, 4) + Fraction(1, 96_000)])
def test_a_click_at_another_rate_is_where_its_time_says(click, rate, start):
    found = read_span(click, start, Fraction(1), rate=rate)
    assert found.shape == (2, rate)
    exact = (24_000 - round_half_up(start * RATE)) * rate / RATE
    peak = int(np.abs(found[0]).argmax())
    assert abs(peak - exact) <= 1.0
    weights = np.abs(found[0, peak - 2 : peak + 3])
    assert np.dot(weights, np.arange(peak - 2, peak + 3)) / weights.sum() == pytest.approx(exact, abs=0.2)
    np.testing.assert_allclose(found[1], -0.5 * found[0], atol=1e-6)


def test_spans_at_the_files_rate_are_exact_and_may_be_empty(click):
    for given_rate in (None, RATE):
        found = read_span(click, Fraction(1, 2), Fraction(3, RATE), [Channel(0, 1)], rate=given_rate)
        assert found.tolist() == [[-0.5, 0, 0]]
    assert read_span(click, Fraction(1, 2), Fraction(0)).shape == (2, 0)
    assert read_span(click, Fraction(1, 2), Fraction(0), rate=44_100).shape == (2, 0)
    # Half a sample rounds up; a span's length is rounded at the rate it comes out with.
    assert read_span(click, Fraction(47_999, 96_000), Fraction(1, 96_000)).tolist() == [[1], [-0.5]]
    for samples in (1, 2, 3, 100, 101):
        duration = Fraction(2 * samples + 1, 2 * 44_100)
        assert read_span(click, Fraction(0), duration, rate=44_100).shape == (2, samples + 1)


def test_a_negative_number_of_samples_is_none(click):
    assert list(read_blocks(click, 0, -5)) == []
