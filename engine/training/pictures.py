"""Pictures for training scenes: features computed once, and pictures unrelated to the sound."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..context.encoders import PictureEncoder, encode_images
from ..errors import TrainingError
from ..media.picture import sample_frames
from .corpus import Corpus
from .scenes import CorpusSource
from .shards import MANIFEST, ShardFeatures

UNRELATED = "other:"  # prefix of the ids of pictures that show nothing of what sounds
_FILE = "pictures.npz"
_CAPTIONS = "captions.npz"


class PicturedSource(CorpusSource):
    """A corpus source whose scenes also see pictures unrelated to their sound, as most film pictures are."""

    def __init__(self, corpus: Corpus, split: str, features: Mapping[str, NDArray[np.float32]]) -> None:
        super().__init__(corpus, split, lambda item: item.id if item.id in features else None)
        self._unrelated = sorted(name for name in features if name.startswith(UNRELATED))

    def draw_picture(self, rng: np.random.Generator) -> str | None:
        """The id of any picture: unrelated ones three times in four, where there are some."""
        if self._unrelated and rng.random() < 0.75:
            return self._unrelated[int(rng.integers(len(self._unrelated)))]
        return super().draw_picture(rng)


def picture_features(corpus: Path) -> Mapping[str, NDArray[np.float32]]:
    """Features (C,) by picture id: what `compute_features` stored beside a corpus, empty if it has not been run.

    A folder of shards has its own, which are read as they are asked for.
    """
    if (corpus / MANIFEST).exists():
        return ShardFeatures(corpus)
    path = corpus / _FILE
    if not path.exists():
        return {}
    with np.load(path, allow_pickle=False) as stored:
        return dict(zip(stored["names"].tolist(), stored["features"], strict=True))


def caption_features(corpus: Path) -> Mapping[str, NDArray[np.float32]]:
    """Vectors (C,) of what pictures show in words, by picture id, as `compute_features` stored them; empty without."""
    path = corpus / _CAPTIONS
    if not path.exists():
        return {}
    with np.load(path, allow_pickle=False) as stored:
        return dict(zip(stored["names"].tolist(), stored["features"], strict=True))


def compute_features(
    corpus: Path,
    encoder: PictureEncoder,
    films: Sequence[tuple[Path, float]] = (),
    per_second: Fraction = Fraction(1),
) -> int:
    """Encode a corpus's pictures and the first seconds of `films` (path, seconds); returns how many there are.

    Film frames become unrelated pictures: nothing in a scene's sound belongs to them.
    """
    try:
        manifest = json.loads((corpus / "corpus.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"The corpus in {corpus} has no readable corpus.json: {error}. Build it first."
        ) from error
    names: list[str] = []
    files: list[Path] = []
    for entry in manifest.get("pictures", []):
        names.append(entry["item_id"])
        files.append(corpus / entry["file"])
    for entry in manifest.get("distractors", []):
        names.append(f"{UNRELATED}{Path(entry['file']).stem}")
        files.append(corpus / entry["file"])
    rows = list(encode_images(files, encoder))
    for film, seconds in films:
        times = [Fraction(i) / per_second for i in range(int(seconds * per_second))]
        for start in range(0, len(times), 16):
            frames = sample_frames(film, times[start : start + 16], encoder.size, encoder.size)
            rows += list(encoder.encode(frames))
            names += [f"{UNRELATED}{film.stem}:{float(t):g}" for t in times[start : start + 16]]
    temporary = corpus / f".{_FILE}.part.npz"
    np.savez(temporary, names=np.array(names), features=np.stack(rows).astype(np.float32))
    temporary.replace(corpus / _FILE)
    return len(names)
