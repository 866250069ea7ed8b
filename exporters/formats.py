"""Every format we write: what it is called, who writes it, who reads it back, and how to export to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

import opentimelineio as otio

from ..engine.edit.model import Edit
from ..engine.edit.nodes import Node
from ..engine.errors import SettingsError, TimelineError
from ..engine.progress import Progress
from .flatten import edit_of

Write = Callable[..., tuple[str, ...]]


@dataclass(frozen=True)
class Format:
    """A file format: `key` names it on command lines, `module` writes it, `reader` is OTIO's adapter for it.

    `keyframes` says how gain curves arrive: "yes", "baked", "comments" or "no". `lacks` is what it never holds, a
    sentence each, whatever the timeline. One that `renders` sound takes a `progress` too.
    """

    key: str
    suffix: str
    title: str
    module: str
    hosts: str
    reader: str = ""
    keyframes: str = "yes"
    options: tuple[str, ...] = ()
    renders: bool = False
    lacks: tuple[str, ...] = ()

    @property
    def write(self) -> Write:
        """`write(edit, out, **options) -> losses` of the format's module."""
        found: Write = import_module(f".{self.module}", __package__).write
        return found

    def check(self, edit: Edit) -> None:
        """Raise WriteError where the format cannot be written here, or not hold such a timeline at all."""
        module = import_module(f".{self.module}", __package__)
        if hasattr(module, "check"):
            module.check(edit)


_GRID = "Clips off the frame grid are moved onto it, by up to half a frame."
_START = "The start timecode is not carried."
_FADER = "Gains above 12 dB are cut to it, where the fader ends."

FORMATS = (
    Format(
        "fcp7",
        ".xml",
        "Final Cut Pro 7 XML",
        "fcp7",
        "Premiere, Resolve, Final Cut Pro 7",
        "fcp_xml",
        lacks=("Cuts between frames are rounded.", _FADER),
    ),
    Format(
        "fcpxml",
        ".fcpxml",
        "FCPXML 1.10",
        "fcpxml",
        "Final Cut Pro, Resolve",
        "fcpx_xml",
        lacks=("Picture cuts between frames are rounded; sound keeps its exact times.", _FADER),
    ),
    Format(
        "aaf",
        ".aaf",
        "AAF",
        "aaf",
        "Pro Tools, Media Composer, Fairlight, Ardour",
        "AAF",
        options=("embed", "repeatable"),
        lacks=("Changed speeds are not carried: the clips play at their own.",),
    ),
    Format(
        "edl",
        ".edl",
        "CMX 3600 EDL",
        "edl",
        "nearly every editor",
        "cmx_3600",
        "comments",
        lacks=(
            "Only the lowest picture track and four channels of sound are written.",
            "Cuts between frames are rounded.",
            "Disabled tracks and fades are left out.",
        ),
    ),
    Format("rpp", ".rpp", "Reaper project", "rpp", "Reaper", lacks=("Picture dissolves become cuts.",)),
    Format(
        "mlt",
        ".mlt",
        "MLT XML",
        "mlt",
        "melt, Shotcut",
        lacks=("Disabled clips are left out.", "Picture dissolves become cuts.", _GRID, _START),
    ),
    Format(
        "kdenlive",
        ".otio",
        "OTIO for Kdenlive",
        "kdenlive",
        "Kdenlive 25.04 and later",
        "otio_json",
        "no",
        lacks=("Muted tracks and disabled clips are left out.", "Dissolves become cuts, fades are left out."),
    ),
    Format(
        "otio-plain",
        ".otio",
        "plain OTIO",
        "otio_plain",
        "GStreamer Editing Services, scripts, whatever places clips and knows no more",
        "otio_json",
        "baked",
        renders=True,
        lacks=(
            "Muted tracks and disabled clips are left out.",
            "Sound that is more than a stretch of a file is rendered into a folder beside it.",
        ),
    ),
    Format(
        "kdenlive-project",
        ".kdenlive",
        "Kdenlive project",
        "kdenlive_project",
        "Kdenlive, melt",
        lacks=("Disabled clips are left out.", "Picture dissolves become cuts.", _GRID, _START),
    ),
)
_BY_KEY = {form.key: form for form in FORMATS}


def find(key: str, out: Path | None = None) -> Format:
    """The format called `key`; of two for one program, that which the name of `out` asks for.

    Raises SettingsError with the nearest name for one we do not have.
    """
    if key == "kdenlive" and out is not None and out.suffix.lower() == ".kdenlive":
        return _BY_KEY["kdenlive-project"]
    if key in _BY_KEY:
        return _BY_KEY[key]
    near = get_close_matches(key.lower(), _BY_KEY, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(_BY_KEY)}."
    raise SettingsError(f"There is no export format {key!r}; {hint}")


def of_file(out: Path) -> Format:
    """The format a file's name asks for. Raises SettingsError where its suffix says nothing."""
    for form in FORMATS:
        if out.suffix.lower() == form.suffix:
            return form
    known = ", ".join(f"{form.suffix} ({form.key})" for form in FORMATS)
    raise SettingsError(f"{out.name} does not say its format; end it on one of {known} or name the format.")


def export(
    timeline: otio.schema.Timeline | Node | Edit,
    out: Path,
    format: str | None = None,
    base: Path | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> tuple[str, ...]:
    """Write a timeline to `out`; returns what got lost on the way, a sentence each.

    The timeline may be OTIO's, one of a parsed document, or an edit. `format` is a key of `FORMATS`, None takes the
    file's suffix; relative media addresses count from `base`; `options` are the format's own, `progress` observes those
    that render sound. Raises SettingsError (unknown format or option), TimelineError, MediaError, WriteError or
    Cancelled.
    """
    form = find(format, out) if format is not None else of_file(out)
    unknown = [name for name in options if name not in form.options]
    if unknown:
        known = f"it has {', '.join(form.options)}" if form.options else "it has none"
        raise SettingsError(f"{form.title} has no option {unknown[0]!r}; {known}.")
    edit = timeline if isinstance(timeline, Edit) else edit_of(timeline, base)
    if form.renders:
        options["progress"] = progress
    return form.write(edit, out, **options)


def as_timeline(found: object) -> otio.schema.Timeline:
    """The timeline that a reader returned: itself, or the only one of a collection. Raises TimelineError."""
    if isinstance(found, otio.schema.Timeline):
        return found
    if isinstance(found, otio.schema.SerializableCollection):
        inside = [child for child in found if isinstance(child, otio.schema.Timeline)]
        if len(inside) == 1:
            return inside[0]
        raise TimelineError(f"The file holds {len(inside)} timelines; export them one by one.")
    raise TimelineError(f"A {type(found).__name__} is no timeline; give a file with a timeline in it.")


def lowered(document: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a parsed OTIO document with schemas that this OTIO reads, whatever wrote it."""
    made: dict[str, Any] = _lowered(document, otio.core.type_version_map())
    return made


def _lowered(value: Any, known: Mapping[str, int], inside: str = "") -> Any:
    if isinstance(value, list | tuple):
        return [_lowered(child, known, inside) for child in value]
    if not isinstance(value, Mapping):
        return value
    made = {key: _lowered(child, known, key) for key, child in value.items()}
    name, _, version = str(value.get("OTIO_SCHEMA", "")).rpartition(".")
    if name and name not in known and inside == "effects":
        made = {"name": "", "metadata": {}, "effect_name": name, **made, "OTIO_SCHEMA": "Effect.1"}
    elif name in known and version.isdigit() and int(version) > known[name]:
        made["OTIO_SCHEMA"] = f"{name}.{known[name]}"
    if name == "Marker" and isinstance(
        made.get("color"), Mapping
    ):  # a name until OTIO 0.18, then four figures
        made["color"] = str(made["color"].get("name") or "RED").upper()
    return made
