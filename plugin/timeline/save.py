"""A composed document into a file of any kind: beside the target first, then in its place."""

from __future__ import annotations

import json
from pathlib import Path

from ...engine.edit.lanes import played
from ...engine.edit.nodes import Node, follow, references
from ...engine.edit.reader import read_edit
from ...engine.errors import WriteError
from ...engine.files import replacing_path, write_text
from ...engine.legible import encodable
from .export import AdapterError, export
from .load import ADAPTERS, BUNDLES, Style
from .marks import walk
from .timeline import Timeline


def check_target(timeline: Timeline, out: Path) -> None:
    """Raise WriteError unless a result of this timeline can go to `out` without harm to anything else."""
    suffix = out.suffix.lower()
    if suffix == ".edl":
        raise WriteError(f"{out} cannot be written: an EDL carries no new audio tracks; write .otio or .xml.")
    if suffix not in (".otio", *BUNDLES, *ADAPTERS):
        raise WriteError(f"{out} cannot be written: name it .otio, .otioz, .otiod, .xml, .fcpxml or .aaf.")
    if not out.absolute().parent.is_dir():
        raise WriteError(f"{out} cannot be written: its folder does not exist.")
    if out.resolve() == timeline.path.resolve():
        raise WriteError(
            f"{out} is the timeline that was read; choose another name, it is never overwritten."
        )
    if suffix != ".otiod" and out.is_dir():
        raise WriteError(f"{out} cannot be written: it is a folder.")


def save(root: Node, timeline: Timeline, out: Path, own: bool) -> tuple[str, ...]:
    """Write the document, in the format that the suffix names, whole; curves and mutes need our `own` writers."""
    suffix = out.suffix.lower()
    try:
        text = to_text(root, timeline.document.style)
    except RecursionError as error:
        raise WriteError(f"{out} cannot be written: the timeline is nested too deeply.") from error
    if out.is_dir() and not (out / "content.otio").is_file():
        raise WriteError(f"{out} cannot be written: a folder of that name holds something else.")
    if suffix == ".otio":
        write_text(out, text)
        return ()
    with replacing_path(out) as partial:
        if own and suffix not in BUNDLES:
            return _export_curves(follow(root, timeline.pointer), partial, timeline.document.base)
        try:
            export(text, partial, out, timeline.rate)
        except AdapterError:
            # It cannot write media of unknown length, which our own writer can.
            if suffix != ".xml":
                raise
            return _export_curves(follow(root, timeline.pointer), partial, timeline.document.base)
    return ()


def save_plain(root: Node, timeline: Timeline, out: Path) -> tuple[str, ...]:
    """Write the document as plain OTIO, whole; returns what that does not carry, a sentence each."""
    from ...exporters import formats

    edit = played(read_edit(follow(root, timeline.pointer), timeline.library))
    return formats.export(edit, out, "otio-plain")


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


def _export_curves(node: Node, partial: Path, base: Path) -> tuple[str, ...]:
    """Write a timeline with gain curves through our own exporters; returns what the format cannot carry."""
    from ...exporters import formats

    return formats.export(node, partial, base=base)
