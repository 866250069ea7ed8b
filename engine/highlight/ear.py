"""What a track holds, by listening: a few windows of it through the network, and what its sound shows by itself.

The last of all evidence, where neither users nor hosts nor names tell. At most three windows of ten seconds are
heard, whatever the track's length.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..edit.categories import CERTAIN, DOUBTFUL, MARRIED, SILENT, SURE, UNKNOWN, Category
from ..errors import MediaError
from ..media.container import layout_of
from ..media.reader import probe, read_span
from ..passage import Sound
from ..progress import Progress
from ..roles import PARTS
from .backends import Network
from .config import HOP, MODEL_RATE, WINDOW_SAMPLES
from .context import empty_context
from .signs import NAMES, Values, signs, stem_power
from .spectral import magnitudes

Array = NDArray[np.float32]

WINDOWS = 3  # heard of a track
PROBES = 4  # stretches that are read for each, the loudest of which is heard
SOUNDLESS_DB = -60.0  # dBFS: where nothing is louder over 0.4 s, nothing sounds
ENOUGH = 3.0  # seconds of sound below which no ear is sure
_LEVEL_DB = -23.0  # dBFS of what the network hears
_TURNS = 0.05  # of tracks hold several kinds by turns
_BLOCK = int(0.4 * MODEL_RATE)
_LENGTH = Fraction(WINDOW_SAMPLES, MODEL_RATE)
_RULE = Path(__file__).parent / "ear.json"
KINDS = (*(role.name for role in PARTS), MARRIED)


@dataclass(frozen=True)
class Rule:
    """A logistic rule: signs less `middle`, by `spread`, times `weights` (kinds, signs), plus `bias` (kinds,).

    `trust` makes sums over a track's windows the logits of a probability that holds what it says.
    """

    middle: Values
    spread: Values
    weights: Values
    bias: Values
    trust: float

    def log_odds(self, heard: Values) -> Values:
        """Log probabilities (windows, kinds) of windows by their signs (windows, signs), before `trust`."""
        z = np.clip((heard - self.middle) / self.spread, -4, 4)
        logits = z @ self.weights.T + self.bias
        logits -= logits.max(axis=1, keepdims=True)
        out: Values = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return out

    def judge(self, heard: Values) -> Values:
        """Probabilities (kinds,) of a track by its windows' signs (windows, signs).

        Windows of different kinds are a mix by turns, where chance alone would hardly have made them differ.
        """
        log = self.log_odds(heard)
        logits = self.trust * log.mean(axis=0)
        chances = np.exp(logits - logits.max())
        same = float(np.exp(log.sum(axis=0)).sum())
        turns = _TURNS * (1 - same) / (_TURNS * (1 - same) + (1 - _TURNS) * same)
        out: Values = (1 - turns) * chances / chances.sum()
        out[KINDS.index(MARRIED)] += turns
        return out


@cache
def shipped_rule() -> Rule:
    """The rule fitted to the shipped model (`benchmarks/categories.py fit`)."""
    data = json.loads(_RULE.read_text(encoding="utf-8"))
    assert tuple(data["signs"]) == NAMES
    assert tuple(data["kinds"]) == KINDS
    middle, spread, weights, bias = (np.array(data[key]) for key in ("middle", "spread", "weights", "bias"))
    return Rule(middle, spread, weights, bias, float(data["trust"]))


def heard_category(
    sounds: Sequence[Sound], network: Network, progress: Progress, windows: int = WINDOWS
) -> Category:
    """What a track's `sounds` hold, by at most `windows` windows of ten seconds spread over them.

    Confidence is the share of tracks for which such an answer is right. Files that cannot be read are passed over.
    Raises `ModelError`, `Cancelled`.
    """
    stretches = excerpts(sounds, windows, progress)
    if not stretches:
        return UNKNOWN
    heard = [stretch for stretch in stretches if loudest_db(stretch) > SOUNDLESS_DB]
    if not heard:
        return _silent(sum((sound.duration for sound in sounds), Fraction(0)), windows)
    found = []
    for stretch in heard:
        progress.check()
        found.append(window_signs(stretch, network))
    chances = shipped_rule().judge(np.array(found))
    return judged(chances, sum(stretch.size for stretch in heard) / MODEL_RATE)


def window_signs(sound: Array, network: Network) -> Values:
    """The signs of up to ten seconds of mono sound at 44.1 kHz, brought to one level first."""
    level = _LEVEL_DB - _active_db(sound)
    window = _filled(sound * np.float32(10 ** (level / 20)))
    spectrum = magnitudes(window)
    seen = empty_context(network.config.context_dim or 1)
    masks, _ = network.run(
        spectrum[None], window[None], seen.features[None], seen.times[None], seen.valid[None]
    )
    return signs(spectrum, stem_power(spectrum, masks[0]))


def excerpts(sounds: Sequence[Sound], windows: int, progress: Progress) -> list[Array]:
    """Up to `windows` stretches of ten seconds at most of sounds laid end to end, mono at 44.1 kHz, in their order.

    The loudest of some in each equal part of the whole, so that the middle of a quiet track is not all there is.
    """
    total = sum((sound.duration for sound in sounds), Fraction(0))
    count = min(windows, max(1, -(-total // _LENGTH)))
    found = []
    for part in range(count):
        first, last = total * part / count, total * (part + 1) / count
        read = []
        for start in _probes(first, last, total):
            progress.check()
            read.append(_read(sounds, start, start + _LENGTH))
        best = max(read, key=loudest_db)
        if best.size >= HOP:
            found.append(best)
    return found


def loudest_db(sound: Array) -> float:
    """The mean power of the loudest 0.4 s of mono sound at 44.1 kHz, in dBFS; very low for silence."""
    if not sound.size:
        return -200.0
    edges = np.arange(0, sound.size, _BLOCK)
    power = np.add.reduceat(np.square(sound, dtype=np.float64), edges) / np.diff([*edges, sound.size])
    # A short rest of a block says little.
    power = power[:-1] if power.size > 1 and sound.size % _BLOCK else power
    return float(10 * np.log10(power.max() + 1e-20))


def _probes(first: Fraction, last: Fraction, total: Fraction) -> Iterable[Fraction]:
    """Where stretches within [first, last) begin, spread evenly; one around its middle where more would overlap."""
    count = min(PROBES, max(1, (last - first) // _LENGTH))
    step = (last - first) / count
    for index in range(count):
        middle = first + step * index + step / 2
        yield max(Fraction(0), min(middle - _LENGTH / 2, total - _LENGTH))


def _read(sounds: Sequence[Sound], first: Fraction, last: Fraction) -> Array:
    """From `first` to `last` of sounds laid end to end, mono at 44.1 kHz; what cannot be read is left out."""
    parts = [np.zeros(0, np.float32)]
    at = Fraction(0)
    for sound in sounds:
        start, end = max(first - at, Fraction(0)), min(last - at, sound.duration)
        at += sound.duration
        if end > start:
            try:
                parts.append(_mono(sound, sound.start + start, end - start))
            except MediaError:
                continue
    return np.concatenate(parts)[:WINDOW_SAMPLES]


def _mono(sound: Sound, start: Fraction, duration: Fraction) -> Array:
    weights = layout_of(probe(sound.path), sound.channels).mono
    block = read_span(sound.path, start, duration, sound.channels, MODEL_RATE)
    mono: Array = (weights @ block).astype(np.float32)
    return mono


def _active_db(sound: Array) -> float:
    """The mean power in dBFS of the frames that sound: those less than 20 dB below the loud ones."""
    rows = sound[: sound.size // HOP * HOP].reshape(-1, HOP)
    power = np.square(rows, dtype=np.float64).mean(axis=1)
    power = power[power >= np.percentile(power, 95) / 100]
    return float(10 * np.log10(power.mean() + 1e-20))


def _filled(sound: Array) -> Array:
    """A whole window: shorter sound goes on as its own mirror image."""
    rest = WINDOW_SAMPLES - sound.size
    return np.pad(sound, (0, rest), mode="symmetric") if rest > 0 else sound[:WINDOW_SAMPLES]


def _silent(total: Fraction, windows: int) -> Category:
    if total <= windows * PROBES * _LENGTH:
        return Category(SILENT, "ear", SURE, "nothing sounds on it")
    return Category(SILENT, "ear", DOUBTFUL, "nothing sounds where it was listened to")


def judged(chances: Values, seconds: float) -> Category:
    """What is said of a track by its chances (kinds,), of which `seconds` were heard."""
    best = int(chances.argmax())
    kind, chance = KINDS[best], min(float(chances[best]), SURE)
    if seconds < ENOUGH:
        chance = min(chance, CERTAIN - 0.01)
    return Category(kind, "ear", round(chance, 2), _REASONS[kind])


_REASONS = {
    "dialogue": "speech is heard",
    "music": "music is heard",
    "effects": "effects are heard",
    MARRIED: "several kinds of sound are heard",
}
