"""Frames over the lanes' axis, marks of their ruler, and what of figures has changed: all without a window."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from fakes import Asked, FakeEngine
from sightmix.ui.base.asking import Failure
from sightmix.ui.base.pump import InlinePump
from sightmix.ui.base.source import Source
from sightmix.ui.control.frames import AT_ONCE, CRASHES, Frames
from sightmix.ui.control.lanes import changed_span, marks, spread, step_for, unheard
from sightmix.ui.control.state import Document


class Reel:
    """Frames of an engine that answers when it is told to; the clock goes on by itself."""

    def __init__(self, most_bytes: int = 1 << 20) -> None:
        self.now = 0.0
        self.engine, self.pump = FakeEngine(), InlinePump(lambda: self.now)
        self.frames = Frames(self.engine, self.pump, most_bytes)
        self.frames.open(Source(Path("film.otio")))

    def wait(self) -> Asked | None:
        self.now += 1.0
        self.pump.run()
        open_ = self.engine.open("thumbnails")
        return open_[-1] if open_ else None

    def want(self, *times: float) -> Asked | None:
        self.frames.want(times, 10)
        return self.wait()


def tell(asked: Asked, *times: float, width: int = 16) -> None:
    for time in times:
        asked.tell({"time": time, "width": width, "height": 10}, bytes(3 * width * 10))


def test_wishes_that_follow_each_other_quickly_are_one() -> None:
    reel = Reel()
    for time in range(10):
        reel.frames.want([float(time)], 10)
        reel.now += 0.01
        reel.pump.run()
    asked = reel.wait()
    assert asked is not None
    assert asked.data["times"] == [9.0]
    assert len(reel.engine.asked) == 1


def test_what_came_is_kept_and_not_asked_again() -> None:
    reel = Reel()
    asked = reel.want(1.0, 2.0, 3.0)
    assert asked is not None
    tell(asked, 1.0, 2.0)
    newer = reel.want(2.0, 3.0, 4.0)
    assert asked.cancelled
    assert newer is not None
    assert newer.data["times"] == [3.0, 4.0]
    frame = reel.frames.get(2.0, 10)
    assert frame is not None
    assert (frame.width, frame.height) == (16, 10)


def test_what_never_came_is_not_asked_for_for_ever() -> None:
    reel = Reel()
    asked = reel.want(1.0, 2.0)
    assert asked is not None
    tell(asked, 1.0)
    asked.finish()
    assert reel.want(1.0, 2.0) is None
    asked = reel.want(5.0)
    assert asked is not None
    asked.fail(Failure("The file has gone."))
    assert reel.want(5.0, 1.0) is None


def test_an_engine_that_goes_down_again_and_again_is_left_alone() -> None:
    reel = Reel()
    asked = reel.want(1.0)
    for _ in range(CRASHES):
        assert asked is not None
        asked.fail(Failure("The engine went down.", crashed=True))
        asked = reel.wait()
    assert asked is None
    assert len(reel.engine.asked) == CRASHES


def test_many_frames_come_in_parts() -> None:
    reel = Reel()
    wanted = [float(time) for time in range(AT_ONCE + 5)]
    asked = reel.want(*wanted)
    assert asked is not None
    assert len(asked.data["times"]) == AT_ONCE
    tell(asked, *asked.data["times"])
    asked.finish()
    asked = reel.wait()
    assert asked is not None
    assert asked.data["times"] == wanted[AT_ONCE:]


def test_the_frames_seen_longest_ago_make_room() -> None:
    reel = Reel(most_bytes=3 * 480)
    asked = reel.want(1.0, 2.0, 3.0, 4.0)
    assert asked is not None
    tell(asked, 1.0, 2.0, 3.0)
    reel.frames.get(1.0, 10)
    tell(asked, 4.0)
    assert [reel.frames.get(time, 10) is not None for time in (1.0, 2.0, 3.0, 4.0)] == [
        True,
        False,
        True,
        True,
    ]


def test_a_payload_of_another_size_is_no_frame() -> None:
    reel = Reel()
    asked = reel.want(1.0)
    assert asked is not None
    asked.tell({"time": 1.0, "width": 16, "height": 10}, b"short")
    assert reel.frames.get(1.0, 10) is None


def test_frames_of_another_timeline_are_forgotten() -> None:
    reel = Reel()
    asked = reel.want(1.0, 2.0)
    assert asked is not None
    tell(asked, 1.0)
    reel.frames.open(Source(Path("other.otio")))
    assert asked.cancelled
    assert reel.frames.get(1.0, 10) is None
    reel.frames.close()
    assert reel.want(7.0) is None


def document(rate: Fraction, start: Fraction, *, drop: bool = False, seconds: int = 7200) -> Document:
    return Document(
        Source(Path("film.otio")), "", rate, drop, start, Fraction(seconds), "", True, (), (), (), ()
    )  # fmt: skip


def test_marks_are_round_in_the_timelines_own_timecode() -> None:
    film = document(Fraction(25), Fraction(3600) - Fraction(3, 25))
    assert list(marks(film, 0.0, 25.0, (0, 10))) == [
        (0.12, "01:00:00:00"), (10.12, "01:00:10:00"), (20.12, "01:00:20:00"),
    ]  # fmt: skip
    assert [text for _, text in marks(film, 1.0, 1.5, (5, 0))] == ["01:00:01:00", "01:00:01:05"]


def test_marks_pass_over_the_numbers_that_drop_frame_leaves_out() -> None:
    rate = Fraction(30000, 1001)
    film = document(rate, Fraction(0), drop=True)
    found = list(marks(film, 0.0, 700.0, (0, 60)))
    assert [text for _, text in found[:3]] == ["00:00:00;00", "00:01:00;02", "00:02:00;02"]
    assert found[10][1] == "00:10:00;00"
    for time, text in found:
        assert film.timecode(time) == text


@pytest.mark.parametrize(
    "rate", [Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(50), Fraction(60)]
)
def test_every_mark_is_the_timecode_of_its_place(rate: Fraction) -> None:
    film = document(rate, Fraction(round(3600 * rate)) / rate)
    for apart in (0.01, 0.1, 1.0, 30.0, 500.0):
        found = list(marks(film, 5.0, 5.0 + 8 * max(apart, 0.05), step_for(rate, apart)))
        assert len({time for time, _ in found}) == len(found) <= 40
        assert all(film.timecode(time) == text for time, text in found)
        gaps = np.diff([time for time, _ in found])
        assert (gaps >= apart - 1e-9).all()


def test_marks_go_on_past_midnight() -> None:
    film = document(Fraction(25), Fraction(24 * 3600 - 15), seconds=60)
    assert [text for _, text in marks(film, 0.0, 60.0, (0, 10))] == [
        "23:59:50:00", "00:00:00:00", "00:00:10:00", "00:00:20:00", "00:00:30:00", "00:00:40:00",
    ]  # fmt: skip
    assert [text for _, text in marks(film, 30.0, 40.0, (0, 10))] == ["00:00:20:00"]


def test_frames_are_spread_the_same_from_any_place_and_never_closer() -> None:
    times = np.sort(np.random.default_rng(0).random(400) * 100)
    shown = times[spread(times, 3.0)]
    assert (np.diff(shown) >= 3.0).all()
    assert len(shown) > 20
    assert list(spread(np.zeros(0), 3.0)) == []


def test_what_changed_of_a_curve_is_told_in_seconds() -> None:
    times = np.arange(100) / 10
    before = np.zeros((3, 100), np.float32)
    after = before.copy()
    after[1, 40:50] = -3
    assert changed_span((times, before), (times, after), 0) is None
    assert changed_span((times, before), (times, after), 1) == (3.9, 5.0)
    assert changed_span((times[:0], before[:, :0]), (times, after), 1) == (-np.inf, np.inf)


def test_what_was_not_heard_lies_beside_what_was() -> None:
    assert unheard((), 0.0, 60.0) == []
    assert unheard(((10.0, 20.0), (30.0, 35.0)), 0.0, 60.0) == [(0.0, 10.0), (20.0, 30.0), (35.0, 60.0)]
    assert unheard(((10.0, 20.0),), 12.0, 18.0) == []
