"""Every sample file: what is in it, counted and placed by other means than ours."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest
from sightmix.plugin.timeline import open_timeline
from timeline_kit import DATA

FILES = sorted(str(p.relative_to(DATA)) for p in DATA.rglob("*") if p.suffix in (".otio", ".aaf"))


def library_reads(path: Path) -> otio.schema.Timeline:
    """The library's own reading; newer markers than it knows are taken out first."""
    if path.suffix == ".aaf":
        return otio.adapters.read_from_file(str(path))
    root = json.loads(
        path.read_text(), object_hook=lambda node: {**node, "markers": []} if "markers" in node else node
    )
    return otio.adapters.read_from_string(json.dumps(root), "otio_json")


def exact(time: otio.opentime.RationalTime) -> Fraction:
    rates = {29.97: Fraction(30000, 1001)}
    rate = rates.get(round(time.rate, 2), Fraction(time.rate))
    return Fraction(time.value) / rate


def heard(timeline: otio.schema.Timeline) -> list[tuple[Fraction, int, str, Fraction, bool]]:
    """(start, track, name, duration, enabled) of every clip directly on an audio track, as the library places it."""
    found = []
    for number, track in enumerate(timeline.tracks):
        if track.kind != "Audio":
            continue
        for clip in track:
            if isinstance(clip, otio.schema.Clip):
                placed = clip.range_in_parent()
                enabled = clip.enabled and track.enabled
                found.append((exact(placed.start_time), number, clip.name, exact(placed.duration), enabled))
    return sorted(found, key=lambda entry: entry[:2])


def audio_clips(node: Any, kind: str = "") -> int:
    """Clips under audio tracks anywhere in the raw JSON."""
    kind = node.get("kind", kind)
    inner = node.get("children", []) + ([node["tracks"]] if "tracks" in node else [])
    own = node["OTIO_SCHEMA"].startswith("Clip") and kind == "Audio"
    return own + sum(audio_clips(child, kind) for child in inner)


@pytest.mark.parametrize("name", FILES)
def test_clips_lie_where_the_library_puts_them(name: str) -> None:
    opened = open_timeline(DATA / name)
    theirs = heard(library_reads(DATA / name))
    ours = [(c.record_in, c.leaf.track, c.name, c.duration, c.enabled) for c in opened.clips]
    assert ours == theirs
    assert [c.index for c in opened.clips] == list(range(1, len(theirs) + 1))


@pytest.mark.parametrize("name", [n for n in FILES if n.endswith(".otio")])
def test_no_audio_clip_is_forgotten(name: str) -> None:
    assert len(open_timeline(DATA / name).clips) == audio_clips(json.loads((DATA / name).read_text()))


@pytest.mark.parametrize("name", FILES)
def test_every_clip_has_a_state_and_a_sentence(name: str) -> None:
    for clip in open_timeline(DATA / name).clips:
        assert clip.state in ("online", "offline", "disabled")
        assert (clip.reason == "") == (clip.state == "online")
        assert clip.reason == "" or (clip.reason[0].isupper() and "\n" not in clip.reason)
        assert clip.shots >= 0
        assert clip.timecode_in < clip.timecode_out


def test_counts_of_the_big_resolve_timeline() -> None:
    opened = open_timeline(DATA / "otio_core" / "effects.otio")
    states = [clip.state for clip in opened.clips]
    assert (opened.dialect, opened.rate, len(states)) == ("resolve", 24, 17)
    assert (states.count("offline"), states.count("disabled")) == (13, 4)
    named = [clip for clip in opened.clips if clip.path is not None and clip.state == "offline"]
    assert {clip.name for clip in named} == {"06_Mayu_Sfx_ladderStruggleAhhagg.wav", "MayuYize_-03.wav"}
    assert opened.timecode(Fraction(0)) == "01:00:00:00"
    assert opened.duration == Fraction(1125, 24)


def test_playable_tones_are_online() -> None:
    opened = open_timeline(DATA / "tlrender" / "AudioTones.otio")
    assert [clip.state for clip in opened.clips] == ["online"] * 12
    first, *_, middle = opened.clips
    assert first.passage().sound.duration == 1
    assert (middle.passage().sound.start, middle.passage().sound.duration) == (Fraction(1, 4), Fraction(1, 2))
    assert middle.passage().head == Fraction(1, 4)  # what the one-second file has before the clip
    assert middle.passage().tail == Fraction(1, 4)


def test_resolve_channels_and_windows_path() -> None:
    clip = open_timeline(DATA / "resolve" / "base.otio").clips[0]
    assert clip.state == "offline"
    assert "E:\\SHOWREEL\\NBC UNIVERSAL\\more 13th st\\1128797.mxf" in clip.reason
    assert (clip.timecode_in, clip.timecode_out, clip.link) == ("01:00:00:00", "01:00:30:00", "1")


def test_transitions_are_kept_at_both_neighbours() -> None:
    opened = open_timeline(DATA / "avid" / "transitions.otio")
    first, second = (clip for clip in opened.clips if clip.leaf.track == 1 and clip.index < 5)
    assert first.leaf.after is not None
    assert second.leaf.before is not None
    assert first.leaf.after == second.leaf.before
    assert (first.leaf.after.into, first.leaf.after.out_of) == (Fraction(48, 24), 0)


def test_aaf_equals_its_conversion() -> None:
    for name in ("2997fps", "one_audio_clip", "transitions"):
        native = open_timeline(DATA / "avid" / f"{name}.aaf")
        converted = open_timeline(DATA / "avid" / f"{name}.otio")
        assert native.dialect == converted.dialect == "aaf"
        assert [(c.record_in, c.record_out, c.name) for c in native.clips] == [
            (c.record_in, c.record_out, c.name) for c in converted.clips
        ]
        assert native.rate == converted.rate


def test_markers_of_a_newer_schema_are_read() -> None:
    opened = open_timeline(DATA / "otio_core" / "premiere_example.otio")
    assert opened.dialect == "fcp7"
    texts = {remark.text for remark in opened._remarks}
    assert {"My MArker 1: so, this happened", "dsf: fsfsfs"} <= texts
