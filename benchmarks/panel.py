"""How the panel feels as a whole: `python benchmarks/panel.py [--clips 2000] [--trials 3] [--screen NAME]`.

In a real window over the real engine with the shipped model, on a minute of film (a married mix and music), told are:

- start: from starting a process until its window answers, beside a bare Qt window in the same turn;
- preview: from the key until its first sample reaches the sound device, with the engine cold and warm;
- a job: the longest time for which the window's event loop stood still while a whole job ran on all cores, the film
  played and the lanes were scrolled, beside the same without a job; and how soon cancelling was answered;
- memory with CLIPS clips: of the window, and of the engine's processes.

Without `--screen` nothing is shown (Qt's "offscreen"). Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from panel_engine import film

_PATIENCE = 600.0
_BEAT = 5  # ms
_BARE = """
import sys, time
from PySide6.QtWidgets import QApplication, QMainWindow
application = QApplication([])
window = QMainWindow()
window.show()
application.processEvents()
print(time.time() - float(sys.argv[1]))
"""
_OURS = """
import sys, time
from pathlib import Path
from sightmix.ui.window import app, theme
from sightmix.ui.window.given import Given
application = app._application()
theme.use("dark")
shown = app.Shown(Given(), app.Preferences(None))
while not shown.window.isVisible() or shown.window.grab().isNull():
    application.processEvents()
application.processEvents()
print(time.time() - float(sys.argv[1]), flush=True)
shown.close()
"""


def starts(trials: int) -> dict[str, list[float]]:
    """Seconds from starting a process until its window answers: ours, and a bare one."""
    found: dict[str, list[float]] = {"ours": [], "bare": []}
    for _ in range(trials):
        for name, script in (("bare", _BARE), ("ours", _OURS)):
            ran = subprocess.run(
                [sys.executable, "-c", script, str(time.time())],
                capture_output=True, text=True, check=True, env={**os.environ, "SIGHTMIX_CONFIG": ""},
            )  # fmt: skip
            found[name].append(float(ran.stdout.split()[0]))
    return found


class Sitting:
    """A window with its engine and a sound device that takes what it is given in real time."""

    def __init__(self, folder: Path) -> None:
        from PySide6.QtWidgets import QApplication
        from sightmix.engine.media.loudness import KWeighting
        from sightmix.ui.control.panel import Keep
        from sightmix.ui.remote.client import EngineClient
        from sightmix.ui.window.assembly import Assembled
        from sightmix.ui.window.qt_pump import QtPump
        from sightmix.ui.window.sound import SoundOut

        self.application = QApplication.instance() or QApplication([])
        self.pump = QtPump()
        self.engine = EngineClient(self.pump, folder)
        self.whole = Assembled(self.engine, self.pump, keep=Keep(), states=self.engine.state, sound=False)
        self.panel, self.window = self.whole.panel, self.whole.window
        self.out = SoundOut(self.panel.deck, Silent())
        KWeighting(48_000, 2)  # the application loads the meters' filters beside the window
        self.window.resize(1400, 900)
        self.window.show()

    def until(self, condition: Callable[[], object]) -> float:
        """Let the window live until something holds; how long that took."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < _PATIENCE
            self.application.processEvents()
            time.sleep(0.001)
        return time.monotonic() - began

    def open(self, timeline: Path) -> None:
        """Open a timeline and wait until all of it was looked over."""
        from sightmix.ui.base.source import Source

        self.panel.clips.open(Source(timeline))
        self.until(lambda: self.panel.clips.document and self.panel.live.figures.complete)

    def close(self) -> None:
        """Leave nothing."""
        self.out.close()
        self.whole.close()
        self.engine.close()
        self.pump.stop()


class Silent:
    """No devices: the sound's own clock takes what it is given."""

    def __init__(self) -> None:
        from sightmix.ui.base.topics import Topic

        self.changed: Topic[[]] = Topic()

    def prepare(self) -> None:
        """Nothing to load."""

    def devices(self) -> tuple[Any, ...]:
        """None."""
        return ()

    def sink(self, device: Any, rate: int, frames: int) -> Any:
        """Not asked for."""
        raise AssertionError((device, rate, frames))


@contextmanager
def sitting() -> Iterator[Sitting]:
    """A window, and none of it afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        made = Sitting(Path(folder))
        try:
            yield made
        finally:
            made.close()


def heard_after(seat: Sitting, at: float) -> float:
    """Seconds from asking for a preview until the device has been given some of it."""
    panel = seat.panel
    heard: list[object] = []
    leave = panel.heard.subscribe(heard.append)
    began = time.monotonic()
    panel.preview(at)
    seat.until(lambda: heard and panel.deck.playing and not panel.deck.starving)
    first = panel.deck.position
    seat.until(lambda: panel.deck.position > first)
    took = time.monotonic() - began
    leave()
    panel.deck.pause()
    return took


def previews(timeline: Path, trials: int) -> dict[str, list[float]]:
    """Until a preview is heard: as the first thing that the engine does, and once it is warm."""
    found: dict[str, list[float]] = {"cold": [], "warm": [], "again": []}
    for trial in range(trials):
        with sitting() as seat:
            seat.panel.clips.open(_source(timeline))
            seat.until(lambda: seat.panel.clips.document)
            found["cold"].append(heard_after(seat, 10.0))
            seat.until(lambda: seat.panel.live.figures.complete)
            found["warm"].append(heard_after(seat, 25.0 + trial))
            found["again"].append(heard_after(seat, 25.0 + trial))
    return found


def _source(timeline: Path) -> Any:
    from sightmix.ui.base.source import Source

    return Source(timeline)


class Heartbeat:
    """A timer of the window's; how late its beats come tells how long the event loop stood still."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        self.gaps: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(_BEAT)

    def stop(self) -> list[float]:
        """Seconds by which beats were late."""
        self._timer.stop()
        return self.gaps

    def _beat(self) -> None:
        now = time.perf_counter()
        self.gaps.append(max(0.0, now - self._last - _BEAT / 1000))
        self._last = now


def stalls(timeline: Path) -> dict[str, dict[str, float]]:
    """How late the window's timer is while the film plays and the lanes are scrolled: without a job, and with one."""
    found = {}
    with sitting() as seat:
        seat.open(timeline)
        panel = seat.panel
        axis = seat.whole.lanes.axis
        panel.deck.set_loop((0, panel.deck.samples))
        panel.deck.play()

        def live(until: Callable[[], object]) -> list[float]:
            beats, at = Heartbeat(), 0.0
            while not until():
                seat.application.processEvents()
                at = (at + 0.05) % 40.0
                axis.show(at, at + 20.0)
                time.sleep(0.001)
            return beats.stop()

        end = time.monotonic() + 10
        found["idle"] = _told(live(lambda: time.monotonic() > end))
        ended: list[object] = []
        panel.done.subscribe(ended.append)
        panel.out = timeline.with_name("stalls.otio")
        seat.until(lambda: not panel.why_not_rebalance)
        panel.rebalance()
        found["job"] = _told(live(lambda: ended))
        panel.options.set("handles", 3)
        panel.out = timeline.with_name("cancelled.otio")
        seat.until(lambda: not panel.why_not_rebalance)
        entry = panel.rebalance()
        assert entry is not None
        seat.until(
            lambda: (
                panel.queue.entry(entry.number).stage == "separate" or panel.queue.entry(entry.number).share
            )
        )
        began = time.monotonic()
        panel.queue.cancel(entry.number)
        seat.until(lambda: panel.queue.running is None)
        found["cancel"] = {"seconds": round(time.monotonic() - began, 4)}
    return found


def _told(gaps: list[float]) -> dict[str, float]:
    late = sorted(gaps)
    return {
        "beats": len(late),
        "longest_ms": round(1000 * late[-1], 1),
        "p99_ms": round(1000 * late[int(0.99 * (len(late) - 1))], 1),
    }


def memory(clips: int) -> dict[str, float]:
    """MB of the window and of the engine's processes with a timeline of so many clips open and looked over."""
    with tempfile.TemporaryDirectory() as folder, sitting() as seat:
        before = _resident(os.getpid())
        seat.open(many(Path(folder), clips))
        seat.until(lambda: not seat.panel.clips.measuring)
        found = {"window_before": before, "window": _resident(os.getpid())}
        for name in ("work", "media"):
            pid = seat.engine.pid_of(name)
            if pid is not None:
                found[name] = _resident(pid)
    return found


def many(folder: Path, clips: int) -> Path:
    """A timeline of so many clips of two seconds on four tracks, of a hundred files."""
    import numpy as np
    import opentimelineio as otio

    rng = np.random.default_rng(1)
    for number in range(100):
        with wave.open(str(folder / f"{number}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(48_000)
            file.writeframes((1000 * rng.standard_normal(5 * 48_000)).astype("<i2").tobytes())
    timeline = otio.schema.Timeline("Many")
    rate = 25
    for track in range(4):
        held = otio.schema.Track(f"Dialogue {track}", kind=otio.schema.TrackKind.Audio)
        for number in range(clips // 4):
            span = otio.opentime.TimeRange(
                otio.opentime.RationalTime(10, rate), otio.opentime.RationalTime(50, rate)
            )
            media = otio.schema.ExternalReference(
                target_url=str(folder / f"{(4 * number + track) % 100}.wav")
            )
            held.append(otio.schema.Clip(f"take {number}", media_reference=media, source_range=span))
        timeline.tracks.append(held)
    otio.adapters.write_to_file(timeline, str(folder / "many.otio"))
    return folder / "many.otio"


def _resident(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def summed_up(found: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Middle and longest of each, in seconds."""
    return {
        name: {"median": round(median(all_), 3), "max": round(max(all_), 3)} for name, all_ in found.items()
    }


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--clips", type=int, default=2000)
    asked.add_argument("--trials", type=int, default=3)
    asked.add_argument("--screen", default="offscreen", help="Qt's platform, such as xcb")
    asked.add_argument("--only", default="", help="start, preview, job or memory")
    given = asked.parse_args()
    os.environ["QT_QPA_PLATFORM"] = given.screen
    os.environ["SIGHTMIX_CONFIG"] = ""
    with tempfile.TemporaryDirectory() as folder:
        parts: dict[str, Callable[[], dict[str, Any]]] = {
            "start": lambda: summed_up(starts(given.trials)),
            "preview": lambda: summed_up(previews(film(Path(folder)), given.trials)),
            "job": lambda: stalls(film(Path(folder))),
            "memory": lambda: memory(given.clips),
        }
        for name, measure in parts.items():
            if given.only in ("", name):
                print(json.dumps({name: measure()}), flush=True)


if __name__ == "__main__":
    main()
