"""A Resolve that is not there: the scripting README's objects over plain lists, with its traps as switches.

Every trap that was measured or reported in the real program is a field of `Traps`; a test turns one the other way to
show that nothing depends on luck. `faults` makes calls fail: by name, from the n-th time on or only then.
"""

# ruff: noqa: N802, N818  (the names are the host's)

from __future__ import annotations

import inspect
import json
import threading
import wave
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import wraps
from pathlib import Path
from typing import Any


@dataclass
class Traps:
    """How this Resolve behaves. The first figure of each comment counts the traps as the notes on hosts do."""

    absolute_record: bool = True  # 1: recordFrame counts from the start of the day, not of the timeline
    relative_markers: bool = True  # 2: markers count from the timeline's start
    exclusive_end: bool = True  # 3: endFrame is the first frame not played
    whole_frames_only: bool = True  # 4: a frame of 1.5 rejects the whole batch
    overlap_drops: bool = True  # 5: the earlier item wins and the new one is not there, without an error
    ghost_items: bool = False  # 5: what was dropped is returned all the same, with an empty id
    spreads_streams: bool = True  # 6: a file of several streams goes on as many tracks
    media_rate: Fraction | None = None  # 7: frames a second a WAV gets at import; None: the project's
    mixed_counting: bool = True  # 8: GetSourceStartFrame in media frames, GetLeftOffset in timeline frames
    import_to_current: bool = True  # 9: ImportMedia goes to the current bin
    refuses_names_taken: bool = True  # 10: ImportTimelineFromFile gives None for a name there is
    titles_break_otio: bool = True  # 11: one Fusion title and an OTIO cannot be imported
    delete_on_edit_page_only: bool = True  # 12: DeleteClips gives False on other pages
    has_every_name: bool = True  # 13: hasattr() says True to anything
    localised_status: str = "Concluído"  # 14: the render status in the user's language
    save_hangs: bool = False  # 15: SaveProject never returns on a project never saved
    live_enums_only: bool = True  # 16: a string for an enum is refused without a word
    free_edition: bool = False  # a Studio call raises a window that makes later calls fail
    old_add_track: bool = False  # AddTrack knows only (type, subtype)
    floors_mixed_rates: bool = True  # 7: another media rate than the timeline's loses up to a frame


class Hang(RuntimeError):
    """Where the real program would never return."""


@dataclass
class Fault:
    """What happens at calls of one method: "none", "false", "raise", "drop" or "gone"; from the `at`-th on."""

    how: str
    at: int = 1
    times: int = 10**9
    seen: int = 0

    def due(self) -> bool:
        self.seen += 1
        return self.at <= self.seen < self.at + self.times


_PLAIN = frozenset({"world", "fault", "public"})


def api(method: Callable[..., Any]) -> Callable[..., Any]:
    """A call of the scripting interface: logged, may fail on demand, dead once Resolve is gone."""

    @wraps(method)
    def called(self: Thing, *args: Any) -> Any:
        world = self.world
        world.log.append((type(self).__name__.removeprefix("Fake"), method.__name__, args))
        if world.on_call is not None:
            world.on_call(method.__name__)
        if world.gone:
            return None
        fault = world.faults.get(method.__name__)
        if fault is not None and fault.due():
            if fault.how == "gone":
                world.gone = True
            if fault.how == "raise":
                raise RuntimeError("the scripting interface failed")
            if fault.how == "drop":
                world.dropping = True
                try:
                    return method(self, *args)
                finally:
                    world.dropping = False
            return False if fault.how == "false" else None
        if world.modal and method.__name__ not in ("GetProductName", "GetVersionString"):
            return False
        return method(self, *args)

    called.public = True  # type: ignore[attr-defined]
    return called


class World:
    """What all objects of one Resolve share."""

    def __init__(self, traps: Traps) -> None:
        self.traps = traps
        self.log: list[tuple[str, str, tuple[Any, ...]]] = []
        self.faults: dict[str, Fault] = {}
        self.on_call: Callable[[str], None] | None = None
        self.gone = self.modal = self.dropping = False
        self.page = "edit"
        self._next = 0

    def name(self, kind: str) -> str:
        self._next += 1
        return f"{kind}-{self._next:04d}"


class Thing:
    """An object of the scripting interface: hasattr() is True of it, dir() tells the truth."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __dir__(self) -> list[str]:
        return [n for n, m in inspect.getmembers(type(self)) if getattr(m, "public", False)]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not self.__dict__.get("world", None):
            raise AttributeError(name)
        if self.world.traps.has_every_name:
            return None
        raise AttributeError(name)


class FakeResolve(Thing):
    """The root object, with one project open."""

    EXPORT_OTIO = 301.0
    EXPORT_NONE = 302.0
    EXPORT_AAF = 303.0

    def __init__(self, traps: Traps | None = None, rate: str = "24", start: int = 86400) -> None:
        super().__init__(World(traps or Traps()))
        self.version = "21.1.0.14"
        self.project = FakeProject(self.world, rate)
        self.first = self.project.pool.make_timeline("Cut 1", rate, start)
        self.project.current = self.first

    @api
    def GetProductName(self) -> str:
        return "DaVinci Resolve" if self.world.traps.free_edition else "DaVinci Resolve Studio"

    @api
    def GetVersionString(self) -> str:
        return self.version

    @api
    def GetProjectManager(self) -> FakeProjectManager:
        return FakeProjectManager(self.world, self.project)

    @api
    def GetCurrentPage(self) -> str:
        return self.world.page

    @api
    def OpenPage(self, name: str) -> bool:
        self.world.page = name
        return True


class FakeProjectManager(Thing):
    def __init__(self, world: World, project: FakeProject) -> None:
        super().__init__(world)
        self._project = project

    @api
    def GetCurrentProject(self) -> FakeProject:
        return self._project

    @api
    def SaveProject(self) -> bool:
        if self.world.traps.save_hangs and not self._project.saved:
            raise Hang("SaveProject on a project that was never saved does not return")
        self._project.saved = True
        return True


class FakeProject(Thing):
    def __init__(self, world: World, rate: str) -> None:
        super().__init__(world)
        self.id = world.name("project")
        self.rate = rate
        self.saved = False
        self.timelines: list[FakeTimeline] = []
        self.current: FakeTimeline | None = None
        self.pool = FakeMediaPool(world, self)
        self.jobs: list[str] = []

    @api
    def GetName(self) -> str:
        return "Film"

    @api
    def GetUniqueId(self) -> str:
        return self.id

    @api
    def GetMediaPool(self) -> FakeMediaPool:
        return self.pool

    @api
    def GetTimelineCount(self) -> int:
        return len(self.timelines)

    @api
    def GetTimelineByIndex(self, index: int) -> FakeTimeline | None:
        return self.timelines[int(index) - 1] if 1 <= index <= len(self.timelines) else None

    @api
    def GetCurrentTimeline(self) -> FakeTimeline | None:
        return self.current

    @api
    def SetCurrentTimeline(self, timeline: FakeTimeline) -> bool:
        if timeline not in self.timelines:
            return False
        self.current = timeline
        return True

    @api
    def GetSetting(self, key: str) -> str:
        return self.rate if key == "timelineFrameRate" else ""

    @api
    def AddRenderJob(self) -> str:
        self.jobs.append(self.world.name("job"))
        return self.jobs[-1]

    @api
    def StartRendering(self, *args: Any) -> bool:
        return bool(self.jobs)

    @api
    def IsRenderingInProgress(self) -> bool:
        return False

    @api
    def GetRenderJobStatus(self, job: str) -> dict[str, Any]:
        return {"JobStatus": self.world.traps.localised_status, "CompletionPercentage": 100}


class FakeFolder(Thing):
    def __init__(self, world: World, name: str) -> None:
        super().__init__(world)
        self.name, self.id = name, world.name("bin")
        self.folders: list[FakeFolder] = []
        self.clips: list[FakePoolItem] = []

    @api
    def GetName(self) -> str:
        return self.name

    @api
    def GetUniqueId(self) -> str:
        return self.id

    @api
    def GetSubFolderList(self) -> list[FakeFolder]:
        return list(self.folders)

    @api
    def GetClipList(self) -> list[FakePoolItem]:
        return list(self.clips)

    def everywhere(self) -> list[FakeFolder]:
        return [self, *(f for sub in self.folders for f in sub.everywhere())]


class FakePoolItem(Thing):
    def __init__(self, world: World, path: Path, rate: Fraction, streams: int = 1) -> None:
        super().__init__(world)
        self.path, self.rate, self.streams = path, rate, streams
        self.id = world.name("media")
        self.seconds, self.channels = _facts(path)

    @property
    def frames(self) -> int:
        return int(self.seconds * self.rate)

    @api
    def GetName(self) -> str:
        return self.path.name

    @api
    def GetUniqueId(self) -> str:
        return self.id

    @api
    def GetClipProperty(self, name: str | None = None) -> Any:
        shown = float(self.rate)
        facts = {
            "File Path": str(self.path),
            "FPS": int(shown) if shown.is_integer() else round(shown, 3),
            "Frames": str(self.frames),
            "Audio Ch": str(self.channels),
            "Clip Name": self.path.name,
        }
        return facts if name is None else facts.get(name, "")


def _facts(path: Path) -> tuple[Fraction, int]:
    try:
        with wave.open(str(path), "rb") as file:
            return Fraction(file.getnframes(), file.getframerate()), file.getnchannels()
    except (wave.Error, EOFError):
        from sightmix.engine.media.reader import probe

        info = probe(path)
        return info.duration, info.audio[0].channels


class FakeMediaPool(Thing):
    def __init__(self, world: World, project: FakeProject) -> None:
        super().__init__(world)
        self._project = project
        self.root = FakeFolder(world, "Master")
        self.current = self.root
        self.streams: dict[str, int] = {}  # audio streams by file name, where there is more than one

    def make_timeline(self, name: str, rate: str, start: int) -> FakeTimeline:
        timeline = FakeTimeline(self.world, self._project, name, rate, start)
        self._project.timelines.append(timeline)
        return timeline

    @api
    def GetRootFolder(self) -> FakeFolder:
        return self.root

    @api
    def AddSubFolder(self, folder: FakeFolder, name: str) -> FakeFolder:
        made = FakeFolder(self.world, name)
        folder.folders.append(made)
        self.current = made
        return made

    @api
    def GetCurrentFolder(self) -> FakeFolder:
        return self.current

    @api
    def SetCurrentFolder(self, folder: FakeFolder) -> bool:
        if folder not in self.root.everywhere():
            return False
        self.current = folder
        return True

    @api
    def DeleteFolders(self, folders: list[FakeFolder]) -> bool:
        for parent in self.root.everywhere():
            parent.folders = [f for f in parent.folders if f not in folders]
        if self.current not in self.root.everywhere():
            self.current = self.root
        return True

    @api
    def ImportMedia(self, paths: list[str]) -> list[FakePoolItem]:
        rate = self.world.traps.media_rate or frame_rate(self._project.rate)
        made = []
        for path in paths:
            if Path(path).is_file() and not self.world.dropping:
                made.append(FakePoolItem(self.world, Path(path), rate, self.streams.get(Path(path).name, 1)))
        where = self.current if self.world.traps.import_to_current else self.root
        where.clips += made
        return made

    @api
    def DeleteClips(self, items: list[FakePoolItem]) -> bool:
        for folder in self.root.everywhere():
            folder.clips = [c for c in folder.clips if c not in items]
        return True

    @api
    def DeleteTimelines(self, timelines: list[FakeTimeline]) -> bool:
        if any(t is self._project.current for t in timelines):
            return False
        kept = [t for t in self._project.timelines if t not in timelines]
        gone = len(kept) < len(self._project.timelines)
        self._project.timelines = kept
        return gone

    @api
    def CreateEmptyTimeline(self, name: str) -> FakeTimeline | None:
        if any(t.name == name for t in self._project.timelines):
            return None
        return self.make_timeline(name, self._project.rate, 86400)

    @api
    def ImportTimelineFromFile(self, path: str, options: dict[str, Any] | None = None) -> FakeTimeline | None:
        name = (options or {}).get("timelineName", Path(path).stem)
        traps = self.world.traps
        if traps.refuses_names_taken and any(t.name == name for t in self._project.timelines):
            return None
        text = Path(path).read_text(encoding="utf-8")
        if "Resolve_OTIO" not in text or (traps.titles_break_otio and "MissingReference" in text):
            return None
        return self.make_timeline(name, self._project.rate, 86400)

    @api
    def AppendToTimeline(self, clips: list[dict[str, Any]]) -> list[FakeItem] | None:
        timeline = self._project.current
        if timeline is None:
            return None
        frames = [c[k] for c in clips for k in ("startFrame", "endFrame", "recordFrame") if k in c]
        if self.world.traps.whole_frames_only and any(float(f) != int(f) for f in frames):
            return None
        return [item for clip in clips for item in timeline.append(clip)]


@dataclass
class Track:
    name: str
    kind: str = "stereo"
    enabled: bool = True
    locked: bool = False
    items: list[FakeItem] = field(default_factory=list)


class FakeItem(Thing):
    def __init__(
        self, world: World, media: FakePoolItem | None, name: str, start: int, duration: int, source: int
    ) -> None:
        super().__init__(world)
        self.media, self.name, self.start, self.duration, self.source = media, name, start, duration, source
        self.enabled = True
        self.id = world.name("item")

    @api
    def GetName(self) -> str:
        return self.name

    @api
    def GetUniqueId(self) -> str:
        return self.id

    @api
    def GetStart(self, subframe: bool = False) -> int:
        return self.start

    @api
    def GetEnd(self, subframe: bool = False) -> int:
        return self.start + self.duration

    @api
    def GetDuration(self, subframe: bool = False) -> int:
        return self.duration

    @api
    def GetLeftOffset(self, subframe: bool = False) -> int:
        rate = self.media.rate if self.media else Fraction(24)
        return int(self.source / rate * 24) if self.world.traps.mixed_counting else self.source

    @api
    def GetSourceStartFrame(self) -> int:
        return self.source

    @api
    def GetMediaPoolItem(self) -> FakePoolItem | None:
        return self.media

    @api
    def GetClipEnabled(self) -> bool:
        return self.enabled

    @api
    def SetClipEnabled(self, enabled: bool) -> bool:
        self.enabled = bool(enabled)
        return True

    def twin(self) -> FakeItem:
        made = FakeItem(self.world, self.media, self.name, self.start, self.duration, self.source)
        made.enabled = self.enabled
        return made


class FakeTimeline(Thing):
    def __init__(self, world: World, project: FakeProject, name: str, rate: str, start: int) -> None:
        super().__init__(world)
        self._project = project
        self.name, self.rate, self.start = name, rate, start
        self.id = world.name("timeline")
        self.tracks: dict[str, list[Track]] = {"video": [Track("Video 1", "")], "audio": [], "subtitle": []}
        self.markers: dict[float, str] = {}
        self.otio = ""
        self.here = "01:00:00:00"
        self.selected: list[FakeItem] = []

    # What a test sets up or looks at.

    def put(self, kind: str, track: int, name: str, start: int, duration: int) -> FakeItem:
        """An item `start` frames after the timeline's start."""
        while len(self.tracks[kind]) < track:
            self.tracks[kind].append(Track(f"{kind.capitalize()} {len(self.tracks[kind]) + 1}"))
        item = FakeItem(self.world, None, name, self.start + start, duration, 0)
        self.tracks[kind][track - 1].items.append(item)
        return item

    def state(self) -> str:
        """Everything about the timeline as text."""
        tracks = {
            kind: [
                [t.name, t.kind, t.enabled, [[i.id, i.name, i.start, i.duration, i.enabled] for i in t.items]]
                for t in tracks
            ]
            for kind, tracks in self.tracks.items()
        }
        return json.dumps([self.name, self.start, tracks, sorted(self.markers.items())])

    def append(self, clip: dict[str, Any]) -> list[FakeItem]:
        traps, media = self.world.traps, clip["mediaPoolItem"]
        end = int(clip["endFrame"]) + (0 if traps.exclusive_end else 1)
        source = int(clip.get("startFrame", 0))
        played = min(end, media.frames) - source
        rate = frame_rate(self.rate)
        exact = played * rate / media.rate
        duration = int(exact) if traps.floors_mixed_rates else round(exact)
        record = int(clip["recordFrame"]) + (0 if traps.absolute_record else self.start)
        kind = "audio" if clip.get("mediaType") == 2 else "video"
        streams = media.streams if traps.spreads_streams else 1
        return [
            made
            for number in range(int(clip["trackIndex"]), int(clip["trackIndex"]) + streams)
            for made in self._lay(
                kind, number, FakeItem(self.world, media, media.path.name, record, duration, source)
            )
        ]

    def _lay(self, kind: str, number: int, item: FakeItem) -> list[FakeItem]:
        tracks = self.tracks[kind]
        while len(tracks) < number:
            tracks.append(Track(f"{kind.capitalize()} {len(tracks) + 1}"))
        there = tracks[number - 1].items
        overlap = any(
            i.start < item.start + item.duration and item.start < i.start + i.duration for i in there
        )
        if self.world.dropping or (overlap and self.world.traps.overlap_drops):
            item.id = ""
            return [item] if self.world.traps.ghost_items else []
        there.append(item)
        return [item]

    # The scripting interface.

    @api
    def GetName(self) -> str:
        return self.name

    @api
    def GetUniqueId(self) -> str:
        return self.id

    @api
    def GetStartFrame(self) -> int:
        return self.start

    @api
    def GetEndFrame(self) -> int:
        ends = [i.start + i.duration for ts in self.tracks.values() for t in ts for i in t.items]
        return max(ends, default=self.start)

    @api
    def GetStartTimecode(self) -> str:
        return "01:00:00:00"

    @api
    def GetCurrentTimecode(self) -> str:
        return self.here

    @api
    def SetCurrentTimecode(self, timecode: str) -> bool:
        self.here = timecode
        return True

    @api
    def GetSetting(self, key: str) -> Any:
        return self.rate if key == "timelineFrameRate" else ""

    @api
    def GetSelectedClips(self) -> list[FakeItem]:
        return list(self.selected)

    @api
    def GetTrackCount(self, kind: str) -> int:
        return len(self.tracks[kind])

    def _track(self, kind: str, index: float) -> Track | None:
        tracks = self.tracks.get(kind, [])
        return tracks[int(index) - 1] if 1 <= index <= len(tracks) else None

    @api
    def GetTrackName(self, kind: str, index: int) -> str | None:
        track = self._track(kind, index)
        return track.name if track else None

    @api
    def SetTrackName(self, kind: str, index: int, name: str) -> bool:
        track = self._track(kind, index)
        if track is None:
            return False
        track.name = name
        return True

    @api
    def GetTrackSubType(self, kind: str, index: int) -> str:
        track = self._track(kind, index)
        return track.kind if track else ""

    @api
    def GetIsTrackEnabled(self, kind: str, index: int) -> bool:
        track = self._track(kind, index)
        return bool(track and track.enabled)

    @api
    def SetTrackEnable(self, kind: str, index: int, enabled: bool) -> bool:
        track = self._track(kind, index)
        if track is None:
            return False
        track.enabled = bool(enabled)
        return True

    @api
    def GetIsTrackLocked(self, kind: str, index: int) -> bool:
        track = self._track(kind, index)
        return bool(track and track.locked)

    @api
    def AddTrack(self, kind: str, more: Any = None) -> bool:
        old = self.world.traps.old_add_track
        if isinstance(more, dict) and old:
            return False
        wanted = more.get("audioType", "mono") if isinstance(more, dict) else (more or "mono")
        self.tracks[kind].append(Track(f"{kind.capitalize()} {len(self.tracks[kind]) + 1}", wanted))
        return True

    @api
    def GetItemListInTrack(self, kind: str, index: int) -> list[FakeItem] | None:
        track = self._track(kind, index)
        return list(track.items) if track else None

    @api
    def DeleteClips(self, items: list[FakeItem], ripple: bool = False) -> bool:
        if self.world.traps.delete_on_edit_page_only and self.world.page != "edit":
            return False
        for tracks in self.tracks.values():
            for track in tracks:
                track.items = [i for i in track.items if i not in items]
        return True

    @api
    def DuplicateTimeline(self, name: str) -> FakeTimeline | None:
        if any(t.name == name for t in self._project.timelines):
            return None
        made = FakeTimeline(self.world, self._project, name, self.rate, self.start)
        made.tracks = {
            kind: [Track(t.name, t.kind, t.enabled, t.locked, [i.twin() for i in t.items]) for t in tracks]
            for kind, tracks in self.tracks.items()
        }
        made.markers, made.otio = dict(self.markers), self.otio
        self._project.timelines.append(made)
        return made

    @api
    def AddMarker(
        self, frame: float, color: str, name: str, note: str, duration: int, data: str = ""
    ) -> bool:
        self.markers[frame if self.world.traps.relative_markers else frame - self.start] = name
        return True

    @api
    def GetMarkers(self) -> dict[float, Any]:
        return {frame: {"name": name} for frame, name in self.markers.items()}

    @api
    def Export(self, path: str, kind: Any, subtype: Any = None) -> bool:
        if self.world.traps.live_enums_only and not isinstance(kind, float | int):
            return False
        if kind != FakeResolve.EXPORT_OTIO or not self.otio:
            return False
        if not self.world.dropping:
            Path(path).write_text(self.otio, encoding="utf-8")
        return True

    @api
    def SetVoiceIsolationState(self, *args: Any) -> bool:
        """A Studio call: in the free edition it puts up a window that waits for a click."""
        if self.world.traps.free_edition:
            self.world.modal = True
            return False
        return True


def frame_rate(text: str) -> Fraction:
    """Frames per second from a setting such as "29.97 DF"."""
    from sightmix.engine.media.time import snap_rate

    return snap_rate(Fraction(text.split(maxsplit=1)[0]))


# The same objects for a script in Lua.


class ForLua:
    """Hands a fake Resolve to a lupa runtime: lists become Lua tables with Resolve's `__flags`, and back."""

    def __init__(self, runtime: Any) -> None:
        self._runtime = runtime
        self._lock = threading.RLock()

    def wrap(self, thing: Thing) -> Any:
        """`thing` as an object of Lua's with methods."""
        return _Wrapped(self, thing)

    def out(self, value: Any) -> Any:
        if isinstance(value, Thing):
            return self.wrap(value)
        if isinstance(value, list):
            table = self._runtime.table_from([self.out(v) for v in value])
            table["__flags"] = 1048576
            return table
        if isinstance(value, dict):
            return self._runtime.table_from({k: self.out(v) for k, v in value.items()})
        return value

    def into(self, value: Any) -> Any:
        if isinstance(value, _Wrapped):
            return value.thing
        if hasattr(value, "items") and not isinstance(value, dict):
            entries = {k: self.into(v) for k, v in value.items() if k != "__flags"}
            if entries and all(isinstance(k, int | float) for k in entries):
                return [entries[k] for k in sorted(entries)]
            return entries
        return value


class _Wrapped:
    def __init__(self, view: ForLua, thing: Thing) -> None:
        self.view, self.thing = view, thing

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name.startswith("EXPORT_"):
            return getattr(self.thing, name)
        if name not in dir(self.thing):
            return None
        method = getattr(self.thing, name)

        def call(_: Any, *args: Any) -> Any:
            return self.view.out(method(*(self.view.into(a) for a in args)))

        return call
