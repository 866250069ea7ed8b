"""How long a big timeline takes to open and to plan: `python benchmarks/planning.py [CLIPS]`.

Makes a timeline of eight audio tracks and a picture track over forty short files, opens it, and decides on every clip
(exact spans, shots, cache keys), without rendering anything.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from material import ROOT
from sightmix.plugin.jobs.plan import Job, make_plan
from sightmix.plugin.jobs.rebalance import stage_for
from sightmix.plugin.jobs.settings import JobSettings
from sightmix.plugin.timeline import open_timeline

FILM = ROOT / "examples" / "bbb" / "excerpt.mp4"
TRACKS, FILES, SECONDS, FRAMES = 8, 40, 60, 48


def clock(value: float) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": 24.0, "value": value}


def span(start: float, length: float) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "TimeRange.1", "start_time": clock(start), "duration": clock(length)}


def clip(path: Path, start: int, length: int) -> dict[str, Any]:
    reference = {
        "OTIO_SCHEMA": "ExternalReference.1",
        "target_url": str(path),
        "available_range": span(0, length),
    }
    return {
        "OTIO_SCHEMA": "Clip.2",
        "name": f"{path.stem} {start}",
        "source_range": span(start, FRAMES),
        "media_references": {"DEFAULT_MEDIA": reference},
        "active_media_reference_key": "DEFAULT_MEDIA",
    }


def timeline(clips: int, folder: Path) -> Path:
    """A timeline of so many audio clips of two seconds each, with as much picture over them."""
    sounds = [folder / f"{n}.wav" for n in range(FILES)]
    for n, path in enumerate(sounds):
        noise = np.random.default_rng(n).uniform(-0.1, 0.1, (SECONDS * 48_000, 2))
        soundfile.write(path, noise, 48_000, subtype="PCM_24")
    each = clips // TRACKS
    picture = [clip(FILM, (n * 37) % 2700, 2880) for n in range(each)]
    lanes = [
        [clip(sounds[(n + lane) % FILES], (n * 29) % 1300, SECONDS * 24) for n in range(each)]
        for lane in range(TRACKS)
    ]
    tracks = [
        {"OTIO_SCHEMA": "Track.1", "name": "", "kind": kind, "children": items}
        for kind, items in [("Video", picture), *(("Audio", lane) for lane in lanes)]
    ]
    stack = {"OTIO_SCHEMA": "Stack.1", "name": "", "children": tracks}
    path = folder / "big.otio"
    path.write_text(json.dumps({"OTIO_SCHEMA": "Timeline.1", "name": "big", "tracks": stack}))
    return path


def main() -> None:
    """Make, open and plan; print seconds."""
    clips = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    with tempfile.TemporaryDirectory() as folder:
        source = timeline(clips, Path(folder))
        began = time.perf_counter()
        opened = open_timeline(source)
        middle = time.perf_counter()
        settings = JobSettings()
        plan = make_plan(Job(source, Path(folder) / "out.otio", settings), opened, stage_for(settings))
        end = time.perf_counter()
    print(
        f"{len(plan.tasks)} clips: opened in {middle - began:.2f} s, planned in {end - middle:.2f} s, "
        f"{end - began:.2f} s together"
    )


if __name__ == "__main__":
    main()
