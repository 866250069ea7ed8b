"""Scenes of a corpus's recordings, drawn by their numbers: any number of them at once, on any device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from ..material.levels import SAMPLE_RATE
from ..material.library import Corpus
from .dice import Dice
from .laying import LayingConfig, lay
from .mixing import mix
from .pictures import PictureTable, picture_features
from .recordings import Recordings
from .scene import Scene, SceneBatch
from .settings import PRODUCT, SceneConfig

SHOT_SECONDS = 6.0  # of a programme, on average


def laying(config: SceneConfig, seconds: float) -> LayingConfig:
    """How scenes of `seconds` are laid; with cuts, where they are programmes."""
    return LayingConfig(
        silent=config.presence.silent,
        augment=config.augment,
        low_pass=config.low_pass,
        reverb=config.reverb,
        rooms=config.rooms,
        codecs=config.codecs,
        hard_speech=config.hard_speech,
        shots=max(1, round(seconds / SHOT_SECONDS)) if config.programme else 1,
    )


def draw(
    recordings: Recordings, dice: Dice, seconds: float, config: SceneConfig, table: PictureTable
) -> SceneBatch:
    """Lay, mix and muddy scenes of `seconds`, one for each of the dice's; the same dice give the same scenes."""
    laid = lay(recordings, dice, round(seconds * SAMPLE_RATE), laying(config, seconds))
    return mix(laid, dice, config, table, recordings.packages)


@dataclass(frozen=True)
class RandomScenes:
    """An endless, repeatable sequence of scenes: `scenes[i]` of a `seed` is always the same; validation takes 0…N-1.

    With `config.programme` they are windows of programmes, those of one after another.
    """

    recordings: Recordings
    table: PictureTable
    seconds: float = 10.0
    config: SceneConfig = PRODUCT
    seed: int = 0
    _last: dict[int, SceneBatch] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        corpus: Path,
        split: str,
        seconds: float = 10.0,
        config: SceneConfig = PRODUCT,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> RandomScenes:
        """The scenes of a split of the corpus in a folder, with its pictures. Raises `TrainingError`."""
        opened = Corpus(corpus)
        table = PictureTable.of(opened, split, picture_features(corpus).keys(), device)
        return cls(Recordings(opened, split, device, table.rows), table, seconds, config, seed)

    @property
    def split(self) -> str:
        """The split its recordings are of."""
        return self.recordings.split

    def dice(self, numbers: Sequence[int] | Tensor) -> Dice:
        """The random numbers of scenes by number."""
        return Dice(self.split, numbers, self.seed, self.recordings.device)

    def batch(self, numbers: Sequence[int] | Tensor) -> SceneBatch:
        """Scenes by number, on the device; of programmes all their windows."""
        programme = self.config.programme
        whole = draw(self.recordings, self.dice(numbers), programme or self.seconds, self.config, self.table)
        return whole.windows(self.seconds) if programme else whole

    def __getitem__(self, index: int) -> Scene:
        programme = self.config.programme
        windows = int(programme // self.seconds) if programme else 1
        number, window = divmod(index, windows)
        if number not in self._last:
            self._last.clear()
            self._last[number] = self.batch([number])
        return self._last[number].scene(window)

    def first(self, count: int) -> list[Scene]:
        """The first `count` scenes: a fixed set to validate on."""
        return [self[i] for i in range(count)]
