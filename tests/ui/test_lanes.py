"""The lanes, driven by mouse and keys: what a gesture does to the curves, and how little is painted for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from fakes import Asked, FakeEngine
from lanes_fakes import FakeLive
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from sightmix.engine.roles import STEMS
from sightmix.ui.base.pump import InlinePump
from sightmix.ui.base.source import Source
from sightmix.ui.base.topics import Topic
from sightmix.ui.control.curves import Curves, Spot
from sightmix.ui.control.frames import Frames
from sightmix.ui.control.history import History
from sightmix.ui.control.state import ClipRow, Document
from sightmix.ui.window import theme
from sightmix.ui.window.lanes.lane import Lane
from sightmix.ui.window.lanes.ruler import Ruler
from sightmix.ui.window.lanes.scale import gain, place
from sightmix.ui.window.lanes.stems import StemLane
from sightmix.ui.window.lanes.view import LanesView

LEFT = Qt.MouseButton.LeftButton
NONE, ALT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.AltModifier
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
KEY = Qt.Key


class FakeDeck:
    """A deck that goes where it is told."""

    def __init__(self) -> None:
        self.moved: Topic[[int]] = Topic()
        self.side_changed: Topic[[str]] = Topic()
        self.state: Topic[[]] = Topic()
        self.rate, self.side, self.playing = 48000, "before", False
        self.loop: tuple[int, int] | None = None
        self.solo: frozenset[str] = frozenset()
        self.mutes: frozenset[str] = frozenset()
        self.at = 0

    def position_heard(self) -> int:
        return self.at

    def seek(self, sample: int) -> None:
        self.at = sample
        self.moved.emit(sample)

    def set_loop(self, loop: tuple[int, int] | None) -> None:
        self.loop = loop
        self.state.emit()

    def set_solo(self, lane: str, on: bool) -> None:
        self.solo = frozenset([lane]) if on else frozenset()
        self.state.emit()

    def set_mute(self, lane: str, on: bool) -> None:
        self.mutes = frozenset([lane]) if on else frozenset()
        self.state.emit()


def document(
    seconds: float = 60.0, *, picture: bool = True, rate: Fraction = Fraction(25), drop: bool = False
) -> Document:
    rows = (ClipRow(i, f"clip {i}", "A1", 1, 10.0 * i, 10.0 * i + 8, "", "") for i in range(5))
    cuts = tuple(float(t) for t in np.arange(4.0, seconds, 4.0))
    return Document(
        Source(Path("film.otio")), "Film", rate, drop, Fraction(3600), Fraction(seconds), "", picture, (), (),
        tuple(rows), cuts,
    )  # fmt: skip


@dataclass
class Rig:
    """The view over made-up sound, with all that it talks to."""

    view: LanesView
    live: FakeLive
    curves: Curves
    history: History
    deck: FakeDeck
    engine: FakeEngine
    pump: InlinePump

    def lane(self, stem: str = "music") -> StemLane:
        return self.view.stems[stem]

    def at(self, time: float, db: float = 0.0, stem: str = "music") -> QPoint:
        return QPoint(round(self.view.axis.x(time)), round(place(db, self.lane(stem).height())))

    def drag(self, lane: Lane, *path: QPoint, held: Qt.KeyboardModifier = NONE) -> None:
        QTest.mousePress(lane, LEFT, held, path[0])
        for place_ in path[1:]:
            send_move(lane, place_, held)
        QTest.mouseRelease(lane, LEFT, held, path[-1])


def send_move(
    lane: Lane, to: QPoint, held: Qt.KeyboardModifier = NONE, button: Qt.MouseButton = LEFT
) -> None:
    where = QPointF(to)
    event = QMouseEvent(
        QEvent.Type.MouseMove, where, QPointF(lane.mapToGlobal(to)), Qt.MouseButton.NoButton, button, held
    )
    QApplication.sendEvent(lane, event)


Make = Callable[..., Rig]


@pytest.fixture
def make(qtbot: QtBot) -> Iterator[Make]:
    made: list[Rig] = []

    def build(
        seconds: float = 60.0, *, heard: bool = True, width: int = 1113, height: int = 560, **more: object
    ) -> Rig:
        live, history, engine, pump, deck = (
            FakeLive(seconds, heard=heard),
            History(),
            FakeEngine(),
            InlinePump(),
            FakeDeck(),
        )
        curves = Curves(history, live)
        frames = Frames(engine, pump)
        opened = document(seconds, **more)  # type: ignore[arg-type]
        frames.open(opened.source)
        view = LanesView(live, curves, frames, deck, opened)
        qtbot.addWidget(view)
        view.resize(width, height)
        view.show()
        qtbot.waitExposed(view)
        QApplication.processEvents()
        made.append(Rig(view, live, curves, history, deck, engine, pump))
        return made[-1]

    yield build
    for rig in made:
        rig.view.close_view()
        rig.curves.close()


@pytest.fixture
def rig(make: Make) -> Rig:
    return make()


def settle(rig: Rig) -> None:
    rig.pump.run(0.1)
    QApplication.processEvents()


# ------------------------------------------------------------------------------------------------- points, by mouse


def test_a_double_click_adds_a_point_where_it_was(rig: Rig) -> None:
    QTest.mouseDClick(rig.lane(), LEFT, NONE, rig.at(20.0, -12.0))
    (line,) = rig.curves.lines("music")
    assert line[1] == (pytest.approx(20.0, abs=0.05), pytest.approx(-12.0, abs=0.8))
    assert (line[0][1], line[2][1]) == pytest.approx((0.0, 0.0), abs=0.1)
    assert rig.live.drawn[0].stem == "music"
    assert rig.history.next_undo == "Add curve point"


def test_a_double_click_held_goes_on_as_a_drag(rig: Rig) -> None:
    lane, at = rig.lane(), rig.at(20.0, -12.0)
    kinds = QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease, QEvent.Type.MouseButtonDblClick
    for kind in kinds:
        where = QPointF(lane.mapToGlobal(at))
        QApplication.sendEvent(lane, QMouseEvent(kind, QPointF(at), where, LEFT, LEFT, NONE))
    send_move(lane, rig.at(20.3, 0.0))
    QTest.mouseRelease(lane, LEFT, NONE, rig.at(20.3, 0.0))
    assert rig.curves.points("music")[1] == (pytest.approx(20.3, abs=0.06), pytest.approx(0.0, abs=0.8))


def test_a_dragged_point_is_heard_where_the_mouse_is_and_taken_back_at_once(rig: Rig) -> None:
    rig.curves.add("music", 20.0, -12.0, 2.0)
    was = rig.live.drawn
    rig.drag(rig.lane(), rig.at(20.0, -12.0), rig.at(20.4, -8.0), rig.at(21.0, 6.0))
    (line,) = rig.curves.lines("music")
    assert line[1] == (pytest.approx(21.0, abs=0.06), pytest.approx(6.0, abs=0.8))
    times, gains = rig.live.table()
    assert gains[1][np.argmin(np.abs(times - line[1][0]))] == pytest.approx(line[1][1], abs=0.5)
    rig.history.undo()
    assert rig.live.drawn == was
    rig.history.redo()
    assert rig.curves.lines("music")[0] == line


def test_the_drag_is_read_in_decibels_and_timecode(rig: Rig) -> None:
    rig.curves.add("music", 20.0, -12.0, 2.0)
    lane = rig.lane()
    QTest.mousePress(lane, LEFT, NONE, rig.at(20.0, -12.0))
    send_move(lane, rig.at(20.0, 3.0))
    db = rig.curves.points("music")[1][1]
    assert rig.view.why.text() == f"+{db:.1f}".rstrip("0").rstrip(".") + " dB  01:00:20:00"
    QTest.mouseRelease(lane, LEFT, NONE, rig.at(20.0, 3.0))
    assert "dB  01:" not in rig.view.why.text()


def test_a_lane_with_focus_and_points_shows_what_it_did_but_for_its_frame(rig: Rig) -> None:
    rig.curves.add("music", 20.0, -12.0, 2.0)
    plain = rig.lane().grab().toImage()
    rig.lane().setFocus()
    focused = rig.lane().grab().toImage()
    inside = plain.rect().adjusted(2, 2, -2, -2)
    assert focused.copy(inside) == plain.copy(inside)
    assert focused != plain


def test_shift_drags_finely_and_leaves_the_time(rig: Rig) -> None:
    spot = rig.curves.add("music", 20.0, -12.0, 2.0)
    start, end = rig.at(20.0, -12.0), rig.at(22.0, 0.0)
    rig.drag(rig.lane(), start, end, held=SHIFT)
    height = rig.lane().height()
    way = gain(end.y(), height) - gain(start.y(), height)
    assert rig.curves.points("music")[1] == (spot.time, pytest.approx(-12.0 + 0.1 * way))


def test_alt_draws_a_stretch_that_is_one_deed(rig: Rig) -> None:
    path = [rig.at(30.0 + t / 4, -6.0) for t in range(20)]
    rig.drag(rig.lane("effects"), *path, held=ALT)
    (line,) = rig.curves.lines("effects")
    assert rig.curves.value("effects", 32.0) == pytest.approx(-6.0, abs=0.8)
    assert line[0][0] == pytest.approx(29.9, abs=0.06)
    assert len(line) <= 6
    rig.history.undo()
    assert rig.live.drawn == ()
    assert rig.deck.at == 0  # drawing is not seeking


def test_a_click_beside_points_seeks_and_lets_go_of_the_selection(rig: Rig) -> None:
    rig.curves.add("music", 20.0, -12.0, 2.0)
    QTest.mouseClick(rig.lane(), LEFT, NONE, rig.at(40.0, -30.0))
    assert rig.deck.at / 48000 == pytest.approx(40.0, abs=0.06)
    assert not rig.curves.selected
    rig.drag(rig.view.before, rig.at(10.0), rig.at(11.0), rig.at(12.0))
    assert rig.deck.at / 48000 == pytest.approx(12.0, abs=0.06)


def test_ctrl_and_shift_click_select_several_points_that_move_together(rig: Rig) -> None:
    rig.curves.add("music", 20.0, -12.0, 2.0)
    rig.curves.add("music", 40.0, -12.0, 2.0)
    QTest.mouseClick(rig.lane(), LEFT, CTRL, rig.at(20.0, -12.0))
    assert {spot.time for spot in rig.curves.selected} == {20.0, 40.0}
    rig.drag(rig.lane(), rig.at(20.0, -12.0), rig.at(20.0, -6.0), rig.at(20.0, 0.0))
    assert [rig.curves.value("music", time) for time in (20.0, 40.0)] == pytest.approx([0.0, 0.0], abs=0.8)


def test_the_menu_gives_a_stretch_back_to_the_model(rig: Rig) -> None:
    rig.curves.add("music", 20.0, -12.0, 2.0)
    menu = rig.lane().menu(QPointF(rig.at(21.0, 20.0)))
    by_text = {action.text().split("\t")[0]: action for action in menu.actions()}
    by_text["Reset this stretch to the model"].trigger()
    assert rig.live.drawn == ()
    menu = rig.lane().menu(QPointF(rig.at(21.0, 20.0)))
    assert not [a for a in menu.actions() if "Reset" in a.text() and a.isEnabled()]


# --------------------------------------------------------------------------------------------------- points, by key


def test_points_are_added_reached_moved_and_deleted_by_keys_alone(rig: Rig) -> None:
    lane = rig.lane()
    lane.setFocus()
    rig.deck.seek(20 * 48000)
    QTest.keyClick(lane, KEY.Key_N)
    assert rig.curves.selected == {Spot("music", 20.0)}
    QTest.keyClick(lane, KEY.Key_Down)
    QTest.keyClick(lane, KEY.Key_Up, SHIFT)
    QTest.keyClick(lane, KEY.Key_Right)
    assert rig.curves.points("music")[1] == (pytest.approx(20.04), pytest.approx(0.9, abs=0.1))
    assert "+0.9 dB  01:00:20:01" in lane.accessibleDescription()
    QTest.keyClick(lane, KEY.Key_Left, CTRL)
    (spot,) = rig.curves.selected
    assert spot.time == rig.curves.points("music")[0][0]
    QTest.keyClick(lane, KEY.Key_Delete)
    assert len(rig.curves.points("music")) == 2
    QTest.keyClick(lane, KEY.Key_A, CTRL)
    QTest.keyClick(lane, KEY.Key_Backspace)
    assert rig.live.drawn == ()


def test_arrows_are_the_windows_until_a_point_is_selected(rig: Rig) -> None:
    def taken() -> bool:
        event = QKeyEvent(QEvent.Type.ShortcutOverride, KEY.Key_Left, NONE)
        event.ignore()
        QApplication.sendEvent(rig.lane(), event)
        return event.isAccepted()

    assert not taken()
    rig.curves.add("music", 20.0, -12.0)
    assert taken()


def test_tab_goes_from_head_to_lane(rig: Rig) -> None:
    rig.view.after.setFocus()
    found = []
    for _ in range(4):
        QTest.keyClick(QApplication.focusWidget(), KEY.Key_Tab)
        found.append(QApplication.focusWidget())
    head = rig.view.heads["speech"]
    assert found == [head.solo, head.mute, rig.view.stems["speech"], rig.view.heads["music"].solo]


def test_every_lane_and_button_has_a_name_for_screen_readers(rig: Rig) -> None:
    names = [lane.accessibleName() for lane in rig.view.lanes.values()]
    assert all(names)
    assert len(set(names)) == len(names)
    for stem in STEMS:
        head = rig.view.heads[stem]
        assert head.solo.accessibleName() != head.mute.accessibleName()
    tools = (rig.view.zoom_in, rig.view.zoom_out, rig.view.fit, rig.view.follow, rig.view.spectrum_shown)
    assert all(tool.accessibleName() and tool.toolTip() for tool in tools)


# ---------------------------------------------------------------------------------------------------------- the axis


def column(rig: Rig, lane: Lane, x: int, y: int) -> QColor:
    return lane.grab().toImage().pixelColor(x, y)


def test_cuts_are_hairlines_at_their_times_through_all_lanes(rig: Rig) -> None:
    ground = QColor(theme.current().panel)
    for lane in (rig.view.before, rig.view.after, rig.view.stems["effects"]):
        image = lane.grab().toImage()
        y = 3  # above the wave and the level
        lines = [x for x in range(image.width()) if image.pixelColor(x, y) != ground]
        wanted = [round(rig.view.axis.x(time)) for time in rig.view.board.cuts]
        assert [x for x in lines if x not in {0, 1}] == wanted
    rig.view.axis.zoom(4.0, 500.0)
    image = rig.view.before.grab().toImage()
    lines = [x for x in range(image.width()) if image.pixelColor(x, 3) != ground]
    first, last = rig.view.axis.span
    assert lines == [round(rig.view.axis.x(t)) for t in rig.view.board.cuts if first <= t < last]


def wheel(lane: Lane, x: int, notches: float, held: Qt.KeyboardModifier) -> None:
    where = QPointF(x, 10)
    event = QWheelEvent(
        where, QPointF(lane.mapToGlobal(where.toPoint())), QPoint(), QPoint(0, round(120 * notches)),
        Qt.MouseButton.NoButton, held, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(lane, event)


@pytest.mark.parametrize("notches", [1, 3, -2, 17])
def test_zooming_keeps_the_time_under_the_pointer(rig: Rig, notches: int) -> None:
    wheel(rig.view.before, 300, 5, CTRL)
    before = rig.view.axis.time(700)
    wheel(rig.lane(), 700, notches, CTRL)
    assert rig.view.axis.time(700) == pytest.approx(before, abs=1.0 / rig.view.axis.scale)
    wheel(rig.lane(), 700, -99, CTRL)
    assert rig.view.axis.span[1] >= 60.0
    assert rig.view.axis.first == 0


def test_keys_zoom_and_fit_and_the_wheel_scrolls(rig: Rig) -> None:
    QTest.keyClick(rig.view.before, KEY.Key_Plus)
    QTest.keyClick(rig.view.before, KEY.Key_Plus)
    assert not rig.view.axis.fits
    wheel(rig.view.before, 100, -2, NONE)
    assert rig.view.axis.first == 2 * 64
    assert rig.view.bar.value() == 128
    QTest.keyClick(rig.view.before, KEY.Key_Z, SHIFT)
    assert rig.view.axis.fits


def test_the_playhead_is_followed_while_it_plays_and_in_view(rig: Rig) -> None:
    rig.view.axis.show(0.0, 10.0, 0.0)
    rig.deck.playing = True
    for second in np.arange(0.0, 15.0, 0.5):
        rig.deck.seek(round(second * 48000))
    assert rig.view.axis.span[0] == pytest.approx(9.5, abs=0.6)
    rig.view.axis.show(40.0, 50.0, 0.0)  # somebody looks elsewhere
    rig.deck.seek(16 * 48000)
    assert rig.view.axis.span[0] == pytest.approx(40.0, abs=0.1)
    rig.deck.playing = False
    rig.deck.seek(20 * 48000)  # somebody goes elsewhere
    assert rig.view.axis.span[0] == pytest.approx(15.0, abs=0.1)
    rig.view.follow.setChecked(False)
    rig.deck.seek(0)
    assert rig.view.axis.span[0] == pytest.approx(15.0, abs=0.1)


def test_what_was_scrolled_looks_like_what_is_painted_anew(rig: Rig) -> None:
    rig.curves.add("music", 20.0, -12.0, 2.0)
    rig.view.axis.zoom(5.0, 0.0)
    for by in (37, 400, -113, 1, 260):
        rig.view.axis.scroll(by)
        scrolled = {name: lane.grab().toImage() for name, lane in rig.view.lanes.items() if lane.isVisible()}
    for name, image in scrolled.items():
        rig.view.lanes[name].refresh()
        anew = rig.view.lanes[name].grab().toImage()
        assert image == anew, name


@pytest.mark.parametrize("ratio", [1.25, 2.0])
def test_screens_with_more_pixels_are_painted_to_the_pixel(
    make: Make, monkeypatch: pytest.MonkeyPatch, ratio: float
) -> None:
    monkeypatch.setattr(Ruler, "devicePixelRatioF", lambda self: ratio)
    rig = make()
    axis, lane = rig.view.axis, rig.view.before
    assert axis.columns == round(lane.width() * ratio)
    rig.view.grab()
    assert lane._kept.size().width() == axis.columns
    assert axis.time(axis.x(12.5)) == pytest.approx(12.5)
    before = axis.time(500.0)
    axis.zoom(7.0, 500.0)
    assert axis.time(500.0) == pytest.approx(before, abs=1 / axis.scale)
    for by in (3, 41, -17):
        axis.scroll(by)
        rig.view.grab()
    scrolled = lane._kept.toImage()
    lane.refresh()
    rig.view.grab()
    assert lane._kept.toImage() == scrolled


# -------------------------------------------------------------------------------------------------- how much it paints


def visible(rig: Rig) -> list[Lane]:
    return [lane for lane in rig.view.lanes.values() if lane.isVisible()]


def painted(rig: Rig) -> list[int]:
    QApplication.processEvents()
    rig.view.grab()
    return [lane.painted for lane in visible(rig)]


def test_two_hours_are_asked_for_and_painted_by_the_column(make: Make) -> None:
    rig = make(7200.0)
    width = rig.view.axis.columns
    before = painted(rig)
    assert max(before) <= 4 * width  # as it was laid out, at most
    rig.live.samples = 0
    rig.view.axis.zoom(50.0, 300.0)
    now = painted(rig)
    assert [b - a for a, b in zip(before, now, strict=True)] == [width] * len(now)
    assert rig.live.samples <= 4 * width
    rig.live.samples, before = 0, now
    rig.view.axis.scroll(10)
    now = painted(rig)
    assert [b - a for a, b in zip(before, now, strict=True)] == [10] * len(now)
    assert rig.live.samples == 2 * 10


def test_the_playhead_costs_no_column(rig: Rig) -> None:
    before = painted(rig)
    rig.live.samples = 0
    for second in range(20):
        rig.deck.seek(second * 48000)
        QApplication.processEvents()
    assert painted(rig) == before
    assert rig.live.samples == 0


def test_an_edit_paints_only_the_columns_it_changes(rig: Rig) -> None:
    before = painted(rig)
    rig.curves.add("music", 20.0, -12.0, 1.0)
    painted(rig)
    changed = rig.view.stems["music"].painted
    assert changed - before[visible(rig).index(rig.view.stems["music"])] < 80
    assert rig.view.stems["speech"].painted == before[visible(rig).index(rig.view.stems["speech"])]
    assert rig.view.before.painted == before[visible(rig).index(rig.view.before)]


def test_a_survey_that_arrives_paints_what_has_come(rig: Rig) -> None:
    rig.live.known = 20.0
    rig.live.changed.emit()
    before = painted(rig)[visible(rig).index(rig.view.before)]
    rig.live.known = 30.0
    rig.live.changed.emit()
    after = painted(rig)[visible(rig).index(rig.view.before)]
    tenth = rig.view.axis.columns / 6
    assert after - before == pytest.approx(tenth, abs=4)
    assert column(rig, rig.view.before, round(rig.view.axis.x(50.0)), 8) == QColor(theme.current().panel)


# ------------------------------------------------------------------------------------------------------------- frames


def test_frames_are_asked_for_where_they_are_seen_and_the_newest_wish_wins(rig: Rig) -> None:
    rig.view.grab()
    rig.view.axis.show(30.0, 40.0, 0.0)
    rig.view.grab()
    rig.pump.run(0.15)
    (asked,) = rig.engine.asked
    assert asked.do == "thumbnails"
    assert all(28.0 <= time <= 42.0 for time in asked.data["times"])
    rig.view.axis.show(10.0, 20.0, 0.0)
    rig.view.grab()
    rig.pump.run(0.15)
    assert asked.cancelled
    answer(rig.engine.asked[-1])
    rig.view.axis.show(10.0, 20.0, 0.0)
    rig.view.grab()
    rig.pump.run(0.15)
    assert not rig.engine.open("thumbnails")
    assert len(rig.engine.asked) == 2


def answer(asked: Asked) -> None:
    height = asked.data["height"]
    for time in asked.data["times"]:
        asked.tell({"time": time, "width": 32, "height": height}, bytes([200, 30, 30]) * 32 * height)
    asked.finish()


def test_a_frame_is_painted_at_the_time_it_was_looked_at(rig: Rig) -> None:
    rig.view.grab()
    rig.pump.run(0.15)
    answer(rig.engine.asked[-1])
    shown = rig.engine.asked[-1].data["times"][1]
    x = round(rig.view.axis.x(shown))
    assert column(rig, rig.view.pictures, x, 20) == QColor(200, 30, 30)
    assert column(rig, rig.view.pictures, x + 30, 20) != QColor(200, 30, 30)


def test_without_picture_nothing_is_asked_and_it_is_said(make: Make) -> None:
    rig = make(picture=False)
    rig.view.grab()
    rig.pump.run(0.15)
    assert not rig.engine.asked
    assert rig.view.pictures.height() <= 24


# ----------------------------------------------------------------------------------------------------- what is heard


def test_the_side_that_is_heard_is_bright(rig: Rig) -> None:
    x = round(rig.view.axis.x(45.55))  # a peak, and no cut
    for side, bright, dim in (
        ("before", rig.view.before, rig.view.after),
        ("after", rig.view.after, rig.view.before),
    ):
        rig.view.set_side(side)
        colours = [column(rig, lane, x, lane.height() // 2).lightness() for lane in (bright, dim)]
        assert colours[0] > colours[1] + 40
        assert rig.view.heads[side].label.font().bold()


def test_solo_and_mute_reach_the_deck_and_come_back(rig: Rig) -> None:
    heads = rig.view.heads
    QTest.mouseClick(heads["music"].solo, LEFT)
    assert rig.deck.solo == {"music"}
    rig.deck.set_solo("music", False)
    assert not heads["music"].solo.isChecked()
    QTest.mouseClick(heads["effects"].mute, LEFT)
    assert rig.deck.mutes == {"effects"}


def test_the_loop_is_drawn_moved_and_ended_on_the_ruler(rig: Rig) -> None:
    ruler, axis = rig.view.ruler, rig.view.axis

    def on(time: float) -> QPoint:
        return QPoint(round(axis.x(time)), 4)

    rig.drag(ruler, on(10.0), on(15.0), on(20.0))
    loop = rig.deck.loop
    assert loop is not None
    assert [sample / 48000 for sample in loop] == pytest.approx([10.0, 20.0], abs=0.06)
    assert loop[1] % 1920 == 0  # whole frames
    rig.drag(ruler, on(20.0), on(24.0), on(25.0))
    rig.drag(ruler, on(15.0), on(16.0), on(17.0))
    assert rig.deck.loop is not None
    assert [sample / 48000 for sample in rig.deck.loop] == pytest.approx([12.0, 27.0], abs=0.1)
    QTest.mouseDClick(ruler, LEFT, NONE, on(20.0))
    assert rig.deck.loop is None
    assert rig.deck.at == 0


def test_why_is_read_under_the_pointer(rig: Rig) -> None:
    send_move(rig.view.before, rig.at(25.0), button=Qt.MouseButton.NoButton)
    assert rig.view.why.text() == "music −6 dB under the dialogue"
    assert rig.view.now.text() == rig.view.board.timecode(rig.view.axis.time(rig.at(25.0).x()))
    send_move(rig.view.before, rig.at(28.0), button=Qt.MouseButton.NoButton)
    assert rig.view.why.text() == ""


# ------------------------------------------------------------------------------------------------------------- states


def test_narrow_lanes_are_one_for_both_sides_and_nothing_is_clipped(make: Make) -> None:
    rig = make(width=420, height=420)
    assert rig.view.minimumSizeHint().width() <= 420
    assert not rig.view.after.isVisible()
    assert rig.view.before.sides == ("before", "after")
    for head in rig.view.heads.values():
        for part in (head.label, head.solo, head.mute):
            if part.isVisible():
                assert head.rect().contains(part.geometry())
    rig.view.resize(1113, 560)
    QApplication.processEvents()
    assert rig.view.after.isVisible()


def test_nothing_heard_yet_says_what_to_do_and_nothing_changed_that_it_is_fine(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(StemLane, "_label", lambda self, painter, text, middle: said.append(text))
    make(heard=False).view.grab()
    assert set(said) == {"Preview to see what would be done"}
    said.clear()
    rig = make()
    rig.view.grab()
    assert not said
    rig.live.model[:] = 0
    rig.live.changed.emit()
    rig.view.grab()
    assert set(said) == {"This mix is fine: nothing was changed"}


def test_nothing_open_is_no_error(make: Make) -> None:
    rig = make()
    rig.view.open(None)
    rig.view.grab()
    assert not rig.view.isEnabled()
    assert rig.view.now.text() == ""


def test_themes_change_what_is_painted(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    for shown in (theme.LIGHT, theme.DARK):
        monkeypatch.setattr(theme._chosen, "theme", shown)
        theme.changed.emit()
        assert column(rig, rig.view.stems["speech"], 3, 2) == QColor(shown.panel)
