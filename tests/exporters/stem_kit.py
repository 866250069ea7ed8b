"""Hand-made edits of real files, for the tests of stems and delivery."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
from sightmix.engine.edit.model import Edit, EditClip, EditMedia, EditTrack

RATE = 48_000
ROLES = ("dialogue", "music", "effects")


def noise(samples: int, level: float = 0.1, channels: int = 2, seed: int = 0) -> np.ndarray:
    """(samples, channels), exact in 24 bits."""
    x = level * np.random.default_rng(seed).standard_normal((samples, channels))
    return np.round(np.clip(x, -0.9, 0.9) * 2**23) / 2**23


def tone(seconds: float, level_db: float, frequency: float = 997.0, rate: int = RATE) -> np.ndarray:
    """A sine in both channels, (samples, 2), its peak at `level_db` dBFS."""
    t = np.arange(round(seconds * rate)) / rate
    return np.repeat((10 ** (level_db / 20) * np.sin(2 * np.pi * frequency * t))[:, None], 2, axis=1)


def write(path: Path, x: np.ndarray, rate: int = RATE, subtype: str = "PCM_24") -> Path:
    sf.write(path, x, rate, subtype=subtype)
    return path


def read(path: Path) -> np.ndarray:
    return np.asarray(sf.read(path, dtype="float64", always_2d=True)[0])


def media(path: Path, start: Fraction = Fraction(0)) -> EditMedia:
    info = sf.info(str(path))
    return EditMedia(
        path.name, str(path), path, start, Fraction(info.frames, info.samplerate), info.samplerate,
        info.channels, (info.channels,), bits=24,
    )  # fmt: skip


def clip(path: Path | None, start: object = 0, duration: object = 1, **more: Any) -> EditClip:
    found = media(path) if path is not None else None
    more.setdefault("metadata", {"sightmix": {"source": "shot.wav"}})
    return EditClip("shot", Fraction(str(start)), Fraction(str(duration)), found, **more)


def track(role: str, *clips: EditClip, **more: Any) -> EditTrack:
    more.setdefault("name", f"A1 {role}" if role else "A1")
    return EditTrack("audio", clips=tuple(clips), role=role, **more)


def edit(*tracks: EditTrack, rate: Fraction = Fraction(25), **more: Any) -> Edit:
    more.setdefault("name", "Reel")
    return Edit(rate=rate, tracks=tuple(tracks), **more)


def three(folder: Path, sounds: Sequence[np.ndarray], **more: Any) -> Edit:
    """Dialogue, music and effects, one clip each from record 0."""
    tracks = []
    for role, x in zip(ROLES, sounds, strict=True):
        path = write(folder / f"{role}.wav", x)
        tracks.append(track(role, clip(path, 0, Fraction(len(x), RATE))))
    return edit(*tracks, **more)
