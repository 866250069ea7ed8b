"""The panel beside Resolve: the open timeline comes as a file, a finished result goes back onto a copy of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from ....engine.errors import TimelineError
from ....engine.files import write_text
from ....engine.media.time import to_frames
from ...jobs.service import Service
from ...timeline import AudioClip, Timeline, open_timeline
from ...timeline.load import load
from ...timeline.marks import clips_stood_for
from ..errors import HostError, HostGoneError
from .commands import choose, reached
from .folders import Machine
from .rebalance import export, muted_for, names_of, work_folder
from .remote import gather
from .roads import SCRIPT, STUDIO, parsed
from .session import Session
from .stems import stems_of
from .writeback import Keeper, Seen, Written, current, look_at, write_back

LAUNCHED = "launched"  # a road: the script that started the panel waits; else as "auto"
SEEN = "seen.json"  # beside the exported timeline: how it looked in Resolve
_SELECTION_SINCE = (21, 0, 4)
_SOON = 5.0  # seconds in which a script that started us is there


@dataclass(frozen=True)
class Opened:
    """An open timeline as a file, what it is called in Resolve, the clips selected there by number, and its folder."""

    source: Path
    project: str
    timeline: str
    selected: tuple[int, ...]

    @property
    def folder(self) -> Path:
        """Where all that is made of it goes, to stay."""
        return self.source.parent


@contextmanager
def at(road: str, base: Path, wait: float, service: Service) -> Iterator[tuple[Any, Keeper]]:
    """Resolve's root object by a road, or by LAUNCHED: the script that is waiting, else the first road that works.

    Resolve hands files over inside `base` only. Raises HostError, SettingsError or Cancelled.
    """
    machine = Machine()
    if road != LAUNCHED:
        with reached(choose(road, machine), machine, base, wait, service) as found:
            yield found
        return
    with Session(machine.meeting, base, machine.profiles) as session:
        if session.broker.wait_for_client(_SOON, service.progress.check):
            yield session.connect(_SOON, service.progress.check), session
            return
    with reached(_any_road(machine), machine, base, wait, service) as found:
        yield found


def _any_road(machine: Machine) -> str:
    """The first road that works; where none seems to, the script may still be chosen by hand."""
    try:
        return choose("auto", machine)
    except HostError:
        return SCRIPT


def open_timeline_of(root: Any, base: Path) -> Opened:
    """Have Resolve write its open timeline into a folder of its own under `base`. Raises HostError, WriteError."""
    project, name = names_of(root)
    folder = work_folder(base, project, name)
    seen = look_at(root)
    source = export(root, folder)
    write_text(folder / SEEN, json.dumps(seen.to_dict()))
    return Opened(source, project, name, _selected(root, source))


def lay(
    root: Any, source: Path, result: Path, apart: bool, service: Service, keeper: Keeper | None = None
) -> tuple[Written, tuple[str, ...]]:
    """Lay a finished result on a copy of the timeline that `source` was exported from; `apart` as three stems.

    What the result stands for falls silent there. Returns what was made and what else is to be known. Raises HostError
    where Resolve's timeline is no longer what was exported, or Resolve refuses something, and what making stems raises.
    """
    seen = _seen(source)
    timeline = open_timeline(source)
    done = clips_stood_for(load(result, keep=True).root)
    if not done:
        raise HostError(f"{result} holds no result of ours, so nothing was changed in Resolve.")
    muted = muted_for(timeline, set(done))
    service.begin("stems")
    made = stems_of(result, timeline.name, timeline.duration, apart, source.parent, service.progress)
    service.begin("write")
    written = write_back(root, made.stems, muted, timeline.duration, keeper, seen)
    return written, made.notes


def _seen(source: Path) -> Seen:
    path = source.parent / SEEN
    try:
        return Seen.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HostError(
            f"{path} does not say how the timeline looked in Resolve; open it from Resolve again."
        ) from error


def _selected(root: Any, source: Path) -> tuple[int, ...]:
    """The clips selected in Resolve by number, none where it cannot be asked.

    Only Studio is asked: in the free edition a call that it does not have raises a window that blocks all later ones.
    """
    studio = str(root.GetProductName()).endswith(STUDIO)
    if not studio or parsed(str(root.GetVersionString())) < _SELECTION_SINCE:
        return ()
    _, timeline = current(root)
    try:
        chosen = timeline.GetSelectedClips() or []
    except HostGoneError:
        raise
    except HostError:
        return ()
    if not chosen:
        return ()
    try:
        exported = open_timeline(source)
    except TimelineError:
        return ()
    return _numbers(exported, timeline, set(gather([(item, "GetUniqueId", ()) for item in chosen])))


def _numbers(exported: Timeline, timeline: Any, chosen: set[Any]) -> tuple[int, ...]:
    """The clips of a timeline that lie in the chosen items of its audio tracks."""
    start = int(timeline.GetStartFrame())
    found = []
    for track in range(1, int(timeline.GetTrackCount("audio")) + 1):
        items = timeline.GetItemListInTrack("audio", track) or []
        identities = gather([(item, "GetUniqueId", ()) for item in items])
        kept = [item for item, identity in zip(items, identities, strict=True) if identity in chosen]
        spans = [(int(item.GetStart()) - start, int(item.GetEnd()) - start) for item in kept]
        found += [clip.index for clip in exported.clips if clip.track_number == track and _lies(clip, spans)]
    return tuple(sorted(found))


def _lies(clip: AudioClip, spans: Sequence[tuple[int, int]]) -> bool:
    rate = clip.timeline.rate
    middle = to_frames(clip.record_in + clip.duration / 2 - Fraction(1, 2) / rate, rate)
    return any(first <= middle < last for first, last in spans)
