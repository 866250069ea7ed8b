"""Why a clip needs work: what can be told of its media, of what it holds, and of how loud it and its neighbours are."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ...engine.edit.categories import MARRIED
from ...engine.highlight.spread import SPEECH_OVER_WHOLE
from ...engine.roles import DIALOGUE, EFFECTS, MUSIC
from ...plugin.jobs.settings import JobSettings
from .state import ClipRow

OFFLINE, UNSUPPORTED, UNREADABLE = "offline", "unsupported", "unreadable"
UNSURE, BURIED, OFF_TARGET, PEAKS = "unsure", "buried", "loudness", "peaks"
NEEDS = (OFFLINE, UNSUPPORTED, UNREADABLE, BURIED, OFF_TARGET, PEAKS, UNSURE)  # the worst first
_TOLERANCE = (
    2.0  # LU from a target that no delivery spec names: what ATSC A/85 allows, the widest of those known
)
_LEAST = 1.0  # LU: one clip of a programme need not lie as near as the whole of it
_BEDS = (MUSIC.name, EFFECTS.name)
_MEASURED = (DIALOGUE.name, MARRIED)  # what a target counts for: a music bed has none of its own


@dataclass(frozen=True)
class Target:
    """What the programme is to meet: its loudness (LUFS), give or take `tolerance` (LU), and its true peak (dBTP).

    `lufs` is None where none was chosen.
    """

    lufs: float | None = None
    ceiling: float = -1.0
    tolerance: float = _TOLERANCE

    @classmethod
    def of(cls, settings: JobSettings) -> Target:
        """What a job's settings ask for; raises SettingsError for a delivery spec that there is not."""
        spec = settings.spec
        tolerance = _TOLERANCE if spec is None else max(spec.tolerance, _LEAST)
        return cls(settings.target_lufs, settings.ceiling, tolerance)


class Neighbours:
    """Which clips sound together, by their times."""

    def __init__(self, rows: Sequence[ClipRow]) -> None:
        self._rows = sorted(rows, key=lambda row: row.record_in)
        self._starts = [row.record_in for row in self._rows]
        self._longest = max((row.record_out - row.record_in for row in rows), default=0.0)

    def of(self, row: ClipRow) -> list[int]:
        """The other clips, by index, that sound while `row` does."""
        first = bisect_left(self._starts, row.record_in - self._longest)
        last = bisect_left(self._starts, row.record_out)
        return [
            other.index
            for other in self._rows[first:last]
            if other.index != row.index and other.record_out > row.record_in
        ]


def needs_of(row: ClipRow, together: Iterable[ClipRow], target: Target, listened: bool) -> tuple[str, ...]:
    """Why a clip needs work, in the order of `NEEDS`; `together` are the clips that sound while it does.

    `listened` says that nobody listens any more to what tracks hold: from then on what is not sure stays so.
    """
    if row.state in (OFFLINE, UNSUPPORTED):
        return (row.state,)
    if not row.online:
        return ()
    found = {
        UNREADABLE: bool(row.trouble),
        BURIED: is_buried(row, together),
        OFF_TARGET: is_off_target(row, target),
        PEAKS: row.true_peak is not None and row.true_peak > target.ceiling + 0.05,
        UNSURE: listened and not row.certain and not row.trouble,
    }
    return tuple(need for need in NEEDS if found.get(need))


def is_off_target(row: ClipRow, target: Target) -> bool:
    """Whether dialogue or a mix lies further from the programme's target than its anchor may."""
    if target.lufs is None or row.lufs is None or row.kind not in _MEASURED or math.isinf(row.lufs):
        return False
    return abs(row.lufs - target.lufs) > target.tolerance


def is_buried(row: ClipRow, together: Iterable[ClipRow]) -> bool:
    """Whether a clip of dialogue lies lower over music or effects than in good films, by whole clips.

    A bed counts by its loudness and by how much of the dialogue's length it takes; the bound is one standard deviation
    below films' mean (`engine.highlight.spread`). What is not measured yet, and mixes, are not counted: of a mix
    nobody knows how much of it is speech.
    """
    if row.kind != DIALOGUE.name or row.lufs is None or math.isinf(row.lufs):
        return False
    beds = list(together)
    for kind, relation in zip(_BEDS, SPEECH_OVER_WHOLE, strict=True):
        bed = _level(row, [other for other in beds if other.kind == kind])
        if row.lufs - bed < float(relation.inside(np.zeros(1))[0]):
            return True
    return False


def _level(row: ClipRow, beds: Iterable[ClipRow]) -> float:
    """How loud `beds` are together over the length of `row`, LUFS; -inf for nothing."""
    length = row.record_out - row.record_in
    power = 0.0
    for bed in beds:
        shared = min(row.record_out, bed.record_out) - max(row.record_in, bed.record_in)
        if bed.online and bed.lufs is not None and shared > 0 and length > 0:
            power += 10.0 ** (bed.lufs / 10.0) * shared / length
    return 10.0 * math.log10(power) if power > 0 else -math.inf
