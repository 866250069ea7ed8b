"""What travels to a machine that is lent for minutes: a corpus in parts, and checkpoints that come back whole."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from sightmix.engine.training.loop.batches import scenes_of
from sightmix.engine.training.loop.run import Trainer
from sightmix.engine.training.material.library import Corpus
from sightmix.engine.training.scenes.pictures import picture_features
from tiny_training import CONFIG, NETWORK

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


packing, slimming = script("pack_corpus"), script("slim_checkpoint")


def flat(state: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.cat([value.flatten().float() for value in state.values() if value.is_floating_point()])


def test_parts_of_a_corpus_add_up_and_only_the_first_is_validated_on(
    tiny_corpus: Path, tmp_path: Path
) -> None:
    packing.pack(tiny_corpus, tmp_path / "packed", mib=0.1, parts=3)
    parts = sorted((tmp_path / "packed").iterdir())
    assert [part.name for part in parts] == ["part-0", "part-1", "part-2"]
    whole = {item.id: item for item in Corpus(tiny_corpus).items()}
    held: list[set[str]] = []
    ids: set[str] = set()
    for part in parts:
        for _ in range(2):  # brought twice, there once
            packing.unpack(part, tmp_path / "there")
        there = Corpus(tmp_path / "there")
        found = [item.id for item in there.items()]
        assert len(found) == len(set(found))
        assert ids < set(found)
        ids = set(found)
        held.append({item.id for item in there.items(split="validation")})
        for item in there.items():
            first, own = there.audio(item), Corpus(tiny_corpus).audio(whole[item.id])
            assert first.shape == own.shape
            # White noise is what Vorbis keeps least of; another sound, or one a sample late, would be at 0.
            assert float(np.corrcoef(first, own)[0, 1]) > 0.7
    assert held[0] == held[1] == held[2]
    assert {whole[name].kind for name in held[0]} == {"speech", "music", "effects"}
    assert {name for name, item in whole.items() if item.split == "train"} <= ids
    ours, theirs = picture_features(tmp_path / "there"), picture_features(tiny_corpus)
    assert ours.keys() == theirs.keys()
    assert all(np.allclose(ours[name], theirs[name], atol=2e-3) for name in ours)
    assert next(iter(ours.values())).dtype == np.float32
    assert scenes_of(tmp_path / "there", "train", CONFIG)[0].stems.shape == (3, 66_150)


def test_a_part_stopped_in_the_middle_is_brought_again(tiny_corpus: Path, tmp_path: Path) -> None:
    packing.pack(tiny_corpus, tmp_path / "packed", mib=0.1, parts=2)
    for number in (0, 1):
        packing.unpack(tmp_path / "packed" / f"part-{number}", tmp_path / "whole")
    packing.unpack(tmp_path / "packed" / "part-0", tmp_path / "torn")
    with (tmp_path / "torn" / "music.i16").open("ab") as file:
        file.write(b"\1\2" * 999)  # sound that came, but no list of it
    packing.unpack(tmp_path / "packed" / "part-1", tmp_path / "torn")
    one, two = Corpus(tmp_path / "whole"), Corpus(tmp_path / "torn")
    for a, b in zip(one.items(), two.items(), strict=True):
        assert np.array_equal(one.audio(a), two.audio(b))


def test_weights_in_three_bytes_lose_less_than_a_step() -> None:
    x = torch.cat([torch.randn(10_000), torch.tensor([0.0, -0.0, 1e-30, -3e30])])
    again = slimming.from_24(slimming.to_24(x))
    assert torch.all((again - x).abs() <= x.abs() * 2.0**-16)
    assert again[10_000] == 0


@pytest.mark.parametrize("optimizer", ["adam", "muon"])
def test_a_run_goes_on_from_a_slim_checkpoint_as_from_the_whole_one(
    tiny_corpus: Path, tmp_path: Path, optimizer: str
) -> None:
    config = replace(CONFIG, optimizer=optimizer, steps=10, warmup=1, decay=0, network=NETWORK)
    first = Trainer(replace(config, steps=5), tiny_corpus, tmp_path / "whole")
    batches = first._batches()
    for _ in range(5):
        first._advance(next(batches))
    first.save()
    full = torch.load(tmp_path / "whole" / "checkpoint.pt", weights_only=True)
    torch.save(slimming.slim(full), tmp_path / "slim.pt")
    sizes = [path.stat().st_size for path in (tmp_path / "slim.pt", tmp_path / "whole" / "checkpoint.pt")]
    assert sizes[0] < 0.6 * sizes[1]
    wide = slimming.widen(torch.load(tmp_path / "slim.pt", weights_only=True))
    assert wide.keys() == full.keys()
    for name in ("slim", "none"):
        (tmp_path / name).mkdir()
    torch.save(wide, tmp_path / "slim" / "checkpoint.pt")
    torch.save({**full, "optimizer": {**full["optimizer"], "state": {}}}, tmp_path / "none" / "checkpoint.pt")
    ends = {}
    for name in ("whole", "slim", "none"):
        trainer = Trainer(config, tiny_corpus, tmp_path / name)
        trainer.resume()
        assert trainer.step == 5
        batches = trainer._batches()
        for _ in range(5):
            trainer._advance(next(batches))
        ends[name] = (flat(trainer.model.state_dict()), flat(trainer.average.state_dict()))
    start = flat(full["model"])
    for part in (0, 1):
        gone = float((ends["whole"][part] - start).abs().mean())
        apart = {
            name: float((ends[name][part] - ends["whole"][part]).abs().mean()) for name in ("slim", "none")
        }
        print(optimizer, part, apart["slim"] / gone, apart["none"] / gone)
        assert apart["slim"] < 0.05 * gone
        assert apart["none"] > 3 * apart["slim"]  # what the moments are worth


def test_moments_stay_behind_where_they_would_not_fit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = {
        "model": {"w": torch.ones(3)}, "average": {"w": torch.ones(3)}, "step": 7, "config": json.dumps({}),
        "optimizer": {"state": {0: {"momentum_buffer": torch.ones(3)}}, "param_groups": []},
    }  # fmt: skip
    torch.save(state, tmp_path / "full.pt")
    for most, kept in ((1.0, 1), (0.0, 0)):
        slimming._travel(tmp_path / "full.pt", tmp_path / "slim.pt", most)
        found = slimming.widen(torch.load(tmp_path / "slim.pt", weights_only=True))
        assert len(found["optimizer"]["state"]) == kept
        assert torch.equal(found["average"]["w"], torch.ones(3))
    assert "they stay behind" in capsys.readouterr().out


def test_training_from_a_corpus_needs_no_ffmpeg() -> None:
    """A lent machine lacks PyAV, which alone would fill what may travel there; nor is anything else of ours needed."""
    program = (
        "import sys\n"
        "class Without:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('av', 'onnxruntime', 'opentimelineio', 'open_clip', 'transformers'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Without())\n"
        "import sightmix.engine.training.loop.run\n"
        "from sightmix.engine.training.scenes.pictures import PictureTable\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=600)


@pytest.mark.slow
def test_the_gpu_script_rehearses_itself() -> None:
    """From a bare copy of what is committed: packed, brought in parts, trained, kept, and gone on from elsewhere."""
    root = BENCHMARKS.parent
    if not (root / ".git").exists():
        pytest.skip("there is no history to copy")
    command = ["bash", str(BENCHMARKS / "gpu_train.sh"), "rehearse"]
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        timeout=1800,
        env={**os.environ, "PYTHON": sys.executable},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rehearsed:" in done.stdout.splitlines()[-1]
