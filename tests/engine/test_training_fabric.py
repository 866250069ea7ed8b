"""The loop's housekeeping: accumulation, best checkpoints, early stop, faults, kills, and two devices as one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sightmix.engine.errors import TrainingError
from sightmix.engine.training.loop import loading
from sightmix.engine.training.loop import run as loop
from sightmix.engine.training.loop import validate as validation
from sightmix.engine.training.loop.config import TrainConfig
from sightmix.engine.training.loop.metrics import NAMES
from sightmix.engine.training.loop.run import Trainer, make_fabric
from sightmix.engine.training.loop.validate import Held, Validation, hold, joined, validate
from sightmix.engine.training.loop.watch import Watch, picture_of
from tiny_training import CONFIG, NETWORK

SILENCE = np.zeros(44_100, np.float32)


def weights(trainer: Trainer) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in trainer.model.parameters()])


def apart(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).abs().mean())


def entries(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_accumulating_is_a_larger_batch(tiny_corpus: Path, tmp_path: Path) -> None:
    whole = Trainer(replace(CONFIG, batch=2), tiny_corpus, tmp_path / "whole")
    parts = Trainer(replace(CONFIG, batch=1, accumulate=2), tiny_corpus, tmp_path / "parts")
    for trainer, count in ((whole, 1), (parts, 2)):
        batches = trainer._batches()
        for _ in range(3):
            trainer._advance(*(next(batches) for _ in range(count)))
    assert parts.step == whole.step == 3
    start = weights(Trainer(CONFIG, tiny_corpus, tmp_path / "start"))
    # Not quite the same: the gains' loss counts frames that sound, so that fuller scenes of a batch weigh more.
    assert apart(weights(whole), weights(parts)) < 0.1 * apart(weights(whole), start)


def scored(scores: list[float]) -> object:
    """A stand-in for validating, which gives these figures one after another."""
    left = iter(scores)

    def validate(*_: object) -> Validation:
        value = next(left)
        return Validation({"MAG": value, "ENV": value, "W": value}, SILENCE, SILENCE, SILENCE)

    return validate


def test_the_best_weights_are_kept(
    tiny_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "validate", scored([3.0, 9.0, 5.0, 7.0, 0.0]))
    config = replace(CONFIG, steps=4, validate_every=1, keep_best=2)
    Trainer(config, tiny_corpus, tmp_path).run()
    assert sorted(p.name for p in tmp_path.glob("best-*.pt")) == ["best-2.pt", "best-4.pt"]
    best = torch.load(tmp_path / "best-2.pt", weights_only=True)
    assert best["step"] == 2
    again = Trainer(config, tiny_corpus, tmp_path)
    again.resume()
    assert again.best == [(9.0, 2), (7.0, 4)]


def test_a_run_that_gets_no_better_ends(
    tiny_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "validate", scored([3.0, 4.0, 2.0, 1.0, 0.0, 0.0]))
    trainer = Trainer(replace(CONFIG, steps=20, validate_every=1, early_stop=2), tiny_corpus, tmp_path)
    trainer.run()
    assert trainer.step == 4
    assert entries(tmp_path)[-1]["event"] == "done"


def test_a_full_disk_keeps_the_last_checkpoint(
    tiny_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = Trainer(CONFIG, tiny_corpus, tmp_path)
    trainer.save()
    before = (tmp_path / "checkpoint.pt").read_bytes()

    def full(state: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise RuntimeError("PytorchStreamWriter failed writing file: file write failed")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(TrainingError, match="the one before it is untouched"):
        trainer.save()
    assert (tmp_path / "checkpoint.pt").read_bytes() == before
    assert not list(tmp_path.glob("*.part"))


def test_too_little_memory_is_one_sentence(
    tiny_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = Trainer(CONFIG, tiny_corpus, tmp_path)

    def greedy(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(trainer, "objective", greedy)
    with pytest.raises(TrainingError, match="ran out at step 0 with batches of 1"):
        trainer.run()


def test_a_device_that_is_not_there_is_one_sentence() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(TrainingError, match="cannot use 1 × cuda"):
        make_fabric("cuda")


def test_scenes_can_be_heard_and_seen_in_tensorboard(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    watch = Watch(tmp_path)
    tone = (0.5 * np.sin(2 * np.pi * 1000 * np.arange(44_100) / 44_100)).astype(np.float32)
    watch.figures(20, {"mask": 0.7})
    watch.validation(20, Validation({"MAG": 12.0, "ENV": 3.0, "W": 1.0}, tone, tone, tone))
    watch.close()
    events = accumulator.EventAccumulator(str(tmp_path))
    events.Reload()
    assert events.Scalars("training/mask")[0].value == pytest.approx(0.7)
    assert events.Scalars("validation/mag_improvement")[0].value == pytest.approx(12.0)
    assert set(events.Tags()["audio"]) == {"first scene/muddy", "first scene/target", "first scene/output"}
    assert len(events.Tags()["images"]) == 3
    assert entries(tmp_path)[1]["mag_improvement"] == 12.0


def test_a_tone_is_one_bright_row_of_its_spectrogram() -> None:
    tone = np.sin(2 * np.pi * 43.06640625 * 100 * np.arange(44_100) / 44_100).astype(np.float32)
    picture = picture_of(tone)
    brightest = picture.shape[0] - 1 - int(np.argmax(picture.mean(axis=1)))
    assert brightest == 100
    assert picture.max() >= 250


# A run that is killed in the moment in which its second checkpoint would take the place of the first.
KILLED = """
import os, runpy, signal, sys
saved = []
def die(event, arguments):
    if event == "os.rename" and str(arguments[1]).endswith("checkpoint.pt"):
        saved.append(event)
        if len(saved) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(die)
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""


@pytest.mark.slow
def test_after_a_kill_the_weights_are_the_same_to_the_bit(tiny_corpus: Path, tmp_path: Path) -> None:
    config = replace(CONFIG, steps=5, save_every=2, validate_clips=1, threads=1)
    (tmp_path / "c.json").write_text(json.dumps(asdict(config)))
    words = [
        "sightmix.engine.training.loop.run", str(tmp_path / "c.json"), "--corpus", str(tiny_corpus),
        "--out", str(tmp_path / "killed"), "--device", "cpu",
    ]  # fmt: skip
    killed = subprocess.run([sys.executable, "-c", KILLED, *words], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert torch.load(tmp_path / "killed" / "checkpoint.pt", weights_only=True)["step"] == 2
    for out in ("killed", "whole"):
        loop.train(config, tiny_corpus, tmp_path / out, device="cpu")
    assert [e["step"] for e in entries(tmp_path / "killed") if e.get("event") == "start"] == [0, 2]
    whole, again = (
        torch.load(tmp_path / out / "checkpoint.pt", weights_only=True) for out in ("whole", "killed")
    )
    assert whole["step"] == again["step"] == 5
    for part in ("model", "average"):
        assert all(torch.equal(whole[part][name], again[part][name]) for name in whole[part])


def test_a_loaders_workers_begin_as_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    monkeypatch.setattr(loading, "begin_worker", lambda: begun.append(torch.get_num_threads()))
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        loading.quiet_worker(0)
    finally:
        torch.set_num_threads(before)
    assert begun == [1]


@pytest.mark.slow
def test_two_devices_learn_as_one_with_twice_the_batch(tiny_corpus: Path, tmp_path: Path) -> None:
    """Both see the mean of the gradients, and each other's scenes: the sequence is the same as one device's.

    The loss is one that is a mean over scenes: the gain's is over all active frames of a batch, in which a scene that
    sounds longer counts more.
    """
    program = tmp_path / "two.py"
    program.write_text(
        "import sys, json\n"
        "from dataclasses import replace\n"
        "from pathlib import Path\n"
        "import torch\n"
        "from sightmix.engine.training.loop.config import TrainConfig\n"
        "from sightmix.engine.training.loop.run import train\n"
        "if __name__ == '__main__':\n"
        "    out, corpus = Path(sys.argv[1]), Path(sys.argv[2])\n"
        "    config = TrainConfig(**json.loads(Path(sys.argv[3]).read_text()))\n"
        "    train(replace(config, batch=1), corpus, out, device='cpu', devices=2)\n"
    )
    config = {
        "name": "x",
        "network": NETWORK,
        "seconds": 1.5,
        "steps": 3,
        "warmup": 1,
        "workers": 0,
        "validate_clips": 1,
        "weights": {"gain": 0.0, "w": 1.0},
    }
    (tmp_path / "c.json").write_text(json.dumps(config))
    words = [str(tmp_path / "two"), str(tiny_corpus), str(tmp_path / "c.json")]
    subprocess.run([sys.executable, str(program), *words], check=True, timeout=1800)
    loop.train(TrainConfig(**config, batch=2), tiny_corpus, tmp_path / "one", device="cpu")
    one, two = (torch.load(tmp_path / out / "checkpoint.pt", weights_only=True) for out in ("one", "two"))
    assert one["step"] == two["step"] == 3
    start = Trainer(CONFIG, tiny_corpus, tmp_path / "start").model.state_dict()
    flat = [torch.cat([state[k].flatten() for k in start]) for state in (one["model"], two["model"], start)]
    assert apart(flat[0], flat[1]) < 0.02 * apart(flat[0], flat[2])
    assert [entry["event"] for entry in entries(tmp_path / "two")] == ["start", "done"]


# Two devices of which one alone is told to stop, or alone finds that nothing gets better.
APART = """
import json, os, signal, sys
from dataclasses import replace
from pathlib import Path
from sightmix.engine.training.loop import run as loop
from sightmix.engine.training.loop.config import TrainConfig
from sightmix.engine.training.loop.validate import improved
from sightmix.engine.training.loop.validate import validate as heard

def validate(model, held, device):
    found = heard(model, held, device)
    rank, turn = int(os.environ.get("LOCAL_RANK", 0)), len(turns)
    turns.append(turn)
    worse = (1 + turn) if rank == 0 else 1 / (1 + turn)
    after = {name: [worse * value for value in values] for name, values in found.before.items()}
    return replace(found, after=after, improvement=improved(found.before, after))

if __name__ == "__main__":
    out, corpus, how, turns = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], []
    config = TrainConfig(**json.loads(Path(sys.argv[4]).read_text()))
    advance = loop.Trainer._advance
    def told(trainer, *batches):
        if trainer.peers.rank == 1 and trainer.step == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return advance(trainer, *batches)
    if how == "told":
        loop.Trainer._advance = told
    else:
        config = replace(config, validate_every=1, early_stop=2)
        loop.validate = validate
    trainer = loop.train(config, corpus, out, device="cpu", devices=2)
    found = {"step": trainer.step, "stop": trainer.stop, "best": trainer.best, "of": trainer.best_of}
    (out / f"rank{trainer.peers.rank}.json").write_text(json.dumps(found))
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["told", "tired"])
def test_devices_stop_at_the_same_step(tiny_corpus: Path, tmp_path: Path, how: str) -> None:
    (tmp_path / "two.py").write_text(APART)
    config = {
        "name": "x", "network": NETWORK, "seconds": 1.5, "batch": 1, "steps": 8, "workers": 0, "validate_clips": 3,
    }  # fmt: skip
    (tmp_path / "c.json").write_text(json.dumps(config))
    words = [str(tmp_path / "out"), str(tiny_corpus), how, str(tmp_path / "c.json")]
    subprocess.run([sys.executable, str(tmp_path / "two.py"), *words], check=True, timeout=600)
    one, two = (json.loads((tmp_path / "out" / f"rank{rank}.json").read_text()) for rank in (0, 1))
    assert one == two
    assert (one["step"], one["stop"]) == ((3, True) if how == "told" else (3, False))
    assert torch.load(tmp_path / "out" / "checkpoint.pt", weights_only=True)["step"] == 3
    if how == "tired":
        lines = (tmp_path / "out" / "validation.jsonl").read_text().splitlines()
        assert [json.loads(line)["step"] for line in lines] == [1, 2, 3]
        assert [len(json.loads(line)["after"]["MAG"]) for line in lines] == [3, 3, 3]


def test_a_validation_of_several_devices_is_that_of_one(tiny_corpus: Path, tmp_path: Path) -> None:
    """Clips come in their own order, whoever heard them, and every one is heard once."""
    config = replace(CONFIG, validate_clips=3)
    trainer = Trainer(config, tiny_corpus, tmp_path)
    parts = []
    for rank, ranks in ((0, 1), (0, 2), (1, 2)):
        held = hold(tiny_corpus, config, trainer.shown, trainer.device, rank, ranks)
        parts.append(validate(trainer.average, held, trainer.device))
    whole, both = parts[0], joined(parts[1:])
    assert len(parts[1].after["W"]) == 2
    assert both.after == whole.after
    assert both.improvement == whole.improvement
    assert (both.scenes, both.scenes[:2]) == (whole.scenes, "3:")
    alone = joined([whole, replace(whole, before={}, after={})])
    assert alone.after == whole.after


def test_a_validation_hears_all_three_distances_once_and_says_them_by_clip(
    tiny_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def counted(model: object, held: Held, device: torch.device) -> Validation:
        asked.append(len(held.targets))
        return validate(model, held, device)

    monkeypatch.setattr(loop, "validate", counted)
    trainer = Trainer(replace(CONFIG, steps=4, validate_every=2, keep_best=9), tiny_corpus, tmp_path)
    trainer.run()
    assert asked == [2, 2]  # at steps 2 and 4, not again at the end
    lines = [json.loads(line) for line in (tmp_path / "validation.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4]
    for line, entry in zip(
        lines, [e for e in entries(tmp_path) if e.get("event") == "validation"], strict=True
    ):
        shares = [100 * (1 - np.mean(line["after"][name]) / np.mean(line["before"][name])) for name in NAMES]
        assert entry["score"] == pytest.approx(np.mean(shares), abs=1e-3)
        assert entry["w_improvement"] == pytest.approx(shares[2], abs=1e-3)
    last = entries(tmp_path)[-1]
    assert (last["event"], last["score"]) == ("done", entry["score"])
    assert sorted(step for _, step in trainer.best) == [2, 4]
    assert trainer.best[0][0] == max(e["score"] for e in entries(tmp_path) if "score" in e)


def test_the_last_weights_are_tried_and_may_be_the_best(
    tiny_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "validate", scored([3.0, 9.0]))
    Trainer(replace(CONFIG, steps=5, validate_every=4), tiny_corpus, tmp_path).run()
    assert [path.name for path in tmp_path.glob("best-*.pt")] == ["best-5.pt"]


def test_the_best_of_other_scenes_are_forgotten(
    tiny_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A score on other scenes says nothing beside these."""
    trainer = Trainer(replace(CONFIG, steps=2, validate_every=1), tiny_corpus, tmp_path)
    trainer.best, trainer.best_of = [(99.0, 1)], "16:0"
    monkeypatch.setattr(loop, "validate", scored([3.0, 5.0]))
    trainer.run()
    assert trainer.best == [(5.0, 2)]


def test_the_reference_hears_the_same_scenes(
    tiny_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Trainer(CONFIG, tiny_corpus, tmp_path / "other").average
    monkeypatch.setattr(validation, "load_model", lambda card: other)
    monkeypatch.setattr(validation, "load_card", lambda name: {"model": name}["model"])
    trainer = Trainer(replace(CONFIG, reference="other", steps=1), tiny_corpus, tmp_path / "run")
    trainer.average.load_state_dict(other.state_dict())
    found = trainer.validate()
    assert found.reference == found.after
    assert found.clips()["reference"] == found.clips()["after"]
    blind = replace(CONFIG, reference="other", network={**NETWORK, "context_dim": 0})
    with pytest.raises(TrainingError, match="context of 8 values and this run's network 0"):
        Trainer(blind, tiny_corpus, tmp_path / "blind").validate()
