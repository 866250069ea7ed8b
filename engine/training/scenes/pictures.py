"""Pictures for training scenes: features computed once, and pictures unrelated to the sound."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...context.captions import TextEncoder
from ...context.encoders import PictureEncoder, encode_images, load_encoder
from ...context.text import load_sentence_encoder
from ...errors import SightmixError, TrainingError
from ...files import replacing
from ..material.library import UNRELATED, Corpus, Picture
from .dice import Dice
from .shards import MANIFEST, ShardFeatures

_FILE = "pictures.npz"
_CAPTIONS = "captions.npz"
_TIME = re.compile(r"[0-9][0-9.e+-]*")
# Of a film's frames, in order of time, the first seven tenths are for training, the last 15 % for testing.
_FILM_SPLITS = (("train", 0.0, 0.7), ("validation", 0.7, 0.85), ("test", 0.85, 1.0))


class PictureTable:
    """The pictures scenes of a split may show, by their rows in a table of features.

    `names` are their ids in order of rows. Only pictures of the split are in it, and of a film's frames only that
    split's stretch.
    """

    def __init__(
        self,
        names: Sequence[str],
        subjects: Mapping[str, Sequence[str]],
        neutral: Sequence[str],
        device: torch.device | str = "cpu",
    ) -> None:
        self.names = tuple(names)
        self.rows = {name: row for row, name in enumerate(self.names)}
        self.device = torch.device(device)
        self._neutral = self._numbers(neutral)
        self._subjects = {kind: self._numbers(ids) for kind, ids in subjects.items()}

    @classmethod
    def of(
        cls, corpus: Corpus, split: str, described: Collection[str], device: torch.device | str = "cpu"
    ) -> PictureTable:
        """The pictures of a corpus's split of those `described` by features.

        What shows nothing that sounds is no picture of an effect, even of one that is silent: the same picture would
        mean both. Only a corpus without any other picture has to make do with those of its effects.
        """
        still = {picture.id for picture in corpus.distractors}
        own = {picture.id for picture in corpus.distractors if picture.split == split}
        frames = [name for name in described if name.startswith(UNRELATED) and name not in still]
        neutral = sorted([name for name in own if name in described] + _stretch(frames, split))
        subjects: dict[str, list[str]] = {}
        for picture in (*corpus.subjects, *corpus.pictures):
            if picture.split == split and picture.id in described:
                kind = picture.subject or ("effects" if picture.item_id else "")
                subjects.setdefault(kind, []).append(picture.id)
        heard = [item.id for item in corpus.items("effects", split) if item.id in described]
        if heard and "effects" not in subjects:
            subjects["effects"] = heard
        names = sorted({*neutral, *heard, *(name for ids in subjects.values() for name in ids)})
        return cls(names, subjects, neutral or heard, device)

    def _numbers(self, names: Sequence[str]) -> Tensor:
        return torch.tensor([self.rows[name] for name in names], dtype=torch.int64, device=self.device)

    def _draw(self, dice: Dice, name: str, rows: Tensor, shape: tuple[int, ...]) -> Tensor:
        if not rows.numel():
            return torch.full((len(dice), *shape), -1, dtype=torch.int64, device=self.device)
        return rows[dice.below(name, rows.numel(), *shape)]

    def neutral(self, dice: Dice, name: str, *shape: int) -> Tensor:
        """Rows (B, *shape) of pictures of nothing that sounds; -1 where there are none."""
        return self._draw(dice, name, self._neutral, shape)

    def subject(self, dice: Dice, name: str, kind: str, *shape: int) -> Tensor:
        """Rows (B, *shape) of pictures of something that would be heard as `kind`; -1 where there are none."""
        return self._draw(dice, name, self._subjects.get(kind, self._neutral[:0]), shape)

    def has(self, kind: str) -> bool:
        """Whether any picture shows something that would be heard as `kind`."""
        return kind in self._subjects

    def __bool__(self) -> bool:
        return bool(self._neutral.numel())

    def features(self, vectors: Mapping[str, NDArray[np.float32]], dim: int) -> tuple[Tensor, Tensor]:
        """Vectors (P, C) by row, P and C at least 1, and for which rows there is one of `dim` numbers (P,)."""
        table = np.zeros((max(len(self.names), 1), max(dim, 1)), np.float32)
        known = np.zeros(len(table), bool)
        known[: len(self.names)] = [dim > 0 and name in vectors for name in self.names]
        for row in np.flatnonzero(known):
            table[row] = vectors[self.names[row]]
        return torch.from_numpy(table).to(self.device), torch.from_numpy(known).to(self.device)


def _stretch(frames: Sequence[str], split: str) -> list[str]:
    """Of frames' ids (`other:FILM:SECONDS`), those of the stretch of each film that belongs to `split`.

    Ids without a time are of no film and of no split: all of them stay.
    """
    films: dict[str, list[tuple[float, str]]] = {}
    for name in frames:
        film, _, seconds = name.rpartition(":")
        time = float(seconds) if _TIME.fullmatch(seconds) else None
        films.setdefault(name if time is None else film, []).append((time or 0.0, name))
    first, last = next((low, high) for known, low, high in _FILM_SPLITS if known == split)
    kept: list[str] = []
    for film, times in films.items():
        names = [name for _, name in sorted(times)]
        kept += names if names == [film] else names[round(first * len(names)) : round(last * len(names))]
    return kept


def picture_features(corpus: Path) -> Mapping[str, NDArray[np.float32]]:
    """Features (C,) by picture id: what `compute_features` stored beside a corpus, empty if it has not been run.

    A folder of shards has its own, which are read as they are asked for.
    """
    if (corpus / MANIFEST).exists():
        return ShardFeatures(corpus)
    return _stored(corpus / _FILE)


def caption_features(corpus: Path) -> Mapping[str, NDArray[np.float32]]:
    """Vectors (C,) of what pictures show in words, by picture id, as `compute_features` stored them; empty without."""
    return _stored(corpus / _CAPTIONS)


def _stored(path: Path) -> dict[str, NDArray[np.float32]]:
    """What `_store` wrote; empty where it has not been written."""
    if not path.exists():
        return {}
    with np.load(path, allow_pickle=False) as stored:
        return dict(zip(stored["names"].tolist(), stored["features"], strict=True))


def compute_features(
    corpus: Path,
    encoder: PictureEncoder,
    films: Sequence[tuple[Path, float]] = (),
    per_second: Fraction = Fraction(1),
    texts: TextEncoder | None = None,
) -> int:
    """Encode a corpus's pictures and the first seconds of `films` (path, seconds); returns how many there are.

    Film frames become unrelated pictures: nothing in a scene's sound belongs to them. With a text encoder
    the pictures' captions are encoded too; those of film frames are not known.
    """
    from ...media.picture import sample_frames  # whoever only reads features does without FFmpeg

    pictures = _listed(corpus)
    names = [picture.id for picture in pictures]
    rows = list(encode_images([corpus / picture.file for picture in pictures], encoder))
    for film, seconds in films:
        times = [Fraction(i) / per_second for i in range(int(seconds * per_second))]
        for start in range(0, len(times), 16):
            frames = sample_frames(film, times[start : start + 16], encoder.size, encoder.size)
            rows += list(encoder.encode(frames))
            names += [f"{UNRELATED}{film.stem}:{float(t):g}" for t in times[start : start + 16]]
    if texts is not None:
        compute_captions(corpus, texts)
    _store(corpus / _FILE, names, np.stack(rows))
    return len(names)


def compute_captions(corpus: Path, texts: TextEncoder) -> int:
    """Encode the captions of a corpus's pictures into its captions.npz; returns how many pictures have one."""
    captions = {picture.id: picture.caption for picture in _listed(corpus) if picture.caption}
    if not captions:
        return 0
    different = sorted(set(captions.values()))
    vectors = dict(zip(different, texts.encode(different), strict=True))
    _store(corpus / _CAPTIONS, list(captions), np.stack([vectors[text] for text in captions.values()]))
    return len(captions)


def _listed(corpus: Path) -> list[Picture]:
    try:
        manifest = json.loads((corpus / "corpus.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"The corpus in {corpus} has no readable corpus.json: {error}. Build it first."
        ) from error
    return [
        Picture(**entry)
        for kind in ("pictures", "distractors", "subjects")
        for entry in manifest.get(kind, [])
    ]


def _store(path: Path, names: Sequence[str], rows: NDArray[np.float32]) -> None:
    with replacing(path, parents=True) as file:
        np.savez(file, names=np.array(names), features=rows.astype(np.float32))


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m sightmix.engine.training.scenes.pictures CORPUS [--film FILE SECONDS]… [--captions]`."""
    parser = argparse.ArgumentParser(prog="sightmix.engine.training.scenes.pictures", description=__doc__)
    parser.add_argument("corpus", type=Path, help="folder of the corpus")
    parser.add_argument(
        "--film",
        nargs=2,
        action="append",
        default=[],
        metavar=("FILE", "SECONDS"),
        help="show the first seconds of a film too, as pictures of nothing that sounds",
    )
    parser.add_argument("--captions", action="store_true", help="encode captions too (extra `text`)")
    parser.add_argument("--threads", type=int, help="cores to use")
    options = parser.parse_args(arguments)
    try:
        films = [(Path(film), float(seconds)) for film, seconds in options.film]
        texts = load_sentence_encoder(threads=options.threads) if options.captions else None
        count = compute_features(options.corpus, load_encoder(threads=options.threads), films, texts=texts)
    except (SightmixError, ValueError) as fault:
        print(fault, file=sys.stderr)
        return 1
    print(f"{count} pictures described in {options.corpus}.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
