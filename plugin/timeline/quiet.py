"""Libraries that print while they work: it goes nowhere, since stdout belongs to the command's own answer."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing printed inside reaches stdout, by Python or by C; nor do Python's prints to stderr, or warnings."""
    sink = os.open(os.devnull, os.O_WRONLY)
    with os.fdopen(sink, "w", encoding="utf-8") as nowhere, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with redirect_stdout(nowhere), redirect_stderr(nowhere), _no_stdout(nowhere.fileno()):
            yield


@contextmanager
def _no_stdout(nowhere: int) -> Iterator[None]:
    """The process's own stdout, which C code writes to, led to `nowhere`."""
    with suppress(OSError, ValueError, AttributeError):
        (sys.__stdout__ or sys.stdout).flush()
    try:
        kept = os.dup(1)
    except OSError:  # started without a stdout
        yield
        return
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
