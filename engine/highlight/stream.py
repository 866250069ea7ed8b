"""Windows over sound as it streams by: laid with their edges on cuts, shown the picture, joined into one sequence."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ..media.resample import Resampler
from ..media.time import to_samples
from ..passage import SeenFrame
from .config import HOP, MODEL_RATE, WINDOW_FRAMES, WINDOW_SAMPLES, frames_of
from .context import WindowContext
from .windows import Joiner, Window, choose_join, next_window

Array = NDArray[np.float32]

_LOOK = 0.05  # s between two calls of `check`

# What is made of a window: its sound (rows, 441344) and context in, predictions whose last axis is frames out.
Predict = Callable[[Array, WindowContext], Sequence[Array]]


class WindowStream:
    """Sound pushed in at its own rate, predictions out in order as they become final.

    `rows` signals go side by side; windows join where their sum is quiet, or at `cuts` (model frames). `context` is
    asked for the stretch [start, start + duration) in seconds, `origin` being where the sound begins. While a window is
    at work `check` is called over and over, so that what raises there need not wait for the window.
    """

    def __init__(
        self,
        predict: Predict,
        context: Callable[[Fraction, Fraction], WindowContext],
        rate: int,
        samples: int,
        rows: int,
        cuts: NDArray[np.intp],
        origin: Fraction,
        check: Callable[[], None] | None = None,
    ) -> None:
        self._predict, self._context, self._origin, self._cuts = predict, context, origin, cuts
        self._check = check
        self.total = frames_of(to_samples(Fraction(samples, rate), MODEL_RATE))
        self.frames: list[SeenFrame] = []
        self.features: list[Array] = []  # of the frames, as the encoder gave them
        self.warnings: dict[str, None] = {}
        self.seconds = {"decode": 0.0, "context": 0.0, "network": 0.0, "wait": 0.0}
        self._resampler = Resampler(rate, MODEL_RATE, rows)
        self._sound = np.zeros((rows, 0), np.float32)
        self._start = 0
        self._window: Window | None = Window(0, 0, 0) if self.total else None
        self._joiner = Joiner()
        self._pool = ThreadPoolExecutor(1)
        self._network = ThreadPoolExecutor(1)
        self._next: Future[WindowContext] | None = None
        if self._window is not None:
            self._next = self._ahead(self._window)

    def push(self, block: Array, last: bool = False) -> Iterator[list[Array]]:
        """Take in sound (rows, n); yields what has become final, each time as a list of the predictions' arrays."""
        self._sound = np.concatenate([self._sound, self._resampler.process(block, last)], axis=1)
        while self._window is not None:
            needed = min((self._window.start + WINDOW_FRAMES), self.total) * HOP - self._start
            if self._sound.shape[1] < needed and not last:
                return
            yield self._run(self._window)

    def close(self) -> None:
        """End the threads; a window that nobody waits for any more finishes by itself."""
        self._network.shutdown(wait=False)
        self._pool.shutdown(cancel_futures=True)

    def _ahead(self, window: Window) -> Future[WindowContext]:
        start = self._origin + Fraction(window.start * HOP, MODEL_RATE)
        frames = min(WINDOW_FRAMES, self.total)
        return self._pool.submit(self._context, start, Fraction(frames * HOP, MODEL_RATE))

    def _run(self, window: Window) -> list[Array]:
        sound = self._cut_out(window)
        end = self.total
        following: Window | None = None
        if window.start + WINDOW_FRAMES < self.total:
            energy = np.square(sound.sum(axis=0).reshape(WINDOW_FRAMES, HOP)).mean(axis=1)
            following = next_window(choose_join(window.start, self._cuts, energy), self.total)
            end = following.fade_start
        assert self._next is not None
        began = time.perf_counter()
        context = self._next.result()
        waited = time.perf_counter()
        if following is not None:
            self._next = self._ahead(following)
        predictions = self._predicted(sound, context)
        self._note(context, time.perf_counter() - waited, waited - began)
        out = self._joiner.add(window, predictions, end, self.total)
        self._window = following
        if following is not None:
            done = following.start * HOP - self._start
            self._sound = self._sound[:, done:]
            self._start += done
        return out

    def _predicted(self, sound: Array, context: WindowContext) -> Sequence[Array]:
        """What is made of a window, on a thread of its own where somebody has to be asked meanwhile."""
        if self._check is None:
            return self._predict(sound, context)
        found = self._network.submit(self._predict, sound, context)
        while not wait([found], _LOOK).done:
            self._check()
        return found.result()

    def _cut_out(self, window: Window) -> Array:
        """The window's sound (rows, 441344); what is shorter than a window is continued by its own mirror image."""
        first = window.start * HOP - self._start
        sound = self._sound[:, first : first + WINDOW_SAMPLES]
        missing = WINDOW_SAMPLES - sound.shape[1]
        if missing > 0:
            mirrored = not window.start and sound.shape[1] >= HOP
            return np.pad(sound, ((0, 0), (0, missing)), mode="symmetric" if mirrored else "constant")
        return sound

    def _note(self, context: WindowContext, network: float, waited: float) -> None:
        self.seconds["network"] += network
        self.seconds["wait"] += waited
        for name, value in context.seconds.items():
            self.seconds[name] += value
        newest = self.frames[-1].time if self.frames else float("-inf")
        for frame, features in zip(context.frames, context.features, strict=False):
            if frame.time > newest:
                self.frames.append(frame)
                self.features.append(features)
        self.warnings.update(dict.fromkeys(context.warnings))
