"""Writing a file whole: under its name once it is complete, and not at all before. The one place that does it.

Everything unfinished lies beside its target as `.NAME.TOKEN.sightmix.part`, locked while its process lives. A kill
leaves such files behind; the next process that writes into the folder removes those that nobody holds any more.
Modes are what the umask gives a new file. What is written reaches the disk before its name does.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import IO, Any, BinaryIO

from .errors import WriteError

# Windows has none, and removes no open file anyway.
fcntl: Any = import_module("fcntl") if os.name == "posix" else None

MARK = ".sightmix.part"
_OURS = re.compile(
    rf"\..*\.[0-9a-f]{{8}}{re.escape(MARK)}", re.DOTALL
)  # what `_temporary` gives, and nobody else
_NAME_BYTES = 80  # of the target's name in the temporary one: some file systems end names at 143 bytes
_OLD = 24 * 3600  # s: without locks, what is older was left by a kill
DISK_FULL = frozenset(getattr(errno, name) for name in ("ENOSPC", "EDQUOT") if hasattr(errno, name))
_swept: set[Path] = set()


class WholeFile:
    """A binary file, readable too, that takes the name `target` on `finish` and vanishes on `discard`.

    As a context it yields the file object, finishes at a good end and discards at any other. `mode` is the new
    file's before the umask; `durable` waits until the disk has the bytes. Raises OSError, which `write_error` turns
    into the user's sentence, as `replacing` does.
    """

    def __init__(self, target: Path, *, mode: int = 0o666, durable: bool = True) -> None:
        self.target, self._durable = target, durable
        _sweep_once(target.parent)
        self.path, self.file = _create(target, mode)

    def finish(self) -> None:
        """Complete the file and give it its name."""
        self.file.flush()
        if self._durable:
            os.fsync(self.file.fileno())
        self.file.close()
        put_in_place(self.path, self.target)

    def discard(self) -> None:
        """Close and remove what was written; without effect once finished."""
        with suppress(OSError):
            self.file.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> BinaryIO:
        return self.file

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.finish()
        finally:
            self.discard()


@contextmanager
def replacing(target: Path, *, parents: bool = False) -> Iterator[IO[bytes]]:
    """A binary file that takes the name `target` when the block ends well and vanishes when it does not.

    `parents` makes missing folders. Raises `WriteError` for anything the file system refuses.
    """
    with _refusals(target):
        if parents:
            target.parent.mkdir(parents=True, exist_ok=True)
        with WholeFile(target) as file:
            yield file


@contextmanager
def replacing_path(target: Path, *, parents: bool = False) -> Iterator[Path]:
    """A path for what opens its file (or makes its folder) itself; it takes the name `target` when the block ends well.

    The path has the target's own name, in a folder of its own beside it, which also takes whatever else the writer
    leaves there. A folder replaces a folder. Raises `WriteError` for anything the file system refuses.
    """
    with _refusals(target):
        if parents:
            target.parent.mkdir(parents=True, exist_ok=True)
        with staging(target) as folder:
            path = folder / target.name
            yield path
            _reach_disk(path)
            put_in_place(path, target)


@contextmanager
def staging(target: Path) -> Iterator[Path]:
    """An empty folder beside `target`, removed with all that is left in it at the end. Raises OSError."""
    _sweep_once(target.parent)
    folder, lock = _create_folder(target)
    try:
        yield folder
    finally:
        if lock is not None:
            os.close(lock)
        shutil.rmtree(folder, ignore_errors=True)


def write_bytes(target: Path, data: bytes, *, parents: bool = False) -> None:
    """Write `data`, all of it or nothing. Raises `WriteError`."""
    with replacing(target, parents=parents) as file:
        file.write(data)


def write_text(target: Path, text: str, *, newline: str = "\n", parents: bool = False) -> None:
    """Write `text` as UTF-8, all of it or nothing, each line ended by `newline`. Raises `WriteError`."""
    write_bytes(target, text.replace("\n", newline).encode(), parents=parents)


def place(source: Path, target: Path, *, parents: bool = False, link: bool = True) -> None:
    """The file `source` under the name `target` too: by hard link where the disk allows it and `link`, else copied.

    Raises `WriteError`, also where `source` cannot be read.
    """
    with _refusals(target):
        if parents:
            target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and target.samefile(source):
            return
        with staging(target) as folder:
            path = folder / target.name
            if not (link and _linked(source, path)):
                shutil.copy2(source, path)
                _reach_disk(path)
            put_in_place(path, target)


def put_in_place(whole: Path, target: Path) -> None:
    """Give what is whole its name, on the same disk; a folder takes a folder's place. Raises OSError."""
    if whole.is_dir() and target.is_dir():
        with staging(target) as folder:
            target.replace(folder / target.name)
            try:
                whole.replace(target)
            except OSError:
                (folder / target.name).replace(target)
                raise
    else:
        whole.replace(target)


def unfinished(folder: Path) -> list[Path]:
    """What lies unfinished in `folder`, held by a living process or left by a kill."""
    with suppress(OSError):
        return sorted(path for path in folder.iterdir() if _OURS.fullmatch(path.name))
    return []


def sweep(folder: Path) -> None:
    """Remove from `folder` what killed processes left unfinished; what a living one holds stays."""
    for path in unfinished(folder):
        with suppress(OSError):
            if not _is_left(path):
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def write_error(target: Path, error: OSError) -> WriteError:
    """What the file system refused, as one sentence with what to do."""
    if isinstance(error, FileNotFoundError | NotADirectoryError) and not target.parent.is_dir():
        why = f": the folder {target.parent} does not exist; create it or choose another"
    elif isinstance(error, PermissionError):
        why = ": permission denied; choose a folder you may write to"
    elif error.errno == errno.EROFS:
        why = ": the disk can only be read; choose a folder you may write to"
    elif error.errno in DISK_FULL:
        why = ": the disk is full; free some space and try again"
    elif error.errno == errno.EFBIG:
        why = ": it grows beyond what its disk allows; choose another disk or less to write"
    elif error.errno == errno.ENAMETOOLONG:
        why = ": its name is too long for the disk; choose a shorter one"
    elif isinstance(error, IsADirectoryError) or target.is_dir():
        why = ": a folder of that name is in the way; move it or choose another name"
    else:
        why = f" ({error.strerror or error}); check the disk"
    return WriteError(f"{target} cannot be written{why}.")


@contextmanager
def _refusals(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise write_error(target, error) from error


def _create(target: Path, mode: int) -> tuple[Path, BinaryIO]:
    """A new file beside `target`, locked against sweeping."""
    while True:
        path = _temporary(target)
        try:
            file = open(path, "x+b", 1 << 20, opener=partial(os.open, mode=mode))  # noqa: SIM115
        except FileExistsError:
            continue
        _lock(file.fileno())
        if path.exists():  # nobody swept it between its making and its lock
            return path, file
        file.close()


def _create_folder(target: Path) -> tuple[Path, int | None]:
    """A new folder beside `target`, and the descriptor that holds its lock where there are locks."""
    while True:
        path = _temporary(target)
        try:
            path.mkdir()
        except FileExistsError:
            continue
        if fcntl is None:
            return path, None
        try:
            lock = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue
        _lock(lock)
        if path.exists():
            return path, lock
        os.close(lock)


def _temporary(target: Path) -> Path:
    name = target.name.encode()[:_NAME_BYTES].decode(errors="ignore")
    return target.absolute().parent / f".{name}.{secrets.token_hex(4)}{MARK}"


def _lock(descriptor: int) -> None:
    if fcntl is not None:
        with suppress(OSError):  # a disk without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_left(path: Path) -> bool:
    """Whether no living process holds `path`; where locks cannot say, whether it is old."""
    if fcntl is not None:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            pass
        else:
            return True
        finally:
            os.close(descriptor)
    return time.time() - path.stat().st_mtime > _OLD


def _sweep_once(folder: Path) -> None:
    """Sweep a folder the first time this process writes into it."""
    folder = folder.absolute()
    if folder not in _swept:
        _swept.add(folder)
        sweep(folder)


def _linked(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except OSError:
        return False
    return True


def _reach_disk(path: Path) -> None:
    for file in [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]:
        with file.open("rb" if fcntl else "r+b") as opened:
            os.fsync(opened.fileno())
