"""Names taken from addresses are shown as people read them; gaps behind the last clip count wherever lengths do."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import sightmix
from sightmix.engine.media.paths import shown_name
from sightmix.plugin.jobs.inspection import timeline_data
from sightmix.plugin.timeline import open_timeline
from timeline_kit import clip, external, gap, rt, save, stack, timeline, tr, track, wav


@pytest.mark.parametrize(
    ("name", "url", "shown"),
    [
        ("My%20Clip.wav", "file:///a/My%20Clip.wav", "My Clip.wav"),
        ("My%20Clip", "file:///a/My%20Clip.wav", "My Clip"),
        ("", "file:///a/My%20Clip.wav", "My Clip.wav"),
        ("", "file:///a/%E9%9F%B3.wav", "音.wav"),
        ("", "file:///a/%E9.wav", "?.wav"),  # no UTF-8
        ("100%.wav", "file:///a/100%25.wav", "100%.wav"),
        ("100%25.wav", "file:///a/100%25.wav", "100%.wav"),
        ("50%20off.wav", "/a/50%20off.wav", "50%20off.wav"),
        ("", "C:\\a\\50%20off.wav", "50%20off.wav"),
        ("scene%201", "file:///a/take%201.wav", "scene%201"),
        ("", "http://a/b%20c.wav", "b%20c.wav"),
        ("", "", ""),
    ],
)
def test_escapes_of_an_address(name: str, url: str, shown: str) -> None:
    assert shown_name(name, url) == shown


@pytest.mark.parametrize(
    ("on_disk", "url", "shown"),
    [
        ("My Clip.wav", "file://{}/My%20Clip.wav", "My Clip.wav"),
        ("My Clip.wav", "My%20Clip.wav", "My Clip.wav"),
        ("My%20Clip.wav", "My%20Clip.wav", "My%20Clip.wav"),
        ("My%20Clip.wav", "file://{}/My%20Clip.wav", "My%20Clip.wav"),  # of a writer that does not escape
        ("other.wav", "file:///gone/My%20Clip.wav", "My Clip.wav"),
        ("other.wav", "gone/My%20Clip.wav", "My%20Clip.wav"),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_a_file_says_what_it_is_called(
    tmp_path: Path, on_disk: str, url: str, shown: str, named: bool
) -> None:
    wav(tmp_path / on_disk, seconds=2)
    node = clip("My%20Clip.wav" if named else "", tr(0, 24), external(url.format(tmp_path)))
    found = open_timeline(save(tmp_path / "in.otio", timeline(track("Audio", node))))
    [one] = found.edit.tracks[0].clips
    assert (one.name, one.media.name if one.media else "") == (shown, shown)
    assert found.clips[0].name == shown or (not named and found.clips[0].path is not None)


def later(tmp_path: Path, *tracks: Any, **more: Any) -> Any:
    wav(tmp_path / "a.wav", seconds=2)
    return open_timeline(save(tmp_path / "in.otio", timeline(*tracks, **more)))


def sound(tmp_path: Path) -> Any:
    return clip("a", tr(0, 24), str(tmp_path / "a.wav"))


@pytest.mark.parametrize("where", ["own", "other", "nested", "trimmed"])
def test_gaps_behind_the_last_clip(tmp_path: Path, where: str) -> None:
    own = track("Audio", sound(tmp_path), gap(72))
    tracks = {
        "own": [own],
        "other": [track("Audio", sound(tmp_path)), track("Audio", gap(96))],
        "nested": [track("Audio", stack(own, name="nest"))],
        "trimmed": [track("Audio", sound(tmp_path), gap(480), source_range=tr(0, 96))],
    }[where]
    found = later(tmp_path, *tracks)
    assert (found.duration, found.edit.duration) == (4, 4)
    assert timeline_data(found, ("",), {})["duration"] == 4


@pytest.mark.parametrize(
    ("kind", "length"),
    [
        ("fcp7", lambda root: Fraction(root.findtext("sequence/duration", "")) / 24),
        ("fcpxml", lambda root: Fraction(root.find(".//sequence").get("duration")[:-1])),
        ("mlt", lambda root: Fraction(int(root.find("tractor[@id='main']").get("out")) + 1, 24)),
    ],
)
def test_gaps_in_what_is_exported(tmp_path: Path, kind: str, length: Any) -> None:
    later(tmp_path, track("Audio", sound(tmp_path), gap(72)), start=rt(0, 24))
    done = sightmix.export(tmp_path / "in.otio", tmp_path / "out", kind)
    assert length(ElementTree.parse(done.files[0]).getroot()) == 4


def test_a_length_that_nobody_knows_ends_with_the_last_clip(tmp_path: Path) -> None:
    lost = clip("lost", None, external("/none/b.wav"))
    found = later(tmp_path, track("Audio", sound(tmp_path)), track("Audio", lost))
    assert found.edit.duration >= 1
    assert json.dumps(timeline_data(found, ("",), {}))
