"""Curves drawn by hand: what an edit does to them, that nothing jumps, and that all of it is taken back."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lanes_fakes import FakeLive
from sightmix.engine.roles import STEMS
from sightmix.plugin.jobs.hand import HIGHEST_DB, LOWEST_DB, Drawn, with_hand
from sightmix.ui.control.curves import Curves, Spot
from sightmix.ui.control.history import History
from sightmix.ui.control.stretches import GAP, drawn_of, lines_of, simple


class Desk:
    """Curves over a made-up mix."""

    def __init__(self, seconds: float = 60.0, *, heard: bool = True) -> None:
        self.live, self.history = FakeLive(seconds, heard=heard), History()
        self.curves = Curves(self.history, self.live)
        self.curves.duration, self.curves.frame = seconds, float(1 / Fraction(25))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_new_point_leaves_the_models_curve_and_comes_back_to_it(desk: Desk) -> None:
    before = desk.curves.value("music", 4.5), desk.curves.value("music", 5.5)
    spot = desk.curves.add("music", 5.0, -12.0, reach=0.5)
    (line,) = desk.curves.lines("music")
    assert [time for time, _ in line] == [4.5, 5.0, 5.5]
    assert (line[0][1], line[-1][1]) == pytest.approx(before, abs=1e-3)
    assert desk.curves.selected == {spot}
    assert desk.curves.db(spot) == -12.0
    times, gains = desk.live.table()
    assert np.abs(np.diff(gains[1])).max() < 1.0  # nothing jumps: at most the new slope from frame to frame
    assert gains[1][np.argmin(np.abs(times - 5.0))] == pytest.approx(-12.0, abs=0.6)
    assert np.array_equal(gains[0], desk.live.model[0])


def test_points_are_of_the_curve_before_the_programmes_level(desk: Desk) -> None:
    desk.live.level_db = 4.0
    desk.curves.add("speech", 5.0, -6.0, reach=1.0)
    assert desk.curves.points("speech") == [(4.0, 0.0), (5.0, -6.0), (6.0, 0.0)]
    desk.curves.take("effects", 2.0, 4.0)
    assert desk.curves.points("effects") == [(2.0, 0.0), (4.0, 0.0)]
    assert np.allclose(desk.live.table()[1][2], 4.0)


def test_a_point_within_a_stretch_joins_it(desk: Desk) -> None:
    desk.curves.add("speech", 5.0, -6.0, reach=1.0)
    desk.curves.add("speech", 4.5, -4.0)
    desk.curves.add("speech", 6.5, 3.0, reach=1.0)
    (line,) = desk.curves.lines("speech")
    assert [time for time, _ in line] == [4.0, 4.5, 5.0, 6.0, 6.5, 7.5]


def test_points_at_the_ends_of_the_programme_need_no_way_back(desk: Desk) -> None:
    desk.curves.add("speech", -3.0, -6.0)
    desk.curves.add("effects", 99.0, -6.0)
    assert desk.curves.points("speech") == [(0.0, -6.0), (0.5, 0.0)]
    assert desk.curves.points("effects") == [(59.5, 0.0), (60.0, -6.0)]


def test_points_can_be_drawn_before_anything_was_heard() -> None:
    desk = Desk(heard=False)
    desk.curves.add("music", 5.0, -9.0)
    assert desk.curves.points("music") == [(4.5, 0.0), (5.0, -9.0), (5.5, 0.0)]


def test_a_dragged_point_stops_at_its_neighbours_and_the_scales_ends(desk: Desk) -> None:
    desk.curves.add("speech", 5.0, -6.0, reach=1.0)
    desk.curves.begin()
    desk.curves.drag(0.3, -2.0)
    desk.curves.drag(0.5, -3.0)
    assert desk.curves.selected == {Spot("speech", 5.5)}
    assert desk.curves.points("speech")[1] == (5.5, -9.0)
    desk.curves.drag(77.0, -200.0)
    assert desk.curves.points("speech")[1] == (pytest.approx(6.0 - GAP), LOWEST_DB)
    desk.curves.drag(-77.0, 200.0)
    assert desk.curves.points("speech")[1] == (pytest.approx(4.0 + GAP), HIGHEST_DB)
    desk.curves.end()
    desk.history.undo()
    assert desk.curves.points("speech")[1] == (5.0, -6.0)
    assert desk.history.next_undo == "Add curve point"


def test_points_of_several_stems_move_together_as_far_as_the_first_that_is_stopped(desk: Desk) -> None:
    first, second = desk.curves.add("speech", 5.0, -6.0, 1.0), desk.curves.add("music", 5.0, 0.0, 0.3)
    desk.curves.select([first, second])
    desk.curves.nudge(100, 1.0)
    assert [spot.time for spot in desk.curves.selected] == pytest.approx([5.3 - GAP] * 2)
    assert [desk.curves.db(spot) for spot in sorted(desk.curves.selected)] == [1.0, -5.0]


def test_a_stretch_dragged_to_another_stays_one_of_its_own(desk: Desk) -> None:
    desk.curves.add("speech", 5.0, -6.0, reach=1.0)
    desk.curves.add("speech", 9.0, -6.0, reach=1.0)
    desk.curves.select_all("speech")
    desk.curves.select([Spot("speech", time) for time in (4.0, 5.0, 6.0)])
    desk.curves.nudge(1000, 0.0)
    assert len(desk.curves.points("speech")) == 6
    desk.curves.nudge(0, 1.0)
    assert len(desk.curves.points("speech")) == 6


def test_nudges_are_deeds_of_their_own_unless_the_key_is_held(desk: Desk) -> None:
    desk.curves.add("speech", 5.0, -6.0, reach=1.0)
    desk.curves.nudge(1, 0.1)
    desk.curves.nudge(1, 0.1)
    desk.curves.nudge(0, 1.0, again=True)
    assert desk.curves.points("speech")[1] == (pytest.approx(5.08), pytest.approx(-4.8))
    desk.history.undo()
    assert desk.curves.points("speech")[1] == (pytest.approx(5.04), pytest.approx(-5.9))
    desk.history.undo()
    assert desk.curves.points("speech")[1] == (5.0, -6.0)


def test_a_stretch_of_one_point_is_none(desk: Desk) -> None:
    desk.curves.add("music", 5.0, -12.0)
    desk.curves.remove()
    assert len(desk.curves.points("music")) == 2
    desk.curves.select([Spot("music", 4.5)])
    desk.curves.remove()
    assert desk.live.drawn == ()
    assert not desk.curves.selected
    assert np.array_equal(desk.live.table()[1], desk.live.model)
    desk.history.undo()
    assert desk.curves.selected == {Spot("music", 4.5)}


def test_freehand_is_one_deed_with_few_points_that_meets_the_curve(desk: Desk) -> None:
    desk.curves.begin()
    for time in np.linspace(10.0, 14.0, 200):
        desk.curves.draw("effects", float(time), -6.0 * float(time - 10.0))
    desk.curves.end()
    points = desk.curves.points("effects")
    assert points == [(9.9, 0.0), (10.0, 0.0), (14.0, -24.0), (14.1, 0.0)]
    assert desk.live.sets > 100  # it was heard while it was drawn
    desk.history.undo()
    assert desk.live.drawn == ()
    assert not desk.history.next_undo


def test_freehand_that_turns_back_draws_over_itself(desk: Desk) -> None:
    desk.curves.begin()
    for time, db in ((10.0, 0.0), (12.0, -6.0), (14.0, -6.0), (13.0, 3.0), (11.0, 3.0)):
        desk.curves.draw("effects", time, db)
    desk.curves.end()
    times = [time for time, _ in desk.curves.points("effects")]
    assert times == sorted(times)
    assert desk.curves.value("effects", 12.0) == pytest.approx(3.0, abs=0.3)
    assert desk.curves.value("effects", 14.0) == pytest.approx(-6.0, abs=0.3)


def test_freehand_over_a_stretch_keeps_what_lies_beside_it(desk: Desk) -> None:
    desk.curves.add("speech", 5.0, -6.0, reach=2.0)
    desk.curves.begin()
    for time in (5.5, 6.0, 6.2):
        desk.curves.draw("speech", time, -20.0)
    desk.curves.end()
    (line,) = desk.curves.lines("speech")
    assert (3.0, 0.0) in line
    assert (5.0, -6.0) in line
    assert (7.0, 0.0) in line
    assert desk.curves.value("speech", 5.4) == pytest.approx(-4.8)
    assert (6.2, -20.0) in line


def test_the_models_curve_is_made_into_points_that_move_together(desk: Desk) -> None:
    before = desk.live.table()[1].copy()
    desk.curves.take("music", 2.0, 8.0)
    assert 4 <= len(desk.curves.points("music")) < 60
    assert np.abs(desk.live.table()[1] - before).max() < 0.25
    desk.curves.nudge(0, -3.0)
    inside = (desk.live.times > 2) & (desk.live.times < 8)
    assert np.abs(desk.live.table()[1] - before)[1, inside] == pytest.approx(3.0, abs=0.25)


def test_more_than_ten_minutes_are_not_made_into_points() -> None:
    desk = Desk(700.0)
    desk.curves.take("music", 0.0, 700.0)
    assert desk.live.drawn == ()
    desk.curves.take("music", 0.0, 600.0)
    assert len(desk.curves.points("music")) > 100


@given(
    st.lists(st.tuples(st.floats(-60, 24), st.floats(0.02, 3.0)), min_size=2, max_size=40),
    st.floats(0.0, 3.0),
)
def test_a_simpler_line_stays_as_near_as_it_is_told_to(
    steps: list[tuple[float, float]], tolerance: float
) -> None:
    times = np.cumsum([apart for _, apart in steps])
    levels = [level for level, _ in steps]
    line = simple(times.tolist(), levels, tolerance)
    assert line[0] == (times[0], levels[0])
    assert line[-1] == (times[-1], levels[-1])
    there = np.interp(times, [time for time, _ in line], [db for _, db in line])
    assert np.abs(there - levels).max() <= tolerance + 1e-9


def test_stretches_and_stems_go_back_to_the_model(desk: Desk) -> None:
    for stem in STEMS:
        desk.curves.add(stem, 5.0, -6.0)
        desk.curves.add(stem, 15.0, -6.0)
    desk.curves.reset("music", 15.2)
    assert [line[0][0] for line in desk.curves.lines("music")] == [4.5]
    desk.curves.reset_stem("speech")
    assert not desk.curves.points("speech")
    assert len(desk.curves.points("effects")) == 6
    desk.curves.reset_all()
    assert desk.live.drawn == ()
    for _ in range(3):
        desk.history.undo()
    assert sum(len(desk.curves.points(stem)) for stem in STEMS) == 18


def test_points_are_reached_one_after_the_other(desk: Desk) -> None:
    desk.curves.add("music", 5.0, -6.0)
    desk.curves.select(())
    found = [desk.curves.select_next("music", 1) for _ in range(4)]
    assert [spot.time if spot else None for spot in found] == [4.5, 5.0, 5.5, None]
    back = desk.curves.select_next("music", -1)
    assert back is not None
    assert back.time == 5.0


def test_selected_points_that_are_gone_are_forgotten(desk: Desk) -> None:
    desk.curves.add("music", 5.0, -6.0)
    desk.live.drawn = ()
    assert not desk.curves.selected


def test_stretches_of_a_file_that_overlap_are_heard_the_same_as_lines(desk: Desk) -> None:
    drawn = (
        Drawn("speech", (1.0, 9.0), (0.0, -8.0)),
        Drawn("speech", (3.0, 4.0), (6.0, 6.0)),
        Drawn("speech", (8.5, 12.0), (-20.0, -20.0)),
    )
    times = desk.live.times
    apart = np.abs(times[:, None] - np.array([3.0, 4.0, 8.5])).min(axis=1) > 2 * GAP
    told = with_hand(desk.live.model, times, drawn)
    ours = with_hand(desk.live.model, times, drawn_of(lines_of(drawn)))
    assert np.allclose(told[:, apart], ours[:, apart], atol=1e-4)
    assert len(lines_of(drawn)["speech"]) == 1


def test_what_is_held_is_let_go_when_another_timeline_opens(desk: Desk) -> None:
    desk.curves.add("speech", 5.0, -6.0)
    desk.curves.begin()
    desk.curves.drag(0.0, -1.0)
    desk.curves.open(None)
    desk.live.drawn = ()
    desk.curves.drag(0.0, -2.0)
    desk.curves.draw("speech", 1.0, -2.0)
    desk.curves.draw("speech", 2.0, -2.0)
    assert desk.live.drawn == ()


def test_an_edit_that_changes_nothing_is_no_deed(desk: Desk) -> None:
    desk.curves.remove()
    desk.curves.nudge(1, 1.0)
    desk.curves.reset("music", 5.0)
    desk.curves.reset_all()
    assert not desk.history.next_undo


seconds = st.floats(0.0, 60.0, allow_nan=False)
decibels = st.floats(-80.0, 40.0, allow_nan=False)
stems = st.sampled_from(STEMS)
edits = st.lists(
    st.one_of(
        st.tuples(st.just("add"), stems, seconds, decibels, st.floats(0.0, 5.0)),
        st.tuples(st.just("remove")),
        st.tuples(st.just("nudge"), st.integers(-40, 40), decibels),
        st.tuples(st.just("drag"), st.lists(st.tuples(st.floats(-9, 9), decibels), max_size=4)),
        st.tuples(st.just("draw"), stems, st.lists(st.tuples(seconds, decibels), max_size=6)),
        st.tuples(st.just("take"), stems, seconds, seconds),
        st.tuples(st.just("reset"), stems, seconds),
        st.tuples(st.just("reset_stem"), stems),
        st.tuples(st.just("select_all"), stems),
        st.tuples(st.just("undo")),
    ),
    max_size=12,
)


def _do(desk: Desk, what: str, *with_: object) -> None:
    if what in {"drag", "draw"}:
        *stem, moves = with_
        desk.curves.begin()
        for move in moves:  # type: ignore[attr-defined]
            getattr(desk.curves, what)(*stem, *move)
        desk.curves.end()
    elif what == "undo":
        desk.history.undo()
    else:
        method: Callable[..., object] = getattr(desk.curves, what)
        method(*with_)


@given(edits)
@example([("take", "speech", 0.0078125, 1.0), ("add", "speech", 0.0, 0.0, 0.0)])
def test_whatever_was_edited_is_undone_and_redone_exactly(edited: list[tuple[object, ...]]) -> None:
    desk = Desk()
    start = (Drawn("music", (20.0, 25.0, 31.0), (0.0, -3.0, 1.0)), Drawn("music", (24.0, 28.0), (2.0, 2.0)))
    desk.live.drawn = start
    for what, *with_ in edited:
        _do(desk, str(what), *with_)
        for stem in STEMS:
            times = [time for time, _ in desk.curves.points(stem)]
            assert all(0.0 <= time <= 60.0 for time in times)
        there = {Spot(stem, time) for stem in STEMS for time, _ in desk.curves.points(stem)}
        assert desk.curves.selected <= there
    while desk.history.redo():
        pass
    end = desk.live.drawn
    while desk.history.undo():
        pass
    assert desk.live.drawn == start
    while desk.history.redo():
        pass
    assert desk.live.drawn == end
