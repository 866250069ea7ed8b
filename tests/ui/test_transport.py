"""The transport over a real deck: timecodes as editors type them, frames, loops, sides and the monitor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import pytest
from clips_kit import SCENE, Stage, clip_data, document_data, many
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox
from pytestqt.qtbot import QtBot
from sightmix.engine.errors import SettingsError
from sightmix.ui.control.deck import Deck
from sightmix.ui.control.state import Document, document_of
from sightmix.ui.control.stills import frame_at, middle_of
from sightmix.ui.control.transport import Transport, read_timecode
from sightmix.ui.window.transport import Fader, TransportView

RATES = (Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(60000, 1001))


class Played(Stage):
    """A clip list with a deck of the timeline that is open."""

    def __init__(self, data: dict[str, Any] | None) -> None:
        super().__init__()
        self.deck = Deck(self.engine, self.pump)
        self.clips.opened.subscribe(
            lambda document: self.deck.load(SCENE, round(document.duration * self.deck.rate))
        )
        self.transport = Transport(self.deck, self.clips)
        if data is not None:
            self.open(data)

    @property
    def frame(self) -> int:
        document = self.clips.document
        assert document is not None
        return frame_at(self.transport.seconds, document)


def _document(
    rate: Fraction = Fraction(25), start: Fraction = Fraction(3600), drop: bool = False
) -> Document:
    data = document_data([clip_data(1, 0.0, 600.0)], rate_exact=str(rate), start=str(start), drop_frame=drop)
    return document_of(data)


@pytest.mark.parametrize(
    ("text", "at", "frame"),
    [
        ("01:00:10:00", 0, 250),
        ("01001000", 0, 250),
        ("10:10", 0, 260),  # in the minute that the playhead is in
        ("1010", 0, 260),
        ("10:10", 25 * 65, 25 * 70 + 10),
        ("7", 260, 257),
        ("2:00:00", 0, 25 * 120),
        ("+12", 100, 112),
        ("-12", 100, 88),
        ("+1:00", 100, 125),
        ("-1:00:00", 100, 0),
        ("- 5", 3, 0),
        ("00:59:59:00", 100, 0),  # before the first frame
        (" 01.00.10.00 ", 0, 250),
    ],
)
def test_timecodes_as_editors_type_them(text: str, at: int, frame: int) -> None:
    assert read_timecode(text, _document(), at) == frame


@pytest.mark.parametrize(
    "text", ["", "x", "1:2:3:4:5", "01:00:10:25", "01:61:00:00", "123456789", "+", "1::2", "١"]
)
def test_what_is_no_timecode_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        read_timecode(text, _document(), 0)


def test_drop_frame_and_midnight() -> None:
    document = _document(Fraction(30000, 1001), Fraction(0), drop=True)
    assert read_timecode("00:01:00;02", document, 0) == 1800
    assert read_timecode("00:01:00:02", document, 0) == 1800  # the timeline says how it counts
    with pytest.raises(SettingsError, match="drop"):
        read_timecode("00:01:00;00", document, 0)
    late = _document(start=Fraction(24 * 3600 - 10))
    assert read_timecode("00:00:05:00", late, 0) == 15 * 25


@given(st.sampled_from(RATES), st.integers(0, 100_000))
def test_every_frame_is_found_by_its_own_timecode(rate: Fraction, frame: int) -> None:
    drop = rate.denominator == 1001 and round(rate) % 30 == 0
    document = _document(rate, 107892 / rate, drop)
    assert read_timecode(document.timecode(float(frame / rate)), document, 0) == frame
    assert frame_at(middle_of(frame, document), document) == frame


@given(st.sampled_from(RATES), st.integers(0, 2000), st.integers(-30, 30))
def test_a_step_leads_to_the_next_frame_and_back(rate: Fraction, frame: int, step: int) -> None:
    played = Played(document_data([clip_data(1, 0.0, 600.0)], rate_exact=str(rate)))
    played.transport.go(float(frame / rate))
    assert played.frame == frame
    played.transport.step(step)
    assert played.frame == max(0, frame + step)


def test_the_playhead_goes_to_clips_and_ends() -> None:
    played = Played(many(6))
    played.transport.go_to_clip(4)
    assert played.deck.position == 6 * played.deck.rate
    assert played.transport.timecode == "01:00:06:00"
    played.transport.to_end()
    assert played.deck.position == 12 * played.deck.rate
    played.transport.to_start()
    assert played.deck.position == 0


def test_what_a_loop_takes() -> None:
    played = Played(many(6))
    assert played.transport.looped() == (0.0, 2.0)  # the clip under the playhead
    played.transport.go(5.0)
    assert played.transport.looped() == (4.0, 6.0)
    played.clips.choice.choose([2, 3])
    assert played.transport.looped() == (2.0, 6.0)
    played.transport.set_loop(True)
    assert played.deck.loop == (2 * 48000, 6 * 48000)
    played.transport.mark((1.0, 1.5))
    assert played.deck.loop == (48000, 72000)  # it follows
    played.transport.set_loop(False)
    assert played.deck.loop is None
    played.open(document_data([clip_data(1, 5.0, 6.0)]))
    assert played.transport.marked is None
    assert played.transport.looped() == (0.0, 6.0)  # nothing is here: all of it


# Seen


@pytest.fixture
def seen(qtbot: QtBot) -> Iterator[Callable[..., tuple[Played, TransportView]]]:
    made: list[tuple[Played, TransportView]] = []

    def make(data: dict[str, Any] | None = None, width: int = 388) -> tuple[Played, TransportView]:
        played = Played(data)
        view = TransportView(played.transport)
        view.resize(width, 64)
        qtbot.addWidget(view)
        view.show()
        made.append((played, view))
        return played, view

    yield make
    for played, view in made:
        view.stop()
        played.deck.close()


Make = Callable[..., tuple[Played, TransportView]]


def test_nothing_moves_before_something_is_open(seen: Make) -> None:
    played, view = seen()
    assert not view.play.isEnabled()
    assert (view.timecode.text(), view.heard.text()) == ("", "")
    played.open(many(6))
    assert view.play.isEnabled()
    assert view.timecode.text() == "01:00:00:00"
    played.clips.close()
    assert not view.play.isEnabled()
    assert view.timecode.text() == ""


def test_a_timecode_is_typed(seen: Make, qtbot: QtBot) -> None:
    played, view = seen(many(6))
    view.edit_timecode()
    qtbot.waitUntil(view.timecode.hasFocus)
    assert view.timecode.selectedText() == "01:00:00:00"
    qtbot.keyClicks(view.timecode, "410")
    played.deck.seek(48000)  # it plays on meanwhile: what is being typed stays
    assert view.timecode.text() == "410"
    qtbot.keyClick(view.timecode, Qt.Key.Key_Return)
    assert (played.frame, view.timecode.text()) == (110, "01:00:04:10")
    assert not view.timecode.hasFocus()
    view.edit_timecode()
    qtbot.keyClicks(view.timecode, "99:99")
    qtbot.keyClick(view.timecode, Qt.Key.Key_Return)
    assert "does not exist" in view.heard.text()
    assert view.heard.property("role") == "fault"
    assert played.frame == 110
    qtbot.keyClick(view.timecode, Qt.Key.Key_Escape)
    assert view.timecode.text() == "01:00:04:10"
    played.transport.step(1)
    assert view.heard.text().startswith("A · before")
    assert view.timecode.text() == "01:00:04:11"


def test_buttons_move_the_deck_and_say_what_they_will_do(seen: Make, qtbot: QtBot) -> None:
    played, view = seen(many(6))
    qtbot.mouseClick(view.on, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(view.on, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(view.back, Qt.MouseButton.LeftButton)
    assert played.frame == 1
    assert view.play.accessibleName() == "Play"
    qtbot.keyClick(view.play, Qt.Key.Key_Space)
    assert played.deck.playing
    assert view.play.toolTip() == "Stop (Space)"
    assert "waiting for sound" in view.heard.text() or not played.deck.starving
    qtbot.mouseClick(view.play, Qt.MouseButton.LeftButton)
    assert not played.deck.playing
    qtbot.mouseClick(view.loop, Qt.MouseButton.LeftButton)
    assert view.loop.isChecked()
    assert played.deck.loop is not None
    played.deck.set_loop(None)
    assert not view.loop.isChecked()
    played.deck.shuttle(-1)
    played.deck.shuttle(-1)
    assert "−2×" in view.heard.text()
    played.deck.pause()


def test_the_side_that_is_heard_is_named(seen: Make, qtbot: QtBot) -> None:
    played, view = seen(many(6))
    assert view.sides.before.isChecked()
    assert view.heard.text() == "A · before, level-matched"
    position = played.deck.position
    qtbot.mouseClick(view.sides.after, Qt.MouseButton.LeftButton)
    played.deck.set_match(1.84)
    view.renew()
    assert (played.deck.side, played.deck.position) == ("after", position)
    assert view.heard.text() == "B · after, level-matched by +1.8 dB"
    played.deck.set_matched(False)
    assert view.heard.text() == "B · after, as loud as it will be"
    played.deck.ab()
    assert view.sides.before.isChecked()
    assert not view.sides.after.isChecked()
    qtbot.mouseClick(view.residual, Qt.MouseButton.LeftButton)
    assert played.deck.residual
    assert view.heard.text() == "What was taken away"
    assert not view.sides.before.isChecked()
    qtbot.mouseClick(view.residual, Qt.MouseButton.LeftButton)
    assert view.sides.before.isChecked()
    qtbot.mouseClick(view.sides.before, Qt.MouseButton.LeftButton)  # again: it stays
    assert view.sides.before.isChecked()
    assert played.deck.side == "before"


def test_the_monitor(seen: Make, qtbot: QtBot) -> None:
    played, view = seen(many(6), 700)
    assert view.fader.isVisible()
    assert view.sides.before.text() == "A before"
    view.fader.setValue(-12)
    assert played.deck.volume_db == -12.0
    view.fader.setValue(-60)
    assert played.deck.silent
    assert "monitor muted" in view.heard.text()
    assert view.monitor.accessibleName() == "Monitor: muted"
    view.fader.setValue(0)
    assert not played.deck.silent
    view.resize(388, 64)
    assert not view.fader.isVisible()
    assert view.sides.before.text() == "A"
    menu = view.monitor_menu()
    muted, matched = menu.findChildren(QCheckBox)
    (fader,) = menu.findChildren(Fader)
    muted.setChecked(True)
    matched.setChecked(False)
    fader.setValue(-6)
    assert (played.deck.silent, played.deck.matched, played.deck.volume_db) == (False, False, -6.0)
    menu.deleteLater()


def test_it_fits_one_column(seen: Make) -> None:
    _, view = seen(many(6))
    assert view.minimumSizeHint().width() <= 388
