"""Laid stems mixed well, then muddied, many scenes at once; and the gains that lead back."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ...errors import TrainingError
from .dice import Dice
from .laying import Laid
from .levels import (
    PEAK_CEILING,
    activity,
    apply_gain,
    decibels,
    flat_gain,
    frame_peak,
    frame_power,
    linear,
    loudness,
    peak,
    peak_guard,
)
from .muddy import POLICIES, choose_policy, draw_changes, loudest_of, policy_numbers
from .pictures import PictureTable
from .priors import FILMS
from .scene import GAIN_LIMIT_DB, TARGETS, Names, Notes, Pictures, SceneBatch
from .settings import SceneConfig
from .showing import (
    Events,
    Shots,
    check_subjects,
    draw_leads,
    draw_shots,
    picture_leads,
    seen,
    show,
    sounding_in,
)
from .targets import (
    KINDS,
    SPEECH,
    Sounding,
    Spotlight,
    Style,
    draw_well_mixed,
    random_levels,
    random_mix,
    spotlit,
)

UNUSED = -2  # the lead of a shot there is not
_HARD_LU = (8.0, 25.0)  # hard speech under the rest of the muddy mix


def mix(
    laid: Laid,
    dice: Dice,
    config: SceneConfig,
    table: PictureTable,
    packages: tuple[str, ...] = (),
) -> SceneBatch:
    """Mix and muddy laid scenes.

    The good mix stays under -0.5 dBFS by a common gain on everything. Where the muddy sum would pass that
    ceiling its stems are turned down together, and the gains include the way back up. Gains lie
    within ±18 dB.
    """
    used = [name for name, share in config.policies.items() if share > 0.0]
    policy_numbers(used)
    lufs = loudness(laid.stems)
    present = lufs.isfinite()
    power = frame_power(laid.stems) * present[..., None]
    sounding = Sounding(lufs, decibels(power), laid.transient)
    aim = _aim(laid, sounding, dice, config, table)
    policy = choose_policy(dice, config.policies, config.untouched)
    if config.level_blind:
        policy = torch.where(aim.blinded, choose_policy(dice, config.policies, 0.0), policy)
    trim = config.trim_sd * dice.normal("trim", widest=2.0)[:, None, None]
    good_db = aim.good_db + trim
    good_db = good_db + target_guard(laid.stems, good_db)[:, None, None]
    # What a mix for other pictures is turned down by must not depend on the pictures it is not for.
    base_db = torch.where(aim.blinded[:, None, None], aim.spoilt_db + trim, good_db)
    flat_db = flat_gain(power, base_db)
    untouched = policy == POLICIES.index("none")
    flat = ~untouched & dice.chance("flat", config.flat)
    base_db = torch.where(flat[:, None, None], flat_db[..., None], base_db)
    leveled, lifted = lufs + flat_db, sounding.level_db + flat_db[..., None]
    changes = draw_changes(dice, policy, leveled, lifted, used)
    hard = laid.hard & present[:, SPEECH] & (present.sum(-1) > 1) & ~untouched
    if config.hard_speech:
        buried = _buried(dice, sounding, power, base_db + changes)
        changes = changes + (hard[:, None] * buried)[..., None]
    muddy_db = base_db + changes
    muddy = apply_gain(laid.stems, muddy_db)
    guard = peak_guard(muddy)[:, None, None]
    muddy *= linear(guard) * present[..., None]
    gains_db = (good_db - muddy_db - guard).clamp(-GAIN_LIMIT_DB, GAIN_LIMIT_DB) * present[..., None]
    heard_db = sounding.level_db + muddy_db + guard
    if config.delivery:
        delivered = _delivered(dice, muddy, gains_db, config.delivery)
        muddy *= linear(delivered)
        heard_db, trim = heard_db + delivered, trim + delivered
    active = activity(heard_db)
    notes = Notes(
        kind=aim.kind,
        lead=aim.lead,
        leads=aim.leads,
        decoys=aim.decoys,
        fell_back=aim.fell_back,
        style=aim.style.values(),
        levels=aim.levels,
        transient=laid.transient,
        flat=flat,
        guard_db=guard[:, 0, 0],
        trim_db=trim[:, 0, 0],
        hard=hard,
        policy=policy,
        loudest=loudest_of(leveled),
        changes_db=changes.mean(-1),
        present=present,
        packages=torch.where(present, laid.packages, -1),
    )
    names = Names(table.names, packages, FILMS.name)
    return SceneBatch(muddy, gains_db, active, aim.shots.start, aim.rows, notes, names)


def target_guard(stems: Tensor, gains_db: Tensor) -> Tensor:
    """Common gains in dB (B,), 0 or less, that keep good mixes under the ceiling."""
    bound = (frame_peak(stems) * linear(gains_db)).sum(1).amax(-1)
    over = bound >= PEAK_CEILING
    if over.is_cuda:  # asking which would make the device wait for the host
        return torch.where(over, peak_guard(apply_gain(stems, gains_db)), 0.0)
    guard = torch.zeros_like(bound)
    which = over.nonzero()[:, 0]
    if which.numel():
        guard[which] = peak_guard(apply_gain(stems[which], gains_db[which]))
    return guard


def _buried(dice: Dice, sounding: Sounding, power: Tensor, muddy_db: Tensor) -> Tensor:
    """Changes in dB (B, 3) that put speech 8 to 25 dB under the rest: half of it down, half the rest up."""
    low, high = _HARD_LU
    levels = torch.where(sounding.present, sounding.lufs + flat_gain(power, muddy_db), -torch.inf)
    rest = 10.0 * torch.pow(10.0, levels[:, 1:] / 10.0).sum(-1).clamp_min(1e-12).log10()
    wanted = rest - dice.uniform("hard_speech.under", low=low, high=high)
    half = 0.5 * torch.where(sounding.present[:, SPEECH], wanted - levels[:, SPEECH], 0.0)
    return torch.stack([half, -half, -half], -1)


def _delivered(dice: Dice, muddy: Tensor, gains_db: Tensor, widest: float) -> Tensor:
    """The level change (B, 1, 1) in dB common to a scene's input and good mix, as far as the peaks of both allow."""
    peaks = torch.maximum(peak(muddy.sum(1)), peak(apply_gain(muddy, gains_db).sum(1)))
    room = 20.0 * (PEAK_CEILING / peaks.clamp_min(1e-9)).log10()
    drawn = dice.uniform("delivery", low=-widest, high=widest)
    return torch.minimum(drawn, room.clamp_min(0.0))[:, None, None]


# What is aimed at --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Aim:
    """The good mix of each scene and what it shows.

    `good_db` (B, 3, frames) takes laid stems to the good mix, `spoilt_db` to the one that is muddied, where `blinded`.
    """

    good_db: Tensor
    spoilt_db: Tensor
    shots: Shots
    rows: Tensor
    style: Style
    kind: Tensor
    lead: Tensor
    leads: Tensor
    decoys: Tensor
    levels: Tensor
    blinded: Tensor
    fell_back: Tensor


def _aim(laid: Laid, sounding: Sounding, dice: Dice, config: SceneConfig, table: PictureTable) -> _Aim:
    if config.target not in KINDS:
        raise TrainingError(f"Unknown kind of target mix '{config.target}': use one of {', '.join(KINDS)}.")
    style = Style.draw(dice)
    shots = draw_shots(dice, sounding.level_db.shape[-1], laid.cuts)
    events = Events(laid.events, torch.where(laid.event_valid, laid.event_picture, -1))
    rows = torch.where(
        dice.chance("picture", config.picture)[:, None] & shots.used, show(dice, shots, events, table), -1
    )
    good, lead = draw_well_mixed(dice, sounding, style, seen(shots, events, rows))
    levels = random_levels(dice, sounding.present)
    share = 1.0 if config.target == "random" else config.random
    chance = dice.chance("target.random", share)
    good = torch.where(chance[:, None, None], random_mix(sounding, levels), good)
    kind = torch.where(chance, TARGETS.index("random"), TARGETS.index("well_mixed"))
    nothing = torch.full_like(rows, UNUSED)
    never = torch.zeros_like(chance)
    aim = _Aim(good, good, shots, rows, style, kind, lead, nothing, nothing, levels, never, never)
    if config.composed:
        aim = _composed(aim, sounding, dice, config, table)
    if config.blind:
        blind = dice.chance("blind", config.blind)[:, None]
        aim = _with(aim, rows=torch.where(blind, -1, aim.rows))
    return aim


def _with(aim: _Aim, **changes: Tensor) -> _Aim:
    return _Aim(**{**vars(aim), **changes})


def _composed(aim: _Aim, sounding: Sounding, dice: Dice, config: SceneConfig, table: PictureTable) -> _Aim:
    """A share of the scenes made for pictures that show whose sound to bring out.

    Scenes a picture is missing for stay as they were, and say so; those whose levels are to tell nothing never do.
    """
    if config.level_blind:
        check_subjects(table)
    sounds = sounding_in(aim.shots, sounding)
    light = Spotlight.draw(dice)
    found = picture_leads(dice, aim.shots, draw_leads(dice, "compose", sounds), table)
    asked = dice.chance("composed", config.composed)
    chosen = asked & ~found.missing
    good = spotlit(sounding, aim.style, light, aim.shots.at_frames(found.leads))
    wide = chosen[:, None, None]
    aim = _with(
        aim,
        good_db=torch.where(wide, good, aim.good_db),
        rows=torch.where(chosen[:, None], torch.where(aim.shots.used, found.rows, -1), aim.rows),
        kind=torch.where(chosen, TARGETS.index("spotlit"), aim.kind),
        leads=torch.where(chosen[:, None] & aim.shots.used, found.leads, UNUSED),
        fell_back=asked & found.missing,
    )
    if not config.level_blind:
        return aim
    blinded = chosen & dice.chance("level_blind", config.level_blind)
    decoys = draw_leads(dice, "decoy", sounds)
    return _with(
        aim,
        spoilt_db=spotlit(sounding, aim.style, light, aim.shots.at_frames(decoys)),
        decoys=torch.where(blinded[:, None] & aim.shots.used, decoys, UNUSED),
        blinded=blinded,
    )


def respotlit(dice: Dice, sounding: Sounding, table: PictureTable) -> tuple[Tensor, list[Pictures | None]]:
    """Other pictures for scenes, and the gains (B, 3, frames) in dB that bring out whose sound they show.

    What is known of the stems is as they are, muddy or not. The pictures of a scene are None where one is missing.
    """
    frames = sounding.level_db.shape[-1]
    shots = draw_shots(dice, frames, torch.zeros(len(dice), 0, device=dice.device))
    found = picture_leads(dice, shots, draw_leads(dice, "compose", sounding_in(shots, sounding)), table)
    gains = spotlit(sounding, Style.draw(dice), Spotlight.draw(dice), shots.at_frames(found.leads))
    starts, rows, missing = shots.start.tolist(), found.rows.tolist(), found.missing.tolist()
    pictures = [
        None
        if lacks
        else tuple((at, table.names[row]) for at, row in zip(*own, strict=True) if at < math.inf)
        for lacks, *own in zip(missing, starts, rows, strict=True)
    ]
    return gains, pictures
