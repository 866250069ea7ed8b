"""Formats beside OTIO's own, written through the library and its adapters."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

from ...engine.edit.nodes import Node, name_of, rate_of, references, schema, seconds, span
from ...engine.errors import TimelineError
from .load import ADAPTERS, BUNDLES, library, one_line
from .marks import walk
from .quiet import quiet

_HIGHEST_FRAME_RATE = 240


class AdapterError(TimelineError):
    """OTIO's adapter for a format refused a timeline."""


def export(text: str, partial: Path, out: Path, rate: Fraction) -> None:
    """Write an OTIO document to `partial` in the format that the suffix of `out` names, through the OTIO library.

    `rate` is the timeline's frame rate: FCP7 XML and AAF count in nothing else. Raises TimelineError with one
    sentence where the adapter is missing or refuses, or where a sound begins between two frames.
    """
    suffix = out.suffix.lower()
    adapter, title, package = ADAPTERS.get(suffix, (suffix[1:], suffix[1:].upper(), "opentimelineio"))
    otio = library(adapter, title, package)
    from opentimelineio.adapters.file_bundle_utils import MediaReferencePolicy

    from ...exporters.formats import lowered

    options: dict[str, object] = {}
    if suffix in BUNDLES:
        options["media_policy"] = MediaReferencePolicy.MissingIfNotFile
    if suffix == ".aaf":
        options["use_empty_mob_ids"] = True
    root = lowered(json.loads(text))
    if suffix in (".xml", ".aaf"):
        _on_frames(root, rate, out, title)
    if suffix == ".xml":
        _say_muted(root)
    try:
        with quiet():
            document = otio.adapters.read_from_string(json.dumps(root), "otio_json")
            _with_urls(document)
            otio.adapters.write_to_file(document, str(partial), adapter_name=adapter, **options)
    except Exception as error:
        raise AdapterError(f"{out} cannot be written as {title}: {one_line(error)}; write .otio.") from error


def _say_muted(root: Node) -> None:
    """Put into the metadata what is muted: the FCP 7 adapter writes nothing else of it."""
    for node in walk(root):
        if schema(node) in ("Track", "Clip", "Stack") and node.get("enabled", True) is False:
            node.setdefault("metadata", {}).setdefault("fcp_xml", {})["enabled"] = "FALSE"


def _on_frames(root: Node, rate: Fraction, out: Path, title: str) -> None:
    """Turn ranges that count in samples into whole frames; the end of a media file may be cut to a frame."""
    for node in walk(root):
        _reframe(node.get("source_range"), rate, f"{out} cannot be written as {title}: “{name_of(node)}”")
        for _, reference in references(node):
            available = reference.get("available_range")
            given = span(available)
            if not isinstance(available, dict) or given is None:
                continue
            own = rate_of(available["duration"])
            if own is not None and own > _HIGHEST_FRAME_RATE:
                available["duration"]["value"] = float(int(given.duration * rate))
                available["duration"]["rate"] = float(rate)
                who = f"{out} cannot be written as {title}: the media of “{name_of(node)}”"
                _reframe(available, rate, who)


def _reframe(time_range: object, rate: Fraction, who: str) -> None:
    for time in time_range.values() if isinstance(time_range, dict) else ():
        length, own = seconds(time), rate_of(time)
        if length is None or own is None or own <= _HIGHEST_FRAME_RATE:
            continue
        if (length * rate).denominator != 1:
            raise TimelineError(f"{who} begins or ends between two frames; write .otio.")
        time.update({"value": float(length * rate), "rate": float(rate)})


def _with_urls(document: object) -> None:
    """Bare paths as file URIs, which is what adapters and bundles understand."""
    for clip in document.find_clips():  # type: ignore[attr-defined]
        for reference in clip.media_references().values():
            url = getattr(reference, "target_url", None)
            if url and not url.lower().startswith("file:") and Path(url).is_file():
                reference.target_url = Path(url).absolute().as_uri()
