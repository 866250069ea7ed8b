"""Volume in a timeline: our own gain curves, hosts' clip levels with keyframes, faders, and what else is on a clip."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from . import fcp7_levels, keyframes
from .lanes import ZERO, stretches
from .model import EditClip, GainCurve, Point
from .nodes import Node, is_enabled, metadata, name_of, number, schema
from .timemap import TimeMap

RESOLVE_VOLUME = 62  # Resolve's effect type: Fairlight Clip Volume and Fades
FADERS = ("faderIn", "faderOut")
_FRAME = re.compile(r"-?\d{1,12}(\.\d{1,12})?", re.ASCII)
_TIME_EFFECTS = ("LinearTimeWarp", "FreezeFrame", "TimeEffect")
_SAME = Fraction(1, 10**6)  # s that two places may lie apart and be one: far less than a sample
_FINEST = 10**7  # denominator of the times that JSON's numbers stand for


@dataclass(frozen=True)
class OwnGain:
    """A gain curve of ours on a clip: seconds of the file, or of the record from the clip's first moment.

    `plays` are the (record, file) points of the clip that a curve in record seconds was made for, in seconds from its
    first moment and from the file's first sample; empty where the curve counts the file's seconds, or nothing says.
    """

    curve: GainCurve
    in_clip: bool = False
    plays: tuple[Point, ...] = ()

    def on(self, clip: EditClip) -> GainCurve:
        """The curve in record seconds of `clip` as it is now: what was made for a sound stays with that sound."""
        if not self.in_clip:
            return _on_file(self.curve, clip)
        return _kept(self.curve, TimeMap(self.plays), TimeMap(plays(clip))) if self.plays else self.curve

    def to_json(self) -> Node:
        """What stands in a clip's metadata."""
        found: Node = {"times": [float(t) for t in self.curve.times], "db": list(self.curve.db)}
        if self.in_clip:
            found |= {"in": "clip", "plays": [[float(r), float(m)] for r, m in self.plays]}
        return found


def with_volume(node: Node, clip: EditClip, rate: Fraction) -> EditClip:
    """The whole `clip` that `node` describes with its volume line, faders and pan; `rate` is what its keys count in.

    A gain curve of ours already holds what the host's own volume says; without one the host's own counts. Its faders
    count in both cases.
    """
    own = own_gain(node)
    line = own.on(clip) if own is not None else host_line(node, rate)
    if line is not None and own is None:
        line = keyframes.cut(line, ZERO, clip.duration)
    fade_in, fade_out = faders(node, rate)
    return replace(
        clip,
        gain=line,
        fade_in=min(fade_in, clip.duration),
        fade_out=min(fade_out, clip.duration),
        pan=fcp7_levels.pan_of(node, rate),
    )


def own_gain(node: Node) -> OwnGain | None:
    """The gain curve that an earlier result of ours left on a clip. Raises WriteError for one that is none."""
    own = metadata(node, "sightmix", "gain")
    if not isinstance(own, dict):
        return None
    times, db = (_figures(own.get(key)) for key in ("times", "db"))
    curve = keyframes.checked(times, [float(value) for value in db])
    return OwnGain(curve, True, _points(own.get("plays"))) if own.get("in") == "clip" else OwnGain(curve)


def plays(clip: EditClip) -> tuple[Point, ...]:
    """Which seconds of its file a clip plays when: (record seconds from its first moment, file seconds), rising."""
    origin = clip.media.start if clip.media is not None else ZERO
    ends = ((ZERO, clip.source_in), (clip.duration, clip.source_in + clip.speed * clip.duration))
    return tuple((record, place - origin) for record, place in clip.ramp or ends)


def _points(listed: object) -> tuple[Point, ...]:
    """Rising (record, file) points out of a document; none where they are no line."""
    rows = [_figures(row) for row in listed] if isinstance(listed, list) else []
    if len(rows) < 2 or any(len(row) != 2 or any(math.isnan(v) for v in row) for row in rows):
        return ()
    points = [tuple(Fraction(v).limit_denominator(_FINEST) for v in row) for row in rows]
    return tuple((r, m) for r, m in points) if all(a[0] < b[0] for a, b in pairwise(points)) else ()


def _figures(listed: object) -> list[Fraction | float]:
    """The numbers of a list, NaN for what is none."""
    exact = [number(value) for value in listed] if isinstance(listed, list) else []
    return [math.nan if value is None else value for value in exact]


def host_line(node: Node, rate: Fraction) -> GainCurve | None:
    """An item's own volume as its host wrote it, in seconds from its in point; None where nothing changes it."""
    points = [(frame / rate, db) for frame, db in volume_keys(node)]
    if points:
        return GainCurve(tuple(t for t, _ in points), tuple(db for _, db in points))
    return fcp7_levels.volume_of(node, rate)


def volume_keys(node: Node) -> list[tuple[Fraction, float]]:
    """The volume Resolve gives an item, as (frame from its in point, dB), rising; one key where it is level."""
    parameter = _parameters(node).get("volume") or {}
    keys = parameter.get("Key Frames")
    points: dict[Fraction, float] = {}
    for frame, key in keys.items() if isinstance(keys, dict) else ():
        value = number(key.get("Value")) if isinstance(key, dict) else None
        if value is not None and _FRAME.fullmatch(str(frame)):
            points[Fraction(str(frame))] = float(value)
    level = number(parameter.get("Parameter Value"))
    if not points and level:
        points[ZERO] = float(level)
    return sorted(points.items())


def faders(node: Node, rate: Fraction) -> tuple[Fraction, Fraction]:
    """Seconds of Resolve's fades at an item's two ends."""
    parameters = _parameters(node)
    values = [number((parameters.get(name) or {}).get("Parameter Value")) for name in FADERS]
    fade_in, fade_out = (max(value, ZERO) / rate if value is not None else ZERO for value in values)
    return fade_in, fade_out


def is_volume(effect: object) -> bool:
    """Whether an effect is a volume that `host_line` and `faders` read, or a pan that moves nothing."""
    if not isinstance(effect, dict):
        return False
    return metadata(effect, "Resolve_OTIO", "Type") == RESOLVE_VOLUME or fcp7_levels.is_level(effect)


def other_effects(node: Node) -> Iterator[str]:
    """Names of the enabled effects that do something and are neither speed nor the volume read above.

    Resolve lists one effect per slot of its inspector, with parameters only where somebody touched them.
    """
    for effect in _effects(node):
        if schema(effect) in _TIME_EFFECTS or not is_enabled(effect):
            continue
        host = metadata(effect, "Resolve_OTIO")
        if isinstance(host, dict):
            idle = not host.get("Enabled", True) or not host.get("Parameters")
            if not idle and host.get("Type") != RESOLVE_VOLUME:
                yield str(host.get("Effect Name") or host.get("Name") or "unnamed")
        elif metadata(effect, "PremierePro_OTIO", "IsIntrinsic") is not True and not fcp7_levels.is_level(
            effect
        ):
            yield str(effect.get("effect_name") or name_of(effect) or "unnamed")


def _kept(curve: GainCurve, made: TimeMap, now: TimeMap) -> GainCurve:
    """A curve in record seconds of a clip that played `made`, in those of the same clip as it plays `now`."""
    if _within(made, now) and _within(now, made):
        return curve
    bends = [made.inverse(media) for _, media in now.points[1:-1]]
    times = {*curve.times, *(record for record, _ in made.points[1:-1]), *(t for t in bends if t is not None)}
    moved = {now.inverse(made.at(t)): keyframes.at(curve, t) for t in sorted(times)}
    points = sorted((t, db) for t, db in moved.items() if t is not None)
    return GainCurve(tuple(t for t, _ in points), tuple(db for _, db in points)) if points else curve


def _within(one: TimeMap, other: TimeMap) -> bool:
    """Whether every point of a map lies on another."""
    return all(abs(other.at(record) - media) < _SAME for record, media in one.points)


def _on_file(curve: GainCurve, clip: EditClip) -> GainCurve:
    """A curve that counts a file's seconds, as the clip plays it, and on into its handles, which dissolves play."""
    points: dict[Fraction, float] = {}
    origin = clip.media.start if clip.media is not None else ZERO
    parts = stretches(clip)
    for number_, part in enumerate(parts):
        head, tail = _beyond(curve, part.source_in - origin, part.duration, part.speed)
        head, tail = head if number_ == 0 else ZERO, tail if number_ == len(parts) - 1 else ZERO
        place = part.source_in - origin - head * part.speed
        line = keyframes.played(curve, place, head + part.duration + tail, part.speed)
        begin = part.start - clip.start - head
        points |= {begin + t: db for t, db in zip(line.times, line.db, strict=True)}
    return GainCurve(tuple(points), tuple(points.values()))


def _beyond(
    curve: GainCurve, place: Fraction, duration: Fraction, speed: Fraction
) -> tuple[Fraction, Fraction]:
    """Record seconds that a file's curve reaches before and after what is played of it."""
    if speed == 0:
        return ZERO, ZERO
    first, last = sorted((t - place) / speed for t in (curve.times[0], curve.times[-1]))
    return max(-first, ZERO), max(last - duration, ZERO)


def _effects(node: Node) -> list[Node]:
    listed = node.get("effects")
    return [effect for effect in listed if isinstance(effect, dict)] if isinstance(listed, list) else []


def _parameters(node: Node) -> dict[str, Node]:
    """The parameters of Resolve's volume effect that are off their defaults, by ID."""
    for effect in _effects(node):
        host = metadata(effect, "Resolve_OTIO")
        if isinstance(host, dict) and host.get("Type") == RESOLVE_VOLUME and host.get("Enabled", True):
            listed = host.get("Parameters")
            found = [p for p in listed if isinstance(p, dict)] if isinstance(listed, list) else []
            return {str(parameter.get("Parameter ID")): parameter for parameter in found}
    return {}
