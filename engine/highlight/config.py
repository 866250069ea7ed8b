"""Shapes and sizes of the networks, derived in one place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from itertools import pairwise

from ..errors import ModelError
from ..roles import STEMS

MODEL_RATE = 44_100  # Hz, of everything the networks hear
N_FFT = 4096
HOP = 1024  # samples between spectrogram frames: 23.2 ms
BINS = N_FFT // 2  # the Nyquist bin is dropped
LATENT_SECONDS = 2 * HOP / MODEL_RATE  # one step of the latent sequence: 46.4 ms
WINDOW_FRAMES = 431  # ten seconds
WINDOW_SAMPLES = WINDOW_FRAMES * HOP
_LEVEL_EDGES_HZ = (200.0, 500.0, 1500.0, 4000.0, 9000.0)
# The bands a gain head is told levels in, each as its first bin and the one after its last.
LEVEL_BANDS = tuple(pairwise([0, *(round(hz * N_FFT / MODEL_RATE) for hz in _LEVEL_EDGES_HZ), BINS]))

# How loud, in LUFS (BS.1770, of the mono downmix), sound is made before a network hears it, so that its answers do not
# hang on the level that somebody happened to mix at.
REFERENCE_LUFS = -21.0


def to_reference(lufs: float) -> float:
    """The linear gain that brings sound of so many LUFS to `REFERENCE_LUFS`; 1 for silence (-inf)."""
    return float(10.0 ** ((REFERENCE_LUFS - lufs) / 20.0)) if math.isfinite(lufs) else 1.0


def frames_of(samples: int) -> int:
    """Spectrogram frames of a signal of `samples` samples at 44.1 kHz."""
    return -(-samples // HOP)


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes of a highlighting network (VisAH paper, section 3.2; spec figures in the tests).

    `kind` "visah" has one raw mask and a waveform branch out; "product" has three masks that sum to one and three
    gain curves bounded to ±`gain_bound_db`. `context_dim` 0 is the variant without context. `spectrogram` is "linear"
    (the paper) or "log": (ln(|X| + 0.01) + 1) / 2.5, about zero mean and unit variance for film sound, which
    keeps quiet ambience visible to a small network. `gain_head` "levels" first estimates how loud each stem really is
    and whether the clip needs a change at all; "plain" reads gains from the levels of the masked stems. `trunk`
    "unet" is the paper's, "bands" one over `band_layers` layers of `band_width` values per band (`bands`).
    """

    kind: str = "visah"
    channels: int = 24
    width: int = 512
    heads: int = 16
    decoder_layers: int = 6
    encoder_layers: int = 3
    context_dim: int = 768
    dropout: float = 0.0
    spectrogram: str = "linear"
    gain_bound_db: float = 18.0
    gain_layers: int = 2
    gain_head: str = "plain"
    trunk: str = "unet"
    band_width: int = 96
    band_layers: int = 8

    def __post_init__(self) -> None:
        if self.kind not in ("visah", "product"):
            raise ModelError(f"Network kind '{self.kind}' is unknown; use 'visah' or 'product'.")
        if self.spectrogram not in ("linear", "log"):
            raise ModelError(f"Spectrogram input '{self.spectrogram}' is unknown; use 'linear' or 'log'.")
        if self.gain_head not in ("plain", "levels"):
            raise ModelError(f"Gain head '{self.gain_head}' is unknown; use 'plain' or 'levels'.")
        if self.trunk not in ("unet", "bands") or (self.trunk == "bands" and self.kind == "visah"):
            raise ModelError(
                f"Trunk '{self.trunk}' is not one of a {self.kind} network; use 'unet', or 'bands' for 'product'."
            )
        if self.trunk == "bands" and (
            self.spectrogram != "log" or min(self.band_width, self.band_layers) < 1
        ):
            raise ModelError(
                "The trunk 'bands' reads the 'log' spectrogram, and its band_width and band_layers are 1 or more."
            )
        if self.channels % 4 or self.width % self.heads or self.width % 2:
            raise ModelError(
                f"Network sizes do not fit: channels {self.channels} must be a multiple of 4 and "
                f"width {self.width} an even multiple of heads {self.heads}."
            )

    @property
    def latent_channels(self) -> int:
        """Channels of the shared latent sequence: 32 times those of the first layer."""
        return 32 * self.channels

    @property
    def masks(self) -> int:
        """Masks the spectrogram decoder gives: one raw mask, or one per stem."""
        return 1 if self.kind == "visah" else len(STEMS)

    def latent_steps(self, frames: int) -> int:
        """Length of the latent sequence for `frames` spectrogram frames."""
        return math.ceil(frames / 2)

    def to_dict(self) -> dict[str, object]:
        """Plain data for a model card."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> NetworkConfig:
        """Read back what `to_dict` wrote; raises `ModelError` on a key it does not know."""
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(data) - known)
        if unknown:
            raise ModelError(
                f"Model configuration has unknown entries {unknown}; this version knows {sorted(known)}."
            )
        return cls(**data)  # type: ignore[arg-type]
