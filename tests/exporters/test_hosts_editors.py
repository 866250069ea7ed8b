"""Shotcut and Kdenlive open our files as projects, and what they then save is what we wrote.

For a machine that has nothing else to do: how soon a program's window is there depends on that. `SIGHTMIX_EDITORS=1`
runs them where the programs are installed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import host_kit
import host_window
import pytest
from sightmix.engine.edit.model import Edit
from sightmix.exporters import kdenlive_project, mlt

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.environ.get("SIGHTMIX_EDITORS") != "1", reason="opens editors: SIGHTMIX_EDITORS=1"),
    pytest.mark.skipif(bool(host_window.missing()), reason="no display to run programs on (Xvfb, xdotool)"),
]
RATE = host_kit.RATE


@dataclass(frozen=True)
class Placed:
    """A clip as a project file has it: frames on the timeline and in the file, its speed, and what is done to it."""

    start: int
    length: int
    source: int
    file: str
    speed: str
    stream: int  # of all in the file
    levels: tuple[tuple[int, float], ...]
    fades: tuple[tuple[int, int, float, float], ...]
    others: tuple[tuple[str, ...], ...]


def frames(value: str | None) -> int:
    """Frames of a count or a clock value; MLT leaves zeros out."""
    if not value or ":" not in value:
        return int(value or 0)
    hours, minutes, seconds = value.split(":")
    return round((int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)) * RATE)


def prop(element: ET.Element, name: str) -> str:
    return element.findtext(f"property[@name='{name}']") or ""


def effects(filters: list[ET.Element], first: int) -> tuple[Any, Any, Any]:
    """Volume keys, fades, and other filters of a clip; frames count from its first."""
    levels: list[tuple[int, float]] = []
    fades, others = [], []
    for one in filters:
        service = prop(one, "mlt_service")
        if service == "volume" and prop(one, "level"):
            keys = [key.rpartition("=")[::2] for key in prop(one, "level").split(";")]
            # A level that stays has no key of ours; Kdenlive puts one where the clip begins.
            levels += [(frames(at) if len(keys) > 1 else 0, round(float(db), 3)) for at, db in keys]
            assert len(keys) == 1 or frames(one.get("in")) == first
        elif service == "volume":
            bounds = frames(one.get("in")) - first, frames(one.get("out")) - first
            fades.append((*bounds, float(prop(one, "gain")), float(prop(one, "end"))))
        else:
            others.append((service, *(prop(one, name) for name in ("frame", "from", "to", "av.map"))))
    return tuple(levels), tuple(fades), tuple(others)


def tracks(path: Path) -> list[tuple[str, str, list[Placed]]]:
    """Of a project's tracks the name, what is hidden of it, and the clips."""
    root = ET.parse(path).getroot()
    made = {element.get("id"): element for element in root}
    found = []
    for row in root.findall("tractor")[-1].findall("track"):
        bearer = made[row.get("producer")]
        name = prop(bearer, "shotcut:name") or prop(bearer, "kdenlive:track_name")
        inner = bearer.findall("track")
        playlist = made[inner[0].get("producer")] if inner else bearer
        if name:
            found.append((name, (inner[0] if inner else row).get("hide", ""), clips(playlist, made)))
    return found


def clips(playlist: ET.Element, made: dict[str | None, ET.Element]) -> list[Placed]:
    at, found = 0, []
    for part in playlist:
        if part.tag == "blank":
            at += frames(part.get("length"))
        elif part.tag == "entry":
            first, producer = frames(part.get("in")), made[part.get("producer")]
            length = frames(part.get("out")) - first + 1
            done = effects(part.findall("filter") or producer.findall("filter"), first)
            file, speed = Path(prop(producer, "resource")).name, prop(producer, "warp_speed")
            # Elsewhere it is the first sound of the file, which is said or not.
            stream = int(prop(producer, "audio_index") or 0) if file == "two.mov" else 0
            found.append(Placed(at, length, first, file, speed, stream, *done))
            at += length
    return found


@pytest.mark.skipif(bool(host_window.missing("shotcut")), reason="Shotcut is not installed")
@pytest.mark.parametrize(("made", "number"), [(host_kit.specimen, 5), (host_kit.demanding, 6)])
def test_shotcut_keeps_what_we_wrote(made: Callable[[Path], Edit], number: int, tmp_path: Path) -> None:
    project = tmp_path / "specimen.mlt"
    edit = made(tmp_path / "media")
    mlt.write(edit, project)
    wanted = tracks(project)
    assert len(wanted) == number
    with host_window.screen(tmp_path) as shown:
        host_window.save_in_shotcut(shown, project)
    root = ET.parse(project).getroot()
    assert root.get("title", "").startswith("Shotcut")
    assert tracks(project) == wanted
    found = root.findall("tractor/properties[@name='shotcut:markers']/properties")
    assert [(prop(one, "text"), frames(prop(one, "start"))) for one in found] == [
        (mlt.caption(marker), marker.start * RATE) for marker in edit.markers
    ]


@pytest.mark.skipif(bool(host_window.missing("kdenlive")), reason="Kdenlive is not installed")
@pytest.mark.parametrize(("made", "number"), [(host_kit.specimen, 5), (host_kit.demanding, 6)])
def test_kdenlive_keeps_what_we_wrote(made: Callable[[Path], Edit], number: int, tmp_path: Path) -> None:
    project, out = tmp_path / "specimen.kdenlive", tmp_path / "saved.kdenlive"
    edit = made(tmp_path / "media")
    kdenlive_project.write(edit, project)
    with host_window.screen(tmp_path) as shown:
        host_window.save_in_kdenlive(shown, project, out)
    assert b"kdenliveversion" in out.read_bytes()
    assert tracks(out) == tracks(project)
    assert len(tracks(out)) == number
    held = ET.parse(out).getroot().find("playlist[@id='main_bin']")
    assert held is not None
    assert len(held.findall("entry")) == len({c.media for track in edit.tracks for c in track.clips})
    guides = json.loads(prop(held, "kdenlive:docproperties.guides") or "[]")
    assert [(one["comment"], one["pos"]) for one in guides] == [
        (mlt.caption(marker), marker.start * RATE) for marker in edit.markers
    ]
