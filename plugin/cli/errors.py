"""Turns every error into one sentence on stderr and an exit status."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import typer

from ...engine.errors import Cancelled, SightmixError
from ..jobs.logs import log_unexpected, sentence_of
from .words import printable

DONE, SOME_FAILED, USAGE, CANCELLED = 0, 1, 2, 130

P = ParamSpec("P")
R = TypeVar("R")


def debugging() -> bool:
    """Whether the user asked for tracebacks with SIGHTMIX_DEBUG=1."""
    return os.environ.get("SIGHTMIX_DEBUG", "") not in ("", "0")


def say(text: str, error: bool = False) -> None:
    """Print a line to stdout, or to stderr for an error, without control characters in it."""
    lines = [printable(line) for line in text.split("\n")]
    print("\n".join(lines), file=sys.stderr if error else sys.stdout, flush=error)


def sentences(command: Callable[P, R]) -> Callable[P, R]:
    """Wrap a command so that errors become one sentence and an exit status.

    SIGHTMIX_DEBUG=1 shows the traceback too; with --json the sentence is also printed as an object on stdout,
    unless --events has told it there.
    """

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        _log_as_wanted()
        try:
            return command(*args, **kwargs)
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if isinstance(error, typer.BadParameter.__mro__[2]):
                raise
            log_unexpected("traceback", error)
            as_json = bool(kwargs.get("as_json")) and not kwargs.get("as_events")  # events have told it
            raise typer.Exit(_report(error, as_json)) from None

    return wrapped


def _log_as_wanted() -> None:
    """Records go to stderr where somebody debugs; else only a job's own log gets them, and the user a sentence."""
    log = logging.getLogger("sightmix")
    if debugging():
        logging.basicConfig(stream=sys.stderr)
        log.setLevel(logging.DEBUG)
    elif not log.hasHandlers():
        log.addHandler(logging.NullHandler())


def _report(error: Exception, as_json: bool) -> int:
    status = _status(error)
    text = sentence_of(error)
    if not isinstance(error, SightmixError):
        text = f"{text.removesuffix('.')}; set SIGHTMIX_DEBUG=1 to see where."
    say(f"sightmix: {text}", error=True)
    if as_json:
        print(json.dumps({"schema": "sightmix.error/1", "error": text, "exit_status": status}))
    return status


def _status(error: Exception) -> int:
    if isinstance(error, Cancelled):
        return CANCELLED
    # Looked up by name: the jobs' modules are heavy, and loaded only if they ran.
    return SOME_FAILED if type(error).__name__ == "DiskFullError" else USAGE
