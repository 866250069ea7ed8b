"""Clip levels and pan of Final Cut Pro 7 XML, as OTIO's adapter keeps them in an item's metadata.

The effects "audiolevels" and "audiopan" carry one parameter each. A level is a linear gain, 20·lg of it the dB (Apple,
XML Interchange Format, "Notes"), and runs straight in amplitude from key to key; a key's `when` counts frames on the
clock of the clip's `in`, which is 0 at the media's first frame. A pan runs from -1, all left, to 1, all right. The
adapter lists every filter twice: under `metadata.fcp_xml.filter`, which it writes back, and as an Effect.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from ..media.time import round_half_up
from .header import HIGHEST_FRAME_RATE
from .keyframes import SILENCE_DB, STEP_DB, frames, plus
from .model import GainCurve, PanLine
from .nodes import Node, metadata, rate_of, references, seconds

LOUDEST = 3.98109  # what FCP 7 and Premiere give the level's range as: +12 dB
_LEVEL, _PAN = ("audiolevels", "level"), ("audiopan", "pan")
PLAIN = Fraction(1)

Point = tuple[Fraction, float]


def volume_of(clip: Node, rate: Fraction, speed: Fraction = PLAIN) -> GainCurve | None:
    """The clip's volume line in dB over seconds of record time from its in point; None where it has none.

    Several level filters multiply. Keys count in the clip's own rate, in frames at `rate` where that counts samples.
    `speed` is media seconds per record second.
    """
    found = None
    for effect in _effects(clip, *_LEVEL):
        found = plus(found, _line(_points(clip, effect, _LEVEL[1], rate, speed)))
    return found


def pan_of(clip: Node, rate: Fraction, speed: Fraction = PLAIN) -> PanLine | None:
    """The clip's pan over seconds of record time from its in point; None where it has none or stays in the middle."""
    for effect in _effects(clip, *_PAN):
        widest = max((abs(number) for number in _range(effect)), default=1.0)
        scale = 1 / 100 if widest > 1 else 1.0
        points = [(t, min(max(v * scale, -1.0), 1.0)) for t, v in _points(clip, effect, _PAN[1], rate, speed)]
        if any(place for _, place in points):
            return PanLine(tuple(t for t, _ in points), tuple(place for _, place in points))
    return None


def is_level(effect: Node) -> bool:
    """Whether an Effect of a clip is a level that `volume_of` reads, or a pan that moves nothing."""
    fcp = metadata(effect, "fcp_xml")
    if _is(fcp, _PAN[0]):
        return pan_of({"effects": [effect]}, PLAIN) is None
    return _is(fcp, _LEVEL[0])


def moved(clip: Node, source: Node, rate: Fraction) -> None:
    """Move the keys of a clip's filters, copied from `source`, in place: its own file begins elsewhere."""
    (new, counted), (old, _) = _in_point(clip, rate), _in_point(source, rate)
    for effect in _listed(clip):
        for parameter in _several(effect.get("parameter")):
            for key in _several(parameter.get("keyframe")):
                when = _number(key.get("when"))
                if when is not None:
                    key["when"] = str(round_half_up(when + (new - old) * counted))


def set_level(clip: Node, curve: GainCurve, rate: Fraction) -> None:
    """Give a clip the volume `curve`, seconds from its in point, in place of the level filters it has.

    Written both where the adapter writes it back from and as an Effect; beyond +12 dB the range's end.
    """
    effect = _level_effect(clip, curve, rate)
    fcp = clip.setdefault("metadata", {}).setdefault("fcp_xml", {})
    kept = [f for f in _several(fcp.get("filter")) if not _is(f.get("effect"), _LEVEL[0])]
    listed = [*kept, {"effect": {"name": "Audio Levels", **effect}}]
    fcp["filter"] = listed if len(listed) > 1 else listed[0]
    others = [e for e in clip.get("effects") or [] if not _is(metadata(e, "fcp_xml"), _LEVEL[0])]
    clip["effects"] = [
        *others,
        {
            "OTIO_SCHEMA": "Effect.1",
            "metadata": {"fcp_xml": effect},
            "name": "Audio Levels",
            "effect_name": "",
        },
    ]


def filters_of(clip: Node) -> Any:
    """The clip's filters as the adapter keeps them, to be copied to a clip that stands for it."""
    return metadata(clip, "fcp_xml", "filter")


def _level_effect(clip: Node, curve: GainCurve, rate: Fraction) -> Node:
    first, rate = _in_point(clip, rate)
    length = seconds((clip.get("source_range") or {}).get("duration")) or Fraction(0)
    parameter: Node = {
        "@authoringApp": "PremierePro",
        "parameterid": _LEVEL[1],
        "name": "Level",
        "valuemin": "0",
        "valuemax": f"{LOUDEST}",
        "value": _text(10 ** (curve.db[0] / 20)),
    }
    if any(db != curve.db[0] for db in curve.db):
        count = max(1, round_half_up(length * rate)) + 1
        begin = round_half_up(first * rate)
        parameter["keyframe"] = [
            {"when": str(begin + frame), "value": _text(10 ** (db / 20))}
            for frame, db in _stepped(frames(curve, rate, count))
        ]
    kind = {name: _LEVEL[0] for name in ("effectid", "effectcategory", "effecttype")}
    return {**kind, "mediatype": "audio", "parameter": parameter}


def _stepped(keys: Sequence[tuple[int, float]]) -> Iterator[tuple[int, float]]:
    """The keys with more between them, so that lines straight in amplitude stay by those straight in dB."""
    yield keys[0]
    for (start, a), (end, b) in pairwise(keys):
        parts = max(1, math.ceil(abs(b - a) / STEP_DB))
        places = sorted({start + round((end - start) * k / parts) for k in range(1, parts + 1)} - {start})
        yield from ((frame, a + (b - a) * (frame - start) / (end - start)) for frame in places)


def _text(gain: float) -> str:
    return "0" if gain <= 10 ** (SILENCE_DB / 20) else f"{min(gain, LOUDEST):.7g}"


def _effects(clip: Node, identity: str, parameter: str) -> Iterator[Node]:
    """The clip's enabled effects of one kind that have the parameter."""
    for effect in _listed(clip, enabled=True):
        if _is(effect, identity) and any(
            p.get("parameterid") == parameter for p in _several(effect.get("parameter"))
        ):
            yield effect


def _listed(clip: Node, enabled: bool = False) -> Iterator[Node]:
    """Every effect as a dictionary of XML: of the filters if there are any, else of the Effects.

    With `enabled` only one of the two lists and only what is switched on; without it everything there is.
    """
    filters = [f for f in _several(filters_of(clip)) if isinstance(f.get("effect"), dict)]
    for found in filters:
        if not enabled or (found.get("enabled") != "FALSE" and _is_on(found["effect"])):
            yield found["effect"]
    if filters and enabled:
        return
    for node in _several(clip.get("effects")):
        effect = metadata(node, "fcp_xml")
        if isinstance(effect, dict) and (
            not enabled or (node.get("enabled", True) is not False and _is_on(effect))
        ):
            yield effect


def _is(effect: object, identity: str) -> bool:
    return isinstance(effect, dict) and effect.get("effectid") == identity


def _is_on(effect: Node) -> bool:
    return str(effect.get("pproBypass", "false")).lower() != "true"


def _several(value: object) -> list[Node]:
    """What the adapter gives for an XML element that may be there once or often."""
    listed = value if isinstance(value, list) else [value]
    return [item for item in listed if isinstance(item, dict)]


def _range(effect: Node) -> list[float]:
    given = [
        _number(p.get(end)) for p in _several(effect.get("parameter")) for end in ("valuemin", "valuemax")
    ]
    return [float(number) for number in given if number is not None]


def _number(text: object) -> Fraction | None:
    try:
        value = float(str(text))
    except ValueError:
        return None
    return Fraction(str(text).strip()) if math.isfinite(value) and abs(value) < 1e12 else None


def _in_point(clip: Node, frames_at: Fraction) -> tuple[Fraction, Fraction]:
    """Media seconds from the file's first frame to the clip's in point, and the frames per second keys count."""
    source = clip.get("source_range") or {}
    start, rate = seconds(source.get("start_time")), rate_of(source.get("start_time"))
    for _, reference in references(clip)[:1]:
        begin = seconds((reference.get("available_range") or {}).get("start_time"))
        start = start - begin if start is not None and begin is not None else start
    return start or Fraction(0), rate if rate is not None and rate <= HIGHEST_FRAME_RATE else frames_at


def _points(clip: Node, effect: Node, name: str, rate: Fraction, speed: Fraction) -> list[Point]:
    """(record seconds from the in point, value), rising; one point at 0 where the parameter has no keys."""
    first, rate = _in_point(clip, rate)
    parameter = next((p for p in _several(effect.get("parameter")) if p.get("parameterid") == name), {})
    points: dict[Fraction, float] = {}
    for key in _several(parameter.get("keyframe")):
        when, value = _number(key.get("when")), _number(key.get("value"))
        if when is not None and value is not None and speed:
            points[(when / rate - first) / speed] = float(value)
    if points:
        return sorted(points.items())
    value = _number(parameter.get("value"))
    return [(Fraction(0), float(value))] if value is not None else []


def _line(points: Sequence[Point]) -> GainCurve | None:
    """A line straight in amplitude as one straight in dB, within 0.05 dB; None for none, or unity all along."""
    if not points or all(gain == 1 for _, gain in points):
        return None
    fine = [(points[0][0], _db(points[0][1]))]
    for (t0, a0), (t1, a1) in pairwise(points):
        low, high = _db(a0), _db(a1)
        parts = max(1, math.ceil(abs(high - low) / STEP_DB))
        for k in range(1, parts):
            db = low + (high - low) * k / parts
            share = (10 ** (db / 20) - a0) / (a1 - a0)
            fine.append((t0 + (t1 - t0) * Fraction(min(max(share, 0.0), 1.0)), db))
        fine.append((t1, high))
    rising = dict(fine)
    return GainCurve(tuple(rising), tuple(rising.values()))


def _db(gain: float) -> float:
    return max(20 * math.log10(gain), SILENCE_DB) if gain > 0 else SILENCE_DB
