"""The pump of a window: what other threads post runs on Qt's main thread, in its event loop."""

from __future__ import annotations

import logging
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal

LOG = logging.getLogger(__name__)


class QtPump(QObject):
    """A `ui.base.pump.Pump` over a queued signal and single-shot timers.

    What a call raises is logged with its traceback and costs no other call; nothing runs any more after `stop`.
    """

    _posted = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timers: set[QTimer] = set()
        self._open = True
        self._posted.connect(self._run, Qt.ConnectionType.QueuedConnection)

    def post(self, call: Callable[[], object]) -> None:
        """See `Pump.post`."""
        if self._open:
            self._posted.emit(call)

    def later(self, seconds: float, call: Callable[[], object]) -> Callable[[], None]:
        """See `Pump.later`."""
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setTimerType(Qt.TimerType.PreciseTimer)

        def leave() -> None:
            if timer in self._timers:
                self._timers.remove(timer)
                timer.stop()
                timer.deleteLater()

        def due() -> None:
            leave()
            self._run(call)

        self._timers.add(timer)
        timer.timeout.connect(due)
        timer.start(max(0, round(1000 * seconds)))
        return leave

    def stop(self) -> None:
        """Run nothing any more: the window has closed."""
        self._open = False
        for timer in tuple(self._timers):
            self._timers.remove(timer)
            timer.stop()
            timer.deleteLater()

    def _run(self, call: Callable[[], object]) -> None:
        if not self._open:
            return
        try:
            call()
        except Exception:
            LOG.exception("something the panel was to do has failed")
