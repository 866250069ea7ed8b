"""AAF for Pro Tools, Media Composer and Fairlight: sample-accurate sound with linked or embedded media."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from importlib.util import find_spec
from itertools import count
from math import ceil
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import numpy as np
from numpy.typing import NDArray

from ..engine.edit import keyframes
from ..engine.edit.losses import Losses
from ..engine.edit.model import Edit, EditClip, EditMedia, EditTrack
from ..engine.errors import MediaError, WriteError
from ..engine.files import replacing_path
from ..engine.installation import line_for
from ..engine.media.layout import Layout
from ..engine.media.reader import read_blocks
from ..engine.media.time import round_half_up, to_frames, to_samples
from ..engine.passage import Channel
from . import common

TITLE = "AAF"
# Definitions of the AAF Edit Protocol.
_GAIN = "9d2ea894-0968-11d3-8a38-0050040ef7d2"
_AUDIO_DISSOLVE = "0c3bea41-fc05-11d2-8a29-0050040ef7d2"
_VIDEO_DISSOLVE = "0c3bea40-fc05-11d2-8a29-0050040ef7d2"
_AMPLITUDE = "e4962321-2267-11d3-8a4c-0050040ef7d2"
_LEVEL = "e4962320-2267-11d3-8a4c-0050040ef7d2"
_LINEAR = "5b6c85a4-0ede-11d3-80a9-006008143e6f"
_PARAMETERS = {_AMPLITUDE: "Amplitude", _LEVEL: "Level"}
_OPERATIONS = {
    _GAIN: ("Mono Audio Gain", 1, _AMPLITUDE),
    _AUDIO_DISSOLVE: ("Mono Audio Dissolve", 2, _LEVEL),
    _VIDEO_DISSOLVE: ("Video Dissolve", 2, _LEVEL),
}
_TIME_SCALE = 2**31 - 1  # rationals are two 32-bit numbers
_VALUE_SCALE = 10**6
_LOUDEST_DB = 60.0
_EPOCH = datetime(2026, 1, 1)
_SOUND_FILES = (".wav", ".bwf", ".aif", ".aiff", ".rf64")


def write(edit: Edit, out: Path, embed: bool = False, repeatable: bool = False) -> tuple[str, ...]:
    """Write `edit` as an AAF to `out`; returns what the format could not carry, a sentence each.

    Structure: AAF Edit Protocol, one composition with a slot per channel of every sound track, as mixing rooms
    expect it ("Music.L", "Music.R"). Sound counts samples of the timeline, picture frames; media are linked where
    they lie. `embed` puts their sound into the AAF as 24-bit PCM instead: experimental, few programs open it.
    `repeatable` takes identifiers from the edit's name and a fixed date, not new ones and today's: equal edits give
    equal bytes. Gain curves become gain automation, fades and dissolves transitions. What is muted, a clip or all on a
    track, is the unused alternative of a selector that plays nothing, as Media Composer mutes clips: a reader that
    knows no selectors plays nothing either. Markers are descriptive markers of the first track. Raises WriteError, also
    where pyaaf2 is not installed, and MediaError for sound to embed that cannot be read.
    """
    check(edit)
    import aaf2

    with replacing_path(out) as partial, aaf2.open(str(partial), "w") as file:
        writer = _Writer(edit, file, embed, repeatable)
        writer.compose()
    return writer.losses.sentences()


def check(edit: Edit) -> None:
    """Raise WriteError where pyaaf2 is not installed, or the timeline's rate counts no frames."""
    if find_spec("aaf2") is None:
        raise WriteError(f"Writing AAF needs pyaaf2; install it with `{line_for('hosts')}`.")
    common.timebase(edit.rate, TITLE)


@dataclass(frozen=True)
class _Piece:
    """A clip on a slot's grid: where it starts and how long it plays, in edit units of the slot."""

    clip: EditClip
    start: int
    length: int
    source: int  # edit units from the media's first
    played: int = 0  # the file's channel, from 0
    muted: bool = False


@dataclass(frozen=True)
class _Joint:
    """A dissolve in edit units: the part before the cut and the part after it."""

    before: int
    after: int

    @property
    def length(self) -> int:
        return self.before + self.after


@dataclass(frozen=True)
class _Use:
    """A file's length in seconds and its channels."""

    length: Fraction
    channels: int


class _Writer:
    def __init__(self, edit: Edit, file: Any, embed: bool, repeatable: bool = False) -> None:
        self.losses = Losses(edit.losses)
        self.edit = common.feasible(edit, self.losses)
        self.file = file
        self.embed = embed
        self._numbers = count(1) if repeatable else None
        self._masters: dict[tuple[EditMedia, str, str], Any] = {}
        self._files: dict[tuple[EditMedia, str], list[tuple[Any, int]]] = {}
        self._defined: set[str] = set()
        self._uses = _uses(self.edit)
        self._heard = {c.media for t in self.edit.tracks for c in t.clips if _plays(t, c)}

    def compose(self) -> None:
        """Put the composition and everything it plays into the file."""
        edit = self.edit
        composition = self.file.create.CompositionMob(edit.name or "sightmix")
        composition.usage = "Usage_TopLevel"
        self._add(composition)
        self._timecode(composition, edit.start, edit.duration)
        numbers = {"video": count(1), "audio": count(1)}
        for track in edit.tracks:
            if track.kind == "video":
                self._slot(composition, track, next(numbers["video"]), track.name, None)
                continue
            width = _width(track)
            for channel in range(width):
                self._slot(composition, track, next(numbers["audio"]), _name(track, channel, width), channel)
        if edit.markers:
            self._markers(composition)

    def _add(self, mob: Any) -> None:
        """Put a mob into the file, before anything refers to it."""
        if self._numbers is not None:
            self._identify(mob, next(self._numbers))
        self.file.content.mobs.append(mob)

    def _identify(self, mob: Any, number: int) -> None:
        """Identifiers and dates that the next run gives again."""
        own = mob.mob_id
        own.material = uuid5(NAMESPACE_URL, f"{self.edit.name} {number}")
        mob.mob_id = own
        for dated in ("CreationTime", "LastModified"):
            mob[dated].value = _EPOCH
        header = self.file.header
        header["LastModified"].value = _EPOCH
        for made in header["IdentificationList"].value:
            made["Date"].value = _EPOCH
            made["GenerationAUID"].value = uuid5(NAMESPACE_URL, self.edit.name)

    def _timecode(self, mob: Any, start: Fraction, length: Fraction, rate: Fraction | None = None) -> None:
        rate = rate or self.edit.rate
        slot = mob.create_timeline_slot(edit_rate=_rational(rate))
        slot.name = "TC"
        slot["PhysicalTrackNumber"].value = 1
        timecode = self.file.create.Timecode(round_half_up(rate), drop=common.drops(self.edit, rate))
        timecode.start = to_frames(start, rate)
        timecode.length = max(1, ceil(length * rate))
        slot.segment = timecode

    def _markers(self, mob: Any) -> None:
        """The timeline's markers on a slot of events; what they are called stands before their note."""
        described = next((slot.slot_id for slot in mob.slots if slot.name != "TC"), 1)
        slot = self.file.create.EventMobSlot()
        slot["EditRate"].value = _rational(self.edit.rate)
        slot["SlotID"].value = max(slot.slot_id for slot in mob.slots) + 1
        slot["PhysicalTrackNumber"].value = 1
        sequence = self.file.create.Sequence(media_kind="DescriptiveMetadata")
        for marker in sorted(self.edit.markers, key=lambda marker: marker.start):
            event = self.file.create.DescriptiveMarker()
            event["Position"].value = to_frames(marker.start, self.edit.rate)
            event["Length"].value = max(1, to_frames(marker.duration, self.edit.rate))
            event["Comment"].value = ": ".join(part for part in (marker.name, marker.note) if part)
            event["DescribedSlots"].value = {described}
            colour = self.file.create.TaggedValue("_ATN_CRM_COLOR", (marker.color or "red").capitalize())
            event["CommentMarkerAttributeList"].append(colour)
            sequence.components.append(event)
        slot.segment = sequence
        mob.slots.append(slot)

    # Slots of the composition.

    def _slot(self, mob: Any, track: EditTrack, number: int, name: str, channel: int | None) -> None:
        sound = channel is not None
        rate = Fraction(self.edit.sample_rate) if sound else self.edit.rate
        slot = mob.create_empty_sequence_slot(_rational(rate), media_kind="sound" if sound else "picture")
        slot.name = name
        slot["PhysicalTrackNumber"].value = number
        sequence = slot.segment
        pieces = list(self._pieces(track, rate, channel))
        end = 0
        for i, piece in enumerate(pieces):
            met = piece.start == end and i > 0
            joint = _joint(track, piece.clip.start, rate) if met else None
            self._enter(sequence, piece, joint, piece.start - end, rate, sound)
            end = piece.start + piece.length
            meets = i + 1 < len(pieces) and pieces[i + 1].start == end
            late = _joint(track, piece.clip.end, rate) if meets else None
            early = joint.before if joint else 0
            self._append(sequence, self._segment(piece, rate, channel, early, late.after if late else 0))
            self._leave(sequence, piece, rate, sound)

    def _pieces(self, track: EditTrack, rate: Fraction, channel: int | None) -> Iterator[_Piece]:
        """The clips that show, or sound on this channel, on the slot's grid."""
        for clip in track.clips:
            channels = common.file_channels(clip, track.channels)
            if channel is not None and channel >= len(channels):
                continue
            grid = common.Frames(clip, rate)
            if grid.length < 1:
                self.losses.add("Clips shorter than half an edit unit are left out", not channel)
                continue
            muted = not (track.enabled and clip.enabled)
            if self.embed and channel is not None and muted:
                self.losses.add("Muted clips are left out where sound is embedded", not channel)
                continue
            if not channel:
                self._note(clip, track, grid)
            played = 0 if channel is None else channels[channel]
            yield _Piece(clip, grid.start, grid.length, to_frames(grid.offset, rate), played, muted)

    def _note(self, clip: EditClip, track: EditTrack, grid: common.Frames) -> None:
        if clip.speed != 1:
            self.losses.add("Changed speeds are not carried: the clips play at their own", 1)
        if track.kind == "video" and not grid.exact:
            self.losses.add("Picture cuts between frames are rounded", 1)

    @staticmethod
    def _append(sequence: Any, component: Any) -> None:
        sequence.components.append(component)
        sign = -1 if type(component).__name__ == "Transition" else 1
        sequence.length = (sequence.length or 0) + sign * component.length

    def _filler(self, length: int, sound: bool) -> Any:
        return self.file.create.Filler("sound" if sound else "picture", length)

    # Dissolves and fades: both are transitions, which overlap what lies before and after them.

    def _enter(
        self, sequence: Any, piece: _Piece, joint: _Joint | None, gap: int, rate: Fraction, sound: bool
    ) -> None:
        fade = 0 if joint else to_frames(piece.clip.fade_in, rate)
        if gap + fade:
            self._append(sequence, self._filler(gap + fade, sound))
        if joint or fade:
            length, cut = (joint.length, joint.before) if joint else (fade, 0)
            self._append(sequence, self._transition(length, cut, sound))

    def _leave(self, sequence: Any, piece: _Piece, rate: Fraction, sound: bool) -> None:
        fade = to_frames(piece.clip.fade_out, rate)
        if fade:
            self._append(sequence, self._transition(fade, fade, sound))
            self._append(sequence, self._filler(fade, sound))

    def _transition(self, length: int, cut: int, sound: bool) -> Any:
        kind = "sound" if sound else "picture"
        group = self._group(_AUDIO_DISSOLVE if sound else _VIDEO_DISSOLVE, length, kind)
        group.parameters.append(
            self._varying(_LEVEL, [(Fraction(0), Fraction(0)), (Fraction(1), Fraction(1))])
        )
        transition = self.file.create.Transition(kind, length)
        transition["OperationGroup"].value = group
        transition.cutpoint = cut
        return transition

    # Clips and their gain.

    def _segment(self, piece: _Piece, rate: Fraction, channel: int | None, early: int, late: int) -> Any:
        length = piece.length + early + late
        source = self._source(piece, rate, channel, piece.source - early, length)
        if (
            piece.muted
        ):  # inside its gain: OTIO's reader takes a gain that is an alternative for one that plays
            source = self._muted(source, channel is not None)
        curve = keyframes.extended(piece.clip.gain, early / rate)
        if channel is None or curve is None or keyframes.is_unity(curve):
            return source
        seconds = length / rate
        line = common.points(curve, seconds, keyframes.SILENCE_DB, _LOUDEST_DB)
        steady = common.constant(line)
        if steady is None:
            gain = self._varying(_AMPLITUDE, [(t / seconds, _factor(db)) for t, db in line])
        else:
            amplitude = self._parameter(_AMPLITUDE)
            gain = self.file.create.ConstantValue(amplitude, _rational(_factor(steady)))
        group = self._group(_GAIN, length, "sound")
        group.parameters.append(gain)
        group.segments.append(source)
        return group

    def _muted(self, segment: Any, sound: bool) -> Any:
        """A segment that is there and not played."""
        selector = self.file.create.Selector()
        selector.media_kind = "sound" if sound else "picture"
        selector.length = segment.length
        selector["Selected"].value = self._filler(segment.length, sound)
        selector["Alternates"].append(segment)
        return selector

    def _source(self, piece: _Piece, rate: Fraction, channel: int | None, start: int, length: int) -> Any:
        clip = piece.clip
        kind = "picture" if channel is None else "sound"
        if clip.media is None:
            self.losses.add("Clips without media are empty", not channel)
            return self._filler(length, channel is not None)
        master = self._master(clip.media, clip.name or clip.media.name, kind, rate)
        found = self.file.create.SourceClip(max(0, start), length, media_kind=kind)
        found.mob_id = master.mob_id
        found.slot_id = piece.played + 1
        return found

    # Media: a master for every name a file is used by, and below it one file per medium.

    def _master(self, media: EditMedia, name: str, kind: str, rate: Fraction) -> Any:
        key = (media, name, kind)
        if key not in self._masters:
            master = self.file.create.MasterMob(name)
            self._add(master)
            for number, (source, slot_id) in enumerate(self._sources(media, kind, rate), 1):
                slot = master.create_timeline_slot(_rational(rate), number)
                slot.name = media.name
                slot["PhysicalTrackNumber"].value = number
                slot.segment = source.create_source_clip(slot_id, media_kind=kind)
            self._masters[key] = master
        return self._masters[key]

    def _sources(self, media: EditMedia, kind: str, rate: Fraction) -> list[tuple[Any, int]]:
        """The file mobs of a medium and their slots, channel by channel."""
        key = (media, kind)
        if key not in self._files:
            if kind == "sound" and self.embed:
                self._files[key] = [(mob, 1) for mob in self._embedded(media, rate)]
            else:
                mob = self._linked(media, kind, rate)
                count_ = self._uses[media].channels if kind == "sound" else 1
                self._files[key] = [(mob, number) for number in range(1, count_ + 1)]
        return self._files[key]

    def _linked(self, media: EditMedia, kind: str, rate: Fraction) -> Any:
        mob = self.file.create.SourceMob(media.name)
        self._add(mob)
        use = self._uses[media]
        length = max(1, to_frames(use.length, rate))
        descriptor = self._sound(media, use) if kind == "sound" else self._picture(media, use)
        descriptor["ContainerFormat"].value = self.file.dictionary.lookup_containerdef("External")
        if media.url or media.path:
            locator = self.file.create.NetworkLocator()
            locator["URLString"].value = common.address(media)
            descriptor["Locator"].append(locator)
        mob.descriptor = descriptor
        for number in range(1, (use.channels if kind == "sound" else 1) + 1):
            slot = mob.create_empty_slot(_rational(rate), kind, number)
            slot["PhysicalTrackNumber"].value = number
            slot.segment.length = length
        if media.start:
            self._timecode(mob, media.start, use.length)
        if kind == "sound" and media in self._heard:
            self._judge(media)
        return mob

    def _judge(self, media: EditMedia) -> None:
        if Path(media.name).suffix.lower() not in _SOUND_FILES:
            self.losses.add("Sound is linked inside film files, which mixing rooms often refuse.")
        elif media.bits not in (0, 16, 24):
            self.losses.add("Linked files of other than 16 or 24 bits may be refused by mixing rooms.")

    def _sound(self, media: EditMedia, use: _Use, channels: int = 0, bits: int = 0) -> Any:
        sample_rate = media.sample_rate or self.edit.sample_rate
        width = channels or use.channels
        depth = bits or media.bits or 16
        align = width * ((depth + 7) // 8)
        descriptor = self.file.create.PCMDescriptor()
        descriptor["Channels"].value = width
        descriptor["BlockAlign"].value = align
        descriptor["AverageBPS"].value = align * sample_rate
        descriptor["QuantizationBits"].value = depth
        descriptor["SampleRate"].value = sample_rate
        descriptor["AudioSamplingRate"].value = sample_rate
        descriptor.length = to_samples(use.length, sample_rate)
        return descriptor

    def _picture(self, media: EditMedia, use: _Use) -> Any:
        rate = media.rate or self.edit.rate
        width, height = media.width or self.edit.width, media.height or self.edit.height
        descriptor = self.file.create.CDCIDescriptor()
        descriptor["ComponentWidth"].value = 8
        descriptor["HorizontalSubsampling"].value = 2
        descriptor["ImageAspectRatio"].value = f"{width}/{height}"
        descriptor["StoredWidth"].value = width
        descriptor["StoredHeight"].value = height
        descriptor["FrameLayout"].value = "FullFrame"
        descriptor["VideoLineMap"].value = [42, 0]
        descriptor["SampleRate"].value = _rational(rate)
        descriptor.length = to_frames(use.length, rate)
        return descriptor

    def _embedded(self, media: EditMedia, rate: Fraction) -> Iterator[Any]:
        """A file mob per channel with its sound in the AAF: 24 bits, the file's own sample rate."""
        if media.path is None:
            raise MediaError(
                f"{media.name} is offline, so its sound cannot be embedded; relink it or link the AAF."
            )
        use = self._uses[media]
        flat = [Channel(s, c) for s, width in enumerate(media.streams) for c in range(width)]
        for number, channel in enumerate(flat, 1):
            mob = self.file.create.SourceMob(f"{media.name}.{number}")
            self._add(mob)
            essence, slot = mob.create_essence(_rational(rate), "sound")
            slot.segment.length = to_frames(use.length, rate)
            descriptor = self._sound(media, use, 1, 24)
            descriptor["ContainerFormat"].value = self.file.dictionary.lookup_containerdef("AAF")
            mob.descriptor = descriptor
            stream = essence.open("w")
            samples = to_samples(use.length, media.sample_rate)
            for block in read_blocks(media.path, 0, samples, [channel], stamp=media.stamp):
                stream.write(_pcm24(block))
            if media.start:
                self._timecode(mob, media.start, use.length)
            yield mob

    # Definitions, written once where first needed.

    def _group(self, identity: str, length: int, kind: str) -> Any:
        name, inputs, parameter = _OPERATIONS[identity]
        dictionary = self.file.dictionary
        if identity not in self._defined:
            self._defined.add(identity)
            operation = self.file.create.OperationDef(identity, name, name)
            dictionary.register_def(operation)
            operation.media_kind = kind
            operation["IsTimeWarp"].value = False
            operation["NumberInputs"].value = inputs
            operation["OperationCategory"].value = "OperationCategory_Effect"
            operation["ParametersDefined"].append(self._parameter(parameter))
        return self.file.create.OperationGroup(dictionary.lookup_operationdef(_auid(identity)), length, kind)

    def _parameter(self, identity: str) -> Any:
        dictionary = self.file.dictionary
        if identity not in self._defined:
            self._defined.add(identity)
            name = _PARAMETERS[identity]
            dictionary.register_def(self.file.create.ParameterDef(identity, name, name, "Rational"))
        return dictionary.lookup_parameterdef(_auid(identity))

    def _varying(self, identity: str, line: list[tuple[Fraction, Fraction]]) -> Any:
        dictionary = self.file.dictionary
        if _LINEAR not in self._defined:
            self._defined.add(_LINEAR)
            dictionary.register_def(
                self.file.create.InterpolationDef(_LINEAR, "LinearInterp", "Linear keyframe interpolation")
            )
        parameter = self._parameter(identity)  # before the factory: it forgets its class when asked twice
        value = self.file.create.VaryingValue(parameter)
        value.interpolationdef = dictionary.lookup_interperlationdef(_auid(_LINEAR))
        points = []
        for t, level in line:
            point = self.file.create.ControlPoint()
            point["EditHint"].value = "Proportional"
            point.time = _rational(t)
            point["Value"].add_pid_entry()
            point["Value"].data = point["Value"].typedef.encode(_rational(level), value.typedef)
            point["Value"].mark_modified()
            points.append(point)
        value["PointList"].extend(points)
        return value


def _uses(edit: Edit) -> dict[EditMedia, _Use]:
    """How long every file is and how many channels it has, as far as the timeline plays it where nobody knows."""
    found: dict[EditMedia, _Use] = {}
    for track in edit.tracks:
        for clip in track.clips:
            media = clip.media
            if media is None:
                continue
            old = found.get(media, _Use(media.duration or Fraction(0), sum(media.streams) or media.channels))
            played = common.file_channels(clip, track.channels) if track.kind == "audio" else ()
            found[media] = _Use(
                old.length
                if media.duration
                else max(old.length, clip.source_in - media.start + clip.duration),
                max([old.channels, *(channel + 1 for channel in played)]),
            )
    return found


def _joint(track: EditTrack, cut: Fraction, rate: Fraction) -> _Joint | None:
    """The dissolve around a cut, in edit units."""
    transition = next((t for t in track.transitions if t.cut == cut), None)
    if transition is None:
        return None
    joint = _Joint(to_frames(transition.before, rate), to_frames(transition.after, rate))
    return joint if joint.length else None


def _plays(track: EditTrack, clip: EditClip) -> bool:
    """Whether a clip of a sound track is heard."""
    return track.kind == "audio" and track.enabled and clip.enabled


def _width(track: EditTrack) -> int:
    """How many slots of one channel hold the track."""
    return max([1, track.channels, *(len(common.file_channels(c, track.channels)) for c in track.clips)])


def _name(track: EditTrack, channel: int, width: int) -> str:
    """The name of one channel of a track: "Music.L"."""
    if width == 1:
        return track.name
    return f"{track.name}.{Layout.of_count(width).labels[channel]}"


def _auid(text: str) -> Any:
    from aaf2.auid import AUID

    return AUID(text)


def _rational(value: Fraction) -> Any:
    """The number as AAF stores it: two 32-bit figures."""
    from aaf2.rational import AAFRational

    return AAFRational(value.limit_denominator(_TIME_SCALE))


def _factor(db: float) -> Fraction:
    return Fraction(round(common.amplitude(db) * _VALUE_SCALE), _VALUE_SCALE)


def _pcm24(block: NDArray[np.float32]) -> bytes:
    """One channel (1, samples) as little-endian 24-bit integers."""
    scaled = np.clip(np.round(block[0].astype(np.float64) * 2**23), -(2**23), 2**23 - 1)
    return bytes(scaled.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes())
