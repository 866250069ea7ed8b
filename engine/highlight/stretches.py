"""Where stems sound, where someone speaks and where nobody does: frames of a programme as stretches."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .config import HOP, MODEL_RATE

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]

FLOOR_DB = -120.0
_LOUD = 95.0  # percentile of a stem's levels that is its loud level, as in the training scenes
# dB under its own loud level at which a stem is silent, as in the training scenes; under the programme's loud level at
# which any is; and under the mix around it at which a known stem, and a separated one, holds nothing.
_BELOW, _UNDER_MIX = (28.0, 30.0, 30.0), 45.0
_HIDDEN, _LEAK = 30.0, 18.0
_MOSTLY = 0.5  # a stem less of which comes from separation is known
# dB of estimated SI-SDR: of what was separated worse it is not known whether it is there at all, and better it is. Of
# 135 phrases of speech found in the mixes of validation scenes 24 were none; asking for `_CLEAR` once in each drops 15
# of these, and one in twelve of the others.
_BLIND, _CLEAR = -3.0, 3.0
_AROUND = 1.0  # s
_PAUSE = 0.5  # s; a longer one divides what is said
_BLIP = 0.1  # s; what sounds for less is no word
_SHORTEST, _LONGEST = 2.0, 8.0  # s of a stretch between phrases


def frames(seconds: float) -> int:
    """A length of time in frames, one at least."""
    return max(1, round(seconds * MODEL_RATE / HOP))


def decibels(power: NDArray[np.floating[Any]]) -> Values:
    """10·log10 of powers, floored at -120 dB."""
    return np.asarray(10.0 * np.log10(np.maximum(power, 10.0 ** (FLOOR_DB / 10.0))), np.float64)


def power_of(level_db: NDArray[np.floating[Any]]) -> Values:
    """Powers of levels in dB; nothing of what lies at the floor."""
    return np.where(level_db > FLOOR_DB, np.power(10.0, np.asarray(level_db, np.float64) / 10.0), 0.0)


def smoothed(values: NDArray[np.floating[Any]], seconds: float) -> Values:
    """Values (…, T) under a Hann window of `seconds`, the ends held beyond themselves."""
    half = frames(seconds) // 2
    if not half:
        return np.asarray(values, np.float64)
    window = 0.5 + 0.5 * np.cos(np.pi * np.arange(-half, half + 1) / (half + 1))
    window /= window.sum()
    rows = np.pad(np.asarray(values, np.float64), [(0, 0)] * (values.ndim - 1) + [(half, half)], mode="edge")
    flat = rows.reshape(-1, rows.shape[-1])
    return np.stack([np.convolve(row, window, mode="valid") for row in flat]).reshape(values.shape)


def runs(flags: Flags) -> Places:
    """First frames and frames after the last (runs, 2) of what is true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    return edges.reshape(-1, 2)


def spanned(pieces: Places, total: int) -> Flags:
    """Which of `total` frames lie in the pieces (n, 2), which do not touch each other."""
    change = np.zeros(total + 1, np.int64)
    np.add.at(change, pieces[:, 0], 1)
    np.add.at(change, pieces[:, 1], -1)
    return np.cumsum(change)[:total] > 0


def closed(flags: Flags, seconds: float) -> Flags:
    """The same with pauses of up to `seconds` between two runs filled in."""
    found = runs(flags)
    joined = found[1:, 0] - found[:-1, 1] <= frames(seconds)
    starts, ends = np.concatenate([[True], ~joined]), np.concatenate([~joined, [True]])
    if not found.size:
        return flags
    return spanned(np.stack([found[starts, 0], found[ends, 1]], 1), flags.size)


def sounding(levels: Values, unsure: Values) -> Flags:
    """Where stems (3, T) dB sound, frame by frame: not far under their own loud level, nor lost under the mix.

    A separated stem that lies far under the mix is what others leave behind in it. Adding the same to all levels
    changes nothing.
    """
    mix = decibels(power_of(levels).sum(0))
    around = decibels(smoothed(power_of(mix), _AROUND))
    loud = np.array([loud_level(row) for row in levels])[:, None]
    hidden = around - (_HIDDEN + (_LEAK - _HIDDEN) * unsure)
    own = decibels(smoothed(power_of(levels), _AROUND))
    found = levels > np.maximum(loud - np.array(_BELOW)[:, None], loud_level(mix) - _UNDER_MIX)
    return found & (own > hidden) & (levels > FLOOR_DB)


def certain(active: Flags, unsure: Values, quality: Values) -> Flags:
    """Where stems are known to sound (3, T): what was separated badly may hold nothing of its own.

    What was separated counts from one pause to the next, if it is clear somewhere in between and where it is not bad.
    """
    known = unsure < _MOSTLY
    seen, clear = active & (known | (quality > _BLIND)), known | (quality > _CLEAR)
    rows = []
    for row, sharp in zip(seen, clear & seen, strict=True):
        found = runs(closed(row, _PAUSE))
        counts = np.concatenate([[0], np.cumsum(sharp)])
        rows.append(row & spanned(found[counts[found[:, 1]] > counts[found[:, 0]]], row.size))
    return np.stack(rows)


def loud_level(levels: Values) -> float:
    """The 95th percentile of levels (T,) above the floor, dB; the floor where nothing sounds."""
    heard = levels[levels > FLOOR_DB]
    return float(np.percentile(heard, _LOUD)) if heard.size else FLOOR_DB


@dataclass(frozen=True)
class Stretches:
    """A programme in consecutive stretches: `edges` (n + 1) frames, `spoken` (n,) whether someone speaks there."""

    edges: Places
    spoken: Flags

    @property
    def starts(self) -> Places:
        """First frames (n,)."""
        return self.edges[:-1]

    @property
    def lengths(self) -> Places:
        """Frames of each (n,)."""
        return np.diff(self.edges)

    def sums(self, values: Values) -> Values:
        """Sums (…, n) over stretches of values (…, T)."""
        return np.asarray(np.add.reduceat(values, self.starts, axis=-1))

    def spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values (…, n) at every frame of their stretch (…, T)."""
        return np.repeat(values, self.lengths, axis=-1)


def stretches(speech: Flags, cuts: Places) -> Stretches:
    """Phrases, pauses of up to half a second included, and what lies between them, parted at cuts of the picture.

    What is no phrase is parted where the picture cuts, if both parts last two seconds at least, and where it is long.
    """
    total = speech.size
    spoken = closed(speech, _PAUSE)
    phrases = runs(spoken)
    phrases = phrases[phrases[:, 1] - phrases[:, 0] >= frames(_BLIP)]
    edges = sorted({0, total, *phrases.ravel().tolist()})
    inside = np.unique(cuts[(cuts > 0) & (cuts < total)])
    said = set(phrases[:, 0].tolist())
    found = [0]
    for first, last in pairwise(edges):
        if first not in said:
            low, high = np.searchsorted(inside, [first, last])
            found += _parted(first, last, inside[low:high].tolist())
        found.append(last)
    places = np.array(found, np.intp)
    return Stretches(places, np.isin(places[:-1], phrases[:, 0]))


def _parted(first: int, last: int, cuts: list[int]) -> list[int]:
    """Frames at which [first, last) is parted."""
    least, most = frames(_SHORTEST), frames(_LONGEST)
    at = [first]
    for cut in [*cuts, last]:
        if cut != last and (cut - at[-1] < least or last - cut < least):
            continue
        pieces = -(-(cut - at[-1]) // most)
        start, length = at[-1], cut - at[-1]
        at += [start + length * k // pieces for k in range(1, pieces)]
        if cut != last:
            at.append(cut)
    return at[1:]
