"""FCPXML 1.10 for Final Cut Pro and Resolve: exact times, roles, handles and volume keyframes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from pathlib import Path
from xml.etree import ElementTree as ET

from ..engine.edit import keyframes
from ..engine.edit.losses import Losses
from ..engine.edit.model import Edit, EditClip, EditMedia, EditTrack, EditTransition
from ..engine.media.time import to_frames
from ..engine.roles import PARTS
from . import common

TITLE = "FCPXML"
VERSION = "1.10"
_LARGEST_DENOMINATOR = 2**31 - 1  # times are 64-bit over 32-bit numbers
_RATES = {
    32000: "32k",
    44100: "44.1k",
    48000: "48k",
    88200: "88.2k",
    96000: "96k",
    176400: "176.4k",
    192000: "192k",
}
_MAIN_ROLES = {role.name: role.fcpx for role in PARTS}
_NO_ROLE = re.compile(r"[.?\x00-\x1f]+")
# What Final Cut Pro calls its own two dissolves.
_EFFECTS = {
    "video": ("Cross Dissolve", "FxPlug:4731E73A-8DAC-4113-9A30-AE85B1761265"),
    "audio": ("Audio Crossfade", "FFAudioTransition"),
}


def write(edit: Edit, out: Path) -> tuple[str, ...]:
    """Write `edit` as FCPXML 1.10 to `out`; returns what the format could not carry, a sentence each.

    The lowest video track is the primary storyline; everything else hangs on it in lanes, sound below. Sound keeps
    its exact times, picture lies on frames, as Final Cut Pro demands. Tracks live on as roles: "dialogue",
    "music" and "effects" with the track's name as subrole, other tracks as a role of their own name. Element
    meanings: Apple, FCPXML Reference and its DTD of version 1.10. Raises WriteError.
    """
    writer = _Writer(edit)
    common.write_xml(writer.document(), out, "fcpxml")
    return writer.losses.sentences()


def check(edit: Edit) -> None:
    """Raise WriteError where the timeline's rate counts no frames."""
    common.timebase(edit.rate, TITLE)


def seconds(t: Fraction) -> str:
    """A time the way FCPXML writes it: "5s" or "1001/30000s"."""
    exact = t if t.denominator <= _LARGEST_DENOMINATOR else t.limit_denominator(_LARGEST_DENOMINATOR)
    return f"{exact}s"


def role_of(track: EditTrack) -> str:
    """The role that stands for a track: a main role with the track's name below it where we know what it holds."""
    name = _NO_ROLE.sub(" ", track.name).strip() or ("Video" if track.kind == "video" else "Audio")
    main = "video" if track.kind == "video" else _MAIN_ROLES.get(track.role, "")
    return f"{main}.{name}" if main else name


@dataclass
class _Anchor:
    """An element of the primary storyline: what hangs on it and where its own clock stands."""

    element: ET.Element
    start: Fraction  # on the timeline
    end: Fraction
    local: Fraction  # its own clock at `start`
    hanging: list[ET.Element]
    markers: list[ET.Element]


@dataclass(frozen=True)
class _Use:
    """Which span of a media file the timeline plays, in the media's own time stamps."""

    first: Fraction
    last: Fraction
    video: bool
    audio: bool


class _Writer:
    def __init__(self, edit: Edit) -> None:
        common.timebase(edit.rate, TITLE)
        self.rate = edit.rate
        self.losses = Losses(edit.losses)
        whole = common.feasible(edit, self.losses)
        self.edit = replace(whole, tracks=tuple(self._framed(track) for track in whole.tracks))
        self.resources = ET.Element("resources")
        self._formats: dict[tuple[Fraction, int, int], str] = {}
        self._assets: dict[EditMedia, str] = {}
        self._effects: dict[str, str] = {}
        self._ids = 0
        self._uses = dict(self._spans())

    def _framed(self, track: EditTrack) -> EditTrack:
        """Picture on whole frames of the timeline; sound as it is."""
        if track.kind != "video":
            return track
        clips = []
        for clip in track.clips:
            frames = common.Frames(clip, self.rate)
            if frames.length < 1:
                self.losses.add("Picture clips shorter than half a frame are left out", 1)
                continue
            if frames.start != clip.start * self.rate or frames.end != clip.end * self.rate:
                self.losses.add("Picture cuts between frames are rounded", 1)
            media_start = clip.media.start if clip.media else Fraction(0)
            source = media_start + frames.offset
            clips.append(
                replace(
                    clip,
                    start=frames.start / self.rate,
                    duration=frames.length / self.rate,
                    source_in=source,
                )
            )
        return replace(track, clips=tuple(clips))

    def _spans(self) -> Iterator[tuple[EditMedia, _Use]]:
        found: dict[EditMedia, _Use] = {}
        for track in self.edit.tracks:
            for clip in track.clips:
                media = _media(clip)
                ends = sorted((clip.source_in, clip.source_in + clip.duration * clip.speed))
                old = found.get(media, _Use(ends[0], ends[1], False, False))
                found[media] = _Use(
                    min(old.first, ends[0]),
                    max(old.last, ends[1]),
                    old.video or track.kind == "video",
                    old.audio or track.kind == "audio",
                )
        return iter(found.items())

    def _id(self) -> str:
        self._ids += 1
        return f"r{self._ids}"

    # The document.

    def document(self) -> ET.Element:
        edit = self.edit
        root = ET.Element("fcpxml", version=VERSION)
        root.append(self.resources)
        shape = self._format(self.rate, edit.width, edit.height)
        length = Fraction(ceil(edit.duration * self.rate)) / self.rate
        event = ET.SubElement(ET.SubElement(root, "library"), "event", name=edit.name or "sightmix")
        project = ET.SubElement(event, "project", name=edit.name or "sightmix")
        widest = max([2, *(t.channels for t in edit.tracks if t.kind == "audio")])
        sequence = ET.SubElement(
            project,
            "sequence",
            format=shape,
            duration=seconds(length),
            tcStart=seconds(to_frames(edit.start, self.rate) / self.rate),
            tcFormat="DF" if common.drops(edit, self.rate) else "NDF",
            audioLayout="surround" if widest > 2 else "stereo",
            audioRate=_RATES.get(edit.sample_rate, "48k"),
        )
        if edit.sample_rate not in _RATES:
            self.losses.add(f"The timeline runs at 48 kHz; there is no {edit.sample_rate} Hz.")
        self._storyline(ET.SubElement(sequence, "spine"), length)
        ET.indent(root, "  ")
        return root

    def _storyline(self, spine: ET.Element, length: Fraction) -> None:
        tracks = list(self.edit.tracks)
        primary = next((t for t in tracks if t.kind == "video" and t.clips), None)
        anchors = list(self._primary(spine, primary, length))
        above = below = 0
        for track in tracks:
            if track is primary:
                continue
            if track.kind == "video":
                above += 1
            else:
                below -= 1
            for start, element in self._connected(track, above if track.kind == "video" else below):
                anchor = next(a for a in anchors if a.start <= start < a.end)
                element.set("offset", seconds(anchor.local + start - anchor.start))
                anchor.hanging.append(element)
        self._markers(anchors)
        for anchor in anchors:
            position = _after(anchor.element, "note", "timeMap", "adjust-volume")
            for extra in reversed([*anchor.hanging, *anchor.markers]):
                anchor.element.insert(position, extra)

    def _markers(self, anchors: list[_Anchor]) -> None:
        for marker in self.edit.markers:
            anchor = next((a for a in anchors if a.start <= marker.start < a.end), None)
            if anchor is None:
                self.losses.add("Markers beyond the end of the timeline are left out.")
                continue
            element = ET.Element(
                "marker",
                start=seconds(anchor.local + marker.start - anchor.start),
                duration=seconds(marker.duration or 1 / self.rate),
                value=marker.name or "Marker",
            )
            if marker.note:
                element.set("note", marker.note)
            anchor.markers.append(element)

    # The primary storyline and what hangs on it.

    def _primary(self, spine: ET.Element, track: EditTrack | None, length: Fraction) -> Iterator[_Anchor]:
        origin = to_frames(self.edit.start, self.rate) / self.rate
        at = Fraction(0)
        if track is not None:
            for clip in track.clips:
                if clip.start > at:
                    yield self._gap(spine, at, clip.start, origin)
                self._joint(spine, track, clip, origin)
                element = self._clip(clip, track)
                element.set("offset", seconds(origin + clip.start))
                spine.append(element)
                yield _Anchor(element, clip.start, clip.end, _local_start(clip), [], [])
                at = clip.end
        if at < length:
            yield self._gap(spine, at, length, origin)

    def _gap(self, spine: ET.Element, start: Fraction, end: Fraction, origin: Fraction) -> _Anchor:
        gap = ET.SubElement(
            spine,
            "gap",
            name="Gap",
            offset=seconds(origin + start),
            start="0s",
            duration=seconds(end - start),
        )
        return _Anchor(gap, start, end, Fraction(0), [], [])

    def _joint(self, spine: ET.Element, track: EditTrack, clip: EditClip, origin: Fraction) -> None:
        """The dissolve into `clip`, if there is one."""
        transition = _into(track, clip)
        if transition is None:
            return
        name, identity = _EFFECTS[track.kind]
        if track.kind not in self._effects:
            self._effects[track.kind] = self._id()
            ET.SubElement(self.resources, "effect", id=self._effects[track.kind], name=name, uid=identity)
        element = ET.SubElement(
            spine,
            "transition",
            name=name,
            offset=seconds(origin + transition.cut - transition.before),
            duration=seconds(transition.before + transition.after),
        )
        filters = "filter-video" if track.kind == "video" else "filter-audio"
        ET.SubElement(element, filters, ref=self._effects[track.kind], name=name)

    def _connected(self, track: EditTrack, lane: int) -> Iterator[tuple[Fraction, ET.Element]]:
        """The track's clips; those that dissolve into each other share a storyline of their own."""
        for run in _runs(track):
            if len(run) == 1:
                element = self._clip(run[0], track)
                element.set("lane", str(lane))
                yield run[0].start, element
                continue
            spine = ET.Element("spine", lane=str(lane))
            for clip in run:
                self._joint(spine, track, clip, -run[0].start)
                element = self._clip(clip, track)
                element.set("offset", seconds(clip.start - run[0].start))
                spine.append(element)
            yield run[0].start, spine

    # Clips.

    def _clip(self, clip: EditClip, track: EditTrack) -> ET.Element:
        media = _media(clip)
        element = ET.Element("asset-clip", ref=self._asset(media), name=clip.name or media.name)
        element.set("start", seconds(_local_start(clip)))
        element.set("duration", seconds(clip.duration))
        enabled = clip.enabled and track.enabled
        if not enabled:
            element.set("enabled", "0")
        sides = self._sides(media)
        if all(sides):
            element.set("srcEnable", track.kind)
        element.set("audioRole" if track.kind == "audio" else "videoRole", role_of(track))
        if clip.notes:
            ET.SubElement(element, "note").text = clip.notes
        if clip.speed != 1:
            self._retime(element, clip)
        if track.kind == "audio":
            self._volume(element, clip, _handles(track, clip))
            self._channels(element, clip, track)
        return element

    def _channels(self, parent: ET.Element, clip: EditClip, track: EditTrack) -> None:
        """The channels it plays; without them hosts play every stream of the file."""
        several = clip.media is not None and len(clip.media.streams) > 1
        if clip.channels is None and not several:
            return
        ET.SubElement(
            parent,
            "audio-channel-source",
            srcCh=", ".join(str(channel + 1) for channel in common.file_channels(clip, track.channels)),
            role=role_of(track),
        )

    @staticmethod
    def _retime(parent: ET.Element, clip: EditClip) -> None:
        first = _local_start(clip)
        ramp = ET.SubElement(parent, "timeMap")
        for time, value in (
            (first, clip.source_in),
            (first + clip.duration, clip.source_in + clip.duration * clip.speed),
        ):
            ET.SubElement(ramp, "timept", time=seconds(time), value=seconds(value), interp="linear")

    def _volume(self, parent: ET.Element, clip: EditClip, handles: tuple[Fraction, Fraction]) -> None:
        """The volume line, over what dissolves play before and after the clip too."""
        early, late = handles
        line = None
        gain = keyframes.extended(clip.gain, early)
        if gain is not None:
            length = early + clip.duration + late
            line = common.points(gain, length, keyframes.SILENCE_DB, common.LOUDEST_DB)
            if common.too_loud(gain, length, common.LOUDEST_DB):
                self.losses.add(
                    f"Gains above {common.LOUDEST_DB:g} dB are cut to it, where the fader ends", 1
                )
        steady = 0.0 if line is None else common.constant(line)
        if not steady and steady is not None and not clip.fade_in and not clip.fade_out:
            return
        # A bare number of dB: Final Cut Pro takes it with and without the unit, Resolve only without.
        volume = ET.SubElement(parent, "adjust-volume", amount=f"{steady or 0.0:.4g}")
        if steady is not None and not clip.fade_in and not clip.fade_out:
            return
        amount = ET.SubElement(volume, "param", name="amount")
        for tag, length in (("fadeIn", clip.fade_in), ("fadeOut", clip.fade_out)):
            if length:
                ET.SubElement(amount, tag, type="linear", duration=seconds(length))
        if line is None or steady is not None:
            return
        animation = ET.SubElement(amount, "keyframeAnimation")
        first = _local_start(clip) - early
        for t, db in line:
            ET.SubElement(
                animation,
                "keyframe",
                time=seconds(first + t),
                value=f"{db:.6g}",
                interp="linear",
                curve="linear",
            )

    # Resources.

    def _format(self, rate: Fraction, width: int, height: int) -> str:
        key = (rate, width, height)
        if key not in self._formats:
            self._formats[key] = self._id()
            ET.SubElement(
                self.resources,
                "format",
                id=self._formats[key],
                frameDuration=seconds_fraction(1 / rate),
                width=str(width),
                height=str(height),
            )
        return self._formats[key]

    def _sides(self, media: EditMedia) -> tuple[bool, bool]:
        """Whether the file has picture, and whether it has sound: as probed, else as it is used."""
        use = self._uses[media]
        known = bool(media.width or media.channels)
        return (bool(media.width) if known else use.video, bool(media.channels) if known else use.audio)

    def _asset(self, media: EditMedia) -> str:
        if media in self._assets:
            return self._assets[media]
        use = self._uses[media]
        picture, sound = self._sides(media)
        if not media.url and media.path is None:
            self.losses.add("Clips without media point to files that do not exist", 1)
        first = min(media.start, use.first) if media.duration is None else media.start
        length = media.duration if media.duration is not None else max(use.last - first, 1 / self.rate)
        element = ET.Element(
            "asset", name=media.name or "media", start=seconds(first), duration=seconds(length)
        )
        if picture:
            shape = self._format(
                media.rate or self.rate, media.width or self.edit.width, media.height or self.edit.height
            )
            for key, value in (("hasVideo", "1"), ("format", shape), ("videoSources", "1")):
                element.set(key, value)
        if sound:
            element.set("hasAudio", "1")
            element.set("audioSources", str(max(1, len(media.streams))))
            element.set("audioChannels", str(sum(media.streams) or media.channels or 2))
            element.set("audioRate", str(media.sample_rate or self.edit.sample_rate))
        self._assets[media] = self._id()
        element.set("id", self._assets[media])
        ET.SubElement(element, "media-rep", kind="original-media", src=common.address(media))
        self.resources.append(element)
        return self._assets[media]


def seconds_fraction(t: Fraction) -> str:
    """A time with its denominator even when that is one, as formats are written."""
    return f"{t.numerator}/{t.denominator}s"


def _media(clip: EditClip) -> EditMedia:
    """The clip's media, or a stand-in without an address."""
    return clip.media or EditMedia(clip.name or "missing", "", None)


def _local_start(clip: EditClip) -> Fraction:
    """The clip's own clock at its first frame: media time, divided by the speed where there is one."""
    return clip.source_in if clip.speed in (0, 1) else clip.source_in / abs(clip.speed)


def _handles(track: EditTrack, clip: EditClip) -> tuple[Fraction, Fraction]:
    """Seconds of media that dissolves play before and after a clip."""
    before = (t.before for t in track.transitions if t.cut == clip.start)
    after = (t.after for t in track.transitions if t.cut == clip.end)
    return next(before, Fraction(0)), next(after, Fraction(0))


def _into(track: EditTrack, clip: EditClip) -> EditTransition | None:
    return next((t for t in track.transitions if t.cut == clip.start), None)


def _runs(track: EditTrack) -> Iterator[list[EditClip]]:
    """The track's clips, those joined by dissolves together."""
    run: list[EditClip] = []
    for clip in track.clips:
        if run and not (run[-1].end == clip.start and _into(track, clip)):
            yield run
            run = []
        run.append(clip)
    if run:
        yield run


def _after(element: ET.Element, *tags: str) -> int:
    """The place behind the last child with one of `tags`."""
    return max((i + 1 for i, child in enumerate(element) if child.tag in tags), default=0)
