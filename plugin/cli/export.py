"""``sightmix export``: a result as stems or as a file for another program, and files held against a spec."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...engine.errors import SettingsError
from ...engine.legible import json_text
from ...engine.progress import Progress
from ...engine.roles import DELIVERED, PARTS
from ..jobs.eta import clock
from ..jobs.export import STEMS, Exported, ExportRequest, row_data, target
from ..jobs.export import export as run
from .errors import DONE, SOME_FAILED, say, sentences
from .options import AsJson, Rate, TimelineName
from .progress import shown, stoppable
from .table import Column, print_table

if TYPE_CHECKING:
    from ...exporters.delivery import Row

CHECK_SCHEMA = "sightmix.check/1"


@sentences
def export(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="TIMELINE", help="A timeline with results; with --check the files to measure."
        ),
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="stems|fcp7|fcpxml|aaf|edl|rpp|mlt|kdenlive|otio-plain|kdenlive-project",
            help="What to write; by the suffix of OUT if not given, stems if it has none.",
        ),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="OUT", help="The file to write, or the folder for stems."),
    ] = None,
    stem: Annotated[
        list[str] | None,
        typer.Option("--stem", metavar="|".join(DELIVERED), help="Only this stem; may be repeated."),
    ] = None,
    per: Annotated[
        str,
        typer.Option(
            "--per", metavar="timeline|clip", help="Stems as long as the timeline, or a set per clip."
        ),
    ] = "timeline",
    multi_mono: Annotated[bool, typer.Option("--multi-mono", help="Stems as one file per channel.")] = False,
    project: Annotated[
        str,
        typer.Option(
            "--project",
            metavar="NAME",
            help="First part of the stems' names; the timeline's name if not given.",
        ),
    ] = "",
    reel: Annotated[
        str, typer.Option("--reel", metavar="NAME", help="Second part of the stems' names.")
    ] = "",
    assign: Annotated[
        list[str] | None,
        typer.Option(
            "--assign", metavar="TRACK=DX", help="Put another audio track into a stem; may be repeated."
        ),
    ] = None,
    delivery: Annotated[
        str,
        typer.Option(
            "--delivery",
            metavar="SPEC",
            help="Bring the mix to a delivery spec, all stems alike: ebu-r128, ebu-r128-s4, atsc-a85, netflix, "
            "youtube or podcast.",
        ),
    ] = "",
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing: measure files and say what a spec finds wrong.")
    ] = False,
    embed: Annotated[
        bool, typer.Option("--embed", help="Put the sound inside the AAF (experimental).")
    ] = False,
    timeline: TimelineName = "",
    rate: Rate = "",
    as_json: AsJson = False,
) -> None:
    """Export a result as stems or for another program, or check files against a delivery spec.

    Exit status 1 also means that a spec is not met.
    """
    if check:
        check_files(inputs, delivery, as_json)
        return
    source, kind = one_timeline(inputs), target(to, out)
    _refuse(kind, delivery, embed)
    if kind == STEMS:
        options = {
            "project": project,
            "reel": reel,
            "stems": tuple(stem or ()),
            "per": _per(per),
            "interleaved": not multi_mono,
            "assign": dict(_assignment(text) for text in assign or ()),
            "delivery": delivery,
        }
    else:
        options = {"embed": True} if embed else {}
    export_timeline(ExportRequest(source, out, kind, timeline, rate, options), as_json)


def export_timeline(request: ExportRequest, as_json: bool) -> None:
    """Export a timeline; leaves with status 1 where stems miss the spec they were to meet."""
    if request.to == STEMS:
        with shown(quiet=as_json) as observer:
            progress = Progress(observer)
            with stoppable(progress):
                done = run(request, progress)
    else:
        done = run(request)
    status = DONE if done.met else SOME_FAILED
    if as_json:
        print(json_text(done.to_dict() | {"exit_status": status}))
    elif done.to == STEMS:
        _print_stems(done)
    else:
        _print_file(done)
    if status:
        raise typer.Exit(status)


def one_timeline(inputs: Sequence[Path]) -> Path:
    """The only input; SettingsError where there are several."""
    if len(inputs) > 1:
        raise SettingsError("Export one timeline at a time; several files go with --check only.")
    return inputs[0]


def check_files(paths: Sequence[Path], delivery: str, as_json: bool) -> None:
    """Measure files against a spec and print a table; leaves with status 1 where anything is out."""
    from ...exporters.delivery import check_files as measured
    from ...exporters.delivery import find_spec

    if not delivery:
        raise SettingsError("--check needs a spec to check against; name one with --delivery.")
    spec = find_spec(delivery)
    with shown(quiet=as_json) as observer:
        progress = Progress(observer)
        with stoppable(progress):
            rows = measured(paths, spec, progress)
    failed = any(row.out for row in rows)
    if as_json:
        status = SOME_FAILED if failed else DONE
        data = {"schema": CHECK_SCHEMA, "delivery": spec.key, "rows": [row_data(row) for row in rows]}
        print(json_text(data | {"passed": not failed, "exit_status": status}))
    else:
        _print_rows(rows)
        say(_verdict(spec.title, rows))
    if failed:
        raise typer.Exit(SOME_FAILED)


def _refuse(to: str, delivery: str, embed: bool) -> None:
    """Raise SettingsError for a flag that means nothing for what is written."""
    if to == STEMS and embed:
        raise SettingsError("--embed puts sound inside an AAF; it means nothing for stems.")
    if to != STEMS and delivery:
        raise SettingsError("--delivery brings stems to a spec; use it with --to stems, or with --check.")


def _per(text: str) -> str:
    if text in ("timeline", "clip"):
        return text
    raise SettingsError(f"--per {text!r} is none of timeline, clip.")


def _assignment(text: str) -> tuple[str, str]:
    track, equals, stem = text.rpartition("=")
    if not equals or not track:
        *some, last = (f"TRACK={role.short}" for role in PARTS)
        raise SettingsError(f"--assign {text!r} does not say {', '.join(some)} or {last}.")
    return track, stem


def _print_file(done: Exported) -> None:
    from ...exporters.formats import find

    say(f"{find(done.to).title}: {done.out}")
    for loss in done.losses:
        say(f"  {loss}")


def _print_stems(done: Exported) -> None:
    for one in done.stems:
        gain = f", {one.gain_db:+.2f} dB" if one.gain_db else ""
        say(f"{one.name} v{one.version:03d}: {clock(one.samples / 48_000)} from {one.start}{gain}")
        for file in one.files:
            say(f"  {file.stem:<3}  {', '.join(path.name for path in file.paths)}")
    for loss in done.losses:
        say(loss)
    if done.delivery and done.rows:
        _print_rows(done.rows)
        say(_verdict(done.delivery.title, done.rows))
    say(f"Stems: {done.out}")


def _print_rows(rows: Sequence[Row]) -> None:
    columns = [
        Column("file"), Column("figure"), Column("measured", right=True), Column("wanted", right=True),
        Column("unit"), Column("result"),
    ]  # fmt: skip
    print_table(
        columns,
        [[row.file, row.figure, _figure(row), row.wanted, row.unit, _result(row)] for row in rows],
    )


def _figure(row: Row) -> str:
    if math.isnan(row.measured):
        return "no dialogue stem"
    if math.isinf(row.measured):
        return "silence"
    return f"{row.measured:.2f}" if row.unit in ("LUFS", "LU", "dBTP") else f"{row.measured:g}"


def _result(row: Row) -> str:
    if row.passed:
        return "ok"
    return "advised otherwise" if row.advice else "OUT"


def _verdict(title: str, rows: Sequence[Row]) -> str:
    failed = [row for row in rows if row.out]
    if not failed:
        return f"{title}: met."
    files = len({row.file for row in failed})
    return (
        f"{title}: not met, {len(failed)} figure{'s' if len(failed) > 1 else ''} out "
        f"in {files} file{'s' if files > 1 else ''}."
    )
