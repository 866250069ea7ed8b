"""What a repair changes: of the gains a network asks for, as much as brings stems into the spread of good films."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .spread import (
    EFFECTS_OVER_MUSIC,
    MUSIC_OVER_EFFECTS,
    SPEECH_BESIDE,
    SPEECH_OVER,
    Relation,
)
from .stretches import FLOOR_DB, Flags, Stretches, Values, decibels, frames, loud_level, power_of

SPEECH, MUSIC, EFFECTS = range(3)

_GATE = 20.0  # dB under the programme's loud level; what is quieter has no say in how loud it is
_FELT = 0.1  # dB by which gains are drawn together before it is worth telling
_WIDER = 0.5  # standard deviations by which the spread is wider for speech that was separated
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
    parted = _mean(parts, unsure, heard)
    gains = np.zeros_like(wanted)
    spoken = parts.spoken
    if spoken.any():
        gains[:, spoken] = _under_speech(wanted[:, spoken], loud[:, spoken], parted[SPEECH, spoken])
    if not spoken.all():
        gains[:, ~spoken] = _between(parts, wanted, loud, gains, parted)
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


def _lacking(relation: Relation, found: Values, asked: Values) -> Values:
    """What relations found (n,) lack, as far as it is asked for (n,), dB."""
    return np.asarray(np.minimum(np.maximum(asked, 0.0), np.maximum(relation.aim - found, 0.0)))


def _share(part: Values, whole: Values) -> Values:
    """Part of a whole, 0 where that is nothing or less."""
    return np.where(whole > 0.0, part / np.where(whole > 0.0, whole, 1.0), 0.0)


def _under_speech(wanted: Values, loud: Values, parted: Values) -> Values:
    """Gains (3, m) of phrases: speech over music and over effects.

    Speech rises by as great a share of its own gain as is asked for of what it lacks; the others go the rest of the
    way. No stem goes further than it is asked to, nor the other way. The spread is wider for speech whose level is
    only estimated: `parted` (m,) is the share of it that comes from separation.
    """
    asked, found = wanted[SPEECH] - wanted[1:], loud[SPEECH] - loud[1:]
    lowered = np.stack(
        [
            relation.outlying(found[k], _WIDER * parted) * _lacking(relation, found[k], asked[k])
            for k, relation in enumerate(SPEECH_OVER)
        ]
    ) * (loud[1:] > FLOOR_DB)
    speech = np.maximum(wanted[SPEECH], 0.0) * _share(lowered, asked).max(0)
    return np.concatenate([speech[None], _held(speech - lowered, wanted[1:])])


def _held(gains: Values, wanted: Values) -> Values:
    """Gains no further from 0 than they are wanted, nor on the other side of it."""
    return np.clip(gains, np.minimum(wanted, 0.0), np.maximum(wanted, 0.0))


def _between(parts: Stretches, wanted: Values, loud: Values, gains: Values, parted: Values) -> Values:
    """Gains (3, m) where nobody speaks: music and effects against the speech nearby, and against each other.

    What is too loud beside speech stays down after it, but goes no further down than under it. Music and effects are
    held against each other only as far as they are not `parted` (3, n) from a mix: of a separated one that is quiet
    nothing tells whether it is buried or not there.
    """
    sure, certain = 1.0 - parted[1:, ~parts.spoken].max(0), np.zeros(1)
    here, sound = wanted[:, ~parts.spoken], loud[:, ~parts.spoken]
    heard = sound > FLOOR_DB
    level, lift, asked = _nearby(parts, loud[SPEECH], gains, wanted[SPEECH])
    out = np.zeros_like(here)
    for k, relation in zip((MUSIC, EFFECTS), SPEECH_BESIDE, strict=True):
        found, beside = level - sound[k], asked - here[k]
        lack = relation.outlying(found, certain) * _lacking(relation, found, beside)
        lowered = np.maximum(np.minimum(lift[SPEECH] - lack, 0.0), np.minimum(lift[k], 0.0))
        out[k] = np.where(heard[k] & (level > FLOOR_DB), lowered, 0.0)
    for (k, other), relation in zip(
        ((MUSIC, EFFECTS), (EFFECTS, MUSIC)), (MUSIC_OVER_EFFECTS, EFFECTS_OVER_MUSIC), strict=True
    ):
        found, apart = sound[k] - sound[other], here[k] - here[other]
        share = relation.outlying(found, certain) * _share(_lacking(relation, found, apart), apart)
        share = share * (heard[k] & heard[other]) * sure
        out[k] += share * np.maximum(here[k], 0.0)
        out[other] += share * np.minimum(here[other], 0.0)
    return _held(out, here)


def _nearby(parts: Stretches, level: Values, gains: Values, asked: Values) -> tuple[Values, Values, Values]:
    """Around stretches without speech: its level (m,), the gains (3, m) under it, and its asked gain (m,).

    The phrases before and after count alike, as far as they are near; the level is the floor where there is none.
    """
    phrases, others = np.flatnonzero(parts.spoken), np.flatnonzero(~parts.spoken)
    rows = np.concatenate([power_of(level)[None], gains, asked[None]])
    total, count = np.zeros((len(rows), others.size)), np.zeros(others.size)
    after = np.searchsorted(phrases, others)
    for place in (after - 1, after) if phrases.size else ():
        which = phrases[np.clip(place, 0, phrases.size - 1)]
        gap = np.maximum(
            parts.edges[others] - parts.edges[which + 1], parts.edges[which] - parts.edges[others + 1]
        )
        near = (place >= 0) & (place < phrases.size) & (gap <= frames(_NEARBY))
        total += near * rows[:, which]
        count += near
    mean = total / np.maximum(count, 1.0)
    return decibels(mean[0]), mean[1:-1], mean[-1]


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
