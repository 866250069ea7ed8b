"""What a job tells while it runs: plain events, each one JSON line, for whoever watches in this process or another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from ...engine.progress import Step
from .losses import Loss

SCHEMA = "sightmix.event/1"


@dataclass(frozen=True)
class Event:
    """The base of all events; `kind` names them in JSON."""

    kind: ClassVar[str] = ""

    def to_dict(self) -> dict[str, Any]:
        """The event as JSON values."""
        return {"event": self.kind, **{f.name: getattr(self, f.name) for f in fields(self)}}


@dataclass(frozen=True)
class Accepted(Event):
    """A request was taken; `settings` are all of the job's, `schema` is that of all events."""

    kind: ClassVar[str] = "accepted"
    source: str
    out: str
    settings: Mapping[str, Any]
    schema: str = SCHEMA


@dataclass(frozen=True)
class Planned(Event):
    """It is known what will be done; `plan` is what ``--dry-run --json`` prints."""

    kind: ClassVar[str] = "planned"
    plan: Mapping[str, Any]


@dataclass(frozen=True)
class StageBegan(Event):
    """A part of the job begins: open, load, render, level, measure, report, write, and a host's own."""

    kind: ClassVar[str] = "stage"
    stage: str


@dataclass(frozen=True)
class Moved(Event):
    """Progress: `done` of `total` in `unit` of a stage's work on `item`; stage "job" counts over all clips."""

    kind: ClassVar[str] = "progress"
    stage: str
    item: str
    done: float
    total: float
    unit: str = "s"

    @classmethod
    def of(cls, step: Step) -> Moved:
        """The event of the engine's step."""
        return cls(step.stage, step.item, float(step.done), float(step.total), step.unit)

    @property
    def step(self) -> Step:
        """The engine's step."""
        return Step(self.stage, self.item, self.done, self.total, self.unit)


@dataclass(frozen=True)
class ClipDone(Event):
    """What became of one clip; loudness figures (LUFS, LU, dBTP) where there is a rendition."""

    kind: ClassVar[str] = "clip"
    index: int
    name: str
    track: str
    status: str
    reason: str = ""
    before: Mapping[str, float | None] = field(default_factory=dict)
    after: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Lost(Event):
    """A loss or a warning, as it becomes known."""

    kind: ClassVar[str] = "loss"
    where: str
    text: str
    clip: int | None = None

    @classmethod
    def of(cls, loss: Loss) -> Lost:
        """The event of a loss."""
        return cls(loss.where, loss.text, loss.clip)


@dataclass(frozen=True)
class Waiting(Event):
    """Somebody has to do something before the job goes on."""

    kind: ClassVar[str] = "waiting"
    text: str


@dataclass(frozen=True)
class Failed(Event):
    """The job ended without a result; `cancelled` where somebody wanted that."""

    kind: ClassVar[str] = "failed"
    error: str
    cancelled: bool = False


@dataclass(frozen=True)
class Finished(Event):
    """The job ended; `result` is the report's data (or a host's), losses included."""

    kind: ClassVar[str] = "finished"
    result: Mapping[str, Any]


Observer = Callable[[Event], None]


def nobody(event: Event) -> None:
    """An observer that looks away."""
