"""File names of results: stable, readable, plain ASCII."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from ..timeline.save import suffixes

_LONGEST = 40
_RESULT_SUFFIX = ".otio"
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)


def ascii_slug(text: str, longest: int = _LONGEST) -> str:
    """`text` as letters, digits, dots, dashes and underscores; "clip" where nothing is left of it."""
    flat = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^A-Za-z0-9.-]+", "_", flat)[:longest].strip("._-")
    if not slug or _RESERVED.fullmatch(slug.partition(".")[0]):
        return f"clip_{slug}".rstrip("_")
    return slug


def stem_name(track: str, index: int, name: str, key: str) -> str:
    """Base name of a clip's files, such as ``A1_003_interview_1f2e3d4c``."""
    if re.search(r"\.[A-Za-z0-9]{2,4}$", name):
        name = name.rpartition(".")[0]
    return f"{ascii_slug(track, 12)}_{index:03d}_{ascii_slug(name)}_{key[:8]}"


def result_path(out: Path) -> Path:
    """`out` with the suffix of an OTIO timeline unless it has that of another kind of timeline."""
    return out if out.suffix.lower() in suffixes() else out.with_name(out.name + _RESULT_SUFFIX)


def result_folder(out: Path) -> Path:
    """The folder of media and report that belongs to the result timeline `out`."""
    base = out.stem if out.suffix.lower() == _RESULT_SUFFIX else out.name
    return out.with_name(f"{base}.sightmix")
