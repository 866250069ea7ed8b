"""What is measured on: film of any length made by repeating the demo's excerpt, and timelines over it."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import opentimelineio as otio

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "examples"))

from soundtrack import RATE, Excerpt  # noqa: E402

EXCERPT = ROOT / "examples" / "bbb"
TICKS = 12_288  # of the film's video clock, a second


def film_of(minutes: float, folder: Path) -> Path:
    """A 1280x720 film with stereo sound at least `minutes` long, made once and kept in `folder`."""
    excerpt = Excerpt.read(EXCERPT)
    turns = -(-round(minutes * 60 * excerpt.rate) // excerpt.frames)
    path = folder / f"film_{turns:03d}.mp4"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        once = folder / "picture.mp4"
        if not once.exists():
            _whole(once, lambda part: _enlarge(excerpt, part))
        _whole(path, lambda part: _repeat(once, excerpt, turns, part))
    return path


def _whole(path: Path, make: Callable[[Path], None]) -> None:
    """Make a file under another name first, so that an interrupted run leaves no half of it."""
    part = path.with_name(f"part_{path.name}")
    make(part)
    part.replace(path)


def _enlarge(excerpt: Excerpt, out: Path) -> None:
    """The excerpt's picture at 1280x720, long groups of pictures as cameras and hosts write them."""
    tick = Fraction(1, excerpt.rate)
    with av.open(str(excerpt.picture)) as source, av.open(str(out), "w") as film:
        shown = source.streams.video[0]
        shown.thread_type = "AUTO"
        options = {"crf": "26", "preset": "veryfast", "g": "96"}
        video = film.add_stream("libx264", rate=excerpt.rate, options=options)
        video.width, video.height, video.pix_fmt, video.time_base = 1280, 720, "yuv420p", tick
        for number, frame in enumerate(source.decode(shown)):
            large = frame.reformat(1280, 720, "yuv420p")
            large.pts, large.time_base, large.pict_type = number, tick, 0
            film.mux(video.encode(large))
        film.mux(video.encode(None))


def _repeat(once: Path, excerpt: Excerpt, turns: int, out: Path) -> None:
    """The picture's packets `turns` times over, with the excerpt's sound as one AAC stream."""
    with av.open(str(excerpt.picture)) as source:
        blocks = [frame.to_ndarray() for frame in source.decode(source.streams.audio[0])]
    sound = np.concatenate(blocks, axis=1)[:, : excerpt.samples]
    length = excerpt.frames * TICKS // excerpt.rate
    with av.open(str(once)) as source, av.open(str(out), "w") as film:
        shown = source.streams.video[0]
        video = film.add_stream_from_template(shown)
        audio = film.add_stream("aac", rate=RATE, layout="stereo")
        packets = [
            (p.dts, p.pts, p.is_keyframe, bytes(p))
            for p in source.demux(shown)
            if p.dts is not None and p.pts is not None
        ]
        assert shown.time_base is not None
        for turn in range(turns):
            for dts, pts, key, data in packets:
                packet = av.Packet(data)
                packet.stream, packet.time_base, packet.is_keyframe = video, shown.time_base, key
                packet.dts, packet.pts = dts + turn * length, pts + turn * length
                film.mux(packet)
            for start in range(0, sound.shape[1], RATE):
                block = np.ascontiguousarray(sound[:, start : start + RATE])
                frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
                frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
                frame.pts = turn * sound.shape[1] + start
                film.mux(audio.encode(frame))
        film.mux(audio.encode(None))


def timeline_of(
    film: Path, minutes: float, out: Path, sounds: Mapping[str, tuple[str, Path]] | None = None
) -> Path:
    """A timeline with every shot its own clip, `minutes` long, over an audio clip on each track.

    `sounds` are the tracks' clips, names and media, by the tracks' names; the film's own sound if there are none.
    """
    excerpt = Excerpt.read(EXCERPT)
    frames = round(minutes * 60 * excerpt.rate)
    edges = [0, *itertools.takewhile(lambda cut: cut < frames, _cuts(excerpt)), frames]
    timeline = otio.schema.Timeline(f"{minutes:g} minutes")
    picture = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video)
    for number, (a, b) in enumerate(itertools.pairwise(edges), 1):
        picture.append(_clip(f"shot {number}", film, a, b - a, excerpt.rate))
    timeline.tracks.append(picture)
    for track, (name, media) in (sounds or {"A1": ("film sound", film)}).items():
        sound = otio.schema.Track(track, kind=otio.schema.TrackKind.Audio)
        sound.append(_clip(name, media, 0, frames, excerpt.rate))
        timeline.tracks.append(sound)
    otio.adapters.write_to_file(timeline, str(out))
    return out


def _cuts(excerpt: Excerpt) -> Iterator[int]:
    for turn in itertools.count():
        start = turn * excerpt.frames
        yield from (start + cut for cut in ((0, *excerpt.cuts) if turn else excerpt.cuts))


def _clip(name: str, film: Path, first: int, count: int, rate: int) -> otio.schema.Clip:
    start, length = otio.opentime.RationalTime(first, rate), otio.opentime.RationalTime(count, rate)
    reference = otio.schema.ExternalReference(film.resolve().as_uri())
    return otio.schema.Clip(name, reference, otio.opentime.TimeRange(start, length))
