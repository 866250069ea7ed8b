"""Ctrl-C before there is anything to tidy up: the sentence, at once, from wherever an import is."""

from __future__ import annotations

import os
import signal

STOPPED = 130


def leave(*_: object) -> None:
    """Say that we were stopped, and end; also as a signal's handler."""
    os.write(2, b"sightmix: Stopped.\n")
    os._exit(STOPPED)


def answer() -> None:
    """From now on Ctrl-C is `leave`, unless who started us wants it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, leave)


def take_over() -> None:
    """From now on Ctrl-C is Python's KeyboardInterrupt again, for who has begun something and tidies it up."""
    if signal.getsignal(signal.SIGINT) is leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)
