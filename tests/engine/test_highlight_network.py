"""The networks against the published figures, a reference implementation, and their own promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sightmix.engine.compat import ensure_torchaudio
from sightmix.engine.errors import ModelError
from sightmix.engine.highlight.config import HOP, REFERENCE_LUFS, NetworkConfig, frames_of, to_reference
from sightmix.engine.highlight.layers import DecoderLayer, EncoderLayer
from sightmix.engine.highlight.network import POWER_FLOOR, ProductModel, VisAH, build, parameter_count
from sightmix.engine.highlight.spectral_torch import render_visah, stft
from sightmix.engine.highlight.told import Told, band_power
from sightmix.engine.highlight.transformer import LatentTransformer
from sightmix.engine.training.material.levels import loudness
from small_networks import SMALL

SMALL_VISAH = replace(SMALL, kind="visah", spectrogram="linear")
LEVELS = replace(SMALL, gain_head="levels", gain_layers=3)


def shaken(config: NetworkConfig, seed: int = 0) -> VisAH | ProductModel:
    """A network whose zero-initialised parts are not zero, so that every path counts."""
    torch.manual_seed(seed)
    model = build(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def inputs(batch: int, samples: int, context: int = 3, dim: int = 6, seed: int = 1):
    generator = torch.Generator().manual_seed(seed)
    wave = 0.1 * torch.randn(batch, samples, generator=generator)
    return (
        stft(wave).abs(),
        wave,
        torch.randn(batch, context, dim, generator=generator),
        torch.arange(float(context)).expand(batch, context),
        torch.ones(batch, context, dtype=torch.bool),
    )


# Parameter counts of the paper's sizes, solved from its table and the released layer sizes.
COUNTS = {
    (0, 768): 53_647_738,
    (3, 768): 59_956_090,
    (6, 768): 66_264_442,
    (0, 4096): 55_351_674,
    (3, 4096): 61_660_026,
    (6, 4096): 67_968_378,
}
PAPER_MILLIONS = {(0, 4096): "55.4", (3, 4096): "61.7", (6, 4096): "68.0"}


@pytest.mark.parametrize(("layers", "dim"), COUNTS)
def test_parameter_counts_are_the_papers(layers: int, dim: int) -> None:
    with torch.device("meta"):
        transformer = LatentTransformer(
            NetworkConfig(encoder_layers=layers, context_dim=dim), null_context=False
        )
    backbone = 20_955_258
    assert parameter_count(transformer) + backbone == COUNTS[layers, dim]
    if (layers, dim) in PAPER_MILLIONS:
        assert f"{COUNTS[layers, dim] / 1e6:.1f}" == PAPER_MILLIONS[layers, dim]


def test_backbone_counts_layer_by_layer() -> None:
    model = VisAH(NetworkConfig(context_dim=0))
    trunk = model.trunk
    assert [parameter_count(x) for x in trunk.encoder] == [3228, 20472, 80112, 316896, 2120864]
    assert parameter_count(trunk.shared_encoder) == 7264544
    assert [parameter_count(x) for x in trunk.wave_encoder] == [3228, 20472, 80112, 316896, 590208]
    assert parameter_count(trunk.shared_decoder) == 4724352
    assert [parameter_count(x) for x in trunk.decoder] == [3246912, 811488, 202992, 50808, 10609]
    assert [parameter_count(x) for x in trunk.wave_decoder] == [590400, 369120, 92400, 23160, 3697]
    assert parameter_count(trunk.rows) == 12288
    assert parameter_count(model) - parameter_count(trunk.transformer) == 20_955_258
    assert parameter_count(model) == 53_254_010  # the row without context


@pytest.fixture(scope="module")
def reference():
    ensure_torchaudio()
    from torchaudio.models import _hdemucs

    return _hdemucs


@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("freq", [False, True])
def test_encoder_layer_equals_the_reference(reference, freq: bool, recurrent: bool) -> None:
    torch.manual_seed(0)
    theirs = reference._HEncLayer(
        4,
        32,
        freq=freq,
        norm_type="group_norm" if recurrent else "none",
        dconv_kw={"lstm": recurrent, "attn": recurrent, "depth": 2, "compress": 4, "init": 0.5},
    ).eval()
    ours = EncoderLayer(4, 32, freq=freq, norm=recurrent).eval()
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 4, 16, 231) if freq else torch.randn(2, 4, 1023)
    inject = torch.randn(2, 32, 231) if freq else None
    torch.testing.assert_close(ours(x, inject), theirs(x, inject), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("freq", [False, True])
def test_decoder_layer_equals_the_reference(reference, freq: bool, norm: bool) -> None:
    torch.manual_seed(0)
    theirs = reference._HDecLayer(
        16, 8, freq=freq, norm_type="group_norm" if norm else "none", norm_groups=4, last=not norm, context=1
    ).eval()
    ours = DecoderLayer(16, 8, freq=freq, norm=norm, last=not norm).eval()
    ours.load_state_dict(theirs.state_dict())
    x, skip = (torch.randn(2, 16, 8, 9), torch.randn(2, 16, 8, 9)) if freq else (torch.randn(2, 16, 65),) * 2
    length = 9 if freq else 257
    for mine, wanted in zip(ours(x, skip, length), theirs(x, skip, length), strict=True):
        torch.testing.assert_close(mine, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("samples", [441_000, 300_000, 65_536, 20_000, 5_000])
def test_any_length(samples: int) -> None:
    spectrum, wave, *context = inputs(1, samples)
    frames = frames_of(samples)
    masks, gains = shaken(SMALL)(spectrum, wave, *context)
    assert masks.shape == (1, 3, 2048, frames)
    assert gains.shape == (1, 3, frames)
    mask, residual = shaken(SMALL_VISAH)(spectrum, wave, *context)
    assert mask.shape == (1, 1, 2048, frames)
    sound = render_visah(mask, residual, stft(wave), samples)
    assert sound.shape == (1, samples)
    assert torch.isfinite(sound).all()


@pytest.mark.parametrize("config", [SMALL, SMALL_VISAH, LEVELS], ids=["product", "visah", "levels"])
def test_a_batch_equals_its_items(config: NetworkConfig) -> None:
    model = shaken(config)
    batch = inputs(3, 90 * HOP)
    with torch.no_grad():
        together = model(*batch)
        alone = [model(*(v[i : i + 1] for v in batch)) for i in range(3)]
    for k, whole in enumerate(together):
        torch.testing.assert_close(whole, torch.cat([a[k] for a in alone]), rtol=1e-4, atol=1e-5)


def test_masks_sum_to_one_and_gains_are_bounded() -> None:
    model = shaken(SMALL)
    with torch.no_grad():
        model.gain.out.weight.mul_(1e3)
        masks, gains = model(*inputs(2, 60 * HOP))
    torch.testing.assert_close(masks.sum(1), torch.ones_like(masks[:, 0]))
    assert float(gains.abs().max()) <= 18.0
    assert float(gains.abs().max()) > 17.0


@pytest.mark.parametrize("config", [SMALL, LEVELS], ids=["plain", "levels"])
def test_an_untrained_model_changes_nothing(config: NetworkConfig) -> None:
    torch.manual_seed(0)
    _, gains = build(config)(*inputs(1, 60 * HOP))
    assert torch.equal(gains, torch.zeros_like(gains))


def test_context_is_heard_and_its_mask_respected() -> None:
    model = shaken(SMALL)
    spectrum, wave, context, times, valid = inputs(1, 60 * HOP)
    with torch.no_grad():
        _, seen = model(spectrum, wave, context, times, valid)
        _, other = model(spectrum, wave, -context, times, valid)
        _, later = model(spectrum, wave, context, times + 3, valid)
        hidden = valid.clone()
        hidden[:, 1:] = False
        _, one = model(spectrum, wave, context, times, hidden)
        changed = context.clone()
        changed[:, 1:] = 99.0
        _, same = model(spectrum, wave, changed, times, hidden)
        _, nothing = model(spectrum, wave, context, times, torch.zeros_like(valid))
    assert float((seen - other).abs().max()) > 1e-4
    assert float((seen - later).abs().max()) > 1e-5, "the time of a frame must matter"
    assert float((seen - one).abs().max()) > 1e-5
    torch.testing.assert_close(one, same)
    assert torch.isfinite(nothing).all()


@pytest.mark.parametrize("vectors", [1, 2, 10, 37])
def test_one_frame_frames_over_time_one_or_many_captions(vectors: int) -> None:
    with torch.no_grad():
        _, gains = shaken(SMALL)(*inputs(1, 40 * HOP, context=vectors))
        mask, _ = shaken(SMALL_VISAH)(*inputs(1, 40 * HOP, context=vectors))
    assert torch.isfinite(gains).all()
    assert torch.isfinite(mask).all()


def test_no_context_needs_none() -> None:
    spectrum, wave, *_ = inputs(1, 40 * HOP)
    mask, _ = shaken(replace(SMALL_VISAH, context_dim=0))(spectrum, wave)
    assert mask.shape[-1] == 40


def test_wrong_sizes_are_one_sentence() -> None:
    with pytest.raises(ModelError, match="multiple of 4"):
        NetworkConfig(channels=6)
    with pytest.raises(ModelError, match="unknown entries"):
        NetworkConfig.from_dict({"chanels": 8})
    assert NetworkConfig.from_dict(SMALL.to_dict()) == SMALL


def test_gradients_reach_every_parameter() -> None:
    model = shaken(SMALL)
    masks, gains = model(*inputs(1, 40 * HOP))
    (masks[:, 0].mean() + gains.square().mean()).backward()
    silent = [
        n for n, p in model.named_parameters() if p.grad is None or not np.isfinite(p.grad.numpy()).all()
    ]
    assert silent == []


def test_clips_without_any_context_stay_numbers() -> None:
    spectrum, wave, context, times, valid = inputs(2, 40 * HOP)
    valid[0] = False
    with torch.no_grad():
        mask, _ = shaken(SMALL_VISAH)(spectrum, wave, context, times, valid)
    assert torch.isfinite(mask).all()


def test_level_head_starts_from_the_masked_stems_and_learns_what_leaks() -> None:
    torch.manual_seed(3)
    head = build(LEVELS).gain
    parts = torch.rand(1, 4, 2048, 20)
    power = head.parts_power(parts)
    assert power.shape == (1, 24, 20)
    torch.testing.assert_close(power.unflatten(1, (4, 6)).sum(2), parts.square().mean(2))
    _, beliefs = head(torch.randn(1, 10, LEVELS.width), power)
    masked = torch.nn.functional.avg_pool1d(parts.square().mean(2), 2)[:, 1:]
    torch.testing.assert_close(beliefs.levels, torch.log10(masked + 1e-5))


def known(spectrogram: torch.Tensor, unsure: tuple[float, float, float], heard: float = 0.0):
    """Stems that have nothing to do with what the masks give, their power (B, 3, T), and what is told of them."""
    parts = torch.tensor([0.7, 0.02, 0.2])[:, None, None] * spectrogram[:, None].flip(-1)
    told = Told.of(parts.numpy(), np.array([unsure] * len(parts)))
    power, sure, _ = (torch.from_numpy(v) for v in told.arrays)
    return parts.square().mean(2), (power, sure, torch.full((len(parts),), heard))


def test_sound_is_brought_to_one_loudness() -> None:
    hiss = 0.01 * np.random.default_rng(3).standard_normal(5 * 44_100).astype(np.float32)
    for level in (1.0, 0.05):
        sound = np.float32(level) * hiss
        assert loudness(np.float32(to_reference(loudness(sound))) * sound) == pytest.approx(
            REFERENCE_LUFS, abs=0.01
        )
    assert to_reference(loudness(0 * hiss)) == 1.0


def test_bands_of_numpy_are_the_heads_own() -> None:
    head = build(LEVELS).gain
    parts = (
        inputs(2, 40 * HOP)[0][:, None].repeat(1, 4, 1, 1) * torch.tensor([1, 0.5, 0.3, 0.2])[:, None, None]
    )
    mine = band_power(parts.numpy())
    assert mine.shape == (2, 4, 6, 40)
    np.testing.assert_allclose(mine.reshape(2, 24, 40), head.parts_power(parts).numpy(), rtol=1e-5)
    np.testing.assert_allclose(mine.sum(2), parts.square().mean(2).numpy(), rtol=1e-5)


def test_levels_that_are_told_are_believed_to_the_letter() -> None:
    """With all stems known the head corrects nothing, and its masks, right or wrong, do not matter to it."""
    model, given = shaken(LEVELS), inputs(2, 40 * HOP)
    power, told = known(given[0], (0.0, 0.0, 0.0))
    with torch.no_grad():
        logits, alone, _ = model.logits(*given)
        same, gains, beliefs = model.logits(*given, told)
    wanted = torch.log10(torch.nn.functional.avg_pool1d(power, 2) + POWER_FLOOR)
    torch.testing.assert_close(beliefs.levels, wanted, rtol=1e-5, atol=1e-6)
    assert torch.equal(logits, same)
    assert float((gains - alone).abs().max()) > 0.1


def test_what_is_not_sure_of_a_stem_is_the_heads_to_correct() -> None:
    model, given = shaken(LEVELS), inputs(1, 40 * HOP)
    _, sure = known(given[0], (0.0, 0.0, 0.0))
    with torch.no_grad():
        levels = {
            unsure: model.logits(*given, known(given[0], unsure)[1])[2].levels
            - model.logits(*given, sure)[2].levels
            for unsure in ((0.0, 0.5, 1.0), (1.0, 1.0, 1.0))
        }
    part, whole = levels.values()
    assert float(whole.abs().amin((0, 2)).min()) > 1e-4, "a head that corrects nothing proves nothing"
    torch.testing.assert_close(part, torch.tensor([0.0, 0.5, 1.0])[:, None] * whole, rtol=1e-4, atol=1e-6)


def test_masked_stems_may_be_heard_beside_what_is_told() -> None:
    model, given = shaken(LEVELS), inputs(2, 40 * HOP)
    nothing = tuple(torch.from_numpy(v) for v in Told.nothing(2, 40).arrays)
    with torch.no_grad():
        assert torch.equal(model(*given)[1], model(*given, nothing)[1])
        masks = model(*given)[0]
        own = model.gain.power(masks, given[0])[:, 6:]
        known_power, told = known(given[0], (0.0, 0.0, 0.0), heard=1.0)
        beliefs = model.logits(*given, told)[2]
    both = own.unflatten(1, (3, 6)).sum(2) + known_power
    wanted = torch.log10(torch.nn.functional.avg_pool1d(both, 2) + POWER_FLOOR)
    torch.testing.assert_close(beliefs.levels, wanted, rtol=1e-5, atol=1e-6)


def test_a_plain_head_makes_nothing_of_levels() -> None:
    model, given = shaken(replace(SMALL, gain_head="plain")), inputs(1, 40 * HOP)
    with torch.no_grad():
        for mine, told in zip(model(*given), model(*given, known(given[0], (0.0, 0.0, 0.0))[1]), strict=True):
            assert torch.equal(mine, told)


def test_the_gate_closes_on_mixes_that_need_no_change() -> None:
    model = shaken(LEVELS)
    with torch.no_grad():
        _, moved = model(*inputs(1, 60 * HOP))
        model.gain.touched.bias.fill_(-30.0)
        _, held = model(*inputs(1, 60 * HOP))
    assert float(moved.abs().max()) > 0.1
    assert float(held.abs().max()) < 1e-6


def test_gradients_of_beliefs_reach_the_head() -> None:
    model = shaken(LEVELS)
    _, gains, beliefs = model.logits(*inputs(1, 40 * HOP))
    (gains.square().mean() + beliefs.levels.mean() + beliefs.touched.mean()).backward()
    assert [n for n, p in model.gain.named_parameters() if p.grad is None] == []


def test_an_unknown_gain_head_is_one_sentence() -> None:
    with pytest.raises(ModelError, match="Gain head 'loud' is unknown"):
        NetworkConfig(gain_head="loud")


def test_the_gain_head_looks_at_the_picture_nearest_in_time() -> None:
    model = shaken(LEVELS)
    head = model.gain
    _, _, context, times, valid = inputs(1, 90 * HOP, context=2)
    times = torch.tensor([[0.5, 1.5]])
    with torch.no_grad():
        seen = head.look(context, times, valid, 45)
        alone = head.seen_in(context)
        torch.testing.assert_close(seen[0, 5], alone[0, 0], rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(seen[0, 40], alone[0, 1], rtol=1e-3, atol=1e-3)
        valid[0, 0] = False
        torch.testing.assert_close(head.look(context, times, valid, 45)[0, 5], alone[0, 1])
        nothing = head.look(context, times, torch.zeros_like(valid), 45)
    assert float(nothing.abs().max()) == 0.0
