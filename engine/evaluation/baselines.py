"""What simpler systems reach, and what perfect ones would: the reference rows beside a model's results."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft
from scipy.signal import istft, stft

from ..errors import TrainingError
from ..training.levels import (
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
from ..training.scenes import Scene
from .metrics import improvement, measure

System = Callable[[Scene], Array]
Matrix = NDArray[np.float64]

_BANDS, _SIZE = 32, 2048
PENALTIES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
_QUIET_LUFS = -70.0
_SMOOTHING = 0.3
_SPAN, _OVERLAP = 4096, 3072


def unchanged(scene: Scene) -> Array:
    """The muddy mix as it is."""
    return scene.mix()


# Loudness alone


@dataclass(frozen=True)
class LoudnessMatch:
    """Brings every clip to one loudness, in LUFS: the mean of the good mixes of a training corpus."""

    lufs: float

    @classmethod
    def fit(cls, scenes: Iterable[Scene]) -> LoudnessMatch:
        """Mean loudness of the good mixes of `scenes`; raises TrainingError when all are silent."""
        found = [value for scene in scenes if math.isfinite(value := loudness(scene.target()))]
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
    def fit(cls, scenes: Iterable[Scene], stride: int = 8) -> BroadbandGain:
        """Fit on every `stride`-th frame of `scenes`, loud frames counting more, as in the metrics."""
        features, gains, weights, wanted = [], [], [], []
        for scene in scenes:
            gain, level = cls.best_gain(scene)
            found = _clip_features(scene.mix())
            features.append(found[::stride])
            gains.append((gain + found[:, -1])[::stride, None])
            weights.append(level[::stride])
            wanted.append(loudness(scene.target()))
        if not np.isfinite(wanted).any():
            raise TrainingError("No scene has sound to fit a broadband gain on: check the training corpus.")
        usual = LoudnessMatch(float(np.mean([v for v in wanted if math.isfinite(v)])))
        clips = np.repeat(np.arange(len(features), dtype=np.int64), [len(x) for x in features])
        x, y, w = np.concatenate(features), np.concatenate(gains), np.concatenate(weights) + 1e-6
        return cls(Ridge.fit_best(x, y - usual.lufs, w, clips), usual)

    def __call__(self, scene: Scene) -> Array:
        """The mix under the predicted gain (samples,)."""
        mix = scene.mix()
        features = _clip_features(mix)
        step = _smoothed(self.ridge(features), _SMOOTHING)[:, 0]
        return apply_gain(mix, np.clip(self.level.lufs - features[:, -1] + step, -24.0, 24.0))


# Oracles


def _level_features(levels: Matrix) -> Matrix:
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

    @classmethod
    def fit(cls, scenes: Iterable[Scene]) -> LevelledStems:
        """Fit each stem's gain on `scenes`."""
        features, gains, weights = [], [], []
        for scene in scenes:
            mean, weight = _mean_gain(scene)
            features.append(_level_features(stem_loudness(scene.stems)))
            gains.append(mean)
            weights.append(weight)
        if not features:
            raise TrainingError("No scene to fit stem gains on: check the training corpus.")
        x, y, w = np.array(features), np.array(gains), np.array(weights) + 1e-6
        clips = np.arange(len(x), dtype=np.int64)
        first, second, third = (Ridge.fit_best(x, y[:, k : k + 1], w[:, k], clips) for k in range(3))
        return cls((first, second, third))

    def __call__(self, scene: Scene) -> Array:
        """The sum of the true muddy stems under the predicted gains (samples,)."""
        features = _level_features(stem_loudness(scene.stems))[None]
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


# The table


@dataclass(frozen=True)
class Row:
    """One system's mean distances over a set, and their improvement on the input in %."""

    system: str
    means: Mapping[str, float]
    improvement: Mapping[str, float]


@dataclass(frozen=True)
class Table:
    """Results of systems over the same clips."""

    clips: int
    rows: tuple[Row, ...]

    def row(self, system: str) -> Row:
        """The row of one system; raises KeyError when it is not in the table."""
        return {row.system: row for row in self.rows}[system]

    def text(self) -> str:
        """The table in Markdown: distances times 100, improvement in brackets, as in the paper."""
        names = list(self.rows[0].means)
        lines = ["| system | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
        for row in self.rows:
            cells = [f"{100 * row.means[n]:.2f} ({row.improvement[n]:+.0f} %)" for n in names]
            lines.append(f"| {row.system} | " + " | ".join(cells) + " |")
        return "\n".join(lines)


def evaluate_set(scenes: Iterable[Scene], systems: Mapping[str, System], matched: bool = True) -> Table:
    """Mean distances of every system's output from the good mix over `scenes`; the input is the first row.

    Each scene is drawn once and handed to every system. Raises TrainingError when there are no scenes.
    """
    everyone = {"input": unchanged, **systems}
    totals: dict[str, dict[str, float]] = {name: {} for name in everyone}
    clips = 0
    for scene in scenes:
        clips += 1
        target = scene.target()
        for name, system in everyone.items():
            for metric, value in measure(system(scene), target, matched).items():
                totals[name][metric] = totals[name].get(metric, 0.0) + value
    if not clips:
        raise TrainingError("There are no clips to evaluate.")
    means = {name: {m: v / clips for m, v in total.items()} for name, total in totals.items()}
    rows = (Row(name, mean, improvement(means["input"], mean)) for name, mean in means.items())
    return Table(clips, tuple(rows))
