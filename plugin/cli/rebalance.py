"""``sightmix rebalance``: plan, run and sum up a job."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...engine.legible import json_text
from ..jobs.disk import size_text
from ..jobs.eta import clock
from ..jobs.ranges import format_ranges
from ..jobs.settings import JobSettings
from .errors import SOME_FAILED, say, sentences
from .moment import waited
from .options import (
    AsEvents,
    AsJson,
    Categories,
    Clips,
    Curves,
    MediaFolders,
    Rate,
    Source,
    TimelineName,
    Tracks,
    with_settings,
)
from .progress import stoppable, watched

if TYPE_CHECKING:
    from ..jobs.losses import Loss
    from ..jobs.plan import Plan
    from ..jobs.results import JobResult
    from ..jobs.service import Request


@sentences
@with_settings()
def rebalance(
    *,
    source: Source,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT", help="The timeline to write.")],
    clips: Clips = "",
    track: Tracks = None,
    every: Annotated[bool, typer.Option("--all", help="Every online clip, which is the default.")] = False,
    category: Categories = None,
    settings: JobSettings,
    timeline: TimelineName = "",
    media: MediaFolders = None,
    rate: Rate = "",
    curves: Curves = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
    as_json: AsJson = False,
    as_events: AsEvents = False,
) -> None:
    """Rebalance a timeline as one programme and write a timeline with the result on new tracks, beside a report.

    Tracks of dialogue, music or effects come back as the same clips under volume curves; mixes as new sound.
    """
    from ..jobs.hand import read_hand
    from ..jobs.service import Request

    request = Request(
        source,
        out,
        settings,
        clips,
        tuple(track or ()),
        every,
        timeline,
        tuple(media or ()),
        rate,
        tuple(category or ()),
        () if curves is None else read_hand(curves),
    )
    rebalance_timeline(request, dry_run, as_json, as_events)


def rebalance_timeline(request: Request, dry_run: bool, as_json: bool, as_events: bool) -> None:
    """Run a request, or only say what it would do; leaves with status 1 where clips failed."""
    from ..jobs.service import Service

    began = time.monotonic() - waited()
    with watched(as_json, as_events) as observer:
        service = Service(observer)
        with stoppable(service.progress):
            plan = service.plan(request) if dry_run else None
            result = None if dry_run else service.rebalance(request)
    if not as_events and plan is not None:
        _print_plan(plan, as_json)
    if result is None:
        return
    if not as_events:
        _print_result(result, as_json, time.monotonic() - began)
    if result.failed:
        raise typer.Exit(SOME_FAILED)


def _print_plan(plan: Plan, as_json: bool) -> None:
    from ..jobs.plan import plan_data
    from ..jobs.results import NOT_CHOSEN

    data = plan_data(plan)
    if as_json:
        print(json_text(data))
        return
    for clip in data["clips"]:
        if clip.get("reason") == NOT_CHOSEN:
            continue
        say(f"{clip['index']:>4}  {clip['track']}  {clip['name']}: {clip['status']}{_why(clip)}")
    _print_not_chosen(tuple(c.facts.index for c in plan.others if c.reason == NOT_CHOSEN))
    whole = plan.job.settings.whole
    waiting = sum(task.seconds for task in plan.tasks if task.cached is None and not (whole and task.known))
    if whole:
        say("Clips of one kind would stay as they are, under a volume curve; mixes would be separated.")
    say(
        f"Would {'separate' if whole else 'render'} {clock(waiting)} of sound, "
        f"write about {size_text(plan.bytes_needed)} "
        f"to {plan.folder}, and write {plan.out}."
    )
    tell_losses(plan.losses)


def _print_not_chosen(indices: tuple[int, ...]) -> None:
    """The clips nobody asked for, in a line, however many they are."""
    if indices:
        say(f"Not chosen: {'clip' if len(indices) == 1 else 'clips'} {format_ranges(indices)}.")


def _why(clip: dict[str, Any]) -> str:
    if "reason" in clip:
        return f" ({clip['reason']})" if clip["reason"] else ""
    return f" ({clip['seconds']:.1f} s, {clip['shots']} shots{_holds(clip.get('category'))})"


def _holds(category: dict[str, Any] | None) -> str:
    """What a clip holds, with who says so, and that it is doubtful where it is."""
    if category is None:
        return ""
    if not category["certain"]:
        guess = f"perhaps {category['kind']}: " if category["kind"] else ""
        return f"; taken for a mix: {guess}{category['reason']}"
    return f"; {category['kind']}: {category['reason']}"


def _print_result(result: JobResult, as_json: bool, taken: float) -> None:
    """What became of every clip that was asked for, and of the whole, `taken` seconds after it was asked for."""
    from ..jobs.report import loudness_line, report_data
    from ..jobs.results import FAILED, LEFT_OUT, NOT_CHOSEN

    for clip in result.failed:
        say(f"sightmix: {clip.facts.label} was not rebalanced: {clip.reason}", error=True)
    if as_json:
        status = SOME_FAILED if result.failed else 0
        print(json_text(report_data(result) | {"exit_status": status}, allow_nan=False))
        return
    for clip in result.clips:
        facts = clip.facts
        head = f"{facts.index:>4}  {facts.track}  {facts.name}: {clip.status}"
        if clip.loudness is not None:
            say(f"{head}, {loudness_line(*clip.loudness)}")
        elif clip.status == FAILED:
            say(head)
        elif clip.status == LEFT_OUT and clip.reason != NOT_CHOSEN:
            say(f"{head} ({clip.reason})")
    _print_not_chosen(result.not_chosen)
    for sentence in result.said:
        say(f"      {sentence}")
    _print_level(result)
    wanted = len(result.done) + len(result.failed)
    if result.done:
        say(f"{len(result.done)} of {wanted} clips rebalanced in {clock(taken)}: {result.out}")
    else:
        say("No clip was rebalanced; no timeline was written.")
    tell_losses(result.losses)
    say(f"Report: {result.folder / 'report.html'}")


def _print_level(result: JobResult) -> None:
    """How loud the programme was and is, and which tracks are to be heard now."""
    balance = result.balance
    if balance is None:
        return
    from ..jobs.report import loudness_line

    figures = balance.levelled
    say(f"Programme: {loudness_line(figures.before, figures.after)}")
    if not figures.reached:
        say("The level asked for could not be met: its peaks stand in the way.", error=True)
    originals = "sound as well" if result.settings.keep_originals else "are muted"
    say(f"The new tracks are on; the originals of what was rebalanced {originals}.")


def tell_losses(losses: Sequence[Loss]) -> None:
    """Print what a result lacks, a line each."""
    from ..jobs.losses import sentences as lines

    for line in lines(losses):
        say(line)
