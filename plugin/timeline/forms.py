"""What kind of file a path leads to, by what is in it: the forms that can be read, and those that are only known.

Programs and people name files as they like, so the ending decides only where the content says nothing. Every form
that is known and not read has a sentence with the way out: what to export instead, and where.
"""

from __future__ import annotations

import gzip
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePath

from ...engine.errors import TimelineError
from .texts import decoded

HEAD = 1 << 16  # bytes that are looked at
_BY_ENDING = {
    ".otio": "otio",
    ".json": "otio",
    ".otioz": "otioz",
    ".xml": "fcp7",
    ".xmeml": "fcp7",
    ".fcpxml": "fcpxml",
    ".aaf": "aaf",
    ".edl": "edl",
}
_BUNDLES = (".otiod", ".fcpxmld")
_COMPOUND_FILE = bytes.fromhex("d0cf11e0a1b11ae1")
_WAVE64 = b"riff\x2e\x91\xcf\x11"  # Sony's: its Wave64 sound and its Vegas projects


@dataclass(frozen=True)
class Known:
    """A form that cannot be read: what it is, with its article, and what to do instead."""

    what: str
    way: str


_RESOLVE = "export the timeline from Resolve (File > Export > Timeline) as OTIO"
_VEGAS = "export it from Vegas (File > Export) as Final Cut Pro 7/DaVinci Resolve XML"
_SHOTCUT = "export it from Shotcut (File > Export > EDL), or name the media files"
_AUDITION = "export it from Audition (File > Export > FCP XML Interchange Format)"
_OPENSHOT = "export it from OpenShot (File > Export Project > Final Cut Pro XML)"
_CONVERT = "export the timeline as OTIO, FCP 7 XML, FCPXML, AAF or CMX 3600 EDL"
_CUTS = "name the media file itself, with --detect-cuts for its cuts"
_MIXES = "export its mix or stems as sound files"
_OTHER = "name a timeline or a media file"
_FETCH = "fetch the timeline again, for a failed download leaves such a page"
_PREMIERE = Known(
    "a Premiere Pro project", "export the sequence from Premiere (File > Export > Final Cut Pro XML)"
)
_ARCHIVE = Known("a ZIP archive without an OTIO timeline in it", "unpack it, and name the timeline inside")
_SUBTITLES = Known("a file of subtitles", _OTHER)

# Elements at the root of XML files.
_ROOTS: dict[str, str | Known] = {
    "xmeml": "fcp7",
    "fcpxml": "fcpxml",
    "PremiereData": _PREMIERE,
    "sesx": Known("an Audition session", _AUDITION),
    "Session": Known("an Ardour session", _CONVERT),
    "Ableton": Known("an Ableton Live set", _MIXES),
    "olive": Known("an Olive project", "export it from Olive as OpenTimelineIO"),
    "BiffHeader": Known("a HitFilm project", _CONVERT),
    "NonRealTimeMeta": Known("a camera's note about a clip", "name the clip itself"),
    "smil": Known("a SMIL presentation", _CONVERT),
    "svg": Known("a picture (SVG)", _OTHER),
    "html": Known("a web page", _FETCH),
    "plist": Known("a property list of Apple's", _CONVERT),
    "CompositionPlaylist": Known("a composition playlist of an IMF or DCP package", _CONVERT),
}
# Text by what stands in its first lines; the first that fits.
_LINES: tuple[tuple[str, Known], ...] = (
    (
        r"\A\s*\d+(?:\.\d+)?[ \t]+\d+(?:\.\d+)?[ \t]+[0-3][ \t]*(?:\n|\Z)",
        Known("an MPlayer EDL (a list of seconds to skip)", _CUTS),
    ),
    (r"\A# mpv EDL v0", Known("an EDL of the player mpv", _CUTS)),
    (r"\bcutSegments\b", Known("a LosslessCut project", _CUTS)),
    (r"\ASamplitude EDL", Known("an EDL of Samplitude or Sequoia", "export the project as AAF")),
    (r"\A\"?ID\"?;\s*\"?Track\"?;\s*\"?StartTime", Known("an EDL text of Vegas", _VEGAS)),
    (r"\ASESSION NAME:\t", Known("a description of a Pro Tools session", "export the session as AAF")),
    (
        r"\AHeading\s*\n\s*FIELD_DELIM",
        Known("an Avid Log Exchange file (ALE), a list of shots", "export the sequence as AAF or EDL"),
    ),
    (r"\A<REAPER_PROJECT", Known("a Reaper project", _MIXES)),
    (r"\A\s*(?:\d+\s*\n)?\s*\d\d:\d\d:\d\d[,.]\d{3}\s*-->", _SUBTITLES),
    (r"\AWEBVTT", _SUBTITLES),
    (r"\A\[Script Info\]", _SUBTITLES),
    (r"\A(?:#EXTM3U|\[playlist\])", Known("a playlist", "name a media file in it")),
    (r"\A\s*<!DOCTYPE html", Known("a web page", _FETCH)),
    (
        r"\Aversion https://git-lfs",
        Known("a pointer of Git LFS, not the file itself", "fetch the file with git lfs pull"),
    ),
    (
        r"\A[^\n]{0,400}[;,\t][^\n]{0,400}(?:Source In|Record In|Start TC|Record Start|Reel Name)",
        Known("a table (CSV) of an edit", _CONVERT),
    ),
)
# JSON by names that stand in it.
_OBJECTS: tuple[tuple[str, Known], ...] = (
    (r'"libopenshot(?:-qt)?"', Known("an OpenShot project", _OPENSHOT)),
    (r'"canvas_config"|"draft_id"', Known("a CapCut or Jianying project", _CONVERT)),
    (
        r'"timebase"[\s\S]*"(?:v|a|chunks)"\s*:',
        Known("a timeline of auto-editor", "let auto-editor export it for Resolve or Premiere"),
    ),
    (r'"codec_type"', Known("ffprobe's description of a media file", "name the media file itself")),
    (r'"segments"[\s\S]*"text"', Known("a transcript", _OTHER)),
)
_BINARY: tuple[tuple[bytes, Known], ...] = (
    (b"SQLite format 3\0", Known("a database (as of Resolve, Audacity or HitFilm)", _CONVERT)),
    (b"\x030010111100101011", Known("a Pro Tools session", "export its tracks as AAF")),
    (b"\x06\x00Domain", Known("an Avid bin", "export the sequence from Media Composer as AAF")),
    (b"\x0a\x00Domain", Known("an Avid bin", "export the sequence from Media Composer as AAF")),
    (b"bplist00", Known("a property list of Apple's", _CONVERT)),
    (b"BLENDER", Known("a Blender project", "render its sequence, or export it with an add-on as EDL")),
    (b"RIFX", Known("an After Effects project", _CONVERT)),
    (b"7z\xbc\xaf\x27\x1c", Known("a packed archive", "unpack it first")),
    (b"Rar!", Known("a packed archive", "unpack it first")),
    (b"%PDF-", Known("a PDF document", _CONVERT)),
)  # fmt: skip
_FOLDERS = {
    ".fcpbundle": Known(
        "a Final Cut Pro library", "export the project from Final Cut Pro (File > Export XML)"
    ),
    ".imoviemobile": Known("an iMovie project", "share it from iMovie as Final Cut Pro XML"),
    ".imovielibrary": Known("an iMovie library", "share the project from iMovie as Final Cut Pro XML"),
    ".logicx": Known("a Logic Pro project", "export it from Logic as AAF or FCPXML"),
    ".band": Known("a GarageBand project", "export its mix as a sound file"),
    ".dra": Known("a Resolve project archive", _RESOLVE),
}
_EVENT = re.compile(
    r"^[ \t]*[0-9A-Z]{1,8}[ \t]+\S.*?(?:[ \t]+\d{1,2}[:;.,]\d\d[:;.,]\d\d[:;.,]\d{2,3}){4}", re.MULTILINE
)
_EDL_HEAD = re.compile(r"\A\s*TITLE:|^FCM:", re.MULTILINE)
_ROOT = re.compile(
    r"\A\s*(?:<\?[\s\S]*?\?>\s*|<!--[\s\S]*?-->\s*|<!DOCTYPE[^>[]*(?:\[[\s\S]*?\]\s*)?>\s*)*<([A-Za-z_][\w.:-]*)[\s/>]"
)


def recognise(path: Path) -> str:
    """How a file is to be read: otio, otioz, fcp7, fcpxml, aaf, edl, or media.

    Raises TimelineError with what a file is and what to do instead where it is of a known form that is not read.
    """
    by_ending = _BY_ENDING.get(path.suffix.lower(), "")
    try:
        with path.open("rb") as file:
            data = file.read(HEAD)
    except OSError as error:
        raise TimelineError(f"{path} cannot be read: {error.strerror or error}.") from error
    found = _packed(path, data) or _binary(data, by_ending) or _text(data)
    if isinstance(found, Known) and by_ending == "otio" and len(data) == HEAD and data.lstrip()[:1] == b"{":
        return by_ending  # hosts' own metadata may come before what shows a timeline
    if isinstance(found, Known):
        raise TimelineError(f"{path} is {found.what}; {found.way}.")
    return found or by_ending or "media"


def has_timeline_ending(name: str) -> bool:
    """Whether a name ends as those of timelines do that can be read."""
    return PurePath(name).suffix.lower() in (*_BY_ENDING, *_BUNDLES)


def refuse_folder(path: Path) -> TimelineError:
    """What to say of a folder that is no bundle of a timeline."""
    known = _FOLDERS.get(path.suffix.lower())
    if known is not None:
        return TimelineError(f"{path} is {known.what}; {known.way}.")
    return TimelineError(f"{path} is a folder; name a timeline or media file inside it.")


def _packed(path: Path, data: bytes) -> str | Known | None:
    """What lies in a ZIP or gzip file."""
    if data.startswith(b"\x1f\x8b"):
        return _gzipped(data)
    if not data.startswith(b"PK\x03\x04"):
        return None
    try:
        with zipfile.ZipFile(path) as bundle:
            names = bundle.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return None
    return _archive(names) or (None if path.suffix.lower() == ".otioz" else _ARCHIVE)


def _archive(names: list[str]) -> str | Known | None:
    if "content.otio" in names:
        return "otioz"
    if any(name.endswith("project.xml") or "SeqContainer" in name for name in names):
        return Known("a project or timeline of Resolve's own (.drp, .drt)", _RESOLVE)
    if any(name.startswith(("word/", "xl/", "ppt/")) for name in names):
        return Known("an office document", _CONVERT)
    return None


def _gzipped(data: bytes) -> str | Known:
    try:
        inner = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, HEAD)
    except (zlib.error, gzip.BadGzipFile):
        inner = b""
    found = _text(inner)
    return found if isinstance(found, Known) else Known("packed with gzip", "unpack it first")


def _binary(data: bytes, by_ending: str) -> str | Known | None:
    if data.startswith(_COMPOUND_FILE):
        return by_ending if by_ending not in ("", "aaf") else "aaf"
    if data.startswith(_WAVE64) and data[24:28] != b"wave":
        return Known("a Vegas project", _VEGAS)
    return next((known for sign, known in _BINARY if data.startswith(sign)), None)


def _text(data: bytes) -> str | Known | None:
    """What a text is; None for text that nothing is known of, and for what is no text."""
    text = decoded(data)[0].lstrip("\ufeff")
    if not text.strip() or "\0" in text:
        return None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    first = text.lstrip()[:1]
    if first == "<" and (found := _xml(text)) is not None:
        return found
    if first and first in "{[" and '"OTIO_SCHEMA"' in text:
        return "otio"
    signs = (*_LINES, *_OBJECTS) if first in "{[" else _LINES
    known = next((known for sign, known in signs if re.search(sign, text, re.IGNORECASE)), None)
    return known or ("edl" if _EVENT.search(text) or _EDL_HEAD.search(text) else None)


def _xml(text: str) -> str | Known | None:
    root = _ROOT.match(text)
    if root is None:
        return None
    name = root.group(1)
    if name == "mlt":
        return _mlt(text)
    if name.upper() == "REAPER_PROJECT":
        return None
    found = _ROOTS.get(name) or _ROOTS.get(name.lower())
    return (
        found
        if found is not None
        else Known(f"XML of an unknown kind (its root element is <{name[:60]}>)", _CONVERT)
    )


def _mlt(text: str) -> Known:
    if "kdenlive:" in text:
        return Known("a Kdenlive project", "export it from Kdenlive as OpenTimelineIO")
    if "shotcut" in text.lower():
        return Known("a Shotcut project (MLT XML)", _SHOTCUT)
    return Known("an MLT XML", "render it with melt, or export the timeline as OTIO or EDL from what made it")
