"""The unexpected is logged once, with its traceback; during a job into a file beside the result too."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...engine.errors import SightmixError
from .events import Accepted, ClipDone, Event, Lost, Observer, Planned, StageBegan
from .settings import JobSettings

LOG = "job.log"
_log = logging.getLogger("sightmix")
_MARK = "_sightmix_logged"
_DEFAULTS = JobSettings().to_dict()


class _Quiet(logging.FileHandler):
    """A log that does without its file where the file cannot be written."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        with suppress(OSError):
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (the base class's name)
        """A disk that is full has been told by the job."""


def sentence_of(error: BaseException) -> str:
    """An error as the one sentence that is shown of it."""
    text = str(error)
    if isinstance(error, KeyboardInterrupt):
        return "Stopped."
    if isinstance(error, SightmixError):
        return text
    return f"Unexpected {type(error).__name__}: {' '.join(text.split()) or 'no message'}."


def log_unexpected(what: str, error: BaseException) -> None:
    """Log an error that is no SightmixError with its traceback, unless that was done before; others at debug level."""
    if isinstance(error, SightmixError):
        _log.debug("%s", what, exc_info=error)
    elif not getattr(error, _MARK, False):
        setattr(error, _MARK, True)
        _log.error("%s", what, exc_info=error)


def logged(observe: Observer) -> Observer:
    """An observer that also logs what a job tells, in a line: stages, the plan, what became of each clip."""

    def tell(event: Event) -> None:
        text = _line(event)
        if text:
            _log.info("%s", text)
        observe(event)

    return tell


def _line(event: Event) -> str:
    """An event for the log; "" for what happens too often or is told anyway."""
    match event:
        case Accepted():
            changed = {name: v for name, v in event.settings.items() if v != _DEFAULTS[name]}
            return f"{event.source}: {', '.join(f'{name} {v}' for name, v in changed.items()) or 'default settings'}"
        case StageBegan():
            return f"stage: {event.stage}"
        case Planned():
            states = Counter(clip["status"] for clip in event.plan["clips"])
            return f"plan: {', '.join(f'{n} {state}' for state, n in states.items())}"
        case ClipDone():
            return f"clip {event.index} {event.track} '{event.name}': {event.status}"
        case Lost():
            return f"{event.where}: {event.text}"
    return ""


@contextmanager
def logged_to(folder: Path) -> Iterator[None]:
    """While a job runs, warnings and errors of sightmix go to `folder`/job.log too; no file where there are none."""
    handler = _Quiet(folder / LOG, mode="a", encoding="utf-8", delay=True)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    _log.addHandler(handler)
    try:
        yield
    finally:
        _log.removeHandler(handler)
        with suppress(OSError):
            handler.close()
