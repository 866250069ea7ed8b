"""The trunk over bands: what goes where, what it answers, and how it is trained."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from sightmix.engine.errors import ModelError, TrainingError
from sightmix.engine.highlight.bands import BANDS, PAIR
from sightmix.engine.highlight.config import BINS, HOP, NetworkConfig
from sightmix.engine.highlight.network import ProductModel, build
from sightmix.engine.highlight.spectral_torch import stft
from sightmix.engine.training.loop.batches import COMPANY, LaidClips, scenes_of
from sightmix.engine.training.loop.config import TrainConfig
from sightmix.engine.training.loop.descent import Muon, Together, make_optimizer
from sightmix.engine.training.loop.run import Trainer
from tiny_training import CONFIG, NETWORK

BAND_NETWORK = {
    **NETWORK,
    "trunk": "bands",
    "band_width": 16,
    "band_layers": 2,
    "spectrogram": "log",
    "gain_head": "levels",
}
BANDED = NetworkConfig.from_dict(BAND_NETWORK)
BAND_CONFIG = replace(CONFIG, network=BAND_NETWORK, optimizer="muon", unit_variance=False)


def shaken(config: NetworkConfig, seed: int = 0) -> ProductModel:
    """A network whose zero-initialised parts are not zero, so that every path counts."""
    torch.manual_seed(seed)
    model = build(config).eval()
    assert isinstance(model, ProductModel)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def asked(frames: int, batch: int = 1, seed: int = 1) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    wave = 0.1 * torch.randn(batch, frames * HOP, generator=generator)
    dim = BANDED.context_dim
    return (
        stft(wave).abs(),
        wave,
        torch.randn(batch, 3, dim, generator=generator),
        torch.arange(3.0).expand(batch, 3),
        torch.ones(batch, 3, dtype=torch.bool),
    )


def test_bands_tile_the_spectrum_and_low_ones_are_narrow() -> None:
    assert sum(bands * bins for bands, bins in BANDS) == BINS
    assert [bins for _, bins in BANDS] == sorted(bins for _, bins in BANDS)


@pytest.mark.parametrize("frames", [1, 2, 7, 44])
def test_masks_sum_to_one_and_gains_have_a_value_per_frame(frames: int) -> None:
    masks, gains = shaken(BANDED)(*asked(max(frames, 3)))
    assert masks.shape == (1, 3, BINS, max(frames, 3))
    assert gains.shape == (1, 3, max(frames, 3))
    assert (masks.sum(1) - 1).abs().max() < 1e-5


def test_without_layers_a_bin_hears_its_own_band_and_step_alone() -> None:
    """Where every value is laid on the way in and on the way out, seen by the gradient of single answers."""
    torch.manual_seed(0)
    trunk = build(BANDED).trunk  # type: ignore[union-attr]
    trunk.early, trunk.late = torch.nn.ModuleList(), torch.nn.ModuleList()
    spectrogram, *rest = asked(9)
    edges = [0]
    for bands, bins in BANDS:
        for _ in range(bands):
            edges.append(edges[-1] + bins)
    for answer, frame in ((0, 0), (11, 3), (12, 8), (200, 5), (700, 2), (2047, 7)):
        x = spectrogram.clone().requires_grad_(True)
        trunk(x, *rest)[0][0, 1, answer, frame].backward()
        heard = x.grad[0].abs() > 0
        band = max(k for k, edge in enumerate(edges[:-1]) if edge <= answer)
        step = frame // PAIR * PAIR
        expected = torch.zeros_like(heard)
        expected[edges[band] : edges[band + 1], step : step + PAIR] = True
        assert torch.equal(heard, expected), f"bin {answer} of frame {frame}"


def test_items_of_a_batch_do_not_hear_each_other_and_pictures_count() -> None:
    model = shaken(BANDED)
    both = asked(12, batch=2)
    whole = model(*both)
    for i in range(2):
        alone = model(*(value[i : i + 1] for value in both))
        for mine, theirs in zip(alone, whole, strict=True):
            assert (mine[0] - theirs[i]).abs().max() < 1e-4
    other = model(both[0], both[1], both[2].flip(0), *both[3:])
    assert (other[0] - whole[0]).abs().max() > 1e-3
    hidden = torch.zeros_like(both[4])
    unseen = model(*both[:4], hidden)
    again = model(both[0], both[1], both[2].flip(0), both[3], hidden)
    assert all((a - b).abs().max() < 1e-5 for a, b in zip(unseen, again, strict=True))


def test_what_a_band_trunk_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not one of a visah network"):
        replace(BANDED, kind="visah")
    with pytest.raises(ModelError, match="reads the 'log' spectrogram"):
        replace(BANDED, spectrogram="linear")
    path = tmp_path / "c.json"
    path.write_text('{"name": "x", "network": {"kind": "product"}, "optimizer": "moun"}')
    with pytest.raises(TrainingError, match="optimizer is one of adam, muon"):
        TrainConfig.read(path)
    path.write_text('{"name": "x", "network": {"kind": "product"}, "pieces": 3, "data": "shards"}')
    with pytest.raises(TrainingError, match="pieces are cut from scenes laid from a corpus"):
        TrainConfig.read(path)


# Muon --------------------------------------------------------------------------------------------------


def test_muon_gives_every_direction_of_a_matrix_the_same_stride() -> None:
    torch.manual_seed(3)
    model = torch.nn.Sequential(torch.nn.Linear(32, 48), torch.nn.LayerNorm(48))
    config = replace(BAND_CONFIG, learning_rate=0.01)
    optimizer = make_optimizer(model, config)
    assert isinstance(optimizer, Together)
    before = model[0].weight.detach().clone()
    scale = torch.logspace(0, -0.7, 32)  # a gradient that Adam would follow in size, direction by direction
    target = torch.randn(256, 48)
    (model[0](torch.randn(256, 32) * scale) * target).sum().backward()
    optimizer.step()
    strides = torch.linalg.svdvals(model[0].weight.detach() - before)
    assert strides[-1] > 0.4 * strides[0] > 0
    assert strides[0] < 0.01 * 0.2 * 48**0.5 * 1.5


def test_muon_steps_as_torchs_own_does_and_goes_on_from_its_state() -> None:
    generator = torch.Generator().manual_seed(4)
    starts = [torch.randn(shape, generator=generator) for shape in ((16, 96), (96, 20), (32, 48))]
    ours, theirs = ([torch.nn.Parameter(start.clone()) for start in starts] for _ in range(2))
    mine = Muon(ours, 0.01)
    reference = torch.optim.Muon(theirs, lr=0.01, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
    for step in range(4):
        if step == 2:
            state = mine.state_dict()
            state["state"] = copy.deepcopy(reference.state_dict()["state"])
            mine.load_state_dict(state)
        for one, other in zip(ours, theirs, strict=True):
            one.grad = torch.randn(one.shape, generator=generator)
            other.grad = one.grad.clone()
        mine.step()
        reference.step()
    for start, one, other in zip(starts, ours, theirs, strict=True):
        stride = float((other.detach() - start).norm())
        assert float((one - other).detach().norm()) < 0.03 * stride  # what torch loses by bfloat16


def test_a_muon_run_resumes_to_the_bit(tiny_corpus: Path, tmp_path: Path) -> None:
    config = replace(BAND_CONFIG, pieces=2, seconds=1.0)
    whole = Trainer(config, tiny_corpus, tmp_path / "whole")
    whole.run()
    part = Trainer(config, tiny_corpus, tmp_path / "part")
    for batch, _ in zip(part._batches(), range(3), strict=False):
        part._advance(batch)
    part.save()
    again = Trainer(config, tiny_corpus, tmp_path / "part")
    again.resume()
    again.run()
    for mine, theirs in zip(whole.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_masks_alone_leave_the_gain_head_as_it_is_and_learn(tiny_corpus: Path, tmp_path: Path) -> None:
    config = replace(BAND_CONFIG, weights={"gain": 0.0}, learning_rate=0.01, warmup=1, steps=25, decay=1)
    trainer = Trainer(config, tiny_corpus, tmp_path)
    head = {name: value.clone() for name, value in trainer.model.gain.state_dict().items()}
    batch = next(trainer._batches())
    losses = [trainer._advance(batch) for _ in range(25)]
    assert set(losses[0]) == {"mask", "total", "norm"}
    assert losses[-1]["mask"] < 0.8 * losses[0]["mask"]
    assert all(torch.equal(head[name], value) for name, value in trainer.model.gain.state_dict().items())


# Pieces ------------------------------------------------------------------------------------------------


def test_pieces_are_the_same_in_any_order_and_mix_stems_of_several_scenes(tiny_corpus: Path) -> None:
    config = replace(BAND_CONFIG, pieces=3, seconds=1.0, scenes="well_mixed")
    pieces, others = (scenes_of(tiny_corpus, "train", config) for _ in range(2))
    assert isinstance(pieces, LaidClips)
    first = [pieces[i] for i in range(60)]
    for i in (59, 3, 41):
        again = others[i]
        assert torch.equal(torch.from_numpy(again.stems), torch.from_numpy(first[i].stems))
        assert (again.gains_db == first[i].gains_db).all()
    frames = 44_100 // HOP
    assert all(scene.stems.shape == (3, 44_100) for scene in first)
    assert all(scene.gains_db.shape == scene.active.shape == (3, frames + 1) for scene in first)
    assert all(scene.pictures is None for scene in first)
    assert all(abs(scene.stems.sum(0)).max() <= 1.0 + 1e-6 for scene in first)
    whole = pieces.scenes[2]
    found = 0
    for scene in first[: 3 * COMPANY]:
        for row in range(3):
            sound = scene.stems[row, : frames * HOP]
            loud = abs(sound).max()
            if loud < 1e-3:
                continue
            for start in range(0, whole.gains_db.shape[1] - frames):
                cut = whole.stems[row, start * HOP : (start + frames) * HOP]
                if abs(cut).max() > 1e-3 and abs(sound / loud - cut / abs(cut).max()).max() < 1e-4:
                    assert (scene.gains_db[row, :frames] == whole.gains_db[row, start : start + frames]).all()
                    found += 1
                    break
    assert found, "stems of a scene reappear, sample by sample, in the pieces made of it"


def test_validation_scenes_are_whole_ones(tiny_corpus: Path) -> None:
    config = replace(BAND_CONFIG, pieces=3, seconds=1.0)
    plain = scenes_of(tiny_corpus, "validation", replace(config, pieces=1))[0]
    assert (scenes_of(tiny_corpus, "validation", config)[0].stems == plain.stems).all()
