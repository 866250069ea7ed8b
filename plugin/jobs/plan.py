"""Plans a job: which clips, where results go, what is there already, whether there is room."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ...engine.edit.categories import SILENT, UNKNOWN, Category, said
from ...engine.errors import ModelError, SettingsError, SightmixError, TimelineError, WriteError
from ...engine.locks import check_free
from ...engine.media.reader import probe
from ...engine.media.time import to_samples
from ...engine.passage import Passage, Rendition
from ...engine.progress import Progress
from ..timeline import AudioClip, Timeline
from ..timeline.categories import doubts, held
from ..timeline.load import BUNDLES
from ..timeline.marks import is_generated, walk
from ..timeline.pack import bundle_size
from ..timeline.save import check_kind, check_target
from .cache import Shelf
from .disk import check_room
from .hand import Drawn
from .inspection import category_data
from .keys import Identities, rendition_key, span_key
from .losses import Loss, of_result, of_timeline
from .names import result_folder, result_path
from .ranges import parse_ranges
from .rehearsal import Part, uncarried
from .results import FAILED, LEFT_OUT, NOT_CHOSEN, ClipFacts, ClipResult
from .settings import AUTO, KEYFRAMES, JobSettings
from .stage import Draft, Identity, Stage

_SAMPLE_BYTES, _FLOAT_BYTES = 3, 4
PLAN_SCHEMA = "sightmix.plan/1"
_SPARE = 50_000_000  # bytes for the report, the timeline and whatever else is being written


@dataclass(frozen=True)
class Job:
    """What was asked for: `clips` as ranges ("3,5-9") or `tracks` by name; every online clip if neither.

    `drawn` are curves drawn by hand. Raises SettingsError for such where every clip is balanced by itself.
    """

    source: Path
    out: Path
    settings: JobSettings
    clips: str = ""
    tracks: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    drawn: tuple[Drawn, ...] = ()

    def __post_init__(self) -> None:
        if self.drawn and not self.settings.whole:
            raise SettingsError(
                "Curves drawn by hand belong to a programme; leave --unit clip out, or the curves."
            )


@dataclass(frozen=True)
class Task:
    """One clip to work on: its passage, cache key and span, and the rendition if an earlier run left one.

    `category` is what it holds; a clip that is `known` to be one stem needs no separation.
    """

    facts: ClipFacts
    passage: Passage
    key: str
    span: str
    cached: Rendition | None
    category: Category = UNKNOWN

    @property
    def known(self) -> bool:
        """Whether the clip is one stem by itself."""
        return self.category.certain and bool(self.category.stem)

    @property
    def seconds(self) -> float:
        """Seconds of sound to render."""
        return float(self.passage.rendered_duration)

    @cached_property
    def bytes(self) -> int:
        """About how many bytes its sound takes as a file."""
        return _bytes(self.passage)

    @property
    def cache_name(self) -> str:
        """Base name of the rendition's files in the cache."""
        return self.key[:32]


@dataclass(frozen=True)
class Plan:
    """A job ready to run; `others` are the clips left out or already known to fail.

    `categories` says what every clip holds, by number, where the programme is balanced as one, and `doubts` of which
    tracks nobody is sure, a sentence each. `uncarried` is what the result's format will not carry.
    """

    job: Job
    timeline: Timeline
    out: Path
    folder: Path
    tasks: tuple[Task, ...]
    others: tuple[ClipResult, ...]
    categories: Mapping[int, Category] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()
    uncarried: tuple[str, ...] = ()

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What of the timeline cannot be understood, is not taken into account, or is taken for a mix in doubt; and
        what of the result its format will not carry.
        """
        return (*of_timeline([*self.timeline.edit.unheard, *self.doubts]), *of_result(self.uncarried))

    @property
    def cache_folder(self) -> Path:
        """Where renditions wait before the loudness stage, kept for the next run."""
        return self.folder / "cache"

    @property
    def bytes_needed(self) -> int:
        """About how many bytes the job will write."""
        settings = self.job.settings
        if settings.whole:
            return sum(self._bytes_of(task) for task in self.tasks)
        files = 4 if settings.with_stems else 1
        copies = 1 if settings.target_lufs is None else 2
        return sum(task.bytes * files * (copies - (task.cached is not None)) for task in self.tasks)

    def _bytes_of(self, task: Task) -> int:
        """About what one clip of a programme takes: separated stems, and its new sound."""
        settings = self.job.settings
        if task.known:
            made = {AUTO: 0, KEYFRAMES: 0}.get(settings.as_, 1 + settings.with_stems)
            return task.bytes * made
        return task.bytes * ((4 if task.cached is None else 0) + (4 if settings.with_stems else 1))

    @property
    def bytes_bundled(self) -> int:
        """About how many bytes a bundle takes: the timeline's media once more, and what the job writes."""
        if self.out.suffix.lower() not in BUNDLES:
            return 0
        return bundle_size(self.timeline.root, self.timeline.document.base) + self.bytes_needed

    @property
    def bytes_passing(self) -> int:
        """About how many bytes lie on the disk while a clip is written, and go again: the same in floats."""
        files = 4 if self.job.settings.with_stems or self.job.settings.whole else 1
        largest = max((task.bytes for task in self.tasks), default=0)
        return largest // _SAMPLE_BYTES * _FLOAT_BYTES * files


def make_plan(job: Job, timeline: Timeline, stage: Stage, progress: Progress | None = None) -> Plan:
    """Decide on every clip of the timeline; nothing is loaded for it but an ear, where nothing else tells of a track.

    Raises SettingsError for a selection that names nothing or an output that would harm something, WriteError
    for a disk without room, Cancelled.
    """
    check_kind(job.out)
    out = result_path(job.out.absolute())
    folder = result_folder(out)
    chosen, named = choose_clips(timeline, job)
    media = dict.fromkeys(clip.path for clip in timeline.clips if clip.path is not None)
    check_output(out, folder, job.source, list(media))
    check_target(timeline, out)
    categories, doubtful = categories_of(job, timeline, stage, progress or Progress())
    drafter = _Drafter(job.settings, stage.identity, Identities(), Shelf(folder / "cache"), categories)
    wanted = {clip.index for clip in timeline.clips if clip.index in chosen and clip.online}
    drafts = {draft.clip.index: draft for draft in stage.tasks(timeline, wanted)}
    tasks: list[Task] = []
    others: list[ClipResult] = []
    for clip in timeline.clips:
        facts = facts_of(clip)
        if clip.index not in chosen:
            reason = clip.reason if not clip.online else NOT_CHOSEN
            others.append(ClipResult(facts, LEFT_OUT, reason))
        elif not clip.online:
            others.append(ClipResult(facts, FAILED if named else LEFT_OUT, clip.reason))
        elif (silent := categories.get(clip.index, UNKNOWN)).kind == SILENT:
            others.append(ClipResult(facts, LEFT_OUT, f"It is silent: {silent.reason}.", category=silent))
        elif clip.index in drafts:
            try:
                tasks.append(drafter.task(facts, drafts[clip.index]))
            except SightmixError as error:
                others.append(ClipResult(facts, FAILED, str(error)))
        else:
            others.append(ClipResult(facts, LEFT_OUT, "There is nothing to do for it."))
    plan = Plan(job, timeline, out, folder, tuple(tasks), tuple(others), categories, doubtful)
    check_room(folder, plan.bytes_needed + plan.bytes_passing + plan.bytes_bundled + (_SPARE if tasks else 0))
    parts = (Part(t.facts.index, t.passage, t.category.kind if t.known else "") for t in tasks)
    return replace(plan, uncarried=uncarried(timeline, parts, job.settings, out, folder))


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
            "shots": plan.timeline.clip(task.facts.index).shots,
            "status": status_of(task, plan),
            "key": task.key,
            **({"category": category_data(task.category)} if plan.job.settings.whole else {}),
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
        "losses": [loss.to_dict() for loss in plan.losses],
    }


def status_of(task: Task, plan: Plan) -> str:
    """What will be done to a clip, in a word."""
    if plan.job.settings.whole and task.known:
        return "to ride"
    return "cached" if task.cached is not None else "to render"


def categories_of(
    job: Job, timeline: Timeline, stage: Stage, progress: Progress
) -> tuple[dict[int, Category], tuple[str, ...]]:
    """What every clip holds, by number, and what is doubtful; nothing where every clip is balanced by itself.

    Where nothing can listen, that is said, and what nothing else tells of is taken for a mix. Raises SettingsError for
    what is said of a track that there is not.
    """
    told = said(job.categories)
    if not job.settings.whole:
        return {}, ()
    deaf = []
    try:
        found = held(timeline, told, stage.ear(progress))
    except ModelError as error:
        deaf = [f"No track is listened to: {error}"]
        found = held(timeline, told)
    return found.clips, (*deaf, *doubts(timeline, found))


def choose_clips(timeline: Timeline, job: Job) -> tuple[frozenset[int], bool]:
    """The indices of the clips asked for, and whether they were asked for by number.

    Raises SettingsError when nothing on the timeline fits.
    """
    if job.clips and job.tracks:
        raise SettingsError("--clips and --track cannot be used together; name the clips by number alone.")
    if not timeline.clips:
        raise SettingsError(f"{job.source} has no audio clips to rebalance.")
    if job.clips:
        return frozenset(parse_ranges(job.clips, len(timeline.clips))), True
    numbers = {number for name in job.tracks for number in timeline.tracks_named(name, "--track")}
    wanted = [clip for clip in timeline.clips if not job.tracks or clip.track_number in numbers]
    if not any(clip.online for clip in wanted):
        first = wanted[0]
        raise SettingsError(
            f"None of the {len(wanted)} audio clips of {job.source} can be rendered; "
            f"the first is '{first.name}': {first.reason}"
        )
    return frozenset(clip.index for clip in wanted), False


def check_output(out: Path, folder: Path, source: Path, media: Sequence[Path]) -> None:
    """Raise SettingsError or WriteError if writing `out` and `folder` would harm what is not ours."""
    real = out.resolve()
    if real == source.resolve():
        raise SettingsError(f"The result would replace the input {source}; choose another name with -o.")
    if any(real == path.resolve() for path in media):
        raise SettingsError(f"The result would replace the media file {out}; choose another name with -o.")
    if any(folder.resolve() in path.resolve().parents for path in (source, *media)):
        raise SettingsError(
            f"The input uses files in {folder}, where the result's own files go; choose another name with -o."
        )
    if not out.parent.is_dir():
        raise WriteError(f"The folder {out.parent} does not exist; create it or choose another with -o.")
    if folder.exists() and not folder.is_dir():
        raise WriteError(f"{folder} is in the way; choose another name with -o.")
    if out.exists() and not is_ours(out, folder):
        raise SettingsError(
            f"{out} exists and was not written by sightmix; choose another name with -o, or remove it first."
        )
    check_free(out)


def is_ours(out: Path, folder: Path) -> bool:
    """Whether an earlier job wrote `out`: its report says so, or the timeline does."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        if Path(report["timeline"]["result"]).resolve() == out.resolve():
            return True
    with suppress(OSError, ValueError):
        root = json.loads(out.read_text(encoding="utf-8"))
        return isinstance(root, dict) and any(is_generated(node) for node in walk(root))
    return False


def facts_of(clip: AudioClip) -> ClipFacts:
    """Which clip, in words and figures."""
    return ClipFacts(
        clip.index,
        clip.name,
        clip.track,
        clip.record_in,
        clip.record_out,
        clip.timecode_in,
        clip.timecode_out,
    )


@dataclass(frozen=True)
class _Drafter:
    """Makes tasks of a stage's drafts."""

    settings: JobSettings
    identity: Identity
    identities: Identities
    shelf: Shelf
    categories: Mapping[int, Category]

    def task(self, facts: ClipFacts, draft: Draft) -> Task:
        """The task with its key, and what an earlier run has left of it; raises SightmixError where there is none."""
        if draft.passage is None:
            raise TimelineError(draft.reason)
        settings = self.settings
        key = rendition_key(draft.passage, self.identity, self.identities)
        category = self.categories.get(facts.index, UNKNOWN)
        task = Task(facts, draft.passage, key, span_key(draft.passage), None, category)
        if not settings.cache or task.known:
            return task
        # A programme needs what was separated before its gains; those come later.
        stems, raw = (True, True) if settings.whole else (settings.with_stems, settings.keyframed)
        cached = self.shelf.find(task.cache_name, key, stems, raw)
        return replace(task, cached=cached)


def _bytes(passage: Passage) -> int:
    sound = passage.sound
    streams = probe(sound.path).audio
    stream = streams[sound.channels[0].stream if sound.channels else 0]
    channels = len(sound.channels) if sound.channels else stream.channels
    return to_samples(passage.rendered_duration, stream.sample_rate) * channels * _SAMPLE_BYTES
