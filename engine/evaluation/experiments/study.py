"""The tables of models from checkpoints, in one command; what is missing is trained, or named and left out."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...errors import Cancelled, ModelError, SettingsError
from ...progress import Progress
from ...training.scenes.shards import MANIFEST
from ..plans import Experiment, Row, SceneSet
from ..report import Result, RowResult, SetResult
from ..scoring import Cache, Job, SceneWindow, Stored, score
from ..systems import Absent, Trained, Workshop, is_shards, window_of
from .making import is_done, make

COMMAND = "python -m sightmix.engine.evaluation.experiments"
KEPT = "evaluations"  # folder of figures among the runs
_INPUT = Row("poorly mixed input", "input")


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

    def run(self, experiments: Sequence[Experiment]) -> list[Result]:
        """Every experiment's results; scenes that several ask for are drawn once. Raises `SightmixError`."""
        if self.options.train:
            self._train(experiments)
        planned = [[self._plan(one, chosen) for chosen in self._sets(one)] for one in experiments]
        for key, jobs in self._jobs.items():
            score(self._windows[key], list(jobs.values()), self.progress, key)
        return [
            Result(one, tuple(SetResult(p.chosen, p.before, tuple(p.rows)) for p in plans))
            for one, plans in zip(experiments, planned, strict=True)
        ]

    def _train(self, experiments: Sequence[Experiment]) -> None:
        rows = {row.run: row for one in experiments for row in one.rows if row.kind == "checkpoint"}
        for row in rows.values():
            runs = self.workshop.runs
            if not is_done(row, runs):
                print(f"Training '{row.name}' in {runs / row.run}", file=sys.stderr)
                if not make(row, self.workshop.data, runs, self.options.train_device):
                    raise Cancelled(
                        f"Stopped while training {runs / row.run}; the same command goes on with it."
                    )

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
                    rows.append(RowResult(row, stored, note=self._note(row)))
            except Absent as error:
                self._leave_out(f"{error}: {self._how(experiment, row)}")
                rows.append(RowResult(row, Stored(), mark=error.mark))
            except ModelError as error:
                self._leave_out(f"'{row.name}' is left out: {error}")
                rows.append(RowResult(row, Stored(), mark="not installed"))
        return _Planned(experiment, chosen, before, rows)

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
        return "" if found.step >= found.steps else f"step {found.step} of {found.steps}"

    def _job(self, row: Row, chosen: SceneSet, measure: str) -> Stored:
        """Where a row's figures on a set will be; equal rows of several tables are worked out once."""
        key = f"{chosen.scenes} {json.dumps(chosen.scene_options, sort_keys=True)} {chosen.split} {chosen.seconds:g} s"
        if key not in self._windows:
            self._windows[key] = window_of(self.workshop.data, chosen)
            self._prints[key] = self._windows[key].fingerprint()
        about: dict[str, Any] = {
            "system": self.workshop.identity(row, chosen),
            "measure": measure,
            "data": _digest(self.workshop.data),
            "set": [key, self._prints[key]],
        }
        name = json.dumps(about, sort_keys=True)
        if name not in self._stored:
            self._stored[name] = self.cache.open(about)
        jobs = self._jobs.setdefault(key, {})
        if name not in jobs:
            jobs[name] = Job(
                lambda: self.workshop.build(row, chosen),
                self._stored[name],
                chosen.clips,
                measure,
                row.picture,
            )
        jobs[name].clips = max(jobs[name].clips, chosen.clips)
        return self._stored[name]


def _digest(folder: Path) -> str:
    """What tells one corpus or folder of shards from another: the list of what it holds."""
    for name in (MANIFEST, "corpus.json"):
        path = folder / name
        if path.exists():
            return hashlib.sha256(path.read_bytes()).hexdigest()
    raise SettingsError(
        f"{folder} holds neither a corpus nor shards: make one as docs/training.md tells, or name another folder."
    )
