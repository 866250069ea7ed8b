"""What tracks hold, as `inspect` tells it: by the user, by what is remembered, by hosts' data and by names."""

from __future__ import annotations

import json
from pathlib import Path

import opentimelineio as otio
import pytest
from sightmix.engine.edit.categories import said
from sightmix.engine.errors import SettingsError
from sightmix.plugin.jobs.inspection import timeline_tracks
from sightmix.plugin.timeline.categories import track_categories
from sightmix.plugin.timeline.source import open_source


def _saved(folder: Path, names: list[str], **more: dict[str, object]) -> Path:
    """A timeline of one clip a track; `more` is metadata of the timeline ("root") and of clips by track ("A2")."""
    timeline = otio.schema.Timeline("Scene 4")
    timeline.metadata.update(more.get("root", {}))
    for number, name in enumerate(names, start=1):
        track = otio.schema.Track(name, kind=otio.schema.TrackKind.Audio)
        span = otio.opentime.TimeRange(otio.opentime.RationalTime(0, 25), otio.opentime.RationalTime(50, 25))
        clip = otio.schema.Clip(f"clip {number}", otio.schema.ExternalReference("gone.wav"), span)
        clip.metadata.update(more.get(f"A{number}", {}))
        track.append(clip)
        timeline.tracks.append(track)
    path = folder / "scene.otio"
    otio.adapters.write_to_file(timeline, str(path))
    return path


def _kinds(path: Path, *told: str) -> dict[int, tuple[str, str]]:
    timeline, _ = open_source(path)
    return {n: (c.kind, c.by) for n, c in track_categories(timeline, said(told)).items()}


def test_users_outrank_memory_memory_hosts_and_hosts_names(tmp_path: Path) -> None:
    path = _saved(
        tmp_path,
        ["Dialogue", "Dialogue", "Dialogue", "Dialogue", "Audio 5"],
        root={"sightmix": {"categories": {"A1": "music", "A2": "mix", "x": "music", "A9": 3}}},
        A1={"fcpx": {"audioRole": "effects.hits"}},
        A3={"fcpx": {"audioRole": "effects.hits"}},
    )
    assert _kinds(path, "a1=silent") == {
        1: ("silent", "user"),
        2: ("mix", "user"),
        3: ("effects", "host"),
        4: ("dialogue", "name"),
        5: ("", ""),
    }
    assert _kinds(path, "A2=auto")[2] == ("dialogue", "name")
    assert _kinds(path, "audio 5=FX")[5] == ("effects", "user")


def test_a_track_that_there_is_not(tmp_path: Path) -> None:
    timeline, _ = open_source(_saved(tmp_path, ["DX", "MX"]))
    with pytest.raises(SettingsError, match=r"--category a3 fits no audio track.*A1 'DX', A2 'MX'"):
        track_categories(timeline, said(["A3=music"]))


def test_inspect_tells_what_tracks_hold(tmp_path: Path) -> None:
    timeline, _ = open_source(_saved(tmp_path, ["DX", "Audio 2"]))
    first, second = (track["category"] for track in timeline_tracks(timeline))
    assert first == {"kind": "dialogue", "by": "name", "confidence": 0.95, "reason": "its name says “dx”"}
    assert second == {"kind": None, "by": None, "confidence": 0.0, "reason": "nothing tells what it holds"}
    assert json.dumps(timeline_tracks(timeline))
