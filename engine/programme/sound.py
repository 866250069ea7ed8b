"""The sound of an edit: its clips at their exact samples with speeds, volume lines and fades, as a stream."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ..edit.model import EditClip, EditTrack
from ..media.container import layout_of
from ..media.layout import Layout
from ..media.reader import probe, read_blocks
from ..media.resample import Resampler
from ..media.time import round_half_up, to_samples
from ..passage import Channel

Array = NDArray[np.float32]

BLOCK = 1 << 15
_LONGEST_PERIOD = 4  # s that are resampled for nothing at the most
_MARGIN = Fraction(1, 20)  # s of sound around a stretch that is resampled, so that its ends are not edges


@dataclass(frozen=True)
class _Ramp:
    """A fade over the samples `first` … `last` of the record, up or down, straight in amplitude."""

    first: int
    last: int
    rising: bool

    def gain(self, at: NDArray[np.int64]) -> NDArray[np.float64]:
        """Gains (n) at record samples; two that cross add up to one."""
        share = np.clip((at - self.first + 0.5) / max(1, self.last - self.first), 0, 1)
        return share if self.rising else 1 - share


@dataclass(frozen=True)
class Voice:
    """A clip as it sounds: record samples `first` … `last`, with what its transitions add at both ends."""

    clip: EditClip
    first: int
    last: int
    ramps: tuple[_Ramp, ...]


def voices(track: EditTrack, rate: int) -> list[Voice]:
    """The clips of a track that can sound, in order, at `rate` Hz.

    Dissolves lengthen both clips by their halves beyond the cut and cross them with gains that sum to one.
    """
    found = []
    for clip in track.clips:
        if not sounds(clip):
            continue
        start, end = clip.start, clip.end
        ramps = []
        for transition in track.transitions:
            span = (transition.cut - transition.before, transition.cut + transition.after)
            edges = (to_samples(span[0], rate), to_samples(span[1], rate))
            if transition.cut == clip.start:
                start = span[0]
                ramps.append(_Ramp(*edges, rising=True))
            elif transition.cut == clip.end:
                end = span[1]
                ramps.append(_Ramp(*edges, rising=False))
        first, last = to_samples(start, rate), to_samples(end, rate)
        if clip.fade_in:
            ramps.append(_Ramp(first, to_samples(clip.start + clip.fade_in, rate), rising=True))
        if clip.fade_out:
            ramps.append(_Ramp(to_samples(clip.end - clip.fade_out, rate), last, rising=False))
        found.append(Voice(clip, first, last, tuple(ramps)))
    return found


def sounds(clip: EditClip) -> bool:
    """Whether a clip is enabled, online, not frozen and has a file with sound."""
    return (
        clip.enabled
        and clip.duration > 0
        and clip.speed != 0
        and clip.media is not None
        and clip.media.path is not None
        and bool(probe(clip.media.path).audio)
    )


def layout_of_clip(clip: EditClip) -> Layout:
    """The layout of the channels that a clip plays; MediaError where its file lacks one."""
    assert clip.media is not None
    assert clip.media.path is not None
    return layout_of(probe(clip.media.path), _picks(clip))


def mixed(
    lanes: Sequence[Sequence[Voice]], rate: int, layout: Layout, first: int, samples: int
) -> Iterator[Array]:
    """Several mixes at once: blocks (lanes, channels, n) of record samples `first` … `first + samples`.

    Each lane sums its voices, each of which goes to the speakers of `layout` that it was made for (see
    `Layout.routing`). Only the voices that sound are open. Raises MediaError.
    """
    players: dict[tuple[int, int], _Player] = {}
    for at in range(first, first + samples, BLOCK):
        count = min(BLOCK, first + samples - at)
        out = np.zeros((len(lanes), layout.channels, count), np.float64)
        for lane, found in enumerate(lanes):
            for index, voice in enumerate(found):
                begin, end = max(at, voice.first), min(at + count, voice.last)
                if begin >= end:
                    players.pop((lane, index), None)
                    continue
                key = (lane, index)
                if key not in players:
                    players[key] = _Player(voice, rate, begin, layout)
                out[lane, :, begin - at : end - at] += players[key].take(end - begin)
        yield out.astype(np.float32)


class _Player:
    """A voice's samples in order, from record sample `begin` on, with its gains applied, on a layout's speakers."""

    def __init__(self, voice: Voice, rate: int, begin: int, layout: Layout) -> None:
        self._voice, self._rate, self._at = voice, rate, begin
        own = layout_of_clip(voice.clip)
        self._routing = None if own == layout else own.routing(layout)
        self._blocks = _source(voice, rate, begin)
        self._held: Array = np.zeros((own.channels, 0), np.float32)
        gain = voice.clip.gain
        self._times = np.array([float(t) for t in gain.times]) if gain else np.zeros(0)
        self._levels = np.array(gain.db, np.float64) if gain else np.zeros(0)

    def take(self, count: int) -> NDArray[np.float64]:
        """The next samples (channels, count)."""
        parts, have = [self._held], self._held.shape[1]
        while have < count:
            block = next(self._blocks, None)
            if block is None:
                block = np.zeros((self._held.shape[0], count - have), np.float32)
            parts.append(block)
            have += block.shape[1]
        joined = np.concatenate(parts, axis=1)
        self._held = joined[:, count:]
        at = np.arange(self._at, self._at + count)
        self._at += count
        sound = joined[:, :count] * self._gain(at)
        return sound if self._routing is None else self._routing @ sound

    def _gain(self, at: NDArray[np.int64]) -> NDArray[np.float64]:
        gain = np.ones(len(at))
        if len(self._times):
            place = (at - to_samples(self._voice.clip.start, self._rate)) / self._rate
            gain *= 10 ** (np.interp(place, self._times, self._levels) / 20)
        for ramp in self._voice.ramps:
            gain *= ramp.gain(at)
        return gain


def _source(voice: Voice, rate: int, begin: int) -> Iterator[Array]:
    """The clip's own sound from record sample `begin` on, at `rate` Hz and its speed, without gains."""
    clip = voice.clip
    assert clip.media is not None
    assert clip.media.path is not None
    picks = _picks(clip)
    streams = probe(clip.media.path).audio
    own = streams[picks[0].stream if picks else 0].sample_rate
    # Counted from the clip's own first sample, so that every file begins where its host would begin it.
    entry, late = clip.source_in - clip.media.start, begin - to_samples(clip.start, rate)
    count = voice.last - begin
    if clip.speed == 1 and own == rate:
        first = to_samples(entry + Fraction(late, rate), own)
        yield from read_blocks(clip.media.path, first, count, picks, BLOCK, stamp=clip.media.stamp)
        return
    # Resampling begins where a sample of the file is one of the record, so that any place sounds as in the whole.
    step = clip.speed * own / rate
    early = late % step.denominator if step.denominator <= _LONGEST_PERIOD * rate else 0
    first = to_samples(entry, own) + round_half_up((late - early) * step)
    for block in _resampled(clip, picks, own, rate, first, early + count):
        if block.shape[1] > early:
            yield block[:, early:]
        early = max(0, early - block.shape[1])


def _resampled(
    clip: EditClip, picks: Sequence[Channel] | None, own: int, rate: int, start: int, count: int
) -> Iterator[Array]:
    """`count` samples at `rate` Hz of a clip from its file's sample `start` on, pitch going with speed."""
    assert clip.media is not None
    assert clip.media.path is not None
    pace = own * abs(clip.speed)
    ratio = Fraction(rate) / pace
    # Whole periods of the two rates, where they are short, leave no fraction of a sample between them.
    period = ratio.denominator if ratio.denominator <= own else 1
    margin = math.ceil(_MARGIN * own / period) * period
    dropped = round_half_up(margin * ratio)
    needed = math.ceil((dropped + count) / ratio) + margin
    resampler = Resampler(pace.numerator, rate * pace.denominator, layout_of_clip(clip).channels)
    given = 0
    for block, last in _runs(clip, picks, start, needed, margin):
        made = resampler.process(block, last)
        low, high = max(0, dropped - given), min(made.shape[1], dropped + count - given)
        given += made.shape[1]
        if low < high:
            yield made[:, low:high]


def _runs(
    clip: EditClip, picks: Sequence[Channel] | None, start: int, needed: int, margin: int
) -> Iterator[tuple[Array, bool]]:
    """`needed` samples of the file from `margin` before sample `start`, backwards in reverse; with "the last"."""
    assert clip.media is not None
    path, stamp = clip.media.path, clip.media.stamp
    assert path is not None
    done = 0
    if clip.speed > 0:
        for block in read_blocks(path, start - margin, needed, picks, BLOCK, stamp=stamp):
            done += block.shape[1]
            yield block, done == needed
        return
    end = start + margin
    while done < needed:
        size = min(BLOCK, needed - done)
        for block in read_blocks(path, end - done - size, size, picks, BLOCK, stamp=stamp):
            done += block.shape[1]
            yield block[:, ::-1], done == needed


def _picks(clip: EditClip) -> tuple[Channel, ...] | None:
    """A clip's channels, which count over all streams, as the reader wants them."""
    if clip.channels is None:
        return None
    assert clip.media is not None
    assert clip.media.path is not None
    listed = [Channel(s.index, c) for s in probe(clip.media.path).audio for c in range(s.channels)]
    return tuple(
        listed[channel] if channel < len(listed) else Channel(0, channel) for channel in clip.channels
    )
