"""Two bars on a terminal: the whole job with the time left, and the stage of the clip at hand."""

from __future__ import annotations

from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from ...engine.legible import printable
from ...engine.progress import Step
from ..jobs.eta import JOB, Clock, clock, fraction
from .words import word_for

_NAME = 32


class Bars:
    """An observer of steps that draws on a terminal; use it as a context manager."""

    def __init__(self, stream: TextIO) -> None:
        self._clock = Clock()
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TextColumn("{task.fields[more]}"),
            console=Console(file=stream),
            transient=True,
        )
        self._whole = self._bars.add_task("All clips", total=1.0, more="")
        self._stage = self._bars.add_task("", total=1.0, more="")

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def __call__(self, step: Step) -> None:
        """Draw one step."""
        done = fraction(step)
        if step.stage == JOB:
            left = self._clock.left(done)
            more = "" if left is None or done >= 1.0 else f"{clock(left)} left"
            self._bars.update(self._whole, completed=done, more=more)
            return
        name = printable(step.item)
        name = name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
        self._bars.update(
            self._stage, completed=done, description=escape(name), more=escape(word_for(step.stage))
        )
