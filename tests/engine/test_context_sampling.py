"""Frames are planned inside shots, one for every shot before two for any."""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sightmix.engine.context.sampling import MARGIN, plan_frames
from sightmix.engine.errors import SettingsError
from sightmix.engine.passage import Shot

F = Fraction
FILM = Path("film.mov")


def shot(start, duration, speed=1, path=FILM, media_start=0):
    return Shot(F(start), F(duration), path, F(media_start), F(speed))


def times(frames):
    return [frame.time for frame in frames]


@st.composite
def edits(draw):
    """Shots without gaps, from before the clip's start on, some of them black, frozen, slowed or reversed."""
    time = F(draw(st.integers(-2000, 0)), 100)
    shots = []
    for _ in range(draw(st.integers(0, 14))):
        duration = F(draw(st.integers(1, 1500)), 100)
        speed = draw(st.sampled_from([F(0), F(1), F(-1), F(1, 2), F(3)]))
        path = draw(st.sampled_from([FILM, Path("b.mxf"), None]))
        shots.append(Shot(time, duration, path, F(draw(st.integers(0, 9000)), 24), speed))
        time += duration
    return shots


windows = st.tuples(st.integers(-1000, 4000), st.integers(1, 1500)).map(
    lambda w: (F(w[0], 100), F(w[1], 100))
)
rates = st.sampled_from([F(1, 4), F(1), F(4), F(24000, 1001)])


def clear_of_cuts(one, start, end):
    """The stretch of a shot inside the window and away from its cuts, as a length."""
    margin = min(MARGIN, one.duration / 3)
    return min(end, one.start + one.duration - margin) - max(start, one.start + margin)


@given(edits(), windows, rates, st.integers(1, 40))
def test_frames_obey_the_cuts(shots, window, per_second, limit):
    start, duration = window
    end = start + duration
    frames = plan_frames(shots, start, duration, per_second, limit)
    assert len(frames) <= limit
    assert times(frames) == sorted(times(frames))
    assert len(set(times(frames))) == len(frames)
    for frame in frames:
        one = shots[frame.shot]
        inside = min(F(1, 50), one.duration / 3)
        assert one.start + inside <= frame.time <= one.start + one.duration - inside
        assert start < frame.time < end
        assert frame.path == one.path
        assert frame.media_time == one.media_start + (frame.time - one.start) * one.speed


@given(edits(), windows, rates, st.integers(1, 40))
def test_every_shot_is_seen_before_any_is_seen_twice(shots, window, per_second, limit):
    start, duration = window
    frames = plan_frames(shots, start, duration, per_second, limit)
    counts = {i: sum(frame.shot == i for frame in frames) for i in range(len(shots))}
    visible = [
        i for i, one in enumerate(shots) if one.path and clear_of_cuts(one, start, start + duration) > 0
    ]
    if len(visible) <= limit:
        assert all(counts[i] >= 1 for i in visible)
    else:
        assert max(counts.values()) == 1
        assert len(frames) == limit
    assert all(counts[i] == 0 for i in range(len(shots)) if i not in visible)
    assert all(counts[i] <= 1 for i, one in enumerate(shots) if one.speed == 0)


@given(edits(), windows, rates, st.integers(1, 40))
def test_no_more_frames_than_asked_for_each_second(shots, window, per_second, limit):
    start, duration = window
    frames = plan_frames(shots, start, duration, per_second, limit)
    seen = {frame.shot for frame in frames}
    covered = sum((clear_of_cuts(shots[i], start, start + duration) for i in seen), F(0))
    assert len(frames) <= max(len(seen), covered * per_second + F(1, 2))


def test_one_long_shot_gets_the_middle_of_each_second():
    frames = plan_frames([shot(-20, 60)], F(0), F(10))
    assert times(frames) == [F(2 * i + 1, 2) for i in range(10)]


def test_media_time_follows_start_speed_and_direction():
    assert [f.media_time for f in plan_frames([shot(0, 2, 2, media_start=100)], F(0), F(2))] == [
        F(101) + F(1, 40),
        F(103) - F(1, 40),
    ]
    (frame,) = plan_frames([shot(0, 1, -1, media_start=5)], F(0), F(1))
    assert frame.media_time == F(9, 2)


def test_a_freeze_is_seen_once_and_leaves_the_rate_of_the_others_alone():
    frames = plan_frames([shot(0, 7, 0, media_start=42), shot(7, 3)], F(0), F(10))
    assert [frame.shot for frame in frames] == [0, 1, 1, 1]
    assert frames[0].media_time == 42


def test_black_and_missing_picture_are_passed_over():
    shots = [shot(0, 4), shot(4, 4, path=None), shot(8, 2)]
    frames = plan_frames(shots, F(0), F(10))
    assert {frame.shot for frame in frames} == {0, 2}
    assert plan_frames(shots, F(4), F(4)) == ()


def test_window_without_any_picture_gives_nothing():
    assert plan_frames([], F(0), F(10)) == ()
    assert plan_frames([shot(0, 5)], F(10), F(10)) == ()


def test_more_shots_than_frames_prefers_those_seen_longest():
    shots = [shot(i, 1) if i % 2 else shot(i, F(1, 2)) for i in range(8)]
    frames = plan_frames(shots, F(0), F(10), limit=3)
    assert [frame.shot for frame in frames] == [1, 3, 5]


def test_a_shot_the_window_only_grazes_is_left_to_its_neighbour():
    frames = plan_frames([shot(-5, F(501, 100)), shot(F(1, 100), 5)], F(0), F(5))
    assert {frame.shot for frame in frames} == {1}


def test_a_shot_of_one_frame_is_seen_in_its_middle():
    (frame,) = plan_frames([shot(0, F(1, 24))], F(-1), F(10))
    assert frame.time == F(1, 48)


@pytest.mark.parametrize(("per_second", "limit"), [(F(0), 10), (F(-1), 10), (F(1), 0)])
def test_impossible_settings_are_refused(per_second, limit):
    with pytest.raises(SettingsError, match="must be positive"):
        plan_frames([shot(0, 5)], F(0), F(5), per_second, limit)
