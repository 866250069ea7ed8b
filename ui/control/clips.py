"""The open timeline: its clips, what they hold, how loud they are, which are chosen, and how it came to be open."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ...engine.edit.categories import CATEGORIES
from ...engine.edit.keyframes import SILENCE_DB
from ...engine.errors import MediaError
from ...engine.media.search import has_media_ending
from ...engine.roles import in_order
from ...engine.stamp import Stamp
from ...plugin.jobs.ranges import format_ranges
from ...plugin.timeline.forms import has_timeline_ending
from ..base.asking import Engine, Failure, Ticket
from ..base.pump import Pump
from ..base.source import Source
from ..base.topics import Topic
from .choosing import Choice
from .history import Deed, History
from .needs import NEEDS, Neighbours, Target, needs_of
from .recent import Entry, Recent
from .state import ClipRow, Document, TrackRow, document_of, held_by

__all__ = ["NEEDS", "Clips", "Drop", "Summary"]

State = Literal["empty", "opening", "open"]
_AT_ONCE = 8  # clips whose loudness is asked for together: what is looked at now waits no longer
_AUTO = "auto"  # the engine's word for a category that nobody says
_UNKNOWN: dict[str, Any] = {"kind": "", "certain": False, "told": False}


@dataclass(frozen=True)
class Summary:
    """The list in figures: clips, tracks with their categories ("" not sure, in the table's order), and states."""

    clips: int
    shown: int
    chosen: int
    offline: int
    needy: int
    tracks: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Drop:
    """What is done with files that are dropped: `do` is "open", "look" (for media, in a folder) or "" (nothing)."""

    do: Literal["open", "look", ""] = ""
    path: Path = Path()


class Clips:
    """The open timeline, if there is one, and the list of its clips.

    `opened` tells of another document, or of the same one read again; `rows_changed` of clips by index; `state_changed`
    of what is being opened, listened to or measured; `failed` of a timeline that could not be opened, beside which the
    one that is open stays. `kinds_changed` says that tracks hold something else, by the user's word or by listening.
    All of it belongs to the pump's thread.
    """

    def __init__(self, engine: Engine, pump: Pump, history: History, recent: Recent | None = None) -> None:
        self.opened: Topic[[Document]] = Topic()
        self.rows_changed: Topic[[tuple[int, ...]]] = Topic()
        self.kinds_changed: Topic[[]] = Topic()
        self.state_changed: Topic[[]] = Topic()
        self.failed: Topic[[Failure]] = Topic()
        self.recent = Recent(None) if recent is None else recent
        self.choice = Choice(lambda: self._rows)
        self.selection, self.filter = self.choice.selection, self.choice.filter
        self.target = Target()
        self.failure: Failure | None = None  # why the last timeline was not opened, until it is dismissed
        self.unheard = ""  # why nobody could listen to tracks
        self._engine, self._pump, self._history = engine, pump, history
        self._opening: Source | None = None
        self._refused: Source | None = None
        self._resting = False
        self._tickets: dict[str, Ticket] = {}
        self._reading = 0  # counts readings: what an earlier one still brings is nobody's any more
        self._forget()

    def _forget(self) -> None:
        self._document: Document | None = None
        self._stale = False
        self._stamp: Stamp | None = None
        self._rows: list[ClipRow] = []
        self._tracks: list[TrackRow] = []
        self._engines = _Engines((), ())
        self._together: dict[int, list[int]] = {}
        self._told: dict[int, str] = {}
        self._heard: set[int] = set()  # tracks that were listened to
        self._pending: set[int] = set()  # tracks that are still to be listened to
        self.unheard = ""
        self._unmeasured: dict[int, None] = {}
        self._alone: set[int] = (
            set()
        )  # clips that are measured by themselves: the engine went down with theirs
        self._hearing = False
        self._measured: tuple[int, ...] = ()  # clips whose loudness has been asked for

    # What is known

    @property
    def state(self) -> State:
        """Whether a timeline is open; "opening" also while another, or the same one again, is being read."""
        return "opening" if self._opening else "open" if self._document else "empty"

    @property
    def source(self) -> Source | None:
        """The open timeline."""
        return self._document.source if self._document else None

    @property
    def opening(self) -> Source | None:
        """The timeline that is being read."""
        return self._opening

    @property
    def document(self) -> Document | None:
        """The open timeline with its clips and tracks as they are known now."""
        if self._document is not None and self._stale:
            self._document = replace(self._document, clips=tuple(self._rows), tracks=tuple(self._tracks))
            self._stale = False
        return self._document

    @property
    def rows(self) -> Sequence[ClipRow]:
        """All clips, in order: that with index n is row n - 1."""
        return self._rows

    @property
    def tracks(self) -> Sequence[TrackRow]:
        """All audio tracks with clips, by number."""
        return self._tracks

    def row(self, index: int) -> ClipRow:
        """A clip; raises IndexError where there is none."""
        if index < 1:
            raise IndexError(index)
        return self._rows[index - 1]

    @property
    def told(self) -> Mapping[int, str]:
        """What the user has said of tracks, by number; "" takes back what the timeline remembers."""
        return dict(self._told)

    @property
    def told_words(self) -> list[str]:
        """The same as the engine takes it: "A1=dialogue"."""
        return [f"A{number}={kind or _AUTO}" for number, kind in sorted(self._told.items())]

    @property
    def listening(self) -> bool:
        """Whether tracks that nobody is sure of are being listened to."""
        return self._hearing

    @property
    def measuring(self) -> int:
        """How many clips' loudness is still to come."""
        return len(self._unmeasured)

    @property
    def doubtful(self) -> tuple[TrackRow, ...]:
        """Tracks that are taken for a mix because nobody is sure what they hold."""
        sure = {row.index for row in self._rows if row.certain}
        return tuple(t for t in self._tracks if not t.certain and not sure.issuperset(t.clips))

    @property
    def summary(self) -> Summary:
        """The list in figures."""
        numbers: dict[str, list[int]] = {}
        for track in self._tracks:
            numbers.setdefault(track.kind if track.certain else "", []).append(track.number)
        kinds = [*(kind for kind in in_order(numbers) if kind), *([""] if "" in numbers else [])]
        return Summary(
            clips=len(self._rows),
            shown=len(self.choice.shown),
            chosen=len(self.choice.chosen),
            offline=sum(row.state == "offline" for row in self._rows),
            needy=sum(bool(row.needs) for row in self._rows),
            tracks=tuple((kind, tuple(numbers[kind])) for kind in kinds),
        )

    @property
    def kinds(self) -> Mapping[int, str]:
        """What every clip holds, by its index; "" where nothing tells."""
        return {row.index: row.kind for row in self._rows}

    @property
    def ranges(self) -> str:
        """The chosen clips as the engine takes them, such as "3,5-9"; "" for all, where none is chosen."""
        return format_ranges(self.choice.chosen)

    # Opening

    def open(self, source: Source, told: Mapping[int, str] | None = None) -> None:
        """Open a timeline.

        `told` is what the user said of its tracks; if not given, what was said last time. Folders in which media were
        found then are looked in again.
        """
        source = replace(source, path=source.path.absolute())
        known = self.recent.find(source)
        if known is not None:
            folders, rate = source.folders or known.source.folders, source.rate or known.source.rate
            source = replace(source, folders=folders, rate=rate)
        if told is None:
            told = {} if known is None else known.told
        self._read(source, dict(told), again=False)

    def choose_timeline(self, number: int) -> None:
        """Open another timeline of the same file, by its number from 1."""
        source = self.source
        if source is not None:
            self.open(replace(source, timeline=str(number)))

    def reopen(self) -> None:
        """Read the open timeline again, or try once more what could not be read."""
        source = self._refused or self.source
        if source is not None and source == self.source:
            self._read(source, dict(self._told), again=True)
        elif source is not None:
            self.open(source)

    def look_in(self, folder: Path) -> None:
        """Look for media that are offline in a folder, too, or once more."""
        source = self.source
        if source is not None:
            folders = tuple(dict.fromkeys((*source.folders, folder)))
            self._read(replace(source, folders=folders), dict(self._told), again=True)

    def cancel(self) -> None:
        """Do not open what is being opened; what was open stays."""
        if self._opening is not None:
            self._begin_reading(None)
            self._resume()
            self.state_changed.emit()

    def close(self) -> None:
        """Open nothing any more."""
        self._begin_reading(None)
        self._forget()
        self._history.clear()
        self.choice.begin()
        self.state_changed.emit()

    def stop(self) -> None:
        """Ask for nothing more: the panel closes."""
        self._resting = True
        self._begin_reading(None)

    def dismiss(self) -> None:
        """The failure has been seen."""
        self.failure = self._refused = None
        self.state_changed.emit()

    def judge(self, paths: Sequence[Path]) -> Drop:
        """What would be done with files that are dropped.

        The first timeline is opened. Folders, and media while some of an open timeline are offline, say where to look;
        other media are opened as a timeline of their own.
        """
        timeline = next((path for path in paths if has_timeline_ending(path.name)), None)
        if timeline is not None:
            return Drop("open", timeline)
        offline = any(row.state == "offline" for row in self._rows)
        folder = next((path for path in paths if path.is_dir()), None)
        media = next((path for path in paths if has_media_ending(path.name)), None)
        if self._document is not None and (folder is not None or (media is not None and offline)):
            return Drop("look", folder if folder is not None else (media or Path()).parent)
        return Drop("open", media) if media is not None and folder is None else Drop()

    def drop(self, paths: Sequence[Path]) -> Drop:
        """Do what `judge` says."""
        found = self.judge(paths)
        if found.do == "open":
            self.open(Source(found.path))
        elif found.do == "look":
            self.look_in(found.path)
        return found

    def is_changed_on_disk(self) -> bool:
        """Whether the open timeline's file is another than the one that was read; asked when the window is shown."""
        if self._document is None or self._opening is not None or self._stamp is None:
            return False
        now = _stamp(self._document.source.path)
        return now is not None and now != self._stamp

    # What clips hold, and how loud they are

    def set_category(self, indices: Iterable[int], kind: str) -> None:
        """Say what the tracks of these clips hold: one of the engine's categories, or "" to leave it to the engine.

        A category belongs to a track: all of its clips hold it.
        """
        self.set_track_category({self.row(index).track_number for index in indices}, kind)

    def set_track_category(self, numbers: Iterable[int], kind: str) -> None:
        """Say what tracks hold; can be undone."""
        if kind and kind not in CATEGORIES:
            raise ValueError(kind)
        known = {track.number: track for track in self._tracks}
        changed = [n for n in sorted(set(numbers)) if n in known and self._says_more(known[n], kind)]
        if not changed:
            return
        before = {n: self._told.get(n) for n in changed}
        after = dict.fromkeys(changed, kind)
        self._history.do(Deed("category", lambda: self._tell(after), lambda: self._tell(before)))

    def set_target(self, target: Target) -> None:
        """What the programme is to meet, for clips that lie off it."""
        if target != self.target:
            self.target = target
            self._judge(row.index for row in self._rows)

    def look_at(self, indices: Iterable[int]) -> None:
        """Measure these clips before the others: they are seen."""
        seen = dict.fromkeys(index for index in indices if index in self._unmeasured)
        self._unmeasured = {**seen, **self._unmeasured}

    def rest(self, on: bool) -> None:
        """Measure nothing for a while: somebody waits for what needs all of the machine."""
        self._resting = on
        if not on:
            self._measure()
        elif self._measured:
            self._measured = ()
            self._tickets["loudness"].cancel()

    # Reading a timeline

    def _begin_reading(self, source: Source | None) -> int:
        """Nothing that was asked for before counts any more; the number of this reading."""
        self._reading += 1
        self._opening, self.failure, self._refused = source, None, None
        self._hearing, self._measured = False, ()
        tickets, self._tickets = self._tickets, {}
        for ticket in tickets.values():
            ticket.cancel()
        return self._reading

    def _read(self, source: Source, told: dict[int, str], again: bool) -> None:
        self._begin_reading(source)
        stamp = _stamp(source.path)

        def done(data: Mapping[str, Any], _: bytes) -> None:
            self._take(replace(document_of(data), source=source), told, stamp, again)

        self.state_changed.emit()
        # Without what the user said: it is laid over what the engine says, and can be taken away again.
        request = {"source": source.to_dict(), "told": []}
        self._ask("open", request, done=done, failed=lambda failure: self._refuse(failure, source))

    def _ask(self, do: str, data: Mapping[str, Any], **calls: Callable[..., object]) -> None:
        """Ask for something about a timeline; what comes once another is being read is passed over."""
        reading = self._reading

        def while_read(call: Callable[..., object]) -> Callable[..., object]:
            return lambda *told: call(*told) if reading == self._reading else None

        kept: dict[str, Any] = {name: while_read(call) for name, call in calls.items()}
        ticket = self._engine.ask(do, data, slot=f"clips.{do}", **kept)
        if reading == self._reading:
            self._tickets[do] = ticket

    def _refuse(self, failure: Failure, source: Source) -> None:
        self._opening = None
        if not failure.cancelled:
            self.failure, self._refused = failure, source
        self._resume()
        self.state_changed.emit()
        if not failure.cancelled:
            self.failed.emit(failure)

    def _take(self, document: Document, told: dict[int, str], stamp: Stamp | None, again: bool) -> None:
        known = {_identity(row): row for row in self._rows} if again else {}
        chosen = {_identity(self.row(index)) for index in self.choice.chosen} if again else set()
        self._opening = None
        self._forget()
        self._document, self._stamp = document, stamp
        self._rows = [_as_measured(row, known.get(_identity(row))) for row in document.clips]
        self._tracks = list(document.tracks)
        self._engines = _Engines(document.tracks, document.clips)
        neighbours = Neighbours([row for row in self._rows if row.online])
        self._together = {row.index: neighbours.of(row) for row in self._rows if row.online}
        self._told = {number: kind for number, kind in told.items() if number in self._engines.tracks}
        self._unmeasured = dict.fromkeys(row.index for row in self._rows if row.online and row.lufs is None)
        self._hold(self._engines.tracks)
        self._rows = [self._judged(row) for row in self._rows]
        if again:
            self.choice.begin([row.index for row in self._rows if _identity(row) in chosen], anew=False)
        else:
            self._history.clear()
            self.choice.begin()
        self._remember()
        self._emit_opened()
        self.state_changed.emit()
        self._resume()

    def _emit_opened(self) -> None:
        document = self.document
        if document is not None:
            self.opened.emit(document)

    def _resume(self) -> None:
        """Go on with what is still to be heard and measured of the open timeline."""
        if self._document is not None and self._opening is None:
            self._listen()
            self._measure()

    def _remember(self) -> None:
        if self._document is not None:
            self.recent.add(Entry(self._document.source, self._document.name, dict(self._told)))

    # What tracks hold

    def _says_more(self, track: TrackRow, kind: str) -> bool:
        said = self._told.get(track.number)
        return said != kind if kind else said != "" and (said is not None or track.told)

    def _tell(self, told: Mapping[int, str | None]) -> None:
        for number, kind in told.items():
            if kind is None:
                self._told.pop(number, None)
            else:
                self._told[number] = kind
        self._hold(told)
        self._listen()
        touched = [index for track in self._tracks if track.number in told for index in track.clips]
        self._remember()
        self._judge(touched)
        self.kinds_changed.emit()

    def _hold(self, numbers: Iterable[int]) -> None:
        """Have tracks hold what the user says, or else what the engine says."""
        wanted = set(numbers)
        for i, track in enumerate(self._tracks):
            if track.number not in wanted:
                continue
            said = self._told.get(track.number)
            self._tracks[i] = self._engines.track(track.number, said)
            for index in track.clips:
                held, row = self._engines.clip(index, track.number, said), self._rows[index - 1]
                if held != _held(row):
                    self._rows[index - 1] = replace(row, **held)
        self._pending = self._to_be_heard()
        self._stale = True

    def _to_be_heard(self) -> set[int]:
        """The tracks of which only listening can tell what they hold, and has not."""
        unsure = {row.track_number for row in self._rows if row.online and not row.certain}
        taken_back = {n for n, said in self._told.items() if said == "" and self._engines.by_user(n)}
        return {n for n in unsure | taken_back if not self._told.get(n)} - self._heard

    def _listen(self) -> None:
        numbers = self._pending
        if not numbers or self._document is None:
            return

        def done(data: Mapping[str, Any], _: bytes) -> None:
            self._take_heard(data, numbers, "")

        def failed(failure: Failure) -> None:
            if not failure.cancelled:  # else it is asked anew, with more that the user has said
                self._take_heard({}, numbers, failure.error)

        self._hearing = True

        request = {"source": self._document.source.to_dict(), "told": self.told_words}
        self._ask("listen", request, done=done, failed=failed)
        self.state_changed.emit()

    def _take_heard(self, data: Mapping[str, Any], numbers: set[int], unheard: str) -> None:
        self._hearing, self.unheard = False, unheard
        self._heard |= numbers
        self._engines.hear(data, numbers)
        self._hold(self._engines.tracks)
        self._judge([row.index for row in self._rows])
        self.kinds_changed.emit()
        self.state_changed.emit()

    # How loud clips are

    def _measure(self) -> None:
        """Ask for the loudness of the next few clips, those that are seen first."""
        idle = not self._measured and not self._resting and self._opening is None
        if not idle or not self._unmeasured or self._document is None:
            return
        first = next(iter(self._unmeasured))
        together = [index for index in self._unmeasured if index not in self._alone]
        self._measured = (first,) if first in self._alone else tuple(together[:_AT_ONCE])
        request = {"source": self._document.source.to_dict(), "clips": list(self._measured)}
        self._ask(
            "loudness", request, event=self._take_loudness, done=self._end_chunk, failed=self._fail_chunk
        )

    def _take_loudness(self, data: Mapping[str, Any], _: bytes) -> None:
        index = data["clip"]
        if self._unmeasured.pop(index, self) is self:
            return
        row = self._rows[index - 1]
        if "error" in data:
            row = replace(row, trouble=data["error"])
        else:
            row = replace(
                row,
                lufs=_heard_at(data["lufs"], row.volume),
                true_peak=_heard_at(data["true_peak"], row.volume),
            )
        self._rows[index - 1] = row
        self._judge([index])

    def _end_chunk(self, *_: object) -> None:
        self._next_chunk(dict.fromkeys(self._measured, ""))

    def _fail_chunk(self, failure: Failure) -> None:
        left = [index for index in self._measured if index in self._unmeasured]
        if failure.crashed and len(left) > 1:  # which of them it was shows when each is asked for by itself
            self._alone.update(left)
            self._next_chunk({})
        elif not failure.cancelled:
            self._next_chunk(dict.fromkeys(left, failure.error))
        else:
            self._measured = ()

    def _next_chunk(self, ended: Mapping[int, str]) -> None:
        self._measured = ()
        for index, error in ended.items():
            if index in self._unmeasured:
                del self._unmeasured[index]
                self._rows[index - 1] = replace(self._rows[index - 1], trouble=error)
        self._judge(ended)
        self._pump.post(self._measure)
        if not self._unmeasured:
            self.state_changed.emit()

    # Why clips need work

    def _judge(self, touched: Iterable[int]) -> None:
        """Some clips are not what they were: tell of them, and of those whose need of work has changed with them."""
        changed = dict.fromkeys(touched)
        for index in {one for own in changed for one in (own, *self._together.get(own, ()))}:
            row = self._rows[index - 1]
            judged = self._judged(row)
            if judged is not row:
                self._rows[index - 1] = judged
                changed[index] = None
        if not changed:
            return
        self._stale = True
        if self.choice.text or self.choice.needy:
            self.choice.renew()
        self.rows_changed.emit(tuple(changed))

    def _judged(self, row: ClipRow) -> ClipRow:
        together = (self._rows[index - 1] for index in self._together.get(row.index, ()))
        needs = needs_of(row, together, self.target, listened=row.track_number not in self._pending)
        return row if needs == row.needs else replace(row, needs=needs)


class _Engines:
    """What tracks and clips hold by everybody's word but that of the user today: the engine's, and the timeline's."""

    def __init__(self, tracks: Sequence[TrackRow], clips: Sequence[ClipRow]) -> None:
        self.tracks = {track.number: track for track in tracks}
        self._clips = {clip.index: _held(clip) for clip in clips}
        self._remembered = {track.number: track for track in tracks if track.told}
        self._remembered_clips = dict(self._clips)

    def by_user(self, number: int) -> bool:
        """Whether all that is known of a track is what its timeline remembers of an earlier user's word."""
        return self.tracks[number].told

    def track(self, number: int, said: str | None) -> TrackRow:
        """A track as it is where the user says `said`: "" takes back what is remembered, None says nothing."""
        track = self.tracks[number]
        if said:
            return replace(track, kind=said, certain=True, told=True, reason="")
        if said is None:
            return self._remembered.get(number, track)
        return replace(track, reason="", **_UNKNOWN) if track.told else track

    def clip(self, index: int, number: int, said: str | None) -> dict[str, Any]:
        """What a clip of track `number` holds, as the fields of its row."""
        held = self._clips[index]
        if said:
            return {"kind": said, "certain": True, "told": True}
        if said is None and number in self._remembered:
            return self._remembered_clips[index]
        return _UNKNOWN if held["told"] else held

    def hear(self, data: Mapping[str, Any], numbers: Collection[int]) -> None:
        """Take what was heard of the tracks `numbers`; of one that nothing was heard of, nobody says anything."""
        for number in numbers:
            held = data.get("tracks", {}).get(str(number))
            track = self.tracks[number]
            if held is not None:
                self.tracks[number] = replace(track, reason=held.get("reason", ""), **held_by(held))
            elif track.told:
                self.tracks[number] = replace(track, reason="", **_UNKNOWN)
            for index in track.clips:
                of_clip = data.get("clips", {}).get(str(index))
                if of_clip is not None:
                    self._clips[index] = held_by(of_clip)
                elif self._clips[index]["told"]:
                    self._clips[index] = _UNKNOWN


def _held(row: ClipRow) -> dict[str, Any]:
    return {"kind": row.kind, "certain": row.certain, "told": row.told}


def _identity(row: ClipRow) -> tuple[object, ...]:
    """What a clip is known by when its timeline is read again."""
    return (row.name, row.track_number, row.record_in, row.record_out, row.media, row.volume)


def _as_measured(row: ClipRow, known: ClipRow | None) -> ClipRow:
    """A clip with what was measured of the same one before."""
    if known is None or not (row.online and known.online):
        return row
    return replace(row, lufs=known.lufs, true_peak=known.true_peak, trouble=known.trouble)


def _heard_at(level: float | None, volume: float) -> float:
    """A level as a clip's volume line leaves it; silence has none, and a shut fader leaves none."""
    return -math.inf if level is None or volume <= SILENCE_DB else level + volume


def _stamp(path: Path) -> Stamp | None:
    try:
        return Stamp.of(path)
    except (MediaError, ValueError):
        return None
