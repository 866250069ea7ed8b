"""What a good mix is: how the three stems are set against each other, for many scenes at once."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from ..material.levels import HOP, SAMPLE_RATE
from .dice import Dice
from .levels import activity, slewed, smoothed
from .priors import FILMS, LoudnessPrior

KINDS = ("well_mixed", "random")
SPEECH, MUSIC, EFFECTS = range(3)
_FRAME = HOP / SAMPLE_RATE
_CORNERS = torch.tensor([1.0, 3.0, 4.0, 3.0, 1.0]) / 12.0
_WIDEST = 2.0  # standard deviations
_LOUDEST, _QUIETEST = -12.0, -52.0  # LUFS of any stem's drawn target


@dataclass(frozen=True)
class Style:
    """Mixers' habits, one for each scene (B,): levels in LU against the dialogue level `anchor` (LUFS), times in s.

    `music` and `effects` are featured levels, where nothing covers them; `music_duck` and `effects_duck` how
    far they
    step back under speech, `music_yield` how far music steps back for effects that lead a clip without
    speech.
    """

    anchor: Tensor
    music: Tensor
    effects: Tensor
    music_duck: Tensor
    effects_duck: Tensor
    music_yield: Tensor
    attack: Tensor
    release: Tensor
    look_ahead: Tensor
    on_screen: Tensor

    @classmethod
    def draw(cls, dice: Dice) -> Style:
        """Draw mixers' habits; centres and spreads lie within the measured films' (`FILMS`)."""

        def normal(name: str, mean: float, sd: float) -> Tensor:
            return mean + sd * dice.normal(f"style.{name}", widest=_WIDEST)

        def even(name: str, low: float, high: float) -> Tensor:
            return dice.uniform(f"style.{name}", low=low, high=high)

        return cls(
            anchor=normal("anchor", -28.0, 3.5),
            music=normal("music", -1.0, 3.5),
            effects=normal("effects", 0.0, 5.5),
            music_duck=even("music_duck", 4.0, 14.0),
            effects_duck=even("effects_duck", 1.5, 8.0),
            music_yield=even("music_yield", 0.0, 5.0),
            attack=even("attack", 0.2, 0.8),
            release=even("release", 0.5, 2.0),
            look_ahead=even("look_ahead", 0.05, 0.4),
            on_screen=even("on_screen", 3.0, 6.0),
        )

    def values(self) -> Tensor:
        """All habits (B, habits), in the order of their names."""
        return torch.stack([getattr(self, field.name) for field in fields(self)], -1)


@dataclass(frozen=True)
class Sounding:
    """What is known of laid stems.

    `lufs` (B, 3) is their loudness (-inf: silent), `level_db` (B, 3, frames) their frame levels in dBFS,
    `transient` (B,) the share of hits against bed in the effects, 0…1.
    """

    lufs: Tensor
    level_db: Tensor
    transient: Tensor

    @property
    def present(self) -> Tensor:
        """Which stems sound, bool (B, 3)."""
        return self.lufs.isfinite()

    def lift(self, wanted: Tensor) -> Tensor:
        """Gains in dB (B, 3) that bring the stems to `wanted` LUFS; 0 for silent ones."""
        return torch.where(self.present, wanted - self.lufs, 0.0)


def speech_activity(level_db: Tensor) -> Tensor:
    """Where someone speaks, pauses up to 0.4 s included: frame levels of clean speech (…, frames) in dBFS."""
    return activity(level_db, below=28.0, floor=-60.0, hangover=0.4)


def ramp(active: Tensor, attack: Tensor, release: Tensor, look_ahead: Tensor) -> Tensor:
    """How far a duck is in, 0…1 (…, frames): in over `attack` s from `look_ahead` early, out over `release` s.

    The times (…) lack the last dimension. Multiplied by a depth in dB it is a straight line in dB, softened at its
    corners over a tenth of a second.
    """
    frames = active.shape[-1]
    lead = (look_ahead / _FRAME).round().long()
    index = (torch.arange(frames, device=active.device) + lead[..., None]).clamp_max(frames - 1)
    wanted = active.gather(-1, index.expand(active.shape))
    rise, fall = (_FRAME / seconds.clamp_min(_FRAME) for seconds in (attack, release))
    return smoothed(slewed(wanted, rise, fall), _CORNERS)


def draw_lead(dice: Dice, sounding: Sounding) -> Tensor:
    """Which stem leads each scene, int64 (B,): speech whenever there is any, else effects or music."""
    speech, music, effects = sounding.present.unbind(-1)
    hits = dice.uniform("target.lead") < 0.4 * (0.4 + sounding.transient)
    return torch.where(speech, SPEECH, torch.where(effects & (~music | hits), EFFECTS, MUSIC))


def _featured(sounding: Sounding, style: Style, lead: Tensor, step: Tensor) -> Tensor:
    """LUFS of each stem where nothing covers it (B, 3): without speech what leads is `step` LU above the other."""
    anchor, bed = style.anchor, 9.0 * (1.0 - sounding.transient)
    music, effects = anchor + style.music, anchor + style.effects - bed
    ahead = torch.maximum(effects, anchor - 4.0)
    level_music = torch.where(lead == EFFECTS, torch.minimum(music, ahead - step), music)
    behind = torch.minimum(effects, music - step)
    level_effects = torch.where(lead == EFFECTS, ahead, torch.where(lead == MUSIC, behind, effects))
    return torch.stack([anchor, level_music, level_effects], -1)


def well_mixed(
    sounding: Sounding, style: Style, lead: Tensor, step: Tensor, seen: Tensor | None = None
) -> Tensor:
    """Gains in dB (B, 3, frames) of a good mix where `lead` (B,) leads, by `step` LU (B,) if there is no speech.

    Dialogue is anchored; music and effects step back under it and come forward in its gaps; effects lie by
    kind
    (hits above beds) and come forward while their subject is `seen` (B, frames), 0…1. Silent stems get 0 dB.
    """
    present = sounding.present
    speaks, busy = lead == SPEECH, (lead == EFFECTS) & present[:, MUSIC]
    over = torch.where(
        speaks[:, None],
        speech_activity(sounding.level_db[:, SPEECH]),
        activity(sounding.level_db[:, EFFECTS], below=20.0, hangover=0.6),
    )
    depth = ramp(over, style.attack, style.release, style.look_ahead)
    music = torch.where(speaks, style.music_duck, torch.where(busy, style.music_yield, 0.0))
    effects = torch.where(speaks, style.effects_duck * (1.4 - 0.7 * sounding.transient), 0.0)
    duck = torch.stack([torch.zeros_like(music), music, effects], -1)[..., None] * depth[:, None]
    if seen is not None:
        duck[:, EFFECTS] -= style.on_screen[:, None] * seen
    gains = sounding.lift(_featured(sounding, style, lead, step))
    return gains[..., None] - duck * present[..., None]


def draw_well_mixed(
    dice: Dice, sounding: Sounding, style: Style, seen: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Gains of good mixes (B, 3, frames) in dB, and which stem leads each (B,)."""
    lead = draw_lead(dice, sounding)
    step = dice.uniform("target.step", low=3.0, high=8.0)
    return well_mixed(sounding, style, lead, step, seen), lead


@dataclass(frozen=True)
class Spotlight:
    """What a mix that follows the picture is made with.

    `featured` (B, 3) are the stems' levels in LU against the anchor where they lead, `depth` (B, 3) how far they step
    back, dB.
    """

    featured: Tensor
    depth: Tensor

    @classmethod
    def draw(cls, dice: Dice) -> Spotlight:
        """Every stem has about the level of dialogue where it leads; what steps back does so by 5 to 14 dB."""
        others = 1.5 * dice.normal("spotlight.featured", 2, widest=_WIDEST)
        featured = torch.cat([torch.zeros_like(others[:, :1]), others], -1)
        return cls(featured, dice.uniform("spotlight.depth", 3, low=5.0, high=14.0))


def spotlit(sounding: Sounding, style: Style, light: Spotlight, leads: Tensor) -> Tensor:
    """Gains in dB (B, 3, frames) of a mix that follows the picture: whose subject is seen is brought out.

    `leads` (B, frames) is the number of that stem, or -1 where the picture shows nothing that sounds. The others step
    back. A silent stem gets 0 dB.
    """
    stems = torch.arange(3, device=leads.device)[:, None]
    back = (leads[:, None] >= 0) & (leads[:, None] != stems)
    times = (value[:, None].expand(-1, 3) for value in (style.attack, style.release, style.look_ahead))
    duck = ramp(back, *times) * (light.depth * sounding.present)[..., None]
    return sounding.lift(style.anchor[:, None] + light.featured)[..., None] - duck


def random_levels(dice: Dice, present: Tensor, prior: LoudnessPrior = FILMS) -> Tensor:
    """Target loudness of each stem (B, 3) in LUFS drawn from a prior, without regard for the picture."""
    mean, sd = (torch.tensor(values, device=dice.device) for values in (prior.mean, prior.sd))
    if prior.spread == "uniform":
        drawn = mean + sd * dice.uniform("random.levels", 3, low=-1.0, high=1.0)
    else:
        drawn = mean + sd * dice.normal("random.levels", 3, widest=_WIDEST)
    if prior.relative is not None and prior.relative_sd is not None:
        mean, sd = (torch.tensor(v, device=dice.device) for v in (prior.relative, prior.relative_sd))
        against = drawn[:, :1] + mean + sd * dice.normal("random.relative", 2, widest=_WIDEST)
        drawn = torch.where(present[:, :1], torch.cat([drawn[:, :1], against], -1), drawn)
    return drawn.clamp(_QUIETEST, _LOUDEST)


def random_mix(sounding: Sounding, wanted: Tensor) -> Tensor:
    """Constant gains (B, 3, frames) in dB that bring stems to `wanted` (B, 3) LUFS."""
    return sounding.lift(wanted)[..., None].expand_as(sounding.level_db)
