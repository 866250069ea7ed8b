"""What the user wants of the window: theme, language, size of type, motion, and where its parts were left."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from ...engine.files import WholeFile
from ...engine.legible import json_text
from ...plugin.jobs.defaults import defaults_path
from ..base.topics import Topic

FILE = "panel.json"
THEMES = ("dark", "light", "system")
SCALES = (0.85, 1.0, 1.15, 1.3, 1.5, 1.75, 2.0)
_LARGEST = 1 << 20  # bytes of a file that is read
_PLACES = 64  # entries of `places` that are kept


@dataclass(frozen=True)
class Wishes:
    """What the file holds. `language` is "" for the system's; `scale` is that of type, 1 for 12 px.

    `toured` says that the tour has been seen or declined, `sound_device` what is played on ("" for the system's).
    `geometry` is the window's, in Qt's own words, and `places` the sizes of its parts by name of the divider.
    """

    theme: str = "dark"
    language: str = ""
    scale: float = 1.0
    motion: bool = True
    toured: bool = False
    sound_device: str = ""
    geometry: str = ""
    places: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Wishes:
        """What `asdict` gave; anything that is no such wish is left at what it is by itself."""
        found = cls()
        for name, read in _READ.items():
            with suppress(KeyError, TypeError, ValueError, AttributeError):
                wish: dict[str, Any] = {name: read(data[name])}
                found = replace(found, **wish)
        return found


def _theme(value: Any) -> str:
    if value not in THEMES:
        raise ValueError(value)
    return str(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def _scale(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return min(SCALES, key=lambda scale: abs(scale - number))


def _places(value: Any) -> dict[str, tuple[int, ...]]:
    pairs = list(value.items())[:_PLACES]
    return {str(name): tuple(max(0, int(size)) for size in sizes) for name, sizes in pairs}


_READ = {
    "theme": _theme,
    "language": _text,
    "scale": _scale,
    "motion": _flag,
    "toured": _flag,
    "sound_device": _text,
    "geometry": _text,
    "places": _places,
}


def preferences_path() -> Path | None:
    """Where the file lies: beside the user's defaults; None where nothing is to be read or written there."""
    path = defaults_path()
    return None if path is None else path.with_name(FILE)


class Preferences:
    """The user's wishes, kept in a file among their settings; `path` None keeps them for as long as the panel runs.

    A file that cannot be read is as if it were not there, and one that cannot be written costs nothing else: `trouble`
    then says why. `changed` names the wish that is another now.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.changed: Topic[[str]] = Topic()
        self.trouble = ""
        self._path = path
        self._wishes = self._read()

    @property
    def wishes(self) -> Wishes:
        """What is wanted."""
        return self._wishes

    def set(self, **wishes: Any) -> None:
        """Want something else; raises TypeError for what is no wish."""
        known = {item.name for item in fields(Wishes)}
        unknown = sorted(set(wishes) - known)
        if unknown:
            raise TypeError(f"no such wish: {', '.join(unknown)}")
        before = self._wishes
        self._wishes = replace(before, **wishes)
        differing = [name for name in wishes if getattr(before, name) != getattr(self._wishes, name)]
        if differing:
            self._write()
        for name in differing:
            self.changed.emit(name)

    def place(self, name: str, sizes: tuple[int, ...]) -> None:
        """Remember how large the parts on the sides of a divider are."""
        self.set(places={**self._wishes.places, name: sizes})

    def step_scale(self, steps: int) -> None:
        """Larger or smaller type, by steps; 0 for the usual size."""
        at = SCALES.index(_scale(self._wishes.scale)) if steps else SCALES.index(1.0)
        self.set(scale=SCALES[max(0, min(len(SCALES) - 1, at + steps))])

    def _read(self) -> Wishes:
        if self._path is None:
            return Wishes()
        try:
            with self._path.open("rb") as file:
                data = json.loads(file.read(_LARGEST))
        except (OSError, ValueError):
            return Wishes()
        return Wishes.from_dict(data) if isinstance(data, dict) else Wishes()

    def _write(self) -> None:
        if self._path is None:
            return
        self.trouble = ""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with WholeFile(self._path, durable=False) as file:
                file.write(json_text(asdict(self._wishes), indent=1).encode())
        except OSError as error:
            self.trouble = f"{self._path} cannot be written ({error.strerror or error})."
