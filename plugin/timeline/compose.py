"""The document of a result: new audio tracks in the timeline's own words, everything else as it was."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from ...engine.edit import fcp7_levels, keyframes
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
from ...engine.edit.volume import faders, host_line
from ...engine.media.layout import Layout
from ...engine.media.paths import is_remote, locate, spellings
from ...engine.media.time import to_frames
from ...engine.roles import in_order
from .dialects import Numbers, exact, file_url, new_clip, new_gap, new_track, widen
from .load import clone
from .marks import mute, walk
from .results import Gain, ResultTrack
from .timeline import AudioClip, Timeline
from .volume import Levels, set_faders, set_volume

_TINY = Fraction(1, 10**9)


def compose(
    timeline: Timeline,
    results: Mapping[int, Sequence[ResultTrack]],
    provenance: Mapping[str, object],
    mute_originals: bool = False,
    moves: bool = False,
) -> Node:
    """A copy of the timeline's document with new audio tracks for `results` (by clip index).

    For every track that results come from there is a new one per role, named after it, after the last audio
    track; clips lie at exactly the record times of the ones they stand for and keep their effects, links and
    transitions. `mute_originals` disables what was rendered: the whole track if all its playing clips were,
    else single clips. `moves` says that the copy goes to another folder, so that relative media paths have to
    become absolute.
    """
    root = clone(timeline.document)
    if moves:
        _anchor(root, timeline)
    if mute_originals:  # before new tracks move those that lie after them
        _mute(timeline, root, set(results))
    _Writer(timeline, root, provenance).add(results)
    return root


@dataclass(frozen=True)
class _Placed:
    """One result on its way to a lane."""

    clip: AudioClip
    result: ResultTrack


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


class _Writer:
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

    def add(self, results: Mapping[int, Sequence[ResultTrack]]) -> None:
        """Insert all new tracks after the last audio track (at the top if there is none)."""
        tracks = [track for source in self._sources(results) for track in self._for_source(source, results)]
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

    def _sources(self, results: Mapping[int, Sequence[ResultTrack]]) -> list[int]:
        return sorted({self.timeline.clip(index).leaf.track for index, found in results.items() if found})

    def _for_source(self, source: int, results: Mapping[int, Sequence[ResultTrack]]) -> list[Node]:
        """The new tracks that stand for one track: a role at a time, overlapping clips on further lanes."""
        clips = [self.timeline.clip(index) for index in sorted(results) if results[index]]
        lanes = _lanes([clip for clip in clips if clip.leaf.track == source])
        present = [r.role for clip in clips for r in results[clip.index]]
        roles = in_order(present)
        made = []
        for role in roles:
            for lane_number, lane in enumerate(lanes, start=1):
                placed = [_Placed(clip, r) for clip in lane for r in results[clip.index] if r.role == role]
                if placed:
                    made.append(self._track(source, role, lane_number, placed))
        return made

    def _track(self, source: int, role: str, lane: int, placed: list[_Placed]) -> Node:
        model = self.timeline.placement.stack(self.timeline.node, self.timeline.pointer)[source].node
        label = placed[0].clip.track
        name = f"{label} {role}" + (f" {lane}" if lane > 1 else "")
        track = new_track(
            model if kind_of(model, "") == "Audio" else None,
            name,
            role,
            label,
            self.provenance,
            all(item.result.enabled for item in placed),
        )
        paired = [item.result.clip.channels for item in placed if item.clip.partners]
        if paired:
            widen(track, Layout.of_count(max(paired)))
        track["children"] = self._fill(placed)
        return track

    def _fill(self, placed: list[_Placed]) -> list[Node]:
        """Gaps, clips and transitions of one lane."""
        filled: list[Node] = []
        position = ZERO
        last_fade: Pointer | None = None
        for item in placed:
            leaf = item.clip.leaf
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
        own = source_rate(item.clip.leaf.node) or self.timeline.rate
        return [self.timeline.rate, own, Fraction(item.result.clip.sample_rate)]

    def _clip(self, item: _Placed) -> tuple[Node, Fraction]:
        """The new clip and the record seconds it takes."""
        clip = item.clip
        source = follow(self.root, clip.leaf.pointer)
        speed = abs(clip.speed) if self.timeline.dialect == "premiere" else Fraction(1)
        sample_rate = Fraction(item.result.clip.sample_rate)
        rates = [source_rate(source) or self.timeline.rate, self.timeline.rate, sample_rate]
        facts: Node = {"source": clip.name, "clip": clip.identifier}
        resolve = self.timeline.dialect == "resolve"
        result = self._with_volume(clip, item.result)
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
        self._set_volume(clip, source, result, made)
        return made, exact(made["source_range"]["duration"]) / speed

    def _set_volume(self, clip: AudioClip, source: Node, result: ResultTrack, made: Node) -> None:
        """Write the result's gain as its host does; without one the editor's own level stays on the new clip."""
        rate, dialect = self.timeline.rate, self.timeline.dialect
        levels = self._levels(clip, result) if result.gain is not None else self._inherited(clip, source)
        if dialect == "resolve" and levels is not None:
            set_volume(made, levels)
        elif dialect == "fcp7" and levels is not None:
            times = tuple(frame / rate for frame in map(Fraction, range(len(levels))))
            fcp7_levels.set_level(made, GainCurve(times, tuple(levels.tolist())), rate)
        elif dialect == "fcp7":
            fcp7_levels.moved(made, source, rate)
        fades = (clip.leaf.edit.fade_in, clip.leaf.edit.fade_out)
        if dialect == "resolve" and fades != faders(source, key_rate(source, rate)):
            set_faders(made, *(float(fade * rate) for fade in fades))

    def _inherited(self, clip: AudioClip, source: Node) -> Levels | None:
        """The editor's level at every frame where it is not what the clip itself says: compounds around it add
        their own, and trim it. None where the clip's own stays.
        """
        line = clip.leaf.edit.gain
        own = host_line(source, key_rate(source, self.timeline.rate))
        if line == (keyframes.cut(own, ZERO, clip.duration) if own is not None else None):
            return None
        times = [float(frame / self.timeline.rate) for frame in map(Fraction, range(self._frames(clip)))]
        return keyframes.levels(line, times) if line is not None else np.zeros(len(times))

    def _frames(self, clip: AudioClip) -> int:
        """The clip's frames, and the first one after it."""
        return max(1, to_frames(clip.duration, self.timeline.rate)) + 1

    def _with_volume(self, clip: AudioClip, result: ResultTrack) -> ResultTrack:
        """The result with what the editor's own volume says, on the clip and around it, added to its gain."""
        line = clip.leaf.edit.gain
        if line is None or result.gain is None:
            return result
        if keyframes.is_level(line):
            line = GainCurve(line.times[:1], line.db[:1])
        times = self._file_times(clip, result, line.times)
        points = sorted(zip(times, line.db, strict=True))
        own = Gain(tuple(time for time, _ in points), tuple(level for _, level in points))
        return replace(result, gain=result.gain.plus(own))

    def _levels(self, clip: AudioClip, result: ResultTrack) -> Levels:
        """The result's gain in dB at every frame of the clip, and at the first one after it."""
        assert result.gain is not None
        record = [frame / self.timeline.rate for frame in map(Fraction, range(self._frames(clip)))]
        return result.gain.at(np.array(self._file_times(clip, result, record)))

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


def _lanes(clips: list[AudioClip]) -> list[list[AudioClip]]:
    """Clips shared out so that none overlaps another on its lane; only nested ones ever need a
    second lane.
    """
    lanes: list[list[AudioClip]] = []
    for clip in sorted(clips, key=lambda c: (c.record_in, c.nested, c.index)):
        free = next((lane for lane in lanes if lane[-1].record_out <= clip.record_in), None)
        if free is None:
            lanes.append([clip])
        else:
            free.append(clip)
    return lanes


def _mute(timeline: Timeline, root: Node, rendered: set[int]) -> None:
    """Disable what was rendered, whole tracks where nothing else plays on them."""
    layers = timeline.placement.stack(timeline.node, timeline.pointer)
    for number_, layer in enumerate(layers):
        playing = [(clip, leaf) for clip, leaf in timeline.on_layer(number_) if clip.enabled]
        done = [leaf for clip, leaf in playing if clip.index in rendered]
        if done and len(done) == len(playing) and kind_of(layer.node, "") == "Audio":
            mute(follow(root, layer.pointer))
        else:
            for leaf in done:
                mute(follow(root, leaf.pointer))
