"""Small timelines and media for the tests of the timeline room."""

from __future__ import annotations

import json
import wave
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

DATA = Path(__file__).resolve().parents[1] / "data" / "otio"


def rt(value: float, rate: float) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": rate, "value": value}


def tr(start: float, duration: float, rate: float = 24.0) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "TimeRange.1", "duration": rt(duration, rate), "start_time": rt(start, rate)}


def external(url: str, available: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "ExternalReference.1",
        "metadata": {},
        "name": "",
        "available_range": available,
        "available_image_bounds": None,
        "target_url": url,
    }


def item(kind: str, name: str = "", source: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": kind,
        "metadata": {},
        "name": name,
        "source_range": source,
        "effects": [],
        "markers": [],
        "enabled": True,
        **more,
    }


def clip(name: str, source: dict[str, Any] | None, media: Any = None, **more: Any) -> dict[str, Any]:
    """A Clip.2; `media` is a URL, a reference or a dictionary of references."""
    if isinstance(media, str):
        media = external(media)
    if media is None:
        media = {"OTIO_SCHEMA": "MissingReference.1", "metadata": {}, "name": "", "available_range": None}
    several = media if "OTIO_SCHEMA" not in media else {"DEFAULT_MEDIA": media}
    active = {"media_references": several, "active_media_reference_key": "DEFAULT_MEDIA"}
    return item("Clip.2", name, source, **{**active, **more})


def gap(duration: float, rate: float = 24.0) -> dict[str, Any]:
    return item("Gap.1", "", tr(0.0, duration, rate))


def transition(into: float, out_of: float, rate: float = 24.0) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "Transition.1",
        "metadata": {},
        "name": "Dissolve",
        "in_offset": rt(into, rate),
        "out_offset": rt(out_of, rate),
        "transition_type": "SMPTE_Dissolve",
    }


def warp(scalar: float, kind: str = "LinearTimeWarp.1") -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": kind,
        "metadata": {},
        "name": "",
        "effect_name": "",
        "time_scalar": scalar,
    }


def marker(name: str, start: float, duration: float = 1.0, **more: Any) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "Marker.3",
        "metadata": {},
        "name": name,
        "color": "RED",
        "marked_range": tr(start, duration),
        **more,
    }


def track(kind: str, *children: dict[str, Any], name: str = "", **more: Any) -> dict[str, Any]:
    return item("Track.1", name, **{"source_range": None, **more}) | {
        "children": list(children),
        "kind": kind,
    }


def stack(*children: dict[str, Any], name: str = "", **more: Any) -> dict[str, Any]:
    source = more.pop("source_range", None)
    return item("Stack.1", name, source, **more) | {"children": list(children)}


def timeline(*tracks: dict[str, Any], start: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "Timeline.1",
        "metadata": more.pop("metadata", {}),
        "name": more.pop("name", "cut"),
        "global_start_time": start,
        "tracks": stack(*tracks, name="tracks", **more),
    }


def save(path: Path, root: Any) -> Path:
    path.write_text(json.dumps(root, indent=4), encoding="utf-8")
    return path


def wav(path: Path, seconds: float = 10.0, channels: int = 2, rate: int = 48000) -> Path:
    """A WAV file of silence."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(2 * channels * round(seconds * rate)))
    return path


def movie(path: Path, seconds: float = 10.0, fps: int = 24, streams: Sequence[int] = ()) -> Path:
    """A small picture file, with PCM streams of so many channels each."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("mpeg4", rate=fps)
        video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
        sounds = [
            out.add_stream("pcm_s16le", rate=48000, layout={1: "mono", 2: "stereo"}[channels])
            for channels in streams
        ]
        blank = np.zeros((32, 32, 3), np.uint8)
        for _ in range(round(seconds * fps)):
            out.mux(video.encode(av.VideoFrame.from_ndarray(blank, format="rgb24")))
        out.mux(video.encode())
        for sound, channels in zip(sounds, streams, strict=True):
            silence = np.zeros((1, round(seconds * 48000) * channels), np.int16)
            frame = av.AudioFrame.from_ndarray(silence, "s16", {1: "mono", 2: "stereo"}[channels])
            frame.sample_rate = 48000
            out.mux(sound.encode(frame))
            out.mux(sound.encode())
    return path


def seconds(frames: float, rate: float = 24.0) -> Fraction:
    return Fraction(frames) / Fraction(rate)
