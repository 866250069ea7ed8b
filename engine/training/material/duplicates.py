"""The same recording twice: found across packages at any gain, trim, sample rate and lossy coding.

Every sound is described by short patches of its spectrogram, each cut where the sound grows loud, so that a copy's
patches start at the same moments however it was trimmed. Patches hold neither gain, colour nor envelope, only what is
left of the log spectrogram without them; two that look alike are candidates, which their waveforms then decide.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import maximum_filter1d

from ...errors import TrainingError
from ...progress import Progress
from .library import Corpus, Item
from .recipes import KINDS, SPLITS
from .sounds import SAMPLE_RATE, Sound

# Two sounds this alike are one recording.
SAME = 0.9
# Sounds are compared at a quarter of their rate: copies are often kept at 11 or 22 kHz.
COARSER = 4
RATE = SAMPLE_RATE // COARSER
HOP, WINDOW = 256, 1024  # samples at RATE
BANDS, FRAMES = 24, 24  # of a patch; frames are averaged in twos
LOW_HZ, HIGH_HZ = 100.0, 5000.0
RANGE_DB = 50.0  # what lies further under a patch's loudest band tells nothing: coding noise
NEAR_S = 0.35  # of two moments this near only the one that grows louder is kept
GLANCE_S, PASSING = 0.4, 0.6  # so long a stretch is compared first, and so alike it must be for more
TRIES = 8  # alignments of two sounds that are tried
STRETCH_S = 3.0  # how much of two sounds is compared, or most of the shorter one
MOST_S = 0.8  # that most
MARGIN = 64  # coarse samples beside a stretch, for the filter that makes it coarse
SLACK_S = 0.06  # how far alignment by patches may be off
LIKELY = 0.85  # likeness of two patches that makes their sounds worth a closer look
BLOCK = 2048  # patches compared at once


@dataclass(frozen=True)
class Patches:
    """Patches of many sounds: unit `rows` (patches, values), their sounds' numbers and starts in seconds."""

    rows: NDArray[np.float32]
    owners: NDArray[np.int32]
    times: NDArray[np.float32]


@dataclass(frozen=True)
class Pair:
    """Two sounds and their correlation (0 to 1): of waveforms at the best lag, without gain and colour."""

    first: Item
    second: Item
    correlation: float

    @property
    def leaks(self) -> bool:
        """Whether one recording serves two splits."""
        return self.correlation >= SAME and self.first.split != self.second.split

    def __str__(self) -> str:
        names = " and ".join(f"{i.package} {i.source} ({i.split})" for i in (self.first, self.second))
        return f"{self.correlation:.3f} {self.first.kind}: {names}"


def coarse(sound: Sound) -> Sound:
    """`sound` (samples,) at 44.1 kHz brought to `RATE`, its highs lifted so that rumble does not decide alone."""
    low = soxr.resample(np.asarray(sound, dtype=np.float32), SAMPLE_RATE, RATE, quality="MQ")
    lifted = np.empty_like(low)
    lifted[:1], lifted[1:] = low[:1], low[1:] - np.float32(0.9) * low[:-1]
    return lifted


def moments(sound: Sound) -> NDArray[np.int64]:
    """The frames (of `HOP` samples) where a coarse sound grows loudest, none within `NEAR_S` of a greater one."""
    frames = max(1, -(-sound.size // HOP))
    padded = np.zeros(frames * HOP, dtype=np.float32)
    padded[: sound.size] = sound
    power = np.mean(padded.reshape(frames, HOP) ** 2, axis=1)
    level = 10 * np.log10(np.maximum(power, power.max(initial=1e-12) * 1e-5) + 1e-12)
    before = np.concatenate([[level.min()] * 2, level])
    rise = level - np.minimum(before[:-2], before[1:-1])
    greatest = maximum_filter1d(rise, 2 * round(NEAR_S * RATE / HOP) + 1, mode="nearest")
    found = np.flatnonzero((rise >= greatest) & (level > level.max() - 40))
    return found if found.size else np.array([int(np.argmax(level))])


def patches(sound: Sound, shift: int = 0) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Unit patches (n, values) of a coarse sound and their starts (n,) in seconds, all `shift` frames late."""
    starts = (moments(sound) - 2 + shift) * HOP
    length = (FRAMES - 1) * HOP + WINDOW
    padded = np.concatenate([np.zeros(4 * HOP, np.float32), sound, np.zeros(length, np.float32)])
    rows = []
    for block in np.array_split(starts, max(1, starts.size // 256)):
        cut = np.stack([padded[start + 4 * HOP :][:length] for start in block])
        framed = np.lib.stride_tricks.sliding_window_view(cut, WINDOW, axis=1)[:, ::HOP]
        power = np.abs(fft.rfft(framed * np.hanning(WINDOW).astype(np.float32), axis=2)) ** 2
        rows.append(_described(power))
    return np.concatenate(rows), (starts / RATE).astype(np.float32)


def _described(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """What is left of power spectrograms (n, frames, bins) without gain, colour and envelope, as (n, values)."""
    edges = np.geomspace(LOW_HZ, HIGH_HZ, BANDS + 1) * WINDOW / RATE
    first = np.maximum.accumulate(np.floor(edges).astype(int))
    bands = np.add.reduceat(power, first, axis=2)[:, :, :BANDS]
    bands = bands.reshape(len(bands), FRAMES // 2, 2, BANDS).mean(axis=2)
    floor = bands.max(axis=(1, 2), keepdims=True) * 10 ** (-RANGE_DB / 10) + 1e-12
    level = np.log10(np.maximum(bands, floor))
    level -= level.mean(axis=1, keepdims=True)
    level -= level.mean(axis=2, keepdims=True)
    flat = level.reshape(len(level), -1)
    norm = np.sqrt(np.sum(flat**2, axis=1, keepdims=True))
    return (flat / np.maximum(norm, 1e-6)).astype(np.float32)


@dataclass(frozen=True)
class _Heard:
    """A sound of a corpus, of which coarse stretches are read as they are asked for."""

    corpus: Corpus
    item: Item

    @property
    def size(self) -> int:
        """Its length in coarse samples."""
        return self.item.samples // COARSER

    def cut(self, start: int, samples: int) -> Sound:
        """`samples` coarse ones from `start`, silence where it has none."""
        out = np.zeros(samples, dtype=np.float32)
        low, high = max(0, start), min(self.size, start + samples)
        if high > low:
            before = min(low, MARGIN)
            part = (low - before) * COARSER, (high - low + before + MARGIN) * COARSER
            found = coarse(self.corpus.audio(self.item, *part))[before : before + high - low]
            out[low - start : low - start + found.size] = found
        return out


def _correlation(first: _Heard, second: _Heard, lag: int, at: int, longest: float = STRETCH_S) -> float:
    """How alike two sounds are when sample `at` of `first` falls on sample `at + lag` of `second`: 0 to 1.

    The highest correlation of `longest` seconds around `at`, or of most of the shorter sound, within `SLACK_S` of it,
    between samples too; what the shorter has and the other lacks counts as different.
    """
    stretch = int(min(longest * RATE, MOST_S * min(first.size, second.size)))
    low, high = max(0, -lag), min(first.size, second.size - lag)
    start = int(np.clip(at - stretch // 4, low, max(low, high - stretch)))
    slack = round(SLACK_S * RATE)
    return _peak(first.cut(start, stretch), second.cut(start + lag - slack, stretch + 2 * slack))


def _peak(needle: Sound, hay: Sound) -> float:
    """The highest absolute correlation of `needle` with any stretch of `hay` as long, a quarter sample apart."""
    size = fft.next_fast_len(needle.size + hay.size, real=True)
    cross = fft.rfft(hay, size) * np.conj(fft.rfft(needle, size))
    fine = np.zeros(2 * size + 1, dtype=cross.dtype)
    fine[: cross.size] = cross
    products = 4 * fft.irfft(fine, 4 * size)[: 4 * (hay.size - needle.size) + 1]
    energy = np.cumsum(np.concatenate([[0.0], hay.astype(np.float64) ** 2]))
    local = energy[needle.size :] - energy[: hay.size - needle.size + 1]
    lags = np.arange(products.size) / 4
    norm = np.interp(lags, np.arange(local.size), local) * float(np.sum(needle.astype(np.float64) ** 2))
    # A window that hardly overlaps a sound must not be divided by next to nothing.
    floor = max(float(norm.max(initial=0.0)) * 1e-2, 1e-20)
    return float(np.max(np.abs(products) / np.sqrt(np.maximum(norm, floor)), initial=0.0))


def find_pairs(
    corpus: Corpus, progress: Progress | None = None, inside: bool = False, at_least: float = SAME
) -> list[Pair]:
    """Pairs of sounds of different splits whose correlation is `at_least` so high, highest first.

    With `inside` those of one split too. Raises `TrainingError` when a file of the corpus is cut short.
    """
    items = corpus.items()
    search = _Search(corpus, items, progress or Progress())
    known = search.describe()
    splits = np.array([SPLITS.index(item.split) for item in items])
    found: dict[tuple[int, int], float] = {}
    for shift in (-1, 0, 1):
        asked = known if inside else _of(known, np.flatnonzero(splits > 0))
        late = asked if shift == 0 else search.describe(np.unique(asked.owners), shift)
        for here, there in _likely(late, known, splits, inside):
            search.look(late, known, here, there, found)
    pairs = [Pair(items[a], items[b], value) for (a, b), value in found.items() if value >= at_least]
    return sorted(pairs, key=lambda pair: (-pair.correlation, pair.first.id, pair.second.id))


def _of(known: Patches, owners: NDArray[np.intp]) -> Patches:
    mine = np.isin(known.owners, owners)
    return Patches(known.rows[mine], known.owners[mine], known.times[mine])


def _likely(
    asked: Patches, known: Patches, splits: NDArray[np.intp], inside: bool
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Rows of `asked` and rows of `known` that look alike and whose sounds may be compared, block by block."""
    for start in range(0, len(known.rows), BLOCK):
        owners = known.owners[start : start + BLOCK]
        likeness = asked.rows @ known.rows[start : start + BLOCK].T
        here, there = np.nonzero(likeness >= LIKELY)
        a, b = asked.owners[here], owners[there]
        mine = (a < b) if inside else ((splits[a] != splits[b]) & ((splits[b] == 0) | (a < b)))
        yield here[mine], there[mine] + start


class _Search:
    """Describes the sounds of a corpus, and looks closer at those that may be one recording."""

    def __init__(self, corpus: Corpus, items: Sequence[Item], progress: Progress) -> None:
        self.corpus = corpus
        self.items = items
        self.progress = progress
        self._tries: Counter[tuple[int, int]] = Counter()

    def describe(self, owners: NDArray[np.int32] | None = None, shift: int = 0) -> Patches:
        """The patches of all sounds, or of those numbered `owners`."""
        chosen = range(len(self.items)) if owners is None else owners.tolist()
        rows, times, counts = [], [], []
        for done, number in enumerate(chosen):
            self.progress.report("duplicates", self.items[number].id, done, len(chosen), "sounds")
            own, own_times = patches(coarse(self.corpus.audio(self.items[number])), shift)
            rows.append(own.astype(np.float16))
            times.append(own_times)
            counts.append(len(own))
        if not rows:
            empty = np.zeros(0, dtype=np.float32)
            return Patches(empty.reshape(0, BANDS * FRAMES // 2), empty.astype(np.int32), empty)
        numbers = np.repeat(np.fromiter(chosen, dtype=np.int32), counts)
        return Patches(np.concatenate(rows).astype(np.float32), numbers, np.concatenate(times))

    def look(
        self,
        asked: Patches,
        known: Patches,
        here: NDArray[np.intp],
        there: NDArray[np.intp],
        found: dict[tuple[int, int], float],
    ) -> None:
        """Enter in `found` the highest correlation of each pair of sounds whose patches are paired."""
        for one, other in zip(here.tolist(), there.tolist(), strict=True):
            pair = a, b = int(asked.owners[one]), int(known.owners[other])
            if found.get(pair, 0.0) < SAME and self._tries[pair] < TRIES:
                self._tries[pair] += 1
                at = round(float(asked.times[one]) * RATE)
                lag = round(float(known.times[other] - asked.times[one]) * RATE)
                found[pair] = max(found.get(pair, 0.0), self._compare(a, b, lag, at))

    def _compare(self, a: int, b: int, lag: int, at: int) -> float:
        first, second = _Heard(self.corpus, self.items[a]), _Heard(self.corpus, self.items[b])
        glance = _correlation(first, second, lag, at, GLANCE_S)
        return glance if glance < PASSING else _correlation(first, second, lag, at)


def refuse_leaks(corpus: Corpus, progress: Progress | None = None) -> None:
    """Raise `TrainingError` when one recording serves two splits, however loud, trimmed or coded."""
    leaks = [pair for pair in find_pairs(corpus, progress) if pair.leaks]
    if leaks:
        raise TrainingError(
            f"One recording serves two splits, {len(leaks)} times in all; the first is {leaks[0]}. "
            "Drop one of each pair in the recipe and build again."
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m sightmix.engine.training.material.duplicates CORPUS [--inside] [--list FROM]`: 1 when splits leak."""
    parser = argparse.ArgumentParser(prog="sightmix.engine.training.material.duplicates", description=__doc__)
    parser.add_argument("corpus", type=Path, help="folder of the corpus")
    parser.add_argument("--inside", action="store_true", help="count what is twice inside a split too")
    parser.add_argument("--list", type=float, default=SAME, metavar="FROM", help="list pairs from this on")
    options = parser.parse_args(arguments)
    try:
        pairs = find_pairs(Corpus(options.corpus), inside=options.inside, at_least=0.0)
    except TrainingError as fault:
        print(fault, file=sys.stderr)
        return 1
    across = [pair for pair in pairs if pair.first.split != pair.second.split]
    for pair in (pair for pair in pairs if pair.correlation >= options.list):
        print(pair)
    for kind in KINDS:
        highest = max((p.correlation for p in across if kind in (p.first.kind, p.second.kind)), default=0.0)
        print(f"{kind}: highest correlation across splits {highest:.3f}")
    if options.inside:
        same = sum(pair.correlation >= SAME for pair in pairs) - sum(pair.leaks for pair in across)
        print(f"{same} pairs of one recording inside a split: counted only, since they merely weigh more.")
    return int(any(pair.leaks for pair in across))


if __name__ == "__main__":
    raise SystemExit(main())
