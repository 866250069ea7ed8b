"""Measures speed, memory and sizes, and appends them to RESULTS.md. `make bench` runs it.

A run works in build/bench and needs about 1.5 GB there for the longest timeline.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import end_to_end
import parts
from material import ROOT, film_of
from sightmix.engine.files import write_text

RESULTS = ROOT / "benchmarks" / "RESULTS.md"
FOLDER = ROOT / "build" / "bench"
NOTHING_YET = "No run is recorded yet."
PACKAGES = ("numpy", "onnxruntime", "av", "soxr", "torch")


def machine() -> str:
    """The machine in words: processor, cores, memory, versions."""
    cpu = platform.processor() or platform.machine()
    info, memory = Path("/proc/cpuinfo"), ""
    if info.exists():
        models = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line
        ]
        cpu = models[0] if models else cpu
        memory = f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cpu}, {cores} cores{memory}; Python {platform.python_version()}, {packages}"


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines] + [""]


def speed_table(data: dict[str, Any]) -> list[str]:
    """Seconds of work per minute of timeline, and ratios to the floor and to hybrid Demucs."""
    demucs = data["hybrid_demucs"]["seconds_per_minute"]
    rows = []
    for row in data["timelines"]:
        minutes = row["minutes"]
        per_minute = row["seconds"] / minutes
        rows.append(
            [
                f"{minutes:g} min",
                f"{per_minute:.2f}",
                *[f"{row[stage] / minutes:.2f}" for stage in end_to_end.STAGES],
                f"{row['again_seconds']:.2f} s",
                f"{row['peak_mib']:.0f} MiB",
                f"{row['seconds'] / row['floor_seconds']:.1f}",
                f"{per_minute / demucs:.2f}",
            ]
        )
    head = [
        "timeline",
        "s/min",
        *end_to_end.STAGES,
        "unchanged, again",
        "peak memory",
        "× floor",
        "× hybrid Demucs",
    ]
    return table(head, rows)


def section(data: dict[str, Any], what: str) -> str:
    """One run as a section of RESULTS.md."""
    speed, small = data["speed"], data["parts"]
    demucs = speed["hybrid_demucs"]
    floors = ", ".join(
        f"{row['floor_seconds'] / row['minutes']:.2f} s/min and {row['floor_peak_mib']:.0f} MiB "
        f"at {row['minutes']:g} min"
        for row in speed["timelines"]
    )
    model = speed["timelines"][0]["model"]
    lines = [
        f"## {datetime.now(UTC):%Y-%m-%d}, {what}",
        "",
        f"{data['machine']}. Model {model} on the processor; 1280×720 H.264 with stereo AAC at 48 kHz.",
        "",
        *speed_table(speed),
        f"Floor (decode at the model's rate plus a WAV copy): {floors}.",
        f"Hybrid Demucs ({demucs['parameters'] / 1e6:.1f} M parameters, random weights, 10 s windows, 25 % overlap, "
        f"stereo at 44.1 kHz): {demucs['seconds_per_minute']:.1f} s/min, {demucs['peak_mib']:.0f} MiB.",
        f"Loudness meter (with true peak): {small['loudness_times_real_time']:.0f} × real time, stereo at 48 kHz. "
        f"Picture sampling, one a second: {small['pictures_per_second']:.0f} pictures/s.",
        "",
        *table(["network", "parameters"], [[name, f"{n:,}"] for name, n in small["parameters"].items()]),
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, append, and print what was appended."""
    parser = argparse.ArgumentParser(description="Measure speed, memory and sizes.")
    parser.add_argument("--minutes", type=float, nargs="+", default=[1.0, 10.0, 60.0])
    parser.add_argument("--smoke", action="store_true", help="tiny inputs, nothing recorded: does it run?")
    parser.add_argument("--note", default="whole run", help="said in the section's title")
    options = parser.parse_args()
    lengths = [0.2] if options.smoke else options.minutes
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as scratch:
        film = film_of(max(lengths), FOLDER)
        speed = end_to_end.measure(lengths, film, Path(scratch), windows=1 if options.smoke else 4)
    small = parts.measure(film, 20.0 if options.smoke else 600.0)
    data = {"machine": machine(), "speed": speed, "parts": small}
    text = section(data, options.note)
    print(text)
    if not options.smoke:
        so_far = RESULTS.read_text(encoding="utf-8").replace(NOTHING_YET, "")
        write_text(RESULTS, so_far.rstrip() + "\n\n" + text)
        (FOLDER / "latest.json").write_text(json.dumps(data, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
