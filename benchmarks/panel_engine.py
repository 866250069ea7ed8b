"""How soon the panel's engine answers: `python benchmarks/panel_engine.py [TRIALS]`.

Makes a minute of film (a married mix, music beside it, moving picture at 25 fps) and asks the engine's two processes
about it as the panel does. Told are, in seconds, the middle and the longest of TRIALS (5): a preview of ten seconds
from a cold start and once warm; cancelling while a timeline is separated and surveyed (until who asked is
told, and until the process has answered the next request); opening, a second of sound and steps of the picture.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

import av
import numpy as np
import opentimelineio as otio
from sightmix.engine.media.writer import WavWriter
from sightmix.ui.base.asking import Failure, Ticket
from sightmix.ui.base.pump import InlinePump
from sightmix.ui.remote.client import READY, EngineClient
from sightmix.ui.remote.table import PROCESSES

RATE, FPS, SECONDS = 48_000, 25, 60
PREVIEW = 10.0
_PATIENCE = 600.0
_BEGUN = {"rebalance": 25, "survey": 1}  # events after which something is well on its way


class Asker:
    """A client whose pump runs while somebody waits."""

    def __init__(self, source: Path) -> None:
        self.pump = InlinePump()
        self.client = EngineClient(self.pump)
        self._source = {"path": str(source)}

    def begin(
        self, do: str, heard: list[Any], event: Callable[[], object] | None = None, **data: Any
    ) -> Ticket:
        """Ask; what is answered lands in `heard`. Raises RuntimeError for what fails, unless it was taken back."""

        def failed(failure: Failure) -> None:
            if not failure.cancelled:
                raise RuntimeError(failure.error)
            heard.append(failure)

        return self.client.ask(
            do,
            {"source": self._source, **data},
            event=lambda *_: event() if event is not None else None,
            done=lambda told, _: heard.append(told),
            failed=failed,
        )

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for something."""
        end = time.monotonic() + _PATIENCE
        while not condition():
            assert time.monotonic() < end
            self.pump.run(0.001)

    def ask(self, do: str, **data: Any) -> float:
        """Ask and wait; how long that took."""
        heard: list[Any] = []
        began = time.monotonic()
        self.begin(do, heard, **data)
        self.until(lambda: heard)
        return time.monotonic() - began

    def ready(self) -> None:
        """Start both processes and wait for them."""
        self.client.start()
        self.until(lambda: all(self.client.state_of(process) == READY for process in PROCESSES))


@contextmanager
def asking(source: Path) -> Iterator[Asker]:
    """A client of its own, closed in the end."""
    asker = Asker(source)
    try:
        yield asker
    finally:
        asker.client.close()


def previews(source: Path, trials: int) -> dict[str, list[float]]:
    """Seconds until a preview of ten seconds is there: from nothing, with processes idling, and warm, at new places."""
    job: dict[str, Any] = {"told": [], "settings": {"device": "cpu"}, "seconds": PREVIEW}
    found: dict[str, list[float]] = {"cold": [], "started": [], "warm": [], "again": []}
    for trial in range(trials):
        with asking(source) as asker:
            found["cold"].append(asker.ask("preview", **job, start=0.5 * trial))
        with asking(source) as asker:
            asker.ready()
            asker.ask("devices")
            time.sleep(5.0)  # somebody looks at the window
            found["started"].append(asker.ask("preview", **job, start=0.5 * trial))
            asker.ask("warm", model="", context="auto", device="cpu")
            found["warm"].append(asker.ask("preview", **job, start=10 + 3.1 * trial))
            found["again"].append(asker.ask("preview", **job, start=10 + 3.1 * trial))
    return found


def cancelling(source: Path, trials: int, folder: Path) -> dict[str, list[float]]:
    """Seconds until who cancels is told, and until the process is free again, while it separates and surveys."""
    found: dict[str, list[float]] = {}
    job = {"told": [], "settings": {"device": "cpu", "cache": False}}
    light = {"to": "edl", "timeline": ""}
    with asking(source) as asker:
        asker.ready()
        asker.ask("warm", model="", context="auto", device="cpu")
        asker.ask("devices")
        asker.ask("uncarried", **light)
        for trial in range(trials):
            work = {**job, "out": str(folder / f"out{trial}.otio")}
            for name, times in {
                "separating": _cancelled(asker, "rebalance", work, lambda: asker.ask("devices")),
                "surveying": _cancelled(
                    asker, "survey", {"laid": None}, lambda: asker.ask("uncarried", **light)
                ),
            }.items():
                for what, seconds in zip(("told", "free"), times, strict=True):
                    found.setdefault(f"{name}: {what}", []).append(seconds)
    return found


def _cancelled(
    asker: Asker, do: str, data: dict[str, Any], then: Callable[[], object]
) -> tuple[float, float]:
    """Seconds from cancelling what is well on its way until that is told, and until something else is answered."""
    events: list[float] = []
    heard: list[Any] = []
    ticket = asker.begin(do, heard, lambda: events.append(time.monotonic()), **data)
    asker.until(lambda: len(events) > _BEGUN[do] or heard)
    began = time.monotonic()
    ticket.cancel()
    asker.until(lambda: heard)
    told = time.monotonic() - began
    then()
    return told, time.monotonic() - began


def looking(source: Path, trials: int) -> dict[str, list[float]]:
    """Seconds to open, for a second of sound, for a picture at a new place and for the next ones."""
    found: dict[str, list[float]] = {
        name: [] for name in ("open", "sound", "sound on", "picture", "picture on")
    }
    box = {"width": 640, "height": 360}
    for trial in range(trials):
        with asking(source) as asker:
            asker.ready()
            found["open"].append(asker.ask("open", told=[]))
            first = (7 + trial) * RATE
            found["sound"].append(asker.ask("sound", laid=None, first=first, samples=RATE))
            for step in range(1, 6):
                found["sound on"].append(
                    asker.ask("sound", laid=None, first=first + step * RATE, samples=RATE)
                )
            found["picture"].append(asker.ask("picture", time=20.0 + trial, **box))
            for step in range(1, 26):
                found["picture on"].append(asker.ask("picture", time=20.0 + trial + step / FPS, **box))
    return found


def film(folder: Path) -> Path:
    """A minute of film: a mix on a track that says so, music beside it, and a picture that moves."""
    rng = np.random.default_rng(0)
    clock = np.arange(SECONDS * RATE) / RATE
    tune = 0.05 * np.sin(2 * np.pi * 220 * clock) * (1 + np.sin(2 * np.pi * 0.5 * clock))
    talk = 0.1 * rng.standard_normal(clock.size) * (np.sin(2 * np.pi * 2 * clock) > 0)
    for name, sound in {"mix.wav": tune + talk, "song.wav": tune}.items():
        with WavWriter(folder / name, RATE, 2) as writer:
            writer.write(np.stack([sound, sound]).astype(np.float32))
    with av.open(str(folder / "picture.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "g": "50"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        x, y = np.meshgrid(np.arange(1280), np.arange(720))
        for number in range(SECONDS * FPS):
            grey = ((x + 4 * number) ^ (y + 2 * number)) % 256
            frame = av.VideoFrame.from_ndarray(np.repeat(grey[..., None], 3, 2).astype(np.uint8), "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    timeline = otio.schema.Timeline("Film")
    for name, media, kind in (
        ("V1", "picture.mp4", otio.schema.TrackKind.Video),
        ("Mix", "mix.wav", otio.schema.TrackKind.Audio),
        ("Music", "song.wav", otio.schema.TrackKind.Audio),
    ):
        span = otio.opentime.TimeRange(
            otio.opentime.RationalTime(0, FPS), otio.opentime.RationalTime(SECONDS * FPS, FPS)
        )
        reference = otio.schema.ExternalReference(target_url=str(folder / media))
        clip = otio.schema.Clip(name, media_reference=reference, source_range=span)
        timeline.tracks.append(otio.schema.Track(name, children=[clip], kind=kind))
    otio.adapters.write_to_file(timeline, str(folder / "film.otio"))
    return folder / "film.otio"


def summed_up(found: Mapping[str, list[float]]) -> dict[str, dict[str, float]]:
    """Middle and longest of each."""
    return {
        name: {"median": round(median(all_), 3), "max": round(max(all_), 3)} for name, all_ in found.items()
    }


def main() -> None:
    """Measure and print."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        source = film(Path(folder))
        for name, found in {
            "looking": looking(source, trials),
            "preview": previews(source, trials),
            "cancel": cancelling(source, trials, Path(folder)),
        }.items():
            print(json.dumps({name: summed_up(found)}, indent=1), flush=True)


if __name__ == "__main__":
    main()
