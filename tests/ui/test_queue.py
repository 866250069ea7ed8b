"""The queue of jobs: order, pausing, what a crash and the end of the panel leave of it, and what is told of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fakes import Asked, FakeEngine
from sightmix.plugin.jobs.eta import Clock
from sightmix.ui.base.asking import Failure
from sightmix.ui.base.topics import Topic
from sightmix.ui.control.history import History
from sightmix.ui.control.queue import SCHEMA, Entry, JobQueue

PLAN = {
    "clips": [
        {"index": 1, "name": "one", "track": "A1", "status": "to ride"},
        {"index": 2, "name": "two", "track": "A2", "status": "to render"},
        {"index": 3, "name": "two", "track": "A2", "status": "to render"},
        {"index": 4, "name": "gone", "track": "A2", "status": "failed", "reason": "It is offline."},
    ]
}


def job(name: str) -> dict[str, Any]:
    return {"source": {"path": name}, "out": f"{name}.out", "settings": {}, "clips": "", "told": []}


def statuses(queue: JobQueue) -> list[str]:
    return [entry.status for entry in queue.entries]


def rows(queue: JobQueue) -> list[str]:
    return [row.status for row in queue.entries[0].rows]


def progress(asked: Asked, stage: str, item: str, done: float, total: float = 10.0) -> None:
    asked.tell({"event": "progress", "stage": stage, "item": item, "done": done, "total": total, "unit": "s"})


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


def test_jobs_are_done_one_after_the_other(engine: FakeEngine) -> None:
    queue = JobQueue(engine)
    ended: list[tuple[int, str]] = []
    queue.finished.subscribe(lambda entry: ended.append((entry.number, "done")))
    queue.failed.subscribe(lambda entry: ended.append((entry.number, "failed")))
    for name in "abc":
        queue.add(job(name), name)
    assert statuses(queue) == ["running", "waiting", "waiting"]
    assert len(engine.asked) == 1
    engine.asked[0].finish({"result": {"clips": []}, "mix": "x"})
    assert engine.asked[1].data == job("b")
    engine.asked[1].fail(Failure("The disk is full.", "WriteError"))
    engine.asked[2].finish()
    assert statuses(queue) == ["done", "failed", "done"]
    assert ended == [(1, "done"), (2, "failed"), (3, "done")]
    assert queue.entries[0].answer == {"result": {"clips": []}, "mix": "x"}
    failure = queue.entries[1].failure
    assert failure is not None
    assert failure.error == "The disk is full."


def test_an_engine_that_answers_at_once_does_them_all() -> None:
    engine = FakeEngine(answer=lambda asked: asked.finish())
    queue = JobQueue(engine)
    for name in "abc":
        queue.add(job(name), name)
    assert statuses(queue) == ["done"] * 3
    assert queue.running is None


def test_each_clip_stage_and_share_are_told(engine: FakeEngine) -> None:
    now = [0.0]
    queue = JobQueue(engine, clock=lambda: Clock(lambda: now[0]))
    queue.add(job("a"), "a")
    asked, told = engine.asked[0], []
    queue.changed.subscribe(told.append)
    asked.tell({"event": "accepted", "source": "a", "out": "b", "settings": {}})
    asked.tell({"event": "planned", "plan": PLAN})
    assert rows(queue) == ["to ride", "to render", "to render", "failed"]
    assert queue.entries[0].rows[3].reason == "It is offline."
    asked.tell({"event": "stage", "stage": "render"})
    progress(asked, "job", "two", 0.0)
    progress(asked, "rebalance", "two", 1.0)
    assert rows(queue) == ["to ride", "working", "to render", "failed"]
    now[0] = 4.0
    progress(asked, "job", "two", 2.5)
    entry = queue.entries[0]
    assert (entry.stage, entry.item, entry.share) == ("rebalance", "two", pytest.approx(0.1675))
    assert entry.left == pytest.approx(4.0 / 0.1675 - 4.0)
    asked.tell(
        {"event": "clip", "index": 2, "name": "two", "track": "A2", "status": "rendered", "reason": ""}
    )
    asked.tell({"event": "loss", "where": "timeline", "text": "A plug-in is not carried.", "clip": None})
    progress(asked, "job", "two", 10.0)
    assert queue.entries[0].share == pytest.approx(0.67)  # there is more to do than what the network does
    asked.tell({"event": "stage", "stage": "ride"})
    assert 0.67 < (queue.entries[0].share or 0.0) < 1.0
    assert rows(queue) == ["to ride", "rendered", "to render", "failed"]
    clips = [{"index": 1, "status": "rendered"}, {"index": 3, "status": "failed", "reason": "It is torn."}]
    asked.finish({"result": {"clips": clips}, "mix": None})
    entry = queue.entries[0]
    assert [row.status for row in entry.rows] == ["rendered", "rendered", "failed", "failed"]
    assert [row.index for row in entry.failed_rows] == [3, 4]
    assert (entry.share, entry.left, entry.losses) == (1.0, None, ("timeline: A plug-in is not carried.",))
    assert told[-1] == entry


def test_pausing_stops_what_runs_and_it_goes_on_first(engine: FakeEngine) -> None:
    queue = JobQueue(engine)
    queue.add(job("a"), "a")
    queue.add(job("b"), "b")
    queue.pause()
    assert engine.asked[0].cancelled
    assert statuses(queue) == ["paused", "waiting"]
    queue.add(job("c"), "c")
    assert len(engine.asked) == 1
    queue.resume()
    assert statuses(queue) == ["running", "waiting", "waiting"]
    assert engine.asked[1].data == job("a")
    engine.asked[1].finish()
    assert engine.asked[2].data == job("b")


def test_a_job_can_be_cancelled_wherever_it_is(engine: FakeEngine) -> None:
    queue = JobQueue(engine)
    for name in "abc":
        queue.add(job(name), name)
    failed: list[Entry] = []
    queue.failed.subscribe(failed.append)
    queue.cancel(2)
    queue.cancel(1)
    assert engine.asked[0].cancelled
    assert statuses(queue) == ["cancelled", "cancelled", "running"]
    assert engine.asked[1].data == job("c")
    queue.cancel(1)
    assert not failed
    queue.retry(1)
    assert [(entry.number, entry.status) for entry in queue.entries] == [
        (2, "cancelled"),
        (3, "running"),
        (1, "waiting"),
    ]
    queue.clear()
    assert [entry.number for entry in queue.entries] == [3, 1]


def test_order_and_removal_can_be_undone(engine: FakeEngine) -> None:
    history = History()
    queue = JobQueue(engine, history=history)
    for name in "abcd":
        queue.add(job(name), name)
    listed: list[list[int]] = []
    queue.listed.subscribe(lambda: listed.append([entry.number for entry in queue.entries]))
    queue.move(4, 1)
    queue.move(1, 3)  # it runs
    queue.remove(2)
    queue.remove(1)
    assert listed == [[1, 4, 2, 3], [1, 4, 3]]
    history.undo()
    history.undo()
    assert [entry.number for entry in queue.entries] == [1, 2, 3, 4]
    history.redo()
    engine.asked[0].finish()
    assert engine.asked[1].data == job("d")


def test_a_crash_shows_and_what_is_told_again_begins_anew(engine: FakeEngine) -> None:
    states: Topic[[str, str]] = Topic()
    queue = JobQueue(engine, states=states)
    queue.add(job("a"), "a")
    asked = engine.asked[0]
    asked.tell({"event": "planned", "plan": PLAN})
    progress(asked, "job", "two", 5.0)
    states.emit("media", "restarting")
    assert not queue.entries[0].restarting
    states.emit("work", "restarting")
    states.emit("work", "ready")
    assert queue.entries[0].restarting
    assert queue.entries[0].status == "running"
    asked.tell({"event": "accepted", "source": "a", "out": "b", "settings": {}})
    entry = queue.entries[0]
    assert (entry.restarting, entry.rows, entry.share) == (False, (), None)


def test_what_is_not_done_is_offered_at_the_next_start(engine: FakeEngine, tmp_path: Path) -> None:
    path = tmp_path / "state" / "queue.json"
    queue = JobQueue(engine, path)
    for name in ("a", "b\udc80", "c"):
        queue.add(job(name), name)
    engine.asked[0].finish()
    queue.pause()
    queue.cancel(3)
    assert json.loads(path.read_text())["schema"] == SCHEMA
    second = JobQueue(FakeEngine(), path)  # another panel at the same time
    assert second.resume_offer == ()
    second.add(job("x"), "x")
    second.close()
    queue.close()
    again = FakeEngine()
    third = JobQueue(again, path)
    assert [(one.title, one.data, one.status) for one in third.resume_offer] == [
        ("b\udc80", job("b\udc80"), "waiting")
    ]
    assert third.entries == ()
    third.add(job("d"), "d")
    assert len(json.loads(path.read_text())["entries"]) == 2
    third.take_up()
    assert [entry.title for entry in third.entries] == ["d", "b\udc80"]
    third.cancel(third.entries[1].number)
    again.asked[0].finish()
    assert not path.exists()
    third.close()


def test_closing_keeps_what_runs_and_tells_nobody_that_it_failed(engine: FakeEngine, tmp_path: Path) -> None:
    queue = JobQueue(engine, tmp_path / "queue.json")
    queue.add(job("a"), "a")
    heard: list[Entry] = []
    queue.failed.subscribe(heard.append)
    queue.changed.subscribe(heard.append)
    queue.close()
    assert engine.asked[0].cancelled
    assert not heard
    queue.close()
    later = JobQueue(FakeEngine(), tmp_path / "queue.json")
    assert [entry.title for entry in later.resume_offer] == ["a"]
    later.drop_offer()
    assert not list(tmp_path.iterdir())[1:]  # nothing but the lock
    later.close()


@pytest.mark.parametrize(
    "text", ["", "[]", '{"schema": "other"}', '{"schema": "sightmix.queue/1", "entries": [3]}']
)
def test_a_list_that_is_none_is_passed_over(engine: FakeEngine, tmp_path: Path, text: str) -> None:
    (tmp_path / "queue.json").write_text(text)
    queue = JobQueue(engine, tmp_path / "queue.json")
    assert queue.resume_offer == ()
    queue.close()


def test_a_list_that_cannot_be_written_costs_no_job(engine: FakeEngine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    queue = JobQueue(engine, tmp_path / "file" / "queue.json")
    assert queue.trouble
    queue.add(job("a"), "a")
    assert statuses(queue) == ["running"]
    queue.close()
