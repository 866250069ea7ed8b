"""Turns every error into one sentence on stderr and an exit status."""

from __future__ import annotations

import inspect
import json
import logging
import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Annotated, ParamSpec, TypeVar

import typer

from ...engine.errors import Cancelled, SightmixError
from ...engine.legible import printable
from ..jobs.logs import log_unexpected, sentence_of
from .interrupt import STOPPED, take_over

DONE, SOME_FAILED, USAGE, CANCELLED = 0, 1, 2, STOPPED

_VERBOSE = "verbose"
Verbose = Annotated[
    int,
    typer.Option(
        "-v",
        "--verbose",
        count=True,
        show_default=False,
        help="Tell on stderr what is done and how long it takes; -vv tells all.",
    ),
]

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
    """Wrap a command so that errors become one sentence and an exit status, and give it the flag --verbose.

    SIGHTMIX_DEBUG=1 shows the traceback too; with --json the sentence is also printed as an object on stdout,
    unless --events has told it there.
    """

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            take_over()
            _log_as_wanted(kwargs.pop(_VERBOSE, 0))
            return command(*args, **kwargs)
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except (Exception, KeyboardInterrupt) as error:
            if isinstance(error, typer.BadParameter.__mro__[2]):
                raise
            if _of_ctrl_c(error):
                error = KeyboardInterrupt()
            else:
                log_unexpected("traceback", error)
            as_json = bool(kwargs.get("as_json")) and not kwargs.get("as_events")  # events have told it
            raise typer.Exit(_report(error, as_json)) from None

    own = inspect.signature(command, eval_str=True).parameters.values()
    flag = inspect.Parameter(_VERBOSE, inspect.Parameter.KEYWORD_ONLY, default=0, annotation=Verbose)
    wrapped.__signature__ = inspect.Signature([*own, flag])  # type: ignore[attr-defined]
    wrapped.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, flag)}
    return wrapped


def _log_as_wanted(verbose: object) -> None:
    """Records go to stderr where somebody wants them; else only a job's own log gets them, and the user a sentence."""
    log = logging.getLogger("sightmix")
    level = logging.DEBUG if debugging() or verbose in range(2, 100) else logging.INFO if verbose else 0
    if level:
        logging.basicConfig(stream=sys.stderr, format="%(relativeCreated)8.0f ms  %(message)s")
        log.setLevel(level)
    elif not log.hasHandlers():
        log.addHandler(logging.NullHandler())


def _of_ctrl_c(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an error: Python makes a RuntimeError of what stops the building of a class."""
    while error is not None and not isinstance(error, KeyboardInterrupt | SightmixError):
        error = error.__cause__ or error.__context__
    return isinstance(error, KeyboardInterrupt)


def _report(error: BaseException, as_json: bool) -> int:
    status = _status(error)
    text = sentence_of(error)
    if not isinstance(error, SightmixError | KeyboardInterrupt):
        text = f"{text.removesuffix('.')}; set SIGHTMIX_DEBUG=1 to see where."
    say(f"sightmix: {text}", error=True)
    if as_json:
        print(json.dumps({"schema": "sightmix.error/1", "error": text, "exit_status": status}))
    return status


def _status(error: BaseException) -> int:
    if isinstance(error, Cancelled | KeyboardInterrupt):
        return CANCELLED
    # Looked up by name: the jobs' modules are heavy, and loaded only if they ran.
    return SOME_FAILED if type(error).__name__ == "DiskFullError" else USAGE
