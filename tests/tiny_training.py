"""A network, a training configuration and a corpus small enough for tests."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from sightmix.engine.training.loop.config import TrainConfig

RATE = 44_100
NETWORK = {
    "kind": "product",
    "channels": 4,
    "width": 32,
    "heads": 4,
    "decoder_layers": 1,
    "encoder_layers": 1,
    "context_dim": 8,
    "spectrogram": "log",
}
CONFIG = TrainConfig(
    name="tiny",
    network=NETWORK,
    seconds=1.5,
    batch=1,
    steps=6,
    warmup=2,
    decay=2,
    workers=0,
    validate_clips=2,
    scene_options={"untouched": 0.0},  # of a mix left as it is nothing can be improved
)


def sound(kind: str, rng: np.random.Generator, seconds: float) -> np.ndarray:
    """Buzzing syllables, a steady chord, or noise bursts: three kinds a network can tell apart."""
    t = np.arange(int(seconds * RATE)) / RATE
    if kind == "speech":
        pitch = rng.uniform(100, 200)
        buzz = sum(np.sin(2 * np.pi * pitch * k * t) / k for k in range(1, 12))
        x = buzz * (np.sin(2 * np.pi * 4 * t) > 0)
    elif kind == "music":
        x = sum(np.sin(2 * np.pi * rng.uniform(200, 900) * t) for _ in range(4))
    else:
        x = rng.standard_normal(t.size) * np.exp(-8 * (t % 0.5))
    return (0.2 * x / np.abs(x).max() * 32767).astype("<i2")


def build_corpus(root: Path) -> None:
    """A corpus of made-up sounds, four of each kind in training and in validation, with made-up pictures."""
    rng = np.random.default_rng(5)
    items = []
    for kind in ("speech", "music", "effects"):
        parts, start = [], 0
        for split in ("train", "validation"):
            for n in range(4):
                x = sound(kind, rng, 6.0 if kind == "music" else 1.2)
                items.append(
                    {
                        "id": f"{kind}-{split}-{n}", "kind": kind, "package": f"{kind}-{split}", "licence": "CC0",
                        "source": "made in a test", "split": split, "file": f"{kind}.i16", "start": start,
                        "samples": int(x.size), "rms_db": -20.0, "peak": 0.2, "bandwidth_hz": 16000.0, "label": "",
                    }
                )  # fmt: skip
                parts.append(x)
                start += x.size
        np.concatenate(parts).tofile(root / f"{kind}.i16")
    manifest = {
        "version": 1, "sample_rate": RATE, "recipe": "test", "packages": {}, "pictures": [], "distractors": [],
        "warnings": [], "items": items,
    }  # fmt: skip
    (root / "corpus.json").write_text(json.dumps(manifest))
    names = ["effects-train-0", "other:hill", "other:tree"]
    np.savez(root / "pictures.npz", names=names, features=rng.standard_normal((3, 8)).astype(np.float32))
