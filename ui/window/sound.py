"""Sound on its way out: a thread of its own feeds the system's device, or a clock where there is none.

A device's buffer of 40 ms, fed in push mode by a thread of its own, stays full while the main thread computes without a
pause and every core is taken, if Python's lock is passed on every millisecond, which is asked for while it plays
(`benchmarks/panel_sound.py`). A callback from the device's own thread would have to wait for that lock, too, with no
more than a period of 5 to 12 ms in hand.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLoggingCategory, QObject, QThread, QTimer, Signal

from ...engine.errors import SightmixError
from ..base.topics import Topic
from ..control.deck import Deck

LOG = logging.getLogger(__name__)

BUFFER = 0.04  # seconds in the device's buffer: how late a switch is heard, and how long a thread may be kept waiting
_PERIOD = 0.005  # seconds that are written at least, and between looks at the buffer
_IDLE = 500  # ms of silence until the device is let go
_DEAF = (
    4.0,
    1.0,
)  # seconds without taking anything after which a device is lost: at first, and once it has begun
_SHARE = 0.001  # seconds that other threads may keep Python's lock while it plays, a fifth of what is usual
_BELOW = 1024  # frames that the system holds below the device's buffer

_QUIET = "qt.multimedia.symbolsresolver=false\nqt.multimedia.ffmpeg.info=false"

Format = Literal["float32", "int16"]


class SoundError(SightmixError):
    """A sound device cannot be opened, or has gone."""


@dataclass(frozen=True)
class Device:
    """A sound device: what the system calls it, and its name for people."""

    id: str
    name: str
    default: bool = False


class Sink(Protocol):
    """A sound device's buffer of so many `frames`, stereo; its methods are called on the thread that feeds it.

    `below` are frames that the system holds beneath that buffer, before they are heard.
    """

    format: Format
    frames: int
    below: int

    def open(self) -> None:
        """Begin to play; raises SoundError."""

    def free(self) -> int:
        """Frames it has room for."""

    def write(self, data: bytes) -> int:
        """Take frames, interleaved; returns how many bytes it took."""

    def close(self) -> None:
        """Stop at once."""


class Outputs(Protocol):
    """The devices there are."""

    changed: Topic[[]]

    def prepare(self) -> None:
        """Load what takes a moment, before it is needed."""

    def devices(self) -> tuple[Device, ...]:
        """All of them, the system's default among them."""

    def sink(self, device: Device, rate: int, frames: int) -> Sink:
        """A device's buffer of so many frames at `rate` Hz; nothing is opened yet."""


class NullSink:
    """A device that nobody hears: it takes sound as time goes by, so that picture and meters have a clock."""

    format: Format = "float32"

    def __init__(self, rate: int, frames: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.frames, self.below = frames, 0
        self._rate, self._clock = rate, clock
        self._begun, self._written = 0.0, 0

    def open(self) -> None:
        """See `Sink.open`."""
        self._begun, self._written = self._clock(), 0

    def free(self) -> int:
        """See `Sink.free`."""
        played = int((self._clock() - self._begun) * self._rate)
        if played > self._written:  # it ran empty: time that nobody filled is not made up for
            self._begun = self._clock() - self._written / self._rate
            played = self._written
        return self.frames - (self._written - played)

    def write(self, data: bytes) -> int:
        """See `Sink.write`."""
        self._written += len(data) // 8
        return len(data)

    def close(self) -> None:
        """See `Sink.close`."""


class QtOutputs(QObject):
    """The system's devices by QtMultimedia, which is loaded when it is first asked for."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.changed: Topic[[]] = Topic()
        self._media: Any = None
        self._quiet = False

    def prepare(self) -> None:
        """See `Outputs.prepare`."""
        if not self._quiet:
            self._quiet = True
            # Which library it has not found, and which it has, is nobody's business but its own.
            QLoggingCategory.setFilterRules(_QUIET)
        with suppress(ImportError):
            import PySide6.QtMultimedia  # noqa: F401

    def devices(self) -> tuple[Device, ...]:
        """See `Outputs.devices`; none where QtMultimedia is not installed or cannot be loaded."""
        return tuple(
            Device(bytes(found.id().data()).decode(errors="replace"), found.description(), found.isDefault())
            for found in self._found()
        )

    def sink(self, device: Device, rate: int, frames: int) -> Sink:
        """See `Outputs.sink`; raises SoundError where the device has gone meanwhile."""
        for found in self._found():
            if bytes(found.id().data()).decode(errors="replace") == device.id:
                return QtSink(found, device.name, rate, frames)
        raise SoundError(f"{device.name} is no longer there; choose another sound device.")

    def _found(self) -> list[Any]:
        self.prepare()
        try:
            from PySide6.QtMultimedia import QMediaDevices
        except ImportError as error:
            LOG.info("no QtMultimedia: %s", error)
            return []
        if self._media is None:
            self._media = QMediaDevices(self)
            self._media.audioOutputsChanged.connect(self._tell)
        return list(QMediaDevices.audioOutputs())

    def _tell(self) -> None:
        self.changed.emit()


class QtSink:
    """A `QAudioSink` in push mode; `stateChanged` is looked at, not connected, as a Python slot on it raises."""

    def __init__(self, device: Any, name: str, rate: int, frames: int) -> None:
        self.frames, self.below = frames, _BELOW
        self._device, self._name, self._rate = device, name, rate
        self.format: Format = "float32"
        self._sink: Any = None
        self._buffer: Any = None
        self._bytes = 8

    def open(self) -> None:
        """See `Sink.open`."""
        from PySide6.QtMultimedia import QAudioSink

        form = self._form()
        self._sink = QAudioSink(self._device, form)
        self._bytes = form.bytesPerFrame()
        self._sink.setBufferSize(self.frames * self._bytes)
        self._buffer = self._sink.start()
        if self._buffer is None or self._sink.error().name not in {"NoError", "UnderrunError"}:
            self.close()
            raise SoundError(f"{self._name} cannot be opened; choose another sound device.")
        self.frames = int(self._sink.bufferSize()) // self._bytes  # as the system has made it

    def free(self) -> int:
        """See `Sink.free`."""
        return int(self._sink.bytesFree()) // self._bytes

    def write(self, data: bytes) -> int:
        """See `Sink.write`."""
        return max(0, int(self._buffer.write(data)))

    def close(self) -> None:
        """See `Sink.close`."""
        if self._sink is not None:
            self._sink.stop()
            self._sink = self._buffer = None

    def _form(self) -> Any:
        from PySide6.QtMultimedia import QAudioFormat

        kinds: tuple[tuple[Format, Any], ...] = (
            ("float32", QAudioFormat.SampleFormat.Float),
            ("int16", QAudioFormat.SampleFormat.Int16),
        )
        for self.format, kind in kinds:
            form = QAudioFormat()
            form.setSampleRate(self._rate)
            form.setChannelCount(2)
            form.setSampleFormat(kind)
            if self._device.isFormatSupported(form):
                return form
        raise SoundError(
            f"{self._name} does not play stereo at {self._rate} Hz; choose another sound device."
        )


class Converter:
    """Frames (n, 2) of float32 as bytes for a device."""

    def __init__(self, kind: Format) -> None:
        self._kind = kind
        self.width = 8 if kind == "float32" else 4
        self._random = np.random.default_rng(0)

    def bytes(self, block: NDArray[np.float32]) -> bytes:
        """Frames interleaved; 16 bits are dithered (TPDF) unless there is nothing but silence."""
        if self._kind == "float32":
            return np.ascontiguousarray(block, "<f4").tobytes()
        scaled = block * np.float32(32768)
        if block.any():
            scaled = scaled + self._random.random(block.shape, np.float32)
            scaled -= self._random.random(block.shape, np.float32)
        found: bytes = np.clip(np.rint(scaled), -32768, 32767).astype("<i2").tobytes()
        return found


class _Feeder(QThread):
    """Feeds one sink with what a deck plays, until it is told to stop or the sink is lost."""

    lost = Signal(object, str)

    def __init__(self, deck: Deck, sink: Sink, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._deck, self._sink = deck, sink
        self._stop = threading.Event()

    def stop(self) -> None:
        """Let it end, and wait until it has."""
        self._stop.set()
        self.wait()

    def run(self) -> None:
        """The thread: raises nothing, and closes what it has opened."""
        try:
            self._sink.open()
            try:
                self._feed()
            finally:
                self._sink.close()
        except SoundError as error:
            self.lost.emit(self, str(error))
        except Exception:
            LOG.exception("the sound device has failed")
            self.lost.emit(self, "")

    def _feed(self) -> None:
        # Every call of Qt's may have to wait for Python's lock: as few as can be.
        deck, sink = self._deck, self._sink
        convert = Converter(sink.format)
        least = round(_PERIOD * deck.rate)
        left, since, begun = b"", time.monotonic(), False
        while not self._stop.wait(_PERIOD):
            free = sink.free()
            if free < least:
                if time.monotonic() - since > _DEAF[begun]:
                    raise SoundError("")
                continue
            begun = begun or free < sink.frames
            since = time.monotonic()
            data = left or convert.bytes(deck.fill(free))
            left = data[sink.write(data) :]
            deck.latency = max(0, sink.frames - free) + len(data) // convert.width + sink.below


class SoundOut(QObject):
    """Plays a deck on the system's sound device, on a chosen one, or in silence where there is none.

    `changed` is emitted when devices come and go, another is chosen, or `sentence` has changed. Call `close` at the
    end.
    """

    def __init__(self, deck: Deck, outputs: Outputs | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.changed: Topic[[]] = Topic()
        self.sentence = ""
        self._deck = deck
        self._outputs: Outputs = QtOutputs(self) if outputs is None else outputs
        self._chosen = ""
        self._playing_on: Device | None = None
        self._lost: set[str] = set()
        self._feeder: _Feeder | None = None
        self._usual = sys.getswitchinterval()
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_IDLE)
        self._rest.timeout.connect(self._let_go)
        self._leave = (deck.state.subscribe(self._follow), self._outputs.changed.subscribe(self._look))

    def prepare(self) -> None:
        """Load what is needed to play, a step at a time: for when the window has been shown and has nothing to do."""
        QTimer.singleShot(0, self, self._outputs.prepare)
        QTimer.singleShot(100, self, self._outputs.devices)

    @property
    def devices(self) -> tuple[Device, ...]:
        """The devices there are."""
        return self._outputs.devices()

    @property
    def chosen(self) -> str:
        """The id of the device to play on, "" for the system's default."""
        return self._chosen

    @property
    def device(self) -> Device | None:
        """What it plays on, or has last played on; None for nothing that is heard."""
        return self._playing_on

    @property
    def running(self) -> bool:
        """Whether a device is being fed."""
        return self._feeder is not None

    def choose(self, device: str) -> None:
        """Play on another device, at the same place; "" for the system's default."""
        self._chosen = device
        self._lost.clear()
        self._restart()

    def close(self) -> None:
        """Let go of the device, and of the deck."""
        for leave in self._leave:
            leave()
        self._let_go()

    def _follow(self) -> None:
        if self._deck.playing:
            self._rest.stop()
            if self._feeder is None:
                self._lost.clear()
                self._start()
        elif self._feeder is not None and not self._rest.isActive():
            self._rest.start()

    def _look(self) -> None:
        """Devices have come or gone: play where it should be played now, if that is another one."""
        self._lost.clear()
        if self._feeder is not None and self._target() != self._playing_on:
            self._restart()
        self.changed.emit()

    def _restart(self) -> None:
        if self._feeder is not None:
            self._let_go()
            self._start()
        self.changed.emit()

    def _target(self) -> Device | None:
        there = [device for device in self._outputs.devices() if device.id not in self._lost]
        for device in there:
            if device.id == self._chosen:
                return device
        return next((device for device in there if device.default), there[0] if there else None)

    def _start(self) -> None:
        rate = self._deck.rate
        frames = round(BUFFER * rate)
        self._playing_on = self._target()
        sink: Sink = NullSink(rate, frames)
        if self._playing_on is not None:
            try:
                sink = self._outputs.sink(self._playing_on, rate, frames)
            except SoundError as error:
                self._fail(str(error))
                return
        self._say(self._why())
        sys.setswitchinterval(min(_SHARE, self._usual))
        self._feeder = _Feeder(self._deck, sink, self)
        self._feeder.lost.connect(self._lose)
        self._feeder.start(QThread.Priority.TimeCriticalPriority)

    def _why(self) -> str:
        if self._playing_on is None and not self._lost:
            return self.tr(
                "There is no sound device: picture and meters run in silence. Connect one, or choose one."
            )
        return self.sentence if self._lost else ""

    def _lose(self, feeder: object, why: str) -> None:
        """The device has gone: the next one takes over, or a clock does."""
        if feeder is not self._feeder:
            return
        self._let_go()
        if self._playing_on is None:  # not a device's fault
            self._deck.pause()
        else:
            self._fail(why)

    def _fail(self, why: str) -> None:
        device = self._playing_on
        if device is not None:
            self._lost.add(device.id)
            lost = self.tr("{device} no longer takes sound; choose another sound device or connect it again.")
            self._say(why or lost.format(device=device.name))
        self._start()

    def _say(self, sentence: str) -> None:
        if sentence != self.sentence:
            self.sentence = sentence
            self.changed.emit()

    def _let_go(self) -> None:
        self._rest.stop()
        feeder, self._feeder = self._feeder, None
        if feeder is not None:
            feeder.stop()
            feeder.deleteLater()
            sys.setswitchinterval(self._usual)
        self._deck.latency = 0
