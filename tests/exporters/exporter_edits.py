"""Hand-made edits for the exporters' tests, with real sound files where a test asks for them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile
from sightmix.engine.edit.model import (
    Edit,
    EditClip,
    EditMarker,
    EditMedia,
    EditTrack,
    EditTransition,
    GainCurve,
)

RATES = [Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(50),
         Fraction(60000, 1001), Fraction(60)]  # fmt: skip


def sound(
    folder: Path, name: str, seconds: Fraction = Fraction(7), channels: int = 2, rate: int = 48000
) -> EditMedia:
    """A 24-bit WAV file of quiet noise and its description."""
    path = folder / name
    samples = int(seconds * rate)
    noise = np.random.default_rng(len(name)).uniform(-0.1, 0.1, (samples, channels))
    soundfile.write(path, noise, rate, subtype="PCM_24")
    return EditMedia(
        name, path.as_uri(), path, Fraction(0), Fraction(samples, rate), rate, channels, (channels,), bits=24
    )


def film(rate: Fraction, start: Fraction = Fraction(0)) -> EditMedia:
    """A film that is offline: picture and one stereo stream."""
    return EditMedia(
        "scène 1.mov", "/media/scène 1.mov", None, start, 600 / rate, 48000, 2, (2,), 1920, 1080, rate, 24
    )


def frames(rate: Fraction, count: int) -> Fraction:
    return count / rate


def sample_edit(
    folder: Path, rate: Fraction = Fraction(25), *, drop: bool = False, picture: bool = True
) -> Edit:
    """Two cuts with their sound, then dialogue, music and effects with gain curves, all on frames of `rate`.

    Handles of one second on the stems, a gap of ten frames in the picture, a timeline from hour one.
    """

    def at(count: int) -> Fraction:
        return frames(rate, count)

    shot = film(rate, at(100))
    cuts = [(0, 120, 10), (130, 90, 200)]
    pictures = tuple(
        EditClip(f"shot {i}", at(s), at(n), shot, at(100 + c), link=i) for i, (s, n, c) in enumerate(cuts)
    )
    sounds = tuple(
        EditClip(f"shot {i}", at(s), at(n), shot, at(100 + c), link=i) for i, (s, n, c) in enumerate(cuts)
    )
    tracks = [EditTrack("video", "V1", pictures)] if picture else []
    tracks.append(EditTrack("audio", "Location", sounds, enabled=False))
    for role, depth in (("dialogue", 0.0), ("music", -9.0), ("effects", 3.0)):
        files = [sound(folder, f"{role} {i}.wav") for i in range(2)]
        clips = []
        for i, (start, count, _) in enumerate(cuts):
            curve = GainCurve((Fraction(0), at(30), at(31), at(count)), (0.0, depth, depth - 2, depth))
            clips.append(
                EditClip(f"{role} {i}", at(start), at(count), files[i], Fraction(1), gain=curve, link=i)
            )
        tracks.append(EditTrack("audio", f"{role} A1", tuple(clips), role=role))
    hour = (
        Fraction(3600) if rate.denominator == 1 else at(107892 if drop else round(3600 * float(rate) * 1.001))
    )
    return Edit(
        "Reel 1 – Schnitt",
        rate,
        tuple(tracks),
        hour,
        drop,
        markers=(EditMarker(at(50), Fraction(0), "look", "here"),),
    )


def dissolve_edit(folder: Path, rate: Fraction = Fraction(25)) -> Edit:
    """Two sounds with a dissolve of 5 + 5 frames between them, a fade at either end, on one stereo track."""
    one, two = sound(folder, "one.wav"), sound(folder, "two.wav")

    def at(count: int) -> Fraction:
        return frames(rate, count)

    clips = (
        EditClip("one", at(0), at(100), one, at(50), fade_in=at(8)),
        EditClip("two", at(100), at(60), two, at(70), fade_out=at(12)),
    )
    track = EditTrack("audio", "A1", clips, (EditTransition(at(100), at(5), at(5)),))
    return Edit("fades", rate, (track,))


def with_clip(edit: Edit, track: int, clip: int, **changes: object) -> Edit:
    """The edit with one clip changed."""
    clips = list(edit.tracks[track].clips)
    clips[clip] = replace(clips[clip], **changes)  # type: ignore[arg-type]
    tracks = list(edit.tracks)
    tracks[track] = replace(tracks[track], clips=tuple(clips))
    return replace(edit, tracks=tuple(tracks))
