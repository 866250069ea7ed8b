"""A built corpus read back: its sounds, its pictures, and which split each of them serves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...errors import TrainingError
from .recipes import KINDS, SPLITS
from .sounds import SAMPLE_RATE, Sound

UNRELATED = "other:"  # prefix of the ids of pictures that show nothing of what sounds


@dataclass(frozen=True)
class Item:
    """One sound: `samples` mono samples at 44.1 kHz from sample `start` of `file`; level in dBFS, bandwidth in Hz."""

    id: str
    kind: str
    package: str
    licence: str
    source: str
    split: str
    file: str
    start: int
    samples: int
    rms_db: float
    peak: float
    bandwidth_hz: float
    label: str

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.samples / SAMPLE_RATE


@dataclass(frozen=True)
class Picture:
    """A 224 × 224 RGB picture: of what makes the sound `item_id`, or of no sound of the corpus (`item_id` None).

    `subject` is the class that what it shows would be heard as (one of `STEMS`; None: nothing that
    sounds, or not known), `caption` says in plain English what it shows.
    """

    file: str
    label: str
    split: str
    item_id: str | None = None
    subject: str | None = None
    caption: str = ""

    @property
    def id(self) -> str:
        """Its key among features and captions: the sound's it is paired with, else by subject and file name."""
        if self.item_id is not None:
            return self.item_id
        stem = Path(self.file).stem
        return f"{UNRELATED}{stem}" if self.subject is None else f"subject:{self.subject}:{stem}"


class Corpus:
    """A built corpus on disk; sounds are read through a memory map, so opening it costs nothing.

    Raises `TrainingError` when `root` holds no corpus of this version.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        manifest = _read_manifest(self.root)
        self.sample_rate: int = manifest["sample_rate"]
        self.packages: dict[str, dict[str, Any]] = manifest["packages"]
        self._items = tuple(Item(**entry) for entry in manifest["items"])
        self.pictures = tuple(Picture(**entry) for entry in manifest["pictures"])
        self.distractors = tuple(Picture(**entry) for entry in manifest["distractors"])
        self.subjects = tuple(Picture(**entry) for entry in manifest.get("subjects", ()))
        self._maps = {name: self._open(name) for name in sorted({item.file for item in self._items})}

    def _open(self, name: str) -> NDArray[np.int16]:
        path = self.root / name
        try:
            return np.memmap(path, dtype="<i2", mode="r")
        except (OSError, ValueError):
            raise TrainingError(
                f"The corpus file {path} is missing or empty; build the corpus again."
            ) from None

    def __getstate__(self) -> dict[str, Any]:
        # A map would be pickled as all its samples; worker processes open the files themselves.
        return {**self.__dict__, "_maps": sorted(self._maps)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._maps = {name: self._open(name) for name in state["_maps"]}

    def items(self, kind: str | None = None, split: str | None = None) -> list[Item]:
        """The sounds of one kind (`speech`, `music`, `effects`) and one split (`train`, `validation`, `test`)."""
        return [
            item
            for item in self._items
            if (kind is None or item.kind == kind) and (split is None or item.split == split)
        ]

    def audio(self, item: Item, first: int = 0, samples: int | None = None) -> Sound:
        """The samples of `item`, float32 in −1…1, shape `(samples,)`; or only `samples` at most from `first` on."""
        length = item.samples - first if samples is None else min(samples, item.samples - first)
        raw = self._maps[item.file][item.start + first : item.start + first + length]
        if raw.size != length:
            raise TrainingError(
                f"The corpus file {self.root / item.file} is cut short; build the corpus again."
            )
        return raw.astype(np.float32) / np.float32(32768)

    def picture(self, picture: Picture) -> NDArray[np.uint8]:
        """The pixels of `picture`, uint8 RGB, shape `(224, 224, 3)`."""
        with Image.open(self.root / picture.file) as image:
            return np.asarray(image.convert("RGB"), dtype=np.uint8)

    def hours(self) -> dict[str, dict[str, float]]:
        """Hours by kind, then split."""
        sums = {kind: dict.fromkeys(SPLITS, 0.0) for kind in KINDS}
        for item in self._items:
            sums[item.kind][item.split] += item.seconds / 3600
        return sums


def _read_manifest(root: Path) -> dict[str, Any]:
    path = root / "corpus.json"
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TrainingError(f"There is no corpus in {root}; build one first.") from None
    except ValueError:
        raise TrainingError(f"The corpus list {path} cannot be read; build the corpus again.") from None
    if manifest.get("version") != 1 or manifest.get("sample_rate") != SAMPLE_RATE:
        raise TrainingError(f"The corpus in {root} was made by another version; build it again.")
    return manifest
