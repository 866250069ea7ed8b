"""What a document comes to: pieces of media at record times, and where an element is met on the way to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from ....engine.edit.model import GainCurve, Point
from .document import Asset

ZERO = Fraction(0)
ONE = Fraction(1)
Kind = Literal["video", "audio"]
KINDS: tuple[Kind, ...] = ("video", "audio")
Window = tuple[Fraction, Fraction | None]  # record seconds; None: without end


@dataclass(frozen=True)
class Joint:
    """A transition over the cut at record time `cut`, `before` and `after` it in seconds."""

    cut: Fraction
    before: Fraction
    after: Fraction
    name: str
    kinds: frozenset[Kind]


@dataclass(frozen=True)
class Treatment:
    """What becomes of a sound: volume line in record seconds, fades at the two ends of its `span`, place, effects."""

    line: GainCurve | None = None
    span: tuple[Fraction, Fraction] = (ZERO, ZERO)
    fade_in: Fraction = ZERO
    fade_out: Fraction = ZERO
    pan: float = 0.0
    effects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """A piece of one file (or generator, or title) that plays from `start` for `duration` record seconds.

    `points` are (record seconds from its start, seconds on the file's own clock), both ends included. `asset` is None
    for what has no file. `path` are the lanes around it, from the outermost, without noughts at the end. `channels`
    count from 0 over all streams of the file, or in its one `stream`; None where all are played. The line of its
    `sound` counts record seconds from the part's start.
    """

    kind: Kind
    name: str
    start: Fraction
    duration: Fraction
    points: tuple[Point, ...]
    asset: Asset | None
    path: tuple[int, ...] = ()
    role: str = ""
    enabled: bool = True
    stream: int | None = None
    channels: tuple[int, ...] | None = None
    sound: Treatment = Treatment()
    before: Joint | None = None
    after: Joint | None = None
    note: str = ""
    link: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    problem: str = ""

    @property
    def end(self) -> Fraction:
        """Record time of the first moment after it."""
        return self.start + self.duration


@dataclass(frozen=True)
class Mark:
    """A marker at a record time (s)."""

    start: Fraction
    duration: Fraction
    name: str
    note: str
    color: str


@dataclass(frozen=True)
class RoleRule:
    """What a clip of clips says of the sound in it that has a role; `where` is "storyline", "connected" or "".

    `depth` counts the lanes around the clip's contents.
    """

    role: str
    where: str
    plays: bool
    sound: Treatment
    depth: int

    def fits(self, role: str, path: tuple[int, ...]) -> bool:
        """Whether it speaks of a sound of this role that lies in these lanes."""
        connected = any(path[self.depth : self.depth + 1])
        if self.where and connected != (self.where == "connected"):
            return False
        wanted, given = self.role.split("."), whole_role(role).split(".")
        return wanted == given[: len(wanted)]


def whole_role(role: str) -> str:
    """A role with its subrole: "dialogue" alone is "dialogue.dialogue-1", and so is no role at all."""
    role = role.strip() or "dialogue"
    return role if "." in role else f"{role}.{role}-1"


@dataclass(frozen=True)
class Place:
    """Where an element is met.

    The clock of what it lies in reads `local` at record time `record` and runs `pace` of its seconds per record
    second. `windows` are what can be seen and heard there at all, `sides` which of the two plays. `joints` are the
    transitions at the element's own ends, `outer` those at the ends of the clip that it is part of.
    """

    local: Fraction = ZERO
    record: Fraction = ZERO
    pace: Fraction = ONE
    windows: tuple[Window, Window] = ((ZERO, None), (ZERO, None))
    path: tuple[int, ...] = ()
    enabled: bool = True
    sides: frozenset[Kind] = frozenset(KINDS)
    sound: tuple[Treatment, ...] = ()
    rules: tuple[RoleRule, ...] = ()
    effects: tuple[str, ...] = ()
    name: str = ""
    note: str = ""
    problem: str = ""
    joints: tuple[Joint | None, ...] = (None, None)
    outer: tuple[Joint | None, ...] = (None, None)
    opened: frozenset[str] = frozenset()

    def at(self, local: Fraction) -> Fraction:
        """The record time at which the clock reads `local`."""
        return self.record + (local - self.local) / self.pace


def both(one: Window, other: Window) -> Window:
    """What two windows have in common; it may be empty."""
    ends = [end for end in (one[1], other[1]) if end is not None]
    return max(one[0], other[0]), min(ends) if ends else None
