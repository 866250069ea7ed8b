"""What a sound device plays: lanes mixed as it asks for them, on its own thread, which is never kept waiting.

Two threads, and no lock between them: the panel's thread writes `Player.wanted`, the device's thread `Player.played`,
each of them a value that is never changed but replaced.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...plugin.session.laid import LANES

Array = NDArray[np.float32]
Key = tuple[int, int]  # whose lanes, which chunk

BEFORE, AFTER, RESIDUAL = "before", "after", "residual"
RATE = 48000
FADE = 240  # samples of a crossfade, 5 ms
ALL = (True,) * len(LANES)
_TRAIL = 16
_TAPPED = 1024  # blocks kept for the meters, some ten seconds


@dataclass(frozen=True, eq=False)
class Table:
    """Gains of the stems: `db` (3, T) at record `times` (T,) in seconds; straight in dB between them, held beyond."""

    times: NDArray[np.float64]
    db: NDArray[np.float64]

    def alike(self, other: Table | None) -> bool:
        """Whether another table holds the same gains."""
        return (
            other is not None
            and np.array_equal(self.times, other.times)
            and np.array_equal(self.db, other.db)
        )

    def linear(self, first: int, samples: int, rate: int) -> Array:
        """Linear gains (3, samples) from record sample `first` on; exactly 1 where the curve is 0 dB."""
        at = np.arange(first, first + samples) / rate
        low = max(0, int(np.searchsorted(self.times, at[0])) - 1)
        high = int(np.searchsorted(self.times, at[-1])) + 1
        rows = [np.interp(at, self.times[low:high], row[low:high]) for row in self.db]
        return np.power(10.0, np.stack(rows) / 20).astype(np.float32)


@dataclass(frozen=True)
class View:
    """What of the lanes is heard.

    `owner` is whose lanes they are, `match` the linear gain of the side after that brings it to the loudness of the
    side before, `audible` which lanes are neither muted nor outside of a solo.
    """

    owner: int = 0
    side: str = BEFORE
    residual: bool = False
    audible: tuple[bool, ...] = ALL
    match: float = 1.0
    table: Table | None = None

    @property
    def name(self) -> str:
        """What is heard: "before", "after" or "residual", and of which lanes where it is not all of them."""
        name = RESIDUAL if self.residual else self.side
        lanes = (lane for lane, audible in zip(LANES, self.audible, strict=True) if audible)
        return name if self.audible == ALL else f"{name}: {' '.join(lanes)}"

    @property
    def gain(self) -> float:
        """The linear gain, for the sake of comparison, that what is heard was brought to its loudness with."""
        return self.match if self.side == AFTER and not self.residual else 1.0

    def mix(self, lanes: Array, first: int, rate: int) -> Array:
        """Lanes (4, 2, n), the first sample being record sample `first`, as they are heard (2, n)."""
        if self.residual:
            return self._sum(lanes) - self._after(lanes, first, rate)
        return self._sum(lanes) if self.side == BEFORE else self._after(lanes, first, rate)

    def _sum(self, lanes: Array, gains: Array | None = None) -> Array:
        total: Array | None = None
        for index, lane in enumerate(lanes):
            if self.audible[index]:
                part = lane if gains is None or index >= len(gains) else gains[index] * lane
                total = part if total is None else total + part
        return np.zeros(lanes.shape[1:], np.float32) if total is None else total

    def _after(self, lanes: Array, first: int, rate: int) -> Array:
        gains = None if self.table is None else self.table.linear(first, lanes.shape[2], rate)
        mixed = self._sum(lanes, gains)
        return mixed if self.match == 1.0 else mixed * np.float32(self.match)


@dataclass(frozen=True)
class Wanted:
    """What the panel's thread asks for. A new `seek` number means: go on at sample `to`."""

    view: View = field(default_factory=View)
    samples: int = 0
    playing: bool = False
    speed: float = 1.0
    loop: tuple[int, int] | None = None
    loop_fade: bool = True
    seek: int = 0
    to: int = 0
    volume: float = 1.0


class Step(NamedTuple):
    """From the device's frame `frame` on, record samples from `at` on were handed out, `speed` apart."""

    frame: int
    at: float
    speed: float


class Played(NamedTuple):
    """What the device's thread has done: the seek it has followed last, and where it is."""

    seek: int = 0
    at: float = 0.0
    frames: int = 0
    starving: bool = False
    ended: bool = False
    trail: tuple[Step, ...] = (Step(0, 0.0, 0.0),)


class Tap(NamedTuple):
    """A block (n, 2) as it was played, but for the monitor's volume.

    `heard` is what it is of (`View.name`), "" where one thing was faded into another; `match` its `View.gain`.
    """

    sound: Array
    heard: str
    match: float


@dataclass
class _Voice:
    """Something that sounds, or would: from `at` on, `speed` samples a frame."""

    view: View
    at: float
    speed: float
    playing: bool = False
    sounding: bool = False
    ended: bool = False

    @property
    def waits(self) -> bool:
        """Whether it would sound, had it what to sound of."""
        return self.playing and not self.sounding and not self.ended


class _Limits(NamedTuple):
    """The samples between which a voice plays, and whether it then goes on at the other end."""

    first: int
    last: int
    loops: bool

    def left(self, voice: _Voice) -> int:
        """Frames to the end, in the direction it is played in."""
        way = self.last - voice.at if voice.speed > 0 else voice.at - self.first
        return max(0, math.ceil(way / abs(voice.speed)))


def _limits(voice: _Voice, wanted: Wanted) -> _Limits:
    """What is played beyond a loop is not drawn back into it."""
    if wanted.loop is not None:
        first, last = wanted.loop
        if (voice.at < last) if voice.speed > 0 else (voice.at > first):
            return _Limits(first, last, True)
    return _Limits(0, wanted.samples, False)


class Player:
    """Mixes chunks of lanes (4, 2, `chunk`), by owner and number, into what a device asks for.

    Every change is crossfaded over `fade` samples, from the first sample that is handed out after it; a change that
    comes meanwhile waits for that. Where a chunk is missing it fades out before, holds its place in silence and goes
    on there. Played backwards or at other speeds, the pitch follows.
    """

    def __init__(self, held: Mapping[Key, Array], chunk: int, rate: int = RATE, fade: int = FADE) -> None:
        self.wanted = Wanted()
        self.played = Played()
        self.tap: deque[Tap] = deque(maxlen=_TAPPED)
        self._held, self._chunk, self._rate, self._fade = held, chunk, rate, fade
        self._voice = _Voice(self.wanted.view, 0.0, 1.0)
        self._old: _Voice | None = None
        self._faded = 0
        self._gap: int | None = None
        self._seek = self._samples = 0
        self._volume = 1.0
        self._frames = 0
        self._trail: tuple[Step, ...] = (Step(0, 0.0, 0.0),)

    def fill(self, frames: int) -> Array:
        """The next frames (frames, 2) for the device; on its thread, and never waiting for anything."""
        wanted = self.wanted
        self._samples = wanted.samples
        made = np.zeros((frames, 2), np.float32)
        done, heard = 0, False
        names: set[str] = set()
        while done < frames:
            if self._old is None and self._gap is None:
                self._follow(wanted)
            heard = heard or self._voice.sounding or self._old is not None
            names.update(voice.view.name for voice in (self._voice, self._old) if voice is not None)
            block = self._step(frames - done, wanted)
            made[done : done + block.shape[1]] = block.T
            done += block.shape[1]
        voice = self._voice
        self.played = Played(self._seek, voice.at, self._frames, voice.waits, voice.ended, self._trail)
        if heard:
            self.tap.append(Tap(made, names.pop() if len(names) == 1 else "", voice.view.gain))
        return self._turned(made, wanted.volume)

    def _turned(self, made: Array, volume: float) -> Array:
        """At the monitor's volume, which goes straight to a new one within a block."""
        before, self._volume = self._volume, volume
        if before == volume:
            return made if volume == 1.0 else made * np.float32(volume)
        return made * np.linspace(before, volume, len(made), dtype=np.float32)[:, None]

    def _follow(self, wanted: Wanted) -> None:
        """Begin what is wanted, where that is another thing than what is being played."""
        voice, seeks = self._voice, wanted.seek != self._seek
        now = (voice.view, voice.playing, voice.speed)
        changed = seeks or now != (wanted.view, wanted.playing, wanted.speed)
        if not changed and not voice.waits:
            return
        self._seek = wanted.seek
        at = float(wanted.to) if seeks else voice.at
        if wanted.speed.is_integer():
            at = float(math.floor(at))
        new = _Voice(wanted.view, at, wanted.speed, wanted.playing)
        left = _limits(new, wanted).left(new)
        new.ended = new.playing and left == 0
        new.sounding = new.playing and self._ready(new, left)
        if changed or new.sounding:
            self._cross(new)

    def _cross(self, new: _Voice) -> None:
        old, self._voice = self._voice, new
        if self._fade and (old.sounding or new.sounding):
            self._old, self._faded = replace(old), 0

    def _step(self, most: int, wanted: Wanted) -> Array:
        """The next frames (2, n), n from 1 to `most`: as far as nothing happens between."""
        voice = self._voice
        limits = _limits(voice, wanted)
        if voice.sounding and limits.left(voice) == 0:
            voice.sounding, voice.ended = False, True
        if self._old is not None:
            most = min(most, self._fade - self._faded)
        if voice.sounding:
            most = self._until(most, limits.left(voice))
        self._note()
        sounded = voice.sounding
        block = self._faded_out(self._sound(voice, most))
        if self._old is not None:
            block = self._crossed(block, self._old, most)
        self._frames += most
        if sounded and limits.left(voice) == 0:
            self._turn(limits, wanted)
        return block

    def _until(self, most: int, left: int) -> int:
        """How many of `most` frames can be made where the loop or programme has `left`, and before a missing chunk."""
        if self._gap is None:
            needed = min(most + self._fade, left)
            there = self._there(self._voice, needed)
            self._gap = max(1, there) if there < needed else None
        return min(most, left, most if self._gap is None else self._gap)

    def _faded_out(self, block: Array) -> Array:
        """A block that lies before a missing chunk, faded towards it; on reaching it the voice falls silent."""
        if self._gap is None:
            return block
        frames = block.shape[1]
        if self._fade:
            left = np.arange(self._gap, self._gap - frames, -1, dtype=np.float32)
            block = block * np.minimum(left / np.float32(self._fade), np.float32(1))
        self._gap -= frames
        if self._gap <= 0:
            self._gap, self._voice.sounding = None, False
        return block

    def _crossed(self, block: Array, old: _Voice, frames: int) -> Array:
        weight = (np.arange(self._faded, self._faded + frames, dtype=np.float32) + 0.5) / self._fade
        before = self._sound(old, frames)
        self._faded += frames
        if self._faded >= self._fade:
            self._old = None
        return before + weight.astype(np.float32) * (block - before)

    def _turn(self, limits: _Limits, wanted: Wanted) -> None:
        """Where the loop or the programme has ended: back to the loop's other end, or stop."""
        voice = self._voice
        if not limits.loops:
            voice.sounding, voice.ended = False, True
            return
        ends = (limits.first, limits.last) if voice.speed > 0 else (limits.last, limits.first)
        new = replace(voice, at=ends[0] + (voice.at - ends[1]))
        new.sounding = self._ready(new, limits.left(new))
        if self._old is None and (wanted.loop_fade or not new.sounding):
            self._cross(new)
        else:
            self._voice = new

    def _ready(self, voice: _Voice, left: int) -> bool:
        """Whether so much is there that it can fade in and out again, or all that is `left`."""
        needed = min(max(1, 2 * self._fade), left)
        return needed > 0 and self._there(voice, needed) >= needed

    def _there(self, voice: _Voice, frames: int) -> int:
        """How many of the next `frames` can be made of the chunks that are there."""
        pace = abs(voice.speed)
        reach, index = 0.0, int(voice.at) // self._chunk
        if voice.speed < 0:
            index = (math.ceil(voice.at) - 1) // self._chunk
        while reach < frames * pace:
            if not 0 <= index * self._chunk < self._samples:  # beyond the programme there is silence
                return frames
            if (voice.view.owner, index) not in self._held:
                return max(0, math.floor(reach / pace))
            reach = (
                (index + 1) * self._chunk - voice.at if voice.speed > 0 else voice.at - index * self._chunk
            )
            index += 1 if voice.speed > 0 else -1
        return frames

    def _sound(self, voice: _Voice, frames: int) -> Array:
        """The voice's next frames (2, frames), and the voice moved on by them."""
        if not voice.sounding:
            return np.zeros((2, frames), np.float32)
        at, speed = voice.at, voice.speed
        voice.at = at + frames * speed
        if speed == 1:
            return self._lanes(voice.view, int(at), frames)
        if speed == -1:
            return self._lanes(voice.view, int(at) - frames, frames)[:, ::-1]
        pace = abs(speed)
        reach = math.ceil(frames * pace) + 2
        if speed > 0:
            first = math.floor(at)
            return _stepped(self._lanes(voice.view, first, reach), at - first, pace, frames)
        last = math.ceil(at)
        return _stepped(self._lanes(voice.view, last - reach, reach)[:, ::-1], last - at, pace, frames)

    def _lanes(self, view: View, first: int, samples: int) -> Array:
        """Record samples from `first` on as `view` hears them (2, samples); silence where nothing is there."""
        parts, at = [], first
        while at < first + samples:
            index = at // self._chunk
            begin = at - index * self._chunk
            count = min(first + samples - at, self._chunk - begin)
            held = self._held.get((view.owner, index))
            there = 0 if held is None else max(0, min(count, held.shape[2] - begin))
            if held is not None and there:
                parts.append(view.mix(held[:, :, begin : begin + there], at, self._rate))
            if there < count:
                parts.append(np.zeros((2, count - there), np.float32))
            at += count
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def _note(self) -> None:
        """Remember which frame of the device is which sample, where that is not what went before, carried on."""
        voice, last = self._voice, self._trail[-1]
        speed = voice.speed if voice.sounding else 0.0
        if speed != last.speed or voice.at != last.at + (self._frames - last.frame) * last.speed:
            self._trail = (*self._trail[1 - _TRAIL :], Step(self._frames, voice.at, speed))


def heard_at(played: Played, frame: int) -> float:
    """Which record sample the device's frame `frame` was."""
    step = next((step for step in reversed(played.trail) if step.frame <= frame), played.trail[0])
    return step.at + max(0, frame - step.frame) * step.speed


def _stepped(sound: Array, begin: float, pace: float, frames: int) -> Array:
    """`frames` of `sound` (2, n), `pace` samples apart from sample `begin` on.

    Slower than 1 they lie on straight lines between samples; faster, each is the mean of what it steps over, which
    keeps the worst of what would alias away.
    """
    if pace < 1:
        place = begin + pace * np.arange(frames)
        low = np.floor(place).astype(np.intp)
        rest = (place - low).astype(np.float32)
        between: Array = sound[:, low] + rest * (sound[:, low + 1] - sound[:, low])
        return between
    totals = np.concatenate([np.zeros((2, 1)), np.cumsum(sound, axis=1, dtype=np.float64)], axis=1)
    place = begin + pace * np.arange(frames + 1)
    edges = np.stack([np.interp(place, np.arange(totals.shape[1]), row) for row in totals])
    return (np.diff(edges, axis=1) / pace).astype(np.float32)
