"""The demo's films: the picture with one sound or another, and one that switches between two as it plays."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from soundtrack import RATE, Excerpt, Sound

FADE = RATE // 50  # 20 ms, where one sound gives way to the other


def with_sound(picture: Path, sound: Sound, out: Path) -> None:
    """The picture as it is, with another sound (2, samples)."""
    with av.open(str(picture)) as source, av.open(str(out), "w") as film:
        video = film.add_stream_from_template(source.streams.video[0])
        audio = _audio_stream(film)
        packets = (p for p in source.demux(source.streams.video[0]) if p.dts is not None)
        for packet in packets:
            packet.stream = video
            film.mux(packet)
        _encode_sound(film, audio, sound)


def switching(
    excerpt: Excerpt, sounds: dict[str, Sound], points: list[int], out: Path
) -> list[dict[str, object]]:
    """The picture with each of two sounds in turn, changing at frames `points`, labelled; what plays when."""
    names = list(sounds)
    edges = [0, *points, excerpt.frames]
    turns = [(names[i % 2], a, b) for i, (a, b) in enumerate(itertools.pairwise(edges))]
    labels = {name: _label(name.upper()) for name in names}
    with av.open(str(excerpt.picture)) as source, av.open(str(out), "w") as film:
        shown = source.streams.video[0]
        shown.thread_type = "AUTO"
        video = film.add_stream("libx264", rate=excerpt.rate, options={"crf": "24", "preset": "veryfast"})
        video.width, video.height, video.pix_fmt = shown.width, shown.height, "yuv420p"
        tick = Fraction(1, excerpt.rate)
        video.time_base = tick
        audio = _audio_stream(film)
        playing = {f: name for name, a, b in turns for f in range(a, b)}
        for number, frame in enumerate(source.decode(shown)):
            marked = _marked(frame, labels[playing[number]])
            marked.pts, marked.time_base = number, tick
            film.mux(video.encode(marked))
        film.mux(video.encode(None))
        _encode_sound(film, audio, _alternating(sounds, turns, excerpt))
    return [{"sound": name, "from_frame": a, "to_frame": b} for name, a, b in turns]


def switch_points(excerpt: Excerpt, shortest: float = 5.0, longest: float = 12.0) -> list[int]:
    """Frames to change the sound at: cuts at least `shortest` s apart, and inside shots over `longest` s."""
    points: list[int] = []
    last = 0
    for cut in (*excerpt.cuts, excerpt.frames):
        turns = int((cut - last) / excerpt.rate // longest)
        points += [last + (cut - last) * i // (turns + 1) for i in range(1, turns + 1)]
        if cut - last >= shortest * excerpt.rate and excerpt.frames - cut >= shortest * excerpt.rate:
            points.append(cut)
            last = cut
    return points


def _alternating(sounds: dict[str, Sound], turns: list[tuple[str, int, int]], excerpt: Excerpt) -> Sound:
    """The two sounds in turn, joined by short crossfades."""
    first, second = sounds.values()
    share = np.zeros(excerpt.samples, np.float32)
    for name, a, b in turns:
        if sounds[name] is second:
            share[a * RATE // excerpt.rate : b * RATE // excerpt.rate] = 1.0
    smooth = np.convolve(np.pad(share, FADE // 2, mode="edge"), np.ones(FADE + 1) / (FADE + 1), mode="valid")
    return np.asarray(first * (1 - smooth) + second * smooth, np.float32)


def _audio_stream(film: av.container.OutputContainer) -> av.AudioStream:
    stream = film.add_stream("aac", rate=RATE, layout="stereo")
    assert isinstance(stream, av.AudioStream)
    stream.bit_rate = 256_000
    return stream


def _encode_sound(film: av.container.OutputContainer, stream: av.AudioStream, sound: Sound) -> None:
    for start in range(0, sound.shape[1], RATE):
        block = np.ascontiguousarray(np.clip(sound[:, start : start + RATE], -1.0, 1.0))
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
        film.mux(stream.encode(frame))
    film.mux(stream.encode(None))


def _label(text: str) -> NDArray[np.uint8]:
    """White letters on a dark plate, as luma with an even height and width."""
    font = ImageFont.load_default(28)
    left, top, right, bottom = font.getbbox(text)
    width, height = (int(right - left) + 33) // 2 * 2, (int(bottom - top) + 25) // 2 * 2
    plate = Image.new("L", (width, height), 24)
    ImageDraw.Draw(plate).text(
        ((width - right + left) / 2 - left, (height - bottom + top) / 2 - top), text, 235, font
    )
    return np.asarray(plate)


def _marked(frame: av.VideoFrame, label: NDArray[np.uint8]) -> av.VideoFrame:
    """The frame with a label in its upper left corner, drawn straight onto its planes."""
    planes = frame.to_ndarray(format="yuv420p")
    height, width = frame.height, frame.width
    rows, columns = label.shape
    planes[16 : 16 + rows, 16 : 16 + columns] = label
    for plane in (planes[height : height * 5 // 4], planes[height * 5 // 4 :]):
        colour = plane.reshape(height // 2, width // 2)
        colour[8 : 8 + rows // 2, 8 : 8 + columns // 2] = 128
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")
