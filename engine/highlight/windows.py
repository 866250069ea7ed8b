"""Where windows lie over a passage, and how what they predict is joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ..media.time import to_samples
from .config import HOP, MODEL_RATE, WINDOW_FRAMES

Array = NDArray[np.float32]

OVERLAP = 44  # frames (1 s) over which two windows are cross-faded, around the join
MARGIN = 10  # frames (0.23 s) at a window's ends that are never used where another window has them
EARLIEST = 258  # frames (6 s) from a window's start to the first place it may be joined to the next
QUIET = 15  # frames (0.35 s) that have to be quiet together for a join without a cut


@dataclass(frozen=True)
class Window:
    """One window: its first frame, and the join to the previous window as [fade_start, fade_end) in frames."""

    start: int
    fade_start: int
    fade_end: int


def cut_frames(cuts: Sequence[Fraction], origin: Fraction) -> NDArray[np.intp]:
    """Cuts in passage seconds as model frames counted from `origin` (seconds of passage time)."""
    at = [to_samples(cut - origin, MODEL_RATE) / HOP - 0.5 for cut in cuts]
    return np.array(sorted(round(a) for a in at), np.intp)


def choose_join(start: int, cuts: NDArray[np.intp], energy: Array) -> int:
    """The frame at which the window at `start` is joined to the next.

    The latest cut that both windows can see around; without one, the middle of the quietest third of a second, so
    that the cross-fade falls between words rather than on one. `energy` (431,) is the window's mean square per frame.
    """
    first, last = start + EARLIEST, start + WINDOW_FRAMES - OVERLAP // 2 - MARGIN
    fitting = cuts[(cuts >= first) & (cuts <= last)]
    if fitting.size:
        return int(fitting[-1])
    level = np.convolve(energy, np.ones(QUIET) / QUIET, mode="same")[first - start : last - start + 1]
    # Of equally quiet places take the latest, so that digital silence does not shorten windows.
    return last - int(np.argmin(level[::-1]))


def next_window(join: int, total: int) -> Window:
    """The window after a join: it starts before the cross-fade, or earlier so as to end with the passage."""
    start = join - OVERLAP // 2 - MARGIN
    start = max(0, min(start, total - WINDOW_FRAMES))
    return Window(start, join - OVERLAP // 2, join + OVERLAP // 2)


class Joiner:
    """Cross-fades what windows predict into one sequence of frames, handing frames out when no window will change them.

    Works on arrays whose last axis is frames; masks that sum to one still do after a linear cross-fade.
    """

    def __init__(self) -> None:
        self._held: list[Array] = []
        self._position = 0  # frame of the first one held

    def add(self, window: Window, predictions: Sequence[Array], keep_from: int, total: int) -> list[Array]:
        """Join a window's predictions; returns the frames before `keep_from` that are now final.

        `keep_from` is the frame where the next cross-fade begins (or the end of the passage), `total` the passage's
        length in frames; predictions beyond it are dropped.
        """
        end = min(window.start + predictions[0].shape[-1], total)
        if not self._held:
            self._held = [p[..., : end - window.start] for p in predictions]
            self._position = window.start
        else:
            self._held = [
                self._fade(old, new[..., : end - window.start], window, end)
                for old, new in zip(self._held, predictions, strict=True)
            ]
        done = keep_from - self._position
        out = [h[..., :done] for h in self._held]
        self._held = [h[..., done:] for h in self._held]
        self._position = keep_from
        return out

    def _fade(self, old: Array, new: Array, window: Window, end: int) -> Array:
        a, b = window.fade_start, window.fade_end
        ramp = ((np.arange(a, b) - a + 0.5) / (b - a)).astype(np.float32)
        before = old[..., : a - self._position]
        left = old[..., a - self._position : b - self._position]
        right = new[..., a - window.start : b - window.start]
        return np.concatenate(
            [before, left + ramp * (right - left), new[..., b - window.start : end - window.start]], -1
        )
