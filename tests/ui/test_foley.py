"""The Foley page's part: what is silent, what could be laid there, and choices that can be undone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes import Asked, FakeEngine
from sightmix.plugin.session.foley import NOT_THERE, Candidate, Place
from sightmix.ui.base.asking import Failure
from sightmix.ui.base.source import Source
from sightmix.ui.control.foley import Foley, Heard, Pick
from sightmix.ui.control.history import History

FILM = Source(Path("/film/cut.otio"))
PLACES = (
    Place(1, 0.0, 2.5, "Door", "gap", (), "01:00:00:00", "01:00:02:12"),
    Place(2, 4.0, 6.0, "Street", "silent", (3,), "01:00:04:00", "01:00:06:00"),
)
STEPS = (Candidate("a", "Door, wood", 0.9, 1.5), Candidate("b", "Door, iron", 0.4, 2.0, "softer"))


class Desk:
    """The part with an engine that has an engine for Foley, unless told otherwise."""

    def __init__(self, able: bool = True) -> None:
        self.able = able
        self.engine = FakeEngine(self.answer)
        self.history = History()
        self.part = Foley(self.engine, self.history)
        self.heard: list[Heard] = []
        self.failed: list[Failure] = []
        self.part.heard.subscribe(self.heard.append)
        self.part.failed.subscribe(self.failed.append)
        self.part.show(FILM)

    def answer(self, asked: Asked) -> None:
        if asked.do == "foley":
            asked.finish({"available": self.able, "reason": "" if self.able else NOT_THERE})

    def find(self, places: tuple[Place, ...] = PLACES) -> None:
        self.part.find()
        [request] = self.engine.open("foley_find")
        assert request.data["source"] == FILM.to_dict()
        request.tell({"stage": "silences", "done": 1.0, "total": 2.0})
        assert self.part.share == 0.5
        request.finish({"places": [place.to_dict() for place in places]})

    def list(self) -> None:
        self.part.list()
        [request] = self.engine.open("foley_candidates")
        for candidate in STEPS:
            request.tell({"candidate": candidate.to_dict()})
        request.finish({})


def test_without_an_engine_places_are_found_and_nothing_is_made() -> None:
    desk = Desk(able=False)
    assert (desk.part.able, desk.part.reason) == (False, NOT_THERE)
    desk.find()
    assert desk.part.places == PLACES
    assert desk.part.chosen == PLACES[0]
    desk.part.list()
    desk.part.hear("a")
    desk.part.pick("a")
    assert [asked.do for asked in desk.engine.asked] == ["foley", "foley_find"]
    assert desk.part.picks == {}


def test_find_list_hear_pick_nudge_and_undo() -> None:
    desk = Desk()
    desk.find()
    desk.part.choose(2)
    desk.list()
    assert desk.part.candidates == STEPS
    desk.part.hear("b")
    [request] = desk.engine.open("foley_hear")
    assert request.data["candidate"] == STEPS[1].to_dict()
    assert request.data["place"] == PLACES[1].to_dict()
    sound = np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)
    request.finish({"channels": 2, "samples": 3, "rate": 48000}, sound.tobytes())
    [heard] = desk.heard
    assert np.array_equal(heard.sound, sound)
    assert (heard.start, heard.rate, heard.candidate.key) == (4.0, 48000, "b")

    desk.part.pick("b")
    desk.part.nudge(0.04)
    desk.part.nudge(0.04)
    assert desk.part.pick_here == Pick("b", 0.08)
    assert desk.part.picks == {2: Pick("b", 0.08)}
    desk.history.undo()
    assert desk.part.pick_here == Pick("b"), "one nudge after the other is one deed"
    desk.history.undo()
    assert desk.part.pick_here is None
    desk.history.redo()
    desk.history.redo()
    assert desk.part.pick_here == Pick("b", 0.08)
    desk.part.pick(None)
    assert desk.part.pick_here is None


def test_what_was_nudged_is_heard_where_it_lies() -> None:
    desk = Desk()
    desk.find()
    desk.list()
    desk.part.pick("a")
    desk.part.nudge(-0.5)
    for key in "ab":
        desk.part.hear(key)
        desk.engine.open("foley_hear")[0].finish(
            {"channels": 1, "samples": 1, "rate": 48000}, np.zeros(1, np.float32).tobytes()
        )
    assert [heard.start for heard in desk.heard] == [-0.5, 0.0]
    assert desk.part.pick("b") is None
    assert desk.part.pick_here == Pick("b", -0.5), "another sound stays where the first was put"


def test_the_newest_wish_is_heard() -> None:
    desk = Desk()
    desk.find()
    desk.list()
    desk.part.hear("a")
    desk.part.hear("b")
    [request] = desk.engine.open("foley_hear")
    assert request.data["candidate"]["key"] == "b"
    assert desk.part.loading, "what was replaced has ended, this has not"
    assert desk.failed == []


def test_stopping_keeps_what_has_come() -> None:
    desk = Desk()
    desk.find()
    desk.part.list()
    desk.engine.open("foley_candidates")[0].tell({"candidate": STEPS[0].to_dict()})
    assert desk.part.listing
    desk.part.stop()
    assert not desk.part.listing
    assert desk.part.candidates == STEPS[:1]
    assert desk.part.failure is None


def test_found_again_choices_stay_with_their_places() -> None:
    desk = Desk()
    desk.find()
    desk.part.choose(2)
    desk.list()
    desk.part.pick("a")
    desk.find((Place(1, 4.0, 6.0, "Street", "silent"), Place(2, 8.0, 9.0, "New", "gap")))
    assert desk.part.picks == {1: Pick("a")}
    assert desk.part.chosen is not None
    assert desk.part.chosen.name == "Street"
    assert desk.part.candidates == STEPS


def test_another_timeline_begins_anew() -> None:
    desk = Desk()
    desk.find()
    desk.part.find()
    desk.part.show(Source(Path("/film/other.otio")))
    assert (desk.part.places, desk.part.chosen, desk.part.finding) == (None, None, False)
    desk.part.show(None)
    desk.part.find()
    assert desk.engine.open("foley_find") == []


@pytest.mark.parametrize("crashed", [False, True])
def test_a_failure_is_a_sentence(crashed: bool) -> None:
    desk = Desk()
    desk.part.find()
    desk.engine.open("foley_find")[0].fail(Failure("It broke.", crashed=crashed))
    assert desk.part.failure == desk.failed[0]
    assert not desk.part.finding
    desk.find()
    assert desk.part.failure is None
