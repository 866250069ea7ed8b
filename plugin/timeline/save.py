"""A composed document into a file of any kind: beside the target first, then in its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ...engine.edit.lanes import played
from ...engine.edit.nodes import Node, follow, references
from ...engine.edit.reader import read_edit
from ...engine.errors import WriteError
from ...engine.files import replacing_path, write_text
from ...engine.legible import encodable
from .load import BUNDLES, Style
from .marks import walk
from .pack import PLAYLIST, bundled, write_bundle
from .timeline import Timeline

if TYPE_CHECKING:
    from ...exporters.formats import Format


_OTIO = ".otio"
# Projects that only their own programs write, and what those import instead.
_FOREIGN = {
    ".prproj": ("a Premiere project", ".xml"),
    ".drp": ("a Resolve project", ".otio"),
    ".drt": ("a Resolve timeline", ".otio"),
    ".fcpbundle": ("a Final Cut library", ".fcpxml"),
    ".fcpxmld": ("a Final Cut bundle", ".fcpxml"),
    ".fcp": ("a Final Cut Pro 7 project", ".xml"),
    ".imovielibrary": ("an iMovie library", ".fcpxml"),
    ".avb": ("a Media Composer bin", ".aaf"),
    ".avp": ("a Media Composer project", ".aaf"),
    ".ptx": ("a Pro Tools session", ".aaf"),
    ".ptf": ("a Pro Tools session", ".aaf"),
    ".omf": ("an OMF", ".aaf"),
    ".cpr": ("a Cubase project", ".aaf"),
    ".npr": ("a Nuendo project", ".aaf"),
    ".logicx": ("a Logic project", ".fcpxml"),
    ".ardour": ("an Ardour session", ".aaf"),
    ".veg": ("a Vegas project", ".xml"),
    ".aep": ("an After Effects project", ".xml"),
    ".hfp": ("a HitFilm project", ".edl"),
    ".osp": ("an OpenShot project", ".xml"),
    ".blend": ("a Blender file", ".otio"),
    ".als": ("a Live set", ".aaf"),
    ".llc": ("a LosslessCut project", ".otio"),
}
_MEDIA = (
    ".wav", ".bwf", ".aif", ".aiff", ".flac", ".mp3", ".m4a", ".aac", ".ogg", ".opus", ".caf",
    ".mp4", ".mov", ".mkv", ".mxf", ".avi", ".webm", ".m4v", ".mts", ".m2ts", ".ts",
)  # fmt: skip


def suffixes() -> tuple[str, ...]:
    """What a result may end on: OTIO's own, and every format we write."""
    from ...exporters.formats import FORMATS

    return tuple(dict.fromkeys([_OTIO, *BUNDLES, *(form.suffix for form in FORMATS)]))


def check_kind(out: Path) -> None:
    """Raise WriteError where a file's name asks for something that nobody writes here, with what to name instead."""
    suffix = out.suffix.lower()
    if suffix in suffixes():
        return
    if suffix in _MEDIA:
        raise WriteError(
            f"{out} cannot be written: a result is a timeline; name it .otio, and bounce that with "
            "sightmix export --to stems."
        )
    if suffix in _FOREIGN:
        what, instead = _FOREIGN[suffix]
        raise WriteError(
            f"{out} cannot be written: only its own program writes {what}; name it {instead}, which that imports."
        )


def check_target(timeline: Timeline, out: Path) -> None:
    """Raise WriteError unless a result of this timeline can go to `out` without harm to anything else."""
    suffix = out.suffix.lower()
    check_kind(out)
    if suffix not in suffixes():
        *some, last = suffixes()
        raise WriteError(f"{out} cannot be written: name it {', '.join(some)} or {last}.")
    if not out.absolute().parent.is_dir():
        raise WriteError(f"{out} cannot be written: its folder does not exist.")
    if out.resolve() == timeline.path.resolve():
        raise WriteError(
            f"{out} is the timeline that was read; choose another name, it is never overwritten."
        )
    if suffix != ".otiod" and out.is_dir():
        raise WriteError(f"{out} cannot be written: it is a folder.")
    if out.is_dir() and not (out / PLAYLIST).is_file():
        raise WriteError(f"{out} cannot be written: a folder of that name holds something else.")
    check_carried(timeline, out)


def check_carried(timeline: Timeline, out: Path) -> None:
    """Raise WriteError where the format of `out` has no way to hold this timeline, whatever the result is."""
    form = _form(out)
    if form is not None:
        form.check(timeline.edit)


def save(root: Node, timeline: Timeline, out: Path) -> tuple[str, ...]:
    """Write the document whole, in the format that the suffix names; what that does not carry, a sentence each."""
    form = _form(out)
    if form is not None:
        return exported(root, timeline, out)
    try:
        media = bundled(root, timeline.document.base) if out.suffix.lower() in BUNDLES else {}
        text = to_text(root, timeline.document.style)
    except RecursionError as error:
        raise WriteError(f"{out} cannot be written: the timeline is nested too deeply.") from error
    if out.suffix.lower() not in BUNDLES:
        write_text(out, text)
        return ()
    with replacing_path(out) as partial:
        write_bundle(text, media, partial, out.suffix.lower() == ".otiod")
    return ()


def exported(root: Node, timeline: Timeline, out: Path, format: str | None = None) -> tuple[str, ...]:
    """Write a document as `sightmix export` writes it; returns what the format does not carry, a sentence each.

    `format` is a key of `exporters.formats`; None takes the suffix of `out`.
    """
    from ...exporters.formats import export

    edit = played(read_edit(follow(root, timeline.pointer), timeline.library))
    return export(edit, out, format)


def _form(out: Path) -> Format | None:
    """Who writes `out`, where it is no document of OTIO's."""
    from ...exporters import formats

    return None if out.suffix.lower() in (_OTIO, *BUNDLES) else formats.of_file(out)


def to_text(root: Node, style: Style) -> str:
    """The document as JSON, laid out as it was; names cut inside a character, which hosts refuse, get U+FFFD there."""
    text = json.dumps(root, indent=style.indent, ensure_ascii=False)
    half = text != encodable(text)
    if half:
        _mend_names(root)
    if half or style.ascii:
        text = json.dumps(root, indent=style.indent)
    return text + style.ending


def _mend_names(root: Node) -> None:
    for node in walk(root):
        listed = node.get("markers")
        markers = (
            [marker for marker in listed if isinstance(marker, dict)] if isinstance(listed, list) else []
        )
        for item in (node, *markers, *(reference for _, reference in references(node))):
            for key in ("name", "comment"):
                if isinstance(item.get(key), str):
                    item[key] = encodable(item[key])
