"""Seconds of work and peak memory per minute of timeline, each run in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from material import timeline_of

STAGES = ("decode", "context", "network", "mix", "write")
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Finished:
    """A process that ended: wall and processor seconds, peak resident memory in MiB, what it printed."""

    seconds: float
    cpu: float
    peak_mib: float
    printed: str


def timed(command: list[str], capture: Path) -> Finished:
    """Run a command to its end and measure it; its standard output goes through a file.

    Raises SystemExit with the command's own words if it fails.
    """
    with capture.open("wb") as out:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with status {process.returncode}.")
    cpu = usage.ru_utime + usage.ru_stime
    return Finished(seconds, cpu, usage.ru_maxrss / 1024, capture.read_text(encoding="utf-8"))


def rebalance(minutes: float, film: Path, folder: Path) -> dict[str, Any]:
    """Rebalance a timeline of that length, then once more with nothing changed."""
    timeline = timeline_of(film, minutes, folder / f"timeline_{minutes:g}.otio")
    result = folder / f"result_{minutes:g}.otio"
    sightmix = str(Path(sys.executable).with_name("sightmix"))
    command = [sightmix, "rebalance", str(timeline), "-o", str(result), "--json"]
    first = timed(command, folder / "printed")
    again = timed(command, folder / "printed")
    clips = [clip for clip in json.loads(first.printed)["clips"] if "provenance" in clip]
    spent = {stage: sum(clip["provenance"]["seconds"][stage] for clip in clips) for stage in STAGES}
    model = clips[0]["provenance"]["model"]
    shutil.rmtree(result.with_suffix(".sightmix"))
    return {
        "minutes": minutes,
        "model": model,
        "seconds": first.seconds,
        "peak_mib": first.peak_mib,
        "again_seconds": again.seconds,
        **spent,
    }


def floor(minutes: float, film: Path, folder: Path) -> Finished:
    """The least any tool has to do: decode at the model's rate, and copy the sound to a WAV file."""
    out = folder / "floor.wav"
    finished = timed(
        [sys.executable, str(HERE / "floor.py"), str(film), str(minutes), str(out)], folder / "printed"
    )
    out.unlink()
    return finished


def hybrid_demucs(windows: int, folder: Path) -> dict[str, Any]:
    """Seconds a minute and peak memory of a hybrid Demucs forward pass over some windows."""
    finished = timed([sys.executable, str(HERE / "hybrid_demucs.py"), str(windows)], folder / "printed")
    return {**json.loads(finished.printed), "peak_mib": finished.peak_mib}


def measure(lengths: list[float], film: Path, folder: Path, windows: int) -> dict[str, Any]:
    """Everything for timelines of these lengths in minutes; `windows` of hybrid Demucs to compare with."""
    rows = []
    for minutes in lengths:
        print(f"rebalancing {minutes:g} minutes ...", file=sys.stderr, flush=True)
        row = rebalance(minutes, film, folder)
        least = floor(minutes, film, folder)
        rows.append(row | {"floor_seconds": least.seconds, "floor_peak_mib": least.peak_mib})
    print("running hybrid Demucs ...", file=sys.stderr, flush=True)
    return {"timelines": rows, "hybrid_demucs": hybrid_demucs(windows, folder)}
