"""Films and folders of stems to build shards from: finding them, their licences, and which split they fall in."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from ...errors import MediaError, SettingsError
from ...media.reader import MediaInfo, probe
from ...separation.base import role_of
from .levels import STEMS
from .recipes import SPLITS

SIDECAR = "sightmix.json"
VIDEO = frozenset(
    {
        ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mxf", ".mpg",
        ".mpeg", ".ts", ".m2ts", ".mts", ".wmv", ".flv", ".ogv", ".3gp",
    }
)  # fmt: skip
AUDIO = frozenset(
    {
        ".wav", ".flac", ".mp3", ".m4a", ".aac", ".ogg", ".oga", ".opus", ".aif",
        ".aiff", ".w64", ".rf64", ".bwf", ".caf", ".wma", ".mka", ".ac3", ".eac3",
    }
)  # fmt: skip
_MIXES = ("mix", "mixture", "mixdown", "master")
_FACTS = ("licence", "credit", "split")


@dataclass(frozen=True)
class Film:
    """A film, or a set of stems: `files` are (role, path), the role "mix" or one of the stems, `picture` its picture.

    `name` is its path below the folder that was given, `id` the same as a short word for file names.
    """

    id: str
    name: str
    files: tuple[tuple[str, Path], ...]
    picture: Path | None
    licence: str
    credit: str
    split: str

    @property
    def is_stems(self) -> bool:
        """Whether its stems are given, so that nothing needs separating."""
        return self.files[0][0] != "mix"

    @property
    def duration(self) -> Fraction:
        """Length of its sound in seconds; raises `MediaError` if a file has none or cannot be read."""
        return max(_sounding(path).audio[0].duration for _, path in self.files)


def _sounding(path: Path) -> MediaInfo:
    info = probe(path)
    if not info.audio:
        raise MediaError(f"{path} has no sound.")
    return info


def find_films(
    sources: Sequence[Path], licence: str = "", validation: float = 0.1, test: float = 0.1
) -> list[Film]:
    """Every film and set of stems in folders (or single files), by name.

    Stems are files called after them (`speech.wav`, `Scene 4_DX.wav`), two or more of a set: all that share the name
    before that word, or the folder. A licence comes from a JSON file beside the film (`film.json`, `film.mp4.json`)
    or from the nearest `sightmix.json` at or above it, else from `licence`. A film's split follows from its name
    alone, `validation` and `test` being their shares, unless such a file gives one. Raises `SettingsError` for a film
    without a licence or a side file that is wrong, `MediaError` where there is nothing.
    """
    films: dict[str, Film] = {}
    for source in sources:
        if not source.exists():
            raise MediaError(f"{source} does not exist; give a folder of films or of stems.")
        for name, files, picture in _grouped(source):
            facts = {"licence": licence, **_facts(files[0][1], name, source)}
            if not facts["licence"]:
                raise SettingsError(
                    f'No licence is known for {files[0][1]}: give --licence, or write {{"licence": …}} into '
                    f"{files[0][1].with_suffix('.json').name} beside it or {SIDECAR} above it."
                )
            known = facts.get("split") or split_of(name, validation, test)
            films[name] = Film(
                _id(name), name, files, picture, facts["licence"], facts.get("credit", ""), known
            )
    if not films:
        raise MediaError(f"There are no films and no stems in {', '.join(str(s) for s in sources)}.")
    return [films[name] for name in sorted(films)]


def split_of(name: str, validation: float, test: float) -> str:
    """The split a film falls in by its name: the same on every computer, whatever else is there."""
    place = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) / 2**64
    return SPLITS[2] if place < test else SPLITS[1] if place < test + validation else SPLITS[0]


def _id(name: str) -> str:
    word = re.sub(r"[^a-z0-9]+", "-", Path(name).with_suffix("").as_posix().lower()).strip("-")[-40:]
    return f"{word}-{hashlib.sha256(name.encode()).hexdigest()[:8]}".lstrip("-")


def _grouped(source: Path) -> Iterator[tuple[str, tuple[tuple[str, Path], ...], Path | None]]:
    """Films and sets of stems of one source as (name, files by role, picture)."""
    if source.is_file():
        yield source.name, (("mix", source),), source
        return
    found = [p for p in sorted(source.rglob("*")) if _is_media(p, source)]
    sets = {key: files for key, files in _sets(found).items() if len({role for role, _ in files}) > 1}
    taken = {path for files in sets.values() for _, path in files}
    for (folder, prefix), files in sets.items():
        picture = _picture(folder, prefix, found)
        taken |= {picture} if picture else set()
        # The mix of a set of stems is no film of its own.
        taken |= {p for p in found if p.parent == folder and _is_mix(p, prefix)}
        ordered = tuple(sorted(files, key=lambda file: (STEMS.index(file[0]), file[1])))
        yield _named(source, folder / prefix if prefix else folder), ordered, picture
    for path in found:
        if path not in taken:
            yield _named(source, path), (("mix", path),), path


def _is_media(path: Path, source: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(source).parts)
    return path.suffix.lower() in VIDEO | AUDIO and not hidden and path.is_file()


def _named(source: Path, path: Path) -> str:
    return (Path(source.resolve().name) / path.relative_to(source)).as_posix()


def _parts(path: Path) -> tuple[str, str]:
    """A file name before its last word, and that word: ("Scene 4", "DX") of "Scene 4_DX.wav"."""
    prefix, _, word = re.sub(r"[ ._-]+", "\0", path.stem).rpartition("\0")
    return path.stem[: len(path.stem) - len(word)].rstrip(" ._-") if prefix else "", word


def _sets(paths: Sequence[Path]) -> dict[tuple[Path, str], list[tuple[str, Path]]]:
    sets: dict[tuple[Path, str], list[tuple[str, Path]]] = {}
    for path in paths:
        prefix, word = _parts(path)
        role = role_of(word)
        if role is not None and path.suffix.lower() in AUDIO:
            sets.setdefault((path.parent, prefix), []).append((role, path))
    return sets


def _is_mix(path: Path, prefix: str) -> bool:
    before, word = _parts(path)
    return before == prefix and word.lower() in _MIXES


def _picture(folder: Path, prefix: str, found: Sequence[Path]) -> Path | None:
    """The video called like a set of stems, or the only one in the folder of a set that has its own."""
    videos = [p for p in found if p.parent == folder and p.suffix.lower() in VIDEO]
    named = [p for p in videos if p.stem == prefix] if prefix else videos
    return named[0] if len(named) == 1 else None


def _facts(path: Path, name: str, source: Path) -> dict[str, str]:
    """What side files say of a film; the nearest one that says something counts."""
    root = source if source.is_dir() else source.parent
    stem = path.parent / Path(name).name
    near = [
        path.with_name(f"{path.name}.json"),
        path.with_suffix(".json"),
        stem.with_name(f"{stem.name}.json"),
    ]
    folders = [folder for folder in path.parents if folder == root or root in folder.parents]
    facts: dict[str, str] = {}
    for file in [*near, *(folder / SIDECAR for folder in folders)]:
        if file.is_file():
            facts = {**_read_facts(file), **facts}
    return facts


def _read_facts(path: Path) -> dict[str, str]:
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"The side file {path} cannot be read: {error}.") from error
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        raise SettingsError(f"The side file {path} must be one JSON object of texts: {', '.join(_FACTS)}.")
    for entry in data:
        if entry not in _FACTS:
            near = difflib.get_close_matches(entry, _FACTS, 1)
            hint = f"; did you mean '{near[0]}'?" if near else f"; there are {', '.join(_FACTS)}."
            raise SettingsError(f"The side file {path} has an unknown entry '{entry}'{hint}")
    if data.get("split", SPLITS[0]) not in SPLITS:
        raise SettingsError(f"The side file {path}: split is one of {', '.join(SPLITS)}.")
    return data
