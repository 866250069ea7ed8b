"""Clip volume as Resolve writes it: an effect of type 62 with keyframes on whole frames."""

from __future__ import annotations

import copy

import numpy as np
from numpy.typing import NDArray

from ...engine.edit.nodes import Node, metadata
from ...engine.edit.volume import FADERS, RESOLVE_VOLUME

Levels = NDArray[np.float64]

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
            "Type": RESOLVE_VOLUME,
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
_FADER: Node = {"Default Parameter Value": 0.0, "Key Frames": {}, "Variant Type": "Double"}


def set_volume(clip: Node, levels: Levels) -> None:
    """Give a Resolve clip the volume `levels` (frames) in dB, one per frame from its in-point, in place.

    What its volume effect said before is replaced, faders stay. Keyframes are as few as keep the line within
    0.05 dB at every frame. A value that equals the default is dropped by the program (Resolve 21.0.2), so a clip
    that needs no change gets none, and one that does never says so with a value of zero.
    """
    effect = _effect_of(clip)
    host = effect["metadata"]["Resolve_OTIO"]
    parameter = _parameter_of(host)
    total = np.clip(levels, _LOWEST, _HIGHEST)
    kept = fewest(total, _TOLERANCE)
    keys = {str(k): {"Value": round(float(total[k]), 4), "Variant Type": "Double"} for k in kept}
    values = [key["Value"] for key in keys.values()]
    default = parameter.setdefault("Default Parameter Value", 0.0)
    off = next((value for value in values if value != default), default)
    parameter["Key Frames"] = keys if len(set(values)) > 1 else {}
    parameter["Parameter Value"] = off
    if off == default and not any(effect is known for known in clip["effects"]):
        return
    host["Enabled"] = True
    host["Parameters"] = [*(p for p in host["Parameters"] if p is not parameter), parameter]
    if not any(effect is known for known in clip["effects"]):
        clip["effects"].append(effect)


def set_faders(clip: Node, fade_in: float, fade_out: float) -> None:
    """Give a Resolve clip fades of so many frames at its two ends, in place of those it has."""
    effect = _effect_of(clip)
    host = effect["metadata"]["Resolve_OTIO"]
    listed = host.get("Parameters")
    kept = [p for p in listed if isinstance(p, dict)] if isinstance(listed, list) else []
    for name, frames in zip(FADERS, (fade_in, fade_out), strict=True):
        given = next((p for p in kept if p.get("Parameter ID") == name), None)
        kept = [p for p in kept if p is not given]
        if frames:
            kept.append({**(given or copy.deepcopy(_FADER)), "Parameter ID": name, "Parameter Value": frames})
    host["Parameters"] = kept
    if kept and not any(effect is known for known in clip["effects"]):
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
    effects = clip.get("effects")
    for effect in effects if isinstance(effects, list) else ():
        if isinstance(effect, dict) and metadata(effect, "Resolve_OTIO", "Type") == RESOLVE_VOLUME:
            return effect
    return copy.deepcopy(_EFFECT)


def _parameter_of(host: Node) -> Node:
    """The volume in an effect's parameters, or a new one that is not yet among them."""
    listed = host.get("Parameters")
    host["Parameters"] = [p for p in listed if isinstance(p, dict)] if isinstance(listed, list) else []
    given = next((p for p in host["Parameters"] if p.get("Parameter ID") == "volume"), None)
    return given if given is not None else copy.deepcopy(_PARAMETER)
