"""Statistics of laid stems, by which one way of laying them is held to another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from sightmix.engine.training.material.levels import STEMS, decibels, frame_power
from sightmix.engine.training.scenes.levels import activity

SECONDS = 5.0
SHARES = np.arange(0.1, 0.95, 0.1)  # of the quantiles


def of_stem(stem: np.ndarray) -> dict[str, float]:
    """Share of frames in which it sounds, their level and spread (dB), pauses (frames) and bandwidth (Hz)."""
    level = decibels(frame_power(stem))
    active = activity(torch.from_numpy(level).float()).numpy()
    loud = level[active] if active.any() else np.array([-120.0])
    edges = np.flatnonzero(np.diff(active.astype(int)))
    spectrum = np.cumsum(np.abs(np.fft.rfft(stem)) ** 2)
    return {
        "active": float(active.mean()),
        "level": float(np.percentile(loud, 95)),
        "spread": float(np.percentile(loud, 95) - np.percentile(loud, 30)),
        "changes": float(edges.size),
        "bandwidth": float(np.searchsorted(spectrum, 0.99 * spectrum[-1]) / stem.size * 44_100),
    }


def gathered(
    stems: Sequence[np.ndarray], events: Sequence[int], transient: Sequence[float]
) -> dict[str, np.ndarray]:
    """Every statistic over scenes (3, samples) of which silent stems are left out."""
    found: dict[str, list[float]] = {}
    for scene, count, share in zip(stems, events, transient, strict=True):
        for kind, stem in zip(STEMS, scene, strict=True):
            if stem.any():
                for name, value in of_stem(stem).items():
                    found.setdefault(f"{kind}.{name}", []).append(value)
        if scene[2].any():
            found.setdefault("effects.events", []).append(float(count))
            found.setdefault("effects.transient", []).append(share)
    return {name: np.array(values) for name, values in found.items()}


def distance(recorded: Sequence[float], found: np.ndarray) -> float:
    """The greatest difference between recorded quantiles at `SHARES` and the shares found at or below them.

    Where values repeat, a quantile stands for all shares between those below it and those up to it.
    """
    worst = 0.0
    for value in sorted(set(recorded)):
        same = SHARES[np.isclose(recorded, value)]
        below, upto = np.mean(found < value - 1e-6), np.mean(found <= value + 1e-6)
        worst = max(worst, float(below - same[0]), float(same[-1] - upto))
    return worst
