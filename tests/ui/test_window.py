"""The window round its parts: two arrangements of the same widgets, what is remembered, what is said and left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QListWidget, QSplitter, QWidget
from pytestqt.qtbot import QtBot
from shell_fakes import FakePanel, document, make_parts, toured
from sightmix.ui.base.asking import Failure
from sightmix.ui.base.source import Source
from sightmix.ui.control.preferences import Preferences
from sightmix.ui.control.recent import Entry
from sightmix.ui.window import theme
from sightmix.ui.window.closing import FinishThenClose
from sightmix.ui.window.main_window import MainWindow
from sightmix.ui.window.notices import MOST, Notice

WIDE, NARROW = (1280, 800), (420, 800)


@pytest.fixture
def panel() -> FakePanel:
    return FakePanel()


@pytest.fixture
def window(qtbot: QtBot, panel: FakePanel) -> Iterator[MainWindow]:
    theme.use("dark", scale=1.0)
    made = MainWindow(panel, make_parts, toured())
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()
    theme.use("dark", scale=1.0)


@pytest.fixture
def opened(qtbot: QtBot, window: MainWindow, panel: FakePanel) -> MainWindow:
    panel.clips.show(document())
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    return window


def resize(window: MainWindow, size: tuple[int, int]) -> None:
    window.resize(*size)
    QApplication.processEvents()


def inside(part: QWidget, whole: QWidget) -> bool:
    where = part.rect().translated(part.mapTo(whole, part.rect().topLeft()))
    return part.isVisible() and whole.rect().contains(where)


# Arrangements


@pytest.mark.parametrize("size", [WIDE, NARROW, (420, 480), (900, 600), (1920, 1080)])
def test_every_part_lies_in_the_window_and_covers_no_other(opened: MainWindow, size: tuple[int, int]) -> None:
    resize(opened, size)
    parts = opened.parts
    assert (opened.width(), opened.height()) == size
    shown = [parts.picture, parts.transport, parts.lanes, parts.meters, parts.inspector, parts.queue]
    shown += [parts.clips] if size[0] >= 900 else []
    assert [part.objectName() for part in shown if not inside(part, opened)] == []
    places = [p.rect().translated(p.mapTo(opened, p.rect().topLeft())) for p in shown]
    assert [(i, j) for i, a in enumerate(places) for j, b in enumerate(places[:i]) if a.intersects(b)] == []


def test_narrow_folds_the_settings_to_a_line_and_the_list_to_a_drawer(
    opened: MainWindow, qtbot: QtBot
) -> None:
    resize(opened, NARROW)
    assert not opened.parts.clips.isVisible()
    assert opened.parts.inspector.narrow
    opened.keys.trigger("drawer")
    assert inside(opened.parts.clips, opened)
    assert opened.body.drawer.isAncestorOf(QApplication.focusWidget())
    qtbot.keyClick(opened.body.drawer, Qt.Key.Key_Escape)
    assert not opened.parts.clips.isVisible()
    resize(opened, WIDE)
    assert inside(opened.parts.clips, opened)
    assert inside(opened.parts.inspector, opened)
    assert not opened.parts.inspector.narrow


def test_a_click_beside_the_drawer_closes_it(opened: MainWindow, qtbot: QtBot) -> None:
    resize(opened, NARROW)
    opened.keys.trigger("drawer")
    beside = opened.body.drawer.rect().topRight()
    beside.setX(beside.x() - 4)
    qtbot.mouseClick(opened.body.drawer, Qt.MouseButton.LeftButton, pos=beside)
    assert not opened.body.drawer.isVisible()


@pytest.mark.parametrize("which", ["picture", "inspector"])
def test_another_arrangement_keeps_keyboard_and_scrolling(
    opened: MainWindow, qtbot: QtBot, which: str
) -> None:
    resize(opened, WIDE)
    listed = opened.parts.clips.inner
    assert isinstance(listed, QListWidget)
    listed.verticalScrollBar().setValue(70)
    part = getattr(opened.parts, which)
    held = part.inner
    held.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    held.setFocus()
    for size in (NARROW, WIDE, NARROW, WIDE):
        resize(opened, size)
        assert QApplication.focusWidget() is held
    assert listed.verticalScrollBar().value() == 70


def test_dividers_and_the_window_are_where_they_were_left(qtbot: QtBot, tmp_path: Path) -> None:
    preferences = Preferences(tmp_path / "panel.json")
    sizes, places = [], []
    for turn in range(2):
        panel = FakePanel()
        window = MainWindow(
            panel, make_parts, preferences if not turn else Preferences(tmp_path / "panel.json")
        )
        qtbot.addWidget(window)
        window.show()
        panel.clips.show(document())
        if not turn:
            resize(window, (700, 640))  # no larger than the screen of a test
        sizes.append((window.width(), window.height()))
        resize(window, (1100, 700))
        if not turn:
            columns = window.findChild(QSplitter, "columns")
            assert columns is not None
            columns.setSizes([350, 400, 300])
            columns.splitterMoved.emit(0, 0)
        QApplication.processEvents()
        places.append(window.body.places())
        window._keep_places()
        resize(window, (700, 640))
        window.close()
    assert sizes == [(700, 640)] * 2
    assert places[0] == places[1]
    assert places[0]["columns wide"][0] == 350


# What is open


def test_nothing_open_is_a_place_to_drop_things(window: MainWindow, panel: FakePanel, qtbot: QtBot) -> None:
    assert window.stack.currentWidget() is window.empty
    panel.clips.recent.entries = (
        Entry(Source(Path("/not/there.otio")), "Lost"),
        Entry(Source(Path(__file__)), "Here"),
    )
    panel.clips.recent.changed.emit()
    lost, here = window.empty.listed
    assert not lost.isEnabled()
    qtbot.mouseClick(here, Qt.MouseButton.LeftButton)
    assert panel.clips.asked == [("open", Source(Path(__file__)))]


def test_the_header_says_what_is_open_and_what_is_being_read(window: MainWindow, panel: FakePanel) -> None:
    panel.clips.opening = Source(Path("/show/next.otio"))
    panel.clips.state_changed.emit()
    assert window.header.title.whole == "Reading next.otio …"
    assert (
        window.stack.currentWidget() is window.body
    )  # with the list's skeleton, and no spinner over everything
    panel.clips.show(document())
    assert window.header.title.whole == "Episode 3"
    assert window.header.facts.text() == "25 fps · 00:42:10:00"
    assert window.windowTitle() == "Episode 3 – sightmix"
    panel.clips.close()
    assert window.stack.currentWidget() is window.empty


# What is said


def test_a_failure_is_a_bar_that_can_be_copied_and_closed(
    opened: MainWindow, panel: FakePanel, qtbot: QtBot
) -> None:
    failure = Failure("The timeline cannot be read.", "MediaError", details="line 3")
    panel.clips.failed.emit(failure)
    panel.clips.failed.emit(failure)
    assert [notice.text for notice in opened.notices.notices] == ["The timeline cannot be read."]
    QApplication.processEvents()
    named = {
        button.text(): button for button in opened.notices.findChildren(QAbstractButton) if button.isVisible()
    }
    qtbot.mouseClick(named["Copy details"], Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "The timeline cannot be read.\n\nMediaError\nline 3\n"
    qtbot.mouseClick(named[""], Qt.MouseButton.LeftButton)
    assert opened.notices.notices == ()
    assert not opened.notices.isVisible()


def test_what_somebody_took_back_is_no_failure(opened: MainWindow, panel: FakePanel) -> None:
    panel.deck.failed.emit(Failure("Stopped.", cancelled=True))
    assert opened.notices.notices == ()


def test_bars_are_few_and_can_do_something(opened: MainWindow, qtbot: QtBot) -> None:
    done: list[str] = []
    for i in range(MOST + 2):
        opened.notice(Notice(f"{i}", deeds=(("Undo", lambda: done.append("undone")),)))
    assert [notice.text for notice in opened.notices.notices] == ["4", "3", "2"]
    QApplication.processEvents()
    first = next(
        b for b in opened.notices.findChildren(QAbstractButton) if b.text() == "Undo" and b.isVisible()
    )
    qtbot.mouseClick(first, Qt.MouseButton.LeftButton)
    assert done == ["undone"]
    assert len(opened.notices.notices) == MOST - 1


def test_a_notice_has_its_buttons_below_where_there_is_little_room(opened: MainWindow) -> None:
    for size, below in ((WIDE, False), (NARROW, True)):
        resize(opened, size)
        opened.notice(Notice("It failed.", "fault", details="why", key="one"))
        QApplication.processEvents()
        [text] = [
            label
            for label in opened.notices.findChildren(QLabel)
            if label.text() == "It failed." and label.isVisible()
        ]
        [button] = [
            b
            for b in opened.notices.findChildren(QAbstractButton)
            if b.text() == "Copy details" and b.isVisible()
        ]
        assert (button.geometry().top() >= text.geometry().bottom()) is below


def test_a_long_notice_fits_a_narrow_window(opened: MainWindow) -> None:
    resize(opened, NARROW)
    opened.notice(Notice("A very long sentence " * 12, deeds=(("Undo", lambda: None),), details="x"))
    QApplication.processEvents()
    assert opened.width() == NARROW[0]
    assert [label.text() for label in opened.notices.findChildren(QLabel) if not inside(label, opened)] == []


# What it is set to


def test_the_window_s_settings_act_at_once(opened: MainWindow) -> None:
    opened.preferences.set(theme="light", scale=1.3)
    assert theme.current() is theme.LIGHT
    assert QApplication.font().pixelSize() == 16
    opened.keys.trigger("smaller")
    assert opened.preferences.wishes.scale == 1.15
    opened.preferences.set(motion=False)
    assert theme.motion() is False
    opened.preferences.set(motion=True)


@pytest.mark.parametrize("page", ["keys", "settings", "about"])
@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_pages_fit_and_give_the_keyboard_back(
    opened: MainWindow, qtbot: QtBot, page: str, size: tuple[int, int]
) -> None:
    resize(opened, size)
    opened.setFocus()
    opened.keys.trigger(page)
    shown = opened._pages[page]
    assert shown.isVisible()
    assert inside(shown.area, opened)
    assert shown.area.horizontalScrollBar().maximum() == 0
    qtbot.keyClick(shown, Qt.Key.Key_Escape)
    assert not shown.isVisible()
    assert QApplication.focusWidget() is opened


# The end


@pytest.mark.parametrize("answer", ["stop", "stay", "finish"])
def test_closing_asks_where_work_is_left(
    qtbot: QtBot, panel: FakePanel, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    window = MainWindow(panel, make_parts)
    qtbot.addWidget(window)
    window.show()
    monkeypatch.setattr("sightmix.ui.window.main_window.ask", lambda *_: answer)
    panel.queue.unfinished = (1,)
    assert window.close() is (answer == "stop")
    assert window.isVisible() is (answer != "stop")
    assert bool(window.findChildren(FinishThenClose)) is (answer == "finish")
    panel.queue.unfinished = ()
    monkeypatch.setattr("sightmix.ui.window.main_window.ask", lambda *_: "stop")
    window.close()


def test_a_closed_window_listens_to_nothing(qtbot: QtBot, panel: FakePanel) -> None:
    def subscribers() -> int:
        parts = (panel, panel.clips, panel.deck, panel.history, panel.options, panel.queue)
        topics = [vars(part).values() for part in parts]
        return sum(len(t._subscribers) for values in topics for t in values if hasattr(t, "_subscribers"))

    before, themes = subscribers(), len(theme.changed._subscribers)
    window = MainWindow(panel, make_parts)
    qtbot.addWidget(window)
    window.show()
    assert subscribers() > before
    window.close()
    assert subscribers() == before
    assert len(theme.changed._subscribers) == themes


def test_every_button_says_what_it_is(opened: MainWindow) -> None:
    buttons = [b for b in opened.findChildren(QAbstractButton) if b.isVisible()]
    assert [b for b in buttons if not (b.accessibleName() or b.text())] == []
    assert [b.accessibleName() or b.text() for b in buttons if not b.toolTip()] == []
