"""Gains of stretches as curves that a mixer's hand could ride."""

from __future__ import annotations

import numpy as np

from .config import HOP, MODEL_RATE
from .repair import SPEECH
from .stretches import Flags, Places, Stretches, Values, closed, frames, runs, smoothed, spanned

_FRAME = HOP / MODEL_RATE
# dB/s at which stems come up and go down. Speech moves between phrases alone; effects move faster than music, whose
# swell is heard as such.
RISE = (20.0, 6.0, 10.0)
FALL = (20.0, 15.0, 20.0)
ROUNDED = (0.2, 0.4, 0.3)  # s over which the corners are rounded
_AHEAD = 0.12  # s before a phrase at which its gains are there, and after it for which they stay
_JOINED = 1.2  # s; in a shorter pause music and effects do not come back up
_PAUSE = 0.5  # s for which a raised stem may be silent before the raise is withdrawn


def curves(gains: Values, active: Flags, parts: Stretches) -> Values:
    """Curves (3, T) dB of stretches' gains (3, n); `active` (3, T) says where stems sound for certain."""
    rows = [_speech(gains[SPEECH], parts)]
    rows += [_bed(k, gains[k], active[k], parts) for k in range(1, gains.shape[0])]
    return np.stack(rows)


def _ramped(target: Values, rise: float, fall: float) -> Values:
    """The highest curve under `target` (T,) that rises by `rise` and falls by `fall` dB/s at most."""
    along = np.arange(target.size) * _FRAME
    down = np.minimum.accumulate((target - fall * -along)[::-1])[::-1] + fall * -along
    return np.asarray(np.minimum.accumulate(down - rise * along) + rise * along)


def _reachable(values: Values, room: Values, slope: float) -> Values:
    """Gains (p,) of phrases, lowered so far that neighbours can be reached in the `room` (p - 1,) s between them."""
    out = values.copy()
    for i in range(1, out.size):
        out[i] = min(out[i], out[i - 1] + slope * room[i - 1])
    for i in range(out.size - 2, -1, -1):
        out[i] = min(out[i], out[i + 1] + slope * room[i])
    return out


def _speech(gains: Values, parts: Stretches) -> Values:
    """Speech: constant over a phrase, moved between phrases, and not raised where nobody speaks."""
    total = int(parts.edges[-1])
    phrases = np.flatnonzero(parts.spoken)
    if not phrases.size:
        return np.zeros(total)
    slope, lead = min(RISE[SPEECH], FALL[SPEECH]), frames(_AHEAD)
    first = np.maximum(parts.edges[phrases] - lead, 0)
    last = np.minimum(parts.edges[phrases + 1] + lead, total)
    room = np.maximum(first[1:] - last[:-1], 0) * _FRAME
    values = _reachable(gains[phrases], room, slope)
    ends = np.concatenate([values[:1], values, values[-1:]])
    between = np.minimum(0.0, np.minimum(ends[:-1], ends[1:]))
    target = _laid(values, between, first, last, total)
    return smoothed(-_ramped(-target, slope, slope), ROUNDED[SPEECH])


def _bed(stem: int, gains: Values, active: Flags, parts: Stretches) -> Values:
    """Music or effects: down before someone speaks, up again when there is time, not raised where they are silent."""
    target = parts.spread(_held_down(gains, parts))
    ends = frames(_AHEAD)
    heard = _widened(closed(active, _PAUSE), frames(_PAUSE))
    target = np.where(heard, target, np.minimum(target, 0.0))
    half = frames(ROUNDED[stem]) // 2 + ends
    padded = np.pad(target, half, mode="edge")
    lowest = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1).min(axis=-1)
    return smoothed(_ramped(lowest, RISE[stem], FALL[stem]), ROUNDED[stem])


def _held_down(gains: Values, parts: Stretches) -> Values:
    """Gains (n,) of stretches, in short pauses no higher than in the phrases around."""
    short = ~parts.spoken & (parts.lengths < frames(_JOINED))
    short[:1] = short[-1:] = False
    around = np.maximum(np.roll(gains, 1), np.roll(gains, -1))
    return np.where(short, np.minimum(gains, around), gains)


def _widened(flags: Flags, by: int) -> Flags:
    """The same with every run `by` frames longer at both ends."""
    found = runs(flags) + np.array([-by, by])
    return spanned(np.clip(found, 0, flags.size), flags.size)


def _laid(values: Values, between: Values, first: Places, last: Places, total: int) -> Values:
    """Values (p,) over [first, last), and `between` (p + 1,) before, between and after them, as a curve (total,)."""
    edges = np.stack([first, last], 1).ravel()
    levels = np.empty(2 * values.size + 1)
    levels[0::2], levels[1::2] = between, values
    return np.repeat(levels, np.diff(np.concatenate([[0], edges, [total]])))
