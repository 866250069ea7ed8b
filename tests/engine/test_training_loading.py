"""Scenes made in other processes: failures are one sentence, and the process that asked for them ends."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, time
import torch
from torch.utils.data import Dataset
from sightmix.engine.errors import SightmixError, TrainingError
from sightmix.engine.training.loop.loading import loaded

class Made(Dataset):
    def __init__(self, fate):
        self.fate = fate
    def __len__(self):
        return 8
    def __getitem__(self, index):
        if index == 3 and self.fate == "refused":
            raise TrainingError("The shards describe pictures by eight in 8 numbers, and the network takes 16.")
        if index == 3 and self.fate == "unexpected":
            raise KeyError("gone\\nor never there")
        if index == 3 and self.fate == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if index == 1 and self.fate == "stuck":
            time.sleep(600)
        return torch.tensor(index)

def take(fate, workers, batch):
    for item in loaded(Made(fate), workers, batch):
        print(item.tolist(), flush=True)
        if fate in ("consumer", "stuck"):
            raise ArithmeticError("The loss is no number.")

torch.utils.data._utils.MP_STATUS_CHECK_INTERVAL = 0.5  # how long torch waits for a worker to end
kept = []  # with their frames, as a caller would keep them
for fate, workers, batch in [
    ("refused", 0, None), ("refused", 2, None), ("unexpected", 1, 2), ("killed", 1, None), ("consumer", 1, None),
    ("stuck", 1, None),
]:
    try:
        take(fate, workers, batch)
    except (SightmixError, ArithmeticError) as error:
        kept.append(error)
        print(f"{fate} {workers}: {type(error).__name__}: {error}", flush=True)
"""
REFUSED = "TrainingError: The shards describe pictures by eight in 8 numbers, and the network takes 16."


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the program printed; it has ended, with every worker it had, in time."""
    program = tmp_path_factory.mktemp("loading") / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("workers", [0, 2])
def test_what_a_worker_refuses_is_its_own_sentence(workers: int, said: list[str]) -> None:
    at = said.index(f"refused {workers}: {REFUSED}")
    assert said[at - 3 : at] == ["0", "1", "2"]


def test_what_nobody_foresaw_is_a_sentence_too_also_in_a_batch(said: list[str]) -> None:
    at = said.index(
        "unexpected 1: TrainingError: Scene 3 could not be made: KeyError: 'gone\\nor never there'."
    )
    assert said[at - 1] == "[0, 1]"


def test_a_worker_that_is_killed_is_a_sentence(said: list[str]) -> None:
    (killed,) = [line for line in said if line.startswith("killed")]
    assert killed.startswith(
        "killed 1: TrainingError: A process that makes scenes has ended (DataLoader worker"
    )
    assert killed.endswith("; set 'workers' lower if memory is short.")


@pytest.mark.parametrize("fate", ["consumer", "stuck"])
def test_workers_end_with_who_fails_beside_them(fate: str, said: list[str]) -> None:
    assert f"{fate} 1: ArithmeticError: The loss is no number." in said
