"""Timelines whose stems lie on tracks of their own, as systems under evaluation: nothing is separated."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..highlight.backends import Network
from ..highlight.context import WindowContext
from ..highlight.listening import LANES, Listening, Score, listen
from ..highlight.style import Heard, styled
from ..passage import Passage, Shot
from ..progress import Progress
from ..training.loop.batches import Shown
from ..training.loop.metrics import match_loudness
from ..training.material.levels import SAMPLE_RATE, apply_gain
from ..training.scenes.scene import Scene

Sound = NDArray[np.float32]
KNOWN_DB = 99.0  # the quality of stems that were never mixed


class Ears:
    """A network that hears scenes as programmes of three known tracks, with their pictures."""

    def __init__(self, network: Network, shown: Shown) -> None:
        self.network, self._shown = network, shown
        self._scene: Scene | None = None
        self._listening: Listening | None = None

    def hear(self, scene: Scene) -> Listening:
        """What the network says of a scene; said of the last one again without running it."""
        if self._listening is None or scene is not self._scene:
            samples = scene.stems.shape[1]
            lanes = np.zeros((LANES, 1, samples), np.float32)
            lanes[: len(scene.stems), 0] = scene.stems

            def blocks() -> Iterator[Sound]:
                yield lanes

            score = Score("scene", SAMPLE_RATE, samples, np.ones(1, np.float32), blocks, shots(scene))
            self._listening = listen(_Watching(self, scene), score, Progress())
            self._scene = scene
        return self._listening

    def look(self, scene: Scene, start: float) -> WindowContext:
        """What a window from `start` seconds on is shown of a scene's pictures."""
        later = tuple((time - start, name) for time, name in scene.pictures or ())
        return WindowContext(*self._shown.look(later))


class _Watching:
    """A network before one scene."""

    def __init__(self, ears: Ears, scene: Scene) -> None:
        self.network, self._ears, self._scene = ears.network, ears, scene

    def window_context(
        self, _passage: Passage, start: Fraction, _duration: Fraction, _progress: Progress
    ) -> WindowContext:
        """See `Ears.look`."""
        return self._ears.look(self._scene, float(start))


def shots(scene: Scene) -> tuple[Shot, ...]:
    """A scene's shots: its picture cuts where another one begins to be shown."""
    end = Fraction(scene.stems.shape[1], SAMPLE_RATE)
    cuts = sorted({Fraction(time) for time, _ in scene.pictures or () if 0 < time < end})
    return tuple(Shot(a, b - a, Path(), a) for a, b in pairwise([Fraction(0), *cuts, end]))


class OwnTracks:
    """The tracks of a scene as they are, under the gains of a network that is told them, in the manner of a style.

    With `loudness` "keep" the mix is as loud after as before, with "model" as the gains leave it.
    """

    def __init__(self, ears: Ears, style: str, loudness: str = "keep") -> None:
        self._ears, self._style, self._loudness = ears, style, loudness

    def __call__(self, scene: Scene) -> Sound:
        """The sum of the tracks (samples,)."""
        said = self._ears.hear(scene)
        quality = np.full_like(said.levels, KNOWN_DB)
        gains = styled(said.gains, Heard(said.levels, said.unsure, quality, said.cuts), self._style).gains
        sound = np.sum(apply_gain(scene.stems, gains), axis=0)
        return np.asarray(
            match_loudness(sound, scene.mix()) if self._loudness == "keep" else sound, np.float32
        )
