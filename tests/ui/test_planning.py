"""What the next job will do is known before the button is pressed, and why it can not be pressed too."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import FakeEngine
from sightmix.plugin.jobs.defaults import Defaults
from sightmix.ui.base.asking import Failure
from sightmix.ui.base.pump import InlinePump
from sightmix.ui.control.history import History
from sightmix.ui.control.options import Options
from sightmix.ui.control.planning import EMPTY, NO_CLIPS, Outlook, Planning

WANTED = {"source": {"path": "/a.otio"}, "out": "/b.otio", "told": [], "clips": "", "drawn": None}


class Desk:
    """Planning with all it needs, and a clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.engine, self.pump = FakeEngine(), InlinePump(lambda: self.now)
        self.options = Options(History(), Defaults(None))
        self.planning = Planning(self.engine, self.pump, self.options)

    def wait(self, seconds: float = 1.0) -> None:
        self.now += seconds
        self.pump.run()


@pytest.fixture
def desk() -> Desk:
    return Desk()


def plan(*clips: tuple[str, float | None, str]) -> dict[str, Any]:
    """A plan's data: track, seconds and status of each clip; without seconds it is left out."""
    rows = [
        {"track": track, "status": status, **({} if seconds is None else {"seconds": seconds})}
        for track, seconds, status in clips
    ]
    return {"clips": rows, "bytes_needed": 10, "losses": [{"text": "A3 is taken for a mix."}]}


def test_nothing_open_is_said_and_nothing_asked(desk: Desk) -> None:
    desk.options.set("music", -1.0)
    desk.wait()
    assert (desk.planning.blocked, desk.planning.outlook, desk.engine.asked) == (EMPTY, None, [])


def test_the_engine_is_asked_once_things_have_settled(desk: Desk) -> None:
    desk.planning.want(WANTED)
    for level in (-1.0, -2.0, -3.0):
        desk.wait(0.1)
        desk.options.set("music", level)
    assert desk.engine.asked == []
    desk.wait()
    (request,) = desk.engine.asked
    assert request.do == "plan"
    assert request.data["settings"]["music"] == -3.0
    assert request.data["source"] == WANTED["source"]
    request.finish(
        plan(("A1", 10.0, "to ride"), ("A1", 20.0, "cached"), ("A2", 30.0, "to render"), ("A3", None, ""))
    )
    assert desk.planning.outlook == Outlook(2, 3, 1, 1, 40.0, None, True, 10, ("A3 is taken for a mix.",))
    assert desk.planning.blocked == ""


def test_an_older_answer_never_wins(desk: Desk) -> None:
    desk.planning.want(WANTED)
    desk.wait()
    desk.planning.want({**WANTED, "clips": "2"})
    desk.wait()
    first, second = desk.engine.asked
    assert first.cancelled
    second.finish(plan(("A1", 1.0, "to render")))
    assert desk.planning.outlook is not None
    assert desk.planning.outlook.clips == 1


def test_what_stands_in_the_way_is_said(desk: Desk) -> None:
    desk.planning.want(WANTED)
    desk.wait()
    desk.engine.asked[-1].fail(Failure("The folder /x does not exist.", "WriteError"))
    assert desk.planning.blocked == "The folder /x does not exist."
    desk.options.set("strength", "loud")
    assert "Strength must be" in desk.planning.blocked
    desk.options.reset("strength")
    desk.wait()
    desk.engine.asked[-1].finish(plan(("A1", None, "left out")))
    assert desk.planning.blocked == NO_CLIPS
    desk.planning.want(None)
    assert desk.planning.blocked == EMPTY


def test_a_job_at_work_does_not_stand_in_the_way_of_the_next(desk: Desk) -> None:
    desk.planning.want(WANTED)
    desk.wait()
    desk.engine.asked[-1].finish(plan(("A1", 1.0, "to render")))
    desk.planning.refresh()
    desk.wait()
    desk.engine.asked[-1].fail(Failure("It is being written by another run.", "BusyError"))
    assert desk.planning.blocked == ""
    assert desk.planning.outlook is not None


def test_it_learns_how_long_things_take(desk: Desk) -> None:
    desk.planning.want(WANTED)
    desk.wait()
    desk.engine.asked[-1].finish(plan(("A1", 100.0, "to render"), ("A1", 50.0, "cached")))
    clips = [
        {"status": "rendered", "record_in": 10.0, "record_out": 30.0},
        {"status": "cached", "record_in": 0.0, "record_out": 500.0},
    ]
    desk.planning.learn({"clips": clips, "summary": {"seconds": 4.0}})
    assert desk.planning.outlook is not None
    assert desk.planning.outlook.seconds == pytest.approx(20.0)
    desk.planning.learn({"clips": clips[1:], "summary": {"seconds": 4.0}})
    assert desk.planning.outlook.seconds == pytest.approx(20.0)
    desk.options.set("keep_originals", True)
    assert not desk.planning.outlook.muted


def test_once_closed_it_asks_nothing_more(desk: Desk) -> None:
    desk.planning.want(WANTED)
    desk.planning.close()
    desk.wait()
    assert desk.engine.asked == []
