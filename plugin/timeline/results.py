"""What a render hands to the timeline: per clip one file for the mix, and one per stem if asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...engine.errors import WriteError
from ...engine.media.time import to_samples
from ...engine.passage import Rendition

ROLES = ("rebalanced", "dialogue", "music", "effects")
_STEM_ROLES = {"speech": "dialogue", "music": "music", "effects": "effects"}


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
class ResultTrack:
    """One rendered file of a clip and the kind of track it goes on: "rebalanced", or a stem's role.

    `provenance` is written into the new clip's metadata beside what `write_result` is given for all of them.
    """

    role: str
    clip: ResultClip
    provenance: Mapping[str, object] = field(default_factory=dict)


def result_tracks(rendition: Rendition, media_start: int = 0) -> list[ResultTrack]:
    """A rendition as results: the mix first, then its stems (speech becomes "dialogue") in stem order."""
    head = to_samples(-rendition.start, rendition.sample_rate)
    files = [("rebalanced", rendition.path)]
    files += [(_STEM_ROLES[stem], rendition.stems[stem]) for stem in _STEM_ROLES if stem in rendition.stems]
    return [
        ResultTrack(
            role,
            ResultClip(path, rendition.sample_rate, rendition.samples, rendition.channels, head, media_start),
            rendition.provenance,
        )
        for role, path in files
    ]
