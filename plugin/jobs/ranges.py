"""Reads a selection of clips written the way page ranges are: ``3,5-9``."""

from __future__ import annotations

import re

from ...engine.errors import SettingsError

_PART = re.compile(r"\s*([0-9]{1,9})\s*(?:-\s*([0-9]{1,9})\s*)?")


def parse_ranges(text: str, last: int) -> tuple[int, ...]:
    """Return the indices named by `text` in rising order, each once; `last` is the highest clip index.

    Raises SettingsError for anything that is not numbers and ranges of clips that exist.
    """
    chosen: set[int] = set()
    for part in text.split(","):
        chosen.update(_part(part, text, last))
    return tuple(sorted(chosen))


def _part(part: str, text: str, last: int) -> range:
    match = _PART.fullmatch(part)
    if match is None:
        raise SettingsError(f"--clips {text!r} is not a list of clip numbers and ranges such as 3,5-9.")
    low = int(match[1])
    high = int(match[2]) if match[2] else low
    if high < low:
        raise SettingsError(f"--clips {text!r} has a range that runs backwards: write {high}-{low}.")
    if low < 1 or high > last:
        wrong = low if low < 1 or low > last else high
        raise SettingsError(
            f"--clips {text!r} names clip {wrong}, but this timeline's audio clips are numbered 1 to {last}."
        )
    return range(low, high + 1)


def format_ranges(indices: tuple[int, ...]) -> str:
    """Write rising indices the way `parse_ranges` reads them, as short as can be."""
    runs: list[list[int]] = []
    for index in indices:
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)
