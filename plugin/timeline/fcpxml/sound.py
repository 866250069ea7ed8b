"""Levels, fades, pans and effects of FCPXML's sounds, in record time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from xml.etree.ElementTree import Element

from ....engine.edit import keyframes
from ....engine.edit.keyframes import SILENCE_DB
from ....engine.edit.model import GainCurve
from .document import Resources
from .parts import ZERO, Treatment

LOUDEST_DB = 60.0  # beyond every fader: what asks for more is no level
_EDGE = Fraction(1, 1000)  # s that a mute takes to close and to open
_STEREO_PANNERS = ("", "0", "1")  # modes of adjust-panner that mean left and right
_ENHANCEMENTS = {
    "adjust-loudness": "Loudness",
    "adjust-noiseReduction": "Noise Removal",
    "adjust-humReduction": "Hum Removal",
    "adjust-EQ": "Equalization",
    "adjust-matchEQ": "Match EQ",
    "adjust-voiceIsolation": "Voice Isolation",
}


def treatment(
    element: Element,
    resources: Resources,
    record: Callable[[Fraction], Fraction],
    pace: Fraction,
    span: tuple[Fraction, Fraction],
) -> Treatment:
    """What an element does to the sound of its `span` (record s).

    `record` turns its clock into record seconds, `pace` is how much faster than these it runs.
    """
    volume = element.find("adjust-volume")
    line, fades = None, (ZERO, ZERO)
    if volume is not None:
        line = _line(volume, resources, record)
        fades = _fades(volume, resources, pace)
    for mute in element.findall("mute"):
        line = keyframes.plus(line, _muted(mute, resources, record))
    return Treatment(line, span, *fades, _pan(element), tuple(_effects(element)))


def silent(element: Element) -> bool:
    """Whether an element is muted all along."""
    return any(
        "start" not in mute.attrib and "duration" not in mute.attrib for mute in element.findall("mute")
    )


def stacked(treatments: Sequence[Treatment], start: Fraction, end: Fraction) -> Treatment:
    """What becomes of a sound from `start` to `end` under several treatments; the line then counts from its start.

    A fade that lies at an end of the sound stays one; others, and a second one there, are part of the line.
    """
    line, pan, length = None, 0.0, end - start
    fade_in = fade_out = ZERO
    for one in treatments:
        begins = not fade_in and one.span[0] == start and one.fade_in <= length
        ends = not fade_out and one.span[1] == end and one.fade_out <= length
        fade_in, fade_out = one.fade_in if begins else fade_in, one.fade_out if ends else fade_out
        rest = keyframes.fade_line(
            ZERO if begins else one.fade_in, ZERO if ends else one.fade_out, one.span[1] - one.span[0]
        )
        line = keyframes.plus(keyframes.plus(line, one.line), _moved(rest, one.span[0]))
        pan = pan or one.pan
    line = None if keyframes.is_unity(line) else _moved(line, -start)
    effects = tuple(effect for one in treatments for effect in one.effects)
    return Treatment(line, (start, end), fade_in, fade_out, pan, effects)


def _moved(line: GainCurve | None, by: Fraction) -> GainCurve | None:
    return GainCurve(tuple(t + by for t in line.times), line.db) if line is not None else None


def decibels(text: str | None) -> float | None:
    """A level such as "-6dB" or "-6"; None for what is none."""
    try:
        value = float((text or "").strip().removesuffix("dB").strip())
    except ValueError:
        return None
    return None if math.isnan(value) else min(max(value, SILENCE_DB), LOUDEST_DB)


def _amount(volume: Element) -> Iterator[Element]:
    return (parameter for parameter in volume.findall("param") if parameter.get("name") == "amount")


def _line(volume: Element, resources: Resources, record: Callable[[Fraction], Fraction]) -> GainCurve | None:
    steady = decibels(volume.get("amount"))
    points: dict[Fraction, float] = {}
    for parameter in _amount(volume):
        said = decibels(parameter.get("value"))
        steady = steady if said is None else said
        for key in parameter.iter("keyframe"):
            time, level = resources.time(key, "time", None), decibels(key.get("value"))
            if time is not None and level is not None:
                points[record(time)] = level
    if points:
        rising = sorted(points.items())
        return GainCurve(tuple(t for t, _ in rising), tuple(db for _, db in rising))
    return GainCurve((ZERO,), (steady,)) if steady else None


def _fades(volume: Element, resources: Resources, pace: Fraction) -> tuple[Fraction, Fraction]:
    """Record seconds of the fades at both ends."""
    lengths = []
    for tag in ("fadeIn", "fadeOut"):
        found = next((fade for parameter in _amount(volume) for fade in parameter.iter(tag)), None)
        length = resources.time(found, "duration") if found is not None else None
        lengths.append(max(length or ZERO, ZERO) / pace)
    return lengths[0], lengths[1]


def _muted(mute: Element, resources: Resources, record: Callable[[Fraction], Fraction]) -> GainCurve | None:
    start, length = resources.time(mute, "start", None), resources.time(mute, "duration", None)
    if start is None or not length or length < 0:
        return None
    first, last = record(start), record(start + length)
    edge = min(_EDGE, (last - first) / 3)
    times = (first, first + edge, last - edge, last)
    return GainCurve(times, (0.0, SILENCE_DB, SILENCE_DB, 0.0))


def _pan(element: Element) -> float:
    """Where a sound lies, from -1 to 1; 0 where it stays or the panner is none for left and right."""
    panner = element.find("adjust-panner")
    if panner is None or panner.get("mode", "") not in _STEREO_PANNERS:
        return 0.0
    try:
        value = float(panner.get("amount") or 0)
    except ValueError:
        return 0.0
    return min(max(value / 100, -1.0), 1.0) if math.isfinite(value) else 0.0


def _effects(element: Element) -> Iterator[str]:
    for child in element:
        if child.tag in _ENHANCEMENTS:
            yield _ENHANCEMENTS[child.tag]
        elif child.tag == "filter-audio" and child.get("enabled") != "0":
            yield child.get("name") or "audio effect"
        elif child.tag == "adjust-panner" and (
            child.get("mode", "") not in _STEREO_PANNERS or child.find(".//keyframe") is not None
        ):
            yield "Surround Panner" if child.find(".//keyframe") is None else "Pan keyframes"
