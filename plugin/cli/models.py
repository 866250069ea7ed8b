"""``sightmix models``: which models there are, what they are, and where to get them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from ...engine.legible import json_text
from ...engine.progress import Progress
from .errors import say, sentences
from .options import AsJson
from .progress import shown
from .table import Column, print_table

models = typer.Typer(
    help="List, show and fetch models.",
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
)


@models.callback()
@sentences
def every(
    context: typer.Context,
    as_json: AsJson = False,
) -> None:
    """List the models there are cards for, or show or fetch one."""
    if context.invoked_subcommand is None:
        list_models(as_json)


@models.command("show")
@sentences
def show(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    as_json: AsJson = False,
) -> None:
    """Show what is known about a model."""
    show_model(name, as_json)


@models.command("fetch")
@sentences
def fetch_(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Fetch a model's weights, after showing from where, how big, and under which licence."""
    fetch_model(name, yes)


def list_models(as_json: bool) -> None:
    """Print every model there is a card for."""
    from ...engine.weights import store

    cards = store.list_cards()
    here = {card.name: store.find_file(card.file) is not None for card in cards}
    if as_json:
        listed = [asdict(card) | {"present": here[card.name]} for card in cards]
        print(json_text({"schema": "sightmix.models/1", "models": listed}))
        return
    columns = [
        Column("Model"),
        Column("Kind"),
        Column("Size", right=True),
        Column("Licence"),
        Column("Weights"),
    ]
    where = {True: "here", False: "not here"}
    rows = [[card.name, card.kind, card.size_text, card.licence, where[here[card.name]]] for card in cards]
    print_table(columns, rows)


def show_model(name: str, as_json: bool) -> None:
    """Print a model's card; raises ModelError for a name that is not known."""
    from ...engine.weights import store

    card = store.load_card(name)
    path = store.find_file(card.file)
    if as_json:
        facts = asdict(card) | {"path": None if path is None else str(path)}
        print(json_text({"schema": "sightmix.model/1", "model": facts}))
        return
    facts_shown: list[tuple[str, str]] = [
        ("model", card.name),
        ("kind", card.kind),
        ("file", card.file),
        ("size", card.size_text),
        ("sha256", card.sha256),
        ("licence", card.licence),
        ("trained on", "; ".join(card.trained_on)),
        ("source", card.source),
        ("credit", card.credit),
        ("fetched from", card.url or ""),
        ("weights", str(path) if path else "not on this computer"),
    ]
    facts_shown += [(f"config {key}", str(value)) for key, value in card.config.items()]
    facts_shown += [(f"result {key}", str(value)) for key, value in card.results.items()]
    for label, value in facts_shown:
        if value:
            say(f"{label:<14} {value}")


def fetch_model(name: str, yes: bool) -> None:
    """Show what fetching a model's weights would do, ask, and do it; raises ModelError or WriteError."""
    from ...engine.weights import store
    from ...engine.weights.fetching import fetch, offer

    card = store.load_card(name)
    there = store.find_file(card.file)
    if there is not None:
        store.weights_path(card)
        say(f"The weights of '{name}' are here already: {there}.")
        return
    say(offer(card).describe())
    if not yes:
        typer.confirm("Fetch it?", abort=True)
    with shown(quiet=False) as observer:
        path = fetch(card, progress=Progress(observer))
    say(f"The weights of '{name}' are in {path}.")
