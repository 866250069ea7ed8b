"""Final Cut Pro 7 XML (xmeml 5), which Premiere, Resolve and most other editors read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from ..engine.edit import keyframes
from ..engine.edit.losses import Losses
from ..engine.edit.model import Edit, EditClip, EditMedia, EditTrack, EditTransition
from ..engine.media.layout import Layout
from ..engine.media.time import timecode, to_frames
from . import common
from .common import Frames

TITLE = "Final Cut Pro 7 XML"
TICKS = 254_016_000_000  # Premiere's clock, per second: whole numbers for every frame and sample


def write(edit: Edit, out: Path) -> tuple[str, ...]:
    """Write `edit` as xmeml 5 to `out`; returns what the format could not carry, a sentence each.

    Element meanings: Apple, Final Cut Pro XML Interchange Format. A track of n channels becomes n linked tracks of
    one channel, grouped the way Premiere groups them. In and out points count frames of the timeline's rate from
    the file's first frame, and so do keyframes. Raises WriteError.
    """
    writer = _Writer(edit)
    common.write_xml(writer.document(), out, "xmeml")
    return writer.losses.sentences()


def check(edit: Edit) -> None:
    """Raise WriteError where the timeline's rate counts no frames."""
    common.timebase(edit.rate, TITLE)


@dataclass
class _Item:
    """One channel of a clip (or its picture) on one xmeml track."""

    clip: EditClip
    frames: Frames
    kind: str
    lane: int  # from 1 among the tracks of its kind
    place: int  # from 1 on its track
    channel: int  # of the file, from 1
    id: str = ""


@dataclass
class _Lane:
    """One xmeml track."""

    track: EditTrack
    kind: str
    index: int
    part: int
    parts: int
    items: list[_Item]


@dataclass(frozen=True)
class _Dissolve:
    """A transition on the frame grid around `cut`; `black` is "in" or "out" where it comes from nothing."""

    start: int
    cut: int
    end: int
    black: str = ""

    @property
    def alignment(self) -> str:
        if self.black:
            return "start-black" if self.black == "in" else "end-black"
        if self.start == self.cut:
            return "start"
        return "end" if self.end == self.cut else "center"


def _add(parent: ET.Element, tag: str, text: object = None, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, tag, attributes)
    if text is not None:
        element.text = ("TRUE" if text else "FALSE") if isinstance(text, bool) else str(text)
    return element


class _Writer:
    def __init__(self, edit: Edit) -> None:
        self.rate = edit.rate
        common.timebase(self.rate, TITLE)
        self.losses = Losses(edit.losses)
        self.edit = common.feasible(edit, self.losses)
        self._files: dict[EditMedia, str] = {}
        self._blank = count(1)
        self.lanes = list(self._plan())
        self._groups = self._link()

    # The plan: which channel lies on which track, and what belongs together.

    def _plan(self) -> Iterator[_Lane]:
        used = {"video": 0, "audio": 0}
        numbers = count(1)
        for track in self.edit.tracks:
            clips = [(c, Frames(c, self.rate)) for c in track.clips]
            clips = [(c, f) for c, f in clips if self._visible(c, f)]
            parts = _width(track) if track.kind == "audio" else 1
            for part in range(parts):
                used[track.kind] += 1
                lane = _Lane(track, track.kind, used[track.kind], part, parts, [])
                for clip, frames in clips:
                    channels = common.file_channels(clip, track.channels) if track.kind == "audio" else (0,)
                    if part < len(channels):
                        place, number = len(lane.items) + 1, channels[part] + 1
                        item = _Item(clip, frames, lane.kind, lane.index, place, number)
                        item.id = f"clipitem-{next(numbers)}"
                        lane.items.append(item)
                yield lane

    def _visible(self, clip: EditClip, frames: Frames) -> bool:
        if frames.length < 1:
            self.losses.add("Clips shorter than half a frame are left out", 1)
            return False
        if not frames.exact:
            self.losses.add("Cuts between frames, or in points between frames of the media, are rounded", 1)
        if clip.speed == 0:
            self.losses.add("Freeze frames run at normal speed", 1)
        return True

    def _link(self) -> dict[str, list[_Item]]:
        groups: dict[Any, list[_Item]] = defaultdict(list)
        for lane in self.lanes:
            for item in lane.items:
                key = item.clip.link if item.clip.link is not None else (id(item.clip), id(lane.track))
                groups[key].append(item)
        return {item.id: group for group in groups.values() for item in group if len(group) > 1}

    # The document.

    def document(self) -> ET.Element:
        root = ET.Element("xmeml", version="5")
        sequence = _add(root, "sequence", id="sequence-1")
        _add(sequence, "name", self.edit.name or "sightmix")
        ends = (item.frames.end for lane in self.lanes for item in lane.items)
        _add(sequence, "duration", max((to_frames(self.edit.duration, self.rate), *ends)))
        self._rate(sequence)
        self._timecode(sequence, self.edit.start, self.rate)
        media = _add(sequence, "media")
        self._video(_add(media, "video"))
        self._audio(_add(media, "audio"))
        for marker in self.edit.markers:
            self._marker(sequence, marker.name, marker.note, marker.start, marker.duration)
        ET.indent(root, "  ")
        return root

    def _rate(self, parent: ET.Element, rate: Fraction | None = None) -> None:
        counted, ntsc = common.timebase(rate or self.rate, TITLE)
        element = _add(parent, "rate")
        _add(element, "timebase", counted)
        _add(element, "ntsc", ntsc)

    def _timecode(self, parent: ET.Element, start: Fraction, rate: Fraction) -> None:
        drop = common.drops(self.edit, rate)
        element = _add(parent, "timecode")
        self._rate(element, rate)
        _add(element, "string", timecode(start, rate, drop))
        _add(element, "frame", to_frames(start, rate))
        _add(element, "source", "source")
        _add(element, "displayformat", "DF" if drop else "NDF")

    def _marker(self, parent: ET.Element, name: str, note: str, start: Fraction, length: Fraction) -> None:
        element = _add(parent, "marker")
        _add(element, "comment", note)
        _add(element, "name", name)
        _add(element, "in", to_frames(start, self.rate))
        _add(element, "out", to_frames(start + length, self.rate) if length else -1)

    def _video(self, video: ET.Element) -> None:
        characteristics = _add(_add(video, "format"), "samplecharacteristics")
        self._rate(characteristics)
        self._picture(characteristics, self.edit.width, self.edit.height)
        for lane in self.lanes:
            if lane.kind == "video":
                self._track(video, lane)

    @staticmethod
    def _picture(parent: ET.Element, width: int, height: int) -> None:
        _add(parent, "width", width)
        _add(parent, "height", height)
        _add(parent, "anamorphic", False)
        _add(parent, "pixelaspectratio", "square")
        _add(parent, "fielddominance", "none")

    def _audio(self, audio: ET.Element) -> None:
        outputs = max([2, *(lane.parts for lane in self.lanes if lane.kind == "audio")])
        _add(audio, "numOutputChannels", outputs)
        characteristics = _add(_add(audio, "format"), "samplecharacteristics")
        _add(characteristics, "depth", 24)
        _add(characteristics, "samplerate", self.edit.sample_rate)
        groups = _add(audio, "outputs")
        for index in range(1, outputs + 1):
            group = _add(groups, "group")
            _add(group, "index", index)
            _add(group, "numchannels", 1)
            _add(group, "downmix", 0)
            _add(_add(group, "channel"), "index", index)
        for lane in self.lanes:
            if lane.kind == "audio":
                self._track(audio, lane)

    def _track(self, parent: ET.Element, lane: _Lane) -> None:
        attributes = {}
        if lane.kind == "audio":
            attributes = {
                "currentExplodedTrackIndex": str(lane.part),
                "totalExplodedTrackCount": str(lane.parts),
                "premiereTrackType": Layout.of_count(lane.parts).premiere,
            }
        element = _add(parent, "track", **attributes)
        dissolves = self._dissolves(lane)
        for item in lane.items:
            head, tail = dissolves.get(("in", item.id)), dissolves.get(("out", item.id))
            if head is not None:
                self._transition(element, lane.kind, head)
            self._clip(element, lane, item, head, tail)
            if tail is not None and tail.black:
                self._transition(element, lane.kind, tail)
        _add(element, "name", lane.track.name)
        _add(element, "enabled", lane.track.enabled)
        _add(element, "locked", False)
        if lane.kind == "audio":
            _add(element, "outputchannelindex", lane.part + 1)

    # Transitions.

    def _dissolves(self, lane: _Lane) -> dict[tuple[str, str], _Dissolve]:
        found: dict[tuple[str, str], _Dissolve] = {}
        for item in lane.items:
            clip, frames = item.clip, item.frames
            head, tail = to_frames(clip.fade_in, self.rate), to_frames(clip.fade_out, self.rate)
            if head:
                found["in", item.id] = _Dissolve(frames.start, frames.start, frames.start + head, "in")
            if tail:
                found["out", item.id] = _Dissolve(frames.end - tail, frames.end, frames.end, "out")
        for transition in lane.track.transitions:
            before = next((i for i in lane.items if i.clip.end == transition.cut), None)
            after = next((i for i in lane.items if i.clip.start == transition.cut), None)
            if before is not None and after is not None:
                dissolve = self._dissolve(transition)
                found["out", before.id] = found["in", after.id] = dissolve
        return found

    def _dissolve(self, transition: EditTransition) -> _Dissolve:
        cut = to_frames(transition.cut, self.rate)
        start = to_frames(transition.cut - transition.before, self.rate)
        end = to_frames(transition.cut + transition.after, self.rate)
        if start < cut < end and cut - start != end - cut:
            half = min(cut - start, end - cut)
            self.losses.add("Dissolves that lie unevenly around their cut are centred on it", 1)
            start, end = cut - half, cut + half
        return _Dissolve(start, cut, end)

    def _transition(self, parent: ET.Element, kind: str, dissolve: _Dissolve) -> None:
        element = _add(parent, "transitionitem")
        _add(element, "start", dissolve.start)
        _add(element, "end", dissolve.end)
        _add(element, "alignment", dissolve.alignment)
        self._rate(element)
        effect = _add(element, "effect")
        sound = kind == "audio"
        name = "Cross Fade (+3dB)" if sound else "Cross Dissolve"
        _add(effect, "name", name)
        _add(effect, "effectid", "KGAudioTransCrossFade3dB" if sound else name)
        if not sound:
            _add(effect, "effectcategory", "Dissolve")
        _add(effect, "effecttype", "transition")
        _add(effect, "mediatype", kind)

    # Clips.

    def _clip(
        self, parent: ET.Element, lane: _Lane, item: _Item, head: _Dissolve | None, tail: _Dissolve | None
    ) -> None:
        clip, frames = item.clip, item.frames
        element = _add(parent, "clipitem", id=item.id)
        if lane.kind == "audio":
            element.set("premiereChannelType", Layout.of_count(lane.parts).premiere.lower())
        first = to_frames(self._source(clip, frames), self.rate)
        early = head.cut - head.start if head else 0
        late = tail.end - tail.cut if tail else 0
        _add(element, "name", clip.name)
        _add(element, "enabled", clip.enabled)
        length = clip.media.duration if clip.media else None
        _add(element, "duration", to_frames(length, self.rate) if length else first + frames.length + late)
        self._rate(element)
        _add(element, "start", -1 if head else frames.start)
        _add(element, "end", -1 if tail else frames.end)
        _add(element, "in", first - early)
        _add(element, "out", first + frames.length + late)
        if clip.speed == 1:
            _add(element, "pproTicksIn", _ticks(frames.offset - early / self.rate))
            _add(element, "pproTicksOut", _ticks(frames.offset + (frames.length + late) / self.rate))
        self._file(element, clip, lane.kind)
        if lane.kind == "audio":
            source = _add(element, "sourcetrack")
            _add(source, "mediatype", "audio")
            _add(source, "trackindex", item.channel)
        if clip.speed not in (0, 1):
            self._speed(element, clip, lane.kind)
        if clip.gain is not None and lane.kind == "audio":
            self._levels(element, lane, item, first, (early, late))
        self._links(element, item)
        if clip.notes:
            _add(_add(element, "comments"), "mastercomment1", clip.notes)

    @staticmethod
    def _source(clip: EditClip, frames: Frames) -> Fraction:
        """Seconds from the file's start, on the clip's own retimed clock, at which the first frame lies."""
        if clip.speed in (0, 1):
            return frames.offset
        if clip.speed < 0 and clip.media is not None and clip.media.duration is not None:
            return (clip.media.duration - frames.offset) / -clip.speed
        return frames.offset / abs(clip.speed)

    def _links(self, parent: ET.Element, item: _Item) -> None:
        for other in self._groups.get(item.id, ()):
            link = _add(parent, "link")
            _add(link, "linkclipref", other.id)
            _add(link, "mediatype", other.kind)
            _add(link, "trackindex", other.lane)
            _add(link, "clipindex", other.place)
            if other.kind == "audio":
                _add(link, "groupindex", 1)

    def _file(self, parent: ET.Element, clip: EditClip, kind: str) -> None:
        media = clip.media
        if media is None:
            element = _add(parent, "file", id=f"file-missing-{next(self._blank)}")
            _add(element, "name", clip.name)
            self._rate(element)
            return
        if media in self._files:
            _add(parent, "file", id=self._files[media])
            return
        self._files[media] = f"file-{len(self._files) + 1}"
        element = _add(parent, "file", id=self._files[media])
        _add(element, "name", media.name)
        if media.url or media.path:
            _add(element, "pathurl", common.address(media, "localhost"))
        rate = media.rate if media.rate and common.countable(media.rate) else self.rate
        self._rate(element, rate)
        if media.duration is not None:
            _add(element, "duration", to_frames(media.duration, rate))
        self._timecode(element, media.start, rate)
        self._streams(_add(element, "media"), media, kind, rate)

    def _streams(self, parent: ET.Element, media: EditMedia, kind: str, rate: Fraction) -> None:
        if media.width or (kind == "video" and not media.channels):
            characteristics = _add(_add(parent, "video"), "samplecharacteristics")
            self._rate(characteristics, rate)
            self._picture(characteristics, media.width or self.edit.width, media.height or self.edit.height)
        number = count(1)
        for channels in media.streams or ((media.channels,) if media.channels else ()):
            audio = _add(parent, "audio")
            characteristics = _add(audio, "samplecharacteristics")
            _add(characteristics, "depth", media.bits or 16)
            _add(characteristics, "samplerate", media.sample_rate or self.edit.sample_rate)
            _add(audio, "channelcount", channels)
            for _ in range(channels):
                _add(_add(audio, "audiochannel"), "sourcechannel", next(number))

    # Effects.

    @staticmethod
    def _effect(parent: ET.Element, name: str, identity: str, category: str, kind: str) -> ET.Element:
        effect = _add(_add(parent, "filter"), "effect")
        _add(effect, "name", name)
        _add(effect, "effectid", identity)
        _add(effect, "effectcategory", category)
        _add(effect, "effecttype", category)
        _add(effect, "mediatype", kind)
        return effect

    @staticmethod
    def _parameter(parent: ET.Element, identity: str, name: str, low: object, high: object) -> ET.Element:
        parameter = _add(parent, "parameter", authoringApp="PremierePro")
        _add(parameter, "parameterid", identity)
        _add(parameter, "name", name)
        _add(parameter, "valuemin", low)
        _add(parameter, "valuemax", high)
        return parameter

    def _speed(self, parent: ET.Element, clip: EditClip, kind: str) -> None:
        effect = self._effect(parent, "Time Remap", "timeremap", "motion", kind)
        for identity, low, high, value in (
            ("variablespeed", 0, 1, 0),
            ("speed", -100000, 100000, f"{float(abs(clip.speed)) * 100:.10g}"),
        ):
            _add(self._parameter(effect, identity, identity, low, high), "value", value)
        for identity, on in (("reverse", clip.speed < 0), ("frameblending", False)):
            parameter = _add(effect, "parameter")
            _add(parameter, "parameterid", identity)
            _add(parameter, "name", identity)
            _add(parameter, "value", on)

    def _levels(
        self, parent: ET.Element, lane: _Lane, item: _Item, first: int, handles: tuple[int, int]
    ) -> None:
        """The volume line, over the frames that dissolves play before and after the clip too."""
        clip = item.clip
        early, late = handles
        assert clip.gain is not None
        length = (early + item.frames.length + late) / self.rate
        gain = keyframes.extended(clip.gain, early / self.rate)
        assert gain is not None
        if common.too_loud(gain, length, common.LOUDEST_DB) and lane.part == 0:
            self.losses.add(f"Gains above {common.LOUDEST_DB:g} dB are cut to it, where the fader ends", 1)
        line = common.points(gain, length, keyframes.SILENCE_DB, common.LOUDEST_DB, self.rate)
        effect = self._effect(parent, "Audio Levels", "audiolevels", "audiolevels", "audio")
        parameter = self._parameter(effect, "level", "Level", 0, 3.98109)
        _add(parameter, "value", f"{common.amplitude(line[0][1]):.7g}")
        if common.constant(line) is None:
            for t, db in line:
                key = _add(parameter, "keyframe")
                _add(key, "when", first - early + to_frames(t, self.rate))
                _add(key, "value", f"{common.amplitude(db):.7g}")


def _width(track: EditTrack) -> int:
    """How many tracks of one channel hold the track."""
    return max([1, track.channels, *(len(common.file_channels(c, track.channels)) for c in track.clips)])


def _ticks(seconds: Fraction) -> int:
    return round(seconds * TICKS)
