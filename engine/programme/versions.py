"""How often every sound of an edit is heard: of each, exactly one version is to be audible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    return _times(_audible(edit), clip, 1 / edit.rate)


def doubled(edit: Edit) -> tuple[EditClip, ...]:
    """The audible clips of an edit whose sound is heard a second time at the same moment."""
    audible = _audible(edit)
    clips = [clip for beside in audible.values() for clip, role in beside if not role]
    return tuple(clip for clip in clips if _times(audible, clip, 1 / edit.rate)[1] > 1)


# Clips that play, ramps as stretches of one speed: under their files with no role, and once more under what they were
# made of, with the roles of their tracks.
_Audible = Mapping[object, Sequence[tuple[EditClip, str]]]


def _audible(edit: Edit) -> _Audible:
    found: dict[object, list[tuple[EditClip, str]]] = {}
    for track in played(edit).tracks:
        if track.kind == "audio" and track.enabled:
            for clip in (clip for clip in track.clips if clip.enabled):
                found.setdefault(_file(clip), []).append((clip, ""))
                if of := _source(clip):
                    found.setdefault(("made of", of), []).append((clip, track.role or MIX.name))
    return found


def _times(audible: _Audible, clip: EditClip, frame: Fraction) -> tuple[int, int]:
    counts = [count for part in stretches(clip) for count in _counts(audible, part, frame)]
    return (min(counts), max(counts)) if counts else (0, 0)


def _counts(audible: _Audible, clip: EditClip, frame: Fraction) -> Iterator[int]:
    """Versions of every channel of a clip of one speed, stretch by stretch of a `frame` at least."""
    listed = [*audible.get(_file(clip), ()), *audible.get(("made of", clip.name), ())]
    beside = [(other, role) for other, role in listed if other.start < clip.end and other.end > clip.start]
    edges = {clip.start, clip.end}
    edges |= {t for other, _ in beside for t in (other.start, other.end) if clip.start < t < clip.end}
    for first, last in pairwise(sorted(edges)):
        if last - first < frame:
            continue
        middle = (first + last) / 2
        now = [(other, role) for other, role in beside if other.start <= middle < other.end]
        exact = [other for other, role in now if not role and _same_moment(other, clip, middle, frame / 2)]
        made = {role == MIX.name for other, role in now if role and _file(other) != _file(clip)}
        for channel in _channels(clip):
            yield sum(channel in _channels(other) for other in exact) + len(made)


def _same_moment(other: EditClip, clip: EditClip, t: Fraction, slack: Fraction) -> bool:
    """Whether two clips of one file play the same moment of it at record time `t`."""
    places = [media_at(one, t - one.start) for one in (other, clip)]
    return abs(places[0] - places[1]) < slack * max(abs(clip.speed), Fraction(1))


def _source(clip: EditClip) -> str:
    """The name of the clip that a result of ours was made of, "" for other people's clips."""
    ours = clip.metadata.get("sightmix")
    of = ours.get("source") if isinstance(ours, dict) and ours.get("generated") is True else None
    return of if isinstance(of, str) else ""


def _file(clip: EditClip) -> object:
    return (clip.media.path or clip.media.url) if clip.media is not None else id(clip)


def _channels(clip: EditClip) -> tuple[int, ...]:
    """The channels a clip plays, counted over its file's streams; one where nobody knows them."""
    return clip.channels if clip.channels is not None else tuple(range(played_channels(clip) or 1))
