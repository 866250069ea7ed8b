"""Which clips of a list are shown, and which of them are chosen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from ...engine.edit.categories import folded
from ..base.topics import Topic
from .state import ClipRow


class Choice:
    """What the filter shows of some rows, and what is chosen among those.

    Clips are named by their index. What the filter hides is not chosen for as long as it is hidden, so that nothing
    happens to what nobody sees; it is chosen again when it is shown again. `current` is the clip that the keys are at,
    0 for none.
    """

    def __init__(self, rows: Callable[[], Sequence[ClipRow]]) -> None:
        self.selection: Topic[[]] = Topic()
        self.filter: Topic[[]] = Topic()
        self._rows = rows
        self._text, self._needy = "", False
        self._shown: tuple[int, ...] = ()
        self._place: dict[int, int] = {}
        self._marked: frozenset[int] = frozenset()
        self._current = self._anchor = 0
        self._texts: dict[int, str] = {}

    @property
    def text(self) -> str:
        """What the filter looks for."""
        return self._text

    @property
    def needy(self) -> bool:
        """Whether only clips that need work are shown."""
        return self._needy

    @property
    def shown(self) -> tuple[int, ...]:
        """The clips that are shown, in order."""
        return self._shown

    @property
    def chosen(self) -> tuple[int, ...]:
        """The clips that are chosen, in order; none of them is hidden."""
        return tuple(index for index in self._shown if index in self._marked)

    @property
    def current(self) -> int:
        """The clip that the keys are at, 0 for none."""
        return self._current if self._current in self._place else 0

    def place(self, index: int) -> int:
        """The row in which a clip is shown, -1 where it is hidden."""
        return self._place.get(index, -1)

    def is_chosen(self, index: int) -> bool:
        """Whether a clip is chosen."""
        return index in self._marked and index in self._place

    def begin(self, chosen: Iterable[int] = (), anew: bool = True) -> None:
        """Begin with other rows, of which `chosen` are; `anew` forgets the filter."""
        if anew:
            self._text, self._needy = "", False
        self._texts.clear()
        self._marked = frozenset(chosen)
        self._current = self._anchor = min(self._marked, default=0)
        self._show()
        self.filter.emit()
        self.selection.emit()

    def renew(self) -> None:
        """The rows have changed: show what the filter lets through now, and keep what is chosen of it."""
        shown, chosen = self._shown, self.chosen
        self._show()
        if shown != self._shown:
            self.filter.emit()
        if chosen != self.chosen:
            self.selection.emit()

    def look_for(self, text: str) -> None:
        """Show the clips that have every word of `text`, whatever its case and accents: see `searched`."""
        self._filter(text, self._needy)

    def only_needy(self, needy: bool) -> None:
        """Show only clips that need work, or all."""
        self._filter(self._text, needy)

    def choose(self, indices: Iterable[int]) -> None:
        """Choose these and no others; the first becomes the current one."""
        kept = frozenset(indices)
        first = next((index for index in self._shown if index in kept), 0)
        self._mark(kept, first or self._current, anchor=first)

    def mark(self, indices: Iterable[int], current: int) -> None:
        """Choose these and no others, with the keys at `current`."""
        self._mark(frozenset(indices), current, anchor=current)

    def toggle(self, index: int) -> None:
        """Choose a clip beside the others, or no longer."""
        self._mark(self._marked ^ {index}, index, anchor=index)

    def extend_to(self, index: int) -> None:
        """Choose all from where the last choice began to here."""
        ends = sorted((self.place(self._anchor), self.place(index)))
        if ends[0] < 0:
            self.choose([index])
            return
        self._mark(frozenset(self._shown[ends[0] : ends[1] + 1]), index, anchor=self._anchor)

    def step(self, rows: int, extend: bool = False) -> None:
        """Go so many rows down (up below 0), and choose what is there, or all on the way to it."""
        if not self._shown:
            return
        at = self.place(self.current)
        wanted = at + rows if at >= 0 else (0 if rows > 0 else len(self._shown) - 1)
        index = self._shown[min(max(wanted, 0), len(self._shown) - 1)]
        if extend:
            self.extend_to(index)
        else:
            self.choose([index])

    def choose_all(self) -> None:
        """Choose all that is shown."""
        self._mark(frozenset(self._shown), self.current, anchor=self._anchor)

    def choose_where(self, fits: Callable[[ClipRow], bool]) -> None:
        """Choose those that are shown and fit."""
        shown = set(self._shown)
        self.choose([row.index for row in self._rows() if row.index in shown and fits(row)])

    def choose_track(self, number: int) -> None:
        """Choose what lies on a track."""
        self.choose_where(lambda row: row.track_number == number)

    def choose_offline(self) -> None:
        """Choose what cannot be found."""
        self.choose_where(lambda row: row.state == "offline")

    def choose_needy(self, need: str = "") -> None:
        """Choose what needs work: for this reason, or for any."""
        self.choose_where(lambda row: need in row.needs if need else bool(row.needs))

    def choose_kind(self, kind: str) -> None:
        """Choose what holds dialogue, music …"""
        self.choose_where(lambda row: row.kind == kind)

    def _mark(self, marked: frozenset[int], current: int, anchor: int) -> None:
        was = (self.chosen, self.current)
        self._marked, self._current, self._anchor = marked, current, anchor
        if was != (self.chosen, self.current):
            self.selection.emit()

    def _filter(self, text: str, needy: bool) -> None:
        if (text, needy) == (self._text, self._needy):
            return
        chosen = (self.chosen, self.current)
        self._text, self._needy = text, needy
        self._show()
        self.filter.emit()
        if chosen != (self.chosen, self.current):
            self.selection.emit()

    def _show(self) -> None:
        words = folded(self._text).split()
        self._shown = tuple(
            row.index
            for row in self._rows()
            if (not self._needy or row.needs) and (not words or self._fits(row, words))
        )
        self._place = {index: place for place, index in enumerate(self._shown)}

    def _fits(self, row: ClipRow, words: Collection[str]) -> bool:
        text = self._texts.get(row.index)
        if text is None:
            text = self._texts[row.index] = searched(row)
        return all(
            word in text or word == f"a{row.track_number}" or row.kind.startswith(word) for word in words
        )


def searched(row: ClipRow) -> str:
    """The text of a clip that a filter looks for words in: name, track, media file and timecode.

    Beside it, the start of a category and the number of a track ("a1", which is not that of A10) are found.
    """
    media = row.media.replace("\\", "/").rpartition("/")[2]
    return folded("\n".join((row.name, row.track, media, row.timecode_in)))
