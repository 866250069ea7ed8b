"""Loudness, activity and gains of many stems at once, in torch: what `material.levels` says of one, on any device."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

from ..material.levels import CENTRE, HOP, SAMPLE_RATE, SILENCE_LUFS, k_weighting

PEAK_CEILING = 10.0 ** (-0.5 / 20.0)
_TENTH = round(0.1 * SAMPLE_RATE)
_STRETCH, _TENTHS = 1 << 15, 6  # samples of a spectrum, and the tenths of a second of it that are whole
_FINE = round(math.sqrt(HOP))
_QUIETEST = 1e-12  # power taken for silence: -120 dB


def decibels(power: Tensor) -> Tensor:
    """10·log10 of a power, floored at -120 dB."""
    return 10.0 * power.clamp_min(_QUIETEST).log10()


def linear(gain_db: Tensor) -> Tensor:
    """Gains in dB as factors."""
    return torch.pow(10.0, gain_db / 20.0)


def _by_hop(x: Tensor, measure: Callable[[Tensor], Tensor]) -> Tensor:
    """A measure of the last dimension for each hop of 1024 samples, (…, samples) -> (…, frames)."""
    whole = x.shape[-1] // HOP * HOP
    found = [measure(x[..., :whole].unflatten(-1, (-1, HOP)))] if whole else []
    if whole < x.shape[-1]:
        found.append(measure(x[..., None, whole:]))
    return torch.cat(found, -1)


def frame_power(x: Tensor) -> Tensor:
    """Mean square of each hop of 1024 samples, (…, samples) -> (…, frames)."""
    return _by_hop(x, lambda hops: torch.linalg.vector_norm(hops, dim=-1).square() / hops.shape[-1])


def frame_peak(x: Tensor) -> Tensor:
    """The largest magnitude in each hop of 1024 samples, (…, samples) -> (…, frames)."""
    return _by_hop(x, peak)


def peak(x: Tensor) -> Tensor:
    """The largest magnitude of sound (…, samples)."""
    return torch.linalg.vector_norm(x, math.inf, dim=-1)


def loudness(x: Tensor) -> Tensor:
    """Integrated loudness (BS.1770-4) in LUFS of mono signals (…, samples) at 44.1 kHz; -inf: silence."""
    steps = x.shape[-1] // _TENTH
    if steps < 4:
        return torch.full(x.shape[:-1], -math.inf, device=x.device)
    blocks = _weighted_tenths(x[..., : steps * _TENTH]).double().unfold(-1, 4, 1).mean(-1)
    loud = blocks > 10.0 ** ((SILENCE_LUFS + 0.691) / 10.0)
    loud &= blocks > 0.1 * _mean(blocks, loud)[..., None]
    return (-0.691 + 10.0 * _mean(blocks, loud).log10()).float()


def _weighted_tenths(x: Tensor) -> Tensor:
    """K-weighted power of each tenth of a second, (…, 4410·steps) -> (…, steps).

    The filter answers in spectra of stretches that overlap by what it takes to die away, so that it is the recursive
    one but for less than float32 can tell.
    """
    steps = x.shape[-1] // _TENTH
    stretches = -(-steps // _TENTHS)
    hop = _TENTHS * _TENTH
    padded = F.pad(x, (_STRETCH - hop, stretches * hop - x.shape[-1]))
    spectrum = torch.fft.rfft(padded.unfold(-1, _STRETCH, hop)) * _k_response(x.device)
    weighted = torch.fft.irfft(spectrum, _STRETCH)[..., _STRETCH - hop :]
    power = torch.linalg.vector_norm(weighted.unflatten(-1, (_TENTHS, _TENTH)), dim=-1).square() / _TENTH
    return power.flatten(-2)[..., :steps]


@cache
def _k_response(device: torch.device) -> Tensor:
    """BS.1770's K-weighting at 44.1 kHz as a spectrum of `_STRETCH` samples."""
    turn = torch.arange(_STRETCH // 2 + 1, dtype=torch.float64) * (2.0 * math.pi / _STRETCH)
    z = torch.polar(torch.ones_like(turn), -turn)
    response = torch.ones_like(z)
    for b0, b1, b2, a0, a1, a2 in k_weighting(SAMPLE_RATE).tolist():
        response *= (b0 + z * (b1 + z * b2)) / (a0 + z * (a1 + z * a2))
    return response.to(torch.complex64).to(device)


def _mean(values: Tensor, which: Tensor) -> Tensor:
    """Mean over the last dimension of the values that are meant; 0 of none."""
    return (values * which).sum(-1) / which.sum(-1).clamp_min(1)


def _loud_level(level_db: Tensor, floor: float) -> Tensor:
    """95th percentile over the frames (…, frames) that lie above a floor, dB; the floor where none does."""
    frames = level_db.shape[-1]
    audible = level_db > floor
    ordered = torch.where(audible, level_db, -math.inf).sort(-1).values
    count = audible.sum(-1, keepdim=True)
    place = frames - count + 0.95 * (count - 1).clamp_min(0)
    low = place.floor().clamp_max(frames - 1).long()
    below, above = ordered.gather(-1, low), ordered.gather(-1, (low + 1).clamp_max(frames - 1))
    found = torch.lerp(below, above, place - low)
    return torch.where(count > 0, found, floor)[..., 0]


def activity(level_db: Tensor, below: float = 30.0, floor: float = -60.0, hangover: float = 0.25) -> Tensor:
    """Where stems sound: frame levels in dBFS (…, frames) -> bool (…, frames) by energy with hangover.

    A frame is active when it is less than `below` dB under the stem's loud frames (95th percentile of what is
    above `floor` dBFS), and for `hangover` seconds after.
    """
    threshold = (_loud_level(level_db, floor) - below).clamp_min(floor)
    hold = round(hangover * SAMPLE_RATE / HOP)
    index = torch.arange(level_db.shape[-1], device=level_db.device)
    last = torch.where(level_db > threshold[..., None], index, -hold - 1).cummax(-1).values
    return index - last <= hold


def slewed(wanted: Tensor, rise: Tensor, fall: Tensor) -> Tensor:
    """A level 0…1 (…, frames) that follows on and off by at most `rise` up and `fall` down (…) a frame.

    A step adds and clamps, and steps one after another are again one that adds and clamps: they are joined in pairs,
    then pairs of pairs, as many times as the number of frames can be halved.
    """
    add = torch.where(wanted, rise[..., None], -fall[..., None])
    low = torch.where(wanted, -math.inf, 0.0).expand_as(add)
    high = torch.where(wanted, 1.0, math.inf).expand_as(add)
    frames, step = wanted.shape[-1], 1
    while step < frames:
        late_add, late_low, late_high = add[..., step:], low[..., step:], high[..., step:]
        early_add, early_low, early_high = add[..., :-step], low[..., :-step], high[..., :-step]
        joined = (
            early_add + late_add,
            torch.clamp(early_low + late_add, late_low, late_high),
            torch.clamp(early_high + late_add, late_low, late_high),
        )
        add, low, high = (
            torch.cat([whole[..., :step], part], -1)
            for whole, part in zip((add, low, high), joined, strict=True)
        )
        step *= 2
    return torch.clamp(wanted[..., :1] + add, low, high)


def smoothed(values: Tensor, weights: Tensor) -> Tensor:
    """Values (…, frames) under a short symmetric window of odd length, the first and last held beyond the edges."""
    half = weights.numel() // 2
    padded = F.pad(values.reshape(1, -1, values.shape[-1]), (half, half), mode="replicate")
    return F.conv1d(padded.transpose(0, 1), weights.to(values)[None, None])[:, 0].reshape(values.shape)


def flat_gain(power: Tensor, gains_db: Tensor) -> Tensor:
    """The constant gain in dB (…) that keeps the energy of a curve (…, frames) on frames of `power`."""
    lifted, total = (power * torch.pow(10.0, gains_db / 10.0)).sum(-1), power.sum(-1)
    heard = total > _QUIETEST
    return torch.where(heard, decibels(lifted / torch.where(heard, total, 1.0)), 0.0)


def apply_gain(stems: Tensor, curve_db: Tensor) -> Tensor:
    """Stems (…, samples) under gain curves in dB (…, frames), straight in dB between frames.

    Frame k belongs to sample 1024·k + 512. Between two frames a gain is a power, and a power of 32·p + q is that of
    32·p times that of q: of 1024 factors only 64 are worked out.
    """
    curve = torch.cat([curve_db[..., :1], curve_db, curve_db[..., -1:]], -1)
    begin, slope = curve[..., :-1], curve.diff()
    fine = torch.arange(_FINE, device=stems.device)
    coarse = linear(begin[..., None] + slope[..., None] * (fine / _FINE))
    within = linear(slope[..., None] * (fine / HOP))
    ramp = (coarse[..., None] * within[..., None, :]).flatten(-3)
    return stems * ramp[..., CENTRE : CENTRE + stems.shape[-1]]


def headroom(peaks: Tensor) -> Tensor:
    """The gain in dB (0 or less) that keeps peaks under -0.5 dBFS."""
    return 20.0 * (PEAK_CEILING / peaks.clamp_min(1e-9)).clamp_max(1.0).log10()


def peak_guard(stems: Tensor) -> Tensor:
    """Common gains in dB (B,), 0 or less, that keep the sums of stems (B, S, samples) under -0.5 dBFS."""
    return headroom(peak(stems.sum(-2)))


def stem_guard(stems: Tensor) -> Tensor:
    """As `peak_guard`, and every stem is kept under the ceiling first, as the released generator does."""
    alone = headroom(peak(stems).amax(-1))
    return alone + headroom(peak(stems.sum(-2)) * linear(alone))
