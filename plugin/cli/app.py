"""The command line: ``sightmix inspect``, ``rebalance``, ``export``, ``evaluate``, ``data``, ``train``, ``models``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Annotated, Any

import typer

from .data import data
from .errors import CANCELLED, USAGE, debugging, say
from .evaluate import evaluate
from .export import export
from .inspect import inspect
from .models import models
from .rebalance import rebalance
from .resolve import resolve
from .train import train

_ClickError: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")

app = typer.Typer(
    name="sightmix",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        say(f"sightmix {metadata.version('sightmix')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Rebalance a timeline's soundtrack by looking at the picture: speech, music and effects, clip by clip.

    Exit status: 0 done, 1 some clips failed, 2 input or usage that cannot work, 130 stopped with Ctrl-C.
    """


for _command in (inspect, rebalance, evaluate, train, export):
    app.command()(_command)
for _group, _name in ((models, "models"), (resolve, "resolve"), (data, "data")):
    app.add_typer(_group, name=_name)


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
