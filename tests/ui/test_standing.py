"""How clips stand in the queue: the newest job of the open timeline that has them, clip by clip."""

from __future__ import annotations

from typing import Any

import pytest
from clips_kit import SCENE, Stage, many
from sightmix.ui.base.asking import Failure
from sightmix.ui.control.queue import JobQueue
from sightmix.ui.control.standing import Standing, stands
from sightmix.ui.control.withdrawals import Withdrawals


class Queued(Stage):
    def __init__(self) -> None:
        super().__init__()
        self.queue = JobQueue(self.engine, None, self.history)
        self.withdrawals = Withdrawals(self.engine, self.queue)
        self.standing = Standing(self.clips, self.queue, self.withdrawals)
        self.open(many(6))

    def add(self, clips: str, **source: Any) -> None:
        data = {"source": {**SCENE.to_dict(), **source}, "out": "/show/out.otio", "clips": clips}
        self.queue.add(data, "Scene 4")

    @property
    def stands(self) -> list[str]:
        return [self.standing.of(clip) for clip in range(1, 7)]


def test_a_job_clip_by_clip() -> None:
    queued = Queued()
    changed: list[tuple[int, ...]] = []
    queued.standing.changed.subscribe(changed.append)
    queued.add("2-4")
    assert queued.stands == ["", "waiting", "waiting", "waiting", "", ""]
    assert changed[0] == (2, 3, 4)
    queued.queue.cancel(queued.queue.entries[0].number)
    assert queued.stands == [""] * 6


def test_only_jobs_of_the_open_timeline_count() -> None:
    queued = Queued()
    queued.add("", path="/show/another.otio")
    assert queued.stands == [""] * 6
    queued.add("", folders=["/volumes/show"])  # media were looked for elsewhere
    assert queued.stands == ["waiting"] * 6


def test_what_is_left_of_a_longer_timeline_is_passed_over() -> None:
    queued = Queued()
    queued.add("5-900")
    assert queued.stands == ["", "", "", "", "waiting", "waiting"]


def test_a_job_that_fails_whole() -> None:
    queued = Queued()
    queued.add("1")
    queued.ask("rebalance").fail(Failure("The disk is full.", "WriteError"))
    assert queued.stands == ["failed", "", "", "", "", ""]


@pytest.mark.parametrize(
    ("job", "row", "taken", "stand"),
    [
        ("waiting", "to render", False, "waiting"),
        ("running", "to ride", False, "waiting"),
        ("running", "working", False, "running"),
        ("running", "rendered", False, "done"),
        ("paused", "rendered", False, "done"),
        ("done", "cached", False, "done"),
        ("done", "rendered", True, "undone"),
        ("done", "left out", False, None),
        ("done", "failed", False, "failed"),
        ("failed", "to render", False, "failed"),
        ("cancelled", "rendered", False, "cancelled"),
        ("cancelled", "to render", False, "cancelled"),
    ],
)
def test_every_way_a_clip_stands(job: str, row: str, taken: bool, stand: str | None) -> None:
    from sightmix.ui.control.queue import Entry, Row

    entry = Entry(1, "rebalance", {"clips": "3"}, "Scene 4", job, (Row(3, "clip 3", "DX", row),))
    assert stands(entry, {3} if taken else (), 6) == ({} if stand is None else {3: stand})
