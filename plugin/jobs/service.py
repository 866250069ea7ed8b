"""The one road of a job, for command line, Python, panel and hosts: they ask here, watch events, and may cancel."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ...engine.errors import Cancelled, SettingsError
from ...engine.files import write_error
from ...engine.locks import holding, holding_folder
from ...engine.progress import Progress
from . import rebalance as rebalancing
from .cuts import find_cuts
from .events import Accepted, Event, Failed, Finished, Moved, Observer, Planned, StageBegan, nobody
from .hand import Drawn
from .logs import log_unexpected, logged, logged_to, sentence_of
from .plan import Job, Plan, make_plan, plan_data
from .report import report_data
from .run import run
from .settings import JobSettings
from .sidecar import plain

if TYPE_CHECKING:
    from .rebalance import Engines
    from .results import JobResult
    from .stage import Stage


@dataclass(frozen=True)
class Request:
    """What somebody wants rebalanced, and where the result goes.

    `clips` are numbers as ranges ("3,5-9"), `tracks` names or A1, A2 …; every online clip if neither, which `every`
    says in so many words. `categories` say what tracks hold ("A1=dialogue"). `timeline` is the name or number of one
    of several in the file, `folders` are more places to look for media in, `rate` what an EDL counts in. `drawn` are
    curves drawn by hand, which stand in the place of the model's.
    """

    source: Path
    out: Path
    settings: JobSettings = field(default_factory=JobSettings)
    clips: str = ""
    tracks: tuple[str, ...] = ()
    every: bool = False
    timeline: str = ""
    folders: tuple[Path, ...] = ()
    rate: str = ""
    categories: tuple[str, ...] = ()
    drawn: tuple[Drawn, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", Path(self.source))
        object.__setattr__(self, "out", Path(self.out))


@dataclass(frozen=True)
class Prepared:
    """A planned job and the stage that will run it; `began` is when it was asked for, on time.monotonic's clock."""

    plan: Plan
    stage: Stage
    began: float


class Service:
    """Plans and runs jobs one after the other; `observe` is told every event, on the threads that do the work.

    `engines` are those that stay loaded between jobs, `progress` one that somebody watches and stops already.
    """

    def __init__(
        self, observe: Observer = nobody, engines: Engines | None = None, progress: Progress | None = None
    ) -> None:
        self.tell = logged(observe)
        self.progress = progress or Progress(lambda step: observe(Moved.of(step)))
        self._engines = engines

    def cancel(self) -> None:
        """Stop at the next step; safe to call from another thread or a signal handler."""
        self.progress.cancel()

    def begin(self, stage: str) -> None:
        """Tell that a part of the job begins, and stop here if that was asked for."""
        self.progress.check()
        self.tell(StageBegan(stage))

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Tell it where what is done inside fails; the unexpected is logged with its traceback, once."""
        try:
            yield
        except BaseException as error:
            if isinstance(error, Exception):
                log_unexpected("the job failed", error)
            self.tell(Failed(sentence_of(error), isinstance(error, Cancelled | KeyboardInterrupt)))
            raise

    def plan(self, request: Request) -> Plan:
        """Only say what would be done; raises as `rebalance` does."""
        with self.telling():
            return self.prepare(request).plan

    def rebalance(self, request: Request) -> JobResult:
        """Do what was asked for; clips that fail are named in the result.

        Raises SettingsError, TimelineError, ModelError or WriteError where nothing can be done at all, DiskFullError
        and Cancelled where the job had to stop; what was rendered is kept then.
        """
        with self.telling():
            result = self.run(self.prepare(request))
            self.tell(Finished(report_data(result)))
        return result

    def prepare(self, request: Request) -> Prepared:
        """Open and plan: the first half of a job, for who has to look at the plan; tells accepted and planned."""
        from ..timeline.source import open_source

        began = time.monotonic()
        if request.every and (request.clips or request.tracks):
            raise SettingsError("--all cannot be used together with --clips or --track.")
        self.tell(Accepted(str(request.source), str(request.out), dict(plain(request.settings.to_dict()))))
        self.begin("open")
        cuts = find_cuts(request.source, self.progress) if request.settings.detect_cuts else ()
        timeline, _ = open_source(request.source, request.timeline, request.folders, request.rate, cuts)
        self.begin("plan")
        job = Job(
            request.source,
            request.out,
            request.settings,
            request.clips,
            request.tracks,
            request.categories,
            request.drawn,
        )
        engines = self._engines
        stage = (engines.stage_for if engines is not None else rebalancing.stage_for)(request.settings)
        plan = make_plan(job, timeline, stage, self.progress)
        self.tell(Planned(plan_data(plan)))
        return Prepared(plan, stage, began)

    def run(self, prepared: Prepared) -> JobResult:
        """The second half of a job; raises as `rebalance` does. Who calls this tells the end."""
        with _alone(prepared.plan), logged_to(prepared.plan.folder):
            try:
                return run(prepared.plan, prepared.stage, self.progress, self.tell, prepared.began)
            except Exception as error:
                log_unexpected("the job failed", error)
                raise


@contextmanager
def _alone(plan: Plan) -> Iterator[None]:
    """Keep other runs away from a job's output: its timeline, and the folder, which is made for it."""
    try:
        plan.folder.mkdir(exist_ok=True)
    except OSError as error:
        raise write_error(plan.folder, error) from error
    with holding(plan.out), holding_folder(plan.folder):
        yield


__all__ = ["Event", "Prepared", "Request", "Service"]
