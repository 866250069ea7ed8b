"""The network that tests build where only its shape counts."""

from __future__ import annotations

from sightmix.engine.highlight.config import NetworkConfig

SMALL = NetworkConfig(
    kind="product",
    channels=4,
    width=32,
    heads=4,
    decoder_layers=1,
    encoder_layers=1,
    context_dim=6,
    spectrogram="log",
)
