"""The mixing desk: which clip lies in which lane of the programme, and the sum of all of them as a stream."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...engine.edit.categories import Category
from ...engine.edit.lanes import played
from ...engine.edit.model import EditClip, EditMedia, EditTrack
from ...engine.edit.nodes import Pointer
from ...engine.errors import MediaError
from ...engine.media.container import layout_of
from ...engine.media.reader import probe
from ...engine.passage import Note, Passage, Rendition, Shot
from ...engine.programme.programme import SAMPLE_RATE, Programme, programme_of
from ...engine.programme.sound import Voice, layout_of_clip, mixed, voices
from ...engine.progress import Progress
from ...engine.roles import STEMS
from ...engine.version import engine_version
from .keys import Identities, digest_of
from .laid import Laid, Parted

if TYPE_CHECKING:
    from ...engine.highlight.levelling import Sum
    from ...engine.highlight.listening import Score
    from ..timeline import AudioClip, Timeline
    from .stage import Identity

Array = NDArray[np.float32]

_KNOWN, _PARTED, _STILL, _OTHER = "known", "parted", "still", "other"
# Lanes in order: stems that are ridden, of tracks and of separated clips; stems that stay as they are; the rest.
_LANES = (
    *((_KNOWN, s) for s in STEMS),
    *((_PARTED, s) for s in STEMS),
    *((_STILL, s) for s in STEMS),
    (_OTHER, ""),
)
_THIRD = len(STEMS)
MARGIN = 64  # samples at both ends of a stretch's stems that are not heard
_SHORT = 1e-6  # s, or samples: what roundings come to


@dataclass(frozen=True)
class Seat:
    """A clip's place at the desk.

    `category` is what it holds, `ridden` whether the job moves it. `stems` are its own where it had to be separated,
    and `parted` is where they come from, if that is known.
    """

    clip: AudioClip
    category: Category
    ridden: bool
    stems: Parted | None = None
    parted: Rendition | None = None

    @property
    def known(self) -> bool:
        """Whether it is one stem by itself."""
        return bool(self.category.stem) and self.stems is None

    @property
    def begins(self) -> float:
        """Passage seconds of its stems' first sample."""
        cue = self.clip.timeline.cue(self.clip.leaf)
        if self.stems is None or cue is None:
            return 0.0
        return self.stems.first / self.stems.rate - float(cue.start)


@dataclass(frozen=True)
class Desk:
    """A timeline's programme in lanes; whatever asks for sound gets it in record time at 48 kHz."""

    timeline: Timeline
    seats: tuple[Seat, ...]
    programme: Programme

    @property
    def start(self) -> Fraction:
        """Where it begins, in record seconds."""
        return Fraction(self.programme.first, SAMPLE_RATE)

    @property
    def laid(self) -> Laid:
        """Where its clips lie, to be laid again."""
        return Laid(
            {seat.clip.index: seat.category.kind for seat in self.seats},
            frozenset(seat.clip.index for seat in self.seats if seat.ridden),
            {seat.clip.index: seat.stems for seat in self.seats if seat.ridden and seat.stems is not None},
        )

    def over(self, first: int, samples: int) -> Desk:
        """A stretch of it, from the record's sample `first` on at 48 kHz."""
        return replace(self, programme=self.programme.over(first, samples))

    def score(self) -> Score:
        """The programme as the engine listens to it, in seconds from its first sample."""
        from ...engine.highlight.listening import Score

        programme = self.programme
        return Score(
            self.timeline.name,
            SAMPLE_RATE,
            programme.samples,
            programme.layout.mono,
            self._heard,
            self.picture(),
            self._remarks(),
        )

    def picture(self) -> tuple[Shot, ...]:
        """What is seen with it, in seconds from its first sample."""
        return _seen(self.timeline.picture(), self.start, Fraction(self.programme.samples, SAMPLE_RATE))

    def _remarks(self) -> tuple[Note, ...]:
        start, length = self.start, Fraction(self.programme.samples, SAMPLE_RATE)
        moved = (replace(note, start=note.start - start) for note in self.timeline.remarks())
        return tuple(note for note in moved if note.start < length and note.start + note.duration >= 0)

    def sum(self) -> Sum:
        """The programme as what finds its level takes it."""
        from ...engine.highlight.levelling import Sum

        programme = self.programme
        return Sum(self.timeline.name, SAMPLE_RATE, programme.samples, programme.layout, self._summed)

    def key(self, stage: Identity, identities: Identities) -> str:
        """Digest of all that listening depends on. Raises MediaError for media that cannot be read."""
        return digest_of(
            {
                "version": engine_version(),
                "stage": stage.stage,
                "models": dict(stage.models),
                "context": stage.settings.get("context"),
                "samples": self.programme.samples,
                "speakers": self.programme.layout.labels,
                "lanes": [[_facts(voice, identities) for voice in lane] for lane in self.programme.lanes],
                "notes": [[note.start, note.duration, note.text] for note in self._remarks()],
                "shots": [
                    [
                        s.start,
                        s.duration,
                        None if s.path is None else identities.of(s.path),
                        s.media_start,
                        s.speed,
                    ]
                    for s in self.picture()
                ],
            }
        )

    def _heard(self) -> Iterator[Array]:
        for block in self.programme.blocks():
            known = block[:_THIRD] + block[2 * _THIRD : 3 * _THIRD]
            yield np.concatenate([known, block[_THIRD : 2 * _THIRD], block[3 * _THIRD :]])

    def _summed(self) -> Iterator[Array]:
        return self.summed(self.programme.first, self.programme.samples)

    def summed(self, first: int, samples: int) -> Iterator[Array]:
        """Blocks (4, channels, n) from the record's sample `first` on: what gains move, stem by stem, and the rest.

        Raises MediaError.
        """
        for block in self.programme.over(first, samples).blocks():
            ridden = block[:_THIRD] + block[_THIRD : 2 * _THIRD]
            yield np.concatenate([ridden, block[2 * _THIRD :].sum(axis=0, keepdims=True)])


def unreadable(
    timeline: Timeline, progress: Progress, span: tuple[int, int] | None = None
) -> Mapping[Pointer, MediaError]:
    """The clips that are heard whose sound cannot be read, by their place, and why. Raises Cancelled.

    They are read to their end, or over the `span` alone: the first sample at 48 kHz, and the one after the last.
    """
    found: dict[Pointer, MediaError] = {}
    for track in _heard_tracks(timeline):
        for clip in track.clips:
            try:
                for voice in voices(replace(track, clips=(clip,)), SAMPLE_RATE):
                    first, last = (voice.first, voice.last) if span is None else span
                    first, last = max(first, voice.first), min(last, voice.last)
                    for _ in mixed([[voice]], SAMPLE_RATE, layout_of_clip(clip), first, last - first):
                        progress.report("check", clip.name, 0, 0)
            except MediaError as error:
                found.setdefault(clip.pointer, error)
    return found


def _heard_tracks(timeline: Timeline) -> list[EditTrack]:
    return [track for track in played(timeline.edit).tracks if track.kind == "audio" and track.enabled]


def desk_of(timeline: Timeline, seats: Sequence[Seat], without: Collection[Pointer] = ()) -> Desk:
    """Seat the clips that are heard; every other one that plays is part of the rest, but those at `without` are silent.

    Raises MediaError.
    """
    by_pointer = {leaf.pointer: seat for seat in seats for leaf in seat.clip.leaves}
    main = {seat.clip.leaf.pointer for seat in seats}
    tracks: dict[str, list[EditTrack]] = {}
    heard = [
        replace(track, clips=tuple(clip for clip in track.clips if clip.pointer not in without))
        for track in _heard_tracks(timeline)
    ]
    for kind, stem in _LANES:
        lane = f"{kind}-{stem}"
        tracks[lane] = []
        for track in heard:
            clips = tuple(
                found
                for clip in track.clips
                if (found := _in_lane(clip, by_pointer.get(clip.pointer), clip.pointer in main, kind, stem))
            )
            tracks[lane].append(replace(track, clips=clips))
    programme = programme_of(timeline.name, tracks, timeline.edit.duration)
    covered = {
        leaf.pointer: span
        for seat in seats
        if seat.ridden and seat.stems is not None and (span := _covered(seat))
        for leaf in seat.clip.leaves
    }
    if covered:
        lanes = zip(_LANES, programme.lanes, strict=True)
        cut = tuple(
            tuple(piece for voice in lane for piece in _pieces(voice, covered, kind == _PARTED))
            for (kind, _), lane in lanes
        )
        programme = replace(programme, lanes=cut)
    return Desk(timeline, tuple(seats), programme)


def _covered(seat: Seat) -> tuple[int, int] | None:
    """The record's samples, first and after the last, over which a clip has stems; None where it is all of it."""
    clip, stems = seat.clip, seat.stems
    cue = clip.timeline.cue(clip.leaf)
    if cue is None or stems is None:
        return None
    ends = np.array([seat.begins, seat.begins + stems.samples / stems.rate])
    if ends[0] <= _SHORT and ends[1] >= float(cue.duration) - _SHORT:
        return None
    # Speed changes and other rates are read a little beyond both ends.
    ends += (
        np.where([ends[0] > _SHORT, ends[1] < float(cue.duration) - _SHORT], [MARGIN, -MARGIN], 0)
        / stems.rate
    )
    first, last = sorted(record_times(clip.timeline, clip, ends).tolist())
    return math.ceil(first * SAMPLE_RATE - _SHORT), math.floor(last * SAMPLE_RATE + _SHORT)


def _pieces(voice: Voice, covered: Mapping[Pointer, tuple[int, int]], parted: bool) -> list[Voice]:
    """A voice where it sounds: as stems where there are stems, as it is around them."""
    span = covered.get(voice.clip.pointer)
    if span is None:
        return [voice]
    spans = [span] if parted else [(voice.first, span[0]), (span[1], voice.last)]
    found = ((max(first, voice.first), min(last, voice.last)) for first, last in spans)
    return [replace(voice, first=first, last=last) for first, last in found if first < last]


def _in_lane(clip: EditClip, seat: Seat | None, main: bool, kind: str, stem: str) -> EditClip | None:
    """The clip as it sounds in a lane, None where it does not."""
    if seat is not None and seat.stems is not None and seat.ridden:
        if kind == _PARTED:
            return _stem_of(clip, seat.stems, stem) if main else None
        whole = _covered(seat) is None
        return clip if kind == _OTHER and not whole else None
    known = seat.category.stem if seat is not None and seat.category.certain else ""
    own = (_KNOWN if seat is not None and seat.ridden else _STILL, known) if known else (_OTHER, "")
    return clip if own == (kind, stem) else None


def _stem_of(clip: EditClip, stems: Parted, stem: str) -> EditClip:
    """A clip that plays one of its stems' files instead of its media."""
    assert clip.media is not None
    path = stems.stems[stem]
    moved = clip.media.start + Fraction(stems.first, stems.rate)
    layout = layout_of(probe(path))
    media = EditMedia(
        path.name,
        str(path),
        path,
        duration=Fraction(stems.samples, stems.rate),
        sample_rate=stems.rate,
        channels=layout.channels,
        streams=(layout.channels,),
    )
    return replace(clip, media=media, source_in=clip.source_in - moved, channels=None)


def stems_of(passage: Passage, made: Rendition) -> Parted:
    """The stems that a passage was separated into."""
    rate = made.sample_rate
    return Parted(made.stems, rendered_first(passage, rate), made.samples, rate)


def _seen(shots: Sequence[Shot], start: Fraction, length: Fraction) -> tuple[Shot, ...]:
    """The shots that are seen over a stretch, whole, in seconds from its start."""
    moved = (replace(shot, start=shot.start - start) for shot in shots)
    return tuple(shot for shot in moved if shot.start < length and shot.start + shot.duration > 0)


def rendered_first(passage: Passage, rate: int) -> int:
    """The sample of the media file that a rendition's first one is."""
    from ...engine.media.time import to_samples

    return to_samples(passage.sound.start, rate) - to_samples(passage.head, rate)


def record_times(timeline: Timeline, clip: AudioClip, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Record seconds at which a clip plays what lies at passage `times` (n) in seconds; handles go on at its ends."""
    record, passage = _points(timeline, clip)
    if passage[-1] < passage[0]:
        record, passage = record[::-1], passage[::-1]
    return _extended(times, np.maximum.accumulate(passage), record)


def passage_times(timeline: Timeline, clip: AudioClip, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Passage seconds of what a clip plays at record `times` (n) in seconds."""
    record, passage = _points(timeline, clip)
    return _extended(times, record, passage)


def _points(timeline: Timeline, clip: AudioClip) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places in the record and in the passage, in seconds, between which a clip runs at one speed."""
    cue = timeline.cue(clip.leaf)
    if cue is None:
        ends = np.array([0.0, float(clip.duration)])
        return ends + float(clip.record_in), ends
    inner = [r - cue.skipped for r, _ in cue.plan.points[1:-1]]
    offsets = sorted({Fraction(0), clip.duration, *(r for r in inner if 0 < r < clip.duration)})
    passage = np.array([float(cue.media_at(offset)) for offset in offsets])
    return np.array([float(clip.record_in + offset) for offset in offsets]), passage


def _extended(
    times: NDArray[np.float64], known: NDArray[np.float64], at: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Straight lines through (known, at), read at `times` (n) and going on beyond both ends."""
    found = np.interp(times, known, at)
    before, after = times < known[0], times > known[-1]
    found[before] = at[0] + (times[before] - known[0]) * _slope(known[:2], at[:2])
    found[after] = at[-1] + (times[after] - known[-1]) * _slope(known[-2:], at[-2:])
    return found


def _slope(known: NDArray[np.float64], at: NDArray[np.float64]) -> float:
    width = float(known[-1] - known[0])
    return float(at[-1] - at[0]) / width if width else 1.0


def _facts(voice: Voice, identities: Identities) -> list[object]:
    """All of a clip that changes how it sounds where it lies, its dissolves included."""
    clip = voice.clip
    assert clip.media is not None
    assert clip.media.path is not None
    gain = [] if clip.gain is None else [list(clip.gain.times), list(clip.gain.db)]
    return [
        identities.of(clip.media.path),
        clip.start,
        clip.duration,
        clip.source_in - clip.media.start,
        clip.speed,
        clip.channels,
        gain,
        voice.first,
        voice.last,
        [[ramp.first, ramp.last, ramp.rising] for ramp in voice.ramps],
    ]
