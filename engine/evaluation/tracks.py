"""Timelines whose stems lie on tracks of their own, as systems under evaluation: nothing is separated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import sosfilt

from ..highlight.backends import Network
from ..highlight.config import HOP, WINDOW_FRAMES, WINDOW_SAMPLES, to_reference
from ..highlight.context import WindowContext
from ..highlight.spectral import magnitudes
from ..highlight.style import Heard, styled
from ..highlight.told import Told
from ..highlight.windows import Joiner, Window, choose_join, cut_frames, next_window
from ..passage import Shot
from ..training.loop.batches import Shown
from ..training.loop.metrics import match_loudness
from ..training.material.levels import (
    SAMPLE_RATE,
    apply_gain,
    decibels,
    frame_power,
    frames_of,
    k_weighting,
    loudness,
)
from ..training.scenes.scene import Scene

Sound = NDArray[np.float32]
KNOWN_DB = 99.0  # the quality of stems that were never mixed


@dataclass(frozen=True)
class Listening:
    """Gains (3, T) in dB that a network asks for, and what a style has to know of the tracks."""

    gains: Sound
    heard: Heard


class Ears:
    """A network that hears scenes as programmes of three known tracks, with their pictures."""

    def __init__(self, network: Network, shown: Shown) -> None:
        self.network, self._shown = network, shown
        self._scene: Scene | None = None
        self._listening: Listening | None = None

    def hear(self, scene: Scene) -> Listening:
        """What the network says of a scene; said of the last one again without running it."""
        if self._listening is None or scene is not self._scene:
            cuts = cut_frames([shot.start for shot in shots(scene)[1:]], Fraction(0))
            gains = np.concatenate(list(self._gains(scene, cuts)), axis=1)
            weighted = np.asarray(sosfilt(k_weighting(SAMPLE_RATE), scene.stems), np.float32)
            power = frame_power(weighted)
            levels = np.maximum(decibels(power) - 0.691, -120.0).astype(np.float32)
            quality = np.full_like(levels, KNOWN_DB)
            self._listening = Listening(gains, Heard(levels, np.zeros_like(levels), quality, cuts))
            self._scene = scene
        return self._listening

    def _gains(self, scene: Scene, cuts: NDArray[np.intp]) -> Iterator[Sound]:
        """The network's gains as they become final, window by window."""
        stems = scene.stems * np.float32(to_reference(loudness(scene.mix())))
        total, joiner = frames_of(stems.shape[1]), Joiner()
        window: Window | None = Window(0, 0, 0)
        while window is not None:
            sound = _cut_out(stems, window)
            end, following = total, None
            if window.start + WINDOW_FRAMES < total:
                energy = np.square(sound.sum(axis=0).reshape(WINDOW_FRAMES, HOP)).mean(axis=1)
                following = next_window(choose_join(window.start, cuts, energy), total)
                end = following.fade_start
            seen = self._look(scene, window.start * HOP / SAMPLE_RATE)
            _, gains = self.network.run(
                magnitudes(sound.sum(axis=0))[None],
                sound.sum(axis=0)[None],
                seen.features[None],
                seen.times[None],
                seen.valid[None],
                Told.of(
                    np.stack([magnitudes(stem) for stem in sound])[None],
                    np.zeros((1, len(sound)), np.float32),
                ),
            )
            yield from joiner.add(window, (gains[0],), end, total)
            window = following

    def _look(self, scene: Scene, start: float) -> WindowContext:
        """What a window from `start` seconds on is shown of a scene's pictures."""
        later = tuple((time - start, name) for time, name in scene.pictures or ())
        return WindowContext(*self._shown.look(later))


def _cut_out(stems: Sound, window: Window) -> Sound:
    """A window's stems (3, 441344); a scene that is shorter is continued by its own mirror image."""
    sound = stems[:, window.start * HOP :][:, :WINDOW_SAMPLES]
    missing = ((0, 0), (0, WINDOW_SAMPLES - sound.shape[1]))
    return np.pad(sound, missing, mode="constant" if window.start else "symmetric")


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
        gains = styled(said.gains, said.heard, self._style).gains
        sound = np.sum(apply_gain(scene.stems, gains), axis=0)
        return np.asarray(
            match_loudness(sound, scene.mix()) if self._loudness == "keep" else sound, np.float32
        )
