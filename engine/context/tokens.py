"""Text through a transformer from a local folder: one feature per text, the mean over its tokens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compat import ensure_companions
from ..errors import ModelError
from ..installation import line_for
from .devices import running

TEXTS_AT_ONCE = 8


class MeanTokens:
    """Features (dim,) of texts: the mean of a `transformers` encoder's states over the tokens, padding left out.

    `model` is on `device`, `tokenizer` belongs to it; what exceeds `longest` tokens of a text is cut off. `warnings`
    say what of the device could not be had.
    """

    def __init__(
        self,
        name: str,
        model: Any,
        tokenizer: Any,
        device: str = "cpu",
        threads: int | None = None,
        warnings: tuple[str, ...] = (),
        longest: int = 512,
    ) -> None:
        self.name, self.warnings = name, warnings
        self.dim: int = model.config.hidden_size
        self.device = device
        self.longest = longest
        self._threads = threads
        self._model = model.eval().to(device)
        self._tokenizer = tokenizer

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Features (n, dim) of texts."""
        features = np.zeros((len(texts), self.dim), np.float32)
        with running(self.name, self._threads):
            for i in range(0, len(texts), TEXTS_AT_ONCE):
                features[i : i + TEXTS_AT_ONCE] = self._means(list(texts[i : i + TEXTS_AT_ONCE]))
        return features

    def _means(self, texts: list[str]) -> NDArray[np.float32]:
        tokens = self._tokenizer(
            texts, padding=True, truncation=True, max_length=self.longest, return_tensors="pt"
        )
        ids, mask = tokens["input_ids"].to(self.device), tokens["attention_mask"].to(self.device)
        states = self._model(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        weights = mask[:, :, None].float()
        features: NDArray[np.float32] = (
            ((states * weights).sum(1) / weights.sum(1).clamp(min=1)).cpu().numpy()
        )
        return features


def transformers_for(title: str, extra: str) -> Any:
    """The transformers library; raises `ModelError` saying that `title` needs the `extra` where it is missing."""
    try:
        import torch  # noqa: F401
        import transformers

        ensure_companions()
    except ImportError as error:
        raise ModelError(
            f"{title} needs torch and transformers ({error}); install them with `{line_for(extra)}`."
        ) from error
    return transformers


def load_pretrained(library: Any, kind: str, folder: Path, title: str, **options: Any) -> tuple[Any, Any]:
    """A model of the transformers class `kind` in `folder` and its tokenizer. Nothing is ever fetched.

    Raises `ModelError` in one sentence, in which the model is called `title`, if they cannot be read or do not fit.
    """
    try:
        model, report = getattr(library, kind).from_pretrained(
            str(folder), local_files_only=True, output_loading_info=True, **options
        )
        tokenizer = library.AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except Exception as error:  # transformers lets through whatever its parts raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise ModelError(f"The {title} in {folder} cannot be loaded: {reason}.") from error
    unfit = sorted(map(str, [*report["missing_keys"], *report["mismatched_keys"]]))
    if unfit:
        raise ModelError(
            f"The weights in {folder} do not fit a {title}: '{unfit[0]}' and {len(unfit) - 1} more "
            "are missing or of another shape."
        )
    return model, tokenizer
