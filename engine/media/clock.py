"""How long streams are, counted from their packets, and where their clocks jump, mended as FFmpeg's command line does.

What a header says of lengths may be missing, guessed from the bit rate, or untrue of a file that was cut short.
Recordings that were appended, and recorders that were reset, make the clock of a transport stream jump.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import av.error
from av.container import InputContainer
from av.stream import Stream

from .changes import Form, heading

if TYPE_CHECKING:
    Packet = av.Packet[Any]

# ffmpeg_demux.c, ts_discontinuity_process: a clock that leaps further ahead, or falls further back, has jumped (s).
_AHEAD, _BACK = Fraction(10), Fraction(1, 10)
# Silence between packets that is worth a word: shorter ones are jitter (s).
_GAP = Fraction(1, 10)
# How far two streams of one file may differ over the same jump (s).
_SAME_JUMP = Fraction(2)
_MOST_NAMED = 3
_HEADER = 8  # bytes of a packet that tell its channels and rate
_TS_DISCONT = 0x0200  # avformat.h


@dataclass(frozen=True)
class Jump:
    """From the packet number `packet` (from 0) of a stream on, its time stamps count `shift` seconds later."""

    packet: int
    shift: Fraction


@dataclass(frozen=True)
class Count:
    """What a stream's packets say, in seconds of its mended clock.

    `end` is where the last of them ends, None without any; `gaps` gives a packet's place and how long nothing comes
    before it, `changes` where packets are of other channels or of another rate than the one before.
    """

    end: Fraction | None = None
    jumps: tuple[Jump, ...] = ()
    jumped_at: tuple[Fraction, ...] = ()
    gaps: tuple[tuple[Fraction, Fraction], ...] = ()
    changes: tuple[Fraction, ...] = ()


def may_jump(container: InputContainer) -> bool:
    """Whether clocks of this format are known to jump, by FFmpeg's own list (AVFMT_TS_DISCONT)."""
    return bool(container.format.flags & _TS_DISCONT)


def count(container: InputContainer, streams: Sequence[Stream]) -> dict[int, Count]:
    """Every packet of `streams` looked at, none decoded, to the file's end or where it is torn; by the stream's place.

    A jump is the first stream's; what the others' clocks do about it is the same, so that they stay in step.
    """
    watches = {stream.index: _Watch(stream, may_jump(container)) for stream in streams}
    newest: dict[int, Packet] = {}
    try:
        for packet in container.demux(*streams):
            if packet.size:
                watches[packet.stream_index].see(packet)
                newest[packet.stream_index] = packet
    except av.FFmpegError:
        pass  # torn: what could be read counts
    for place, packet in newest.items():
        watches[place].unheard = _padding(packet)
    if not watches:
        return {}
    lead = watches[streams[0].index]
    return {place: watch.result(lead) for place, watch in watches.items()}


def _padding(packet: Packet) -> int:
    """Samples that an encoder added at a stream's end, as its last packet says (AV_PKT_DATA_SKIP_SAMPLES)."""
    if not packet.has_sidedata("skip_samples"):
        return 0
    data = bytes(packet.get_sidedata("skip_samples"))
    return int.from_bytes(data[4:8], "little")


@dataclass
class _Watch:
    """One stream's clock as its packets go by, in ticks."""

    stream: Stream
    mend: bool
    number: int = 0
    shift: int = 0
    next: int | None = None
    last: int = 0
    end: int | None = None
    unheard: int = 0
    jumps: list[tuple[int, int, int]] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    changes: list[int] = field(default_factory=list)
    form: Form | None = None

    def __post_init__(self) -> None:
        self.tick = self.stream.time_base or Fraction(1, av.time_base)
        self.heading = heading(self.stream.codec_context.name) if self.stream.type == "audio" else None
        self.ahead, self.back, self.gap = (int(span / self.tick) for span in (_AHEAD, _BACK, _GAP))

    def see(self, packet: Packet) -> None:
        """Take in the next packet."""
        dts = packet.pts if packet.dts is None else packet.dts
        if dts is None:
            dts, pts = self.next or 0, self.next or 0
        else:
            dts += self.shift
            pts = dts if packet.pts is None else packet.pts + self.shift
        if self.mend and self.next is not None:
            wrong = dts - self.next
            if wrong > self.ahead or wrong < -self.ahead or dts + self.back < self.last:
                self.shift -= wrong
                self.jumps.append((self.number, self.shift, self.next))
                dts, pts = dts - wrong, pts - wrong
            elif wrong > self.gap and self.stream.type == "audio":
                self.gaps.append((dts, wrong))
        if self.heading is not None and packet.size > _HEADER:
            self._read(self.heading(memoryview(packet)[:_HEADER].tobytes()), dts)
        length = packet.duration or 0
        self.last, self.next = dts, dts + length
        self.end = pts + length if self.end is None else max(self.end, pts + length)
        self.number += 1

    def _read(self, form: Form | None, dts: int) -> None:
        if form is not None and form != self.form:
            if self.form is not None:
                self.changes.append(dts)
            self.form = form

    def result(self, lead: _Watch) -> Count:
        """What was seen, the shifts being those of the stream that leads where they are about the same."""
        shifts = [Fraction(0), *(shift * lead.tick for _, shift, _ in lead.jumps)]
        jumps = []
        for packet, shift, _ in self.jumps:
            near = min(shifts, key=lambda found: abs(found - shift * self.tick))
            own = shift * self.tick
            jumps.append(Jump(packet, near if abs(near - own) <= _SAME_JUMP else own))
        end = None if self.end is None else self.end * self.tick
        if end is not None and isinstance(self.stream, av.AudioStream) and self.stream.sample_rate:
            end -= Fraction(self.unheard, self.stream.sample_rate)
        if end is not None and jumps:
            end += jumps[-1].shift - self.jumps[-1][1] * self.tick
        return Count(
            end,
            tuple(jumps),
            tuple(at * self.tick for _, _, at in self.jumps),
            tuple((at * self.tick, length * self.tick) for at, length in self.gaps),
            tuple(at * self.tick for at in self.changes),
        )


def mended(packets: Iterable[Packet], jumps: Mapping[int, Sequence[Jump]]) -> Iterator[Packet]:
    """Packets from the file's beginning on with the time stamps they should have; `jumps` by the stream's place."""
    seen = dict.fromkeys(jumps, 0)
    shifts = dict.fromkeys(jumps, 0)
    waiting = {place: list(found) for place, found in jumps.items()}
    for packet in packets:
        place = packet.stream_index
        if packet.size and place in seen:
            if waiting[place] and waiting[place][0].packet == seen[place]:
                jump = waiting[place].pop(0)
                shifts[place] = int(jump.shift / (packet.time_base or Fraction(1, av.time_base)))
            seen[place] += 1
            if packet.pts is not None:
                packet.pts += shifts[place]
            if packet.dts is not None:
                packet.dts += shifts[place]
        yield packet


def remarks(name: str, found: Count, origin: Fraction) -> tuple[str, ...]:
    """What a user should know of a stream's clock: one sentence for its jumps and one for its gaps."""
    said = []
    if found.jumped_at:
        places = _listed([at - origin for at in found.jumped_at])
        said.append(
            f"The clock of {name} jumps at {places}, as in recordings that were appended; "
            "what follows is played right after what came before."
        )
    if found.gaps:
        places = _listed([at - origin - length for at, length in found.gaps])
        longest = float(max(length for _, length in found.gaps))
        said.append(
            f"The clock of {name} runs on without sound at {places}, for up to {longest:.1f} s; whether packets are "
            "missing there or the clock jumped cannot be told, so it stays silent."
        )
    return tuple(said)


def _listed(times: Sequence[Fraction]) -> str:
    named = ", ".join(f"{float(at):.2f} s" for at in times[:_MOST_NAMED])
    more = len(times) - _MOST_NAMED
    return f"{named} and {more} more places" if more > 0 else named
