"""Command-line flags derived from the table of settings."""

from __future__ import annotations

from typing import Any

import typer

from ..jobs.settings import SETTINGS, JobSettings

DEFAULTS = JobSettings()


def flag(name: str) -> Any:
    """The typer option for a setting: its help with unit, range and default."""
    setting = SETTINGS[name]
    if setting.kind is bool:
        return typer.Option(setting.flag, help=setting.help)
    text = setting.help
    if setting.low is not None and setting.high is not None:
        unit = f" {setting.unit}" if setting.unit else ""
        text = f"{text} {setting.low:g} to {setting.high:g}{unit}."
    metavar = "|".join(setting.choices) or setting.unit.upper() or setting.kind.__name__.upper()
    if setting.kind is str and not setting.choices:
        metavar = setting.unit or "NAME"
    return typer.Option(setting.flag, help=text, metavar=metavar, show_default=setting.default != "")
