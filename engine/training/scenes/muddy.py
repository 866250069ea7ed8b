"""Muddy Mix: the ways a good balance of speech, music and effects is spoilt to make a model's input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import TrainingError
from ..material.levels import (
    HOP,
    SAMPLE_RATE,
    STEMS,
    Array,
    apply_gain,
    decibels,
    frame_power,
    frames_of,
    stem_loudness,
)

STRENGTHS_DB = (12.0, 9.0, 6.0)
LEVELS_DB = {"low": 6.0, "moderate": 9.0, "high": 12.0}
POLICIES = ("paper", "released", "continuous", "per_second", "none", *LEVELS_DB)
PEAK_CEILING = 10.0 ** (-0.5 / 20.0)


@dataclass(frozen=True)
class Degradation:
    """What is done to each stem: `curve_db` (3, frames) on the gain grid, and a record of the draw."""

    curve_db: Array
    record: dict[str, Any] = field(default_factory=dict)


Changes = NDArray[np.float64]
Strength = Callable[[np.random.Generator], float]


def _stepped(rng: np.random.Generator) -> float:
    return float(rng.choice(STRENGTHS_DB))


def _continuous(rng: np.random.Generator) -> float:
    return float(rng.uniform(6.0, 12.0))


def _suppress_loudest(levels: NDArray[np.float64], rng: np.random.Generator, strength: Strength) -> Changes:
    """The paper's rule: the loudest stem down, the other sounding stems up, each by its own draw."""
    changes = np.zeros(3)
    sounding = np.isfinite(levels)
    if not sounding.any():
        return changes
    loudest = int(np.argmax(levels))
    for k in range(3):
        if sounding[k]:
            changes[k] = strength(rng) * (-1.0 if k == loudest else 1.0)
    return changes


def _released(levels: NDArray[np.float64], rng: np.random.Generator) -> Changes:
    """The released generator's rule: loudest down, one other class (perhaps silent) up, the third down."""
    changes = np.zeros(3)
    if not np.isfinite(levels).any():
        return changes
    loudest = int(np.argmax(levels))
    boosted = int(rng.choice([k for k in range(3) if k != loudest]))
    for k in range(3):
        change = _stepped(rng) * (1.0 if k == boosted else -1.0)
        changes[k] = change if np.isfinite(levels[k]) else 0.0
    return changes


def _per_second(
    levels: NDArray[np.float64], frames: int, rng: np.random.Generator, level_db: NDArray[np.float64] | None
) -> Array:
    """A fresh draw about every second by the stem that is loudest there, joined by raised cosines."""
    seconds = frames * HOP / SAMPLE_RATE
    knots = max(2, round(seconds / rng.uniform(0.8, 1.5)) + 1)
    places = np.linspace(0.0, frames - 1.0, knots)
    values = np.empty((3, knots))
    for i, place in enumerate(places):
        local = levels
        if level_db is not None:
            near = level_db[:, max(0, int(place) - 21) : int(place) + 22]
            local = np.where(np.isfinite(levels), decibels(np.mean(10.0 ** (near / 10.0), axis=1)), -np.inf)
        values[:, i] = _suppress_loudest(local, rng, _continuous)
    where = np.interp(np.arange(frames), places, np.arange(knots))
    low = np.minimum(where.astype(int), knots - 2)
    blend = 0.5 - 0.5 * np.cos(np.pi * (where - low))
    return np.asarray(values[:, low] * (1.0 - blend) + values[:, low + 1] * blend, np.float32)


def draw(
    policy: str,
    levels: NDArray[np.float64],
    frames: int,
    rng: np.random.Generator,
    level_db: NDArray[np.float64] | None = None,
) -> Degradation:
    """Draw a degradation for stems of integrated loudness `levels` (3,) LUFS (-inf: silent), `frames` long.

    Policies: `paper` (loudest -{12, 9, 6} dB, others +{12, 9, 6}; VisAH section 4), `released` (the
    generator that
    was published with it), `continuous` (as `paper`, 6 to 12 dB), `per_second` (as `continuous`, drawn
    afresh about
    every second; `level_db` (3, frames) says which stem is loudest there), `low`, `moderate`, `high` (as
    `paper` by
    6, 9, 12 dB) and `none`. Raises TrainingError for another name.
    """
    if policy not in POLICIES:
        raise TrainingError(f"Unknown degradation policy '{policy}': use one of {', '.join(POLICIES)}.")
    changes = np.zeros(3)
    if policy in ("paper", "continuous"):
        changes = _suppress_loudest(levels, rng, _stepped if policy == "paper" else _continuous)
    elif policy in LEVELS_DB:
        changes = _suppress_loudest(levels, rng, lambda _: LEVELS_DB[policy])
    elif policy == "released":
        changes = _released(levels, rng)
    curve = np.repeat(changes[:, None], frames, axis=1).astype(np.float32)
    if policy == "per_second":
        curve = _per_second(levels, frames, rng, level_db)
    loudest = STEMS[int(np.argmax(levels))] if np.isfinite(levels).any() else None
    mean_db = [round(float(np.mean(row)), 3) for row in curve]
    return Degradation(curve, {"policy": policy, "loudest": loudest, "changes_db": mean_db})


def peak_guard(stems: Array, per_stem: bool = False) -> float:
    """Common gain in dB (0 or less) that keeps the sum of stems (3, samples) under -0.5 dBFS.

    With `per_stem` every stem is first kept under the ceiling too, as the released generator does.
    """
    scale = 1.0
    if per_stem:
        scale = min(1.0, PEAK_CEILING / max(float(np.max(np.abs(stems))), 1e-9))
    peak = float(np.max(np.abs(np.sum(stems, axis=0)))) * scale
    scale *= min(1.0, PEAK_CEILING / max(peak, 1e-9))
    return 20.0 * float(np.log10(scale))


def degrade(stems: Array, policy: str, rng: np.random.Generator) -> tuple[Array, Degradation]:
    """Spoil the balance of stems (3, samples): the muddy stems, and the change made, peak guard included.

    Loudness is measured per stem by BS.1770. The muddy stems' sum is the muddy mix.
    """
    frames = frames_of(stems.shape[-1])
    spoilt = draw(policy, stem_loudness(stems), frames, rng, decibels(frame_power(stems)))
    muddy = apply_gain(stems, spoilt.curve_db)
    guard = peak_guard(muddy, per_stem=policy == "released")
    muddy *= np.float32(10.0 ** (guard / 20.0))
    record = {**spoilt.record, "guard_db": round(guard, 3)}
    return muddy, Degradation(spoilt.curve_db + np.float32(guard), record)
