"""The mixing desk: which clip lies in which lane of the programme, and the sum of all of them as a stream."""

from __future__ import annotations

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
from ...engine.passage import Passage, Rendition
from ...engine.programme.programme import SAMPLE_RATE, Programme, programme_of
from ...engine.programme.sound import Voice, layout_of_clip, mixed, voices
from ...engine.progress import Progress
from ...engine.roles import STEMS
from ...engine.version import engine_version
from .keys import Identities, digest_of

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


@dataclass(frozen=True)
class Seat:
    """A clip's place at the desk.

    `category` is what it holds, `ridden` whether the job moves it. `parted` are its stems where it had to be
    separated; `passage` is what they were made of.
    """

    clip: AudioClip
    category: Category
    ridden: bool
    passage: Passage | None = None
    parted: Rendition | None = None

    @property
    def known(self) -> bool:
        """Whether it is one stem by itself."""
        return bool(self.category.stem) and self.parted is None


@dataclass(frozen=True)
class Desk:
    """A timeline's programme in lanes; whatever asks for sound gets it in record time at 48 kHz."""

    timeline: Timeline
    seats: tuple[Seat, ...]
    programme: Programme

    def score(self) -> Score:
        """The programme as the engine listens to it."""
        from ...engine.highlight.listening import Score

        timeline, programme = self.timeline, self.programme
        return Score(
            timeline.name,
            SAMPLE_RATE,
            programme.samples,
            programme.layout.mono,
            self._heard,
            timeline.picture(),
            timeline.remarks(),
        )

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
                "notes": [[note.start, note.duration, note.text] for note in self.timeline.remarks()],
                "shots": [
                    [
                        s.start,
                        s.duration,
                        None if s.path is None else identities.of(s.path),
                        s.media_start,
                        s.speed,
                    ]
                    for s in self.timeline.picture()
                ],
            }
        )

    def _heard(self) -> Iterator[Array]:
        for block in self.programme.blocks():
            known = block[:_THIRD] + block[2 * _THIRD : 3 * _THIRD]
            yield np.concatenate([known, block[_THIRD : 2 * _THIRD], block[3 * _THIRD :]])

    def _summed(self) -> Iterator[Array]:
        for block in self.programme.blocks():
            ridden = block[:_THIRD] + block[_THIRD : 2 * _THIRD]
            yield np.concatenate([ridden, block[2 * _THIRD :].sum(axis=0, keepdims=True)])


def unreadable(timeline: Timeline, progress: Progress) -> Mapping[Pointer, MediaError]:
    """The clips that are heard whose sound cannot be read to its end, by their place, and why. Raises Cancelled."""
    found: dict[Pointer, MediaError] = {}
    for track in _heard_tracks(timeline):
        for clip in track.clips:
            try:
                for voice in voices(replace(track, clips=(clip,)), SAMPLE_RATE):
                    span = voice.first, voice.last - voice.first
                    for _ in mixed([[voice]], SAMPLE_RATE, layout_of_clip(clip), *span):
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
    return Desk(timeline, tuple(seats), programme)


def _in_lane(clip: EditClip, seat: Seat | None, main: bool, kind: str, stem: str) -> EditClip | None:
    """The clip as it sounds in a lane, None where it does not."""
    if seat is not None and seat.parted is not None and seat.ridden:
        return _stem_of(clip, seat, stem) if kind == _PARTED and main else None
    known = seat.category.stem if seat is not None and seat.category.certain else ""
    own = (_KNOWN if seat is not None and seat.ridden else _STILL, known) if known else (_OTHER, "")
    return clip if own == (kind, stem) else None


def _stem_of(clip: EditClip, seat: Seat, stem: str) -> EditClip:
    """A clip that plays one of its stems' files instead of its media."""
    parted, passage = seat.parted, seat.passage
    assert parted is not None
    assert passage is not None
    assert clip.media is not None
    path = parted.stems[stem]
    first = rendered_first(passage, parted.sample_rate)
    moved = clip.media.start + Fraction(first, parted.sample_rate)
    layout = layout_of(probe(path))
    media = EditMedia(
        path.name,
        str(path),
        path,
        duration=Fraction(parted.samples, parted.sample_rate),
        sample_rate=parted.sample_rate,
        channels=layout.channels,
        streams=(layout.channels,),
    )
    return replace(clip, media=media, source_in=clip.source_in - moved, channels=None)


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
