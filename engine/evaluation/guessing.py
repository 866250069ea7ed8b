"""Whether levels alone tell which stem a picture brings out: a guesser that knows them and sees nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..errors import TrainingError
from ..roles import STEMS
from ..training.material.levels import HOP, SAMPLE_RATE, Array, decibels, frame_power, stem_loudness
from ..training.scenes.scene import Scene
from .baselines import Matrix, Ridge, level_features
from .scoring import subject_of

_SOUNDS = 0.3  # share of a shot in which a stem must sound to count as one of its choices


@dataclass(frozen=True)
class Shot:
    """A stretch of a scene under one picture that brings out a stem, where more than one sounds.

    `features` are of the muddy stems' true levels, over the clip and over the shot; `sounding` (3,) are the stems to
    choose from, `lead` the number of the right one.
    """

    features: Matrix
    sounding: NDArray[np.bool_]
    lead: int


def shots_of(scene: Scene) -> list[Shot]:
    """The shots of a scene that leave a choice; none without pictures."""
    pictures = scene.pictures or ()
    edges = [round(seconds * SAMPLE_RATE / HOP) for seconds, _ in pictures] + [scene.active.shape[1]]
    power, whole = frame_power(scene.stems), level_features(stem_loudness(scene.stems))
    found = []
    for (_, picture), (first, last) in zip(pictures, pairwise(edges), strict=True):
        subject = subject_of(picture)
        if subject not in STEMS or last <= first:
            continue
        sounding = scene.active[:, first:last].mean(axis=1) > _SOUNDS
        lead = STEMS.index(subject)
        if sounding[lead] and sounding.sum() > 1:
            mean = power[:, first:last].mean(axis=1)
            here = level_features(np.where(mean > 0.0, decibels(mean), -np.inf))
            found.append(Shot(np.concatenate([whole, here]), sounding, lead))
    return found


@dataclass(frozen=True)
class LevelGuess:
    """Guesses the stem that a picture brings out by the muddy stems' levels alone, by regression on one-hot answers."""

    ridge: Ridge

    @classmethod
    def fit(cls, scenes: Iterable[Scene]) -> LevelGuess:
        """Fit on training scenes; raises TrainingError where no shot leaves a choice."""
        shots = [(clip, shot) for clip, scene in enumerate(scenes) for shot in shots_of(scene)]
        if not shots:
            raise TrainingError(
                "No training scene shows which of its stems to bring out: compute the corpus's picture features."
            )
        features = np.stack([shot.features for _, shot in shots])
        answers = np.eye(len(STEMS))[[shot.lead for _, shot in shots]]
        clips = np.array([clip for clip, _ in shots], np.int64)
        return cls(Ridge.fit_best(features, answers, np.ones(len(shots)), clips))

    def __call__(self, scene: Scene) -> Array:
        """For every shot (shots, 2): 1 where the guess is right and 0 elsewhere, and how often chance would be."""
        told = []
        for shot in shots_of(scene):
            likely = np.where(shot.sounding, self.ridge(shot.features[None])[0], -np.inf)
            told.append((float(np.argmax(likely) == shot.lead), 1.0 / float(shot.sounding.sum())))
        return np.array(told, np.float32).reshape(-1, 2)
