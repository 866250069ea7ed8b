"""Dissolves as overlapping clips with fades, for hosts that mix rather than know transitions."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from ..engine.edit.lanes import lengthened
from ..engine.edit.model import EditClip, EditTrack

ZERO = Fraction(0)


def overlapping(track: EditTrack) -> tuple[EditClip, ...]:
    """The track's clips in record order, drawn out below its dissolves and faded over the time they share.

    Both sides fade over the same stretch, so straight lines in amplitude sum to one. Where the media ends early the
    overlap is shorter; where it has none the cut stays.
    """
    clips = list(track.clips)
    for transition in track.transitions:
        left = next((i for i, clip in enumerate(clips) if _ends(clip, transition.cut)), None)
        right = next((i for i, clip in enumerate(clips) if _begins(clip, transition.cut)), None)
        if left is None or right is None:
            continue
        a = lengthened(clips[left], ZERO, min(transition.after, clips[right].duration))
        b = lengthened(clips[right], min(transition.before, clips[left].duration), ZERO)
        shared = a.end - b.start
        if shared > 0:
            clips[left] = replace(a, fade_out=max(a.fade_out, shared))
            clips[right] = replace(b, fade_in=max(b.fade_in, shared))
    return tuple(clips)


def _ends(clip: EditClip, cut: Fraction) -> bool:
    return clip.end == cut


def _begins(clip: EditClip, cut: Fraction) -> bool:
    return clip.start == cut


def lanes(track: EditTrack) -> tuple[tuple[EditClip, ...], ...]:
    """The overlapping clips shared out so that no lane has two at a time; one lane where nothing overlaps."""
    shared: list[list[EditClip]] = [[]]
    for clip in overlapping(track):
        free = next((lane for lane in shared if not lane or lane[-1].end <= clip.start), None)
        if free is None:
            shared.append([clip])
        else:
            free.append(clip)
    return tuple(tuple(lane) for lane in shared)
