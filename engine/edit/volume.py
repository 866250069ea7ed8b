"""Volume in a timeline: our own gain curves, hosts' clip levels with keyframes, faders, and what else is on a clip."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from . import fcp7_levels, keyframes
from .lanes import ZERO, stretches
from .model import EditClip, GainCurve
from .nodes import Node, is_enabled, metadata, name_of, number, schema

RESOLVE_VOLUME = 62  # Resolve's effect type: Fairlight Clip Volume and Fades
FADERS = ("faderIn", "faderOut")
_FRAME = re.compile(r"-?\d{1,12}(\.\d{1,12})?", re.ASCII)
_TIME_EFFECTS = ("LinearTimeWarp", "FreezeFrame", "TimeEffect")


def with_volume(node: Node, clip: EditClip, rate: Fraction) -> EditClip:
    """The whole `clip` that `node` describes with its volume line, faders and pan; `rate` is what its keys count in.

    A gain curve of ours counts seconds from the file's first sample and already holds what the host's own volume
    says; without one the host's own counts. Its faders count in both cases.
    """
    own = own_gain(node)
    line = _on_file(own, clip) if own is not None else host_line(node, rate)
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


def own_gain(node: Node) -> GainCurve | None:
    """The gain curve that an earlier result of ours left on a clip, in seconds from its file's first sample.

    Raises WriteError for one that is none.
    """
    own = metadata(node, "sightmix", "gain")
    if not isinstance(own, dict):
        return None
    times, db = (_figures(own.get(key)) for key in ("times", "db"))
    return keyframes.checked(times, [float(value) for value in db])


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
