"""CLIP as picture and text encoder: the paper's ViT-L/14 by open_clip, from weights that are already here."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..compat import ensure_companions, ensure_torchvision
from ..errors import ModelError
from ..installation import line_for
from ..weights.card import Card
from ..weights.store import absent_message, find_file, strict_match, verify
from .devices import choose_device, running
from .frames import check_frames

if TYPE_CHECKING:
    import torch

PICTURES_AT_ONCE = 16
TEXTS_AT_ONCE = 64

# What TorchScript archives keep beside the weights: OpenAI's three numbers, and the causal mask.
ARCHIVE_EXTRAS = ("input_resolution", "context_length", "vocab_size", "attn_mask")


class ClipEncoder:
    """A CLIP model; pictures and texts land in one space, as L2-normalised features of `dim` numbers.

    `model` is an `open_clip.CLIP` in float32 on `device`, `tokenizer` gives its token ids. `warnings` holds
    sentences for the user about how it runs.
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
        import torch
        from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD

        self.name = name
        self.size: int = model.visual.image_size[0]
        self.dim: int = model.visual.output_dim
        self.device = device
        self.warnings = warnings
        self._threads = threads
        self._model = model.float().eval().to(device)
        self._tokenizer = tokenizer
        # (3, 1, 1): pictures are 0 to 255 when they meet these.
        self._mean = 255 * torch.tensor(OPENAI_DATASET_MEAN, device=device)[:, None, None]
        self._std = 255 * torch.tensor(OPENAI_DATASET_STD, device=device)[:, None, None]

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Features (n, dim), each of length 1, of uint8 RGB pictures (n, size, size, 3)."""
        check_frames(frames, self.size)
        return self._in_batches(frames, PICTURES_AT_ONCE, self._pictures)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Features (n, dim), each of length 1, of texts; what exceeds the context length is cut off."""
        return self._in_batches(list(texts), TEXTS_AT_ONCE, self._texts)

    def _pictures(self, frames: NDArray[np.uint8]) -> torch.Tensor:
        import torch

        planes = torch.tensor(frames, device=self.device).permute(0, 3, 1, 2).float()
        features: torch.Tensor = self._model.encode_image((planes - self._mean) / self._std, normalize=True)
        return features

    def _texts(self, texts: list[str]) -> torch.Tensor:
        tokens = self._tokenizer(texts).to(self.device)
        features: torch.Tensor = self._model.encode_text(tokens, normalize=True)
        return features

    def _in_batches(self, items: Any, batch: int, encode: Any) -> NDArray[np.float32]:
        features = np.zeros((len(items), self.dim), np.float32)
        with running(self.name, self._threads):
            for i in range(0, len(items), batch):
                features[i : i + batch] = encode(items[i : i + batch]).cpu().numpy()
        return features


class ClipTextEncoder:
    """The text side of a CLIP model, where captions are wanted as context."""

    def __init__(self, clip: ClipEncoder) -> None:
        self._clip = clip
        self.name = clip.name
        self.dim = clip.dim

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Features (n, dim), each of length 1, of texts."""
        return self._clip.encode_texts(texts)


def load_clip(card: Card, device: str = "cpu", threads: int | None = None) -> ClipEncoder:
    """The CLIP model that `card` describes, from weights already on this computer.

    Nothing is ever fetched here. The file is looked for among the weights roots and in open_clip's and the
    hub's own caches. Raises `ModelError` if the weights or the extra `clip` are missing or do not fit.
    """
    path = _cached_weights(card)
    model = build(card)
    tensors = _read(path)
    strict_match(
        {key: tuple(value.shape) for key, value in model.state_dict().items()},
        tensors,
        f"The weights of '{card.name}'",
    )
    model.load_state_dict(tensors)
    chosen, remarks = choose_device(device, card.name)
    return ClipEncoder(card.name, model, _tokenizer(model), chosen, threads, remarks)


def build(card: Card) -> Any:
    """An `open_clip.CLIP` with the architecture that `card.config` names or spells out, weights not set."""
    from copy import deepcopy

    open_clip = _open_clip()
    architecture = card.config["architecture"]
    if isinstance(architecture, str):
        architecture = open_clip.get_model_config(architecture)
        if architecture is None:
            raise ModelError(
                f"The installed open_clip does not know '{card.config['architecture']}'; update it."
            )
    return open_clip.CLIP(**deepcopy(architecture))


def _tokenizer(model: Any) -> Any:
    from open_clip.tokenizer import SimpleTokenizer

    return SimpleTokenizer(context_length=model.context_length)


def _cached_weights(card: Card) -> Path:
    path = find_file(card.file) or _in_own_cache(card)
    if path is not None:
        verify(path, card)
        return path
    hub = _in_hub_cache(card)
    if hub is None:
        raise ModelError(absent_message(card))
    return hub


def _in_own_cache(card: Card) -> Path | None:
    path = Path.home() / ".cache" / "clip" / card.file
    return path if path.is_file() else None


def _in_hub_cache(card: Card) -> Path | None:
    """The hub's copy of the same weights, if it was used here before; the network is never asked."""
    repository = card.config.get("hub")
    if repository is None:
        return None
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    path = try_to_load_from_cache(repository, "open_clip_model.safetensors")
    return Path(path) if isinstance(path, str) else None


def _read(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file or of a TorchScript archive, whose pickle holds tensors only."""
    import torch

    load: Any = torch.jit.load
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(str(path)))
        with warnings.catch_warnings():
            # The archive is read, never run: that torch has newer ways to run one does not matter here.
            warnings.simplefilter("ignore")
            state = load(str(path), map_location="cpu").state_dict()
    except Exception as error:  # torch and safetensors share no base class for a file they cannot read
        raise ModelError(f"The weights {path} cannot be read: {error}.") from error
    return {name: tensor for name, tensor in state.items() if name not in ARCHIVE_EXTRAS}


def _open_clip() -> Any:
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise ModelError(f"CLIP needs torch; install it with `{line_for('clip')}`.") from error
    ensure_torchvision()
    ensure_companions()
    try:
        import open_clip
    except ImportError as error:
        raise ModelError(f"CLIP needs open_clip ({error}); install it with `{line_for('clip')}`.") from error
    return open_clip
