"""Names of delivered files: PROJECT_REEL_DX_2.0_48k24_v001.wav, and versions that never overwrite."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..engine.errors import SettingsError, WriteError
from ..engine.media.layout import Layout
from ..engine.roles import DELIVERED

STEMS = DELIVERED
_NAME = re.compile(
    r"(?P<base>.+)_(?P<stem>[A-Z]+)_(?P<layout>[1-9]\d?\.\d(?:\.\d)?)_(?P<format>\d+(?:\.\d+)?k\d+)_v(?P<version>\d{3,})"
    r"(?:\.(?P<speaker>[A-Za-z]+\d?))?\.wav"
)
_HIGHEST = 9999


@dataclass(frozen=True)
class StemName:
    """The parts of a delivered file's name; `base` is project and reel, `speaker` empty for interleaved files."""

    base: str
    stem: str
    layout: str
    format: str
    version: int
    speaker: str = ""

    @property
    def file(self) -> str:
        """The file's name."""
        speaker = f".{self.speaker}" if self.speaker else ""
        return f"{self.base}_{self.stem}_{self.layout}_{self.format}_v{self.version:03d}{speaker}.wav"


def token(text: str, otherwise: str = "") -> str:
    """`text` as a part of a name: ASCII letters, digits, dots and hyphens; `otherwise` where nothing is left."""
    flat = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9.]+", "-", flat)[:40].strip("-.") or otherwise


def base_name(*parts: str) -> str:
    """Project, reel and whatever else names a set, joined; empty parts are left out."""
    return "_".join(part for part in (token(text) for text in parts) if part) or "PROJECT"


def layout_name(layout: Layout) -> str:
    """A layout as names have it, such as "5.1"; SettingsError for channels that no speakers are known for."""
    if not layout.placed:
        raise SettingsError(
            f"Stems of {layout.channels} channels have no standard name; export 1 to 8 channels."
        )
    return layout.figures


def format_name(sample_rate: int, bits: int) -> str:
    """Sample rate (Hz) and bit depth as names have them, such as "48k24"."""
    return f"{sample_rate / 1000:g}k{bits}"


def parse(path: Path) -> StemName | None:
    """A file's name taken apart, None where it is not one of these."""
    found = _NAME.fullmatch(path.name)
    if found is None or found["stem"] not in STEMS:
        return None
    return StemName(
        found["base"],
        found["stem"],
        found["layout"],
        found["format"],
        int(found["version"]),
        found["speaker"] or "",
    )


@contextmanager
def next_version(folder: Path, bases: Sequence[str]) -> Iterator[int]:
    """The first version above every one that any of `bases` has in `folder`, held while the block runs.

    Two exports at the same time get different versions. Raises WriteError where the folder cannot be written.
    """
    taken = _taken(folder, set(bases))
    for version in range(max(taken, default=0) + 1, _HIGHEST + 1):
        lock = folder / f".{bases[0]}_v{version:03d}.lock"
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            continue
        except OSError as error:
            raise WriteError(f"{folder} cannot be written: {error.strerror or error}.") from error
        try:
            # Another export may have finished between our look and our hold.
            if version in _taken(folder, set(bases)):
                continue
            yield version
            return
        finally:
            lock.unlink(missing_ok=True)
    raise WriteError(f"{folder} holds {_HIGHEST} versions of {bases[0]}; choose another folder.")


def _taken(folder: Path, bases: set[str]) -> set[int]:
    try:
        names = [parse(path) for path in folder.iterdir()]
    except OSError as error:
        raise WriteError(f"{folder} cannot be read: {error.strerror or error}; create it first.") from error
    return {name.version for name in names if name is not None and name.base in bases}
