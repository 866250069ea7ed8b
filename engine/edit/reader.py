"""An OTIO document as an `Edit`: nesting, trims, speeds, transitions, levels and hosts' own words worked out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

from ..errors import SettingsError, TimelineError
from ..media.layout import Layout
from .channels import channels_of, flat_numbers, lacking, link_of
from .fcp7_sources import source_tracks
from .header import dialect_of, drops_frames, frame_rate, key_rate, resolution
from .lanes import ZERO, Lane, joined, retimed, shift, window
from .lanes import levelled as levelled_lane
from .losses import Losses
from .media import Found, Library, file_offset
from .model import ROLES, Edit, EditClip, EditMarker, EditTrack, EditTransition, Point, Side
from .nodes import (
    Node,
    Pointer,
    body,
    is_container,
    is_enabled,
    kind_of,
    metadata,
    name_of,
    number,
    references,
    schema,
    seconds,
    span,
    text_of,
)
from .notes import clip_note, marker_text
from .placing import Child, Fade, Placement
from .timemap import Retiming, TimeMap
from .volume import faders, host_line, other_effects, with_volume

_TRACKS = ("Track", "Sequence")
_WIDEST = 128  # channels of a track: more than any host has
_UNKNOWN = "Its length is unknown: it has no usable range and its media cannot be read."


def read_edit(timeline: Node, library: Library, pointer: Pointer = ()) -> Edit:
    """The timeline at `pointer` of a document, as flat tracks; `library` finds its media.

    Compound clips are opened: what lies in parallel inside them goes on further tracks next to their own, under their
    own level and fades. Every clip plays `source_in + speed * t` of its media `t` seconds after its start, also in
    reverse, where `source_in` is therefore the highest media time played; a speed ramp is kept as its points. A clip
    is enabled where it and everything it lies in is, except its track, which says so itself. What cannot be understood
    is a `problem` of its clip, or listed in `losses`. Raises TimelineError for endless nesting, WriteError for a gain
    curve of ours that is none.
    """
    try:
        return Reader(timeline, library, pointer).edit()
    except RecursionError as error:
        raise TimelineError(f"“{name_of(timeline)}” is nested too deeply to be a real timeline.") from error


@dataclass(frozen=True)
class _Place:
    """Where an item is met: the `kind` wanted of it, the kind of track it lies `on`, whether everything above it is
    enabled, the compounds on audio tracks beside it, the track it lies on, and the compounds (name, start) around it.
    """

    kind: str
    on: str
    enabled: bool
    twins: frozenset[tuple[str, Fraction]] = frozenset()
    track: Node | None = None
    scope: tuple[tuple[str, Fraction], ...] = ()
    problem: str = ""


@dataclass
class Reader:
    """Walks a timeline once for each kind of track; `placement` says where everything lies."""

    timeline: Node
    library: Library
    pointer: Pointer = ()
    losses: Losses = field(default_factory=Losses)
    unheard: Losses = field(default_factory=Losses)
    links: dict[tuple[object, ...], int] = field(default_factory=dict)
    rates: Counter[int] = field(default_factory=Counter)
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        self.origin = seconds(self.timeline.get("global_start_time")) or ZERO
        self.rate = frame_rate(self.timeline)
        self.dialect = dialect_of(self.timeline)
        self.sources = source_tracks(self.timeline)
        self.placement = Placement(self.library, self.dialect == "premiere", self.origin)

    def edit(self) -> Edit:
        """The whole timeline."""
        video, audio = self._tracks()
        for losses, key in ((self.losses, "losses"), (self.unheard, "unheard")):
            said = metadata(self.timeline, "sightmix_source", key)
            for sentence in said if isinstance(said, list) else ():
                losses.add(text_of(sentence))
        width, height = resolution(self.timeline) or self.size or (1920, 1080)
        return Edit(
            name=name_of(self.timeline) or "timeline",
            rate=self.rate,
            tracks=(*video, *audio),
            start=self.origin,
            drop_frame=drops_frames(self.timeline, self.rate),
            width=width,
            height=height,
            sample_rate=self.rates.most_common(1)[0][0] if self.rates else 48000,
            markers=tuple(sorted(self._markers(), key=lambda marker: marker.start)),
            losses=self.losses.sentences(),
            unheard=self.unheard.sentences(),
            length=self.placement.duration(self.timeline) or ZERO,
        )

    # ---- tracks

    def _tracks(self) -> tuple[list[EditTrack], list[EditTrack]]:
        made: dict[str, list[EditTrack]] = {"Video": [], "Audio": []}
        entry = self.placement.entry(self.timeline)
        twins = self._twins(self.timeline, self.pointer)
        for number_, layer in enumerate(self.placement.stack(self.timeline, self.pointer)):
            kind = _kind(layer.node, "")
            if kind not in ("", "Video", "Audio"):
                self.losses.add(f"Tracks of kind {kind} are left out")
                continue
            for of in ("Video", "Audio"):
                if kind in ("", of) or self._hidden_sound(layer, of):
                    place = _Place(of, kind or "Video", is_enabled(body(self.timeline)), twins, layer.node)
                    lanes = self._layer(layer, place)
                    length = self._length(self.timeline, lanes, entry)
                    lanes = [window(lane, entry, entry + length) for lane in lanes]
                    lanes = [shift(lane, -entry) for lane in lanes]
                    made[of] += self._named(layer.node, of, lanes, len(made[of]), number_)
        return made["Video"], made["Audio"]

    def _hidden_sound(self, layer: Child, of: str) -> bool:
        """Whether a video track may hold compounds that sound."""
        if of != "Audio" or not is_container(layer.node):
            return False
        return any(is_container(item.node) for item in self.placement.items(layer.node, layer.pointer))

    def _named(self, layer: Node, kind: str, lanes: list[Lane], count: int, number_: int) -> list[EditTrack]:
        """The lanes of one layer as tracks; an empty track of the timeline stays, empty lanes do not."""
        own = _kind(layer, "") == kind
        kept = [lane for i, lane in enumerate(lanes) if lane.clips or (i == 0 and own)]
        said = [metadata(layer, "sightmix", key) for key in ("category", "role")]
        role = next((word for word in said if word in ROLES), "")
        made = []
        for i, lane in enumerate(kept):
            name = name_of(layer) or f"{kind} {count + 1}"
            name = f"{name} ({i + 1})" if i else name if own or kind == "Video" else f"{name} sound"
            made.append(
                EditTrack(
                    kind=kind.lower(),
                    name=name,
                    clips=lane.clips,
                    transitions=lane.transitions,
                    role=role,
                    channels=_width(layer, lane) if kind == "Audio" else 2,
                    enabled=is_enabled(layer),
                    layer=number_,
                )
            )
        return made

    # ---- items, in the time of what they lie in

    def _layer(self, layer: Child, place: _Place) -> list[Lane]:
        """A track or other child of the top stack, in the stack's time; its own switch is the track's."""
        if is_container(layer.node):
            return self._inside(layer, place) or [Lane()]
        return [self._clip(layer, place)] if self._wanted(layer.node, place) else []

    def _inside(self, child: Child, place: _Place) -> list[Lane]:
        """What a container plays, from its own start."""
        node = child.node
        lanes = self._track(child, place) if schema(body(node)) in _TRACKS else self._stack(child, place)
        retiming = self.placement.retiming(node)
        entry = self.placement.entry(node)
        length = self._length(node, lanes, entry)
        if retiming.plain:
            lanes = [shift(window(lane, entry, entry + length), -entry) for lane in lanes]
        else:
            lanes = self._retimed(node, lanes, entry, length, place)
        return self._levelled(node, lanes, length) if place.kind == "Audio" else lanes

    def _retimed(
        self, node: Node, lanes: list[Lane], entry: Fraction, length: Fraction, place: _Place
    ) -> list[Lane]:
        """A compound at another speed: its clips cannot be rendered one by one, but they can be played."""
        retiming = self.placement.retiming(node)
        if retiming.problem:
            self.losses.add(f"The compound clip “{name_of(node)}” {retiming.problem}")
        plan = retiming.map(length)
        bounds = list(pairwise(plan.breaks(ZERO, length)))
        name = name_of(node) or "a compound clip"
        problem = f"It lies inside “{name}”, whose speed was changed; render that clip first."
        found = []
        for lane in lanes:
            parts = [_part(lane, entry, plan, bound, place.kind == "Audio") for bound in bounds]
            whole = joined(parts)
            found.append(replace(whole, clips=tuple(replace(c, problem=problem) for c in whole.clips)))
        return found

    def _levelled(self, node: Node, lanes: list[Lane], length: Fraction) -> list[Lane]:
        """What a container's own level, fades and effects make of its lanes."""
        rate = key_rate(node, self.rate)
        line, fades = host_line(node, rate), faders(node, rate)
        sounding = sum(len(lane.clips) for lane in lanes)
        if sounding:
            what = "track" if schema(node) in _TRACKS else "compound clip"
            for effect in other_effects(node):
                self.losses.add(f"The effect “{effect}” of the {what} “{name_of(node)}” is not carried")
                self.unheard.add(
                    f"The effect “{effect}” of the {what} “{name_of(node)}” stays where it is; what is rebalanced is "
                    "the sound before it."
                )
        if line is None and not any(fades):
            return lanes
        return [levelled_lane(lane, line, *fades, length) for lane in lanes]

    def _stack(self, child: Child, place: _Place) -> list[Lane]:
        lanes: list[Lane] = []
        twins = self._twins(child.node, child.pointer)
        for layer in self.placement.stack(child.node, child.pointer):
            kind = _kind(layer.node, place.on)
            if kind == place.kind or self._hidden_sound(layer, place.kind):
                lanes += self._item(layer, replace(place, on=kind, twins=twins))
        return lanes

    def _track(self, child: Child, place: _Place) -> list[Lane]:
        """A track's items end to end, lane by lane, with its transitions."""
        kind = _kind(child.node, place.on)
        parts: list[list[Lane]] = []
        fades: dict[tuple[Fraction, Pointer], Fade] = {}
        for item in self.placement.track(child.node, child.pointer):
            for at, fade in ((item.start, item.before), (item.start + (item.duration or ZERO), item.after)):
                if fade is not None:
                    fades.setdefault((at, fade.pointer), fade)
            if kind == place.kind or self._sounds_alone(item, place):
                inner = replace(place, on=kind, track=child.node, scope=_within(place.scope, item))
                if item.lost:
                    problem = f"Its place is unknown, because the length of “{item.lost}” before it is."
                    inner = replace(inner, problem=place.problem or problem)
                found = [shift(lane, item.start) for lane in self._item(item, inner)]
                parts += [[] for _ in found[len(parts) :]]
                for part, lane in zip(parts, found, strict=False):
                    part.append(lane)
        return [_faded(joined(part), fades) for part in parts]

    def _item(self, child: Child, place: _Place) -> list[Lane]:
        """The lanes of one item, from its own start."""
        inner = replace(
            place, enabled=place.enabled and is_enabled(child.node) and is_enabled(body(child.node))
        )
        if is_container(child.node):
            return self._inside(child, inner)
        return [self._clip(child, inner)] if self._wanted(child.node, place) else []

    @staticmethod
    def _wanted(node: Node, place: _Place) -> bool:
        return schema(node) == "Clip" and place.on == place.kind

    def _sounds_alone(self, item: Child, place: _Place) -> bool:
        """Whether a compound on a video track has sound and no partner on an audio track that plays it."""
        return is_container(item.node) and not any(key in place.twins for key in _identities(item))

    def _twins(self, stack: Node, pointer: Pointer) -> frozenset[tuple[str, Fraction]]:
        """The compounds on a stack's audio tracks: their partners on video tracks would sound a second time."""
        keys: set[tuple[str, Fraction]] = set()
        for layer in self.placement.stack(stack, pointer):
            if _kind(layer.node, "") == "Audio":
                items = self.placement.track(layer.node, layer.pointer)
                keys |= {key for item in items if is_container(item.node) for key in _identities(item)}
        return frozenset(keys)

    def _clip(self, child: Child, place: _Place) -> Lane:
        node = child.node
        sounds = place.kind == "Audio"
        found = self.library.sound(node) if sounds else self.library.picture(node)
        duration = self._length(node)
        given = self.placement.media_range(node)
        absent = lacking(node, _widths(found)) if sounds else ""
        media = None if absent else self.library.media(found, node)  # it sounds of nothing
        clip = EditClip(
            name=self.library.called(node, found) or (media.name if media is not None else ""),
            start=ZERO,
            duration=duration,
            media=media,
            channels=self._channels(node, place.track, found) if sounds else None,
            enabled=place.enabled,
            link=self._link(node, place.scope),
            notes=clip_note(node),
            metadata=_dictionary(node.get("metadata")),
            pointer=child.pointer,
            state=found.state,
            reason=found.reason,
            title=not sounds and _is_title(node, self.dialect == "resolve"),
            problem=(place.problem or _problem(node) or absent) if child.duration is not None else _UNKNOWN,
        )
        if given is None or duration <= 0:
            self.losses.add("Clips without a length are left out", 1)
            return Lane((clip,))
        self._note(node, found, clip, sounds)
        return Lane((self._cued(node, found, clip, given.start),))

    def _cued(self, node: Node, found: Found, clip: EditClip, source_start: Fraction) -> EditClip:
        """A clip with what it plays of its media: place, speed or ramp, volume."""
        retiming = self.placement.retiming(node)
        if retiming.problem:
            self.losses.add(f"The clip “{name_of(node)}” {retiming.problem}; it plays at its own speed")
            retiming = Retiming()
        offset = file_offset(source_start, found)
        origin = clip.media.start if clip.media is not None else ZERO
        plan = retiming.map(clip.duration, offset)
        ramp = _ramp(retiming, clip.duration, origin + offset, offset)
        if len(ramp) > 2:
            self.losses.add("Speed ramps are written as stretches of constant speed", 1)
        clip = replace(clip, source_in=origin + offset + plan.at(ZERO), speed=plan.slope(ZERO), ramp=ramp)
        return with_volume(node, clip, key_rate(node, self.rate))

    def _channels(self, node: Node, track: Node | None, found: Found) -> tuple[int, ...] | None:
        """The channels a clip plays, counted over all streams; None for all of the first one, in order."""
        widths = _widths(found)
        said = channels_of(node, track, widths, self.sources)
        flat = flat_numbers(said, widths) if said is not None else None
        return None if widths and flat == tuple(range(widths[0])) else flat

    def _note(self, node: Node, found: Found, clip: EditClip, sounds: bool) -> None:
        """Take down what the whole edit is to know of a clip, and what is lost of it."""
        media = clip.media
        if found.unreadable:
            self.losses.add(found.reason)
            self.unheard.add(found.reason)
        for remark in found.info.remarks if found.info is not None else ():
            self.unheard.add(remark)
        if found.rate is not None:
            self.losses.add("Image sequences are written as their first picture", 1)
        if media is None and clip.problem:
            self.losses.add(clip.problem)
        elif media is None:
            what = "clip without media" if sounds else "title or generator"
            self.losses.add(f"“{name_of(node) or 'unnamed'}” is a {what}, which has no file")
        elif media.path is None:
            self.losses.add(f"The media of “{media.name}” is offline; it is written as the timeline names it")
        if media is not None and sounds and media.sample_rate:
            self.rates[media.sample_rate] += 1
        if media is not None and not sounds and media.width and self.size is None:
            self.size = (media.width, media.height)
        for effect in other_effects(node):
            self.losses.add(f"The effect “{effect}” is not carried", 1)
            if sounds:
                self.unheard.add(
                    f"The effect “{effect}” stays on its clip; what is rebalanced is the sound before it", 1
                )

    def _link(self, node: Node, scope: tuple[tuple[str, Fraction], ...]) -> int | None:
        """One number for all clips that their host ties together."""
        value = link_of(node)
        return self.links.setdefault((value, scope), len(self.links) + 1) if value else None

    def _length(self, node: Node, lanes: Sequence[Lane] = (), entry: Fraction = ZERO) -> Fraction:
        """Record seconds an item takes; where nobody can say, up to the end of its last clip."""
        length = self.placement.duration(node)
        if length is not None:
            return length
        return max((clip.end - entry for lane in lanes for clip in lane.clips), default=ZERO)

    # ---- markers

    def _markers(self) -> list[EditMarker]:
        entry, length = self.placement.entry(self.timeline), self._length(self.timeline)
        found = [_marker(m, -entry) for m in _listed(body(self.timeline))]
        for layer in self.placement.stack(self.timeline, self.pointer):
            if not is_container(layer.node):
                continue
            inner = self.placement.entry(layer.node)
            found += [_marker(m, -entry - inner) for m in _listed(layer.node)]
            if schema(layer.node) in _TRACKS:
                for item in self.placement.track(layer.node, layer.pointer):
                    found += self._clip_markers(item, item.start - entry - inner)
        placed = [self._recorded(marker, length) for marker in found if marker is not None]
        return list(dict.fromkeys(marker for marker in placed if ZERO <= marker.start <= length))

    def _recorded(self, marker: EditMarker, length: Fraction) -> EditMarker:
        """A marker that can only be counted from the start timecode is moved back by it."""
        late = marker.start >= length and ZERO < self.origin <= marker.start
        return replace(marker, start=marker.start - self.origin) if late else marker

    def _clip_markers(self, item: Child, position: Fraction) -> list[EditMarker | None]:
        """Markers on clips at their record times; some hosts count them from the clip's start."""
        listed = _listed(item.node)
        if schema(item.node) != "Clip" or not listed:
            return []
        given = self.placement.media_range(item.node)
        retiming = self.placement.retiming(item.node)
        duration = self._length(item.node)
        if given is None or retiming.keys or retiming.speed <= 0:
            self.losses.add("Markers on retimed clips are left out", 1)
            return []
        found: list[EditMarker | None] = []
        for m in listed:
            marker = _marker(m, ZERO)
            if marker is None:
                continue
            relative = marker.start < given.start and marker.start < duration
            within = (marker.start if relative else marker.start - given.start) / retiming.speed
            if ZERO <= within < duration:
                length = min(marker.duration / retiming.speed, duration - within)
                found.append(replace(marker, start=position + within, duration=length))
        return found


def _part(lane: Lane, entry: Fraction, plan: TimeMap, bound: Point, sounds: bool) -> Lane:
    """One stretch of constant speed of a compound's lane, from record time `bound[0]` to `bound[1]` after its start."""
    first, last = bound
    if first == last:
        return Lane()
    lowest = min(plan.at(first), plan.at(last))
    speed = (plan.at(last) - plan.at(first)) / (last - first)
    return shift(retimed(lane, entry + lowest, last - first, speed, sounds), first)


def _is_title(clip: Node, resolve: bool) -> bool:
    """Titles, generators and adjustment clips: what lies below is seen through them.

    Resolve writes them as clips without media; unlike offline video they have no file name and no range.
    """
    listed = [reference for _, reference in references(clip)]
    if any(schema(reference) == "GeneratorReference" for reference in listed[:1]):
        return True
    missing = all(schema(reference) == "MissingReference" for reference in listed)
    unnamed = "." not in name_of(clip)
    return resolve and missing and unnamed and not any(span(r.get("available_range")) for r in listed)


def _faded(lane: Lane, fades: dict[tuple[Fraction, Pointer], Fade]) -> Lane:
    """The lane with a track's transitions: dissolves where two clips meet, one-sided at the other ends."""
    if not fades:
        return lane
    starts = {clip.start for clip in lane.clips if clip.duration > 0}
    ends = {clip.end for clip in lane.clips if clip.duration > 0}
    made = []
    for (cut, _), fade in fades.items():
        if cut in ends or cut in starts:
            side: Side = "both" if cut in ends and cut in starts else "out" if cut in ends else "in"
            made.append(EditTransition(cut, fade.into, fade.out_of, fade.name, side, fade.pointer))
    ordered = sorted((*lane.transitions, *made), key=lambda transition: transition.cut)
    return replace(lane, transitions=tuple(ordered))


def _ramp(retiming: Retiming, duration: Fraction, source: Fraction, offset: Fraction) -> tuple[Point, ...]:
    """A clip's (record, media) points over its length where its speed changes, else none."""
    if not retiming.keys:
        return ()
    plan = retiming.map(duration, offset)
    bounds = plan.breaks(ZERO, duration)
    return tuple((record, source + plan.at(record)) for record in bounds)


def _problem(node: Node) -> str:
    """What our own readers could not understand of a clip."""
    said = metadata(node, "sightmix_source", "problem")
    return said if isinstance(said, str) else ""


def _widths(found: Found) -> tuple[int, ...]:
    """The channels of every sound in a file, none where nobody knows them."""
    return tuple(stream.channels for stream in found.info.audio) if found.info is not None else ()


def _within(scope: tuple[tuple[str, Fraction], ...], child: Child) -> tuple[tuple[str, Fraction], ...]:
    """The compounds around an item's content."""
    return (*scope, (name_of(child.node), child.start)) if is_container(child.node) else scope


def _identities(item: Child) -> list[tuple[str, Fraction]]:
    link = metadata(item.node, "Resolve_OTIO", "Link Group ID")
    linked = [(f"link {link}", item.start)] if link is not None else []
    return [(f"name {name_of(item.node)}", item.start), *linked]


def _dictionary(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _kind(node: Node, inherited: str) -> str:
    """ "Audio" or "Video" (or a host's own kind) of a track; anything else takes its parent's."""
    return kind_of(node, inherited) if schema(node) in _TRACKS else inherited


def _width(track: Node, lane: Lane) -> int:
    """Channels of an audio track: what its host says, else what its widest clip plays."""
    said = _channels_named(metadata(track, "Resolve_OTIO", "Audio Type"))
    if 0 < said <= _WIDEST:
        return said
    for keys in (("AudioChannels", "NumberOfChannels"), ("AudioChannels", "ChannelType")):
        value = metadata(track, "PremierePro_OTIO", *keys)
        exact = int(number(value) or 0) or _channels_named(value)
        if 0 < exact <= _WIDEST:
            return exact
    return max((played_channels(clip) for clip in lane.clips), default=0) or 2


def _channels_named(text: object) -> int:
    """How many channels a host's name for a layout stands for, 0 where it is none."""
    try:
        return Layout.named(text).channels if isinstance(text, str) else 0
    except SettingsError:
        return 0


def played_channels(clip: EditClip) -> int:
    """Channels a clip plays, 0 where nobody knows."""
    if clip.channels is not None:
        return len(clip.channels)
    return clip.media.streams[0] if clip.media is not None and clip.media.streams else 0


def _listed(node: Node) -> list[Node]:
    listed = node.get("markers")
    return [marker for marker in listed if isinstance(marker, dict)] if isinstance(listed, list) else []


def _marker(marker: Node, shifted: Fraction) -> EditMarker | None:
    where = span(marker.get("marked_range"))
    if where is None:
        return None
    color = marker.get("color")
    return EditMarker(
        where.start + shifted,
        max(where.duration, ZERO),
        name_of(marker),
        marker_text(marker, named=False),
        str((color.get("name") or "RED") if isinstance(color, dict) else color or "").upper(),
    )
