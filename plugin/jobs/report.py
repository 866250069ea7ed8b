"""The report of a job: one JSON file and one HTML page that needs nothing else."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from ...engine.files import write_bytes, write_text
from ...engine.legible import legible
from ...engine.passage import Loudness, Rendition, SeenFrame
from ...engine.progress import Progress
from ...engine.roles import PARTS, ordered
from ...engine.version import engine_version
from .eta import clock
from .hand import to_data
from .inspection import category_data
from .losses import CLIP, Loss, sentences
from .page import templates
from .pictures import Pictures, gather, panorama
from .results import CACHED, FAILED, LEFT_OUT, ClipResult, JobResult, Riding
from .sidecar import loudness_to_dict, number, plain

SCHEMA = "sightmix.report/1"
_BAR_LOW, _BAR_LEFT, _BAR_WIDTH = -50.0, 5.0, 140.0
_MEASURES = (
    ("integrated", "Integrated loudness", "LUFS"),
    ("short_term_max", "Short-term maximum", "LUFS"),
    ("momentary_max", "Momentary maximum", "LUFS"),
    ("range", "Loudness range", "LU"),
    ("true_peak", "True peak", "dBTP"),
)


def pictures_of(job: JobResult, progress: Progress) -> dict[int, Pictures]:
    """The pictures of every clip that has new sound, by its number; and the programme's rows, by 0, -1, -2 …."""
    found = {clip.facts.index: gather(clip, progress) for clip in job.done if clip.rendition is not None}
    if job.balance is not None:
        balance = job.balance
        rows = panorama(balance.stretches, balance.frames, balance.curves, balance.cuts, progress)
        found |= {-place: row for place, row in enumerate(rows)}
    return found


def write_report(
    job: JobResult, progress: Progress, pictures: dict[int, Pictures] | None = None
) -> tuple[Path, Path]:
    """Write report.html and report.json into the job's folder and return their paths; raises WriteError.

    `pictures` are those of an earlier call for the same clips, which are gathered anew where there are none.
    """
    pictures = pictures_of(job, progress) if pictures is None else pictures
    data = report_data(job)
    page, sheet = job.folder / "report.html", job.folder / "report.json"
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False)
    write_bytes(sheet, text.encode("utf-8", "replace"), parents=True)
    write_text(page, legible(report_page(data, pictures)), parents=True)
    return page, sheet


def report_data(job: JobResult) -> dict[str, Any]:
    """The report as JSON values: LUFS, dBTP, LU, dB and seconds; None stands for silence or not measured."""
    return {
        "schema": SCHEMA,
        "sightmix": engine_version(),
        "made": job.made,
        "timeline": {
            "name": job.timeline_name,
            "source": str(job.source),
            "result": str(job.out),
            "folder": str(job.folder),
        },
        "settings": plain(job.settings.to_dict()),
        "model": {"name": job.model, "weights_sha256": job.weights_sha256, "device": job.device},
        "summary": _summary(job),
        "losses": [loss.to_dict() for loss in job.losses],
        "programme": _programme(job),
        "clips": [_clip(clip) | {"cuts": _cuts(clip)} for clip in job.clips],
    }


def report_page(data: dict[str, Any], pictures: dict[int, Pictures]) -> str:
    """The report as one HTML page with every picture inside it."""
    cards = [_card(clip, pictures[clip["index"]]) for clip in data["clips"] if clip["index"] in pictures]
    done = [
        clip | {"bar": _bar_of(clip), "card": clip["index"] in pictures}
        for clip in data["clips"]
        if "before" in clip
    ]
    rows = [pictures[place].lanes for place in sorted(pictures, reverse=True) if place <= 0]
    problems = [clip for clip in data["clips"] if clip["status"] in (FAILED, LEFT_OUT)]
    return _template().render(
        report=data,
        roles=PARTS,
        summary=data["summary"],
        made=data["made"][:16].replace("T", " "),
        cards=cards,
        done=done,
        programme=_programme_card(data["programme"], rows),
        problems=problems,
        losses=sentences(loss for loss in map(_loss, data["losses"]) if loss.where != CLIP),
    )


def _loss(stored: dict[str, Any]) -> Loss:
    return Loss(stored["where"], stored["text"], stored["clip"])


@cache
def _template() -> jinja2.Template:
    environment = templates(Path(__file__).parent)
    environment.filters.update(signed=_signed, signless=_unsigned, clock=clock)
    return environment.get_template("report.html")


def _summary(job: JobResult) -> dict[str, Any]:
    renditions = [clip.rendition for clip in job.done if clip.rendition is not None]
    rendered = sum(r.samples / r.sample_rate for r in renditions)
    figures = [pair for clip in job.done if (pair := clip.loudness) is not None]
    if job.balance is not None:
        figures = [(job.balance.levelled.before, job.balance.levelled.after)]
    return {
        "clips": len(job.clips),
        "done": len(job.done),
        "cached": sum(clip.status == CACHED for clip in job.clips),
        "failed": len(job.failed),
        "left_out": sum(clip.status == LEFT_OUT for clip in job.clips),
        "sound_seconds": round(rendered, 3),
        "seconds": round(job.seconds, 3),
        "target_lufs": job.settings.target_lufs,
        "gain_db": job.gain_db,
        "integrated_before": number(job.integrated[0]),
        "integrated_after": number(job.integrated[1]),
        "true_peak_before": _highest([before.true_peak for before, _ in figures]),
        "true_peak_after": _highest([after.true_peak for _, after in figures]),
    }


def _programme(job: JobResult) -> dict[str, Any] | None:
    """What was done to the programme as one, as JSON values."""
    balance = job.balance
    if balance is None:
        return None
    levelled = balance.levelled
    lines = {"times": balance.curves.times, **balance.curves.levels}
    return {
        "said": list(job.said),
        "mix": str(balance.mix_file),
        "drawn": to_data(balance.drawn),
        "before": loudness_to_dict(levelled.before),
        "after": loudness_to_dict(levelled.after),
        "gain_db": round(levelled.gain_db, 3),
        "deepest_dip_db": round(levelled.deepest, 3),
        "reached": levelled.reached,
        "null_dbfs": number(balance.null_dbfs),
        "separated": balance.separated,
        "gains": {name: [round(float(v), 3) for v in values] for name, values in lines.items()},
        "frames": [_frame(frame) for frame in balance.frames],
        "warnings": list(balance.warnings),
        "seconds": {name: round(value, 3) for name, value in balance.seconds.items()},
    }


def _programme_card(data: dict[str, Any] | None, rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    if data is None:
        return None
    return {**data, "rows": _measures(data), "lanes": rows}


def _measures(data: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": text, "unit": unit, "before": data["before"][key], "after": data["after"][key]}
        for key, text, unit in _MEASURES
    ]


def _frame(frame: SeenFrame) -> dict[str, Any]:
    return {
        "time": frame.time,
        "path": str(frame.path),
        "media_time": float(frame.media_time),
        "shot": frame.shot,
    }


def _highest(peaks: Sequence[float]) -> float | None:
    return number(max(peaks, default=-math.inf))


def _clip(clip: ClipResult) -> dict[str, Any]:
    facts = clip.facts
    common = {
        "index": facts.index,
        "name": facts.name,
        "track": facts.track,
        "record_in": float(facts.record_in),
        "record_out": float(facts.record_out),
        "record_in_tc": facts.record_in_tc,
        "record_out_tc": facts.record_out_tc,
        "duration": float(facts.record_out - facts.record_in),
        "status": clip.status,
        "reason": clip.reason,
        "category": category_data(clip.category) if clip.category.kind else None,
    }
    if clip.rendition is not None:
        return common | _sound(clip, clip.rendition)
    return common | (_ridden(clip, clip.riding) if clip.riding is not None else {})


def _ridden(clip: ClipResult, riding: Riding) -> dict[str, Any]:
    """A clip that stays as it is, under a volume line in record seconds from its first moment."""
    line = {"times": [float(t) for t in riding.line.times], "db": [round(v, 4) for v in riding.line.db]}
    return {
        "key": clip.key,
        "media": "" if clip.passage is None else str(clip.passage.sound.path),
        "stem": riding.stem,
        "line": line,
        "before": loudness_to_dict(riding.before),
        "after": loudness_to_dict(riding.after),
    }


def _sound(clip: ClipResult, rendition: Rendition) -> dict[str, Any]:
    lines = {"times": rendition.gains.times, **rendition.gains.levels}
    curves = {name: [round(float(v), 4) for v in values] for name, values in lines.items()}
    return {
        "key": clip.key,
        "seconds": round(clip.seconds, 3),
        "media": "" if clip.passage is None else str(clip.passage.sound.path),
        "file": rendition.path.name,
        "stems": {stem: path.name for stem, path in rendition.stems.items()},
        "sample_rate": rendition.sample_rate,
        "channels": rendition.channels,
        "samples": rendition.samples,
        "start": float(rendition.start),
        "before": loudness_to_dict(rendition.before),
        "after": loudness_to_dict(rendition.after),
        "makeup_db": rendition.makeup_db,
        "stem_levels": {stem: [number(v) for v in pair] for stem, pair in rendition.stem_levels.items()},
        "gains": curves,
        "frames": [_frame(frame) for frame in rendition.frames],
        "provenance": plain(rendition.provenance),
        "warnings": list(rendition.warnings),
    }


def _cuts(clip: ClipResult) -> list[float]:
    """Passage times in seconds of the cuts inside what was rendered."""
    passage = clip.passage
    if passage is None:
        return []
    first, last = -passage.head, passage.sound.duration + passage.tail
    return [float(shot.start) for shot in passage.shots[1:] if first < shot.start < last]


def _card(clip: dict[str, Any], pictures: Pictures) -> dict[str, Any]:
    levels = clip["stem_levels"]
    stems = [{"name": s, "before": levels[s][0], "after": levels[s][1]} for s in ordered(levels)]
    return {
        "clip": clip,
        "rows": _measures(clip),
        "stems": stems,
        "lanes": pictures.lanes,
        "provenance": _provenance(clip),
    }


def _bar_of(clip: dict[str, Any]) -> list[float] | None:
    return _bar(clip["before"]["integrated"], clip["after"]["integrated"])


def _bar(before: float | None, after: float | None) -> list[float] | None:
    if before is None or after is None:
        return None
    places = [min(max(1.0 - value / _BAR_LOW, 0.0), 1.0) for value in (before, after)]
    return [round(_BAR_LEFT + place * _BAR_WIDTH, 1) for place in places]


def _provenance(clip: dict[str, Any]) -> list[tuple[str, str]]:
    """What made the clip, in words: plain values as they are, times per stage in one line."""
    facts = []
    for name, value in clip["provenance"].items():
        if name == "seconds" and isinstance(value, dict):
            parts = [
                f"{stage} {spent:.1f}" for stage, spent in value.items() if isinstance(spent, (int, float))
            ]
            facts.append(("Seconds", ", ".join(parts)))
        elif isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != "":
            facts.append((_words(name), _short(name, value)))
    facts.append(("Pictures seen", str(len(clip["frames"]))))
    if clip["makeup_db"]:
        facts.append(("Make-up gain", f"{_signed(clip['makeup_db'])} dB"))
    return facts


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _short(name: str, value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text[:12] if "sha256" in name else text


def _signed(value: float) -> str:
    return _unsigned(value) if round(value, 1) <= 0 else f"+{value:.1f}"


def _unsigned(value: float, places: int = 1) -> str:
    text = f"{value:.{places}f}"
    return text.replace("-", "") if float(text) == 0 else text.replace("-", "−")


def loudness_line(before: Loudness, after: Loudness) -> str:
    """A clip's loudness before and after, in one short phrase."""
    return f"{_figure(before.integrated)} → {_figure(after.integrated)} LUFS, {_figure(after.true_peak)} dBTP"


def _figure(value: float) -> str:
    return _unsigned(value) if math.isfinite(value) else "−∞"
