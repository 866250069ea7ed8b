"""The lanes' geometry: times stay in their lane, pictures do not overlap, curves keep their shape."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sightmix.engine.passage import GainCurves, SeenFrame
from sightmix.engine.roles import STEMS
from sightmix.plugin.jobs.lanes import (
    GUTTER,
    PLOT,
    Axis,
    choose_frames,
    gain_bound,
    gain_path,
    gain_ticks,
    gain_y,
)

RIGHT = GUTTER + PLOT


@given(st.floats(-60, 60), st.floats(0.01, 40_000), st.floats(-1e6, 1e6))
def test_every_time_falls_into_the_lane(first: float, length: float, seconds: float) -> None:
    axis = Axis(first, first + length)
    assert GUTTER <= axis.x(seconds) <= RIGHT
    assert axis.x(first) == GUTTER
    assert axis.x(first + length) == pytest.approx(RIGHT, abs=0.02)


@given(st.floats(-30, 30), st.floats(0.1, 20_000))
def test_ticks_are_few_round_and_in_order(first: float, length: float) -> None:
    ticks = Axis(first, first + length).ticks()
    places = [x for x, _ in ticks]
    assert places == sorted(places)
    assert len(ticks) <= 10
    assert len({text for _, text in ticks}) == len(ticks)


def frames(times: list[float]) -> list[SeenFrame]:
    return [SeenFrame(t, Path("a.mov"), Fraction(0), 0) for t in times]


@given(st.lists(st.floats(-1, 61), max_size=80), st.floats(20, 200))
def test_thumbnails_stand_side_by_side(times: list[float], width: float) -> None:
    placed = choose_frames(frames(times), Axis(-1, 61), width)
    lefts = [left for _, left in placed]
    assert all(b - a >= width + 3.9 for a, b in pairwise(lefts))
    assert all(left >= GUTTER - 0.1 and left + width <= RIGHT + 0.1 for left in lefts)
    assert [f.time for f, _ in placed] == sorted(f.time for f, _ in placed)
    assert bool(placed) == bool(times)


def test_many_frames_are_thinned_evenly() -> None:
    placed = choose_frames(frames([float(t) for t in range(60)]), Axis(0, 60), 110)
    chosen = [f.time for f, _ in placed]
    assert chosen[0] == 0.0
    assert chosen[-1] == 59.0
    assert len(chosen) == int(PLOT // 114)


def curves(*values: float) -> GainCurves:
    return GainCurves(tuple(float(i) for i in range(len(values))), {stem: values for stem in STEMS})


@pytest.mark.parametrize(
    ("values", "bound"), [((), 6.0), ((0.0,), 6.0), ((6.0,), 6.0), ((-6.1,), 9.0), ((13.0, -2.0), 15.0)]
)
def test_the_gain_lane_is_high_enough(values: tuple[float, ...], bound: float) -> None:
    assert gain_bound(curves(*values)) == bound
    assert gain_ticks(bound)[0] == -bound
    assert gain_ticks(bound)[-1] == bound
    assert 0.0 in gain_ticks(bound)


def test_gain_heights() -> None:
    assert [gain_y(v, 6.0) for v in (6.0, 3.0, 0.0, -6.0, -99.0)] == [0.0, 0.25, 0.5, 1.0, 1.0]


def test_a_short_curve_is_drawn_point_by_point_and_a_long_one_averaged() -> None:
    axis = Axis(0.0, 10.0)
    assert gain_path(axis, [0.0, 10.0], [0.0, 1.0], 100.0, 50.0) == f"{GUTTER},100.0 {RIGHT},150.0"
    assert gain_path(axis, [], [], 0.0, 1.0) == ""
    times = [i / 1000 for i in range(10_000)]
    points = gain_path(axis, times, [0.5] * 10_000, 0.0, 100.0).split()
    assert len(points) == 420
    assert {point.split(",")[1] for point in points} == {"50.0"}
