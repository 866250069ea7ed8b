"""Options that several commands share, each declared once, and flags derived from the table of settings."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from ..jobs.settings import SETTINGS, JobSettings, Setting

Source = Annotated[
    Path,
    typer.Argument(metavar="INPUT", help="A timeline (OTIO, XML, FCPXML, AAF, EDL) or a media file."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object; progress goes to stderr.")]
AsEvents = Annotated[
    bool, typer.Option("--events", help="Print what happens as it happens, a JSON object a line.")
]
TimelineName = Annotated[
    str,
    typer.Option("--timeline", metavar="NAME", help="Which timeline of several, by name or number."),
]
MediaFolders = Annotated[
    list[Path] | None,
    typer.Option("--media", metavar="FOLDER", help="Also look for media here; may be repeated."),
]
Rate = Annotated[str, typer.Option("--rate", metavar="FPS", help="What an EDL counts in; 24 if not given.")]
Clips = Annotated[str, typer.Option("--clips", metavar="3,5-9", help="Which clips, by number.")]
Tracks = Annotated[
    list[str] | None,
    typer.Option("--track", metavar="A1", help="Every clip of this audio track; may be repeated."),
]
Categories = Annotated[
    list[str] | None,
    typer.Option(
        "--category",
        metavar="A1=KIND",
        help="What a track holds: dialogue, music, effects, mix, silent, or auto to find out; may be repeated.",
    ),
]
Device = Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")]


def with_settings(*left_out: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command a flag for every setting but those left out.

    The flags stand where the command has its parameter `settings`, which gets a JobSettings of what they said.
    """
    asked = [setting for setting in SETTINGS.values() if setting.name not in left_out]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def wrapped(**given: Any) -> None:
            values = {s.name: _value(s, given.pop(_parameter(s))) for s in asked}
            command(**given, settings=JobSettings(**values))

        parameters: list[inspect.Parameter] = []
        for parameter in inspect.signature(command, eval_str=True).parameters.values():
            if parameter.name != "settings":
                parameters.append(parameter)
                continue
            parameters += [_declared(setting) for setting in asked]
        named = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
        wrapped.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]
        wrapped.__annotations__ = {p.name: p.annotation for p in named}
        return wrapped

    return decorate


def _negative(setting: Setting) -> bool:
    """Whether the flag switches off what is on."""
    return setting.kind is bool and bool(setting.default)


def _value(setting: Setting, given: Any) -> Any:
    return not given if _negative(setting) else given


def _parameter(setting: Setting) -> str:
    return f"no_{setting.name}" if _negative(setting) else setting.name


def _declared(setting: Setting) -> inspect.Parameter:
    """A setting as a command's parameter."""
    default = False if setting.kind is bool else setting.default
    annotation: Any = Annotated[setting.kind, flag(setting)]
    return inspect.Parameter(
        _parameter(setting), inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def flag(setting: Setting) -> Any:
    """The typer option for a setting: its help with unit, range and default."""
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
