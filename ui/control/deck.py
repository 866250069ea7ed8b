"""What is heard of an open timeline: before and after at one place, as far as the engine has laid it out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...plugin.session.laid import LANES, Laid
from ..base.asking import Engine, Failure
from ..base.pump import Pump
from ..base.source import Source
from ..base.topics import Topic
from .chunks import Chunks
from .player import AFTER, BEFORE, FADE, RATE, Array, Key, Player, Table, Wanted, heard_at

MEMORY = 128 << 20
SPEEDS = (1.0, 2.0, 4.0)
_AHEAD = 5  # seconds of sound that are asked for ahead of what is heard, at any speed
_TICK = 0.025  # seconds between looks at what the sound device has taken
_RETRY = 0.5  # seconds until an engine that went down is asked again
_RETRIES = 5
_FADED = 0.5  # seconds after which nothing of another programme is heard any more
_SHORTEST_LOOP = 0.01  # seconds


class Deck:
    """Plays an open timeline's lanes under its gains; lives on the pump's thread, except for `fill`.

    Two sides at one place: before (the sum of the lanes) and after (speech, music and effects under their gains, and
    the rest), which is brought to the loudness of the side before while `matched`. The residual is what the one side
    has and the other has not, as they are heard: with `matched` off it is the plain difference. Every switch is
    crossfaded over 5 ms at the same place; places are record samples.

    `moved` tells where it is, `side` which side is heard, `state` anything else about what is heard, `starving`
    whether it waits for the engine, `failed` why there is nothing to play (it has stopped; playing tries again).
    """

    def __init__(
        self,
        engine: Engine,
        pump: Pump,
        rate: int = RATE,
        *,
        chunk: int = RATE,
        memory: int = MEMORY,
        fade: int = FADE,
    ) -> None:
        self.moved: Topic[[int]] = Topic()
        self.side_changed: Topic[[str]] = Topic()
        self.state: Topic[[]] = Topic()
        self.starving_changed: Topic[[bool]] = Topic()
        self.failed: Topic[[Failure]] = Topic()
        self.rate, self.fade = rate, fade
        self.latency = 0
        self._pump = pump
        self._chunks = Chunks(engine, chunk, memory, self._arrived, self._fail)
        self._player = Player(self._chunks.held, chunk, rate, fade)
        self.fill: Callable[[int], Array] = self._player.fill
        self.tap = self._player.tap
        self._source: Source | None = None
        self._pending: tuple[int, Table | None] | None = None
        self._owner = 0
        self._solo: set[str] = set()
        self._mutes: set[str] = set()
        self._volume_db, self._silent = 0.0, False
        self._match_db, self._matched = 0.0, True
        self._told = (0, False)
        self._failure: Failure | None = None
        self._crashes = 0
        self._leave_tick: Callable[[], None] = _nothing
        self._leave_retry: Callable[[], None] = _nothing
        self._leave_drop: Callable[[], None] = _nothing

    # What is played.

    def load(self, source: Source | None, samples: int = 0, laid: Laid | None = None) -> None:
        """Play another programme, of so many samples, from its start; None for nothing."""
        self.pause()
        self._leave_retry()
        self._owner += 1
        self._pending = None
        self._source = source
        self._match_db = 0.0
        if source is not None:
            self._chunks.add(self._owner, source, laid, samples)
        self._set(samples=samples if source is not None else 0, loop=None)
        self._see(owner=self._owner, table=None, side=BEFORE, residual=False)
        self.seek(0)
        self._leave_drop()
        self._leave_drop = self._pump.later(_FADED, self._drop)

    def lay(self, laid: Laid | None) -> None:
        """The same programme with its clips in other lanes; what is being heard goes on until those have come."""
        if self._source is None:
            return
        self._owner += 1
        self._chunks.add(self._owner, self._source, laid, self.samples)
        heard = self._wanted.view
        self._pending = (self._owner, heard.table if self._pending is None else self._pending[1])
        self._failure = None
        self._want()

    def set_gains(self, times: ArrayLike | None, db: ArrayLike | None = None) -> None:
        """The gains of the side after: `db` (3, T) of speech, music and effects at record `times` (T,) in seconds.

        Straight in dB between the times, the first and last held beyond. None for none: after is before.
        """
        table = None
        if times is not None and db is not None and np.size(times):
            table = Table(np.array(times, np.float64), np.array(db, np.float64))
        now = self._wanted.view.table if self._pending is None else self._pending[1]
        if table is now or (table is not None and table.alike(now)):  # nothing to fade into
            return
        if self._pending is not None:
            self._pending = (self._pending[0], table)
        else:
            self._see(table=table)

    @property
    def samples(self) -> int:
        """How long the programme is."""
        return self._wanted.samples

    @property
    def memory(self) -> int:
        """Bytes of sound that are held."""
        return self._chunks.size

    # Where it is.

    @property
    def position(self) -> int:
        """The record sample that will be handed out next."""
        played = self._player.played
        # Played in large steps it ends a little beyond the programme.
        return self._within(played.at) if played.seek == self._wanted.seek else self._wanted.to

    def position_heard(self) -> int:
        """The record sample that leaves the loudspeaker now: what was handed out, `latency` frames ago."""
        played = self._player.played
        if played.seek != self._wanted.seek or not self.playing:
            return self.position
        return self._within(heard_at(played, played.frames - self.latency))

    def seek(self, sample: int) -> None:
        """Go to a record sample, and play on from there if it plays."""
        self._set(seek=self._wanted.seek + 1, to=self._within(sample))
        self._failure = None
        self._want()
        self._tell()

    @property
    def loop(self) -> tuple[int, int] | None:
        """The samples between which it loops: from the first, before the last."""
        return self._wanted.loop

    def set_loop(self, loop: tuple[int, int] | None, *, crossfade: bool = True) -> None:
        """Loop between two samples, None for not; less than 10 ms is no loop. Going round is crossfaded or cut."""
        if loop is not None:
            first, last = max(0, loop[0]), min(loop[1], self.samples)
            loop = (first, last) if last - first >= max(_SHORTEST_LOOP * self.rate, 2 * self.fade) else None
        self._set(loop=loop, loop_fade=crossfade)
        self._want()
        self.state.emit()

    # Playing.

    @property
    def playing(self) -> bool:
        """Whether it plays, or would if the engine had sent what to play."""
        return self._wanted.playing

    @property
    def speed(self) -> float:
        """How fast, and below 0 backwards."""
        return self._wanted.speed

    @property
    def starving(self) -> bool:
        """Whether it waits for the engine."""
        return self.playing and self._player.played.starving

    def play(self, speed: float = 1.0) -> None:
        """Play on; from the start where the programme has ended. At a `speed` between -4 and 4, but for 0."""
        if self._source is None or not self.samples or speed == 0:
            return
        if speed > 0 and self.position >= self.samples:
            self.seek(0)
        self._set(playing=True, speed=max(-SPEEDS[-1], min(float(speed), SPEEDS[-1])))
        self._failure = None
        self._want()
        self._leave_tick()
        self._leave_tick = self._pump.later(_TICK, self._tick)
        self.state.emit()

    def pause(self) -> None:
        """Stop where it is."""
        if not self.playing:
            return
        self._set(playing=False, speed=1.0)
        self._leave_tick()
        self._want()
        self.state.emit()
        self._tell()

    def toggle(self) -> None:
        """Play or stop."""
        if self.playing:
            self.pause()
        else:
            self.play()

    def shuttle(self, way: int) -> None:
        """J (-1), K (0) and L (1): play in that direction, twice and four times as fast when asked again."""
        if way == 0:
            self.pause()
            return
        again = self.playing and (self.speed > 0) == (way > 0)
        faster = [speed for speed in SPEEDS if speed > abs(self.speed)] if again else [1.0]
        self.play(way * (faster[0] if faster else SPEEDS[-1]))

    # Which of it is heard.

    @property
    def side(self) -> str:
        """The side that is heard, "before" or "after"."""
        return self._wanted.view.side

    def set_side(self, side: str) -> None:
        """Hear one of the sides, from the next buffer on, in the place of what was taken away, too."""
        changed, residual = side != self.side, self.residual
        self._see(side=side, residual=False)
        if changed:
            self.side_changed.emit(side)
        if residual:
            self.state.emit()

    def ab(self) -> None:
        """Hear the other side."""
        self.set_side(AFTER if self.side == BEFORE else BEFORE)

    @property
    def residual(self) -> bool:
        """Whether what was taken away is heard in the place of either side."""
        return self._wanted.view.residual

    def set_residual(self, on: bool) -> None:
        """Hear what was taken away."""
        self._see(residual=on)
        self.state.emit()

    @property
    def matched(self) -> bool:
        """Whether the side after is brought to the loudness of the side before."""
        return self._matched

    @property
    def match_db(self) -> float:
        """By how much the side after is turned up while matched, in dB."""
        return self._match_db

    def set_matched(self, on: bool) -> None:
        """Bring the side after to the loudness of the side before, or leave it as it will be."""
        self._matched = on
        self._see()
        self.state.emit()

    def set_match(self, db: float) -> None:
        """By how much the side after has to be turned up to be as loud as the side before, in dB."""
        self._match_db = db if math.isfinite(db) else 0.0
        self._see()

    @property
    def solo(self) -> frozenset[str]:
        """The lanes that are heard alone; none of them: all are heard."""
        return frozenset(self._solo)

    @property
    def mutes(self) -> frozenset[str]:
        """The lanes that are muted; a solo is heard all the same."""
        return frozenset(self._mutes)

    def set_solo(self, lane: str, on: bool) -> None:
        """Hear a lane (of `LANES`) alone, or with others that are; or no longer."""
        self._among(self._solo, lane, on)

    def set_mute(self, lane: str, on: bool) -> None:
        """Leave a lane out, or no longer."""
        self._among(self._mutes, lane, on)

    @property
    def volume_db(self) -> float:
        """The monitor's volume in dB."""
        return self._volume_db

    @property
    def silent(self) -> bool:
        """Whether the monitor is muted."""
        return self._silent

    def set_volume(self, db: float) -> None:
        """The monitor's volume in dB; neither what is measured nor what is written changes."""
        self._volume_db = db
        self._monitor()

    def set_silent(self, on: bool) -> None:
        """Mute the monitor."""
        self._silent = on
        self._monitor()

    def close(self) -> None:
        """Stop, forget all sound and ask for nothing more."""
        self.load(None)
        self._leave_drop()
        self._chunks.drop([])

    # Between the panel's thread and the sound device's.

    @property
    def _wanted(self) -> Wanted:
        return self._player.wanted

    def _within(self, at: float) -> int:
        return min(max(0, math.floor(at)), self.samples)

    def _set(self, **changes: Any) -> None:
        self._player.wanted = replace(self._player.wanted, **changes)

    def _see(self, **changes: Any) -> None:
        heard = self._solo or set(LANES) - self._mutes
        match = 10 ** (self._match_db / 20) if self._matched else 1.0
        audible = tuple(lane in heard for lane in LANES)
        self._set(view=replace(self._wanted.view, audible=audible, match=match, **changes))

    def _among(self, lanes: set[str], lane: str, on: bool) -> None:
        if lane not in LANES:
            raise ValueError(lane)
        (lanes.add if on else lanes.discard)(lane)
        self._see()
        self.state.emit()

    def _monitor(self) -> None:
        self._set(volume=0.0 if self._silent else 10 ** (self._volume_db / 20))
        self.state.emit()

    def _tick(self) -> None:
        """While it plays: what has the device's thread done?"""
        self._leave_tick = self._pump.later(_TICK, self._tick)
        played = self._player.played
        if played.ended and played.seek == self._wanted.seek:
            self.pause()
            return
        self._want()
        self._tell()

    def _tell(self) -> None:
        """Tell what has changed since it was told last."""
        (position, starving), self._told = self._told, (self.position, self.starving)
        if self.position != position:
            self.moved.emit(self.position)
        if self.starving != starving:
            self.starving_changed.emit(self.starving)

    # What will be heard.

    def _want(self) -> None:
        if self._failure is not None:
            return
        if self._pending is not None:
            owner, table = self._pending
            if not self.playing or self._chunks.has(self._ahead(owner, self._chunks.samples)[:2]):
                self._pending = None
                self._see(
                    owner=owner, table=table
                )  # what was heard fades out; its chunks go when room is needed
        ahead = round(_AHEAD * self.rate * max(1.0, abs(self.speed)))
        keys = self._ahead(self._wanted.view.owner, ahead)
        if self._pending is not None:
            keys = [*self._ahead(self._pending[0], self._chunks.samples)[:2], *keys]
        self._chunks.want(keys)

    def _ahead(self, owner: int, samples: int) -> list[Key]:
        """The chunks of the next so many samples, in the order they will be heard in, and the one before them."""
        chunk, at, loop = self._chunks.samples, self.position, self.loop
        if self.playing and self.speed < 0:
            return self._keys(owner, self._behind(samples))
        last = self.samples
        if loop is not None and at < loop[1]:
            last = min(last, loop[1] + self.fade)
        heard = range(at // chunk, -(-min(last, at + samples) // chunk))
        again = range(0)
        if loop is not None and at < loop[1] < at + samples:
            again = range(loop[0] // chunk, -(-min(last, loop[0] + at + samples - loop[1]) // chunk))
        return self._keys(owner, (*heard, *again, at // chunk - 1))

    def _behind(self, samples: int) -> Iterable[int]:
        """As `_ahead`, played backwards."""
        chunk, at, loop = self._chunks.samples, self.position, self.loop
        low = at - samples
        if loop is None or at <= loop[0]:
            return range(max(at - 1, 0) // chunk, max(0, low) // chunk - 1, -1)
        heard = range(max(at - 1, 0) // chunk, max(loop[0] - self.fade, low, 0) // chunk - 1, -1)
        over = max(0, loop[0] - low)
        again = (
            range((loop[1] - 1) // chunk, max(loop[0], loop[1] - over) // chunk - 1, -1) if over else range(0)
        )
        return (*heard, *again)

    def _keys(self, owner: int, indices: Iterable[int]) -> list[Key]:
        most = self._chunks.count(owner)
        return [(owner, index) for index in dict.fromkeys(indices) if 0 <= index < most]

    def _drop(self) -> None:
        """Forget the sound of programmes that were open before."""
        self._chunks.drop([self._wanted.view.owner, self._owner])

    def _arrived(self) -> None:
        self._crashes = 0
        self._want()

    def _fail(self, failure: Failure) -> None:
        """An engine that went down is up again in a moment; anything else would be the same if asked again."""
        self._failure = failure
        if failure.crashed and self._crashes < _RETRIES:
            self._crashes += 1
            self._leave_retry()
            self._leave_retry = self._pump.later(_RETRY, self._try_again)
            return
        self.pause()
        self.failed.emit(failure)

    def _try_again(self) -> None:
        self._failure = None
        self._want()


def _nothing() -> None:
    """Nothing to take back."""
