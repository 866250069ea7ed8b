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
