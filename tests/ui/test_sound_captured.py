"""Sound that has really left the program, captured from a sound server of our own, is what the deck handed out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

HERE = Path(__file__).parent
TRIES = 4  # a buffer of 40 ms runs empty where all cores are taken for longer than that
FADE = 240

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("pulseaudio") is None or shutil.which("parec") is None,
        reason="needs pulseaudio and parec",
    ),
]


@contextmanager
def running(*command: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=quiet, stderr=quiet)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def environment(folder: Path) -> dict[str, str]:
    socket = folder / "native"
    return {
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
        "PULSE_RUNTIME_PATH": str(folder),
        "PULSE_SERVER": f"unix:{socket}",
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }


@pytest.fixture
def server(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A sound server whose one device plays for nobody, as the environment that leads to it."""
    found = environment(tmp_path)
    protocol = f"module-native-protocol-unix socket={tmp_path / 'native'} auth-anonymous=1"
    device = "module-null-sink sink_name=out rate=48000 format=float32le channels=2"
    flags = ["--daemonize=no", "--exit-idle-time=-1", "--disable-shm", "--use-pid-file=no"]
    with running("pulseaudio", "-n", *flags, "-L", protocol, "-L", device, **found) as process:
        end = time.monotonic() + 20
        while not (tmp_path / "native").exists():
            if process.poll() is not None or time.monotonic() > end:
                pytest.skip("no sound server can be started here")
            time.sleep(0.02)
        yield found


def until_grown(path: Path) -> None:
    end = time.monotonic() + 20
    while not (path.exists() and path.stat().st_size > 48_000):
        assert time.monotonic() < end, "nothing is captured"
        time.sleep(0.02)


def played(folder: Path, server: dict[str, str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What was handed out and what was captured, (n, 2) each."""
    raw, handed = folder / "captured.raw", folder / "handed.npy"
    raw.unlink(missing_ok=True)
    form = ["--format=float32le", "--rate=48000", "--channels=2", "--latency-msec=10"]
    # Who listens keeps the device's own buffer short: it lets two seconds pass unheard otherwise.
    with running("parec", "-d", "out.monitor", *form, str(raw), **server):
        until_grown(raw)
        done = subprocess.run(
            [sys.executable, str(HERE / "play_out.py"), str(handed)],
            env={**os.environ, **server},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == "Null Output"
        time.sleep(0.2)
    data = raw.read_bytes()
    return np.load(handed), np.frombuffer(data[: len(data) // 8 * 8], "<f4").reshape(-1, 2)


def test_what_is_captured_is_what_was_handed_out(tmp_path: Path, server: dict[str, str]) -> None:
    reasons = []
    for _ in range(TRIES):
        handed, captured = played(tmp_path, server)
        assert len(handed) >= 96_000
        assert handed[FADE:96_000].any(axis=1).all()
        first = np.flatnonzero((captured == handed[FADE]).all(axis=1))
        if len(first) and np.array_equal(captured[first[0] :][: 96_000 - FADE], handed[FADE:96_000]):
            return
        reasons.append(f"{len(captured)} captured, begun at {first[:1]}")
    pytest.fail(f"never in {TRIES} tries to the last bit: {reasons}")
