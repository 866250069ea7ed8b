"""The tour: offered once, in nobody's way, along parts that are in sight, in both arrangements."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication
from pytestqt.qtbot import QtBot
from shell_fakes import FakePanel, document, make_parts
from sightmix.ui.base.source import Source
from sightmix.ui.control.preferences import Preferences
from sightmix.ui.window.main_window import MainWindow


class FakeDemo:
    there, made, making = True, True, False
    timeline = Path("/demo/timeline_tracks.otio")

    def make(self, done: Any, failed: Any) -> None:
        done(self.timeline)

    def stop(self) -> None:
        pass


@pytest.fixture
def panel() -> FakePanel:
    return FakePanel()


@pytest.fixture
def window(qtbot: QtBot, panel: FakePanel) -> Iterator[MainWindow]:
    made = MainWindow(panel, make_parts, Preferences(), FakeDemo())  # type: ignore[arg-type]
    qtbot.addWidget(made)
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    yield made
    made.close()


def press(window: MainWindow, text: str, qtbot: QtBot) -> None:
    QApplication.processEvents()
    [button] = [b for b in window.notices.findChildren(QAbstractButton) if b.text() == text and b.isVisible()]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_it_is_offered_once_and_can_be_declined(window: MainWindow, qtbot: QtBot) -> None:
    assert [notice.key for notice in window.notices.notices] == ["tour"]
    press(window, "No, thank you", qtbot)
    assert window.notices.notices == ()
    assert window.preferences.wishes.toured
    assert window.tour is None


def test_who_has_seen_it_is_not_asked_again(qtbot: QtBot, panel: FakePanel) -> None:
    preferences = Preferences()
    preferences.set(toured=True)
    made = MainWindow(panel, make_parts, preferences)
    qtbot.addWidget(made)
    assert made.notices.notices == ()
    made.close()


def test_it_opens_the_demo_and_begins_when_that_is_there(
    window: MainWindow, panel: FakePanel, qtbot: QtBot
) -> None:
    press(window, "Take the tour", qtbot)
    assert panel.clips.asked == [("open", Source(FakeDemo.timeline))]
    assert window.tour is None
    panel.clips.document = document()
    panel.clips.opened.emit(panel.clips.document)
    qtbot.waitUntil(lambda: window.tour is not None and window.tour.running)
    assert window.preferences.wishes.toured


@pytest.mark.parametrize("size", [(1280, 800), (420, 800), (420, 480)])
def test_every_step_is_in_sight_and_leaves_its_part_to_be_used(
    window: MainWindow, panel: FakePanel, qtbot: QtBot, size: tuple[int, int]
) -> None:
    panel.clips.show(document())
    window.resize(*size)
    QApplication.processEvents()
    window.keys.trigger("tour")
    tour = window.tour
    assert tour is not None
    for number, step in enumerate(tour.steps):
        assert tour.at == number
        assert window.rect().contains(tour.bubble.geometry())
        part = step.part()
        if number:
            assert part is not None
            assert part.isVisible()
        if number and size[0] > 420:
            assert not tour.bubble.geometry().contains(part.mapTo(window, part.rect().center()))
        qtbot.mouseClick(tour.bubble.next, Qt.MouseButton.LeftButton)
    assert not tour.running


def test_the_window_works_meanwhile(window: MainWindow, panel: FakePanel, qtbot: QtBot) -> None:
    panel.clips.show(document())
    window.keys.refresh()
    window.keys.trigger("tour")
    handle = window.windowHandle()
    assert handle is not None
    QTest.keyClick(handle, Qt.Key.Key_A)
    assert panel.deck.side == "after"
    QTest.keyClick(handle, Qt.Key.Key_N, Qt.KeyboardModifier.AltModifier)
    assert window.tour is not None
    qtbot.waitUntil(lambda: window.tour is not None and window.tour.at == 1)
    window.resize(420, 800)
    QApplication.processEvents()
    assert window.rect().contains(window.tour.bubble.geometry())
    QTest.keyClick(handle, Qt.Key.Key_Escape)
    assert not window.tour.running
    window.keys.trigger("tour")
    assert window.tour.running
    assert window.tour.at == 0
