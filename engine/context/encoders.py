"""Picture encoders by name: what turns frames into the features a network is shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..weights.store import load_card
from .frames import load_pictures

DEFAULT_ENCODER = "efficientnet-lite0"
CLIP_ENCODER = "clip-vit-l-14"
PICTURES_AT_ONCE = 32


class PictureEncoder(Protocol):
    """Turns square pictures into features."""

    @property
    def name(self) -> str:
        """Name of its weights' card."""

    @property
    def dim(self) -> int:
        """Numbers per picture."""

    @property
    def size(self) -> int:
        """Rows and columns of a picture."""

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Features (n, dim) of RGB pictures (n, size, size, 3)."""


def load_encoder(
    name: str = DEFAULT_ENCODER, device: str = "cpu", threads: int | None = None
) -> PictureEncoder:
    """The picture encoder called `name`: "efficientnet-lite0", which is shipped, or "clip-vit-l-14".

    `device` is "cpu" or "cuda"; `threads` bounds the cores used on the CPU. Raises `ModelError` if the name
    is unknown or the weights or the runtime are missing.
    """
    card = load_card(name)
    if card.kind == "picture-onnx":
        from .embedded import EmbeddedEncoder

        return EmbeddedEncoder(card, device, threads)
    if card.kind == "clip":
        from .clip import load_clip

        return load_clip(card, device, threads)
    raise ModelError(f"The model '{name}' is of the kind '{card.kind}' and encodes no pictures.")


def encode_images(paths: Sequence[Path], encoder: PictureEncoder) -> NDArray[np.float32]:
    """Features (n, dim) of picture files, in order; `MediaError` for the first that cannot be read."""
    parts = [
        encoder.encode(load_pictures(paths[i : i + PICTURES_AT_ONCE], encoder.size))
        for i in range(0, len(paths), PICTURES_AT_ONCE)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, encoder.dim), np.float32)
