"""The unexpected is logged once, with its traceback; during a job into a file beside the result too."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...engine.errors import SightmixError

LOG = "job.log"
_log = logging.getLogger("sightmix")
_MARK = "_sightmix_logged"


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
