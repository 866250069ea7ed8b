"""Tests of the panel: no screen is needed, and a test that leaves something behind or is noisy fails."""

from __future__ import annotations

import gc
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

try:
    from PySide6 import QtCore
except ImportError:  # the root's conftest says why
    collect_ignore_glob = ["test_*.py"]

# What Qt says of a machine, rather than of us.
_MACHINE = (
    "This plugin does not support",
    "QStandardPaths",
    "Populating font family aliases",
    "XDG_RUNTIME_DIR",
    "PulseAudioService",
)
_PATIENCE = 5.0  # s until what is on its way out must be gone


class Noise:
    """What was logged at WARNING or above, and what Qt said; `expect` takes what a test provokes on purpose."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._expected: list[str] = []

    def expect(self, part: str) -> None:
        """A record or Qt message with `part` in it is meant to come."""
        self._expected.append(part)

    @property
    def unexpected(self) -> list[str]:
        return [line for line in self.heard if not any(part in line for part in self._expected)]

    @property
    def missing(self) -> list[str]:
        return [part for part in self._expected if not any(part in line for line in self.heard)]


class _Listening(logging.Handler):
    def __init__(self, noise: Noise) -> None:
        super().__init__(logging.WARNING)
        self._noise = noise

    def emit(self, record: logging.LogRecord) -> None:
        self._noise.heard.append(f"{record.levelname} {record.name}: {record.getMessage()}")


def threads() -> set[threading.Thread]:
    """Python's threads that are not the main one; Qt's own pools show up as dummies and are left out."""
    return {t for t in threading.enumerate() if t.is_alive() and not isinstance(t, threading._DummyThread)}


def children() -> set[str]:
    """The process ids of this process's children; nothing where the system does not tell."""
    listed = Path(f"/proc/self/task/{os.getpid()}/children")
    return set(listed.read_text().split()) if listed.exists() else set()


def busy_timers() -> list[str]:
    """Timers that still run, and threads of Qt's that still run."""
    found, here = [], QtCore.QThread.currentThread()
    for thing in gc.get_objects():
        try:
            kind = type(thing)  # isinstance() would ask some objects of other packages, which complain
            if issubclass(kind, QtCore.QTimer) and thing.isActive():
                found.append(f"QTimer of {thing.parent()!r} every {thing.interval()} ms")
            elif issubclass(kind, QtCore.QThread) and thing.isRunning() and thing != here:
                found.append(f"{thing!r} runs")
        except (RuntimeError, ReferenceError):  # its C++ side has gone
            continue
    return found


def _settled(left: Callable[[], object]) -> object:
    """What is left once everything had time to go."""
    end = time.monotonic() + _PATIENCE
    while (found := left()) and time.monotonic() < end:
        if QtCore.QCoreApplication.instance() is not None:
            QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete.value)
            QtCore.QCoreApplication.processEvents()
        gc.collect()
        time.sleep(0.01)
    return found


@pytest.fixture
def noise() -> Noise:
    """What was said during a test; see `Noise.expect`."""
    return Noise()


@pytest.fixture(autouse=True)
def tidy(noise: Noise) -> Iterator[None]:
    """Fail a test that leaks a thread, a timer or a process, or says what nobody expected."""
    listening = _Listening(noise)
    logging.getLogger().addHandler(listening)

    def said(kind: object, context: object, message: str) -> None:
        if not any(part in message for part in _MACHINE):
            noise.heard.append(f"Qt: {message}")

    had_threads, had_children, had_timers = threads(), children(), set(busy_timers())
    earlier = QtCore.qInstallMessageHandler(said)
    try:
        yield
        # What was closed goes at once, not at the end of the run.
        if QtCore.QCoreApplication.instance() is not None:
            QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete.value)
        left_timers = _settled(lambda: [timer for timer in busy_timers() if timer not in had_timers])
        left_threads = _settled(lambda: threads() - had_threads)
        left_children = _settled(lambda: children() - had_children)
    finally:
        QtCore.qInstallMessageHandler(earlier)
        logging.getLogger().removeHandler(listening)
    assert not left_threads, f"threads were left running: {left_threads}"
    assert not left_timers, f"timers or threads of Qt were left running: {left_timers}"
    assert not left_children, f"processes were left running: {left_children}"
    assert not noise.unexpected, f"nobody expected: {noise.unexpected}"
    assert not noise.missing, f"expected, and never said: {noise.missing}"
