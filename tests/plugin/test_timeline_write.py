"""Writing results back: the new tracks, and that nothing else changes."""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import opentimelineio as otio
import pytest
from sightmix.engine.errors import TimelineError, WriteError
from sightmix.engine.media.paths import locate
from sightmix.engine.passage import GainCurves, Loudness, Rendition
from sightmix.engine.roles import STEMS
from sightmix.exporters.formats import FORMATS
from sightmix.plugin.jobs.export import ExportRequest, export
from sightmix.plugin.timeline import (
    AudioClip,
    ResultClip,
    ResultTrack,
    Timeline,
    open_timeline,
    result_tracks,
    write_result,
)
from sightmix.plugin.timeline.results import Gain, Ridden
from sightmix.plugin.timeline.write import rehearse
from timeline_kit import (
    DATA,
    clip,
    external,
    gap,
    item,
    marker,
    rt,
    save,
    stack,
    timeline,
    tr,
    track,
    transition,
    warp,
    wav,
)

Root = dict[str, Any]
FILES = sorted(str(p.relative_to(DATA)) for p in DATA.rglob("*.otio"))


@pytest.fixture
def media(tmp_path: Path) -> Path:
    return wav(tmp_path / "ten.wav")


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., Timeline]:
    def made(*tracks: Root, **more: Any) -> Timeline:
        return open_timeline(save(tmp_path / "in.otio", timeline(*tracks, **more)))

    return made


def rendered(
    one: AudioClip, folder: Path, *roles: str, head: int = 48048, channels: int = 2
) -> list[ResultTrack]:
    """Results of a made-up render with a second of handles."""
    files = [folder / f"{one.index:02d} {role}.wav" for role in roles or ("rebalanced",)]
    length = head + round(one.duration * abs(one.speed) * 48000) + 48000
    return [
        ResultTrack(role, ResultClip(path, 48000, length, channels, head))
        for role, path in zip(roles or ("rebalanced",), files, strict=True)
    ]


def every(source: Timeline, folder: Path, *roles: str) -> dict[int, list[ResultTrack]]:
    return {c.index: rendered(c, folder, *roles) for c in source.clips}


def read(path: Path) -> Root:
    root: Root = json.loads(path.read_text())
    return root


def tracks_of(root: Root) -> list[Root]:
    tracks: list[Root] = root["tracks"]["children"]
    return tracks


def ours(root: Root) -> list[Root]:
    return [t for t in tracks_of(root) if t.get("metadata", {}).get("sightmix", {}).get("generated")]


def kinds(node: Root) -> list[str]:
    return [child["OTIO_SCHEMA"].partition(".")[0] for child in node["children"]]


def value(time: Root) -> tuple[float, float]:
    return time["value"], time["rate"]


# The rest of the document


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("mute", [False, True])
def test_nothing_else_changes_in_real_files(tmp_path: Path, name: str, mute: bool) -> None:
    source = open_timeline(DATA / name)
    out = tmp_path / "out.otio"
    write_result(source, every(source, tmp_path, "rebalanced", "music"), out, mute, {"model": "m", "seed": 1})
    written = read(out)
    added = ours(written)
    written["tracks"]["children"] = [t for t in tracks_of(written) if t not in added]
    for node in _all(written):
        mark = node.get("metadata", {}).get("sightmix") if isinstance(node.get("metadata"), dict) else None
        if mark:
            _unmuted(node)
    original = json.loads((DATA / name).read_text())
    if name.startswith("tlrender"):
        original, written = _without_urls(original), _without_urls(written)
    assert json.dumps(written) == json.dumps(original)
    assert len(added) >= 2 or not source.clips


def _all(node: Any) -> Any:
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from _all(child)
    elif isinstance(node, list):
        for child in node:
            yield from _all(child)


def _unmuted(node: Root) -> None:
    was = node["metadata"].pop("sightmix")
    assert was["muted"] is True
    assert node["enabled"] is False
    if "enabled" in was["was"]:
        node["enabled"] = was["was"]["enabled"]
    else:
        node.pop("enabled")
    if "has_metadata" not in was["was"]:
        del node["metadata"]


def _without_urls(root: Root) -> Root:
    """Relative media paths are made absolute when the result goes elsewhere."""
    for node in _all(root):
        if "target_url" in node:
            node["target_url"] = Path(node["target_url"]).name
    return root


@pytest.mark.parametrize("name", FILES)
def test_the_library_reads_the_result(tmp_path: Path, name: str) -> None:
    source = open_timeline(DATA / name)
    out = tmp_path / "out.otio"
    write_result(source, every(source, tmp_path), out)
    if "Marker.3" in out.read_text():
        pytest.skip("the file itself is newer than the library")
    theirs = otio.adapters.read_from_file(str(out))
    new = [t for t in theirs.tracks if t.metadata.get("sightmix")]
    placed = [c for t in new for c in t if isinstance(c, otio.schema.Clip)]
    assert len(placed) == len(source.clips)
    by_name = {c.name: c for c in placed}
    for one in source.clips:
        there = by_name[f"{one.index:02d} rebalanced.wav"]
        where = there.range_in_parent()
        assert where.start_time.to_seconds() == pytest.approx(float(one.record_in), abs=1e-9)
        assert where.duration.to_seconds() == pytest.approx(float(one.duration), abs=1e-9)
        begin = there.source_range.start_time - there.available_range().start_time
        assert round(begin.to_seconds() * 48000) == 48048


def test_text_layout_survives(tmp_path: Path, media: Path) -> None:
    root = timeline(track("Audio", clip("é 音", tr(0.0, 24.0), str(media))))
    for text in (
        json.dumps(root),
        json.dumps(root, indent=2) + "\n",
        json.dumps(root, indent=4, ensure_ascii=False),
        json.dumps(root, indent=4, ensure_ascii=False) + "\n\n",
    ):
        path = tmp_path / "in.otio"
        path.write_text(text)
        write_result(open_timeline(path), {}, tmp_path / "out.otio")
        assert (tmp_path / "out.otio").read_text() == text


def test_odd_numbers_and_unknown_schemas_survive(tmp_path: Path, media: Path) -> None:
    odd = {
        "a": float("nan"),
        "b": float("inf"),
        "c": 24.0,
        "d": 24,
        "e": 1e-7,
        "f": 29.97002997002997,
        "g": "\ud800",
    }
    effect = {"OTIO_SCHEMA": "Novelty.9", "x": [odd]}
    path = save(
        tmp_path / "in.otio", timeline(track("Audio", clip("a", tr(0, 24), str(media), effects=[effect])))
    )
    write_result(open_timeline(path), {}, tmp_path / "out.otio")
    assert (tmp_path / "out.otio").read_text() == path.read_text()


@pytest.mark.parametrize("ascii", [True, False])
def test_names_cut_inside_a_character_are_mended_so_that_hosts_read_them(
    tmp_path: Path, media: Path, ascii: bool
) -> None:
    half = clip("a \ud83d", tr(0, 24), str(media), markers=[marker("m \ud83d", 0, OTIO_SCHEMA="Marker.2")])
    reference = half["media_references"]["DEFAULT_MEDIA"]
    reference["name"] = "r \ud83d"
    root = timeline(track("Audio", half, name="t \ud83d")) | {"name": "Ü \ud83d"}
    path = tmp_path / "in.otio"
    path.write_bytes(json.dumps(root, ensure_ascii=ascii).encode(errors="surrogatepass") if ascii else b"")
    if not ascii:
        path.write_text(json.dumps(root, ensure_ascii=False).replace("\ud83d", "\\ud83d"))
    write_result(open_timeline(path), {}, tmp_path / "out.otio")
    theirs = otio.adapters.read_from_file(str(tmp_path / "out.otio"))
    found = next(iter(theirs.find_clips()))
    names = [theirs.name, found.parent().name, found.name, found.markers[0].name, found.media_reference.name]
    assert names == [f"{letter} \ufffd" for letter in "Ütamr"]


# The new tracks


def test_gaps_clips_and_rates(tmp_path: Path, media: Path, opened: Any) -> None:
    first, second = (clip(n, tr(s, d), str(media)) for n, s, d in (("a", 24.0, 48.0), ("b", 0.0, 24.0)))
    source = opened(
        track("Audio", gap(36.0), first, gap(12.0), second, name="Dialog"), track("Video"), track("Audio")
    )
    out = tmp_path / "out.otio"
    results = {1: rendered(source.clips[0], tmp_path, head=48000), 2: rendered(source.clips[1], tmp_path)}
    write_result(source, results, out, provenance={"model": "m"})
    assert [t["name"] for t in tracks_of(read(out))] == ["Dialog", "", "", "Dialog rebalanced"]
    new = ours(read(out))[0]
    assert kinds(new) == ["Gap", "Clip", "Gap", "Clip"]
    assert [value(c["source_range"]["duration"]) for c in new["children"]] == [
        (36.0, 24.0),
        (48.0, 24.0),
        (12.0, 24.0),
        (48000.0, 48000.0),
    ]
    whole, odd = new["children"][1], new["children"][3]
    assert value(whole["source_range"]["start_time"]) == (24.0, 24.0)  # one second is whole frames
    assert value(odd["source_range"]["start_time"]) == (48048.0, 48000.0)  # 48048 samples are not
    reference = whole["media_references"]["DEFAULT_MEDIA"]
    assert value(reference["available_range"]["duration"]) == (192000.0, 48000.0)
    assert reference["target_url"] == (tmp_path / "01 rebalanced.wav").as_uri()
    assert new["metadata"]["sightmix"] == {
        "generated": True,
        "role": "rebalanced",
        "source": "Dialog",
        "provenance": {"model": "m"},
    }
    assert whole["metadata"]["sightmix"]["clip"] == source.clips[0].identifier


def test_stems_get_a_track_each(tmp_path: Path, media: Path, opened: Any) -> None:
    lanes = [track("Audio", clip("a", tr(0, 24), str(media)), name=f"Audio {n}") for n in (1, 2)]
    source = opened(*lanes)
    write_result(
        source, every(source, tmp_path, "effects", "music", "rebalanced", "dialogue"), tmp_path / "o.otio"
    )
    assert [t["name"] for t in tracks_of(read(tmp_path / "o.otio"))] == [
        "Audio 1",
        "Audio 2",
        *(f"Audio {n} {role}" for n in (1, 2) for role in ("rebalanced", "dialogue", "music", "effects")),
    ]


def test_time_stamps_shift_both_ranges(tmp_path: Path, media: Path, opened: Any) -> None:
    source = opened(track("Audio", clip("a", tr(48, 24), str(media))))
    stamped = ResultClip(tmp_path / "r.wav", 48000, 144000, 1, 48000, media_start=3600 * 48000)
    write_result(source, {1: [ResultTrack("rebalanced", stamped)]}, tmp_path / "o.otio")
    new = ours(read(tmp_path / "o.otio"))[0]["children"][0]
    assert value(new["source_range"]["start_time"]) == (3601 * 24, 24)
    available = new["media_references"]["DEFAULT_MEDIA"]["available_range"]
    assert value(available["start_time"]) == (3600 * 48000, 48000)


def test_ntsc_frames_are_kept_where_they_are_exact(tmp_path: Path, media: Path, opened: Any) -> None:
    source = opened(track("Audio", gap(10, 29.97), clip("a", tr(60, 61, 29.97), str(media))))
    passage = source.clips[0].passage()
    head = int(passage.head * 48000)
    length = ResultClip(tmp_path / "r.wav", 48000, head + 150000, 2, head)
    write_result(source, {1: [ResultTrack("rebalanced", length)]}, tmp_path / "o.otio")
    new = ours(read(tmp_path / "o.otio"))[0]
    assert [value(c["source_range"]["duration"]) for c in new["children"]] == [(10, 29.97), (61, 29.97)]
    assert value(new["children"][1]["source_range"]["start_time"]) == (30, 29.97)


@pytest.mark.parametrize("host", [{}, {"Resolve_OTIO": {}}])
def test_time_stamps_in_samples_mean_the_nearest_frame(
    tmp_path: Path, media: Path, opened: Any, host: Root
) -> None:
    source = opened(track("Audio", clip("a", tr(60, 61, 29.97), str(media))), metadata=host)
    stamp = round(Fraction(107893 * 1001, 30000) * 48000)  # frame 107893 begins between two samples
    result = ResultClip(tmp_path / "r.wav", 48000, 400000, 2, 48048, media_start=stamp)
    write_result(source, {1: [ResultTrack("rebalanced", result)]}, tmp_path / "o.otio")
    new = ours(read(tmp_path / "o.otio"))[0]["children"][0]
    assert value(new["source_range"]["start_time"]) == (107923, 29.97)
    available = new["media_references"]["DEFAULT_MEDIA"]["available_range"]
    assert value(available["start_time"]) == (107893, 29.97)
    assert value(available["duration"]) == ((249, 29.97) if host else (400000, 48000))


def test_transitions_between_neighbours_and_as_fades(tmp_path: Path, media: Path, opened: Any) -> None:
    parts = [clip(n, tr(48, 48), str(media)) for n in "abc"]
    source = opened(
        track("Audio", transition(0, 12), parts[0], transition(6, 6), parts[1], transition(4, 4), parts[2])
    )
    out = tmp_path / "o.otio"
    write_result(source, every(source, tmp_path), out)
    assert kinds(ours(read(out))[0]) == kinds(tracks_of(read(out))[0])
    write_result(source, {2: rendered(source.clips[1], tmp_path)}, out)
    assert kinds(ours(read(out))[0]) == ["Gap", "Transition", "Clip", "Transition"]
    write_result(
        source, {1: rendered(source.clips[0], tmp_path), 3: rendered(source.clips[2], tmp_path)}, out
    )
    new = ours(read(out))[0]
    assert kinds(new) == ["Transition", "Clip", "Transition", "Gap", "Transition", "Clip"]
    original = tracks_of(read(out))[0]["children"]
    assert [new["children"][i] for i in (0, 2, 4)] == [original[i] for i in (0, 2, 4)]


def test_transitions_of_compounds_go_to_the_clips_at_their_ends(
    tmp_path: Path, media: Path, opened: Any
) -> None:
    def compound(name: str, *inner: Root) -> Root:
        return stack(track("Audio", *inner), name=name, source_range=tr(24, 48))

    whole, halves = clip("a", tr(48, 96), str(media)), [clip(n, tr(48, 48), str(media)) for n in "bc"]
    joints = [transition(18, 12), transition(6, 6)]
    source = opened(
        track(
            "Audio", compound("x", whole), joints[0], compound("y", halves[0], transition(4, 4), halves[1])
        ),
        track("Audio", gap(96), joints[1], clip("d", tr(48, 24), str(media))),
    )
    a, b, c, _ = source.clips
    assert [(clip.leaf.before, clip.leaf.after) for clip in (a, c)] == [
        (None, a.leaf.after),
        (b.leaf.after, None),
    ]
    assert a.leaf.after == b.leaf.before
    assert b.passage(handles=Fraction(0)).head == Fraction(18, 24)
    assert a.passage(handles=Fraction(0)).tail == Fraction(12, 24)
    out = tmp_path / "o.otio"
    write_result(source, every(source, tmp_path), out)
    made = ours(read(out))
    assert kinds(made[0]) == ["Clip", "Transition", "Clip", "Transition", "Clip"]
    assert made[0]["children"][1] == joints[0]
    assert kinds(made[1]) == ["Gap", "Transition", "Clip"]


def test_what_lies_after_the_new_tracks_is_muted_too(tmp_path: Path, media: Path, opened: Any) -> None:
    inner = [track("Video", gap(48)), track("Audio", clip("b", tr(0, 48), str(media)))]
    source = opened(
        track("Audio", clip("a", tr(0, 48), str(media))),
        track("Video", gap(24), stack(*inner, name="scene"), gap(24)),
    )
    out = tmp_path / "o.otio"
    write_result(source, {2: rendered(source.clips[1], tmp_path)}, out, mute_originals=True)
    audio, new, video = read(out)["tracks"]["children"]
    assert (audio["enabled"], new["enabled"], video["enabled"]) == (True, True, True)
    assert new["children"][1]["enabled"] is True
    scene = video["children"][1]
    assert [t["children"][0]["enabled"] for t in scene["children"]] == [True, False]
    assert video["children"][0]["enabled"] is True


def test_effects_are_copied_and_markers_are_not(tmp_path: Path, media: Path, opened: Any) -> None:
    fader = {"OTIO_SCHEMA": "Effect.1", "metadata": {"x": [1.0]}, "name": "", "effect_name": "Volume"}
    source = opened(
        track(
            "Audio",
            clip("a", tr(0, 24), str(media), effects=[warp(2.0), fader], markers=[marker("m", 0)]),
            effects=[fader],
        )
    )
    write_result(source, every(source, tmp_path), tmp_path / "o.otio")
    new = ours(read(tmp_path / "o.otio"))[0]
    assert new["effects"] == [fader]
    assert new["children"][0]["effects"] == [warp(2.0), fader]
    assert new["children"][0]["markers"] == []
    assert value(new["children"][0]["source_range"]["duration"]) == (48000, 48000)


def test_ramps_count_over_the_new_file(tmp_path: Path, media: Path, opened: Any) -> None:
    keys = [[0.0, 0.0, False], [4.0, 2.0, True], [12.0, 10.0, False]]
    ramp = {
        "OTIO_SCHEMA": "TimeEffect.1",
        "metadata": {"Resolve_OTIO": {"Key Frames": keys, "Speed Ratio": 0.8}},
    }
    source = opened(track("Audio", clip("a", tr(24, 96), str(media), effects=[ramp])))
    cue = source.clips[0].passage(Fraction(1, 2))
    assert (cue.sound.start, cue.sound.duration) == (1, 3)
    assert cue.head == Fraction(1, 4)  # half a second of record time at half speed
    result = ResultClip(tmp_path / "r.wav", 48000, 48000 * 4, 2, 24000)
    write_result(source, {1: [ResultTrack("rebalanced", result)]}, tmp_path / "o.otio")
    host = ours(read(tmp_path / "o.otio"))[0]["children"][0]["effects"][0]["metadata"]["Resolve_OTIO"]
    assert [row[:3] for row in host["Key Frames"]] == [[0.0, 0.0, False], [3.0, 1.5, True], [5.5, 4.0, False]]
    assert host["Speed Ratio"] == pytest.approx(4 / 5.5)


def test_clip_1_stays_clip_1(tmp_path: Path, media: Path, opened: Any) -> None:
    old = item("Clip.1", "a", tr(0, 24), media_reference=external(str(media)))
    source = opened(track("Audio", old))
    write_result(source, every(source, tmp_path), tmp_path / "o.otio")
    new = ours(read(tmp_path / "o.otio"))[0]["children"][0]
    assert new["OTIO_SCHEMA"] == "Clip.1"
    assert new["media_reference"]["target_url"].endswith("rebalanced.wav")
    assert "media_references" not in new


def test_integer_times_stay_integers(tmp_path: Path, media: Path, opened: Any) -> None:
    source = opened(track("Audio", gap(24, 24), clip("a", tr(0, 24, 24), str(media))))
    write_result(source, every(source, tmp_path), tmp_path / "o.otio")
    assert ".0" not in json.dumps(ours(read(tmp_path / "o.otio")))


def test_nested_clips_lie_flat(tmp_path: Path, media: Path, opened: Any) -> None:
    nest = stack(
        track("Audio", gap(12), clip("x", tr(24, 48), str(media))),
        track("Audio", clip("y", tr(0, 96), str(media))),
        source_range=tr(24, 24),
    )
    source = opened(track("Audio", clip("a", tr(0, 24), str(media)), nest, clip("b", tr(0, 24), str(media))))
    write_result(source, every(source, tmp_path), tmp_path / "o.otio")
    lanes = ours(read(tmp_path / "o.otio"))
    assert [t["name"] for t in lanes] == ["Audio 1 rebalanced", "Audio 1 rebalanced 2"]
    assert [kinds(t) for t in lanes] == [["Clip", "Clip", "Clip"], ["Gap", "Clip"]]
    again = open_timeline(tmp_path / "o.otio")
    assert [(c.record_in, c.record_out, c.name) for c in again.clips] == [
        (0, 1, "a"),
        (1, 2, "x"),
        (1, 2, "y"),
        (2, 3, "b"),
    ]


def test_trimmed_timeline_keeps_its_positions(tmp_path: Path, media: Path, opened: Any) -> None:
    source = opened(track("Audio", gap(24), clip("a", tr(0, 96), str(media))), source_range=tr(48, 48))
    write_result(source, every(source, tmp_path), tmp_path / "o.otio")
    new = ours(read(tmp_path / "o.otio"))[0]
    assert value(new["children"][0]["source_range"]["duration"]) == (48, 24)


# Dialects


def test_resolve_dialect(tmp_path: Path, media: Path, opened: Any) -> None:
    lane = {"Resolve_OTIO": {"Audio Type": "Stereo", "Locked": True, "SoloOn": True}}
    pairs = [{"Source Channel ID": 1, "Source Track ID": 0}]
    host = {"Resolve_OTIO": {"Channels": pairs, "Link Group ID": 5}, "other": 1}
    one = clip("ten.wav", tr(24.0, 48.0), str(media), metadata=host)
    source = opened(
        track("Audio", gap(24.0), one, gap(24.0), name="Audio 1", metadata=lane),
        metadata={"Resolve_OTIO": {}},
        start=rt(86400.0, 24.0),
    )
    results = {1: rendered(source.clips[0], tmp_path, head=48000, channels=1)}
    write_result(source, results, tmp_path / "o.otio")
    new = ours(read(tmp_path / "o.otio"))[0]
    assert list(new) == list(tracks_of(read(tmp_path / "o.otio"))[0])
    assert new["metadata"]["Resolve_OTIO"] == {"Audio Type": "Stereo", "Locked": False, "SoloOn": False}
    assert kinds(new) == ["Gap", "Clip", "Gap"]
    made = new["children"][1]
    assert list(made) == list(one)
    assert made["metadata"]["Resolve_OTIO"] == {
        "Channels": [{"Source Channel ID": 0, "Source Track ID": 0}],
        "Link Group ID": 5,
    }
    assert "other" not in made["metadata"]
    reference = made["media_references"]["DEFAULT_MEDIA"]
    assert reference["target_url"] == str(tmp_path / "01 rebalanced.wav")
    assert reference["available_range"] == tr(0.0, 96.0, 24.0)
    assert made["source_range"] == tr(24.0, 48.0, 24.0)


def test_premiere_dialect(tmp_path: Path, media: Path, opened: Any) -> None:
    lane = {"PremierePro_OTIO": {"AudioChannels": {"ChannelType": "Stereo", "NumberOfChannels": 2}}}
    host = {
        "PremierePro_OTIO": {
            "AudioChannels": {"ChannelType": "Mono", "SecondaryAssignments": [{"SecondaryChannelIndex": 1}]},
            "LinkID": "12",
            "OriginalChannelGroupIndex": 1,
            "SourceClipIndex": 4,
        }
    }
    one = clip("a", tr(0, 48), str(media), metadata=host, effects=[warp(2.0)])
    source = opened(
        track("Audio", gap(24), one, metadata=lane, effects=[{"OTIO_SCHEMA": "Effect.1"}]),
        metadata={"PremierePro_OTIO": {"MetadataVersion": "1.0"}},
    )
    assert source.clips[0].duration == 1
    write_result(source, every(source, tmp_path), tmp_path / "o.otio")
    new = ours(read(tmp_path / "o.otio"))[0]
    assert new["metadata"]["PremierePro_OTIO"] == lane["PremierePro_OTIO"]
    assert new["effects"] == [{"OTIO_SCHEMA": "Effect.1"}]
    made = new["children"][1]
    assert made["metadata"]["PremierePro_OTIO"] == {
        "AudioChannels": {
            "ChannelType": "Stereo",
            "SecondaryAssignments": [{"SecondaryChannelIndex": 0}, {"SecondaryChannelIndex": 1}],
        },
        "LinkID": "12",
        "OriginalChannelGroupIndex": 0,
        "SourceClipIndex": 0,
    }
    assert made["media_references"]["DEFAULT_MEDIA"]["target_url"].startswith("file:///")
    rate = made["source_range"]["duration"]["rate"]
    assert made["source_range"]["duration"]["value"] / rate == 2  # source frames: twice the record length


# Muting and running again


def test_mutes_whole_tracks_or_single_clips(tmp_path: Path, media: Path, opened: Any) -> None:
    def part(name: str, **more: Any) -> Root:
        return clip(name, tr(0, 24), str(media), **more)

    plain = part("plain")
    del plain["enabled"], plain["metadata"]
    source = opened(
        track("Audio", part("a"), part("off", enabled=False)),
        track("Audio", part("b"), plain),
    )
    out = tmp_path / "o.otio"
    wanted = {c.index: rendered(c, tmp_path) for c in source.clips if c.name in ("a", "plain")}
    write_result(source, wanted, out, mute_originals=True)
    first, second = tracks_of(read(out))[:2]
    assert (first["enabled"], second["enabled"]) == (False, True)
    assert [c.get("enabled") for c in first["children"]] == [True, False]
    assert [c["enabled"] for c in second["children"]] == [True, False]
    again = open_timeline(out)
    assert [(c.name, c.enabled) for c in again.clips] == [(c.name, c.enabled) for c in source.clips]
    write_result(again, wanted, tmp_path / "p.otio", mute_originals=True)
    assert (tmp_path / "p.otio").read_bytes() == out.read_bytes()
    write_result(again, {}, tmp_path / "q.otio")
    assert (tmp_path / "q.otio").read_bytes() == (tmp_path / "in.otio").read_bytes()


def test_in_resolve_the_clips_of_a_muted_track_are_off_as_well(
    tmp_path: Path, media: Path, opened: Any
) -> None:
    source = opened(
        track("Audio", clip("a", tr(0, 24), str(media)), gap(24), clip("b", tr(0, 24), str(media))),
        metadata={"Resolve_OTIO": {"Resolve OTIO Meta Version": "1.0"}},
    )
    wanted = {c.index: rendered(c, tmp_path) for c in source.clips}
    out = tmp_path / "o.otio"
    write_result(source, wanted, out, mute_originals=True)
    muted = tracks_of(read(out))[0]
    assert [muted["enabled"], *(c["enabled"] for c in muted["children"])] == [False, False, True, False]
    write_result(open_timeline(out), {}, tmp_path / "q.otio")
    assert (tmp_path / "q.otio").read_bytes() == (tmp_path / "in.otio").read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_running_again_gives_the_same_bytes(tmp_path: Path, name: str) -> None:
    source = open_timeline(DATA / name)
    results = every(source, tmp_path, "rebalanced", "dialogue")
    write_result(source, results, tmp_path / "one.otio", True, {"seed": 3})
    write_result(open_timeline(tmp_path / "one.otio"), results, tmp_path / "two.otio", True, {"seed": 3})
    assert (tmp_path / "one.otio").read_bytes() == (tmp_path / "two.otio").read_bytes()
    again = open_timeline(tmp_path / "two.otio")
    assert [(c.name, c.record_in, c.state) for c in again.clips] == [
        (c.name, c.record_in, c.state) for c in source.clips
    ]


def test_the_timeline_in_memory_is_not_touched(tmp_path: Path, media: Path, opened: Any) -> None:
    source = opened(track("Audio", clip("a", tr(0, 24), str(media))))
    before = copy.deepcopy(source.root)
    write_result(source, every(source, tmp_path), tmp_path / "o.otio", True)
    assert source.root == before


# Where media lies


def test_relative_media_is_anchored_only_when_the_folder_changes(tmp_path: Path, media: Path) -> None:
    root = timeline(
        track(
            "Audio",
            *(clip("a", tr(0, 24), url) for url in ("ten.wav", "gone.wav", "E:\\x.wav", media.as_uri())),
        )
    )
    source = open_timeline(save(tmp_path / "in.otio", root))
    (tmp_path / "else").mkdir()
    urls = []
    for out in (tmp_path / "o.otio", tmp_path / "else" / "o.otio"):
        write_result(source, {}, out)
        children = tracks_of(read(out))[0]["children"]
        urls.append([c["media_references"]["DEFAULT_MEDIA"]["target_url"] for c in children])
    assert urls[0] == ["ten.wav", "gone.wav", "E:\\x.wav", media.as_uri()]
    assert urls[1] == [media.as_uri(), "gone.wav", "E:\\x.wav", media.as_uri()]


@pytest.mark.parametrize(
    "url",
    ["my%20sound.wav", "file:my%20sound.wav", "file:./my%20sound.wav", "file:sub/../my%20sound.wav"],
)
def test_relative_addresses_of_every_kind_lead_to_the_same_file(
    tmp_path: Path, media: Path, url: str
) -> None:
    (tmp_path / "my sound.wav").write_bytes(media.read_bytes())
    (tmp_path / "sub").mkdir()
    (tmp_path / "else").mkdir()
    source = open_timeline(save(tmp_path / "in.otio", timeline(track("Audio", clip("a", tr(0, 24), url)))))
    write_result(source, {}, tmp_path / "else" / "o.otio")
    [child] = tracks_of(read(tmp_path / "else" / "o.otio"))[0]["children"]
    address = child["media_references"]["DEFAULT_MEDIA"]["target_url"]
    assert address.startswith("file:///")
    found = locate(address, tmp_path / "else")
    assert found.samefile(tmp_path / "my sound.wav")


@pytest.mark.parametrize(
    ("base", "moved"), [("frames", True), ("file:frames/", True), ("", True), ("https://x/frames/", False)]
)
def test_image_sequences_lead_to_the_same_frames(tmp_path: Path, base: str, moved: bool) -> None:
    folder = tmp_path / "frames" if "frames" in base else tmp_path
    for where in {folder, tmp_path / "else"}:
        where.mkdir(exist_ok=True)
    (folder / "shot.0001.png").write_bytes(b"png")
    sequence = {
        "OTIO_SCHEMA": "ImageSequenceReference.1",
        "metadata": {},
        "name": "",
        "available_range": tr(0, 24),
        "target_url_base": base,
        "name_prefix": "shot.",
        "name_suffix": ".png",
        "start_frame": 1,
        "frame_step": 1,
        "rate": 24.0,
        "frame_zero_padding": 4,
        "missing_frame_policy": "error",
    }
    shot = clip("a", tr(0, 24), "x")
    shot["media_references"]["DEFAULT_MEDIA"] = sequence
    source = open_timeline(save(tmp_path / "in.otio", timeline(track("Video", shot))))
    write_result(source, {}, tmp_path / "else" / "o.otio")
    [child] = tracks_of(read(tmp_path / "else" / "o.otio"))[0]["children"]
    written = child["media_references"]["DEFAULT_MEDIA"]["target_url_base"]
    assert written == (folder.as_uri() + "/" if moved else base)


def test_an_xml_names_its_media_from_anywhere(tmp_path: Path, ready: Any) -> None:
    source, results = ready
    (tmp_path / "near.otio").write_text(source.path.read_text().replace(f"{tmp_path}/", ""))
    again = open_timeline(tmp_path / "near.otio")
    made = write_result(again, results, tmp_path / "o.xml")
    urls = re.findall(r"<pathurl>file://(?:localhost)?(.*?)</pathurl>", made.read_text())
    assert len(urls) == made.read_text().count("<pathurl>") == 2
    assert all(url.startswith(f"{tmp_path}/") for url in urls)


def test_collections_and_lone_tracks_are_written_whole(tmp_path: Path, media: Path) -> None:
    reel = timeline(track("Audio", clip("a", tr(0, 24), str(media))), name="two")
    root = {"OTIO_SCHEMA": "SerializableCollection.1", "name": "", "children": [timeline(name="one"), reel]}
    source = open_timeline(save(tmp_path / "in.otio", root), timeline="two")
    write_result(source, every(source, tmp_path), tmp_path / "o.otio")
    written = read(tmp_path / "o.otio")
    assert written["children"][0] == root["children"][0]
    assert len(written["children"][1]["tracks"]["children"]) == 2
    lone = open_timeline(save(tmp_path / "in.otio", track("Audio", clip("a", tr(0, 24), str(media)))))
    write_result(lone, every(lone, tmp_path), tmp_path / "o.otio")
    assert len(tracks_of(read(tmp_path / "o.otio"))) == 2


@pytest.mark.parametrize("coloured", [True, False])
def test_new_tracks_have_their_roles_colours_where_the_document_has_colours(
    tmp_path: Path, media: Path, opened: Any, coloured: bool
) -> None:
    mine = {"OTIO_SCHEMA": "Color.1", "r": 0.5, "g": 0.25, "b": 1.0, "a": 1.0, "name": "mine"}
    own = {"color": mine} if coloured else {}
    source = opened(track("Audio", clip("a", tr(0, 24), str(media)), name="A1", **own))
    file = ResultClip(media, 48000, 48000, 2)
    found = [ResultTrack(role, file) for role in ("rebalanced", "dialogue", "music")]
    found.append(Ridden(Gain((0.0,), (-3.0,)), category="effects"))
    write_result(source, {1: found}, tmp_path / "o.otio")
    tracks = {t["name"]: t.get("color") for t in tracks_of(read(tmp_path / "o.otio"))}
    if not coloured:
        assert set(tracks.values()) == {None}
        return
    assert tracks["A1"] == tracks["A1 rebalanced"] == mine
    assert tracks["A1 music"]["name"] == "music"
    assert tracks["A1 effects rebalanced"]["name"] == "effects"
    theirs = otio.adapters.read_from_file(str(tmp_path / "o.otio"))
    speech = next(t for t in theirs.tracks if t.name == "A1 dialogue")
    assert (round(speech.color.r * 255), round(speech.color.g * 255), round(speech.color.b * 255)) == (
        31,
        102,
        209,
    )


def test_media_files_become_timelines(tmp_path: Path, media: Path) -> None:
    source = open_timeline(media)
    write_result(source, every(source, tmp_path), tmp_path / "o.otio", True)
    names = [t["name"] for t in tracks_of(read(tmp_path / "o.otio"))]
    assert names == ["Audio 1", "Audio 1 rebalanced"]
    assert otio.adapters.read_from_file(str(tmp_path / "o.otio")).duration().to_seconds() == 10


# Other formats


@pytest.fixture
def ready(tmp_path: Path, media: Path, opened: Any) -> tuple[Timeline, dict[int, list[ResultTrack]]]:
    video = clip("v", tr(0.0, 72.0), external(str(media), tr(0.0, 240.0)))
    one = clip("a", tr(24.0, 48.0), external(str(media), tr(0.0, 240.0)), markers=[marker("m", 24.0)])
    source = opened(track("Video", video), track("Audio", gap(24.0), one), start=rt(86400.0, 24.0))
    wav(tmp_path / "01 rebalanced.wav", 4)
    return source, {
        1: [ResultTrack("rebalanced", ResultClip(tmp_path / "01 rebalanced.wav", 48000, 192000, 2, 48000))]
    }


@pytest.mark.parametrize(("suffix", "count"), [(".xml", 2), (".aaf", 4)])
def test_formats_come_back_through_others_readers(
    tmp_path: Path, ready: Any, suffix: str, count: int
) -> None:
    source, results = ready
    out = write_result(source, results, tmp_path / f"out{suffix}")
    back = otio.adapters.read_from_file(str(out))
    if isinstance(back, otio.schema.SerializableCollection):
        back = next(iter(back.find_children(descended_from_type=otio.schema.Timeline)))
    placed = [c for t in back.audio_tracks() for c in t if isinstance(c, otio.schema.Clip)]
    spans = [(c.range_in_parent().start_time.to_seconds(), c.duration().to_seconds()) for c in placed]
    assert spans == [(1.0, 2.0)] * count  # two sounds, in an AAF with a slot for each of their channels


@pytest.mark.parametrize("ranged", [True, False], ids=["ranges", "no ranges"])
@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.key)
def test_every_format_is_what_export_makes_of_the_same_result(
    tmp_path: Path, ready: Any, form: Any, ranged: bool
) -> None:
    if form.suffix == ".otio":
        pytest.skip("a result of that name is the document itself")
    source, results = ready
    if not ranged:  # legal; Kdenlive and many scripts leave them out
        text = source.path.read_text()
        document = json.loads(text)
        for node in _all(document):
            node.pop("available_range", None)
        source = open_timeline(save(tmp_path / "bare.otio", document))
    gain = Gain((0.0, 1.0, 2.0), (0.0, -6.0, -3.0))
    found = {1: [*results[1], Ridden(gain, enabled=False, category="dialogue")]}
    lost: list[str] = []
    write_result(source, found, tmp_path / f"direct{form.suffix}", True, losses=lost)
    write_result(source, found, tmp_path / "result.otio", True)
    by_export = export(ExportRequest(tmp_path / "result.otio", tmp_path / f"other{form.suffix}", form.key))
    assert tuple(lost) == by_export.lost
    one, other = (_without_ids(tmp_path / f"{name}{form.suffix}") for name in ("direct", "other"))
    assert one == other
    assert len(one) > 10
    assert rehearse(source, found, tmp_path / f"x{form.suffix}", True) == tuple(lost)
    assert not (tmp_path / f"x{form.suffix}").exists()


def _without_ids(path: Path) -> bytes | list[str]:
    """A file's content; of an AAF what its mobs hold, since it has new identifiers every time."""
    if path.suffix != ".aaf":
        return path.read_bytes()
    import aaf2

    with aaf2.open(str(path)) as file:
        slots = [(mob.name, slot.name, slot.segment) for mob in file.content.mobs for slot in mob.slots]
        lines = [f"{names} {segment.length} {segment}" for *names, segment in slots]
        for *_, segment in slots:
            parts = getattr(segment, "components", ())
            lines.append(repr([(type(part).__name__, part.length) for part in parts]))
    return sorted(re.sub(r" at 0x\w+|urn:\S+", "", line) for line in lines)


@pytest.mark.parametrize("suffix", [".otioz", ".otiod"])
def test_bundles_carry_the_media(tmp_path: Path, ready: Any, suffix: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source, results = ready
    out = tmp_path / f"out{suffix}"
    for _ in range(2):  # the second run replaces the first
        write_result(source, results, out)
    back = open_timeline(out)
    assert [(c.name, c.state) for c in back.clips] == [("a", "online")]
    new = ours(json.loads(_playlist(out)))
    assert new[0]["children"][1]["media_references"]["DEFAULT_MEDIA"]["target_url"].startswith("media/01")
    again = write_result(back, results, tmp_path / "flat.otio")
    first = open_timeline(again).clips[0]
    assert (first.state, first.path is not None and first.path.is_absolute()) == ("online", True)


@pytest.mark.parametrize("suffix", [".otioz", ".otiod"])
def test_files_of_one_name_stay_apart_in_a_bundle_and_lost_ones_keep_their_address(
    tmp_path: Path, opened: Any, suffix: str, monkeypatch: Any
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for folder, seconds in (("one", 1), ("two", 2)):
        (tmp_path / folder).mkdir()
        wav(tmp_path / folder / "take 1.wav", seconds)
    named = ["one/take 1.wav", "two/take 1.wav", "one/take 1.wav", "gone/take 1.wav"]
    clips = [clip(str(i), tr(0, 12), str(tmp_path / name)) for i, name in enumerate(named)]
    out = write_result(opened(track("Audio", *clips)), {}, tmp_path / f"out{suffix}")
    urls = [node["target_url"] for node in _all(json.loads(_playlist(out))) if "target_url" in node]
    assert urls == [
        "media/take%201.wav",
        "media/take%201-2.wav",
        "media/take%201.wav",
        str(tmp_path / named[3]),
    ]
    back = open_timeline(out)
    assert [c.state for c in back.clips] == ["online"] * 3 + ["offline"]
    kept = [c.path.read_bytes() for c in back.clips[:3] if c.path is not None]
    assert kept == [(tmp_path / name).read_bytes() for name in named[:3]]
    assert len(list(otio.adapters.read_from_file(str(out)).find_clips())) == 4


def _playlist(out: Path) -> str:
    import zipfile

    if out.is_dir():
        return (out / "content.otio").read_text()
    with zipfile.ZipFile(out) as bundle:
        return bundle.read("content.otio").decode()


# What cannot be written


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("in.otio", "is the timeline that was read"),
        ("./sub/../in.otio", "is the timeline that was read"),
        ("out.prproj", "name it .xml, which that imports"),
        ("out.wav", "a result is a timeline; name it .otio"),
        ("out.txt", "name it .otio"),
        ("out", "name it .otio"),
        ("none/out.otio", "its folder does not exist"),
        ("folder.otio", "it is a folder"),
        ("folder.otiod", "holds something else"),
    ],
)
def test_refusals_are_sentences(tmp_path: Path, ready: Any, name: str, words: str) -> None:
    (tmp_path / "folder.otio").mkdir()
    (tmp_path / "folder.otiod").mkdir()
    (tmp_path / "sub").mkdir()
    source, results = ready
    before = sorted(p.name for p in tmp_path.iterdir())
    with pytest.raises(WriteError, match=words) as raised:
        write_result(source, results, tmp_path / name)
    assert "\n" not in str(raised.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_a_failing_disk_leaves_nothing_and_keeps_the_old_file(
    tmp_path: Path, ready: Any, monkeypatch: Any
) -> None:
    source, results = ready
    out = tmp_path / "out.otio"
    out.write_text("old")
    before = sorted(p.name for p in tmp_path.iterdir())

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(WriteError, match="the disk is full"):
        write_result(source, results, out)
    assert out.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == before


@pytest.mark.parametrize("suffix", [".fcpxml", ".aaf", ".xml", ".edl"])
def test_a_rate_that_counts_no_frames_is_a_sentence(
    tmp_path: Path, media: Path, opened: Any, suffix: str
) -> None:
    source = opened(
        track("Video", clip("v", tr(0, 24, 12.7), str(media))),
        track("Audio", clip("a", tr(0, 24), str(media))),
    )
    with pytest.raises(WriteError, match=r"cannot hold a timeline of 12.7 frames per second") as raised:
        write_result(source, every(source, tmp_path), tmp_path / f"o{suffix}")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / f"o{suffix}").exists()


def test_sound_between_frames_goes_on_frames_where_only_those_count(tmp_path: Path, ready: Any) -> None:
    source, _ = ready
    file = ResultClip(tmp_path / "01 rebalanced.wav", 48000, 192000, 2, 48001)
    losses: list[str] = []
    write_result(source, {1: [ResultTrack("rebalanced", file)]}, tmp_path / "o.xml", losses=losses)
    assert any("between frames" in loss and "rounded (1 clip)" in loss for loss in losses)
    write_result(source, {1: [ResultTrack("rebalanced", file)]}, tmp_path / "o.fcpxml", losses=(losses := []))
    assert losses == []


def test_unknown_clips_and_senseless_results(tmp_path: Path, ready: Any) -> None:
    source, results = ready
    with pytest.raises(TimelineError, match="has no audio clip 9"):
        write_result(source, {9: results[1]}, tmp_path / "o.otio")
    for samples, head in ((0, 0), (10, 10), (10, -1)):
        with pytest.raises(WriteError, match="make no sense"):
            ResultClip(tmp_path / "x.wav", 48000, samples, 2, head)


def test_results_from_a_rendition(tmp_path: Path) -> None:
    quiet = Loudness(-23.0, 5.0, -1.0, -20.0, -21.0)
    rendition = Rendition(
        identifier="0001-a",
        path=tmp_path / "a.wav",
        start=Fraction(-48048, 48000),
        samples=192000,
        sample_rate=48000,
        channels=2,
        before=quiet,
        after=quiet,
        gains=GainCurves((), {stem: () for stem in STEMS}),
        stems={"music": tmp_path / "m.wav", "speech": tmp_path / "d.wav"},
        provenance={"seed": 1},
    )
    found = result_tracks(rendition, media_start=7)
    assert [(r.role, r.clip.path.name) for r in found] == [
        ("rebalanced", "a.wav"),
        ("dialogue", "d.wav"),
        ("music", "m.wav"),
    ]
    assert {(r.clip.head, r.clip.samples, r.clip.media_start) for r in found} == {(48048, 192000, 7)}


def test_provenance_becomes_json(tmp_path: Path, ready: Any) -> None:
    source, results = ready
    made = {
        "path": Path("/a"),
        "rate": Fraction(1, 3),
        "gain": np.float32(0.5),
        "list": (1, {"x": None}),
        4: True,
    }
    write_result(source, results, tmp_path / "o.otio", provenance=made)
    stored = ours(read(tmp_path / "o.otio"))[0]["metadata"]["sightmix"]["provenance"]
    assert stored == {"path": "/a", "rate": "1/3", "gain": 0.5, "list": [1, {"x": None}], "4": True}
