"""``sightmix train``: the trainer on the command line, with a live view on a terminal."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from ...engine.errors import TrainingError
from ...engine.installation import line_for
from ..jobs.eta import clock
from .errors import say, sentences
from .options import Device

_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 60
_PACE = ("seconds_per_step", "clips_per_second", "waiting_for_data")


@dataclass(frozen=True)
class Request:
    """What the command line asked for."""

    config: str
    corpus: Path
    out: Path
    device: str = "auto"
    devices: int = 1
    steps: int = 0
    start: Path | None = None
    gains: Path | None = None
    ship: str = ""
    weights: Path | None = None


@sentences
def train(
    config: Annotated[
        str, typer.Argument(metavar="CONFIG", help="A training configuration, or a shipped one's name.")
    ],
    corpus: Annotated[Path, typer.Option("--corpus", metavar="FOLDER", help="What to train on.")],
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="RUN", help="Folder of the run; resumed if there is one.")
    ],
    device: Device = "auto",
    devices: Annotated[int, typer.Option("--devices", min=1, help="How many of them learn together.")] = 1,
    steps: Annotated[
        int, typer.Option("--steps", min=0, help="The last step, instead of the configuration's.")
    ] = 0,
    start: Annotated[
        Path | None, typer.Option("--start", metavar="CHECKPOINT", help="Begin with another run's weights.")
    ] = None,
    gains: Annotated[
        Path | None, typer.Option("--gains", metavar="FILE", help="A gain head trained beforehand.")
    ] = None,
    ship: Annotated[
        str, typer.Option("--ship", metavar="NAME", help="Make a model of this name of it.")
    ] = "",
    weights: Annotated[
        Path | None, typer.Option("--weights", metavar="FOLDER", help="Where the model goes.")
    ] = None,
) -> None:
    """Train a network, or go on with a run; Ctrl-C saves and stops."""
    train_network(Request(config, corpus, out, device, devices, steps, start, gains, ship, weights))


def train_network(request: Request) -> None:
    """Train, and ship what came of it if asked; raises TrainingError in one sentence."""
    try:
        from ...engine.training.loop.config import TrainConfig
        from ...engine.training.loop.export import shippable
        from ...engine.training.loop.run import train as learn
        from ...engine.training.networks.registry import config_of
    except ImportError as error:
        raise TrainingError(f"Training needs PyTorch: `{line_for('train')}` ({error}).") from error
    if bool(request.ship) != (request.weights is not None):
        raise TrainingError(
            "--ship NAME and --weights FOLDER go together: what to call it, and where to put it."
        )
    path = config_path(request.config)
    config = TrainConfig.read(path)
    if request.ship:
        shippable(config_of(config.network), path)  # hours before it would come to that
    if request.steps:
        config = replace(config, steps=request.steps)
    with watching(config.steps) as observer:
        trainer = learn(
            config,
            request.corpus,
            request.out,
            device=request.device,
            devices=request.devices,
            start=request.start,
            gains=request.gains,
            observe=observer,
        )
    where = request.out / "checkpoint.pt"
    if trainer.stop:
        say(f"Stopped at step {trainer.step}; the same command goes on from {where}.")
        return
    say(f"Done at step {trainer.step}: {where}, log.jsonl beside it.")
    if request.ship and request.weights is not None:
        _ship(request, where)


def config_path(name: str) -> Path:
    """A configuration file, or one of those that come with sightmix, by its name."""
    from ...engine.training.loop.config import SHIPPED

    path = Path(name)
    if path.is_file():
        return path
    bundled = SHIPPED / f"{name}.json"
    if bundled.is_file():
        return bundled
    names = ", ".join(sorted(p.stem for p in SHIPPED.glob("*.json")))
    raise TrainingError(f"There is no training configuration {name}; give a file, or one of {names}.")


def _ship(request: Request, checkpoint: Path) -> None:
    from ...engine.training.loop.export import corpus_credits, export

    assert request.weights is not None
    card = export(
        checkpoint,
        request.weights,
        name=request.ship,
        licence="CC-BY-SA-4.0",
        trained_on=corpus_credits(request.corpus),
    )
    say(
        f"{card.name}: {card.size_text} in {request.weights}; use it with SIGHTMIX_WEIGHTS={request.weights}."
    )


@contextmanager
def watching(steps: int) -> Iterator[Callable[[dict[str, Any]], None]]:
    """An observer of a run's log: a live table on a terminal, a line per entry elsewhere."""
    if not sys.stderr.isatty():
        yield _line
        return
    from rich.console import Console
    from rich.live import Live

    view = View(steps)
    with Live(console=Console(stderr=True), refresh_per_second=2, get_renderable=view.table):
        yield view


def _line(values: dict[str, Any]) -> None:
    words = [str(values["event"])] if "event" in values else []
    words += [
        f"{name.replace('_', ' ')} {_figure(value)}" for name, value in values.items() if name != "event"
    ]
    say("  ".join(words), error=True)


def _figure(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@dataclass
class View:
    """What a run's log has said so far, as a table: how far, how fast, every loss as a curve, the last validation."""

    steps: int
    step: int = 0
    pace: dict[str, float] = field(default_factory=dict)
    curves: dict[str, list[float]] = field(default_factory=dict)
    event: str = ""

    def __call__(self, values: dict[str, Any]) -> None:
        """Take in one entry of the log."""
        self.step = int(values.get("step", self.step))
        if "event" in values:
            more = {k: v for k, v in values.items() if k not in ("event", "step")}
            self.event = " ".join([str(values["event"]), *(f"{k} {_figure(v)}" for k, v in more.items())])
            return
        for name, value in values.items():
            if name in _PACE:
                self.pace[name] = float(value)
            elif name != "step":
                self.curves.setdefault(name, []).append(float(value))

    def table(self) -> Any:
        """The table as rich draws it."""
        from rich.table import Table

        table = Table(box=None, show_header=False, pad_edge=False)
        left = clock(max(0, self.steps - self.step) * self.pace.get("seconds_per_step", 0.0))
        table.add_row("step", f"{self.step} of {self.steps}, {left} left")
        if self.pace:
            table.add_row(
                "pace",
                f"{self.pace['clips_per_second']:.2f} clips/s, {self.pace['waiting_for_data']:.0%} waiting for data",
            )
        for name, values in self.curves.items():
            table.add_row(name, f"{values[-1]:.4g}  {sparkline(values)}")
        if self.event:
            table.add_row("last", self.event)
        return table


def sparkline(values: list[float], width: int = _WIDTH) -> str:
    """Values as a row of at most `width` bars from their least to their greatest, means where there are more."""
    count = min(width, len(values))
    edges = [round(k * len(values) / count) for k in range(count + 1)] if count else []
    means = [sum(values[a:b]) / (b - a) for a, b in itertools.pairwise(edges)]
    low, high = min(means, default=0.0), max(means, default=0.0)
    scale = (len(_BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(_BARS[round((x - low) * scale)] for x in means)
