"""What the fuzzers damage: the fixtures of the tests, and small files of every kind made on the spot."""

from __future__ import annotations

import json
import shutil
import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from sightmix.engine.errors import SightmixError

FIXTURES = Path(__file__).resolve().parents[1] / "tests" / "data"
TIMELINES = (".otio", ".xml", ".fcpxml", ".edl", ".aaf")
MEDIA = "media"  # the folder beside the timelines that their clips name
_SECONDS = 1.2
_RATE = 48000
_FPS = 25
_LARGEST = 600_000  # bytes of a fixture

# file name: (audio codec, layout, video codec, pixel format)
_MADE: dict[str, tuple[str, str, str, str]] = {
    "pcm16.wav": ("pcm_s16le", "stereo", "", ""),
    "pcm24.wav": ("pcm_s24le", "5.1", "", ""),
    "float.wav": ("pcm_f32le", "mono", "", ""),
    "plain.aiff": ("pcm_s16be", "stereo", "", ""),
    "plain.caf": ("pcm_s16be", "stereo", "", ""),
    "plain.flac": ("flac", "stereo", "", ""),
    "plain.mp3": ("libmp3lame", "stereo", "", ""),
    "plain.ogg": ("libopus", "stereo", "", ""),
    "plain.m4a": ("aac", "stereo", "", ""),
    "clip.mov": ("pcm_s16le", "stereo", "mpeg4", "yuv420p"),
    "clip.mp4": ("aac", "stereo", "libx264", "yuv420p"),
    "clip.mkv": ("libopus", "stereo", "libx264", "yuv420p"),
    "clip.webm": ("libopus", "mono", "libvpx", "yuv420p"),
    "clip.mxf": ("pcm_s16le", "mono", "mpeg2video", "yuv422p"),
    "clip.ts": ("ac3", "5.1", "mpeg2video", "yuv420p"),
    "clip.avi": ("pcm_s16le", "stereo", "mpeg4", "yuv420p"),
    "still.png": ("", "", "png", "rgb24"),
}


@dataclass(frozen=True)
class Seed:
    """A whole file as it was before the damage, or a bundle: its members by name."""

    name: str
    data: bytes = b""
    members: tuple[tuple[str, bytes], ...] = ()

    @property
    def suffix(self) -> str:
        return Path(self.name).suffix


def media_seeds(folder: Path) -> list[Seed]:
    """A short file of every container, and the sounds among the fixtures."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _MADE:
        make_media(folder / name)
    found = [path for path in sorted(FIXTURES.rglob("*")) if path.suffix in (".wav", ".ogg")]
    found = [path for path in found if path.stat().st_size < _LARGEST]
    return [Seed(path.name, path.read_bytes()) for path in (*sorted(folder.iterdir()), *found)]


def make_media(path: Path) -> Path:
    """A second of noise and of moving grey, in the container and codecs that the name stands for."""
    codec, layout, picture, pixels = _MADE[path.name]
    rng = np.random.default_rng(1)
    with av.open(str(path), "w", format="image2" if path.suffix == ".png" else None) as container:
        video: Any = container.add_stream(picture, rate=_FPS) if picture else None
        sound: Any = container.add_stream(codec, rate=_RATE, layout=layout) if codec else None
        if video is not None:
            video.width, video.height, video.pix_fmt = (
                (720, 512, pixels) if path.suffix == ".mxf" else (64, 48, pixels)
            )
            if path.suffix == ".mov":
                video.metadata["timecode"] = "01:00:00:00"
            for k in range(1 if path.suffix == ".png" else int(_SECONDS * _FPS)):
                grey = np.full((video.height, video.width, 3), 8 * k % 256, np.uint8)
                frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
                frame.pts, frame.time_base = k, Fraction(1, _FPS)
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
        if sound is not None:
            _put_sound(container, sound, rng, layout)
    return path


def _put_sound(container: Any, stream: Any, rng: np.random.Generator, layout: str) -> None:
    channels = av.AudioLayout(layout).nb_channels
    noise = (0.1 * rng.standard_normal((channels, int(_SECONDS * _RATE)))).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(noise, format="fltp", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = _RATE, 0, Fraction(1, _RATE)
    size = stream.codec_context.frame_size or 1024
    to_codec = av.AudioResampler(stream.codec_context.format.name, layout, _RATE, frame_size=size)
    for part in [*to_codec.resample(frame), *to_codec.resample(None)]:
        container.mux(stream.encode(part))
    container.mux(stream.encode(None))


def timeline_seeds(folder: Path) -> list[Seed]:
    """The fixtures, and each of some in every format that we write; media that they name lies in `folder`."""
    from sightmix.exporters.formats import FORMATS, export

    (folder / MEDIA).mkdir(parents=True, exist_ok=True)
    for name in ("clip.mov", "pcm16.wav", "pcm24.wav"):
        make_media(folder / MEDIA / name)
    for path in FIXTURES.rglob("*.wav"):
        shutil.copyfile(path, folder / path.name)
    found = [path for path in sorted(FIXTURES.rglob("*")) if path.suffix in TIMELINES]
    seeds = [Seed(path.name, path.read_bytes()) for path in found if path.stat().st_size < _LARGEST]
    own = own_timeline(folder / MEDIA)
    seeds.append(Seed("own.otio", json.dumps(own, indent=1).encode()))
    roots = [own] + [_root(path) for path in found if path.suffix == ".otio" and path.stat().st_size < 60_000]
    made = folder / "made"
    made.mkdir(exist_ok=True)
    for k, root in enumerate(roots):
        for form in FORMATS:
            if form.key == "aaf" and k > 1:
                continue  # it takes seconds
            out = made / f"{k}-{form.key}{form.suffix}"
            try:
                export(root, out, form.key, base=folder)
            except SightmixError:
                continue
            if out.suffix in TIMELINES and out.stat().st_size < _LARGEST:
                seeds.append(Seed(out.name, out.read_bytes()))
    shutil.rmtree(made)
    return seeds


def _root(path: Path) -> dict[str, Any]:
    root: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return root


def _time(frames: float) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(_FPS), "value": float(frames)}


def _range(start: float, frames: float) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "TimeRange.1", "start_time": _time(start), "duration": _time(frames)}


def _item(schema: str, name: str, **given: Any) -> dict[str, Any]:
    base = {"name": name, "metadata": {}, "effects": [], "markers": [], "enabled": True, "source_range": None}
    return {"OTIO_SCHEMA": schema, **base, **given}


def _clip(path: Path, frames: int) -> dict[str, Any]:
    reference = {
        "OTIO_SCHEMA": "ExternalReference.1", "metadata": {}, "name": path.name, "available_image_bounds": None,
        "available_range": _range(0, 30), "target_url": path.absolute().as_uri(),
    }  # fmt: skip
    media = {"media_references": {"DEFAULT_MEDIA": reference}, "active_media_reference_key": "DEFAULT_MEDIA"}
    return _item("Clip.2", path.stem, source_range=_range(2, frames), **media)


def own_timeline(media: Path) -> dict[str, Any]:
    """A timeline with a dissolve, a gap, a speed change, a compound clip, markers and a start hour."""
    movie, wide, plain = media / "clip.mov", media / "pcm24.wav", media / "pcm16.wav"
    fade = {
        "OTIO_SCHEMA": "Transition.1", "name": "", "metadata": {}, "in_offset": _time(1), "out_offset": _time(1),
        "transition_type": "SMPTE_Dissolve",
    }  # fmt: skip
    warp = {
        "OTIO_SCHEMA": "LinearTimeWarp.1",
        "name": "",
        "metadata": {},
        "effect_name": "",
        "time_scalar": 0.5,
    }
    marker = {
        "OTIO_SCHEMA": "Marker.2", "name": "loud", "metadata": {}, "marked_range": _range(3, 1), "color": "RED",
        "comment": "",
    }  # fmt: skip
    slow = {**_clip(plain, 10), "effects": [warp], "markers": [marker]}
    gap = _item("Gap.1", "", source_range=_range(0, 5))
    inner = _item("Track.1", "in", kind="Audio", children=[_clip(plain, 12)])
    compound = _item("Stack.1", "compound", children=[inner], source_range=_range(1, 8))
    tracks = [
        _item("Track.1", "V1", kind="Video", children=[_clip(movie, 20), fade, _clip(movie, 20)]),
        _item("Track.1", "A1", kind="Audio", children=[_clip(movie, 20), fade, _clip(plain, 20), gap, slow]),
        _item("Track.1", "A2", kind="Audio", children=[_clip(wide, 24), compound]),
    ]
    stack = _item("Stack.1", "tracks", children=tracks)
    return {
        "OTIO_SCHEMA": "Timeline.1", "metadata": {}, "name": "own", "global_start_time": _time(90000), "tracks": stack,
    }  # fmt: skip


def bundle_seeds(folder: Path) -> list[Seed]:
    """Bundles as they are before the damage: an .otioz and .otiod of our timeline, an .fcpxmld of its FCPXML."""
    from sightmix.exporters.formats import export

    media = folder / MEDIA
    media.mkdir(parents=True, exist_ok=True)
    for name in ("clip.mov", "pcm16.wav", "pcm24.wav"):
        make_media(media / name)
    own = own_timeline(media)
    export(own, folder / "own.fcpxml", "fcpxml")
    inside = json.dumps(own).replace(media.absolute().as_uri(), "media")
    files = tuple((f"media/{path.name}", path.read_bytes()) for path in sorted(media.iterdir()))
    otio = (("content.otio", inside.encode()), ("version.txt", b"1.0.0"), *files)
    fcpxml = (("Info.fcpxml", (folder / "own.fcpxml").read_bytes()),)
    return [
        Seed("own.otioz", members=otio),
        Seed("own.otiod", members=otio),
        Seed("own.fcpxmld", members=fcpxml),
    ]


def zipped(path: Path, members: Sequence[tuple[zipfile.ZipInfo | str, bytes]]) -> bytes:
    """The bytes of a zip with these members, deflated unless they say otherwise; duplicates are allowed."""
    import warnings

    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        warnings.simplefilter("ignore")
        for name, data in members:
            bundle.writestr(name, data)
    return path.read_bytes()


def with_flag(data: bytes, flag: int) -> bytes:
    """A zip whose members all say, in both directories, that they have this general purpose flag."""
    out = bytearray(data)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = out.find(mark)
        while at >= 0:
            (flags,) = struct.unpack_from("<H", out, at + place)
            struct.pack_into("<H", out, at + place, flags | flag)
            at = out.find(mark, at + 4)
    return bytes(out)
