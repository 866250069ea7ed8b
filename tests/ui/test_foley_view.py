"""The Foley page as somebody uses it: with an engine for sounds, and without one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QTreeWidget
from pytestqt.qtbot import QtBot
from sightmix.plugin.session.foley import NOT_THERE
from sightmix.ui.control.foley import Pick
from sightmix.ui.window import theme
from sightmix.ui.window.foley_view import FoleyView
from test_foley import PLACES, STEPS, Desk

FRAME = 0.04


class Page(Desk):
    def __init__(self, qtbot: QtBot, able: bool = True) -> None:
        super().__init__(able)
        self.qtbot = qtbot
        self.view = FoleyView(self.part, lambda: FRAME)
        qtbot.addWidget(self.view)
        self.view.resize(420, 700)
        self.view.show()
        self.went: list[float] = []
        self.view.went.connect(self.went.append)

    def press(self, button: QAbstractButton) -> None:
        assert button.isEnabled(), button.text()
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.fixture
def page(qtbot: QtBot) -> Iterator[Page]:
    theme.use("dark", scale=1.0)
    made = Page(qtbot)
    yield made
    made.view.stop()


def texts(table: QTreeWidget) -> list[list[str]]:
    rows = [table.topLevelItem(row) for row in range(table.topLevelItemCount())]
    return [[row.text(column) for column in range(table.columnCount())] for row in rows if row is not None]


def test_without_an_engine_the_reason_stands_there_and_finding_works(qtbot: QtBot) -> None:
    page = Page(qtbot, able=False)
    assert page.view.reason.text() == NOT_THERE
    assert page.view.reason.isVisible()
    page.press(page.view.look)
    [request] = page.engine.open("foley_find")
    assert not page.view.look.isEnabled()
    request.tell({"done": 1, "total": 4})
    assert page.view.progress.value() == 250
    request.finish({"places": [place.to_dict() for place in PLACES]})
    assert texts(page.view.places) == [
        ["01:00:00:00", "2.5 s", "Door", "no clip", ""],
        ["01:00:04:00", "2.0 s", "Street", "silent", ""],
    ]
    assert page.view.found.text() == "Silent pictures: 2, 4.5 s together"
    for button in (page.view.make, page.view.hear, page.view.pick, page.view.drop, page.view.earlier):
        assert not button.isEnabled(), button.text()
    assert page.view.make.toolTip() == NOT_THERE
    page.view.stop()


def test_from_finding_to_nudging_by_keyboard(page: Page, qtbot: QtBot) -> None:
    view = page.view
    assert not view.reason.isVisible()
    page.find()
    view.take_keyboard()
    assert view.places.hasFocus()
    qtbot.keyClick(view.places, Qt.Key.Key_Down)
    assert page.part.chosen == PLACES[1]
    qtbot.keyClick(view.places, Qt.Key.Key_Return)
    assert page.went == [4.0]
    page.press(view.make)
    [request] = page.engine.open("foley_candidates")
    request.tell({"candidate": STEPS[0].to_dict()})
    assert len(texts(view.candidates)) == 1, "the first is there before the last"
    request.tell({"candidate": STEPS[1].to_dict()})
    request.finish({})
    assert texts(view.candidates) == [["Door, wood", "90 %", "1.5 s"], ["Door, iron", "40 %", "2.0 s"]]
    view.candidates.setFocus()
    qtbot.keyClick(view.candidates, Qt.Key.Key_Down)
    qtbot.keyClick(view.candidates, Qt.Key.Key_Down)
    page.press(view.hear)
    [asked] = page.engine.open("foley_hear")
    assert asked.data["candidate"]["key"] == "b"
    assert not view.hear.isEnabled()
    asked.finish({"channels": 1, "samples": 2, "rate": 48000}, np.zeros(2, np.float32).tobytes())
    assert view.hear.isEnabled()
    qtbot.keyClick(view.candidates, Qt.Key.Key_Return)
    assert page.part.pick_here == Pick("b")
    assert [row[0] for row in texts(view.candidates)] == ["Door, wood", "● Door, iron"]
    assert texts(view.places)[1][4] == "●"
    page.press(view.later)
    page.press(view.later)
    assert view.nudged.text() == "+0.08 s"
    page.history.undo()
    assert view.nudged.text() == "+0.00 s"
    page.press(view.earlier)
    assert view.nudged.text() == "−0.04 s"
    page.press(view.drop)
    assert page.part.pick_here is None
    assert view.nudged.text() == ""
    assert not view.later.isEnabled()
    page.history.undo()
    assert page.part.pick_here == Pick("b", -0.04)


def test_what_is_current_stays_current_while_more_comes(page: Page, qtbot: QtBot) -> None:
    page.find()
    page.list()
    view = page.view
    view.candidates.setFocus()
    qtbot.keyClick(view.candidates, Qt.Key.Key_Down)
    item = view.candidates.currentItem()
    page.part.changed.emit()
    assert view.candidates.currentItem() is item


def test_nothing_is_silent(page: Page) -> None:
    page.find(())
    assert page.view.found.text() == "Something is heard under every picture."
    assert not page.view.make.isEnabled()


def test_stopping_while_it_looks(page: Page) -> None:
    page.press(page.view.look)
    assert page.view.cancel.isVisible()
    page.press(page.view.cancel)
    assert page.engine.asked[-1].cancelled
    assert not page.view.fault.isVisible()
    assert page.view.look.isEnabled()


def test_everything_has_a_name_and_a_tooltip(page: Page) -> None:
    for kind in (QAbstractButton, QTreeWidget):
        for widget in page.view.findChildren(kind):
            name = widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton) else "")
            assert name
            assert widget.toolTip(), name
