"""The user's own defaults: a TOML file that says what settings are where nobody says otherwise.

media = ["~/Sound", "/Volumes/Show"]
[rebalance]
style = "full"
delivery = "ebu-r128"
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time
from pathlib import Path
from typing import Any

from ...engine.errors import SettingsError
from ...engine.files import write_text
from ...engine.legible import encodable
from .settings import SETTINGS, JobSettings, Setting, refuse_unknown

VARIABLE = "SIGHTMIX_CONFIG"  # another file, or none where it is empty
TABLE, MEDIA = "rebalance", "media"
NAME = "name"  # of a preset, which is such a file
KEYS = {setting.key: setting for setting in SETTINGS.values()}


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
    return config_folder() / "config.toml"


def config_folder() -> Path:
    """The platform's folder for this user's settings of sightmix."""
    from platformdirs import user_config_path

    return user_config_path("sightmix", appauthor=False)


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
        lines.append(f"#{setting.key} = {toml(untyped(setting, setting.default))}")
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
    refuse_unknown(data, (NAME, TABLE, MEDIA), "part of a defaults file called")
    folders, table = data.get(MEDIA, []), data.get(TABLE, {})
    if not isinstance(folders, list) or not all(isinstance(folder, str) for folder in folders):
        raise SettingsError(f'{MEDIA} must be a list of folders, such as ["~/Sound"].')
    if not isinstance(table, dict):
        raise SettingsError(f"{TABLE} must be a table: [{TABLE}] on a line of its own.")
    refuse_unknown(table, KEYS, "setting")
    settings = {KEYS[key].name: typed(KEYS[key], value) for key, value in table.items()}
    replace(JobSettings(), **settings)  # refuses what they cannot be
    media = tuple(path.parent / Path(folder).expanduser() for folder in folders)
    return Defaults(path, True, settings, media)


def typed(setting: Setting, value: Any) -> Any:
    """The setting's value of what a file says; SettingsError for another kind. A loudness may be a bare number."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if setting.kind is str and number:
        return str(value)
    if setting.kind is float and number:
        return float(value)
    if type(value) is not setting.kind:
        wanted = {bool: "true or false", str: "a text in quotes", int: "a whole number", float: "a number"}
        raise SettingsError(f"{setting.key} must be {wanted[setting.kind]}, not {value!r}.")
    return not value if setting.negative else value


def untyped(setting: Setting, value: Any) -> Any:
    """A setting's value as a file says it: what `typed` turns back."""
    return not value if setting.negative else value


def toml(value: Any) -> str:
    """A value as TOML, on one line; raises SettingsError for what TOML has no words for."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(encodable(value), ensure_ascii=False).replace("\x7f", "\\u007F")
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{toml(str(key))} = {toml(v)}' for key, v in value.items())}}}"
    raise SettingsError(f"{value!r} cannot be written in a file of settings.")
