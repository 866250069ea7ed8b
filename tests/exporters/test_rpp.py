"""REAPER projects, read back by the rpp package."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import exporter_sound as kit
import numpy as np
import pytest
from sightmix.engine.edit import keyframes
from sightmix.engine.edit.model import Edit, EditMarker, EditMedia, EditTrack, EditTransition, GainCurve
from sightmix.exporters import rpp

reader = pytest.importorskip("rpp")
RATE = Fraction(30000, 1001)


def read(edit: Edit, folder: Path):  # type: ignore[no-untyped-def]
    out = folder / "edit.rpp"
    losses = rpp.write(edit, out)
    return reader.loads(out.read_text(encoding="utf-8")), losses


def value(element, name: str) -> list[str]:  # type: ignore[no-untyped-def]
    return [str(v) for v in element.find(name)[1:]]


def test_items_lie_where_the_clips_do(tmp_path: Path) -> None:
    media = kit.noise(tmp_path / "a b.wav", 6)
    clips = [kit.framed(media, RATE, 7, 41, 13, link=3), kit.framed(media, RATE, 60, 20, 5, enabled=False)]
    project, losses = read(kit.audio_edit(RATE, clips), tmp_path)
    assert losses == ()
    [track] = project.findall("TRACK")
    items = track.findall("ITEM")
    for item, clip in zip(items, clips, strict=True):
        for name, wanted in (("POSITION", clip.start), ("LENGTH", clip.duration), ("SOFFS", clip.source_in)):
            assert abs(float(value(item, name)[0]) - float(wanted)) < 1e-11
        assert value(item.find("SOURCE"), "FILE") == [str(media.path)]
    assert [value(item, "MUTE")[0] for item in items] == ["0", "1"]
    assert value(items[0], "GROUP") == ["3"]


def test_the_envelope_is_the_curve(tmp_path: Path) -> None:
    curve = GainCurve(tuple(Fraction(t) for t in (0, 1, Fraction(3, 2))), (0.0, -14.0, 5.0))
    media = kit.noise(tmp_path / "a.wav", 6)
    project, _ = read(kit.audio_edit(RATE, [kit.framed(media, RATE, 0, 90, 30, gain=curve)]), tmp_path)
    points = project.find("TRACK").find("ITEM").find("VOLENV").findall("PT")
    times, gains = ([float(p[i]) for p in points] for i in (1, 2))
    asked = np.linspace(0, 1.5, 3001)
    db = 20 * np.log10(np.interp(asked, times, gains))
    assert np.abs(db - keyframes.levels(curve, asked)).max() < 0.1


def test_no_envelope_where_nothing_changes(tmp_path: Path) -> None:
    media = kit.noise(tmp_path / "a.wav", 6)
    flat = GainCurve((Fraction(0),), (0.0,))
    project, _ = read(kit.audio_edit(RATE, [kit.framed(media, RATE, 0, 90, 30, gain=flat)]), tmp_path)
    assert project.find("TRACK").find("ITEM").find("VOLENV") is None


def test_a_dissolve_is_an_overlap_with_fades(tmp_path: Path) -> None:
    media = kit.noise(tmp_path / "a.wav", 9)
    cut = 50 / RATE
    clips = (kit.framed(media, RATE, 0, 50, 20), kit.framed(media, RATE, 50, 50, 90))
    dissolve = EditTransition(cut, 10 / RATE, 12 / RATE)
    edit = Edit("cut", RATE, (EditTrack("audio", "A", clips, (dissolve,)),))
    items = read(edit, tmp_path)[0].find("TRACK").findall("ITEM")
    length, start = float(value(items[0], "LENGTH")[0]), float(value(items[1], "POSITION")[0])
    assert length - start == pytest.approx(float(22 / RATE))
    assert float(value(items[0], "FADEOUT")[1]) == pytest.approx(float(22 / RATE))
    assert float(value(items[1], "FADEIN")[1]) == pytest.approx(float(22 / RATE))
    assert float(value(items[1], "SOFFS")[0]) == pytest.approx(float(80 / RATE))


@pytest.mark.parametrize(
    ("picks", "mode"), [(None, "0"), ((0,), "3"), ((4,), "7"), ((2, 3), "69"), ((1, 0), "1")]
)
def test_channels(picks: tuple[int, ...] | None, mode: str, tmp_path: Path) -> None:
    media = kit.noise(tmp_path / "six.wav", 4, channels=6)
    project, losses = read(kit.audio_edit(RATE, [kit.framed(media, RATE, 0, 9, 0, channels=picks)]), tmp_path)
    assert value(project.find("TRACK").find("ITEM"), "CHANMODE") == [mode]
    assert losses == ()


def test_what_is_lost_is_said(tmp_path: Path) -> None:
    media = kit.noise(tmp_path / "six.wav", 4, channels=6)
    clips = [
        kit.framed(media, RATE, 0, 9, 0, channels=(0, 4)),
        kit.framed(media, RATE, 9, 9, 40, speed=Fraction(-1)),
        kit.framed(media, RATE, 18, 9, 40, speed=Fraction(0)),
        replace(kit.framed(media, RATE, 27, 9, 40), media=None),
    ]
    project, losses = read(kit.audio_edit(RATE, clips), tmp_path)
    assert len(project.find("TRACK").findall("ITEM")) == 1
    assert len(losses) == 4


def test_awkward_names_markers_and_offline_media(tmp_path: Path) -> None:
    media = EditMedia('say "it\'s".wav', 'E:\\a\\say "it\'s".wav', None)
    edit = replace(
        kit.audio_edit(RATE, [kit.framed(media, RATE, 0, 9, 0, notes="one\ntwo")]),
        markers=(
            EditMarker(Fraction(1), Fraction(0), "here", "look"),
            EditMarker(Fraction(2), Fraction(1), "x"),
        ),
        drop_frame=True,
    )
    project, _ = read(edit, tmp_path)
    item = project.find("TRACK").find("ITEM")
    assert value(item, "NAME") == [media.name]
    assert value(item.find("SOURCE"), "FILE") == [media.url]
    assert [m[3] for m in project.findall("MARKER")][:2] == ["here: look", "x"]


def test_twice_the_same(tmp_path: Path) -> None:
    edit = kit.audio_edit(RATE, [kit.framed(kit.noise(tmp_path / "a.wav", 6), RATE, 7, 41, 13)])
    rpp.write(edit, tmp_path / "1.rpp")
    rpp.write(edit, tmp_path / "2.rpp")
    assert (tmp_path / "1.rpp").read_bytes() == (tmp_path / "2.rpp").read_bytes()
