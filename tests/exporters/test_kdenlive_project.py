"""Kdenlive projects as XML: what the program looks for when it opens one."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import exporter_sound as kit
import host_kit
import pytest
from sightmix.engine.edit.model import Edit, EditMedia, EditTrack, EditTransition, GainCurve
from sightmix.exporters import formats, kdenlive_project, mlt
from sightmix.plugin.jobs.export import target

RATE = Fraction(25)
DOCUMENT = "kdenlive:docproperties."


def read(edit: Edit, folder: Path) -> tuple[ET.Element, tuple[str, ...]]:
    out = folder / "edit.kdenlive"
    losses = kdenlive_project.write(edit, out)
    return ET.parse(out).getroot(), losses


def prop(element: ET.Element, name: str) -> str | None:
    return element.findtext(f"property[@name='{name}']")


def playlist(root: ET.Element, name: str) -> ET.Element:
    found = root.find(f"playlist[@id='{name}']")
    assert found is not None
    return found


@pytest.fixture(scope="module")
def specimen(tmp_path_factory: pytest.TempPathFactory) -> tuple[ET.Element, tuple[str, ...]]:
    folder = tmp_path_factory.mktemp("specimen")
    return read(host_kit.specimen(folder), folder)


def test_every_file_is_a_clip_in_the_bin(specimen: tuple[ET.Element, tuple[str, ...]]) -> None:
    root, losses = specimen
    assert losses == (mlt.EARLY,)
    held = playlist(root, "main_bin")
    assert prop(held, f"{DOCUMENT}version") == "1.04"
    assert prop(held, "xml_retain") == "1"
    clips = {p.get("id"): p for p in root.findall("producer")}
    files = [clips[e.get("producer")] for e in held.findall("entry")]
    assert sorted(Path(prop(p, "resource") or "").name for p in files) == [
        "dialogue.wav",
        "effects.wav",
        "music.wav",
        "the film.mov",
    ]
    numbers = {prop(p, "resource"): prop(p, "kdenlive:id") for p in files}
    assert len(set(numbers.values())) == 4
    assert all(prop(p, "video_index") is None and prop(p, "audio_index") is None for p in files)
    for entry in (e for p in root.findall("playlist") if p is not held for e in p.findall("entry")):
        made = clips[entry.get("producer")]
        assert prop(entry, "kdenlive:id") == prop(made, "kdenlive:id") == numbers[prop(made, "resource")]


def test_tracks_are_pairs_of_playlists_from_the_lowest_sound_up(
    specimen: tuple[ET.Element, tuple[str, ...]],
) -> None:
    root, _ = specimen
    *tracks, whole = root.findall("tractor")
    assert [prop(t, "kdenlive:track_name") for t in tracks] == [
        "Effects",
        "Music",
        "Dialogue",
        "Location",
        "V1",
    ]
    assert [prop(t, "kdenlive:audio_track") for t in tracks] == ["1"] * 4 + [None]
    assert [[one.get("hide") for one in t.findall("track")] for t in tracks] == [
        ["video", "video"],
        ["video", "video"],
        ["video", "video"],
        ["both", "both"],
        ["audio", "audio"],
    ]
    assert [one.get("producer") for one in whole.findall("track")] == [
        "black_track",
        *(t.get("id") for t in tracks),
    ]
    assert [prop(t, "b_track") for t in whole.findall("transition")] == ["1", "2", "3", "4"]


def test_volumes_and_fades_are_effects_of_the_clips(specimen: tuple[ET.Element, tuple[str, ...]]) -> None:
    root, _ = specimen
    music = playlist(root, "playlist2")
    assert [(e.tag, e.get("in"), e.get("out"), e.get("length")) for e in music if e.tag != "property"] == [
        ("entry", "0", "89", None),
        ("entry", "90", "159", None),
        ("blank", None, None, "10"),
        ("entry", "170", "229", None),
    ]
    effects = [
        [(prop(f, "kdenlive_id"), f.get("in"), f.get("out")) for f in entry.findall("filter")]
        for entry in music.findall("entry")
    ]
    assert effects == [
        [("volume", "0", "89"), ("fadein", "0", "9")],
        [("volume", "90", "159")],
        [("volume", "170", "229"), ("fadeout", "215", "229")],
    ]
    assert not root.findall("producer/filter")


def test_guides_and_groups(specimen: tuple[ET.Element, tuple[str, ...]]) -> None:
    held = playlist(specimen[0], "main_bin")
    assert json.loads(prop(held, f"{DOCUMENT}guides") or "") == [
        {"comment": "look here: a note", "pos": 50, "type": 0}
    ]
    groups = json.loads(prop(held, f"{DOCUMENT}groups") or "")
    assert [[leaf["data"] for leaf in group["children"]] for group in groups] == [
        [f"{track}:{start}" for track in range(5)] for start, _, _ in host_kit.CUTS
    ]
    assert {group["type"] for group in groups} == {"Normal"}


def test_a_picture_with_its_own_sound_is_one_clip(tmp_path: Path) -> None:
    film = EditMedia("s.mov", "/x/s.mov", None, duration=Fraction(9), width=640, height=360, channels=2)
    clip = kit.framed(film, RATE, 5, 20, 0, link=7)
    edit = Edit("cut", RATE, (EditTrack("video", "V", (clip,)), EditTrack("audio", "A", (clip,))))
    root, _ = read(edit, tmp_path)
    [group] = json.loads(prop(playlist(root, "main_bin"), f"{DOCUMENT}groups") or "")
    assert group["type"] == "AVSplit"
    assert [leaf["data"] for leaf in group["children"]] == ["0:5", "1:5"]


def test_one_channel_of_two_reaches_both_sides(tmp_path: Path) -> None:
    media = kit.noise(tmp_path / "a.wav", 4)
    clips = [
        kit.framed(media, RATE, 0, 20, 0, channels=(1,)),
        kit.framed(media, RATE, 20, 20, 0, channels=(0, 1)),
        kit.framed(media, RATE, 40, 20, 0, channels=(1, 0)),
    ]
    root, losses = read(kit.audio_edit(RATE, clips), tmp_path)
    first, *others = playlist(root, "playlist0").findall("entry")
    copy, level = first.findall("filter")
    assert [prop(copy, name) for name in ("mlt_service", "kdenlive_id", "from", "to")] == [
        "channelcopy",
        "channelcopy",
        "1",
        "0",
    ]
    assert float(prop(level, "level") or "") == pytest.approx(-3.01, abs=0.01)
    assert not [f for entry in others for f in entry.findall("filter")]
    assert losses[-1] == "Clips play all channels of their audio stream (1 clip)."


def test_dissolves_of_sound_overlap_on_a_second_track(tmp_path: Path) -> None:
    media = kit.noise(tmp_path / "a.wav", 9)
    clips = (kit.framed(media, RATE, 0, 50, 20), kit.framed(media, RATE, 50, 50, 90))
    track = EditTrack("audio", "A", clips, (EditTransition(Fraction(2), Fraction(10, 25), Fraction(6, 25)),))
    root, _ = read(Edit("cut", RATE, (track,)), tmp_path)
    assert [prop(t, "kdenlive:track_name") for t in root.findall("tractor")[:-1]] == ["A", "A"]
    bounds = [(e.get("in"), e.get("out")) for p in root.findall("playlist")[1:] for e in p.findall("entry")]
    assert bounds == [("80", "139"), ("20", "75")]


def test_the_same_edit_makes_the_same_file(tmp_path: Path) -> None:
    curve = GainCurve((Fraction(0), Fraction(2)), (0.0, -20.0))
    edit = kit.audio_edit(RATE, [kit.framed(kit.noise(tmp_path / "a.wav", 4), RATE, 0, 50, 0, gain=curve)])
    texts = []
    for name in ("one.kdenlive", "two.kdenlive"):
        kdenlive_project.write(edit, tmp_path / name)
        texts.append((tmp_path / name).read_text())
    kdenlive_project.write(replace(edit, name="other"), tmp_path / "two.kdenlive")
    assert texts[0] == texts[1] != (tmp_path / "two.kdenlive").read_text()


def test_a_project_by_its_ending(tmp_path: Path) -> None:
    edit = kit.audio_edit(RATE, [kit.framed(kit.noise(tmp_path / "a.wav", 4), RATE, 0, 50, 0)])
    for name, key in (("a.kdenlive", None), ("b.kdenlive", "kdenlive"), ("c.xml", "kdenlive-project")):
        formats.export(edit, tmp_path / name, key)
        assert ET.parse(tmp_path / name).getroot().tag == "mlt"
    formats.export(edit, tmp_path / "a.otio", "kdenlive")
    assert json.loads((tmp_path / "a.otio").read_text())["OTIO_SCHEMA"].startswith("Timeline.")
    assert target("kdenlive", tmp_path / "A.Kdenlive") == "kdenlive-project"
    assert target("kdenlive", tmp_path / "a.otio") == target("kdenlive", None) == "kdenlive"
