"""What the specimen holds, in figures: files, cuts, tracks, levels, curves. Everything else here is made of these."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ....engine import roles
from ....engine.media.time import timecode
from ...timeline.results import Gain

NAME = "sightmix specimen"
RATE = Fraction(25)  # frames per second
SAMPLE_RATE = 48_000  # Hz
START = Fraction(3600)  # s: the timeline begins at 01:00:00:00
LENGTH = 500  # frames
FILM_LENGTH = 250  # frames of every film
SYNC = 100  # the frame of every film that is white, with a high beep
DISSOLVE = 24  # frames, centred on the first cut
HANDLE = 12  # frames of sound before and after every new clip
DIALOGUE, MUSIC, EFFECTS = (role.title for role in (roles.DIALOGUE, roles.MUSIC, roles.EFFECTS))
TRACKS = (DIALOGUE, MUSIC, EFFECTS)
RESULT = "rebalanced"  # what the new tracks are called beside their source's name


@dataclass(frozen=True)
class Tone:
    """A sine: its pitch in Hz and its peak in dBFS."""

    hz: float
    db: float


TONES = {DIALOGUE: Tone(500.0, -18.0), MUSIC: Tone(250.0, -20.0), EFFECTS: Tone(1000.0, -20.0)}
NEW_EFFECTS = Tone(800.0, -24.0)  # in the new clips
OUTSIDE = Tone(3000.0, -20.0)  # in their handles: heard only where a clip is not where it belongs
BEEP = Tone(2000.0, -18.0)  # in the films' white frame


@dataclass(frozen=True)
class Film:
    """A picture file with its sound; every frame shows `letter` and the frame's number, counted from 0."""

    letter: str
    hour: int  # of its timecode
    colour: tuple[int, int, int]  # RGB

    @property
    def file(self) -> str:
        """The file's name."""
        return f"specimen_{self.letter}.mov"

    @property
    def timecode(self) -> str:
        """The timecode of its first frame."""
        return f"{self.hour:02d}:00:00:00"

    @property
    def first(self) -> int:
        """The number of its first frame by that timecode."""
        return int(self.hour * 3600 * RATE)


FILMS = {"A": Film("A", 10, (30, 70, 150)), "B": Film("B", 11, (150, 70, 30))}
MUSIC_FILE, EFFECTS_FILE = "specimen_music.wav", "specimen_effects.wav"
SOUNDS = {MUSIC_FILE: (MUSIC, 350), EFFECTS_FILE: (EFFECTS, 200)}  # what they hold, and how many frames long


@dataclass(frozen=True)
class Cut:
    """A clip, in frames: where it begins on the timeline, its length, and the frame of its file it begins with."""

    file: str
    start: int
    frames: int
    source: int

    @property
    def end(self) -> int:
        """The first frame after it."""
        return self.start + self.frames


SHOTS = (
    Cut(FILMS["A"].file, 0, 150, 25),
    Cut(FILMS["B"].file, 150, 200, 20),
    Cut(FILMS["A"].file, 350, 150, 75),
)
CLIPS = {
    DIALOGUE: SHOTS,
    MUSIC: (Cut(MUSIC_FILE, 100, 300, 25),),
    EFFECTS: (Cut(EFFECTS_FILE, 125, 75, 25), Cut(EFFECTS_FILE, 300, 75, 110)),
}
NEW_CLIPS = tuple(
    Cut(f"specimen_effects_{number}_rebalanced.wav", cut.start, cut.frames, HANDLE)
    for number, cut in enumerate(CLIPS[EFFECTS], start=1)
)
# Volume lines of the result: seconds from the clip's first moment, and dB.
CURVES = {
    DIALOGUE: (
        Gain((0.0,), (-3.0,)),
        Gain((0.0, 2.0, 4.0, 6.0, 7.0, 8.0), (0.0, 0.0, -12.0, -12.0, 0.0, 0.0)),
        Gain((0.0,), (3.0,)),
    ),
    MUSIC: (Gain((0.0, 4.0, 5.0, 9.0, 10.0, 12.0), (-6.0, -6.0, -20.0, -20.0, -6.0, -6.0)),),
}
# Seconds from the timeline's start at which a track's meter stands still, away from cuts and beeps.
READINGS = {
    DIALOGUE: (Fraction(2), Fraction(7), Fraction(11), Fraction(17)),
    MUSIC: (Fraction(6), Fraction(11), Fraction(15)),
    EFFECTS: (Fraction(6), Fraction(13)),
}
HALFWAY = Fraction(9)  # s: the middle of the dialogue's way down
ALONE = Fraction(2)  # s: nothing but dialogue sounds
MARKER = (125, "sightmix timeline marker", "GREEN")  # frame of the timeline
CLIP_MARKER = (80, "sightmix clip marker", "RED")  # frame of film B, shown by the second shot


def at(frame: int) -> str:
    """The timecode of a frame of the timeline."""
    return timecode(START + frame / RATE, RATE)


def level(track: str, second: Fraction) -> float:
    """The peak in dBFS that a result track's meter shows at a moment of the timeline."""
    if track == EFFECTS:
        return NEW_EFFECTS.db
    frame = second * RATE
    for cut, curve in zip(CLIPS[track], CURVES[track], strict=True):
        if cut.start <= frame < cut.end:
            return TONES[track].db + float(curve.at(np.array([float((frame - cut.start) / RATE)]))[0])
    return -math.inf


def unmuted(track: str, second: Fraction) -> float:
    """What the meter would show where the original track of the same tone sounded too."""
    return 20 * math.log10(10 ** (TONES[track].db / 20) + 10 ** (level(track, second) / 20))
