"""What a menu or a key does, by its name: whether it can be done now and why not, as keys that a view words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .options import OFFERED

SOLO = {"solo_speech": "speech", "solo_music": "music", "solo_effects": "effects"}


@dataclass(frozen=True)
class Way:
    """One command: what it does, why it cannot be done now ("" it can), and whether it is on."""

    run: Callable[[], object]
    why_not: Callable[[], str]
    on: Callable[[], bool] | None = None
    release: Callable[[], object] | None = None


class Commands:
    """The commands of a `Panel` that need no window.

    Reasons are sentences of the engine, or keys: "empty" (no timeline is open), "opening", "no clips", "no_match" (no
    clip is such), "nothing_done", "nothing_undone", "not_drawn", "as_usual", "nothing_runs".
    """

    def __init__(self, panel: Any) -> None:
        self._panel = panel
        self.ways: dict[str, Way] = {
            **self._playing(),
            **self._hearing(),
            **self._choosing(),
            **self._taking_back(),
            **self._working(),
        }
        self._soloed: set[str] = set()

    def _playing(self) -> dict[str, Way]:
        deck, transport = self._panel.deck, self._panel.transport
        return {
            "play": Way(deck.toggle, self._silent),
            "reverse": Way(lambda: deck.shuttle(-1), self._silent),
            "stop": Way(lambda: deck.shuttle(0), self._silent),
            "forwards": Way(lambda: deck.shuttle(1), self._silent),
            "frame_back": Way(lambda: transport.step(-1), self._silent),
            "frame_on": Way(lambda: transport.step(1), self._silent),
            "start": Way(transport.to_start, self._silent),
            "end": Way(transport.to_end, self._silent),
            "loop": Way(
                lambda: transport.set_loop(deck.loop is None), self._silent, lambda: deck.loop is not None
            ),
        }

    def _hearing(self) -> dict[str, Way]:
        deck = self._panel.deck
        ways = {
            "ab": Way(deck.ab, self._silent),
            "matched": Way(
                lambda: deck.set_matched(not deck.matched), self._silent, lambda: bool(deck.matched)
            ),
            "residual": Way(
                lambda: deck.set_residual(not deck.residual), self._silent, lambda: bool(deck.residual)
            ),
        }
        for name, lane in SOLO.items():
            ways[name] = Way(
                lambda lane=lane: self._solo(lane),  # type: ignore[misc]
                self._silent,
                lambda lane=lane: lane in deck.solo,  # type: ignore[misc]
                lambda lane=lane: self._unsolo(lane),  # type: ignore[misc]
            )
        return ways

    def _choosing(self) -> dict[str, Way]:
        choice = self._panel.clips.choice
        return {
            "select_all": Way(choice.choose_all, self._no_clips),
            "select_none": Way(lambda: choice.choose(()), self._no_clips),
            "select_needy": Way(choice.choose_needy, lambda: self._none_such(lambda row: bool(row.needs))),
            "select_offline": Way(
                choice.choose_offline, lambda: self._none_such(lambda row: row.state == "offline")
            ),
            "previous_clip": Way(lambda: choice.step(-1), self._no_clips),
            "next_clip": Way(lambda: choice.step(1), self._no_clips),
            "reopen": Way(self._panel.clips.reopen, self._empty),
            "close": Way(self._panel.clips.close, self._empty),
        }

    def _taking_back(self) -> dict[str, Way]:
        history, curves, options = self._panel.history, self._panel.curves, self._panel.options
        return {
            "undo": Way(history.undo, lambda: "" if history.next_undo else "nothing_done"),
            "redo": Way(history.redo, lambda: "" if history.next_redo else "nothing_undone"),
            "reset_curves": Way(curves.reset_all, lambda: "" if self._panel.live.drawn else "not_drawn"),
            "reset_settings": Way(options.reset_all, lambda: "" if self._differs() else "as_usual"),
        }

    def _working(self) -> dict[str, Way]:
        panel = self._panel
        return {
            "preview": Way(panel.preview, lambda: panel.why_not_preview),
            "rebalance": Way(panel.rebalance, lambda: panel.why_not_rebalance),
            "pause": Way(self._pause, self._idle, lambda: bool(panel.queue.paused)),
            "cancel": Way(self._cancel, lambda: "" if panel.hearing is not None else self._idle()),
        }

    def _pause(self) -> None:
        queue = self._panel.queue
        (queue.resume if queue.paused else queue.pause)()

    def _idle(self) -> str:
        return "" if self._panel.queue.unfinished else "nothing_runs"

    def _cancel(self) -> None:
        """Cancel the preview that is being made, else the job that runs, else the one that runs next."""
        panel = self._panel
        if panel.hearing is not None:
            panel.cancel_preview()
        elif panel.queue.unfinished:
            panel.queue.cancel((panel.queue.running or panel.queue.unfinished[0]).number)

    def _empty(self) -> str:
        clips = self._panel.clips
        return "" if clips.document is not None else "opening" if clips.state == "opening" else "empty"

    def _silent(self) -> str:
        return self._empty() or ("" if self._panel.deck.samples else "no clips")

    def _no_clips(self) -> str:
        return self._empty() or ("" if self._panel.clips.rows else "no clips")

    def _none_such(self, fits: Callable[[Any], bool]) -> str:
        return self._no_clips() or ("" if any(fits(row) for row in self._panel.clips.rows) else "no_match")

    def _differs(self) -> bool:
        options = self._panel.options
        return any(options.differs(setting.name) for setting in OFFERED)

    def _solo(self, lane: str) -> None:
        """Hear a lane alone for as long as its key is down; one that was heard alone before stays so."""
        deck = self._panel.deck
        if lane not in deck.solo:
            self._soloed.add(lane)
            deck.set_solo(lane, True)

    def _unsolo(self, lane: str) -> None:
        if lane in self._soloed:
            self._soloed.discard(lane)
            self._panel.deck.set_solo(lane, False)
