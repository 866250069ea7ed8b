"""Recordings played into stems block by block: at their own speed or another, with fades, any number of scenes at once.

A stem is a row of blocks of 128 samples. What plays in a block is worked out once a block and not once a sample, and
blocks in which nothing plays cost nothing on a processor. On a graphics card every block is computed, so that shapes
never depend on what was drawn; both ways give the same samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cache

import torch
from torch import Tensor

from .recordings import Recordings

BLOCK = 128
CHUNK = 32  # blocks that share one speed
# Band-limited interpolation: a windowed sinc (Kaiser, 67 dB) of so many samples to either side, its cutoff so far
# under the lower of the two Nyquist frequencies that what lies above it is gone.
_HALF, _BETA, _CUTOFF = 20, 6.5, 0.9


@dataclass(frozen=True)
class Blocks:
    """What plays in blocks, tensors of one shape.

    `source` is the packed place of the block's first sample (at speed 1) or of what is played at it, `place` the
    block's first sample counted from the beginning of what plays (negative before it), `samples` its length as it
    is heard, `gain` its factor (0: nothing plays), `rise` and `fall` its fades in samples.
    """

    source: Tensor
    place: Tensor
    samples: Tensor
    gain: Tensor
    rise: Tensor
    fall: Tensor

    def at(self, rows: Tensor) -> Blocks:
        """The blocks of the given numbers, counted over all."""
        return Blocks(*(getattr(self, f.name).reshape(-1)[rows] for f in fields(self)))

    @property
    def sounding(self) -> Tensor:
        """Where something plays."""
        return (self.gain != 0.0) & (self.place > -BLOCK) & (self.place < self.samples)

    def envelope(self) -> Tensor:
        """Gain (…, 128) with fades, 0 outside of what plays.

        A fade is at most half of what plays, and follows x²·(3 - 2x): two that cross add up to one.
        """
        half = (self.samples // 2).to(torch.float32)
        rise, fall = (
            torch.minimum(self.rise, half).clamp_min(1.0),
            torch.minimum(self.fall, half).clamp_min(1.0),
        )
        k = torch.arange(BLOCK, dtype=torch.float32, device=half.device)
        after = ((self.place + 1) / rise)[..., None] + k * (1.0 / rise)[..., None]
        before = ((self.samples - self.place) / fall)[..., None] - k * (1.0 / fall)[..., None]
        x = torch.minimum(after, before).clamp_(0.0, 1.0)
        return (3.0 - 2.0 * x).mul_(x).mul_(x).mul_(self.gain[..., None])


def blocks_in(samples: int) -> int:
    """Whole chunks of blocks that hold so many samples, counted in blocks."""
    return -(-samples // (BLOCK * CHUNK)) * CHUNK


def is_sparse(device: torch.device) -> bool:
    """Whether only what sounds is computed: where a look at the data costs nothing."""
    return device.type == "cpu"


def rows(mask: Tensor) -> Tensor:
    """Numbers of the rows to compute: those of the mask on a processor, all on a graphics card."""
    flat = mask.reshape(-1)
    return flat.nonzero()[:, 0] if is_sparse(mask.device) else torch.arange(flat.numel(), device=mask.device)


# Speed -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Speeds:
    """Speeds between two bounds, as whole samples of a recording to a block of 128: steps of 14 cents."""

    slowest: float
    fastest: float

    @property
    def low(self) -> int:
        """Samples to a block at the slowest."""
        return round(BLOCK * self.slowest)

    @property
    def high(self) -> int:
        """Samples to a block at the fastest."""
        return round(BLOCK * self.fastest)

    @property
    def reach(self) -> int:
        """Samples to either side that an interpolated one depends on."""
        return math.ceil(_HALF * max(1.0, self.high / BLOCK))

    @property
    def window(self) -> int:
        """Samples of a recording that a block depends on."""
        return 2 * self.reach + self.high

    def hop(self, speed: Tensor) -> Tensor:
        """Samples to a block at the nearest speed there is."""
        return (speed * BLOCK).round().to(torch.int64).clamp(self.low, self.high)


@cache
def _bank(speeds: Speeds, device: torch.device) -> Tensor:
    """Interpolation of a block from its window (speeds, window, 128) for every speed there is."""
    hops = torch.arange(speeds.low, speeds.high + 1, dtype=torch.float64)[:, None, None]
    ratio = hops / BLOCK
    at = torch.arange(BLOCK, dtype=torch.float64) * ratio + speeds.reach
    distance = torch.arange(speeds.window, dtype=torch.float64)[:, None] - at
    wide = ratio.clamp_min(1.0)
    cutoff = torch.where(hops == BLOCK, 1.0, _CUTOFF / wide)
    inside = (distance.abs() / (_HALF * wide)).clamp_max(1.0)
    taper = torch.i0(_BETA * torch.sqrt(1.0 - inside * inside)) / torch.i0(
        torch.tensor(_BETA, dtype=torch.float64)
    )
    taps = torch.where(inside < 1.0, torch.sinc(distance * cutoff) * taper, 0.0)
    taps = taps / taps.sum(1, keepdim=True)
    return torch.where(taps.abs() < 1e-9, 0.0, taps).to(torch.float32).to(device)


# Playing -----------------------------------------------------------------------------------------------


def played(recordings: Recordings, blocks: Blocks) -> Tensor:
    """Blocks (…, 128) at their own speed."""
    return recordings.read(blocks.source, BLOCK).mul_(blocks.envelope())


def _respeeded(recordings: Recordings, blocks: Blocks, hop: Tensor, speeds: Speeds) -> Tensor:
    """Blocks (runs, blocks, 128) of which those of a run are played with `hop` (runs,) samples to a block."""
    window = recordings.read(blocks.source - speeds.reach, speeds.window)
    taps = _bank(speeds, recordings.device)[hop - speeds.low]
    with torch.autocast(recordings.device.type, enabled=False):
        other = torch.bmm(window, taps)
    # Nothing is to be lost where a graphics card multiplies with fewer bits.
    same = window[..., speeds.reach : speeds.reach + BLOCK]
    return torch.where((hop == BLOCK)[:, None, None], same, other).mul_(blocks.envelope())


def play(
    out: Tensor,
    recordings: Recordings,
    blocks: Blocks,
    hop: Tensor | None = None,
    speeds: Speeds | None = None,
) -> None:
    """Add blocks (…, N) to the rows of `out` (…, N, 128); with `hop` (…), the N blocks of a run at its speed."""
    sounding = blocks.sounding
    if hop is None or speeds is None:
        _play_plain(out, recordings, blocks, sounding)
    elif is_sparse(out.device):
        _play_plain(out, recordings, blocks, sounding & (hop == BLOCK)[..., None])
        hop = hop[..., None].expand(*hop.shape, sounding.shape[-1] // CHUNK)
        _play_runs(out, recordings, blocks, hop, speeds, CHUNK)
    else:
        _play_runs(out, recordings, blocks, hop, speeds, sounding.shape[-1])


def _play_plain(out: Tensor, recordings: Recordings, blocks: Blocks, there: Tensor) -> None:
    here = rows(there)
    out.view(-1, BLOCK)[here] += played(recordings, blocks.at(here))


def _play_runs(
    out: Tensor, recordings: Recordings, blocks: Blocks, hop: Tensor, speeds: Speeds, run: int
) -> None:
    """Add blocks to `out` in runs of `run` blocks of one speed each."""
    changed = blocks.sounding.reshape(-1, run).any(1) & (hop.reshape(-1) != BLOCK)
    here = rows(changed)
    inside = here[:, None] * run + torch.arange(run, device=out.device)
    found = _respeeded(recordings, blocks.at(inside), hop.reshape(-1)[here], speeds)
    out.view(-1, run, BLOCK)[here] += found
