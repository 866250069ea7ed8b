"""How often every sound of an edit is heard: of each, exactly one version is to be audible."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from ..edit.lanes import media_at, played, stretches
from ..edit.model import Edit, EditClip
from ..edit.reader import played_channels
from ..roles import MIX


def times_heard(edit: Edit, clip: EditClip) -> tuple[int, int]:
    """How often the sound of `clip` is audible over its length in `edit`: the fewest and the most versions at a time.

    A version is a clip on a track that plays, with the same channel of the same file at the same place in it, to half
    a frame; or a rendered result of ours that was made of a clip of that name there, whose stems count as one.
    Stretches shorter than a frame, where roundings meet, do not count.
    """
    counts = [count for part in stretches(clip) for count in _counts(edit, _audible(edit), part)]
    return (min(counts), max(counts)) if counts else (0, 0)


def doubled(edit: Edit) -> tuple[EditClip, ...]:
    """The audible clips of an edit whose sound is heard a second time at the same moment."""
    return tuple(clip for clip, _ in _audible(edit) if times_heard(edit, clip)[1] > 1)


def _audible(edit: Edit) -> list[tuple[EditClip, str]]:
    """The clips that play, ramps as stretches of one speed, with the roles of their tracks."""
    tracks = [track for track in played(edit).tracks if track.kind == "audio" and track.enabled]
    return [(clip, track.role) for track in tracks for clip in track.clips if clip.enabled]


def _counts(edit: Edit, audible: list[tuple[EditClip, str]], clip: EditClip) -> Iterator[int]:
    """Versions of every channel of a clip of one speed, stretch by stretch."""
    beside = [(other, role) for other, role in audible if other.start < clip.end and other.end > clip.start]
    edges = {clip.start, clip.end}
    edges |= {t for other, _ in beside for t in (other.start, other.end) if clip.start < t < clip.end}
    frame = 1 / edit.rate
    for first, last in pairwise(sorted(edges)):
        if last - first < frame:
            continue
        middle = (first + last) / 2
        now = [(other, role) for other, role in beside if other.start <= middle < other.end]
        exact = [other for other, _ in now if _same_moment(other, clip, middle, frame / 2)]
        made = {role == MIX.name for other, role in now if _made_of(other, clip)}
        for channel in _channels(clip):
            yield sum(channel in _channels(other) for other in exact) + len(made)


def _same_moment(other: EditClip, clip: EditClip, t: Fraction, slack: Fraction) -> bool:
    """Whether two clips play the same moment of one file at record time `t`."""
    if _file(other) != _file(clip):
        return False
    places = [media_at(one, t - one.start) for one in (other, clip)]
    return abs(places[0] - places[1]) < slack * max(abs(clip.speed), Fraction(1))


def _made_of(other: EditClip, clip: EditClip) -> bool:
    """Whether a clip is a rendered result of another, by what we wrote on it."""
    ours = other.metadata.get("sightmix")
    of = ours.get("source") if isinstance(ours, dict) and ours.get("generated") is True else None
    return of == clip.name and _file(other) != _file(clip)


def _file(clip: EditClip) -> object:
    return (clip.media.path or clip.media.url) if clip.media is not None else id(clip)


def _channels(clip: EditClip) -> tuple[int, ...]:
    """The channels a clip plays, counted over its file's streams; one where nobody knows them."""
    return clip.channels if clip.channels is not None else tuple(range(played_channels(clip) or 1))
