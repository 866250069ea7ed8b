"""What one training step asks of the networks: known answers for each term of the loss."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from sightmix.engine.highlight.config import NetworkConfig
from sightmix.engine.highlight.network import ProductModel, VisAH, build
from sightmix.engine.highlight.spectral_torch import gain_ramps, stft
from sightmix.engine.training.networks.losses import (
    SpectralLoss,
    SpectralSettings,
    level_loss,
    touched_loss,
)
from sightmix.engine.training.networks.step import (
    Batch,
    ProductObjective,
    ProductWeights,
    VisAHObjective,
    _noise,
    _relative_distance,
    _share_entropy,
    collate,
    product_output,
)
from sightmix.engine.training.scenes.scene import Scene
from small_networks import SMALL

SAMPLES = 40_000
FRAMES = 40


def scene(seed: int = 0, pictures: tuple[tuple[float, str], ...] | None = None) -> Scene:
    rng = np.random.default_rng(seed)
    return Scene(
        stems=(0.1 * rng.standard_normal((3, SAMPLES))).astype(np.float32),
        gains_db=np.tile(np.array([[3.0], [-6.0], [0.0]], np.float32), (1, FRAMES)),
        active=np.ones((3, FRAMES), np.bool_),
        record={},
        pictures=pictures,
    )


@pytest.fixture
def batch() -> Batch:
    return collate([scene(0), scene(1)], {}, 6)


def spectra(seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.complex(*torch.randn(2, 2, 3, 50, 20, generator=generator))


def test_entropy_is_ln_3_for_a_guess_and_least_for_the_truth() -> None:
    stems = spectra().abs()
    mix = stems.sum(1)
    share = stems / stems.sum(1, keepdim=True)
    guess = float(_share_entropy(torch.zeros_like(stems), stems, mix))
    truth = float(_share_entropy(share.log(), stems, mix))
    assert guess == pytest.approx(math.log(3), rel=1e-5)
    assert truth < guess
    assert truth < float(_share_entropy(share.log() + 0.1 * torch.randn_like(share), stems, mix))


def test_a_sure_and_wrong_mask_still_learns() -> None:
    """The gradient of a mask that is certain of the wrong stem is as large as the weight allows, not zero."""
    logits = torch.zeros(1, 3, 4, 5)
    logits[:, 1] = 200.0
    logits.requires_grad_()
    stems = torch.zeros(1, 3, 4, 5)
    stems[:, 0] = 1
    _share_entropy(logits, stems, stems.sum(1)).backward()
    assert logits.grad is not None
    assert float(logits.grad[:, 0].sum()) == pytest.approx(-1, rel=1e-4)


def test_noise_is_0_for_silence_and_falls_with_the_error() -> None:
    wanted = spectra()
    assert float(_noise(torch.zeros_like(wanted), wanted)) == pytest.approx(0, abs=1e-2)
    assert -20.5 < float(_noise(0.9 * wanted, wanted)) < -18
    quiet = spectra()
    quiet[:, 2] = 0
    leaks = []
    for db in (-10, -20, -40, -120):
        leaky = quiet.clone()
        leaky[:, 2] = quiet[:, 0] * 10 ** (db / 20)
        leaks.append(float(_noise(leaky, quiet)))
    assert leaks == sorted(leaks, reverse=True)


def test_distance_does_not_depend_on_loudness() -> None:
    wanted = spectra() * 50
    estimate = wanted + spectra(1)
    ratio = float(_relative_distance(0.1 * estimate, 0.1 * wanted)) / float(
        _relative_distance(estimate, wanted)
    )
    assert ratio == pytest.approx(1, rel=1e-3)


def test_total_is_the_weighted_sum_and_zero_weights_cost_nothing(batch: Batch) -> None:
    torch.manual_seed(0)
    model = build(SMALL)
    assert isinstance(model, ProductModel)
    remix = SpectralLoss(SpectralSettings(mode="mixed", overlap=2))
    weights = ProductWeights(mask=1.0, stem=0.5, noise=0.25, gain=0.1, remix=2.0, env=3.0, w=4.0)
    terms = ProductObjective(weights, remix)(model, batch)
    assert set(terms) == {"mask", "stem", "noise", "gain", "remix", "env", "w", "total"}
    wanted = sum(
        getattr(weights, name) * float(value.detach()) for name, value in terms.items() if name != "total"
    )
    assert float(terms["total"].detach()) == pytest.approx(wanted, rel=1e-5)
    assert set(ProductObjective(ProductWeights(gain=0), remix)(model, batch)) == {"mask", "total"}
    assert set(ProductObjective(ProductWeights(gain=0, w=1.0), remix)(model, batch)) == {"mask", "w", "total"}


def test_an_untrained_model_is_off_by_the_whole_gain(batch: Batch) -> None:
    torch.manual_seed(0)
    model = build(SMALL)
    assert isinstance(model, ProductModel)
    terms = ProductObjective(ProductWeights(), SpectralLoss())(model, batch)
    assert float(terms["gain"].detach()) == pytest.approx((2.5 + 5.5 + 0) / 3, rel=1e-5)
    out, stems, gains = product_output(model, batch.stems.sum(1), batch)
    assert torch.equal(gains, torch.zeros_like(gains))
    torch.testing.assert_close(stems.sum(1), batch.stems.sum(1), atol=1e-6, rtol=0)
    torch.testing.assert_close(out, batch.stems.sum(1), atol=1e-6, rtol=0)


def test_true_masks_and_gains_give_the_target(batch: Batch) -> None:
    """The way back of a scene, drawn as ramps, is the scene's own target."""
    ours = (batch.stems * gain_ramps(batch.gains_db, SAMPLES)).sum(1)
    for row, seed in zip(ours, (0, 1), strict=True):
        assert np.abs(row.numpy() - scene(seed).target()).max() < 1e-6


def test_visah_objective_is_its_spectral_distance(batch: Batch) -> None:
    torch.manual_seed(0)
    model = build(NetworkConfig(**{**SMALL.to_dict(), "kind": "visah", "spectrogram": "linear"}))  # type: ignore[arg-type]
    assert isinstance(model, VisAH)
    terms = VisAHObjective(SpectralLoss())(model, batch)
    assert float(terms["total"].detach()) == float(terms["remix"].detach()) > 0


def test_silence_gives_finite_losses_and_gradients() -> None:
    quiet = scene()
    silent = Scene(np.zeros_like(quiet.stems), np.zeros_like(quiet.gains_db), np.zeros_like(quiet.active), {})
    torch.manual_seed(0)
    model = build(SMALL)
    assert isinstance(model, ProductModel)
    weights = ProductWeights(mask=1, stem=1, noise=1, gain=1, remix=1, env=1, w=1)
    terms = ProductObjective(weights, SpectralLoss())(model, collate([silent], {}, 6))
    terms["total"].backward()
    assert all(torch.isfinite(v) for v in terms.values())
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    assert stft(torch.zeros(1, SAMPLES)).abs().max() == 0


def test_pictures_hold_until_the_next_one() -> None:
    features = {"a": np.full(6, 1.0, np.float32), "b": np.full(6, 2.0, np.float32)}
    shown = collate([scene(0, ((0.0, "a"), (4.0, "b"))), scene(1)], features, 6)
    assert shown.context[0, :, 0].tolist() == [1.0] * 4 + [2.0] * 6
    assert shown.valid.tolist() == [[True] * 10, [False] * 10]


def test_of_a_pictures_seconds_only_those_asked_for_are_shown() -> None:
    features = {"a": np.ones(6, np.float32)}
    one = collate([scene(0, ((0.0, "a"),))], features, 6, (5,))
    assert one.valid[0].tolist() == [n == 5 for n in range(10)]
    assert float(one.context.sum()) == 6.0


def test_levels_are_off_by_their_distance_in_log10() -> None:
    power = torch.full((1, 3, 8), 0.01)
    right = torch.full((1, 3, 4), -2.0)
    assert float(level_loss(right, power, 0.0)) == pytest.approx(0.0, abs=1e-6)
    assert float(level_loss(right + 1.0, power, 0.0)) == pytest.approx(0.9, abs=1e-6)


def test_touched_is_whether_a_gain_that_counts_moves() -> None:
    gains, active = torch.zeros(2, 3, 5), torch.ones(2, 3, 5)
    gains[0, 1, 2] = 4.0
    sure = torch.tensor([9.0, -9.0])
    assert float(touched_loss(sure, gains, active)) < 0.001
    active[0, 1] = 0.0
    assert float(touched_loss(sure, gains, active)) > 4.0, "a gain of a silent stem moves nothing"


def test_beliefs_are_part_of_the_loss(batch: Batch) -> None:
    model = build(replace(SMALL, gain_head="levels", gain_layers=3))
    weights = ProductWeights(mask=1.0, gain=0.1, level=0.5, touched=0.25)
    terms = ProductObjective(weights, SpectralLoss())(model, batch)
    wanted = terms["mask"] + 0.1 * terms["gain"] + 0.5 * terms["level"] + 0.25 * terms["touched"]
    torch.testing.assert_close(terms["total"], wanted)
