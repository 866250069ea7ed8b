"""What one run of a job works with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ...engine.passage import Rendition
from ...engine.progress import Progress
from .cache import Shelf
from .events import Lost, Observer, StageBegan
from .losses import Loss
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

    def begin(self, part: str) -> None:
        """Tell that a part of the job begins, and stop here if that was asked for."""
        self.observe(StageBegan(part))
        self.progress.check()

    def tell(self, losses: Iterable[Loss]) -> None:
        """Tell losses as they become known."""
        for loss in losses:
            self.observe(Lost.of(loss))
