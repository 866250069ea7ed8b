"""The specimen's timeline as Resolve writes one, and the results that are laid on it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ....engine.edit.nodes import Node
from ...timeline import ResultClip, ResultTrack, Ridden, Timeline, write_result
from ...timeline.build import item
from ...timeline.dialects import Numbers, file_url, new_gap
from . import facts
from .facts import RATE, Cut
from .media import stamp

_NUMBERS = Numbers(False, [float(RATE)])
_STEREO = [{"Source Channel ID": channel, "Source Track ID": 0} for channel in (0, 1)]


def original(media: Path) -> Node:
    """The document of the editor's timeline, playing the files of the folder `media`."""
    tracks = [_track("Video", "Video 1", _shots(media))]
    for name in facts.TRACKS:
        tracks.append(_track("Audio", name, _filled(name, media)))
    frame, title, colour = facts.MARKER
    return {
        "OTIO_SCHEMA": "Timeline.1",
        "metadata": {"Resolve_OTIO": {"Resolve OTIO Meta Version": "1.0"}},
        "name": facts.NAME,
        "global_start_time": _NUMBERS.time(facts.START * RATE, RATE),
        "tracks": item("Stack.1", "", markers=[_marker(frame, title, colour)]) | {"children": tracks},
    }


def lay_results(timeline: Timeline, media: Path, out: Path) -> None:
    """Write the timeline with our result to `out`: curves on copies of dialogue and music, new clips for effects.

    Raises WriteError.
    """
    clips = sorted(timeline.clips, key=lambda clip: (clip.leaf.track, clip.leaf.start))
    sounds = [(name, i) for name in facts.TRACKS for i in range(len(facts.CLIPS[name]))]
    results = {clip.index: [_result(name, i, media)] for clip, (name, i) in zip(clips, sounds, strict=True)}
    write_result(
        timeline, results, out, mute_originals=True, provenance={"made by": "sightmix resolve specimen"}
    )


def _result(name: str, number: int, media: Path) -> ResultTrack | Ridden:
    if name != facts.EFFECTS:
        return Ridden(facts.CURVES[name][number], category=name.lower())
    cut = facts.NEW_CLIPS[number]
    per_frame = int(facts.SAMPLE_RATE / RATE)
    head = facts.HANDLE * per_frame
    samples = cut.frames * per_frame + 2 * head
    return ResultTrack(
        facts.RESULT, ResultClip(media / cut.file, facts.SAMPLE_RATE, samples, 2, head, stamp(cut))
    )


def _shots(media: Path) -> list[Node]:
    children: list[Node] = []
    for number, cut in enumerate(facts.SHOTS, start=1):
        children.append(_clip(cut, media, {"Link Group ID": number}))
    frame, title, colour = facts.CLIP_MARKER
    children[1]["markers"] = [_marker(facts.FILMS["B"].first + frame, title, colour)]
    children.insert(1, _dissolve())
    return children


def _filled(name: str, media: Path) -> list[Node]:
    """The clips of a sound track with gaps around them, to the timeline's end."""
    children: list[Node] = []
    end = 0
    for number, cut in enumerate(facts.CLIPS[name], start=1):
        link = {"Link Group ID": number} if name == facts.DIALOGUE else {}
        children += _gap(cut.start - end)
        children.append(_clip(cut, media, {"Channels": _STEREO, **link}))
        end = cut.end
    return children + _gap(facts.LENGTH - end)


def _gap(frames: int) -> list[Node]:
    return [new_gap(_NUMBERS, frames / RATE, [RATE])] if frames else []


def _clip(cut: Cut, media: Path, words: Node) -> Node:
    film = next((film for film in facts.FILMS.values() if film.file == cut.file), None)
    first = film.first if film is not None else 0
    length = facts.FILM_LENGTH if film is not None else facts.SOUNDS[cut.file][1]
    reference = {
        "OTIO_SCHEMA": "ExternalReference.1",
        "metadata": {},
        "name": cut.file,
        "available_range": _range(first, length),
        "available_image_bounds": None,
        "target_url": file_url(media / cut.file, bare=True),
    }
    return item(
        "Clip.2", cut.file, _range(first + cut.source, cut.frames), metadata={"Resolve_OTIO": words}
    ) | {
        "media_references": {"DEFAULT_MEDIA": reference},
        "active_media_reference_key": "DEFAULT_MEDIA",
    }


def _dissolve() -> Node:
    half = _NUMBERS.time(facts.DISSOLVE // 2 * RATE / RATE, RATE)
    keys = {
        str(at): {"Value": value, "Variant Type": "Double"} for at, value in ((0, 0.0), (facts.DISSOLVE, 1.0))
    }
    curve = {
        "Default Parameter Value": 0.0, "Key Frames": keys, "Parameter ID": "transitionCustomCurvesKeyframes",
        "Parameter Value": 0.0, "Variant Type": "Double", "maxValue": 1.0, "minValue": 0.0,
    }  # fmt: skip
    effects = {
        "Display Type": 1, "Effect Name": "Cross Dissolve", "Enabled": True, "Name": "Cross Dissolve",
        "Parameters": [curve], "Type": 9,
    }  # fmt: skip
    return {
        "OTIO_SCHEMA": "Transition.1",
        "metadata": {"Resolve_OTIO": {"Effects": effects, "Transition Type": "Cross Dissolve"}},
        "name": "Cross Dissolve",
        "in_offset": half,
        "out_offset": dict(half),
        "transition_type": "SMPTE_Dissolve",
    }


def _marker(frame: int, title: str, colour: str) -> Node:
    return {
        "OTIO_SCHEMA": "Marker.2",
        "metadata": {"Resolve_OTIO": {"Note": facts.NAME}},
        "name": title,
        "color": colour,
        "marked_range": _range(frame, 1),
    }


def _track(kind: str, name: str, children: Sequence[Node]) -> Node:
    words = (
        {"Locked": False} if kind == "Video" else {"Audio Type": "Stereo", "Locked": False, "SoloOn": False}
    )
    track = item("Track.1", name, metadata={"Resolve_OTIO": words})
    return track | {"children": list(children), "kind": kind}


def _range(first: int, frames: int) -> Node:
    return _NUMBERS.range(_NUMBERS.time(first * RATE / RATE, RATE), _NUMBERS.time(frames * RATE / RATE, RATE))
