"""Options that several commands share, each declared once, and flags derived from the table of settings."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..jobs.settings import SETTINGS, JobSettings, Setting

if TYPE_CHECKING:
    from ..jobs.defaults import Defaults

_HOW_LOUD = ("loudness", "delivery")  # two ways to say it, of which a job takes one

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
    typer.Option("--media", metavar="FOLDER", help="Also look for media here, by name; may be repeated."),
]
Rate = Annotated[
    str, typer.Option("--rate", metavar="FPS", help="What an EDL counts in; else 24, or what it needs.")
]
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
Curves = Annotated[
    Path | None,
    typer.Option("--curves", metavar="FILE", help="Curves drawn by hand, in the place of the model's."),
]
Device = Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")]


def with_settings(*left_out: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command a flag for every setting but those left out.

    The flags stand where the command has its parameter `settings`, which gets a JobSettings of what they said.
    """
    asked = [setting for setting in SETTINGS.values() if setting.name not in left_out]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def wrapped(_context: typer.Context, **given: Any) -> None:
            values = {s.name: _value(s, given.pop(_parameter(s))) for s in asked}
            command(**given, settings=JobSettings(**_said_over(_context, values)))

        parameters = [inspect.Parameter("_context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
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


def _value(setting: Setting, given: Any) -> Any:
    return not given if setting.negative else given


def _parameter(setting: Setting) -> str:
    return f"no_{setting.name}" if setting.negative else setting.name


def default_map(defaults: Defaults) -> dict[str, Any]:
    """The user's defaults as commands take them, by the names of their parameters."""
    given = {
        _parameter(SETTINGS[name]): _value(SETTINGS[name], value) for name, value in defaults.settings.items()
    }
    media = {"media": list(defaults.media)} if defaults.media else {}
    job = given | media
    return {"rebalance": job, "inspect": media, "resolve": {"rebalance": job}}


def _said_over(context: typer.Context, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings, less a default of the user's that a flag contradicts: of two ways to say how loud, the flag's."""
    typed = {name for name in _HOW_LOUD if _source(context, name) == "COMMANDLINE"}
    over = {name for name in _HOW_LOUD if typed and _source(context, name) == "DEFAULT_MAP"}
    return settings | {name: SETTINGS[name].default for name in over}


def _source(context: typer.Context, name: str) -> str:
    """Where a parameter's value is from, by the name click has for it."""
    source = context.get_parameter_source(name)
    return "" if source is None else source.name


def completed(choices: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """What a shell offers for an option: those of `choices` that begin as what is typed."""

    def offer(incomplete: str) -> list[str]:
        return [choice for choice in choices() if choice.startswith(incomplete)]

    return offer


def _choices(setting: Setting) -> Iterable[str]:
    """What a setting may be, in words, as far as there are any."""
    if setting.name == "delivery":
        from ...exporters.delivery import specs

        return specs()
    if setting.name == "model":
        from ...engine.weights.store import list_cards

        return [card.name for card in list_cards()]
    return setting.choices


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
    text = f"{setting.help} {setting.limits}." if setting.limits else setting.help
    metavar = "|".join(setting.choices) or setting.unit.upper() or setting.kind.__name__.upper()
    if setting.kind is str and not setting.choices:
        metavar = setting.unit or "NAME"
    return typer.Option(
        setting.flag,
        help=text,
        metavar=metavar,
        show_default=setting.default != "",
        autocompletion=completed(lambda: _choices(setting)),
    )
