"""Sound in the whole window: from the deck that it has to the device that was chosen in its menu."""

from __future__ import annotations

import numpy as np
import pytest
from device_fakes import FakeOutputs
from fakes import Asked, FakeEngine
from pytestqt.qtbot import QtBot
from sightmix.ui.control.panel import Keep
from sightmix.ui.control.preferences import Preferences
from sightmix.ui.window.assembly import Assembled
from sightmix.ui.window.qt_pump import QtPump
from sightmix.ui.window.sound import Device
from sound_fakes import SOURCE, noise

SPEAKERS = Device("speakers", "Speakers", default=True)
HEADSET = Device("headset", "Headset")
FADE = 240


def test_the_windows_sound_reaches_the_device_that_was_chosen(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    lanes = noise(96_000)

    def answer(asked: Asked) -> None:
        if asked.do == "sound":
            first = asked.data["first"]
            part = lanes[:, :, first : first + asked.data["samples"]]
            asked.finish({}, np.ascontiguousarray(part).tobytes())

    outputs = FakeOutputs(SPEAKERS, HEADSET)
    monkeypatch.setattr("sightmix.ui.window.sound.QtOutputs", lambda parent: outputs)
    preferences, pump = Preferences(), QtPump()
    preferences.set(sound_device="headset")
    whole = Assembled(FakeEngine(answer), pump, keep=Keep(), preferences=preferences)
    try:
        deck = whole.panel.deck
        deck.load(SOURCE, 96_000)
        deck.play()
        assert outputs.sinks[0][0] == "headset"
        sink = outputs.last

        def heard() -> bool:
            if sink.free() < 480:
                sink.play(480)
            return len(sink.sound()) >= 9_600

        qtbot.waitUntil(heard, timeout=20_000)
        before = ((lanes[0] + lanes[1]) + lanes[2]) + lanes[3]
        assert np.array_equal(sink.sound()[FADE:9_600], before.T[FADE:9_600])
        menu = whole.transport.monitor_menu()
        speakers = next(action for action in menu.actions() if action.text() == "Speakers")
        speakers.trigger()
        assert preferences.wishes.sound_device == "speakers"
        assert outputs.sinks[-1][0] == "speakers"
        menu.close()
        outputs.there.clear()
        outputs.changed.emit()
        said = [notice.text for notice in whole.window.notices.notices]
        assert any("no sound device" in text for text in said)
        outputs.there.append(SPEAKERS)
        outputs.changed.emit()
        assert "sound" not in {notice.key for notice in whole.window.notices.notices}
    finally:
        whole.close()
        whole.window.close()
        pump.stop()
    assert outputs.sinks[0][1].closed == 1
