"""The tables of models from checkpoints, in one command; what is missing is trained, or named and left out."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...errors import Cancelled, ModelError, SettingsError
from ...progress import Progress
from ...training.scenes.shards import MANIFEST
from ..compute import Spent, spent
from ..figures import Point, Result, RowResult, SetResult
from ..plans import Experiment, Row, SceneSet, read_experiment, shipped
from ..scoring import Cache, Heard, Job, SceneWindow, Stored, score
from ..systems import Absent, Trained, Workshop, is_shards, window_of
from .making import is_done, make

COMMAND = "python -m sightmix.engine.evaluation.experiments"
KEPT = "evaluations"  # folder of figures among the runs
_INPUT = Row("poorly mixed input", "input")
_GUESS = "guesses"


@dataclass(frozen=True)
class Options:
    """What the command line changes of every set, 0 and "" for nothing, and whether to train what is missing."""

    clips: int = 0
    seconds: float = 0.0
    split: str = ""
    train: bool = False
    train_device: str = "auto"


@dataclass
class _Planned:
    """One experiment on one set, before and while its jobs run."""

    experiment: Experiment
    chosen: SceneSet
    before: Stored
    rows: list[RowResult]
    guesses: Stored | None


class Study:
    """Experiments on one corpus or folder of shards. `tell` hears sentences meant for the user."""

    def __init__(
        self, workshop: Workshop, cache: Cache, options: Options = Options(), progress: Progress | None = None
    ) -> None:
        self.workshop, self.cache, self.options = workshop, cache, options
        self.progress = progress or Progress()
        self.absent: list[str] = []
        self._windows: dict[str, SceneWindow] = {}
        self._prints: dict[str, str] = {}
        self._jobs: dict[str, dict[str, Job]] = {}
        self._stored: dict[str, Stored] = {}
        # Runs by name, so that one may begin where another ends, whichever table it belongs to.
        self._runs: dict[str, Row] = {}

    def run(self, experiments: Sequence[Experiment]) -> list[Result]:
        """Every experiment's results; scenes that several ask for are drawn once. Raises `SightmixError`."""
        every = [*map(read_experiment, shipped().values()), *experiments]
        self._runs = {row.run: row for one in every for row in one.rows if row.kind == "checkpoint"}
        if self.options.train:
            self._train(experiments)
        planned = [[self._plan(one, chosen) for chosen in self._sets(one)] for one in experiments]
        for key, jobs in self._jobs.items():
            score(self._windows[key], list(jobs.values()), self.progress, key)
        return [
            Result(one, tuple(SetResult(p.chosen, p.before, tuple(p.rows), p.guesses) for p in plans))
            for one, plans in zip(experiments, planned, strict=True)
        ]

    def _train(self, experiments: Sequence[Experiment]) -> None:
        asked = [row for one in experiments for row in one.rows if row.kind == "checkpoint"]
        rows = {row.run: row for one in asked for row in [*self._origins(one), one]}
        for row in rows.values():
            runs = self.workshop.runs
            if not is_done(row, runs):
                print(f"Training '{row.name}' in {runs / row.run}", file=sys.stderr)
                if not make(row, self.workshop.data, runs, self.options.train_device):
                    raise Cancelled(
                        f"Stopped while training {runs / row.run}; the same command goes on with it."
                    )

    def _origins(self, row: Row) -> list[Row]:
        """The rows of the runs that a row's run goes on from, the first one first."""
        earlier = self._runs.get(row.start)
        return [] if earlier is None or earlier.run == row.run else [*self._origins(earlier), earlier]

    def _sets(self, experiment: Experiment) -> Iterator[SceneSet]:
        """The experiment's sets as the command line has them; shards are as they were built, so there is but one."""
        for chosen in experiment.sets:
            changed = replace(
                chosen,
                clips=self.options.clips or chosen.clips,
                seconds=self.options.seconds or chosen.seconds,
                split=self.options.split or chosen.split,
            )
            if is_shards(self.workshop.data):
                yield replace(changed, name="clips as they were built", scenes="well_mixed", scene_options={})
                return
            yield changed

    def _plan(self, experiment: Experiment, chosen: SceneSet) -> _Planned:
        before = self._job(_INPUT, chosen, "distances")
        rows = []
        for row in experiment.rows:
            try:
                if row.kind == "published":
                    rows.append(RowResult(row, Stored()))
                else:
                    stored = self._job(row, chosen, experiment.measure)
                    curve = self._curve(row, chosen) if experiment.measure == "distances" else ()
                    rows.append(RowResult(row, stored, "", self._note(row), self._spent(row), curve))
            except Absent as error:
                self._leave_out(f"{error}: {self._how(experiment, row)}")
                rows.append(RowResult(row, Stored(), mark=error.mark))
            except ModelError as error:
                self._leave_out(f"'{row.name}' is left out: {error}")
                rows.append(RowResult(row, Stored(), mark="not installed"))
        return _Planned(experiment, chosen, before, rows, self._guesses(experiment, chosen))

    def _curve(self, row: Row, chosen: SceneSet) -> tuple[Point, ...]:
        """What a run in stages came to at each, the runs it goes on from included; nothing where one is missing."""
        stages = [replace(one, step=step) for one in [*self._origins(row), row] for step in _steps(one)]
        if row.kind != "checkpoint" or len(stages) < 2:
            return ()
        points = []
        for stage in stages:
            try:
                stored = self._job(stage, chosen, "distances")
            except Absent:
                continue
            points.append(Point(stored, self._spent(stage)))
        return tuple(points)

    def _spent(self, row: Row) -> Spent | None:
        """What training a row's network cost, from nothing on; None where it is not known."""
        if row.kind != "checkpoint":
            return None
        found = Trained.read(self.workshop.checkpoint(row))
        own = spent(self.workshop.runs / row.run, found.step, found.clips_per_step)
        if not row.start:
            return own
        earlier = self._runs.get(row.start)
        try:
            before = self._spent(earlier) if earlier is not None and earlier.run != row.run else None
        except Absent:
            before = None
        return own + before if own is not None and before is not None else None

    def _guesses(self, experiment: Experiment, chosen: SceneSet) -> Stored | None:
        """Where the figures of the guesser by levels alone will be."""
        clips = experiment.guess_clips
        if not clips:
            return None
        identity = self.workshop.guesser_identity(chosen, clips)
        return self._scored(identity, chosen, _GUESS, lambda: self.workshop.guesser(chosen, clips))

    def _leave_out(self, sentence: str) -> None:
        if sentence not in self.absent:
            self.absent.append(sentence)

    def _how(self, experiment: Experiment, row: Row) -> str:
        place = f"--corpus {self.workshop.data} --runs {self.workshop.runs}"
        return f"make it with `{COMMAND} {place} --only {experiment.name} --train`, or train {row.config} yourself."

    def _note(self, row: Row) -> str:
        if row.kind != "checkpoint":
            return ""
        found = Trained.read(self.workshop.checkpoint(row))
        last = found.last(row)
        return "" if found.step >= last else f"step {found.step} of {last}"

    def _job(self, row: Row, chosen: SceneSet, measure: str) -> Stored:
        """Where a row's figures on a set will be; equal rows of several tables are worked out once."""
        identity = self.workshop.identity(row, chosen)
        return self._scored(identity, chosen, measure, lambda: self.workshop.build(row, chosen), row.picture)

    def _scored(
        self,
        identity: dict[str, Any],
        chosen: SceneSet,
        measure: str,
        build: Callable[[], Heard],
        picture: str = "right",
    ) -> Stored:
        key = f"{chosen.scenes} {json.dumps(chosen.scene_options, sort_keys=True)} {chosen.split} {chosen.length}"
        if key not in self._windows:
            self._windows[key] = window_of(self.workshop.data, chosen)
            self._prints[key] = self._windows[key].fingerprint()
        about: dict[str, Any] = {
            "system": identity,
            "measure": measure,
            "data": _digest(self.workshop.data),
            "set": [key, self._prints[key]],
        }
        name = json.dumps(about, sort_keys=True)
        if name not in self._stored:
            self._stored[name] = self.cache.open(about)
        jobs = self._jobs.setdefault(key, {})
        if name not in jobs:
            jobs[name] = Job(build, self._stored[name], chosen.clips, measure, picture)
        jobs[name].clips = max(jobs[name].clips, chosen.clips)
        return self._stored[name]


def _steps(row: Row) -> list[int]:
    """The steps of a run at which the learning rate came down to 0: its stages', and 0 for its last."""
    return [*row.stages, 0]


def _digest(folder: Path) -> str:
    """What tells one corpus or folder of shards from another: the list of what it holds."""
    for name in (MANIFEST, "corpus.json"):
        path = folder / name
        if path.exists():
            return hashlib.sha256(path.read_bytes()).hexdigest()
    raise SettingsError(
        f"{folder} holds neither a corpus nor shards: make one as docs/training.md tells, or name another folder."
    )
