"""What is done with a network's curves: strength, trims, what was drawn by hand, and the level that is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...engine.highlight.levelling import Aim
from ...engine.highlight.style import Move
from ...engine.roles import PARTS, STEMS
from .hand import Drawn, with_hand
from .settings import JobSettings

Array = NDArray[np.float32]
Times = NDArray[np.float64]

_LEAST_DB = 0.1  # of a move that strength leaves anything of


@dataclass(frozen=True)
class Applied:
    """How far the model's curves are taken (0 … 1), what is added to each in dB, and what stands in their place."""

    strength: float
    trims: tuple[float, ...]
    drawn: tuple[Drawn, ...] = ()

    @classmethod
    def of(cls, settings: JobSettings, drawn: Sequence[Drawn] = ()) -> Applied:
        """What a job's settings ask for."""
        trims = tuple(float(getattr(settings, role.name)) for role in PARTS)
        return cls(settings.strength, trims, tuple(drawn))

    def gains(self, styled: Array, times: Times) -> Array:
        """Gains (3, T) dB as they act at record `times` (T,), of those a style gives."""
        trimmed = self.strength * styled + np.array(self.trims, np.float32)[:, None]
        return with_hand(trimmed.astype(np.float32), times, self.drawn)

    def moves(self, moves: Sequence[Move], times: Times) -> tuple[Move, ...]:
        """What is done then over record `times` (T,), of what a style does."""
        lessened = (replace(move, gain_db=move.gain_db * self.strength) for move in moves)
        asked = (
            Move(0, times.size - 1, stem, trim, "asked")
            for stem, trim in zip(STEMS, self.trims, strict=True)
            if trim
        )
        kept = [*(move for move in lessened if abs(move.gain_db) >= _LEAST_DB), *asked]
        for one, first, last in self._by_hand(times):
            kept = [piece for move in kept for piece in _around(move, one.stem, first, last)]
            inside = np.interp(times[first:last], one.times, one.db)
            kept.append(Move(first, last, one.stem, round(float(inside.mean()), 2), "hand"))
        return tuple(kept)

    def _by_hand(self, times: Times) -> Iterator[tuple[Drawn, int, int]]:
        for one in self.drawn:
            first = int(np.searchsorted(times, one.times[0], "left"))
            last = int(np.searchsorted(times, one.times[-1], "right"))
            if first < last:
                yield one, first, last


def aim_of(settings: JobSettings) -> Aim:
    """The level that settings ask for."""
    spec = settings.spec
    aim = Aim(settings.target_lufs, settings.keeps_loudness and spec is None, settings.ceiling)
    if spec is None or spec.measure != "dialogue":
        return aim
    return replace(aim, dialogue=True, least_speech=spec.least_speech, sparse=spec.sparse_target)


def _around(move: Move, stem: str, first: int, last: int) -> list[Move]:
    """What is left of a move outside of frames [first, last) of a stem."""
    if move.role != stem or move.last <= first or move.first >= last:
        return [move]
    ends = ((move.first, first), (last, move.last))
    return [replace(move, first=a, last=b) for a, b in ends if a < b]
