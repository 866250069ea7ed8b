"""Media looked for by name in the folders that a user points to, as a conform does."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

# What stills, sidecars and documents beside the media are not.
_SOUND = (
    ".wav .bwf .rf64 .w64 .aif .aiff .aifc .caf .flac .mp3 .m4a .aac .ac3 .eac3 .ogg .oga .opus .wma .mka"
)
_FILM = (
    ".mov .mp4 .m4v .mkv .webm .avi .mxf .mts .m2ts .ts .mpg .mpeg .vob .wmv .flv .3gp .dv .r3d .braw .ogv"
)
_ENDINGS = frozenset(_SOUND.split()) | frozenset(_FILM.split())
_MOST = 200_000  # files of which the names are kept
_VERSION = re.compile(r"(?:\.(?:new|sub|copy)\.\d+)+$", re.IGNORECASE)  # what Avid adds to the names of clips


@dataclass(frozen=True)
class Sought:
    """What became of a search: the one file, or several that fit alike."""

    path: Path | None = None
    several: tuple[Path, ...] = ()


@dataclass
class MediaSearch:
    """Looks for files by name, whatever their case: in the folders themselves, then in those inside them.

    A name counts with its ending first, then without one. Among several that fit alike none is chosen.
    """

    folders: Sequence[Path]
    _near: list[dict[str, list[Path]]] = field(default_factory=list)
    _far: dict[str, list[Path]] = field(default_factory=dict)
    _read: bool = False

    def find(self, names: Sequence[str], stems: bool = True) -> Sought:
        """The file that the first of `names` leads to; `stems` takes names without their ending too."""
        self._index()
        for name in names:
            for wanted in _wanted(name, stems):
                for places in (*self._near, self._far):
                    found = _best(places.get(wanted, []), PurePath(name).name)
                    if len(found) == 1:
                        return Sought(found[0])
                    if found:
                        return Sought(several=tuple(found))
        return Sought()

    def _index(self) -> None:
        if self._read:
            return
        self._read = True
        for folder in self.folders:
            near: dict[str, list[Path]] = {}
            self._near.append(near)
            for path in _files(folder):
                places = near if path.parent == folder else self._far
                for key in _keys(path.name):
                    places.setdefault(key, []).append(path)


def has_media_ending(name: str) -> bool:
    """Whether a name ends as those of sound and film files do."""
    return PurePath(name).suffix.lower() in _ENDINGS


def _files(folder: Path) -> Iterator[Path]:
    count = 0
    for place, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(names):
            count += 1
            if count > _MOST:
                return
            if not name.startswith("."):
                yield Path(place) / name


def _plain(name: str) -> str:
    """A name as names are compared: no case, accents in one form."""
    return unicodedata.normalize("NFC", name).casefold()


def _keys(name: str) -> list[str]:
    """What a file is found by: its name, and for media its name without the ending, marked as such."""
    return [_plain(name), *([_plain(PurePath(name).stem) + "/"] if has_media_ending(name) else [])]


def _wanted(name: str, stems: bool) -> list[str]:
    """The keys a name may be found under, the surest first."""
    name = re.split(r"[\\/]", name.strip())[-1]
    if not name:
        return []
    bare = [name, _VERSION.sub("", name), *([PurePath(name).stem] if has_media_ending(name) else [])]
    return list(dict.fromkeys([_plain(name), *(_plain(one) + "/" for one in bare if stems and one)]))


def _best(found: Sequence[Path], name: str) -> list[Path]:
    """Each file once; those alone that are written just so, if there are any."""
    each = list({path.resolve(): path for path in found}.values())
    return [path for path in each if name in (path.name, path.stem)] or each
