"""What is done with the gains a network asks for: `repair` mends what lies outside good films, `full` takes them all.

A repair changes no level and no relation of stems that lies within the measured spread of good films (`spread`). What
lies outside is brought into it, as far as the network asks for it and in the direction it asks, relative to the other
stems: what all of them have in common over the programme is loudness, which another stage decides. Nothing is raised
where it is silent, and what was separated badly is drawn towards one common gain (`repair`).

Gains move as a mixer's hand would (`riding`). Speech has one gain over a phrase, pauses of up to half a second
included; it moves between phrases, by 20 dB/s at most, and is there 0.1 s before the first word; a raise is withdrawn
in longer pauses, so that the noise floor stays. Music falls by 15 dB/s at most and rises by 6, slowly enough not to be
heard as a swell, effects by 20 and 10; both are down before a phrase begins and do not come back up in pauses of less
than 1.2 s. These are the times of a duck by hand: 10 dB in half a second, and back in one to two. All corners are
rounded over 0.2 to 0.4 s. Cuts of the picture part only what nobody speaks over, and curves run on over them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingsError
from ..roles import STEMS
from .repair import EFFECTS, MUSIC, SPEECH, mended, neutral
from .riding import curves
from .stretches import FLOOR_DB, Flags, certain, closed, frames, runs, smoothed, sounding, stretches

Array = NDArray[np.float32]

STYLES = ("repair", "full")
_CEILING_DB = 60.0  # of a level; nothing that is sound lies above
_TOLD_DB, _TOLD_SECONDS = 0.5, 1.0  # a gain this far from 0 for this long is worth telling
_PAUSE = 0.5  # s of silence that do not end a stretch of speech


@dataclass(frozen=True)
class Heard:
    """One programme on the model's grid, T frames of 1024 samples at 44.1 kHz.

    `levels` (3, T) dB are each stem's K-weighted power in the frame as -0.691 + 10·lg(mean square), before gains, -120
    at the least; `unsure` (3, T) 0…1 the share of it that comes from separation, `quality` (3, T) dB the SI-SDR that
    what was separated is estimated to have, and `cuts` the frames where the picture cuts.
    """

    levels: Array
    unsure: Array
    quality: Array
    cuts: NDArray[np.intp]


@dataclass(frozen=True)
class Move:
    """A stretch [first, last) of frames over which a stem's gain differs from 0, by `gain_db` on the mean, and why."""

    first: int
    last: int
    role: str
    gain_db: float
    why: str


@dataclass(frozen=True)
class Styled:
    """Gains (3, T) dB as they are to be applied, what they do, and how far they were drawn together (T,) 0…1."""

    gains: Array
    moves: tuple[Move, ...]
    doubt: Array


def styled(gains: Array, heard: Heard, style: str) -> Styled:
    """Gains (3, T) dB as a style has them; raises `SettingsError` for a style that is not one of `STYLES`."""
    if style not in STYLES:
        raise SettingsError(f"There is no style '{style}'; use one of {', '.join(STYLES)}.")
    frames_heard = gains.shape[-1]
    levels = np.nan_to_num(heard.levels, nan=FLOOR_DB, posinf=_CEILING_DB, neginf=FLOOR_DB).astype(np.float64)
    levels = np.clip(levels, FLOOR_DB, _CEILING_DB)
    unsure = np.clip(np.nan_to_num(heard.unsure, nan=1.0), 0.0, 1.0).astype(np.float64)
    doubt = np.zeros(frames_heard, np.float32)
    if not frames_heard:
        return Styled(gains, (), doubt)
    quality = np.nan_to_num(heard.quality, nan=FLOOR_DB, posinf=99.0, neginf=FLOOR_DB).astype(np.float64)
    active = sounding(levels, unsure)
    certainly = certain(active, unsure, quality)
    if style == "repair":
        asked = neutral(np.nan_to_num(gains).astype(np.float64), levels)
        parts = stretches(certainly[SPEECH], heard.cuts)
        repair = mended(asked, levels, active, unsure, quality, parts)
        gains = curves(repair.gains, certainly, parts).astype(np.float32)
        doubt = smoothed(parts.spread(repair.doubt), 1.0).astype(np.float32)
    return Styled(gains, _moves(gains, certainly), doubt)


def _moves(gains: Array, active: Flags) -> tuple[Move, ...]:
    """What curves (3, T) do, in the order it begins."""
    spoken = closed(active[SPEECH], _PAUSE)
    found = []
    for stem, row in enumerate(gains):
        for sign in (1.0, -1.0):
            for first, last in runs(sign * row >= _TOLD_DB):
                if last - first >= frames(_TOLD_SECONDS):
                    mean = float(row[first:last].mean())
                    why = _reason(stem, sign > 0.0, float(spoken[first:last].mean()))
                    found.append(Move(int(first), int(last), STEMS[stem], round(mean, 2), why))
    return tuple(sorted(found, key=lambda move: (move.first, STEMS.index(move.role))))


_RAISED: Mapping[int, str] = {SPEECH: "speech buried", MUSIC: "effects too loud", EFFECTS: "effects buried"}
_LOWERED: Mapping[int, str] = {SPEECH: "loudness", MUSIC: "music too loud", EFFECTS: "effects too loud"}


def _reason(stem: int, raised: bool, spoken: float) -> str:
    if raised:
        return _RAISED[stem]
    return "under speech" if stem != SPEECH and spoken > 0.5 else _LOWERED[stem]
