"""Text over time: captions from the timeline's own notes, and encoders that turn text into features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError, SettingsError
from ..passage import Note
from ..weights.card import nearest
from ..weights.store import WEIGHTS_VARIABLE, find_file, load_card, writable_root
from .devices import choose_device
from .encoders import CLIP_ENCODER
from .tokens import MeanTokens, load_pretrained, transformers_for


class TextEncoder(Protocol):
    """Turns texts into features, one per text."""

    @property
    def name(self) -> str:
        """What it is called in settings and provenance."""

    @property
    def dim(self) -> int:
        """Numbers per text."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Features (n, dim) of texts."""


@dataclass(frozen=True)
class TextModel:
    """What to tell a user about a text encoder that is a folder of files."""

    name: str
    repository: str
    dim: int
    parameters: str
    licence: str


# VisAH's text context is the encoder of T5 v1.1 XXL; the smaller ones serve experiments.
TEXT_MODELS = {
    model.name: model
    for model in (
        TextModel("t5-v1_1-xxl", "google/t5-v1_1-xxl", 4096, "4.8 billion parameters", "Apache-2.0"),
        TextModel("t5-v1_1-large", "google/t5-v1_1-large", 1024, "0.34 billion parameters", "Apache-2.0"),
        TextModel("t5-v1_1-base", "google/t5-v1_1-base", 768, "0.11 billion parameters", "Apache-2.0"),
    )
}


def caption_track(
    notes: Sequence[Note], start: Fraction, duration: Fraction, per_second: Fraction = Fraction(1)
) -> tuple[tuple[Fraction, str], ...]:
    """Captions for the window [start, start + duration) of passage time (s), `per_second` steps each second.

    Each step is captioned with the notes that overlap it, in order of their start, and carries the time of
    its middle. A note without duration counts where it stands; a text is said once per step; steps without a
    note are left out. Raises `SettingsError` if `per_second` is not positive.
    """
    if per_second <= 0:
        raise SettingsError(f"Captions per second must be positive, not {per_second}.")
    ordered = sorted(notes, key=lambda note: note.start)
    end, step = start + duration, 1 / Fraction(per_second)
    track: list[tuple[Fraction, str]] = []
    count = max(0, -(-duration // step))
    for i in range(count):
        a, b = start + i * step, min(end, start + (i + 1) * step)
        texts = dict.fromkeys(
            text for note in ordered if _overlaps(note, a, b) and (text := note.text.strip())
        )
        if texts:
            track.append(((a + b) / 2, " ".join(texts)))
    return tuple(track)


def _overlaps(note: Note, a: Fraction, b: Fraction) -> bool:
    if note.duration <= 0:
        return a <= note.start < b
    return note.start < b and note.start + note.duration > a


class T5Encoder(MeanTokens):
    """The encoder of a T5 model."""


def load_text_encoder(
    name: str = "t5-v1_1-xxl", device: str = "cpu", threads: int | None = None
) -> TextEncoder:
    """A text encoder by name ("t5-v1_1-xxl", "clip-vit-l-14") or by the path of a T5 model's folder.

    Nothing is ever fetched here. Raises `ModelError` if the model or the extra `captions` is missing or does
    not fit.
    """
    if name == CLIP_ENCODER:
        from .clip import ClipTextEncoder, load_clip

        return ClipTextEncoder(load_clip(load_card(name), device, threads))
    return load_t5(name, device, threads)


def load_t5(name: str, device: str = "cpu", threads: int | None = None) -> T5Encoder:
    """The T5 encoder in a folder, or called `name` and found among the weights roots or in the hub's cache.

    It runs in float32 on the CPU and in bfloat16 on a GPU, where half precision would overflow. Raises
    `ModelError`.
    """
    folder = _folder(name)
    library = transformers_for("The text encoder", "captions")
    import torch

    chosen, remarks = choose_device(device, name)
    precision = torch.float32 if chosen == "cpu" else torch.bfloat16
    model, tokenizer = load_pretrained(library, "T5EncoderModel", folder, "T5 encoder", dtype=precision)
    return T5Encoder(name, model, tokenizer, chosen, threads, remarks)


def _folder(name: str) -> Path:
    given = Path(name)
    found = given if (given / "config.json").is_file() else find_file(name)
    if found is not None and found.is_dir():
        return found
    if name not in TEXT_MODELS:
        raise ModelError(
            f"There is no text encoder called '{name}' and no folder of that name with a config.json"
            f"{nearest(name, [*TEXT_MODELS, CLIP_ENCODER])}."
        )
    model = TEXT_MODELS[name]
    cached = _in_hub_cache(model)
    if cached is None:
        raise ModelError(
            f"The text encoder '{name}' ({model.parameters}, {model.licence}) is not on this computer: "
            f"put the folder of huggingface.co/{model.repository} (config.json, tokenizer, weights) "
            f"under the name '{name}' into {writable_root()} or a folder named by {WEIGHTS_VARIABLE}."
        )
    return cached


def _in_hub_cache(model: TextModel) -> Path | None:
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    path = try_to_load_from_cache(model.repository, "config.json")
    return Path(path).parent if isinstance(path, str) else None
