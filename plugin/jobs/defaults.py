"""The user's own defaults: a TOML file that says what settings are where nobody says otherwise.

media = ["~/Sound", "/Volumes/Show"]
[rebalance]
style = "full"
delivery = "ebu-r128"
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...engine.errors import SettingsError
from ...engine.files import write_text
from .settings import SETTINGS, JobSettings, Setting, refuse_unknown

VARIABLE = "SIGHTMIX_CONFIG"  # another file, or none where it is empty
TABLE, MEDIA = "rebalance", "media"


@dataclass(frozen=True)
class Defaults:
    """What the file says: `settings` by their names in JobSettings, and more folders to look for media in.

    `path` is None where no file is read, `there` whether the file exists.
    """

    path: Path | None
    there: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    media: tuple[Path, ...] = ()


def defaults_path() -> Path | None:
    """Where the file lies: what `SIGHTMIX_CONFIG` names, or config.toml in the platform's folder for settings."""
    given = os.environ.get(VARIABLE)
    if given is not None:
        return Path(given).expanduser() if given else None
    from platformdirs import user_config_path

    return user_config_path("sightmix", appauthor=False) / "config.toml"


def read_defaults() -> Defaults:
    """What the user's file says; nothing where there is none.

    Raises SettingsError, naming the file, for what is no TOML, no setting, or a value that it cannot have.
    """
    path = defaults_path()
    if path is None or not path.is_file():
        return Defaults(path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"The defaults in {path} cannot be read: {_why(error)}.") from error
    try:
        return _checked(path, data)
    except SettingsError as error:
        raise SettingsError(f"The defaults in {path} cannot be used: {error}") from error


def template() -> str:
    """A file that sets nothing: every setting with its default and what it does, commented out."""
    lines = [
        "# Defaults of sightmix's commands. Take away the # before what is to be yours; a flag still goes first.",
        "",
        "# Also look for media in these folders.",
        f'#{MEDIA} = ["~/Sound"]',
        "",
        f"[{TABLE}]",
    ]
    for setting in SETTINGS.values():
        limits = ", ".join(setting.choices) or setting.limits
        lines += [
            "",
            f"# {setting.help}{f' One of {limits}.' if setting.choices else f' {limits}.' if limits else ''}",
        ]
        lines.append(f"#{_key(setting)} = {_toml(False if setting.negative else setting.default)}")
    return "\n".join(lines) + "\n"


def write_template() -> Path:
    """Write `template` where the file belongs, unless one is there; the path. Raises SettingsError, WriteError."""
    path = defaults_path()
    if path is None:
        raise SettingsError(
            f"{VARIABLE} is empty, so that no file is read; unset it, or name a file with it."
        )
    if path.exists():
        raise SettingsError(f"{path} is there already; edit it, or remove it first.")
    write_text(path, template(), parents=True)
    return path


def _why(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()).removesuffix(".")


def _checked(path: Path, data: Mapping[str, Any]) -> Defaults:
    refuse_unknown(data, (TABLE, MEDIA), "part of a defaults file called")
    folders, table = data.get(MEDIA, []), data.get(TABLE, {})
    if not isinstance(folders, list) or not all(isinstance(folder, str) for folder in folders):
        raise SettingsError(f'{MEDIA} must be a list of folders, such as ["~/Sound"].')
    if not isinstance(table, dict):
        raise SettingsError(f"{TABLE} must be a table: [{TABLE}] on a line of its own.")
    known = {_key(setting): setting for setting in SETTINGS.values()}
    refuse_unknown(table, known, "setting")
    settings = {known[key].name: _typed(known[key], key, value) for key, value in table.items()}
    replace(JobSettings(), **settings)  # refuses what they cannot be
    media = tuple(path.parent / Path(folder).expanduser() for folder in folders)
    return Defaults(path, True, settings, media)


def _typed(setting: Setting, key: str, value: Any) -> Any:
    """The setting's value; SettingsError for another kind. A loudness may be a bare number."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if setting.kind is str and number:
        return str(value)
    if setting.kind is float and number:
        return float(value)
    if type(value) is not setting.kind:
        wanted = {bool: "true or false", str: "a text in quotes", int: "a whole number", float: "a number"}
        raise SettingsError(f"{key} must be {wanted[setting.kind]}, not {value!r}.")
    return not value if setting.negative else value


def _key(setting: Setting) -> str:
    """A setting's name as the file has it: that of its flag."""
    return setting.flag.removeprefix("--")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value:g}"
