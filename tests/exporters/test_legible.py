"""Names with control characters, halves of characters and what is no character, in every format."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import format_report
import opentimelineio as otio
import pytest
from exporter_edits import sound
from sightmix.engine.edit.model import EditMedia
from sightmix.engine.legible import encodable, json_text, legible, legible_line, printable
from sightmix.exporters import common, formats

EVIL = [
    "a\x1b[2Jb", "\x00", "a\x07\x08b", "c\x9b31m", "\x7f", "half \ud83d", "\udc00 half", "\ufffe\uffff", "a\nb\r\nc\td",
    "\x1f\x1e", "]]><x>&\"'`", "\u2028x", "e\u0301 \U0001f469\u200d\U0001f680",
]  # fmt: skip
RAW = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")


def timeline(folder: Path, name: str, file: str = "tone.wav") -> dict[str, Any]:
    """A document with `name` wherever a name or a note may stand."""
    media = sound(folder, file, Fraction(3))

    def time(value: float) -> dict[str, Any]:
        return {"OTIO_SCHEMA": "RationalTime.1", "rate": 25.0, "value": value}

    def span(start: float, length: float) -> dict[str, Any]:
        return {"OTIO_SCHEMA": "TimeRange.1", "start_time": time(start), "duration": time(length)}

    marker = {
        "OTIO_SCHEMA": "Marker.2",
        "name": name,
        "comment": name,
        "color": "RED",
        "marked_range": span(5, 1),
    }
    reference = {
        "OTIO_SCHEMA": "ExternalReference.1", "name": name, "target_url": media.path.as_uri() if media.path else "",
        "available_range": span(0, 75),
    }  # fmt: skip
    clip = {
        "OTIO_SCHEMA": "Clip.2", "name": name, "source_range": span(25, 25), "markers": [marker], "enabled": True,
        "metadata": {"note": name}, "media_references": {"DEFAULT_MEDIA": reference},
        "active_media_reference_key": "DEFAULT_MEDIA",
    }  # fmt: skip
    track = {"OTIO_SCHEMA": "Track.1", "name": name, "kind": "Audio", "enabled": True, "children": [clip]}
    stack = {"OTIO_SCHEMA": "Stack.1", "name": "tracks", "children": [track], "markers": [marker]}
    return {
        "OTIO_SCHEMA": "Timeline.1",
        "name": name,
        "metadata": {},
        "global_start_time": time(0),
        "tracks": stack,
    }


@pytest.mark.parametrize("form", formats.FORMATS, ids=lambda form: form.key)
def test_whatever_names_hold_the_file_is_read_back(tmp_path: Path, form: formats.Format) -> None:
    for number, name in enumerate(EVIL):
        out = tmp_path / f"{number}{form.suffix}"
        formats.export(timeline(tmp_path, name), out, form.key)
        edit = formats.edit_of(timeline(tmp_path, name))
        found = list(format_report.READERS[form.key](out, edit))
        assert {(one.start, one.duration) for one in found} == {(0, 1)}, name
        if form.key == "aaf":
            continue
        text = out.read_bytes().decode()
        assert not RAW.search(text.replace("\r\n", "\n")), name
        if form.suffix in (".xml", ".fcpxml", ".mlt", ".kdenlive"):
            assert ET.fromstring(text) is not None
        if form.key == "edl":
            assert len([line for line in text.splitlines() if re.match(r"\d{3} ", line)]) == 1


@pytest.mark.parametrize("form", formats.FORMATS, ids=lambda form: form.key)
def test_whatever_files_are_called(tmp_path: Path, form: formats.Format) -> None:
    out = tmp_path / f"out{form.suffix}"
    lost = formats.export(timeline(tmp_path, "name", "t\x1b[2Jo\nne.wav"), out, form.key)
    assert any("control characters in their names" in loss for loss in lost) == (
        form.key in ("rpp", "mlt", "kdenlive-project")
    )
    if form.key != "aaf":
        text = out.read_text(encoding="utf-8")
        assert not RAW.search(text)
        assert ("t%1B%5B2Jo%0Ane.wav" in text) == (form.key in ("fcp7", "fcpxml", "kdenlive", "otio-plain"))


def test_otio_itself_reads_what_was_written_of_half_a_character(tmp_path: Path) -> None:
    formats.export(timeline(tmp_path, "half \ud83d"), tmp_path / "out.otio", "kdenlive")
    found = otio.adapters.read_from_file(str(tmp_path / "out.otio"))
    assert next(iter(found.find_clips())).name == "half \ufffd"


def test_addresses_stay_addresses() -> None:
    raw = EditMedia("a", "file:///m/a b%20c\x1b\u00e9.wav#1?x", None)
    assert common.address(raw) == "file:///m/a%20b%20c%1B%C3%A9.wav#1?x"


@pytest.mark.parametrize("name", EVIL)
def test_the_one_home_of_the_cleaning(name: str) -> None:
    for text in (legible(name), legible_line(name), printable(name)):
        assert not RAW.search(text)
        assert legible(text) == text
    assert legible(name).replace("\n", "").isprintable() or set(name) & set("\t\r\u2028\u200d")
    assert len(legible_line(name).splitlines()) == 1
    assert encodable(name).encode()
    data = {name: name}
    assert json.loads(json_text(data)) == data
    assert not RAW.search(json_text(data))


def test_joined_letters_and_wide_blanks_stay_on_a_screen() -> None:
    assert (
        printable("\U0001f469\u200d\U0001f680\u3000\u00a0e\u0301")
        == "\U0001f469\u200d\U0001f680\u3000\u00a0e\u0301"
    )
    assert printable("a\u202eb\u2066") == "a\ufffdb\ufffd"
