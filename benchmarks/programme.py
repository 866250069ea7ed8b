"""What balancing a programme costs: `python benchmarks/programme.py [--minutes 1] [--memory 2 20]`.

Timelines of dialogue, music and effects on a track each, and of one mix, under cut picture: `--unit programme` beside
`--unit clip` in processor and wall seconds, and the peak memory of programmes of several lengths. Every run is a
process of its own with nothing cached; the two units take turns. The sound is synthetic, the picture the demo's.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile
from end_to_end import Finished, timed
from material import film_of, timeline_of
from numpy.typing import NDArray
from run import FOLDER, machine, table

RATE = 48_000
UNITS = ("programme", "clip")
MIX = "a mix on one track"
STEMS = "dialogue, music and effects on three tracks"

Sound = NDArray[np.float64]


def voice(seconds: Sound, noise: Sound) -> Sound:
    """Noise in syllables, three seconds of it in five, as loud as speech that is a little too soft."""
    syllables = np.maximum(0.0, np.sin(2 * np.pi * 4.0 * seconds))
    return 0.05 * noise * syllables * (seconds % 5.0 < 3.0) + 1e-4 * noise


def song(seconds: Sound, noise: Sound) -> Sound:
    """A chord that swells and falls every 11 s."""
    chord = sum(np.sin(2 * np.pi * hertz * seconds) for hertz in (110.0, 220.0, 277.2, 329.6, 440.0))
    return 0.04 * chord * (1.0 + 0.5 * np.sin(2 * np.pi * seconds / 11.0)) + 1e-4 * noise


def blows(seconds: Sound, noise: Sound) -> Sound:
    """A blow every 7 s that dies away within one."""
    return 0.25 * noise * np.exp(-6.0 * (seconds % 7.0)) + 1e-4 * noise


KINDS: dict[str, Callable[[Sound, Sound], Sound]] = {"Dialogue": voice, "Music": song, "SFX": blows}


def sounds_of(minutes: float, folder: Path) -> dict[str, tuple[str, Path]]:
    """A mono file of `minutes` for every track, written as it is made: clip names and paths by track."""
    made = {}
    for number, (track, kind) in enumerate(KINDS.items()):
        path = folder / f"{track.lower()}_{minutes:g}.wav"
        made[track] = (track.lower(), path)
        draw = np.random.default_rng(number)
        with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
            for start in range(0, round(minutes * 60 * RATE), RATE):
                file.write(kind((start + np.arange(RATE)) / RATE, draw.uniform(-1.0, 1.0, RATE)))
    return made


def rebalanced(timeline: Path, unit: str, extra: Sequence[str], folder: Path) -> Finished:
    """A run over a timeline with nothing kept from earlier ones."""
    result = folder / "result.otio"
    sightmix = str(Path(sys.executable).with_name("sightmix"))
    command = [sightmix, "rebalance", str(timeline), "-o", str(result), "--unit", unit, *extra, "--json"]
    print(f"{timeline.stem}: {unit} ...", file=sys.stderr, flush=True)
    finished = timed(command, folder / "printed")
    shutil.rmtree(result.with_suffix(".sightmix"))
    return finished


def side_by_side(minutes: float, turns: int, film: Path, folder: Path) -> list[str]:
    """Both units over both kinds of timeline, in turns: medians per minute of timeline, and ratios."""
    own = timeline_of(film, minutes, folder / "three_tracks.otio", sounds_of(minutes, folder))
    mix = timeline_of(film, minutes, folder / "one_mix.otio")
    rows = []
    for what, timeline, extra in ((STEMS, own, ()), (MIX, mix, ("--category", "A1=mix"))):
        runs = [[rebalanced(timeline, unit, extra, folder) for unit in UNITS] for _ in range(turns)]
        cpu, wall, peak = (
            [statistics.median(getattr(turn[u], name) for turn in runs) for u in range(len(UNITS))]
            for name in ("cpu", "seconds", "peak_mib")
        )
        rows += [
            [what, unit, f"{c / minutes:.1f}", f"{w / minutes:.1f}", f"{p:.0f} MiB"]
            for unit, c, w, p in zip(UNITS, cpu, wall, peak, strict=True)
        ]
        rows.append(["", "programme ÷ clip", f"{cpu[0] / cpu[1]:.2f}", f"{wall[0] / wall[1]:.2f}", ""])
    return table(["timeline", "unit", "processor s/min", "wall s/min", "peak memory"], rows)


def memory(lengths: Sequence[float], film: Path, folder: Path) -> Iterator[list[str]]:
    """Peak memory of programmes of three tracks, one clip each, of these lengths in minutes."""
    for minutes in lengths:
        sounds = sounds_of(minutes, folder)
        timeline = timeline_of(film, minutes, folder / f"{minutes:g}_minutes.otio", sounds)
        done = rebalanced(timeline, "programme", (), folder)
        for _, path in sounds.values():
            path.unlink()
        yield [
            f"{minutes:g} min",
            f"{done.peak_mib:.0f} MiB",
            f"{done.cpu / minutes:.1f}",
            f"{done.seconds / minutes:.1f}",
        ]


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description="Measure what balancing a programme costs.")
    parser.add_argument("--minutes", type=float, default=1.0, help="length that the units are compared at")
    parser.add_argument("--turns", type=int, default=1, help="how often; medians are told. 0: not at all")
    parser.add_argument("--memory", type=float, nargs="*", default=[2.0, 20.0], help="lengths in minutes")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    film = film_of(max([options.minutes, *options.memory]), FOLDER)
    lines = [f"{machine()}.", ""]
    with tempfile.TemporaryDirectory(dir=FOLDER) as scratch:
        if options.turns:
            lines += side_by_side(options.minutes, options.turns, film, Path(scratch))
        rows = list(memory(options.memory, film, Path(scratch)))
    if rows:
        lines += table(["programme", "peak memory", "processor s/min", "wall s/min"], rows)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
