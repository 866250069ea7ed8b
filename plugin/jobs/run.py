"""Runs a planned job clip by clip: render, level, report, place on the timeline."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from ...engine.edit.nodes import Pointer
from ...engine.errors import Cancelled, MediaError, SightmixError, WriteError
from ...engine.files import sweep
from ...engine.highlight.finish import finish, stamp_of
from ...engine.media.writer import time_reference
from ...engine.passage import Rendition
from ...engine.progress import Progress
from .balance import Balance
from .bench import Bench
from .cache import Shelf, deliver
from .clean import prune_cache, remember
from .desk import unreadable
from .disk import is_disk_full
from .eta import clip_share
from .events import ClipDone, Observer, nobody
from .keys import delivery_key
from .levels import programme_gain, programme_loudness, stage_for
from .logs import log_unexpected, sentence_of
from .losses import of_result
from .place import place
from .plan import Plan, Task
from .programme import balance, finished, said_of
from .report import pictures_of, write_report
from .results import CACHED, FAILED, RENDERED, ClipResult, JobResult
from .sidecar import loudness_to_dict
from .stage import Stage


class DiskFullError(WriteError):
    """The disk filled up while a job ran; what was finished is kept."""


def run(
    plan: Plan, stage: Stage, progress: Progress, observe: Observer = nobody, began: float | None = None
) -> JobResult:
    """Run a job: render what is missing, bring it to level, write the report and the timeline.

    A clip that fails is named in the result and the others go on; without a finished clip no timeline is
    written. Raises Cancelled when stopped and DiskFullError when the disk is full: finished renditions are
    kept for the next run, the timeline is not written. Raises WriteError when nothing can be written at all, and
    ModelError where something is to be rendered and its model cannot be loaded. `observe` is told of every part of
    the job, every clip and every loss; `began` is when it was asked for, on time.monotonic's clock, if not now.
    """
    began = time.monotonic() if began is None else began
    bench = Bench(plan, stage, progress, observe, Shelf(plan.folder / "cache"), Shelf(plan.folder))
    bench.tell(plan.losses)
    if any(task.cached is None and not (plan.job.settings.whole and task.known) for task in plan.tasks):
        bench.begin("load")
        stage.load()
    _prepare(bench)
    rendered: list[tuple[Task, ClipResult]] = []
    try:
        bench.begin("render")
        _render_all(bench, rendered)
        balanced: Balance | None = None
        if plan.job.settings.whole:
            results, balanced = _balance_all(bench, rendered)
            gain_db, integrated = _level_of(balanced)
        else:
            bench.begin("level")
            results, gain_db = _level_all(bench, rendered)
            bench.begin("measure")
            done = [(task, result) for task, result in results if result.done]
            integrated = _integrated(bench, done)
        clips = (*(result for _, result in results), *plan.others)
        job = JobResult(
            timeline_name=plan.timeline.name,
            source=plan.job.source.absolute(),
            out=plan.out,
            folder=plan.folder,
            settings=plan.job.settings,
            model=stage.identity.model,
            weights_sha256=stage.identity.weights_sha256,
            device=stage.device,
            clips=tuple(sorted(clips, key=lambda clip: clip.facts.index)),
            gain_db=gain_db,
            integrated=integrated,
            seconds=time.monotonic() - began,
            made=datetime.now().astimezone().isoformat(timespec="seconds"),
            losses=(*plan.losses, *(loss for _, result in results for loss in result.losses)),
            balance=balanced,
            said=said_of(balanced, plan) if balanced is not None else (),
        )
        job = _hand_over(bench, job)
    except Cancelled as error:
        raise Cancelled(_stopped(plan, rendered, "Stopped on request")) from error
    except (SightmixError, OSError) as error:
        if is_disk_full(error):
            text = _stopped(plan, rendered, f"The disk that holds {plan.folder} is full")
            raise DiskFullError(text) from error
        raise
    if job.done and not job.failed:
        prune_cache(bench.cache, plan, job)
    return job


def _hand_over(bench: Bench, job: JobResult) -> JobResult:
    """Write the report and, where there is something to place, the timeline; the job with what got lost in it."""
    for clip in job.clips:
        bench.tell(clip.losses)
    bench.begin("report")
    pictures = pictures_of(job, bench.progress)
    if job.done:
        # Before any of it is written, so that nothing can be cleaned away from under a timeline that is there.
        remember(job.folder, job)
    write_report(job, bench.progress, pictures)
    if not job.done:
        return job
    bench.begin("write")
    lost = tuple(loss for loss in of_result(place(bench.plan, job)) if loss not in job.losses)
    if lost:
        bench.tell(lost)
        job = replace(job, losses=(*job.losses, *lost))
        write_report(job, bench.progress, pictures)
    return job


def _prepare(bench: Bench) -> None:
    """Make the folders, and clear away what a killed run left half-written in them."""
    try:
        bench.cache.folder.mkdir(parents=True, exist_ok=True)
        for folder in (bench.cache.folder, bench.top.folder):
            sweep(folder)
    except OSError as error:
        raise WriteError(f"{bench.cache.folder} cannot be made: {error.strerror or error}.") from error


def _render_all(bench: Bench, rendered: list[tuple[Task, ClipResult]]) -> None:
    plan = bench.plan
    total = _work(plan)
    before = 0.0
    for clip in bench.plan.others:
        if clip.status == FAILED:
            bench.observe(clip_done(clip))
    for task in plan.tasks:
        size = _work_on(plan, task)
        with clip_share(bench.progress, task.facts.name, before, size, total):
            rendered.append((task, _render(bench, task)))
        if not bench.plan.job.settings.whole or rendered[-1][1].status == FAILED:
            bench.observe(clip_done(rendered[-1][1]))
        before += size


def _work_on(plan: Plan, task: Task) -> float:
    """Seconds of a clip that go through the network by themselves."""
    return 0.0 if plan.job.settings.whole and task.known else task.seconds


def _work(plan: Plan) -> float:
    """Seconds of sound that go through the network: of clips by themselves, and of the whole programme."""
    whole = float(plan.timeline.duration) if plan.job.settings.whole else 0.0
    return sum(_work_on(plan, task) for task in plan.tasks) + whole


def clip_done(clip: ClipResult) -> ClipDone:
    """What became of a clip, as an event."""
    facts, loudness = clip.facts, clip.loudness
    names = ("before", "after")
    figures = dict(zip(names, map(loudness_to_dict, loudness), strict=True)) if loudness else {}
    return ClipDone(facts.index, facts.name, facts.track, clip.status, clip.reason, **figures)


def _render(bench: Bench, task: Task) -> ClipResult:
    """Render one clip, or take it from the cache; whatever goes wrong with it alone becomes its result."""
    there = task.cached or bench.fresh.get(task.key)
    result = ClipResult(
        task.facts, CACHED, key=task.key, passage=task.passage, rendition=there, category=task.category
    )
    if there is not None or (bench.plan.job.settings.whole and task.known):
        return result
    began = time.monotonic()
    try:
        folder = bench.cache.folder
        rendition = bench.stage.render(task.passage, folder, task.cache_name, bench.progress)
        sound = task.passage.sound
        if sound.stamp is not None:  # what came of another file must not be kept under this one's name
            sound.stamp.check(sound.path)
        bench.cache.store(task.key, task.span, rendition)
    except Exception as error:  # noqa: BLE001  (one clip must not take the others with it)
        return _failed(result, error)
    bench.fresh[task.key] = rendition
    return replace(result, status=RENDERED, rendition=rendition, seconds=time.monotonic() - began)


def _failed(result: ClipResult, error: Exception) -> ClipResult:
    """The result of a clip that `error` stopped; what stops every clip is raised on."""
    if isinstance(error, Cancelled) or is_disk_full(error):
        raise error
    log_unexpected(f"{result.facts.label} failed", error)
    return replace(result, status=FAILED, reason=sentence_of(error), rendition=None, riding=None)


def _balance_all(
    bench: Bench, rendered: Sequence[tuple[Task, ClipResult]]
) -> tuple[list[tuple[Task, ClipResult]], Balance | None]:
    """Balance the programme and give every clip its part of the curves; what goes wrong with one is its result."""
    name, size, total = bench.plan.timeline.name, float(bench.plan.timeline.duration), _work(bench.plan)
    try:
        with clip_share(bench.progress, name, total - size, size, total, "listen"):
            seats, found = balance(bench, rendered)
    except MediaError:
        broken = unreadable(bench.plan.timeline, bench.progress)
        if not broken:
            raise
        rendered = [(task, _unbroken(bench, task, result, broken)) for task, result in rendered]
        seats, found = balance(bench, rendered, broken)
        found = found and replace(found, warnings=(*found.warnings, *_missed(bench.plan, broken)))
    if found is None:
        return list(rendered), None
    bench.begin("ride")
    results = []
    for seat, (task, result) in zip(seats, rendered, strict=True):
        made = result
        if seat.ridden:
            try:
                made = finished(bench, seat, task, result, found)
            except Exception as error:  # noqa: BLE001  (as in `_render`)
                made = _failed(result, error)
            bench.observe(clip_done(made))
        results.append((task, made))
    return results, found


def _missed(plan: Plan, broken: Mapping[Pointer, MediaError]) -> list[str]:
    """What is said of broken clips that were not to be rebalanced."""
    wanted = {leaf.pointer for task in plan.tasks for leaf in plan.timeline.clip(task.facts.index).leaves}
    return [
        f"A clip that stays as it is was taken for silent: {error}"
        for pointer, error in broken.items()
        if pointer not in wanted
    ]


def _unbroken(
    bench: Bench, task: Task, result: ClipResult, broken: Mapping[Pointer, MediaError]
) -> ClipResult:
    """A clip's result, which is a failure where the clip's sound is among what is broken."""
    leaves = bench.plan.timeline.clip(task.facts.index).leaves
    errors = [broken[leaf.pointer] for leaf in leaves if leaf.pointer in broken]
    if not errors or result.status == FAILED:
        return result
    failed = _failed(result, errors[0])
    bench.observe(clip_done(failed))
    return failed


def _level_of(found: Balance | None) -> tuple[float, tuple[float, float]]:
    """The gain for all, and the programme's loudness before and after; silence where nothing was balanced."""
    if found is None:
        return 0.0, (-math.inf, -math.inf)
    return found.levelled.gain_db, (found.levelled.before.integrated, found.levelled.after.integrated)


def _level_all(
    bench: Bench, rendered: Sequence[tuple[Task, ClipResult]]
) -> tuple[list[tuple[Task, ClipResult]], float]:
    """Bring every rendition to level and put it where the timeline finds it; also returns the gain in dB."""
    settings = bench.plan.job.settings
    target = settings.target_lufs
    ready = [(r.rendition, task.passage) for task, r in rendered if r.rendition is not None]
    if settings.keeps_loudness and settings.spec is None:
        # The originals may be gone where everything was taken from the cache; then nothing is known to keep.
        with suppress(SightmixError):
            before = programme_loudness(ready, bench.progress, original=True)
            target = before if math.isfinite(before) else None
    gain_db = 0.0
    if target is not None:
        gain_db = programme_gain(ready, target, settings.ceiling, bench.progress)
    return [(task, _level(bench, task, result, gain_db)) for task, result in rendered], gain_db


def _level(bench: Bench, task: Task, result: ClipResult, gain_db: float) -> ClipResult:
    if result.rendition is None:
        return result
    try:
        return replace(result, rendition=_delivered(bench, task, result.rendition, gain_db))
    except Exception as error:  # noqa: BLE001  (as in `_render`)
        failed = _failed(result, error)
    bench.observe(clip_done(failed))
    return failed


def _delivered(bench: Bench, task: Task, rendition: Rendition, gain_db: float) -> Rendition:
    settings = bench.plan.job.settings
    if not settings.with_stems:
        rendition = replace(rendition, stems={}, raw_stems=False)
    stage = stage_for(rendition, gain_db, settings)
    start = task.passage.record_offset + task.passage.record_start - task.passage.head
    stamp = time_reference(start, rendition.sample_rate)
    raw = settings.keyframed
    key = delivery_key(task.key, [stage.gain_db, stage.ceiling_dbtp, stamp, settings.with_stems, raw])
    name = bench.name_for(task.facts.index, key)
    there = bench.top.find(name, key, settings.with_stems, raw) if settings.cache else None
    if there is not None:
        return there
    folder = bench.top.folder
    if stage.needed or stamp_of(rendition.path).time_reference != stamp:
        result = finish(rendition, stage.gain_db, stage.ceiling_dbtp, folder, bench.progress, name, stamp)
    else:
        result = deliver(rendition, folder, name)
    bench.top.store(key, task.span, result)
    return result


def _integrated(bench: Bench, done: Sequence[tuple[Task, ClipResult]]) -> tuple[float, float]:
    """Programme loudness of the finished clips before and after, LUFS; -inf where it cannot be measured."""
    pairs = [(result.rendition, task.passage) for task, result in done if result.rendition is not None]
    before = -math.inf
    with suppress(SightmixError):
        bench.progress.check()
        before = programme_loudness(pairs, bench.progress, original=True)
    bench.progress.check()
    return before, programme_loudness(pairs, bench.progress)


def _stopped(plan: Plan, rendered: Sequence[tuple[Task, ClipResult]], why: str) -> str:
    done = sum(result.done for _, result in rendered)
    return (
        f"{why}: {done} of {len(plan.tasks)} clips are rendered and kept in {plan.folder}, no timeline was "
        "written; run the same command again to go on."
    )
