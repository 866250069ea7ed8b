"""Clips on a lane moved, trimmed, retimed, levelled and faded: pure functions on what an edit is made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from . import keyframes
from .model import Edit, EditClip, EditTrack, EditTransition, GainCurve, PanLine, Point, Side

ZERO = Fraction(0)


@dataclass(frozen=True)
class Lane:
    """Clips in order without overlap, and the transitions at their ends."""

    clips: tuple[EditClip, ...] = ()
    transitions: tuple[EditTransition, ...] = ()


def shift(lane: Lane, by: Fraction) -> Lane:
    """The lane, `by` seconds later."""
    if not by:
        return lane
    return Lane(
        tuple(replace(clip, start=clip.start + by) for clip in lane.clips),
        tuple(replace(transition, cut=transition.cut + by) for transition in lane.transitions),
    )


def joined(lanes: Iterable[Lane]) -> Lane:
    """Lanes that follow each other, as one."""
    listed = list(lanes)
    return Lane(
        tuple(clip for lane in listed for clip in lane.clips),
        tuple(transition for lane in listed for transition in lane.transitions),
    )


def media_at(clip: EditClip, t: Fraction) -> Fraction:
    """The media time played `t` record seconds after the clip's start; ramps go on at their ends' speeds."""
    if not clip.ramp:
        return clip.source_in + clip.speed * t
    pairs = list(pairwise(clip.ramp))
    (r0, m0), (r1, m1) = next((pair for pair in pairs if t <= pair[1][0]), pairs[-1])
    return m0 + (t - r0) * (m1 - m0) / (r1 - r0)


def trimmed(clip: EditClip, start: Fraction, end: Fraction) -> EditClip | None:
    """The part of a clip between two record times (s), None if nothing is left; fades are cut with it.

    A clip whose length nobody knows takes no time; it stays where it lies between the two.
    """
    if clip.duration == 0 and start <= clip.start <= end:
        return clip
    first, last = max(clip.start, start), min(clip.end, end)
    if first >= last:
        return None
    if first == clip.start and last == clip.end:
        return clip
    head, tail = first - clip.start, clip.end - last
    clip = _unfaded(clip, head, tail)
    return replace(
        clip,
        start=first,
        duration=last - first,
        source_in=media_at(clip, head),
        ramp=_ramp_between(clip, head, head + last - first),
        gain=_line_between(clip, head, tail),
        pan=_pan_between(clip.pan, head, head + last - first),
        fade_in=clip.fade_in if not head else ZERO,
        fade_out=clip.fade_out if not tail else ZERO,
        skipped=clip.skipped + head,
    )


def _unfaded(clip: EditClip, head: Fraction, tail: Fraction) -> EditClip:
    """A clip whose fades are part of its volume line where a trim cuts into them."""
    fade_in = clip.fade_in if 0 < head < clip.fade_in else ZERO
    fade_out = clip.fade_out if 0 < tail < clip.fade_out else ZERO
    faded = keyframes.plus(clip.gain, keyframes.fade_line(fade_in, fade_out, clip.duration))
    return replace(clip, gain=faded) if fade_in or fade_out else clip


def _line_between(clip: EditClip, head: Fraction, tail: Fraction) -> GainCurve | None:
    """A clip's volume line less `head` and `tail` seconds; where nothing is cut off, its handles' points stay."""
    if clip.gain is None:
        return None
    last = clip.duration - tail
    points = list(zip(clip.gain.times, clip.gain.db, strict=True))
    before = [(t, db) for t, db in points if t < 0 and not head]
    after = [(t - head, db) for t, db in points if t > last and not tail]
    part = keyframes.cut(clip.gain, head, last)
    whole = [*before, *zip(part.times, part.db, strict=True), *after]
    return GainCurve(tuple(t for t, _ in whole), tuple(db for _, db in whole))


def _pan_between(pan: PanLine | None, first: Fraction, last: Fraction) -> PanLine | None:
    """A clip's pan between two times after its start, counted from the first."""
    if pan is None:
        return None
    known = [float(t) for t in pan.times]
    times = [first, *(t for t in pan.times if first < t < last), last]
    places = np.interp([float(t) for t in times], known, pan.places)
    return PanLine(tuple(t - first for t in times), tuple(float(place) for place in places))


def _ramp_between(clip: EditClip, first: Fraction, last: Fraction) -> tuple[Point, ...]:
    """The clip's ramp between two times after its start, counted from the first."""
    if not clip.ramp:
        return ()
    inner = [(r - first, m) for r, m in clip.ramp if first < r < last]
    return ((ZERO, media_at(clip, first)), *inner, (last - first, media_at(clip, last)))


def lengthened(clip: EditClip, head: Fraction, tail: Fraction) -> EditClip:
    """A clip that begins `head` seconds earlier and ends `tail` seconds later, as far as its media goes."""
    before, after = room(clip)
    head = min(head, before) if before is not None else head
    tail = min(tail, after) if after is not None else tail
    return replace(
        clip,
        start=clip.start - head,
        duration=clip.duration + head + tail,
        source_in=clip.source_in - head * clip.speed,
        gain=keyframes.extended(clip.gain, head),
    )


def room(clip: EditClip) -> tuple[Fraction | None, Fraction | None]:
    """Record seconds of media before the clip's first and after its last moment; None where nobody knows."""
    media = clip.media
    if media is None or media.duration is None or clip.speed == 0:
        return None, None
    last = clip.source_in + clip.speed * clip.duration
    ends = sorted((clip.source_in, last))
    below = max((ends[0] - media.start) / abs(clip.speed), ZERO)
    above = max((media.start + media.duration - ends[1]) / abs(clip.speed), ZERO)
    return (below, above) if clip.speed > 0 else (above, below)


def window(lane: Lane, start: Fraction, end: Fraction) -> Lane:
    """What of a lane plays between two of its times; transitions are cut with it."""
    clips = tuple(kept for clip in lane.clips if (kept := trimmed(clip, start, end)) is not None)
    inside = (
        replace(t, before=min(t.before, t.cut - start), after=min(t.after, end - t.cut))
        for t in lane.transitions
        if start < t.cut < end or (t.side == "out" and t.cut == end) or (t.side == "in" and t.cut == start)
    )
    return Lane(clips, tuple(inside))


def retimed(lane: Lane, entry: Fraction, length: Fraction, speed: Fraction, sounds: bool) -> Lane:
    """A compound's lane at another speed, over `length` record seconds from its start; a freeze has no sound."""
    if speed == 0:
        held = next((c for c in lane.clips if c.start <= entry < c.end), None) if not sounds else None
        if held is None:
            return Lane()
        source = media_at(held, entry - held.start)
        still = replace(held, start=ZERO, duration=length, source_in=source, speed=ZERO, gain=None, ramp=())
        return Lane((replace(still, fade_in=ZERO, fade_out=ZERO),))
    inner = shift(window(lane, entry, entry + length * abs(speed)), -entry)
    clips = sorted((_sped(clip, speed, length) for clip in inner.clips), key=lambda clip: clip.start)
    transitions = (_sped_transition(t, speed, length) for t in inner.transitions)
    return Lane(tuple(clips), tuple(sorted(transitions, key=lambda t: t.cut)))


def _sped_transition(t: EditTransition, speed: Fraction, length: Fraction) -> EditTransition:
    pace = abs(speed)
    if speed > 0:
        return replace(t, cut=t.cut / pace, before=t.before / pace, after=t.after / pace)
    turned: dict[Side, Side] = {"in": "out", "out": "in", "both": "both"}
    cut = length - t.cut / pace
    return replace(t, cut=cut, before=t.after / pace, after=t.before / pace, side=turned[t.side])


def _sped(clip: EditClip, speed: Fraction, length: Fraction) -> EditClip:
    """One clip of a compound played at `speed`; `length` is the compound's record length."""
    pace = abs(speed)
    duration = clip.duration / pace
    reverse = speed < 0
    gain = (
        keyframes.played(clip.gain, clip.duration if reverse else ZERO, duration, speed)
        if clip.gain
        else None
    )
    ramp = tuple(((clip.duration - r if reverse else r) / pace, m) for r, m in clip.ramp)
    return replace(
        clip,
        start=length - clip.end / pace if reverse else clip.start / pace,
        duration=duration,
        source_in=media_at(clip, clip.duration) if reverse else clip.source_in,
        speed=clip.speed * speed,
        ramp=tuple(sorted(ramp)),
        gain=gain,
        pan=_sped_pan(clip, pace, reverse),
        fade_in=(clip.fade_out if reverse else clip.fade_in) / pace,
        fade_out=(clip.fade_in if reverse else clip.fade_out) / pace,
    )


def _sped_pan(clip: EditClip, pace: Fraction, reverse: bool) -> PanLine | None:
    if clip.pan is None:
        return None
    pairs = zip(clip.pan.times, clip.pan.places, strict=True)
    moved = sorted(((clip.duration - t if reverse else t) / pace, place) for t, place in pairs)
    return PanLine(tuple(t for t, _ in moved), tuple(place for _, place in moved))


def levelled(
    lane: Lane, line: GainCurve | None, fade_in: Fraction, fade_out: Fraction, length: Fraction
) -> Lane:
    """The lane under the volume of what it lies in, which is `length` record seconds long from the lane's zero.

    `line` is its volume line. Its fades become those of the clips at its ends, and part of their volume lines where
    they reach further than a clip, or the clip has a fade of its own.
    """
    clips = []
    for clip in lane.clips:
        begins = clip.start == 0 and not clip.fade_in and fade_in <= clip.duration
        ends = clip.end == length and not clip.fade_out and fade_out <= clip.duration
        rest = keyframes.fade_line(ZERO if begins else fade_in, ZERO if ends else fade_out, length)
        whole = keyframes.plus(line, rest)
        gain = keyframes.cut(whole, clip.start, clip.end) if whole is not None else None
        clips.append(
            replace(
                clip,
                gain=clip.gain if keyframes.is_unity(gain) else keyframes.plus(clip.gain, gain),
                fade_in=fade_in if begins else clip.fade_in,
                fade_out=fade_out if ends else clip.fade_out,
            )
        )
    return Lane(tuple(clips), lane.transitions)


# ---- how an edit plays


def played(edit: Edit) -> Edit:
    """The edit in terms that every host and the mixer know: constant speeds, dissolves and fades.

    Speed ramps become stretches of constant speed; a transition to or from nothing lengthens its clip by the half
    beyond the cut, as far as there is media, and becomes a fade; clips whose length nobody knows fall away.
    """
    return replace(edit, tracks=tuple(_played(track) for track in edit.tracks))


def _played(track: EditTrack) -> EditTrack:
    clips = [part for clip in track.clips if clip.duration > 0 for part in stretches(clip)]
    dissolves = []
    for transition in track.transitions:
        if transition.side == "both":
            dissolves.append(transition)
        else:
            _fade(clips, transition)
    return replace(track, clips=tuple(clips), transitions=tuple(dissolves))


def stretches(clip: EditClip) -> list[EditClip]:
    """A ramped clip as clips of constant speed, one after the other; any other clip as it is."""
    if not clip.ramp:
        return [clip]
    parts = []
    for (r0, m0), (r1, m1) in pairwise(clip.ramp):
        part = trimmed(clip, clip.start + r0, clip.start + r1)
        if part is not None:
            parts.append(replace(part, source_in=m0, speed=(m1 - m0) / (r1 - r0), ramp=()))
    return parts


def _fade(clips: list[EditClip], transition: EditTransition) -> None:
    """Fade the clip at a transition that has a clip on one side only, in place."""
    length = transition.before + transition.after
    for i, clip in enumerate(clips):
        if transition.side == "out" and clip.end == transition.cut:
            following = min((c.start for c in clips if c.start >= clip.end), default=None)
            free = transition.after if following is None else min(transition.after, following - clip.end)
            longer = lengthened(clip, ZERO, free)
            clips[i] = replace(longer, fade_out=min(length, longer.duration))
            return
        if transition.side == "in" and clip.start == transition.cut:
            previous = max((c.end for c in clips if c.end <= clip.start), default=ZERO)
            longer = lengthened(clip, min(transition.before, clip.start - previous), ZERO)
            clips[i] = replace(longer, fade_in=min(length, longer.duration))
            return
