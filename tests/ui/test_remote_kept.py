"""What the engine's processes keep between requests: nobody waits for what another opens, and nothing piles up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sightmix.engine.errors import Cancelled, MediaError
from sightmix.engine.progress import Progress
from sightmix.ui.remote.kept import Recent, Tape


def test_the_last_few_are_kept_and_others_dropped() -> None:
    dropped: list[str] = []
    recent: Recent[str, str] = Recent(2, dropped.append)
    made = [recent.get(key, lambda key=key: f"{key}1") for key in "abac"]  # type: ignore[misc]
    assert (made, dropped) == (["a1", "b1", "a1", "c1"], ["b1"])
    assert recent.get("a", lambda: "a2", fresh=True) == "a2"
    assert dropped == ["b1", "a1"]
    with pytest.raises(MediaError):
        recent.get("d", _gone)
    assert recent.get("a", lambda: "a3") == "a2"


def _gone() -> str:
    raise MediaError("d is gone.")


def test_nobody_waits_for_what_another_opens() -> None:
    recent: Recent[str, str] = Recent(3)
    begun, go_on = threading.Event(), threading.Event()
    found: list[str] = []

    def slow() -> str:
        begun.set()
        assert go_on.wait(60)
        return "slow"

    first, second = (
        threading.Thread(target=lambda: found.append(recent.get("big", slow))),
        threading.Thread(target=lambda: found.append(recent.get("big", lambda: "again"))),
    )
    first.start()
    assert begun.wait(60)
    second.start()
    assert recent.get("small", lambda: "small") == "small"
    go_on.set()
    first.join()
    second.join()
    assert found == ["slow", "slow"]


class Lanes:
    """Lanes whose samples count, in blocks of 100, and that can fail once."""

    broken = ()

    def __init__(self, samples: int) -> None:
        self.samples, self.begun, self.failing = samples, [], False  # type: ignore[var-annotated]

    def blocks(self, first: int) -> Iterator[np.ndarray[Any, Any]]:
        self.begun.append(first)
        for at in range(first, self.samples, 100):
            if self.failing:
                self.failing = False
                raise MediaError("The disk is gone.")
            count = np.arange(at, min(at + 100, self.samples), dtype=np.float32)
            yield np.broadcast_to(count, (4, 2, count.size))

    def stereo(self, block: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return block


def heard(tape: Tape, first: int, samples: int) -> list[float]:
    found = tape.read(first, samples, Progress())
    assert found.shape == (4, 2, samples)
    return list(found[3, 1])


def test_reading_on_begins_nowhere_anew() -> None:
    lanes = Lanes(1000)
    tape = Tape(lanes)  # type: ignore[arg-type]
    for first in (0, 130, 260):
        assert heard(tape, first, 130) == list(range(first, first + 130))
    assert lanes.begun == [0]
    assert heard(tape, 950, 100) == [*range(950, 1000), *[0.0] * 50]
    assert heard(tape, -20, 40) == [*[0.0] * 20, *range(20)]
    assert heard(tape, 5000, 10) == [0.0] * 10
    assert lanes.begun == [0, 950, 0, 5000]


def test_what_failed_or_was_stopped_is_read_at_the_next_try() -> None:
    lanes = Lanes(1000)
    tape = Tape(lanes)  # type: ignore[arg-type]
    lanes.failing = True
    with pytest.raises(MediaError):
        tape.read(0, 50, Progress())
    assert heard(tape, 0, 50) == list(range(50))
    stopped = Progress()
    stopped.cancel()
    with pytest.raises(Cancelled):
        tape.read(50, 50, stopped)
    assert heard(tape, 50, 50) == list(range(50, 100))
