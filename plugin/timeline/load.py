"""Any timeline file as the parsed dictionary of an OTIO document."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ...engine.edit.nodes import Node, Pointer, children, name_of, schema
from ...engine.errors import MediaError, TimelineError, WriteError
from ...engine.installation import line_for
from ...engine.limits import FOLDER, document_bytes, odd_kind
from ...engine.media.layout import Layout
from ...engine.media.reader import MediaInfo, probe
from ...engine.passage import Channel
from . import build, fcpxml
from .bundles import PLAYLIST, Bundle
from .edl import read_edl
from .fcp7 import read_fcp7
from .forms import recognise, refuse_folder
from .host_words import premiere_names
from .marks import strip
from .quiet import quiet
from .texts import decoded, unicode_of, xml_root

BUNDLES = (".otioz", ".otiod")
_COMPOUND_FILE = bytes.fromhex("d0cf11e0")
_NO_NUMBER = re.compile(
    r'"(?:[^"\\]|\\.)*"|-?\b(?:inf|infinity|nan)\b', re.IGNORECASE
)  # strings pass unchanged
_PYTHONS = {
    "inf": "Infinity",
    "-inf": "-Infinity",
    "infinity": "Infinity",
    "-infinity": "-Infinity",
} | dict.fromkeys(("nan", "-nan"), "NaN")


@dataclass(frozen=True)
class Style:
    """How a document's text was laid out: spaces of indent (None: one line), ASCII only, what
    follows the end.
    """

    indent: int | None = 4
    ascii: bool = False
    ending: str = ""


@dataclass(frozen=True)
class Document:
    """A parsed file, by default without our own earlier results; relative media paths count from `base`.

    `notes` is what is to be said of how it was read, a sentence each.
    """

    path: Path
    root: Node
    base: Path
    style: Style = Style()
    is_media: bool = False
    notes: tuple[str, ...] = ()


def load(
    path: Path, rate: Fraction | None = None, cuts: tuple[Fraction, ...] = (), keep: bool = False
) -> Document:
    """Read a timeline of any supported kind, or a media file as a timeline of its own.

    `rate` is what an EDL counts in (24 or what it needs if not given: EDLs do not say); `cuts` are seconds at which a
    media file's picture is cut; `keep` leaves our own earlier results in. Raises TimelineError with one sentence.
    """
    document = _load(path, rate, cuts)
    if not keep:
        strip(document.root)
    return document


def _load(path: Path, rate: Fraction | None, cuts: tuple[Fraction, ...]) -> Document:
    odd = _odd(path)
    if odd == FOLDER:
        return _folder(path)
    if odd:
        raise TimelineError(f"{path} is {odd}, not a file; name a timeline or media file.")
    readers: dict[str, Callable[[], Document]] = {
        "otio": lambda: _parse(path, _read(path), path.absolute().parent),
        "otioz": lambda: _bundle(path),
        "edl": lambda: _edl(path, rate),
        "fcp7": lambda: _fcp7(path),
        "fcpxml": lambda: _fcpxml(path),
        "aaf": lambda: _aaf(path),
        "media": lambda: _media(path, cuts),
    }
    return readers[recognise(path)]()


def _folder(path: Path) -> Document:
    """A bundle that is a folder."""
    if path.suffix.lower() == fcpxml.BUNDLE:
        return _fcpxml(path)
    if not (path / PLAYLIST).is_file() and path.suffix.lower() != ".otiod":
        raise refuse_folder(path)
    return _parse(path, _read(path / PLAYLIST), path)


def _odd(path: Path) -> str:
    """What a path leads to that is no regular file; raises TimelineError where it leads to nothing."""
    try:
        return odd_kind(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise TimelineError(f"{path} does not exist; check the path.") from error
    except (OSError, ValueError) as error:  # no name for a disk, a loop of links, a folder that is closed
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise TimelineError(f"{path} cannot be read: {why or error}.") from error


def _read(path: Path) -> str:
    return _unicode(path, document_bytes(path))


def _unicode(path: Path, data: bytes) -> str:
    text = unicode_of(data)
    if text is None:
        raise TimelineError(f"{path} is not an OTIO timeline: its text is not UTF-8.")
    return text


def _parse(path: Path, text: str, base: Path) -> Document:
    if not text.strip():
        raise TimelineError(f"{path} is empty; export the timeline again.")
    try:
        root = _json(text)
    except RecursionError as error:
        raise TimelineError(f"{path} is nested too deeply to be a real timeline.") from error
    except ValueError as error:
        raise TimelineError(f"{path} is not an OTIO timeline: {_where(error)}.") from error
    if not isinstance(root, dict) or not schema(root):
        raise TimelineError(f"{path} is not an OTIO timeline: it holds JSON of another kind.")
    return Document(path, root, base, _style(text))


def _json(text: str) -> Any:
    """Parsed JSON, with the words that OTIO's own library writes for numbers without an end or without a value."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        spelled = _NO_NUMBER.sub(lambda found: _PYTHONS.get(found.group().lower(), found.group()), text)
        if spelled == text:
            raise
        return json.loads(spelled)


def _where(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno} is not valid JSON"
    return "it holds a number that is far too long"


def _style(text: str) -> Style:
    indent = re.match(r"\{[ \t]*\r?\n( *)\S", text.lstrip())
    return Style(
        len(indent.group(1)) if indent else None, text.isascii() and "\\u" in text, text[len(text.rstrip()) :]
    )


def _bundle(path: Path) -> Document:
    with Bundle(path) as bundle:
        document = _parse(path, _unicode(path, bundle.text()), path)
        return replace(document, base=bundle.unpacked(document.root))


def _aaf(path: Path) -> Document:
    """Read through OTIO's adapter, then go on as with OTIO's own JSON."""
    if path.stat().st_size == 0:
        raise TimelineError(f"{path} is empty; export the timeline again.")
    otio = library("AAF", "AAF", "otio-aaf-adapter")
    with path.open("rb") as file:
        compound = file.read(len(_COMPOUND_FILE)) == _COMPOUND_FILE
    if not compound:
        raise TimelineError(f"{path} cannot be read as AAF: it is a file of another kind.")
    try:
        with quiet():
            text = otio.adapters.read_from_file(str(path), adapter_name="AAF").to_json_string()
    except Exception as error:
        raise TimelineError(f"{path} cannot be read as AAF: {one_line(error)}.") from error
    return _parse(path, text, path.absolute().parent)


def _fcpxml(path: Path) -> Document:
    """A document of Final Cut Pro's, or the bundle that holds one; media addresses count from the document."""
    return Document(path, fcpxml.read(path), path if path.is_dir() else path.absolute().parent)


def _edl(path: Path, rate: Fraction | None) -> Document:
    text, encoding = decoded(document_bytes(path))
    if not text.strip():
        raise TimelineError(f"{path} is empty; export the timeline again.")
    root, notes = read_edl(text, rate, str(path))
    if encoding:
        notes = (f"The EDL is no Unicode; its names are read as {encoding}.", *notes)
    return Document(path, root, path.absolute().parent, notes=notes)


def _fcp7(path: Path) -> Document:
    data = document_bytes(path)
    if not data.strip():
        raise TimelineError(f"{path} is empty; export the timeline again.")
    try:
        root, notes = read_fcp7(xml_root(data), str(path))
    except ElementTree.ParseError as error:
        raise TimelineError(f"{path} cannot be read as FCP7 XML: {one_line(error)}.") from error
    premiere_names(root)
    return Document(path, root, path.absolute().parent, notes=notes)


def library(adapter: str, title: str, package: str) -> Any:
    """The OTIO library, once it is known to have `adapter`; TimelineError with what to install otherwise."""
    import opentimelineio as otio

    names = otio.adapters.available_adapter_names()
    if adapter not in names:
        raise TimelineError(
            f"{title} files need the package {package}; install it with `{line_for('hosts')}`."
        )
    return otio


def one_line(error: Exception) -> str:
    """An adapter's complaint cut down to what fits into a sentence."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:160].rstrip(".")


def _media(path: Path, cuts: tuple[Fraction, ...]) -> Document:
    try:
        info = probe(path)
    except MediaError as error:
        raise TimelineError(f"{path} is neither a timeline nor a readable media file.") from error
    return Document(path, media_timeline(path, info, cuts), path.absolute().parent, is_media=True)


def _clip(path: Path, source: Node, available: Node, metadata: Node) -> Node:
    reference = build.external(path.absolute().as_uri(), path.name, available)
    return build.clip(path.name, source, reference, metadata)


def media_timeline(path: Path, info: MediaInfo, cuts: tuple[Fraction, ...]) -> Node:
    """A timeline of one media file: its picture cut at `cuts` (seconds), and a track for every sound in it."""
    tracks = []
    if info.video is not None and not info.video.still:
        rate = float(info.video.rate)
        frames = int(info.video.duration * info.video.rate + Fraction(1, 2))
        inner = sorted({int(t * info.video.rate + Fraction(1, 2)) for t in cuts})
        bounds = [0, *(f for f in inner if 0 < f < frames), frames]
        whole = build.time_range(0, frames, rate)
        shots = [
            _clip(
                path, build.time_range(a, b - a, rate), whole, {"sightmix_source": {"cut": True}} if a else {}
            )
            for a, b in itertools.pairwise(bounds)
        ]
        tracks.append(build.track("Video 1", "Video", shots))
    for number, played in enumerate(_sounds(info), start=1):
        tracks.append(build.track(f"Audio {number}", "Audio", [_sound_clip(path, info, played)]))
    if not tracks:
        raise TimelineError(f"{path} holds neither moving pictures nor sound.")
    start = _media_start(info)
    return build.timeline(path.stem, tracks, start)


def _media_start(info: MediaInfo) -> Node | None:
    if info.timecode is None or info.video is None:
        return None
    return build.time(float(info.timecode * info.video.rate), float(info.video.rate))


def _sounds(info: MediaInfo) -> list[list[Channel]]:
    """The channels of every sound in a file: a stream each, as hosts lay them on tracks.

    Streams of one channel that are each for a speaker of their own, left and right among them, are one sound, in WAV
    order. Mono streams that do not say so may be anything (microphones, languages, 5.1), and stay apart.
    """
    streams = [stream for stream in info.audio if stream.channels and stream.sample_rate]
    speakers = [stream.layout.speakers[0] for stream in streams if stream.channels == 1]
    alike = len({(stream.sample_rate, stream.samples) for stream in streams}) == 1
    if alike and {"FL", "FR"} <= set(speakers) and len(set(speakers)) == len(streams):
        order = Layout(tuple(speakers)).wav_order
        return [[Channel(streams[place].index, 0) for place in order]]
    return [[Channel(stream.index, channel) for channel in range(stream.channels)] for stream in streams]


def _sound_clip(path: Path, info: MediaInfo, played: list[Channel]) -> Node:
    stream = info.audio[played[0].stream]
    samples = stream.samples
    if samples is None:
        samples = int(stream.duration * stream.sample_rate + Fraction(1, 2))
    whole = build.time_range(0, samples, stream.sample_rate)
    listed = [[channel.stream, channel.channel] for channel in played]
    several = {"sightmix_source": {"channels": listed}} if len(info.audio) > 1 else {}
    return _clip(path, whole, whole, several)


def timelines(root: Node) -> list[tuple[str, Pointer]]:
    """The timelines in a document with their names: the root itself, or those inside a collection."""
    if schema(root) == "Timeline":
        return [(name_of(root), ())]
    if schema(root) != "SerializableCollection":
        return []
    found: list[tuple[str, Pointer]] = []
    for i, child in children(root):
        found += [(name, ("children", i, *rest)) for name, rest in timelines(child)]
    return found


def as_timeline(document: Document) -> Document:
    """A document whose root is a lone stack or track, wrapped so that it is a timeline."""
    root = document.root
    kind = schema(root)
    if kind in ("Track", "Sequence"):
        root = {
            "OTIO_SCHEMA": "Stack.1",
            "metadata": {},
            "name": "tracks",
            "source_range": None,
            "children": [root],
        }
    elif kind != "Stack":
        return document
    name = name_of(document.root) or document.path.stem
    wrapped = {
        "OTIO_SCHEMA": "Timeline.1",
        "metadata": {},
        "name": name,
        "global_start_time": None,
        "tracks": root,
    }
    return replace(document, root=wrapped)


def choose(document: Document, wanted: str | int | None) -> Pointer:
    """Where the wanted timeline lies (a name, or a number from 1; the first if None); TimelineError if
    absent.
    """
    found = timelines(document.root)
    if not found:
        kind = schema(document.root)
        raise TimelineError(f"{document.path} holds a {kind}, not a timeline; export the whole timeline.")
    if wanted is None:
        return found[0][1]
    for number, (name, pointer) in enumerate(found, start=1):
        if wanted in (name, number):
            return pointer
    listed = ", ".join(f"{number} “{name}”" for number, (name, _) in enumerate(found, start=1))
    raise TimelineError(f"{document.path} has no timeline {wanted!r}; it has {listed}.")


def clone(document: Document) -> Node:
    """A deep copy of the parsed document."""
    try:
        copy: Node = json.loads(json.dumps(document.root))
    except RecursionError as error:
        raise WriteError(f"{document.path} is nested too deeply to be written.") from error
    return copy
