"""What is written for Resolve, by what others measured in its free edition 21.1: schemas, paths, markers, mutes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sightmix.plugin.timeline import ResultClip, ResultTrack, Ridden, Timeline, open_timeline, write_result
from sightmix.plugin.timeline.results import Gain
from timeline_kit import clip, external, marker, save, timeline, tr, track, transition, wav

Root = dict[str, Any]
# The schemas Resolve's own exports are made of; with any other an import fails without a reason.
STOCK = {
    "Timeline.1", "Stack.1", "Track.1", "Clip.2", "Gap.1", "Transition.1", "Effect.1", "ExternalReference.1",
    "RationalTime.1", "TimeRange.1",
}  # fmt: skip
RESOLVE = {"Resolve_OTIO": {"Resolve OTIO Meta Version": "1.0"}}


def nodes(value: Any) -> Iterator[Root]:
    """Every object outside metadata."""
    if isinstance(value, list):
        for inner in value:
            yield from nodes(inner)
    if isinstance(value, dict):
        if "OTIO_SCHEMA" in value:
            yield value
        for key, inner in value.items():
            yield from nodes(inner) if key != "metadata" else ()


def ours(root: Root) -> list[Root]:
    return [t for t in root["tracks"]["children"] if t["metadata"].get("sightmix", {}).get("generated")]


@pytest.fixture
def opened(tmp_path: Path) -> Timeline:
    """As Resolve writes one, but for relative paths and a marker on every clip."""
    wav(tmp_path / "a.wav")
    words = {
        "Resolve_OTIO": {"Channels": [{"Source Channel ID": 0, "Source Track ID": 0}], "Link Group ID": 1}
    }
    parts = [
        clip(f"c{i}", tr(24 * i, 48), external("a.wav", tr(0, 240)), metadata=words)
        | {"markers": [marker("here", 24 * i + 5)]}
        for i in (1, 3, 5)
    ]
    first = track(
        "Audio", parts[0], transition(6, 6), parts[1], name="Dialogue", metadata={"Resolve_OTIO": {}}
    )
    second = track("Audio", parts[2], name="Music", metadata={"Resolve_OTIO": {}})
    return open_timeline(save(tmp_path / "in.otio", timeline(first, second, metadata=RESOLVE)))


def results(opened: Timeline, folder: Path) -> dict[int, list[Any]]:
    """The first clip rendered with handles, the others as themselves under a curve."""
    found: dict[int, list[Any]] = {}
    for one in opened.clips:
        if one.index == 1:
            file = wav(folder / "new.wav")
            found[1] = [ResultTrack("rebalanced", ResultClip(file, 48000, 480000, 2, 24000))]
        else:
            found[one.index] = [Ridden(Gain((0.0, 1.0), (0.0, -6.0)))]
    return found


@pytest.fixture
def written(opened: Timeline, tmp_path: Path) -> Root:
    (tmp_path / "out").mkdir()
    out = write_result(opened, results(opened, tmp_path), tmp_path / "out" / "out.otio", mute_originals=True)
    root: Root = json.loads(out.read_text(encoding="utf-8"))
    return root


def test_only_stock_schemas_are_added(written: Root) -> None:
    found = {node["OTIO_SCHEMA"] for made in ours(written) for node in nodes(made)}
    assert {"Clip.2", "Effect.1", "ExternalReference.1"} <= found
    assert found <= STOCK


def test_paths_are_whole_and_lead_to_files(written: Root, tmp_path: Path) -> None:
    targets = [node["target_url"] for node in nodes(written) if "target_url" in node]
    assert len(targets) >= 5
    assert set(targets) == {str(tmp_path / "a.wav"), str(tmp_path / "new.wav")}


def test_paths_are_whole_in_the_same_folder_too(opened: Timeline, tmp_path: Path) -> None:
    out = write_result(opened, results(opened, tmp_path), tmp_path / "out.otio", mute_originals=True)
    made = json.loads(out.read_text(encoding="utf-8"))
    assert {node["target_url"] for node in nodes(made) if "target_url" in node} == {
        str(tmp_path / "a.wav"), str(tmp_path / "new.wav")
    }  # fmt: skip


def test_no_new_clip_has_a_marker_and_the_originals_keep_theirs(written: Root) -> None:
    assert not [m for made in ours(written) for node in nodes(made) for m in node.get("markers") or []]
    first = written["tracks"]["children"][0]["children"]
    assert [len(c["markers"]) for c in first if c["OTIO_SCHEMA"] == "Clip.2"] == [1, 1]


def test_originals_are_muted_as_tracks_and_as_clips(written: Root, tmp_path: Path) -> None:
    """Whichever of the two an import honours, nothing is heard twice; a second run takes both away again."""
    for source in written["tracks"]["children"][:2]:
        assert source["enabled"] is False
        playing = [c for c in source["children"] if not c["OTIO_SCHEMA"].startswith("Transition")]
        assert [c["enabled"] for c in playing] == [False] * len(playing)
    back = open_timeline(tmp_path / "out" / "out.otio")
    assert all(one.enabled for one in back.clips)
    assert len(back.clips) == 3


def test_other_hosts_mute_the_track_alone(tmp_path: Path) -> None:
    wav(tmp_path / "a.wav")
    plain = open_timeline(save(tmp_path / "in.otio", timeline(track("Audio", clip("c", tr(0, 48), "a.wav")))))
    out = write_result(
        plain, {1: [Ridden(Gain((0.0,), (-3.0,)))]}, tmp_path / "out.otio", mute_originals=True
    )
    first = json.loads(out.read_text(encoding="utf-8"))["tracks"]["children"][0]
    assert (first["enabled"], first["children"][0]["enabled"]) == (False, True)
