"""What the engine's process does for hosts, exports to come and Foley; the functions are called as the requests are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ...engine.progress import Progress
from ...plugin.jobs.events import Event, Moved, Waiting
from ...plugin.jobs.service import Service
from ..base.source import Source

_WAIT = 300.0  # seconds for somebody to choose the script in Resolve

Answer = Mapping[str, Any] | tuple[Mapping[str, Any], bytes]


class Call(Protocol):
    """What of a request these functions use; see `call.Call`."""

    data: Mapping[str, Any]

    @property
    def progress(self) -> Progress:
        """What stops it."""

    def event(self, data: Mapping[str, Any], payload: bytes = b"") -> None:
        """Tell something on the way."""


def resolve_open(call: Call, kept: object) -> Answer:  # noqa: ARG001
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


def resolve_write(call: Call, kept: object) -> Answer:  # noqa: ARG001
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


def uncarried(call: Call, kept: object) -> Answer:  # noqa: ARG001
    """What an export will leave behind, before it is made."""
    from ...plugin.jobs.export import ExportRequest, lacking

    source = Source.from_dict(call.data["source"])
    timeline = call.data.get("timeline", source.timeline)
    request = ExportRequest(source.path, None, call.data["to"], timeline, source.rate)
    return {"losses": list(lacking(request, call.progress))}


def foley(call: Call, kept: object) -> Answer:  # noqa: ARG001
    """Whether sounds can be made here, and if not, why."""
    from ...plugin.session.foley import availability

    able, reason = availability()
    return {"available": able, "reason": reason}


def foley_find(call: Call, kept: object) -> Answer:  # noqa: ARG001
    """The places with picture and no sound."""
    from ...plugin.session.silences import find_silent

    _moving(call)
    return {"places": [place.to_dict() for place in find_silent(_timeline(call), call.progress)]}


def foley_candidates(call: Call, kept: object) -> Answer:  # noqa: ARG001
    """An event for each sound that could go to a place, the best first."""
    from ...plugin.session.foley import MOST_CANDIDATES, Place, engine

    place, most = Place.from_dict(call.data["place"]), call.data.get("most", MOST_CANDIDATES)
    for candidate in engine().candidates(_timeline(call), place, most, call.progress):
        call.event({"candidate": candidate.to_dict()})
    return {}


def foley_hear(call: Call, kept: object) -> Answer:  # noqa: ARG001
    """A candidate's sound, float32 (channels, samples)."""
    from ...engine.programme.programme import SAMPLE_RATE
    from ...plugin.session.foley import Candidate, Place, engine

    place, candidate = Place.from_dict(call.data["place"]), Candidate.from_dict(call.data["candidate"])
    sound = np.ascontiguousarray(engine().sound(_timeline(call), place, candidate, call.progress), np.float32)
    return {"rate": SAMPLE_RATE, "channels": sound.shape[0], "samples": sound.shape[1]}, sound.tobytes()


def _service(call: Call) -> Service:
    """A service that stops with the request, and tells of it who has to do what, and how far it is."""

    def observe(event: Event) -> None:
        if isinstance(event, Waiting):
            call.event({"waiting": event.text})
        elif isinstance(event, Moved):
            call.event(event.to_dict())

    service = Service(observe)
    service.progress = call.progress
    _moving(call)
    return service


def _moving(call: Call) -> None:
    """Tell of the request how far its work is."""
    call.progress.observe = lambda step: call.event(Moved.of(step).to_dict())


def _timeline(call: Call) -> Any:
    from ...plugin.timeline.source import open_source

    source = Source.from_dict(call.data["source"])
    return open_source(source.path, source.timeline, source.folders, source.rate)[0]


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


HANDLERS: Mapping[str, Callable[[Call, object], Answer]] = {
    function.__name__: function
    for function in (
        resolve_open,
        resolve_write,
        uncarried,
        foley,
        foley_find,
        foley_candidates,
        foley_hear,
    )
}
