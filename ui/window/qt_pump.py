"""The pump of a window: what other threads post runs on Qt's main thread, in its event loop."""

from __future__ import annotations

import itertools
import logging
import queue
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal

LOG = logging.getLogger(__name__)


class QtPump(QObject):
    """A `ui.base.pump.Pump` over one queued signal and one timer.

    What a call raises is logged with its traceback and costs no other call; nothing runs any more after `stop`.
    """

    # The calls themselves stay in Python: the signal only says that there are some.
    _posted = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._calls: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._due: dict[int, tuple[float, Callable[[], object]]] = {}
        self._numbers = itertools.count()
        self._open = True
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._run_due)
        self._posted.connect(self._run_next, Qt.ConnectionType.QueuedConnection)

    def post(self, call: Callable[[], object]) -> None:
        """See `Pump.post`."""
        if self._open:
            self._calls.put(call)
            self._posted.emit()

    def later(self, seconds: float, call: Callable[[], object]) -> Callable[[], None]:
        """See `Pump.later`."""
        number = next(self._numbers)
        if self._open:
            self._due[number] = (time.monotonic() + max(0.0, seconds), call)
            self._wait()

        def leave() -> None:
            if self._due.pop(number, None) is not None:
                self._wait()

        return leave

    def stop(self) -> None:
        """Run nothing any more: the window has closed."""
        self._open = False
        self._due.clear()
        self._wait()

    def _wait(self) -> None:
        if not self._due:
            self._timer.stop()
            return
        first = min(when for when, _ in self._due.values())
        self._timer.start(max(0, round(1000 * (first - time.monotonic()))))

    def _run_due(self) -> None:
        now = time.monotonic() + 0.0005  # Qt waits in whole milliseconds
        due = sorted((when, number) for number, (when, _) in self._due.items() if when <= now)
        for _, number in due:
            waiting = self._due.pop(number, None)  # an earlier one may have taken it back
            if waiting is not None:
                self._run(waiting[1])
        self._wait()

    def _run_next(self) -> None:
        self._run(self._calls.get_nowait())

    def _run(self, call: Callable[[], object]) -> None:
        if not self._open:
            return
        try:
            call()
        except Exception:
            LOG.exception("something the panel was to do has failed")
