"""Foley for silent pictures: find where nothing is heard, hear what could be laid there, pick and nudge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...plugin.session.foley import MOST_CANDIDATES, Candidate, Place
from ..base.asking import Engine, Failure, Ticket
from ..base.source import Source
from ..base.topics import Topic
from .history import Deed, History

FIND, LIST, HEAR = "foley_find", "foley_candidates", "foley_hear"  # what the engine is asked, and its slots


@dataclass(frozen=True)
class Pick:
    """The sound chosen for a place, by its key, and how much later than the place it begins (s; before: negative)."""

    candidate: str
    nudge: float = 0.0


@dataclass(frozen=True)
class Heard:
    """A candidate's sound (channels, samples) at `rate` Hz, and the record time (s) of its first sample."""

    place: Place
    candidate: Candidate
    sound: NDArray[np.float32]
    rate: int
    start: float


class Foley:
    """What is known of a timeline's silent pictures, and what was chosen for them.

    Nothing can be made while `able` is False; `reason` says why. `changed` tells that anything a view shows has
    changed, `heard` brings a candidate that somebody wanted to hear, `failed` why something asked for did not come.
    """

    def __init__(self, engine: Engine, history: History) -> None:
        self.changed: Topic[[]] = Topic()
        self.heard: Topic[[Heard]] = Topic()
        self.failed: Topic[[Failure]] = Topic()
        self.source: Source | None = None
        self.able, self.reason = False, ""
        self.places: tuple[Place, ...] | None = None
        self.chosen: Place | None = None
        self.share: float | None = None
        self.failure: Failure | None = None
        self._engine, self._history = engine, history
        self._candidates: dict[int, list[Candidate]] = {}
        self._picks: dict[int, Pick] = {}
        self._tickets: dict[str, Ticket] = {}
        self._asked: dict[str, object] = {}

    # What is there.

    def show(self, source: Source | None) -> None:
        """Work on this timeline from now on; what was found and chosen in another is forgotten."""
        for ticket in tuple(self._tickets.values()):
            ticket.cancel()
        self.source, self.places, self.chosen, self.failure = source, None, None, None
        self.able, self.reason = False, ""
        self._candidates.clear()
        self._picks.clear()
        if source is not None:
            self._engine.ask(
                "foley",
                {"source": source.to_dict()},
                slot="foley",
                done=lambda data, _: self._told(data),
                failed=self._refuse,
            )
        self.changed.emit()

    @property
    def finding(self) -> bool:
        """Whether silent places are being looked for."""
        return FIND in self._asked

    @property
    def listing(self) -> bool:
        """Whether candidates are being made."""
        return LIST in self._asked

    @property
    def loading(self) -> bool:
        """Whether a candidate's sound is on its way."""
        return HEAR in self._asked

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """What could be laid at the chosen place, the best first, as far as it has come."""
        return tuple(self._candidates.get(self.chosen.number, ())) if self.chosen is not None else ()

    @property
    def picks(self) -> Mapping[int, Pick]:
        """What was picked, by the place's number."""
        return dict(self._picks)

    @property
    def pick_here(self) -> Pick | None:
        """What was picked for the chosen place."""
        return self._picks.get(self.chosen.number) if self.chosen is not None else None

    # Looking and listening.

    def find(self) -> None:
        """Look for silent pictures. What was picked is kept where the places are found again as they were."""
        if self.source is None or self.finding:
            return
        self.share, self.failure = None, None
        self._ask(FIND, {}, event=self._moved, done=lambda data, _: self._found(data))

    def stop(self) -> None:
        """Stop looking and listing; what has been found stays."""
        for name in (FIND, LIST):
            if name in self._asked:
                self._tickets[name].cancel()

    def choose(self, number: int) -> None:
        """Look at a place."""
        place = next((place for place in self.places or () if place.number == number), None)
        if place is not None and place != self.chosen:
            self.chosen = place
            self.changed.emit()

    def list(self, most: int = MOST_CANDIDATES) -> None:
        """Have candidates made for the chosen place, in the place of those that are there."""
        place = self.chosen
        if place is None or not self.able:
            return
        self.failure = None
        self._candidates[place.number] = []
        data = {"place": place.to_dict(), "most": most}
        self._ask(LIST, data, event=lambda told, _: self._candidate(place, told))

    def hear(self, key: str) -> None:
        """Hear a candidate where it would lie; `heard` brings it. The newest wish wins."""
        place, candidate = self.chosen, self._named(key)
        if place is None or candidate is None or not self.able:
            return
        data = {"place": place.to_dict(), "candidate": candidate.to_dict()}
        self._ask(HEAR, data, done=lambda told, payload: self._sounds(place, candidate, told, payload))

    # Choosing; all of it can be undone.

    def pick(self, key: str | None) -> None:
        """Choose a candidate for the chosen place, or none; a nudge that was made stays."""
        place = self.chosen
        if place is None or (key is not None and self._named(key) is None):
            return
        before = self._picks.get(place.number)
        nudge = before.nudge if before is not None else 0.0
        after = None if key is None else Pick(key, nudge)
        if after != before:
            self._do("foley-pick", place, before, after)

    def nudge(self, seconds: float) -> None:
        """Lay what was picked for the chosen place that much later (earlier: negative)."""
        place = self.chosen
        before = self._picks.get(place.number) if place is not None else None
        if place is None or before is None or not seconds:
            return
        after = replace(before, nudge=round(before.nudge + seconds, 6))
        self._do("foley-nudge", place, before, after, f"foley-nudge-{place.number}")

    def _do(self, name: str, place: Place, before: Pick | None, after: Pick | None, key: str = "") -> None:
        self._history.do(Deed(name, lambda: self._set(place, after), lambda: self._set(place, before), key))

    def _set(self, place: Place, pick: Pick | None) -> None:
        if pick is None:
            self._picks.pop(place.number, None)
        else:
            self._picks[place.number] = pick
        self.changed.emit()

    # What the engine answers.

    def _ask(self, do: str, data: Mapping[str, Any], event: Any = None, done: Any = None) -> None:
        assert self.source is not None

        asked = self._asked[do] = object()

        def ended(told: Mapping[str, Any], payload: bytes) -> None:
            self._over(do, asked)
            if done is not None:
                done(told, payload)
            self.changed.emit()

        def failed(failure: Failure) -> None:
            self._over(do, asked)
            self._refuse(failure)

        data = {"source": self.source.to_dict(), **data}
        self._tickets[do] = self._engine.ask(do, data, slot=do, event=event, done=ended, failed=failed)
        self.changed.emit()

    def _over(self, do: str, asked: object) -> None:
        """That is no longer being worked on, unless it was asked for again."""
        if self._asked.get(do) is asked:
            del self._asked[do]

    def _refuse(self, failure: Failure) -> None:
        if not failure.cancelled:
            self.failure = failure
            self.failed.emit(failure)
        self.changed.emit()

    def _told(self, data: Mapping[str, Any]) -> None:
        self.able, self.reason = bool(data["available"]), str(data["reason"])
        self.changed.emit()

    def _moved(self, data: Mapping[str, Any], _: bytes) -> None:
        done, total = data.get("done"), data.get("total")
        self.share = min(1.0, done / total) if done is not None and total else None
        self.changed.emit()

    def _found(self, data: Mapping[str, Any]) -> None:
        places = tuple(Place.from_dict(place) for place in data["places"])
        before = {_spot(place): place.number for place in self.places or ()}
        again = {before[_spot(place)]: place.number for place in places if _spot(place) in before}
        self._picks = {again[old]: pick for old, pick in self._picks.items() if old in again}
        self._candidates = {again[old]: found for old, found in self._candidates.items() if old in again}
        kept = again.get(self.chosen.number) if self.chosen is not None else None
        self.places = places
        self.chosen = next((place for place in places if place.number == kept), places[0] if places else None)

    def _candidate(self, place: Place, data: Mapping[str, Any]) -> None:
        if "candidate" in data:
            self._candidates[place.number].append(Candidate.from_dict(data["candidate"]))
            self.changed.emit()

    def _sounds(self, place: Place, candidate: Candidate, data: Mapping[str, Any], payload: bytes) -> None:
        sound = np.frombuffer(payload, np.float32).reshape(data["channels"], data["samples"])
        pick = self._picks.get(place.number)
        nudge = pick.nudge if pick is not None and pick.candidate == candidate.key else 0.0
        self.heard.emit(Heard(place, candidate, sound, data["rate"], place.first + nudge))

    def _named(self, key: str) -> Candidate | None:
        return next((candidate for candidate in self.candidates if candidate.key == key), None)


def _spot(place: Place) -> tuple[float, float]:
    return round(place.first, 3), round(place.last, 3)
