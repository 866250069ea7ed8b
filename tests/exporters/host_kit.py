"""A small timeline with everything that hosts get wrong, its media made on the spot; for tests in hosts."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import exporter_sound as kit
import numpy as np
from sightmix.engine.edit.model import (
    Edit,
    EditClip,
    EditMarker,
    EditMedia,
    EditTrack,
    EditTransition,
    GainCurve,
)

RATE = Fraction(25)
SECONDS = 12
CUTS = ((0, 90, 10), (90, 70, 150), (170, 60, 30))  # first frame, frames, first frame in the film


def film(path: Path, seconds: int = SECONDS, size: tuple[int, int] = (320, 180)) -> EditMedia:
    """A film (MPEG-4, 25 frames/s) whose colour turns second by second, with a stereo hum."""
    width, height = size
    with av.open(str(path), "w") as file:
        picture = file.add_stream("mpeg4", rate=25)
        picture.width, picture.height, picture.pix_fmt = width, height, "yuv420p"
        sound = file.add_stream("pcm_s16le", rate=kit.SAMPLE_RATE, layout="stereo")
        for n in range(seconds * 25):
            image = np.full((height, width, 3), 40, np.uint8)
            image[:, :, n // 25 % 3] = 120 + 10 * (n // 25 % 12)
            image[height // 3 : height // 2, (n * 4) % width :][:, :24] = 255
            file.mux(picture.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        t = np.arange(seconds * kit.SAMPLE_RATE) / kit.SAMPLE_RATE
        hum = (0.1 * np.sin(2 * np.pi * 110 * t) * (1 + np.sin(2 * np.pi * t)) * 16384).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(np.repeat(hum, 2)[None], "s16", "stereo")
        frame.sample_rate = kit.SAMPLE_RATE
        for stream, frames in ((sound, [frame, None]), (picture, [None])):
            for one in frames:
                file.mux(stream.encode(one))
    return EditMedia(
        path.name, str(path), path, Fraction(0), Fraction(seconds), kit.SAMPLE_RATE, 2, (2,), width, height,
        RATE, 16,
    )  # fmt: skip


def stem(path: Path, seed: int, seconds: int = SECONDS) -> EditMedia:
    """A stereo float WAV of noise in syllables."""
    t = np.arange(seconds * kit.SAMPLE_RATE) / kit.SAMPLE_RATE
    loud = 0.1 * np.abs(np.sin(np.pi * t * (1 + seed)))[:, None]
    x = np.random.default_rng(seed).uniform(-1, 1, (len(t), 2)) * loud
    return kit.sound(path, x.astype(np.float32))


def specimen(folder: Path) -> Edit:
    """Three cuts with their muted sound, three stems with volume lines, a fade at either end, a marker.

    320x180 at 25 frames/s; the second clip starts where the first ends, the third after ten frames of nothing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shot = film(folder / "the film.mov")
    at = [(Fraction(s, 25), Fraction(n, 25), Fraction(i, 25)) for s, n, i in CUTS]
    shots = tuple(EditClip(f"shot {i}", s, n, shot, c, link=i) for i, (s, n, c) in enumerate(at, 1))
    tracks = [EditTrack("video", "V1", shots), EditTrack("audio", "Location", shots, enabled=False)]
    for seed, (role, db) in enumerate((("dialogue", 2.0), ("music", -9.0), ("effects", -3.0))):
        media = stem(folder / f"{role}.wav", seed)
        clips = []
        for i, (start, length, _) in enumerate(at, 1):
            curve = GainCurve((Fraction(0), length / 2, length * 3 / 4), (0.0, db, db / 2))
            clips.append(
                EditClip(f"{role} {i}", start, length, media, start, gain=curve, link=i,
                         fade_in=Fraction(10, 25) if i == 1 else Fraction(0),
                         fade_out=Fraction(15, 25) if i == 3 else Fraction(0))
            )  # fmt: skip
        tracks.append(EditTrack("audio", role.title(), tuple(clips), role=role))
    marker = EditMarker(Fraction(2), Fraction(0), "look here", "a note")
    return Edit("Specimen", RATE, tuple(tracks), width=320, height=180, markers=(marker,))


def two_streams(path: Path, seconds: int = 6) -> EditMedia:
    """A MOV with two stereo streams of noise and no picture."""
    count = seconds * kit.SAMPLE_RATE
    x = np.random.default_rng(3).integers(-3000, 3000, (2, 1, 2 * count)).astype(np.int16)
    with av.open(str(path), "w") as file:
        streams = [file.add_stream("pcm_s16le", rate=kit.SAMPLE_RATE, layout="stereo") for _ in x]
        for stream, samples in zip(streams, x, strict=True):
            frame = av.AudioFrame.from_ndarray(samples, "s16", "stereo")
            frame.sample_rate = kit.SAMPLE_RATE
            file.mux(stream.encode(frame))
            file.mux(stream.encode())
    return EditMedia(
        path.name, str(path), path, Fraction(0), Fraction(seconds), kit.SAMPLE_RATE, 4, (2, 2), bits=16
    )


def demanding(folder: Path) -> Edit:
    """Two layers of picture, speeds, reverse, a freeze, a second stream and one channel of it, a dissolve of sound."""
    folder.mkdir(parents=True, exist_ok=True)
    shot, sound = film(folder / "film.mov"), stem(folder / "stem.wav", 1)
    two, cut = two_streams(folder / "two.mov"), kit.framed
    low = (
        cut(shot, RATE, 0, 50, 10),
        cut(shot, RATE, 50, 50, 20, speed=Fraction(2)),
        cut(shot, RATE, 100, 50, 200, speed=Fraction(-1)),
        cut(shot, RATE, 150, 25, 60, speed=Fraction(0)),
    )
    streams = (
        cut(two, RATE, 0, 50, 10, channels=(2, 3)),
        cut(two, RATE, 60, 50, 10, channels=(3,)),
        cut(two, RATE, 120, 40, 10, channels=(0, 1)),
    )
    speeds = (
        cut(sound, RATE, 0, 50, 25, speed=Fraction(2)),
        cut(sound, RATE, 50, 50, 150, speed=Fraction(-1)),
    )
    joined = (cut(sound, RATE, 0, 50, 25), cut(sound, RATE, 50, 50, 100))
    dissolve = EditTransition(Fraction(2), Fraction(1, 5), Fraction(1, 5))
    tracks = (
        EditTrack("video", "V1", low),
        EditTrack("video", "V2 – ä <&>", (cut(shot, RATE, 120, 20, 100),)),
        EditTrack("audio", "streams", streams),
        EditTrack("audio", "speeds", speeds),
        EditTrack("audio", "dissolve", joined, (dissolve,)),
    )
    return Edit("Demanding", RATE, tracks, width=320, height=180)
