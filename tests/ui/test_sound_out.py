"""What reaches the sound device's buffer, byte by byte; and what happens where there is no device, or it goes."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from device_fakes import FakeOutputs, FakeSink
from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot
from sightmix.ui.window.sound import Converter, Device, NullSink, QtOutputs, SoundError, SoundOut
from sightmix.ui.window.sound_devices import add_devices
from sound_fakes import Clock, Rig, index_of, noise, ramp

SPEAKERS = Device("speakers", "Speakers", default=True)
HEADSET = Device("headset", "Headset")
FRAMES = 1_920
FADE = 240

Make = Callable[..., SoundOut]


@pytest.fixture
def make(qtbot: QtBot) -> Iterator[Make]:
    """Makes what is let go of at the end."""
    made: list[SoundOut] = []

    def one(rig: Rig, outputs: FakeOutputs) -> SoundOut:
        made.append(SoundOut(rig.deck, outputs))
        return made[-1]

    yield one
    for out in made:
        out.close()


def given(qtbot: QtBot, sink: FakeSink, frames: int) -> None:
    """Let a device play until it was given so many frames."""

    def all_there() -> bool:
        missing = frames - len(sink.sound())
        if missing > 0 and sink.free() < 480:
            sink.play(480)
        return missing <= 0

    qtbot.waitUntil(all_there, timeout=20_000)


def test_the_very_samples_reach_the_device(qtbot: QtBot, make: Make) -> None:
    rig = Rig(noise(40_000))
    outputs = FakeOutputs(HEADSET, SPEAKERS)
    out = make(rig, outputs)
    assert not outputs.sinks  # nothing is opened before it is needed
    rig.deck.play()
    assert out.device == SPEAKERS
    given(qtbot, outputs.last, 9_600)
    sound = outputs.last.sound()
    assert np.array_equal(sound[FADE:9_600], rig.before()[FADE:9_600])
    assert len(outputs.last.threads) == 1
    assert threading.get_ident() not in outputs.last.threads
    assert rig.deck.latency >= outputs.last.below


def test_the_other_side_is_in_the_buffer_that_is_written_next(qtbot: QtBot, make: Make) -> None:
    lanes = np.zeros((4, 2, 96_000), np.float32)
    lanes[0] = 0.5
    rig = Rig(lanes)
    rig.deck.set_gains([0.0], [[6.0], [0.0], [0.0]])
    outputs = FakeOutputs(SPEAKERS)
    make(rig, outputs)
    rig.deck.play()
    sink = outputs.sinks[0][1]
    given(qtbot, sink, 4_800)
    qtbot.waitUntil(lambda: sink.free() == 0)
    had = len(sink.sound())
    rig.deck.ab()
    given(qtbot, sink, had + 2_400)
    sound = sink.sound()[:, 0]
    first = int(np.flatnonzero(sound[FADE:] != np.float32(0.5))[0]) + FADE
    assert first == had  # the first sample that was not in the buffer yet
    np.testing.assert_allclose(sound[had + FADE : had + 2_400], 0.5 * 10 ** (6 / 20), rtol=1e-5)


def test_a_stalled_main_thread_does_not_stop_the_sound(qtbot: QtBot, make: Make) -> None:
    rig = Rig(ramp(96_000))
    outputs = FakeOutputs(SPEAKERS)
    make(rig, outputs)
    rig.deck.play()
    sink = outputs.last
    end = time.monotonic() + 20
    while len(sink.sound()) < 9_600 and time.monotonic() < end:  # no event is looked at meanwhile
        if sink.free() < 480:
            sink.play(480)
        time.sleep(0.001)
    assert np.array_equal(index_of(sink.sound()[FADE:9_600]), np.arange(FADE, 9_600))


def test_a_device_that_takes_less_is_given_the_rest(qtbot: QtBot, make: Make) -> None:
    def halting(device: Device, frames: int) -> FakeSink:
        sink = FakeSink(frames)
        sink.most = 1_000
        return sink

    rig = Rig(ramp(96_000))
    outputs = FakeOutputs(SPEAKERS, make=halting)
    make(rig, outputs)
    rig.deck.play()
    given(qtbot, outputs.last, 4_800)
    assert np.array_equal(index_of(outputs.last.sound()[FADE:4_800]), np.arange(FADE, 4_800))


def test_it_lets_go_of_the_device_a_while_after_it_has_stopped(qtbot: QtBot, make: Make) -> None:
    rig = Rig(ramp(96_000))
    outputs = FakeOutputs(SPEAKERS)
    out = make(rig, outputs)
    usual = sys.getswitchinterval()
    rig.deck.play()
    given(qtbot, outputs.last, 960)
    rig.deck.pause()
    assert out.running
    assert sys.getswitchinterval() == pytest.approx(0.001)
    sink = outputs.last

    def gone() -> bool:
        sink.play(480)
        return not out.running

    qtbot.waitUntil(gone, timeout=10_000)
    assert (sink.opened, sink.closed) == (1, 1)
    assert sys.getswitchinterval() == pytest.approx(usual)
    assert not sink.sound()[-240:].any()
    rig.deck.play()
    assert len(outputs.sinks) == 2


def test_without_a_device_time_goes_on(qtbot: QtBot, make: Make) -> None:
    rig = Rig(ramp(480_000), chunk=48_000)
    out = make(rig, FakeOutputs())
    changes = []
    out.changed.subscribe(lambda: changes.append(out.sentence))
    rig.deck.play()
    assert out.device is None
    assert "no sound device" in out.sentence
    assert changes == [out.sentence]
    begun = time.monotonic()
    qtbot.waitUntil(lambda: rig.deck.position > 9_600, timeout=10_000)
    assert rig.deck.position < (time.monotonic() - begun + 0.1) * 48_000 + 2_000
    assert rig.deck.tap
    rig.deck.pause()


def test_a_device_that_comes_is_played_on(qtbot: QtBot, make: Make) -> None:
    rig = Rig(ramp(480_000))
    outputs = FakeOutputs()
    out = make(rig, outputs)
    rig.deck.play()
    outputs.there.append(SPEAKERS)
    outputs.changed.emit()
    assert out.device == SPEAKERS
    assert not out.sentence
    at = rig.deck.position
    given(qtbot, outputs.last, 960)
    assert index_of(outputs.last.sound())[500] == at + 500


def test_a_device_that_goes_is_followed_by_the_next_at_the_same_place(qtbot: QtBot, make: Make) -> None:
    rig = Rig(ramp(480_000))
    outputs = FakeOutputs(HEADSET, SPEAKERS)
    out = make(rig, outputs)
    out.choose("headset")
    rig.deck.play()
    assert out.device == HEADSET
    given(qtbot, outputs.last, 960)
    broken = outputs.last
    broken.breaks = True
    qtbot.waitUntil(lambda: len(outputs.sinks) == 2)
    assert out.device == SPEAKERS
    assert out.sentence == "Headset no longer takes sound; choose another sound device or connect it again."
    given(qtbot, outputs.last, 960)
    assert index_of(outputs.last.sound())[0] == index_of(broken.sound())[-1] + 1
    out.choose("headset")
    assert out.device == HEADSET
    assert not out.sentence


def test_a_device_that_cannot_be_opened_says_so(qtbot: QtBot, make: Make) -> None:
    outputs = FakeOutputs(SPEAKERS, make=lambda device, frames: FakeSink(frames, opens=False))
    rig = Rig(ramp(480_000))
    out = make(rig, outputs)
    rig.deck.play()
    qtbot.waitUntil(lambda: out.device is None)
    assert out.sentence == "Headset cannot be opened; choose another sound device."
    qtbot.waitUntil(lambda: rig.deck.position > 960)  # in silence


def test_a_device_that_takes_nothing_any_more_has_gone(
    qtbot: QtBot, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sightmix.ui.window.sound._DEAF", (0.2, 0.1))
    rig = Rig(ramp(480_000))
    out = make(rig, FakeOutputs(SPEAKERS))
    rig.deck.play()
    qtbot.waitUntil(lambda: out.device is None)
    assert out.sentence.startswith("Speakers no longer takes sound")


def test_what_fails_on_the_way_out_stops_it_once(
    qtbot: QtBot, make: Make, noise: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise.expect("the sound device has failed")  # type: ignore[attr-defined]
    rig = Rig(ramp(480_000))

    def fill(frames: int) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(rig.deck, "fill", fill)
    out = make(rig, FakeOutputs(SPEAKERS))
    rig.deck.play()
    qtbot.waitUntil(lambda: not rig.deck.playing)
    assert not out.running


def test_sixteen_bits_are_dithered_and_silence_stays_silent() -> None:
    convert = Converter("int16")
    tone = 0.25 * np.sin(np.arange(48_000, dtype=np.float32) / 7)[:, None] * np.ones((1, 2), np.float32)
    found = np.frombuffer(convert.bytes(tone), "<i2").reshape(-1, 2)
    error = found - tone.astype(np.float64) * 32_768
    assert np.abs(error).max() <= 1.5
    assert error.var() == pytest.approx(0.25, rel=0.05)  # TPDF's 1/6 and rounding's 1/12
    assert abs(error.mean()) < 0.01
    assert not any(convert.bytes(np.zeros((480, 2), np.float32)))
    loud = np.frombuffer(convert.bytes(np.float32([[2.0, -2.0]])), "<i2")
    assert loud.tolist() == [32_767, -32_768]
    exact = np.float32([[0.1, -1.5]])
    assert np.array_equal(np.frombuffer(Converter("float32").bytes(exact), "<f4"), exact[0])


def test_nobodys_device_takes_sound_as_time_goes_by() -> None:
    clock = Clock()
    sink = NullSink(48_000, FRAMES, clock)
    sink.open()
    assert sink.free() == FRAMES
    assert sink.write(bytes(8 * FRAMES)) == 8 * FRAMES
    assert sink.free() == 0
    clock.now += 0.01
    assert sink.free() == 480
    clock.now += 10  # nobody came
    assert sink.free() == FRAMES
    sink.write(bytes(8 * 480))
    assert sink.free() == pytest.approx(FRAMES - 480, abs=1)


def test_devices_are_chosen_from_a_menu(qtbot: QtBot, make: Make) -> None:
    rig = Rig(ramp(480_000))
    outputs = FakeOutputs(HEADSET, SPEAKERS, Device("odd", "A & B"))
    out = make(rig, outputs)
    told: list[str] = []
    menus: list[QMenu] = []

    def entries() -> dict[str, QAction]:
        menu = QMenu()
        menus.append(menu)
        qtbot.addWidget(menu)
        add_devices(menu, out, told.append)
        return {action.text(): action for action in menu.actions()}

    found = entries()
    assert list(found) == ["Sound device", "The system's: Speakers", "Headset", "Speakers", "A && B"]
    assert [text for text, action in found.items() if action.isChecked()] == ["The system's: Speakers"]
    rig.deck.play()
    found["Headset"].trigger()
    assert (out.device, out.chosen, told) == (HEADSET, "headset", ["headset"])
    assert [text for text, action in entries().items() if action.isChecked()] == ["Headset"]
    outputs.there.clear()
    assert not entries()["There is none"].isEnabled()


def test_closed_it_hears_of_nothing(qtbot: QtBot, make: Make) -> None:
    rig = Rig(ramp(480_000))
    outputs = FakeOutputs(SPEAKERS)
    out = make(rig, outputs)
    rig.deck.play()
    out.close()
    rig.deck.pause()
    rig.deck.play()
    outputs.changed.emit()
    assert len(outputs.sinks) == 1
    assert outputs.last.closed == 1
    QCoreApplication.processEvents()


def test_what_takes_a_moment_is_loaded_when_there_is_time(qtbot: QtBot, make: Make) -> None:
    outputs = FakeOutputs(SPEAKERS)
    out = make(Rig(ramp(9_600)), outputs)
    assert not outputs.prepared
    out.prepare()
    qtbot.waitUntil(lambda: outputs.prepared == 1)


def test_the_systems_devices_are_told_without_noise(qtbot: QtBot) -> None:
    outputs = QtOutputs()
    outputs.prepare()
    for device in outputs.devices():
        assert device.id
        assert device.name
    with pytest.raises(SoundError, match="Gone is no longer there"):
        outputs.sink(Device("gone", "Gone"), 48_000, FRAMES)
