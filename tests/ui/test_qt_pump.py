"""The window's pump: in order, on the main thread, and one failure costs no other call."""

from __future__ import annotations

import threading
from typing import Any

from pytestqt.qtbot import QtBot
from sightmix.ui.window.qt_pump import QtPump


def test_calls_of_other_threads_run_on_the_main_one_in_order(qtbot: QtBot) -> None:
    pump = QtPump()
    ran: list[tuple[int, threading.Thread]] = []

    def post(first: int) -> None:
        for i in range(first, first + 50):
            pump.post(lambda i=i: ran.append((i, threading.current_thread())))

    workers = [threading.Thread(target=post, args=(1000 * n,)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert ran == []  # nothing runs outside the event loop
    qtbot.waitUntil(lambda: len(ran) == 150)
    assert {thread for _, thread in ran} == {threading.main_thread()}
    for n in range(3):
        assert [i for i, _ in ran if i // 1000 == n] == list(range(1000 * n, 1000 * n + 50))
    pump.stop()


def test_a_failure_is_told_once_and_costs_no_other_call(qtbot: QtBot, noise: Any) -> None:
    noise.expect("something the panel was to do has failed")
    pump, ran = QtPump(), []
    pump.post(lambda: 1 / 0)
    pump.post(lambda: ran.append("after"))
    qtbot.waitUntil(lambda: ran == ["after"])
    assert len(noise.heard) == 1
    pump.stop()


def test_later_runs_once_unless_it_is_taken_back(qtbot: QtBot) -> None:
    pump, ran = QtPump(), []
    pump.later(0.02, lambda: ran.append("second"))
    pump.later(0.0, lambda: ran.append("first"))
    leave = pump.later(0.001, lambda: ran.append("taken back"))
    leave()
    leave()
    qtbot.waitUntil(lambda: "second" in ran)
    assert ran == ["first", "second"]
    pump.stop()


def test_nothing_runs_after_the_end(qtbot: QtBot) -> None:
    pump, other, ran = QtPump(), QtPump(), []
    pump.post(lambda: ran.append("posted"))
    pump.later(0.0, lambda: ran.append("later"))
    pump.stop()
    pump.post(lambda: ran.append("too late"))
    other.later(0.02, lambda: ran.append("other"))
    qtbot.waitUntil(lambda: "other" in ran)
    assert ran == ["other"]
    other.stop()
