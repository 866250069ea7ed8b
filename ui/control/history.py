"""Undo and redo of everything: what was done, and how it is taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..base.topics import Topic


@dataclass(frozen=True)
class Deed:
    """Something that was done: its name for the menu, how to do it again and how to take it back.

    Deeds that follow on each other with one `key` (a slider being dragged) are taken back as one.
    """

    name: str
    redo: Callable[[], object]
    undo: Callable[[], object]
    key: str = ""


class History:
    """What can be undone and redone, most recent last."""

    def __init__(self, most: int = 500) -> None:
        self.changed: Topic[[]] = Topic()
        self._most = most
        self._done: list[Deed] = []
        self._undone: list[Deed] = []
        self._open = True

    def do(self, deed: Deed) -> None:
        """Do something and remember it; what was undone before can no longer be redone."""
        deed.redo()
        self.record(deed)

    def record(self, deed: Deed) -> None:
        """Remember what was done already."""
        last = self._done[-1] if self._done else None
        if last is not None and deed.key and last.key == deed.key and self._open and not self._undone:
            self._done[-1] = replace(deed, undo=last.undo)
        else:
            self._done.append(deed)
            del self._done[: -self._most]
        self._open = True
        self._undone.clear()
        self.changed.emit()

    def close(self) -> None:
        """The next deed is one of its own, even under the same key: the mouse was let go."""
        self._open = False

    def undo(self) -> bool:
        """Take back the last deed; False where there is none."""
        return self._move(self._done, self._undone, lambda deed: deed.undo())

    def redo(self) -> bool:
        """Do again what was taken back last; False where there is nothing."""
        return self._move(self._undone, self._done, lambda deed: deed.redo())

    def clear(self) -> None:
        """Forget all of it: another timeline was opened."""
        self._done.clear()
        self._undone.clear()
        self.changed.emit()

    @property
    def next_undo(self) -> str:
        """The name of what would be undone, "" for nothing."""
        return self._done[-1].name if self._done else ""

    @property
    def next_redo(self) -> str:
        """The name of what would be redone, "" for nothing."""
        return self._undone[-1].name if self._undone else ""

    def _move(self, from_: list[Deed], to: list[Deed], act: Callable[[Deed], object]) -> bool:
        if not from_:
            return False
        deed = from_.pop()
        act(deed)
        to.append(deed)
        self._open = False
        self.changed.emit()
        return True
