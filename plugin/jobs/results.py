"""What a job hands back: one result per clip, and figures for the whole."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from ...engine.edit.categories import UNKNOWN, Category
from ...engine.edit.model import GainCurve
from ...engine.passage import Loudness, Passage, Rendition
from .losses import CLIP, Loss
from .settings import JobSettings

if TYPE_CHECKING:
    from .balance import Balance

RENDERED, CACHED, FAILED, LEFT_OUT = "rendered", "cached", "failed", "left out"
NOT_CHOSEN = "It was not chosen."  # why a clip is left out that nobody asked for


@dataclass(frozen=True)
class ClipFacts:
    """Which clip: number, name, track, and its place in the record in seconds and as timecode."""

    index: int
    name: str
    track: str
    record_in: Fraction
    record_out: Fraction
    record_in_tc: str
    record_out_tc: str

    @property
    def label(self) -> str:
        """The clip as a sentence names it."""
        return f"clip {self.index} ({self.track} '{self.name}' at {self.record_in_tc})"


@dataclass(frozen=True)
class Riding:
    """A clip that stays the editor's own, under a volume line: record seconds from its first moment.

    `stem` is the curve it follows; loudness is that of the clip with its handles, before and after.
    """

    line: GainCurve
    stem: str
    before: Loudness
    after: Loudness


@dataclass(frozen=True)
class ClipResult:
    """What became of one clip; `status` is rendered, cached, failed or left out (with a `reason`).

    It has a `rendition`, or is its own media under a volume line (`riding`), or both where one lies muted beside the
    other; `category` says what it holds, and why that is thought.
    """

    facts: ClipFacts
    status: str
    reason: str = ""
    key: str = ""
    passage: Passage | None = None
    rendition: Rendition | None = None
    seconds: float = 0.0
    category: Category = UNKNOWN
    riding: Riding | None = None

    @property
    def done(self) -> bool:
        """True when there is something to put on the timeline."""
        made = self.rendition is not None or self.riding is not None
        return made and self.status in (RENDERED, CACHED)

    @property
    def loudness(self) -> tuple[Loudness, Loudness] | None:
        """Figures before and after, of a finished clip."""
        made = self.rendition or self.riding
        return None if made is None or not self.done else (made.before, made.after)

    @property
    def losses(self) -> tuple[Loss, ...]:
        """The warnings of a finished clip's rendition."""
        if self.rendition is None or not self.done:
            return ()
        return tuple(Loss(CLIP, text, self.facts.index) for text in self.rendition.warnings)


@dataclass(frozen=True)
class JobResult:
    """A finished job: every clip of the timeline in order, what was asked for, and what it came to.

    `gain_db` is the common gain of the loudness stage. `integrated` holds the programme loudness in LUFS over
    the delivered clips, gated together, before the job and after it; `made` is the local time, ISO 8601.
    `losses` is what could not be understood, what the clips warn of, and what could not be carried. `balance` is the
    programme's, where it was balanced as one, and `said` what was done to it and why, a sentence each.
    """

    timeline_name: str
    source: Path
    out: Path
    folder: Path
    settings: JobSettings
    model: str
    weights_sha256: str
    device: str
    clips: tuple[ClipResult, ...]
    gain_db: float
    integrated: tuple[float, float]
    seconds: float
    made: str
    losses: tuple[Loss, ...] = ()
    balance: Balance | None = None
    said: tuple[str, ...] = ()

    @property
    def done(self) -> tuple[ClipResult, ...]:
        """The clips that have a rendition."""
        return tuple(clip for clip in self.clips if clip.done)

    @property
    def not_chosen(self) -> tuple[int, ...]:
        """The numbers of the clips that nobody asked for."""
        return tuple(clip.facts.index for clip in self.clips if clip.reason == NOT_CHOSEN)

    @property
    def failed(self) -> tuple[ClipResult, ...]:
        """The clips that were wanted and could not be rendered."""
        return tuple(clip for clip in self.clips if clip.status == FAILED)
