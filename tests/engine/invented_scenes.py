"""Invented stems, laid at about equal level, for tests of how scenes are mixed and muddied."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RATE = 44_100


@dataclass(frozen=True)
class InventedStems:
    """Stems (3, samples) float32, silent where absent; the share of hits; effects' (start s, end s, picture)."""

    stems: np.ndarray
    transient: float
    events: tuple[tuple[float, float, int], ...]


_NOISE = np.random.default_rng(99).standard_normal(20 * RATE).astype(np.float32)


def invented_stems(
    index: int, seconds: float = 4.0, silent: tuple[float, float, float] = (0.42, 0.04, 0.05)
) -> InventedStems:
    """Scene number `index`: gated noise talks, swelling noise plays, decaying noise hits; at least one sounds."""
    rng = np.random.default_rng((17, index))
    n = round(seconds * RATE)
    t = np.arange(n) / RATE
    while True:
        present = rng.random(3) >= silent
        if present.any():
            break
    stems = np.zeros((3, n), np.float32)
    rate, phase, part = rng.uniform(0.25, 0.9), rng.uniform(0, 1), rng.uniform(0.3, 0.8)
    gate = ((t * rate + phase) % 1.0 < part) * (0.6 + 0.4 * np.sin(2 * np.pi * 4.0 * t))
    swell = 1.0 + rng.uniform(0, 0.8) * np.sin(2 * np.pi * rng.uniform(0.1, 0.5) * t + rng.uniform(0, 6))
    hits, events = np.zeros(n), []
    for _ in range(int(rng.integers(1, 5))):
        start, length = rng.uniform(0, seconds - 0.5), rng.uniform(0.3, 2.0)
        end = min(start + length, seconds)
        a, b = round(start * RATE), round(end * RATE)
        hits[a:b] += rng.uniform(0.5, 1.5) * np.exp(-np.arange(b - a) / (0.3 * length * RATE))
        events.append((start, end, int(rng.integers(-1, 3))))
    transient = 1.0
    if rng.random() < 0.45:
        transient = float(rng.uniform(0.4, 1.0))
        hits += 10 ** (-14 * transient / 20)
    for k, shape in enumerate((gate, swell, hits)):
        if present[k]:
            skip = int(rng.integers(0, _NOISE.size - n))
            stems[k] = 0.08 * shape * _NOISE[skip : skip + n]
    return InventedStems(stems, transient if present[2] else 1.0, tuple(events) if present[2] else ())


def invented_laid(indices, seconds=4.0, silent=(0.42, 0.04, 0.05), cuts=(), hard=False):
    """The same as laid scenes of a batch; the pictures of their effects are the table's first three rows."""
    import torch
    from sightmix.engine.training.scenes.laying import Laid

    made = [invented_stems(int(i), seconds, silent) for i in indices]
    times = torch.zeros(len(made), 8, 2)
    pictures, valid = torch.full((len(made), 8), -1), torch.zeros(len(made), 8, dtype=torch.bool)
    for row, one in enumerate(made):
        for k, (start, end, picture) in enumerate(one.events):
            times[row, k], pictures[row, k], valid[row, k] = torch.tensor([start, end]), picture, True
    stems = torch.from_numpy(np.stack([one.stems for one in made]))
    present = stems.abs().amax(-1) > 0
    return Laid(
        stems=stems,
        present=present[:, None].expand(-1, len(cuts) + 1, -1),
        transient=torch.tensor([one.transient for one in made]),
        events=times,
        event_valid=valid,
        event_picture=pictures,
        cuts=torch.tensor(cuts).expand(len(made), -1),
        packages=torch.where(present, torch.arange(3), -1),
        hard=torch.full((len(made),), hard),
    )


NAMES = ("e0", "e1", "e2", "other:a", "other:b", "subject:speech:s", "subject:music:m", "subject:effects:e")


def invented_table(subjects=("speech", "music", "effects"), neutral=True):
    """Pictures of three effects, of each of some classes, and of nothing that sounds."""
    from sightmix.engine.training.scenes.pictures import PictureTable

    shown = {kind: [name for name in NAMES if name.startswith(f"subject:{kind}")] for kind in subjects}
    return PictureTable(NAMES, shown, NAMES[3:5] if neutral else ())


def invented_batch(indices, config, seconds=4.0, *, seed=0, table=None, split="train", **laid):
    """Invented scenes, mixed and muddied."""
    from sightmix.engine.training.scenes.dice import Dice
    from sightmix.engine.training.scenes.mixing import mix

    silent = config.presence.silent
    table = invented_table() if table is None else table
    return mix(
        invented_laid(indices, seconds, silent, **laid),
        Dice(split, list(indices), seed),
        config,
        table,
        ("pack one", "pack two", "pack three"),
    )
