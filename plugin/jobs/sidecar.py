"""Writes renditions down as plain JSON values and reads them back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from numbers import Real
from pathlib import Path
from typing import Any

from ...engine.passage import GainCurves, Loudness, Rendition, SeenFrame

_LOUDNESS = ("integrated", "range", "true_peak", "momentary_max", "short_term_max")


def number(value: float) -> float | None:
    """Return a figure as JSON has it: None where it is not finite (silence, in LUFS and dBTP)."""
    return float(value) if math.isfinite(value) else None


def loudness_to_dict(loudness: Loudness) -> dict[str, float | None]:
    """Return the figures by name; None stands for silence."""
    return {name: number(getattr(loudness, name)) for name in _LOUDNESS}


def loudness_from_dict(stored: dict[str, float | None]) -> Loudness:
    """Undo `loudness_to_dict`; raises KeyError where a figure is missing."""
    return Loudness(**{name: _figure(stored[name]) for name in _LOUDNESS})


def rendition_to_dict(rendition: Rendition) -> dict[str, Any]:
    """Return `rendition` as JSON values; files of its own are named without their folder."""
    return {
        "identifier": rendition.identifier,
        "file": rendition.path.name,
        "start": str(rendition.start),
        "samples": rendition.samples,
        "sample_rate": rendition.sample_rate,
        "channels": rendition.channels,
        "before": loudness_to_dict(rendition.before),
        "after": loudness_to_dict(rendition.after),
        "gains": _curves_to_dict(rendition.gains),
        "stems": {stem: path.name for stem, path in rendition.stems.items()},
        "raw_stems": rendition.raw_stems,
        "stem_levels": {stem: [number(x) for x in pair] for stem, pair in rendition.stem_levels.items()},
        "stem_quality": {stem: list(line) for stem, line in rendition.stem_quality.items()},
        "frames": [_frame_to_dict(frame) for frame in rendition.frames],
        "makeup_db": rendition.makeup_db,
        "provenance": plain(rendition.provenance),
        "warnings": list(rendition.warnings),
    }


def rendition_from_dict(stored: dict[str, Any], folder: Path) -> Rendition:
    """Undo `rendition_to_dict` for files in `folder`; raises KeyError, TypeError or ValueError."""
    levels = stored["stem_levels"]
    return Rendition(
        identifier=stored["identifier"],
        path=folder / Path(stored["file"]).name,
        start=Fraction(stored["start"]),
        samples=int(stored["samples"]),
        sample_rate=int(stored["sample_rate"]),
        channels=int(stored["channels"]),
        before=loudness_from_dict(stored["before"]),
        after=loudness_from_dict(stored["after"]),
        gains=_curves_from_dict(stored["gains"]),
        stems={stem: folder / Path(name).name for stem, name in stored["stems"].items()},
        raw_stems=bool(stored.get("raw_stems", False)),
        stem_levels={stem: (_figure(pair[0]), _figure(pair[1])) for stem, pair in levels.items()},
        stem_quality={stem: tuple(x) for stem, x in stored.get("stem_quality", {}).items()},
        frames=tuple(_frame_from_dict(frame) for frame in stored["frames"]),
        makeup_db=float(stored["makeup_db"]),
        provenance=dict(stored["provenance"]),
        warnings=tuple(stored["warnings"]),
    )


def plain(value: Any) -> Any:
    """Return `value` made of what JSON knows: exact numbers and paths become text, odd floats None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Real) and not isinstance(value, Fraction):
        return number(float(value))
    return str(value)


def _figure(value: float | None) -> float:
    return -math.inf if value is None else float(value)


def _curves_to_dict(gains: GainCurves) -> dict[str, list[float]]:
    return {"times": list(gains.times), **{stem: list(levels) for stem, levels in gains.levels.items()}}


def _curves_from_dict(stored: Mapping[str, list[float]]) -> GainCurves:
    levels = {stem: tuple(values) for stem, values in stored.items() if stem != "times"}
    return GainCurves(tuple(stored["times"]), levels)


def _frame_to_dict(frame: SeenFrame) -> dict[str, Any]:
    return {
        "time": frame.time,
        "path": str(frame.path),
        "media_time": str(frame.media_time),
        "shot": frame.shot,
    }


def _frame_from_dict(stored: dict[str, Any]) -> SeenFrame:
    media_time = Fraction(stored["media_time"])
    return SeenFrame(float(stored["time"]), Path(stored["path"]), media_time, int(stored["shot"]))
