"""The specimen's media: DNxHR pictures with PCM sound, and Broadcast Wave files, the same to the byte every time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from ....engine.media.time import to_samples
from ....engine.media.writer import Bext, WavWriter
from . import facts
from .facts import SAMPLE_RATE, Film, Tone

_WIDTH, _HEIGHT = 256, 144
# Seven segments: top, upper left, upper right, middle, lower left, lower right, bottom.
_SEGMENTS = {
    "0": "1110111", "1": "0010010", "2": "1011101", "3": "1011011", "4": "0111010", "5": "1101011",
    "6": "1101111", "7": "1010010", "8": "1111111", "9": "1111011", "A": "1111110", "B": "0101111", " ": "0000000",
}  # fmt: skip
_THICK, _TALL, _WIDE, _STEP = 8, 64, 32, 44  # pixels of a stroke, a figure, and from one figure to the next

Picture = NDArray[np.uint8]
Sound = NDArray[np.float32]


def write_media(folder: Path) -> None:
    """Write every file that the specimen's timeline plays into `folder`. Raises WriteError or OSError."""
    for film in facts.FILMS.values():
        _write_film(folder / film.file, film)
    for name, (track, frames) in facts.SOUNDS.items():
        _write_sound(folder / name, _sine(facts.TONES[track], 0, _samples(frames)), 0)
    for cut in facts.NEW_CLIPS:
        _write_sound(folder / cut.file, _with_handles(cut.frames), stamp(cut))


def stamp(cut: facts.Cut) -> int:
    """Samples since midnight of a new file's first sample: its head handle lies before the clip."""
    return to_samples(facts.START + (cut.start - facts.HANDLE) / facts.RATE, SAMPLE_RATE)


def _samples(frames: int) -> int:
    return to_samples(frames / facts.RATE, SAMPLE_RATE)


def _sine(tone: Tone, first: int, samples: int) -> Sound:
    """Two equal channels (2, samples) of a sine whose phase counts from sample 0; `first` is this piece's place."""
    angle = 2 * np.pi * tone.hz * (first + np.arange(samples)) / SAMPLE_RATE
    wave = 10 ** (tone.db / 20) * np.sin(angle)
    return np.tile(wave.astype(np.float32), (2, 1))


def _with_handles(frames: int) -> Sound:
    head, length = _samples(facts.HANDLE), _samples(frames)
    sound = _sine(facts.OUTSIDE, 0, head + length + head)
    sound[:, head : head + length] = _sine(facts.NEW_EFFECTS, 0, length)
    return sound


def _write_sound(path: Path, sound: Sound, time_reference: int) -> None:
    bext = Bext(description=facts.NAME, time_reference=time_reference)
    with WavWriter(path, SAMPLE_RATE, sound.shape[0], bext=bext) as file:
        file.write(sound)


def _write_film(path: Path, film: Film) -> None:
    """A QuickTime film: DNxHR LB, timecode, stereo PCM of 24 bits."""
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as out:
        video = out.add_stream("dnxhd", rate=int(facts.RATE), options={"profile": "dnxhr_lb", "threads": "1"})
        video.width, video.height, video.pix_fmt = _WIDTH, _HEIGHT, "yuv422p"
        video.time_base = 1 / facts.RATE
        video.metadata["timecode"] = film.timecode
        sound = out.add_stream("pcm_s24le", rate=SAMPLE_RATE, layout="stereo")
        for number in range(facts.FILM_LENGTH):
            frame = av.VideoFrame.from_ndarray(picture(film, number), format="rgb24")
            frame.pts, frame.time_base = number, 1 / facts.RATE
            out.mux(video.encode(frame))
            out.mux(sound.encode(_audio_frame(number)))
        out.mux(video.encode())
        out.mux(sound.encode())


def picture(film: Film, number: int) -> Picture:
    """A frame of a film (144, 256, 3): its letter and its number, all white but for these in the frame of the beep."""
    white = number == facts.SYNC
    ground, ink = ((255, 255, 255), (0, 0, 0)) if white else (film.colour, (255, 255, 255))
    image = np.empty((_HEIGHT, _WIDTH, 3), np.uint8)
    image[:] = ground
    for place, figure in enumerate(f"{film.letter} {number:03d}"):
        _draw(image, figure, 22 + place * _STEP, (_HEIGHT - _TALL) // 2, ink)
    return image


def _draw(image: Picture, figure: str, left: int, top: int, ink: tuple[int, int, int]) -> None:
    half = _TALL // 2
    right, middle, bottom = left + _WIDE - _THICK, top + half - _THICK // 2, top + _TALL - _THICK
    across, down = (_THICK, _WIDE), (half, _THICK)
    places = [
        (top, left, across), (top, left, down), (top, right, down), (middle, left, across),
        (top + half, left, down), (top + half, right, down), (bottom, left, across),
    ]  # fmt: skip
    for lit, (y, x, (height, width)) in zip(_SEGMENTS[figure], places, strict=True):
        if lit == "1":
            image[y : y + height, x : x + width] = ink


def _audio_frame(number: int) -> av.AudioFrame:
    """The sound of one frame of a film."""
    length = _samples(1)
    tone = facts.BEEP if number == facts.SYNC else facts.TONES[facts.DIALOGUE]
    wave = _sine(tone, number * length, length)
    whole = np.rint(wave.T * (1 << 23)).astype(np.int32) << 8  # s32, of which the upper 24 bits are kept
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(whole).reshape(1, -1), "s32", "stereo")
    frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, number * length, Fraction(1, SAMPLE_RATE)
    return frame
