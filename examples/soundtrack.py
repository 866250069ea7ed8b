"""The demo's sound: a good mix of a narrator over a film's own soundtrack, and the same mix gone muddy."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from sightmix.engine.media.loudness import measure
from sightmix.engine.media.reader import read_span
from sightmix.engine.media.resample import resample
from sightmix.engine.training.scenes.dice import Dice
from sightmix.engine.training.scenes.muddy import draw_changes, policy_numbers

RATE = 48_000
DIALOGUE_LUFS = -25.0
DUCK_DB = 9.0
CLEAR = 16.0  # LU; film sound this far under the narrator is left alone
ATTACK, RELEASE = 0.5, 0.9  # s; the duck is fully in when the line starts
JOINED = 1.2  # s; the bed does not come back up in a shorter pause
MUDDY = "moderate"  # the loudest stem 9 dB down, the others 9 dB up
CEILING = 10 ** (-0.5 / 20)

Sound = NDArray[np.float32]


@dataclass(frozen=True)
class Line:
    """A line of speech: seconds from the excerpt's first frame."""

    start: float
    end: float
    text: str

    @property
    def samples(self) -> slice:
        """The line's place in a signal at the demo's rate."""
        return slice(round(self.start * RATE), round(self.end * RATE))


@dataclass(frozen=True)
class Excerpt:
    """Two minutes of film: picture at `rate` frames a second, first frames of shots, lines to be spoken."""

    picture: Path
    voice: Path
    rate: int
    frames: int
    cuts: tuple[int, ...]
    lines: tuple[Line, ...]

    @classmethod
    def read(cls, folder: Path) -> Excerpt:
        """The excerpt described by `excerpt.json` in a folder."""
        data = json.loads((folder / "excerpt.json").read_text(encoding="utf-8"))
        picture, voice = data["picture"], data["voice"]
        return cls(
            folder / picture["file"],
            folder / voice["file"],
            picture["rate"],
            picture["frames"],
            tuple(picture["cuts"]),
            tuple(Line(**line) for line in voice["lines"]),
        )

    @property
    def samples(self) -> int:
        """Length in samples at the demo's rate."""
        return self.frames * RATE // self.rate

    @property
    def shots(self) -> list[tuple[int, int]]:
        """First frame and number of frames of each shot."""
        edges = [0, *self.cuts, self.frames]
        return [(a, b - a) for a, b in itertools.pairwise(edges)]


@dataclass(frozen=True)
class Stems:
    """Dialogue and what lies under it, (2, samples) each: a bed, and `more` tracks; their sum is the mix."""

    dialogue: Sound
    bed: Sound
    more: tuple[Sound, ...] = ()

    @property
    def beds(self) -> tuple[Sound, ...]:
        """All that is not dialogue, apart."""
        return (self.bed, *self.more)

    @property
    def parts(self) -> tuple[Sound, ...]:
        """Everything, apart: the dialogue first."""
        return (self.dialogue, *self.beds)

    def under(self) -> Sound:
        """All that is not dialogue, together."""
        return total(self.beds)

    def mix(self) -> Sound:
        """The mixdown (2, samples)."""
        return total(self.parts)


def total(sounds: Sequence[Sound]) -> Sound:
    """The sum of sounds of one shape."""
    mix = sounds[0].copy()
    for sound in sounds[1:]:
        mix += sound
    return mix


def good_stems(excerpt: Excerpt, added: tuple[Sound, ...] = ()) -> Stems:
    """The narrator in the middle at -25 LUFS; the film's sound, and what is added, up to 9 dB down under each line."""
    bed = read_span(excerpt.picture, Fraction(0), Fraction(excerpt.frames, excerpt.rate), rate=RATE)
    rate = soundfile.info(excerpt.voice).samplerate
    voice, _ = soundfile.read(excerpt.voice, -(-excerpt.samples * rate // RATE), dtype="float32")
    spoken = resample(np.stack([voice, voice]), rate, RATE)
    dialogue = np.zeros_like(bed)
    length = min(bed.shape[1], spoken.shape[1])
    dialogue[:, :length] = spoken[:, :length]
    dialogue *= gain(DIALOGUE_LUFS - measure(dialogue, RATE).integrated)
    ducked = duck(excerpt.lines, total((bed, *added)))
    return Stems(dialogue, bed * ducked, tuple(sound * ducked for sound in added))


def gain(decibels: float) -> np.float32:
    """A level change in dB as a factor."""
    return np.float32(10 ** (decibels / 20))


def duck(lines: tuple[Line, ...], bed: Sound) -> Sound:
    """Gain (samples,) of the bed (2, samples): down before each line, back up after it."""
    samples = bed.shape[1]
    depth = np.zeros(samples, np.float32)
    for start, end in spoken_stretches(lines):
        a, b = round(start * RATE), min(round(end * RATE), samples)
        in_the_way = measure(bed[:, a:b], RATE).integrated - DIALOGUE_LUFS + CLEAR
        deepest = np.float32(np.clip(in_the_way, 0.0, DUCK_DB))
        depth[a:b] = np.maximum(depth[a:b], deepest)
        for seconds, edge, step in ((ATTACK, a, -1), (RELEASE, b - 1, 1)):
            n = round(seconds * RATE)
            slope = 0.5 + 0.5 * np.cos(np.pi * np.arange(1, n + 1, dtype=np.float32) / n)
            where = edge + step * np.arange(1, n + 1)
            inside = (where >= 0) & (where < samples)
            depth[where[inside]] = np.maximum(depth[where[inside]], deepest * slope[inside])
    return np.asarray(10 ** (-depth / 20), np.float32)


def spoken_stretches(lines: tuple[Line, ...]) -> list[tuple[float, float]]:
    """Where someone speaks, in seconds; short pauses are part of it."""
    stretches: list[tuple[float, float]] = []
    for line in lines:
        if stretches and line.start - stretches[-1][1] < JOINED:
            stretches[-1] = (stretches[-1][0], line.end)
        else:
            stretches.append((line.start, line.end))
    return stretches


def muddied(good: Stems) -> tuple[Stems, dict[str, float]]:
    """The stems as the training generator's rule spoils them, and the changes in dB.

    The louder of the dialogue and all that lies under it goes down and the other up; both together come down as far as
    full scale demands.
    """
    levels = [measure(good.dialogue, RATE).integrated, measure(good.under(), RATE).integrated, -np.inf]
    policy, lufs = torch.tensor(policy_numbers([MUDDY])), torch.tensor([levels])
    change = draw_changes(Dice("demo", [0]), policy, lufs, lufs[..., None], [MUDDY])[0, :, 0].numpy()
    loud = total([good.dialogue * gain(change[0]), good.under() * gain(change[1])])
    guard = np.float32(min(1.0, CEILING / float(np.max(np.abs(loud)))))
    changes = {
        "dialogue_db": float(change[0]),
        "bed_db": float(change[1]),
        "both_db": 20 * float(np.log10(guard)),
    }
    bed, *more = (part * (gain(change[1]) * guard) for part in good.beds)
    return Stems(good.dialogue * (gain(change[0]) * guard), bed, tuple(more)), changes
