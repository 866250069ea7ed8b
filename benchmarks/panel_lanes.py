"""How fast the panel's lanes are painted and scrolled over a programme of two hours, and what they take of memory.

    python benchmarks/panel_lanes.py [--hours 2] [--width 1400] [--runs 200] [--screen NAME]

The same is measured of pyqtgraph's plots (one for each lane, peaks clipped to what is visible and thinned by it), which
the lanes could be made of. Prints a table as Markdown. Without `--screen` nothing is shown (Qt's "offscreen").
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sightmix.engine.highlight.bounce import frame_times
from sightmix.engine.roles import STEMS
from sightmix.plugin.jobs.hand import Drawn, with_hand
from sightmix.ui.base.pump import InlinePump
from sightmix.ui.base.source import Source
from sightmix.ui.base.topics import Topic
from sightmix.ui.control.curves import Curves
from sightmix.ui.control.frames import Frames
from sightmix.ui.control.history import History
from sightmix.ui.control.state import ClipRow, Document

Array = NDArray[np.float32]
PEAK_RATE, COLUMN_RATE, BANDS = 100, 10, 64
GRID = 1024 / 44_100


class Programme:
    """A live mix of made-up figures, as many as a survey gives: peaks 100 a second, bands 10 a second."""

    def __init__(self, seconds: float) -> None:
        draw = np.random.default_rng(0)
        count = round(seconds * PEAK_RATE)
        self.changed: Topic[[]] = Topic()
        self.seconds = seconds
        size = draw.random(count, np.float32) * np.abs(np.sin(np.arange(count) / 900)).astype(np.float32)
        self.peaks = {
            side: np.stack([-size * share, size * share]) for side, share in (("before", 0.8), ("after", 0.6))
        }
        self.levels = (-50 + 40 * draw.random((3, count // 10), np.float32)).astype(np.float32)
        self.bands = (-90 + 60 * draw.random((BANDS, round(seconds * COLUMN_RATE)), np.float32)).astype(
            np.float32
        )
        self.looks = tuple(_Look(float(t)) for t in np.arange(1.0, seconds, 2.0))
        self.times = frame_times(round(seconds / GRID))
        self.model = (-6 * np.abs(np.sin(self.times / np.array([[3.0], [7.0], [11.0]])))).astype(np.float32)
        self.heard_spans = ((0.0, seconds),)
        self._drawn: tuple[Drawn, ...] = ()

    @property
    def drawn(self) -> tuple[Drawn, ...]:
        return self._drawn

    @drawn.setter
    def drawn(self, drawn: tuple[Drawn, ...]) -> None:
        self._drawn = drawn
        self.changed.emit()

    def table(self) -> tuple[NDArray[np.float64], Array]:
        return self.times, with_hand(self.model, self.times, self._drawn)

    def plain_table(self) -> tuple[NDArray[np.float64], Array]:
        return self.table()

    def waveform(self, side: str, first: float, last: float, columns: int) -> Array:
        starts = _starts(first, last, columns, PEAK_RATE, self.peaks[side].shape[1])
        low, high = self.peaks[side]
        return np.stack([np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)])

    def spectrogram(self, _side: str, first: float, last: float, columns: int) -> Array:
        return self.bands[:, _starts(first, last, columns, COLUMN_RATE, self.bands.shape[1])]

    def level(self, stem: str, first: float, last: float, columns: int) -> Array:
        level = self.levels[STEMS.index(stem)]
        return np.maximum.reduceat(level, _starts(first, last, columns, COLUMN_RATE, len(level)))

    def sentence_at(self, time: float) -> str:
        return "music −6 dB under the dialogue" if time % 10 < 5 else ""


class _Look:
    def __init__(self, time: float) -> None:
        self.time, self.subject = time, ""


def _starts(first: float, last: float, columns: int, rate: float, count: int) -> NDArray[np.intp]:
    at = np.floor(np.linspace(first, last, columns, endpoint=False) * rate).astype(np.intp)
    return np.clip(at, 0, count - 1)


class NoEngine:
    """An engine that never answers."""

    def ask(self, *_: Any, **__: Any) -> NoEngine:
        return self

    def cancel(self) -> None:
        """Nothing was asked."""


def document(seconds: float) -> Document:
    clips = tuple(
        ClipRow(i, f"clip {i}", "A1", 1, float(t), float(t) + 3.2, "", "")
        for i, t in enumerate(np.arange(0, seconds, 3.6))
    )
    cuts = tuple(float(t) for t in np.arange(3.0, seconds, 4.8))
    return Document(
        Source(Path("film.otio")), "Film", Fraction(25), False, Fraction(3600), Fraction(round(seconds)), "", True,
        (), (), clips, cuts,
    )  # fmt: skip


def memory_mb() -> float:
    """Resident memory of this process now, where the system tells; else the most there was."""
    stat = Path("/proc/self/statm")
    if stat.exists():
        return int(stat.read_text().split()[1]) * resource.getpagesize() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def each_ms(runs: int, step: Callable[[int], object], settle: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds of the processor for a step and all that is painted for it: the median, and the 95th of a hundred.

    Of the processor, not of the clock: whatever else the machine does is left out.
    """
    found = []
    for i in range(runs):
        start = time.process_time()
        step(i)
        settle()
        found.append(1000 * (time.process_time() - start))
    return float(np.median(found)), float(np.percentile(found, 95))


class Report:
    def __init__(self) -> None:
        self.rows: dict[str, dict[str, str]] = {}

    def add(self, what: str, whose: str, told: str) -> None:
        self.rows.setdefault(what, {})[whose] = told

    def timed(self, what: str, whose: str, ms: tuple[float, float]) -> None:
        self.add(what, whose, f"{ms[0]:.1f} ms ({1000 / max(ms[0], 1e-3):.0f}/s; p95 {ms[1]:.1f})")

    def print(self, whose: tuple[str, ...]) -> None:
        print("| " + " | ".join(["", *whose]) + " |")
        print("|" + "---|" * (len(whose) + 1))
        for what, told in self.rows.items():
            print("| " + " | ".join([what, *(told.get(one, "") for one in whose)]) + " |")


def measure_lanes(
    app: Any, programme: Programme, width: int, runs: int, report: Report, spectrum: bool
) -> None:
    from sightmix.ui.window.lanes.view import LanesView

    whose = "lanes with spectrum" if spectrum else "lanes"
    before, start = memory_mb(), time.process_time()
    curves = Curves(History(), programme)
    view = LanesView(
        programme, curves, Frames(NoEngine(), InlinePump()), document=document(programme.seconds)
    )
    view.spectrum_shown.setChecked(spectrum)
    view.resize(width, 620)
    view.show()
    app.processEvents()
    report.add("built and painted", whose, f"{1000 * (time.process_time() - start):.0f} ms")
    report.add("memory for it", whose, f"{memory_mb() - before:.1f} MB")

    def settle() -> None:
        app.processEvents()

    def all_of_it(_: int) -> None:
        for lane in view.lanes.values():
            lane.forget()

    report.timed("all painted anew, all visible", whose, each_ms(runs // 4, all_of_it, settle))
    report.timed("playhead, all visible", whose, each_ms(runs, lambda i: view.set_position(i * 3.0), settle))
    zoom = lambda i: view.zoom(1.25 if i % 40 < 20 else 0.8)  # noqa: E731
    report.timed("zoom by a notch", whose, each_ms(runs, zoom, settle))
    view.axis.show(3000.0, 3060.0, 0.0)
    settle()
    report.timed(
        "scroll by 12 columns, a minute visible", whose, each_ms(runs, lambda _: view.axis.scroll(12), settle)
    )
    view.axis.show(3000.0, 3060.0, 0.0)
    settle()
    play = each_ms(runs, lambda i: view.set_position(3000.0 + i * 0.04), settle)
    report.timed("playhead, a minute visible", whose, play)
    curves.add("music", 3030.0, -6.0, 1.0)
    curves.begin()
    report.timed("a point dragged", whose, each_ms(runs, lambda i: curves.drag(0.0, 0.05 * i), settle))
    curves.end()
    view.close_view()
    view.close()
    view.deleteLater()
    app.processEvents()


def measure_pyqtgraph(app: Any, programme: Programme, width: int, runs: int, report: Report) -> None:
    import pyqtgraph as pg

    whose = "pyqtgraph"
    before, start = memory_mb(), time.process_time()
    shown = pg.GraphicsLayoutWidget()
    plots: list[Any] = []
    cuts = np.repeat(np.array(document(programme.seconds).cuts), 2)
    heads = []
    for row in range(6):
        plot = shown.addPlot(row=row, col=0)
        plot.hideButtons()
        plot.setMouseEnabled(x=True, y=False)
        if plots:
            plot.setXLink(plots[0])
        plots.append(plot)
        if row in {1, 2}:
            low, high = programme.peaks["before" if row == 1 else "after"]
            at = np.repeat(np.arange(len(low)) / PEAK_RATE, 2)
            _curve(plot, at, np.column_stack([low, high]).reshape(-1))
        elif row > 2:
            level = programme.levels[row - 3]
            _curve(plot, np.arange(len(level)) / COLUMN_RATE, level, fillLevel=-60, brush=(80, 80, 120, 90))
            _curve(plot, programme.times, programme.model[row - 3])
        lines = np.tile([-60.0, 20.0] if row > 2 else [-1.0, 1.0], len(cuts) // 2)
        plot.addItem(pg.PlotCurveItem(cuts, lines, connect="pairs", pen=(120, 120, 120, 120)))
        heads.append(pg.InfiniteLine(0.0, pen="w"))
        plot.addItem(heads[-1])
    shown.resize(width, 620)
    shown.show()
    plots[0].setXRange(0, programme.seconds, padding=0)
    app.processEvents()
    report.add("built and painted", whose, f"{1000 * (time.process_time() - start):.0f} ms")
    report.add("memory for it", whose, f"{memory_mb() - before:.1f} MB")

    def head(time_: float) -> None:
        for line in heads:
            line.setValue(time_)

    def span(first: float, last: float) -> None:
        plots[0].setXRange(first, last, padding=0)

    def settle() -> None:
        app.processEvents()

    report.timed("playhead, all visible", whose, each_ms(runs // 4, lambda i: head(i * 3.0), settle))
    span(3000.0, 3060.0)
    settle()
    by = 12 * 60 / width
    scroll = lambda i: span(3000.0 + i * by, 3060.0 + i * by)  # noqa: E731
    report.timed("scroll by 12 columns, a minute visible", whose, each_ms(runs, scroll, settle))
    report.timed(
        "playhead, a minute visible", whose, each_ms(runs, lambda i: head(3000.0 + i * 0.04), settle)
    )
    zoom = lambda i: span(3600 - 50 * 1.25 ** (i % 18), 3600 + 50 * 1.25 ** (i % 18))  # noqa: E731
    report.timed("zoom by a notch", whose, each_ms(runs // 2, zoom, settle))
    shown.close()
    shown.deleteLater()
    app.processEvents()


def _curve(plot: Any, x: NDArray[Any], y: NDArray[Any], **more: Any) -> None:
    item = plot.plot(x, y, pen=(200, 200, 210), **more)
    plot.setClipToView(True)
    item.setDownsampling(auto=True, method="peak")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--width", type=int, default=1400)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--screen", default="offscreen", help="Qt's platform, such as xcb")
    told = parser.parse_args()
    os.environ["QT_QPA_PLATFORM"] = told.screen
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance() or QApplication(sys.argv[:1])
    programme = Programme(3600 * told.hours)
    report = Report()
    measure_lanes(app, programme, told.width, told.runs, report, spectrum=False)
    measure_lanes(app, programme, told.width, told.runs, report, spectrum=True)
    measure_pyqtgraph(app, programme, told.width, told.runs, report)
    report.print(("lanes", "lanes with spectrum", "pyqtgraph"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
