"""Shotcut and Kdenlive open our files as projects, and what they then save is what we wrote."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import host_kit
import host_window
import pytest
from sightmix.exporters import kdenlive_project, mlt

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(host_window.missing()), reason="no display to run programs on (Xvfb, xdotool)"),
]
RATE = host_kit.RATE


@dataclass(frozen=True)
class Placed:
    """A clip as a project file has it: frames on the timeline and in the file, speed, and volume in dB by frame."""

    start: int
    length: int
    source: int
    file: str
    levels: tuple[tuple[int, float], ...]
    fades: tuple[tuple[int, int, float, float], ...]


def frames(value: str | None) -> int:
    """Frames of a count or a clock value; MLT leaves zeros out."""
    if not value or ":" not in value:
        return int(value or 0)
    hours, minutes, seconds = value.split(":")
    return round((int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)) * RATE)


def prop(element: ET.Element, name: str) -> str:
    return element.findtext(f"property[@name='{name}']") or ""


def volumes(filters: list[ET.Element], first: int) -> tuple[tuple[tuple[int, float], ...], ...]:
    levels: list[tuple[int, float]] = []
    fades = []
    for one in filters:
        if prop(one, "mlt_service") == "volume" and prop(one, "level"):
            keys = (key.split("=") for key in prop(one, "level").split(";"))
            levels += [(frames(at), round(float(db), 3)) for at, db in keys]
            assert frames(one.get("in")) == first
        elif prop(one, "mlt_service") == "volume":
            bounds = frames(one.get("in")) - first, frames(one.get("out")) - first
            fades.append((*bounds, float(prop(one, "gain")), float(prop(one, "end"))))
    return tuple(levels), tuple(fades)


def tracks(path: Path) -> dict[str, tuple[str, list[Placed]]]:
    """By the names of a project's tracks: what is hidden of it, and its clips."""
    root = ET.parse(path).getroot()
    made = {element.get("id"): element for element in root}
    found = {}
    for row in root.findall("tractor")[-1].findall("track"):
        bearer = made[row.get("producer")]
        name = prop(bearer, "shotcut:name") or prop(bearer, "kdenlive:track_name")
        inner = bearer.findall("track")
        playlist = made[inner[0].get("producer")] if inner else bearer
        if name:
            found[name] = ((inner[0] if inner else row).get("hide", ""), clips(playlist, made))
    return found


def clips(playlist: ET.Element, made: dict[str | None, ET.Element]) -> list[Placed]:
    at, found = 0, []
    for part in playlist:
        if part.tag == "blank":
            at += frames(part.get("length"))
        elif part.tag == "entry":
            first, producer = frames(part.get("in")), made[part.get("producer")]
            length = frames(part.get("out")) - first + 1
            heard = volumes(part.findall("filter") or producer.findall("filter"), first)
            found.append(Placed(at, length, first, Path(prop(producer, "resource")).name, *heard))
            at += length
    return found


@pytest.mark.skipif(bool(host_window.missing("shotcut")), reason="Shotcut is not installed")
def test_shotcut_keeps_what_we_wrote(tmp_path: Path) -> None:
    project = tmp_path / "specimen.mlt"
    mlt.write(host_kit.specimen(tmp_path / "media"), project)
    wanted = tracks(project)
    assert len(wanted) == 5
    with host_window.screen(tmp_path) as shown:
        host_window.save_in_shotcut(shown, project)
    root = ET.parse(project).getroot()
    assert root.get("title", "").startswith("Shotcut")
    assert tracks(project) == wanted
    [marker] = root.findall("tractor/properties[@name='shotcut:markers']/properties")
    assert (prop(marker, "text"), frames(prop(marker, "start"))) == ("look here: a note", 50)


@pytest.mark.skipif(bool(host_window.missing("kdenlive")), reason="Kdenlive is not installed")
def test_kdenlive_keeps_what_we_wrote(tmp_path: Path) -> None:
    project, out = tmp_path / "specimen.kdenlive", tmp_path / "saved.kdenlive"
    kdenlive_project.write(host_kit.specimen(tmp_path / "media"), project)
    with host_window.screen(tmp_path) as shown:
        host_window.save_in_kdenlive(shown, project, out)
    assert b"kdenliveversion" in out.read_bytes()
    assert tracks(out) == tracks(project)
    assert len(tracks(out)) == 5
    held = ET.parse(out).getroot().find("playlist[@id='main_bin']")
    assert held is not None
    assert len(held.findall("entry")) == 4
    assert "look here: a note" in prop(held, "kdenlive:docproperties.guides")
