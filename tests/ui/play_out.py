"""Plays two seconds of noise on the system's sound device, the other side from the middle on; run by a test.

Writes what the deck has handed out to the file that is named first.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PySide6.QtCore import QCoreApplication, QTimer
from sightmix.ui.control.deck import Deck
from sightmix.ui.window.qt_pump import QtPump
from sightmix.ui.window.sound import SoundOut
from sound_fakes import SOURCE, Array, Rig, noise

SECONDS = 2


def main(path: Path) -> int:
    application = QCoreApplication([])
    rig = Rig(noise(48_000 * SECONDS), chunk=48_000)
    pump = QtPump()
    deck = Deck(rig.engine, pump)
    handed: list[Array] = []
    fill = deck.fill
    deck.fill = lambda frames: handed.append(fill(frames)) or handed[-1]  # type: ignore[func-returns-value]
    deck.set_gains([0.0, 2.0], np.array([[-6.0, 6.0], [0.0, -12.0], [3.0, -3.0]]))
    out = SoundOut(deck)
    deck.load(SOURCE, 48_000 * SECONDS)
    deck.moved.subscribe(lambda at: deck.set_side("after") if at > 48_000 else None)
    deck.state.subscribe(lambda: None if deck.playing else QTimer.singleShot(400, application.quit))
    deck.play()
    application.exec()
    print("" if out.device is None else out.device.name)
    out.close()
    pump.stop()
    np.save(path, np.concatenate(handed))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
