"""``sightmix rebalance``: plan, run and sum up a job."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...engine.errors import SettingsError
from ...engine.progress import Progress
from ..jobs.disk import size_text
from ..jobs.eta import clock
from ..jobs.settings import JobSettings
from .errors import SOME_FAILED, say, sentences
from .options import AsJson, Clips, MediaFolders, Rate, Source, TimelineName, Tracks, with_settings
from .progress import shown, stoppable

if TYPE_CHECKING:
    from ..jobs.plan import Plan
    from ..jobs.results import JobResult

PLAN_SCHEMA = "sightmix.plan/1"


@dataclass(frozen=True)
class Request:
    """What the command line asked for."""

    source: Path
    out: Path
    settings: JobSettings
    clips: str
    tracks: tuple[str, ...]
    every: bool
    timeline: str
    folders: tuple[Path, ...]
    rate: str


@sentences
@with_settings()
def rebalance(
    *,
    source: Source,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT", help="The timeline to write.")],
    clips: Clips = "",
    track: Tracks = None,
    every: Annotated[bool, typer.Option("--all", help="Every online clip, which is the default.")] = False,
    settings: JobSettings,
    timeline: TimelineName = "",
    media: MediaFolders = None,
    rate: Rate = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
    as_json: AsJson = False,
) -> None:
    """Rebalance clips of a timeline and write a timeline with the result on new tracks, beside a report."""
    request = Request(
        source, out, settings, clips, tuple(track or ()), every, timeline, tuple(media or ()), rate
    )
    rebalance_timeline(request, dry_run, as_json)


def rebalance_timeline(request: Request, dry_run: bool, as_json: bool) -> None:
    """Run a request, or only say what it would do; leaves with status 1 where clips failed."""
    from ..jobs.cuts import find_cuts
    from ..jobs.plan import Job, make_plan
    from ..jobs.render import load_renderer
    from ..jobs.run import run
    from ..timeline.source import open_source

    if request.every and (request.clips or request.tracks):
        raise SettingsError("--all cannot be used together with --clips or --track.")
    with shown(quiet=as_json) as observer:
        progress = Progress(observer)
        with stoppable(progress):
            cuts = find_cuts(request.source, progress) if request.settings.detect_cuts else ()
            timeline, _ = open_source(request.source, request.timeline, request.folders, request.rate, cuts)
            job = Job(request.source, request.out, request.settings, request.clips, request.tracks)
            renderer = load_renderer(request.settings)
            plan = make_plan(job, timeline, renderer)
            result = None if dry_run else run(plan, renderer, progress)
    if result is None:
        _print_plan(plan, as_json)
        return
    _print_result(result, as_json)
    if result.failed:
        raise typer.Exit(SOME_FAILED)


def plan_data(plan: Plan) -> dict[str, Any]:
    """A plan as JSON values: what would be rendered, taken from the cache, left out, and why."""
    tasks = [
        {
            "index": task.facts.index,
            "name": task.facts.name,
            "track": task.facts.track,
            "record_in_tc": task.facts.record_in_tc,
            "seconds": round(task.seconds, 3),
            "media": str(task.passage.sound.path),
            "shots": len(task.passage.shots),
            "status": "cached" if task.cached is not None else "to render",
            "key": task.key,
        }
        for task in plan.tasks
    ]
    others = [
        {
            "index": c.facts.index,
            "name": c.facts.name,
            "track": c.facts.track,
            "status": c.status,
            "reason": c.reason,
        }
        for c in plan.others
    ]
    return {
        "schema": PLAN_SCHEMA,
        "out": str(plan.out),
        "folder": str(plan.folder),
        "bytes_needed": plan.bytes_needed,
        "clips": sorted([*tasks, *others], key=lambda clip: int(str(clip["index"]))),
    }


def _print_plan(plan: Plan, as_json: bool) -> None:
    data = plan_data(plan)
    if as_json:
        print(json.dumps(data, ensure_ascii=False))
        return
    for clip in data["clips"]:
        say(f"{clip['index']:>4}  {clip['track']}  {clip['name']}: {clip['status']}{_why(clip)}")
    waiting = sum(task.seconds for task in plan.tasks if task.cached is None)
    say(
        f"Would render {clock(waiting)} of sound, write about {size_text(plan.bytes_needed)} "
        f"to {plan.folder}, and write {plan.out}."
    )


def _why(clip: dict[str, Any]) -> str:
    if "reason" in clip:
        return f" ({clip['reason']})" if clip["reason"] else ""
    return f" ({clip['seconds']:.1f} s, {clip['shots']} shots)"


def _print_result(result: JobResult, as_json: bool) -> None:
    from ..jobs.report import loudness_line, report_data
    from ..jobs.results import FAILED, LEFT_OUT

    for clip in result.failed:
        say(f"sightmix: {clip.facts.label} was not rebalanced: {clip.reason}", error=True)
    if as_json:
        status = SOME_FAILED if result.failed else 0
        print(json.dumps(report_data(result) | {"exit_status": status}, ensure_ascii=False, allow_nan=False))
        return
    for clip in result.clips:
        facts = clip.facts
        head = f"{facts.index:>4}  {facts.track}  {facts.name}: {clip.status}"
        if clip.rendition is not None and clip.done:
            say(f"{head}, {loudness_line(clip.rendition.before, clip.rendition.after)}")
        elif clip.status in (FAILED, LEFT_OUT):
            say(f"{head}" if clip.status == FAILED else f"{head} ({clip.reason})")
    wanted = len(result.done) + len(result.failed)
    if result.done:
        say(f"{len(result.done)} of {wanted} clips rebalanced in {clock(result.seconds)}: {result.out}")
    else:
        say("No clip was rebalanced; no timeline was written.")
    say(f"Report: {result.folder / 'report.html'}")
