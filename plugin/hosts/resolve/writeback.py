"""Lays stems on a copy of the editor's timeline, reads everything back, and removes the copy if anything is amiss.

The editor's own timeline is read and never written: no call in this module changes anything of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

from ....engine.errors import SightmixError
from ....engine.media.layout import Layout
from ....engine.media.time import snap_rate, to_frames
from ..errors import HostError, HostGoneError
from .remote import gather

BIN = "sightmix"
SUFFIX = " [rebalanced]"
_KINDS = ("video", "audio", "subtitle")
_MORE_THAN_ENOUGH = 1000  # copies of one name


@dataclass(frozen=True)
class Stem:
    """A sound file with one audio stream, as long as the timeline, and the name of the track it goes on."""

    path: Path
    track: str
    layout: Layout

    @property
    def audio_type(self) -> str:
        """The kind of track in Resolve that plays all channels as they are."""
        return self.layout.resolve


@dataclass(frozen=True)
class LongStems:
    """The stems of a timeline, and a sentence for everything the editor should know of them."""

    stems: tuple[Stem, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Muted:
    """What falls silent in the copy: whole audio tracks by number, and single clips by track and a frame in them.

    Frames count from the timeline's first.
    """

    tracks: tuple[int, ...] = ()
    clips: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Written:
    """The timeline that was made, its new tracks, and how much of the old falls silent in it."""

    timeline: str
    tracks: tuple[str, ...]
    muted_tracks: int
    muted_clips: int


class Keeper(Protocol):
    """Who removes an unfinished copy when this program is lost while Resolve goes on."""

    def guard(self, copy: Any, original: Any) -> None:
        """From now on `copy` is unfinished."""

    def release(self) -> None:
        """There is nothing unfinished any more."""


class NoKeeper:
    """Nobody does: Resolve runs no script of ours."""

    def guard(self, copy: Any, original: Any) -> None:
        """Do nothing."""

    def release(self) -> None:
        """Do nothing."""


def rate_of(setting: object) -> Fraction:
    """Frames per second from what Resolve says, such as "29.97 DF", 24.0 or "25"; raises HostError."""
    try:
        return snap_rate(Fraction(str(setting).split()[0]))
    except (ValueError, IndexError, ZeroDivisionError) as error:
        raise HostError(
            f"Resolve calls {setting!r} a frame rate, which sightmix does not understand."
        ) from error


def current(root: Any) -> tuple[Any, Any]:
    """The open project and its current timeline; raises HostError where there is none."""
    manager = _got(
        root.GetProjectManager(), "Resolve does not answer: it was closed, or a window in it waits."
    )
    project = _got(manager.GetCurrentProject(), "No project is open in Resolve.")
    timeline = _got(
        project.GetCurrentTimeline(), "No timeline is open in Resolve: open the one to rebalance."
    )
    return project, timeline


def write_back(
    root: Any,
    stems: Sequence[Stem],
    muted: Muted,
    seconds: Fraction,
    keeper: Keeper | None = None,
    seen: Seen | None = None,
) -> Written:
    """Copy the current timeline, put every stem on a new track from its first frame on, mute the originals.

    `seconds` is the length to be covered, `seen` the timeline as it was when the stems were begun. The page, bin and
    timeline that were open are open again afterwards. Raises HostError with what happened and what is left; the
    editor's timeline is as it was in any case.
    """
    if not stems:
        raise HostError("There is nothing to lay on a timeline.")
    work = _Work(root, seconds, keeper or NoKeeper(), seen)
    try:
        return work.run(stems, muted)
    except BaseException as error:
        left = work.undo()
        if isinstance(error, SightmixError):
            raise type(error)(f"{error} {left}") from error
        raise
    finally:
        work.restore()


def _got(value: Any, otherwise: str) -> Any:
    if not value:
        raise HostError(otherwise)
    return value


def _number(value: Any) -> int:
    """A count or a frame, which Resolve always has while it is there."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise HostGoneError(
            "Resolve gives no figures any more: it was closed, or a window in it waits for a click."
        )
    return int(value)


def _same(one: Any, other: Any) -> bool:
    identity = one.GetUniqueId() if one is not None else ""
    return bool(identity) and other is not None and identity == other.GetUniqueId()


@dataclass(frozen=True)
class _Outline:
    """A track as it is recognised again: name, on or off, items, first frame and last."""

    name: str
    enabled: bool
    items: int
    first: int
    last: int


def outline(timeline: Any) -> dict[tuple[str, int], _Outline]:
    """The tracks of a timeline, for comparing."""
    counts = gather([(timeline, "GetTrackCount", (kind,)) for kind in _KINDS])
    places = [(kind, i) for kind, n in zip(_KINDS, counts, strict=True) for i in range(1, _number(n) + 1)]
    asked = ("GetTrackName", "GetIsTrackEnabled", "GetItemListInTrack")
    facts = gather([(timeline, method, place) for method in asked for place in places])
    names, states, lists = (facts[n * len(places) : (n + 1) * len(places)] for n in range(len(asked)))
    lists = [items or [] for items in lists]
    filled = [items for items in lists if items]
    ends = gather(
        [(items[0], "GetStart", ()) for items in filled] + [(items[-1], "GetEnd", ()) for items in filled]
    )
    spans = iter(zip(ends[: len(filled)], ends[len(filled) :], strict=True))
    found = {}
    for place, name, state, items in zip(places, names, states, lists, strict=True):
        first, last = next(spans) if items else (0, 0)
        found[place] = _Outline(str(name), bool(state), len(items), _number(first), _number(last))
    return found


@dataclass(frozen=True)
class Seen:
    """A timeline at one moment, to know it again and to notice changes."""

    name: str
    identity: str
    tracks: dict[tuple[str, int], _Outline]

    def to_dict(self) -> dict[str, Any]:
        """What was seen as JSON values."""
        tracks = [[kind, number, *astuple(track)] for (kind, number), track in self.tracks.items()]
        return {"name": self.name, "identity": self.identity, "tracks": tracks}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Seen:
        """What `to_dict` gave; raises KeyError, TypeError or ValueError for anything else."""
        tracks = {(kind, number): _Outline(*track) for kind, number, *track in data["tracks"]}
        return cls(data["name"], data["identity"], tracks)


def look_at(root: Any) -> Seen:
    """The open timeline as it is now; raises HostError where there is none."""
    _, timeline = current(root)
    return Seen(str(timeline.GetName()), str(timeline.GetUniqueId()), outline(timeline))


@dataclass
class _Work:
    """One write-back: what was there before, what has been made so far."""

    root: Any
    seconds: Fraction
    keeper: Keeper
    seen: Seen | None = None
    project: Any = None
    original: Any = None
    pool: Any = None
    page: Any = None
    folder: Any = None
    copy: Any = None
    copy_name: str = ""
    new_bin: Any = None
    media: list[Any] = field(default_factory=list)
    rate: Fraction = Fraction(24)

    def run(self, stems: Sequence[Stem], muted: Muted) -> Written:
        self._remember()
        before = outline(self.original)
        self._check_seen(before)
        self._duplicate()
        _got(outline(self.copy) == before, "The copy Resolve made of the timeline is not like it.")
        items = self._import(stems)
        tracks = [self._lay(stem, item) for stem, item in zip(stems, items, strict=True)]
        self._mute(muted)
        self._read_back(before, muted, dict(zip(tracks, stems, strict=True)))
        self.keeper.release()
        done = Written(
            self.copy_name, tuple(stem.track for stem in stems), len(muted.tracks), len(muted.clips)
        )
        self.copy = None
        return done

    def _remember(self) -> None:
        self.project, self.original = current(self.root)
        self.pool = _got(self.project.GetMediaPool(), "Resolve does not show its media pool.")
        self.page = self.root.GetCurrentPage()
        self.folder = self.pool.GetCurrentFolder()
        self.rate = rate_of(self.original.GetSetting("timelineFrameRate"))

    def _check_seen(self, now: dict[tuple[str, int], _Outline]) -> None:
        """Rendering takes its time, and editors do not sit still."""
        if self.seen is None:
            return
        if self.original.GetUniqueId() != self.seen.identity:
            raise HostError(
                f"Another timeline is open in Resolve than the one that was rebalanced, '{self.seen.name}': open that "
                "and run this again; what was rendered is kept."
            )
        if now != self.seen.tracks:
            raise HostError(
                f"'{self.seen.name}' was edited while it was being rebalanced; run this again, what still fits of "
                "what was rendered is used."
            )

    def _duplicate(self) -> None:
        # Items are deleted on this page only, and a page that shows a timeline is needed to work on one.
        if self.page != "edit":
            _got(self.root.OpenPage("edit"), "Resolve did not open its Edit page.")
        self.copy_name = self._free_name(f"{self.original.GetName()}{SUFFIX}")
        copy = _got(self.original.DuplicateTimeline(self.copy_name), "Resolve did not copy the timeline.")
        if _same(copy, self.original):
            raise HostError("Resolve handed back the timeline itself as its copy.")
        self.copy = copy
        self.keeper.guard(copy, self.original)
        _got(self.project.SetCurrentTimeline(copy), "Resolve did not open the copy of the timeline.")
        _got(_same(self.project.GetCurrentTimeline(), copy), "Resolve opened another timeline than the copy.")

    def _free_name(self, wanted: str) -> str:
        count = _number(self.project.GetTimelineCount())
        timelines = gather([(self.project, "GetTimelineByIndex", (i,)) for i in range(1, count + 1)])
        taken = set(gather([(timeline, "GetName", ()) for timeline in timelines if timeline is not None]))
        names = [wanted, *(f"{wanted} {n}" for n in range(2, _MORE_THAN_ENOUGH))]
        return next(name for name in names if name not in taken)

    def _import(self, stems: Sequence[Stem]) -> list[Any]:
        """The files in our bin; ImportMedia goes to whatever bin is current."""
        root = _got(self.pool.GetRootFolder(), "Resolve does not show its media pool.")
        folders = root.GetSubFolderList() or []
        place = next((folder for folder in folders if folder.GetName() == BIN), None)
        if place is None:
            place = self.new_bin = _got(self.pool.AddSubFolder(root, BIN), "Resolve did not add a bin.")
        _got(self.pool.SetCurrentFolder(place), "Resolve did not open the bin for the stems.")
        for stem in stems:
            made = self.pool.ImportMedia([str(stem.path)]) or []
            self.media += made
            if len(made) != 1 or Path(str(made[0].GetClipProperty("File Path"))) != stem.path:
                raise HostError(f"Resolve did not import {stem.path}.")
        return list(self.media)

    def _lay(self, stem: Stem, item: Any) -> int:
        """Put one stem on a new track of its own; returns the track's number."""
        copy, index = self.copy, _number(self.copy.GetTrackCount("audio")) + 1
        if not copy.AddTrack("audio", {"audioType": stem.audio_type}):
            copy.AddTrack("audio", stem.audio_type)
        made = _number(copy.GetTrackCount("audio")) == index and copy.GetTrackSubType("audio", index)
        if made != stem.audio_type:
            raise HostError(f"Resolve did not add a track of type {stem.audio_type}.")
        named = copy.SetTrackName("audio", index, stem.track)
        _got(named, f"Resolve did not name the track {stem.track}.")
        frames = self._source_frames(item)
        self._append(item, index, frames)
        if self._length(index) > self._frames:
            # Some versions count the last frame in; the same again, a frame shorter.
            self._clear(index)
            self._append(item, index, frames - 1)
        self._check_item(stem, item, index)
        return index

    @property
    def _frames(self) -> int:
        return max(1, to_frames(self.seconds, self.rate))

    def _source_frames(self, item: Any) -> int:
        """How many frames of the file to play: it counts in the rate the project had when it came in."""
        media_rate = rate_of(item.GetClipProperty("FPS"))
        return math.ceil(self._frames / self.rate * media_rate)

    def _append(self, item: Any, index: int, frames: int) -> None:
        self.pool.AppendToTimeline(
            [
                {
                    "mediaPoolItem": item,
                    "startFrame": 0,
                    "endFrame": frames,
                    "mediaType": 2,
                    "trackIndex": index,
                    "recordFrame": _number(self.copy.GetStartFrame()),
                }
            ]
        )

    def _items(self, index: int) -> list[Any]:
        return self.copy.GetItemListInTrack("audio", index) or []

    def _length(self, index: int) -> int:
        items = self._items(index)
        return _number(items[0].GetDuration()) if items else 0

    def _clear(self, index: int) -> None:
        for _ in range(2):  # now and then Resolve needs to be asked twice
            items = self._items(index)
            if not items or (self.copy.DeleteClips(items) and not self._items(index)):
                return
        raise HostError("Resolve did not remove a clip that came out a frame too long.")

    def _check_item(self, stem: Stem, item: Any, index: int) -> None:
        items = self._items(index)
        if len(items) != 1 or not items[0].GetUniqueId():
            raise HostError(f"Resolve did not place {stem.path.name} on the timeline.")
        placed = items[0]
        if not _same(placed.GetMediaPoolItem(), item):
            raise HostError(f"Resolve placed something else than {stem.path.name}.")
        start, length = _number(placed.GetStart()), _number(placed.GetDuration())
        # Where rates differ Resolve rounds down, so the end may lack a frame; the start never moves.
        exact = rate_of(item.GetClipProperty("FPS")) == self.rate
        if (
            start != _number(self.copy.GetStartFrame())
            or not self._frames - (not exact) <= length <= self._frames
        ):
            raise HostError(
                f"Resolve placed {stem.path.name} at frame {start} for {length} frames instead of at "
                f"{_number(self.copy.GetStartFrame())} for {self._frames}."
            )

    def _mute(self, muted: Muted) -> None:
        for index in muted.tracks:
            self.copy.SetTrackEnable("audio", index, False)
        for index, frame in muted.clips:
            self._clip_at(index, frame).SetClipEnabled(False)

    def _clip_at(self, index: int, frame: int) -> Any:
        wanted = _number(self.copy.GetStartFrame()) + frame
        for item in self._items(index):
            if _number(item.GetStart()) <= wanted < _number(item.GetEnd()):
                return item
        raise HostError(f"Resolve shows no clip on audio track {index} where one was rebalanced.")

    def _read_back(
        self, before: dict[tuple[str, int], _Outline], muted: Muted, stems: dict[int, Stem]
    ) -> None:
        """Everything is as it should be: the new tracks, the old ones, and the editor's timeline."""
        expected = {
            (kind, i): _Outline(
                t.name, t.enabled and (kind, i) not in {("audio", m) for m in muted.tracks}, *_span(t)
            )
            for (kind, i), t in before.items()
        }
        now = outline(self.copy)
        for index, stem in stems.items():
            found = now.pop(("audio", index), None)
            if found is None or (found.name, found.enabled, found.items) != (stem.track, True, 1):
                raise HostError(f"The track {stem.track} is not on the copy as it was put there.")
        _got(now == expected, "The other tracks of the copy are not as they should be.")
        for index, frame in muted.clips:
            _got(
                not self._clip_at(index, frame).GetClipEnabled(),
                "Resolve did not switch an original clip off.",
            )
        _got(outline(self.original) == before, "The timeline itself changed while its copy was worked on.")

    def undo(self) -> str:
        """Remove what was made so far; says what is left."""
        if self.copy is None:
            return "Nothing was changed in Resolve."
        removed = False
        with suppress(Exception):
            self.project.SetCurrentTimeline(self.original)
            self.pool.DeleteTimelines([self.copy])
            removed = self.copy_name not in self._names()
        with suppress(Exception):
            if self.media:
                self.pool.DeleteClips(self.media)
            if self.new_bin is not None:
                self.pool.DeleteFolders([self.new_bin])
        if not removed:
            return (
                f"Your timeline is as it was; a copy called '{self.copy_name}' may be left in the media pool, "
                "unfinished: delete it. The stems are kept."
            )
        with suppress(Exception):
            self.keeper.release()
        return "The copy was removed again, your timeline is as it was, and the stems are kept."

    def _names(self) -> set[str]:
        count = self.project.GetTimelineCount()
        if not count:  # at least the editor's own is there, or Resolve is not
            raise HostError("Resolve does not list its timelines.")
        return {self.project.GetTimelineByIndex(i).GetName() for i in range(1, int(count) + 1)}

    def restore(self) -> None:
        """Open again what was open."""
        with suppress(Exception):
            if self.original is not None:
                self.project.SetCurrentTimeline(self.original)
        with suppress(Exception):
            if self.folder is not None:
                self.pool.SetCurrentFolder(self.folder)
        with suppress(Exception):
            if self.page and self.page != self.root.GetCurrentPage():
                self.root.OpenPage(self.page)


def _span(track: _Outline) -> tuple[int, int, int]:
    return track.items, track.first, track.last
