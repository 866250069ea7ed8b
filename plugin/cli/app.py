"""``sightmix``: the command line, whose commands are imported when they are asked for."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module, metadata
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .errors import CANCELLED, DONE, USAGE, debugging, say, sentences

_ClickError: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
_NO_ARGUMENTS = "NoArgsIsHelpError"  # by name: typer carries its click under a private one

# Each is a module here, with a command or a group of commands of the same name in it.
COMMANDS = (
    "inspect",
    "rebalance",
    "export",
    "clean",
    "evaluate",
    "train",
    "models",
    "resolve",
    "data",
    "config",
    "panel",
)
# Those that take the user's defaults.
CONFIGURED = ("inspect", "rebalance", "resolve")


class _Lazily(TyperGroup):
    """Imports the file of a command when that command is asked for."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        names: dict[str, Any] = dict.fromkeys(COMMANDS)  # to list and to suggest; `get_command` has the rest
        self.commands = names

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002  (the base class's signature)
        if cmd_name not in COMMANDS:
            return None
        found = getattr(import_module(f".{cmd_name}", __package__), cmd_name)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(add_completion=False, rich_markup_mode=None)
            alone.command(cmd_name)(found)
            found = alone
        command = typer.main.get_command(found)
        command.name = cmd_name
        return command

    def invoke(self, ctx: Any) -> Any:
        """Run the command; typer itself says nothing where Ctrl-C stops one, or the import of its file."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            say("sightmix: Stopped.", error=True)
            raise typer.Exit(CANCELLED) from None


app = typer.Typer(
    name="sightmix",
    cls=_Lazily,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        say(f"sightmix {metadata.version('sightmix')}")
        raise typer.Exit


@app.callback()
@sentences
def _root(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001  (its callback has acted on it)
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Rebalance a timeline's soundtrack by looking at the picture: speech, music and effects, clip by clip.

    Exit status: 0 done, 1 some clips failed, 2 input or usage that cannot work, 130 stopped with Ctrl-C.
    """
    if context.invoked_subcommand in CONFIGURED:
        from ..jobs.defaults import read_defaults
        from .options import default_map

        context.default_map = default_map(read_defaults())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    sys.exit(_run(None if arguments is None else list(arguments)))


def _run(arguments: list[str] | None) -> int:
    try:
        status = app(args=arguments, standalone_mode=False, prog_name="sightmix")
        sys.stdout.flush()
    except _ClickError as error:
        if type(error).__name__ == _NO_ARGUMENTS:
            say(error.format_message())
            return DONE
        if debugging():
            raise
        message = " ".join(error.format_message().split())
        if message:
            say(f"sightmix: {message}", error=True)
        return int(error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        say("sightmix: Stopped.", error=True)
        return CANCELLED
    except BrokenPipeError:
        # The reader of our output has gone, and Python must not try to flush on its way out.
        sys.stdout = None
        return USAGE
    return status if isinstance(status, int) else 0
