"""The mill: it survives being killed, never grinds twice in one folder, and says in one line where it stands."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sightmix.engine.training.loop.export import export
from sightmix.engine.training.loop.run import Trainer
from test_travelling import script
from tiny_training import CONFIG

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
mill = script("mill")


def written(run: Path, *entries: dict[str, object]) -> Path:
    run.mkdir(parents=True, exist_ok=True)
    (run / "mill.json").write_text('{"reference": "shipped"}')
    (run / "validation.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return run


def entry(
    step: int, ours: float, theirs: float, scenes: str = "40:a", spread: float = 0.01
) -> dict[str, object]:
    """Validation of 40 clips of which `ours` and `theirs` are left of every distance, more or less."""
    rng = np.random.default_rng(step)
    before = 0.1 + 0.05 * rng.random((3, 40))
    noise = 1 + spread * rng.standard_normal((2, 3, 40))

    def named(rows: np.ndarray) -> dict[str, list[float]]:
        return dict(zip(("MAG", "ENV", "W"), rows.tolist(), strict=True))

    after, reference = ours * before * noise[0], theirs * before * noise[1]
    parts = {"before": named(before), "after": named(after), "reference": named(reference)}
    return {"step": step, "scenes": scenes, **parts}


@pytest.mark.parametrize(
    ("ours", "theirs", "spread", "verdict"),
    [
        (0.5, 0.6, 0.01, "beats shipped: mean improvement 49"),
        (0.6, 0.5, 0.01, "is worse than shipped"),
        (0.55, 0.55, 0.2, "does not beat shipped"),
    ],
)
def test_the_line_says_whether_what_is_shipped_is_beaten(
    tmp_path: Path, ours: float, theirs: float, spread: float, verdict: str
) -> None:
    run = written(tmp_path / "run-001", entry(5, ours, theirs, spread=spread))
    said = mill.line(run)
    assert verdict.split(":", maxsplit=1)[0] in said
    found = re.search(
        r"([+-][\d.]+) points, 95 % interval \[([+-][\d.]+), ([+-][\d.]+)\], paired over 40", said
    )
    assert found
    value, low, high = (float(group) for group in found.groups())
    assert low < value < high
    assert value == pytest.approx(100 * (theirs - ours), abs=100 * spread)
    assert (low > 0, high < 0) == ("beats" in verdict.split(maxsplit=1)[0], "worse" in verdict)


def test_the_line_is_of_the_best_on_the_scenes_of_now(tmp_path: Path) -> None:
    run = written(
        tmp_path / "run-001",
        entry(1, 0.1, 0.6, scenes="40:old"), entry(2, 0.5, 0.6), entry(3, 0.4, 0.6), entry(4, 0.7, 0.6),
    )  # fmt: skip
    with (run / "validation.jsonl").open("a") as file:
        file.write('{"step": 5, "scenes": "40:a", "bef')  # killed in the middle of a word
    said = mill.line(run)
    assert "at step 3 beats" in said
    assert "best of 3 on these, newest at step 4" in said
    assert mill.line(written(tmp_path / "run-002")) == "run-002 has not been validated yet."


def test_a_run_that_is_done_or_of_another_configuration_is_followed_by_a_new_one(tmp_path: Path) -> None:
    config = tmp_path / "c.json"
    config.write_text(json.dumps(asdict(replace(CONFIG, steps=5))))
    first = mill.current(tmp_path, config)
    assert mill.current(tmp_path, config) == first
    torch.save({"config": (first / "mill.json").read_text(), "step": 5}, first / "checkpoint.pt")
    second = mill.current(tmp_path, config)
    seeds = [json.loads((run / "mill.json").read_text())["seed"] for run in (first, second)]
    assert ([run.name for run in mill.runs(tmp_path)], seeds) == (["run-001", "run-002"], [42, 43])
    assert mill.current(tmp_path, config) == second
    config.write_text(json.dumps(asdict(replace(CONFIG, steps=5, batch=3))))
    assert mill.current(tmp_path, config).name == "run-003"


def test_the_mill_runs_at_the_lowest_priority_and_builds_no_corpus_twice(tmp_path: Path) -> None:
    corpus, told = tmp_path / "corpus", tmp_path / "told"
    corpus.mkdir()
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "$(nice) $OMP_NUM_THREADS $*" >>{told}\n')
    python.chmod(0o755)
    environment = {**os.environ, "PYTHON": str(python), "CORPUS": str(corpus)}
    command = ["bash", str(BENCHMARKS / "mill.sh"), str(tmp_path / "mill")]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    (corpus / "corpus.json").touch()
    (corpus / "pictures.npz").touch()
    subprocess.run(command, env=environment, check=True)
    lines = told.read_text().splitlines()
    assert all(line.startswith("19 1 ") for line in lines)
    assert [line.split()[3 if "-m" in line else 2].rpartition(".")[2] for line in lines] == [
        "corpus", "pictures", "py", "py",
    ]  # fmt: skip


@pytest.mark.slow
def test_the_mill_survives_kills_and_says_where_it_stands(tiny_corpus: Path, tmp_path: Path) -> None:
    """Started from a shipped model, killed twice, resumed, stopped; two never grind in one folder."""
    first = Trainer(CONFIG, tiny_corpus, tmp_path / "first")
    first.save()
    export(
        tmp_path / "first" / "checkpoint.pt",
        tmp_path / "weights",
        name="tiny",
        licence="CC0-1.0",
        trained_on=[],
    )
    config = replace(CONFIG, steps=100_000, save_every=2, validate_every=4, reference="tiny", decay=1, seed=3)
    (tmp_path / "c.json").write_text(json.dumps(asdict(config)))
    folder = tmp_path / "mill"
    environment = {
        **os.environ, "PYTHON": sys.executable, "CORPUS": str(tiny_corpus), "CONFIG": str(tmp_path / "c.json"),
        "SIGHTMIX_WEIGHTS": str(tmp_path / "weights"), "NICE": "1",
    }  # fmt: skip
    command = ["bash", str(BENCHMARKS / "mill.sh"), str(folder)]
    checkpoint = folder / "run-001" / "checkpoint.pt"

    def step() -> int:
        return int(torch.load(checkpoint, weights_only=True)["step"]) if checkpoint.exists() else 0

    def until(least: int) -> subprocess.Popen[str]:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        end = time.monotonic() + 1200
        while step() < least:
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.5)
        return process

    reached = 0
    for _ in range(2):
        process = until(reached + 2)
        again = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert (again.returncode, "grinding in" in again.stderr) == (3, True)
        process.kill()
        process.communicate()
        reached = step()
    process = until(reached + 6)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=1200)
    assert process.returncode == 0
    lines = [line for line in out.splitlines() if line.startswith("run-001 at step")]
    assert lines
    said = subprocess.run(
        ["bash", str(BENCHMARKS / "mill.sh"), "--line", str(folder)],
        env=environment, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert re.match(r"run-001 at step \d+ (beats|does not beat|is worse than) tiny: mean improvement", said)
    assert said.count("\n") == 1
    log = [json.loads(line) for line in (folder / "run-001" / "log.jsonl").read_text().splitlines()]
    starts = [line["step"] for line in log if line.get("event") == "start"]
    assert starts[0] == 0
    assert len(starts) == 3
    assert starts[1] >= 2
    assert starts[2] > starts[1]
    assert sum(line.get("event") == "weights taken over" for line in log) == 1
