"""The stand-in for Resolve has the traps it is said to have, each of them a switch that can be turned."""

from __future__ import annotations

import json
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_resolve import FakeItem, FakePoolItem, FakeResolve, Hang, Traps
from sightmix.engine.media.writer import WavWriter

START = 86400


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    with WavWriter(tmp_path / "a.wav", 48_000, 2) as writer:
        writer.write(np.zeros((2, 480_000), np.float32))
    return tmp_path / "a.wav"


def world(**switches: Any) -> FakeResolve:
    fake = FakeResolve(Traps(**switches))
    fake.first.AddTrack("audio", {"audioType": "stereo"})
    return fake


def media(fake: FakeResolve, wav: Path) -> FakePoolItem:
    [item] = fake.project.pool.ImportMedia([str(wav)])
    return item


def append(fake: FakeResolve, item: FakePoolItem, **changes: Any) -> list[FakeItem] | None:
    clip = {"mediaPoolItem": item, "startFrame": 0, "endFrame": 48, "mediaType": 2, "trackIndex": 1,
            "recordFrame": START} | changes  # fmt: skip
    return fake.project.pool.AppendToTimeline([clip])


def test_1_record_frames_are_absolute(wav: Path) -> None:
    for absolute, start in ((True, 0), (False, START)):
        fake = world(absolute_record=absolute)
        [item] = append(fake, media(fake, wav), recordFrame=0) or []
        assert item.GetStart() == start


def test_2_markers_are_relative() -> None:
    for relative, frame in ((True, 5), (False, 5 - START)):
        fake = world(relative_markers=relative)
        fake.first.AddMarker(5, "Blue", "x", "", 1)
        assert list(fake.first.GetMarkers()) == [frame]


def test_3_the_end_frame_is_exclusive(wav: Path) -> None:
    for exclusive, length in ((True, 48), (False, 49)):
        fake = world(exclusive_end=exclusive)
        [item] = append(fake, media(fake, wav)) or []
        assert item.GetDuration() == length


def test_4_fractions_reject_the_batch(wav: Path) -> None:
    fake = world()
    assert append(fake, media(fake, wav), endFrame=47.5) is None
    fake = world(whole_frames_only=False)
    assert append(fake, media(fake, wav), endFrame=47.5)


def test_5_an_overlap_drops_the_later_one(wav: Path) -> None:
    for drops, ghosts, returned, there in ((True, False, 0, 1), (True, True, 1, 1), (False, False, 1, 2)):
        fake = world(overlap_drops=drops, ghost_items=ghosts)
        item = media(fake, wav)
        append(fake, item)
        assert len(append(fake, item, recordFrame=START + 10) or []) == returned
        assert len(fake.first.GetItemListInTrack("audio", 1) or []) == there
    fake = world(ghost_items=True)
    item = media(fake, wav)
    append(fake, item)
    [ghost] = append(fake, item) or []
    assert ghost.GetUniqueId() == ""


def test_6_every_stream_gets_a_track(wav: Path) -> None:
    for spreads, tracks in ((True, 3), (False, 1)):
        fake = world(spreads_streams=spreads)
        fake.project.pool.streams["a.wav"] = 3
        append(fake, media(fake, wav))
        assert fake.first.GetTrackCount("audio") == tracks


def test_7_a_wav_has_the_projects_rate(wav: Path) -> None:
    fake = world()
    assert media(fake, wav).GetClipProperty("FPS") == 24
    fake = world(media_rate=Fraction(30000, 1001))
    item = media(fake, wav)
    assert item.GetClipProperty("FPS") == 29.97
    [placed] = append(fake, item) or []
    assert placed.GetDuration() == 38, "48 frames at 29.97 are 38.4 at 24"
    fake = world(media_rate=Fraction(30000, 1001), floors_mixed_rates=False)
    [placed] = append(fake, media(fake, wav), endFrame=47) or []
    assert placed.GetDuration() == 38, "37.6 is rounded"


def test_8_two_ways_of_counting(wav: Path) -> None:
    for mixed, left in ((True, 24), (False, 30)):
        fake = world(media_rate=Fraction(30), mixed_counting=mixed)
        [item] = append(fake, media(fake, wav), startFrame=30, endFrame=60) or []
        assert (item.GetSourceStartFrame(), item.GetLeftOffset()) == (30, left)


def test_9_media_goes_to_the_current_bin(wav: Path) -> None:
    for current, where in ((True, "bin"), (False, "Master")):
        fake = world(import_to_current=current)
        pool = fake.project.pool
        pool.AddSubFolder(pool.GetRootFolder(), "bin")
        media(fake, wav)
        [folder] = [f for f in pool.root.everywhere() if f.clips]
        assert folder.GetName() == where


def test_10_and_11_what_cannot_be_imported(tmp_path: Path) -> None:
    path = tmp_path / "Cut 1.otio"
    path.write_text(json.dumps({"metadata": {"Resolve_OTIO": {}}}))
    fake = world()
    assert fake.project.pool.ImportTimelineFromFile(str(path)) is None
    assert fake.project.pool.ImportTimelineFromFile(str(path), {"timelineName": "other"})
    assert world(refuses_names_taken=False).project.pool.ImportTimelineFromFile(str(path))
    path.write_text(json.dumps({"metadata": {}}))
    assert fake.project.pool.ImportTimelineFromFile(str(path), {"timelineName": "third"}) is None
    path.write_text(json.dumps({"metadata": {"Resolve_OTIO": {}}, "x": "MissingReference.1"}))
    assert fake.project.pool.ImportTimelineFromFile(str(path), {"timelineName": "third"}) is None
    other = world(titles_break_otio=False)
    assert other.project.pool.ImportTimelineFromFile(str(path), {"timelineName": "third"})


def test_12_clips_are_deleted_on_the_edit_page() -> None:
    for strict in (True, False):
        fake = world(delete_on_edit_page_only=strict)
        item = fake.first.put("audio", 1, "x", 0, 10)
        fake.OpenPage("fairlight")
        assert fake.first.DeleteClips([item]) is not strict
        fake.OpenPage("edit")
        assert fake.first.DeleteClips([item])
        assert fake.first.GetItemListInTrack("audio", 1) == []


def test_13_every_name_is_there() -> None:
    fake = world()
    assert hasattr(fake, "NoSuchCall")
    assert "NoSuchCall" not in dir(fake)
    assert "GetProductName" in dir(fake)
    assert not hasattr(world(has_every_name=False), "NoSuchCall")


def test_14_the_status_is_in_the_users_language() -> None:
    project = world(localised_status="Finalizado").project
    status = project.GetRenderJobStatus(project.AddRenderJob())
    assert status == {"JobStatus": "Finalizado", "CompletionPercentage": 100}
    assert project.StartRendering()
    assert project.IsRenderingInProgress() is False


def test_15_saving_hangs() -> None:
    with pytest.raises(Hang):
        world(save_hangs=True).GetProjectManager().SaveProject()
    assert world().GetProjectManager().SaveProject()


def test_16_constants_are_live(tmp_path: Path) -> None:
    path = tmp_path / "x.otio"
    for strict in (True, False):
        fake = world(live_enums_only=strict)
        fake.first.otio = "{}"
        assert fake.first.Export(str(path), "EXPORT_OTIO") is False
        assert not path.exists()
    assert fake.first.Export(str(path), fake.EXPORT_OTIO)
    assert path.read_text() == "{}"


def test_a_name_is_taken_once() -> None:
    fake = world()
    assert fake.first.DuplicateTimeline("two")
    assert fake.first.DuplicateTimeline("two") is None
    assert fake.project.pool.CreateEmptyTimeline("two") is None
    assert fake.project.pool.CreateEmptyTimeline("three")


def test_every_trap_is_named_here_or_where_it_is_met() -> None:
    text = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert [f.name for f in fields(Traps) if f"{f.name}=" not in text and f'"{f.name}"' not in text] == []
