"""What the lanes show of a live mix, and what they need of whoever plays it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...engine.errors import SettingsError
from ...engine.media.time import parse_timecode, round_half_up, timecode, to_frames
from ..base.topics import Topic
from .curves import Gains, Table
from .state import Document

Figures = NDArray[np.float32]

BEFORE, AFTER = "before", "after"
NOT_HEARD, UNCHANGED, CHANGED = "not heard", "unchanged", "changed"
UNCHANGED_DB = 0.05  # what rounds to 0.0 dB


class Looked(Protocol):
    """A frame that the network looked at."""

    @property
    def time(self) -> float:
        """Record seconds."""

    @property
    def subject(self) -> str:
        """What it shows, "" where nothing is known of it."""


class LiveLanes(Gains, Protocol):
    """A live mix as lanes see it; figures that nobody has measured yet are NaN."""

    @property
    def looks(self) -> Sequence[Looked]:
        """The frames that the network looked at, in order of time."""

    @property
    def heard_spans(self) -> tuple[tuple[float, float], ...]:
        """The stretches, in record seconds, that the network has said anything of, in order."""

    def waveform(self, side: str, first: float, last: float, columns: int) -> Figures:
        """Lowest and highest sample (2, columns) of a side between two record seconds."""

    def spectrogram(self, side: str, first: float, last: float, columns: int) -> Figures:
        """Power (bands, columns) of a side in dB, the lowest band first."""

    def level(self, stem: str, first: float, last: float, columns: int) -> Figures:
        """The level (columns,) of a stem before its gains, dBFS."""

    def sentence_at(self, time: float) -> str:
        """Why the mix is what it is at a record second, "" for no reason."""


class Plays(Protocol):
    """What the lanes need of the deck: places are record samples at `rate`."""

    moved: Topic[[int]]
    side_changed: Topic[[str]]
    state: Topic[[]]
    rate: int

    @property
    def playing(self) -> bool:
        """Whether it plays."""

    @property
    def side(self) -> str:
        """The side that is heard."""

    @property
    def loop(self) -> tuple[int, int] | None:
        """Between which samples it loops."""

    @property
    def solo(self) -> frozenset[str]:
        """The lanes heard alone."""

    @property
    def mutes(self) -> frozenset[str]:
        """The lanes that are muted."""

    def position_heard(self) -> int:
        """The sample that is heard now."""

    def seek(self, sample: int) -> None:
        """Go to a sample."""

    def set_loop(self, loop: tuple[int, int] | None) -> None:
        """Loop between two samples, None for not."""

    def set_solo(self, lane: str, on: bool) -> None:
        """Hear a lane alone, or no longer."""

    def set_mute(self, lane: str, on: bool) -> None:
        """Leave a lane out, or no longer."""


def state_of(live: Gains) -> str:
    """Whether anything was heard yet, and whether anything is done to it: a key."""
    times, gains = live.table()
    if not len(times):
        return CHANGED if live.drawn else NOT_HEARD
    return CHANGED if live.drawn or np.abs(gains).max() >= UNCHANGED_DB else UNCHANGED


def unheard(spans: Sequence[tuple[float, float]], first: float, last: float) -> list[tuple[float, float]]:
    """What of a stretch lies beside the spans that were heard; nothing where none was at all."""
    if not spans:
        return []
    edges = [first, *(edge for span in spans for edge in span), last]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [(max(a, first), min(b, last)) for a, b in pairs if min(b, last) > max(a, first)]


def changed_span(before: Table, after: Table, row: int) -> tuple[float, float] | None:
    """Between which record seconds a stem's curve has become another; None where it is the same.

    Of another grid all of it is another.
    """
    times, gains = after
    if len(before[0]) != len(times) or not np.array_equal(before[0], times):
        return -np.inf, np.inf
    other = np.flatnonzero(before[1][row] != gains[row])
    if not len(other):
        return None
    first, last = max(int(other[0]) - 1, 0), min(int(other[-1]) + 1, len(times) - 1)
    return float(times[first]), float(times[last])


def spread(times: NDArray[np.float64], apart: float) -> NDArray[np.intp]:
    """Which of rising times to show so that they lie `apart` seconds from each other: the same from any place."""
    shown: list[int] = []
    at = 0
    while at < len(times):
        shown.append(at)
        at = max(int(np.searchsorted(times, times[at] + apart)), at + 1)
    return np.array(shown, np.intp)


STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)  # seconds between marks of a ruler
FRAME_STEPS = (1, 2, 5, 10)  # frames, where seconds are far apart


def step_for(rate: Fraction, apart: float) -> tuple[int, int]:
    """The closest marks that lie `apart` seconds or more from each other: every so many frames, or seconds."""
    nominal = round_half_up(rate)
    for frames in FRAME_STEPS:
        if frames / rate >= apart and nominal % frames == 0:
            return frames, 0
    return 0, next((step for step in STEPS if step >= apart), STEPS[-1])


def marks(
    document: Document, first: float, last: float, step: tuple[int, int]
) -> Iterator[tuple[float, str]]:
    """Marks of a ruler between two record seconds: where they lie, and their timecode, round in the timeline's own."""
    frames, seconds = step
    if frames:
        yield from _frame_marks(document, first, last, frames)
        return
    at = _day_second(document, max(first, 0.0)) // seconds * seconds
    if _at_second(document, at)[0] < first - 12 * 3600:  # past midnight
        at += 24 * 3600
    while True:
        time, text = _at_second(document, at)
        if time > min(last, float(document.duration)):
            return
        if time >= max(first, 0.0):
            yield time, text
        at += seconds


def _frame_marks(document: Document, first: float, last: float, step: int) -> Iterator[tuple[float, str]]:
    rate = document.rate
    at = to_frames(Fraction(max(first, 0.0)).limit_denominator(100_000), rate)
    at -= _frame_number(document, at) % step
    while at / rate <= min(last, float(document.duration)):
        if at / rate >= max(first, 0.0) and _frame_number(document, at) % step == 0:
            yield float(at / rate), timecode(document.start + at / rate, rate, document.drop_frame)
            at += step
        else:
            at += 1


def _frame_number(document: Document, at: int) -> int:
    """The frames part of a frame's timecode."""
    return int(timecode(document.start + at / document.rate, document.rate, document.drop_frame)[-2:])


def _day_second(document: Document, time: float) -> int:
    """The seconds that the timecode of a record second counts."""
    hours, minutes, seconds = document.timecode(time)[:8].split(":")
    return 3600 * int(hours) + 60 * int(minutes) + int(seconds)


def _at_second(document: Document, second: int) -> tuple[float, str]:
    """Where a second of the timecode begins, in record seconds; a number that is dropped is the next one."""
    days, second = divmod(second, 24 * 3600)
    base = (
        f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}{';' if document.drop_frame else ':'}"
    )
    for frame in (0, 2, 4, 8):
        try:
            time = parse_timecode(f"{base}{frame:02d}", document.rate)
        except SettingsError:
            continue
        return float(time - document.start % (24 * 3600)) + 24 * 3600 * days, f"{base}{frame:02d}"
    raise SettingsError(f"{base}00 is no timecode at {document.rate} frames per second.")
