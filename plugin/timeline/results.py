"""What goes on the timeline for a clip: files that were rendered of it, or the clip itself under a volume line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...engine.errors import WriteError
from ...engine.media.time import to_samples
from ...engine.passage import Rendition
from ...engine.roles import MIX, PARTS


@dataclass(frozen=True)
class ResultClip:
    """A rendered file and where the clip lies in it, everything in samples at `sample_rate` (Hz).

    `samples` is the file's length with handles, `head` the index of the clip's first sample, `media_start`
    the time of the file's first sample in its own time stamps (a BWF time reference; 0 for a file without
    one).
    """

    path: Path
    sample_rate: int
    samples: int
    channels: int
    head: int = 0
    media_start: int = 0

    def __post_init__(self) -> None:
        if (
            self.sample_rate <= 0
            or self.samples <= 0
            or self.channels <= 0
            or not 0 <= self.head < self.samples
        ):
            raise WriteError(
                f"{self.path} cannot go on the timeline: its length or its handles make no sense."
            )


@dataclass(frozen=True)
class Gain:
    """A volume line: `times` in seconds, rising, and as many levels in dB.

    They count from a file's first sample in a `ResultTrack`, from a clip's first moment in a `Ridden`. Straight in dB
    between the points, held before the first and after the last.
    """

    times: tuple[float, ...]
    db: tuple[float, ...]

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Levels in dB at `times` (n) in seconds."""
        return np.interp(times, self.times, self.db)

    def plus(self, other: Gain) -> Gain:
        """Both lines on top of each other, with every point of either."""
        times = np.union1d(self.times, other.times)
        levels = self.at(times) + other.at(times)
        return Gain(tuple(times.tolist()), tuple(round(float(level), 6) for level in levels))


@dataclass(frozen=True)
class ResultTrack:
    """One rendered file of a clip and the kind of track it goes on: "rebalanced", or a stem's role.

    `gain` is what the host has to apply to it, None where the file is as it should sound. `enabled` False puts it
    on a muted track. `provenance` is written into the new clip's metadata beside what `write_result` is given for
    all of them.
    """

    role: str
    clip: ResultClip
    provenance: Mapping[str, object] = field(default_factory=dict)
    gain: Gain | None = None
    enabled: bool = True


@dataclass(frozen=True)
class Ridden:
    """The editor's own clip, on a new track, under a volume line: nothing of it is rendered.

    `gain` counts record seconds from the clip's first moment; points before it and past its end are heard where
    dissolves play the clip's handles. It is without the editor's own volume, which is added where it is written.
    `category` says what the clip holds, by a role's name, "" where nothing tells. The rest is as in a
    `ResultTrack`.
    """

    gain: Gain
    provenance: Mapping[str, object] = field(default_factory=dict)
    enabled: bool = True
    role: str = MIX.name
    category: str = ""


Result = ResultTrack | Ridden


def result_tracks(rendition: Rendition, media_start: int = 0, form: str = "baked") -> list[ResultTrack]:
    """A rendition as results: the mix first, then its stems (speech becomes "dialogue") in stem order.

    Raw stems come with their gains, the loudness stage's included; `form` "keyframes" and "stems" leave the mix out
    where there are stems. Beside the mix the stems' tracks are muted: every sound is heard once.
    """
    head = to_samples(-rendition.start, rendition.sample_rate)
    file = ResultClip(
        rendition.path, rendition.sample_rate, rendition.samples, rendition.channels, head, media_start
    )
    found = []
    mixed = form not in ("keyframes", "stems") or not rendition.stems
    if mixed:
        found.append(ResultTrack(MIX.name, file, rendition.provenance))
    for part in PARTS:
        stem, role = part.stem, part.name
        if stem in rendition.stems:
            clip = replace(file, path=rendition.stems[stem])
            gain = _gain(rendition, stem) if rendition.raw_stems else None
            found.append(ResultTrack(role, clip, rendition.provenance, gain, not mixed))
    return found


def _gain(rendition: Rendition, stem: str) -> Gain:
    """A stem's curve counted from its file's first sample, without the points that change nothing."""
    times = [time - float(rendition.start) for time in rendition.gains.times]
    levels = [level + rendition.makeup_db for level in rendition.gains.levels[stem]]
    kept = [i for i, level in enumerate(levels) if set(levels[max(0, i - 1) : i + 2]) != {level}]
    kept = kept or [0]
    return Gain(tuple(round(times[i], 9) for i in kept), tuple(round(levels[i], 6) for i in kept))
