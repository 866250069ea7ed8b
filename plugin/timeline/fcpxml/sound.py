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
from .parts import ONE, ZERO, Treatment

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
    element: Element, resources: Resources, record: Callable[[Fraction], Fraction], pace: Fraction = ONE
) -> Treatment:
    """What an element does to its own sound; `record` turns its clock into record seconds, `pace` its lengths."""
    volume = element.find("adjust-volume")
    line, fades = None, (ZERO, ZERO)
    if volume is not None:
        line = _line(volume, resources, record)
        fades = _fades(volume, resources, pace)
    for mute in element.findall("mute"):
        line = keyframes.plus(line, _muted(mute, resources, record))
    return Treatment(line, *fades, _pan(element), tuple(_effects(element)))


def silent(element: Element) -> bool:
    """Whether an element is muted all along."""
    return any(
        "start" not in mute.attrib and "duration" not in mute.attrib for mute in element.findall("mute")
    )


def stacked(outer: Sequence[Treatment], own: Treatment, start: Fraction, end: Fraction) -> Treatment:
    """A sound from `start` to `end` under everything around it; its line then counts from its start.

    Outer treatments say their fades in their lines already (`faded`).
    """
    line, effects, pan = own.line, [*own.effects], own.pan
    for around in outer:
        line = keyframes.plus(line, around.line)
        effects += around.effects
        pan = pan or around.pan
    if line is not None:
        line = GainCurve(tuple(t - start for t in line.times), line.db)
        line = None if keyframes.is_unity(line) else line
    length = end - start
    return Treatment(line, min(own.fade_in, length), min(own.fade_out, length), pan, tuple(effects))


def faded(sound: Treatment, start: Fraction, end: Fraction) -> Treatment:
    """The treatment of an element that plays from `start` to `end`, its fades as part of its line."""
    fades = keyframes.fade_line(sound.fade_in, sound.fade_out, end - start)
    if fades is None:
        return sound
    moved = GainCurve(tuple(t + start for t in fades.times), fades.db)
    return Treatment(keyframes.plus(sound.line, moved), ZERO, ZERO, sound.pan, sound.effects)


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
