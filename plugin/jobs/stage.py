"""What a stage of a job is: it makes passages of what was chosen, and renditions of passages."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ...engine.passage import Passage, Rendition
from ...engine.progress import Progress

if TYPE_CHECKING:
    from ...engine.highlight.listening import Listening, Score
    from ..timeline import AudioClip, Timeline
    from ..timeline.categories import Listener


@dataclass(frozen=True)
class Identity:
    """All of a stage that determines its results, beside the passage: equal identities give equal sound.

    `models` maps the name of every model that takes part to the SHA-256 of its weights, `settings` are those that
    change the sound. It is known without anything being loaded.
    """

    stage: str
    model: str
    weights_sha256: str
    models: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Draft:
    """One clip as a stage takes it: its passage, or the reason why there is none."""

    clip: AudioClip
    passage: Passage | None
    reason: str = ""


class Stage(Protocol):
    """One kind of work on a timeline; `rebalance.RebalanceStage` is the first."""

    @property
    def name(self) -> str:
        """What it is called in cache keys and events."""

    @property
    def identity(self) -> Identity:
        """What determines its results, read from cards and settings; raises ModelError or SettingsError."""

    @property
    def device(self) -> str:
        """Where it runs, such as "cpu"; empty as long as nothing had to be loaded."""

    def tasks(self, timeline: Timeline, chosen: Collection[int]) -> Iterator[Draft]:
        """What there is to do for the chosen clips, by index, in the timeline's order; raises nothing for one clip."""

    def ear(self, progress: Progress) -> Listener | None:
        """What tells by listening what clips hold, loaded when it is first asked; None where nothing can listen.

        It raises ModelError where its model cannot be loaded, and Cancelled where `progress` is.
        """

    def glance(self) -> None:
        """From now on read no picture again that was looked at a moment ago: of use for a short stretch."""

    def load(self) -> None:
        """Load what rendering needs, once; raises ModelError."""

    def render(self, passage: Passage, folder: Path, name: str, progress: Progress) -> Rendition:
        """Write `folder/name.wav`, and stems beside it if asked for; stops where `progress` is cancelled."""

    def listen(self, score: Score, progress: Progress) -> Listening:
        """What the model says of a whole programme; stops where `progress` is cancelled."""
