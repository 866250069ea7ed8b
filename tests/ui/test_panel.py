"""The panel without its window, over a real engine: what happens in one part reaches the others."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from clips_kit import SCENE, many
from fakes import FakeEngine
from film_kit import SECONDS, make_film
from sightmix.plugin.jobs.defaults import Defaults
from sightmix.plugin.jobs.hand import Drawn
from sightmix.ui.base.asking import Failure
from sightmix.ui.base.pump import InlinePump
from sightmix.ui.base.source import Source
from sightmix.ui.control.panel import Keep, Panel
from sightmix.ui.remote.client import EngineClient

PATIENCE = 300.0  # s: the machine may be busy


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(tmp_path_factory.mktemp("film"))


class Desk:
    """A panel, its pump and its engine."""

    def __init__(self, folder: Path, engine: EngineClient, pump: InlinePump) -> None:
        self.pump, self.engine = pump, engine
        kept = folder / "kept"
        keep = Keep(kept / "recent.json", kept / "timelines", kept / "presets", kept / "queue.json")
        self.panel = Panel(engine, pump, keep, Defaults(None), engine.state)
        self.failures: list[Failure] = []
        self.panel.failed.subscribe(self.failures.append)

    def until(self, condition) -> None:
        self.pump.run_until(lambda: condition() or self.failures, PATIENCE)
        assert not self.failures, self.failures

    def open(self, film: Path) -> None:
        self.panel.clips.open(Source(film))
        self.until(lambda: self.panel.clips.state == "open" and self.panel.live.figures.complete)


@pytest.fixture(scope="module")
def engine(
    tiny_weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[EngineClient, InlinePump]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIGHTMIX_WEIGHTS", str(tiny_weights))
        pump = InlinePump()
        client = EngineClient(pump, tmp_path_factory.mktemp("scratch"))
        client.start()
        pump.run_until(lambda: all(client.state_of(p) == "ready" for p in ("work", "media")), PATIENCE)
        yield client, pump
        client.close()


@pytest.fixture
def desk(tmp_path: Path, engine: tuple[EngineClient, InlinePump]) -> Iterator[Desk]:
    made = Desk(tmp_path, *engine)
    made.panel.options.set("model", "tiny")
    yield made
    made.panel.close()
    made.pump.run(0.05)


def test_a_timeline_is_heard_before_anything_is_done_to_it(desk: Desk, film: Path) -> None:
    desk.open(film)
    panel = desk.panel
    assert panel.deck.samples == (SECONDS + 1) * 48_000
    assert panel.live.laid.moved == {1}
    assert len(panel.live.table()[0]) == 0
    panel.deck.play()
    heard = []
    desk.until(lambda: (heard.append(panel.deck.fill(480)), np.abs(heard[-1]).max() > 0.001)[1])
    assert not panel.why_not_preview


def test_a_preview_is_heard_and_what_is_changed_then_acts_without_the_network(desk: Desk, film: Path) -> None:
    desk.open(film)
    panel = desk.panel
    panel.preview(1.0, 3.0)
    assert panel.hearing is not None
    desk.until(lambda: panel.live.heard)
    assert panel.hearing is None
    ((first, last),) = panel.live.heard_spans  # on the network's grid
    assert (first, last) == pytest.approx((1.0, 4.0), abs=0.02)
    assert panel.deck.side == "after"
    assert panel.deck.playing
    assert set(panel.live.laid.parted) == {2}
    before = panel.live.table()[1]
    panel.options.set("dialogue", 6.0)
    assert float((panel.live.table()[1][0] - before[0]).max()) > 1.0
    panel.history.undo()
    assert np.array_equal(panel.live.table()[1], before)


def test_a_job_writes_a_result_and_opening_again_finds_all_as_it_was(desk: Desk, film: Path) -> None:
    desk.open(film)
    panel = desk.panel
    panel.options.set("strength", 0.5)
    panel.live.drawn = (Drawn("speech", (1.0, 2.0), (-6.0, -6.0)),)
    ended = []
    panel.done.subscribe(ended.append)
    entry = panel.rebalance()
    assert entry is not None
    desk.until(lambda: ended and panel.live.heard_whole)
    assert ended[0].status == "done"
    assert panel.result is not None
    assert panel.result.name == "film_mixed.otio"
    assert panel.exporting.source == Source(panel.result)
    gains = panel.live.table()[1]
    panel.clips.close()
    assert panel.result is None
    desk.open(film)
    assert panel.options.value("strength") == 0.5
    assert panel.live.drawn == (Drawn("speech", (1.0, 2.0), (-6.0, -6.0)),)
    assert panel.live.heard_whole
    assert np.allclose(panel.live.table()[1], gains, atol=1e-3)
    assert not panel.history.next_undo


def test_an_engine_that_is_killed_midway_costs_nothing(tmp_path: Path, tiny_model: str, film: Path) -> None:
    pump = InlinePump()
    engine = EngineClient(pump, tmp_path)
    desk = Desk(tmp_path, engine, pump)
    desk.panel.options.set("model", tiny_model)
    desk.open(film)
    panel = desk.panel
    ended = []
    panel.done.subscribe(ended.append)
    panel.options.set("handles", 3)  # nothing that an earlier run has left fits
    panel.rebalance()
    desk.until(lambda: panel.queue.running is not None and panel.queue.running.stage)
    pid = desk.engine.pid_of("work")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    desk.until(lambda: ended and panel.live.heard_whole)
    assert ended[0].status == "done"
    panel.close()
    engine.close()


def test_saying_what_a_track_holds_lays_it_into_another_lane(desk: Desk, film: Path) -> None:
    desk.open(film)
    panel = desk.panel
    panel.clips.set_category([2], "music")
    assert panel.live.laid.kinds[2] == "music"
    assert panel.live.laid.moved == {1, 2}
    panel.history.undo()
    assert panel.live.laid.moved == {1}


def test_of_two_previews_the_newest_is_heard(desk: Desk, film: Path) -> None:
    desk.open(film)
    panel = desk.panel
    heard = []
    panel.heard.subscribe(heard.append)
    panel.preview(0.0, 2.0)
    panel.preview(3.0, 2.0)
    assert panel.hearing is not None
    assert panel.hearing.first == 3.0
    desk.until(lambda: heard)
    desk.pump.run(0.2)
    assert [round(mix.start) for mix in heard] == [3]
    assert panel.hearing is None


def test_while_a_preview_is_awaited_no_clip_is_measured() -> None:
    asked, pump = FakeEngine(), InlinePump()
    panel = Panel(asked, pump, defaults=Defaults(None))
    panel.clips.open(SCENE)
    asked.open("open")[0].finish(many(20))
    assert asked.open("loudness")
    panel.preview(0.0)
    assert not asked.open("loudness")
    panel.cancel_preview()
    pump.run()
    assert panel.hearing is None
    assert asked.open("loudness")
    panel.close()


def test_what_was_heard_stays_where_listening_to_tracks_changes_no_lane(desk: Desk, film: Path) -> None:
    desk.open(film)
    panel = desk.panel
    panel.preview(1.0, 2.0)
    desk.until(lambda: panel.live.heard)
    panel.clips.kinds_changed.emit()
    assert panel.live.heard
    panel.clips.set_category([2], "music")
    assert not panel.live.heard
