"""A start from which sound can be heard: every convolution of the U-Net scaled to unit variance on real scenes.

Without norms in its outer layers the hybrid U-Net passes on its biases rather than its input when it is small and
fresh, and stays for hundreds of steps at answers that do not depend on the sound. This is the data-driven scaling of
Mishkin and Matas, "All you need is a good init" (2016).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...highlight.layers import DecoderLayer, EncoderLayer
from ...highlight.network import ProductModel, VisAH

OUTPUT_STD = {"product": 0.3, "visah": 0.1}  # of the last layer, so that first answers are undecided


def unit_variance(model: ProductModel | VisAH, inputs: tuple[Tensor, ...]) -> None:
    """Scale the U-Net's convolutions, in the order they run on `inputs`, so that each gives unit variance.

    `inputs` are what the model takes: spectrogram, waveform, context, times, valid. Biases start at 0, but for the
    mask of VisAH, which starts at 1: at first the sound passes nearly as it is.
    """
    handles = []
    for layer in model.trunk.modules():
        if isinstance(layer, EncoderLayer | DecoderLayer):
            for name in ("conv", "rewrite", "conv_tr"):
                part = getattr(layer, name, None)
                if part is not None:
                    last = name == "conv_tr" and isinstance(layer, DecoderLayer) and layer.last
                    handles.append(
                        part.register_forward_hook(_scaler(OUTPUT_STD[model.config.kind] if last else 1.0))
                    )
    try:
        with torch.no_grad():
            model(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    if isinstance(model, VisAH):
        mask = model.trunk.decoder[-1]
        assert isinstance(mask, DecoderLayer)
        assert mask.conv_tr.bias is not None
        torch.nn.init.ones_(mask.conv_tr.bias)


def _scaler(wanted: float) -> Any:
    def scale(part: nn.Module, _: tuple[Any, ...], output: Tensor) -> Tensor:
        assert isinstance(part.weight, Tensor)
        assert isinstance(part.bias, Tensor)
        shape = [1, -1] + [1] * (output.dim() - 2)
        plain = output - part.bias.view(shape)
        factor = wanted / plain.std().clamp_min(1e-6)
        part.weight.mul_(factor)
        part.bias.zero_()
        return plain * factor

    return scale
