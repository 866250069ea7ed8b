"""What the shipped model said when it was shipped: small fixed inputs and how its answers are kept.

`python tests/engine/golden_highlight.py` writes tests/data/golden/ anew, which is right only when other weights ship,
or when what is done around them changes on purpose. Inputs are made by arithmetic alone, so that no library's random
numbers can move them. Answers are kept at some places only: masks as 16-bit fractions of one, gains in dB, sound as
24-bit samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import soundfile
from sightmix.engine.highlight.backends import OnnxNetwork, TorchNetwork
from sightmix.engine.highlight.config import HOP, MODEL_RATE, WINDOW_FRAMES
from sightmix.engine.highlight.context import WindowContext, empty_context
from sightmix.engine.highlight.rebalance import Rebalancer
from sightmix.engine.highlight.settings import RebalanceSettings
from sightmix.engine.highlight.spectral import magnitudes
from sightmix.engine.highlight.told import Told
from sightmix.engine.passage import Passage, Shot, Sound
from sightmix.engine.progress import Progress
from sightmix.engine.version import SHIPPED_MODEL
from sightmix.engine.weights.store import load_card

FILE = Path(__file__).parents[1] / "data" / "golden" / f"{SHIPPED_MODEL}.npz"
BINS, FRAMES = slice(1, None, 29), slice(0, None, 23)  # of a mask, where it is kept
SAMPLES = slice(17, None, 1009)  # of a mix
SHORT = 101  # frames of a window that is not ten seconds
RATE, SECONDS, HEAD = 48_000, 14, Fraction(1, 2)
CUTS = (Fraction(3), Fraction(15, 2), Fraction(11))  # of the passage, in its own seconds


def noise(count: int, seed: int) -> np.ndarray:
    """Fractions in ±1 from a counter, stirred (splitmix64)."""
    with np.errstate(over="ignore"):
        z = (np.arange(count, dtype=np.uint64) + np.uint64(seed << 32)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return z.astype(np.float64) / 2.0**63 - 1


def film(rate: int, samples: int, seed: int) -> np.ndarray:
    """Something like a voice that pauses, a chord that goes on, and knocks over a hiss, (samples,)."""
    t = np.arange(samples) / rate
    pitch = 2 * np.pi * (120 * t + 3 * np.sin(2 * np.pi * 0.7 * t))
    voice = sum(np.sin(k * pitch) / k for k in range(1, 12)) * np.maximum(
        0, np.sin(2 * np.pi * (0.6 * t + seed / 5))
    )
    chord = sum(np.sin(2 * np.pi * hz * t) for hz in (220, 277.2, 329.6, 880))
    knocks = np.exp(-12 * (t % 0.9)) * noise(samples, seed + 100)
    return 0.06 * voice + 0.03 * chord + 0.2 * knocks + 0.003 * noise(samples, seed)


def pictures(seed: int, dim: int = 1280) -> WindowContext:
    """Ten features of which the last three are not there, at times between the seconds."""
    out = empty_context(dim)
    out.features[:] = np.maximum(0, noise(10 * dim, 1000 + seed)).reshape(10, dim)
    out.times[:] = np.arange(10) + 0.37
    out.valid[:7] = True
    out.features[~out.valid] = 0
    return out


def answers(network: Any, frames: int, seen: bool, told: Sequence[float] = ()) -> dict[str, np.ndarray]:
    """A network's masks, at some places, and gains for one window of `frames` frames.

    `told`: that each stem is known, and is so much of the mix's amplitude.
    """
    sound = film(MODEL_RATE, frames * HOP, 1).astype(np.float32)
    context = pictures(1) if seen else empty_context(1280)
    spectrogram = magnitudes(sound)
    stems = np.multiply.outer(np.array(told, np.float32), spectrogram)[None]
    masks, gains = network.run(
        *(v[None] for v in (spectrogram, sound, context.features, context.times, context.valid)),
        told=Told.of(stems, np.zeros((1, 3))) if told else None,
    )
    return {"masks": masks[0, :, BINS, FRAMES], "gains": gains[0]}


def windows_asked() -> dict[str, tuple[type, int, bool]]:
    """What is asked: under which name, of which backend, how many frames, and whether there are pictures."""
    return {
        "torch, pictures": (TorchNetwork, WINDOW_FRAMES, True),
        "torch, none": (TorchNetwork, WINDOW_FRAMES, False),
        "torch, short": (TorchNetwork, SHORT, True),
        "onnx, pictures": (OnnxNetwork, WINDOW_FRAMES, True),
        "onnx, none": (OnnxNetwork, WINDOW_FRAMES, False),
    }


def stored_under(name: str) -> str:
    """Both backends are held to one answer."""
    return name.partition(", ")[2]


class _Seen(SimpleNamespace):
    """In place of the picture encoder's answers: other pictures for every window, and where windows lie."""

    def __call__(self, start: Fraction, duration: Fraction) -> WindowContext:
        self.starts.append(float(start))
        return pictures(round(float(start) * 10))


def render(folder: Path, backend: str = "onnx") -> dict[str, np.ndarray]:
    """A passage through the whole of the pipeline: stereo at 48 kHz, two windows, cuts, a head, half strength."""
    whole = SECONDS * RATE
    sound = np.stack([film(RATE, whole, 2), 0.5 * film(RATE, whole, 3)], 1)
    source = folder / "film.wav"
    soundfile.write(source, sound, RATE, subtype="PCM_24")
    edges = (Fraction(0), *CUTS, Fraction(SECONDS) - HEAD)
    shots = tuple(Shot(a, b - a, source, a) for a, b in pairwise(edges))
    passage = Passage("1", "film", Sound(source, HEAD, SECONDS - HEAD), shots=shots, head=HEAD)
    rebalancer = Rebalancer(SHIPPED_MODEL, device="cpu", backend=backend, threads=1)
    seen = _Seen(starts=[])
    rebalancer.window_context = lambda _p, start, duration, _q: seen(start, duration)  # type: ignore[method-assign]
    done = rebalancer.render(
        passage, RebalanceSettings(strength=0.5, music_db=-2.0), folder, "out", Progress()
    )
    mix = soundfile.read(done.path, dtype="int32", always_2d=True)[0] >> 8
    return {
        "mix": mix[SAMPLES],
        "windows": np.array(seen.starts),
        "curves": np.array([done.gains.levels[s] for s in sorted(done.gains.levels)]),
        "loudness": np.array([done.before.integrated, done.after.integrated]),
    }


def packed(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """As they are kept."""
    kinds = {"masks": np.uint16, "mix": np.int32}
    scaled = {k: np.round(v * 65535) if k == "masks" else v for k, v in values.items()}
    return {k: v.astype(kinds.get(k, np.float32)) for k, v in scaled.items()}


def main() -> None:
    import tempfile

    card = load_card(SHIPPED_MODEL)
    kept: dict[str, np.ndarray] = {}
    for name, (backend, frames, seen) in windows_asked().items():
        if name.startswith("torch"):
            values = packed(answers(backend.open(card, "cpu"), frames, seen))
            kept |= {f"{stored_under(name)}/{k}": v for k, v in values.items()}
    with tempfile.TemporaryDirectory() as folder:
        kept |= {f"pipeline/{k}": v for k, v in packed(render(Path(folder), "torch")).items()}
    FILE.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(FILE, **kept)


if __name__ == "__main__":
    main()
