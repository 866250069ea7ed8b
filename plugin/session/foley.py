"""Foley for silent pictures: where nothing is heard, and what an engine that makes sound for it has to offer.

Finding is `silences.find_silent`. Making is an engine's: its module stands in ENGINES and calls `register` when it is
imported, which happens once somebody asks; until there is one, `availability` says why there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...engine.errors import ModelError
from ...engine.progress import Progress
from ..timeline import Timeline

Array = NDArray[np.float32]

GAP, MUTED, OFFLINE, SILENT = "gap", "muted", "offline", "silent"
REASONS = (GAP, MUTED, OFFLINE, SILENT)
MOST_CANDIDATES = 5
NOT_THERE = "No engine for Foley is installed yet: silent clips can be found, sounds for them cannot be made."


@dataclass(frozen=True)
class Place:
    """A stretch of one shot with picture and nothing heard; record seconds from the timeline's first frame.

    `reason` is one of REASONS: no clip is there, it is muted, it is offline, or it is there and silent. `clips` are the
    numbers of the sound clips that lie there without being heard. `name` is the shot's.
    """

    number: int
    first: float
    last: float
    name: str
    reason: str
    clips: tuple[int, ...] = ()
    timecode_in: str = ""
    timecode_out: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The place as JSON values."""
        return {**asdict(self), "clips": list(self.clips)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Place:
        """What `to_dict` gave."""
        return cls(**{**data, "clips": tuple(data["clips"])})


@dataclass(frozen=True)
class Candidate:
    """A sound that could go to a place: what makes it again (`key`), what to call it, and how well it fits, 0 to 1."""

    key: str
    title: str
    fit: float
    seconds: float
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The candidate as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Candidate:
        """What `to_dict` gave."""
        return cls(**data)


class FoleyEngine(Protocol):
    """What makes sound for silent pictures."""

    def available(self) -> tuple[bool, str]:
        """Whether it can work here, and if not, why: one sentence."""

    def candidates(
        self, timeline: Timeline, place: Place, most: int, progress: Progress
    ) -> Iterator[Candidate]:
        """Sounds for a place, the best first, each as soon as it is there. Raises ModelError, MediaError, Cancelled."""

    def sound(self, timeline: Timeline, place: Place, candidate: Candidate, progress: Progress) -> Array:
        """A candidate as it would be laid from the place's first moment on, (channels, samples) at 48 kHz.

        It may be longer or shorter than the place. Raises ModelError, MediaError, Cancelled.
        """


ENGINES: tuple[str, ...] = ()  # modules that register an engine
_registered: list[FoleyEngine] = []


def register(engine: FoleyEngine) -> Callable[[], None]:
    """Have this engine make the sounds from now on; returns what takes it away again."""
    _registered.append(engine)

    def leave() -> None:
        if engine in _registered:
            _registered.remove(engine)

    return leave


def availability() -> tuple[bool, str]:
    """Whether sounds can be made here, and if not, why: one sentence."""
    for name in ENGINES:
        import_module(name)
    return _registered[-1].available() if _registered else (False, NOT_THERE)


def engine() -> FoleyEngine:
    """The engine that was registered last; raises ModelError with the reason where none can work here."""
    able, reason = availability()
    if not able:
        raise ModelError(reason)
    return _registered[-1]
