"""The recordings of a corpus's split as one tensor on a device, and which of them a scene draws."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...errors import TrainingError, WriteError
from ...files import replacing
from ..material.levels import HOP, STEMS, frame_power
from ..material.library import Corpus, Item
from .dice import Dice

# Silence between two recordings of the packed file: what reads past the end of one never meets the next.
GAP = 512
NEIGHBOURS = 10  # a neighbour is at most so many recordings away
LOUD = 0.1  # a frame is loud that has at least this share of the loudest one's power
SILENT = 1e-10  # mean square of what cannot be brought to a level
_FOLDER = "packed"


@dataclass(frozen=True)
class Kind:
    """The recordings of one kind, package by package, as tensors by their number.

    `start` is the first sample in the packed tensor, `samples` the length, `frame` the first of its frames' powers,
    `package` the number of its package in `Recordings.packages`, `picture` the number of the picture that shows what
    sounds (-1: none). `first` and `end` bound the recordings of the same package. Shares are by package of the kind:
    `share` of each, its first recording `group_first`, how many it has `group_count`; `filled` is the running sum of
    lengths, `group_filled` and `group_samples` that sum before each package and its own.
    """

    start: Tensor
    samples: Tensor
    frame: Tensor
    package: Tensor
    picture: Tensor
    first: Tensor
    end: Tensor
    share: Tensor
    group_first: Tensor
    group_count: Tensor
    filled: Tensor
    group_filled: Tensor
    group_samples: Tensor


@dataclass(frozen=True)
class Excerpt:
    """Stretches of recordings, tensors of one shape.

    `item` is the recording's number in its kind, `source` the first sample in the packed tensor, `samples` the length
    and `mean_square` the power of its loud frames (0…1), 0 where it is silent.
    """

    item: Tensor
    source: Tensor
    samples: Tensor
    mean_square: Tensor


class Recordings:
    """All recordings of a split, on a device.

    The samples lie in one 16-bit tensor: on a graphics card in its memory, on the processor in a memory map of a file
    made once beside the corpus (`packed/`), which several processes share and of which only what is drawn is read.
    `pictures` gives the number of the picture that shows what sounds by a recording's id. Draws take packages by the
    square root of their length, and music by length within its package. Raises `TrainingError` when the split lacks
    a kind, `WriteError` when the packed file cannot be written.
    """

    def __init__(
        self,
        corpus: Corpus,
        split: str,
        device: torch.device | str = "cpu",
        pictures: Mapping[str, int] | None = None,
    ) -> None:
        self.split, self.device = split, torch.device(device)
        items = {kind: _in_packages(corpus.items(kind, split), kind, split) for kind in STEMS}
        everything = [item for kind in STEMS for item in items[kind]]
        self.packages = tuple(sorted({item.package for item in everything}))
        self._path, powers = _packed(corpus, split, everything)
        self.samples = self._opened()
        self.powers = torch.from_numpy(powers).to(self.device)
        starts, frames = _places(everything)
        self.kinds: dict[str, Kind] = {}
        done = 0
        for kind in STEMS:
            part = slice(done, done + len(items[kind]))
            self.kinds[kind] = self._kind(items[kind], starts[part], frames[part], pictures or {})
            done = part.stop

    def __getstate__(self) -> dict[str, Any]:
        # A map would be pickled as all its samples; worker processes open the file themselves.
        return {name: value for name, value in self.__dict__.items() if name != "samples"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.samples = self._opened()

    def _opened(self) -> Tensor:
        if self.device.type == "cpu":
            # Copy on write: torch wants memory that may be written to, and nothing ever is.
            return torch.from_numpy(np.memmap(self._path, "<i2", "c"))
        return torch.from_numpy(np.fromfile(self._path, "<i2")).to(self.device)

    def _kind(
        self,
        items: Sequence[Item],
        starts: NDArray[np.int64],
        frames: NDArray[np.int64],
        pictures: Mapping[str, int],
    ) -> Kind:
        samples = np.array([item.samples for item in items], np.int64)
        names = [item.package for item in items]
        first = np.array([k for k, name in enumerate(names) if k == 0 or names[k - 1] != name], np.int64)
        count = np.diff(np.append(first, len(items)))
        group = np.repeat(np.arange(first.size), count)
        own = np.add.reduceat(samples, first)
        tensors = {
            "start": starts,
            "samples": samples,
            "frame": frames,
            "package": np.array([self.packages.index(name) for name in names]),
            "picture": np.array([pictures.get(item.id, -1) for item in items], np.int64),
            "first": first[group],
            "end": (first + count)[group],
            "share": np.sqrt(own) / np.sqrt(own).sum(),
            "group_first": first,
            "group_count": count,
            "filled": np.cumsum(samples),
            "group_filled": np.cumsum(own) - own,
            "group_samples": own,
        }
        return Kind(**{name: torch.from_numpy(values).to(self.device) for name, values in tensors.items()})

    def draw(self, dice: Dice, name: str, kind: str, *shape: int) -> Tensor:
        """Numbers of recordings of a kind, int64 (B, *shape)."""
        of = self.kinds[kind]
        group = dice.pick(f"{name}.package", of.share, *shape)
        if kind != "music":
            return of.group_first[group] + dice.below(f"{name}.item", of.group_count[group], *shape)
        place = of.group_filled[group] + dice.below(f"{name}.item", of.group_samples[group], *shape)
        return torch.searchsorted(of.filled, place, right=True)

    def near(self, dice: Dice, name: str, kind: str, item: Tensor) -> Tensor:
        """Numbers of neighbours of recordings `item` (B, …): the same package, most often the same voice."""
        of = self.kinds[kind]
        low = torch.maximum(item - NEIGHBOURS, of.first[item])
        high = torch.minimum(item + NEIGHBOURS + 1, of.end[item])
        return low + dice.below(name, high - low, *item.shape[1:])

    def excerpt(
        self, dice: Dice, name: str, kind: str, item: Tensor, longest: Tensor | int, most: int
    ) -> Excerpt:
        """A stretch of at most `longest` samples, itself at most `most`, of each recording `item` (B, …).

        It begins at a whole frame of 1024 samples, so that its level is known without a look at its samples.
        """
        of = self.kinds[kind]
        whole = of.samples[item]
        longest = torch.as_tensor(longest, device=self.device).clamp(1, most)
        skip = dice.below(name, (whole - longest).clamp_min(0) + 1, *item.shape[1:]) // HOP * HOP
        samples = torch.minimum(whole, longest)
        power = self._loud(of.frame[item] + skip // HOP, samples, most)
        return Excerpt(item, of.start[item] + skip, samples, power)

    def _loud(self, frame: Tensor, samples: Tensor, most: int) -> Tensor:
        """Mean square of the loud frames of stretches of `samples` from a frame on."""
        k = torch.arange(-(-most // HOP), device=self.device)
        inside = k < (samples[..., None] + HOP - 1) // HOP
        places = (frame[..., None] + k).clamp_max(self.powers.numel() - 1)
        power = torch.where(inside, self.powers[places], 0.0)
        loud = (power >= LOUD * power.amax(-1, keepdim=True)) & inside
        mean = (power * loud).sum(-1) / loud.sum(-1).clamp_min(1)
        return torch.where(mean < SILENT, 0.0, mean)

    def read(self, first: Tensor, count: int) -> Tensor:
        """Samples (…, count) float32 in -1…1 from the packed places `first` (…)."""
        first = first.clamp(0, self.samples.numel() - count)
        places = first[..., None] + torch.arange(count, device=self.device)
        return self.samples.index_select(0, places.reshape(-1)).reshape(places.shape) * 2.0**-15


def _in_packages(items: Sequence[Item], kind: str, split: str) -> list[Item]:
    """Items with those of a package together, packages by name, each in its own order."""
    if not items:
        raise TrainingError(
            f"The training corpus has no {kind} in its {split} split: build the corpus again."
        )
    return sorted(items, key=lambda item: item.package)


# The packed file ---------------------------------------------------------------------------------------


def _places(items: Sequence[Item]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each recording's samples begin in the packed file, and its frames among the powers."""
    samples = np.array([item.samples for item in items], np.int64)
    frames = -(-samples // HOP)
    return GAP + np.cumsum(samples + GAP) - samples - GAP, np.cumsum(frames) - frames


def _fingerprint(corpus: Corpus, items: Sequence[Item]) -> str:
    """What a packed file was made from: the recordings' places in the corpus, and its files as they are."""
    files = {name: (corpus.root / name).stat() for name in sorted({item.file for item in items})}
    text = json.dumps(
        [
            GAP,
            [[item.kind, item.package, item.file, item.start, item.samples] for item in items],
            [[name, stat.st_size, stat.st_mtime_ns] for name, stat in files.items()],
        ]
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _packed(corpus: Corpus, split: str, items: Sequence[Item]) -> tuple[Path, NDArray[np.float32]]:
    """The packed file of a split's recordings and the powers of their frames, made where they are not there yet."""
    folder = corpus.root / _FOLDER
    stem = f"{split}-{_fingerprint(corpus, items)}"
    path, powers = folder / f"{stem}.i16", folder / f"{stem}.npy"
    if not (path.is_file() and powers.is_file()):
        found = _pack(corpus, items, path)
        with replacing(powers) as file:
            np.save(file, found)
        _remove_older(folder, split, stem)
    return path, np.load(powers)


def _pack(corpus: Corpus, items: Sequence[Item], path: Path) -> NDArray[np.float32]:
    gap = np.zeros(GAP, "<i2")
    powers = []
    with replacing(path, parents=True) as file:
        file.write(gap.tobytes())
        for item in items:
            sound = corpus.audio(item)
            powers.append(frame_power(sound).astype(np.float32))
            file.write((sound * 32768).astype("<i2").tobytes())
            file.write(gap.tobytes())
    return np.concatenate(powers)


def _remove_older(folder: Path, split: str, stem: str) -> None:
    for old in folder.glob(f"{split}-*"):
        if old.suffix in {".i16", ".npy"} and old.stem != stem:
            try:
                old.unlink(missing_ok=True)
            except OSError as fault:
                raise WriteError(f"{old} cannot be removed: {fault.strerror or fault}.") from fault
