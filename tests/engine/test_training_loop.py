"""The training loop on a corpus made here: it learns, resumes exactly, and fails in one sentence."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sightmix.engine.errors import TrainingError
from sightmix.engine.highlight.config import NetworkConfig
from sightmix.engine.highlight.network import build
from sightmix.engine.highlight.spectral_torch import stft
from sightmix.engine.training.loop import run as loop
from sightmix.engine.training.loop.batches import Shown, scenes_of
from sightmix.engine.training.loop.config import SHIPPED, TrainConfig
from sightmix.engine.training.loop.gains import _Levels, pretrain, refine
from sightmix.engine.training.loop.precision import halved
from sightmix.engine.training.loop.run import Trainer, main, rate_at
from sightmix.engine.training.networks.losses import gain_loss
from sightmix.engine.training.networks.registry import KINDS, build_network, config_of
from sightmix.engine.training.networks.step import Batch, gather
from sightmix.engine.training.scenes.drawing import RandomScenes
from sightmix.engine.training.scenes.pictures import picture_features
from sightmix.engine.training.scenes.settings import PRODUCT
from tiny_training import CONFIG, NETWORK

ROOMS = ("training", "engine")  # whose code may not wait for a device
SMOKE = SHIPPED / "smoke.json"


def weights(trainer: Trainer) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in trainer.model.parameters()])


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_resuming_gives_the_same_weights_to_the_bit(
    tiny_corpus: Path, tmp_path: Path, dropout: float
) -> None:
    config = replace(CONFIG, network={**NETWORK, "dropout": dropout})
    whole = Trainer(config, tiny_corpus, tmp_path / "whole")
    whole.run()
    part = Trainer(replace(config, save_every=3), tiny_corpus, tmp_path / "part")
    part.config = replace(part.config, steps=6)
    for batch, _ in zip(part._batches(), range(3), strict=False):
        part._advance(batch)
    part.save()
    again = Trainer(config, tiny_corpus, tmp_path / "part")
    again.resume()
    again.run()
    assert again.step == whole.step == 6
    assert torch.equal(weights(whole), weights(again))


def test_the_log_tells_what_happened(tiny_corpus: Path, tmp_path: Path) -> None:
    Trainer(CONFIG, tiny_corpus, tmp_path).run()
    entries = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert entries[0]["event"] == "start"
    assert entries[-1]["event"] == "done"
    assert np.isfinite(entries[-1]["mag_improvement"])


@pytest.mark.slow
def test_the_smoke_configuration_learns(tiny_corpus: Path, tmp_path: Path) -> None:
    """On clips of sounds it never trained on, masks lose a third of their loss, levels and gains a fifth."""
    config = TrainConfig.read(SMOKE)
    trainer = Trainer(config, tiny_corpus, tmp_path)
    scenes = scenes_of(tiny_corpus, "validation", config)
    batch = trainer.shown.batch([scenes[i] for i in range(40)])

    def held_out(model: torch.nn.Module) -> dict[str, float]:
        model.eval()
        with torch.no_grad():
            return {name: float(value) for name, value in trainer.objective(model, batch).items()}

    before = held_out(trainer.model)
    trainer.run()
    after = held_out(trainer.average)
    assert after["mask"] < 0.67 * before["mask"]
    assert after["level"] < 0.8 * before["level"]
    assert after["gain"] < 0.8 * before["gain"]


def test_visah_trains_too(tiny_corpus: Path, tmp_path: Path) -> None:
    network = {**NETWORK, "kind": "visah", "context_dim": 0, "spectrogram": "linear"}
    trainer = Trainer(replace(CONFIG, network=network, steps=2), tiny_corpus, tmp_path)
    before = weights(trainer).clone()
    trainer.run()
    assert not torch.equal(before, weights(trainer))


def test_mixed_precision_learns_the_same_and_keeps_weights_in_single_precision(
    tiny_corpus: Path, tmp_path: Path
) -> None:
    single, mixed = (
        Trainer(replace(CONFIG, precision=p, unit_variance=True), tiny_corpus, tmp_path / p)
        for p in ("float32", "bf16")
    )
    batch = next(mixed._batches())
    terms = [trainer._advance(batch) for trainer in (single, mixed)]
    masks, gains = ([float(t[name]) for t in terms] for name in ("mask", "gain"))
    assert 0 < abs(masks[0] - masks[1]) < 0.01  # bfloat16 was at work, and did no harm
    assert gains[0] == pytest.approx(gains[1], rel=0.01)
    assert all(p.dtype == torch.float32 for p in mixed.model.parameters())
    assert not mixed.average.trunk.mixed_precision


def test_visah_starts_from_a_product_models_trunk(tiny_corpus: Path, tmp_path: Path) -> None:
    first = Trainer(CONFIG, tiny_corpus, tmp_path / "product")
    first.save()
    network = {**NETWORK, "kind": "visah"}
    second = Trainer(replace(CONFIG, network=network), tiny_corpus, tmp_path / "visah")
    second.start_from(tmp_path / "product" / "checkpoint.pt")
    ours, theirs = second.model.trunk.state_dict(), first.average.trunk.state_dict()
    differing = [name for name in ours if name not in theirs or ours[name].shape != theirs[name].shape]
    assert all(torch.equal(ours[name], theirs[name]) for name in ours if name not in differing)
    assert all(name.startswith(("wave_decoder.", "decoder.4.conv_tr")) for name in differing)
    second.step = 3
    before = weights(second)
    second.start_from(tmp_path / "product" / "checkpoint.pt")
    assert torch.equal(weights(second), before)


def test_a_start_that_cannot_be_is_one_sentence(tiny_corpus: Path, tmp_path: Path) -> None:
    narrow = Trainer(
        replace(CONFIG, network={**NETWORK, "channels": 8, "width": 16}), tiny_corpus, tmp_path / "a"
    )
    state = {"average": {"x": torch.zeros(3)}, "step": 1, "config": json.dumps({"network": NETWORK})}
    torch.save(state, tmp_path / "other.pt")
    with pytest.raises(TrainingError, match=r"Nothing in .* fits this network"):
        narrow.start_from(tmp_path / "other.pt")
    with pytest.raises(TrainingError, match="is not a checkpoint of a training run"):
        narrow.start_from(tmp_path / "missing.pt")


def test_a_fresh_visah_nearly_lets_the_sound_pass(tiny_corpus: Path, tmp_path: Path) -> None:
    trainer = Trainer(
        replace(CONFIG, network={**NETWORK, "kind": "visah", "context_dim": 0}, unit_variance=True),
        tiny_corpus,
        tmp_path,
    )
    mix = next(trainer._batches()).stems.sum(1)
    with torch.no_grad():
        mask, wave = trainer.model(stft(mix).abs(), mix, None, None, None)
    assert float((mask - 1).square().mean().sqrt()) < 0.3
    assert float(wave.std() / mix.std()) < 0.3


def broken_at(trainer: Trainer, step: int) -> None:
    """A loss that is no number at a step."""
    objective = trainer.objective

    def poisoned(model: object, batch: Batch) -> dict[str, torch.Tensor]:
        terms = objective(model, batch)
        if trainer.step == step:
            terms["total"] = terms["total"] * float("nan")
        return terms

    trainer.objective = poisoned


@pytest.mark.parametrize("how", ["saved", "shown", "validated", "last"])
def test_a_loss_that_is_not_finite_keeps_the_last_checkpoint(
    tiny_corpus: Path, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever comes first of saving, a line of the log, validating and the end: after a bad step nothing is kept."""
    monkeypatch.setattr(loop, "SHOW_EVERY", 3 if how == "shown" else 100)
    every = {"saved": (2, 100), "shown": (2, 100), "validated": (100, 3), "last": (100, 100)}[how]
    config = replace(CONFIG, save_every=every[0], validate_every=every[1])
    trainer = Trainer(config, tiny_corpus, tmp_path)
    batches = trainer._batches()
    for _ in range(2):
        trainer._advance(next(batches))
    trainer.save()
    kept = (tmp_path / "checkpoint.pt").read_bytes()
    broken_at(trainer, 2)
    with pytest.raises(TrainingError, match=r"not finite at step 2.*checkpoint\.pt"):
        trainer.run()
    assert (tmp_path / "checkpoint.pt").read_bytes() == kept
    assert [path.name for path in tmp_path.glob("*.pt")] == ["checkpoint.pt"]
    assert trainer.step == {"saved": 4, "shown": 3, "validated": 3, "last": 6}[how]


def test_weights_that_are_no_numbers_are_not_saved(tiny_corpus: Path, tmp_path: Path) -> None:
    trainer = Trainer(CONFIG, tiny_corpus, tmp_path)
    with torch.no_grad():
        next(iter(trainer.average.parameters())).view(-1)[0] = float("inf")
    with pytest.raises(TrainingError, match="not finite at step 0"):
        trainer.save()
    assert not list(tmp_path.glob("*.pt"))


def test_a_step_waits_for_no_figure(
    tiny_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Losses are added up where they are; between two lines of the log nothing is fetched from the device."""
    trainer = Trainer(CONFIG, tiny_corpus, tmp_path)
    batches = [next(trainer._batches()) for _ in range(2)]
    trainer._advance(batches[0])
    fetched: list[str] = []
    for name in ("item", "__float__", "__bool__", "__int__", "tolist", "numpy"):
        before = getattr(torch.Tensor, name)

        def fetch(tensor: torch.Tensor, *args: object, name: str = name, before: object = before) -> object:
            # Torch's optimizers look at their own counts, which are kept on the processor.
            caller = Path(sys._getframe(1).f_code.co_filename)
            fetched.extend([f"{name} in {caller}"] if caller.parent.parent.name in ROOMS else [])
            return before(tensor, *args)

        monkeypatch.setattr(torch.Tensor, name, fetch)
    terms = trainer._advance(batches[1])
    assert fetched == []
    assert float(terms["total"]) > 0
    trainer._check()
    assert any(entry.startswith("__int__") for entry in fetched)


def test_another_seed_learns_from_other_scenes_and_is_tried_on_the_same(tiny_corpus: Path) -> None:
    def drawn(config: TrainConfig, split: str, indices: list[int]) -> list[np.ndarray]:
        scenes = scenes_of(tiny_corpus, split, config)
        return [scenes[i].stems for i in indices]

    for config in (CONFIG, replace(CONFIG, pieces=2)):
        one, again, other = (drawn(replace(config, seed=seed), "train", [0, 3]) for seed in (7, 7, 8))
        assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
        assert not any(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
        held = [drawn(replace(config, seed=seed), "validation", [0, 3]) for seed in (7, 8)]
        assert all(np.array_equal(a, b) for a, b in zip(*held, strict=True))


def test_a_resumed_run_of_a_seed_gets_the_same_scenes(tiny_corpus: Path, tmp_path: Path) -> None:
    config = replace(CONFIG, seed=11)
    whole = Trainer(config, tiny_corpus, tmp_path / "a")
    seen = [batch.stems for batch in whole._batches()]
    again = Trainer(config, tiny_corpus, tmp_path / "b")
    again.step = 4
    rest = [batch.stems for batch in again._batches()]
    assert len(rest) == 2
    assert all(torch.equal(a, b) for a, b in zip(seen[4:], rest, strict=True))


def test_a_torn_checkpoint_is_one_sentence(tiny_corpus: Path, tmp_path: Path) -> None:
    trainer = Trainer(CONFIG, tiny_corpus, tmp_path)
    trainer.save()
    data = (tmp_path / "checkpoint.pt").read_bytes()
    (tmp_path / "checkpoint.pt").write_bytes(data[: len(data) // 2])
    with pytest.raises(TrainingError, match="does not fit this run"):
        trainer.resume()


def test_a_typo_in_a_configuration_names_the_nearest_entry(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"name": "x", "network": NETWORK, "learning_rat": 1e-3}))
    assert main([str(path), "--corpus", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "did you mean 'learning_rate'?" in capsys.readouterr().err
    path.write_text("{")
    with pytest.raises(TrainingError, match="cannot be read"):
        TrainConfig.read(path)
    path.write_text(json.dumps({"name": "x"}))
    with pytest.raises(TrainingError, match="network"):
        TrainConfig.read(path)


def test_scene_options_change_the_preset_and_are_checked(tiny_corpus: Path, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"name": "x", "network": NETWORK, "scene_options": {"untouched": 1.0}}))
    config = TrainConfig.read(path)
    scenes = scenes_of(tiny_corpus, "train", replace(config, seconds=1.5))
    assert all(scenes[i].record["degradation"]["policy"] == "none" for i in range(5))
    path.write_text(json.dumps({"name": "x", "network": NETWORK, "scene_options": {"untuched": 1.0}}))
    with pytest.raises(TrainingError, match=r"'scene_options\.untuched'; did you mean 'untouched'"):
        TrainConfig.read(path)


def test_shipped_configurations_are_valid() -> None:
    folder = SMOKE.parent
    found = sorted(folder.glob("*.json"))
    assert found
    for path in found:
        kind = config_of(TrainConfig.read(path).network).kind
        assert kind == next((name for name in KINDS if path.stem.startswith(name)), "product")


def test_the_papers_recipe_is_shipped() -> None:
    """VisAH with pictures and three encoder layers: 60.0 M parameters, Adam at 1e-4, nothing clipped or averaged."""
    config = TrainConfig.read(SMOKE.with_name("visah.json"))
    model = build_network(config_of(config.network))
    assert sum(p.numel() for p in model.parameters()) == 59_956_090
    assert (config.optimizer, config.clip, config.ema, config.precision) == ("adam", 0, 0, "float32")
    assert [rate_at(step, config) for step in (0, 60_000, config.steps - 1)] == [1e-4] * 3


def test_without_clipping_and_averaging_the_step_is_the_optimizers_own(
    tiny_corpus: Path, tmp_path: Path
) -> None:
    clipped, free = (
        Trainer(replace(CONFIG, clip=clip, ema=0.0), tiny_corpus, tmp_path / name)
        for name, clip in (("clipped", 1e-14), ("free", 0.0))
    )
    before, batch = weights(free).clone(), next(free._batches())
    for trainer in (clipped, free):
        trainer._advance(batch)
    assert torch.allclose(weights(clipped), before, atol=1e-8)
    assert float((weights(free) - before).abs().max()) > 1e-5
    assert all(
        torch.equal(a, b) for a, b in zip(free.average.parameters(), free.model.parameters(), strict=True)
    )


@pytest.mark.parametrize(
    ("entry", "value", "sentence"),
    [
        ("steps", 0, "steps must be more than 0, not 0"),
        ("clip", -1, "clip must be 0 or more, not -1"),
        ("warmup", True, "warmup must be 0 or more, not True"),
        ("ema", 1.0, "ema must be less than 1"),
        ("validate_clips", 0, "validate_clips must be more than 0, not 0"),
        ("redraw", 1, "redraw must be true or false"),
        ("reference", 4, "reference must be a name"),
    ],
)
def test_a_number_out_of_range_is_one_sentence(
    entry: str, value: float, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"name": "x", "network": NETWORK, entry: value}))
    with pytest.raises(TrainingError, match=sentence):
        TrainConfig.read(path)


def test_learning_rate_rises_holds_and_falls() -> None:
    config = replace(CONFIG, steps=100, warmup=10, decay=20, learning_rate=1.0)
    assert rate_at(0, config) == pytest.approx(0.1)
    assert rate_at(50, config) == 1.0
    assert rate_at(90, config) == pytest.approx(0.5)


def test_a_batch_on_the_device_is_the_same_as_its_scenes_collated(tiny_corpus: Path) -> None:
    scenes = RandomScenes.of(tiny_corpus, "train", 4.0, replace(PRODUCT, picture=1.0))
    numbers = range(6)
    shown = Shown(picture_features(tiny_corpus), 8, (0, 1, 3, 9))
    host = shown.batch([scenes[number] for number in numbers])
    found = gather(scenes.batch(numbers), *scenes.table.features(shown.features, 8), shown.seconds)
    assert host.valid.any()
    for name, value in vars(host).items():
        there = getattr(found, name)
        assert there.dtype == value.dtype
        within = 1e-3 if name == "gains_db" else 1e-5
        torch.testing.assert_close(there, value, rtol=0, atol=within)


def _gain_error(config: TrainConfig, corpus: Path, stored: Path, clips: int = 24) -> float:
    """Mean error in dB of a stored gain head on the first scenes of pretraining."""
    network = NetworkConfig.from_dict(config.network)
    head = build(network).gain
    head.load_state_dict(torch.load(stored, weights_only=True))
    errors = []
    for power, _, gains, active in (_Levels(corpus, config, clips, head)[i] for i in range(clips)):
        hidden = torch.zeros(1, network.latent_steps(power.shape[-1]), network.width)
        with torch.no_grad():
            curves, _ = head(hidden, power[None])
        errors.append(float(gain_loss(curves, gains[None], active[None])))
    return float(np.mean(errors))


def test_a_gain_head_gets_a_head_start(tiny_corpus: Path, tmp_path: Path) -> None:
    """Trained alone it beats saying nothing on its own scenes, and the whole network takes it over."""
    config = replace(CONFIG, seconds=2.0)
    pretrain(config, tiny_corpus, tmp_path / "short.pt", clips=4, batch=2)
    pretrain(config, tiny_corpus, tmp_path / "gains.pt", clips=160, batch=4)
    quick, longer = (_gain_error(config, tiny_corpus, tmp_path / name) for name in ("short.pt", "gains.pt"))
    assert longer < quick
    trainer = Trainer(config, tiny_corpus, tmp_path / "run")
    trainer._advance(next(trainer._batches()))
    trainer.adopt_gains(tmp_path / "gains.pt")
    head = torch.load(tmp_path / "gains.pt", weights_only=True)
    assert torch.equal(trainer.model.gain.out.weight, head["out.weight"])
    trainer._advance(next(trainer._batches()))
    with pytest.raises(TrainingError, match="gain head"):
        trainer.adopt_gains(tmp_path / "run")


def test_refining_moves_the_gain_head_and_nothing_else(tiny_corpus: Path, tmp_path: Path) -> None:
    trainer = Trainer(CONFIG, tiny_corpus, tmp_path)
    trainer.save()
    before = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["average"]
    refine(CONFIG, tiny_corpus, tmp_path / "checkpoint.pt", clips=6, batch=2)
    after = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["average"]
    moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"gain"}


def test_learning_to_look_changes_nothing_where_there_is_no_picture(
    tiny_corpus: Path, tmp_path: Path
) -> None:
    config = replace(
        CONFIG,
        network={**NETWORK, "gain_head": "levels"},
        scene_options={"policies": {"paper": 1.0}, "untouched": 0.0, "picture": 1.0},
        learning_rate=0.02,
    )
    trainer = Trainer(config, tiny_corpus, tmp_path)
    with torch.no_grad():
        trainer.average.gain.out.weight.add_(0.1)
    trainer.save()
    before = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["average"]
    refine(config, tiny_corpus, tmp_path / "checkpoint.pt", clips=4, batch=2, looking=True)
    after = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["average"]
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved
    assert all(name.startswith("gain.seen_in.") for name in moved)
    blind = replace(config, network=NETWORK)
    plain = Trainer(blind, tiny_corpus, tmp_path / "plain")
    plain.save()
    with pytest.raises(TrainingError, match="does not look at pictures itself"):
        refine(blind, tiny_corpus, tmp_path / "plain" / "checkpoint.pt", clips=2, looking=True)


def test_contexts_are_pictures_captions_or_both(tiny_corpus: Path) -> None:
    with pytest.raises(TrainingError, match="needs captions"):
        Shown.of(tiny_corpus, "frames+text", 12)
    vectors = np.arange(12, dtype=np.float32).reshape(3, 4)
    names = ["effects-train-0", "other:hill", "subject:music:harp"]
    np.savez(tiny_corpus / "captions.npz", names=names, features=vectors)
    text = Shown.of(tiny_corpus, "text", 4)
    np.testing.assert_array_equal(text.features["other:hill"], vectors[1])
    both = Shown.of(tiny_corpus, "frames+text", 12)
    frames = Shown.of(tiny_corpus, "frames", 8)
    np.testing.assert_array_equal(both.features["other:hill"][:8], frames.features["other:hill"])
    np.testing.assert_array_equal(both.features["other:hill"][8:], vectors[1])
    np.testing.assert_array_equal(both.features["other:tree"][8:], 0.0)
    assert Shown.of(tiny_corpus, "one_frame", 8).seconds == (5,)
    caption = Shown.of(tiny_corpus, "one_text", 4)
    assert caption.seconds == (5,)
    assert set(caption.features) == set(text.features)
    assert Shown.of(tiny_corpus, "frames", 0).features == {}
    with pytest.raises(TrainingError, match="gives 4: set context_dim"):
        Shown.of(tiny_corpus, "text", 8)


def test_auto_precision_halves_only_where_the_device_has_such_arithmetic(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = torch.device("cpu")
    for native in (False, True):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda native=native: native)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
        assert [halved(told, here) for told in ("float32", "bf16", "auto")] == [False, True, native]
