"""The first stage: clips rebalanced by the engine's highlighting model."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ...engine.errors import SightmixError
from ...engine.passage import Passage, Rendition
from ...engine.progress import Progress
from ...engine.roles import PARTS
from .listening import Listener, shipped_network
from .settings import JobSettings
from .stage import Draft, Identity, Stage

if TYPE_CHECKING:
    from ...engine.highlight.backends import Network
    from ...engine.highlight.context import Glances
    from ...engine.highlight.listening import Listening, Score
    from ..timeline import Timeline

NAME, SEPARATE = "rebalance", "separate"
_FILES_ONLY = ("stems", "raw_stems")  # settings that say which files are written, not how they sound


class Renderer(Protocol):
    """The engine's side of the stage, loaded; `engine.highlight.rebalance.Rebalancer` is the real one."""

    glances: Glances | None

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

    def listen(self, score: Score, progress: Progress) -> Listening:
        """What the network says of a whole programme."""


def stage_for(settings: JobSettings) -> Stage:
    """The stage that a job with these settings runs."""
    return RebalanceStage(settings)


class RebalanceStage:
    """Rebalances the chosen clips; `engine` is one that is loaded already, `engines` keeps them from job to job."""

    name = NAME

    def __init__(
        self, settings: JobSettings, engine: Renderer | None = None, engines: Engines | None = None
    ) -> None:
        self.settings = settings
        self._engine = engine
        self._engines = engines if engines is not None else Engines()
        self._glances: Glances | None = None

    @cached_property
    def identity(self) -> Identity:
        """The model, what describes the picture to it, and the settings that change the sound."""
        from ...engine.highlight.identity import identity_of

        facts = engine_settings(self.settings).to_dict()
        # What a programme's clips are separated into does not depend on what is done with it.
        name = SEPARATE if self.settings.whole else NAME
        settings = {name: value for name, value in facts.items() if name not in _FILES_ONLY}
        if self._engine is not None:
            model, weights = self._engine.model_name, self._engine.weights_sha256
            return Identity(name, model, weights, {model: weights}, settings)
        found = identity_of(self.settings.model, self.settings.context)
        models = {found.model: found.weights_sha256}
        if found.encoder:
            models[found.encoder] = found.encoder_sha256
        return Identity(name, found.model, found.weights_sha256, models, settings)

    @property
    def device(self) -> str:
        """Where the model runs; empty as long as it did not have to be loaded."""
        return "" if self._engine is None else self._engine.device

    def tasks(self, timeline: Timeline, chosen: Collection[int]) -> Iterator[Draft]:
        """A passage for every chosen clip that can be rendered, with handles as set."""
        handles = Fraction(self.settings.handles) / timeline.rate
        for clip in timeline.clips:
            if clip.index in chosen:
                try:
                    yield Draft(clip, clip.passage(handles=handles))
                except SightmixError as error:
                    yield Draft(clip, None, str(error))

    def ear(self, progress: Progress) -> Listener | None:
        """Whoever tells by listening what clips hold, with the shipped model, which its rule was made for."""
        return Listener(progress, self._engines.ear) if self._engine is None else None

    def glance(self) -> None:
        """From now on read no picture again that was looked at a moment ago: of use for a short stretch."""
        from ...engine.highlight.context import Glances

        self._glances = Glances()

    def load(self) -> None:
        """Load the model and its encoder; raises ModelError."""
        if self._engine is None:
            self._engine = self._engines.loaded(self.settings, self.identity.model)

    def render(self, passage: Passage, folder: Path, name: str, progress: Progress) -> Rendition:
        """Rebalance one passage; raises MediaError, WriteError, Cancelled, and ModelError on the first."""
        self.load()
        assert self._engine is not None
        self._engine.glances = self._glances
        return self._engine.render(passage, engine_settings(self.settings), folder, name, progress)

    def listen(self, score: Score, progress: Progress) -> Listening:
        """Let the model hear a whole programme; raises MediaError, Cancelled, and ModelError on the first."""
        self.load()
        assert self._engine is not None
        self._engine.glances = self._glances
        return self._engine.listen(score, progress)


class Engines:
    """Engines that stay loaded from one job to the next: the last one asked for, and the ear."""

    def __init__(self) -> None:
        self._key: tuple[str, str, str] | None = None
        self._engine: Renderer | None = None
        self._ear: Network | None = None

    def stage_for(self, settings: JobSettings) -> Stage:
        """The stage that a job with these settings runs, on an engine of these."""
        return RebalanceStage(settings, engines=self)

    def loaded(self, settings: JobSettings, model: str = "") -> Renderer:
        """The engine for these settings, its `model` by name where that is known; raises ModelError."""
        from ...engine.highlight.identity import identity_of
        from ...engine.highlight.rebalance import Rebalancer

        model = model or identity_of(settings.model, settings.context).model
        key = (model, settings.device, settings.context)
        if self._engine is None or self._key != key:
            self._engine = None  # never two at once: they are large
            self._engine, self._key = Rebalancer(*key), key
        return self._engine

    def ready(self, settings: JobSettings) -> Renderer:
        """The engine for these settings, with all opened that it opens when it is first asked; raises ModelError."""
        from ...engine.highlight.rebalance import Rebalancer

        engine = self.loaded(settings)
        if isinstance(engine, Rebalancer):
            engine.warm_up()
        return engine

    def ear(self) -> Network:
        """The network that tells by listening what clips hold; raises ModelError."""
        if self._ear is None:
            self._ear = shipped_network()
        return self._ear


def engine_settings(settings: JobSettings) -> Any:
    """The part of a job's settings that the engine works by."""
    from ...engine.highlight.settings import RebalanceSettings

    if settings.whole:
        return RebalanceSettings(stems=True, raw_stems=True, context=settings.context)
    return RebalanceSettings(
        strength=settings.strength,
        **{f"{role.name}_db": getattr(settings, role.name) for role in PARTS},
        stems=settings.with_stems,
        raw_stems=settings.keyframed,
        context=settings.context,
    )
