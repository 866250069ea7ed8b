"""The demo's film as an editor has it: what is added to it on tracks of its own, and where every track has clips."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from edit import Laid, in_scenes
from sightmix.engine.media.loudness import measure
from sightmix.engine.media.reader import probe, read_span
from soundtrack import RATE, Excerpt, Sound, Stems, gain

NARRATOR, FILM = "Dialogue", "Film"
AROUND = 6  # frames of room tone that an editor leaves before and after a line


@dataclass(frozen=True)
class Added:
    """A track of free material: its name, its sound (2, samples) as in the good mix, and its clips in frames."""

    name: str
    sound: Sound
    clips: tuple[tuple[int, int], ...]


def added_tracks(folder: Path, excerpt: Excerpt) -> tuple[Added, ...]:
    """The tracks that `tracks.json` in a folder describes, each at its own loudness, without ducking."""
    data = json.loads((folder / "tracks.json").read_text(encoding="utf-8"))
    return tuple(
        _added(folder, track["name"], track["lufs"], track["clips"], excerpt) for track in data["tracks"]
    )


def place(folder: Path, clip: Mapping[str, Any], excerpt: Excerpt) -> tuple[int, int]:
    """The frames (first, after the last) in which a described clip plays the whole frames of its file."""
    first = round(clip["at"] * excerpt.rate)
    return first, first + int(probe(folder / clip["file"]).audio[0].duration * excerpt.rate)


def _added(
    folder: Path, name: str, lufs: float, clips: Sequence[Mapping[str, Any]], excerpt: Excerpt
) -> Added:
    sound = np.zeros((2, excerpt.samples), np.float32)
    places = [place(folder, clip, excerpt) for clip in clips]
    for clip, (first, last) in zip(clips, places, strict=True):
        played = read_span(
            folder / clip["file"], Fraction(0), Fraction(last - first, excerpt.rate), rate=RATE
        )
        at = first * RATE // excerpt.rate
        sound[:, at : at + played.shape[1]] = played
    return Added(name, sound * gain(lufs - measure(sound, RATE).integrated), tuple(places))


def laid_tracks(
    excerpt: Excerpt, stems: Stems, added: tuple[Added, ...], folder: Path
) -> list[tuple[Laid, Sound]]:
    """Every track with its sound: the narrator by lines, the film in scenes, and what is added; files in `folder`."""
    names = [NARRATOR, FILM, *(track.name for track in added)]
    clips = [spoken_clips(excerpt), in_scenes(excerpt), *(track.clips for track in added)]
    return [
        (Laid(name, folder / f"{name.lower()}.wav", where), sound)
        for name, where, sound in zip(names, clips, stems.parts, strict=True)
    ]


def spoken_clips(excerpt: Excerpt) -> tuple[tuple[int, int], ...]:
    """A clip for each line, in frames (first, after the last), with a little room tone about it."""
    return tuple(
        (
            max(0, int(line.start * excerpt.rate) - AROUND),
            min(excerpt.frames, int(line.end * excerpt.rate) + 1 + AROUND),
        )
        for line in excerpt.lines
    )
