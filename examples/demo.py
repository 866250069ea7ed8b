"""Rebalances two minutes of film from end to end and says how much nearer the mix came to the good one.

python examples/demo.py [FOLDER]    (as `make demo` does; the folder is `demo` when not given)
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from edit import rebalanced_track, sound_of, write_timeline
from film import switch_points, switching, with_sound
from scores import applied_gains, balance_after, dialogue_over_bed, distances, improvement, over_film_sound
from sightmix.engine.media.loudness import measure
from soundtrack import RATE, Excerpt, Sound, good_stems, muddied

SOURCE = Path(__file__).parent / "bbb"
METRICS = {"MAG": "magnitude spectra (MAG)", "ENV": "envelope (ENV)", "W": "amplitudes (W-dis)"}


def write_wav(path: Path, sound: Sound) -> Path:
    """A 48 kHz, 24-bit WAV of a sound (2, samples)."""
    soundfile.write(path, sound.T, RATE, "PCM_24")
    return path


def rebalance(folder: Path) -> Sound | None:
    """Run the command line on the timeline; what the new track plays."""
    timeline, result = folder / "timeline.otio", folder / "rebalanced.otio"
    command = ["rebalance", str(timeline), "-o", str(result), "--stems", "--all"]
    print("$ sightmix " + " ".join(command), flush=True)
    sightmix = str(Path(sys.executable).with_name("sightmix"))
    if subprocess.run([sightmix, *command], check=False).returncode:
        return None
    samples = soundfile.info(folder / "mixdown.wav").frames
    return sound_of(rebalanced_track(result), folder, samples)


def figures(good: Sound, muddy: Sound, rebalanced: Sound, balance: dict[str, list[float]]) -> dict[str, Any]:
    """Everything measured, as plain data."""
    before, after = distances(muddy, good), distances(rebalanced, good)
    sounds = {"good": good, "muddy": muddy, "rebalanced": rebalanced}
    return {
        "distance_to_the_good_mix": {"muddy": before, "rebalanced": after},
        "improvement_percent": improvement(before, after),
        "dialogue_over_bed_lu": {
            name: {"mean": round(statistics.mean(lines), 2), "lines": [round(x, 2) for x in lines]}
            for name, lines in balance.items()
        },
        "integrated_lufs": {name: round(measure(s, RATE).integrated, 2) for name, s in sounds.items()},
    }


def report(data: dict[str, Any]) -> str:
    """The figures as a few lines to read."""
    lines = ["", "How near the good mix (0 is the good mix itself):"]
    near = data["distance_to_the_good_mix"]
    for name, words in METRICS.items():
        better = data["improvement_percent"][name]
        direction = "nearer" if better >= 0 else "further away"
        lines.append(
            f"  {words:26s} {near['muddy'][name]:.5f} -> {near['rebalanced'][name]:.5f}   "
            f"{abs(better):.1f} % {direction}"
        )
    balance = {name: entry["mean"] for name, entry in data["dialogue_over_bed_lu"].items()}
    lines.append(
        f"Dialogue over bed while someone speaks: {balance['muddy']:+.1f} LU before, "
        f"{balance['rebalanced']:+.1f} LU after, {balance['good']:+.1f} LU in the good mix"
    )
    return "\n".join(lines)


def main() -> int:
    """Build, rebalance, measure, and say where everything is."""
    parser = argparse.ArgumentParser(description="Rebalance two minutes of film and measure the result.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("demo"))
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    excerpt = Excerpt.read(SOURCE)
    good = good_stems(excerpt)
    spoilt, changes = muddied(good)
    write_wav(folder / "good_mix.wav", good.mix())
    mixdown = write_wav(folder / "mixdown.wav", spoilt.mix())
    write_timeline(excerpt, mixdown, folder / "timeline.otio")
    print(
        f"{folder / 'timeline.otio'}: {len(excerpt.shots)} shots over a muddy mixdown "
        f"(dialogue {changes['dialogue_db']:+.0f} dB, film sound {changes['bed_db']:+.0f} dB, "
        f"both {changes['both_db']:+.1f} dB)"
    )
    rebalanced = rebalance(folder)
    if rebalanced is None:
        return 1
    lines = over_film_sound(spoilt, excerpt.lines)
    balance = {
        "muddy": dialogue_over_bed(spoilt, lines),
        "rebalanced": balance_after(rebalanced, spoilt, lines),
        "good": dialogue_over_bed(good, lines),
    }
    data = figures(good.mix(), spoilt.mix(), rebalanced, balance)
    data["muddy_changes_db"] = changes
    data["gains_found_db"] = [
        dict(
            zip(
                ("dialogue", "bed"),
                np.round(applied_gains(rebalanced, spoilt, line), 2).tolist(),
                strict=True,
            )
        )
        for line in lines
    ]
    films = {"before.mp4": spoilt.mix(), "after.mp4": rebalanced}
    for name, sound in films.items():
        with_sound(excerpt.picture, sound, folder / name)
    data["before_and_after"] = switching(
        excerpt,
        {"before": spoilt.mix(), "after": rebalanced},
        switch_points(excerpt),
        folder / "before_and_after.mp4",
    )
    (folder / "measurements.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    print(report(data))
    print(f"\nTo watch:  {folder / 'before_and_after.mp4'} (switches as it plays), before.mp4, after.mp4")
    print(f"To open:   {folder / 'rebalanced.otio'}    Figures: {folder / 'measurements.json'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
