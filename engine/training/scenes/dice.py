"""Random numbers for scenes: each belongs to a scene, a name and a place, whatever device or company it is drawn in.

Nothing has a state. A number is a hash of (run's seed, split, scene, name, place), so that a run resumes where it was
by counting scenes, a scene is the same in any batch, and a graphics card draws what a processor draws. The hash is the
finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence

import torch
from torch import Tensor

_STEP = 0x9E3779B97F4A7C15
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_BITS = 24  # of a float32 number
_WIDE = 53  # of a float64 number, for places among many


def _signed(value: int) -> int:
    """A 64-bit pattern as torch counts it."""
    value %= 1 << 64
    return value - (1 << 64) if value >> 63 else value


def _shifted(x: Tensor, bits: int) -> Tensor:
    """A right shift that brings in zeros."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _hashed(x: Tensor) -> Tensor:
    """SplitMix64's finaliser of 64-bit numbers."""
    x = (x ^ _shifted(x, 30)) * _signed(_FIRST)
    x = (x ^ _shifted(x, 27)) * _signed(_SECOND)
    return x ^ _shifted(x, 31)


class Dice:
    """Numbers for scenes `indices` (B,) of a split; two names never share any.

    Shapes follow `(B, *shape)`. The same name asked twice gives the same numbers.
    """

    def __init__(
        self,
        split: str,
        indices: Sequence[int] | Tensor,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        self.split, self.seed = split, seed
        self.indices = torch.as_tensor(indices, dtype=torch.int64, device=device)
        self.device = self.indices.device
        start = _signed(zlib.crc32(split.encode()) * _STEP + _signed(seed) * _SECOND)
        self._keys = _hashed(_hashed(self.indices * _signed(_STEP) + start) + _signed(_STEP))

    def __len__(self) -> int:
        return int(self.indices.numel())

    def _drawn(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """64 random bits (B, *shape)."""
        salt = _signed(zlib.crc32(name.encode()) * _FIRST + len(name))
        keys = _hashed(self._keys ^ salt)
        places = torch.arange(1, math.prod(shape) + 1, dtype=torch.int64, device=self.device)
        return _hashed(keys[:, None] + places * _signed(_STEP)).reshape(len(self), *shape)

    def uniform(self, name: str, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Even numbers from `low` up to, but without, `high`, float32."""
        unit = _shifted(self._drawn(name, shape), 64 - _BITS).to(torch.float32) * 2.0**-_BITS
        return unit * (high - low) + low if (low, high) != (0.0, 1.0) else unit

    def normal(self, name: str, *shape: int, widest: float = math.inf) -> Tensor:
        """Standard normal numbers, float32, kept within ±`widest`."""
        unit = (_shifted(self._drawn(name, shape), 64 - _BITS).to(torch.float32) + 0.5) * 2.0**-_BITS
        drawn = torch.special.ndtri(unit)
        return drawn.clamp(-widest, widest) if math.isfinite(widest) else drawn

    def exponential(self, name: str, *shape: int, mean: float = 1.0) -> Tensor:
        """Exponential numbers of a mean, float32."""
        return -mean * torch.log1p(-self.uniform(name, *shape))

    def chance(self, name: str, probability: float | Tensor, *shape: int) -> Tensor:
        """True with a probability, which may differ from scene to scene, bool."""
        return self.uniform(name, *shape) < probability

    def below(self, name: str, count: int | Tensor, *shape: int) -> Tensor:
        """Whole numbers 0 … count - 1, int64; `count` may be a tensor (B, *shape), of at least 1."""
        wide = _shifted(self._drawn(name, shape), 64 - _WIDE).to(torch.float64) * 2.0**-_WIDE
        most = count - 1
        return torch.minimum((wide * count).to(torch.int64), torch.as_tensor(most, device=self.device))

    def pick(self, name: str, shares: Sequence[float] | Tensor, *shape: int) -> Tensor:
        """Numbers of choices by their shares, int64. `shares` (choices,) or (B, *shape, choices)."""
        weights = torch.as_tensor(shares, dtype=torch.float64, device=self.device)
        edges = weights.cumsum(-1)
        wide = _shifted(self._drawn(name, shape), 64 - _WIDE).to(torch.float64) * 2.0**-_WIDE
        drawn = (wide * edges[..., -1])[..., None]
        return (drawn >= edges).sum(-1).clamp_max(weights.shape[-1] - 1)

    def noise(self, name: str, samples: int, *shape: int) -> Tensor:
        """White Gaussian noise (B, *shape, samples), float32."""
        return self.normal(name, *shape, samples)
