"""The picture at the playhead: the newest wins, no more is fetched than can be seen, and what is none is said."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from clips_kit import SCENE, Stage, clip_data, document_data, many
from pytestqt.qtbot import QtBot
from sightmix.ui.base.asking import Failure
from sightmix.ui.base.pump import InlinePump
from sightmix.ui.control.deck import Deck
from sightmix.ui.control.stills import Still, Stills, Thumbs
from sightmix.ui.window.picture import PictureView


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Shown(Stage):
    """A clip list with a deck and the picture at its place, on a clock of the test's."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.pump = InlinePump(self.clock)
        self.deck = Deck(self.engine, self.pump)
        self.clips.opened.subscribe(
            lambda document: self.deck.load(SCENE, round(document.duration * self.deck.rate))
        )
        self.stills = Stills(self.engine, self.pump, self.clips, self.deck, self.clock)
        self.playing = False

    def seek(self, frame: int) -> None:
        self.deck.seek(frame * self.deck.rate // 25)

    def asked(self) -> list[int]:
        """The frames that have been asked for, in order."""
        return [int(a.data["time"] * 25) for a in self.engine.asked if a.do == "picture"]

    def answer(self, colour: bytes = b"\xff\x00\x00", width: int = 64, height: int = 36) -> None:
        asked = self.ask("picture")
        data = {"time": asked.data["time"], "width": width, "height": height}
        asked.finish(data, colour * (width * height))

    def wait(self, seconds: float) -> None:
        self.clock.now += seconds
        self.pump.run()


@pytest.fixture
def shown() -> Iterator[Shown]:
    stage = Shown()
    stage.open(many(6))
    yield stage
    stage.deck.close()


def test_nothing_is_fetched_that_nobody_looks_at(shown: Shown) -> None:
    shown.seek(10)
    assert shown.asked() == []
    shown.stills.look(640, 360)
    assert shown.asked() == [10]
    shown.answer()
    shown.stills.look(0, 0)
    shown.seek(20)
    assert shown.asked() == [10]


def test_one_is_on_its_way_and_the_newest_waits(shown: Shown) -> None:
    shown.stills.look(640, 360)
    for frame in range(1, 40):
        shown.seek(frame)
    assert shown.asked() == [0]
    shown.answer()
    assert shown.asked() == [0, 39]
    assert shown.stills.still is None  # a place that was left is not shown
    shown.answer()
    assert shown.stills.still is not None
    assert not shown.stills.late
    assert shown.asked() == [0, 39]


def test_what_was_seen_is_not_fetched_again(shown: Shown) -> None:
    shown.stills.look(640, 360)
    shown.answer(b"\x01\x02\x03")
    shown.seek(1)
    shown.answer(b"\x04\x05\x06")
    seen: list[bytes] = []
    shown.stills.shown.subscribe(lambda: seen.append(shown.stills.still.rgb[:3]))  # type: ignore[union-attr]
    shown.seek(0)
    shown.seek(1)
    assert seen == [b"\x01\x02\x03", b"\x04\x05\x06"]
    assert shown.asked() == [0, 1]
    shown.stills.look(639, 359)  # not worth another one
    assert shown.asked() == [0, 1]
    shown.stills.look(1200, 700)
    assert shown.asked() == [0, 1, 1]
    assert shown.ask("picture").data["width"] >= 1200


def test_within_one_frame_nothing_is_fetched(shown: Shown) -> None:
    shown.stills.look(640, 360)
    shown.answer()
    for sample in range(0, 1919, 100):  # 1920 samples are a frame
        shown.deck.seek(sample)
    assert shown.asked() == [0]


def test_while_playing_no_more_than_25_are_asked_for_in_a_second(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown.stills.look(640, 360)
    shown.answer()
    position = [0]
    monkeypatch.setattr(Deck, "playing", property(lambda _: True))
    monkeypatch.setattr(Deck, "position", property(lambda _: position[0]))
    for tick in range(400):  # four seconds, at four times the speed
        position[0] = round(tick * 0.04 * 48000) % (12 * 48000)
        shown.deck.moved.emit(position[0])
        shown.wait(0.01)
        if shown.engine.open("picture"):
            shown.answer()
    count = len(shown.asked())
    assert 80 <= count <= 102
    # The engine takes its time: what has passed meanwhile is left out.
    asked = shown.engine.open("picture")
    if not asked:
        position[0] += 48000
        shown.deck.moved.emit(position[0])
        shown.wait(0.05)
    for _ in range(50):
        position[0] += 1920
        shown.deck.moved.emit(position[0])
        shown.wait(0.04)
    assert len(shown.engine.open("picture")) == 1
    before = len(shown.asked())
    shown.answer(b"\x00\x00\xff")
    assert shown.stills.still is not None
    assert shown.stills.still.rgb[:3] == b"\x00\x00\xff"  # late is better than none, while it plays
    shown.wait(0.05)
    assert len(shown.asked()) == before + 1
    assert shown.asked()[-1] == position[0] // 1920


def test_the_last_frame_is_shown_at_the_end(shown: Shown) -> None:
    shown.stills.look(640, 360)
    shown.answer()
    shown.deck.seek(shown.deck.samples)
    assert shown.asked()[-1] == 12 * 25 - 1


def test_another_timeline_has_pictures_of_its_own(shown: Shown) -> None:
    shown.stills.look(640, 360)
    first = shown.ask("picture")
    shown.open(many(6))
    assert first.cancelled
    assert shown.stills.still is None
    assert shown.asked() == [0, 0]
    shown.open({**many(6), "has_picture": False})
    assert len(shown.asked()) == 2


def test_an_engine_that_fails_is_asked_again_at_the_next_place(shown: Shown) -> None:
    shown.stills.look(640, 360)
    shown.ask("picture").fail(Failure("The film cannot be read.", "MediaError"))
    assert shown.stills.failure is not None
    assert shown.asked() == [0]
    shown.seek(5)
    shown.answer()
    assert shown.stills.failure is None


@pytest.mark.parametrize("payload", [b"", b"\x00", bytes(3 * 64 * 36 + 1)])
def test_a_payload_of_the_wrong_size_is_no_picture(payload: bytes) -> None:
    assert Still.of({"time": 1.0, "width": 64, "height": 36}, payload).black
    assert not Still.of({"time": 1.0, "width": 64, "height": 36}, bytes(3 * 64 * 36)).black


def test_small_pictures_are_kept_and_shared(shown: Shown) -> None:
    thumbs = Thumbs(shown.engine, shown.clips)
    came: list[int] = []
    thumbs.came.subscribe(came.extend)
    shown.open(document_data([clip_data(1, 0, 2), clip_data(2, 0, 9, 2), clip_data(3, 4, 4.02, 3)]))
    thumbs.want([1, 2, 3])
    asked = shown.ask("thumbnails")
    assert len(asked.data["times"]) == 2  # those that begin together share one
    thumbs.want([1, 2])
    assert not asked.cancelled  # all of that is on its way
    asked.tell({"time": asked.data["times"][0], "width": 0, "height": 0, "reason": "Black."})
    assert came == [1, 2]
    still = thumbs.still(1)
    assert still is not None
    assert still.reason == "Black."
    thumbs.want([3, 1])
    assert not asked.cancelled
    asked.fail(Failure("The engine stopped.", crashed=True))
    thumbs.want([3])
    assert shown.ask("thumbnails").data["times"] == asked.data["times"][1:]


# Seen


@pytest.fixture
def view(shown: Shown, qtbot: QtBot) -> Iterator[PictureView]:
    made = PictureView(shown.stills, shown.clips)
    made.resize(400, 300)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.stop()


def test_the_picture_lies_in_the_middle_in_its_own_shape(shown: Shown, view: PictureView) -> None:
    asked = shown.ask("picture").data
    assert (asked["width"], asked["height"]) == (448, 324)
    shown.answer(b"\xff\x00\x00", 64, 36)
    assert (view.target.width(), view.target.height()) == (400, 225)
    image = view.grab().toImage()
    ratio = image.devicePixelRatio()

    def colour(x: int, y: int) -> str:
        return str(image.pixelColor(round(x * ratio), round(y * ratio)).name())

    assert colour(200, 150) == "#ff0000"
    assert colour(200, 20) != "#ff0000"
    assert colour(200, 280) != "#ff0000"
    assert view.accessibleName() == "Picture at 01:00:00:00"


def test_what_is_no_picture_is_said(shown: Shown, view: PictureView) -> None:
    asked = shown.ask("picture")
    assert view.words == ""
    asked.finish(
        {"time": asked.data["time"], "width": 0, "height": 0, "reason": "Its media is offline: it moved."}
    )
    assert view.words == view.accessibleName() == "Its media is offline: it moved."
    view.grab()
    shown.seek(1)
    shown.answer(width=0, height=0)
    assert view.words == "Black: no picture on the timeline."
    shown.seek(2)
    shown.ask("picture").fail(Failure("The film cannot be read.", "MediaError"))
    assert view.words == "The film cannot be read."
    view.grab()
    shown.open({**many(6), "has_picture": False})
    assert "no picture" in view.words
    shown.clips.close()
    assert view.words == ""


def test_hidden_it_fetches_nothing(shown: Shown, view: PictureView) -> None:
    shown.answer()
    view.hide()
    shown.seek(5)
    assert not shown.engine.open("picture")
    view.show()
    assert shown.asked()[-1] == 5


def test_a_picture_is_not_copied(shown: Shown, view: PictureView) -> None:
    shown.answer(b"\x10\x20\x30")
    still = shown.stills.still
    assert still is not None
    painted = np.asarray(view._image.constBits()).ctypes.data
    assert painted == np.frombuffer(still.rgb, np.uint8).ctypes.data
