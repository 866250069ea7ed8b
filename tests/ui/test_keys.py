"""Every key of the panel: one table gives actions, tooltips and the overlay, and each key does what it says."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QWindow
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot
from shell_fakes import RATE, FakePanel, document, make_parts, offline, toured
from sightmix.ui.control.commands import Commands
from sightmix.ui.control.history import Deed
from sightmix.ui.control.queue import Entry
from sightmix.ui.window import theme
from sightmix.ui.window.keys import commands, listed, menus
from sightmix.ui.window.main_window import MainWindow

FRAME = RATE // 25


@pytest.fixture
def panel() -> FakePanel:
    return FakePanel()


@pytest.fixture
def window(qtbot: QtBot, panel: FakePanel) -> Iterator[MainWindow]:
    theme.use("dark", scale=1.0)
    made = MainWindow(panel, make_parts, toured())
    qtbot.addWidget(made)
    made.show()
    panel.clips.show(document())
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    made.setFocus()
    made.keys.refresh()
    yield made
    made.close()


def handle(window: MainWindow) -> QWindow:
    found = window.windowHandle()
    assert found is not None
    return found


def press(
    window: MainWindow, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    """A key, as the window system brings it."""
    QTest.keyClick(handle(window), key, modifiers)
    QApplication.processEvents()


# One table


def test_no_key_belongs_to_two_commands() -> None:
    taken = [(QKeySequence(key).toString(), command.name) for command in commands() for key in command.keys]
    for (one, first), (other, second) in itertools.combinations(taken, 2):
        assert one != other, f"{one} is {first}'s and {second}'s"


def test_every_command_is_in_one_menu_and_in_the_overlay(window: MainWindow) -> None:
    assert {command.menu for command in commands()} == set(menus())
    in_menus = [
        action.objectName()
        for menu in window.menus.values()
        for action in menu.actions()
        if action.objectName()
    ]
    assert in_menus == [command.name for command in commands()]
    rows = window._pages["keys"].rows  # type: ignore[attr-defined]
    assert len(rows) == sum(1 for command in commands() if command.keys)
    assert {title for _, title in rows} == {command.title for command in commands() if command.keys}


def test_the_keys_of_the_design_are_there() -> None:
    """Those that PANEL and the menus of editors agree on; loop is on Shift+L since J K L shuttle."""
    wanted = {
        "Space": "play", "J": "reverse", "K": "stop", "L": "forwards", "Left": "frame_back", "Right": "frame_on",
        "Up": "previous_clip", "Down": "next_clip", "A": "ab", "D": "solo_speech", "M": "solo_music",
        "E": "solo_effects", "R": "residual", "Shift+L": "loop", "P": "preview", "Return": "rebalance",
        "Ctrl+Z": "undo", "Ctrl+O": "open", "Ctrl+E": "export", "/": "filter", "?": "keys",
    }  # fmt: skip
    assert wanted.items() <= {key: command.name for command in commands() for key in command.keys}.items()


def test_tooltips_tell_the_key_and_the_reason(window: MainWindow, panel: FakePanel) -> None:
    assert window.keys.tip("ab") == "Before or after (A)"
    panel.clips.close()
    assert window.keys.tip("ab") == "Before or after (A)\nNo timeline is open."
    window.keys.refresh()
    assert not window.keys.action("ab").isEnabled()
    assert window.keys.action("ab").toolTip().endswith("No timeline is open.")
    assert window.keys.action("open").isEnabled()


def test_groups_of_the_overlay_are_whole_and_in_order() -> None:
    assert list(listed(commands())) == [title for title in menus().values()]


def test_the_overlay_lists_them_in_one_column_or_three(window: MainWindow) -> None:
    window.resize(420, 800)
    QApplication.processEvents()
    page = window._pages["keys"]
    press(window, Qt.Key.Key_Question)
    assert page.isVisible()
    assert page.columns == 1
    window.resize(1280, 800)
    QApplication.processEvents()
    assert page.columns == 3
    shown = {label.text() for label in page.findChildren(QLabel)}
    assert {"Keys", "Play or stop", "Space", "←", "Dialogue alone (hold)"} <= shown
    press(window, Qt.Key.Key_Escape)
    assert not page.isVisible()


# What they do


def test_playing(window: MainWindow, panel: FakePanel) -> None:
    press(window, Qt.Key.Key_Space)
    assert panel.deck.playing
    for key, speed in ((Qt.Key.Key_J, -1), (Qt.Key.Key_L, 1), (Qt.Key.Key_K, 0)):
        press(window, key)
        assert panel.deck.speed == speed
    press(window, Qt.Key.Key_A)
    assert panel.deck.side == "after"
    press(window, Qt.Key.Key_R)
    assert panel.deck.residual
    assert window.keys.action("residual").isChecked()


def test_frames_are_stepped_through_from_the_one_that_the_playhead_is_in(
    window: MainWindow, panel: FakePanel
) -> None:
    panel.deck.position = 10 * FRAME + 700
    press(window, Qt.Key.Key_Right)
    assert panel.deck.position == 11 * FRAME
    press(window, Qt.Key.Key_Left)
    press(window, Qt.Key.Key_Left)
    assert panel.deck.position == 9 * FRAME
    panel.deck.position = 0
    press(window, Qt.Key.Key_Left)
    assert panel.deck.position == 0


def test_no_frame_is_met_twice_or_left_out_at_rates_that_fit_no_sample(panel: FakePanel) -> None:
    from dataclasses import replace

    panel.clips.show(replace(document(), rate=Fraction(30000, 1001)))
    way = Commands(panel).ways
    places = []
    for _ in range(200):
        way["frame_on"].run()
        places.append(panel.deck.position)
    assert places == [round(n * Fraction(RATE * 1001, 30000)) for n in range(1, 201)]
    for place in reversed(places[:-1]):
        way["frame_back"].run()
        assert panel.deck.position == place


@pytest.mark.parametrize(
    ("key", "lane"), [(Qt.Key.Key_D, "speech"), (Qt.Key.Key_M, "music"), (Qt.Key.Key_E, "effects")]
)
def test_a_stem_is_alone_for_as_long_as_its_key_is_down(
    window: MainWindow, panel: FakePanel, key: Qt.Key, lane: str
) -> None:
    QTest.keyPress(handle(window), key)
    assert panel.deck.solo == {lane}
    QTest.keyRelease(handle(window), key)
    assert panel.deck.solo == set()


def test_a_stem_that_was_alone_before_stays_so(window: MainWindow, panel: FakePanel) -> None:
    panel.deck.solo = {"music"}
    press(window, Qt.Key.Key_M)
    assert panel.deck.solo == {"music"}


def test_a_held_key_ends_with_the_window_s_keyboard(
    window: MainWindow, panel: FakePanel, qtbot: QtBot
) -> None:
    QTest.keyPress(handle(window), Qt.Key.Key_D)
    assert panel.deck.solo == {"speech"}
    other = QPushButton("another window")
    qtbot.addWidget(other)
    other.show()
    other.activateWindow()
    qtbot.waitUntil(lambda: not window.isActiveWindow())
    assert panel.deck.solo == set()


def test_the_menu_s_solo_stays_until_it_is_chosen_again(window: MainWindow, panel: FakePanel) -> None:
    window.keys.action("solo_speech").trigger()
    assert panel.deck.solo == {"speech"}
    assert window.keys.action("solo_speech").isChecked()
    window.keys.action("solo_speech").trigger()
    assert panel.deck.solo == set()


def test_a_loop_is_over_the_chosen_clips_or_the_one_under_the_playhead(
    window: MainWindow, panel: FakePanel
) -> None:
    panel.clips.choice.choose([3, 5])
    press(window, Qt.Key.Key_L, Qt.KeyboardModifier.ShiftModifier)
    assert panel.deck.loop == (6 * RATE, round(11.5 * RATE))
    press(window, Qt.Key.Key_L, Qt.KeyboardModifier.ShiftModifier)
    assert panel.deck.loop is None
    panel.clips.choice.choose([])
    panel.deck.position = 2 * RATE
    press(window, Qt.Key.Key_L, Qt.KeyboardModifier.ShiftModifier)
    assert panel.deck.loop == (2 * RATE, round(3.5 * RATE))


def test_selecting(window: MainWindow, panel: FakePanel) -> None:
    press(window, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(panel.clips.choice.chosen) == 14
    window.keys.trigger("select_needy")
    assert panel.clips.choice.chosen == (5, 10)
    assert window.keys.tip("select_offline").endswith("There is no such clip.")
    panel.clips.show(offline(document(), 2, 3))
    window.keys.trigger("select_offline")
    assert panel.clips.choice.chosen == (2, 3)


def test_undo_names_what_it_undoes(window: MainWindow, panel: FakePanel, qtbot: QtBot) -> None:
    value = [0]
    panel.history.do(Deed("Strength 80 %", lambda: value.append(80), value.pop))
    qtbot.waitUntil(lambda: window.keys.action("undo").text() == "Undo: Strength 80 %")
    press(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert value == [0]
    assert window.keys.action("redo").text() == "Redo: Strength 80 %"
    assert not window.keys.action("undo").isEnabled()
    press(window, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert value == [0, 80]


def test_jobs(window: MainWindow, panel: FakePanel) -> None:
    press(window, Qt.Key.Key_P)
    press(window, Qt.Key.Key_Return)
    press(window, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
    assert panel.asked == ["preview", "rebalance"]
    assert window.keys.tip("cancel").endswith("Nothing runs.")
    panel.queue.unfinished = (Entry(4, "rebalance", {}, "a"), Entry(5, "rebalance", {}, "b"))
    window.keys.trigger("cancel")
    assert panel.queue.cancelled == [4]
    panel.hearing = object()
    window.keys.trigger("cancel")
    assert panel.asked[-1] == "cancel preview"
    window.keys.trigger("pause")
    assert panel.queue.paused
    assert window.keys.action("pause").isChecked()
    panel.why_not_rebalance = "The disk is full."
    assert window.keys.tip("rebalance").endswith("\nThe disk is full.")
    panel.queue.unfinished = ()


# Whose a key is


def test_letters_that_are_typed_are_no_commands(window: MainWindow, panel: FakePanel) -> None:
    field = window.parts.clips.filter
    assert isinstance(field, QLineEdit)
    field.setFocus()
    for key in (Qt.Key.Key_A, Qt.Key.Key_D, Qt.Key.Key_Space, Qt.Key.Key_M, Qt.Key.Key_Slash):
        press(window, key)
    assert field.text() == "ad m/"
    assert not panel.deck.playing
    assert panel.deck.side == "before"
    assert panel.deck.solo == set()


@pytest.mark.parametrize("key", [Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_a_button_with_the_keyboard_is_pressed_and_no_command_is_done(
    window: MainWindow, panel: FakePanel, qtbot: QtBot, key: Qt.Key
) -> None:
    button = window.parts.inspector.button
    with qtbot.waitSignal(button.clicked):
        button.setFocus()
        press(window, key)
    assert not panel.deck.playing
    assert panel.asked == []
    window.setFocus()
    press(window, Qt.Key.Key_Space)
    assert panel.deck.playing


def test_a_slider_with_the_keyboard_has_its_arrows(window: MainWindow, panel: FakePanel) -> None:
    slider = window.parts.inspector.inner  # type: ignore[attr-defined]
    slider.setFocus()
    press(window, Qt.Key.Key_Right)
    assert slider.value() == 1
    assert panel.deck.position == 0


def test_enter_in_the_filter_starts_nothing(window: MainWindow, panel: FakePanel) -> None:
    window.parts.clips.filter.setFocus()  # type: ignore[attr-defined]
    press(window, Qt.Key.Key_Return)
    assert panel.asked == []
    window.setFocus()
    press(window, Qt.Key.Key_Return)
    assert panel.asked == ["rebalance"]


def test_a_key_that_can_do_nothing_says_why(window: MainWindow, panel: FakePanel) -> None:
    panel.clips.close()
    window.keys.refresh()
    press(window, Qt.Key.Key_A)
    assert window.header.told.whole == "No timeline is open."


def test_slash_goes_to_the_filter_also_in_the_drawer(window: MainWindow) -> None:
    window.resize(420, 800)
    QApplication.processEvents()
    press(window, Qt.Key.Key_Slash)
    assert window.body.drawer.isVisible()
    assert window.body.drawer.isAncestorOf(QApplication.focusWidget())
