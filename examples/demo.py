"""Rebalances two minutes of film twice, as a mix and as an editor's tracks, and says how near the good mix they came.

python examples/demo.py [FOLDER]    (as `make demo` does; the folder is `demo` when not given)
python examples/demo.py --prepare [FOLDER]    (only the tracks and their timeline, for the panel to open)
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from edit import Laid, heard, in_scenes, write_timeline
from film import switch_points, switching, with_sound
from scores import applied_gains, balance_after, dialogue_over_bed, distances, improvement, over_film_sound
from sightmix.engine.media.loudness import measure
from soundtrack import RATE, Excerpt, Sound, Stems, good_stems, muddied
from tracks import FILM, NARRATOR, added_tracks, laid_tracks

HERE = Path(__file__).parent
METRICS = {"MAG": "magnitude spectra (MAG)", "ENV": "envelope (ENV)", "W": "amplitudes (W-dis)"}
SIGHTMIX = str(Path(sys.executable).with_name("sightmix"))


@dataclass(frozen=True)
class Road:
    """One way to hand the film over: files end in `suffix`; stems well mixed and spoilt; the tracks; options."""

    title: str
    suffix: str
    good: Stems
    spoilt: Stems
    changes: dict[str, float]
    tracks: list[tuple[Laid, Sound]]
    options: tuple[str, ...]

    def file(self, folder: Path, name: str) -> Path:
        """A file of this road."""
        path = folder / name
        return path.with_name(f"{path.stem}{self.suffix}{path.suffix}")


def married(excerpt: Excerpt, folder: Path) -> Road:
    """The film with one mixdown in three clips: nothing tells what is speech in it but listening."""
    good = good_stems(excerpt)
    spoilt, changes = muddied(good)
    laid = Laid("A1", folder / "mixdown.wav", in_scenes(excerpt))
    return Road(
        "one mixdown",
        "",
        good,
        spoilt,
        changes,
        [(laid, spoilt.mix())],
        ("--stems",),
    )


def apart(excerpt: Excerpt, folder: Path) -> Road:
    """The film as an editor has it: the narrator's track, the film's own sound, and music and effects added to it."""
    added = added_tracks(HERE / "tracks", excerpt)
    good = good_stems(excerpt, tuple(track.sound for track in added))
    spoilt, changes = muddied(good)
    return Road(
        "tracks",
        "_tracks",
        good,
        spoilt,
        changes,
        laid_tracks(excerpt, spoilt, added, folder),
        ("--category", f"{FILM}=mix"),
    )


def write_wav(path: Path, sound: Sound) -> Path:
    """A 48 kHz, 24-bit WAV of a sound (2, samples)."""
    soundfile.write(path, sound.T, RATE, "PCM_24")
    return path


def rebalance(road: Road, folder: Path) -> Sound | None:
    """Run the command line on the road's timeline; what its result sounds like."""
    timeline, result = road.file(folder, "timeline.otio"), road.file(folder, "rebalanced.otio")
    command = ["rebalance", str(timeline), "-o", str(result), *road.options]
    print("$ sightmix " + " ".join(command), flush=True)
    if subprocess.run([SIGHTMIX, *command], check=False).returncode:
        return None
    sound = heard(result)
    samples = road.spoilt.dialogue.shape[1]
    return np.pad(sound[:, :samples], ((0, 0), (0, max(0, samples - sound.shape[1]))))


def figures(road: Road, rebalanced: Sound, excerpt: Excerpt) -> dict[str, Any]:
    """Everything measured of a road, as plain data."""
    good, muddy = road.good.mix(), road.spoilt.mix()
    before, after = distances(muddy, good), distances(rebalanced, good)
    lines = over_film_sound(road.spoilt, excerpt.lines)
    balance = {
        "muddy": dialogue_over_bed(road.spoilt, lines),
        "rebalanced": balance_after(rebalanced, road.spoilt, lines),
        "good": dialogue_over_bed(road.good, lines),
    }
    sounds = {"good": good, "muddy": muddy, "rebalanced": rebalanced}
    names = [NARRATOR, *(laid.name for laid, _ in road.tracks[1:])] if road.good.more else [NARRATOR, "Bed"]
    return {
        "distance_to_the_good_mix": {"muddy": before, "rebalanced": after},
        "improvement_percent": improvement(before, after),
        "dialogue_over_bed_lu": {
            name: {"mean": round(statistics.mean(values), 2), "lines": [round(x, 2) for x in values]}
            for name, values in balance.items()
        },
        "integrated_lufs": {name: round(measure(s, RATE).integrated, 2) for name, s in sounds.items()},
        "muddy_changes_db": road.changes,
        "gains_found_db": [
            dict(zip(names, np.round(applied_gains(rebalanced, road.spoilt, line), 2).tolist(), strict=True))
            for line in lines
        ],
    }


def report(title: str, data: dict[str, Any]) -> str:
    """A road's figures as a few lines to read."""
    lines = ["", f"As {title}: how near the good mix (0 is the good mix itself), and at equal loudness"]
    near = data["distance_to_the_good_mix"]
    for name, words in METRICS.items():
        lines.append(
            f"  {words:26s} {near['muddy'][name]:.5f} -> {near['rebalanced'][name]:.5f}   "
            f"{_nearer(data['improvement_percent'][name])}, {_nearer(data['improvement_percent'][f'{name}_matched'])}"
        )
    balance = {name: entry["mean"] for name, entry in data["dialogue_over_bed_lu"].items()}
    lines.append(
        f"Dialogue over bed while someone speaks: {balance['muddy']:+.1f} LU before, "
        f"{balance['rebalanced']:+.1f} LU after, {balance['good']:+.1f} LU in the good mix"
    )
    loud = data["integrated_lufs"]
    lines.append(
        f"Loudness: {loud['muddy']:.1f} LUFS before, {loud['rebalanced']:.1f} LUFS after, "
        f"{loud['good']:.1f} LUFS in the good mix"
    )
    return "\n".join(lines)


def _nearer(percent: float) -> str:
    return f"{abs(percent):.1f} % {'nearer' if percent >= 0 else 'further away'}"


def prepare(road: Road, excerpt: Excerpt, folder: Path) -> None:
    """Write what an editor would have: the tracks' sound and the timeline."""
    for laid, sound in road.tracks:
        write_wav(laid.media, sound)
    timeline = road.file(folder, "timeline.otio")
    write_wav(road.file(folder, "good_mix.wav"), road.good.mix())
    write_timeline(excerpt, [laid for laid, _ in road.tracks], timeline)
    names = ", ".join(f"{laid.name} ({len(laid.clips)})" for laid, _ in road.tracks)
    print(
        f"{timeline}: {len(excerpt.shots)} shots over {names}, muddy "
        f"(dialogue {road.changes['dialogue_db']:+.0f} dB, the rest {road.changes['bed_db']:+.0f} dB, "
        f"all {road.changes['both_db']:+.1f} dB)"
    )


def show(road: Road, rebalanced: Sound, excerpt: Excerpt, folder: Path) -> list[dict[str, object]]:
    """Write the films with both sounds; what plays when in the one that switches."""
    before = road.spoilt.mix()
    with_sound(excerpt.picture, before, road.file(folder, "before.mp4"))
    with_sound(excerpt.picture, rebalanced, road.file(folder, "after.mp4"))
    sounds = {"before": before, "after": rebalanced}
    return switching(excerpt, sounds, switch_points(excerpt), road.file(folder, "before_and_after.mp4"))


def main() -> int:
    """Build, rebalance, measure, and say where everything is."""
    parser = argparse.ArgumentParser(description="Rebalance two minutes of film and measure the result.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("demo"))
    parser.add_argument(
        "--prepare", action="store_true", help="write the tracks and their timeline, and stop there"
    )
    given = parser.parse_args()
    folder: Path = given.folder
    folder.mkdir(parents=True, exist_ok=True)
    excerpt = Excerpt.read(HERE / "bbb")
    if given.prepare:
        prepare(apart(excerpt, folder), excerpt, folder)
        return 0
    data: dict[str, Any] = {}
    for make in (married, apart):
        road = make(excerpt, folder)
        prepare(road, excerpt, folder)
        rebalanced = rebalance(road, folder)
        if rebalanced is None:
            return 1
        data[road.title] = figures(road, rebalanced, excerpt)
        data[road.title]["before_and_after"] = show(road, rebalanced, excerpt, folder)
        print(report(road.title, data[road.title]), end="\n\n", flush=True)
    (folder / "measurements.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    films = f"{folder / 'before_and_after.mp4'}, {folder / 'before_and_after_tracks.mp4'}"
    print(f"To watch:  {films} (switch as they play), before*.mp4, after*.mp4")
    print(f"To open:   {folder / 'rebalanced.otio'}, {folder / 'rebalanced_tracks.otio'}")
    print(f"Figures:   {folder / 'measurements.json'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
