"""New tracks, clips and gaps in the words of the host that wrote the timeline."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

from ...engine.edit import fcp7_levels
from ...engine.edit.nodes import Node, metadata, number, schema, seconds
from ...engine.edit.volume import is_volume
from ...engine.media.layout import Layout
from ...engine.media.time import round_half_up, snap_rate, to_samples
from ...engine.roles import PARTS
from .marks import mark_generated
from .results import ResultClip, ResultTrack

_TRACK_KEYS = (
    "OTIO_SCHEMA",
    "metadata",
    "name",
    "source_range",
    "effects",
    "markers",
    "enabled",
    "color",
    "children",
    "kind",
)
_HOST_KEYS = ("Resolve_OTIO", "PremierePro_OTIO")


class Numbers:
    """Times the way the document writes them: its own rate figures (23.976 stays 23.976), floats or
    integers.
    """

    def __init__(self, whole: bool, known: Sequence[float | int]) -> None:
        self._whole = whole
        self._known = {snap_rate(rate): rate for rate in reversed(known)}

    def _figure(self, value: Fraction) -> float | int:
        return int(value) if self._whole and value.denominator == 1 else float(value)

    def time(self, value: Fraction, rate: Fraction) -> Node:
        """A RationalTime of `value` units at `rate` Hz."""
        figure = self._known.get(rate, self._figure(rate))
        return {"OTIO_SCHEMA": "RationalTime.1", "rate": figure, "value": self._figure(value)}

    def seconds(self, length: Fraction, rates: Sequence[Fraction]) -> Node:
        """A length in seconds at the first rate that counts it in whole units, at the last one if
        none does.
        """
        rate = next((rate for rate in rates if (length * rate).denominator == 1), rates[-1])
        return self.time(length * rate, rate)

    @staticmethod
    def range(start: Node, duration: Node) -> Node:
        """A TimeRange."""
        return {"OTIO_SCHEMA": "TimeRange.1", "duration": duration, "start_time": start}


def exact(time: Node) -> Fraction:
    """A RationalTime we wrote, in seconds as a reader will understand it."""
    value = seconds(time)
    return value if value is not None else Fraction(0)


def plain(value: object) -> object:
    """Provenance as JSON: paths and fractions as text, tuples as lists, numbers of any library as numbers."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    item = getattr(value, "item", None)
    return plain(item()) if callable(item) else str(value)


def file_url(path: Path, bare: bool) -> str:
    """How a host wants to be told a file: Resolve as a bare path, every other one as a
    percent-encoded URI.
    """
    return str(path.absolute()) if bare else path.absolute().as_uri()


def new_gap(numbers: Numbers, length: Fraction, rates: Sequence[Fraction]) -> Node:
    """A gap of `length` seconds."""
    duration = numbers.seconds(length, rates)
    rate = snap_rate(number(duration["rate"]) or Fraction(1))
    return {
        "OTIO_SCHEMA": "Gap.1",
        "metadata": {},
        "name": "",
        "source_range": numbers.range(numbers.time(Fraction(0), rate), duration),
        "effects": [],
        "markers": [],
        "enabled": True,
    }


def new_track(
    source: Node | None,
    name: str,
    facts: Node,
    provenance: Mapping[str, object],
    enabled: bool = True,
) -> Node:
    """An empty audio track like `source`: its host's metadata and effects, but not its lock, solo, markers or
    volume, which is part of that of its clips. `facts` are what is known about it.
    """
    model = source if source is not None else {}
    given: Node = {
        "OTIO_SCHEMA": model["OTIO_SCHEMA"] if schema(model) == "Track" else "Track.1",
        "metadata": {key: copy.deepcopy(v) for key in _HOST_KEYS if (v := metadata(model, key)) is not None},
        "name": name,
        "source_range": None,
        "effects": [effect for effect in _effects(model) if not is_volume(effect)],
        "markers": [],
        "enabled": enabled,
        "children": [],
        "kind": "Audio",
    }
    host = given["metadata"].get("Resolve_OTIO")
    if isinstance(host, dict):
        host.update({key: False for key in ("Locked", "SoloOn") if key in host})
    if "color" in model:  # a document of OTIO 0.18 or later, which has colours
        held = str(facts.get("category") or facts.get("role"))
        given["color"] = _colour(held) or copy.deepcopy(model["color"])
    mark_generated(given, {**facts, "provenance": plain(provenance)})
    order = [key for key in model if key in given]
    return {key: given[key] for key in dict.fromkeys([*order, *_TRACK_KEYS]) if key in given}


def _colour(held: str) -> Node | None:
    """The colour of a track that holds dialogue, music or effects, as in the report; None for anything else."""
    text = next((role.light for role in PARTS if role.name == held), "")
    if not text:
        return None
    red, green, blue = (figure / 255 for figure in bytes.fromhex(text[1:]))
    return {"OTIO_SCHEMA": "Color.1", "r": red, "g": green, "b": blue, "a": 1.0, "name": held}


def widen(track: Node, layout: Layout) -> None:
    """Make a new track hold all channels of `layout`, in its host's words: its model may be a mono one."""
    resolve = metadata(track, "Resolve_OTIO")
    if isinstance(resolve, dict) and "Audio Type" in resolve:
        resolve["Audio Type"] = layout.resolve.capitalize()  # "Stereo" in OTIO, "stereo" to scripts
    premiere = metadata(track, "PremierePro_OTIO", "AudioChannels")
    if isinstance(premiere, dict):
        words = {"ChannelType": layout.premiere, "NumberOfChannels": layout.channels}
        premiere.update({key: words[key] for key in words if key in premiere})


def _effects(source: Node) -> list[object]:
    """A copy of an item's effects; none where the file holds something else in their place."""
    effects = source.get("effects")
    return copy.deepcopy(effects) if isinstance(effects, list) else []


def _host_metadata(source: Node, channels: int) -> Node:
    """What the host needs on the new clip: which channels it plays, and what it is linked to."""
    found: Node = {}
    resolve = metadata(source, "Resolve_OTIO")
    if isinstance(resolve, dict):
        listed = [{"Source Channel ID": i, "Source Track ID": 0} for i in range(channels)]
        link = {key: resolve[key] for key in ("Link Group ID",) if key in resolve}
        found["Resolve_OTIO"] = {"Channels": listed, **link}
    premiere = metadata(source, "PremierePro_OTIO")
    if isinstance(premiere, dict):
        assigned = [{"SecondaryChannelIndex": i} for i in range(channels)]
        kind = Layout.of_count(channels).premiere
        changed = {
            "AudioChannels": {"ChannelType": kind, "SecondaryAssignments": assigned},
            "OriginalChannelGroupIndex": 0,
            "SourceClipIndex": 0,
        }
        found["PremierePro_OTIO"] = {**copy.deepcopy(premiere), **changed}
    filters = fcp7_levels.filters_of(source)
    if filters is not None:
        found["fcp_xml"] = {"filter": copy.deepcopy(filters)}
    return found


def _stamp(file: ResultClip, rate: Fraction) -> Fraction | None:
    """The file's own start in seconds if it names a whole frame at `rate` to the nearest sample, else None.

    A BWF time reference counts samples, so that a frame of 29.97 is met only to half a sample; hosts read it back
    as that frame.
    """
    frame = round_half_up(Fraction(file.media_start, file.sample_rate) * rate)
    met = to_samples(frame / rate, file.sample_rate) == file.media_start
    return frame / rate if met else None


def _reference(result: ResultClip, numbers: Numbers, start: Fraction, rate: Fraction, resolve: bool) -> Node:
    """The media reference: the whole file with its handles from `start`.

    Resolve gets whole frames at `rate` where the file begins on one, the others samples where it begins on one.
    """
    length = Fraction(result.samples, result.sample_rate)
    own = Fraction(result.sample_rate)
    if resolve and (start * rate).denominator == 1:
        first, lasting = numbers.time(start * rate, rate), numbers.time(Fraction(length * rate // 1), rate)
    else:
        first, lasting = numbers.seconds(start, [own, rate]), numbers.time(length * own, own)
    available = numbers.range(first, lasting)
    return {
        "OTIO_SCHEMA": "ExternalReference.1",
        "metadata": {},
        "name": result.path.name,
        "available_range": available,
        "available_image_bounds": None,
        "target_url": file_url(result.path, resolve),
    }


def new_clip(
    source: Node,
    result: ResultTrack,
    length: Fraction,
    rates: Sequence[Fraction],
    numbers: Numbers,
    resolve: bool,
    facts: Node,
) -> Node:
    """A clip that plays `result` where `source` plays its media: same length, effects and links.

    `length` is the source range's duration in seconds, `rates` what it may count in, the old clip's rate
    first. The new range starts at the file's own time stamp plus the head handle, in the old rate if that
    hits a whole unit and in samples otherwise.
    """
    file = result.clip
    own = Fraction(file.sample_rate)
    head = Fraction(file.head, file.sample_rate)
    stamp = _stamp(file, rates[0])
    framed = stamp is not None and (head * rates[0]).denominator == 1
    origin = stamp if framed and stamp is not None else Fraction(file.media_start, file.sample_rate)
    counting = list(rates) if framed else [own, *rates]
    begin = numbers.seconds(origin + head, [rates[0]] if framed else [own])
    bounds = numbers.range(begin, numbers.seconds(length, counting))
    reference = _reference(file, numbers, origin, rates[0], resolve)
    single = "media_references" not in source and "media_reference" in source
    media: Node = {"media_reference": reference}
    if not single:
        media = {
            "media_references": {"DEFAULT_MEDIA": reference},
            "active_media_reference_key": "DEFAULT_MEDIA",
        }
    given: Node = {
        "OTIO_SCHEMA": source["OTIO_SCHEMA"] if single or schema(source) == "Clip" else "Clip.2",
        "metadata": _host_metadata(source, file.channels),
        "name": file.path.name,
        "source_range": bounds,
        "effects": _effects(source),
        "markers": [],
        "enabled": True,
        **media,
    }
    if "color" in source:
        given["color"] = copy.deepcopy(source["color"])
    ours: Node = {"role": result.role, **facts, "provenance": plain(result.provenance)}
    if result.gain is not None:
        ours["gain"] = {"times": list(result.gain.times), "db": list(result.gain.db)}
    mark_generated(given, ours)
    order = [key for key in source if key in given]
    return {key: given[key] for key in dict.fromkeys([*order, *given])}
