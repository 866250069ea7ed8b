"""Bundles in one file (.otioz): the timeline out of them, and the media that it names in the user's cache.

The media are unpacked rather than played out of the archive, since results go on pointing at them and no host looks
into archives. What an archive may unpack to is bounded, and nothing remains of one that is refused.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import shutil
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ...engine.errors import TimelineError
from ...engine.files import put_in_place, staging
from ...engine.limits import UNPACKED_MB, check_document_size, megabytes, size_text
from ...engine.media.paths import spellings

PLAYLIST = "content.otio"
# Media hardly shrink, and bundles store them as they are: what would grow more than this is no bundle of media.
_GROWTH = 20
_SMALL = 1024  # MB: what any bundle may unpack to
_MOST_MEMBERS = 100_000
_SPARE = 1 << 30  # bytes left free on the disk
_ENCRYPTED = 0x1 | 0x40 | 0x2000  # of the general purpose flags (APPNOTE 4.4.4)
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, KeyError, ValueError, RuntimeError,
    OverflowError,
)  # fmt: skip


class Bundle:
    """A bundle open for reading, as a context. Raises TimelineError for what is damaged, encrypted or out of bounds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with _refusals(path):
            self._zip = zipfile.ZipFile(path)

    def __enter__(self) -> Bundle:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def text(self) -> bytes:
        """The timeline's document."""
        with _refusals(self.path):
            info = self._zip.getinfo(PLAYLIST)
            self._check_members([info])
            check_document_size(self.path, info.file_size)
            return self._zip.read(info)

    def unpacked(self, root: Mapping[str, Any]) -> Path:
        """The folder that the media which a parsed timeline names lie in, unpacked by now or before."""
        with _refusals(self.path):
            facts = self.path.stat()
            key = f"{self.path.resolve()}|{facts.st_mtime_ns}|{facts.st_size}"
            stem = os.fsencode(self.path.stem)[:80].decode(errors="ignore")
            target = bundle_cache() / f"{stem}-{hashlib.sha256(os.fsencode(key)).hexdigest()[:16]}"
            if target.is_dir():
                return target
            members = self._named(root)
            self._check_members(members)
            self._check_size(sum(info.file_size for info in members), facts.st_size)
            self._unpack(members, target)
        return target

    def _named(self, root: Mapping[str, Any]) -> list[zipfile.ZipInfo]:
        """The members that are named by a media reference, or lie in a folder that one names."""
        members = self._zip.infolist()
        if len(members) > _MOST_MEMBERS:
            raise TimelineError(
                f"{self.path} holds {len(members)} files, more than any bundle; export it again."
            )
        named = {
            unicodedata.normalize("NFC", str(PurePosixPath(text)))
            for url in _urls(root)
            for text in spellings(url)
        }
        return [
            info
            for info in members
            if not info.is_dir() and any(name in named for name in _with_folders(info.filename))
        ]

    def _check_members(self, members: Sequence[zipfile.ZipInfo]) -> None:
        for info in self._zip.infolist():
            parts = info.filename.replace("\\", "/").split("/")
            if ".." in parts or not parts[0] or parts[0].endswith(":"):
                raise TimelineError(
                    f"{self.path} holds a file that would be written outside it ({info.filename[:80]}); "
                    "do not trust it."
                )
        if any(info.flag_bits & _ENCRYPTED for info in members):
            raise TimelineError(f"{self.path} is encrypted; export it without a password.")

    def _check_size(self, size: int, own: int) -> None:
        """Refuse what would unpack to more than its own size can account for, or than the disk has room for."""
        most = max(megabytes(UNPACKED_MB, _SMALL) << 20, _GROWTH * own)
        if size > most:
            raise TimelineError(
                f"{self.path} would unpack from {size_text(own)} to {size_text(size)}, more than media can shrink; if "
                f"it is meant so, set {UNPACKED_MB} to {-(-size >> 20)}."
            )
        bundle_cache().mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(bundle_cache()).free - _SPARE
        if size > free:
            raise TimelineError(
                f"{self.path} would unpack to {size_text(size)}, and the disk of {bundle_cache()} has room for "
                f"{size_text(max(0, free))}; free some space, or run sightmix clean."
            )

    def _unpack(self, members: Sequence[zipfile.ZipInfo], target: Path) -> None:
        with staging(target) as partial:
            folder = partial / target.name
            folder.mkdir()
            for info in members:
                self._zip.extract(info, folder)
            if not target.is_dir():  # nobody else unpacked it meanwhile
                put_in_place(folder, target)


class _refusals:  # noqa: N801  (used as a function)
    """Turns what an archive makes its reader raise inside the block into a TimelineError."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, NotImplementedError):
            why = " ".join(str(error).split())[:80]
            raise TimelineError(
                f"{self._path} is packed in a way that is not read ({why}); export it again."
            ) from error
        if isinstance(error, _DAMAGED):
            raise TimelineError(
                f"{self._path} is not an OTIO bundle, or is damaged; export it again."
            ) from error
        if isinstance(error, OSError):
            raise TimelineError(f"{self._path} cannot be unpacked: {error.strerror or error}.") from error


def bundle_cache() -> Path:
    """Where bundles are unpacked: the user's cache folder, so that results may go on pointing at their media."""
    home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(home) if home else Path.home() / ".cache") / "sightmix" / "bundles"


def _with_folders(name: str) -> Iterator[str]:
    """A member's name and those of the folders it lies in."""
    path = PurePosixPath(unicodedata.normalize("NFC", name))
    yield str(path)
    yield from (str(folder) for folder in path.parents if folder.name)


def _urls(value: Any) -> Iterator[str]:
    """What the media references of a parsed document call their files and folders."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            for key in ("target_url", "target_url_base"):
                if isinstance(one.get(key), str):
                    yield one[key]
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
