"""Gain curves ridden over a clip's stems: what sounds under them, measured and written, as a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..media.layout import Layout
from ..media.loudness import Meter
from ..media.reader import read_blocks
from ..media.takes import Takes
from ..media.writer import Subtype, WavWriter
from ..passage import Channel, Loudness
from ..progress import Progress
from ..roles import STEMS
from ..stamp import Stamp
from .config import HOP, MODEL_RATE
from .spectral import GainRamps

Array = NDArray[np.float32]
Make = Callable[[Path, Subtype], WavWriter]


@dataclass(frozen=True)
class Source:
    """A stem's sound: a file, its sample that is the clip's first (with handles), and the channels that play.

    `stamp` is of the file that is meant.
    """

    stem: str
    path: Path
    first: int
    channels: tuple[Channel, ...] | None = None
    stamp: Stamp | None = None


@dataclass(frozen=True)
class Bounce:
    """A clip of `samples` at `rate` Hz in `layout`, made of `sources`, and `gains` (3, K) dB over it.

    The gains are on the model's grid, counted from the clip's first sample with its handles; a stem without a source
    has none of the sound. Where `whole`, the last source is all of the sound, and its stem what the others leave of it:
    then equal gains cost no precision, and 0 dB leaves every sample as it was.
    """

    name: str
    sources: tuple[Source, ...]
    gains: Array
    rate: int
    samples: int
    layout: Layout
    whole: bool = False


@dataclass(frozen=True)
class Bounced:
    """What came of it: loudness before and after, and, of what was written, every stem's in LUFS (before, after)."""

    before: Loudness
    after: Loudness
    stem_levels: Mapping[str, tuple[float, float]]


def grid_times(samples: int, rate: int) -> NDArray[np.float64]:
    """Seconds from the first sample at which a curve over `samples` at `rate` has its points: frame centres."""
    return frame_times(-(-samples * MODEL_RATE // (rate * HOP)))


def frame_times(frames: int) -> NDArray[np.float64]:
    """Seconds of the centres of so many frames of the model's grid."""
    return (np.arange(frames) * HOP + HOP / 2) / MODEL_RATE


def bounce(
    what: Bounce,
    make: Make,
    path: Path | None,
    stems: Mapping[str, Path],
    progress: Progress,
) -> Bounced:
    """Measure a clip under its gains and write it to `path`, and its stems under theirs to `stems` (by stem).

    `make` gives the writer of a path; nothing is written where none is given. 24 bits, or floats where a sample passes
    full scale. Raises MediaError, WriteError and Cancelled; nothing half-written remains.
    """
    channels, weights = what.layout.channels, what.layout.mono
    wanted = [source.stem for source in what.sources]
    order = [STEMS.index(stem) for stem in wanted]
    before, after = (Meter(what.rate, channels, what.layout) for _ in range(2))
    ramps = GainRamps(what.rate, len(order))
    ramps.extend(what.gains[order])
    paths = [*([path] if path else []), *stems.values()]
    alone = [tuple(Meter(what.rate, 1, true_peak=False) for _ in range(2)) for _ in order] if path else []
    with ExitStack() as stack:
        takes = stack.enter_context(Takes(paths, make)) if paths else None
        done = 0
        for sounds in _side_by_side(what):
            gains = ramps.pull(sounds[0].shape[1])
            dry, mixed, blocks = _ridden(sounds, gains, what.whole)
            louder = [block * gain for block, gain in zip(blocks, gains, strict=True)]
            before.push(dry)
            after.push(mixed)
            for (was, now), stem, ridden in zip(alone, blocks, louder, strict=False):
                was.push((weights @ stem)[None].astype(np.float32))
                now.push((weights @ ridden)[None].astype(np.float32))
            if takes is not None:
                found = dict(zip(wanted, louder, strict=True))
                silence = np.zeros_like(mixed)
                takes.write([*([mixed] if path else []), *(found.get(stem, silence) for stem in stems)])
            done += mixed.shape[1]
            progress.report("bounce", what.name, done / what.rate, what.samples / what.rate)
        result = after.result()
        if takes is not None and path:
            takes.set_loudness(0, result)
    levels = {
        stem: (was.result().integrated, now.result().integrated)
        for stem, (was, now) in zip(wanted, alone, strict=False)
    }
    return Bounced(before.result(), result, {stem: levels.get(stem, _SILENT) for stem in STEMS})


def _ridden(sounds: Sequence[Array], gains: Array, whole: bool) -> tuple[Array, Array, list[Array]]:
    """The sum before and after gains (S, n), and the stems, of sounds (channels, n)."""
    if not whole:
        dry = np.stack(sounds).sum(axis=0, dtype=np.float64)
        wet = sum(gain * sound.astype(np.float64) for gain, sound in zip(gains, sounds, strict=True))
        return dry.astype(np.float32), np.asarray(wet, np.float32), list(sounds)
    *parts, dry = sounds
    last = gains[-1]
    wet = last * dry + sum((gain - last) * part for gain, part in zip(gains, parts, strict=False))
    rest = dry - sum(parts)
    return dry, np.asarray(wet, np.float32), [*parts, np.asarray(rest, np.float32)]


_SILENT = (float("-inf"), float("-inf"))


def _side_by_side(what: Bounce) -> Iterator[Sequence[Array]]:
    """Equal blocks (channels, n) of all sources."""
    streams = [
        read_blocks(source.path, source.first, what.samples, source.channels, stamp=source.stamp)
        for source in what.sources
    ]
    held: list[Array] = [np.zeros((what.layout.channels, 0), np.float32) for _ in streams]
    left = what.samples
    while left > 0:
        for i, stream in enumerate(streams):
            if not held[i].shape[1]:
                held[i] = next(stream)
        count = min(block.shape[1] for block in held)
        yield [block[:, :count] for block in held]
        held = [block[:, count:] for block in held]
        left -= count
