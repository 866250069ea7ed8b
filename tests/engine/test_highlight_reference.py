"""The shipped implementation against the same networks written out plainly (`reference_network`)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import reference_network as plain
import torch
from sightmix.engine.highlight.config import HOP, NetworkConfig
from sightmix.engine.highlight.layers import ChunkedBLSTM
from sightmix.engine.highlight.network import build

SIZES = NetworkConfig(
    kind="product",
    channels=4,
    width=16,
    heads=2,
    decoder_layers=2,
    encoder_layers=2,
    context_dim=6,
    gain_layers=2,
    gain_bound_db=3.0,
    spectrogram="log",
    band_width=6,
    band_layers=3,
)
LEVELS = replace(SIZES, gain_head="levels", gain_layers=3)
NETWORKS = {
    "visah": (replace(SIZES, kind="visah", spectrogram="linear"), 9),
    "visah without context": (replace(SIZES, kind="visah", spectrogram="linear", context_dim=0), 6),
    "product": (SIZES, 8),
    "levels": (LEVELS, 7),
    "bands": (replace(LEVELS, trunk="bands"), 13),
    "bands without pictures": (replace(LEVELS, trunk="bands", context_dim=0), 2),
}
SEEN = ((0.31, 0.02, 0.14, 2.0), (True, True, True, False))


def stirred(config: NetworkConfig) -> torch.nn.Module:
    """A network in float64 no part of which is zero, one or symmetrical."""
    torch.manual_seed(5)
    model = build(config).eval().double()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            spread = 0.2 if name.endswith("scale") or parameter.ndim == 1 else 0.1
            parameter.add_(spread * torch.randn_like(parameter))
    return model


def asked(frames: int, items: int = 1):
    """Loud and quiet frames, an offset in the waveform, pictures out of order of which one is not there."""
    rng = np.random.default_rng(frames)
    spectrogram = rng.gamma(0.5, 2.0, (items, 2048, frames)) * np.linspace(0.1, 3.0, frames)
    sound = 0.1 * rng.standard_normal((items, frames * HOP - 300)) + 0.03
    times, valid = (np.tile(np.array(values), (items, 1)) for values in SEEN)
    return spectrogram, sound, rng.standard_normal((items, 4, 6)), times, valid


def both(config: NetworkConfig, values) -> list[tuple[np.ndarray, np.ndarray]]:
    """What the engine and the reference say of a batch of one."""
    model = stirred(config)
    with torch.no_grad():
        shipped = [part[0].numpy() for part in model(*(torch.from_numpy(v) for v in values))]
    state = {name: value.numpy() for name, value in model.state_dict().items()}
    spectrogram, sound, *seen = (v[0] for v in values)
    return list(zip(shipped, plain.network(state, config, spectrogram, sound, seen), strict=True))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_network_is_what_the_paper_says(name: str) -> None:
    config, frames = NETWORKS[name]
    for mine, wanted in both(config, asked(frames)):
        assert mine.shape == wanted.shape
        assert np.ptp(wanted) > 1e-3, "an answer without shape proves nothing"
        np.testing.assert_allclose(mine, wanted, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", ["visah", "product", "bands"])
def test_without_a_picture_too(name: str) -> None:
    config, frames = NETWORKS[name]
    *rest, valid = asked(frames)
    for mine, wanted in both(config, (*rest, np.zeros_like(valid))):
        np.testing.assert_allclose(mine, wanted, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("heard", [None, 0.0, 1.0])
@pytest.mark.parametrize("name", ["levels", "bands"])
def test_what_a_gain_head_believes(name: str, heard: float | None) -> None:
    config, frames = NETWORKS[name]
    told = None
    if heard is not None:
        power = np.random.default_rng(1).gamma(0.3, 4.0, (18, frames))
        told = (power, np.array([0.0, 0.3, 1.0]), heard)
    values = asked(frames)
    model = stirred(config)
    given = [torch.from_numpy(v) for v in values]
    with torch.no_grad():
        telling = None if told is None else tuple(torch.from_numpy(np.array(v)[None]) for v in told)
        logits, gains, beliefs = model.logits(*given, telling)
        _, _, hidden = model.trunk(*given)
    state = {key: value.numpy() for key, value in model.state_dict().items()}
    masks = plain.softmax(logits[0].numpy(), 0)
    curves, levels, odds = plain.gains(
        plain.Weights(state).at("gain"),
        config,
        hidden[0].numpy(),
        masks,
        values[0][0],
        [v[0] for v in values[2:]],
        told,
    )
    np.testing.assert_allclose(gains[0].numpy(), curves, rtol=1e-6)
    np.testing.assert_allclose(beliefs.levels[0].numpy(), levels, rtol=1e-6)
    assert float(beliefs.touched[0]) == pytest.approx(odds, rel=1e-6)


@pytest.mark.parametrize("steps", [200, 201, 300, 330])
def test_long_sequences_are_read_in_chunks(steps: int) -> None:
    torch.manual_seed(0)
    layer = ChunkedBLSTM(2).double()
    x = torch.randn(1, 2, steps, dtype=torch.float64)
    state = {key: value.numpy() for key, value in layer.state_dict().items()}
    with torch.no_grad():
        mine = layer(x)[0].numpy()
    np.testing.assert_allclose(
        mine, plain.recurrence(plain.Weights(state), x[0].numpy()), rtol=1e-6, atol=1e-9
    )
