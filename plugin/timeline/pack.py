"""OTIO bundles: a document and the media it plays in one file, or in one folder."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from ...engine.edit.nodes import Node, references
from ...engine.files import place, write_text
from ...engine.media.paths import is_remote, locate
from .marks import walk

PLAYLIST, VERSION, MEDIA = "content.otio", "version.txt", "media"
_VERSION = "1.0.0"  # of the bundles of OTIO's file_bundle_utils


def bundled(root: Node, base: Path) -> dict[str, Path]:
    """Point a document's references into a bundle; the files they mean, by their names in its media folder.

    Files of one name stay apart by a number. What is not there keeps its address, made absolute. Relative addresses
    count from `base`.
    """
    names: dict[Path, str] = {}
    for reference, path in _files(root, base):
        name = names.setdefault(path, _name(path, set(names.values())))
        reference["target_url"] = quote(f"{MEDIA}/{name}")
    return {name: path for path, name in names.items()}


def bundle_size(root: Node, base: Path) -> int:
    """About how many bytes the media of a document take."""
    return sum(path.stat().st_size for path in {path for _, path in _files(root, base)})


def write_bundle(text: str, media: dict[str, Path], out: Path, folder: bool) -> None:
    """Write a document's `text` and its media to `out`, not whole before the end: a folder, or a zip file.

    Media go in as they are, a block at a time. Raises OSError, and WriteError for what cannot be copied.
    """
    if folder:
        write_text(out / PLAYLIST, text, parents=True)
        write_text(out / VERSION, _VERSION)
        (out / MEDIA).mkdir()
        for name, path in media.items():
            place(path, out / MEDIA / name, link=False)
        return
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr(PLAYLIST, text, zipfile.ZIP_DEFLATED)
        packed.writestr(VERSION, _VERSION)
        for name, path in media.items():
            packed.write(path, f"{MEDIA}/{name}")


def _files(root: Node, base: Path) -> Iterator[tuple[Node, Path]]:
    """Every reference to a file that is here, and that file."""
    for node in walk(root):
        for _, reference in references(node):
            url = reference.get("target_url")
            if isinstance(url, str) and url and not is_remote(url):
                path = locate(url, base)
                if path.is_file():
                    yield reference, path.resolve()


def _name(path: Path, taken: set[str]) -> str:
    """The file's own name; with a number where another file has it, on disks that ignore case too."""
    lower = {name.casefold() for name in taken}
    name, number = PurePosixPath(path.name), 1
    while name.name.casefold() in lower:
        number += 1
        name = PurePosixPath(f"{path.stem}-{number}{path.suffix}")
    return name.name
