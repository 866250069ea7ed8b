"""Every network that can be trained, behind one door: described, built, judged, and asked for sound."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Protocol, TypeAlias

from torch import Tensor

from ...errors import ModelError
from ...highlight.config import NetworkConfig
from ...highlight.network import ProductModel, VisAH, build
from . import sepreformer
from .losses import SpectralLoss
from .remixers import LCE, LCEObjective, Learn2Remix, Learn2RemixObjective, RemixerWeights
from .sepreformer import RemixerConfig
from .step import Batch, ProductObjective, ProductWeights, VisAHObjective, product_output, visah_output

AnyConfig: TypeAlias = NetworkConfig | RemixerConfig
Network: TypeAlias = ProductModel | VisAH | Learn2Remix | LCE

KINDS = ("visah", "product", *sepreformer.KINDS)


class Objective(Protocol):
    """A network's loss on a batch: terms by name, and "total" to be made small."""

    def __call__(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """The terms."""
        ...


def config_type(data: Mapping[str, Any]) -> type[NetworkConfig] | type[RemixerConfig]:
    """What describes a network of `data`'s kind; raises `ModelError` with the nearest kind for an unknown one."""
    kind = data.get("kind", NetworkConfig.kind)
    if kind not in KINDS:
        near = difflib.get_close_matches(str(kind), KINDS, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"use one of {', '.join(KINDS)}."
        raise ModelError(f"Network kind '{kind}' is unknown; {hint}")
    return RemixerConfig if kind in sepreformer.KINDS else NetworkConfig


def config_of(data: Mapping[str, Any]) -> AnyConfig:
    """A network's description from plain data; raises `ModelError` on what it does not know."""
    return config_type(data).from_dict(data)


def names_of(kind: type) -> set[str]:
    """The entries of a dataclass."""
    return {f.name for f in fields(kind)}


def weight_names(data: Mapping[str, Any]) -> set[str]:
    """The terms of the loss of a network of `data`'s kind that can be weighed."""
    return names_of(RemixerWeights if config_type(data) is RemixerConfig else ProductWeights)


def build_network(config: AnyConfig) -> Network:
    """The network a description stands for, freshly initialised."""
    if isinstance(config, NetworkConfig):
        return build(config)
    return Learn2Remix(config) if config.kind == "learn2remix" else LCE(config)


def objective_of(config: AnyConfig, weights: Mapping[str, float], remix: SpectralLoss) -> Objective:
    """A network's loss; `weights` by term, `remix` the spectral distance of those that are judged by one."""
    if config.kind == "product":
        return ProductObjective(ProductWeights(**weights), remix)
    if config.kind == "visah":
        return VisAHObjective(remix)
    kind = Learn2RemixObjective if config.kind == "learn2remix" else LCEObjective
    return kind(RemixerWeights(**weights))


_SOUND: dict[str, Callable[[Any, Tensor, Batch], Tensor]] = {
    "product": lambda model, mix, batch: product_output(model, mix, batch)[0],
    "visah": visah_output,
    "learn2remix": lambda model, mix, _: model(mix).sound,
    "lce": lambda model, mix, batch: model(mix, batch.context, batch.valid),
}


def sound_of(model: Network, mix: Tensor, batch: Batch) -> Tensor:
    """Any network's rebalanced sound (B, L) for mixes (B, L), with the batch's context."""
    return _SOUND[model.config.kind](model, mix, batch)


def stems_of(model: Network, mix: Tensor, batch: Batch) -> Tensor | None:
    """The stems (B, 3, L) a network takes mixes (B, L) apart into; None if it makes none.

    Those of the product model sum to the mix, those of Learn2Remix need not.
    """
    if isinstance(model, ProductModel):
        return product_output(model, mix, batch)[1]
    return model(mix).stems if isinstance(model, Learn2Remix) else None
