from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sightmix.engine.errors import SettingsError
from sightmix.engine.media.time import (
    parse_timecode,
    round_half_up,
    snap_rate,
    timecode,
    to_frames,
    to_samples,
)

DF30 = Fraction(30000, 1001)
DF60 = Fraction(60000, 1001)


@pytest.mark.parametrize(
    ("given_rate", "exact"),
    [
        (23.976, Fraction(24000, 1001)),
        (23.98, Fraction(24000, 1001)),
        (23.976023976, Fraction(24000, 1001)),
        (Fraction(2997, 100), DF30),
        (29.97002997002997, DF30),
        (47.95, Fraction(48000, 1001)),
        (59.94, DF60),
        (119.88, Fraction(120000, 1001)),
        (24.0, Fraction(24)),
        (25, Fraction(25)),
        (30.0, Fraction(30)),
        (12.5, Fraction(25, 2)),
        (100 / 3, Fraction(100, 3)),
        (48000.0, Fraction(48000)),
    ],
)
def test_rates_snap_to_what_is_meant(given_rate, exact):
    assert snap_rate(given_rate) == exact


@pytest.mark.parametrize("bad", [0, -25, 0.0, float("nan"), float("inf"), Fraction(-1)])
def test_impossible_rates_are_refused(bad):
    with pytest.raises(SettingsError, match="frame rate"):
        snap_rate(bad)


def test_halves_go_up_on_both_sides_of_zero():
    assert [round_half_up(Fraction(n, 2)) for n in (-3, -1, 1, 3)] == [-1, 0, 1, 2]
    assert to_samples(Fraction(1, 96000), 48000) == 1
    assert to_samples(Fraction(-1, 96000), 48000) == 0
    assert to_frames(Fraction(1001, 60000), DF30) == 1


@given(st.fractions(-(10**5), 10**5), st.sampled_from([44100, 48000, 96000]))
def test_rounding_is_within_half_a_sample_and_shifts_with_whole_seconds(t, rate):
    assert abs(to_samples(t, rate) - t * rate) <= Fraction(1, 2)
    assert to_samples(t + 7, rate) == to_samples(t, rate) + 7 * rate


@pytest.mark.parametrize(
    ("frames", "fps", "drop", "text"),
    [
        (107892, DF30, True, "01:00:00;00"),
        (108000, DF30, False, "01:00:00:00"),
        (1799, DF30, True, "00:00:59;29"),
        (1800, DF30, True, "00:01:00;02"),
        (17981, DF30, True, "00:09:59;29"),
        (17982, DF30, True, "00:10:00;00"),
        (3600, DF60, True, "00:01:00;04"),
        (215784, DF60, True, "01:00:00;00"),
        (86400, Fraction(24000, 1001), False, "01:00:00:00"),
        (90000, Fraction(25), False, "01:00:00:00"),
        (0, Fraction(24), False, "00:00:00:00"),
        (120 * 60 + 100, Fraction(120), False, "00:01:00:100"),
    ],
)
def test_known_timecodes_both_ways(frames, fps, drop, text):
    assert timecode(frames / fps, fps, drop) == text
    assert parse_timecode(text, fps) == frames / fps


@given(
    st.sampled_from(
        [(DF30, True), (DF60, True), (DF30, False), (Fraction(24000, 1001), False), (Fraction(25), False)]
    ),
    st.integers(0, 24 * 3600 * 60 - 24 * 54 * 4 - 1),
)
def test_every_frame_of_the_day_survives_the_round_trip(rate, frame):
    fps, drop = rate
    nominal = round(fps)
    frame %= 24 * (3600 * nominal - (54 * (nominal // 15) if drop else 0))
    assert parse_timecode(timecode(frame / fps, fps, drop), fps) * fps == frame


def test_the_day_wraps_both_ways():
    fps = Fraction(25)
    assert timecode(Fraction(24 * 3600), fps) == "00:00:00:00"
    assert timecode(Fraction(-1, 25), fps) == "23:59:59:24"
    assert timecode(Fraction(-1001, 30000), DF30, True) == "23:59:59;29"


def test_semicolons_throughout_and_a_full_stop_mean_drop_frame():
    assert parse_timecode("01;00;00;00", DF30) == parse_timecode("01:00:00.00", DF30) == 107892 / DF30


@pytest.mark.parametrize(
    ("text", "fps"),
    [
        ("", Fraction(25)),
        ("hello", Fraction(25)),
        ("01:00:00", Fraction(25)),
        ("-01:00:00:00", Fraction(25)),
        ("01:00:00:25", Fraction(25)),
        ("24:00:00:00", Fraction(25)),
        ("01:60:00:00", Fraction(25)),
        ("01:00:60:00", Fraction(25)),
        ("01:00:00;00", Fraction(25)),
        ("00:01:00;00", DF30),
        ("00:01:00;03", DF60),
        ("٠١:٠٠:٠٠:٠٠", Fraction(25)),
        ("01:00:00:00", Fraction(0)),
    ],
)
def test_bogus_timecodes_are_refused_with_a_sentence(text, fps):
    with pytest.raises(SettingsError, match=r"\.$"):
        parse_timecode(text, fps)


def test_drop_frame_needs_a_rate_that_has_it():
    with pytest.raises(SettingsError, match=r"does not exist at 23\.976"):
        timecode(Fraction(0), Fraction(24000, 1001), drop_frame=True)


def numbered(hours, minutes, seconds, frames, nominal, left_out):
    """Frames that a drop-frame count has run when it shows so much, by counting what is left out minute by minute."""
    minute = 60 * hours + minutes
    skipped = sum(left_out for m in range(1, minute + 1) if m % 10)
    return (60 * minute + seconds) * nominal + frames - skipped


@pytest.mark.parametrize(("nominal", "left_out"), [(30, 2), (60, 4), (120, 8)])
def test_drop_frame_at_the_edges_of_every_hour_and_minute(nominal, left_out):
    fps = Fraction(nominal * 1000, 1001)
    wide = 3 if nominal > 100 else 2
    for hours in range(24):
        for minutes in (0, 1, 2, 9, 10, 11, 19, 20, 49, 50, 51, 58, 59):
            first = left_out if minutes % 10 else 0
            for seconds, frames in ((0, first), (0, nominal - 1), (1, 0), (59, 0), (59, nominal - 1)):
                count = numbered(hours, minutes, seconds, frames, nominal, left_out)
                text = f"{hours:02d}:{minutes:02d}:{seconds:02d};{frames:02d}"
                assert timecode(count / fps, fps, drop_frame=True) == text
                exact = f"{hours:02d}:{minutes:02d}:{seconds:02d};{frames:0{wide}d}"
                assert parse_timecode(exact, fps) == count / fps
            if first:
                with pytest.raises(SettingsError, match="leaves out"):
                    parse_timecode(f"{hours:02d}:{minutes:02d}:00;{first - 1:0{wide}d}", fps)


def test_a_day_of_drop_frame_is_two_frames_and_more_short_of_24_hours():
    # 2 589 408 frames (SMPTE ST 12-1); the next one begins the day anew.
    assert timecode(2_589_407 / DF30, DF30, drop_frame=True) == "23:59:59;29"
    assert timecode(2_589_408 / DF30, DF30, drop_frame=True) == "00:00:00;00"
    assert timecode(-1 / DF30, DF30, drop_frame=True) == "23:59:59;29"
    assert timecode(Fraction(-1, 25), Fraction(25)) == "23:59:59:24"
    assert timecode(2 * 2_592_000 / DF30, DF30) == "00:00:00:00"


def test_counts_at_the_ends_of_their_ranges():
    assert parse_timecode("23:59:59:24", Fraction(25)) == 24 * 3600 - Fraction(1, 25)
    assert parse_timecode("1:02:03:04", Fraction(25)) == 3723 + Fraction(4, 25)
    assert parse_timecode(" 00:00:00:00\n", Fraction(25)) == 0
    # Under one frame a second every frame is a second of timecode.
    assert timecode(Fraction(8), Fraction(1, 4)) == "00:00:02:00"
    assert parse_timecode("00:00:02:00", Fraction(1, 4)) == 8
    for text, fps in (("00:00:00:119", Fraction(120)), ("00:00:59:00", Fraction(1))):
        assert timecode(parse_timecode(text, fps), fps) == text
    for text in ("00:00:00:01", "000:00:00:00", "00:00:00", "00:00:00:0", "00-00-00:00"):
        with pytest.raises(SettingsError):
            parse_timecode(text, Fraction(1))


@pytest.mark.parametrize(
    "fps", [Fraction(30), Fraction(60), Fraction(24000, 1001), Fraction(48000, 1001), Fraction(25)]
)
def test_only_thirty_and_its_multiples_at_ntsc_speed_drop_frames(fps):
    with pytest.raises(SettingsError, match="Drop-frame timecode does not exist"):
        timecode(Fraction(1), fps, drop_frame=True)
    with pytest.raises(SettingsError, match="Drop-frame timecode does not exist"):
        parse_timecode("00:00:01;00", fps)


def test_where_snapping_ends():
    for nominal in (24, 30, 48, 60, 120):
        ntsc = Fraction(nominal * 1000, 1001)
        assert snap_rate(ntsc + Fraction(1, 200)) == snap_rate(ntsc - Fraction(1, 200)) == ntsc
        for beyond in (ntsc + Fraction(51, 10_000), ntsc - Fraction(51, 10_000)):
            assert snap_rate(beyond) != ntsc
    assert snap_rate(Fraction(1, 10**6)) == Fraction(1, 10**6)
    assert snap_rate(Fraction(1000, 1001)) == Fraction(1000, 1001)
    # A float that no fraction of a small denominator meets stays what it is.
    assert snap_rate(13.123456789) == Fraction(13.123456789)
    assert snap_rate(1000 / 1001) == Fraction(1000, 1001)
