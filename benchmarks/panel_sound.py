"""How soon the panel's sound follows: `python benchmarks/panel_sound.py [SECONDS]`.

Plays a programme of four lanes under a table of gains, through the very thread that feeds a sound device, on a device
that takes 40 ms ahead in real time. Three times: at rest, with both cores taken by other processes, and with the main
thread computing without a pause as well. Told are the switch of sides and a change of gains (from the call to the first
sample that is another: how long until it is written, in ms and in frames written between, and how much is in the buffer
before it), the time to make a block as a share of its length, how often the buffer ran empty, and the meters' share.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication
from sightmix.ui.base.asking import Told
from sightmix.ui.base.source import Source
from sightmix.ui.base.topics import Topic
from sightmix.ui.control.deck import Deck
from sightmix.ui.control.meters import LiveMeter
from sightmix.ui.window.qt_pump import QtPump
from sightmix.ui.window.sound import BUFFER, NullSink, SoundOut
from sightmix.ui.window.sound import Device as Named

RATE = 48_000
LENGTH = 60 * RATE
FRAMES = 2_400  # of gains, 40 a second
TRIALS = 40

Array = NDArray[np.float32]


class Lanes:
    """An engine that has the lanes in memory and answers at once."""

    def __init__(self) -> None:
        noise = np.random.default_rng(0).standard_normal((4, 2, LENGTH), np.float32)
        self.lanes = 0.05 * noise

    def ask(self, *asked: Any, done: Told | None = None, **_: Any) -> Lanes:
        _, data = asked
        part = self.lanes[:, :, data["first"] : data["first"] + data["samples"]]
        assert done is not None
        done(data, np.ascontiguousarray(part).tobytes())
        return self

    def cancel(self) -> None:
        """Nothing is on its way."""


class Device(NullSink):
    """The device that nobody hears, and notes of every block: when it came, where it lies, and how much lay before."""

    def __init__(self, rate: int, frames: int) -> None:
        super().__init__(rate, frames)
        self.blocks: list[tuple[float, int, int, Array]] = []
        self.empty = 0
        self.frames_written = 0

    def free(self) -> int:
        found = super().free()
        self.empty += found == self.frames and self.frames_written > 0
        return found

    def write(self, data: bytes) -> int:
        ahead = self.frames - super().free()
        sound = np.frombuffer(data, "<f4").reshape(-1, 2)
        self.blocks.append((time.perf_counter(), self.frames_written, ahead, sound))
        self.frames_written += len(sound)
        return super().write(data)


def _burn() -> None:
    while True:
        sum(range(10_000))


@contextmanager
def load(processes: int) -> Iterator[None]:
    """So many processes that do nothing but compute."""
    burning = [multiprocessing.Process(target=_burn, daemon=True) for _ in range(processes)]
    for process in burning:
        process.start()
    try:
        yield
    finally:
        for process in burning:
            process.kill()
            process.join()


def spend(seconds: float, busy: bool) -> None:
    """Let time pass in an event loop, or in a main thread that computes and seldom looks at its events."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        if busy:
            turn = time.perf_counter() + 0.08
            while time.perf_counter() < turn:
                sum(range(200))
        QCoreApplication.processEvents()
        if not busy:
            time.sleep(0.002)


def first_other(
    device: Device, called: float, since: int, unlike: Callable[[int, Array], NDArray[np.bool_]]
) -> Any:
    """ms and frames from a call until a sample was written that is another, and ms of sound that lay before it."""
    for when, at, ahead, sound in device.blocks:
        if at + len(sound) <= since:
            continue
        found = np.flatnonzero(unlike(at, sound))
        found = found[at + found >= since]
        if len(found):
            before = ahead + int(found[0])
            return (when - called) * 1000, at + int(found[0]) - since, before / RATE * 1000
    raise RuntimeError("nothing has changed")


def played(deck: Deck, device: Device, engine: Lanes, act: Callable[[], object], busy: bool) -> Any:
    """Do something, and measure until another sample is written than would have been."""
    spend(0.12, busy)
    blocks = list(device.blocks)
    since, start = blocks[-1][1] + len(blocks[-1][3]), deck.position
    steady = expectation(deck, engine, start - since)
    called = time.perf_counter()
    act()
    spend(0.12, busy)

    def unlike(at: int, sound: Array) -> NDArray[np.bool_]:
        differs: NDArray[np.bool_] = np.abs(sound - steady(at, len(sound))).max(axis=1) > 1e-6
        return differs

    return first_other(device, called, since, unlike)


def expectation(deck: Deck, engine: Lanes, offset: int) -> Callable[[int, int], Array]:
    """What would be played had nothing changed, by device frame."""
    view = deck._player.wanted.view

    def steady(at: int, frames: int) -> Array:
        first = at + offset
        return view.mix(engine.lanes[:, :, first : first + frames], first, RATE).T

    return steady


def table(seed: int) -> tuple[Array, Array]:
    times = np.arange(FRAMES, dtype=np.float64) / 40
    return times, np.random.default_rng(seed).uniform(-9, 6, (3, FRAMES))  # type: ignore[return-value]


class Outputs:
    """One device, which notes what it is given."""

    def __init__(self) -> None:
        self.changed: Topic[[]] = Topic()
        self.made: list[Device] = []

    def prepare(self) -> None:
        """There is nothing to load."""

    def devices(self) -> tuple[Named, ...]:
        return (Named("bench", "bench", default=True),)

    def sink(self, _: Named, rate: int, frames: int) -> Device:
        self.made.append(Device(rate, frames))
        return self.made[-1]


def follow(engine: Lanes, busy: bool) -> dict[str, Any]:
    """Switches and changes while it plays."""
    pump, outputs = QtPump(), Outputs()
    deck = Deck(engine, pump)
    out = SoundOut(deck, outputs)
    deck.load(Source(Path("bench")), LENGTH)
    deck.set_gains(*table(0))
    fills: list[tuple[float, int]] = []
    fill = deck.fill

    def timed(frames: int) -> Array:
        begun = time.thread_time()
        block = fill(frames)
        fills.append((time.thread_time() - begun, frames))
        return block

    deck.fill = timed
    deck.play()
    spend(0.5, busy)
    device = outputs.made[-1]
    sides = [played(deck, device, engine, deck.ab, busy) for _ in range(TRIALS)]
    deck.set_side("after")
    gains = [
        played(deck, device, engine, partial(deck.set_gains, *table(n + 1)), busy) for n in range(TRIALS)
    ]
    share = sum(spent for spent, _ in fills) / (sum(frames for _, frames in fills) / RATE)
    out.close()
    deck.close()
    pump.stop()
    return {
        "switch": summary(sides),
        "gains": summary(gains),
        "fill_share": round(share, 4),
        "fill_ms_worst": round(1000 * max(spent for spent, _ in fills), 2),
        "buffer_empty": device.empty,
    }


def summary(found: list[Any]) -> dict[str, float]:
    written, between, before = (np.array(column) for column in zip(*found, strict=True))
    return {
        "until_written_ms": round(float(np.median(written)), 1),
        "until_written_ms_worst": round(float(written.max()), 1),
        "frames_before_it_worst": int(between.max()),
        "in_buffer_ms_worst": round(float(before.max()), 1),
    }


def shares(engine: Lanes, seconds: float) -> dict[str, float]:
    """Time to make sound as a share of its length, block by block of 480 frames, and the meters'."""
    found = {}
    for name, set_up in {
        "before": lambda deck: deck.set_side("before"),
        "after": lambda deck: deck.set_side("after"),
        "residual": lambda deck: deck.set_residual(True),
        "backwards_4x": lambda deck: (deck.seek(LENGTH - 1), deck.play(-4.0)),
        "always_fading": None,
    }.items():
        pump = QtPump()
        deck = Deck(engine, pump, memory=1 << 30)
        deck.load(Source(Path("bench")), LENGTH)
        deck.set_gains(*table(0))
        deck.play()
        if set_up is not None:
            set_up(deck)
        blocks, spent = round(seconds * RATE / 480), 0.0
        for number in range(blocks):
            if set_up is None and number % 2:
                deck.ab()
            if number % 50 == 0:
                deck._want()
            begun = time.thread_time()
            deck.fill(480)
            spent += time.thread_time() - begun
        found[name] = round(spent / (blocks * 480 / RATE), 4)
        deck.close()
        pump.stop()
    meter, sound = LiveMeter(), np.ascontiguousarray(engine.lanes[0].T)
    begun = time.thread_time()
    for at in range(0, round(seconds * RATE), 960):
        meter.push(sound[at : at + 960], "before")
    found["meters"] = round((time.thread_time() - begun) / seconds, 4)
    return found


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    application = QCoreApplication.instance() or QCoreApplication([])
    engine = Lanes()
    cores = os.cpu_count() or 2
    result: dict[str, Any] = {
        "cores": cores,
        "buffer_ms": BUFFER * 1000,
        "share_of_real_time": shares(engine, seconds),
    }
    result["at_rest"] = follow(engine, busy=False)
    with load(cores):
        result["cores_taken"] = follow(engine, busy=False)
        result["main_thread_too"] = follow(engine, busy=True)
    print(json.dumps(result, indent=1))
    del application
    return 0


if __name__ == "__main__":
    sys.exit(main())
