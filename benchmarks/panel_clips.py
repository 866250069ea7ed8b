"""The panel's clip list: memory, time to show, filter and scroll with so many clips. Nothing is shown on a screen.

Times are of this process alone, so that a busy machine tells the same as a quiet one.

``python benchmarks/panel_clips.py [--clips 2000] [--seconds 5]`` prints a line a figure; `measure` returns them.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication
from sightmix.engine.edit.categories import CERTAIN
from sightmix.engine.media.time import timecode
from sightmix.ui.base.asking import Ticket, Told
from sightmix.ui.base.source import Source
from sightmix.ui.control.clips import Clips
from sightmix.ui.control.history import History
from sightmix.ui.control.stills import Thumbs
from sightmix.ui.window import theme
from sightmix.ui.window.clips import ClipsView
from sightmix.ui.window.qt_pump import QtPump

SIZE = (320, 900)  # px: the list beside the picture of a full screen
STEP = 37  # px of a scroll: rows are never painted at the same place twice in a row
KINDS = ("dialogue", "music", "effects")


class _Nothing:
    def cancel(self) -> None:
        """Nothing is on its way."""


class Instant:
    """An engine that answers at once: what is measured is the window."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document

    def ask(
        self,
        do: str,
        data: Mapping[str, Any],
        *,
        slot: str = "",  # noqa: ARG002
        event: Told | None = None,
        done: Told | None = None,
        failed: Any = None,  # noqa: ARG002
    ) -> Ticket:
        """Answer."""
        if do == "thumbnails" and event is not None:
            for at in data["times"]:
                colour = bytes((int(at) * k) % 256 for k in (3, 5, 7))
                event({"time": at, "width": 64, "height": 36}, colour * (64 * 36))
        if do == "loudness" and event is not None:
            for clip in data["clips"]:
                event({"clip": clip, "lufs": -20.0 - clip % 20, "range": 4.0, "true_peak": -3.0}, b"")
        if done is not None:
            done(self.document if do == "open" else {}, b"")
        return _Nothing()


def document(count: int) -> dict[str, Any]:
    """A timeline of `count` clips on 24 tracks, that overlap as those of a finished film do."""
    rate = 25
    last = 0.0
    tracks: dict[int, list[int]] = {}
    clips = []
    for index in range(1, count + 1):
        number, start = 1 + index % 24, 3 * (index // 6)
        tracks.setdefault(number, []).append(index)
        last = max(last, float(start + 4 + index % 9))
        clips.append(
            {
                "index": index,
                "name": f"Scene {index // 40} take {index}",
                "track": f"Audio {number}",
                "track_number": number,
                "record_in": float(start),
                "record_out": float(start + 4 + index % 9),
                "record_in_tc": _timecode(start, rate),
                "record_out_tc": _timecode(start + 4 + index % 9, rate),
                "media": f"/show/media/day {index % 30}/take{index}.wav",
                "state": "offline" if index % 50 == 0 else "online",
                "reason": "Its media is offline: it is not where the timeline says."
                if index % 50 == 0
                else "",
                "category": _category(number),
                "volume": 0.0,
            }
        )
    return {
        "source": Source(Path("/show/film.otio")).to_dict(),
        "name": "Film",
        "rate_exact": str(rate),
        "drop_frame": False,
        "start": "3600",
        "length": str(last),
        "dialect": "otio",
        "has_picture": True,
        "timelines": ["Film"],
        "cuts": [],
        "doubts": [],
        "notes": [],
        "tracks": [
            {"number": n, "name": f"Audio {n}", "clips": held, "category": _category(n)}
            for n, held in sorted(tracks.items())
        ],
        "clips": clips,
    }


def measure(count: int, seconds: float) -> dict[str, float]:
    """Figures of a list of `count` clips; it is scrolled for `seconds`."""
    application = QApplication.instance() or QApplication([])
    theme.use("dark")
    data = document(count)
    empty = _resident()
    pump = QtPump()
    clips = Clips(Instant(data), pump, History())
    thumbs = Thumbs(clips._engine, clips)
    view = ClipsView(clips, thumbs)
    view.resize(*SIZE)
    view.show()
    application.processEvents()
    begun = time.process_time()
    clips.open(Source(Path("/show/film.otio")))
    view.repaint()
    shown = time.process_time() - begun
    begun = time.process_time()
    while clips.measuring:
        application.processEvents()
    measured = time.process_time() - begun
    gc.collect()
    memory = _resident() - empty
    filtered = []
    for text in ("s", "sc", "sce", "scene 1", "", "a7", ""):
        begun = time.process_time()
        clips.choice.look_for(text)
        view.list.viewport().repaint()
        filtered.append(time.process_time() - begun)
    paints = _scroll(view, application, seconds)
    view.stop()
    view.close()
    pump.stop()
    return {
        "clips": count,
        "MB more than without a timeline": memory / 1e6,
        "ms to show them": 1000 * shown,
        "ms to take all their loudness": 1000 * measured,
        "ms of a letter in the filter": 1000 * max(filtered),
        "scrolls a second": 1 / statistics.mean(paints),
        "ms of the slowest scroll": 1000 * max(paints),
    }


def _scroll(view: ClipsView, application: Any, seconds: float) -> list[float]:
    """How long each step of a scroll through the list takes, painted."""
    bar, taken, way = view.list.verticalScrollBar(), [], STEP
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not 0 < bar.value() + way < bar.maximum():
            way = -way
        begun = time.process_time()
        bar.setValue(bar.value() + way)
        application.processEvents()
        taken.append(time.process_time() - begun)
    return taken


def _timecode(seconds: int, rate: int) -> str:
    from fractions import Fraction

    return timecode(Fraction(3600 + seconds), Fraction(rate))


def _category(number: int) -> dict[str, Any]:
    kind = KINDS[number % 3]
    return {
        "kind": kind,
        "by": "name",
        "confidence": CERTAIN,
        "certain": True,
        "reason": f"its name says {kind}",
    }


def _resident() -> int:
    """Bytes of memory that the process holds."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, nargs="+", default=[14, 200, 2000])
    parser.add_argument("--seconds", type=float, default=3.0)
    given = parser.parse_args()
    if len(given.clips) > 1:  # each in a process of its own: none profits from what another has loaded
        for count in given.clips:
            command = [sys.executable, __file__, "--clips", str(count), "--seconds", str(given.seconds)]
            subprocess.run(command, check=True)
        return
    for count in given.clips:
        found = measure(count, given.seconds)
        print(
            f"{count} clips: "
            + ", ".join(f"{value:.1f} {name}" for name, value in found.items() if name != "clips")
        )


if __name__ == "__main__":
    main()
