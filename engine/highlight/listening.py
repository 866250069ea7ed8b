"""Listening to a programme: the sum of what sounds, with those of its stems told that lie on tracks of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from ..context.subjects import Subject, nearest
from ..errors import ModelError
from ..media.loudness import KWeighting, Meter
from ..media.resample import Resampler
from ..passage import Note, Passage, SeenFrame, Shot, Sound
from ..progress import Progress
from ..roles import STEMS
from .config import HOP, LEVEL_BANDS, MODEL_RATE, frames_of, to_reference
from .context import WindowContext
from .spectral import magnitudes
from .stream import WindowStream
from .told import Told, band_power
from .windows import cut_frames

if TYPE_CHECKING:
    from .backends import Network

Array = NDArray[np.float32]

OTHER = 2 * len(STEMS)  # the lane of what belongs to no stem
LANES = OTHER + 1
_FLOOR_DB = -120.0


class Owner(Protocol):
    """Who has a network and can say what it is shown."""

    @property
    def network(self) -> Network:
        """The network."""

    def window_context(
        self, passage: Passage, start: Fraction, duration: Fraction, progress: Progress
    ) -> WindowContext:
        """Context of the window [start, start + duration) in seconds."""


@dataclass(frozen=True)
class Score:
    """A programme as the engine takes it: what sounds when, and what is seen with it, in record time from 0.

    `blocks` gives, again and again, (7, channels, n) blocks at `rate`: speech, music and effects that are known to be
    such, the same three out of separated mixes, and what belongs to none of them. `weights` (channels,) make the mono
    downmix of them, `shots` are the whole picture.
    """

    name: str
    rate: int
    samples: int
    weights: Array
    blocks: Callable[[], Iterator[Array]]
    shots: tuple[Shot, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.samples / self.rate

    @property
    def frames(self) -> int:
        """Frames of the model's grid."""
        return frames_of(int(Fraction(self.samples * MODEL_RATE, self.rate)))


@dataclass(frozen=True)
class Listening:
    """What was heard and what the network says of it, on the model's grid of T frames.

    `gains` (3, T) dB are the network's own; `levels` (3, T) K-weighted levels of the stems in LUFS, frame by frame;
    `unsure` (3, T) which share of each is an estimate; `frames` are the pictures that were looked at, `subjects` what
    each of them shows, as far as that is known.
    """

    gains: Array
    levels: Array
    unsure: Array
    cuts: NDArray[np.intp]
    lufs: float
    frames: tuple[SeenFrame, ...] = ()
    subjects: tuple[Subject | None, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: dict[str, float] | None = None


def listen(owner: Owner, score: Score, progress: Progress) -> Listening:
    """Let the network hear a programme; raises MediaError and Cancelled. Memory does not grow with its sound."""
    lufs, levels, unsure = measured(score, progress)
    passage = _passage(score)
    cuts = cut_frames([shot.start for shot in score.shots[1:]], Fraction(0))

    def context(start: Fraction, duration: Fraction) -> WindowContext:
        return owner.window_context(passage, start, duration, progress)

    network = owner.network

    def predict(sound: Array, seen: WindowContext) -> tuple[Array]:
        known, parted = sound[: len(STEMS)], sound[len(STEMS) : OTHER]
        power = np.stack([_bands(stem) for stem in known + parted])
        gains = network.gains(
            magnitudes(sound.sum(axis=0))[None],
            sound.sum(axis=0)[None],
            seen.features[None],
            seen.times[None],
            seen.valid[None],
            _told(known, parted, power),
        )
        return (gains[0],)

    stream = WindowStream(
        predict, context, score.rate, score.samples, LANES, cuts, Fraction(0), progress.check
    )
    scale = score.weights * np.float32(to_reference(lufs))
    found: list[Array] = []
    taken = 0
    try:
        for block in score.blocks():
            taken += block.shape[2]
            mono = np.einsum("lcn,c->ln", block, scale).astype(np.float32)
            found += [gains for (gains,) in stream.push(mono, taken >= score.samples)]
            progress.report("listen", score.name, taken / score.rate, score.seconds)
    finally:
        stream.close()
    gains = np.concatenate(found, axis=1) if found else np.zeros((len(STEMS), 0), np.float32)
    return Listening(
        gains,
        levels,
        unsure,
        cuts,
        lufs,
        tuple(stream.frames),
        _subjects(stream.features),
        tuple(stream.warnings),
        stream.seconds,
    )


def _subjects(features: list[Array]) -> tuple[Subject | None, ...]:
    """What pictures show; what cannot be told for want of the subjects' file costs the words alone."""
    if not features:
        return ()
    try:
        return tuple(nearest(np.stack(features)))
    except ModelError:
        return (None,) * len(features)


def _bands(stem: Array) -> Array:
    """Band powers (6, T) of a window of a stem (L,), which is often silent."""
    if stem.any():
        return band_power(magnitudes(stem))
    return np.zeros((len(LEVEL_BANDS), frames_of(stem.size)), np.float32)


def _told(known: Array, parted: Array, power: Array) -> Told:
    """What the gain head is told of a window: band powers (3, 6, T) of the stems, and how sure they are."""
    energy = np.square(known).sum(axis=1), np.square(parted).sum(axis=1)
    whole = energy[0] + energy[1]
    unsure = np.divide(energy[1], whole, out=np.zeros_like(whole), where=whole > 0)
    return Told(power.reshape(1, -1, power.shape[-1]), unsure[None], np.zeros(1, np.float32))


def measured(score: Score, progress: Progress) -> tuple[float, Array, Array]:
    """How loud the programme's downmix is (LUFS), its stems' levels (3, T) and how much of each is an estimate."""
    rate, total = score.rate, score.frames
    meter = Meter(rate, 1, true_peak=False)
    weighting = KWeighting(rate, OTHER)
    resampler = Resampler(rate, MODEL_RATE, OTHER)
    power = np.zeros((OTHER, total), np.float64)
    held = np.zeros((OTHER, 0), np.float32)
    at = taken = 0
    for block in score.blocks():
        taken += block.shape[2]
        mono = np.einsum("lcn,c->ln", block, score.weights).astype(np.float32)
        meter.push(mono.sum(axis=0, keepdims=True))
        weighted = weighting.process(mono[:OTHER]).astype(np.float32)
        held = np.concatenate([held, resampler.process(weighted, taken >= score.samples)], axis=1)
        if taken >= score.samples:
            held = np.pad(held, ((0, 0), (0, max(0, (total - at) * HOP - held.shape[1]))))
        count = min(held.shape[1] // HOP, total - at)
        hops = held[:, : count * HOP].reshape(OTHER, count, HOP)
        power[:, at : at + count] = np.square(hops).mean(axis=2)
        held, at = held[:, count * HOP :], at + count
        progress.report("measure", score.name, taken / rate, score.seconds)
    known, parted = power[: len(STEMS)], power[len(STEMS) :]
    whole = known + parted
    levels = -0.691 + 10 * np.log10(np.maximum(whole, 10 ** ((_FLOOR_DB + 0.691) / 10)))
    unsure = np.divide(parted, whole, out=np.zeros_like(whole), where=whole > 0)
    return meter.result().integrated, levels.astype(np.float32), unsure.astype(np.float32)


def _passage(score: Score) -> Passage:
    """The programme as what asks for pictures knows it."""
    sound = Sound(Path(), Fraction(0), Fraction(score.samples, score.rate))
    return Passage(score.name, score.name, sound, shots=score.shots, notes=score.notes)
