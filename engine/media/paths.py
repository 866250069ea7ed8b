"""From what a timeline calls its media to a path on this machine."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote

_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_ON_WINDOWS = os.name == "nt"


def is_foreign(text: str, windows: bool = _ON_WINDOWS) -> bool:
    """Whether a path names a drive or server in a way that only Windows understands, seen from elsewhere."""
    return not windows and (bool(_DRIVE.match(text)) or text.startswith(("\\\\", "//")))


def is_remote(url: str) -> bool:
    """Whether a reference points somewhere that is no file: http, s3 and the like."""
    scheme = _SCHEME.match(url)
    return scheme is not None and scheme.group(1).lower() != "file" and not _DRIVE.match(url)


def _decoded(text: str) -> str:
    return unquote(text, errors="surrogateescape")


def _after_host(rest: str) -> str:
    """The path inside a file URI, given what follows "file:" ("//host/path" or "/path")."""
    if not rest.startswith("//"):
        return rest
    host, _, path = rest[2:].partition("/")
    if not host or host.lower() == "localhost":
        return "/" + path
    if _DRIVE.match(f"{_decoded(host)}/"):
        return f"/{host}/{path}"
    return f"//{host}/{path}"


def _without_root(path: str) -> str:
    """ "C:/a" for the "/C:/a" that file URIs carry."""
    return path[1:] if re.match(r"/[A-Za-z]:([\\/]|$)", path) else path


def spellings(url: str) -> list[str]:
    """Every path a reference may mean, the likeliest first.

    File URIs are percent-decoded (the text as it stands comes second, for writers that do not encode); bare
    paths are taken literally first, since "%" is a fair character in a file name.
    """
    url = url.strip()
    if url[:5].lower() == "file:":
        rest = url[5:].replace("\\", "/")
        inner = _after_host(rest)
        found = [_without_root(_decoded(inner)), _without_root(inner)]
        if inner.startswith("//"):
            found.append(_decoded(rest[2:]))
        if "\\" in url:
            found.append(_without_root(_decoded(_after_host(url[5:]))))
        return list(dict.fromkeys(found))
    found = [url, _decoded(url)]
    if not _DRIVE.match(url) and not url.startswith("\\\\"):
        found += [text.replace("\\", "/") for text in found]
    return list(dict.fromkeys(found))


def _forms(text: str) -> Iterator[str]:
    """A name as it is and in both Unicode normal forms: macOS stores accents apart, others do not."""
    yield from dict.fromkeys((text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)))


def _basename(text: str) -> str:
    return re.split(r"[\\/]", text)[-1]


def shown_name(name: str, url: str, path: Path | None = None) -> str:
    """A name taken from an address, without the address's escapes; the address's own last part where it is empty.

    Names that are not the address's, with or without an ending, stay as they are, and so do the per-cent signs of
    plain paths and of files that are really called so (`path`, where it was found).
    """
    raw = _basename(url.rstrip("/\\"))
    name = name or raw or url
    plain = _decoded(name)
    if name not in (raw, raw.rpartition(".")[0]) or plain == name:
        return name
    found = path.name if path is not None else ""
    is_uri = url[:5].lower() == "file:" and found != raw
    return plain.encode("utf-8", "replace").decode() if is_uri or found == _decoded(raw) else name


def locate(url: str, base: Path, folders: Sequence[Path] = ()) -> Path:
    """The file a reference means: the first spelling that exists, relative ones taken from `base`.

    Files not found are looked for by name in `folders` (relinking). Where nothing exists the likeliest
    spelling is returned, so that it can be named to the user.
    """
    first: Path | None = None
    names = spellings(url)
    for text in (form for name in names for form in _forms(name)):
        path = Path(text) if is_foreign(text) else base / text
        if first is None:
            first = path
        if not is_foreign(text) and os.path.isfile(path):  # noqa: PTH113  (swallows names the system refuses)
            return path
    for folder in folders:
        for form in _forms(_basename(names[0])):
            if form and os.path.isfile(folder / form):  # noqa: PTH113
                return folder / form
    return first or base
