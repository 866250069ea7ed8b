"""Scenes as batches, in one sequence that a run can be resumed in."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from ...errors import TrainingError
from ..networks.step import CONTEXT_FRAMES, Batch, collate, gather, look, to_device
from ..scenes.dice import Dice
from ..scenes.drawing import RandomScenes
from ..scenes.pictures import caption_features, picture_features
from ..scenes.scene import Pictures, Scene, SceneBatch
from ..scenes.settings import PRESETS
from ..scenes.shards import MANIFEST, ShardFeatures, ShardScenes
from .config import TrainConfig

COMPANY = 16  # long scenes laid together, which the stems of a piece come from
PROGRAMMES = 4  # laid together, whose windows come in one order
Features = Mapping[str, NDArray[np.float32]]


class Scenes(Protocol):
    """A repeatable sequence of scenes: the same number always gives the same one."""

    def __getitem__(self, index: int) -> Scene:
        """Scene number `index`."""
        ...


@dataclass(frozen=True)
class Shown:
    """What a network is shown beside the sound: vectors (`dim`,) by picture id, in which of a window's seconds."""

    features: Mapping[str, NDArray[np.float32]]
    dim: int
    seconds: Sequence[int] = range(CONTEXT_FRAMES)

    @classmethod
    def of(cls, corpus: Path, kind: str, dim: int) -> Shown:
        """A corpus's pictures as the kind of context a configuration names; with `dim` 0 nothing is shown.

        Raises `TrainingError` when there are no captions for a kind with text, or `dim` is not what the kind has.
        """
        if not dim:
            return cls({}, 0)
        frames = {} if kind in ("text", "one_text") else picture_features(corpus)
        texts = caption_features(corpus) if "text" in kind else {}
        if "text" in kind and not texts:
            raise TrainingError(
                f"The context '{kind}' needs captions, and {corpus} has none: compute its picture features with the "
                "extra `text` installed."
            )
        features: Features = _side_by_side(frames, texts) if kind == "frames+text" else (texts or frames)
        # Shards say for themselves what their pictures were described by.
        found = next(iter(features.values()), np.zeros(dim)).shape[-1] if isinstance(features, dict) else dim
        if found != dim:
            raise TrainingError(
                f"The network has a context of {dim} values, but '{kind}' of {corpus} gives {found}: "
                "set context_dim to that."
            )
        if kind in ("frames", "one_frame") and (corpus / FILMS_FOLDER / MANIFEST).exists():
            features = ChainMap(dict(features), ShardFeatures(corpus / FILMS_FOLDER))  # type: ignore[arg-type]
        return cls(
            features, dim, (CONTEXT_FRAMES // 2,) if kind.startswith("one_") else range(CONTEXT_FRAMES)
        )

    def look(
        self, pictures: Pictures | None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
        """Pictures as the network is shown them: context (N, dim), times (N,) in seconds, valid (N,)."""
        return look(pictures, self.features, self.dim, self.seconds)

    def table(self, names: Sequence[str], device: torch.device | str) -> tuple[Tensor, Tensor]:
        """What pictures by number are shown as: vectors (P, dim), zeros for those not known, and which are (P,)."""
        count, dim = max(1, len(names)), max(1, self.dim)
        vectors, known = np.zeros((count, dim), np.float32), np.zeros(count, np.bool_)
        for row, name in enumerate(names):
            if self.dim and name in self.features:
                vectors[row], known[row] = self.features[name], True
        return torch.from_numpy(vectors).to(device), torch.from_numpy(known).to(device)

    def batch(self, scenes: Sequence[Scene]) -> Batch:
        """Scenes as the network is shown them."""
        return collate(scenes, self.features, self.dim, self.seconds)


def _side_by_side(
    frames: Mapping[str, NDArray[np.float32]], texts: Mapping[str, NDArray[np.float32]]
) -> dict[str, NDArray[np.float32]]:
    """Frame and caption features in one vector; zeros stand for a missing caption."""
    absent = np.zeros_like(next(iter(texts.values()), np.zeros(0, np.float32)))
    return {name: np.concatenate([row, texts.get(name, absent)]) for name, row in frames.items()}


class TrainingScenes(Dataset[Scene]):
    """The scenes a run learns from, opened when first asked for, so that every worker has files of its own."""

    def __init__(self, corpus: Path, config: TrainConfig) -> None:
        self.corpus, self.config = corpus, config
        self.scenes: Scenes | None = None

    def __getitem__(self, index: int) -> Scene:
        if self.scenes is None:
            self.scenes = scenes_of(self.corpus, "train", self.config)
        return self.scenes[index]


class ShardBatches(Dataset[Batch]):
    """Batch k is made of scenes k·B … k·B + B - 1, so that resuming at batch `first` continues the same sequence.

    Of `ranks` devices that learn together, number `rank` takes every so many-th batch. For what is read from files: a
    loader's workers make these on the host.
    """

    def __init__(
        self, corpus: Path, config: TrainConfig, shown: Shown, first: int, rank: int = 0, ranks: int = 1
    ) -> None:
        self.config, self.shown, self.first = config, shown, first
        self.rank, self.ranks = rank, ranks
        self.scenes = TrainingScenes(corpus, config)

    def __len__(self) -> int:
        return max(0, self.config.steps * self.config.accumulate - self.first)

    def __getitem__(self, index: int) -> Batch:
        first = ((self.first + index) * self.ranks + self.rank) * self.config.batch
        return self.shown.batch([self.scenes[first + i] for i in range(self.config.batch)])


class LaidClips:
    """Clips laid from a corpus's recordings, many at once on `device`, where they are learned from.

    Clip i is always the same. Where clips are cut from longer scenes, a hand of these is laid together and dealt out:
    `pieces`, whose stems come from any scene of the hand, or windows of programmes, in an order of their own.
    """

    def __init__(
        self, corpus: Path, split: str, config: TrainConfig, device: torch.device | str = "cpu"
    ) -> None:
        preset = replace(PRESETS[config.scenes], **config.scene_options)
        training = split == "train"
        self.config, self.seconds = config, config.seconds
        self.each = config.pieces if training else 1
        self.windows = int(preset.programme // config.seconds) if training and preset.programme else 1
        self.scenes = RandomScenes.of(
            corpus, split, config.seconds * self.each, preset, config.seed if training else 0, device
        )
        of_one = self.each * self.windows
        laid = 1 if of_one == 1 else COMPANY if self.each > 1 else PROGRAMMES
        # A hand has one batch at least, and nothing over, so that batches never straddle two.
        self.laid = max(laid, -(-config.batch // of_one))
        self.dealt = self.laid * of_one // config.batch * config.batch
        self._hand: tuple[int, SceneBatch] | None = None

    @property
    def in_hands(self) -> bool:
        """Whether clips are cut from longer scenes."""
        return self.each > 1 or self.windows > 1

    def hand(self, number: int) -> SceneBatch:
        """All clips of a hand, the last one asked for being kept."""
        if self._hand is None or self._hand[0] != number:
            self._hand = None  # before the next one takes as much memory
            numbers = range(number * self.laid, (number + 1) * self.laid)
            clips = self.scenes.batch(numbers)
            if self.each > 1:
                clips = clips.pieces(self.scenes.dice(numbers), self.seconds, self.each)
            self._hand = number, clips
        return self._hand[1]

    def places(self, number: int) -> Tensor:
        """In which order the clips of a hand are dealt out (clips,): an order of their own."""
        dice = Dice(f"{self.scenes.split} hands", [number], self.scenes.seed, self.scenes.recordings.device)
        return dice.uniform("order", self.laid * self.each * self.windows)[0].argsort()

    def clips(self, first: int, count: int) -> SceneBatch:
        """Clips `first` … `first + count - 1`; of hands, those of one batch."""
        if not self.in_hands:
            return self.scenes.batch(range(first, first + count))
        number, start = divmod(first, self.dealt)
        return _chosen(self.hand(number), self.places(number)[start : start + count])

    def __getitem__(self, index: int) -> Scene:
        if not self.in_hands:
            return self.scenes[index]
        number, place = divmod(index, self.dealt)
        return self.hand(number).scene(int(self.places(number)[place]))


class LaidBatches:
    """Batches drawn on the device, the same sequence as `ShardBatches` has of other clips.

    With `films`, a share of the clips is replaced by films' own, read on the host and handed over pinned.
    """

    def __init__(
        self,
        corpus: Path,
        config: TrainConfig,
        shown: Shown,
        first: int,
        device: torch.device | str = "cpu",
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        self.config, self.shown, self.first = config, shown, first
        self.rank, self.ranks = rank, ranks
        self.laid = LaidClips(corpus, "train", config, device)
        self.features, self.known = shown.table(self.laid.scenes.table.names, device)
        self.films = films_of(corpus / FILMS_FOLDER, "train", config) if config.films else None

    def __len__(self) -> int:
        return max(0, self.config.steps * self.config.accumulate - self.first)

    def __iter__(self) -> Iterator[Batch]:
        for index in range(len(self)):
            yield self[index]

    def __getitem__(self, index: int) -> Batch:
        count = self.config.batch
        first = self._place(self.first + index)
        batch = gather(self.laid.clips(first, count), self.features, self.known, self.shown.seconds)
        if self.films is None:
            return batch
        numbers = [_film(first + i, self.config.films) for i in range(count)]
        rows = [row for row, number in enumerate(numbers) if number is not None]
        if not rows:
            return batch
        films = self.shown.batch([self.films[number] for number in numbers if number is not None])
        return _replaced(batch, rows, pinned(films, self.laid.scenes.recordings.device))

    def _place(self, batch: int) -> int:
        """The first clip of this device's batch number `batch`: hands go round, as each is laid by one device alone."""
        if not self.laid.in_hands:
            return (batch * self.ranks + self.rank) * self.config.batch
        hand, rest = divmod(batch * self.config.batch, self.laid.dealt)
        return (hand * self.ranks + self.rank) * self.laid.dealt + rest


def _chosen(clips: SceneBatch, rows: Tensor) -> SceneBatch:
    """Some of the clips, without how they were made."""
    parts = {name: getattr(clips, name)[rows] for name in ("stems", "gains_db", "active", "starts", "rows")}
    return replace(clips, notes=None, **parts)


def pinned(batch: Batch, device: torch.device) -> Batch:
    """A batch on a device; from the host by a copy that nobody waits for."""
    if device.type != "cuda" or batch.stems.is_cuda:
        return to_device(batch, device)
    return Batch(*(getattr(batch, f.name).pin_memory().to(device, non_blocking=True) for f in fields(Batch)))


def _replaced(batch: Batch, rows: Sequence[int], others: Batch) -> Batch:
    """The batch with other clips in some rows."""
    parts = []
    for entry in fields(Batch):
        whole = getattr(batch, entry.name).clone()
        for row, other in zip(rows, getattr(others, entry.name), strict=True):
            whole[row] = other
        parts.append(whole)
    return Batch(*parts)


def _film(index: int, share: float) -> int | None:
    """Which film clip stands in the place of clip `index`, of a fixed choice of `share` of the numbers; None: none."""
    before, after = (int(n * share) for n in (index, index + 1))
    return before if after > before else None


FILMS_FOLDER = "films"  # of a corpus: shards of films to mix in


@dataclass(frozen=True)
class Blend:
    """Scenes of two sequences: a fixed choice of `share` of the numbers belongs to `films`, the rest to `laid`."""

    laid: Scenes
    films: Scenes
    share: float

    def __getitem__(self, index: int) -> Scene:
        film = _film(index, self.share)
        return self.laid[index] if film is None else self.films[film]


def films_of(folder: Path, split: str, config: TrainConfig) -> ShardScenes:
    """The run's scenes of films, from a folder of shards."""
    preset = replace(PRESETS[config.scenes], **config.scene_options)
    dim = int(config.network.get("context_dim", 0))
    seed = config.seed if split == "train" else 0
    return ShardScenes(folder, split, config.seconds, preset, dim, seed, config.redraw)


def scenes_of(corpus: Path, split: str, config: TrainConfig) -> Scenes:
    """The run's scenes of a split: laid from a corpus's recordings, or films' own from shards.

    They are the same whatever of their pictures a network is shown. A configuration's `seed` gives other scenes to
    learn from; those of the other splits are what figures are compared on, and the same for all.
    """
    if config.data == "shards":
        return films_of(corpus, split, config)
    laid = LaidClips(corpus, split, config)
    if not config.films or split != "train":
        return laid
    return Blend(laid, films_of(corpus / FILMS_FOLDER, split, config), config.films)
