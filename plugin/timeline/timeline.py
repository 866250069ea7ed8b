"""A timeline as the editor made it: its audio clips, and for each the passage the engine works on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Literal

from ...engine.edit.channels import channels_of, link_of
from ...engine.edit.fcp7_sources import SourceTracks, index_of
from ...engine.edit.header import Dialect, dialect_of, drops_frames, frame_rate, source_rate
from ...engine.edit.media import Found, Library, file_offset, stream_of
from ...engine.edit.model import EditClip, EditTransition
from ...engine.edit.nodes import (
    Node,
    Pointer,
    body,
    follow,
    kind_of,
    metadata,
    name_of,
    seconds,
)
from ...engine.edit.notes import Remark, remarks
from ...engine.edit.picture import Piece, has_picture, visible
from ...engine.edit.placing import ZERO, Fade
from ...engine.edit.reader import Reader
from ...engine.edit.timemap import TimeMap
from ...engine.edit.volume import other_effects
from ...engine.errors import SettingsError, TimelineError
from ...engine.media.reader import MediaInfo
from ...engine.media.time import timecode
from ...engine.passage import Channel, Note, Passage, Shot, Sound
from .load import Document, as_timeline, choose, load, timelines
from .shots import MARGIN, Seen, handle, seen, to_notes, to_shots

State = Literal["online", "offline", "disabled", "unsupported"]


@dataclass(frozen=True)
class Leaf:
    """One audio clip as its container plays it, in seconds of the container's own time.

    `start` and `end` bound what is heard, `entry` is where the untrimmed clip would begin; `edit` is the clip as the
    edit has it. `parent` is the track it lies on; `before` and `after` are the transitions at its ends, its own or
    those of a compound that begins or ends with it, None where a trim cuts them off.
    """

    node: Node
    pointer: Pointer
    parent: Node
    start: Fraction
    end: Fraction
    entry: Fraction
    enabled: bool
    edit: EditClip
    problem: str = ""
    before: Fade | None = None
    after: Fade | None = None
    track: int = 0


@dataclass(frozen=True)
class Cue:
    """The media a clip plays: file offset and length in seconds, and the map from its record time to it."""

    start: Fraction
    duration: Fraction
    plan: TimeMap
    lowest: Fraction
    skipped: Fraction

    def media_at(self, record: Fraction) -> Fraction:
        """Passage time for a time in seconds after the clip's (visible) record start."""
        return self.plan.at(self.skipped + record) - self.lowest

    @property
    def plain(self) -> bool:
        """Whether the media runs as fast as the record, and forwards."""
        return self.plan.constant and self.plan.slope(ZERO) == 1

    def passage_time(self, record_in: Fraction) -> Callable[[Fraction], Fraction]:
        """`media_at` for times on the timeline, of a clip that begins at `record_in`."""
        if not self.plan.constant:
            return lambda record: self.media_at(record - record_in)
        origin, slope = self.media_at(-record_in), self.plan.slope(ZERO)
        return origin.__add__ if slope == 1 else lambda record: origin + record * slope

    def slope_at(self, record: Fraction) -> Fraction:
        """Media seconds per record second there, without sign."""
        return abs(self.plan.slope(self.skipped + record))


@dataclass(frozen=True, eq=False)
class AudioClip:
    """One audio clip of a timeline.

    `index` counts from 1 in record order, then track order. `record_in` and `record_out` are exact seconds
    from the timeline's first frame, what is heard after all trims. `state` says whether it can be rendered;
    `reason` is one sentence where it cannot. `channels` None means every channel of the file's first audio
    stream. `partners` are the clips that play further channels of the same sound at the same place: the other half of
    a stereo pair that lies on two mono tracks.
    """

    index: int
    name: str
    track: str
    track_number: int
    record_in: Fraction
    record_out: Fraction
    state: State
    reason: str
    enabled: bool
    path: Path | None
    channels: tuple[Channel, ...] | None
    link: str
    leaf: Leaf
    timeline: Timeline
    partners: tuple[Leaf, ...] = ()

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """Where the clip lies in the document: once, or once for each channel."""
        return (self.leaf, *self.partners)

    @property
    def online(self) -> bool:
        """Whether the clip can be rendered."""
        return self.state == "online"

    @property
    def duration(self) -> Fraction:
        """Record length in seconds."""
        return self.record_out - self.record_in

    @property
    def nested(self) -> bool:
        """Whether the clip lies inside a compound clip or nested track."""
        return len(self.leaf.pointer) - len(self.timeline.pointer) > 5

    @property
    def timecode_in(self) -> str:
        """Record start as timecode, with the timeline's start added."""
        return self.timeline.timecode(self.record_in)

    @property
    def timecode_out(self) -> str:
        """Record end (exclusive) as timecode."""
        return self.timeline.timecode(self.record_out)

    @property
    def identifier(self) -> str:
        """A name that is unique in the timeline and safe in file names."""
        safe = re.sub(r"[^\w-]+", "-", self.name).strip("-")[:40]
        return f"{self.index:04d}-{safe or 'clip'}"

    @cached_property
    def speed(self) -> Fraction:
        """Media seconds per record second at the clip's start; negative when reversed."""
        cue = self.timeline.cue(self.leaf)
        return cue.plan.slope(cue.skipped) if cue is not None else Fraction(1)

    @cached_property
    def shots(self) -> int:
        """How many shots are seen while the clip sounds; 0 where the timeline has no picture."""
        return self.timeline.count_shots(self.record_in, self.record_out)

    def passage(self, handles: Fraction = Fraction(1)) -> Passage:
        """The clip as the engine takes it, with about `handles` seconds of record time before and after.

        Handles are longer where a transition needs more, shorter where the media ends. Raises TimelineError
        with the clip's reason if it cannot be rendered.
        """
        if self.state != "online":
            raise TimelineError(f"Clip {self.index} “{self.name}” cannot be rendered: {self.reason}")
        return self.timeline.passage(self, handles)


class Timeline:
    """A parsed timeline; `root` is the whole document as read, less our own earlier results, and is never
    edited.
    """

    def __init__(self, document: Document, wanted: str | int | None, folders: Sequence[Path]) -> None:
        document = as_timeline(document)
        self.document = document
        self.path = document.path
        self.root = document.root
        self.pointer: Pointer = choose(document, wanted)
        self.node: Node = follow(self.root, self.pointer)
        if not isinstance(self.node.get("tracks"), dict):
            raise TimelineError(f"{self.path} holds a timeline without tracks; export it again.")
        self.library = Library(document.base, tuple(folders))
        self.dialect: Dialect = dialect_of(self.node)
        self.start = seconds(self.node.get("global_start_time")) or ZERO
        self._shown: dict[int, tuple[Piece, Seen]] = {}
        self._cues: dict[int, tuple[Leaf, Cue | None]] = {}
        reader = Reader(self.node, self.library, self.pointer)
        self.placement = reader.placement
        self.sources = reader.sources
        edit = reader.edit()
        self.edit = replace(edit, unheard=(*document.notes, *edit.unheard))
        self.name = name_of(self.node) or self.path.stem
        self.rate = frame_rate(self.node)
        self.drop_frame = drops_frames(self.node, self.rate)
        self.duration = self.placement.duration(self.node) or ZERO
        leaves = sorted(_whole(self._leaves()), key=lambda leaf: (leaf.start, leaf.track))
        clips = [self._clip(i, leaf) for i, leaf in enumerate(leaves, start=1)]
        clips = self._shared_out(clips) if self.dialect == "aaf" else self._paired(clips)
        self.clips = tuple(clips)

    @property
    def stack(self) -> Node:
        """The timeline's top stack."""
        return body(self.node)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of how the file was read, a sentence each."""
        several = [c for c in self.clips if c.channels and len(c.channels) > 1 and not c.partners]
        whole = [c for c in several if index_of(c.leaf.node)]
        streams = "The source tracks of the FCP 7 XML are taken for the streams of their files, as Resolve counts them."
        found = [self.library.sound(clip.leaf.node).info for clip in self.clips]
        media = dict.fromkeys(remark for info in found if info is not None for remark in info.remarks)
        return (*self.document.notes, *((streams,) if whole and not self.sources.channels else ()), *media)

    @cached_property
    def _pieces(self) -> list[Piece]:
        return visible(self.edit, self.duration, lambda clip: clip.title)

    @cached_property
    def _remarks(self) -> list[Remark]:
        return remarks(self.placement, self.node, self.pointer, self.start)

    @cached_property
    def has_picture(self) -> bool:
        """Whether any enabled video track is there."""
        return has_picture(self.edit)

    def timecode(self, time: Fraction) -> str:
        """Record time in seconds as timecode, counted from the timeline's global start."""
        return timecode(self.start + time, self.rate, self.drop_frame)

    def clip(self, index: int) -> AudioClip:
        """The clip with this number, TimelineError if there is none."""
        if not 1 <= index <= len(self.clips):
            raise TimelineError(f"{self.path} has no audio clip {index}; it has {len(self.clips)}.")
        return self.clips[index - 1]

    def tracks_named(self, name: str, flag: str) -> tuple[int, ...]:
        """The numbers of the audio tracks with clips that have this name, or are called so: A1, A2 …

        Raises SettingsError for none, naming those that there are and the `flag` that asked.
        """
        wanted = name.strip().casefold()
        tracks = {clip.track_number: clip.track for clip in self.clips}
        found = tuple(n for n, track in sorted(tracks.items()) if wanted in (track.casefold(), f"a{n}"))
        if not found:
            known = ", ".join(f"A{n} '{track}'" for n, track in sorted(tracks.items()))
            raise SettingsError(
                f"{flag} {name} fits no audio track of {self.path}; it has {known or 'none'}."
            )
        return found

    def count_shots(self, start: Fraction, end: Fraction) -> int:
        """How many shots are seen between two record times."""
        if not self.has_picture or end <= start:
            return 0
        return len(seen(self._pieces, start, min(end, self.duration), self._shown))

    def picture(self) -> tuple[Shot, ...]:
        """The whole picture in record time, from the timeline's first frame to its last, if there is any."""
        if not self.has_picture:
            return ()
        return to_shots(
            seen(self._pieces, ZERO, self.duration, self._shown), lambda record: record, plain=True
        )

    def remarks(self) -> tuple[Note, ...]:
        """The editor's markers and notes in record time."""
        return to_notes(self._remarks, ZERO, self.duration, lambda record: record)

    def cue(self, leaf: Leaf) -> Cue | None:
        """What a clip plays of its media, None where that cannot be said."""
        if id(leaf) not in self._cues:
            self._cues[id(leaf)] = (leaf, self._cue(leaf))
        return self._cues[id(leaf)][1]

    def _cue(self, leaf: Leaf) -> Cue | None:
        given = self.placement.media_range(leaf.node)
        retiming = self.placement.retiming(leaf.node)
        if given is None or retiming.problem or leaf.end <= leaf.start:
            return None
        found = self.library.sound(leaf.node)
        media_in = file_offset(given.start, found)
        plan = retiming.map(given.duration, media_in)
        skipped = leaf.start - leaf.entry
        ends = (plan.at(skipped), plan.at(skipped + leaf.end - leaf.start))
        return Cue(media_in + min(ends), max(ends) - min(ends), plan, min(ends), skipped)

    def passage(self, clip: AudioClip, handles: Fraction) -> Passage:
        """See `AudioClip.passage`."""
        cue = self.cue(clip.leaf)
        found = self.library.sound(clip.leaf.node)
        if cue is None or found.info is None or found.path is None:
            raise TimelineError(f"Clip {clip.index} “{clip.name}” cannot be rendered: {clip.reason}")
        head, tail = self._handles(clip, cue, handles)

        passage_time = cue.passage_time(clip.record_in)
        start, end = max(clip.record_in - MARGIN, ZERO), min(clip.record_out + MARGIN, self.duration)
        shown = seen(self._pieces, start, end, self._shown) if self.has_picture else []
        return Passage(
            identifier=clip.identifier,
            name=clip.name,
            sound=Sound(found.path, cue.start, cue.duration, clip.channels, found.info.stamp),
            head=head,
            tail=tail,
            shots=to_shots(shown, passage_time, cue.plain),
            notes=to_notes(self._remarks, clip.record_in, clip.record_out, passage_time),
            record_start=clip.record_in,
            record_offset=self.start,
            timecode_rate=self.rate,
            drop_frame=self.drop_frame,
        )

    def _handles(self, clip: AudioClip, cue: Cue, wanted: Fraction) -> tuple[Fraction, Fraction]:
        """Seconds of media before and after; for a reversed clip what comes before in the media is heard
        after.
        """
        info = self.library.sound(clip.leaf.node).info
        assert info is not None
        stream = stream_of(info, clip.channels)
        before = clip.leaf.before.into if clip.leaf.before else ZERO
        after = clip.leaf.after.out_of if clip.leaf.after else ZERO
        slopes = (cue.slope_at(ZERO), cue.slope_at(clip.duration))
        needed = [before * slopes[0], after * slopes[1]]
        asked = [max(wanted, before) * slopes[0], max(wanted, after) * slopes[1]]
        if cue.plan.points[-1][1] < cue.plan.points[0][1]:
            needed.reverse()
            asked.reverse()
        limits = (cue.start, stream.duration - cue.start - cue.duration)
        rate = source_rate(clip.leaf.node) or self.rate
        head, tail = (
            handle(asked[i], needed[i], limits[i], rate, stream.sample_rate) if limits[i] > 0 else ZERO
            for i in (0, 1)
        )
        return head, tail

    def _leaves(self) -> Iterator[Leaf]:
        """The audio clips as the document holds them."""
        for track in self.edit.tracks:
            if track.kind != "audio":
                continue
            begins = {t.cut: _fade(t) for t in track.transitions if t.side != "out"}
            ends = {t.cut: _fade(t) for t in track.transitions if t.side != "in"}
            for clip in track.clips:
                yield Leaf(
                    node=follow(self.root, clip.pointer),
                    pointer=clip.pointer,
                    parent=follow(self.root, clip.pointer[:-2]),
                    start=clip.start,
                    end=clip.end,
                    entry=clip.start - clip.skipped,
                    enabled=clip.enabled and track.enabled,
                    edit=clip,
                    problem=clip.problem,
                    before=begins.get(clip.start) if clip.duration else None,
                    after=ends.get(clip.end) if clip.duration else None,
                    track=track.layer,
                )

    def _clip(self, index: int, leaf: Leaf) -> AudioClip:
        found = self.library.sound(leaf.node)
        channels = _channels(leaf, found, self.sources)
        state, reason = self._judge(leaf, found, channels)
        return AudioClip(
            index=index,
            name=self.library.called(leaf.node, found)
            or (found.path.name if found.path is not None else "unnamed clip"),
            track=self.track_name(leaf.track),
            track_number=self.track_number(leaf.track),
            record_in=leaf.start,
            record_out=leaf.end,
            state=state,
            reason=reason,
            enabled=leaf.enabled,
            path=found.path,
            channels=channels,
            link=link_of(leaf.node),
            leaf=leaf,
            timeline=self,
        )

    def _shared_out(self, clips: list[AudioClip]) -> list[AudioClip]:
        """Avid lays each channel of a source on a track of its own but may name the whole file on all of them.

        Clips of one master at one place take its channels in track order, if the file has enough.
        """
        groups: dict[object, list[int]] = {}
        for i, clip in enumerate(clips):
            master = metadata(clip.leaf.node, "AAF", "MobID")
            if isinstance(master, str) and clip.channels is None and clip.state == "online":
                groups.setdefault((master, clip.path, clip.record_in, clip.record_out), []).append(i)
        for members in groups.values():
            info = self.library.sound(clips[members[0]].leaf.node).info
            listed = [Channel(s.index, c) for s in info.audio for c in range(s.channels)] if info else []
            if 1 < len(members) <= len(listed):
                for i, channel in zip(members, listed, strict=False):
                    clips[i] = replace(clips[i], channels=(channel,))
        return clips

    def _paired(self, clips: list[AudioClip]) -> list[AudioClip]:
        """One clip for the channels of one sound that lie as mono clips at one place on tracks of their own.

        They are heard as one sound, and what is done to one alone would move the balance between them. Those whose
        levels, fades, transitions or effects differ stay apart: one clip has room for one of each.
        """
        groups: dict[object, list[AudioClip]] = {}
        for clip in clips:
            cue = self.cue(clip.leaf) if clip.online and clip.channels and len(clip.channels) == 1 else None
            place = (clip.path, clip.record_in, clip.record_out, clip.speed, clip.link)
            key = (place, cue.start, _treatment(clip.leaf)) if cue else id(clip)
            groups.setdefault(key, []).append(clip)
        whole = [one for members in groups.values() for one in self._joined(members)]
        ordered = sorted(whole, key=lambda clip: clip.index)
        return [replace(clip, index=i) for i, clip in enumerate(ordered, start=1)]

    def _joined(self, members: list[AudioClip]) -> list[AudioClip]:
        """Mono clips of one file at one place: one clip if together they are a sound with places for its channels."""
        info = self.library.sound(members[0].leaf.node).info
        order = sorted(members, key=lambda clip: [(c.stream, c.channel) for c in clip.channels or ()])
        played = [channel for clip in order for channel in clip.channels or ()]
        tracks = {clip.leaf.track for clip in order}
        if (
            info is None
            or len(order) < 2
            or len(tracks) < len(order)
            or not _belong_together(played, info, order)
        ):
            return members
        partners = tuple(clip.leaf for clip in order[1:])
        return [replace(order[0], channels=tuple(played), partners=partners)]

    def on_layer(self, number: int) -> list[tuple[AudioClip, Leaf]]:
        """The clips on the document's track of this number (from 0), each with its place there."""
        return [(clip, leaf) for clip in self.clips for leaf in clip.leaves if leaf.track == number]

    def track_name(self, layer: int) -> str:
        """What the document's track `layer` (from 0) is called, by its kind and number where it has no name."""
        node = self.placement.stack(self.node, self.pointer)[layer].node
        return name_of(node) or f"{kind_of(node, '')} {self.track_number(layer)}"

    def track_number(self, layer: int) -> int:
        """The number (from 1) that a host gives the document's track `layer` (from 0) among those of its kind."""
        layers = self.placement.stack(self.node, self.pointer)
        kind = kind_of(layers[layer].node, "")
        return sum(kind_of(one.node, "") == kind for one in layers[: layer + 1])

    def _judge(self, leaf: Leaf, found: Found, channels: tuple[Channel, ...] | None) -> tuple[State, str]:
        """Whether a clip can be rendered, and if not why, in one sentence."""
        if not leaf.enabled:
            return "disabled", "It is disabled, or lies on a disabled track or in a disabled compound clip."
        trouble = leaf.problem or self._time_trouble(leaf)
        if trouble:
            return "unsupported", trouble
        if found.state != "online" or found.info is None:
            return found.state, found.reason
        trouble = self._extent_trouble(leaf, found, channels)
        return ("unsupported", trouble) if trouble else ("online", "")

    def _time_trouble(self, leaf: Leaf) -> str:
        given = self.placement.media_range(leaf.node)
        retiming = self.placement.retiming(leaf.node)
        if given is None:
            return "Its length is unknown: it has no usable range and its media cannot be read."
        if given.duration <= 0:
            return "It has no length." if given.duration == 0 else "Its length is negative."
        if retiming.problem:
            return f"It {retiming.problem}."
        if retiming.frozen:
            return "It is a freeze frame, which has no sound."
        if retiming.keys and not retiming.map(given.duration).forward:
            return "It has a speed ramp that runs backwards part of the way."
        return ""

    def _extent_trouble(self, leaf: Leaf, found: Found, channels: tuple[Channel, ...] | None) -> str:
        cue = self.cue(leaf)
        if cue is None or found.info is None or cue.duration == 0:
            return "It plays no sound: its speed change holds one frame."
        length = stream_of(found.info, channels).duration
        inside = min(cue.start + cue.duration, length) - max(cue.start, ZERO)
        if inside * 2 >= cue.duration:
            return ""
        asked = f"{float(cue.start):.3f} to {float(cue.start + cue.duration):.3f} s"
        return f"It asks for {asked} of a file that is {float(length):.3f} s long; relink it or trim it."


def _treatment(leaf: Leaf) -> tuple[object, ...]:
    """What a clip's level, fades, transitions and effects amount to."""
    joints = [(fade.into, fade.out_of, fade.name) if fade else None for fade in (leaf.before, leaf.after)]
    levels = (leaf.edit.gain, leaf.edit.fade_in, leaf.edit.fade_out)
    return (*levels, *joints, *other_effects(leaf.node))


def _belong_together(played: list[Channel], info: MediaInfo, clips: list[AudioClip]) -> bool:
    """Whether channels are all of one stream that has a place for each, or a file's two mono streams, linked."""
    first = info.audio[played[0].stream]
    every = [Channel(first.index, c) for c in range(first.channels)]
    if played == every:
        return first.channels == 2 or (first.layout.placed and bool(clips[0].link))
    widths = [stream.channels for stream in info.audio]
    return widths == [1, 1] and bool(clips[0].link) and played == [Channel(0, 0), Channel(1, 0)]


def _fade(transition: EditTransition) -> Fade:
    return Fade(transition.before, transition.after, transition.pointer, transition.name)


def _whole(leaves: Iterable[Leaf]) -> list[Leaf]:
    """Clips that a compound's speed ramp cut into stretches, in one piece again."""
    whole: list[Leaf] = []
    for leaf in leaves:
        last = whole[-1] if whole else None
        if last is not None and last.pointer == leaf.pointer and last.end == leaf.start and leaf.problem:
            whole[-1] = replace(last, end=leaf.end)
        else:
            whole.append(leaf)
    return whole


def _channels(leaf: Leaf, found: Found, sources: SourceTracks) -> tuple[Channel, ...] | None:
    if found.info is None:
        return None
    return channels_of(leaf.node, leaf.parent, [stream.channels for stream in found.info.audio], sources)


def open_timeline(
    path: Path | str,
    *,
    timeline: str | int | None = None,
    folders: Sequence[Path] = (),
    rate: Fraction | None = None,
    cuts: Sequence[Fraction] = (),
) -> Timeline:
    """Open an OTIO timeline or bundle, FCP7 XML, FCPXML, AAF or EDL, or a media file as a timeline of its
    own.

    `timeline` picks one out of a collection by name or by number from 1; `folders` are searched for media
    that is not where the timeline says; `rate` is what an EDL counts in; `cuts` are seconds at which a media
    file's picture is cut. Raises TimelineError with one sentence saying what is wrong with the file.
    """
    path = Path(path)
    try:
        return Timeline(load(path, rate, tuple(cuts)), timeline, folders)
    except RecursionError as error:
        raise TimelineError(f"{path} is nested too deeply to be a real timeline.") from error


def list_timelines(path: Path | str, rate: Fraction | None = None) -> tuple[str, ...]:
    """The names of the timelines in a file, in the order their numbers (from 1) count."""
    document = as_timeline(load(Path(path), rate))
    return tuple(name for name, _ in timelines(document.root))
