"""The meters, seen: what they say, that only what changed is painted, and their target."""

from __future__ import annotations

import math

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPaintEvent, QRegion
from pytestqt.qtbot import QtBot
from sightmix.ui.control.meters import Figures, Meters
from sightmix.ui.control.needs import Target
from sightmix.ui.window import theme
from sightmix.ui.window.meters import MeterView
from sound_fakes import Rig, noise

SOME = Figures(-21.04, -22.5, -23.1, -3.26, "after")


class Watched(MeterView):
    """A view that remembers what was painted."""

    painted: QRegion

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        self.painted = event.region()
        super().paintEvent(event)


@pytest.fixture
def view(qtbot: QtBot) -> Watched:
    rig = Rig(noise(96_000), chunk=48_000)
    made = Watched(Meters(rig.deck, rig.pump))
    made.rig = rig
    qtbot.addWidget(made, before_close_func=lambda widget: widget.release())
    made.resize(480, 40)
    made.show()
    qtbot.waitExposed(made)
    return made


def show(view: Watched, figures: Figures, qtbot: QtBot) -> QRegion:
    """What is painted when figures change."""
    view.painted = QRegion()
    view._meters.figures = figures
    view._meters.changed.emit(figures)
    qtbot.wait(1)
    return view.painted


def coloured(view: Watched, cell: int, colour: str) -> int:
    """Pixels of a colour in one cell."""
    image = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    place = view._place(cell)
    scale = image.width() / view.width()
    left, right = round(place.left() * scale), round(place.right() * scale)
    return sum(
        image.pixelColor(x, y).name() == colour for x in range(left, right) for y in range(image.height())
    )


def test_it_says_what_it_shows(view: Watched, qtbot: QtBot) -> None:
    view._spoken = -math.inf
    show(view, SOME, qtbot)
    assert view.text == (
        "Momentary −21.0 LUFS, short-term −22.5 LUFS, integrated −23.1 LUFS, true peak −3.3 dBTP"
    )
    assert view.accessibleDescription() == view.text
    show(view, Figures(-150.0, heard="after"), qtbot)
    assert view.text.startswith("Momentary −∞ LUFS")
    assert view.accessibleDescription() != view.text  # once a second is often enough


def test_only_what_changed_is_painted(view: Watched, qtbot: QtBot) -> None:
    show(view, SOME, qtbot)
    one = show(view, Figures(-30.0, -22.5, -23.1, -3.26, "after"), qtbot).boundingRect()
    assert one == view._place(0)
    same = show(view, Figures(-30.001, -22.501, -23.101, -3.261, "after"), qtbot)
    assert same.isEmpty()


def test_the_target_is_marked_and_meeting_it_seen(view: Watched, qtbot: QtBot) -> None:
    colours = theme.current()
    show(view, SOME, qtbot)
    assert not coloured(view, 2, colours.good)
    view.set_target(Target(-23.0, -1.0))
    assert coloured(view, 2, colours.good) > 100
    show(view, Figures(-21.0, -22.5, -19.0, 0.5, "after"), qtbot)
    assert not coloured(view, 2, colours.good)
    assert coloured(view, 2, colours.warning) > 100
    assert coloured(view, 3, colours.fault) > 100
    show(view, Figures(-21.0, -22.5, -19.0, 0.5, "after: speech"), qtbot)
    assert not coloured(view, 2, colours.warning)  # a lane alone has no target


def test_it_is_measured_anew_by_mouse_and_keys(view: Watched, qtbot: QtBot) -> None:
    for act in (
        lambda: qtbot.mouseClick(view, Qt.MouseButton.LeftButton),
        lambda: qtbot.keyClick(view, Qt.Key.Key_Delete),
    ):
        view.rig.deck.play()
        view.rig.pull(48_000, 1_920)
        assert view._meters.figures.integrated > -70
        act()
        assert view._meters.figures == Figures()
        view.rig.deck.pause()


def test_what_is_closed_hears_of_nothing(view: Watched, qtbot: QtBot) -> None:
    view.release()
    assert show(view, SOME, qtbot).isEmpty()
