"""Pieces of media laid on tracks, as the parsed dictionary of an OTIO timeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import groupby
from math import lcm
from typing import Any

from ....engine.edit.nodes import Node
from ....engine.edit.timemap import timed
from ....engine.edit.volume import FADERS, RESOLVE_VOLUME
from ....engine.roles import PARTS
from .. import build
from .parts import ZERO, Joint, Mark, Part, Treatment

_FINE = 48000  # what times between frames count in, at least
_FINEST = 10**7  # what they count in, at most
_MAIN_ROLES = tuple(role.fcpx for role in PARTS)


def laid(parts: Sequence[Part], marks: Iterable[Mark], rate: Fraction) -> Node:
    """The stack of tracks that the pieces of a timeline of `rate` frames per second lie on, with its markers."""
    listed = [build.track(name, kind, list(_items(lane, rate))) for kind, name, lane in tracks(parts)]
    found = build.stack("tracks", listed)
    found["markers"] = [_marker(mark, rate) for mark in sorted(marks, key=lambda mark: mark.start)]
    return found


def tracks(parts: Sequence[Part]) -> list[tuple[str, str, list[Part]]]:
    """Kind, name and pieces of every track, in record order and overlapping nowhere: picture from the bottom up.

    Sound of one role lies on as few tracks as it takes. Where every lane has but one role, as in documents made from
    tracks, every lane is a track.
    """
    picture = [part for part in parts if part.kind == "video"]
    sound = [part for part in parts if part.kind == "audio"]
    deepest = max((len(part.path) for part in picture), default=0)
    made = []
    for listed in _grouped(picture, lambda part: (*part.path, *[0] * (deepest - len(part.path)))):
        made += [("Video", _picture_name(lane), lane) for lane in _packed(listed)]
    roles = {part.path: part.role for part in sound}
    if all(len(part.path) < 2 and roles[part.path] == part.role for part in sound):
        for listed in _grouped(sound, _from_the_top):
            made += _sounding(listed, listed[0].role)
        return made
    first = {role: i for i, role in enumerate(dict.fromkeys(_short(part.role) for part in sound))}
    for listed in _grouped(sound, lambda part: (_rank(part.role), first[_short(part.role)])):
        made += _sounding(sorted(listed, key=_from_the_top), _short(listed[0].role))
    return made


def _sounding(parts: Sequence[Part], role: str) -> list[tuple[str, str, list[Part]]]:
    """Tracks of one role's sound, numbered where it takes several."""
    name = _subrole(role)
    packed = enumerate(_packed(parts), start=1)
    return [("Audio", f"{name} {number}" if name and number > 1 else name, lane) for number, lane in packed]


def _grouped(parts: Iterable[Part], key: Callable[[Part], tuple[Any, ...]]) -> Iterator[list[Part]]:
    return (list(listed) for _, listed in groupby(sorted(parts, key=key), key))


def _from_the_top(part: Part) -> tuple[Any, ...]:
    """The order of lanes as tracks of sound: the storyline's own, those below it, those above it."""
    return tuple((lane > 0, abs(lane)) for lane in part.path)


def _packed(parts: Sequence[Part]) -> list[list[Part]]:
    """Pieces on as few tracks as it takes so that none overlap; those of one lane stay together where they can."""
    lanes: list[list[Part]] = []
    for part in sorted(parts, key=lambda part: part.start):
        free = [lane for lane in lanes if _follows(lane[-1], part)]
        if free:
            min(free, key=lambda lane: lane[-1].path != part.path).append(part)
        else:
            lanes.append([part])
    return lanes


def _follows(last: Part, part: Part) -> bool:
    """Whether a piece may lie behind another on a track: two that meet there share their transition, if any."""
    return last.end < part.start or (last.end == part.start and last.after == part.before)


def _rank(role: str) -> int:
    main = role.partition(".")[0].casefold()
    return _MAIN_ROLES.index(main) if main in _MAIN_ROLES else len(_MAIN_ROLES)


def _short(role: str) -> str:
    """A role without the subrole that everything of it has: "dialogue.dialogue-1" is "dialogue"."""
    main, _, sub = role.partition(".")
    return main if sub == f"{main}-1" else role


def _subrole(role: str) -> str:
    """What a track of a role is called: its subrole, which stands for the track in documents made from tracks."""
    main, _, sub = role.partition(".")
    return sub or main


def _picture_name(parts: Sequence[Part]) -> str:
    names = {part.role for part in parts}
    role = names.pop() if len(names) == 1 else ""
    return _subrole(role) if "." in role else ""


# ---- OTIO's objects


def _fine(start: Fraction, duration: Fraction, rate: Fraction) -> Fraction:
    """What two times are counted in: `rate` where both are whole frames, else parts of a second that hold both."""
    if (start * rate).denominator == 1 and (duration * rate).denominator == 1:
        return rate
    whole = lcm(start.denominator, duration.denominator)
    return Fraction(whole * -(-_FINE // whole) if whole <= _FINEST else _FINE)


def _range(start: Fraction, duration: Fraction, rate: Fraction) -> Node:
    fine = _fine(start, duration, rate)
    return build.time_range(start * fine, duration * fine, fine)


def _gap(duration: Fraction, rate: Fraction) -> Node:
    fine = _fine(ZERO, duration, rate)
    return build.gap(duration * fine, fine)


def _items(parts: Sequence[Part], rate: Fraction) -> Iterator[Node]:
    """A track's clips with the gaps and transitions between them."""
    at, ending = ZERO, None
    for part in parts:
        if part.start > at:
            yield from [_transition(ending, rate)] if ending else []
            yield _gap(part.start - at, rate)
        yield from [_transition(part.before, rate)] if part.before else []
        yield _clip(part, rate)
        at, ending = part.end, part.after
    if ending is not None:
        yield _transition(ending, rate)
        if ending.after:  # what the transition plays beyond the last clip is part of the track
            yield _gap(ending.after, rate)


def _transition(joint: Joint, rate: Fraction) -> Node:
    fine = _fine(joint.before, joint.after, rate)
    return build.transition(joint.name, "SMPTE_Dissolve", joint.before * fine, joint.after * fine, fine)


def _marker(mark: Mark, rate: Fraction) -> Node:
    fine = _fine(mark.start, mark.duration, rate)
    return build.marker(mark.name, mark.start * fine, mark.duration * fine, fine, mark.color, mark.note)


def _clip(part: Part, rate: Fraction) -> Node:
    origin = part.asset.start if part.asset is not None else ZERO
    first, timing = timed(part.points, origin)
    reference, *others = _references(part, rate)
    node = build.clip(part.name, _range(first, part.duration, rate), reference, _metadata(part))
    node["media_references"] |= {f"MEDIA_{i}": other for i, other in enumerate(others, start=2)}
    node["enabled"] = part.enabled
    node["effects"] = [*timing, *_levels(part.sound, rate)]
    return node


def _effect(name: str) -> Node:
    return {"OTIO_SCHEMA": "Effect.1", "metadata": {}, "name": name, "effect_name": name, "enabled": True}


def _levels(sound: Treatment, rate: Fraction) -> Iterator[Node]:
    """The volume and fades of a piece in Resolve's words, its pan in those of FCP 7, its effects by their names."""
    parameters: list[Node] = []
    if sound.line is not None and len(sound.line.times) == 1:
        parameters.append({"Parameter ID": "volume", "Parameter Value": sound.line.db[0]})
    elif sound.line is not None:
        lines = zip(sound.line.times, sound.line.db, strict=True)
        keys = {f"{float(t * rate):.9f}": {"Value": db} for t, db in lines}
        parameters.append({"Parameter ID": "volume", "Key Frames": keys})
    for name, length in zip(FADERS, (sound.fade_in, sound.fade_out), strict=True):
        if length:
            parameters.append({"Parameter ID": name, "Parameter Value": float(length * rate)})
    if parameters:
        host = {"Enabled": True, "Type": RESOLVE_VOLUME, "Name": "Volume", "Parameters": parameters}
        yield {**_effect("Volume"), "metadata": {"Resolve_OTIO": host}}
    if sound.pan:
        pan = {"parameterid": "pan", "valuemin": "-1", "valuemax": "1", "value": f"{sound.pan:.6g}"}
        yield {**_effect("Pan"), "metadata": {"fcp_xml": {"effectid": "audiopan", "parameter": pan}}}
    for name in sound.effects:
        yield _effect(name)


def _metadata(part: Part) -> Node:
    """What the document says of a piece, and what of it only we read."""
    own: Node = {}
    if part.problem:
        own["problem"] = part.problem
    if part.link:
        own["link"] = part.link
    if part.kind == "audio" and part.stream is not None:
        own["stream"] = part.stream
    if part.kind == "audio" and part.channels is not None:
        own["played"] = list(part.channels)
    found: Node = {"fcpx": part.facts}
    if part.note:
        found["note"] = part.note
    return found | {"sightmix_source": own} if own else found


def _references(part: Part, rate: Fraction) -> Iterator[Node]:
    """Where the media of a piece lies, the original first."""
    asset = part.asset
    if asset is None:
        yield build.generator(str(part.facts.get("element", "")), part.name)
        return
    known = asset.duration
    length = known if known is not None else max(max(m for _, m in part.points) - asset.start, ZERO)
    available = _range(asset.start, length, rate) if known or asset.start else None
    if not asset.urls:
        yield build.missing(asset.name, available)
    for url in asset.urls:
        yield build.external(url, asset.name, available)
