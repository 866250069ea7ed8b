"""What sounds together: parts of an edit, their voices and the stretch of the record they are heard in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from ..edit.lanes import played
from ..edit.model import Edit, EditClip, EditTrack
from ..media.layout import Layout
from ..media.time import to_samples
from ..roles import MIX
from .rate import SAMPLE_RATE
from .sound import Array, Voice, layout_of_clip, mixed, sounds, voices

__all__ = ["SAMPLE_RATE", "Programme", "audible", "programme_of"]


@dataclass(frozen=True)
class Programme:
    """Voices of every part, the layout all are heard in, and the stretch of the record in samples at 48 kHz."""

    name: str
    parts: tuple[str, ...]
    lanes: tuple[tuple[Voice, ...], ...]
    layout: Layout
    first: int
    samples: int

    @property
    def channels(self) -> int:
        """Channels of every part."""
        return self.layout.channels

    def blocks(self) -> Iterator[Array]:
        """Blocks (parts, channels, n) in order; may be asked for again. Raises MediaError."""
        return mixed(self.lanes, SAMPLE_RATE, self.layout, self.first, self.samples)

    def over(self, first: int, samples: int) -> Programme:
        """A stretch of it, from the record's sample `first` on; only the voices that sound there are left."""
        lanes = tuple(
            tuple(voice for voice in lane if voice.first < first + samples and voice.last > first)
            for lane in self.lanes
        )
        return replace(self, lanes=lanes, first=first, samples=samples)

    def clips(self) -> tuple[tuple[str, Programme], ...]:
        """A programme for every clip of the editor's, in record order, and what the clip is called.

        Voices at one place that were made of one source are one clip. Each is as long as the clip itself, without
        what its neighbours' dissolves do to it.
        """
        made = []
        for (start, end, label), found in _groups(self.lanes).items():
            first, last = to_samples(start, SAMPLE_RATE), to_samples(end, SAMPLE_RATE)
            lanes = tuple(
                tuple(_alone(voice, first, last) for voice in lane if id(voice) in found)
                for lane in self.lanes
            )
            made.append((label, replace(self, lanes=lanes, first=first, samples=last - first)))
        return tuple(made)


def programme_of(name: str, tracks: Mapping[str, Sequence[EditTrack]], duration: Fraction) -> Programme:
    """`duration` seconds of the record as its parts sound, each the sum of its tracks.

    The layout is that of the widest clips, or what so many channels usually are where they do not agree.
    """
    lanes = tuple(
        tuple(voice for track in found for voice in voices(track, SAMPLE_RATE)) for found in tracks.values()
    )
    heard = [t for found in tracks.values() for t in found if any(sounds(clip) for clip in t.clips)]
    widest = max((track.channels for track in heard), default=1)
    layout = _layout(lanes, widest)
    return Programme(name, tuple(tracks), lanes, layout, 0, to_samples(duration, SAMPLE_RATE))


def audible(edit: Edit) -> Programme:
    """Everything that is heard of an edit, as one part: its audio tracks that are not muted."""
    tracks = [track for track in played(edit).tracks if track.kind == "audio" and track.enabled]
    return programme_of(edit.name, {MIX.short: tracks}, edit.duration)


def _layout(lanes: Sequence[Sequence[Voice]], widest: int) -> Layout:
    played = [layout_of_clip(voice.clip) for lane in lanes for voice in lane]
    usual = Layout.of_count(max([widest, *(layout.channels for layout in played)]))
    found = {layout.in_wav_order() for layout in played if layout.channels == usual.channels}
    if len(found) == 1 and next(iter(found)).labels != usual.labels:
        return found.pop()
    return usual


def _groups(lanes: Sequence[Sequence[Voice]]) -> dict[tuple[Fraction, Fraction, str], set[int]]:
    """Voices that stand for one clip of the editor's, in record order: same place, same source."""
    found: dict[tuple[Fraction, Fraction, str], set[int]] = {}
    for lane in lanes:
        for voice in lane:
            clip = voice.clip
            found.setdefault((clip.start, clip.end, _label(clip)), set()).add(id(voice))
    return dict(sorted(found.items()))


def _label(clip: EditClip) -> str:
    ours = clip.metadata.get("sightmix")
    source = ours.get("source") if isinstance(ours, dict) else None
    text = str(source or clip.name)
    return Path(text).stem if Path(text).suffix else text


def _alone(voice: Voice, first: int, last: int) -> Voice:
    """A voice without what its neighbours do to it: its own length, no dissolves."""
    return replace(voices(EditTrack("audio", "", (voice.clip,)), SAMPLE_RATE)[0], first=first, last=last)
