"""What an untrained network starts with, which nothing that is trained shows any more; sizes and precision."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from sightmix.engine.errors import ModelError
from sightmix.engine.highlight import config as sizes
from sightmix.engine.highlight.config import NetworkConfig, frames_of
from sightmix.engine.highlight.layers import (
    FrequencyEmbedding,
    LayerScale,
    LocalState,
    log_magnitude,
    rescale_convolutions,
)
from sightmix.engine.highlight.network import build
from small_networks import SMALL as SMALL_NETWORK

SMALL = replace(SMALL_NETWORK, gain_head="levels", gain_layers=3)
BANDED = replace(SMALL, trunk="bands", band_width=16, band_layers=4)


def spread(values: torch.Tensor) -> float:
    return float(values.detach().std())


def test_recipe_of_the_u_nets_first_weights() -> None:
    torch.manual_seed(0)
    assert LayerScale(3).scale.tolist() == pytest.approx([1e-4] * 3)
    attention = LocalState(64)
    assert attention.query_decay.bias.tolist() == [-2.0] * 16
    # torch draws a convolution's weights evenly in ±1/sqrt(64).
    assert spread(attention.query_decay.weight) == pytest.approx(0.01 * 64**-0.5 / 3**0.5, rel=0.1)
    assert spread(attention.query.weight) == pytest.approx(64**-0.5 / 3**0.5, rel=0.1)


def test_frequency_rows_begin_as_a_smooth_walk() -> None:
    torch.manual_seed(1)
    plain = torch.randn(50, 8)
    torch.manual_seed(1)
    rows = FrequencyEmbedding(50, 8)
    walk = torch.stack([plain[: k + 1].sum(0) / (k + 1) ** 0.5 for k in range(50)])
    torch.testing.assert_close(rows.embedding.weight.detach(), walk / 10)
    x = torch.zeros(1, 8, 50, 2)
    torch.testing.assert_close(rows(x)[0, :, :, 1], 0.2 * walk.t())


def test_convolutions_are_brought_nearer_a_common_spread() -> None:
    torch.manual_seed(2)
    parts = torch.nn.Sequential(
        torch.nn.Conv1d(8, 8, 3), torch.nn.ConvTranspose2d(8, 8, 3, bias=False), torch.nn.Linear(8, 8)
    )
    before = [p.detach().clone() for p in parts.parameters()]
    rescale_convolutions(parts)
    after = [p.detach() for p in parts.parameters()]
    first, second = ((float(before[i].std()) / 0.1) ** 0.5 for i in (0, 2))
    torch.testing.assert_close(after[0], before[0] / first)
    torch.testing.assert_close(after[1], before[1] / first)
    torch.testing.assert_close(after[2], before[2] / second)
    torch.testing.assert_close(after[3], before[3])


@pytest.mark.parametrize("config", [SMALL, replace(SMALL, kind="visah", spectrogram="linear")])
def test_every_convolution_of_the_u_net_and_none_of_the_transformer_is_rescaled(
    config: NetworkConfig,
) -> None:
    """A rescaled one stands at sqrt(0.1 · its first spread), at 1/sqrt(3 · inputs) · taps."""
    torch.manual_seed(3)
    trunk = build(config).trunk
    kinds = (torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.ConvTranspose1d, torch.nn.ConvTranspose2d)
    for name, part in trunk.named_modules():
        if isinstance(part, kinds) and part.weight.numel() > 200 and "proj_out" not in name:
            turned = isinstance(part, torch.nn.ConvTranspose1d | torch.nn.ConvTranspose2d)
            each = part.weight[0].numel() if not turned else part.weight[:, 0].numel() // part.weight.shape[0]
            first = (3 * (part.weight[0].numel() if turned else each)) ** -0.5
            wanted = first if "transformer" in name else (0.1 * first) ** 0.5
            if "query_decay" not in name:
                assert spread(part.weight) == pytest.approx(wanted, rel=0.2), name


def test_a_transformer_adds_nothing_at_first() -> None:
    for config in (SMALL, BANDED):
        transformer = build(config).trunk.transformer
        latent = torch.randn(1, config.latent_channels, 5)
        times, valid = torch.zeros(1, 2), torch.ones(1, 2, dtype=torch.bool)
        out, _ = transformer(latent, torch.randn(1, 2, 6), times, valid)
        assert torch.equal(out, latent)
        assert not transformer.null.detach().any()


def test_recipe_of_the_bands_first_weights() -> None:
    torch.manual_seed(4)
    trunk = build(BANDED).trunk
    wide = trunk.read.weights[4]
    assert spread(wide) == pytest.approx(512**-0.5, rel=0.1)
    assert not trunk.read.biases[4].detach().any()
    assert spread(trunk.write.weights[4]) == pytest.approx(0.1 * 16**-0.5, rel=0.1)
    assert spread(trunk.place) == pytest.approx(0.1, rel=0.15)
    assert (len(trunk.early), len(trunk.late)) == (2, 2)
    assert not trunk.whole_out.weight.detach().any()
    assert not trunk.whole_out.bias.detach().any()
    # What a layer adds is scaled by 1/sqrt(layers), so that their sum is as large however many there are.
    block = trunk.early[0]
    assert spread(block.down.weight) == pytest.approx(64**-0.5 / 3**0.5 / 2, rel=0.1)
    assert spread(block.up.weight) == pytest.approx(16**-0.5 / 3**0.5, rel=0.1)
    assert spread(block.bands_down.weight) == pytest.approx(76**-0.5 / 3**0.5 / 2, rel=0.1)


def test_a_gain_head_begins_without_an_opinion() -> None:
    head = build(SMALL).gain
    head_in = torch.randn(2, 6, 32)
    gains, beliefs = head(head_in, torch.rand(2, 24, 11), None)
    assert not gains.any()
    assert beliefs.touched.tolist() == [2.0, 2.0]
    seen = head.look(torch.randn(2, 3, 6), torch.rand(2, 3), torch.ones(2, 3, dtype=torch.bool), 6)
    assert not seen.any()
    assert seen.shape == (2, 6, 32)


def test_without_a_mask_every_picture_is_there() -> None:
    torch.manual_seed(6)
    head = build(SMALL).gain
    torch.nn.init.normal_(head.seen_in[-1].weight)
    context, times = torch.randn(2, 3, 6), 3 * torch.rand(2, 3)
    every = head.look(context, times, torch.ones(2, 3, dtype=torch.bool), 6)
    torch.testing.assert_close(head.look(context, times, None, 6), every)
    assert head.look(None, None, None, 6) is None
    assert build(replace(SMALL, context_dim=0)).gain.look(context, times, None, 6) is None


@pytest.mark.parametrize("config", [SMALL, BANDED], ids=["unet", "bands"])
def test_masks_alone_are_the_same_masks(config: NetworkConfig) -> None:
    torch.manual_seed(7)
    model = build(config).eval()
    given = (torch.rand(1, 2048, 6), torch.randn(1, 6 * 1024), torch.randn(1, 2, 6), torch.rand(1, 2))
    valid = torch.ones(1, 2, dtype=torch.bool)
    with torch.no_grad():
        masks, _ = model(*given, valid)
        logits = model.mask_logits(*given, valid)
    torch.testing.assert_close(torch.softmax(logits, 1), masks)


@pytest.mark.parametrize(
    "config",
    [SMALL, BANDED, replace(SMALL, kind="visah", spectrogram="linear")],
    ids=["unet", "bands", "visah"],
)
def test_mixed_precision_is_nearly_the_same_in_full_numbers(config: NetworkConfig) -> None:
    torch.manual_seed(5)
    model = build(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    given = (torch.rand(1, 2048, 6), torch.randn(1, 6 * 1024), torch.randn(1, 2, 6), torch.rand(1, 2))
    valid = torch.ones(1, 2, dtype=torch.bool)
    with torch.no_grad():
        full = model.trunk(*given, valid)
        again = model.trunk(*given, valid)
        model.trunk.mixed_precision = True
        half = model.trunk(*given, valid)
    for whole, same, rough in zip(full, again, half, strict=True):
        if whole is None:
            assert rough is None
            continue
        assert torch.equal(whole, same)
        assert rough.dtype == torch.float32
        assert not torch.equal(whole, rough)
        assert float((whole - rough).abs().mean() / whole.abs().mean()) < 0.05


# Sizes ------------------------------------------------------------------------------------------------


def test_sizes_are_those_of_the_paper() -> None:
    assert (sizes.MODEL_RATE, sizes.N_FFT, sizes.HOP, sizes.BINS) == (44_100, 4096, 1024, 2048)
    assert pytest.approx(0.04644, abs=1e-5) == sizes.LATENT_SECONDS
    assert frames_of(441_000) == sizes.WINDOW_FRAMES == 431
    assert (sizes.WINDOW_SAMPLES, frames_of(1024), frames_of(1025), frames_of(0)) == (441_344, 1, 2, 0)
    paper = NetworkConfig()
    assert (paper.channels, paper.width, paper.heads, paper.decoder_layers) == (24, 512, 16, 6)
    assert (paper.encoder_layers, paper.context_dim, paper.dropout, paper.gain_bound_db) == (
        3,
        768,
        0.0,
        18.0,
    )
    assert (paper.gain_layers, paper.band_width, paper.band_layers) == (2, 96, 8)
    assert (paper.latent_channels, paper.masks, SMALL.masks) == (768, 1, 3)
    assert [paper.latent_steps(n) for n in (1, 2, 431)] == [1, 1, 216]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"kind": "visor"}, "kind 'visor' is unknown"),
        ({"spectrogram": "mel"}, "'mel' is unknown"),
        ({"gain_head": "loud"}, "'loud' is unknown"),
        ({"trunk": "tree"}, "not one of a product network"),
        ({"trunk": "bands", "spectrogram": "linear"}, "reads the 'log' spectrogram"),
        ({"trunk": "bands", "band_layers": 0}, "are 1 or more"),
        ({"trunk": "bands", "band_width": 0}, "are 1 or more"),
        ({"channels": 6}, "multiple of 4"),
        ({"width": 30}, "even multiple of heads"),
        ({"width": 33, "heads": 3}, "even multiple of heads"),
    ],
)
def test_sizes_that_do_not_fit_are_one_sentence(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ModelError, match=says):
        replace(SMALL, **wrong)


def test_the_smallest_sizes_fit() -> None:
    assert replace(BANDED, band_width=1, band_layers=1, width=2, heads=1).band_layers == 1


def test_logarithms_of_magnitudes_are_about_unit_variance() -> None:
    """Silence is (ln 0.01 + 1) / 2.5; a magnitude of 0.99 is 0.4."""
    assert log_magnitude(torch.tensor([0.0, 0.99])).tolist() == pytest.approx([-1.442068, 0.4])
