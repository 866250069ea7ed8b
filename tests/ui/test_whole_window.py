"""The real window over the real engine: what an editor does with keys and mouse, and what the device is given."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from device_fakes import FakeOutputs
from film_kit import SECONDS, make_film
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from sightmix.plugin.session.sound import Lanes
from sightmix.plugin.timeline import open_timeline
from sightmix.ui.base.source import Source
from sightmix.ui.control.panel import Keep
from sightmix.ui.remote.client import EngineClient
from sightmix.ui.window.assembly import Assembled
from sightmix.ui.window.closing import ClosingDialog
from sightmix.ui.window.qt_pump import QtPump
from sightmix.ui.window.sound import Device, SoundOut

Array = NDArray[np.float32]
RATE = 48_000
PATIENCE = 300_000  # ms: the machine may be busy
KEY = Qt.Key


class Whole:
    """The window with its engine, and a sound device that keeps every sample it was given."""

    def __init__(self, qtbot: QtBot, folder: Path, keep: Keep) -> None:
        self.bot, self.keep = qtbot, keep
        self.pump = QtPump()
        self.engine = EngineClient(self.pump, folder)
        self.whole = Assembled(self.engine, self.pump, keep=keep, states=self.engine.state, sound=False)
        self.panel, self.window = self.whole.panel, self.whole.window
        self.outputs = FakeOutputs(Device("speakers", "Speakers", default=True))
        self.sound = SoundOut(self.panel.deck, self.outputs)
        self.panel.options.set("model", "tiny")  # the fixture's
        self.panel.history.clear()
        self.window.resize(1400, 900)
        self.window.show()
        QTest.qWaitForWindowExposed(self.window)
        self.window.activateWindow()
        self.open_still = True

    def close(self) -> None:
        if self.open_still:
            self.open_still = False
            self.sound.close()
            self.whole.close()
            self.engine.close()
            self.pump.stop()
            self.window.deleteLater()

    def until(self, condition: Callable[[], Any]) -> None:
        self.bot.waitUntil(lambda: bool(condition()), timeout=PATIENCE)

    def open(self, film: Path) -> None:
        self.panel.clips.open(Source(film))
        self.until(lambda: self.panel.clips.state == "open" and self.panel.live.figures.complete)

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Press a key wherever the keyboard is."""
        QTest.keyClick(self.window, key, modifier)

    def hear(self, frames: int) -> Array:
        """The next samples (n, 2) that the device is given."""
        sink = self.outputs.last
        first = len(sink.sound())

        def there() -> bool:
            if sink.free() < 480:
                sink.play(480)
            return len(sink.sound()) >= first + frames

        self.until(there)
        return sink.sound()[first : first + frames]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(tmp_path_factory.mktemp("film"))


@pytest.fixture
def whole(qtbot: QtBot, tmp_path: Path, tiny_model: str) -> Iterator[Whole]:
    kept = tmp_path / "kept"
    keep = Keep(kept / "recent.json", kept / "timelines", kept / "presets", kept / "queue.json")
    made = Whole(qtbot, tmp_path, keep)
    yield made
    made.close()


def place_of(heard: Array, sound: Array) -> int:
    """Where in `sound` (2, n) what was heard (m, 2) lies, by its first samples; the best fit there is."""
    probe = heard[:2000].mean(axis=1).astype(np.float64)
    line = sound.mean(axis=0).astype(np.float64)
    size = 1 << int(np.ceil(np.log2(line.size + probe.size)))
    found = np.fft.irfft(np.fft.rfft(line, size) * np.conj(np.fft.rfft(probe, size)), size)
    return int(np.argmax(found[: line.size - heard.shape[0]]))


def test_an_editor_hears_before_and_after_and_gets_new_tracks(whole: Whole, film: Path) -> None:
    whole.open(film)
    panel = whole.panel
    assert whole.whole.clips.list.model().rowCount() == 3

    # P: a preview of the region around the playhead is made and played.
    whole.key(KEY.Key_P)
    whole.until(lambda: panel.live.heard and panel.deck.playing)
    assert panel.deck.side == "after"
    after = whole.hear(9_600)
    assert np.abs(after).max() > 0.005

    # A: the other side, at the same place, and it is the timeline's own sound to the last bit.
    whole.key(KEY.Key_A)
    assert panel.deck.side == "before"
    whole.hear(4_800)  # past the crossfade and the buffer
    before = whole.hear(9_600)
    lanes = Lanes(open_timeline(film), panel.live.laid)
    plain = np.concatenate([lanes.stereo(block) for block in lanes.blocks()], axis=2)
    total = plain.sum(axis=0)
    at = place_of(before, total)
    np.testing.assert_allclose(before.T, total[:, at : at + before.shape[0]], atol=2e-6)

    # A again: after is the lanes under the gains that are shown, level-matched.
    whole.key(KEY.Key_A)
    whole.hear(4_800)
    after = whole.hear(9_600)
    times, gains = panel.live.table()
    at = place_of(after, total)
    places = (at + np.arange(after.shape[0])) / RATE
    factors = [10 ** (np.interp(places, times, row) / 20) for row in gains]
    wanted = plain[3, :, at : at + after.shape[0]].copy()
    for lane, factor in zip(plain, factors, strict=False):
        wanted += lane[:, at : at + after.shape[0]] * factor
    wanted *= 10 ** (panel.live.match_db / 20)
    np.testing.assert_allclose(after.T, wanted, atol=1e-3)
    whole.key(KEY.Key_Space)
    assert not panel.deck.playing

    # Enter: all of it, written beside the timeline; the export page offers it.
    whole.until(lambda: not panel.why_not_rebalance)
    ended = []
    panel.done.subscribe(ended.append)
    whole.key(KEY.Key_Return)
    whole.until(lambda: ended and panel.live.heard_whole)
    assert ended[0].status == "done"
    assert panel.result is not None
    assert panel.exporting.source == Source(panel.result)
    opened = open_timeline(panel.result)
    assert len(opened.clips) == 3  # the editor's own; what we added is ours and not counted again
    whole.key(KEY.Key_E, Qt.KeyboardModifier.ControlModifier)
    out = panel.result.with_suffix(".xml")
    panel.exporting.choose(next(t.key for t in panel.exporting.targets if t.to == "fcp7"))
    panel.exporting.write_to(out)
    panel.exporting.start()
    whole.until(lambda: panel.exporting.result is not None)
    assert out.exists()
    assert [failure for failure in [panel.exporting.failure] if failure] == []


def lane_point(whole: Whole, stem: str, time: float, db: float) -> tuple[QWidget, QPoint]:
    """A lane of the window, and the point of it at a time and level."""
    from sightmix.ui.window.lanes.scale import place

    lane = whole.whole.lanes.stems[stem]
    x = whole.whole.lanes.axis.x(time)
    return lane, QPoint(round(x), round(place(db, lane.height())))


def test_a_curve_is_drawn_heard_and_taken_back(whole: Whole, film: Path) -> None:
    whole.open(film)
    panel = whole.panel
    lane, point = lane_point(whole, "speech", 2.0, -12.0)
    QTest.mouseDClick(lane, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, point)
    assert panel.live.drawn
    times, gains = panel.live.table()
    row = gains[0]
    assert float(np.interp(2.0, times, row) - np.interp(5.9, times, row)) < -3.0
    whole.until(whole.window.keys.action("undo").isEnabled)
    whole.key(KEY.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not panel.live.drawn


def test_a_job_that_is_cancelled_midway_leaves_nothing_half_written(whole: Whole, film: Path) -> None:
    whole.open(film)
    panel = whole.panel
    panel.options.set("handles", 7)  # nothing that an earlier run has left fits
    whole.until(lambda: not panel.why_not_rebalance)
    whole.key(KEY.Key_Return)
    whole.until(lambda: panel.queue.running is not None and panel.queue.running.stage)
    out = Path(panel.queue.running.data["out"])
    had = out.stat().st_mtime_ns if out.exists() else None
    whole.key(KEY.Key_Period, Qt.KeyboardModifier.ControlModifier)
    assert panel.queue.running is None
    assert panel.queue.entries[0].status == "cancelled"
    assert (out.stat().st_mtime_ns if out.exists() else None) == had
    whole.bot.wait(100)
    folder = out.with_name(f"{out.stem}.sightmix")
    assert not [p for p in folder.rglob("*") if ".part" in p.name or p.name.endswith(".tmp")]
    assert panel.clips.state == "open"


def test_an_engine_that_is_killed_midway_is_brought_back_and_the_job_is_done(
    whole: Whole, film: Path
) -> None:
    whole.open(film)
    panel = whole.panel
    panel.options.set("handles", 5)
    whole.until(lambda: not panel.why_not_rebalance)
    ended = []
    panel.done.subscribe(ended.append)
    whole.key(KEY.Key_Return)
    whole.until(lambda: panel.queue.running is not None and panel.queue.running.stage)
    pid = whole.engine.pid_of("work")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    whole.until(lambda: panel.queue.entries[0].restarting or ended)
    whole.until(lambda: ended)
    assert ended[0].status == "done"
    assert panel.result is not None


def test_closing_midway_asks_once_and_the_next_window_offers_to_go_on(
    whole: Whole, film: Path, qtbot: QtBot, tmp_path: Path
) -> None:
    whole.open(film)
    panel = whole.panel
    panel.options.set("handles", 9)
    whole.until(lambda: not panel.why_not_rebalance)
    whole.key(KEY.Key_Return)
    whole.until(lambda: panel.queue.running is not None)
    asked = []

    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, ClosingDialog):
            QTimer.singleShot(20, answer)
            return
        asked.append(dialog.text())
        dialog.stop.click()

    QTimer.singleShot(20, answer)
    whole.window.close()
    assert len(asked) == 1
    whole.close()
    again = Whole(qtbot, tmp_path, whole.keep)
    try:
        assert [entry.title for entry in again.panel.queue.resume_offer] == ["Film"]
        ended = []
        again.panel.done.subscribe(ended.append)
        again.panel.queue.take_up()
        again.until(lambda: ended)
        assert ended[0].status == "done"
    finally:
        again.close()


def test_the_window_speaks_of_what_is_open(whole: Whole, film: Path) -> None:
    assert "sightmix" in whole.window.windowTitle()
    whole.open(film)
    assert whole.window.windowTitle().startswith("Film")
    assert whole.panel.deck.samples == (SECONDS + 1) * RATE
