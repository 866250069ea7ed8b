"""The table of formats, exporting by name and suffix, OTIO's adapters, and docs/formats.md."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import format_report
import opentimelineio as otio
import pytest
from exporter_edits import sample_edit, sound
from sightmix.engine.errors import SettingsError, TimelineError
from sightmix.exporters import formats


@pytest.fixture(scope="module")
def edits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, formats.Edit]:
    return format_report.samples(tmp_path_factory.mktemp("samples"))


def small_timeline(folder: Path) -> otio.schema.Timeline:
    """One second of a WAV file after a gap of one second, at 25 frames per second."""
    media = sound(folder, "tone.wav", Fraction(3))
    second = otio.opentime.TimeRange(otio.opentime.RationalTime(25, 25), otio.opentime.RationalTime(25, 25))
    reference = otio.schema.ExternalReference(media.url)
    track = otio.schema.Track("Tone", kind="Audio")
    track.append(otio.schema.Gap(duration=second.duration))
    track.append(otio.schema.Clip("tone", reference, second))
    timeline = otio.schema.Timeline("small")
    timeline.tracks.append(track)
    return timeline


def test_the_suffix_or_the_name_chooses_the_format() -> None:
    assert formats.of_file(Path("a/b.XML")).key == "fcp7"
    assert formats.of_file(Path("b.rpp")).key == "rpp"
    assert formats.find("aaf").suffix == ".aaf"
    with pytest.raises(SettingsError, match="did you mean 'fcpxml'"):
        formats.find("fcpxlm")
    with pytest.raises(SettingsError, match=r"\.fcpxml \(fcpxml\)"):
        formats.of_file(Path("film.mov"))


@pytest.mark.parametrize("form", formats.FORMATS, ids=lambda form: form.key)
def test_every_format_writes_a_timeline(tmp_path: Path, form: formats.Format) -> None:
    out = tmp_path / f"out{form.suffix}"
    formats.export(small_timeline(tmp_path), out, form.key)
    edit = formats.edit_of(small_timeline(tmp_path), tmp_path)
    found = list(format_report.READERS[form.key](out, edit))
    assert {(one.start, one.duration) for one in found} == {(1, 1)}
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([out.name, "tone.wav"])


@pytest.mark.parametrize("form", formats.FORMATS, ids=lambda form: form.key)
def test_names_that_were_cut_inside_a_character_are_written(tmp_path: Path, form: formats.Format) -> None:
    half = "take \ud83d"
    document = json.loads(small_timeline(tmp_path).to_json_string())
    track = document["tracks"]["children"][0]
    clip = track["children"][1]
    when = clip["source_range"]
    track["markers"] = [{"OTIO_SCHEMA": "Marker.2", "name": half, "comment": half, "marked_range": when}]
    clip["metadata"] = {"Resolve_OTIO": {"Note": half}}
    offline = copy.deepcopy(clip)
    offline["media_references"]["DEFAULT_MEDIA"]["target_url"] = f"/nowhere/{half}.wav"
    track["children"].append(offline)
    for node in (document, track, clip, offline):
        node["name"] = half
    out = tmp_path / f"out{form.suffix}"
    losses = formats.export(document, out, form.key)
    assert out.is_file()
    assert all(loss.encode() for loss in losses)


def test_an_option_the_format_does_not_have_is_refused(tmp_path: Path) -> None:
    edit = sample_edit(tmp_path)
    with pytest.raises(SettingsError, match="no option 'embed'; it has none"):
        formats.export(edit, tmp_path / "out.edl", embed=True)
    with pytest.raises(SettingsError, match="it has embed"):
        formats.export(edit, tmp_path / "out.aaf", embedded=True)
    assert formats.export(edit, tmp_path / "out.edl")
    assert (tmp_path / "out.edl").exists()


def test_documents_of_a_newer_otio_are_read() -> None:
    document = json.loads((format_report.DATA / "otio_core/premiere_example.otio").read_text())
    assert sum(len(track.clips) for track in formats.edit_of(document).tracks) == 13
    clip = {
        "OTIO_SCHEMA": "Clip.99",
        "name": "c",
        "effects": [{"OTIO_SCHEMA": "Sparkle.1", "name": "s"}],
        "source_range": None,
        "metadata": {},
        "media_references": {},
        "active_media_reference_key": "DEFAULT_MEDIA",
    }
    track = {"OTIO_SCHEMA": "Track.1", "name": "t", "kind": "Audio", "children": [clip]}
    tracks = {"OTIO_SCHEMA": "Stack.1", "name": "tracks", "children": [track]}
    newer = {"OTIO_SCHEMA": "Timeline.7", "name": "new", "tracks": tracks}
    assert formats.lowered(newer)["tracks"]["children"][0]["children"][0]["effects"][0] == {
        "OTIO_SCHEMA": "Effect.1",
        "name": "s",
        "metadata": {},
        "effect_name": "Sparkle",
    }
    assert formats.edit_of(newer).name == "new"


def test_what_is_no_timeline_is_refused() -> None:
    with pytest.raises(TimelineError, match="Gap is no timeline"):
        formats.as_timeline(otio.schema.Gap())
    two = otio.schema.SerializableCollection(children=[otio.schema.Timeline("a"), otio.schema.Timeline("b")])
    with pytest.raises(TimelineError, match="2 timelines"):
        formats.as_timeline(two)
    one = otio.schema.SerializableCollection(children=[otio.schema.Timeline("a")])
    assert formats.as_timeline(one).name == "a"


def test_the_manifest_offers_every_format() -> None:
    manifest = json.loads((Path(formats.__file__).parent / "otio_plugins/plugin_manifest.json").read_text())
    assert [a["name"] for a in manifest["adapters"]] == [f"sightmix_{form.key}" for form in formats.FORMATS]


def test_otioconvert_finds_the_adapters(tmp_path: Path) -> None:
    """In a process of its own, as its users start it."""
    source, out = tmp_path / "in.otio", tmp_path / "out.xml"
    otio.adapters.write_to_file(small_timeline(tmp_path), str(source))
    command = [
        sys.executable,
        "-m",
        "opentimelineio.console.otioconvert",
        "-i",
        source,
        "-o",
        out,
        "-O",
        "sightmix_fcp7",
    ]
    environment = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    read = otio.adapters.read_from_file(str(out), adapter_name="fcp_xml")
    assert [t.name for t in read.tracks] == ["Tone"]
    assert next(iter(read.find_clips())).range_in_parent().start_time.value == 25


@pytest.mark.parametrize("form", formats.FORMATS, ids=lambda form: form.key)
def test_every_sample_timeline_comes_back_in_place(
    edits: dict[str, formats.Edit], tmp_path: Path, form: formats.Format
) -> None:
    for title, edit in edits.items():
        outcome = format_report.round_trip(form, edit, tmp_path)
        assert not outcome.refused, title
        dissolves = [t for track in edit.tracks for t in track.transitions]
        allowed = Fraction(1, 2) / edit.rate
        if form.key in {"edl", "kdenlive-project", "mlt", "rpp"} and dissolves:
            allowed = max(t.before + t.after for t in dissolves)
        if (
            form.renders and dissolves
        ):  # clips that dissolve into each other are rendered as one; test_otio_plain hears it
            allowed = max(clip.duration for track in edit.tracks for clip in track.clips)
        assert outcome.off <= allowed, title
        if outcome.back < outcome.clips:
            assert outcome.losses, title


def test_the_document_says_what_happens(tmp_path: Path) -> None:
    assert format_report.DOCUMENT.read_text(encoding="utf-8") == format_report.document(tmp_path), (
        "run: python tests/exporters/format_report.py"
    )
