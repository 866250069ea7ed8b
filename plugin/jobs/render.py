"""What a job needs of the engine: something that turns a passage into a rendition."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from ...engine.passage import Passage, Rendition
from ...engine.progress import Progress
from ...engine.roles import PARTS
from .settings import JobSettings


class Renderer(Protocol):
    """The engine's side of a job; `engine.highlight.rebalance.Rebalancer` is the real one."""

    @property
    def model_name(self) -> str:
        """The model by its card's name."""

    @property
    def weights_sha256(self) -> str:
        """SHA-256 of the model's weights."""

    @property
    def device(self) -> str:
        """Where the model runs, such as "cpu"."""

    def render(
        self, passage: Passage, settings: Any, folder: Path, stem_name: str, progress: Progress
    ) -> Rendition:
        """Write `folder/stem_name.wav`, and stems beside it if asked for."""


def load_renderer(settings: JobSettings) -> Renderer:
    """Load the model that `settings` name; raises ModelError."""
    from ...engine.highlight.rebalance import Rebalancer

    if settings.model:
        return Rebalancer(settings.model, settings.device, settings.context)
    return Rebalancer(device=settings.device, context=settings.context)


def engine_settings(settings: JobSettings) -> Any:
    """The part of a job's settings that the engine works by."""
    from ...engine.highlight.rebalance import RebalanceSettings

    return RebalanceSettings(
        strength=settings.strength,
        **{f"{role.name}_db": getattr(settings, role.name) for role in PARTS},
        stems=settings.with_stems,
        raw_stems=settings.keyframed,
        context=settings.context,
    )
