"""Gain curves as Resolve's own clip volume: an effect of type 62 with keyframes on whole frames."""

from __future__ import annotations

import copy
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .nodes import Node, metadata, number

Levels = NDArray[np.float64]

_VOLUME = 62
_LOWEST, _HIGHEST = -100.0, 30.0  # dB, what the program takes
_TOLERANCE = 0.05  # dB a line between two keyframes may be off at any frame
_EFFECT: Node = {
    "OTIO_SCHEMA": "Effect.1",
    "metadata": {
        "Resolve_OTIO": {
            "Display Type": 1,
            "Effect Name": "Fairlight Clip Volume and Fades",
            "Enabled": True,
            "Name": "Volume",
            "Parameters": [],
            "Type": _VOLUME,
        }
    },
    "name": "",
    "effect_name": "Resolve Effect",
}
_PARAMETER: Node = {
    "Default Parameter Value": 0.0,
    "Key Frames": {},
    "Parameter ID": "volume",
    "Parameter Value": 0.0,
    "Variant Type": "Double",
    "maxValue": _HIGHEST,
    "minValue": _LOWEST,
}


def add_volume(clip: Node, levels: Levels) -> None:
    """Give a Resolve clip the volume `levels` (frames) in dB, one per frame from its in-point, in place.

    A volume the clip has already stays in force: its dB are added. Keyframes are as few as keep the line within
    0.05 dB at every frame. A value that equals the default is dropped by the program (Resolve 21.0.2), so a clip
    that needs no change gets none, and one that does never says so with a value of zero.
    """
    effect = _effect_of(clip)
    host = effect["metadata"]["Resolve_OTIO"]
    parameters = host.setdefault("Parameters", [])
    given = next((p for p in parameters if isinstance(p, dict) and p.get("Parameter ID") == "volume"), None)
    in_force = given if host.get("Enabled", True) else None
    total = np.clip(levels + _present(in_force, len(levels)), _LOWEST, _HIGHEST)
    kept = fewest(total, _TOLERANCE)
    keys = {str(k): {"Value": round(float(total[k]), 4), "Variant Type": "Double"} for k in kept}
    values = [key["Value"] for key in keys.values()]
    parameter = given if given is not None else copy.deepcopy(_PARAMETER)
    default = parameter.setdefault("Default Parameter Value", 0.0)
    off = next((value for value in values if value != default), None)
    if off is None:
        return
    parameter["Key Frames"] = keys if len(set(values)) > 1 else {}
    parameter["Parameter Value"] = off
    if given is None:
        parameters.append(parameter)
    host["Enabled"] = True
    if not any(effect is known for known in clip["effects"]):
        clip["effects"].append(effect)


def fewest(levels: Levels, tolerance: float) -> list[int]:
    """The fewest frames, greedily, whose straight lines stay within `tolerance` dB of `levels` (n) everywhere."""
    kept, start, last = [0], 0, len(levels) - 1
    while start < last:
        end = start + 1
        # The slopes that pass every frame so far within the tolerance; a line may end wherever it is inside them.
        low, high = -np.inf, np.inf
        for frame in range(start + 1, last + 1):
            slope = (levels[frame] - levels[start]) / (frame - start)
            if low <= slope <= high:
                end = frame
            slack = tolerance / (frame - start)
            low, high = max(low, slope - slack), min(high, slope + slack)
            if low > high:
                break
        kept.append(end)
        start = end
    return kept


def _effect_of(clip: Node) -> Node:
    """The clip's own volume effect, or a new one that is not yet in its list."""
    effects = clip.setdefault("effects", [])
    for effect in effects:
        if isinstance(effect, dict) and metadata(effect, "Resolve_OTIO", "Type") == _VOLUME:
            return effect
    return copy.deepcopy(_EFFECT)


def _present(parameter: Node | None, frames: int) -> Levels:
    """What a volume parameter says already, in dB at every frame; straight lines between its keyframes."""
    if parameter is None:
        return np.zeros(frames)
    keys = parameter.get("Key Frames")
    points: list[tuple[float, float]] = []
    for frame, key in keys.items() if isinstance(keys, dict) else ():
        at, value = number(_whole(frame)), number(key.get("Value")) if isinstance(key, dict) else None
        if at is not None and value is not None:
            points.append((float(at), float(value)))
    if points:
        points.sort()
        distinct = [a for a, b in pairwise(points) if a[0] != b[0]] + points[-1:]
        return np.interp(np.arange(frames), [p[0] for p in distinct], [p[1] for p in distinct])
    level = number(parameter.get("Parameter Value"))
    return np.full(frames, float(level) if level is not None else 0.0)


def _whole(text: object) -> int | None:
    try:
        return int(str(text))
    except ValueError:
        return None
