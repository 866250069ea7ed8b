"""Results as people and programs read them: Markdown tables, JSON, and a marked section of a file."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..errors import SettingsError
from ..files import write_text
from ..roles import STEMS
from ..training.loop.metrics import NAMES
from .figures import (
    DISTANCES,
    RESTRAINT,
    Point,
    Result,
    RowResult,
    SetResult,
    differences,
    distances_of,
    figures,
    guessed,
)
from .plans import Experiment
from .scoring import Facts, Stored
from .statistics import Interval

SCHEMA = "sightmix.experiments/2"
BEGIN, END = "<!-- models:begin -->", "<!-- models:end -->"
_SECTION = re.compile(r"<!-- experiment: (.*?) -->\n(.*?)(?=<!-- experiment: |\Z)", re.DOTALL)
LEGEND = """\
Distances are means times 100, as in the VisAH paper; in brackets the improvement on the poorly mixed input in percent,
and its 95 % interval over clips and over the packages that their recordings come from: what other clips of other
packages may give, never narrower than over clips alone (jackknives over the packages of each stem, added to that over
clips, with Student's width for the few packages there are). *At equal loudness* is after bringing every output to the
loudness of the target, so that level alone earns nothing. Differences are paired, in percentage points, above 0 where
the row named first is better; each interval stands for itself, so that one of twenty errs by chance. Baselines are
fitted on training scenes of the same kind; trained rows say what they cost from nothing on. Made by
`python -m sightmix.engine.evaluation.experiments`."""
KINDS_OF_STEM = {1: ("film",), len(STEMS): STEMS}


# Markdown ----------------------------------------------------------------------------------------------


def markdown(results: Sequence[Result], heading: str = "##") -> str:
    """All results as Markdown: how to read them, then a section each."""
    return "\n\n".join([LEGEND, *(_section(result, heading) for result in results)])


def _section(result: Result, heading: str) -> str:
    experiment = result.experiment
    parts = [f"{heading} {experiment.title}"]
    parts += [experiment.about] if experiment.about else []
    for one in result.sets:
        parts += [_heading(one), table(one, experiment.measure), _by_compute(one)]
        for name in experiment.against:
            parts += _against(one, name, experiment.measure)
        parts.append(_guess_told(one))
    return "\n\n".join(part for part in parts if part)


def _heading(result: SetResult) -> str:
    """The set in a line: how many clips, from how many packages, and what was left out."""
    chosen = result.chosen
    sentence = f"**{chosen.name}**: {len(result.clips)} clips of {chosen.length}, {chosen.split} split"
    counts = _package_counts(result)
    alone = [name for name, count in counts.items() if count == 1]
    if counts:
        said = [f"{count} {name}" for name, count in counts.items()]
        sentence += (
            f"; their recordings come from {_listed(said)} packages, intervals are over clips and packages"
        )
    else:
        sentence += "; where their recordings come from is not known, intervals are over clips alone"
    if alone:
        sentence += f"; nothing is known of other packages of {_listed(alone)}"
    if chosen.only and (left := Counter(f.target for f in result.facts if f.target != chosen.only)):
        kinds = _listed([f"{count} {kind or 'unknown'}" for kind, count in sorted(left.items())])
        sentence += f"; left out of {chosen.clips}, for want of pictures that ask for one stem: {kinds}"
    return f"{sentence}."


def _package_counts(result: SetResult) -> dict[str, int]:
    """How many packages the recordings of each stem come from; empty where it is not known."""
    stems = list(zip(*result.packages, strict=True))
    found = {
        name: len(set(stem) - {None})
        for name, stem in zip(KINDS_OF_STEM.get(len(stems), ()), stems, strict=False)
    }
    return found if any(found.values()) else {}


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def table(result: SetResult, measure: str = "distances") -> str:
    """One set's rows as a Markdown table.

    Distances are means times 100, with the improvement on the muddy input and its 95 % interval in brackets; SI-SDR is
    in dB, with what it lies above the mix's; changes are in % of the muddy clips' error.
    """
    columns = {"stems": STEMS, "restraint": RESTRAINT}.get(measure, DISTANCES)
    quoted = any(_paper(result, one) for one in result.rows) and measure == "distances"
    heads = ["system", *(_head(name) for name in columns), *(["paper, on its own data"] if quoted else [])]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    base = next((_paper(result, one) for one in result.rows if one.row.kind == "input"), {})
    for one in result.rows:
        said = figures(result, one, measure)
        notes = "; ".join(filter(None, [one.note, str(one.spent or "")]))
        name = f"{one.row.name} ({notes})" if notes else one.row.name
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
    if isinstance(share, Interval) and math.isfinite(share.value):
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


def _against(result: SetResult, name: str, measure: str) -> list[str]:
    """A row less every other one: a table of paired differences, and which of them are sure."""
    others = [one.row.name for one in result.rows if one.row.name != name]
    found = {other: said for other in others if (said := differences(result, (name, other), measure))}
    if not found:
        return []
    columns = list(next(iter(found.values())))
    lines = [
        "| " + " | ".join([f"*{name}* minus", *map(_head, columns)]) + " |",
        "|---" * (len(columns) + 1) + "|",
    ]
    for other, said in found.items():
        cells = [f"{_signed(x.value, 1)} ({_spread(x, 1)})" for x in said.values()]
        lines.append("| " + " | ".join([other, *cells]) + " |")
    return ["\n".join(lines), verdict(name, found)]


def verdict(name: str, found: Mapping[str, Mapping[str, Interval]]) -> str:
    """In sentences: which rows a row is better than, in which columns, and which not: where intervals leave out 0."""
    total = len(next(iter(found.values())))
    groups: dict[str, list[str]] = {}
    for other, said in found.items():
        above = [_head(column) for column, x in said.items() if x.low > 0.0]
        below = [_head(column) for column, x in said.items() if x.high < 0.0]
        if len(above) == total:
            text = "is better in every column than"
        elif len(below) == total:
            text = "is worse in every column than"
        elif above or below:
            parts = [f"better in {_listed(above)}"] if above else []
            parts += [f"worse in {_listed(below)}"] if below else []
            rest = total - len(above) - len(below)
            text = f"is {' and '.join(parts)}{', with no difference told in the rest,' if rest else ''} than"
        else:
            text = "cannot be told in any column from"
        groups.setdefault(text, []).append(other)
    order = sorted(groups, key=lambda text: ("every" not in text, "any" in text))
    return " ".join(f"*{name}* {text} {_listed(groups[text])}." for text in order)


def _by_compute(result: SetResult) -> str:
    """Trained rows at the stages of their training: a table of MAG and of MAG at equal loudness."""
    rows = [one for one in result.rows if one.curve and not one.mark]
    if not rows:
        return ""
    most = max(len(one.curve) for one in rows)
    lines = [
        "| " + " | ".join(["core-minutes: MAG; at equal loudness", *[""] * most]) + " |",
        "|---" * (most + 1) + "|",
    ]
    for one in rows:
        cells = [_stage(result, point) for point in one.curve]
        lines.append("| " + " | ".join([one.row.name, *cells, *[""] * (most - len(cells))]) + " |")
    return "\n".join(lines)


def _stage(result: SetResult, point: Point) -> str:
    minutes = f"{point.spent.core_seconds / 60:.1f}" if point.spent else "?"
    said = distances_of(result, point.stored)
    better = [said[name]["improvement"] for name in ("MAG", "MAG_matched")]
    texts = [f"{_signed(x.value)} % ({_spread(x)})" for x in better if isinstance(x, Interval)]
    return f"{minutes}: {'; '.join(texts)}"


def _guess_told(result: SetResult) -> str:
    """What a guesser by levels alone gets right, in a sentence."""
    found = guessed(result)
    if not found:
        return ""
    right, chance, above = (found[name] for name in ("right", "chance", "above chance"))
    if not math.isfinite(right.value):
        return "No shot leaves a guesser by levels alone a choice."
    return (
        f"Levels alone, a guesser's that knows how loud every muddy stem is and sees no picture, name the stem to "
        f"bring out in {right.value:.0f} % of the shots ({right.low:.0f}…{right.high:.0f}), chance in "
        f"{chance.value:.0f} %: {_signed(above.value, 1)} points ({_spread(above, 1)})."
    )


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
    rows, measure = [], experiment.measure
    for one in result.rows:
        clips = [] if one.mark else [_clip_data(one.stored, clip) for clip in range(result.chosen.clips)]
        rows.append(
            {
                **{k: v for k, v in asdict(one.row).items() if v},
                "mark": one.mark,
                "note": one.note,
                "figures": _plain(figures(result, one, measure)),
                "cost": None if one.spent is None else asdict(one.spent),
                "curve": [
                    {
                        "cost": None if point.spent is None else asdict(point.spent),
                        "figures": _plain(distances_of(result, point.stored)),
                    }
                    for point in one.curve
                ],
                "clips": clips,
            }
        )
    return {
        **asdict(result.chosen),
        "rows": rows,
        "counted": result.clips,
        "packages": _package_counts(result),
        "targets": dict(Counter(facts.target for facts in result.facts)),
        "against": [
            {
                "rows": [name, one.row.name],
                "difference": _plain(differences(result, (name, one.row.name), measure)),
            }
            for name in experiment.against
            for one in result.rows
            if one.row.name != name
        ],
        "guesser": _plain(guessed(result)),
    }


def _clip_data(stored: Stored, clip: int) -> dict[str, Any]:
    """A clip's figures, with where its recordings come from and what it asks for."""
    facts = stored.facts.get(clip, Facts())
    return {**_plain(stored.values.get(clip, {})), "packages": list(facts.packages), "target": facts.target}


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
