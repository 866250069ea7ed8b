"""Processes that work for another one."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import multiprocessing, os, signal, sys, time

from sightmix.engine.training.workers import begin_worker

def work(ready):
    begin_worker()
    ignored = [signal.getsignal(s) == signal.SIG_IGN for s in (signal.SIGINT, signal.SIGTERM)]
    queue = multiprocessing.get_context("spawn").Queue()
    queue.put(bytes(1_000_000))  # more than a pipe holds, and nobody fetches it
    ready.send((ignored, sorted({"av", "torch", "numpy"} & set(sys.modules))))
    time.sleep(600)

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    worker = context.Process(target=work, args=(theirs,))
    worker.start()
    print(*ours.recv(), flush=True)
    os.kill(worker.pid, signal.SIGTERM)
    time.sleep(0.1)
    print(worker.is_alive(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_worker_ignores_signals_and_ends_with_its_parent(tmp_path: Path) -> None:
    """It holds the standard output it was born with, which ends once it has; and beginning imports nothing heavy."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run([sys.executable, str(program)], check=False, stdout=subprocess.PIPE, timeout=300)
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.decode().splitlines() == ["[True, True] []", "True"]
