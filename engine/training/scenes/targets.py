"""What a good mix is: loudness priors as data, and how the three stems are set against each other."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import TrainingError
from ..material.levels import HOP, SAMPLE_RATE, Array, activity
from .priors import FILMS, LoudnessPrior

KINDS = ("well_mixed", "random")
_FRAME = HOP / SAMPLE_RATE


@dataclass(frozen=True)
class Style:
    """One mixer's habits for one clip: levels in LU against the dialogue level `anchor` (LUFS), times in s.

    `music` and `effects` are featured levels, where nothing covers them; `music_duck` and `effects_duck` how
    far they
    step back under speech, `music_yield` how far music steps back for effects that lead a clip without
    speech.
    """

    anchor: float
    music: float
    effects: float
    music_duck: float
    effects_duck: float
    music_yield: float
    attack: float
    release: float
    look_ahead: float
    on_screen: float


@dataclass(frozen=True)
class EffectsNature:
    """What the effects stem holds: `transient` is the share of hits against bed, 0…1.

    `seen` (frames,) is 1 where a sounding subject is in the picture and 0 elsewhere; None: no picture.
    """

    transient: float = 1.0
    seen: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Target:
    """Gains in dB (3, frames) that take laid stems to the good mix, and the style they came from."""

    gains_db: Array
    record: dict[str, Any] = field(default_factory=dict)


def _normal(rng: np.random.Generator, mean: float, sd: float, widest: float = 2.0) -> float:
    """A normal draw kept within `widest` standard deviations."""
    return mean + sd * float(np.clip(rng.standard_normal(), -widest, widest))


def draw_presence(rng: np.random.Generator, prior: LoudnessPrior = FILMS) -> tuple[bool, bool, bool]:
    """Which stems sound in a clip, by the prior's share of silent clips; at least one does."""
    while True:
        speech, music, effects = (bool(rng.random() >= share) for share in prior.silent)
        if speech or music or effects:
            return speech, music, effects


def draw_style(rng: np.random.Generator) -> Style:
    """Draw a mixer's habits; centres and spreads lie within the measured films' (`FILMS`)."""
    return Style(
        anchor=_normal(rng, -28.0, 3.5),
        music=_normal(rng, -1.0, 3.5),
        effects=_normal(rng, 0.0, 5.5),
        music_duck=float(rng.uniform(4.0, 14.0)),
        effects_duck=float(rng.uniform(1.5, 8.0)),
        music_yield=float(rng.uniform(0.0, 5.0)),
        attack=float(rng.uniform(0.2, 0.8)),
        release=float(rng.uniform(0.5, 2.0)),
        look_ahead=float(rng.uniform(0.05, 0.4)),
        on_screen=float(rng.uniform(3.0, 6.0)),
    )


def speech_activity(level_db: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where someone speaks, pauses up to 0.4 s included: frame levels of clean speech (frames,) in dBFS."""
    return activity(level_db, below=28.0, floor=-60.0, hangover=0.4)


def ramp(active: NDArray[np.bool_], attack: float, release: float, look_ahead: float) -> NDArray[np.float64]:
    """How far a duck is in, 0…1 (frames,): in over `attack` s from `look_ahead` early, out over `release` s.

    Multiplied by a depth in dB it is a straight line in dB, softened at its corners over a tenth of a second.
    """
    lead = round(look_ahead / _FRAME)
    wanted = np.concatenate([active[lead:], np.repeat(active[-1:], min(lead, active.size))])[: active.size]
    rise, fall = _FRAME / max(attack, _FRAME), _FRAME / max(release, _FRAME)
    depth, level = np.empty(active.size), 1.0 if wanted[0] else 0.0
    for k, on in enumerate(wanted.tolist()):
        level = min(1.0, level + rise) if on else max(0.0, level - fall)
        depth[k] = level
    kernel = np.array([1.0, 3.0, 4.0, 3.0, 1.0]) / 12.0
    return np.convolve(np.pad(depth, 2, mode="edge"), kernel, mode="valid")


def _well_mixed_levels(
    style: Style, present: NDArray[np.bool_], nature: EffectsNature, rng: np.random.Generator
) -> tuple[NDArray[np.float64], str]:
    """Featured LUFS of each stem, and which stem leads: speech whenever there is any."""
    bed = 9.0 * (1.0 - nature.transient)
    levels = style.anchor + np.array([0.0, style.music, style.effects - bed])
    if present[0]:
        return levels, "speech"
    lead = (
        "effects"
        if present[2] and (not present[1] or rng.random() < 0.4 * (0.4 + nature.transient))
        else "music"
    )
    step = float(rng.uniform(3.0, 8.0))
    if lead == "music":
        levels[2] = min(levels[2], levels[1] - step)
    else:
        levels[2] = max(levels[2], style.anchor - 4.0)
        levels[1] = min(levels[1], levels[2] - step)
    return levels, lead


def well_mixed(
    levels: NDArray[np.float64],
    level_db: NDArray[np.float64],
    rng: np.random.Generator,
    nature: EffectsNature | None = None,
    style: Style | None = None,
) -> Target:
    """Gains of a good mix for stems of loudness `levels` (3,) LUFS, frame levels `level_db` (3, frames) dBFS.

    Dialogue is anchored; music and effects step back under it and come forward in its gaps; effects lie by
    kind
    (hits above beds) and come forward while their subject is seen. Silent stems (-inf) get 0 dB.
    """
    nature = nature or EffectsNature()
    style = style or draw_style(rng)
    present = np.isfinite(levels)
    featured, lead = _well_mixed_levels(style, present, nature, rng)
    frames = level_db.shape[1]
    duck = np.zeros((3, frames))
    if present[0]:
        depth = ramp(speech_activity(level_db[0]), style.attack, style.release, style.look_ahead)
        duck[1] = style.music_duck * depth
        duck[2] = style.effects_duck * (1.4 - 0.7 * nature.transient) * depth
    elif lead == "effects" and present[1]:
        busy = activity(level_db[2], below=20.0, hangover=0.6)
        duck[1] = style.music_yield * ramp(busy, style.attack, style.release, style.look_ahead)
    if nature.seen is not None:
        duck[2] -= style.on_screen * nature.seen
    gains = (
        np.where(present, featured - np.where(present, levels, 0.0), 0.0)[:, None] - duck * present[:, None]
    )
    record = {"kind": "well_mixed", "lead": lead, "transient": round(nature.transient, 3)}
    record["style"] = {name: round(value, 3) for name, value in asdict(style).items()}
    return Target(gains.astype(np.float32), record)


def spotlit(
    levels: NDArray[np.float64],
    leads: NDArray[np.int64],
    rng: np.random.Generator,
    style: Style | None = None,
) -> Target:
    """Gains of a mix that follows the picture: the stem whose subject is seen is brought out, the others step back.

    `leads` (frames,) is the number of that stem, or -1 where the picture shows nothing that sounds. Every stem has
    about the level of dialogue where it leads; what steps back does so by 5 to 14 dB. `levels` (3,) are LUFS; a silent
    stem (-inf) gets 0 dB.
    """
    style = style or draw_style(rng)
    present = np.isfinite(levels)
    featured = style.anchor + np.array([0.0, _normal(rng, 0.0, 1.5), _normal(rng, 0.0, 1.5)])
    depth = rng.uniform(5.0, 14.0, 3)
    gains = np.where(present, featured - np.where(present, levels, 0.0), 0.0)[:, None]
    back = np.stack([(leads >= 0) & (leads != k) for k in range(3)])
    duck = np.stack([ramp(row, style.attack, style.release, style.look_ahead) for row in back])
    gains = gains - duck * (depth * present)[:, None]
    record: dict[str, Any] = {"kind": "spotlit", "leads": [int(k) for k in np.unique(leads)]}
    record["style"] = {name: round(value, 3) for name, value in asdict(style).items()}
    return Target(gains.astype(np.float32), record)


def random_levels(
    present: NDArray[np.bool_], rng: np.random.Generator, prior: LoudnessPrior = FILMS
) -> NDArray[np.float64]:
    """Target loudness of each stem in LUFS drawn from a prior, without regard for the picture."""
    if prior.spread == "uniform":
        drawn = np.array(prior.mean) + rng.uniform(-1.0, 1.0, 3) * np.array(prior.sd)
    else:
        drawn = np.array([_normal(rng, m, s) for m, s in zip(prior.mean, prior.sd, strict=True)])
    if present[0] and prior.relative is not None and prior.relative_sd is not None:
        drawn[1] = drawn[0] + _normal(rng, prior.relative[0], prior.relative_sd[0])
        drawn[2] = drawn[0] + _normal(rng, prior.relative[1], prior.relative_sd[1])
    return np.asarray(np.clip(drawn, -52.0, -12.0))


def random_mix(
    levels: NDArray[np.float64], frames: int, rng: np.random.Generator, prior: LoudnessPrior = FILMS
) -> Target:
    """Constant gains that bring stems of loudness `levels` (3,) LUFS to levels drawn from a prior."""
    present = np.isfinite(levels)
    wanted = random_levels(present, rng, prior)
    gains = np.where(present, wanted - np.where(present, levels, 0.0), 0.0)
    record = {"kind": "random", "prior": prior.name, "levels": [round(float(v), 2) for v in wanted]}
    return Target(np.repeat(gains[:, None], frames, axis=1).astype(np.float32), record)


def draw_target(
    kind: str,
    levels: NDArray[np.float64],
    level_db: NDArray[np.float64],
    rng: np.random.Generator,
    nature: EffectsNature | None = None,
) -> Target:
    """A target of the kind asked for, "well_mixed" or "random"; raises TrainingError for another name."""
    if kind == "well_mixed":
        return well_mixed(levels, level_db, rng, nature)
    if kind == "random":
        return random_mix(levels, level_db.shape[1], rng)
    raise TrainingError(f"Unknown kind of target mix '{kind}': use one of {', '.join(KINDS)}.")


def flat_gain(power: NDArray[np.float64], gains_db: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """The constant gain in dB (3,) that keeps the energy of a curve (3, frames) on frames of `power`."""
    lifted = np.sum(power * 10.0 ** (np.asarray(gains_db, np.float64) / 10.0), axis=1)
    total = np.sum(power, axis=1)
    heard = total > 1e-12
    ratio = np.where(heard, lifted / np.where(heard, total, 1.0), 1.0)
    return np.asarray(10.0 * np.log10(np.maximum(ratio, 10.0**-12)), np.float64)
