"""Opens what a command was given: a timeline, one of several, or a media file with its cuts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from ...engine.edit.model import Edit
from ...engine.edit.nodes import follow
from ...engine.errors import SettingsError
from ...engine.media.time import snap_rate
from .load import as_timeline, choose, load
from .timeline import Timeline, list_timelines, open_timeline

_RATE = re.compile(r"\d{1,9}(?:\.\d{0,9}|/(\d{1,9}))?", re.ASCII)
_HIGHEST = 1000


def open_source(
    source: Path,
    name: str = "",
    folders: Sequence[Path] = (),
    rate: str = "",
    cuts: Sequence[Fraction] = (),
) -> tuple[Timeline, tuple[str, ...]]:
    """Open a timeline or media file; also returns the names of all timelines in the file.

    `name` is a timeline's name or number, `rate` frames per second as text. Raises TimelineError or
    SettingsError.
    """
    exact = exact_rate(rate)
    names = list_timelines(source, exact)
    wanted: str | int | None = name or None
    if name.isdecimal() and name not in names:
        wanted = int(name)
    return open_timeline(source, timeline=wanted, folders=folders, rate=exact, cuts=cuts), names


def open_edit(source: Path, name: str = "", rate: str = "") -> Edit:
    """A timeline as writers take it, our earlier results in it; arguments and errors as of `open_source`."""
    from ...exporters.flatten import edit_of

    document = as_timeline(load(source, exact_rate(rate), keep=True))
    wanted: str | int | None = int(name) if name.isdecimal() else name or None
    edit = edit_of(follow(document.root, choose(document, wanted)), document.base)
    return replace(edit, losses=(*document.notes, *edit.losses))


def exact_rate(text: str) -> Fraction | None:
    """Frames per second given as text, None for an empty one; SettingsError for what is no rate of pictures."""
    if not text.strip():
        return None
    said = _RATE.fullmatch(text.strip())
    rate = Fraction(said.group()) if said is not None and Fraction(said.group(1) or 1) else None
    if rate is None or not 1 <= rate <= _HIGHEST:
        raise SettingsError(
            f"--rate {text[:40]!r} is not a number of frames per second; give one up to {_HIGHEST}, as 25 or 29.97."
        )
    return snap_rate(rate)
