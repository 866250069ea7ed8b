"""The demo's figures: how near a mix is to the good one, and how far the dialogue stands out of the bed."""

from __future__ import annotations

import numpy as np
from sightmix.engine.media.loudness import measure
from sightmix.engine.media.resample import resample
from sightmix.engine.training.loop import metrics
from sightmix.engine.training.material.levels import SAMPLE_RATE
from soundtrack import RATE, Line, Sound, Stems, gain, total

AUDIBLE = -60.0  # LUFS


def distances(mix: Sound, good: Sound) -> dict[str, float]:
    """MAG, ENV and W-dis of a mix (2, samples) from the good one, in mono at the metrics' rate."""
    a, b = (resample(sound.mean(axis=0, keepdims=True), RATE, SAMPLE_RATE)[0] for sound in (mix, good))
    return metrics.measure(a, b)


def over_film_sound(stems: Stems, lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The lines that are spoken over something: where the film is silent there is nothing to balance."""
    under = stems.under()
    return tuple(line for line in lines if _loudness(under, line) > AUDIBLE)


def dialogue_over_bed(stems: Stems, lines: tuple[Line, ...]) -> list[float]:
    """Loudness of the dialogue less that of all that lies under it while each line is spoken, LU."""
    under = stems.under()
    return [_loudness(stems.dialogue, line) - _loudness(under, line) for line in lines]


def _loudness(sound: Sound, line: Line) -> float:
    return measure(sound[:, line.samples], RATE).integrated


def applied_gains(mix: Sound, stems: Stems, line: Line) -> tuple[float, ...]:
    """The gains in dB of the dialogue and each bed that together come nearest to a mix while a line is spoken.

    Least squares over the samples of the line: what follows the dialogue's waveform counts as dialogue, what follows a
    bed's as that bed, and anything else (what separation lost or smeared) as none. Of a bed that is silent nothing is
    known: 0 dB.
    """
    parts = np.stack([part[:, line.samples].ravel().astype(np.float64) for part in stems.parts])
    heard = parts.any(axis=1)
    found = np.ones(len(parts))
    found[heard] = np.linalg.lstsq(
        parts[heard].T, mix[:, line.samples].ravel().astype(np.float64), rcond=None
    )[0]
    return tuple((20 * np.log10(np.maximum(np.abs(found), 1e-6))).tolist())


def balance_after(mix: Sound, stems: Stems, lines: tuple[Line, ...]) -> list[float]:
    """Dialogue over all that lies under it in LU while each line is spoken, after a mix was made of known stems."""
    balances = []
    for line in lines:
        dialogue, *beds = (
            part[:, line.samples] * gain(db)
            for part, db in zip(stems.parts, applied_gains(mix, stems, line), strict=True)
        )
        balances.append(measure(dialogue, RATE).integrated - measure(total(beds), RATE).integrated)
    return balances


def improvement(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """How much nearer the good mix came, in % of each distance; below 0 is further away."""
    return {name: round(value, 1) for name, value in metrics.improvement(before, after).items()}
