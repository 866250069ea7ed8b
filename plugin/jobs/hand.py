"""Curves drawn by hand: stretches of a stem's gain that the user has put in the place of the model's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.errors import SettingsError
from ...engine.roles import STEMS

Array = NDArray[np.float32]
Times = NDArray[np.float64]

SCHEMA = "sightmix.curves/1"
LOWEST_DB, HIGHEST_DB = -60.0, 24.0  # of a point, as of the trims


@dataclass(frozen=True)
class Drawn:
    """A stretch of one stem's curve: `times` in record seconds, rising, and as many gains in dB, straight between.

    From the first time to the last it stands in the place of the model's gain and the trims; the programme's level is
    found with it. Raises SettingsError for what is no curve.
    """

    stem: str
    times: tuple[float, ...]
    db: tuple[float, ...]

    def __post_init__(self) -> None:
        rising = all(a < b for a, b in zip(self.times, self.times[1:], strict=False))
        if self.stem not in STEMS or len(self.times) != len(self.db) or len(self.times) < 2 or not rising:
            raise SettingsError(
                f"A curve drawn by hand has a stem ({', '.join(STEMS)}) and two or more rising times."
            )
        if not all(LOWEST_DB <= level <= HIGHEST_DB for level in self.db):
            raise SettingsError(f"A curve drawn by hand lies between {LOWEST_DB:g} and {HIGHEST_DB:g} dB.")


def with_hand(gains: Array, times: Times, drawn: Iterable[Drawn]) -> Array:
    """Gains (3, T) dB at rising record `times` (T,), with what was drawn in their place, the later over the earlier."""
    found = np.array(gains, np.float32)
    for one in drawn:
        first, last = (
            np.searchsorted(times, one.times[0], "left"),
            np.searchsorted(times, one.times[-1], "right"),
        )
        inside = slice(int(first), int(last))
        found[STEMS.index(one.stem), inside] = np.interp(times[inside], one.times, one.db)
    return found


def to_data(drawn: Iterable[Drawn]) -> dict[str, Any]:
    """Curves as JSON values."""
    return {
        "schema": SCHEMA,
        "curves": [
            {"stem": one.stem, "points": [list(p) for p in zip(one.times, one.db, strict=True)]}
            for one in drawn
        ],
    }


def from_data(data: Mapping[str, Any]) -> tuple[Drawn, ...]:
    """What `to_data` gave; raises SettingsError for anything else."""
    try:
        if data["schema"] != SCHEMA:
            raise ValueError(data["schema"])
        return tuple(
            Drawn(
                str(one["stem"]),
                tuple(float(time) for time, _ in one["points"]),
                tuple(float(level) for _, level in one["points"]),
            )
            for one in data["curves"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(f"These are no curves drawn by hand ({SCHEMA}).") from error


def read_hand(path: Path) -> tuple[Drawn, ...]:
    """Curves out of a file; raises SettingsError, naming it, where they cannot be read."""
    try:
        return from_data(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read as curves drawn by hand: {error}.") from error
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error
