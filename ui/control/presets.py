"""Presets: settings under a name, one file each, of the same form as the file of the user's own defaults."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

from ...engine.errors import SettingsError, SightmixError, WriteError
from ...engine.files import write_bytes, write_error
from ...engine.legible import printable
from ...engine.locks import BusyError, holding_folder
from ...plugin.jobs.defaults import KEYS, NAME, TABLE, config_folder, toml, typed, untyped
from ...plugin.jobs.names import ascii_slug
from ...plugin.jobs.settings import JobSettings, Setting, refuse_unknown
from ..base.topics import Topic
from .history import Deed, History
from .options import OFFERED, Options

SUFFIX = ".toml"
SHIPPED = Path(__file__).parent / "shipped"
KEPT = tuple(setting for setting in OFFERED if not setting.local)  # what a preset holds
_LONGEST = 60  # letters of a name
_LARGEST = 1 << 20  # bytes of a file
_PATIENCE = 2.0  # s that another panel may take to write a file
_HEAD = "# A preset of sightmix. The command line takes it too: SIGHTMIX_CONFIG=this-file sightmix rebalance ...\n"


@dataclass(frozen=True)
class Preset:
    """Settings under a name; `values` by their names in JobSettings, `data` all that the file holds.

    `warnings` are sentences on what in it is not used and yet kept. `content` is the file as it was read.
    """

    key: str
    name: str
    path: Path
    values: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    content: bytes = b""
    shipped: bool = False

    @property
    def file_name(self) -> str:
        """What a copy of it for somebody else is called, on any host."""
        return _slug(self.name) + SUFFIX


class Presets:
    """The presets there are: those that come with sightmix, and the user's in `folder`.

    Every change can be undone. Files are changed only where they are still what this panel has read, so that two
    panels never destroy each other's; `said` tells where that stands in the way of undoing. What is done raises
    SettingsError or WriteError where it cannot be.
    """

    def __init__(self, history: History, options: Options, folder: Path | None = None) -> None:
        self.changed: Topic[[]] = Topic()
        self.said: Topic[[str]] = Topic()
        self.folder = config_folder() / "presets" if folder is None else folder
        self.broken: tuple[str, ...] = ()
        self._history, self._options = history, options
        self._shipped = tuple(_read(path, shipped=True) for path in sorted(SHIPPED.glob(f"*{SUFFIX}")))
        self._own: tuple[Preset, ...] = ()
        self.refresh()

    @property
    def all(self) -> tuple[Preset, ...]:
        """Every preset: ours in the order of their files, then the user's by name."""
        return (*self._shipped, *self._own)

    def find(self, key: str) -> Preset | None:
        """The preset with this key."""
        return next((preset for preset in self.all if preset.key == key), None)

    @property
    def current(self) -> Preset | None:
        """The preset that was chosen last, as long as it is there."""
        return self.find(self._options.preset)

    @property
    def modified(self) -> bool:
        """Whether what is set is no longer what the current preset says."""
        preset = self.current
        if preset is None:
            return False
        return any(self._options.value(name) != value for name, value in preset.values.items())

    def refresh(self) -> None:
        """Look at the folder again: another panel may have written to it."""
        found, broken = [], []
        with suppress(OSError):
            for path in sorted(self.folder.glob(f"*{SUFFIX}")):
                try:
                    found.append(_read(path))
                except SightmixError as error:
                    broken.append(str(error))
        own = tuple(sorted(found, key=lambda preset: (preset.name.casefold(), preset.key)))
        if (own, tuple(broken)) != (self._own, self.broken):
            self._own, self.broken = own, tuple(broken)
            self.changed.emit()

    # What is done with them.

    def choose(self, key: str) -> None:
        """Set what a preset says; what it does not name stays as it is."""
        preset = self._known(key)
        self._options.apply(preset.values, f"Preset {preset.name}", preset.key)

    def save(self, name: str) -> Preset:
        """Save what is set under a name; one of that name is replaced.

        If another panel has changed that one meanwhile, this is saved beside it under the next free name.
        """
        if self._options.faults:
            raise SettingsError(self._options.faults[0])
        name = self._named(name)
        self._refuse_shipped(name)
        known = self._by_name(name)
        self.refresh()
        fresh = self._by_name(name)
        if fresh is None:
            return self._add(_data(name, self._options), f"Save preset {name}", mark=True)
        if known is not None and known.content == fresh.content:
            data = _data(name, self._options, known.data)
            return self._replace(known, data, f"Save preset {name}", mark=True)
        name = self._free_name(name)
        return self._add(_data(name, self._options), f"Save preset {name}", mark=True)

    def rename(self, key: str, name: str) -> Preset:
        """Give a preset another name."""
        preset, name = self._users(key), self._named(name)
        self._refuse_shipped(name)
        other = self._by_name(name)
        if other is not None and other.key != key:
            raise SettingsError(f"There is a preset '{other.name}' already; choose another name.")
        return self._replace(preset, {**preset.data, NAME: name}, f"Rename preset {name}")

    def delete(self, key: str) -> None:
        """Remove a preset's file."""
        preset = self._users(key)
        self._do(f"Delete preset {preset.name}", preset.path, preset.content, None)

    def take_in(self, path: Path) -> Preset:
        """Copy somebody's file among the user's presets, under the next free name where its own is taken."""
        preset = _read(path)
        name = self._free_name(preset.name)
        return self._add({**preset.data, NAME: name}, f"Import preset {name}")

    def hand_out(self, key: str, path: Path) -> None:
        """Write a preset to a file for somebody else."""
        write_bytes(path, _rendered(self._known(key).data))

    # How it is done.

    def _known(self, key: str) -> Preset:
        preset = self.find(key)
        if preset is None:
            raise SettingsError("This preset is no longer there.")
        return preset

    def _users(self, key: str) -> Preset:
        preset = self._known(key)
        if preset.shipped:
            raise SettingsError(
                f"'{preset.name}' comes with sightmix and stays as it is; save it under a name of yours."
            )
        return preset

    def _by_name(self, name: str) -> Preset | None:
        return next((one for one in self._own if one.name.casefold() == name.casefold()), None)

    def _refuse_shipped(self, name: str) -> None:
        if any(one.name.casefold() == name.casefold() for one in self._shipped):
            raise SettingsError(f"A preset '{name}' comes with sightmix; choose another name.")

    @staticmethod
    def _named(name: str) -> str:
        clean = _clean(name)
        if not clean:
            raise SettingsError("A preset needs a name.")
        return clean

    def _free_name(self, name: str) -> str:
        taken = {preset.name.casefold() for preset in self.all}
        if name.casefold() not in taken:
            return name
        tails = (f" {number}" for number in count(2))
        candidates = (name[: _LONGEST - len(tail)] + tail for tail in tails)
        return next(one for one in candidates if one.casefold() not in taken)

    def _add(self, data: Mapping[str, Any], deed: str, *, mark: bool = False) -> Preset:
        slug = _slug(str(data[NAME]))
        for number in count(1):
            path = self.folder / f"{slug if number == 1 else f'{slug}_{number}'}{SUFFIX}"
            if not path.exists():
                with suppress(_ChangedError):  # another panel took the name first
                    self._do(deed, path, None, _rendered(data), mark=mark)
                    return self._known(path.name)
        raise AssertionError

    def _replace(self, preset: Preset, data: Mapping[str, Any], deed: str, *, mark: bool = False) -> Preset:
        self._do(deed, preset.path, preset.content, _rendered(data), mark=mark)
        return self._known(preset.key)

    def _do(
        self, name: str, path: Path, before: bytes | None, after: bytes | None, *, mark: bool = False
    ) -> None:
        earlier = self._options.preset

        def step(old: bytes | None, new: bytes | None, key: str) -> None:
            self._swap(path, old, new)
            self.refresh()
            if mark:
                self._options.mark(key)

        step(before, after, path.name)
        redo, undo = (lambda: step(before, after, path.name)), (lambda: step(after, before, earlier))
        self._history.record(Deed(name, lambda: self._try(redo), lambda: self._try(undo)))

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except SightmixError as error:
            self.refresh()
            self.said.emit(str(error))

    def _swap(self, path: Path, before: bytes | None, after: bytes | None) -> None:
        """Make a file that still is `before` into `after`; None where there is none."""
        with _alone(path.parent):
            if _content(path) != before:
                raise _ChangedError(
                    f"{path} was changed by somebody else meanwhile; it was left as it is. Look at it again."
                )
            if after is not None:
                write_bytes(path, after)
                return
            try:
                path.unlink()
            except OSError as error:
                raise write_error(path, error) from error


class _ChangedError(WriteError):
    """A file is no longer what this panel has read."""


def parse(content: bytes, path: Path, *, shipped: bool = False) -> Preset:
    """A preset out of a file's content; raises SettingsError where it is no TOML or no preset.

    What nobody knows, or what cannot be, is warned of and kept in `data`.
    """
    try:
        data = tomllib.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"{path} cannot be read as a preset: {error}.") from error
    table, name = data.get(TABLE), data.get(NAME, path.stem)
    if not isinstance(table, dict):
        raise SettingsError(f"{path} is no preset: it has no table [{TABLE}].")
    values: dict[str, Any] = {}
    warnings: list[str] = []
    for key, value in table.items():
        try:
            refuse_unknown([key], KEYS, "setting")
            values.update(_taken(KEYS[key], value, values))
        except SettingsError as error:
            warnings.append(f"{error} It is kept and not used.")
    return Preset(
        path.name, _clean(str(name)) or path.stem, path, values, data, tuple(warnings), content, shipped
    )


def _taken(setting: Setting, value: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """A setting of a preset's with those before it; raises SettingsError where it cannot be."""
    if setting.local:
        raise SettingsError(f"'{setting.key}' belongs to one computer and is not taken from a preset.")
    found = {setting.name: typed(setting, value)}
    replace(JobSettings(), **{**values, **found})
    return found


def _read(path: Path, *, shipped: bool = False) -> Preset:
    try:
        if path.stat().st_size > _LARGEST:
            raise SettingsError(f"{path} is no preset: it is larger than any of them.")
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror or error}.") from error
    return parse(content, path, shipped=shipped)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise write_error(path, error) from error


def _data(name: str, options: Options, earlier: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a file holds for what is set, with what an earlier one holds that nobody knows."""
    kept = dict(earlier or {})
    table = {setting.key: untyped(setting, options.value(setting.name)) for setting in KEPT}
    return {**kept, NAME: name, TABLE: {**kept.get(TABLE, {}), **table}}


def _rendered(data: Mapping[str, Any]) -> bytes:
    """A preset's file: what is no table first, as TOML asks for."""
    plain = {key: value for key, value in data.items() if not isinstance(value, dict)}
    lines = [_HEAD, *(f"{_key(key)} = {toml(value)}\n" for key, value in plain.items())]
    for name, table in data.items():
        if isinstance(table, dict):
            lines.append(f"\n[{_key(name)}]\n")
            lines += [f"{_key(key)} = {toml(value)}\n" for key, value in table.items()]
    return "".join(lines).encode()


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("-", "a").replace("_", "a").isalnum()
    return key if bare else toml(key)


def _clean(name: str) -> str:
    """A name on one line, as screens can show it."""
    return printable(" ".join(name.split()))[:_LONGEST].strip()


def _slug(name: str) -> str:
    return ascii_slug(name, otherwise="preset").casefold()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other panels away from a folder, which is made where it is not there; waits for one that is at work."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(folder, error) from error
    end = time.monotonic() + _PATIENCE
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(holding_folder(folder))
                break
            except BusyError:
                if time.monotonic() >= end:
                    raise
            time.sleep(0.01)
        yield
