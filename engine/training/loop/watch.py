"""What a run tells: a log of JSON lines, TensorBoard where it is installed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...installation import line_with
from ..material.levels import SAMPLE_RATE
from .validate import Validation

VALIDATIONS = "validation.jsonl"
Observer = Callable[[dict[str, Any]], None]

_SIZE, _HOP, _FLOOR_DB = 1024, 512, -90.0


class Watch:
    """Writes `folder`/log.jsonl, validations clip by clip, TensorBoard's events; hands every entry to `observe`."""

    def __init__(self, folder: Path, observe: Observer | None = None) -> None:
        self.folder, self.observe = folder, observe
        self._board: Any = None
        self._tried = False

    def entry(self, **values: Any) -> None:
        """One line of the log."""
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps({"time": round(time.time(), 1), **values}) + "\n")
        if self.observe is not None:
            self.observe(values)

    def figures(self, step: int, values: dict[str, float]) -> None:
        """Means since the last ones: a line of the log, and curves for TensorBoard."""
        self.entry(step=step, **values)
        board = self._tensorboard()
        if board is not None:
            for name, value in values.items():
                board.add_scalar(f"training/{name}", value, step)

    def validation(self, step: int, found: Validation, event: str = "validation", **more: Any) -> None:
        """A validation's figures, those of every clip in validation.jsonl, its first scene to hear and to see."""
        with (self.folder / VALIDATIONS).open("a", encoding="utf-8") as clips:
            clips.write(json.dumps({"step": step, "scenes": found.scenes, **found.clips()}) + "\n")
        self.entry(event=event, step=step, **found.entries(), **more)
        board = self._tensorboard()
        if board is None:
            return
        for name, value in found.entries().items():
            board.add_scalar(f"validation/{name}", value, step)
        for name in ("muddy", "target", "output"):
            sound = getattr(found, name)
            board.add_audio(f"first scene/{name}", np.clip(sound, -1, 1)[None], step, SAMPLE_RATE)
            board.add_image(f"first scene/{name}", picture_of(sound), step, dataformats="HW")
        board.flush()

    def close(self) -> None:
        """Write out what TensorBoard still holds."""
        if self._board is not None:
            self._board.close()

    def _tensorboard(self) -> Any:
        if not self._tried:
            self._tried = True
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError:
                self.entry(
                    event="no TensorBoard", hint=f"{line_with('tensorboard')} to see curves and hear scenes"
                )
            else:
                self._board = SummaryWriter(str(self.folder))
        return self._board


def picture_of(sound: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A spectrogram as a picture (bins, frames), low frequencies at the bottom, 0 dB white, -90 dB black."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(sound, _SIZE // 2), _SIZE)[::_HOP]
    levels = np.abs(np.fft.rfft(frames * np.hanning(_SIZE), axis=1)) * 2 / (_SIZE / 2)
    decibels = 20 * np.log10(np.maximum(levels, 10 ** (_FLOOR_DB / 20)))
    return np.asarray(np.clip(255 * (1 - decibels / _FLOOR_DB), 0, 255).T[::-1], np.uint8)
