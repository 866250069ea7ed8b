"""The public Python interface: the functions of the package `sightmix`, on the same road as the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine.progress import Progress, Step

if TYPE_CHECKING:
    from .jobs.events import Event
    from .jobs.export import Exported
    from .jobs.hand import Drawn
    from .jobs.results import JobResult
    from .jobs.settings import JobSettings
    from .timeline import Timeline

File = str | PathLike[str]


def open_timeline(
    source: File,
    *,
    timeline: str | int | None = None,
    media: Sequence[File] = (),
    rate: Fraction | None = None,
) -> Timeline:
    """Open a timeline (OTIO, FCP 7 XML, FCPXML, AAF, EDL), or a media file as a timeline of its own.

    `timeline` picks one of several by name or by number from 1, `media` are more folders to look for media in, `rate`
    is what an EDL counts in (24 if None). Times are exact seconds (`Fraction`). Raises TimelineError with one
    sentence saying what is wrong with the file.
    """
    from .timeline import open_timeline as opened

    return opened(Path(source), timeline=timeline, folders=[Path(folder) for folder in media], rate=rate)


def inspect(
    source: File | Timeline,
    *,
    loudness: bool = False,
    listen: bool = False,
    progress: Callable[[Step], None] | None = None,
) -> dict[str, Any]:
    """What ``sightmix inspect --json`` prints of a timeline: its tracks and clips, times in seconds and as timecode.

    `loudness` measures every online clip and all that plays together (LUFS, LU, dBTP). `listen` hears what tracks
    hold that nothing else tells of, by the shipped model. Raises TimelineError, and ModelError where none can run.
    """
    from .jobs.inspection import measured_clips, measured_together, timeline_data
    from .jobs.listening import Listener
    from .timeline import Timeline, list_timelines
    from .timeline.categories import held

    opened = source if isinstance(source, Timeline) else open_timeline(source)
    steps = Progress(progress) if progress is not None else Progress()
    clips = measured_clips(opened, steps) if loudness else {}
    together = measured_together(opened, steps) if loudness else None
    found = held(opened, None, Listener(steps) if listen else None)
    return timeline_data(opened, list_timelines(opened.path), clips, together, found)


def rebalance(
    source: File,
    out: File,
    *,
    clips: str = "",
    tracks: Sequence[str] = (),
    timeline: str = "",
    media: Sequence[File] = (),
    rate: str = "",
    categories: Mapping[str, str] | None = None,
    curves: File | Sequence[Drawn] = (),
    observe: Callable[[Event], None] | None = None,
    **settings: Any,
) -> JobResult:
    """Rebalance clips of a timeline and write a timeline with the result on new tracks; originals stay as they are.

    `clips` are numbers as `inspect` has them ("3,5-9"), `tracks` names or A1, A2 …; every online clip if neither.
    `categories` says what tracks hold, such as {"A1": "dialogue"}, where their names and their sound do not. `curves`
    are drawn by hand (`plugin.jobs.hand.Drawn`, or a file of them) and stand in the place of the model's.
    `settings` are those of ``sightmix rebalance`` by name (`strength`, `dialogue`, `loudness`, `stems` …; `as_` for
    ``--as``). `observe` is told every event. Clips that fail are named in the result. Raises SettingsError,
    TimelineError, ModelError or WriteError where nothing can be done at all, Cancelled where the job had to stop.
    """
    from .jobs.events import nobody
    from .jobs.hand import read_hand
    from .jobs.service import Request, Service

    request = Request(
        source=Path(source),
        out=Path(out),
        settings=_settings(settings),
        clips=clips,
        tracks=tuple(tracks),
        timeline=timeline,
        folders=tuple(Path(folder) for folder in media),
        rate=rate,
        categories=tuple(f"{track}={kind}" for track, kind in (categories or {}).items()),
        drawn=read_hand(Path(curves)) if isinstance(curves, str | PathLike) else tuple(curves),
    )
    return Service(observe or nobody).rebalance(request)


def export(
    source: File, out: File, to: str = "", *, timeline: str = "", rate: str = "", **options: Any
) -> Exported:
    """Write a timeline for another program, or its stems: what ``sightmix export`` does.

    `to` is fcp7, fcpxml, aaf, edl, rpp, mlt, kdenlive, otio-plain or kdenlive-project, or "stems" (then `out` is a
    folder, made if it is not there); by the name's ending where nothing is said, stems where it has none. `options`
    are the format's own (`embed` for AAF), or those of `StemOptions` (`project`, `reel`, `stems`, `per`,
    `interleaved`, `assign`;
    `delivery` by name). Raises SettingsError, TimelineError, MediaError or WriteError.
    """
    from .jobs.export import ExportRequest
    from .jobs.export import export as run

    return run(ExportRequest(Path(source), Path(out), to, timeline, rate, options))


def _settings(given: Mapping[str, Any]) -> JobSettings:
    from .jobs.settings import SETTINGS, JobSettings, refuse_unknown

    refuse_unknown(given, SETTINGS, "setting")
    return JobSettings(**given)
