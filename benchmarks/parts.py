"""Sizes of the networks, and how fast the parts that are not networks work."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
from sightmix.engine.errors import SightmixError
from sightmix.engine.highlight.config import NetworkConfig
from sightmix.engine.highlight.network import build, parameter_count
from sightmix.engine.media.loudness import Meter
from sightmix.engine.media.picture import sample_frames
from sightmix.engine.version import SHIPPED_MODEL
from sightmix.engine.weights.store import load_card

RATE = 48_000
PICTURE = 224


def parameters() -> dict[str, int]:
    """Parameters of the paper's network in its sizes, and of the bundled model."""
    sizes = {
        f"VisAH, {layers} encoder layers, context {name}": NetworkConfig(
            encoder_layers=layers, context_dim=dim
        )
        for name, dim in (("CLIP (768)", 768), ("T5-XXL (4096)", 4096))
        for layers in (0, 3, 6)
    }
    sizes["VisAH, no context"] = NetworkConfig(encoder_layers=0, context_dim=0)
    try:
        card = load_card(SHIPPED_MODEL)
        sizes[f"{SHIPPED_MODEL} (bundled)"] = NetworkConfig.from_dict(dict(card.config["network"]))
    except (SightmixError, KeyError, TypeError):
        pass
    return {name: parameter_count(build(config)) for name, config in sizes.items()}


def seconds(work: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def loudness_speed(length: float) -> float:
    """Seconds of stereo sound at 48 kHz metered per second of work: integrated, range, true peak."""
    block = np.random.default_rng(0).standard_normal((2, 1 << 16)).astype(np.float32) * np.float32(0.1)

    def work() -> None:
        meter = Meter(RATE, 2)
        for _ in range(round(length * RATE / block.shape[1])):
            meter.push(block)
        meter.result()

    return length / seconds(work)


def picture_speed(film: Path, length: float) -> float:
    """Pictures a second, sampled one a second from 720p long-GOP H.264 at the encoder's size."""
    times = [Fraction(2 * k + 1, 2) for k in range(round(length))]
    return len(times) / seconds(lambda: sample_frames(film, times, PICTURE, PICTURE))


def measure(film: Path, length: float) -> dict[str, object]:
    """All of them; `length` in seconds of sound and picture."""
    return {
        "parameters": parameters(),
        "loudness_times_real_time": loudness_speed(length),
        "pictures_per_second": picture_speed(film, min(length, 110.0)),
    }
