"""What was decided for a programme: its gains, its level, and what there is to see and say of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...engine.passage import GainCurves, SeenFrame
from ...engine.roles import STEMS

if TYPE_CHECKING:
    from ...engine.context.subjects import Subject
    from ...engine.highlight.levelling import Levelled
    from ...engine.highlight.style import Move
    from .hand import Drawn
    from .mix import Mix

Array = NDArray[np.float32]
Curve = NDArray[np.float64]


@dataclass(frozen=True)
class Stretch:
    """A stretch of a programme for one row of lanes: seconds, and spectrograms of it before and after, as PNG."""

    first: float
    last: float
    before: bytes
    after: bytes
    rate: int


@dataclass(frozen=True)
class Balance:
    """What was decided for a programme: `gains` (3, T) dB on the model's grid, in record time from 0.

    `moves` say what was done, `doubt` (T,) how far gains were drawn together for want of good separation, `levelled`
    what the sum comes to; `stretches` are spectrograms of it, `cuts` the picture's in seconds; `separated` says whether
    any clip was, and `null_dbfs` is the highest sample of what the separated stems and the rest lack of the sum
    of the originals (-inf: nothing was separated). `mix` is what curves can be changed by without asking the network
    again, and `mix_file` where it is kept; `drawn` is what stood in the place of the model's curves.
    """

    gains: Array
    moves: tuple[Move, ...]
    doubt: Array
    levelled: Levelled
    mix: Mix
    frames: tuple[SeenFrame, ...] = ()
    subjects: tuple[Subject | None, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    null_dbfs: float = -math.inf
    separated: bool = False
    stretches: tuple[Stretch, ...] = ()
    cuts: tuple[float, ...] = ()
    mix_file: Path = Path()
    drawn: tuple[Drawn, ...] = ()

    @property
    def curves(self) -> GainCurves:
        """The gains to look at, a point every 93 ms."""
        from ...engine.highlight.rebalance import CURVE_STEP

        times = tuple(round(float(t), 4) for t in self.times[::CURVE_STEP])
        rows = (tuple(float(v) for v in row[::CURVE_STEP].round(3)) for row in self.gains)
        return GainCurves(times, dict(zip(STEMS, rows, strict=True)))

    @property
    def times(self) -> Curve:
        """Record seconds of the frames (T,)."""
        from ...engine.highlight.bounce import frame_times

        return frame_times(self.gains.shape[1])
