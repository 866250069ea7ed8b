"""DaVinci Resolve beside the panel: its open timeline comes in, a finished result goes onto a copy of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...engine.legible import legible
from ..base.asking import Engine, Failure, Ticket
from ..base.source import Source
from ..base.topics import Topic

OPENING, LAYING, IDLE = "opening", "laying", "idle"
AUTO, LAUNCHED = "auto", "launched"  # the first road that works; the script in Resolve is waiting for us


@dataclass(frozen=True)
class HostTimeline:
    """What is open in Resolve: where it was exported to, what it is called, and the clips selected there, by number."""

    source: Source
    project: str
    timeline: str
    selected: tuple[int, ...]
    folder: Path


@dataclass(frozen=True)
class Laid:
    """What was made in Resolve: the copy's name, its new tracks, what falls silent in it, what is to be known."""

    timeline: str
    tracks: tuple[str, ...]
    muted_tracks: int
    muted_clips: int
    notes: tuple[str, ...]


class Host:
    """Opens what is open in Resolve, and lays results on a copy of it.

    `opened` brings the timeline, `laid` what was made, `waiting` what somebody has to do in Resolve ("" once it is
    done), `failed` why nothing came; `changed` tells that anything a view shows has changed.
    """

    def __init__(self, engine: Engine) -> None:
        self.changed: Topic[[]] = Topic()
        self.opened: Topic[[HostTimeline]] = Topic()
        self.laid: Topic[[Laid]] = Topic()
        self.waiting: Topic[[str]] = Topic()
        self.failed: Topic[[Failure]] = Topic()
        self.timeline: HostTimeline | None = None
        self.state = IDLE
        self.wait_for = ""
        self._engine = engine
        self._ticket: Ticket | None = None

    def owns(self, source: Source | None) -> bool:
        """Whether this timeline came from Resolve, so that its result can go back there."""
        return self.timeline is not None and source is not None and source.path == self.timeline.source.path

    def open(self, road: str = AUTO, out: Path | None = None) -> None:
        """Have Resolve hand over its open timeline; `out` is the folder for all that is made, to stay."""
        if self.state == IDLE:
            data = {"road": road, "out": str(out) if out is not None else None}
            self._ask(OPENING, "resolve_open", data, self._came)

    def write(self, result: Path, stems: bool = False, road: str = AUTO) -> None:
        """Lay a finished result on a copy of the timeline it was made of: one mix, or dialogue, music and effects."""
        if self.state == IDLE and self.timeline is not None:
            data = {
                "source": self.timeline.source.to_dict(),
                "out": str(result),
                "folder": str(self.timeline.folder),
                "stems": stems,
                "road": road,
            }
            self._ask(LAYING, "resolve_write", data, self._made)

    def cancel(self) -> None:
        """Stop; what was begun in Resolve is removed there."""
        if self._ticket is not None:
            self._ticket.cancel()

    def _ask(self, state: str, do: str, data: Mapping[str, Any], take: Any) -> None:
        self.state = state

        def done(told: Mapping[str, Any], _: bytes) -> None:
            self._end()
            take(told)

        self._ticket = self._engine.ask(
            do, data, slot="resolve", event=lambda told, _: self._told(told), done=done, failed=self._fail
        )
        self.changed.emit()

    def _told(self, data: Mapping[str, Any]) -> None:
        if "waiting" in data:
            self._wait(legible(str(data["waiting"])))

    def _wait(self, text: str) -> None:
        if text != self.wait_for:
            self.wait_for = text
            self.waiting.emit(text)
            self.changed.emit()

    def _end(self) -> None:
        self.state, self._ticket = IDLE, None
        self._wait("")
        self.changed.emit()

    def _came(self, data: Mapping[str, Any]) -> None:
        self.timeline = HostTimeline(
            Source.from_dict(data["source"]),
            legible(str(data["project"])),
            legible(str(data["timeline"])),
            tuple(data["selected"]),
            Path(data["folder"]),
        )
        self.opened.emit(self.timeline)
        self.changed.emit()

    def _made(self, data: Mapping[str, Any]) -> None:
        self.laid.emit(
            Laid(
                legible(str(data["timeline"])),
                tuple(data["tracks"]),
                data["muted_tracks"],
                data["muted_clips"],
                tuple(data["notes"]),
            )
        )

    def _fail(self, failure: Failure) -> None:
        self._end()
        if not failure.cancelled:
            self.failed.emit(failure)
