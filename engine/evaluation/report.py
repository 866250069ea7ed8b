"""Results as people and programs read them: Markdown tables, JSON, and a marked section of a file."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import SettingsError
from ..files import write_text
from ..roles import STEMS
from ..training.loop.metrics import NAMES
from .plans import Experiment, Row, SceneSet
from .scoring import Stored
from .statistics import Interval, difference_of, improvement_of, mean_of, share_of

SCHEMA = "sightmix.experiments/1"
BEGIN, END = "<!-- models:begin -->", "<!-- models:end -->"
_SECTION = re.compile(r"<!-- experiment: (.*?) -->\n(.*?)(?=<!-- experiment: |\Z)", re.DOTALL)
LEGEND = """\
Distances are means times 100, as in the VisAH paper; in brackets the improvement on the poorly mixed input in percent,
and its 95 % bootstrap interval over clips. *At equal loudness* is after bringing every output to the loudness of the
target, so that level alone earns nothing. Baselines are fitted on training scenes of the same kind. Made by
`python -m sightmix.engine.evaluation.experiments`."""
DISTANCES = (*NAMES, *(f"{name}_matched" for name in NAMES))


@dataclass(frozen=True)
class RowResult:
    """A row's figures, or the `mark` that stands for them; `note` is set beside its name."""

    row: Row
    stored: Stored
    mark: str = ""
    note: str = ""


@dataclass(frozen=True)
class SetResult:
    """All rows on one set; `before` holds the muddy input's distances."""

    chosen: SceneSet
    before: Stored
    rows: tuple[RowResult, ...]

    @property
    def clips(self) -> int:
        """How many scenes the figures are over."""
        return self.chosen.clips

    def row(self, name: str) -> RowResult:
        """A row's result by name; raises KeyError."""
        return {result.row.name: result for result in self.rows}[name]


@dataclass(frozen=True)
class Result:
    """An experiment's results, set by set."""

    experiment: Experiment
    sets: tuple[SetResult, ...]


# Figures -----------------------------------------------------------------------------------------------


def figures(result: SetResult, one: RowResult, measure: str) -> dict[str, dict[str, Interval | float]]:
    """What is said of a row, by column: its mean and, as an interval, its improvement or share."""
    clips, stored = result.clips, one.stored
    if one.mark or one.row.kind == "published":
        return {}
    if measure == "restraint":
        change, error = stored.column("change", clips), stored.column("error", clips)
        return {"change of good mixes": {"share": share_of(change, error), "clips": _count(change)}}
    if measure == "stems":
        found: dict[str, dict[str, Interval | float]] = {}
        for name in STEMS:
            after, before = stored.column(name, clips), stored.column(f"{name}_before", clips)
            gain = mean_of([a - b for a, b in zip(after, before, strict=True)])
            found[name] = {"mean": mean_of(after).value, "gain": gain, "clips": _count(after)}
        return found
    return {
        name: {
            "mean": mean_of(stored.column(name, clips)).value,
            "improvement": improvement_of(result.before.column(name, clips), stored.column(name, clips)),
        }
        for name in DISTANCES
    }


def differences(result: SetResult, pair: tuple[str, str]) -> dict[str, Interval]:
    """By how many percentage points the first row's improvement lies above the second's; empty if one is missing."""
    one, other = (result.row(name) for name in pair)
    if one.mark or other.mark:
        return {}
    clips = result.clips
    return {
        name: difference_of(
            result.before.column(name, clips),
            one.stored.column(name, clips),
            other.stored.column(name, clips),
        )
        for name in DISTANCES
    }


def _count(values: Sequence[float]) -> int:
    return sum(math.isfinite(value) for value in values)


# Markdown ----------------------------------------------------------------------------------------------


def markdown(results: Sequence[Result], heading: str = "##") -> str:
    """All results as Markdown: how to read them, then a section each."""
    return "\n\n".join([LEGEND, *(_section(result, heading) for result in results)])


def _section(result: Result, heading: str) -> str:
    experiment = result.experiment
    parts = [f"{heading} {experiment.title}"]
    parts += [experiment.about] if experiment.about else []
    for one in result.sets:
        chosen = one.chosen
        parts.append(
            f"**{chosen.name}**: {one.clips} clips of {chosen.seconds:g} s, {chosen.split} split.\n\n"
            + table(one, experiment.measure)
        )
        parts += [text for pair in experiment.compare if (text := _compared(one, pair))]
    return "\n\n".join(parts)


def table(result: SetResult, measure: str = "distances") -> str:
    """One set's rows as a Markdown table.

    Distances are means times 100, with the improvement on the muddy input and its 95 % interval in brackets; SI-SDR is
    in dB, with what it lies above the mix's; changes are in % of the muddy clips' error.
    """
    columns = {"stems": STEMS, "restraint": ("change of good mixes",)}.get(measure, DISTANCES)
    quoted = any(_paper(result, one) for one in result.rows) and measure == "distances"
    heads = ["system", *(_head(name) for name in columns), *(["paper, on its own data"] if quoted else [])]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    base = next((_paper(result, one) for one in result.rows if one.row.kind == "input"), {})
    for one in result.rows:
        said = figures(result, one, measure)
        name = f"{one.row.name} ({one.note})" if one.note else one.row.name
        cells = [_cell(said.get(column, {}), one, column) for column in columns]
        if one.mark:
            cells = [one.mark, *([""] * (len(columns) - 1))]
        lines.append(
            "| " + " | ".join([name, *cells, *([_quote(_paper(result, one), base)] if quoted else [])]) + " |"
        )
    sources = dict.fromkeys(one.row.source for one in result.rows if one.row.source)
    return "\n".join([*lines, *(f"\n{source}" for source in sources)])


def _head(name: str) -> str:
    plain, _, matched = name.partition("_")
    return f"{plain} at equal loudness" if matched else plain


def _signed(value: float, digits: int = 0) -> str:
    """With its sign, but none for what is shown as zero."""
    shown = round(value, digits)
    return f"{shown:+.{digits}f}" if shown else f"{0:.{digits}f}"


def _spread(x: Interval, digits: int = 0) -> str:
    return f"{_signed(x.low, digits)}…{_signed(x.high, digits)}"


def _cell(said: Mapping[str, Interval | float], one: RowResult, column: str) -> str:
    if one.row.kind == "published":
        return f"{one.row.paper[column]:.1f} dB" if column in one.row.paper else "–"
    share = said.get("share")
    if isinstance(share, Interval):
        return f"{share.value:.0f} % ({share.low:.0f}…{share.high:.0f}; {said['clips']} clips)"
    mean, gain, better = said.get("mean"), said.get("gain"), said.get("improvement")
    if not isinstance(mean, float) or not math.isfinite(mean):
        return "–"
    if isinstance(gain, Interval):
        return f"{mean:.1f} dB ({_signed(gain.value, 1)}, {_spread(gain, 1)}; {said['clips']} clips)"
    if one.row.kind == "input" or not isinstance(better, Interval):
        return f"{100 * mean:.2f}"
    return f"{100 * mean:.2f} ({_signed(better.value)} %, {_spread(better)})"


def _paper(result: SetResult, one: RowResult) -> Mapping[str, float]:
    return one.row.quoted(result.chosen.name)


def _quote(paper: Mapping[str, float], base: Mapping[str, float]) -> str:
    """The paper's distances, with the improvement on its own input."""
    texts = []
    for name in (name for name in NAMES if name in paper):
        text = f"{name} {paper[name]:.2f}"
        if base.get(name) and paper != base:
            text += f" ({100.0 * (1.0 - paper[name] / base[name]):+.0f} %)"
        texts.append(text)
    return ", ".join(texts)


def _compared(result: SetResult, pair: tuple[str, str]) -> str:
    found = differences(result, pair)
    if not found:
        return ""
    texts = [f"{_head(name)} {_signed(x.value, 1)} ({_spread(x, 1)})" for name, x in found.items()]
    return f"*{pair[0]}* against *{pair[1]}*, difference in percentage points: {', '.join(texts)}."


# JSON --------------------------------------------------------------------------------------------------


def data(results: Sequence[Result]) -> dict[str, Any]:
    """All results as JSON values, the figures of every clip included; null stands for what has no value."""
    return {
        "schema": SCHEMA,
        "experiments": [
            {
                "name": result.experiment.name,
                "title": result.experiment.title,
                "measure": result.experiment.measure,
                "sets": [_set_data(one, result.experiment) for one in result.sets],
            }
            for result in results
        ],
    }


def _set_data(result: SetResult, experiment: Experiment) -> dict[str, Any]:
    rows = []
    for one in result.rows:
        clips = [] if one.mark else [one.stored.values.get(clip, {}) for clip in range(result.clips)]
        rows.append(
            {
                **{k: v for k, v in asdict(one.row).items() if v},
                "mark": one.mark,
                "note": one.note,
                "figures": _plain(figures(result, one, experiment.measure)),
                "clips": [_plain(values) for values in clips],
            }
        )
    return {
        **asdict(result.chosen),
        "rows": rows,
        "compare": [
            {"rows": list(pair), "difference": _plain(differences(result, pair))}
            for pair in experiment.compare
        ],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Interval):
        return {"value": _plain(value.value), "low": _plain(value.low), "high": _plain(value.high)}
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


# A section of a file -----------------------------------------------------------------------------------


def update_report(path: Path, results: Sequence[Result]) -> None:
    """Put results between the two marker lines of a file, whole or not at all; every other byte stays as it is.

    Experiments that are there already and not among `results` stay, too. Raises `SettingsError` where the markers are
    not there once each, in order, and `WriteError`.
    """
    try:
        old = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The report {path} cannot be read: {error}.") from error
    first, last = old.find(BEGIN), old.find(END)
    if first < 0 or last < first or old.count(BEGIN) != 1 or old.count(END) != 1:
        raise SettingsError(
            f"The report {path} needs the line {BEGIN} once, and {END} once after it: put them where the tables belong."
        )
    first += len(BEGIN)
    sections = {name: text.strip() for name, text in _SECTION.findall(old[first:last])}
    sections |= {result.experiment.name: _section(result, "##") for result in results}
    parts = [LEGEND, *(f"<!-- experiment: {name} -->\n{text}" for name, text in sections.items())]
    new = f"{old[:first]}\n\n" + "\n\n".join(parts) + f"\n\n{old[last:]}"
    write_text(path, new, parents=True)
