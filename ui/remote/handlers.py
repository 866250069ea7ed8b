"""What the engine's processes do, a function for each kind of request (`table`), over the plugin's jobs and sessions.

Each takes the request and what its process keeps, and returns its answer as JSON values, with raw bytes where there are
any. They raise SightmixError, or anything else, which the worker puts into a sentence.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...engine.errors import MediaError, SettingsError, SightmixError
from ...engine.progress import Progress, Step
from .call import Call
from .kept import Kept, Opened
from .table import AHEAD

if TYPE_CHECKING:
    from ...plugin.jobs.events import Event
    from ...plugin.jobs.service import Request
    from ...plugin.jobs.settings import JobSettings

Values = dict[str, Any]
Answer = tuple[Values, bytes]

_EVERY = 0.05  # s between two reports of progress: no eye sees more
_MOST_SAMPLES = 30 * 48_000  # of an answer: 46 MB
_NEAR_ENOUGH = Fraction(1, 2)  # s between a thumbnail's time and its frame, as between what networks look at
_MOST_MIXES = 20  # of previews, kept in the scratch folder
_FINEST = 1_000_000  # record times as floats are meant to a microsecond


def load_ahead(call: Call, kept: Kept) -> Values:
    """Load what requests will need; what cannot be loaded is told to those that do."""
    from importlib import import_module

    for module in AHEAD[kept.process][1]:
        call.progress.check()
        with suppress(ImportError):
            import_module(module)
    return {}


def warm(call: Call, kept: Kept) -> Values:
    """Load the network and its encoder, for whoever asks first."""
    settings = settings_of({name: call.data.get(name) for name in ("model", "context", "device")})
    return {"device": kept.engines.ready(settings).device}


def open(call: Call, kept: Kept) -> Values:
    """Open a timeline anew and say what is in it."""
    from ...plugin.session.opening import document_data

    return document_data(kept.opened(call.data["source"], fresh=True).timeline, _told(call))


def listen(call: Call, kept: Kept) -> Values:
    """What tracks and clips hold, heard where nothing else tells."""
    from ...engine.edit.categories import said
    from ...plugin.jobs.inspection import category_data
    from ...plugin.jobs.listening import Listener
    from ...plugin.timeline.categories import held

    _reporting(call)
    timeline = kept.opened(call.data["source"]).timeline
    found = held(timeline, said(_told(call)), Listener(call.progress, kept.engines.ear))
    return {
        "tracks": {str(number): category_data(one) for number, one in found.tracks.items()},
        "clips": {str(index): category_data(one) for index, one in found.clips.items()},
    }


def loudness(call: Call, kept: Kept) -> Values:
    """The loudness of clips, each told as soon as it is known, or why it cannot be measured."""
    from ...plugin.jobs.levels import measure_sound
    from ...plugin.jobs.sidecar import loudness_to_dict

    timeline = kept.opened(call.data["source"]).timeline
    for index in call.data["clips"]:
        try:
            clip = timeline.clip(index)
            found = loudness_to_dict(measure_sound(clip.passage().sound, clip.name, call.progress))
        except SightmixError as error:
            call.progress.check()
            call.event({"clip": index, "error": str(error)})
            continue
        call.event(
            {
                "clip": index,
                "lufs": found["integrated"],
                "range": found["range"],
                "true_peak": found["true_peak"],
            }
        )
    return {}


def sound(call: Call, kept: Kept) -> Answer:
    """What sounds from a sample on in four lanes, as stereo at 48 kHz: float32 (4, 2, n), little-endian."""
    first, samples = int(call.data["first"]), int(call.data["samples"])
    if not 0 <= samples <= _MOST_SAMPLES:
        raise SettingsError(f"{samples} samples were asked for at once; ask for up to {_MOST_SAMPLES}.")
    tape = kept.tape(call.data["source"], call.data.get("laid"), _told(call))
    found = tape.read(first, samples, call.progress)
    facts = {"first": first, "samples": samples, "lanes": found.shape[0], "channels": found.shape[1]}
    return {**facts, "broken": list(tape.broken)}, found.astype("<f4", copy=False).tobytes()


def survey(call: Call, kept: Kept) -> Values:
    """Look over all that sounds, lane by lane: waveforms, spectrograms and powers, a stretch of seconds at a time.

    With `first` and `seconds` only those that these lie in.
    """
    from ...plugin.session.survey import encode
    from ...plugin.session.survey import survey as look_over

    lanes = kept.lanes(call.data["source"], call.data.get("laid"), _told(call))
    part = call.data.get("first", 0.0), call.data.get("seconds")
    for stretch in look_over(lanes, call.progress, *part):
        call.event(*encode(stretch))
    return {"broken": list(lanes.broken)}


def picture(call: Call, kept: Kept) -> Answer:
    """The timeline's picture at a record time, as large as fits into width and height; width 0 where there is none."""
    opened = kept.opened(call.data["source"])
    box = call.data["width"], call.data["height"]
    return _picture(call, kept, opened, call.data["time"], box)


def thumbnails(call: Call, kept: Kept) -> Values:
    """Pictures of a height at record times, one event each, near enough to the frame to be had quickly."""
    opened = kept.opened(call.data["source"])
    height = call.data["height"]
    for at in call.data["times"]:
        call.event(*_picture(call, kept, opened, at, (height * 4, height), quick=True))
    return {}


def _picture(
    call: Call, kept: Kept, opened: Opened, at: float, box: tuple[int, int], quick: bool = False
) -> Answer:
    nothing = {"time": at, "width": 0, "height": 0}
    record = exact(at)
    shot = opened.shot_at(record)
    if shot is None or shot.path is None:
        return {**nothing, "reason": shot.reason if shot is not None else ""}, b""
    shown = shot.media_start + (record - shot.start) * shot.speed
    earliest = max(shot.media_start, shown - _NEAR_ENOUGH) if quick and shot.speed > 0 else None
    try:
        found = kept.reel(shot.path, call.do).picture(shown, *box, call.progress, earliest)
    except MediaError as error:
        return {**nothing, "reason": str(error)}, b""
    height, width, _ = found.shape
    return {"time": at, "width": width, "height": height}, found.tobytes()


def preview(call: Call, kept: Kept) -> Values:
    """Try out a stretch of the record: a file with what the network says of it, for who started the process."""
    from ...plugin.jobs.mix import write_mix
    from ...plugin.session.preview import preview as tried_out

    data = call.data
    settings = replace(
        settings_of(data.get("settings", {})), unit="programme"
    )  # clips alone have no stems to mix
    made = tried_out(
        kept.opened(data["source"]).timeline,
        _told(call),
        data["start"],
        data["seconds"],
        kept.scratch / "previews",
        _reporting(call),
        kept.engines.stage_for(settings),
    )
    path = kept.scratch / f"mix-{call.number:06d}.npz"
    write_mix(path, made)
    for old in sorted(kept.scratch.glob("mix-*.npz"))[:-_MOST_MIXES]:
        old.unlink(missing_ok=True)
    return {"mix": str(path)}


def plan(call: Call, kept: Kept) -> Values:
    """What a job would do."""
    from ...plugin.jobs.plan import plan_data
    from ...plugin.jobs.service import Service

    service = Service(_told_to(call), kept.engines, _reporting(call))
    return plan_data(service.plan(_request(call)))


def rebalance(call: Call, kept: Kept) -> Values:
    """Do a job; its events are told as they come, its report at the end."""
    from ...plugin.jobs.report import report_data
    from ...plugin.jobs.service import Service

    service = Service(_told_to(call), kept.engines, _reporting(call))
    result = service.rebalance(_request(call))
    mix = result.balance and str(result.balance.mix_file)
    return {"result": report_data(result), "mix": mix}


def export(call: Call, kept: Kept) -> Values:  # noqa: ARG001  (all take the same)
    """Write a timeline for another program, or its stems."""
    from ...plugin.jobs.export import ExportRequest
    from ...plugin.jobs.export import export as write

    data, source = call.data, call.data["source"]
    request = ExportRequest(
        Path(source["path"]),
        Path(data["out"]),
        data.get("to", ""),
        data.get("timeline") or source.get("timeline", ""),
        source.get("rate", ""),
        data.get("options", {}),
    )
    exported = write(request, _reporting(call))
    return {**exported.to_dict(), "files": [str(path) for path in exported.files], "met": exported.met}


def check(call: Call, kept: Kept) -> Values:  # noqa: ARG001
    """Hold delivered files against a spec."""
    from ...exporters.delivery import check_files, find_spec
    from ...plugin.jobs.export import row_data

    paths = [Path(path) for path in call.data["files"]]
    rows = check_files(paths, find_spec(call.data["delivery"]), _reporting(call))
    return {"rows": [row_data(row) for row in rows]}


def devices(call: Call, kept: Kept) -> Values:  # noqa: ARG001
    """Where the engine can run."""
    from ...engine.highlight.devices import devices_data

    return devices_data()


def exact(seconds: float) -> Fraction:
    """Record seconds that crossed as a float, exact again to the microsecond that is meant."""
    return Fraction(seconds).limit_denominator(_FINEST)


def settings_of(values: Mapping[str, Any]) -> JobSettings:
    """Settings by name, as `JobSettings.to_dict` has them; what is None or not given is as it comes.

    Raises SettingsError for one that there is not, or a value it cannot have.
    """
    from ...plugin.jobs.settings import SETTINGS, JobSettings, refuse_unknown

    given = {f"{name}_" if f"{name}_" in SETTINGS else name: v for name, v in values.items() if v is not None}
    refuse_unknown(given, SETTINGS, "setting")
    return JobSettings(**given)


def _told(call: Call) -> Sequence[str]:
    told: Sequence[str] = call.data.get("told", ())
    return told


def _request(call: Call) -> Request:
    """What a job is asked for."""
    from ...plugin.jobs.hand import from_data
    from ...plugin.jobs.service import Request
    from ..base.source import Source

    data, source = call.data, Source.from_dict(call.data["source"])
    if not data.get("out"):
        raise SettingsError("A job needs a file to write its timeline to.")
    return Request(
        source.path,
        Path(data["out"]),
        settings_of(data.get("settings", {})),
        data.get("clips", ""),
        timeline=source.timeline,
        folders=source.folders,
        rate=source.rate,
        categories=tuple(_told(call)),
        drawn=from_data(data["drawn"]) if data.get("drawn") else (),
    )


def _reporting(call: Call) -> Progress:
    """The request's progress, whose steps are told as events, no more often than anybody sees."""
    from ...plugin.jobs.events import Moved

    last: dict[str, tuple[str, float]] = {}

    def observe(step: Step) -> None:
        now = time.monotonic()
        item, told = last.get(step.stage, ("", 0.0))
        if step.done < step.total and item == step.item and now - told < _EVERY:
            return
        last[step.stage] = (step.item, now)
        call.event(Moved.of(step).to_dict())

    call.progress.observe = observe
    return call.progress


def _told_to(call: Call) -> Callable[[Event], None]:
    """An observer of a job that tells its events."""
    return lambda event: call.event(event.to_dict())
