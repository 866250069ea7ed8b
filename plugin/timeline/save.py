"""A composed document into a file of any kind: beside the target first, then in its place."""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
from pathlib import Path

from ...engine.edit.nodes import Node, follow
from ...engine.errors import WriteError
from .export import export
from .load import ADAPTERS, BUNDLES, Style
from .timeline import Timeline

_log = logging.getLogger(__name__)


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


def save(root: Node, timeline: Timeline, out: Path, keyframed: bool) -> None:
    """Write under a temporary name beside the target, then rename; curves need our own writers."""
    suffix = out.suffix.lower()
    try:
        text = to_text(root, timeline.document.style)
        folder = Path(tempfile.mkdtemp(prefix=f".{out.stem[:40]}-", dir=out.absolute().parent))
    except OSError as error:
        raise WriteError(f"{out} cannot be written: {error.strerror or error}.") from error
    except RecursionError as error:
        raise WriteError(f"{out} cannot be written: the timeline is nested too deeply.") from error
    try:
        partial = folder / f"partial{suffix}"
        if suffix == ".otio":
            partial.write_text(text, encoding="utf-8", newline="\n")
        elif keyframed and suffix not in BUNDLES:
            _export_curves(follow(root, timeline.pointer), partial, timeline.document.base)
        else:
            export(text, partial, out, timeline.rate)
        _replace(partial, out)
    except OSError as error:
        raise WriteError(f"{out} cannot be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def to_text(root: Node, style: Style) -> str:
    """The document as JSON, laid out as it was."""
    text = json.dumps(root, indent=style.indent, ensure_ascii=style.ascii)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(root, indent=style.indent)
    return text + style.ending


def _export_curves(node: Node, partial: Path, base: Path) -> None:
    """Write a timeline with gain curves through our own exporters; what a format cannot carry is logged."""
    from ...exporters import formats

    for loss in formats.export(formats.timeline_of(node), partial, base=base):
        _log.info("%s", loss)


def _replace(partial: Path, out: Path) -> None:
    """Put the finished file (or bundle folder) in its place."""
    if out.is_dir():
        if not (out / "content.otio").is_file():
            raise WriteError(f"{out} cannot be written: a folder of that name holds something else.")
        os.replace(out, partial.parent / "replaced")  # noqa: PTH105
    os.replace(partial, out)  # noqa: PTH105
