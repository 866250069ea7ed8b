"""How much is read of what others made: regular files only, documents up to a size that one's memory can be told."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from .errors import SettingsError, TimelineError

DOCUMENT_MB = "SIGHTMIX_DOCUMENT_MB"  # the largest timeline document that is read
UNPACKED_MB = "SIGHTMIX_UNPACKED_MB"  # the most that a bundle may unpack to, whatever its own size
_DOCUMENT = 256
FOLDER = "a folder"
_KINDS = (
    (stat.S_ISDIR, FOLDER),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def odd_kind(mode: int) -> str:
    """What something is that is no regular file, with its article; empty for one that is. `mode` is of its stat."""
    if stat.S_ISREG(mode):
        return ""
    return next((name for test, name in _KINDS if test(mode)), "no regular file")


def megabytes(variable: str, usual: int) -> int:
    """A limit in MB (2**20 bytes) as the environment has it, else the usual one. Raises SettingsError."""
    text = os.environ.get(variable, "").strip()
    if not text:
        return usual
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 10 and int(text)):
        raise SettingsError(f"{variable} is {text[:40]!r}; give a whole number of megabytes, or unset it.")
    return int(text)


def size_text(size: int) -> str:
    """A size in bytes for a sentence, such as "3.2 GB"."""
    if size >= 1e9:
        return f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:.0f} MB" if size >= 1e6 or not size else f"{-(-size // 1000)} kB"


def check_document_size(path: Path, size: int) -> None:
    """Raise TimelineError where a document of so many bytes is larger than is read at once."""
    most = megabytes(DOCUMENT_MB, _DOCUMENT)
    if size > most << 20:
        raise TimelineError(
            f"{path} is larger than a timeline is ({size_text(size)}; {most} MB are read); if it is one, set "
            f"{DOCUMENT_MB} to more."
        )


def document_bytes(path: Path) -> bytes:
    """All of a timeline's document.

    Raises TimelineError for what is no regular file (a pipe would never end), is larger than the limit of documents,
    or cannot be read.
    """
    try:
        facts = path.stat()
        kind = odd_kind(facts.st_mode)
        if kind:
            raise TimelineError(f"{path} is {kind}, not a file; name a timeline or media file.")
        check_document_size(path, facts.st_size)
        with path.open("rb") as file:
            data = file.read((megabytes(DOCUMENT_MB, _DOCUMENT) << 20) + 1)
    except OSError as error:
        raise TimelineError(f"{path} cannot be read: {error.strerror or error}.") from error
    check_document_size(path, len(data))  # files of /proc say nothing of their size
    return data
