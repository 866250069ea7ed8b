"""Scenes as batches, in one sequence that a run can be resumed in."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import zlib
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from ...errors import TrainingError
from ...highlight.config import HOP, MODEL_RATE
from ..networks.step import CONTEXT_FRAMES, Batch, collate, look
from ..scenes.drawing import RandomScenes
from ..scenes.pictures import caption_features, picture_features
from ..scenes.scene import Pictures, Scene
from ..scenes.settings import PRESETS
from ..scenes.shards import MANIFEST, ShardFeatures, ShardScenes
from .config import TrainConfig

COMPANY = 16  # scenes that the stems of a piece come from
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


class SceneBatches(Dataset[Batch]):
    """Batch k is made of scenes k·B … k·B + B - 1, so that resuming at batch `first` continues the same sequence.

    Of `devices` that learn together, number `device` takes every so many-th batch.
    """

    def __init__(
        self,
        corpus: Path,
        config: TrainConfig,
        shown: Shown,
        first: int,
        device: int = 0,
        devices: int = 1,
    ) -> None:
        self.config, self.shown, self.first = config, shown, first
        self.device, self.devices = device, devices
        self.scenes = TrainingScenes(corpus, config)

    def __len__(self) -> int:
        return max(0, self.config.steps * self.config.accumulate - self.first)

    def __getitem__(self, index: int) -> Batch:
        first = ((self.first + index) * self.devices + self.device) * self.config.batch
        return self.shown.batch([self.scenes[first + i] for i in range(self.config.batch)])


_Cut: TypeAlias = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]


@dataclass(frozen=True)
class Pieces:
    """Pieces cut from longer scenes, their stems brought together anew, so that laying costs a fraction.

    Every stem of a piece comes from one of the last `COMPANY` scenes laid; `each` pieces are made per scene. What
    the gains lead to is no mix anybody meant: pieces are for learning masks.
    """

    whole: Scenes
    split: str
    frames: int
    each: int
    seed: int = 0
    kept: dict[int, Scene] = field(default_factory=dict)

    def __getitem__(self, index: int) -> Scene:
        last = index // self.each
        first = max(0, last - COMPANY + 1)
        for number in [n for n in self.kept if not first <= n <= last]:
            del self.kept[number]
        rng = np.random.default_rng((zlib.crc32(self.split.encode()), index, self.seed, COMPANY))
        picks = [self._sounding(first, last, row, rng) for row in range(3)]
        stems, gains, active = (np.stack(parts) for parts in zip(*picks, strict=True))
        return Scene(stems * _headroom(stems), gains, active, {"pieces": self.each}, None)

    def _sounding(self, first: int, last: int, row: int, rng: np.random.Generator) -> _Cut:
        """A stem of one of the scenes; silence, which teaches little, is passed over twice."""
        for _ in range(2):
            cut = self._cut(int(rng.integers(first, last + 1)), row, rng)
            if cut[2].any():
                return cut
        return self._cut(int(rng.integers(first, last + 1)), row, rng)

    def _cut(self, number: int, row: int, rng: np.random.Generator) -> _Cut:
        if number not in self.kept:
            self.kept[number] = self.whole[number]
        scene = self.kept[number]
        start = int(rng.integers(scene.gains_db.shape[1] - self.frames))
        sound = slice(start * HOP, (start + self.frames) * HOP)
        frames = slice(start, start + self.frames)
        return scene.stems[row, sound], scene.gains_db[row, frames], scene.active[row, frames]


def _headroom(stems: NDArray[np.float32]) -> np.float32:
    """What keeps the stems' sum within full scale."""
    return np.float32(1.0 / max(1.0, float(np.abs(stems.sum(0)).max())))


FILMS_FOLDER = "films"  # of a corpus: shards of films to mix in


@dataclass(frozen=True)
class Blend:
    """Scenes of two sequences: a fixed choice of `share` of the numbers belongs to `films`, the rest to `laid`."""

    laid: Scenes
    films: Scenes
    share: float

    def __getitem__(self, index: int) -> Scene:
        before, after = (int(n * self.share) for n in (index, index + 1))
        return self.films[before] if after > before else self.laid[index]


def scenes_of(corpus: Path, split: str, config: TrainConfig) -> Scenes:
    """The run's scenes of a split: laid from a corpus's recordings, or films' own from shards.

    They are the same whatever of their pictures a network is shown. A configuration's `seed` gives other scenes to
    learn from; those of the other splits are what figures are compared on, and the same for all.
    """
    preset = replace(PRESETS[config.scenes], **config.scene_options)
    dim = int(config.network.get("context_dim", 0))
    training = split == "train"
    seed = config.seed if training else 0

    def films(folder: Path) -> Scenes:
        return ShardScenes(folder, split, config.seconds, preset, dim, seed, config.redraw)

    if config.data == "shards":
        return films(corpus)
    seconds = config.seconds * (config.pieces if training else 1)
    laid = RandomScenes.of(corpus, split, seconds, preset, seed)
    if config.pieces > 1 and training:
        return Pieces(laid, split, round(config.seconds * MODEL_RATE) // HOP, config.pieces, seed)
    if not config.films or not training:
        return laid
    return Blend(laid, films(corpus / FILMS_FOLDER), config.films)


def quiet_worker(_: int) -> None:
    """One thread, and no part in signals: the loop decides when to stop, and saves first."""
    torch.set_num_threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _end_with_parent() -> None:
    """A worker whose results nobody fetches any more waits forever to hand them over; a killed loop leaves such."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
