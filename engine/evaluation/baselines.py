"""What simpler systems reach, and what perfect ones would: the reference rows beside a model's results."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import rfft
from scipy.signal import istft, stft

from ..errors import TrainingError
from ..training.material.levels import (
    HOP,
    SAMPLE_RATE,
    Array,
    apply_gain,
    decibels,
    frame_power,
    frames_of,
    loudness,
    stem_loudness,
)
from ..training.scenes.dice import Dice
from ..training.scenes.levels import peak_guard
from ..training.scenes.muddy import AUDIBLE_LU
from ..training.scenes.priors import LoudnessPrior
from ..training.scenes.scene import Scene
from ..training.scenes.targets import random_levels

System = Callable[[Scene], Array]
Matrix = NDArray[np.float64]

_BANDS, _SIZE = 32, 2048
PENALTIES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
_QUIET_LUFS = -70.0
_SMOOTHING = 0.3
_SPAN, _OVERLAP = 4096, 3072
_STRIDE = 8  # frames between those that a gain is fitted on


def unchanged(scene: Scene) -> Array:
    """The muddy mix as it is."""
    return scene.mix()


# Loudness alone


@dataclass(frozen=True)
class LoudnessMatch:
    """Brings every clip to one loudness, in LUFS: the mean of the good mixes of a training corpus."""

    lufs: float

    @staticmethod
    def observe(scene: Scene) -> float:
        """What fitting has to know of a training scene: the loudness of its good mix in LUFS."""
        return loudness(scene.target())

    @classmethod
    def of(cls, observed: Sequence[float]) -> LoudnessMatch:
        """The mean of what was observed; raises TrainingError when all is silent."""
        found = [value for value in observed if math.isfinite(value)]
        if not found:
            raise TrainingError("No scene has sound to take the mean loudness of: check the training corpus.")
        return cls(float(np.mean(found)))

    def __call__(self, scene: Scene) -> Array:
        """The mix at that loudness (samples,)."""
        mix = scene.mix()
        found = loudness(mix)
        return mix * np.float32(10.0 ** ((self.lufs - found) / 20.0)) if math.isfinite(found) else mix


# Regression


@dataclass(frozen=True)
class Ridge:
    """Least squares with a small penalty, from features (rows, features) to values (rows, outputs)."""

    centre: Matrix
    scale: Matrix
    weights: Matrix
    offset: Matrix

    @classmethod
    def fit(cls, features: Matrix, values: Matrix, importance: Matrix, penalty: float) -> Ridge:
        """Weighted fit; `importance` (rows,) and `penalty` per unit of total importance."""
        share = (importance / importance.sum())[:, None]
        centre = np.sum(share * features, axis=0)
        scale = np.sqrt(np.sum(share * (features - centre) ** 2, axis=0)) + 1e-6
        x, offset = (features - centre) / scale, np.sum(share * values, axis=0)
        normal = x.T @ (share * x) + penalty * np.eye(x.shape[1])
        return cls(centre, scale, np.linalg.solve(normal, x.T @ (share * (values - offset))), offset)

    @classmethod
    def fit_best(
        cls, features: Matrix, values: Matrix, importance: Matrix, clips: NDArray[np.int64]
    ) -> Ridge:
        """As `fit`, with the penalty that does best on every fifth clip; `clips` (rows,) numbers the rows' clips."""
        held = clips % 5 == 4
        if held.all() or not held.any():
            return cls.fit(features, values, importance, PENALTIES[-1])

        def error(penalty: float) -> float:
            fitted = cls.fit(features[~held], values[~held], importance[~held], penalty)(features[held])
            return float(np.sum(importance[held, None] * np.abs(fitted - values[held])))

        return cls.fit(features, values, importance, min(PENALTIES, key=error))

    def __call__(self, features: Matrix) -> Matrix:
        """Predicted values (rows, outputs)."""
        standard = np.clip((features - self.centre) / self.scale, -4.0, 4.0)
        return np.asarray(standard @ self.weights + self.offset)


@cache
def _mel_bank() -> Matrix:
    """Triangular mel bands (32, bins) from 40 Hz to 16 kHz, each of unit sum."""
    frequencies = np.arange(_SIZE // 2 + 1) * SAMPLE_RATE / _SIZE
    mels = np.linspace(math.log(1 + 40 / 700), math.log(1 + 16_000 / 700), _BANDS + 2)
    edges = 700.0 * (np.exp(mels) - 1.0)
    rise = (frequencies - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - frequencies) / np.diff(edges)[1:, None]
    bank = np.maximum(0.0, np.minimum(rise, fall)) + 1e-9
    return np.asarray(bank / bank.sum(axis=1, keepdims=True))


def _log_mel(mix: Array) -> Matrix:
    """Band levels in dB (frames, 32) on the gain grid."""
    frames = frames_of(mix.size)
    padded = np.zeros((frames + 1) * HOP, np.float32)
    padded[HOP // 2 : HOP // 2 + mix.size] = mix
    windows = np.lib.stride_tricks.sliding_window_view(padded, _SIZE)[::HOP]
    spectrum = rfft(windows * np.hanning(_SIZE).astype(np.float32), axis=-1)
    return decibels((np.abs(spectrum) ** 2) @ _mel_bank().T)


def _smoothed(values: Matrix, seconds: float) -> Matrix:
    """Moving average over frames of (frames, columns), shortened at the edges."""
    half = max(1, round(seconds * SAMPLE_RATE / HOP / 2))
    total = np.cumsum(np.concatenate([np.zeros((1, values.shape[1])), values]), axis=0)
    index = np.arange(values.shape[0])
    first, last = np.maximum(0, index - half), np.minimum(values.shape[0], index + half + 1)
    return np.asarray((total[last] - total[first]) / (last - first)[:, None])


def _clip_features(mix: Array) -> Matrix:
    """What a mix tells frame by frame: band levels now, over one and four seconds, and over the clip."""
    bands = _log_mel(mix)
    whole = np.concatenate([bands.mean(axis=0), bands.std(axis=0), np.percentile(bands, 90, axis=0)])
    level = loudness(mix)
    whole = np.append(whole, level if math.isfinite(level) else _QUIET_LUFS)
    local = [_smoothed(bands, seconds) for seconds in (0.15, 1.0, 4.0)]
    return np.concatenate([*local, np.repeat(whole[None], bands.shape[0], axis=0)], axis=1)


@dataclass(frozen=True)
class _MixGains:
    """Frames of one scene: features, gains in dB above the level, weights (frames,), and the good mix's LUFS."""

    features: Matrix
    gains_db: Matrix
    weights: Matrix
    lufs: float


@dataclass(frozen=True)
class BroadbandGain:
    """One gain over time for the whole mix, regressed from the mix: no stems, no picture.

    What is regressed is the step from the gain that `LoudnessMatch` would apply.
    """

    ridge: Ridge
    level: LoudnessMatch

    @staticmethod
    def best_gain(scene: Scene) -> tuple[Matrix, Matrix]:
        """The gain in dB (frames,) from the mix's level to the good mix's, and how loud the clip is there."""
        powers = np.stack([frame_power(scene.target()), frame_power(scene.mix())], axis=1)
        level = _smoothed(powers, _SMOOTHING)
        gain = decibels(level[:, 0]) - decibels(level[:, 1])
        return np.clip(gain, -24.0, 24.0), np.sqrt(level.max(axis=1))

    @classmethod
    def observe(cls, scene: Scene) -> _MixGains:
        """What fitting has to know of a scene: every eighth frame, loud ones counting more, as in metrics."""
        gain, level = cls.best_gain(scene)
        found = _clip_features(scene.mix())
        wanted = (gain + found[:, -1])[::_STRIDE, None]
        return _MixGains(found[::_STRIDE], wanted, level[::_STRIDE], loudness(scene.target()))

    @classmethod
    def of(cls, observed: Sequence[_MixGains]) -> BroadbandGain:
        """Fit on what was observed; raises TrainingError when all is silent."""
        usual = [one.lufs for one in observed if math.isfinite(one.lufs)]
        if not usual:
            raise TrainingError("No scene has sound to fit a broadband gain on: check the training corpus.")
        level = LoudnessMatch(float(np.mean(usual)))
        clips = np.repeat(np.arange(len(observed), dtype=np.int64), [len(one.features) for one in observed])
        x = np.concatenate([one.features for one in observed])
        y = np.concatenate([one.gains_db for one in observed])
        w = np.concatenate([one.weights for one in observed]) + 1e-6
        return cls(Ridge.fit_best(x, y - level.lufs, w, clips), level)

    def __call__(self, scene: Scene) -> Array:
        """The mix under the predicted gain (samples,)."""
        mix = scene.mix()
        features = _clip_features(mix)
        step = _smoothed(self.ridge(features), _SMOOTHING)[:, 0]
        return apply_gain(mix, np.clip(self.level.lufs - features[:, -1] + step, -24.0, 24.0))


# Separating and levelling


@dataclass(frozen=True)
class Relevelled:
    """Separate and re-level, the paper's empirical baseline: every stem at a level drawn from a prior, then summed.

    `separate` gives a scene's stems (3, samples). What is more than 30 LU below the loudest stem is what a separator
    leaves behind, and keeps its level. The draw depends on the mix alone, so the same scene always gets the same one.
    """

    separate: Callable[[Scene], Array]
    prior: LoudnessPrior

    def levelled(self, scene: Scene) -> tuple[Array, Matrix]:
        """The stems (3, samples) at the levels drawn, and those levels in LUFS, nan for a stem left as it is."""
        stems = self.separate(scene)
        found = stem_loudness(stems)
        heard = np.isfinite(found) & (found > np.max(found) - AUDIBLE_LU)
        dice = Dice("relevelled", [zlib.crc32(scene.mix().tobytes())])
        drawn = random_levels(dice, torch.from_numpy(heard)[None], self.prior)[0].numpy()
        wanted = np.where(heard, drawn, np.nan)
        gains = np.where(heard, wanted - np.where(heard, found, 0.0), 0.0)
        return apply_gain(stems, gains[:, None]), wanted

    def __call__(self, scene: Scene) -> Array:
        """The sum of the levelled stems (samples,), turned down as a whole where it would pass -0.5 dBFS."""
        stems = self.levelled(scene)[0]
        guard = np.float32(10.0 ** (float(peak_guard(torch.from_numpy(stems))) / 20.0))
        return np.asarray(guard * np.sum(stems, axis=0), np.float32)


def true_stems(scene: Scene) -> Array:
    """A perfect separator: the muddy stems (3, samples) themselves."""
    return scene.stems


# Oracles


def level_features(levels: Matrix) -> Matrix:
    """Muddy stem levels in LUFS (3,): themselves, silence, order, and how they compare, with products."""
    silent = ~np.isfinite(levels)
    filled = np.where(silent, _QUIET_LUFS, levels)
    total = 10.0 * math.log10(float(np.sum(10.0 ** (filled / 10.0))))
    relative = np.clip(filled - total, -40.0, 0.0)
    order = (levels == np.max(levels)).astype(float)
    one = np.concatenate([relative, [total], silent.astype(float), order])
    return np.concatenate([one, np.outer(one, one)[np.triu_indices(one.size)]])


def _mean_gain(scene: Scene) -> tuple[Matrix, Matrix]:
    """Energy-weighted mean of each stem's true gain in dB (3,), and how loud it gets (0 for a silent stem)."""
    power = frame_power(scene.stems) * scene.active
    total = power.sum(axis=1)
    mean = np.sum(power * scene.gains_db, axis=1) / np.maximum(total, 1e-12)
    return mean, np.sqrt(power.mean(axis=1) * np.maximum(1.0, 10.0 ** (mean / 10.0)))


@dataclass(frozen=True)
class LevelledStems:
    """Perfect stems, each under one gain regressed from the muddy stems' levels."""

    ridges: tuple[Ridge, Ridge, Ridge]

    @staticmethod
    def observe(scene: Scene) -> tuple[Matrix, Matrix, Matrix]:
        """What fitting has to know of a training scene: features of its levels, mean gains (3,) dB, weights (3,)."""
        mean, weight = _mean_gain(scene)
        return level_features(stem_loudness(scene.stems)), mean, weight

    @classmethod
    def of(cls, observed: Sequence[tuple[Matrix, Matrix, Matrix]]) -> LevelledStems:
        """Fit each stem's gain on what was observed; raises TrainingError when that is nothing."""
        if not observed:
            raise TrainingError("No scene to fit stem gains on: check the training corpus.")
        x, y, w = (np.array(column) for column in zip(*observed, strict=True))
        w = w + 1e-6
        clips = np.arange(len(x), dtype=np.int64)
        first, second, third = (Ridge.fit_best(x, y[:, k : k + 1], w[:, k], clips) for k in range(3))
        return cls((first, second, third))

    def __call__(self, scene: Scene) -> Array:
        """The sum of the true muddy stems under the predicted gains (samples,)."""
        features = level_features(stem_loudness(scene.stems))[None]
        gains = np.clip([float(ridge(features)[0, 0]) for ridge in self.ridges], -18.0, 18.0)
        return np.asarray(np.sum(apply_gain(scene.stems, gains[:, None]), axis=0), np.float32)


def ideal_masks(scene: Scene) -> Array:
    """Ideal amplitude ratio masks on the muddy mix (Hann 4096, hop 1024) under the true gains."""
    amplitudes = np.abs(stft(scene.stems, nperseg=_SPAN, noverlap=_OVERLAP)[2])
    masks = amplitudes / np.maximum(amplitudes.sum(axis=0), 1e-9)
    spectrum = stft(scene.mix(), nperseg=_SPAN, noverlap=_OVERLAP)[2]
    estimates = istft(masks * spectrum, nperseg=_SPAN, noverlap=_OVERLAP)[1]
    stems = np.asarray(estimates[:, : scene.stems.shape[1]], np.float32)
    return np.asarray(np.sum(apply_gain(stems, scene.gains_db), axis=0), np.float32)


# Fitting

FITTED: Mapping[str, type[LoudnessMatch | BroadbandGain | LevelledStems]] = {
    "loudness": LoudnessMatch,
    "gain": BroadbandGain,
    "levelled_stems": LevelledStems,
}


def fit(scenes: Iterable[Scene], kinds: Sequence[str]) -> dict[str, System]:
    """Baselines of the kinds named in `FITTED`, fitted on the same scenes, each of which is drawn once.

    Raises TrainingError where there is nothing to fit on.
    """
    observed: dict[str, list[Any]] = {kind: [] for kind in kinds}
    for scene in scenes:
        for kind in kinds:
            observed[kind].append(FITTED[kind].observe(scene))
    return {kind: FITTED[kind].of(observed[kind]) for kind in kinds}
