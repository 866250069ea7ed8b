"""What the panel's session costs: a first preview and the next ones, sound at any place, the survey, the live mix.

    python benchmarks/panel_session.py TIMELINE [--category A1=KIND …] [--seconds 10] [--places 5]

Previews of a timeline at places that nothing is known of, with the engine warm, and one of them again; then the live
mix of made-up programmes of ten minutes and two hours after one move of a slider. Prints a table as Markdown, seconds
on the clock and of processor time.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
from sightmix.engine.programme.rate import SAMPLE_RATE
from sightmix.engine.progress import Progress
from sightmix.plugin.jobs.laid import Laid
from sightmix.plugin.jobs.mix import Mix
from sightmix.plugin.jobs.rebalance import Engines
from sightmix.plugin.jobs.settings import JobSettings
from sightmix.plugin.session.preview import preview
from sightmix.plugin.session.sound import Lanes, lay
from sightmix.plugin.session.survey import survey
from sightmix.plugin.session.surveyed import Surveyed
from sightmix.plugin.timeline import open_timeline
from sightmix.ui.base.source import Source
from sightmix.ui.control.live import LiveMix
from sightmix.ui.control.state import Document


def timed(what: str, work: Callable[[], object], times: int = 1) -> None:
    """Print the best of several runs."""
    found = []
    for _ in range(times):
        clock, processor = time.perf_counter(), time.process_time()
        work()
        found.append((time.perf_counter() - clock, time.process_time() - processor))
    clock, processor = min(found)
    print(f"| {what} | {clock:.3f} | {processor:.3f} |", flush=True)


def session(path: Path, told: list[str], seconds: float, places: int) -> None:
    """Previews, sound and survey of a timeline."""
    timeline, engines, progress = open_timeline(path), Engines(), Progress()
    settings = JobSettings()
    timed("engine: load and warm", lambda: engines.ready(settings))
    starts = np.linspace(0, max(0.0, float(timeline.duration) - seconds), places)
    with tempfile.TemporaryDirectory() as folder:

        def tried(start: float) -> Mix:
            stage = engines.stage_for(settings)
            return preview(timeline, told, start, seconds, Path(folder), progress, stage)

        for start in starts:
            timed(f"preview of {seconds:g} s at {start:.0f} s", lambda start=start: tried(start))  # type: ignore[misc]
        timed("the last one again", lambda: tried(starts[-1]))
        lanes = Lanes(timeline, tried(starts[-1]).laid)
        middle = lanes.samples // 2
        timed("sound: lanes laid", lambda: Lanes(timeline, lay(timeline, told)), 3)
        timed("sound: first block anywhere", lambda: next(lanes.blocks(middle, 10 * SAMPLE_RATE)), 3)
        timed("sound: ten seconds", lambda: list(lanes.blocks(middle, 10 * SAMPLE_RATE)), 3)
        timed(f"survey of {float(timeline.duration):.0f} s", lambda: list(survey(lanes, progress)))


def live(seconds: int) -> None:
    """The live mix of a programme of made-up figures."""
    draw, mix = np.random.default_rng(0), LiveMix()
    where = Source(Path("made-up.otio"))
    length = Fraction(seconds)
    mix.open(Document(where, "", Fraction(25), False, Fraction(0), length, "", False, (), (), ()))
    for first in range(0, seconds, 10):
        lanes = draw.random((100, 4, 4))
        power = (1e-3 * lanes @ lanes.transpose(0, 2, 1)).astype(np.float32)
        peaks = draw.normal(0, 0.1, (5, 1000, 2)).astype(np.float32)
        bands = draw.integers(0, 200, (4, 64, 100)).astype(np.uint8)
        mix.survey(Surveyed(float(first), 10.0, peaks, power, bands))
    mix.settings = JobSettings(music=-1.0)
    frames = mix.table()[0].size
    styles = {"repair": draw.normal(0, 3, (3, frames)).astype(np.float32)}
    mix.hear(Mix(0.0, float(seconds), Laid(), styles))
    places = iter(np.linspace(0.1, 0.9, 50))

    def slide() -> None:
        mix.settings = JobSettings(strength=float(next(places)), loudness="-23")
        mix.table()
        mix.figures.after  # noqa: B018

    timed(f"live mix of {seconds} s: a slider moved", slide, 20)
    timed(f"live mix of {seconds} s: all of its waveform", lambda: mix.waveform("after", 0, seconds, 1400), 5)
    timed(
        f"live mix of {seconds} s: all of its spectrogram",
        lambda: mix.spectrogram("after", 0, seconds, 1400),
        5,
    )


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("timeline", type=Path)
    parser.add_argument("--category", action="append", default=[])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--places", type=int, default=5)
    asked = parser.parse_args()
    print("| what | s | s of processor time |\n|---|---|---|")
    session(asked.timeline, asked.category, asked.seconds, asked.places)
    for seconds in (600, 7200):
        live(seconds)


if __name__ == "__main__":
    main()
