"""Processes that work for another one and never outlive it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading


def begin_worker() -> None:
    """To be called first in a worker process: it takes no part in signals, and ends when its parent does.

    Who started it decides when to stop, and saves first.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for ever for work, or to hand over what nobody fetches."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
