"""How well stems were separated, told from the masks alone: an estimate of their SI-SDR."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .stretches import smoothed

Array = NDArray[np.float32]

SECONDS = 1.0  # over which powers are smoothed
# True SI-SDR over a second against 10·lg of the ratio below, least squares on 60 validation scenes, good and muddy,
# with the stems of sightmix-4: speech 408 seconds, correlation 0.85; music 1,079, 0.87; effects 939, 0.82.
_SLOPE, _OFFSET_DB = (1.03, 1.49, 1.22), (3.5, -0.4, 1.0)
_WORST, _BEST = -20.0, 30.0  # dB


def masks_quality(masks: Array, spectrogram: Array) -> Array:
    """Estimated SI-SDR (3, k) in dB per frame of stems masked by `masks` (3, 2048, k) from magnitudes (2048, k).

    A mask m leaves m²P of a bin's power P in the stem; if the mask is the stem's share of that power, m(1 - m)P of it
    is an error. Both are smoothed over a second; the ratio's line to true SI-SDR was fitted on validation scenes.
    """
    power = np.square(spectrogram, dtype=np.float32)
    kept = np.einsum("skt,kt->st", np.square(masks), power)
    held = np.einsum("skt,kt->st", masks, power)
    good = smoothed(kept, SECONDS)
    bad = smoothed(np.maximum(held - kept, 0.0), SECONDS)
    tiny = 1e-12
    ratio = 10.0 * np.log10((good + tiny) / (bad + tiny))
    fitted = np.array(_OFFSET_DB)[:, None] + np.array(_SLOPE)[:, None] * ratio
    return np.clip(fitted, _WORST, _BEST).astype(np.float32)
