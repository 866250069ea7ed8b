"""``sightmix data``: training data of one's own films, and the separators that take them apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ...engine.legible import json_text
from ...engine.progress import Progress, Step
from ...engine.version import SHIPPED_MODEL
from ..jobs.eta import JOB, clock
from .errors import SOME_FAILED, say, sentences
from .options import AsJson, Device
from .progress import shown, stoppable
from .table import Column, print_table

data = typer.Typer(
    help="Build training data from films and stems, and choose what separates them.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@data.command("muddy-mix")
@sentences
def muddy_mix(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="SOURCE...", help="Folders of films, or of stems named speech, music, effects."
        ),
    ],
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FOLDER", help="Where the shards go; resumed if there.")
    ],
    separator: Annotated[
        str, typer.Option("--separator", metavar="NAME", help="What separates films: see `data separators`.")
    ] = SHIPPED_MODEL,
    licence: Annotated[
        str, typer.Option("--licence", help="The licence of films that have no JSON file beside them.")
    ] = "",
    policy: Annotated[
        str,
        typer.Option(
            "--policy",
            metavar="NAME",
            help="How mixes are spoilt: mixture, paper, released, continuous, per_second, low, moderate, high or none.",
        ),
    ] = "mixture",
    seconds: Annotated[float, typer.Option("--seconds", help="Length of a clip, 1 to 60 s.")] = 10.0,
    per_shard: Annotated[int, typer.Option("--per-shard", min=1, help="Clips in a shard.")] = 64,
    encoder: Annotated[
        str, typer.Option("--context", metavar="ENCODER|none", help="What describes the pictures.")
    ] = "efficientnet-lite0",
    frames: Annotated[
        bool, typer.Option("--frames/--no-frames", help="Keep the pictures, one a second, as JPEG.")
    ] = True,
    validation: Annotated[
        float, typer.Option("--validation", min=0, max=1, help="Share of films to validate on.")
    ] = 0.1,
    test: Annotated[float, typer.Option("--test", min=0, max=1, help="Share of films to test on.")] = 0.1,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another one spoils the mixes otherwise.")] = 0,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that build shards.")] = 1,
    device: Device = "cpu",
    as_json: AsJson = False,
) -> None:
    """Cut films into clips, take them apart, spoil their mix, and write WebDataset shards to train on.

    Licences, and splits if wanted, come from FILM.json beside a film or sightmix.json above it:
    {"licence": "CC-BY-4.0", "credit": "...", "split": "train"}. A build that was stopped goes on where it was.
    Exit status 1 means that some films were left out.
    """
    from ...engine.training.scenes.filmdata import MuddyMix, build_shards

    settings = MuddyMix(
        separator=separator,
        policy=policy,
        seconds=seconds,
        per_shard=per_shard,
        encoder="" if encoder == "none" else encoder,
        frames=frames,
        seed=seed,
        device=device,
        licence=licence,
        validation=validation,
        test=test,
    )
    with shown(quiet=as_json) as observer:
        progress = Progress(_Whole(observer))
        with stoppable(progress):
            manifest = build_shards(sources, out, settings, workers, progress)
    if as_json:
        print(json_text(_summary(manifest, out)))
    else:
        _tell(manifest, out)
    if manifest["left_out"]:
        raise typer.Exit(SOME_FAILED)


@data.command("separators")
@sentences
def separators(as_json: AsJson = False) -> None:
    """List what can separate films, and what is missing for it."""
    from ...engine.separation.checkpoints import FAMILIES
    from ...engine.separation.registry import available

    rows = available()
    if as_json:
        listed = [{"name": name, "licence": licence, "missing": missing} for name, licence, missing in rows]
        print(json.dumps({"schema": "sightmix.separators/1", "separators": listed}))
        return
    columns = [Column("Separator"), Column("Licence"), Column("Missing")]
    print_table(columns, [[name, licence, missing or "nothing"] for name, licence, missing in rows])
    for family in FAMILIES.values():
        say(f"A {family.name} checkpoint of your own ({family.licence}): {family.weights}; {family.project}")


@data.command("separator")
@sentences
def separator(
    family: Annotated[str, typer.Argument(metavar="FAMILY", help="bandit-v2, tiger or mrx.")],
    checkpoint: Annotated[Path, typer.Argument(metavar="FILE", help="Its published weights.")],
    name: Annotated[str, typer.Option("--name", help="What to call it.")] = "",
    licence: Annotated[str, typer.Option("--licence", help="Its licence, if not the family's own.")] = "",
) -> None:
    """Take a checkpoint of a published separator in: copied among the weights, with a card that pins its digest."""
    from ...engine.separation.checkpoints import take_in

    card = take_in(family, checkpoint, name, licence)
    say(
        f"{card.name}: {card.size_text}, {card.licence}, sha256 {card.sha256}; use it with --separator {card.name}."
    )


class _Whole:
    """An observer that also shows how far all shards together are."""

    def __init__(self, observer: Any) -> None:
        self._observer = observer

    def __call__(self, step: Step) -> None:
        if step.stage == "shards":
            self._observer(Step(JOB, step.item, step.done, step.total, step.unit))
        else:
            self._observer(step)


def _summary(manifest: dict[str, Any], out: Path) -> dict[str, Any]:
    kept = ("hours", "silent", "left_out")
    return {
        "schema": "sightmix.muddy-mix-built/1",
        "folder": str(out),
        "films": len(manifest["films"]),
        "shards": len(manifest["shards"]),
        "clips": len(manifest["clips"]),
        **{name: manifest[name] for name in kept},
    }


def _tell(manifest: dict[str, Any], out: Path) -> None:
    for row in manifest["left_out"]:
        say(f"Left out: {row['film']}: {row['reason']}", error=True)
    lengths = ", ".join(f"{clock(hours * 3600)} {split}" for split, hours in manifest["hours"].items())
    say(f"{len(manifest['clips'])} clips in {len(manifest['shards'])} shards: {lengths}.")
    if manifest["silent"]:
        say(f"{manifest['silent']} clips without sound were left out.")
    for split in ("train", "validation"):
        if not manifest["hours"][split]:
            say(f'No film fell in the {split} split: give one "split": "{split}" in FILM.json.', error=True)
    say(f'Train on them with `sightmix train CONFIG --corpus {out}`, "data": "shards" in CONFIG.')
