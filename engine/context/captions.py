"""Text over time: captions from the timeline's own notes, and encoders that turn text into features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..compat import ensure_companions
from ..errors import ModelError, SettingsError
from ..passage import Note
from ..weights.card import nearest
from ..weights.store import WEIGHTS_VARIABLE, find_file, load_card, writable_root
from .devices import choose_device, running
from .encoders import CLIP_ENCODER

if TYPE_CHECKING:
    import torch

TEXTS_AT_ONCE = 8
MOST_TOKENS = 512


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


class T5Encoder:
    """The encoder of a T5 model; a text's feature is the mean over its tokens (padding left out).

    `model` is a `transformers.T5EncoderModel` on `device`, `tokenizer` the one that belongs to it.
    """

    def __init__(
        self,
        name: str,
        model: Any,
        tokenizer: Any,
        device: str = "cpu",
        threads: int | None = None,
        warnings: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.dim: int = model.config.d_model
        self.device = device
        self.warnings = warnings
        self._threads = threads
        self._model = model.eval().to(device)
        self._tokenizer = tokenizer

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Features (n, dim) of texts; what exceeds 512 tokens is cut off."""
        features = np.zeros((len(texts), self.dim), np.float32)
        with running(self.name, self._threads):
            for i in range(0, len(texts), TEXTS_AT_ONCE):
                features[i : i + TEXTS_AT_ONCE] = self._means(list(texts[i : i + TEXTS_AT_ONCE]))
        return features

    def _means(self, texts: list[str]) -> NDArray[np.float32]:
        tokens = self._tokenizer(
            texts, padding=True, truncation=True, max_length=MOST_TOKENS, return_tensors="pt"
        )
        ids, mask = tokens["input_ids"].to(self.device), tokens["attention_mask"].to(self.device)
        states: torch.Tensor = self._model(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        weights = mask[:, :, None].float()
        means = (states * weights).sum(1) / weights.sum(1).clamp(min=1)
        features: NDArray[np.float32] = means.cpu().numpy()
        return features


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
    transformers = _transformers()
    import torch

    chosen, remarks = choose_device(device, name)
    precision = torch.float32 if chosen == "cpu" else torch.bfloat16
    try:
        model, report = transformers.T5EncoderModel.from_pretrained(
            str(folder), local_files_only=True, dtype=precision, output_loading_info=True
        )
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except Exception as error:  # transformers lets through whatever its parts raise
        raise ModelError(f"The text encoder in {folder} cannot be loaded: {_first_line(error)}.") from error
    unfit = sorted(map(str, [*report["missing_keys"], *report["mismatched_keys"]]))
    if unfit:
        raise ModelError(
            f"The weights in {folder} do not fit a T5 encoder: '{unfit[0]}' and {len(unfit) - 1} more "
            "are missing or of another shape."
        )
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


def _transformers() -> Any:
    try:
        import torch  # noqa: F401
        import transformers

        ensure_companions()
    except ImportError as error:
        raise ModelError(
            f"Text encoders need torch and transformers ({error}); "
            "install them with `pip install sightmix[captions]`."
        ) from error
    return transformers


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
