"""The document of a result: new audio tracks in the timeline's own words, everything else as it was."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from ...engine.edit import fcp7_levels, keyframes
from ...engine.edit.categories import named
from ...engine.edit.header import key_rate, source_rate
from ...engine.edit.model import GainCurve
from ...engine.edit.nodes import (
    Node,
    Pointer,
    body,
    children,
    follow,
    kind_of,
    number,
    references,
    schema,
    seconds,
)
from ...engine.edit.placing import ZERO
from ...engine.edit.timemap import moved_ramps
from ...engine.edit.volume import OwnGain, faders, host_line, plays
from ...engine.errors import WriteError
from ...engine.media.layout import Layout
from ...engine.media.paths import is_remote, locate, spellings
from ...engine.media.time import to_frames
from ...engine.roles import in_order
from .dialects import Numbers, exact, file_url, new_clip, new_gap, new_track, plain, widen
from .load import clone
from .marks import mark_generated, mute, walk
from .results import Gain, Result, ResultTrack, Ridden
from .ridden import ridden_clip, track_words
from .timeline import AudioClip, Leaf, Timeline
from .volume import Levels, set_faders, set_volume

_TINY = Fraction(1, 10**9)
_RESOLVES_WORDS = ("resolve", "fcpxml")  # timelines whose levels and fades stand in Resolve's effects


def compose(
    timeline: Timeline,
    results: Mapping[int, Sequence[Result]],
    provenance: Mapping[str, object],
    mute_originals: bool = False,
    moves: bool = False,
) -> Node:
    """A copy of the timeline's document with new audio tracks for `results` (by clip index).

    For every track that results come from there is a new one per role and category, named after it, after the last
    audio track; clips lie at exactly the record times of the ones they stand for and keep their effects, links and
    transitions. A pair of mono clips that is one sound comes back as one rendered clip, or as two ridden ones on
    tracks of their own. `mute_originals` disables what a result now sounds for: the whole track if all its playing
    clips are, else single clips. `moves` says that the copy goes to another folder, so that relative media paths
    have to become absolute; Resolve, which misreads them, is never given any. Raises WriteError for a ridden clip that
    cannot be laid on a track of its own.
    """
    root = clone(timeline.document)
    if moves or timeline.dialect == "resolve":
        _anchor(root, timeline)
    if mute_originals:  # before new tracks move those that lie after them
        _mute(timeline, root, {i for i, found in results.items() if any(r.enabled for r in found)})
    Writer(timeline, root, provenance).add(results)
    return root


@dataclass(frozen=True)
class _Placed:
    """One result on its way to a lane, and where the clip it stands for lies."""

    clip: AudioClip
    leaf: Leaf
    result: Result

    @property
    def category(self) -> str:
        """What the result is known to hold, "" where nothing tells."""
        return self.result.category if isinstance(self.result, Ridden) else ""

    @property
    def kind(self) -> tuple[str, str]:
        """What results that share a track have in common."""
        return self.result.role, self.category


def _anchor(root: Node, timeline: Timeline) -> None:
    """Make relative media addresses absolute, since the result lies in another folder: files' and image sequences'."""
    bare = timeline.dialect == "resolve"
    for node in walk(root):
        for _, reference in references(node):
            for key in ("target_url", "target_url_base"):
                url = reference.get(key)
                if isinstance(url, str) and (url or key == "target_url_base"):
                    reference[key] = _absolute(url, timeline.document.base, bare, key == "target_url_base")


def _absolute(url: str, base: Path, bare: bool, folder: bool) -> str:
    """The address from anywhere; as it stands where it is absolute, remote, or leads to nothing here."""
    likeliest = spellings(url)[0]
    if is_remote(url) or (Path(likeliest).is_absolute() and not likeliest.startswith("//")):
        return url
    path = _folder(url, base) if folder else locate(url, base)
    if path is None or not (folder or path.is_file()):
        return url
    end = "/" if folder else ""
    return file_url(path, bare and url[:5].lower() != "file:") + end


def _folder(url: str, base: Path) -> Path | None:
    """The folder of an image sequence's address."""
    return next((base / text for text in spellings(url) if (base / text).is_dir()), None)


class Writer:
    """Adds the new tracks to a copy of the timeline's document."""

    def __init__(self, timeline: Timeline, root: Node, provenance: Mapping[str, object]) -> None:
        self.timeline = timeline
        self.root = root
        self.provenance = provenance
        self.stack = body(follow(root, timeline.pointer))
        figures = list(_figures(timeline))
        whole = bool(figures) and all(isinstance(figure, int) for figure in figures)
        self.numbers = Numbers(whole, figures)
        self.entry = timeline.placement.entry(timeline.node)

    def add(self, results: Mapping[int, Sequence[Result]]) -> None:
        """Insert all new tracks after the last audio track (at the top if there is none)."""
        placed = self._placed(results)
        sources = sorted({item.leaf.track for item in placed})
        tracks = [
            track
            for source in sources
            for track in self._for_source(source, [item for item in placed if item.leaf.track == source])
        ]
        if not tracks:
            return
        if not isinstance(self.stack.get("children"), list):
            self.stack["children"] = []
        listed = self.stack["children"]
        audio = [
            i
            for i, child in enumerate(listed)
            if isinstance(child, dict)
            and schema(child) in ("Track", "Sequence")
            and kind_of(child, "") == "Audio"
        ]
        place = audio[-1] + 1 if audio else len(listed)
        listed[place:place] = tracks

    def _placed(self, results: Mapping[int, Sequence[Result]]) -> list[_Placed]:
        """Every result at every place it goes to, in the clips' order."""
        return [
            _Placed(clip, leaf, result)
            for clip in map(self.timeline.clip, sorted(results))
            for result in results[clip.index]
            for leaf in _places(clip, result)
        ]

    def _for_source(self, source: int, found: list[_Placed]) -> list[Node]:
        """The new tracks that stand for one track: a kind at a time, overlapping clips on further lanes."""
        lanes = _lanes(found)
        roles = in_order(item.result.role for item in found)
        categories = ["", *in_order(item.category for item in found if item.category)]
        made = []
        for kind in ((role, category) for role in roles for category in categories):
            for number_, lane in enumerate(lanes, start=1):
                placed = [item for item in lane if item.kind == kind]
                if placed:
                    made.append(self._track(source, number_, placed))
        return made

    def _track(self, source: int, lane: int, placed: list[_Placed]) -> Node:
        model = self.timeline.placement.stack(self.timeline.node, self.timeline.pointer)[source].node
        label, (role, category) = self.timeline.track_name(source), placed[0].kind
        told = [category] if category and named(label).kind != category else []
        further = [str(lane)] if lane > 1 else []
        track = new_track(
            model if kind_of(model, "") == "Audio" else None,
            " ".join([label, *told, role, *further]),
            {"role": role, "source": label} | ({"category": category} if category else {}),
            self.provenance,
            all(item.result.enabled for item in placed),
        )
        paired = [_channels(item.result) for item in placed if item.clip.partners]
        if any(paired):
            widen(track, Layout.of_count(max(paired)))
        ridden = [item.leaf for item in placed if isinstance(item.result, Ridden)]
        track["metadata"] |= track_words(ridden[0]) if ridden else {}
        track["children"] = self._fill(placed)
        return track

    def _fill(self, placed: list[_Placed]) -> list[Node]:
        """Gaps, clips and transitions of one lane."""
        filled: list[Node] = []
        position = ZERO
        last_fade: Pointer | None = None
        for item in placed:
            leaf = item.leaf
            target = leaf.start + self.entry
            if target - position > _TINY:
                filled.append(new_gap(self.numbers, target - position, self._gap_rates(item)))
                position += exact(filled[-1]["source_range"]["duration"])
            if leaf.before is not None and leaf.before.pointer != last_fade:
                filled.append(self._transition(leaf.before.pointer))
            clip, length = self._clip(item)
            filled.append(clip)
            position += length
            last_fade = leaf.after.pointer if leaf.after is not None else None
            if last_fade is not None:
                filled.append(self._transition(last_fade))
        return filled + self._rest(position, placed)

    def _rest(self, position: Fraction, placed: list[_Placed]) -> list[Node]:
        """Resolve fills every track to the timeline's end with a gap."""
        left = self.timeline.duration + self.entry - position
        if self.timeline.dialect != "resolve" or left <= _TINY:
            return []
        return [new_gap(self.numbers, left, self._gap_rates(placed[-1]))]

    def _transition(self, pointer: Pointer) -> Node:
        return copy.deepcopy(follow(self.root, pointer))

    def _gap_rates(self, item: _Placed) -> list[Fraction]:
        own = source_rate(item.leaf.node) or self.timeline.rate
        files = [] if isinstance(item.result, Ridden) else [Fraction(item.result.clip.sample_rate)]
        return [self.timeline.rate, own, *files]

    def _clip(self, item: _Placed) -> tuple[Node, Fraction]:
        """The new clip and the record seconds it takes."""
        source = follow(self.root, item.leaf.pointer)
        if isinstance(item.result, Ridden):
            return self._ridden(item, item.result, source), item.leaf.end - item.leaf.start
        return self._rendered(item.clip, item.result, source)

    def _ridden(self, item: _Placed, result: Ridden, source: Node) -> Node:
        """The clip itself under its volume line, in our own words and in its host's."""
        clip, leaf = item.clip, item.leaf
        made = ridden_clip(source, clip, leaf, self.numbers)
        gain = _thinned(result.gain)
        if leaf.edit.gain is not None:
            gain = gain.plus(_own_line(leaf.edit.gain, leaf.edit.gain.times))
        own = OwnGain(GainCurve(tuple(map(Fraction, gain.times)), gain.db), True, plays(leaf.edit))
        facts: Node = {"role": result.role, "source": clip.name, "clip": clip.identifier}
        facts |= {"category": result.category} if result.category else {}
        mark_generated(made, {**facts, "provenance": plain(result.provenance), "gain": own.to_json()})
        record = [float(time) for time in self._record(clip, made)]
        self._set_volume(clip, source, made, gain.at(np.array(record)))
        return made

    def _rendered(self, clip: AudioClip, result: ResultTrack, source: Node) -> tuple[Node, Fraction]:
        """A clip that plays the result's file."""
        speed = abs(clip.speed) if self.timeline.dialect == "premiere" else Fraction(1)
        sample_rate = Fraction(result.clip.sample_rate)
        rates = [source_rate(source) or self.timeline.rate, self.timeline.rate, sample_rate]
        facts: Node = {"source": clip.name, "clip": clip.identifier}
        resolve = self.timeline.dialect == "resolve"
        result = self._with_volume(clip, result)
        made = new_clip(
            source,
            result,
            clip.duration * speed,
            rates,
            self.numbers,
            resolve,
            facts,
        )
        self._move_ramps(clip, result, made)
        self._set_volume(clip, source, made, self._levels(clip, result, source, made))
        return made, exact(made["source_range"]["duration"]) / speed

    def _set_volume(self, clip: AudioClip, source: Node, made: Node, levels: Levels | None) -> None:
        """Write levels, one a frame, as the host does; without them the editor's own stay on the new clip."""
        rate, dialect = self.timeline.rate, self.timeline.dialect
        if dialect in _RESOLVES_WORDS and levels is not None:
            set_volume(made, levels)
        elif dialect == "fcp7" and levels is not None:
            own = key_rate(made, rate)
            times = tuple(frame / own for frame in map(Fraction, range(len(levels))))
            fcp7_levels.set_level(made, GainCurve(times, tuple(levels.tolist())), rate)
        elif dialect == "fcp7":
            fcp7_levels.moved(made, source, rate)
        fades = (clip.leaf.edit.fade_in, clip.leaf.edit.fade_out)
        if dialect in _RESOLVES_WORDS and fades != faders(source, key_rate(source, rate)):
            set_faders(made, *(float(fade * key_rate(made, rate)) for fade in fades))

    def _levels(self, clip: AudioClip, result: ResultTrack, source: Node, made: Node) -> Levels | None:
        """The levels (dB) the host has to say at every frame of the new clip; None where what it says holds."""
        record = self._record(clip, made)
        if result.gain is not None:
            return result.gain.at(np.array(self._file_times(clip, result, record)))
        return self._inherited(clip, source, record)

    def _inherited(self, clip: AudioClip, source: Node, record: Sequence[Fraction]) -> Levels | None:
        """The editor's levels at record seconds where they are not what the clip itself says: compounds around it
        add their own, and trim it. None where the clip's own stays.
        """
        line = clip.leaf.edit.gain
        own = host_line(source, key_rate(source, self.timeline.rate))
        if line == (keyframes.cut(own, ZERO, clip.duration) if own is not None else None):
            return None
        times = [float(time) for time in record]
        return keyframes.levels(line, times) if line is not None else np.zeros(len(times))

    def _record(self, clip: AudioClip, made: Node) -> list[Fraction]:
        """Record seconds from the clip's in point of the frames that its host's keys count, one past its end."""
        rate = key_rate(made, self.timeline.rate)
        return [frame / rate for frame in map(Fraction, range(max(1, to_frames(clip.duration, rate)) + 1))]

    def _with_volume(self, clip: AudioClip, result: ResultTrack) -> ResultTrack:
        """The result with what the editor's own volume says, on the clip and around it, added to its gain."""
        line = clip.leaf.edit.gain
        if line is None or result.gain is None:
            return result
        return replace(
            result, gain=result.gain.plus(_own_line(line, self._file_times(clip, result, line.times)))
        )

    def _file_times(self, clip: AudioClip, result: ResultTrack, record: Sequence[Fraction]) -> list[float]:
        """Seconds in the result's file that are heard at record seconds from the clip's in point."""
        cue = self.timeline.cue(clip.leaf)
        media = [cue.media_at(time) for time in record] if cue is not None else record
        head = Fraction(result.clip.head, result.clip.sample_rate)
        return [float(head + time) for time in media]

    def _move_ramps(self, clip: AudioClip, result: ResultTrack, made: Node) -> None:
        cue = self.timeline.cue(clip.leaf)
        if cue is not None:
            rate = result.clip.sample_rate
            start = cue.start - Fraction(result.clip.head, rate)
            moved_ramps(made["effects"], start, Fraction(result.clip.samples, rate))


def _places(clip: AudioClip, result: Result) -> tuple[Leaf, ...]:
    """Where in the document a result stands for a clip: in one place, or ridden, for each of its channels."""
    if not isinstance(result, Ridden):
        return (clip.leaf,)
    if clip.leaf.problem:
        raise WriteError(f"Clip {clip.index} “{clip.name}” cannot come back as it is: {clip.leaf.problem}")
    return clip.leaves


def _own_line(line: GainCurve, times: Sequence[Fraction | float]) -> Gain:
    """The editor's volume line, its points at other times: one point where it is level."""
    count = 1 if keyframes.is_level(line) else len(line.times)
    points = sorted(zip(map(float, times[:count]), line.db[:count], strict=True))
    return Gain(tuple(time for time, _ in points), tuple(level for _, level in points))


def _thinned(gain: Gain) -> Gain:
    """As few of a line's points as keep it within 0.05 dB, which leaves a host's own thinning as much again."""
    thin = keyframes.simplify(gain.times, gain.db)
    return Gain(tuple(map(float, thin.times)), tuple(round(level, 6) for level in thin.db))


def _channels(result: Result) -> int:
    """Channels of a rendered file, 0 for a ridden clip: its track is as wide as the editor's."""
    return 0 if isinstance(result, Ridden) else result.clip.channels


def _figures(timeline: Timeline) -> Iterator[float | int]:
    """Every usable rate the document writes, the timeline's own first, to be written the same way again."""
    times = [timeline.node.get("global_start_time")]
    for _, track in children(timeline.node):
        for _, item in children(track):
            source = item.get("source_range")
            times.append(source.get("duration") if isinstance(source, dict) else None)
    for time in times:
        if seconds(time) is not None and isinstance(time, dict) and number(time.get("rate")):
            yield time["rate"]


def _lanes(placed: list[_Placed]) -> list[list[_Placed]]:
    """Results shared out so that no clip overlaps another on its lane, all results of a clip on one; only nested
    clips ever need a second lane.
    """
    lanes: list[list[_Placed]] = []
    for item in sorted(placed, key=lambda item: (item.leaf.start, item.clip.nested, item.clip.index)):
        free = next((lane for lane in lanes if lane[-1].leaf is item.leaf), None) or next(
            (lane for lane in lanes if lane[-1].leaf.end <= item.leaf.start), None
        )
        if free is None:
            lanes.append([item])
        else:
            free.append(item)
    return lanes


def _mute(timeline: Timeline, root: Node, rendered: set[int]) -> None:
    """Disable what was rendered, whole tracks where nothing else plays on them.

    In Resolve's words the clips of such a track too: its own files say it of clips, and none has been seen that says
    it of a track.
    """
    layers = timeline.placement.stack(timeline.node, timeline.pointer)
    for number_, layer in enumerate(layers):
        playing = [(clip, leaf) for clip, leaf in timeline.on_layer(number_) if clip.enabled]
        done = [leaf for clip, leaf in playing if clip.index in rendered]
        if done and len(done) == len(playing) and kind_of(layer.node, "") == "Audio":
            mute(follow(root, layer.pointer))
            if timeline.dialect != "resolve":
                continue
        for leaf in done:
            mute(follow(root, leaf.pointer))
