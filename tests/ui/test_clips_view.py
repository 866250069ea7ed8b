"""The clip list as it is seen and used: keys, mouse, menus, states, and how much of two thousand rows is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from clips_kit import SCENE, Stage, category, clip_data, document_data, many
from PySide6.QtCore import QEvent, QMimeData, QModelIndex, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QTextDocument
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot
from sightmix.ui.base.asking import Failure
from sightmix.ui.base.source import Source
from sightmix.ui.control.stills import Thumbs
from sightmix.ui.window import theme
from sightmix.ui.window.clip_list import ClipDelegate, ClipModel
from sightmix.ui.window.clips import ClipsView
from sightmix.ui.window.drops import DropTarget


class Seen(Stage):
    """A clip list in a window."""

    def __init__(self, qtbot: QtBot, size: tuple[int, int] = (320, 600)) -> None:
        super().__init__()
        self.qtbot = qtbot
        self.states: dict[int, str] = {}
        self.thumbs = Thumbs(self.engine, self.clips)
        self.view = ClipsView(self.clips, self.thumbs, lambda clip: self.states.get(clip, ""))
        self.view.resize(*size)
        qtbot.addWidget(self.view)
        self.view.show()
        self.list = self.view.list

    def rect_of(self, clip: int) -> Any:
        return self.list.visualRect(self.list.rows.place(clip))

    def click(self, at: QPoint, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        self.qtbot.mouseClick(self.list.viewport(), Qt.MouseButton.LeftButton, modifiers, at)

    def click_name(self, clip: int, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        self.click(self.rect_of(clip).topLeft() + QPoint(120, 10), modifiers)

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        self.qtbot.keyClick(self.list, key, modifiers)

    def settle(self) -> None:
        """Until what is in view has been asked for."""
        self.qtbot.waitUntil(lambda: not self.list._still.isActive())

    def answer_thumbs(self) -> None:
        for asked in self.engine.open("thumbnails"):
            for at in asked.data["times"]:
                asked.tell({"time": at, "width": 64, "height": 36}, bytes(3 * 64 * 36))
            asked.finish()


@pytest.fixture
def seen(qtbot: QtBot) -> Iterator[Callable[..., Seen]]:
    made: list[Seen] = []

    def make(data: dict[str, Any] | None = None, **more: Any) -> Seen:
        found = Seen(qtbot, **more)
        made.append(found)
        if data is not None:
            found.open(data)
        return found

    yield make
    for found in made:
        found.view.stop()


def _page(stage: Seen) -> QWidget:
    page = stage.view._stack.currentWidget()
    assert page is not None
    return page


def _popup(qtbot: QtBot) -> QMenu:
    """The menu that is open."""
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def _titles(menu: QMenu) -> list[str]:
    return [action.text() for action in menu.actions() if not action.isSeparator()]


def _choose(menu: QMenu, title: str) -> None:
    (action,) = [action for action in menu.actions() if action.text().startswith(title)]
    assert action.isEnabled(), title
    action.trigger()
    menu.close()


# How much of it is touched


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows that have been painted."""
    rows: list[int] = []
    paint = ClipDelegate.paint

    def counted(self: ClipDelegate, painter: Any, option: Any, index: QModelIndex) -> None:
        rows.append(index.row())
        paint(self, painter, option, index)

    monkeypatch.setattr(ClipDelegate, "paint", counted)
    return rows


def test_of_two_thousand_rows_only_those_in_view_are_painted_and_asked_for(
    seen: Callable[..., Seen], painted: list[int]
) -> None:
    theme.use("dark")
    stage = seen(many(2000))
    room = -(-stage.list.viewport().height() // stage.list.painted.height) + 1
    stage.view.grab()
    assert 0 < len(set(painted)) <= room
    stage.settle()
    (asked,) = stage.engine.open("thumbnails")
    assert 0 < len(asked.data["times"]) <= room
    assert stage.list.seen() == list(range(1, len(stage.list.seen()) + 1))
    # A step of a scroll paints what comes in, and moves the rest.
    QApplication.processEvents()
    painted.clear()
    stage.list.verticalScrollBar().setValue(37)
    QApplication.processEvents()
    assert 0 < len(painted) <= 3
    # Scrolling through all of it asks for nothing on the way, and then for what lies there.
    bar = stage.list.verticalScrollBar()
    for step in range(100):
        bar.setValue(bar.maximum() * step // 99)
    painted.clear()
    stage.view.grab()
    assert set(painted) <= set(range(2000 - room, 2000))
    stage.settle()
    assert asked.cancelled
    (later,) = stage.engine.open("thumbnails")
    assert len(later.data["times"]) <= room
    assert stage.list.seen()[-1] == 2000
    # And what is seen is measured before the rest.
    first = stage.ask("loudness")
    first.finish()
    stage.pump.run()
    assert stage.ask("loudness").data["clips"][0] == stage.list.seen()[0]


def test_what_changes_repaints_its_rows_and_no_others(
    seen: Callable[..., Seen], painted: list[int], qtbot: QtBot
) -> None:
    stage = seen(many(200))
    stage.settle()
    stage.answer_thumbs()
    stage.view.grab()
    QApplication.processEvents()
    painted.clear()
    stage.ask("loudness").tell({"clip": 3, "lufs": -20.0, "range": 1.0, "true_peak": -3.0})
    qtbot.waitUntil(lambda: bool(painted))
    assert set(painted) == {2}
    painted.clear()
    stage.states[5] = "running"
    stage.view.renew((5, 150))
    qtbot.waitUntil(lambda: bool(painted))
    assert set(painted) == {4}


def test_figures_that_come_in_do_not_lay_the_list_out_anew(
    seen: Callable[..., Seen], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = seen(many(2000))
    QApplication.processEvents()
    asked = 0
    count = ClipModel.rowCount

    def counted(self: ClipModel, *given: Any) -> int:
        nonlocal asked
        asked += 1
        return count(self, *given)

    monkeypatch.setattr(ClipModel, "rowCount", counted)
    for _ in range(20):
        for clip in stage.ask("loudness").data["clips"]:
            stage.ask("loudness").tell({"clip": clip, "lufs": -20.0, "range": 1.0, "true_peak": -3.0})
        stage.ask("loudness").finish()
        stage.pump.run()
        QApplication.processEvents()
    assert asked < 20 * 200  # one layout asks for each of the rows


def test_pictures_come_into_their_rows(seen: Callable[..., Seen]) -> None:
    stage = seen(many(5))
    stage.settle()
    before = stage.list.grab().toImage()
    asked = stage.ask("thumbnails")
    assert asked.data["times"][:2] == [0.5, 2.5] or asked.data["times"][0] == pytest.approx(0.5, abs=0.02)
    assert asked.data["height"] == 36
    for at in asked.data["times"]:
        asked.tell({"time": at, "width": 64, "height": 36}, b"\xff\x00\x00" * (64 * 36))
    asked.finish()
    image = stage.list.grab().toImage()
    assert image != before
    assert image.pixelColor(stage.rect_of(2).topLeft() + QPoint(40, 24)).name() == "#ff0000"
    stage.list._ask()
    assert not stage.engine.open("thumbnails")  # they are there


def test_a_timeline_without_picture_asks_for_none(seen: Callable[..., Seen]) -> None:
    stage = seen({**many(5), "has_picture": False})
    stage.settle()
    assert not stage.engine.open("thumbnails")
    stage.view.grab()


# Keys and mouse


def test_all_of_it_by_the_keyboard(seen: Callable[..., Seen], qtbot: QtBot) -> None:
    stage = seen(many(9))
    stage.view.look_for()
    qtbot.keyClicks(stage.view.filter, "mx")
    assert stage.clips.choice.shown == (2, 5, 8)
    qtbot.keyClick(stage.view.filter, Qt.Key.Key_Down)
    assert stage.clips.choice.chosen == (2,)
    assert stage.list.hasFocus() or not stage.view.isActiveWindow()
    stage.key(Qt.Key.Key_Down)
    stage.key(Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert stage.clips.choice.chosen == (5, 8)
    stage.key(Qt.Key.Key_3)
    assert stage.clips.told == {2: "effects"}
    stage.key(Qt.Key.Key_0)
    assert stage.clips.told == {2: ""}
    stage.history.undo()
    stage.history.undo()
    assert stage.clips.told == {}
    qtbot.keyClick(stage.view.filter, Qt.Key.Key_Escape)
    assert stage.clips.choice.shown == tuple(range(1, 10))
    assert stage.clips.choice.chosen == (5, 8)
    stage.key(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert stage.clips.ranges == "1-9"
    stage.key(Qt.Key.Key_End)
    assert stage.clips.choice.chosen == (9,)
    stage.key(Qt.Key.Key_F2)
    menu = _popup(qtbot)
    assert _titles(menu)[0].startswith("A3 holds Dialogue")
    _choose(menu, "A3 holds Mix")
    assert stage.clips.told == {3: "mix"}


def test_letters_are_the_windows_and_choose_no_clip(seen: Callable[..., Seen], qtbot: QtBot) -> None:
    stage = seen(document_data([clip_data(1, 0, 2, name="Kitchen"), clip_data(2, 2, 4, name="Alley")]))
    stage.clips.choice.choose([1])
    for key in (Qt.Key.Key_A, Qt.Key.Key_Space, Qt.Key.Key_D):
        stage.key(key)
    assert stage.clips.choice.chosen == (1,)


def test_choosing_with_the_mouse(seen: Callable[..., Seen]) -> None:
    stage = seen(many(9))
    stage.click_name(2)
    assert stage.clips.choice.chosen == (2,)
    stage.click_name(4, Qt.KeyboardModifier.ControlModifier)
    assert stage.clips.choice.chosen == (2, 4)
    stage.click_name(7, Qt.KeyboardModifier.ShiftModifier)
    assert stage.clips.choice.chosen == (2, 4, 5, 6, 7)
    stage.click_name(5)
    stage.click_name(3, Qt.KeyboardModifier.ShiftModifier)
    assert stage.clips.choice.chosen == (3, 4, 5)
    went: list[int] = []
    stage.view.went.connect(went.append)
    at = stage.rect_of(3).topLeft() + QPoint(120, 10)
    stage.qtbot.mouseDClick(stage.list.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert went == [3]


def test_what_is_chosen_elsewhere_is_shown_as_chosen(seen: Callable[..., Seen]) -> None:
    stage = seen(many(200))
    stage.clips.choice.choose([3, 4, 150])
    rows = sorted(index.row() for index in stage.list.selectedIndexes())
    assert rows == [2, 3, 149]
    stage.clips.choice.look_for("take15")  # 15, 150 … 159
    assert [index.row() for index in stage.list.selectedIndexes()] == [1]
    stage.clips.choice.look_for("")
    assert sorted(index.row() for index in stage.list.selectedIndexes()) == [2, 3, 149]
    stage.clips.choice.step(1)
    assert stage.list.currentIndex().row() == 3
    stage.clips.choice.choose([180])
    assert stage.list.viewport().rect().contains(stage.rect_of(180))  # and brought into view


def test_a_category_is_said_in_its_row(seen: Callable[..., Seen], qtbot: QtBot) -> None:
    stage = seen(many(6))
    rect = stage.list.painted.kind_rect(stage.rect_of(2), 2)
    stage.click(rect.center())
    menu = _popup(qtbot)
    checked = [action.text() for action in menu.actions() if action.isChecked()]
    assert checked == ["A2 holds Music\t2"]
    _choose(menu, "A2 holds Dialogue")
    assert [row.kind for row in stage.clips.rows if row.track_number == 2] == ["dialogue", "dialogue"]


def test_find_is_pressed_in_the_row_that_is_offline(seen: Callable[..., Seen], qtbot: QtBot) -> None:
    stage = seen(many(6, offline=3))
    found: list[bool] = []
    stage.view.find_wanted.connect(lambda: found.append(True))
    stage.click(stage.list.painted.find_rect(stage.rect_of(3)).center())
    assert found == [True]
    stage.click(stage.list.painted.find_rect(stage.rect_of(2)).center())
    assert found == [True]


def test_the_menu_of_what_is_chosen(seen: Callable[..., Seen], qtbot: QtBot) -> None:
    stage = seen(many(6, offline=3))
    stage.states[2] = "done"
    told: list[object] = []
    stage.view.rebalance_wanted.connect(lambda: told.append("rebalance"))
    stage.view.undo_wanted.connect(told.append)
    stage.clips.choice.choose([1, 2])
    qtbot.keyClick(stage.list, Qt.Key.Key_Down)  # the list has been used
    stage.clips.choice.choose([1, 2])
    menu = stage.view.menu()
    assert _titles(menu)[0] == "Rebalance these 2 clips"
    _choose(menu, "Rebalance")
    menu = stage.view.menu()
    _choose(menu, "Take back")
    assert told == ["rebalance", (2,)]
    menu = stage.view.menu()
    _choose(menu, "Choose all of A1")
    assert stage.clips.choice.chosen == (1, 4)
    stage.clips.choice.choose([3])  # offline
    enabled = {action.text(): action.isEnabled() for action in stage.view.menu().actions()}
    assert not enabled["Rebalance this clip"]
    assert not enabled["Take back what was done to it"]
    assert not enabled["Show the media file's folder"]
    assert enabled["Find media in a folder…"]


def test_menus_are_gone_once_they_are_closed(seen: Callable[..., Seen], qtbot: QtBot) -> None:
    stage = seen(many(6))
    stage.clips.choice.choose([1])
    before = len(stage.view.findChildren(QMenu))
    for make in (stage.view.menu, stage.view.select_menu):
        menu = make()
        menu.popup(QPoint(0, 0))
        menu.close()
    stage.list.name(1)
    _popup(qtbot).close()
    qtbot.waitUntil(lambda: len(stage.view.findChildren(QMenu)) == before)


def test_choosing_by_the_menu(seen: Callable[..., Seen]) -> None:
    stage = seen(many(6, offline=3))
    menu = stage.view.select_menu()
    assert _titles(menu)[2:5] == ["A1 DX · Dialogue", "A2 MX · Music", "A3 FX · Effects"]
    _choose(menu, "A2")
    assert stage.clips.choice.chosen == (2, 5)
    _choose(stage.view.select_menu(), "Offline")
    assert stage.clips.choice.chosen == (3, 6)
    _choose(stage.view.select_menu(), "All")
    assert len(stage.clips.choice.chosen) == 6
    _choose(stage.view.select_menu(), "No clip")
    assert stage.clips.choice.chosen == ()
    assert "    offline (2)" in _titles(stage.view.select_menu())


def test_only_what_needs_work(seen: Callable[..., Seen], qtbot: QtBot) -> None:
    stage = seen(many(6, offline=3))
    assert stage.view.needy.text() == "2"
    qtbot.mouseClick(stage.view.needy, Qt.MouseButton.LeftButton)
    assert stage.clips.choice.shown == (3, 6)
    qtbot.keyClicks(stage.view.filter, "zzz")
    assert _page(stage) is stage.view.nothing
    qtbot.mouseClick(stage.view.nothing.all, Qt.MouseButton.LeftButton)
    assert len(stage.clips.choice.shown) == 6
    assert not stage.view.needy.isChecked()
    assert _page(stage) is stage.list


# What is said


def test_every_row_can_be_heard(seen: Callable[..., Seen]) -> None:
    stage = seen(
        document_data(
            [
                clip_data(1, 0, 2, name="Kitchen"),
                clip_data(
                    2, 0, 4, 2, state="offline", reason="Its media is offline: it moved.", name="Theme"
                ),
                clip_data(3, 0, 4, 4, name="Wild"),
            ]
        )
    )
    stage.ask("listen").finish(
        {"tracks": {"4": category("music", "ear", 0.5)}, "clips": {"3": category("music", "ear", 0.5)}}
    )
    stage.tell_loudness(c1=-27.14, c3=None)
    stage.states[1] = "running"

    def spoken(clip: int) -> str:
        return str(stage.list.rows.place(clip).data(Qt.ItemDataRole.AccessibleTextRole))

    assert spoken(1) == "Kitchen, 01:00:00:00, A1 DX, Dialogue, −27.1 LUFS, being rebalanced"
    assert spoken(2) == "Theme, 01:00:00:00, A2 MX, Music, Its media is offline: it moved"
    assert spoken(3) == "Wild, 01:00:00:00, A4 Audio 4, Music?, silent, Nobody is sure what it holds: say so"


def test_tooltips_tell_all_of_a_clip(seen: Callable[..., Seen]) -> None:
    stage = seen(document_data([clip_data(1, 0, 2, name="<b>Kitchen</b>", volume=-3.0)]))
    stage.tell_loudness(c1=-20.0)

    def tip() -> list[str]:
        shown = QTextDocument()
        shown.setHtml(stage.list.rows.place(1).data(Qt.ItemDataRole.ToolTipRole))
        return shown.toPlainText().split("\n")

    assert tip() == [
        "<b>Kitchen</b>",
        "01:00:00:00 – 01:00:02:00",
        "A1 DX: Dialogue (its name says “dialogue”)",
        "−23.0 LUFS, −9.0 dBTP, with its volume of −3 dB on the mean",
        "/show/media/take1.wav",
    ]
    stage.clips.set_category([1], "music")
    assert "A1 DX: Music (you said so)" in tip()


def test_the_figures_below(seen: Callable[..., Seen]) -> None:
    stage = seen(many(14, tracks=4))
    stage.view._count()
    assert stage.view.count.text() == "14 clips · 4 tracks"
    assert stage.view.busy.text() == "listening…"
    stage.ask("listen").finish({})
    assert stage.view.busy.text() == "measuring 14"
    stage.tell_loudness()
    assert stage.view.busy.text() == ""
    assert stage.view.held.accessibleName() == "Dialogue A1, Music A2, Effects A3, Not sure A4"
    assert "A4 is taken for a mix" in stage.view.held.toolTip()
    stage.clips.choice.choose([1, 2])
    stage.view._count()
    assert stage.view.count.text() == "14 clips · 4 tracks · 2 chosen"


def test_nothing_open_reading_and_what_cannot_be_opened(seen: Callable[..., Seen], qtbot: QtBot) -> None:
    stage = seen()
    told: list[str] = []
    stage.view.open_wanted.connect(lambda: told.append("open"))
    assert _page(stage) is stage.view.empty
    qtbot.mouseClick(stage.view.empty.open, Qt.MouseButton.LeftButton)
    assert told == ["open"]
    stage.clips.open(SCENE)
    assert _page(stage) is stage.view.skeleton
    assert stage.view.skeleton.words.text() == "Reading scene.otio…"
    stage.view.grab()
    qtbot.mouseClick(stage.view.skeleton.cancel, Qt.MouseButton.LeftButton)
    assert _page(stage) is stage.view.empty
    stage.clips.open(SCENE)
    stage.ask("open").fail(Failure("It is empty; export it again.", "TimelineError", details="Traceback"))
    assert stage.view.empty.words.text() == "It is empty; export it again."
    qtbot.mouseClick(stage.view.empty.copy, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == "It is empty; export it again.\nTraceback"
    qtbot.mouseClick(stage.view.empty.again, Qt.MouseButton.LeftButton)
    stage.ask("open").finish(many(2))
    assert _page(stage) is stage.list
    stage.open(document_data([]))
    assert "no sound on this timeline" in stage.view.nothing.words.text()
    stage.clips.close()
    assert _page(stage) is stage.view.empty


def test_a_timeline_that_is_read_again_keeps_its_list(seen: Callable[..., Seen]) -> None:
    stage = seen(many(60))
    stage.clips.choice.choose([40])
    stage.clips.reopen()
    assert _page(stage) is stage.list
    assert stage.view.busy.text() == "reading…"
    stage.ask("open").finish(many(60))
    assert stage.list.viewport().rect().contains(stage.rect_of(40))


def test_one_of_several_timelines_is_chosen(seen: Callable[..., Seen], qtbot: QtBot) -> None:
    stage = seen({**many(2), "timelines": ["Reel 1", "Reel 2"], "chosen": 1})
    assert stage.view.timelines.isVisible()
    assert stage.view.timelines.currentText() == "2  Reel 2"
    stage.view.timelines.setFocus()
    qtbot.keyClick(stage.view.timelines, Qt.Key.Key_Up)
    assert stage.ask("open").data["source"]["timeline"] == "1"
    stage.ask("open").finish(many(2))
    assert not stage.view.timelines.isVisible()


def test_a_file_that_has_changed_is_offered_to_be_read_again(
    seen: Callable[..., Seen], qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "scene.otio"
    path.write_text("one")
    stage = seen()
    stage.open(many(2), Source(path))
    stage.view.look_at_disk()
    assert not stage.view.changed.isVisible()
    path.write_text("another one")
    stage.view.look_at_disk()
    assert stage.view.changed.isVisible()
    qtbot.mouseClick(stage.view.changed.again, Qt.MouseButton.LeftButton)
    assert stage.ask("open").data["source"]["path"] == str(path)
    assert not stage.view.changed.isVisible()


def test_it_fits_the_drawer_and_follows_the_theme(seen: Callable[..., Seen]) -> None:
    stage = seen(many(30, tracks=4, offline=4), size=(260, 500))
    for clip, state in enumerate(("waiting", "running", "done", "failed", "cancelled", "undone"), start=1):
        stage.states[clip] = state
    stage.tell_loudness(c1=None)
    try:
        theme.use("dark")
        dark = stage.view.grab().toImage()
        theme.use("light", scale=1.5)
        assert stage.view.grab().toImage() != dark
        assert stage.list.painted.height >= 56
        assert stage.list.visualRect(stage.list.rows.index(0)).height() == stage.list.painted.height
    finally:
        theme.use("dark", scale=1.0)
    assert stage.view.minimumSizeHint().width() <= 260
    assert stage.view.head.minimumSizeHint().width() <= 260


# Drops


def _data(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def _enter(target: QWidget, data: QMimeData) -> QDragEnterEvent:
    event = QDragEnterEvent(
        QPoint(5, 5),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(target, event)
    return event


def test_files_are_dropped_onto_the_window(seen: Callable[..., Seen], tmp_path: Path) -> None:
    stage = seen()
    target = DropTarget(stage.view, stage.clips)
    scene = tmp_path / "scene.otio"
    data = _data(scene)
    assert _enter(stage.view, data).isAccepted()
    assert target.overlay.isVisible()
    assert target.overlay.words == "Open scene.otio"
    assert target.overlay.size() == stage.view.size()
    stage.view.grab()
    QApplication.sendEvent(stage.view, QDragLeaveEvent())
    assert not target.overlay.isVisible()
    _enter(stage.view, data)
    drop = QDropEvent(
        QPointF(5, 5),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
        QEvent.Type.Drop,
    )
    QApplication.sendEvent(stage.view, drop)
    assert not target.overlay.isVisible()
    assert stage.ask("open").data["source"]["path"] == str(scene)


def test_what_is_no_timeline_is_said_to_be_none(seen: Callable[..., Seen], tmp_path: Path) -> None:
    stage = seen()
    target = DropTarget(stage.view, stage.clips)
    _enter(stage.view, _data(tmp_path / "letter.pdf"))
    assert target.overlay.words == "This is neither a timeline nor a media file"
    stage.open(many(3, offline=3))
    _enter(stage.view, _data(tmp_path))
    assert target.overlay.words == f"Look for media in {tmp_path.name}"
