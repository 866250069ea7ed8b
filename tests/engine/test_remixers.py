"""The audio baselines: shapes, an untrained network that passes sound on, what steers it, and training end to end."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sightmix.engine.errors import ModelError, SightmixError, TrainingError
from sightmix.engine.highlight.network import parameter_count
from sightmix.engine.training.loop.checkpoints import load
from sightmix.engine.training.loop.config import SHIPPED, TrainConfig
from sightmix.engine.training.loop.export import export
from sightmix.engine.training.loop.run import Trainer
from sightmix.engine.training.networks.losses import SpectralLoss
from sightmix.engine.training.networks.registry import (
    KINDS,
    build_network,
    config_of,
    objective_of,
    sound_of,
    stems_of,
)
from sightmix.engine.training.networks.remixers import LCE, Learn2Remix, StemGains, error_db, mix_and_target
from sightmix.engine.training.networks.sepreformer import Basis, RemixerConfig, SlowAttention
from sightmix.engine.training.networks.step import Batch
from tiny_training import CONFIG, NETWORK, RATE, sound

DIM = 6
SIZES: dict[str, Any] = {
    "width": 16, "kernel": 64, "stages": 2, "depth": 1, "heads": 2, "reach": 9, "span": 16,
}  # fmt: skip
BLIND = {"kind": "learn2remix", **SIZES}
READING = {"kind": "lce", **SIZES, "context_dim": DIM}
BOTH = pytest.mark.parametrize("data", [BLIND, READING], ids=["learn2remix", "lce"])


def fresh(data: dict[str, Any]) -> Any:
    torch.manual_seed(0)
    return build_network(config_of(data))


def shaken(data: dict[str, Any]) -> Any:
    """A network whose every parameter has a say."""
    model = fresh(data)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model.eval()


def batch_of(
    stems: torch.Tensor, gains: tuple[float, float, float], texts: torch.Tensor | None = None
) -> Batch:
    """Stems (B, 3, L) that should be changed by `gains` dB throughout, and two of ten text vectors that count."""
    B, _, L = stems.shape
    frames = -(-L // 1024)
    gains_db = torch.tensor(gains)[None, :, None].expand(B, 3, frames).clone()
    context = torch.zeros(B, 10, DIM)
    valid = torch.zeros(B, 10, dtype=torch.bool)
    if texts is not None:
        context[:, :2], valid[:, :2] = texts[:, None], True
    times = torch.arange(10.0).expand(B, 10)
    return Batch(stems, gains_db, torch.ones(B, 3, frames), context, times, valid)


def noise_batch(B: int = 2, L: int = 6000, seed: int = 1) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    stems = 0.1 * torch.randn(B, 3, L, generator=generator)
    return batch_of(stems, (6.0, -6.0, 0.0), torch.randn(B, DIM, generator=generator))


def real_batch(seconds: float = 0.3) -> Batch:
    """One scene of buzz, chord and bursts, whose chord is too loud and buzz too quiet."""
    rng = np.random.default_rng(3)
    levels = {"speech": 0.5, "music": 2.0, "effects": 1.0}
    stems = [sound(kind, rng, seconds).astype(np.float32) / 32768 * level for kind, level in levels.items()]
    return batch_of(torch.from_numpy(np.stack(stems))[None], (9.0, -12.0, 0.0))


def spectral() -> SpectralLoss:
    return SpectralLoss()


# Networks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("samples", [1, 33, 4097, 12_001])
@BOTH
def test_any_length_comes_back_as_it_went_in(data: dict[str, Any], samples: int) -> None:
    batch = noise_batch(L=samples)
    mix = batch.stems.sum(1)
    with torch.no_grad():
        out, stems = sound_of(shaken(data), mix, batch), stems_of(shaken(data), mix, batch)
    assert out.shape == mix.shape
    assert torch.isfinite(out).all()
    assert (stems is None) == (data is READING)
    assert stems is None or stems.shape == batch.stems.shape


@pytest.mark.parametrize(("kernel", "samples"), [(8, 1), (64, 1000), (128, 4097), (256, 44_100)])
def test_a_fresh_basis_is_inverted_exactly(kernel: int, samples: int) -> None:
    x = torch.randn(2, samples, generator=torch.Generator().manual_seed(0))
    basis = Basis(kernel, 16)
    values = basis.analysis(x)
    assert values.shape[1] % 16 == 0
    assert values.shape[2] == 2 * kernel
    torch.testing.assert_close(basis.synthesis(values, samples), x, atol=2e-5, rtol=0)


@BOTH
def test_an_untrained_network_passes_the_sound_on(data: dict[str, Any]) -> None:
    batch = noise_batch()
    mix = batch.stems.sum(1)
    with torch.no_grad():
        out = sound_of(fresh(data), mix, batch)
    assert float((out - mix).norm() / mix.norm()) < 0.02  # 34 dB below


def test_untrained_stems_are_thirds_and_untrained_gains_nothing() -> None:
    batch = noise_batch()
    mix = batch.stems.sum(1)
    model = fresh(BLIND)
    with torch.no_grad():
        out = model(mix)
    assert torch.equal(out.gains_db, torch.zeros(2, 3, 1))
    for k in range(3):
        assert float((out.stems[:, k] - mix / 3).norm() / mix.norm()) < 0.02


def test_gains_scale_the_stems_in_the_remix() -> None:
    """Where every second has the same gains the remix is the sum of the decoded stems so changed."""
    model = shaken(BLIND)
    with torch.no_grad():
        model.gain.out.weight.zero_()
        model.gain.out.bias.copy_(torch.tensor([4.0, -9.0, 30.0]))
        out = model(noise_batch(L=2 * RATE).stems.sum(1))
    bound = model.config.gain_bound_db
    wanted = bound * torch.tanh(torch.tensor([4.0, -9.0, 30.0]) / bound)
    torch.testing.assert_close(out.gains_db, wanted[None, :, None].expand(2, 3, 2))
    linear = torch.pow(10.0, wanted / 20)[None, :, None]
    torch.testing.assert_close(out.sound, (out.stems * linear).sum(1), atol=1e-4, rtol=1e-3)


def test_gains_follow_the_seconds() -> None:
    """Seconds that sound alike get the same gains, louder ones others, and the whole clip's level counts for all."""
    torch.manual_seed(0)
    head = StemGains(config_of(BLIND))  # type: ignore[arg-type]
    torch.nn.init.normal_(head.out.weight)
    features = torch.randn(1, 3, 1, 16).expand(1, 3, 40, 16)
    power = torch.full((1, 4, 40), 0.01)
    power[..., 20:] = 1.0
    with torch.no_grad():
        gains = head(features, power, torch.zeros(1, 1), 4)[0]
        louder = head(features, power, torch.ones(1, 1), 4)[0]
    assert gains.shape == (3, 4)
    torch.testing.assert_close(gains[:, 0], gains[:, 1])
    torch.testing.assert_close(gains[:, 2], gains[:, 3])
    assert float((gains[:, 0] - gains[:, 3]).abs().max()) > 0.1
    assert float((gains - louder).abs().min(dim=1).values.max()) > 0.01


@BOTH
def test_a_batch_equals_its_items(data: dict[str, Any]) -> None:
    model, batch = shaken(data), noise_batch()
    mix = batch.stems.sum(1)
    with torch.no_grad():
        whole = sound_of(model, mix, batch)
        for b in range(2):
            one = Batch(*(getattr(batch, name)[b : b + 1] for name in Batch.__dataclass_fields__))
            torch.testing.assert_close(
                sound_of(model, mix[b : b + 1], one)[0], whole[b], atol=1e-5, rtol=1e-4
            )


@BOTH
def test_the_output_is_as_loud_as_the_input_and_knows_how_loud_that_is(data: dict[str, Any]) -> None:
    """Scaling is no nonlinearity of the mask's input, yet the level is told, so masks may depend on it."""
    batch = noise_batch()
    mix = batch.stems.sum(1)
    with torch.no_grad():
        model = shaken(data)
        one, tenth = sound_of(model, mix, batch), sound_of(model, mix / 10, batch) * 10
        assert float((one - tenth).norm() / one.norm()) > 1e-3
        model.trunk.level.weight.zero_()
        if data is BLIND:
            model.gain.layers[0].weight[:, -1].zero_()
        one, tenth = sound_of(model, mix, batch), sound_of(model, mix / 10, batch) * 10
    assert float((one - tenth).norm() / one.norm()) < 2e-3


@BOTH
def test_every_parameter_learns(data: dict[str, Any]) -> None:
    model = shaken(data)
    first = noise_batch()
    unread = replace(first, valid=torch.tensor([[True] * 10, [False] * 10]))
    objective_of(model.config, {}, spectral())(model, unread)["total"].backward()
    idle = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not idle


@BOTH
def test_silence_gives_silence_and_finite_gradients(data: dict[str, Any]) -> None:
    model, batch = shaken(data), batch_of(torch.zeros(1, 3, 3000), (3.0, 0.0, 0.0))
    terms = objective_of(model.config, {}, spectral())(model, batch)
    terms["total"].backward()
    assert all(torch.isfinite(value) for value in terms.values())
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    with torch.no_grad():
        assert float(sound_of(model, batch.stems.sum(1), batch).abs().max()) < 1e-4


def test_attention_tells_distances_apart_up_to_its_span() -> None:
    """With nothing but relative positions to go by, the weights depend on the distance alone, and not beyond `span`."""
    torch.manual_seed(0)
    attention = SlowAttention(4, 1, 1, span=3)
    with torch.no_grad():
        attention.qkv.weight[:8].zero_()
        attention.qkv.bias.zero_()
        attention.qkv.weight[8:].copy_(torch.eye(4))
        attention.out.weight.copy_(torch.eye(4))
        attention.out.bias.zero_()
        attention.gate.weight.zero_()
        attention.gate.bias.fill_(100.0)
        attention.distance.weight[:, 0].copy_(torch.arange(7.0))
        x = torch.zeros(12, 12, 4)
        x[torch.arange(12), torch.arange(12), 0] = 1.0  # item j asks how much everyone looks at frame j
        weights = attention(x)[..., 0].T
    apart = (torch.arange(12)[None] - torch.arange(12)[:, None]).clamp(-3, 3) + 3.0
    torch.testing.assert_close(weights, torch.softmax(apart, dim=-1))


def test_an_untrained_text_says_nothing_and_only_valid_vectors_count() -> None:
    batch = noise_batch()
    mix = batch.stems.sum(1)
    other = replace(batch, context=batch.context.flip(0))
    with torch.no_grad():
        model = fresh(READING)
        assert torch.equal(sound_of(model, mix, batch), sound_of(model, mix, other))
        model = shaken(READING)
        assert not torch.allclose(sound_of(model, mix, batch), sound_of(model, mix, other), atol=1e-4)
        junk = torch.where(batch.valid[..., None], batch.context, torch.full_like(batch.context, 9.0))
        assert torch.equal(sound_of(model, mix, batch), sound_of(model, mix, replace(batch, context=junk)))
        torch.testing.assert_close(model.text(batch.context, batch.valid), batch.context[:, 0])
        nothing = model.text(batch.context, torch.zeros_like(batch.valid))
    torch.testing.assert_close(nothing, model.no_text.expand(2, DIM))


# Learning ----------------------------------------------------------------------------------------------


def descend(model: Any, batch: Batch, steps: int, rate: float) -> list[dict[str, float]]:
    objective = objective_of(model.config, {}, spectral())
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    history = []
    for _ in range(steps):
        terms = objective(model, batch)
        optimizer.zero_grad()
        terms["total"].backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        history.append({name: float(value.detach()) for name, value in terms.items()})
    return history


def test_text_steers_the_sound() -> None:
    """One sound, two texts, of which one asks for twice the level and the other for half: only the text can tell."""
    generator = torch.Generator().manual_seed(4)
    stems = (0.1 * torch.randn(1, 3, 4000, generator=generator)).expand(2, 3, 4000)
    batch = batch_of(stems, (0.0, 0.0, 0.0), torch.randn(2, DIM, generator=generator))
    asked = torch.tensor([6.0, -6.0])
    batch = replace(batch, gains_db=asked[:, None, None].expand_as(batch.gains_db).clone())
    model = fresh(READING)
    descend(model, batch, 25, 1e-2)
    mix = batch.stems.sum(1)
    with torch.no_grad():
        heard = 20 * torch.log10(sound_of(model, mix, batch).norm(dim=-1) / mix.norm(dim=-1))
        swapped = replace(batch, context=batch.context.flip(0))
        exchanged = 20 * torch.log10(sound_of(model, mix, swapped).norm(dim=-1) / mix.norm(dim=-1))
    assert heard[0] > 3
    assert heard[1] < -3
    torch.testing.assert_close(exchanged, heard.flip(0), atol=1e-3, rtol=1e-3)


def test_learn2remix_learns_one_scene_by_heart() -> None:
    """Twenty-five steps bring the errors of the remix and of the stems down to less than half of their energy."""
    history = descend(fresh(BLIND), real_batch(), 25, 1e-2)
    assert history[0]["remix"] - history[-1]["remix"] > 10 * np.log10(2)
    assert history[0]["separation"] - history[-1]["separation"] > 10 * np.log10(2)


def test_lce_learns_one_scene_by_heart() -> None:
    history = descend(fresh(READING), real_batch(), 25, 5e-3)
    assert history[0]["remix"] - history[-1]["remix"] > 10 * np.log10(2)


def test_errors_in_decibels() -> None:
    wanted = torch.randn(3, 20_000, generator=torch.Generator().manual_seed(0))
    energy = wanted.square().sum(-1)
    assert float(error_db(wanted, wanted, energy)) == pytest.approx(-30, abs=0.01)
    assert float(error_db(torch.zeros_like(wanted), wanted, energy)) == pytest.approx(0, abs=1e-4)
    assert float(error_db(0.9 * wanted, wanted, energy)) == pytest.approx(-20 + 0.41, abs=0.02)
    silence = torch.zeros_like(wanted)
    leaks = [float(error_db(10 ** (db / 20) * wanted, silence, energy)) for db in (0, -10, -20)]
    assert leaks == pytest.approx([30.0, 20.04, 10.41], abs=0.05)


def test_totals_are_weighted_sums_against_the_scenes_own_target() -> None:
    model, batch = shaken(BLIND), noise_batch()
    with torch.no_grad():
        mix, target = mix_and_target(batch)
        terms = objective_of(model.config, {"remix": 2.0, "separation": 0.5}, spectral())(model, batch)
        remix = error_db(model(mix).sound, target, target.square().sum(-1))
    assert float(terms["total"]) == pytest.approx(
        2 * float(terms["remix"]) + 0.5 * float(terms["separation"])
    )
    assert float(terms["remix"]) == pytest.approx(float(remix), rel=1e-5)
    wanted = batch.stems[:, 0] * 10 ** (6 / 20) + batch.stems[:, 1] * 10 ** (-6 / 20) + batch.stems[:, 2]
    torch.testing.assert_close(target, wanted, atol=1e-5, rtol=1e-4)


# The trainer -------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def captioned(tiny_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny corpus with captions of its pictures."""
    root = tmp_path_factory.mktemp("captioned") / "corpus"
    shutil.copytree(tiny_corpus, root)
    with np.load(root / "pictures.npz") as stored:
        names = stored["names"]
    rows = np.random.default_rng(6).standard_normal((len(names), DIM)).astype(np.float32)
    np.savez(root / "captions.npz", names=names, features=rows)
    return root


def run_config(data: dict[str, Any], **changes: Any) -> TrainConfig:
    context = "text" if data["kind"] == "lce" else "frames"
    return replace(
        CONFIG, network=data, context=context, scene_options={"picture": 1.0, "untouched": 0.0}, **changes
    )


def weights(trainer: Trainer) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in trainer.model.parameters()])


@BOTH
def test_resuming_gives_the_same_weights_to_the_bit(
    data: dict[str, Any], captioned: Path, tmp_path: Path
) -> None:
    config = run_config(data, steps=2, validate_clips=1)
    whole = Trainer(config, captioned, tmp_path / "whole")
    whole.run()
    part = Trainer(config, captioned, tmp_path / "part")
    for batch, _ in zip(part._batches(), range(1), strict=False):
        part._advance(batch)
    part.save()
    again = Trainer(config, captioned, tmp_path / "part")
    again.resume()
    again.run()
    assert again.step == whole.step == 2
    assert torch.equal(weights(whole), weights(again))
    last = json.loads((tmp_path / "part" / "log.jsonl").read_text().splitlines()[-1])
    assert np.isfinite(last["mag_improvement"])

    model, batch = load(tmp_path / "part" / "checkpoint.pt"), noise_batch(1)
    mix = batch.stems.sum(1)
    with torch.no_grad():
        assert torch.equal(sound_of(model, mix, batch), sound_of(again.average.eval(), mix, batch))


def test_captions_reach_the_network(captioned: Path, tmp_path: Path) -> None:
    trainer = Trainer(run_config(READING), captioned, tmp_path)
    batch = next(trainer._batches())
    assert batch.context.shape[-1] == DIM
    assert batch.valid.any()
    with np.load(captioned / "captions.npz") as stored:
        rows = {row.tobytes() for row in stored["features"]}
    assert all(row.numpy().tobytes() in rows for row in batch.context[batch.valid])


@BOTH
def test_mixed_precision_is_at_work_and_does_no_harm(
    data: dict[str, Any], captioned: Path, tmp_path: Path
) -> None:
    single, mixed = (
        Trainer(run_config(data, precision=p), captioned, tmp_path / p) for p in ("float32", "bf16")
    )
    batch = next(mixed._batches())
    terms = [trainer._advance(batch) for trainer in (single, mixed)]
    assert 0 < abs(terms[0]["total"] - terms[1]["total"]) < 0.1
    assert all(p.dtype == torch.float32 for p in mixed.model.parameters())
    assert not mixed.average.trunk.mixed_precision


def test_a_baseline_is_not_shipped(captioned: Path, tmp_path: Path) -> None:
    Trainer(run_config(BLIND), captioned, tmp_path).save()
    with pytest.raises(TrainingError, match=r"learn2remix.*only product and visah networks can be shipped"):
        export(
            tmp_path / "checkpoint.pt", tmp_path / "w", name="x", licence="CC0-1.0", trained_on=["nothing"]
        )
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_network_answers_with_sound(kind: str) -> None:
    data = {"visah": {**NETWORK, "context_dim": DIM}, "product": {**NETWORK, "context_dim": DIM}}.get(
        kind, {**SIZES, "context_dim": DIM if kind == "lce" else 0}
    )
    model, batch = fresh({**data, "kind": kind}).eval(), noise_batch(L=20_000)
    mix = batch.stems.sum(1)
    with torch.no_grad():
        assert sound_of(model, mix, batch).shape == mix.shape
        stems = stems_of(model, mix, batch)
    assert (stems is not None) == (kind in ("product", "learn2remix"))
    assert isinstance(model, Learn2Remix) == (kind == "learn2remix")
    assert isinstance(model, LCE) == (kind == "lce")
    terms = objective_of(model.config, {}, spectral())(model, batch)
    assert torch.isfinite(terms["total"])


# Configurations ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"network": {"kind": "learn2remx"}}, "did you mean 'learn2remix'"),
        ({"network": {"kind": "demucs"}}, "use one of visah, product, learn2remix, lce"),
        ({"network": {**BLIND, "withd": 8}}, r"unknown entry 'network\.withd'; did you mean 'width'"),
        ({"network": {**BLIND, "channels": 8}}, r"unknown entry 'network\.channels'"),
        ({"network": {**BLIND, "width": 15}}, "multiple of heads"),
        ({"network": {**BLIND, "stages": 0}}, "stages must be a whole number above 0, not 0"),
        ({"network": {**BLIND, "reach": 8}}, "reach 8 odd"),
        ({"network": {**BLIND, "context_dim": 4}}, "learn2remix reads none"),
        ({"network": {**READING, "context_dim": 0}}, "lce reads text"),
        ({"network": ["lce"]}, "network must be a JSON object"),
        ({"weights": {"separatoin": 1.0}}, r"'weights\.separatoin'; did you mean 'separation'"),
        ({"weights": {"mask": 1.0}}, r"unknown entry 'weights\.mask'"),
        ({"unit_variance": True}, "unit_variance is for the U-Nets of product and visah"),
    ],
)
def test_a_wrong_configuration_is_one_sentence(tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"name": "x", "network": BLIND, **change}))
    with pytest.raises(TrainingError, match=sentence):
        TrainConfig.read(path)


def test_a_description_survives_the_round_trip_and_names_typos() -> None:
    config = config_of(BLIND)
    assert isinstance(config, RemixerConfig)
    assert RemixerConfig.from_dict(config.to_dict()) == config
    with pytest.raises(ModelError, match="did you mean 'kernel'"):
        RemixerConfig.from_dict({**BLIND, "kernle": 8})
    with pytest.raises(SightmixError, match="is unknown"):
        RemixerConfig.from_dict({"kind": "visah"})


@pytest.mark.parametrize(("name", "parameters"), [("learn2remix", 3_353_835), ("lce", 3_296_616)])
def test_the_shipped_configurations_are_as_large_as_the_documentation_says(
    name: str, parameters: int
) -> None:
    config = TrainConfig.read(SHIPPED / f"{name}.json")
    assert config.context == ("text" if name == "lce" else "frames")
    with torch.device("meta"):
        model = build_network(config_of(config.network))
    assert parameter_count(model) == parameters
