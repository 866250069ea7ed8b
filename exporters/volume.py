"""A clip's volume in an OTIO timeline: our gain curves, Resolve's clip volume and faders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from ..engine.edit import keyframes
from ..engine.edit.model import EditClip, GainCurve
from .sources import ZERO, meta, number

_VOLUME_TYPE = 62  # Resolve: Fairlight Clip Volume and Fades
_FADERS = ("faderIn", "faderOut")


def gain_of(node: otio.schema.Clip, clip: EditClip, whole: Fraction, rate: Fraction) -> EditClip:
    """`clip`, which begins `clip.start` seconds after the start of `node` (`whole` seconds long), with its volume.

    A gain curve of ours counts seconds from the file's first sample and already holds what the host's own volume
    says; without one Resolve's clip volume counts, whose keys are frames at `rate` from the clip's in point. Resolve's
    faders count in both cases.
    """
    own = meta(node, "sightmix", "gain")
    if isinstance(own, Mapping):
        place = clip.source_in - (clip.media.start if clip.media is not None else ZERO)
        curve = keyframes.checked(list(own.get("times") or []), list(own.get("db") or []))
        clip = replace(clip, gain=keyframes.played(curve, place, clip.duration, clip.speed))
    parameters = _volume_parameters(node)
    line = _resolve_curve(parameters.get("volume"), rate)
    if clip.gain is None and line is not None:
        clip = replace(clip, gain=keyframes.cut(line, clip.start, clip.end))
    fades = [_frames(parameters.get(name)) / rate for name in _FADERS]
    return replace(
        clip,
        fade_in=min(fades[0], clip.duration) if clip.start == 0 else ZERO,
        fade_out=min(fades[1], clip.duration) if clip.end == whole else ZERO,
    )


def _volume_parameters(node: otio.schema.Clip) -> dict[str, Mapping[str, Any]]:
    """The parameters of Resolve's volume effect that are off their defaults, by ID."""
    for effect in node.effects:
        host = meta(effect, "Resolve_OTIO")
        if isinstance(host, Mapping) and host.get("Type") == _VOLUME_TYPE and host.get("Enabled", True):
            listed = [p for p in host.get("Parameters") or [] if isinstance(p, Mapping)]
            return {str(parameter.get("Parameter ID")): parameter for parameter in listed}
    return {}


def _resolve_curve(parameter: Mapping[str, Any] | None, rate: Fraction) -> GainCurve | None:
    if parameter is None:
        return None
    points: dict[Fraction, float] = {}
    frames = parameter.get("Key Frames")
    for frame, key in (frames if isinstance(frames, Mapping) else {}).items():
        value = number(key.get("Value")) if isinstance(key, Mapping) else None
        if value is not None and str(frame).lstrip("-").replace(".", "", 1).isdigit():
            points[Fraction(str(frame)) / rate] = float(value)
    if points:
        ordered = sorted(points.items())
        return GainCurve(tuple(t for t, _ in ordered), tuple(v for _, v in ordered))
    level = number(parameter.get("Parameter Value"))
    return GainCurve((ZERO,), (float(level),)) if level else None


def _frames(parameter: Mapping[str, Any] | None) -> Fraction:
    value = number(parameter.get("Parameter Value")) if parameter is not None else None
    return max(value, ZERO) if value is not None else ZERO


def other_effects(node: otio.schema.Clip) -> Iterator[str]:
    """Names of the enabled effects that do something and are neither speed nor the volume read above.

    Resolve lists one effect per slot of its inspector, with parameters only where somebody touched them.
    """
    for effect in node.effects:
        if isinstance(effect, otio.schema.TimeEffect) or not getattr(effect, "enabled", True):
            continue
        host = meta(effect, "Resolve_OTIO")
        if isinstance(host, Mapping):
            if (
                host.get("Type") == _VOLUME_TYPE
                or not host.get("Enabled", True)
                or not host.get("Parameters")
            ):
                continue
            yield str(host.get("Effect Name") or host.get("Name") or "unnamed")
        elif meta(effect, "PremierePro_OTIO", "IsIntrinsic") is not True:
            yield effect.effect_name or effect.name or "unnamed"
