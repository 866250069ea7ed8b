"""The queue, seen: one line, every job and clip, what can be done with each, and what closing leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEngine
from pytestqt.qtbot import QtBot
from sightmix.plugin.jobs.eta import Clock, clock
from sightmix.ui.base.asking import Failure
from sightmix.ui.base.topics import Topic
from sightmix.ui.control.history import History
from sightmix.ui.control.queue import JobQueue
from sightmix.ui.control.takeback import TakeBack
from sightmix.ui.control.withdrawals import BUSY, NO_RESULT, NOT_DONE, TAKEN, Withdrawals

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)
from PySide6.QtCore import QEvent, QModelIndex, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton, QSystemTrayIcon, QVBoxLayout, QWidget
from sightmix.ui.window import closing, notify
from sightmix.ui.window.closing import FINISH, STAY, STOP, ClosingDialog, FinishThenClose
from sightmix.ui.window.queue_view import QueueView

KEY = Qt.Key
PLAN = {
    "clips": [
        {"index": 1, "name": "one", "track": "A1", "status": "to ride"},
        {"index": 2, "name": "two", "track": "A2", "status": "to render"},
        {"index": 3, "name": "three", "track": "A2", "status": "to render"},
        {"index": 4, "name": "gone", "track": "A2", "status": "failed", "reason": "It is offline: find it."},
    ]
}


class Desk:
    """A queue and its view; `now` is the clock."""

    def __init__(self, folder: Path, qtbot: QtBot) -> None:
        self.folder, self.engine, self.now = folder, FakeEngine(), 0.0
        self.states: Topic[[str, str]] = Topic()
        self.history = History()
        self.queue = JobQueue(
            self.engine, None, self.history, self.states, clock=lambda: Clock(lambda: self.now)
        )
        self.withdrawals = Withdrawals(self.engine, self.queue, TakeBack(self.engine, self.history))
        self.shown: list[Path] = []
        self.view = QueueView(self.queue, self.withdrawals, lambda path: bool(self.shown.append(path)))
        self.tester = QAbstractItemModelTester(
            self.view.model, QAbstractItemModelTester.FailureReportingMode.Fatal
        )
        self.window = QWidget()  # who lays it out, and shows what wants to be shown
        QVBoxLayout(self.window).addWidget(self.view)
        qtbot.addWidget(self.window)
        self.resize(420)
        self.window.show()

    def resize(self, width: int) -> None:
        """Have a view of that width."""
        margins = self.window.contentsMargins()
        layout = self.window.layout()
        assert layout is not None
        layout.setContentsMargins(0, 0, 0, 0)
        self.window.resize(width + margins.left() + margins.right(), 320)

    def add(self, title: str) -> int:
        data = {
            "source": {"path": title},
            "out": str(self.folder / f"{title}.otio"),
            "settings": {},
            "clips": "",
        }
        return self.queue.add(data, title).number

    def begin(self) -> Any:
        asked = self.engine.open("rebalance")[-1]
        asked.tell({"event": "accepted"})
        asked.tell({"event": "planned", "plan": PLAN})
        return asked

    def progress(self, asked: Any, stage: str, done: float, item: str = "two") -> None:
        asked.tell({"event": "progress", "stage": stage, "item": item, "done": done, "total": 100.0})

    def far(self) -> tuple[float, int]:
        """How much of the job that runs is done, and the seconds it will take, as the queue reckons them."""
        running = self.queue.running
        assert running is not None
        assert running.share is not None
        return running.share, round(running.left or 0)

    def finish(self, asked: Any, name: str = "one") -> None:
        folder = self.folder / f"{name}.sightmix"
        folder.mkdir(exist_ok=True)
        (folder / "report.html").write_text("x")
        out = self.folder / f"{name}.otio"
        out.write_text("{}")
        clips = [
            {"index": 1, "status": "rendered"},
            {"index": 2, "status": "cached"},
            {"index": 3, "status": "failed", "reason": "It is torn: copy it again."},
        ]
        answer = {"result": {"clips": clips, "timeline": {"result": str(out), "folder": str(folder)}}}
        asked.finish(answer)

    def rows(self, job: int = 0) -> list[tuple[str, str]]:
        model = self.view.model
        parent = model.index(job, 0)
        return [
            (model.index(i, 0, parent).data(), model.index(i, 1, parent).data())
            for i in range(model.rowCount(parent))
        ]

    def jobs(self) -> list[tuple[str, str]]:
        model = self.view.model
        return [(model.index(i, 0).data(), model.index(i, 1).data()) for i in range(model.rowCount())]

    def choose(self, job: int, clip: int | None = None) -> list[str]:
        model = self.view.model
        index = model.index(job, 0)
        self.view.open_list()
        self.view.tree.setCurrentIndex(index if clip is None else model.index(clip, 0, index))
        return [act.title for act in self.view.shown_acts]

    def press(self, title: str) -> None:
        """Do it by the button, or by the menu where there is none."""
        button = next((b for b in self.view.buttons if b.text() == title), None)
        if button is not None:
            QTest.keyClick(button, KEY.Key_Space)
            return
        action = next(a for a in self.view.made_menu().actions() if a.text() == title)
        assert action.isEnabled()
        action.trigger()


@pytest.fixture
def desk(tmp_path: Path, qtbot: QtBot) -> Desk:
    return Desk(tmp_path, qtbot)


def test_nothing_in_the_queue_takes_no_room(desk: Desk) -> None:
    assert not desk.view.isVisible()
    desk.add("one")
    assert desk.view.isVisible()
    assert not desk.view.tree.isVisible()


def test_the_line_says_what_runs_how_far_and_what_waits(desk: Desk) -> None:
    for title in ("one", "b", "c"):
        desk.add(title)
    view, asked = desk.view, desk.begin()
    assert view.line.whole == "one · 2 waiting"
    assert not view.bar.isVisible()
    asked.tell({"event": "stage", "stage": "load"})
    assert view.line.whole == "one · loading the model · 2 waiting"
    desk.progress(asked, "job", 0.0)
    desk.progress(asked, "rebalance", 1.0)
    desk.now = 62.0
    desk.progress(asked, "job", 62.0)
    share, left = desk.far()
    assert 0.3 < share < 0.7
    assert view.line.whole == f"two {int(100 * share)} % · 2 waiting · {clock(left)} left"
    assert (view.bar.isVisible(), view.bar.value()) == (True, round(1000 * share))
    desk.states.emit("work", "restarting")
    assert "the engine is being started again" in view.line.whole
    desk.progress(asked, "job", 70.0)
    assert view.line.whole.startswith(f"two {int(100 * desk.far()[0])} %")
    assert desk.far()[0] > share
    desk.finish(asked)
    desk.engine.open("rebalance")[0].finish({})
    desk.engine.open("rebalance")[0].fail(Failure("The disk is full; free some space.", "DiskFullError"))
    assert view.line.whole == "c · failed · The disk is full; free some space."
    assert not view.bar.isVisible()
    assert not view.pause.isVisible()


def test_pause_and_cancel_act_at_once(desk: Desk) -> None:
    desk.add("one")
    desk.add("b")
    asked, view = desk.begin(), desk.view
    desk.progress(asked, "job", 30.0)
    far = int(100 * desk.far()[0])
    QTest.keyClick(view.pause, KEY.Key_Space)
    assert asked.cancelled
    assert view.line.whole == "Paused · 2 waiting"
    assert view.pause.text() == "Go on"
    assert desk.jobs() == [("one", f"paused · {far} %"), ("b", "waiting")]
    QTest.keyClick(view.pause, KEY.Key_Space)
    assert desk.engine.open("rebalance")[0].data["source"] == {"path": "one"}
    QTest.keyClick(view.cancel, KEY.Key_Space)
    assert desk.jobs()[0] == ("one", "stopped")
    assert desk.queue.running is not None
    assert desk.queue.running.title == "b"


def test_every_clip_says_how_it_stands(desk: Desk) -> None:
    desk.add("one")
    desk.view.open_list()
    asked = desk.begin()
    assert desk.view.tree.isExpanded(desk.view.model.index(0, 0))
    asked.tell({"event": "stage", "stage": "render"})
    desk.progress(asked, "rebalance", 1.0)
    assert desk.rows() == [
        ("A1  one", "waiting for its curve"),
        ("A2  two", "being rendered"),
        ("A2  three", "waiting"),
        ("A2  gone", "failed"),
    ]
    desk.finish(asked)
    assert [status for _, status in desk.rows()] == ["done", "done earlier", "failed", "failed"]
    assert desk.jobs() == [("one", "2 clips · 2 failed")]
    desk.choose(0, 2)
    assert desk.view.sentence.sentence == "It is torn: copy it again."
    assert desk.view.sentence.property("role") == "fault"
    index = desk.view.model.index(3, 0, desk.view.model.index(0, 0))
    assert index.data(Qt.ItemDataRole.ToolTipRole) == "It is offline: find it."
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "A2  gone, failed"


def test_what_runs_can_be_watched_without_being_rebuilt(desk: Desk) -> None:
    """Progress changes rows; it neither moves the keyboard nor makes buttons anew."""
    desk.add("one")
    asked = desk.begin()
    assert desk.choose(0, 1) == []
    desk.choose(0)
    buttons = desk.view.buttons
    told: list[tuple[QModelIndex, QModelIndex]] = []
    desk.view.model.dataChanged.connect(lambda first, last, _roles: told.append((first, last)))
    resets: list[int] = []
    desk.view.model.modelReset.connect(lambda: resets.append(1))
    desk.progress(asked, "job", 10.0)
    desk.progress(asked, "job", 11.0)
    assert desk.view.buttons == buttons
    assert resets == []
    assert {first.internalId() for first, _ in told} == {0}  # the job's own row, none of the clips'
    told.clear()
    asked.tell({"event": "clip", "index": 2, "status": "rendered", "reason": ""})
    clips = [(first.row(), last.row()) for first, last in told if first.internalId()]
    assert clips == [(1, 1)]
    assert desk.view.sentence.sentence.startswith("two") or desk.view.sentence.sentence == ""


def test_a_job_that_is_done_is_opened_shown_and_reported(desk: Desk, qtbot: QtBot) -> None:
    desk.add("one")
    desk.finish(desk.begin())
    titles = desk.choose(0)
    assert titles[:3] == ["Report", "Show in folder", "Open the result"]
    desk.press("Report")
    desk.press("Show in folder")
    assert desk.shown == [desk.folder / "one.sightmix" / "report.html", desk.folder]
    with qtbot.waitSignal(desk.view.opened) as signal:
        desk.press("Open the result")
    assert signal.args == [str(desk.folder / "one.otio")]
    (desk.folder / "one.otio").unlink()
    desk.choose(0, 0)
    desk.choose(0)
    act = next(act for act in desk.view.shown_acts if act.title == "Open the result")
    assert act.why_not == f"{desk.folder / 'one.otio'} is no longer there."


def test_a_failure_can_be_copied_and_tried_again(desk: Desk) -> None:
    desk.add("one")
    desk.begin().fail(Failure("The disk is full; free some space.", "DiskFullError", details="Traceback …"))
    titles = desk.choose(0)
    assert desk.view.sentence.sentence == "The disk is full; free some space."
    assert titles[:2] == ["Do it again", "Copy details"]
    desk.press("Copy details")
    copied = QGuiApplication.clipboard().text()
    for part in (
        "The disk is full",
        "DiskFullError",
        "Traceback …",
        "clip 4 (A2 'gone'): It is offline",
        "one.otio",
    ):
        assert part in copied
    desk.press("Do it again")
    assert len(desk.engine.open("rebalance")) == 1
    assert desk.jobs() == [("one", "begins")]


def test_jobs_wait_are_moved_and_taken_off_and_that_is_undone(desk: Desk) -> None:
    for title in ("one", "b", "c"):
        desk.add(title)
    desk.choose(1)
    assert next(a for a in desk.view.shown_acts if a.title == "Sooner").why_not == "It is the next one."
    desk.choose(2)
    desk.press("Sooner")
    assert [title for title, _ in desk.jobs()] == ["one", "c", "b"]
    desk.choose(1)
    desk.press("Take off the list")
    assert [title for title, _ in desk.jobs()] == ["one", "b"]
    desk.history.undo()
    desk.history.undo()
    assert [title for title, _ in desk.jobs()] == ["one", "b", "c"]
    desk.engine.open("rebalance")[0].finish({})
    desk.engine.open("rebalance")[0].finish({})
    desk.choose(0)
    desk.press("Take all off that have ended")
    assert [title for title, _ in desk.jobs()] == ["c"]


def test_a_clip_is_taken_back_and_comes_again_with_the_job(desk: Desk) -> None:
    number = desk.add("one")
    asked = desk.begin()
    entry = desk.queue.entry(number)
    assert desk.withdrawals.why_not(entry, 1) == NOT_DONE
    desk.finish(asked)
    entry = desk.queue.entry(number)
    assert desk.withdrawals.why_not(entry, 3) == NO_RESULT
    desk.choose(0, 1)
    desk.press("Take back this clip")
    (request,) = desk.engine.open("withdraw")
    assert request.data["source"]["path"] == "one"
    assert (request.data["out"], request.data["clips"]) == (str(desk.folder / "one.otio"), "2")
    assert desk.withdrawals.why_not(entry, 2) == BUSY
    assert not desk.view.buttons[0].isEnabled()
    assert desk.view.buttons[0].toolTip() == "It is being taken back."
    request.finish({"clips": [2]})
    assert desk.withdrawals.why_not(entry, 2) == TAKEN
    assert desk.rows()[1] == ("A2  two", "taken back")
    desk.choose(0, 0)
    desk.press("Take back this clip")
    desk.engine.open("withdraw")[0].fail(Failure("It is no longer what was written.", "WriteError"))
    assert desk.view.sentence.sentence == "It is no longer what was written."
    assert desk.rows()[0][1] == "done"
    desk.press("Do the job again")
    desk.finish(desk.begin())
    assert desk.rows()[1][1] == "done earlier"


def test_what_was_taken_back_is_put_back_by_undo(desk: Desk) -> None:
    number = desk.add("one")
    desk.finish(desk.begin())
    desk.withdrawals.take(desk.queue.entry(number), 1)
    desk.engine.open("withdraw")[0].finish({"clips": [1]})
    assert desk.rows()[0][1] == "taken back"
    desk.history.undo()
    desk.engine.open("put_back")[0].finish({"clips": [1]})
    assert desk.rows()[0][1] == "done"
    assert desk.withdrawals.taken(number) == frozenset()


def test_what_was_not_finished_last_time_is_offered(tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / "queue.json"
    first = JobQueue(FakeEngine(), path)
    first.add({"source": {}, "out": "x"}, "Episode 3")
    first.close()
    engine = FakeEngine()
    queue = JobQueue(engine, path)
    view = QueueView(queue, Withdrawals(engine, queue))
    qtbot.addWidget(view)
    view.show()
    assert view.offered.whole == "Not finished last time: Episode 3"
    go = next(b for b in view.offer.findChildren(QPushButton) if b.text() == "Go on")
    QTest.keyClick(go, KEY.Key_Space)
    assert not view.offer.isVisible()
    assert len(engine.open("rebalance")) == 1
    queue.close()


def test_the_list_is_opened_and_walked_with_the_keyboard(desk: Desk) -> None:
    desk.add("one")
    desk.finish(desk.begin())
    QTest.keyClick(desk.view.fold, KEY.Key_Space)
    assert desk.view.tree.isVisible()
    QTest.keyClick(desk.view.tree, KEY.Key_Home)
    QTest.keyClick(desk.view.tree, KEY.Key_Down)
    assert desk.view.tree.currentIndex().data() == "A1  one"
    assert desk.view.buttons[0].text() == "Take back this clip"
    QTest.keyClick(desk.view.fold, KEY.Key_Space)
    assert not desk.view.tree.isVisible()


def test_hostile_names_stay_on_their_line(desk: Desk) -> None:
    desk.add("a\nb\x00<b>bold</b>" + "x" * 300)
    plan = {"clips": [{"index": 1, "name": "n\nm", "track": "\x07A", "status": "to render"}]}
    desk.engine.open("rebalance")[0].tell({"event": "planned", "plan": plan})
    assert "\n" not in desk.view.line.whole
    assert "\n" not in desk.rows()[0][0]
    assert "\x07" not in desk.rows()[0][0]
    assert desk.view.width() == 420


def test_two_thousand_clips_are_told_one_by_one(desk: Desk) -> None:
    desk.add("one")
    desk.view.open_list()
    asked = desk.engine.open("rebalance")[0]
    clips = [{"index": i, "name": f"n{i}", "track": "A1", "status": "to render"} for i in range(2000)]
    asked.tell({"event": "planned", "plan": {"clips": clips}})
    seen: list[int] = []
    desk.view.model.dataChanged.connect(lambda first, last, _: seen.append(last.row() - first.row() + 1))
    for i in (5, 1999):
        asked.tell({"event": "clip", "index": i, "status": "rendered", "reason": ""})
    assert seen == [1, 1, 1, 1]  # the clip and its job, twice
    assert len(desk.rows()) == 2000


# ---- the desktop ----------------------------------------------------------------------------------------------------


class FakeTray(QSystemTrayIcon):
    """A tray that keeps what it was to show."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.said: list[tuple[Any, ...]] = []
        self.up = False

    def show(self) -> None:
        self.up = True

    def hide(self) -> None:
        self.up = False

    def showMessage(self, *told: Any) -> None:  # type: ignore[override]  # noqa: N802
        self.said.append(told)


def test_the_desktop_is_told_only_when_nobody_looks(
    desk: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    trays: list[FakeTray] = []

    def make(window: QWidget) -> FakeTray:
        trays.append(FakeTray(window))
        return trays[-1]

    notify.Notifier(window, desk.queue, make)
    looked = True
    monkeypatch.setattr(window, "isActiveWindow", lambda: looked)
    desk.add("one")
    desk.finish(desk.begin())
    assert trays == []
    looked = False
    desk.add("two")
    desk.finish(desk.begin())
    desk.add("three")
    desk.begin().fail(Failure("The disk is full.", "DiskFullError"))
    (tray,) = trays
    assert tray.up
    assert [told[:2] for told in tray.said] == [
        ("Rebalanced: two", "2 clips · 2 failed"),
        ("Not done: three", "The disk is full."),
    ]
    window.show()
    tray.messageClicked.emit()
    QApplication.sendEvent(window, QEvent(QEvent.Type.WindowActivate))
    assert not tray.up


def test_without_a_tray_there_is_silence(desk: Desk, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    notify.Notifier(window, desk.queue, lambda _: None)
    desk.add("one")
    desk.finish(desk.begin())
    assert notify.system_tray(window) is None  # offscreen has none


# ---- closing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("button", "answer"), [("stop", STOP), ("finish", FINISH), ("stay", STAY)])
def test_closing_asks_once_what_is_to_become_of_the_work(
    desk: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, button: str, answer: str
) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    asked: list[str] = []

    def act(dialog: ClosingDialog) -> int:
        asked.append(f"{dialog.text()} {dialog.informativeText()}")
        dialog.show()
        getattr(dialog, button).click()
        return 0

    monkeypatch.setattr(ClosingDialog, "exec", act)
    assert closing.ask(window, desk.queue) == STOP
    assert asked == []
    desk.add("one")
    desk.add("b")
    assert closing.ask(window, desk.queue) == answer
    (told,) = asked
    assert told.startswith("2 jobs are not done yet.")
    assert "What is complete is kept" in told


def test_escape_stays(desk: Desk, qtbot: QtBot) -> None:
    desk.add("one")
    dialog = ClosingDialog(desk.queue)
    qtbot.addWidget(dialog)
    dialog.show()
    QTest.keyClick(dialog, KEY.Key_Escape)
    assert dialog.answer == STAY
    assert dialog.defaultButton().text() == "Stay"
    assert isinstance(dialog, QMessageBox)


def test_finishing_first_closes_when_the_last_job_is_done(desk: Desk, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    desk.add("one")
    desk.add("b")
    desk.queue.pause()
    FinishThenClose(window, desk.queue)
    assert not desk.queue.paused
    desk.engine.open("rebalance")[0].finish({})
    QApplication.processEvents()
    assert window.isVisible()
    desk.engine.open("rebalance")[0].finish({})
    qtbot.waitUntil(lambda: not window.isVisible())


def test_a_window_that_is_brought_up_again_stays(desk: Desk, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    desk.add("one")
    FinishThenClose(window, desk.queue)
    window.showNormal()
    desk.engine.open("rebalance")[0].finish({})
    QApplication.processEvents()
    assert window.isVisible()


@pytest.mark.parametrize("width", [420, 1200])
def test_it_fits_where_it_is_docked(desk: Desk, width: int) -> None:
    for title in ("one", "a title of some length that goes on " * 4):
        desk.add(title)
    desk.finish(desk.begin())
    desk.begin()
    desk.choose(0)
    desk.resize(width)
    QApplication.processEvents()
    assert desk.view.width() == width
    for widget in desk.view.findChildren(QPushButton):
        if widget.isVisible():
            right = widget.mapTo(desk.view, QPoint(widget.width(), 0)).x()
            assert right <= width
            assert widget.fontMetrics().horizontalAdvance(widget.text()) <= widget.width()
