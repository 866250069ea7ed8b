"""Corpora of made-up recordings for tests: what is in them is known to the sample."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sightmix.engine.training.material.library import Corpus

RATE = 44_100


def make_corpus(
    root: Path, sounds: dict[str, Sequence[tuple[str, np.ndarray]]], split: str = "train"
) -> Corpus:
    """A corpus of (package, samples in -1…1) by kind, one file a package and kind."""
    items = []
    for kind, recordings in sounds.items():
        parts: dict[str, list[np.ndarray]] = {}
        for number, (package, sound) in enumerate(recordings):
            own = parts.setdefault(package, [])
            whole = np.round(np.asarray(sound) * 32768).clip(-32768, 32767).astype("<i2")
            items.append(
                {
                    "id": f"{package}-{kind}-{number}", "kind": kind, "package": package, "licence": "CC0",
                    "source": "made in a test", "split": split, "file": f"{kind}-{package}.i16",
                    "start": sum(part.size for part in own), "samples": int(whole.size), "rms_db": -20.0,
                    "peak": 0.2, "bandwidth_hz": 16000.0, "label": "",
                }
            )  # fmt: skip
            own.append(whole)
        for package, own in parts.items():
            np.concatenate(own).tofile(root / f"{kind}-{package}.i16")
    manifest = {
        "version": 1, "sample_rate": RATE, "recipe": "test", "packages": {}, "pictures": [], "distractors": [],
        "warnings": [], "items": items,
    }  # fmt: skip
    (root / "corpus.json").write_text(json.dumps(manifest))
    return Corpus(root)


def tone(seconds: float, hz: float = 500.0, level: float = 0.25) -> np.ndarray:
    return level * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)
