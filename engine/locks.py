"""One run at a time writes an output; who holds it stands in a file beside it, whose lock ends with its process."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from .errors import WriteError
from .files import write_error

fcntl: Any = import_module("fcntl") if os.name == "posix" else None
msvcrt: Any = None if os.name == "posix" else import_module("msvcrt")

MARK = ".sightmix.lock"
_NAME_BYTES = 80  # of the target's name: some file systems end names at 143 bytes
_FAR = 1 << 30  # Windows forbids others to read a locked byte, so it is one far behind the holder's name
_BUSY = frozenset(getattr(errno, name) for name in ("EWOULDBLOCK", "EAGAIN", "EACCES", "EDEADLK"))


class BusyError(WriteError):
    """Another run is writing the same output."""


@contextmanager
def holding(target: Path) -> Iterator[None]:
    """Keep every other run away from the file `target` until the block ends.

    The lock is the operating system's on `.NAME.sightmix.lock` in the target's folder and ends with the process, so
    that a kill leaves a file that holds nobody up. Raises `BusyError` where another run, or another thread of this
    one, holds it, and WriteError where the folder cannot be written to.
    """
    with _held(_beside(target), target):
        yield


def check_free(target: Path) -> None:
    """Raise `BusyError` where another run holds the file `target` now; for who will hold it later, and rather asks."""
    if _beside(target).exists():
        with holding(target):
            pass


@contextmanager
def holding_folder(folder: Path) -> Iterator[None]:
    """As `holding`, for a folder that is there and all that is in it; the lock lies inside it."""
    with _held(folder.absolute() / MARK, folder):
        yield


def _beside(target: Path) -> Path:
    """The lock of a file, which names that differ in case alone share, as they do on some disks."""
    name = os.fsencode(target.name.casefold())
    if len(name) > _NAME_BYTES:
        name = name[: _NAME_BYTES - 9] + b"-" + hashlib.sha256(name).hexdigest()[:8].encode()
    return target.absolute().parent / f".{name.decode(errors='ignore')}{MARK}"


@contextmanager
def _held(path: Path, target: Path) -> Iterator[None]:
    try:
        descriptor = _taken(path, target)
    except OSError as error:
        raise write_error(target, error) from error
    try:
        yield
    finally:
        if fcntl is not None:  # before the lock goes, so that nobody else's file is removed
            with suppress(OSError):
                path.unlink()
            os.close(descriptor)
        else:  # Windows removes no open file, this one's or another's
            os.close(descriptor)
            with suppress(OSError):
                path.unlink()


def _taken(path: Path, target: Path) -> int:
    """The descriptor of the lock file, locked and with our name in it. Raises OSError and BusyError."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        try:
            if not _locked(descriptor, path):
                raise BusyError(_sentence(target, path, _holder(path)))
            if _is_at(descriptor, path):  # its last holder did not remove it meanwhile
                os.ftruncate(descriptor, 0)
                os.write(descriptor, json.dumps(_ourselves()).encode())
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _locked(descriptor: int, path: Path) -> bool:
    """Whether the file is ours now; a disk without locks goes by who is said to hold it."""
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            os.lseek(descriptor, _FAR, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            os.lseek(descriptor, 0, os.SEEK_SET)
    except OSError as error:
        return error.errno not in _BUSY and not _lives(_holder(path))
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


def _ourselves() -> dict[str, Any]:
    now = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": now, "start": _start(os.getpid())}


def _holder(path: Path) -> dict[str, Any]:
    """Who wrote the lock file; empty where that cannot be read, as in its first moment."""
    with suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    return {}


def _lives(holder: dict[str, Any]) -> bool:
    """Whether a holder may still be at work; of another machine's nobody can tell."""
    pid = holder.get("pid")
    if not isinstance(pid, int):
        return False
    if holder.get("host") != socket.gethostname() or fcntl is None:
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass
    return holder.get("start") == _start(pid)


def _start(pid: int) -> str:
    """When a process began, in its system's ticks, which tells it from a later one of its number; "" if unknown."""
    with suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    return ""


def _sentence(target: Path, path: Path, holder: dict[str, Any]) -> str:
    who = ""
    if holder:
        who = f" (process {holder.get('pid')} on {holder.get('host')}, since {str(holder.get('since'))[:19]})"
    rest = "" if holder.get("host") in (None, socket.gethostname()) else f", or delete {path} if it was lost"
    return (
        f"{target} is being written by another run of sightmix{who}; "
        f"wait until it is done{rest}, or choose another name."
    )
