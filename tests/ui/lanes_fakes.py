"""A live mix for tests of curves and lanes: made-up sound and gains, and a count of what it was asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sightmix.engine.highlight.bounce import frame_times
from sightmix.engine.roles import STEMS
from sightmix.plugin.jobs.hand import Drawn, with_hand
from sightmix.ui.base.topics import Topic

Figures = NDArray[np.float32]
GRID = 1024 / 44_100  # seconds of a frame of gains


@dataclass(frozen=True)
class Seen:
    """A frame that was looked at, as far as lanes know of it."""

    time: float
    subject: str = ""


class FakeLive:
    """A mix of `seconds`: speech at 0 dB, music that dips to −6 dB in the middle of every ten seconds."""

    def __init__(self, seconds: float = 60.0, *, heard: bool = True) -> None:
        self.changed: Topic[[]] = Topic()
        self.seconds = seconds
        self.known = seconds  # how far the survey has come
        self.heard = heard
        self.spans: tuple[tuple[float, float], ...] | None = None
        self.samples = 0  # peaks handed out
        self.looks = tuple(Seen(float(t), "a dog") for t in np.arange(1.0, seconds, 2.0)) if heard else ()
        self._drawn: tuple[Drawn, ...] = ()
        self.sets = 0
        self.level_db = 0.0  # of the programme, over all curves
        times = frame_times(round(seconds / GRID)) if heard else np.zeros(0)
        model = np.zeros((3, len(times)), np.float32)
        model[1] = -6 * (np.sin(np.pi * times / 10) ** 8)
        self.times, self.model = times, model

    @property
    def heard_spans(self) -> tuple[tuple[float, float], ...]:
        return self.spans if self.spans is not None else ((0.0, self.seconds),) if self.heard else ()

    @property
    def drawn(self) -> tuple[Drawn, ...]:
        return self._drawn

    @drawn.setter
    def drawn(self, drawn: tuple[Drawn, ...]) -> None:
        self._drawn = drawn
        self.sets += 1
        self.changed.emit()

    def table(self) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        times, gains = self.plain_table()
        return times, gains + np.float32(self.level_db)

    def plain_table(self) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        return self.times, with_hand(self.model, self.times, self._drawn)

    def waveform(self, side: str, first: float, last: float, columns: int) -> Figures:
        self.samples += columns
        at = np.linspace(first, last, columns, endpoint=False)
        size = 0.5 * np.abs(np.sin(at)) * (0.7 if side == "after" else 1.0)
        peaks = np.stack([-size, size]).astype(np.float32)
        peaks[:, (at >= self.known) | (at >= self.seconds)] = np.nan
        return peaks

    def spectrogram(self, side: str, first: float, last: float, columns: int) -> Figures:
        at = np.linspace(first, last, columns, endpoint=False)
        band = np.arange(64)[:, None]
        power = -80 + 50 * np.exp(-(((band - 32 - 20 * np.sin(at)) / 10) ** 2))
        power[:, at >= self.known] = np.nan
        return (power - (6 if side == "after" else 0)).astype(np.float32)

    def level(self, stem: str, first: float, last: float, columns: int) -> Figures:
        at = np.linspace(first, last, columns, endpoint=False)
        level = -30 + 12 * np.sin(at * (1 + STEMS.index(stem)))
        level[at >= self.known] = np.nan
        return level.astype(np.float32)

    def sentence_at(self, time: float) -> str:
        return "music −6 dB under the dialogue" if self.heard and 4 <= time % 10 <= 6 else ""
