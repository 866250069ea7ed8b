"""Media looked for by name in the user's folders, for every format where a clip says no place, or a wrong one."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from sightmix.engine.media.search import MediaSearch, Sought
from sightmix.plugin.timeline import open_timeline
from timeline_kit import clip, external, save, timeline, tr, track, wav

EVENT = "001  {reel}  A  C  00:00:00:12 00:00:01:12 01:00:00:00 01:00:01:00\n{said}\n"
NOWHERE = {"OTIO_SCHEMA": "MissingReference.1", "metadata": {}, "name": "", "available_range": None}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wav(tmp_path_factory.mktemp("sound") / "s.wav", seconds=2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "media" / "day 2").mkdir(parents=True)
    return tmp_path / "media"


@pytest.mark.parametrize(
    ("reel", "said", "name"),
    [
        ("S", "* FROM CLIP NAME: s.wav", "s.wav"),
        ("S", "* FROM CLIP NAME: S.WAV", "s.wav"),
        ("S", "* FROM CLIP NAME: take", "take.wav"),
        ("S", "* FROM CLIP NAME: take.new.01", "take.wav"),
        ("S", "* FROM CLIP NAME: take.mov", "take.wav"),
        ("S", "* SOURCE FILE: TAKE", "take.wav"),
        ("S", "* FROM FILE: D:\\old\\take.wav", "take.wav"),
        ("A001C002", "* FROM CLIP NAME: the speech", "a001c002.wav"),
        ("A001C002.WAV", "", "a001c002.wav"),
        ("S", "* FROM CLIP NAME: Gro\u0308ße.wav", "Größe.wav"),
        ("S", "* FROM CLIP NAME: take.wav", "day 2/take.wav"),
    ],
)
def test_events_of_an_edl(tmp_path: Path, folder: Path, sound: Path, reel: str, said: str, name: str) -> None:
    shutil.copy(sound, folder / name)
    (folder / Path(name).with_suffix(".xml").name).write_text("a sidecar")
    path = tmp_path / "cut.edl"
    path.write_text(EVENT.format(reel=reel, said=said))
    one = open_timeline(path, rate=Fraction(25), folders=[folder]).clips[0]
    assert (one.state, one.path, one.passage().sound.start) == ("online", folder / name, Fraction(12, 25))
    lost = open_timeline(path, rate=Fraction(25)).clips[0]
    assert lost.state == "offline"
    assert "D:" in lost.reason or "--media" in lost.reason


def test_among_several_none_is_chosen(tmp_path: Path, folder: Path, sound: Path) -> None:
    for name in ("day 2/take.wav", "take.mp3"):
        shutil.copy(sound, folder / name)
    (folder / "other").mkdir()
    shutil.copy(sound, folder / "other" / "Take.wav")
    path = tmp_path / "cut.edl"
    path.write_text(EVENT.format(reel="S", said="* FROM CLIP NAME: TAKE.wav"))
    one = open_timeline(path, folders=[folder]).clips[0]
    assert (one.state, one.reason) == (
        "offline",
        f"Several files are called so: {folder / 'day 2' / 'take.wav'}, {folder / 'other' / 'Take.wav'}; "
        "give the folder of the right one.",
    )
    assert open_timeline(path, folders=[folder / "other"]).clips[0].path == folder / "other" / "Take.wav"


@pytest.mark.parametrize(
    "reference", [NOWHERE, None, "/gone/take.wav", "file:///gone/Take%20.wav", "file:///gone/TAKE.WAV"]
)
def test_every_format(tmp_path: Path, folder: Path, sound: Path, reference: Any) -> None:
    name = "Take .wav" if "%20" in str(reference) else "take.wav"
    shutil.copy(sound, folder / "day 2" / name)
    given = external(reference) if isinstance(reference, str) else reference
    root = timeline(track("Audio", clip("take.wav", tr(12, 24), given)))
    path = save(tmp_path / "in.otio", root)
    one = open_timeline(path, folders=[folder]).clips[0]
    assert (one.state, one.path) == ("online", folder / "day 2" / name)
    assert open_timeline(path).clips[0].state == "offline"


def test_pictures_need_their_whole_name(tmp_path: Path, folder: Path, sound: Path) -> None:
    """Titles are called like anything, and have no media."""
    shutil.copy(sound, folder / "Interview.wav")
    root = timeline(track("Video", clip("Interview", tr(0, 24), NOWHERE)))
    found = open_timeline(save(tmp_path / "in.otio", root), folders=[folder])
    assert [c.state for t in found.edit.tracks for c in t.clips] == ["offline"]


def test_search_by_itself(folder: Path, sound: Path) -> None:
    shutil.copy(sound, folder / "Take.wav")
    shutil.copy(sound, folder / "take.wav")
    (folder / ".hidden").mkdir()
    shutil.copy(sound, folder / ".hidden" / "deep.wav")
    search = MediaSearch([folder, folder])
    assert search.find(["take.wav"]) == Sought(folder / "take.wav")
    assert len(search.find(["TAKE.wav"]).several) == 2
    assert search.find(["deep.wav", ""]) == Sought()
    assert search.find(["none", "Take"], stems=False) == Sought()
    assert MediaSearch([folder / "no such folder"]).find(["a"]) == Sought()
