"""The pictures of one clip's report: thumbnails, gain curves and spectrograms laid on one time axis."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...engine.errors import Cancelled, SightmixError
from ...engine.highlight.words import signed_db
from ...engine.media.container import layout_of
from ...engine.media.picture import sample_frames
from ...engine.media.reader import probe, read_blocks
from ...engine.media.time import to_samples
from ...engine.passage import GainCurves, Passage, Rendition, SeenFrame
from ...engine.progress import Progress
from .balance import Stretch
from .eta import clock
from .lanes import (
    GUTTER,
    PLOT,
    THUMB_HEIGHT,
    WIDTH,
    Axis,
    choose_frames,
    gain_bound,
    gain_path,
    gain_ticks,
    gain_y,
)
from .results import ClipResult
from .spectrogram import HIGH_HZ, LOW_HZ, Spectrogram

_THUMB_PIXELS = 160
_TICKS_TOP = 20.0
_LINK = 10.0
_GAINS = 104.0
_SPECTRUM = 76.0
_GAP = 6.0


@dataclass(frozen=True)
class Pictures:
    """What the page's template draws for one clip: `lanes` holds places, texts and image data."""

    lanes: dict[str, Any]


def gather(clip: ClipResult, progress: Progress) -> Pictures:
    """Make the pictures of a finished clip; media that can no longer be read leaves its lane empty."""
    passage, rendition = clip.passage, clip.rendition
    if passage is None or rendition is None:
        raise ValueError("only a finished clip has pictures")
    axis = Axis(float(rendition.start), float(rendition.start) + rendition.samples / rendition.sample_rate)
    cuts = [float(shot.start) for shot in passage.shots]
    spectra = _spectra(passage, rendition, progress)
    lanes = lanes_of(axis, rendition.frames, rendition.gains, cuts, spectra, progress)
    return Pictures(lanes | {"handles": _handles(passage, axis)})


def panorama(
    stretches: Sequence[Stretch],
    frames: tuple[SeenFrame, ...],
    gains: GainCurves,
    cuts: Sequence[float],
    progress: Progress,
) -> list[Pictures]:
    """The pictures of a whole programme, a row of lanes for every stretch; times are record seconds."""
    rows = []
    for stretch in stretches:
        axis = Axis(stretch.first, stretch.last)
        seen = tuple(frame for frame in frames if stretch.first <= frame.time < stretch.last)
        spectra = [("Before", stretch.before, stretch.rate), ("After", stretch.after, stretch.rate)]
        part = _between(gains, stretch.first, stretch.last)
        rows.append(Pictures(lanes_of(axis, seen, part, cuts, spectra, progress) | {"handles": []}))
    return rows


def _between(gains: GainCurves, first: float, last: float) -> GainCurves:
    """The part of curves between two times."""
    a, b = np.searchsorted(gains.times, [first, last])
    return GainCurves(gains.times[a:b], {stem: line[a:b] for stem, line in gains.levels.items()})


def lanes_of(
    axis: Axis,
    frames: tuple[SeenFrame, ...],
    gains: GainCurves,
    cuts: Sequence[float],
    spectra: Sequence[tuple[str, bytes, int]],
    progress: Progress,
) -> dict[str, Any]:
    """Everything of one row of lanes but handles; `spectra` are names, PNGs and sample rates."""
    gains_top = _TICKS_TOP + THUMB_HEIGHT + _LINK
    spectra_top = gains_top + _GAINS + _GAP
    thumbs, no_thumbs = _thumbs(frames, axis, progress)
    if not thumbs:
        gains_top, spectra_top = gains_top - THUMB_HEIGHT + 14, spectra_top - THUMB_HEIGHT + 14
    return {
        "width": WIDTH,
        "height": spectra_top + len(spectra) * (_SPECTRUM + _GAP),
        "left": GUTTER,
        "right": GUTTER + PLOT,
        "ticks": axis.ticks(),
        "thumbs": thumbs,
        "no_thumbs": no_thumbs,
        "thumbs_top": _TICKS_TOP,
        "thumb_height": THUMB_HEIGHT,
        "gains_top": gains_top,
        "gains_height": _GAINS,
        "cuts": [axis.x(cut) for cut in cuts if axis.first < cut < axis.last],
        "spectrum_height": _SPECTRUM,
        "spectra": [
            _spectrum(name, png, rate, round(spectra_top + place * (_SPECTRUM + _GAP), 2))
            for place, (name, png, rate) in enumerate(spectra)
        ],
        **_gains(gains, axis, gains_top),
    }


def data_uri(data: bytes, kind: str) -> str:
    """`data` as a URI that holds it."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def jpeg(frame: NDArray[np.uint8]) -> bytes:
    """A picture (height, width, 3) as a small JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "JPEG", quality=72, optimize=True)
    return buffer.getvalue()


def _spectrum(name: str, png: bytes, rate: int, top: float) -> dict[str, Any]:
    return {"name": name, "top": top, "uri": data_uri(png, "png"), "ticks": _frequencies(top, rate)}


def _gains(gains: GainCurves, axis: Axis, top: float) -> dict[str, Any]:
    bound = gain_bound(gains)
    levels = [
        (round(top + gain_y(level, bound) * _GAINS, 2), signed_db(level), level == 0)
        for level in gain_ticks(bound)
    ]
    curves = []
    for stem, levels_db in reversed(list(gains.levels.items())):  # speech is drawn last, on top
        places = [gain_y(float(v), bound) for v in levels_db]
        curves.append((stem, gain_path(axis, gains.times, places, top, _GAINS)))
    return {"levels": levels, "curves": curves}


def _handles(passage: Passage, axis: Axis) -> list[tuple[float, float]]:
    head, tail = axis.x(0.0), axis.x(float(passage.sound.duration))
    ends = [(GUTTER, head - GUTTER), (tail, GUTTER + PLOT - tail)]
    return [(round(x, 2), round(width, 2)) for x, width in ends if width > 0.5]


def _thumbs(
    frames: tuple[SeenFrame, ...], axis: Axis, progress: Progress
) -> tuple[list[dict[str, Any]], str]:
    """Thumbnails with their places, or the reason why there are none."""
    if not frames:
        return [], "The sound alone: no picture was looked at."
    try:
        shapes = {path: _thumb_shape(path) for path in {f.path for f in frames}}
        widest = max(width * THUMB_HEIGHT / height for height, width in shapes.values())
        chosen = choose_frames(frames, axis, widest)
        pixels = _read_frames([frame for frame, _ in chosen], shapes, progress)
    except Cancelled:
        raise
    except SightmixError as error:
        return [], f"The pictures can no longer be read: {error}"
    thumbs = []
    for frame, left in chosen:
        height, width = shapes[frame.path]
        shown = round(width * THUMB_HEIGHT / height, 2)
        thumbs.append(
            {
                "x": left,
                "width": shown,
                "middle": round(left + shown / 2, 2),
                "at": axis.x(frame.time),
                "uri": data_uri(jpeg(pixels[id(frame)]), "jpeg"),
                "title": f"{frame.path.name} at {clock(float(frame.media_time), 0.1)}",
            }
        )
    return thumbs, ""


def _thumb_shape(path: Path) -> tuple[int, int]:
    """Height and width in pixels of a file's thumbnails; very wide and very tall pictures are bounded."""
    video = probe(path).video
    ratio = 16 / 9 if video is None or not video.height else video.width / video.height
    ratio = min(max(ratio, 0.5), 2.6)
    width = min(_THUMB_PIXELS, round(96 * ratio))
    return max(2, round(width / ratio)), max(2, width)


def _read_frames(
    frames: Iterable[SeenFrame], shapes: dict[Path, tuple[int, int]], progress: Progress
) -> dict[int, NDArray[np.uint8]]:
    by_path: dict[Path, list[SeenFrame]] = {}
    for frame in frames:
        by_path.setdefault(frame.path, []).append(frame)
    found = {}
    for path, some in by_path.items():
        height, width = shapes[path]
        pictures = sample_frames(path, [f.media_time for f in some], height, width, progress)
        found.update({id(f): picture for f, picture in zip(some, pictures, strict=True)})
    return found


def _spectra(passage: Passage, rendition: Rendition, progress: Progress) -> list[tuple[str, bytes, int]]:
    """Names, PNGs and sample rates of the spectrograms of a clip before and after, as far as they can be read."""
    rate, samples = rendition.sample_rate, rendition.samples
    sound = passage.sound
    original = (sound.path, to_samples(sound.start, rate) + to_samples(rendition.start, rate), sound.channels)
    sources = [("Before", *original), ("After", rendition.path, 0, None)]
    spectra = []
    for name, path, first, channels in sources:
        gathered = Spectrogram(rate, samples)
        try:
            downmix = layout_of(probe(path), channels).mono
            for block in read_blocks(path, first, samples, channels):
                gathered.push((downmix @ block)[None])
                progress.report("report", passage.name, 0, 0)
        except Cancelled:
            raise
        except SightmixError:
            continue
        spectra.append((name, gathered.png(), rate))
    return spectra


def _frequencies(top: float, rate: int) -> list[tuple[float, str]]:
    high = min(HIGH_HZ, rate / 2)
    ticks = []
    for hertz, text in ((100, "100 Hz"), (1000, "1 kHz"), (10_000, "10 kHz")):
        if hertz < high:
            place = 1.0 - np.log(hertz / LOW_HZ) / np.log(high / LOW_HZ)
            ticks.append((round(top + float(place) * _SPECTRUM, 2), text))
    return ticks
