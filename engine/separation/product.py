"""sightmix's own model as a separator: its masks, without its gains."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ..highlight.backends import Network, open_network
from ..highlight.config import MODEL_RATE
from ..highlight.context import WindowContext, empty_context
from ..highlight.rebalance import Analysis
from ..highlight.spectral import MaskedStems
from ..media.layout import Layout
from ..media.loudness import measure
from ..weights.store import Card
from .base import Array, check_sound, whole

_BLOCK = 1 << 16


class ProductSeparator:
    """The stems of a product model, listening only; its masks are applied at the sound's own rate and channels."""

    rate = MODEL_RATE

    def __init__(self, name: str, network: Network) -> None:
        self.name, self.network = name, network

    @classmethod
    def open(cls, card: Card, device: str = "auto", threads: int | None = None) -> ProductSeparator:
        """Load the model a card describes. Raises `ModelError`."""
        return cls(card.name, open_network(card, device, threads=threads))

    def separate(self, sound: Array, rate: int) -> Array:
        """See `Separator.separate`."""
        check_sound(sound)
        channels, samples = sound.shape
        weights = Layout.of_count(channels).mono
        analysis = Analysis(
            self.network,
            self._no_picture,
            rate,
            samples,
            weights,
            np.zeros(0, np.intp),
            Fraction(0),
            measure((weights @ sound)[None].astype(np.float32), rate).integrated,
        )
        mixer = MaskedStems(rate, channels, 2)
        parts: list[Array] = []
        try:
            for start in range(0, samples, _BLOCK):
                block = np.ascontiguousarray(sound[:, start : start + _BLOCK], np.float32)
                last = start + _BLOCK >= samples
                for masks, _, _ in analysis.push(block, last):
                    mixer.extend(masks[:2])
                mixer.push(block)
                parts.append(mixer.pull(last)[1])
        finally:
            analysis.stream.close()
        wet = np.concatenate(parts, axis=2)
        return whole(np.concatenate([wet, wet[:1]]), sound)

    def _no_picture(self, start: Fraction, duration: Fraction) -> WindowContext:  # noqa: ARG002
        return empty_context(self.network.config.context_dim or 1)
