"""``sightmix export``: a result as stems or as a file for another program, and files held against a spec."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ...engine.errors import SettingsError, WriteError
from ...engine.progress import Progress
from ..jobs.eta import clock
from .errors import SOME_FAILED, say, sentences
from .options import AsJson, Rate, TimelineName
from .progress import shown, stoppable
from .table import Column, print_table

if TYPE_CHECKING:
    from ...exporters.delivery import Row
    from ...exporters.stems import StemSet

STEMS = "stems"
SCHEMA, CHECK_SCHEMA = "sightmix.export/1", "sightmix.check/1"


@dataclass(frozen=True)
class ExportRequest:
    """What the command line asked for; `to` empty: by the suffix of `out`, or stems where it has none."""

    source: Path
    out: Path | None
    to: str = ""
    timeline: str = ""
    rate: str = ""
    per: str = "timeline"
    stems: tuple[str, ...] = ()
    multi_mono: bool = False
    project: str = ""
    reel: str = ""
    assign: tuple[str, ...] = ()
    delivery: str = ""
    embed: bool = False


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
            metavar="stems|fcp7|fcpxml|aaf|edl|rpp|mlt|kdenlive",
            help="What to write; by the suffix of OUT if not given, stems if it has none.",
        ),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="OUT", help="The file to write, or the folder for stems."),
    ] = None,
    stem: Annotated[
        list[str] | None,
        typer.Option("--stem", metavar="DX|MX|FX|ME|MIX", help="Only this stem; may be repeated."),
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
    request = ExportRequest(
        one_timeline(inputs),
        out,
        to,
        timeline,
        rate,
        per,
        tuple(stem or ()),
        multi_mono,
        project,
        reel,
        tuple(assign or ()),
        delivery,
        embed,
    )
    export_timeline(request, as_json)


def export_timeline(request: ExportRequest, as_json: bool) -> None:
    """Export a timeline; leaves with status 1 where stems miss the spec they were to meet."""
    to = request.to.strip().lower() or _by_suffix(request.out)
    if to == STEMS:
        _to_stems(request, as_json)
    else:
        _to_file(request, to, as_json)


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
    failed = _failed(rows)
    if as_json:
        status = SOME_FAILED if failed else 0
        data = {"schema": CHECK_SCHEMA, "delivery": spec.key, "rows": [_row(r) for r in rows]}
        print(json.dumps(data | {"passed": not failed, "exit_status": status}, ensure_ascii=False))
    else:
        _print_rows(rows)
        say(_verdict(spec.title, rows))
    if failed:
        raise typer.Exit(SOME_FAILED)


def _by_suffix(out: Path | None) -> str:
    if out is None or not out.suffix or out.is_dir():
        return STEMS
    from ...exporters.formats import of_file

    return of_file(out).key


def _to_file(request: ExportRequest, to: str, as_json: bool) -> None:
    from ...exporters.formats import export as write
    from ...exporters.formats import find
    from ..timeline.source import open_edit

    form = find(to)
    if request.delivery:
        raise SettingsError("--delivery brings stems to a spec; use it with --to stems, or with --check.")
    out = request.out or request.source.with_name(f"{request.source.stem}.{form.key}{form.suffix}")
    if not out.suffix:
        out = out.with_name(out.name + form.suffix)
    if out.exists() and out.resolve() == request.source.resolve():
        raise SettingsError(f"{out} is the timeline that is read; choose another name with -o.")
    options: dict[str, Any] = {"embed": True} if request.embed else {}
    losses = write(open_edit(request.source, request.timeline, request.rate), out, form.key, **options)
    if as_json:
        data = {"schema": SCHEMA, "to": form.key, "out": str(out), "losses": list(losses), "exit_status": 0}
        print(json.dumps(data, ensure_ascii=False))
        return
    say(f"{form.title}: {out}")
    for loss in losses:
        say(f"  {loss}")


def _to_stems(request: ExportRequest, as_json: bool) -> None:
    from ...exporters.delivery import check_files as measured
    from ...exporters.delivery import find_spec
    from ...exporters.stems import StemOptions, export_stems
    from ..timeline.source import open_edit

    if request.embed:
        raise SettingsError("--embed puts sound inside an AAF; it means nothing for stems.")
    options = StemOptions(
        project=request.project,
        reel=request.reel,
        stems=tuple(stem.strip().upper().replace("M&E", "ME") for stem in request.stems),
        per=_per(request.per),
        interleaved=not request.multi_mono,
        assign=dict(_assignment(text) for text in request.assign),
        delivery=find_spec(request.delivery) if request.delivery else None,
    )
    folder = request.out or request.source.with_name(f"{request.source.stem}.stems")
    edit = open_edit(request.source, request.timeline, request.rate)
    made_here = _make(folder)
    try:
        with shown(quiet=as_json) as observer:
            progress = Progress(observer)
            with stoppable(progress):
                sets = export_stems(edit, folder, options, progress)
                mixes = [p for one in sets for file in one.files if file.stem == "MIX" for p in file.paths]
                spec = options.delivery
                rows = measured(mixes, spec, progress) if spec and mixes else ()
    except BaseException:
        if made_here and not any(folder.iterdir()):
            folder.rmdir()
        raise
    _report(request, folder, sets, edit.losses, rows, as_json)
    if _failed(rows):
        raise typer.Exit(SOME_FAILED)


def _per(text: str) -> Literal["timeline", "clip"]:
    if text == "clip":
        return "clip"
    if text == "timeline":
        return "timeline"
    raise SettingsError(f"--per {text!r} is none of timeline, clip.")


def _assignment(text: str) -> tuple[str, str]:
    track, equals, stem = text.rpartition("=")
    if not equals or not track:
        raise SettingsError(f"--assign {text!r} does not say TRACK=DX, TRACK=MX or TRACK=FX.")
    return track, stem.strip().upper()


def _make(folder: Path) -> bool:
    """Make the folder for stems if it is not there; whether it was made."""
    if folder.is_dir():
        return False
    try:
        folder.mkdir()
    except OSError as error:
        raise WriteError(f"The folder {folder} cannot be made: {error.strerror or error}.") from error
    return True


def _report(
    request: ExportRequest,
    folder: Path,
    sets: Sequence[StemSet],
    losses: Sequence[str],
    rows: Sequence[Row],
    as_json: bool,
) -> None:
    if as_json:
        data = {
            "schema": SCHEMA,
            "to": STEMS,
            "out": str(folder),
            "sets": [_set(one) for one in sets],
            "losses": list(losses),
            "delivery": request.delivery or None,
            "rows": [_row(row) for row in rows],
            "exit_status": SOME_FAILED if _failed(rows) else 0,
        }
        print(json.dumps(data, ensure_ascii=False))
        return
    for one in sets:
        gain = f", {one.gain_db:+.2f} dB" if one.gain_db else ""
        say(f"{one.name} v{one.version:03d}: {clock(one.samples / 48_000)} from {one.start}{gain}")
        for file in one.files:
            say(f"  {file.stem:<3}  {', '.join(path.name for path in file.paths)}")
    for note in dict.fromkeys([note for one in sets for note in one.notes] + list(losses)):
        say(note)
    if rows:
        from ...exporters.delivery import find_spec

        _print_rows(rows)
        say(_verdict(find_spec(request.delivery).title, rows))
    say(f"Stems: {folder}")


def _set(one: StemSet) -> dict[str, Any]:
    from ..jobs.sidecar import loudness_to_dict

    return {
        "name": one.name,
        "version": one.version,
        "samples": one.samples,
        "time_reference": one.time_reference,
        "start_tc": one.start,
        "gain_db": one.gain_db,
        "notes": list(one.notes),
        "files": [
            {
                "stem": file.stem,
                "paths": [str(path) for path in file.paths],
                "channels": file.channels,
                "clipped": file.clipped,
                "loudness": None if file.loudness is None else loudness_to_dict(file.loudness),
            }
            for file in one.files
        ],
    }


def _failed(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if not row.passed and not row.advice]


def _row(row: Row) -> dict[str, Any]:
    from ..jobs.sidecar import number

    return {
        "file": row.file,
        "figure": row.figure,
        "measured": number(row.measured),
        "wanted": row.wanted,
        "unit": row.unit,
        "passed": row.passed,
        "advice": row.advice,
    }


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
    failed = _failed(rows)
    if not failed:
        return f"{title}: met."
    files = len({row.file for row in failed})
    return (
        f"{title}: not met, {len(failed)} figure{'s' if len(failed) > 1 else ''} out "
        f"in {files} file{'s' if files > 1 else ''}."
    )
