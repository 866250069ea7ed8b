"""What a repair changes: of the gains a network asks for, as much as brings stems into the spread of good films."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .spread import (
    EFFECTS_OVER_MUSIC,
    MUSIC_OVER_EFFECTS,
    SPEECH_BESIDE,
    SPEECH_OVER,
    SPEECH_OVER_BED,
    Relation,
)
from .stretches import FLOOR_DB, Flags, Stretches, Values, decibels, frames, loud_level, power_of

SPEECH, MUSIC, EFFECTS = range(3)

_GATE = 20.0  # dB under the programme's loud level; what is quieter has no say in how loud it is
_FELT = 0.1  # dB by which gains are drawn together before it is worth telling
_NEARBY = 15.0  # s; speech further off tells nothing of what is heard here
_SURE, _DOUBTFUL = 0.0, -8.0  # dB of estimated SI-SDR from which separation is trusted, and not at all


@dataclass(frozen=True)
class Mended:
    """Gains (3, n) in dB of stretches, and how far they were drawn together (n,), 0…1."""

    gains: Values
    doubt: Values


def neutral(gains: Values, levels: Values) -> Values:
    """Gains (3, T) dB without what all stems have in common: the mean change of level of what is heard."""
    power = power_of(levels)
    before = decibels(power.sum(0))
    heard = before > max(loud_level(before) - _GATE, FLOOR_DB)
    if not heard.any():
        return np.asarray(gains - gains.mean())
    after = decibels((power * np.power(10.0, gains / 10.0)).sum(0))
    return np.asarray(gains - (after - before)[heard].mean())


def outlying(relation: Relation, found: Values) -> Values:
    """How far outside a spread levels found (n,) lie: 0 inside, 1 where they cannot be meant so."""
    depth = (relation.inside - found) / (relation.inside - relation.outside)
    x = np.clip(depth, 0.0, 1.0)
    return np.asarray(x * x * (3.0 - 2.0 * x))


def mended(
    asked: Values, levels: Values, active: Flags, unsure: Values, quality: Values, parts: Stretches
) -> Mended:
    """The repair of every stretch.

    Takes what the network asks (3, T), levels (3, T), where stems sound (3, T), the share of them that comes from
    separation (3, T) and how good that is (3, T) in dB.
    """
    power = power_of(levels)
    heard = power * active
    wanted = _mean(parts, asked, heard)
    loud = _level(parts, heard, active)
    gains = np.zeros_like(wanted)
    spoken = parts.spoken
    if spoken.any():
        gains[:, spoken] = _under_speech(wanted[:, spoken], loud[:, spoken])
    if not spoken.all():
        gains[:, ~spoken] = _between(parts, wanted, loud, gains)
    return _drawn_together(parts, gains, power, active, unsure, quality)


def _mean(parts: Stretches, values: Values, weights: Values) -> Values:
    """Weighted means (3, n) of values (3, T); plain ones where there is no weight."""
    total = parts.sums(weights)
    plain = parts.sums(values) / parts.lengths
    return np.where(total > 0.0, parts.sums(values * weights) / np.where(total > 0.0, total, 1.0), plain)


def _level(parts: Stretches, heard: Values, active: Flags) -> Values:
    """Levels (3, n) in dB: of speech over the frames it sounds in, of the others over the whole stretch."""
    lengths = np.stack(
        [np.maximum(parts.sums(active[:1].astype(np.float64))[0], 1.0), parts.lengths, parts.lengths]
    )
    return decibels(parts.sums(heard) / lengths)


def _missing(relation: Relation, found: Values, asked: Values) -> Values:
    """What a relation found (n,) lacks, as far as it is asked for (n,), dB."""
    lack = np.minimum(np.maximum(asked, 0.0), np.maximum(relation.aim - found, 0.0))
    return np.asarray(outlying(relation, found) * lack)


def _under_speech(wanted: Values, loud: Values) -> Values:
    """Gains (3, m) of phrases: speech over music, over effects, and over both."""
    bed = power_of(loud[1:])
    share = bed / np.maximum(bed.sum(0), 1e-30)
    buried = outlying(SPEECH_OVER_BED, loud[SPEECH] - decibels(bed.sum(0))) * np.minimum(2.0 * share, 1.0)
    lowered = []
    for number, relation in enumerate(SPEECH_OVER):
        found, asked = loud[SPEECH] - loud[1 + number], wanted[SPEECH] - wanted[1 + number]
        lack = np.minimum(np.maximum(asked, 0.0), np.maximum(relation.aim - found, 0.0))
        out = np.maximum(outlying(relation, found), buried[number]) * (loud[1 + number] > FLOOR_DB)
        lowered.append(out * lack)
    return _shared_out(wanted, np.stack(lowered))


def _shared_out(wanted: Values, lowered: Values) -> Values:
    """Gains (3, m) that bring speech up against each of the others by `lowered` (2, m) dB.

    Speech rises by the share of its own gain that is asked for; the others go the rest of the way. No stem goes further
    than it is asked to, nor the other way.
    """
    asked = wanted[SPEECH] - wanted[1:]
    share = np.where(asked > 0.0, lowered / np.where(asked > 0.0, asked, 1.0), 0.0).max(0)
    speech = np.maximum(wanted[SPEECH], 0.0) * share
    others = np.clip(speech - lowered, np.minimum(wanted[1:], 0.0), np.maximum(wanted[1:], 0.0))
    return np.concatenate([speech[None], others])


def _between(parts: Stretches, wanted: Values, loud: Values, gains: Values) -> Values:
    """Gains (3, m) where nobody speaks: music and effects against the speech nearby, or against each other."""
    silent = ~parts.spoken
    wanted_here, loud_here = wanted[:, silent], loud[:, silent]
    anchor, lift, asked = _nearby(parts, loud[SPEECH], gains[SPEECH], wanted[SPEECH])
    out = np.zeros_like(wanted_here)
    for k, relation in zip((MUSIC, EFFECTS), SPEECH_BESIDE, strict=True):
        lack = _missing(relation, anchor - loud_here[k], asked - wanted_here[k])
        lower = np.clip(lift - lack, np.minimum(wanted_here[k], 0.0), 0.0)
        out[k] = np.where((anchor > FLOOR_DB) & (loud_here[k] > FLOOR_DB), lower, 0.0)
    both = (loud_here[1:] > FLOOR_DB).all(0)
    for (k, other), relation in zip(
        ((MUSIC, EFFECTS), (EFFECTS, MUSIC)), (MUSIC_OVER_EFFECTS, EFFECTS_OVER_MUSIC), strict=True
    ):
        asked_here = wanted_here[k] - wanted_here[other]
        lack = _missing(relation, loud_here[k] - loud_here[other], asked_here)
        share = np.where(asked_here > 0.0, lack / np.where(asked_here > 0.0, asked_here, 1.0), 0.0) * both
        out[k] = np.maximum(out[k], 0.0) + share * np.maximum(wanted_here[k], 0.0) + np.minimum(out[k], 0.0)
        out[other] += share * np.minimum(wanted_here[other], 0.0)
    return np.clip(out, np.minimum(wanted_here, 0.0), np.maximum(wanted_here, 0.0))


def _nearby(parts: Stretches, level: Values, gain: Values, asked: Values) -> tuple[Values, Values, Values]:
    """Level, gain and asked gain (m,) of the speech around stretches without any; the floor where there is none.

    The phrases before and after count alike, as far as they are near.
    """
    phrases, others = np.flatnonzero(parts.spoken), np.flatnonzero(~parts.spoken)
    if not phrases.size:
        none = np.zeros(others.size)
        return none + FLOOR_DB, none, none
    after = np.searchsorted(phrases, others)
    found = [np.zeros(others.size) for _ in range(4)]
    for place in (after - 1, after):
        which = phrases[np.clip(place, 0, phrases.size - 1)]
        gap = np.where(
            which < others,
            parts.edges[others] - parts.edges[which + 1],
            parts.edges[which] - parts.edges[others + 1],
        )
        weight = ((place >= 0) & (place < phrases.size) & (gap <= frames(_NEARBY))).astype(np.float64)
        found[0] += weight
        found[1] += weight * power_of(level[which])
        found[2] += weight * gain[which]
        found[3] += weight * asked[which]
    count = np.maximum(found[0], 1.0)
    return decibels(found[1] / count), found[2] / count, found[3] / count


def _drawn_together(
    parts: Stretches, gains: Values, power: Values, active: Flags, unsure: Values, quality: Values
) -> Mended:
    """Gains of what was separated, drawn towards one common gain where it was separated badly.

    Where nothing else sounds that common gain would be a mere change of level, and is 0.
    """
    blurred = np.clip((_SURE - quality) / (_SURE - _DOUBTFUL), 0.0, 1.0) * unsure
    doubt = _mean(parts, blurred, power)
    weight = parts.sums(power * unsure)
    total = weight.sum(0)
    beside = (
        parts.sums((1.0 - unsure) * active) / np.maximum(parts.sums(active.astype(np.float64)), 1.0)
    ).max(0)
    common = beside * (weight * gains).sum(0) / np.where(total > 0.0, total, 1.0)
    step = doubt * (common - gains)
    return Mended(gains + step, np.where(np.abs(step).max(0) >= _FELT, doubt.max(0), 0.0))
