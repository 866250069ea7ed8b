"""Gains learned from inner products: they say what the sound would have said."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from invented_scenes import NAMES, invented_batch, invented_table
from sightmix.engine.highlight.config import HOP, N_FFT, NetworkConfig
from sightmix.engine.highlight.network import build
from sightmix.engine.highlight.spectral_torch import stft
from sightmix.engine.training.loop.balances import (
    BalanceObjective,
    Balances,
    _linear,
    _quadratic,
    assemble,
    hear,
)
from sightmix.engine.training.loop.batches import Shown
from sightmix.engine.training.networks.step import ProductWeights
from sightmix.engine.training.scenes import settings
from sightmix.engine.training.scenes.dice import Dice
from tiny_training import NETWORK

FRAMES = 64
WEIGHTS = ProductWeights(mask=0.0, gain=0.1, remix=1.0, env=1.0, level=0.1, touched=0.1)


FEATURES = {
    name: np.eye(8, dtype=np.float32)[i]
    for i, kind in enumerate(("other", "subject:speech", "subject:music", "subject:effects"))
    for name in NAMES
    if name.startswith(kind)
}
SHOWN = Shown(FEATURES, 8)


def network():
    torch.manual_seed(0)
    model = build(NetworkConfig.from_dict({**NETWORK, "gain_head": "levels"})).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def drawn(seed: int = 3, **options):
    config = settings.SceneConfig(policies={"paper": 1.0}, untouched=0.0, flat=0.0, picture=0.0, **options)
    batch = invented_batch(range(8), config, FRAMES * HOP / 44_100, seed=seed)
    return batch.scene(int(batch.notes.present.all(1).nonzero()[0]))


def test_inner_products_give_the_power_of_any_balance() -> None:
    """Quadratic forms of the stored products equal the power of the mixed spectrograms, band for band."""
    scene = drawn()
    heard = hear(network(), scene, SHOWN)
    gains = torch.tensor([1.7, 0.4, 0.9])
    mixed = stft((torch.from_numpy(scene.stems) * gains[:, None]).sum(0, keepdim=True))[0]
    power = torch.nn.functional.avg_pool1d(mixed.abs().square().sum(0)[None, None], 2)[0, 0] / N_FFT
    steps = heard.sound.wanted.shape[-1]
    found = _quadratic(heard.sound.wanted[None].float(), gains[None, :, None].expand(1, 3, steps))[0].sum(0)
    loud = power > 1e-3 * power.max()
    assert loud.sum() > 10
    np.testing.assert_allclose(found[loud], power[loud], rtol=0.03)
    # The masks sum to one, so that under equal gains what they give is the mix.
    equal = torch.ones(1, 3, steps)
    whole = _quadratic(heard.sound.own[None].float(), equal)[0].sum(0)
    mix = stft(torch.from_numpy(scene.stems).sum(0, keepdim=True))[0]
    power = torch.nn.functional.avg_pool1d(mix.abs().square().sum(0)[None, None], 2)[0, 0] / N_FFT
    np.testing.assert_allclose(whole[loud], power[loud], rtol=0.03)


class Says:
    """A gain head with its answer ready."""

    def __init__(self, gains):
        self.gains = gains

    def look(self, *_):
        return None

    def __call__(self, *_):
        return self.gains, None


def perfectly_masked(scene) -> Balances:
    """A scene whose masked stems are the true ones."""
    heard = hear(network(), scene, SHOWN)
    full = heard.sound.wanted.float()
    pairs = {(0, 0): 0, (0, 1): 1, (0, 2): 2, (1, 1): 3, (1, 2): 4, (2, 2): 5}
    cross = torch.stack([full[pairs[min(i, j), max(i, j)]] for i in range(3) for j in range(3)])
    batch = assemble([heard], SHOWN, invented_table(), 0.0, Dice("x", [0]))
    return replace(batch, sound=replace(batch.sound, own=full[None], cross=cross[None]))


def test_the_right_gains_cost_nothing_and_wrong_ones_do() -> None:
    batch = perfectly_masked(drawn())
    objective = BalanceObjective(WEIGHTS)
    terms = [objective(SimpleNamespace(gain=Says(batch.gains_db + off)), batch) for off in (0.0, 1.0, 3.0)]
    for name in ("gain", "remix"):
        costs = [float(term[name]) for term in terms]
        assert costs[0] < 0.1 * costs[1] < 0.1 * costs[2]
    envs = [float(term["env"]) for term in terms]
    assert envs[0] < envs[1] < envs[2]


def test_gains_per_frame_become_factors_per_step() -> None:
    gains = torch.tensor([[[0.0, 0.0, 20.0, 20.0, 6.0]]])
    np.testing.assert_allclose(_linear(gains)[0, 0], [1.0, 10.0, 10**0.3], rtol=1e-5)


def test_other_pictures_ask_for_another_stem() -> None:
    heard = hear(network(), drawn(), SHOWN)
    leads = set()
    for seed in range(12):
        batch = assemble([heard], SHOWN, invented_table(), 1.0, Dice("x", [seed]))
        assert torch.equal(batch.sound.hidden[0], heard.sound.hidden.float())
        middle = int(FRAMES * HOP / 44_100 / 2)
        shown = int(batch.context[0, middle].argmax())
        if shown == 0:
            continue
        k = shown - 1
        frame = round((middle + 0.7) * 44_100 / HOP)
        after = heard.loudness + batch.gains_db[0, :, min(frame, FRAMES - 1)]
        assert int(after.argmax()) == k, "the stem that is seen comes out loudest"
        leads.add(k)
    assert len(leads) > 1


def test_scenes_not_muddied_by_one_change_keep_their_good_mix() -> None:
    scene = drawn()
    scene.record["degradation"]["policy"] = "per_second"
    heard = hear(network(), scene, SHOWN)
    batch = assemble([heard], SHOWN, invented_table(), 1.0, Dice("x", [0]))
    assert torch.equal(batch.gains_db[0], heard.gains_db)
    assert not batch.valid.any()
    assert not hear(network(), replace(scene, record={}), SHOWN).free


def test_without_a_source_of_pictures_nothing_is_redrawn() -> None:
    heard = hear(network(), drawn(), SHOWN)
    assert heard.free
    batch = assemble([heard], SHOWN, None, 1.0, Dice("x", [0]))
    assert torch.equal(batch.gains_db[0], heard.gains_db)


@pytest.mark.parametrize("weight", ["gain", "remix", "env", "level", "touched"])
def test_every_term_reaches_the_head(weight: str) -> None:
    model = network()
    heard = hear(model, drawn(), SHOWN)
    batch = assemble([heard], SHOWN, invented_table(), 1.0, Dice("x", [1]))
    only = ProductWeights(**{**dict.fromkeys(vars(WEIGHTS), 0.0), weight: 1.0})
    model.requires_grad_(False)
    model.gain.requires_grad_(True)
    terms = BalanceObjective(only)(model, batch)
    assert terms["total"].item() == pytest.approx(terms[weight].item())
    terms["total"].backward()
    assert any(p.grad is not None and p.grad.abs().max() > 0 for p in model.gain.parameters())
