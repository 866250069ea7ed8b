"""What the engine's process does for hosts, exports to come and Foley; the functions are called as the requests are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...engine.progress import Progress
from ..base.source import Source
from .call import Call
from .kept import Kept

if TYPE_CHECKING:
    from ...plugin.jobs.events import Event
    from ...plugin.jobs.service import Service

_WAIT = 300.0  # seconds for somebody to choose the script in Resolve

Answer = Mapping[str, Any] | tuple[Mapping[str, Any], bytes]


def resolve_open(call: Call, kept: Kept) -> Answer:  # noqa: ARG001
    """Have Resolve hand over its open timeline: its source, names, the clips selected, and the folder of all its files.

    `road` is "auto", "python", "script" or "launched", `out` the folder under which that folder is made, or None.
    """
    from ...plugin.hosts.resolve.commands import output_folder
    from ...plugin.hosts.resolve.panel import at, open_timeline_of

    base = output_folder(_path(call.data.get("out")))
    with at(call.data.get("road", "auto"), base, call.data.get("wait", _WAIT), _service(call)) as (root, _):
        call.event({"waiting": ""})
        opened = open_timeline_of(root, base)
    return {
        "source": Source(opened.source).to_dict(),
        "project": opened.project,
        "timeline": opened.timeline,
        "selected": list(opened.selected),
        "folder": str(opened.folder),
    }


def resolve_write(call: Call, kept: Kept) -> Answer:  # noqa: ARG001
    """Lay the finished result `out` on a copy of the timeline in Resolve that `source` came from."""
    from ...plugin.hosts.resolve.panel import at, lay

    source, service = Source.from_dict(call.data["source"]), _service(call)
    base = source.path.parent
    with at(call.data.get("road", "auto"), base, call.data.get("wait", _WAIT), service) as (root, keeper):
        call.event({"waiting": ""})
        apart = bool(call.data.get("stems"))
        written, notes = lay(root, source.path, Path(call.data["out"]), apart, service, keeper)
    return {
        "timeline": written.timeline,
        "tracks": list(written.tracks),
        "muted_tracks": written.muted_tracks,
        "muted_clips": written.muted_clips,
        "notes": list(notes),
    }


def withdraw(call: Call, kept: Kept) -> Answer:  # noqa: ARG001
    """Take the results of `clips` ("3,5-9") off the timeline `out`; answers the clips' numbers."""
    from ...plugin.jobs.withdraw import withdraw as take

    return _clips_of(call, take)


def put_back(call: Call, kept: Kept) -> Answer:  # noqa: ARG001
    """Put results back that were taken off; answers the clips' numbers."""
    from ...plugin.jobs.withdraw import put_back as put

    return _clips_of(call, put)


def _clips_of(call: Call, do: Callable[..., tuple[int, ...]]) -> Answer:
    source = Source.from_dict(call.data["source"]) if call.data.get("source") else Source(Path())
    clips = do(Path(call.data["out"]), call.data["clips"], source.timeline, source.folders, source.rate)
    return {"clips": list(clips)}


def left_behind(call: Call, kept: Kept) -> Answer:  # noqa: ARG001
    """What an export will leave behind, before it is made."""
    from ...plugin.jobs.export import ExportRequest, lacking

    source = Source.from_dict(call.data["source"])
    timeline = call.data.get("timeline", source.timeline)
    request = ExportRequest(source.path, None, call.data["to"], timeline, source.rate)
    return {"losses": list(lacking(request, call.progress))}


def foley(call: Call, kept: Kept) -> Answer:  # noqa: ARG001
    """Whether sounds can be made here, and if not, why."""
    from ...plugin.session.foley import availability

    able, reason = availability()
    return {"available": able, "reason": reason}


def foley_find(call: Call, kept: Kept) -> Answer:
    """The places with picture and no sound."""
    from ...plugin.session.silences import find_silent

    timeline = kept.opened(call.data["source"]).timeline
    return {"places": [place.to_dict() for place in find_silent(timeline, _moving(call))]}


def foley_candidates(call: Call, kept: Kept) -> Answer:
    """An event for each sound that could go to a place, the best first."""
    from ...plugin.session.foley import MOST_CANDIDATES, Place, engine

    place, most = Place.from_dict(call.data["place"]), call.data.get("most", MOST_CANDIDATES)
    timeline = kept.opened(call.data["source"]).timeline
    for candidate in engine().candidates(timeline, place, most, _moving(call)):
        call.event({"candidate": candidate.to_dict()})
    return {}


def foley_hear(call: Call, kept: Kept) -> Answer:
    """A candidate's sound, float32 (channels, samples)."""
    from ...engine.programme.programme import SAMPLE_RATE
    from ...plugin.session.foley import Candidate, Place, engine

    place, candidate = Place.from_dict(call.data["place"]), Candidate.from_dict(call.data["candidate"])
    timeline = kept.opened(call.data["source"]).timeline
    made = engine().sound(timeline, place, candidate, _moving(call))
    sound = np.ascontiguousarray(made, np.float32)
    return {"rate": SAMPLE_RATE, "channels": sound.shape[0], "samples": sound.shape[1]}, sound.tobytes()


def _service(call: Call) -> Service:
    """A service that stops with the request, and tells of it who has to do what, and how far it is."""

    from ...plugin.jobs.events import Moved, Waiting
    from ...plugin.jobs.service import Service

    def observe(event: Event) -> None:
        if isinstance(event, Waiting):
            call.event({"waiting": event.text})
        elif isinstance(event, Moved):
            call.event(event.to_dict())

    return Service(observe, progress=_moving(call))


def _moving(call: Call) -> Progress:
    """The request's progress, whose steps are told as events."""
    from ...plugin.jobs.events import Moved

    call.progress.observe = lambda step: call.event(Moved.of(step).to_dict())
    return call.progress


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


HANDLERS: Mapping[str, Callable[[Call, Kept], Answer]] = {
    "resolve_open": resolve_open,
    "resolve_write": resolve_write,
    "withdraw": withdraw,
    "put_back": put_back,
    "uncarried": left_behind,
    "foley": foley,
    "foley_find": foley_find,
    "foley_candidates": foley_candidates,
    "foley_hear": foley_hear,
}
