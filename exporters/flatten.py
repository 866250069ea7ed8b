"""An OTIO timeline as flat tracks: nesting, trims, speeds, transitions and hosts' own words worked out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any

import opentimelineio as otio

from ..engine.edit import keyframes
from ..engine.edit.model import ROLES, Edit, EditClip, EditMarker, EditTrack, EditTransition
from ..engine.errors import TimelineError
from ..engine.media.reader import MediaInfo
from ..engine.media.reader import probe as probe_media
from ..engine.media.time import parse_timecode, round_half_up
from .common import Losses
from .retiming import Retiming, read_retiming
from .sources import (
    ZERO,
    Found,
    Library,
    channels_of,
    file_offset,
    media_range,
    meta,
    number,
    rate_of,
    seconds,
    span,
)
from .volume import gain_of, other_effects

_HIGHEST_FRAME_RATE = 240
_WIDTHS = {"Mono": 1, "Stereo": 2, "LRC": 3, "Quad": 4, "5.0": 5, "5.1": 6, "7.0": 7, "7.1": 8}


def edit_of(
    timeline: otio.schema.Timeline,
    base: Path | None = None,
    probe: Callable[[Path], MediaInfo] = probe_media,
) -> Edit:
    """The timeline as an `Edit`; relative media addresses count from `base` (the working folder if None).

    Compound clips are opened: what lies in parallel inside them goes on further tracks next to their own. Every clip
    plays `source_in + speed * t` of its media `t` seconds after its start, also in reverse, where `source_in` is
    therefore the highest media time played. `EditMedia.channels` counts all streams together. A transition between
    two clips that meet becomes an `EditTransition`; one to or from nothing lengthens the clip by its half beyond the
    cut (as far as there is media) and becomes a fade. Speed ramps become stretches of constant speed. A clip is
    enabled where it and everything it lies in is, except its track, which says so itself. What cannot be carried
    is listed in `losses`. Raises TimelineError for endless nesting, WriteError for a gain curve that is none.
    """
    try:
        return _Flattener(timeline, base or Path(), probe).edit()
    except RecursionError as error:
        raise TimelineError(f"“{timeline.name}” is nested too deeply to be a real timeline.") from error


@dataclass(frozen=True)
class _Lane:
    """Clips in order without overlap, and the dissolves between them."""

    clips: tuple[EditClip, ...] = ()
    transitions: tuple[EditTransition, ...] = ()


@dataclass(frozen=True)
class _Fade:
    """A transition in a track: its two halves in seconds."""

    before: Fraction
    after: Fraction
    name: str


@dataclass(frozen=True)
class _Place:
    """Where an item is met: the `kind` wanted of it, the kind of track it lies `on`, whether everything above it is
    enabled, the `stack` and track it lies in, and the compounds (name, start) around it.
    """

    kind: str
    on: str
    enabled: bool
    stack: Any
    track: Any = None
    scope: tuple[tuple[str, Fraction], ...] = ()


@dataclass
class _Flattener:
    timeline: otio.schema.Timeline
    base: Path
    probe: Callable[[Path], MediaInfo]
    losses: Losses = field(default_factory=Losses)
    links: dict[tuple[Any, ...], int] = field(default_factory=dict)
    rates: Counter[int] = field(default_factory=Counter)
    size: tuple[int, int] | None = None
    durations: dict[int, tuple[Any, Fraction]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stack = self.timeline.tracks
        nodes = [self.timeline, self.stack, *self.stack]
        self.premiere = any(meta(node, "PremierePro_OTIO") is not None for node in nodes)
        self.origin = seconds(self.timeline.global_start_time) or ZERO
        self.rate = _frame_rate(self.timeline)
        self.library = Library(self.base, self.probe, self.losses)

    def edit(self) -> Edit:
        video, audio = self._tracks()
        premiere = meta(self.stack, "PremierePro_OTIO")
        width, height = _resolution(premiere) or self.size or (1920, 1080)
        return Edit(
            name=self.timeline.name or "timeline",
            rate=self.rate,
            tracks=(*video, *audio),
            start=self.origin,
            drop_frame=_drops_frames(self.timeline, self.rate),
            width=width,
            height=height,
            sample_rate=self.rates.most_common(1)[0][0] if self.rates else 48000,
            markers=tuple(sorted(self._markers(), key=lambda marker: marker.start)),
            losses=self.losses.sentences(),
        )

    # ---- tracks

    def _tracks(self) -> tuple[list[EditTrack], list[EditTrack]]:
        made: dict[str, list[EditTrack]] = {"Video": [], "Audio": []}
        entry, length = self._window(self.stack)
        for layer in self.stack:
            kind = _kind(layer, "")
            if kind not in ("", "Video", "Audio"):
                self.losses.add(f"Tracks of kind {kind} are left out")
                continue
            for of in ("Video", "Audio"):
                if kind in ("", of) or self._hidden_sound(layer, of):
                    place = _Place(of, kind or "Video", bool(self.stack.enabled), self.stack, layer)
                    lanes = [_window(lane, entry, entry + length) for lane in self._layer(layer, place)]
                    lanes = [_shift(lane, -entry) for lane in lanes]
                    made[of] += self._named(layer, of, lanes, len(made[of]))
        return made["Video"], made["Audio"]

    def _hidden_sound(self, layer: Any, of: str) -> bool:
        """Whether a video track may hold compounds that sound."""
        if of != "Audio" or not isinstance(layer, otio.core.Composition):
            return False
        return any(isinstance(item, otio.core.Composition) for item in layer)

    def _named(self, layer: Any, kind: str, lanes: list[_Lane], count: int) -> list[EditTrack]:
        """The lanes of one layer as tracks; an empty track of the timeline stays, empty lanes do not."""
        own = _kind(layer, "") == kind
        kept = [lane for i, lane in enumerate(lanes) if lane.clips or (i == 0 and own)]
        role = meta(layer, "sightmix", "role")
        made = []
        for i, lane in enumerate(kept):
            name = layer.name or f"{kind} {count + 1}"
            name = f"{name} ({i + 1})" if i else name if own or kind == "Video" else f"{name} sound"
            width = self._width(layer, lane) if kind == "Audio" else 2
            made.append(
                EditTrack(
                    kind=kind.lower(),
                    name=name,
                    clips=lane.clips,
                    transitions=lane.transitions,
                    role=role if role in ROLES else "",
                    channels=width,
                    enabled=bool(layer.enabled),
                )
            )
        return made

    def _width(self, track: Any, lane: _Lane) -> int:
        """Channels of an audio track: what its host says, else what its widest clip plays."""
        said = str(meta(track, "Resolve_OTIO", "Audio Type") or "")
        digits = said.lower().removeprefix("adaptive").strip()
        if said in _WIDTHS or (said.lower().startswith("adaptive") and digits.isdigit()):
            return _WIDTHS.get(said) or max(1, int(digits))
        for keys in (("AudioChannels", "NumberOfChannels"), ("AudioChannels", "ChannelType")):
            value = meta(track, "PremierePro_OTIO", *keys)
            exact = number(value)
            if exact or value in _WIDTHS:
                return int(exact) if exact else _WIDTHS[str(value)]
        return max((_played(clip) for clip in lane.clips), default=0) or 2

    # ---- items, in the time of what they lie in

    def _layer(self, layer: Any, place: _Place) -> list[_Lane]:
        """A track or other child of the top stack, in the stack's time; its own switch is the track's."""
        if isinstance(layer, otio.core.Composition):
            lanes = self._inside(layer, place, self._duration(layer))
            return lanes or [_Lane()]
        return [self._clip(layer, place)] if self._wanted(layer, place) else []

    def _inside(self, node: Any, place: _Place, length: Fraction) -> list[_Lane]:
        """What a container plays in `length` record seconds, from its own start."""
        if isinstance(node, otio.schema.Track):
            lanes = self._track(node, place)
        else:
            lanes = self._stack(node, place)
        retiming = read_retiming(node)
        entry = self._entry(node)
        if retiming.plain:
            return [_shift(_window(lane, entry, entry + length), -entry) for lane in lanes]
        if retiming.problem or retiming.keys:
            reason = retiming.problem or "has a speed ramp, of which only the mean speed is kept"
            self.losses.add(f"The compound clip “{node.name}” {reason}")
        return [_retimed(lane, entry, length, retiming.mean, place.kind) for lane in lanes]

    def _stack(self, node: Any, place: _Place) -> list[_Lane]:
        lanes: list[_Lane] = []
        for layer in node:
            kind = _kind(layer, place.on)
            if kind == place.kind or self._hidden_sound(layer, place.kind):
                lanes += self._item(layer, replace(place, on=kind, stack=node))
        return lanes

    def _track(self, node: Any, place: _Place) -> list[_Lane]:
        """A track's items end to end, lane by lane, with its transitions."""
        kind = _kind(node, place.on)
        lanes: list[_Lane] = []
        fades: list[tuple[Fraction, _Fade]] = []
        position = ZERO
        for child in node:
            if isinstance(child, otio.schema.Transition):
                halves = (seconds(child.in_offset) or ZERO, seconds(child.out_offset) or ZERO)
                fades.append((position, _Fade(max(halves[0], ZERO), max(halves[1], ZERO), child.name)))
                continue
            if kind == place.kind or self._sounds_alone(child, position, place.stack):
                inner = replace(place, on=kind, track=node, scope=_within(place.scope, child, position))
                found = [_shift(lane, position) for lane in self._item(child, inner)]
                lanes = [_joined(pair) for pair in zip_longest(lanes, found, fillvalue=_Lane())]
            position += self._duration(child)
        return [self._faded(lane, fades) for lane in lanes]

    def _sounds_alone(self, child: Any, position: Fraction, stack: Any) -> bool:
        """Whether a compound on a video track has sound and no partner on an audio track that plays it."""
        if not isinstance(child, otio.core.Composition):
            return False
        link = meta(child, "Resolve_OTIO", "Link Group ID")
        for track in stack:
            if _kind(track, "") != "Audio" or not isinstance(track, otio.schema.Track):
                continue
            at = ZERO
            for other in track:
                same = other.name == child.name or (
                    link is not None and meta(other, "Resolve_OTIO", "Link Group ID") == link
                )
                if at == position and isinstance(other, otio.core.Composition) and same:
                    return False
                if not isinstance(other, otio.schema.Transition):
                    at += self._duration(other)
        return True

    def _item(self, node: Any, place: _Place) -> list[_Lane]:
        """The lanes of one item, from its own start."""
        inner = replace(place, enabled=place.enabled and bool(node.enabled))
        if isinstance(node, otio.core.Composition):
            return self._inside(node, inner, self._duration(node))
        return [self._clip(node, inner)] if self._wanted(node, place) else []

    @staticmethod
    def _wanted(node: Any, place: _Place) -> bool:
        return isinstance(node, otio.schema.Clip) and place.on == place.kind

    def _clip(self, node: otio.schema.Clip, place: _Place) -> _Lane:
        kind = place.kind.lower()
        found = self.library.find(node, kind)
        duration = self._duration(node)
        given = media_range(node, found)
        if given is None or duration <= 0:
            self.losses.add("Clips without a length are left out", 1)
            return _Lane()
        self._note(node, found, kind)
        retiming = read_retiming(node)
        if retiming.problem:
            self.losses.add(f"The clip “{node.name}” {retiming.problem}; it plays at its own speed")
        offset = file_offset(given.start, found)
        origin = found.media.start if found.media is not None else ZERO
        whole = EditClip(
            name=node.name or (found.media.name if found.media is not None else ""),
            start=ZERO,
            duration=duration,
            media=found.media,
            source_in=origin + offset + retiming.entry(duration, offset),
            speed=retiming.speed,
            channels=channels_of(node, place.track, found.media) if kind == "audio" else None,
            enabled=place.enabled,
            link=self._link(node, place.scope),
            notes=_note_of(node),
            metadata=_plain(node.metadata),
        )
        pieces = _stretches(whole, retiming, offset) if retiming.keys else (whole,)
        if len(pieces) > 1:
            self.losses.add("Speed ramps are written as stretches of constant speed", 1)
        rate = rate_of(node.source_range.duration) if node.source_range is not None else None
        return _Lane(tuple(gain_of(node, piece, duration, rate or self.rate) for piece in pieces))

    def _note(self, node: otio.schema.Clip, found: Found, kind: str) -> None:
        """Take down what the whole edit is to know of a clip, and what is lost of it."""
        media = found.media
        if isinstance(node.media_reference, otio.schema.ImageSequenceReference):
            self.losses.add("Image sequences are written as their first picture", 1)
        if media is None:
            what = "title or generator" if kind == "video" else "clip without media"
            self.losses.add(f"“{node.name or 'unnamed'}” is a {what}, which has no file")
        elif media.path is None:
            self.losses.add(f"The media of “{media.name}” is offline; it is written as the timeline names it")
        if media is not None and kind == "audio" and media.sample_rate:
            self.rates[media.sample_rate] += 1
        if media is not None and kind == "video" and media.width and self.size is None:
            self.size = (media.width, media.height)
        for effect in other_effects(node):
            self.losses.add(f"The effect “{effect}” is not carried", 1)

    def _link(self, node: otio.schema.Clip, scope: tuple[tuple[str, Fraction], ...]) -> int | None:
        """One number for all clips that their host ties together."""
        for keys in (("Resolve_OTIO", "Link Group ID"), ("PremierePro_OTIO", "LinkID")):
            value = meta(node, *keys)
            if isinstance(value, str | int | float) and value != "":
                return self.links.setdefault((keys[0], str(value), scope), len(self.links) + 1)
        return None

    # ---- lengths

    def _duration(self, node: Any) -> Fraction:
        """Record seconds an item takes; nought where nobody can say."""
        if id(node) not in self.durations:
            # Keeping the object keeps its id from being given to another.
            self.durations[id(node)] = (node, self._measure(node))
        return self.durations[id(node)][1]

    def _measure(self, node: Any) -> Fraction:
        if isinstance(node, otio.schema.Transition):
            return ZERO
        given = span(node.source_range)
        if isinstance(node, otio.schema.Clip):
            kind = "audio" if _kind(node.parent(), "") == "Audio" else "video"
            given = given or media_range(node, self.library.find(node, kind))
            retiming = read_retiming(node)
            if given is not None and self.premiere and not retiming.keys and retiming.speed not in (0, 1):
                return given.duration / abs(retiming.speed)
        if given is not None:
            return given.duration
        return self._content(node) if isinstance(node, otio.core.Composition) else ZERO

    def _content(self, node: Any) -> Fraction:
        lengths = [self._duration(child) for child in node]
        if isinstance(node, otio.schema.Track):
            return sum(lengths, ZERO)
        return max(lengths, default=ZERO)

    def _entry(self, node: Any) -> Fraction:
        """Where a container is entered, in seconds of its own time: its source range's start.

        Some hosts count that start in timecode. Where it lies past everything the container holds, the outer
        timeline's start timecode or the whole hours are taken off.
        """
        given = span(node.source_range)
        if given is None:
            return ZERO
        content = self._content(node)
        if not content or given.start < content:
            return given.start
        inside = (given.start - self.origin, given.start % 3600)
        return next((start for start in inside if 0 <= start < content), given.start)

    def _window(self, node: Any) -> tuple[Fraction, Fraction]:
        return self._entry(node), self._duration(node)

    # ---- transitions

    def _faded(self, lane: _Lane, fades: Iterable[tuple[Fraction, _Fade]]) -> _Lane:
        """The lane with a track's transitions: dissolves where two clips meet, fades at the other ends."""
        for cut, fade in fades:
            left = next((i for i, clip in enumerate(lane.clips) if clip.end == cut), None)
            right = next((i for i, clip in enumerate(lane.clips) if clip.start == cut), None)
            if left is not None and right is not None:
                made = EditTransition(cut, fade.before, fade.after, fade.name)
                lane = replace(lane, transitions=(*lane.transitions, made))
            elif left is not None or right is not None:
                lane = _with_fade(lane, left, right, fade)
        ordered = sorted(lane.transitions, key=lambda transition: transition.cut)
        return replace(lane, transitions=tuple(ordered))

    # ---- markers

    def _markers(self) -> list[EditMarker]:
        entry, length = self._window(self.stack)
        found = [_marker(m, -entry) for m in self.stack.markers]
        for layer in self.stack:
            if not isinstance(layer, otio.core.Composition):
                continue
            inner = self._entry(layer)
            found += [_marker(m, -entry - inner) for m in layer.markers]
            position = -entry - inner
            for item in layer if isinstance(layer, otio.schema.Track) else ():
                found += self._clip_markers(item, position)
                position += self._duration(item)
        placed = [self._recorded(marker, length) for marker in found if marker is not None]
        return list(dict.fromkeys(marker for marker in placed if ZERO <= marker.start <= length))

    def _recorded(self, marker: EditMarker, length: Fraction) -> EditMarker:
        """A marker that can only be counted from the start timecode is moved back by it."""
        late = marker.start >= length and ZERO < self.origin <= marker.start
        return replace(marker, start=marker.start - self.origin) if late else marker

    def _clip_markers(self, item: Any, position: Fraction) -> list[EditMarker | None]:
        """Markers on clips at their record times; some hosts count them from the clip's start."""
        if not isinstance(item, otio.schema.Clip) or not item.markers:
            return []
        given = media_range(item, self.library.find(item, "video"))
        retiming = read_retiming(item)
        duration = self._duration(item)
        if given is None or retiming.keys or retiming.speed <= 0:
            self.losses.add("Markers on retimed clips are left out", 1)
            return []
        found: list[EditMarker | None] = []
        for m in item.markers:
            marker = _marker(m, ZERO)
            if marker is None:
                continue
            relative = marker.start < given.start and marker.start < duration
            within = (marker.start if relative else marker.start - given.start) / retiming.speed
            if ZERO <= within < duration:
                length = min(marker.duration / retiming.speed, duration - within)
                found.append(replace(marker, start=position + within, duration=length))
        return found


# ---- pure functions over lanes


def _shift(lane: _Lane, by: Fraction) -> _Lane:
    return _Lane(
        tuple(replace(clip, start=clip.start + by) for clip in lane.clips),
        tuple(replace(transition, cut=transition.cut + by) for transition in lane.transitions),
    )


def _joined(lanes: tuple[_Lane, ...]) -> _Lane:
    return _Lane(
        tuple(clip for lane in lanes for clip in lane.clips),
        tuple(transition for lane in lanes for transition in lane.transitions),
    )


def trimmed(clip: EditClip, start: Fraction, end: Fraction) -> EditClip | None:
    """The part of a clip between two record times (s), None if nothing is left; fades are cut with it."""
    first, last = max(clip.start, start), min(clip.end, end)
    if first >= last:
        return None
    if first == clip.start and last == clip.end:
        return clip
    head = first - clip.start
    gain = keyframes.cut(clip.gain, head, head + last - first) if clip.gain is not None else None
    return replace(
        clip,
        start=first,
        duration=last - first,
        source_in=clip.source_in + head * clip.speed,
        gain=gain,
        fade_in=max(clip.fade_in - head, ZERO),
        fade_out=max(clip.fade_out - (clip.end - last), ZERO),
    )


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


def _with_fade(lane: _Lane, left: int | None, right: int | None, fade: _Fade) -> _Lane:
    """A transition to nothing (`left` clip ends) or from nothing (`right` clip begins) as a fade."""
    clips = list(lane.clips)
    if left is not None:
        following = min((c.start for c in clips if c.start >= clips[left].end), default=None)
        free = fade.after if following is None else min(fade.after, following - clips[left].end)
        longer = lengthened(clips[left], ZERO, free)
        clips[left] = replace(longer, fade_out=min(fade.before + fade.after, longer.duration))
    elif right is not None:
        previous = max((c.end for c in clips if c.end <= clips[right].start), default=ZERO)
        longer = lengthened(clips[right], min(fade.before, clips[right].start - previous), ZERO)
        clips[right] = replace(longer, fade_in=min(fade.before + fade.after, longer.duration))
    return replace(lane, clips=tuple(clips))


def _window(lane: _Lane, start: Fraction, end: Fraction) -> _Lane:
    """What of a lane plays between two of its times; dissolves are cut with it."""
    clips = tuple(kept for clip in lane.clips if (kept := trimmed(clip, start, end)) is not None)
    inside = (
        replace(t, before=min(t.before, t.cut - start), after=min(t.after, end - t.cut))
        for t in lane.transitions
        if start < t.cut < end
    )
    return _Lane(clips, tuple(inside))


def _retimed(lane: _Lane, entry: Fraction, length: Fraction, speed: Fraction, kind: str) -> _Lane:
    """A compound's lane at another speed, over `length` record seconds from its start."""
    if speed == 0:
        held = next((c for c in lane.clips if c.start <= entry < c.end), None) if kind == "Video" else None
        if held is None:
            return _Lane()
        source = held.source_in + held.speed * (entry - held.start)
        still = replace(held, start=ZERO, duration=length, source_in=source, speed=ZERO, gain=None)
        return _Lane((replace(still, fade_in=ZERO, fade_out=ZERO),))
    inner = _shift(_window(lane, entry, entry + length * abs(speed)), -entry)
    clips = [_sped(clip, speed, length) for clip in inner.clips]
    transitions = [
        replace(t, cut=t.cut / speed, before=t.before / speed, after=t.after / speed)
        if speed > 0
        else replace(t, cut=length - t.cut / -speed, before=t.after / -speed, after=t.before / -speed)
        for t in inner.transitions
    ]
    ordered = sorted(clips, key=lambda clip: clip.start)
    return _Lane(tuple(ordered), tuple(sorted(transitions, key=lambda t: t.cut)))


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
    return replace(
        clip,
        start=length - clip.end / pace if reverse else clip.start / pace,
        duration=duration,
        source_in=clip.source_in + clip.speed * clip.duration if reverse else clip.source_in,
        speed=clip.speed * speed,
        gain=gain,
        fade_in=(clip.fade_out if reverse else clip.fade_in) / pace,
        fade_out=(clip.fade_in if reverse else clip.fade_out) / pace,
    )


def _stretches(clip: EditClip, retiming: Retiming, offset: Fraction) -> tuple[EditClip, ...]:
    """A ramped clip as clips of constant speed, one after the other; `offset` is its place in the file (s)."""
    origin = clip.media.start if clip.media is not None else ZERO
    bounds = retiming.bounds(offset, clip.duration)
    pieces = []
    for (r0, m0), (r1, m1) in pairwise(bounds):
        pieces.append(
            replace(clip, start=r0, duration=r1 - r0, source_in=origin + m0, speed=(m1 - m0) / (r1 - r0))
        )
    return tuple(pieces) or (clip,)


# ---- facts in metadata


def _kind(node: Any, inherited: str) -> str:
    """ "Audio" or "Video" (or a host's own kind) of a track; anything else takes its parent's."""
    kind = getattr(node, "kind", None) if isinstance(node, otio.schema.Track) else None
    return kind.capitalize() if isinstance(kind, str) and kind else inherited


def _within(
    scope: tuple[tuple[str, Fraction], ...], child: Any, position: Fraction
) -> tuple[tuple[str, Fraction], ...]:
    """The compounds around an item's content."""
    return (*scope, (child.name, position)) if isinstance(child, otio.core.Composition) else scope


def _played(clip: EditClip) -> int:
    """Channels a clip plays, 0 where nobody knows."""
    if clip.channels is not None:
        return len(clip.channels)
    return clip.media.streams[0] if clip.media is not None and clip.media.streams else 0


def _frame_rate(timeline: otio.schema.Timeline) -> Fraction:
    """Frames per second: the global start's, Premiere's note of it, or the first picture rate met; 24 if none is."""
    noted = number(meta(timeline.tracks, "PremierePro_OTIO", "VideoFrameRate"))
    candidates = [
        rate_of(timeline.global_start_time),
        rate_of(otio.opentime.RationalTime(0, float(noted))) if noted else None,
    ]
    tracks = sorted(timeline.tracks, key=lambda track: _kind(track, "") != "Video")
    for track in tracks:
        items = track if isinstance(track, otio.core.Composition) else (track,)
        candidates += [
            rate_of(item.source_range.duration)
            for item in items
            if not isinstance(item, otio.schema.Transition) and item.source_range is not None
        ]
    return next(
        (rate for rate in candidates if rate is not None and rate <= _HIGHEST_FRAME_RATE), Fraction(24)
    )


def _drops_frames(timeline: otio.schema.Timeline, rate: Fraction) -> bool:
    """Whether the timecode drops frames: said by FCP7 XML, otherwise seen from a start on a drop-frame hour."""
    if rate.denominator != 1001 or round_half_up(rate) % 30:
        return False
    shown = meta(timeline, "fcp_xml", "timecode", "displayformat")
    if shown is not None:
        return bool(shown == "DF")
    start = seconds(timeline.global_start_time)
    if start is None or start <= 0:
        return False
    return (
        start % parse_timecode("01:00:00;00", rate) == 0
        and (start * rate) % (3600 * round_half_up(rate)) != 0
    )


def _resolution(premiere: Any) -> tuple[int, int] | None:
    size = premiere.get("VideoResolution") if isinstance(premiere, Mapping) else None
    if isinstance(size, Mapping):
        size = [size.get("width") or size.get("Width"), size.get("height") or size.get("Height")]
    if not isinstance(size, otio._otio.AnyVector | list) or len(size) != 2:
        return None
    width, height = (number(value) for value in size)
    return (int(width), int(height)) if width and height and width > 0 and height > 0 else None


def _marker(marker: Any, shift: Fraction) -> EditMarker | None:
    where = span(marker.marked_range)
    if where is None:
        return None
    words = [
        getattr(marker, "comment", ""),
        meta(marker, "Resolve_OTIO", "Note"),
        meta(marker, "fcp_xml", "comment"),
    ]
    texts = dict.fromkeys(word.strip() for word in words if isinstance(word, str) and word.strip())
    color = marker.color if isinstance(marker.color, str) else ""
    return EditMarker(where.start + shift, where.duration, marker.name or "", ": ".join(texts), color)


def _note_of(node: otio.schema.Clip) -> str:
    words = [
        meta(node, "Resolve_OTIO", "Note"),
        meta(node, "fcp_xml", "logginginfo", "lognote"),
        meta(node, "note"),
    ]
    return ": ".join(dict.fromkeys(w.strip() for w in words if isinstance(w, str) and w.strip()))


def _plain(value: Any) -> Any:
    """Metadata as dictionaries and lists of Python's own."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, otio._otio.AnyVector | list | tuple):
        return [_plain(inner) for inner in value]
    return value
