"""Editing the curves of the stems by hand: points, stretches and freehand, all of it undone and redone."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...engine.roles import STEMS
from ...plugin.jobs.hand import Drawn
from ..base.topics import Topic
from .history import Deed, History
from .state import Document
from .stretches import (
    FREEHAND_DB,
    GAP,
    Line,
    Point,
    apart,
    bounded,
    covering,
    drawn_of,
    laid,
    level,
    lines_of,
    moved,
    room,
    simple,
    with_point,
    without,
)

REACH = (0.1, 2.0)  # seconds from a new point to where its stretch meets the model's curve, least and most
TAKEN_MOST = 600.0  # seconds that points are made of at once
TAKEN_DB = 0.1  # how far points made of the model's curve may lie from it

ADD, MOVE, REMOVE, DRAW = "Add curve point", "Move curve points", "Delete curve points", "Draw curve"
TAKE, RESET, RESET_STEM, RESET_ALL = (
    "Make points of curve",
    "Reset stretch to the model",
    "Reset stem to the model",
    "Reset all curves to the model",
)


Table = tuple[NDArray[np.float64], NDArray[np.float32]]  # record seconds (T,), gains (3, T) in dB


class Gains(Protocol):
    """What the curves need of the live mix."""

    changed: Topic[[]]

    @property
    def drawn(self) -> tuple[Drawn, ...]:
        """The stretches drawn by hand."""

    @drawn.setter
    def drawn(self, drawn: tuple[Drawn, ...], /) -> None: ...

    def table(self) -> Table:
        """Record seconds (T,) and the gains that act there (3, T) in dB; of no frames before anything was heard."""

    def plain_table(self) -> Table:
        """The same before the programme's level: what points are of, which that level would move from the hand."""


@dataclass(frozen=True, order=True)
class Spot:
    """A point of a drawn stretch, found by its stem and its time in record seconds."""

    stem: str
    time: float


Selection = frozenset[Spot]
NOTHING: Selection = frozenset()
_EMPTY: Table = (np.zeros(0), np.zeros((len(STEMS), 0), np.float32))


class Curves:
    """The stretches drawn by hand over a live mix, and which of their points are selected.

    Every edit is one deed of the history; what is dragged or drawn between `begin` and `end` is one together.
    """

    def __init__(self, history: History, live: Gains) -> None:
        self.changed: Topic[[]] = Topic()
        self.frame = 1 / 25  # seconds, what a nudge moves by
        self.duration = 0.0  # record seconds, where points may lie
        self._history, self._live = history, live
        self._selected: Selection = NOTHING
        self._keys = itertools.count()
        self._key = ""
        self._start: tuple[tuple[Drawn, ...], Selection] = ((), NOTHING)
        self._table = _EMPTY
        self._path: list[Point] = []
        self._leave = live.changed.subscribe(self._told)

    def open(self, document: Document | None) -> None:
        """Another timeline: nothing is selected, and points lie within it."""
        self.frame = float(1 / document.rate) if document is not None else 1 / 25
        self.duration = float(document.duration) if document is not None else 0.0
        self._let_go()
        self.select(())

    def close(self) -> None:
        """Listen to the live mix no longer."""
        self._leave()

    # ---------------------------------------------------------------------------------------------- what there is

    @property
    def selected(self) -> Selection:
        """The selected points."""
        return self._selected

    def lines(self, stem: str) -> tuple[Line, ...]:
        """The drawn stretches of a stem as lines of points, in order of time."""
        return lines_of(one for one in self._live.drawn if one.stem == stem)[stem]

    def points(self, stem: str) -> list[Point]:
        """All points of a stem in order of time."""
        return [point for line in self.lines(stem) for point in line]

    def value(self, stem: str, time: float) -> float:
        """The level of a stem's curve at a time, dB: of what was drawn, or of the model's."""
        lines = self.lines(stem)
        which = covering(lines, time)
        return level(lines[which], time) if which is not None else self._model(stem, time)

    def db(self, spot: Spot) -> float:
        """The level of a point, dB; of the curve where the point is gone."""
        return dict(self.points(spot.stem)).get(spot.time, self.value(spot.stem, spot.time))

    # ---------------------------------------------------------------------------------------------------- selecting

    def select(self, spots: Iterable[Spot], *, extend: bool = False, toggle: bool = False) -> None:
        """Select points: these alone, these too, or these turned over."""
        wanted = frozenset(spots)
        if toggle:
            wanted ^= self._selected
        elif extend:
            wanted |= self._selected
        if wanted != self._selected:
            self._selected = wanted
            self.changed.emit()

    def select_all(self, stem: str) -> None:
        """Select all points of a stem."""
        self.select(Spot(stem, time) for time, _ in self.points(stem))

    def select_next(self, stem: str, step: int, near: float = 0.0) -> Spot | None:
        """Select the next (`step` 1) or previous (-1) point of a stem after the selected one, or after time `near`."""
        times = [time for time, _ in self.points(stem)]
        at = [spot.time for spot in self._selected if spot.stem == stem]
        if step > 0:
            found = next((t for t in times if t > max(at, default=near - GAP)), None)
        else:
            found = next((t for t in reversed(times) if t < min(at, default=near + GAP)), None)
        if found is None:
            return None
        self.select([Spot(stem, found)])
        return Spot(stem, found)

    # ------------------------------------------------------------------------------------------------------ editing

    def add(self, stem: str, time: float, db: float, reach: float = 0.5) -> Spot:
        """Add a point and select it.

        Outside of drawn stretches it starts one that leaves the model's curve `reach` seconds before and comes back to
        it as long after, or joins the stretch that is nearer than that: nothing jumps.
        """
        time = min(max(time, 0.0), max(self.duration, 0.0))
        point = (time, bounded(db))
        lines = self.lines(stem)
        which = covering(lines, time, GAP)
        if which is not None:
            new, time = with_point(lines, which, point)
        else:
            new = self._started(stem, lines, point, min(max(reach, REACH[0]), REACH[1]))
        spot = Spot(stem, time)
        there = any(
            time == at for line in new for at, _ in line
        )  # a programme may be too short for a stretch
        self._put(ADD, {stem: new}, frozenset([spot]) if there else NOTHING)
        return spot

    def remove(self) -> None:
        """Delete the selected points; where less than two are left of a stretch, the model's curve is back."""
        found = {
            stem: without(self.lines(stem), times) for stem, times in self._times(self._selected).items()
        }
        self._put(REMOVE, found, NOTHING)

    def nudge(self, frames: int, db: float, *, again: bool = False) -> None:
        """Move the selected points by frames and dB; `again` makes it one deed with the nudge before."""
        if not again:
            self._key = f"curves {next(self._keys)}"
        self._start = (self._live.drawn, self._selected)
        self._move(frames * self.frame, db)

    def begin(self) -> None:
        """What follows, by `drag` or `draw`, is one deed until `end`."""
        self._key = f"curves {next(self._keys)}"
        self._start = (self._live.drawn, self._selected)
        self._table = self._live.plain_table()
        self._path = []

    def drag(self, seconds: float, db: float) -> None:
        """Have the selected points moved by so much since `begin`, as far as their neighbours let them."""
        if self._key:
            self._move(seconds, db)

    def draw(self, stem: str, time: float, db: float) -> None:
        """Draw on to a place since `begin`; what was drawn at the times that the hand passes again goes."""
        if not self._key:
            return
        point = (min(max(time, 0.0), max(self.duration, 0.0)), bounded(db))
        if self._path:
            first, last = sorted([self._path[-1][0], point[0]])
            self._path = [p for p in self._path[:-1] if not first <= p[0] <= last] + [self._path[-1]]
        self._path.append(point)
        path = apart(self._path)
        if len(path) < 2:
            return
        before = lines_of(self._start[0])[stem]
        line = simple([time for time, _ in path], [db for _, db in path], FREEHAND_DB)
        new = laid(before, self._anchored(stem, before, line))
        self._put(DRAW, {stem: new}, NOTHING, self._key)

    def end(self) -> None:
        """The mouse was let go."""
        self._let_go()
        self._history.close()

    def take(self, stem: str, first: float, last: float) -> None:
        """Make points of the curve between two times and select them, to be moved together; of ten minutes at most."""
        times, gains = self._live.plain_table()
        lines = self.lines(stem)
        first, last = max(first, 0.0), min(last, self.duration)
        if not 2 * GAP <= last - first <= TAKEN_MOST:
            return
        inside = times[(times > first + GAP) & (times < last - GAP)]
        grid = np.concatenate([[first], inside, [last]])
        levels = np.interp(grid, times, gains[STEMS.index(stem)]) if len(times) else np.zeros(len(grid))
        for line in lines:
            under = (grid >= line[0][0]) & (grid <= line[-1][0])
            levels[under] = np.interp(grid[under], [t for t, _ in line], [db for _, db in line])
        line = simple(grid.tolist(), levels.tolist(), TAKEN_DB)
        self._put(TAKE, {stem: laid(lines, line)}, frozenset(Spot(stem, time) for time, _ in line))

    def reset(self, stem: str, time: float) -> None:
        """Give the stretch that plays at a time back to the model."""
        lines = self.lines(stem)
        which = covering(lines, time)
        if which is not None:
            self._put(RESET, {stem: lines[:which] + lines[which + 1 :]}, NOTHING)

    def reset_stem(self, stem: str) -> None:
        """Give a stem back to the model."""
        self._put(RESET_STEM, {stem: ()}, NOTHING)

    def reset_all(self) -> None:
        """Give all curves back to the model."""
        self._put(RESET_ALL, {stem: () for stem in STEMS}, NOTHING)

    # -------------------------------------------------------------------------------------------------------- inside

    def _let_go(self) -> None:
        self._key, self._path, self._table = "", [], _EMPTY

    def _move(self, seconds: float, db: float) -> None:
        drawn, selected = self._start
        before = lines_of(drawn)
        times = self._times(selected)
        rooms = [room(before[stem], at, self.duration) for stem, at in times.items()]
        if not rooms:
            return
        seconds = min(max(seconds, *(back for back, _ in rooms)), *(on for _, on in rooms)) if rooms else 0.0
        found = {stem: moved(before[stem], at, seconds, db) for stem, at in times.items()}
        self._put(MOVE, found, frozenset(Spot(s.stem, s.time + seconds) for s in selected), self._key)

    def _started(self, stem: str, lines: tuple[Line, ...], point: Point, reach: float) -> tuple[Line, ...]:
        """A stretch around a point where none is."""
        first, last = max(point[0] - reach, 0.0), min(point[0] + reach, max(self.duration, 0.0))
        first = max([first, *(line[-1][0] for line in lines if line[-1][0] < point[0])])
        last = min([last, *(line[0][0] for line in lines if line[0][0] > point[0])])
        found = [point]
        if point[0] - first >= GAP:
            found.insert(0, (first, self.value(stem, first)))
        if last - point[0] >= GAP:
            found.append((last, self.value(stem, last)))
        return laid(lines, tuple(found)) if len(found) > 1 else lines

    def _anchored(self, stem: str, lines: tuple[Line, ...], line: Line) -> Line:
        """A line that leaves the curve as it was before, and comes back to it."""
        times, gains = self._table
        first, last = line[0][0] - REACH[0], line[-1][0] + REACH[0]
        found = list(line)
        if first >= 0:
            found.insert(0, (first, self._of(lines, stem, first, times, gains)))
        if last <= self.duration:
            found.append((last, self._of(lines, stem, last, times, gains)))
        return tuple(found)

    def _of(
        self,
        lines: tuple[Line, ...],
        stem: str,
        time: float,
        times: NDArray[np.float64],
        gains: NDArray[np.float32],
    ) -> float:
        which = covering(lines, time)
        return level(lines[which], time) if which is not None else _at(times, gains, stem, time)

    def _model(self, stem: str, time: float) -> float:
        return _at(*self._live.plain_table(), stem, time)

    @staticmethod
    def _times(selected: Selection) -> dict[str, frozenset[float]]:
        stems = {spot.stem for spot in selected}
        return {stem: frozenset(s.time for s in selected if s.stem == stem) for stem in stems}

    def _put(
        self, name: str, found: Mapping[str, tuple[Line, ...]], selected: Selection, key: str = ""
    ) -> None:
        """Put lines in the place of a stem's, as a deed; nothing where nothing changes."""
        now = self._live.drawn, self._selected
        after = drawn_of({**lines_of(now[0]), **found}), selected
        if after[0] == now[0]:
            self.select(selected)
            return
        self._history.do(Deed(name, self._setting(*after), self._setting(*now), key))

    def _setting(self, drawn: tuple[Drawn, ...], selected: Selection) -> Callable[[], None]:
        def put() -> None:
            self._selected = selected
            self._live.drawn = drawn
            self.changed.emit()

        return put

    def _told(self, *_: Any) -> None:
        """Forget selected points that are gone: the curves were set by somebody else."""
        there = {Spot(one.stem, time) for one in self._live.drawn for time in one.times}
        self.select(self._selected & there)


def _at(times: NDArray[np.float64], gains: NDArray[np.float32], stem: str, time: float) -> float:
    """The gain of a stem at a time, dB; 0 where nothing was heard."""
    if not len(times):
        return 0.0
    return bounded(round(float(np.interp(time, times, gains[STEMS.index(stem)])), 3))
