"""What one run of a job works with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from ...engine.passage import Rendition
from ...engine.progress import Progress
from .cache import Shelf
from .events import Lost, Observer, StageBegan
from .losses import Loss
from .names import FileNames, base_names
from .plan import Plan
from .stage import Stage


@dataclass
class Bench:
    """What one run works with."""

    plan: Plan
    stage: Stage
    progress: Progress
    observe: Observer
    cache: Shelf
    top: Shelf
    fresh: dict[str, Rendition] = field(default_factory=dict)

    @cached_property
    def _bases(self) -> list[str]:
        return base_names(clip.name for clip in self.plan.timeline.clips)

    @cached_property
    def _names(self) -> FileNames:
        return FileNames(self.top.folder)

    def name_for(self, clip: int, key: str) -> str:
        """The base name of a clip's delivered files; raises WriteError."""
        return self._names.of(self._bases[clip - 1], key)

    def begin(self, part: str) -> None:
        """Tell that a part of the job begins, and stop here if that was asked for."""
        self.observe(StageBegan(part))
        self.progress.check()

    def tell(self, losses: Iterable[Loss]) -> None:
        """Tell losses as they become known."""
        for loss in losses:
            self.observe(Lost.of(loss))
