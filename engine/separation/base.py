"""What every separator is to the rest of sightmix, and what makes its stems add up."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import MediaError, ModelError
from ..media.resample import resample
from ..roles import PARTS

Array = NDArray[np.float32]

# What packages and file names call the three stems.
ROLES: Mapping[str, tuple[str, ...]] = {role.stem: role.words for role in PARTS}


class Separator(Protocol):
    """Takes a soundtrack apart into speech, music and effects."""

    @property
    def name(self) -> str:
        """What it is called on the command line and in manifests."""

    @property
    def rate(self) -> int:
        """The sample rate in Hz it works at."""

    def separate(self, sound: Array, rate: int) -> Array:
        """Stems (3, channels, n) of `sound` (channels, n) at `rate` Hz, in the order speech, music, effects.

        They sum to the sound: what the separator leaves over is counted as effects. Raises `ModelError` in one
        sentence where the separator fails.
        """


def whole(stems: Array, sound: Array) -> Array:
    """Stems (3, channels, n) with what they lack of `sound` (channels, n) added to the effects.

    VisAH's Muddy Mix counts the residual as effects, too. Raises `ModelError` for stems that are not finite.
    """
    if not np.isfinite(stems).all():
        raise ModelError("The separator gave samples that are not numbers; try another one.")
    out = np.asarray(stems, np.float32).copy()
    out[2] = sound - out[0] - out[1]
    return out


def check_sound(sound: Array) -> None:
    """Raise `MediaError` unless `sound` is (channels, n) with something in it."""
    if sound.ndim != 2 or not sound.size:
        raise MediaError("There is no sound to separate; choose a longer clip.")


def at_rate(sound: Array, source: int, target: int) -> Array:
    """Sound (…, channels, n) at another rate, resampled by soxr."""
    if source == target:
        return sound
    flat = sound.reshape(-1, sound.shape[-1])
    out = resample(np.ascontiguousarray(flat, np.float32), source, target)
    return out.reshape(*sound.shape[:-1], -1)


def fitted(stems: Array, samples: int) -> Array:
    """Stems (…, n) cut or padded to `samples`; going to another rate and back may cost one."""
    lacking = max(0, samples - stems.shape[-1])
    pad = [(0, 0)] * (stems.ndim - 1) + [(0, lacking)]
    return np.pad(stems[..., :samples], pad)


def role_of(word: str) -> str | None:
    """The stem a word stands for, such as "music" for "MX"; None if it stands for none."""
    for role, words in ROLES.items():
        if word.lower() in words:
            return role
    return None


def need(module: str, purpose: str, how: str) -> Any:
    """Import a module that not everybody has; raises `ModelError` saying what for and how to get it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.split(".", maxsplit=1)[0]
        raise ModelError(f"{purpose} needs the package {package}: {how} ({error}).") from error


def first_line(error: BaseException) -> str:
    """The first line of an error's message, without the full stop."""
    text = str(error).strip()
    return text.splitlines()[0].rstrip(".") if text else type(error).__name__
