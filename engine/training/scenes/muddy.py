"""Muddy Mix: the ways a good balance of speech, music and effects is spoilt to make a model's input."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...errors import TrainingError
from ..material.levels import HOP, SAMPLE_RATE
from .dice import Dice
from .levels import apply_gain, decibels, frame_power, linear, loudness, peak_guard, stem_guard

STRENGTHS_DB = (12.0, 9.0, 6.0)
LEVELS_DB = {"low": 6.0, "moderate": 9.0, "high": 12.0}
POLICIES = ("paper", "released", "continuous", "per_second", "none", *LEVELS_DB)
AUDIBLE_LU = 30.0  # a stem this far below the loudest is what a separator leaves behind, and is not mixed
_FASTEST, _SLOWEST = 0.8, 1.5  # s between the draws of "per_second"
_NEAR = 21  # frames either way in which the loudest stem is sought there


def policy_numbers(names: Sequence[str]) -> list[int]:
    """Numbers of policies in `POLICIES`. Raises TrainingError for another name."""
    for name in names:
        if name not in POLICIES:
            raise TrainingError(f"Unknown degradation policy '{name}': use one of {', '.join(POLICIES)}.")
    return [POLICIES.index(name) for name in names]


def choose_policy(dice: Dice, policies: Mapping[str, float], untouched: float) -> Tensor:
    """Numbers of degradation policies (B,) by their shares, "none" for the share of clips left as they are."""
    numbers = torch.tensor(policy_numbers(list(policies)), device=dice.device)
    drawn = numbers[dice.pick("policy", list(policies.values()))]
    return torch.where(dice.chance("untouched", untouched), POLICIES.index("none"), drawn)


def loudest_of(lufs: Tensor) -> Tensor:
    """The number of the loudest stem, int64 (…), of loudness (…, 3) LUFS; -1 where all are silent."""
    return torch.where(lufs.isfinite().any(-1), lufs.argmax(-1), -1)


def _signs(lufs: Tensor) -> Tensor:
    """The paper's rule (…, 3): -1 for the loudest stem, 1 for the others that sound, 0 for silent ones."""
    stems = torch.arange(3, device=lufs.device)
    return torch.where(stems == loudest_of(lufs)[..., None], -1.0, 1.0) * lufs.isfinite()


def _stepped(dice: Dice) -> Tensor:
    """Strengths of the paper (B, 3): 12, 9 or 6 dB for each stem."""
    return torch.tensor(STRENGTHS_DB, device=dice.device)[dice.below("muddy.step", len(STRENGTHS_DB), 3)]


def _released(dice: Dice, lufs: Tensor) -> Tensor:
    """The released generator's rule: loudest down, one other class (perhaps silent) up, the third down."""
    loudest = loudest_of(lufs).clamp_min(0)
    boosted = (loudest + 1 + dice.below("muddy.boosted", 2)) % 3
    stems = torch.arange(3, device=lufs.device)
    signs = torch.where(stems == boosted[:, None], 1.0, -1.0)
    return _stepped(dice) * signs * lufs.isfinite()


def most_knots(frames: int) -> int:
    """How many draws of "per_second" a scene of `frames` may have."""
    return max(2, round(frames * HOP / SAMPLE_RATE / _FASTEST) + 1)


def per_second(lufs: Tensor, level_db: Tensor, spacing: Tensor, strengths: Tensor) -> Tensor:
    """Changes in dB (B, 3, frames) by the stem that is loudest there, drawn afresh every `spacing` (B,) seconds.

    `strengths` (B, 3, knots) dB are those of the draws, which raised cosines join; `level_db` (B, 3, frames) says how
    loud stems are where.
    """
    frames = level_db.shape[-1]
    knots = (frames * HOP / SAMPLE_RATE / spacing).round().long().add(1).clamp_min(2)[:, None]
    number = torch.arange(strengths.shape[-1], device=lufs.device)
    places = number * (frames - 1.0) / (knots - 1)  # (B, knots)
    near = places.long()[..., None] + torch.arange(-_NEAR, _NEAR + 1, device=lufs.device)
    inside = (near >= 0) & (near < frames)
    flat = near.clamp(0, frames - 1).flatten(1)[:, None].expand(-1, 3, -1)
    power = torch.pow(10.0, level_db / 10.0).gather(-1, flat).unflatten(-1, near.shape[1:])
    mean = (power * inside[:, None]).sum(-1) / inside.sum(-1)[:, None].clamp_min(1)
    local = torch.where(lufs.isfinite()[..., None], decibels(mean), -math.inf)
    values = _signs(local.transpose(1, 2)).transpose(1, 2) * strengths
    where = torch.arange(frames, device=lufs.device) * ((knots - 1) / (frames - 1.0))
    low = torch.minimum(where.long(), knots - 2)
    blend = (0.5 - 0.5 * torch.cos(math.pi * (where - low)))[:, None]
    index = low[:, None].expand(-1, 3, -1)
    return values.gather(-1, index) * (1.0 - blend) + values.gather(-1, index + 1) * blend


def draw_changes(dice: Dice, policy: Tensor, lufs: Tensor, level_db: Tensor, used: Sequence[str]) -> Tensor:
    """Changes in dB (B, 3, frames) that spoil stems of loudness `lufs` (B, 3), -inf: silent, by policies (B,).

    Policies: `paper` (loudest -{12, 9, 6} dB, others +{12, 9, 6}; VisAH section 4), `released` (the
    generator that
    was published with it), `continuous` (as `paper`, 6 to 12 dB), `per_second` (as `continuous`, drawn
    afresh about
    every second by the stem that is loudest there: `level_db` (B, 3, frames) dBFS), `low`, `moderate`, `high` (as
    `paper` by
    6, 9, 12 dB) and `none`. No policy but those `used` is worked out.
    """
    signs, frames = _signs(lufs), level_db.shape[-1]
    strengths = {name: torch.full_like(signs, size) for name, size in LEVELS_DB.items()}
    if "paper" in used:
        strengths["paper"] = _stepped(dice)
    if "continuous" in used:
        strengths["continuous"] = dice.uniform("muddy.strength", 3, low=6.0, high=12.0)
    changes = torch.zeros_like(signs)
    for name in strengths.keys() & set(used):
        changes = torch.where((policy == POLICIES.index(name))[:, None], signs * strengths[name], changes)
    if "released" in used:
        changes = torch.where((policy == POLICIES.index("released"))[:, None], _released(dice, lufs), changes)
    curve = changes[..., None].expand(-1, -1, frames)
    if "per_second" in used:
        spacing = dice.uniform("muddy.spacing", low=_FASTEST, high=_SLOWEST)
        each = dice.uniform("muddy.each", 3, most_knots(frames), low=6.0, high=12.0)
        moving = per_second(lufs, level_db, spacing, each)
        curve = torch.where((policy == POLICIES.index("per_second"))[:, None, None], moving, curve)
    return curve


@dataclass(frozen=True)
class Spoilt:
    """Stems whose balance is spoilt.

    `stems` (B, 3, samples) are the muddy stems, their sum the muddy mix; `gains_db` (B, 3, frames) undo it, the peak
    guard `guard_db` (B,) included. `changes_db` (B, 3) is the mean of what was done to each stem, `policy` (B,) by
    what rule, `loudest` (B,) to which stem, -1: none.
    """

    stems: Tensor
    gains_db: Tensor
    guard_db: Tensor
    changes_db: Tensor
    policy: Tensor
    loudest: Tensor


def spoil(
    good: Tensor, dice: Dice, policy: Tensor, used: Sequence[str], lufs: Tensor | None = None
) -> Spoilt:
    """Spoil the balance of good mixes' stems (B, 3, samples), of loudness `lufs` (B, 3) LUFS where it is known.

    Stems more than 30 LU below the loudest keep their level: there is nothing of theirs to hear in the mix.
    """
    lufs = heard(loudness(good) if lufs is None else lufs)
    changes = draw_changes(dice, policy, lufs, decibels(frame_power(good)), used)
    muddy = apply_gain(good, changes)
    guard = peak_guard(muddy)
    if "released" in used:
        guard = torch.where(policy == POLICIES.index("released"), stem_guard(muddy), guard)
    muddy = muddy * linear(guard)[:, None, None]
    gains = -(changes + guard[:, None, None])
    return Spoilt(muddy, gains, guard, changes.mean(-1), policy, loudest_of(lufs))


def heard(lufs: Tensor) -> Tensor:
    """Loudness (…, 3) LUFS with that of stems nothing is heard of taken for silence, -inf."""
    return torch.where(lufs > lufs.amax(-1, keepdim=True) - AUDIBLE_LU, lufs, -math.inf)
