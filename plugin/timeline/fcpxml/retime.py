"""Speeds in FCPXML: `timeMap` and `conform-rate` as maps from a clip's clock to what it plays."""

from __future__ import annotations

from fractions import Fraction
from xml.etree.ElementTree import Element

from ....engine.edit.timemap import TimeMap
from ....engine.errors import SettingsError
from ....engine.media.time import snap_rate
from .document import Asset, Resources
from .parts import ONE

# Final Cut Pro plays rates of one family frame by frame (24 in 25), and never those of another (24 in 30).
_NEAR = Fraction(1, 20)


def speed_map(element: Element, resources: Resources, rate: Fraction | None) -> TimeMap | None:
    """The map from a clip's own clock to the clock of what is in it, in seconds; None where the two are one.

    `rate` is the timeline's frames per second, which conformed media is brought to.
    """
    points = _time_points(element.find("timeMap"), resources)
    pace = conformed(element, rate)
    if not points:
        return None if pace == 1 else TimeMap(((Fraction(0), Fraction(0)), (ONE, pace)))
    return TimeMap(tuple((time, value * pace) for time, value in points))


def _time_points(ramp: Element | None, resources: Resources) -> list[tuple[Fraction, Fraction]]:
    """The points of a retime, rising; points on one line with their neighbours fall away."""
    found: dict[Fraction, Fraction] = {}
    for point in ramp.findall("timept") if ramp is not None else ():
        time, value = resources.time(point, "time", None), resources.time(point, "value", None)
        if time is not None and value is not None:
            found[time] = value
    points: list[tuple[Fraction, Fraction]] = []
    for time, value in sorted(found.items()):
        if len(points) > 1 and _slope(points[-2], points[-1]) == _slope(points[-1], (time, value)):
            points.pop()
        points.append((time, value))
    return points if len(points) > 1 else []


def _slope(a: tuple[Fraction, Fraction], b: tuple[Fraction, Fraction]) -> Fraction:
    return (b[1] - a[1]) / (b[0] - a[0])


def eased(element: Element) -> bool:
    """Whether a retime has more than one speed and eases from one into the other."""
    points = element.findall("timeMap/timept")
    return len(points) > 2 and any(point.get("interp", "smooth2") != "linear" for point in points)


def conformed(element: Element, rate: Fraction | None) -> Fraction:
    """Media seconds per second of the clip's clock that the conforming of its frame rate makes."""
    conform = element.find("conform-rate")
    if conform is None or rate is None or conform.get("scaleEnabled") == "0":
        return ONE
    try:
        source = snap_rate(Fraction(conform.get("srcFrameRate", "")))
    except (ValueError, ZeroDivisionError, SettingsError):
        return ONE
    pace = rate / source
    while pace > Fraction(3, 2):
        pace /= 2
    while pace < Fraction(3, 4):
        pace *= 2
    return pace if abs(pace - 1) <= _NEAR else ONE


def fitted(plan: TimeMap | None, asset: Asset | None, first: Fraction) -> TimeMap | None:
    """A file's map that counts from the file's start, where only that leads into the file at the clip's `first` time.

    Hosts differ in whether a retime's clock, and what it plays, begin at nought or with the file's timecode.
    """
    if plan is None or asset is None or asset.duration is None:
        return plan
    begin, end = asset.start, asset.start + asset.duration
    moves = ((Fraction(0), Fraction(0)), (Fraction(0), begin), (begin, begin))
    for time, value in moves:
        moved = TimeMap(tuple((t + time, v + value) for t, v in plan.points))
        if begin <= moved.at(first) <= end:
            return moved
    return None if begin <= first <= end and plan.constant else plan
