"""Undo per clip of a written result: taken off the timeline, and put back by the panel's own undo."""

from __future__ import annotations

from pathlib import Path

from ...plugin.jobs.ranges import format_ranges
from ..base.asking import Engine, Failure
from ..base.source import Source
from ..base.topics import Topic
from .history import Deed, History

WITHDRAW, PUT_BACK = "withdraw", "put_back"  # what the engine is asked


class TakeBack:
    """Takes clips' results off a written timeline.

    `changed` tells of a result which clips are off it now; `failed` why something did not work, and then nothing of it
    was done.
    """

    def __init__(self, engine: Engine, history: History) -> None:
        self.changed: Topic[[Path, frozenset[int]]] = Topic()
        self.failed: Topic[[Failure]] = Topic()
        self._engine, self._history = engine, history
        self._off: dict[Path, frozenset[int]] = {}

    def off(self, out: Path) -> frozenset[int]:
        """The clips, by number, whose results were taken off."""
        return self._off.get(out, frozenset())

    def forget(self, out: Path) -> None:
        """It was written again: everything is on it."""
        if self._off.pop(out, None):
            self.changed.emit(out, frozenset())

    def take(self, out: Path, clips: tuple[int, ...], source: Source | None = None) -> None:
        """Take the results of clips, by number, off the timeline `out` that was made of `source`."""
        numbers = tuple(sorted(set(clips) - self.off(out)))
        if numbers:
            self._history.do(
                Deed(
                    WITHDRAW,
                    lambda: self._ask(WITHDRAW, out, numbers, source),
                    lambda: self._ask(PUT_BACK, out, numbers, source),
                )
            )

    def _ask(self, do: str, out: Path, numbers: tuple[int, ...], source: Source | None) -> None:
        of = source.to_dict() if source is not None else None
        data = {"out": str(out), "clips": format_ranges(numbers), "source": of}
        self._engine.ask(
            do,
            data,
            done=lambda told, _: self._done(do, out, frozenset(told["clips"])),
            failed=self._failed,
        )

    def _done(self, do: str, out: Path, clips: frozenset[int]) -> None:
        off = self.off(out)
        self._off[out] = off | clips if do == WITHDRAW else off - clips
        self.changed.emit(out, self._off[out])

    def _failed(self, failure: Failure) -> None:
        if not failure.cancelled:
            self.failed.emit(failure)
