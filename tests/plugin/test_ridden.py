"""Ridden clips: the editor's own clips on new tracks under volume lines, exact wherever the curve is read."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timeline_kit as kit
from sightmix.engine.edit import keyframes
from sightmix.engine.edit.media import Library
from sightmix.engine.edit.model import Edit, EditClip
from sightmix.engine.edit.reader import read_edit
from sightmix.engine.edit.timemap import TimeMap
from sightmix.engine.edit.volume import host_line, plays
from sightmix.engine.errors import WriteError
from sightmix.engine.passage import Channel
from sightmix.plugin.timeline import ResultClip, ResultTrack, Ridden, open_timeline, write_result
from sightmix.plugin.timeline.load import load
from sightmix.plugin.timeline.results import Gain
from sightmix.plugin.timeline.save import to_text

DIALECTS = ("Resolve_OTIO", "PremierePro_OTIO", "fcp_xml", "AAF", "")
GAIN = Gain((-0.5, 0.25, 1.0, 1.5, 2.5), (1.0, 0.0, -9.0, -3.0, 4.0))


def volume(level: float = 0.0, keys: dict[int, float] | None = None, **fades: float) -> dict[str, Any]:
    listed = {str(frame): {"Value": db, "Variant Type": "Double"} for frame, db in (keys or {}).items()}
    parameters: list[dict[str, Any]] = [
        {"Parameter ID": "volume", "Parameter Value": level, "Key Frames": listed}
    ]
    parameters += [{"Parameter ID": name, "Parameter Value": frames} for name, frames in fades.items()]
    host = {"Effect Name": "Volume", "Enabled": True, "Name": "Volume", "Type": 62, "Parameters": parameters}
    return {"OTIO_SCHEMA": "Effect.1", "name": "", "effect_name": "", "metadata": {"Resolve_OTIO": host}}


def ramp(*keys: tuple[float, float]) -> dict[str, Any]:
    words = {"Key Frames": [[t, m, False, 0.0, 0.0, 0.0, 0.0] for t, m in keys], "Speed Ratio": 1.0}
    return {"OTIO_SCHEMA": "TimeEffect.1", "name": "", "effect_name": "", "metadata": {"Resolve_OTIO": words}}


class Reel:
    """A timeline of one host's, clip by clip, and what comes back of it."""

    def __init__(self, folder: Path, host: str) -> None:
        self.folder, self.host = folder, host
        self.media = str(kit.wav(folder / "a.wav", 20, rate=8000))

    def words(self, **more: Any) -> dict[str, Any]:
        return {self.host: {"kept": [1, {"a": None}], **more}} if self.host else {}

    def clip(self, start: float, frames: float, *effects: Any, **more: Any) -> dict[str, Any]:
        media = kit.external(self.media, kit.tr(0, 480))
        return kit.clip(
            "take", kit.tr(start, frames), media, effects=list(effects), **{"metadata": self.words(), **more}
        )

    def opened(self, *tracks: Any) -> Any:
        document = kit.timeline(*tracks, start=kit.rt(86400, 24), metadata=self.words())
        return open_timeline(kit.save(self.folder / "cut.otio", document))

    def ridden(self, timeline: Any, gain: Gain = GAIN, **given: Any) -> tuple[Edit, dict[str, Any]]:
        """Every clip ridden and the originals muted: the result as an edit, and its document."""
        results = {clip.index: [Ridden(gain, {"who": "test"}, **given)] for clip in timeline.clips}
        out = write_result(timeline, results, self.folder / "out.otio", mute_originals=True)
        return read_edit(load(out, keep=True).root, Library(self.folder)), json.loads(out.read_text())


def sounding(edit: Edit) -> list[EditClip]:
    return [
        clip
        for track in edit.tracks
        if track.kind == "audio" and track.enabled
        for clip in track.clips
        if clip.enabled
    ]


def at(line: Any, t: float) -> float:
    return keyframes.at(line, Fraction(t)) if line is not None else 0.0


def same(clip: EditClip, original: EditClip, gain: Gain) -> None:
    """What plays is the editor's sound at its place, its volume under ours, in the handles too."""
    for name in (
        "start",
        "duration",
        "source_in",
        "speed",
        "ramp",
        "channels",
        "media",
        "fade_in",
        "fade_out",
    ):
        assert getattr(clip, name) == getattr(original, name), name
    for t in np.linspace(-0.7, float(original.duration) + 0.7, 60):
        wanted = at(original.gain, t) + float(gain.at(np.array([t]))[0])
        assert at(clip.gain, t) == pytest.approx(wanted, abs=0.051)


@pytest.mark.parametrize("host", DIALECTS)
@pytest.mark.parametrize(
    "effects",
    [[], [kit.warp(2.0)], [kit.warp(-1.0)], [kit.warp(-0.5)], [ramp((0, 0), (4, 2), (8, 10), (12, 20))]],
    ids=["plain", "fast", "reverse", "slow reverse", "ramp"],
)
def test_the_same_clip_comes_back_under_its_curve(tmp_path: Path, host: str, effects: list[Any]) -> None:
    reel = Reel(tmp_path, host)
    tracks = [kit.track("Audio", kit.gap(10), reel.clip(48, 60, *effects), name="A1", metadata=reel.words())]
    timeline = reel.opened(*tracks)
    edit, document = reel.ridden(timeline)
    [one] = sounding(edit)
    same(one, timeline.edit.tracks[0].clips[0], GAIN)
    original, new = document["tracks"]["children"]
    made, source = new["children"][-1], reel.clip(48, 60, *effects)
    if made.get("OTIO_SCHEMA") == "Gap.1":
        made = new["children"][-2]
    assert made["media_references"] == source["media_references"]
    assert made["source_range"] == source["source_range"]
    assert [e for e in made["effects"] if e in effects] == effects
    if host:
        assert made["metadata"][host].items() >= source["metadata"][host].items()
    assert (original["enabled"], new["enabled"], made["enabled"]) == (False, True, True)
    assert new["name"] == "A1 rebalanced"


@pytest.mark.parametrize("host", DIALECTS)
@pytest.mark.parametrize("turned", [1.0, -1.0, 2.0])
def test_clips_that_compounds_trim_are_trimmed(tmp_path: Path, host: str, turned: float) -> None:
    reel = Reel(tmp_path, host)
    inner = reel.clip(48, 60, kit.warp(turned)) if turned != 1 else reel.clip(48, 60)
    inside = kit.track("Audio", inner, metadata=reel.words())
    compound = kit.stack(inside, name="comp", source_range=kit.tr(12, 40))
    timeline = reel.opened(kit.track("Audio", compound, name="A1", metadata=reel.words()))
    edit, _ = reel.ridden(timeline)
    [one] = sounding(edit)
    same(one, timeline.edit.tracks[0].clips[0], GAIN)


def test_a_clip_in_a_compound_of_another_speed_cannot_come_back(tmp_path: Path) -> None:
    reel = Reel(tmp_path, "")
    compound = kit.stack(kit.track("Audio", reel.clip(48, 60)), name="comp", effects=[kit.warp(2.0)])
    timeline = reel.opened(kit.track("Audio", compound, name="A1"))
    with pytest.raises(WriteError, match="“take” cannot come back as it is: It lies inside “comp”"):
        reel.ridden(timeline)
    assert not (tmp_path / "out.otio").exists()


def test_what_is_ridden_and_what_is_rendered_lie_side_by_side(tmp_path: Path) -> None:
    reel = Reel(tmp_path, "Resolve_OTIO")
    pieces = [reel.clip(48, 24), kit.gap(12), reel.clip(100, 36)]
    timeline = reel.opened(kit.track("Audio", *pieces, name="A1", metadata=reel.words()))
    file = ResultClip(Path(reel.media), 8000, 160_000, 2)
    results: dict[int, list[Any]] = {
        1: [Ridden(GAIN)],
        2: [ResultTrack("rebalanced", file), Ridden(GAIN, role="ride")],
    }
    write_result(timeline, results, tmp_path / "out.otio")
    tracks = json.loads((tmp_path / "out.otio").read_text())["tracks"]["children"][1:]
    assert [t["name"] for t in tracks] == ["A1 rebalanced", "A1 ride"]
    kinds = [[c["OTIO_SCHEMA"].partition(".")[0] for c in t["children"]] for t in tracks]
    assert kinds == [["Clip", "Gap", "Clip"], ["Gap", "Clip"]]
    assert [[c["source_range"]["duration"] for c in t["children"]] for t in tracks] == [
        [kit.rt(24, 24.0), kit.rt(12, 24.0), kit.rt(36, 24.0)],
        [kit.rt(36, 24.0), kit.rt(36, 24.0)],
    ]


def test_resolve_is_told_in_its_own_words_what_we_say_in_ours(tmp_path: Path) -> None:
    reel = Reel(tmp_path, "Resolve_OTIO")
    own = volume(keys={0: 0.0, 30: -12.0}, faderIn=10.0)
    track = kit.track("Audio", reel.clip(48, 60, own), name="A1", metadata=reel.words())
    timeline = reel.opened(track)
    edit, document = reel.ridden(timeline)
    [one] = sounding(edit)
    original = timeline.edit.tracks[0].clips[0]
    same(one, original, GAIN)
    [made] = [c for c in document["tracks"]["children"][1]["children"] if c["OTIO_SCHEMA"] == "Clip.2"]
    del made["metadata"]["sightmix"]
    host = host_line(made, Fraction(24))
    assert host is not None
    for frame in range(61):
        assert at(host, frame / 24) == pytest.approx(at(one.gain, frame / 24), abs=0.0501)
    assert len(host.times) <= 8, "no more keys than the line has corners"


def test_fcp7_is_told_as_a_level_filter(tmp_path: Path) -> None:
    reel = Reel(tmp_path, "fcp_xml")
    timeline = reel.opened(kit.track("Audio", reel.clip(48, 60), name="A1", metadata=reel.words()))
    edit, document = reel.ridden(timeline)
    [one], made = sounding(edit), document["tracks"]["children"][1]["children"][0]
    assert made["metadata"]["fcp_xml"]["filter"]["effect"]["effectid"] == "audiolevels"
    host = host_line(made, Fraction(24))
    assert host is not None
    for frame in range(61):
        assert at(host, frame / 24) == pytest.approx(at(one.gain, frame / 24), abs=0.11)


def test_a_volume_on_the_track_counts_once(tmp_path: Path) -> None:
    reel = Reel(tmp_path, "Resolve_OTIO")
    track = kit.track("Audio", reel.clip(48, 60), name="A1", metadata=reel.words(), effects=[volume(-6.0)])
    timeline = reel.opened(track)
    assert at(timeline.edit.tracks[0].clips[0].gain, 0) == -6
    [one] = sounding(reel.ridden(timeline)[0])
    same(one, timeline.edit.tracks[0].clips[0], GAIN)


def test_dissolves_come_along_and_play_the_curve_in_the_handles(tmp_path: Path) -> None:
    reel = Reel(tmp_path, "")
    pieces = [reel.clip(48, 60), kit.transition(6, 9), reel.clip(200, 60)]
    timeline = reel.opened(kit.track("Audio", *pieces, name="A1"))
    edit, _ = reel.ridden(timeline)
    new = edit.tracks[1]
    [was], [joint] = timeline.edit.tracks[0].transitions, new.transitions
    assert (joint.cut, joint.before, joint.after, joint.side) == (was.cut, was.before, was.after, "both")
    for one, original in zip(new.clips, timeline.edit.tracks[0].clips, strict=True):
        same(one, original, GAIN)


def test_both_halves_of_a_pair_come_along_each_on_its_track(tmp_path: Path) -> None:
    reel = Reel(tmp_path, "Resolve_OTIO")
    tracks = []
    for channel in (0, 1):
        words = reel.words(
            Channels=[{"Source Channel ID": channel, "Source Track ID": 0}], **{"Link Group ID": 7}
        )
        track = reel.words(**{"Audio Type": "Mono"})
        tracks.append(
            kit.track("Audio", reel.clip(48, 60, metadata=words), name=f"A{channel + 1}", metadata=track)
        )
    timeline = reel.opened(*tracks)
    assert len(timeline.clips) == 1
    edit, document = reel.ridden(timeline)
    found = sounding(edit)
    assert [clip.channels for clip in found] == [(0,), (1,)]
    for clip, track in zip(found, timeline.edit.tracks, strict=True):
        same(clip, track.clips[0], GAIN)
    new = document["tracks"]["children"][2:]
    assert [t["name"] for t in new] == ["A1 rebalanced", "A2 rebalanced"]
    assert {t["metadata"]["Resolve_OTIO"]["Audio Type"] for t in new} == {"Mono"}
    assert [t["enabled"] for t in document["tracks"]["children"]] == [False, False, True, True]


def test_a_stereo_track_of_fcp7_that_is_two_stays_one(tmp_path: Path) -> None:
    reel = Reel(tmp_path, "fcp_xml")
    kit.wav(tmp_path / "a.wav", 20, channels=4, rate=8000)
    words = reel.words(sourcetrack={"trackindex": "3"}, **{"@premiereChannelType": "stereo"})
    exploded = reel.words(enabled="TRUE", **{"@totalExplodedTrackCount": "2"})
    track = kit.track("Audio", reel.clip(48, 60, metadata=words), name="A1", metadata=exploded)
    timeline = reel.opened(track)
    assert timeline.edit.tracks[0].clips[0].channels == (2, 3)
    edit, document = reel.ridden(timeline)
    same(sounding(edit)[0], timeline.edit.tracks[0].clips[0], GAIN)
    assert "enabled" not in document["tracks"]["children"][1]["metadata"]["fcp_xml"]


def test_channels_that_avid_tells_by_the_order_of_tracks_are_told_by_us(tmp_path: Path) -> None:
    reel = Reel(tmp_path, "AAF")
    words = reel.words(MobID="urn:1")
    tracks = [kit.track("Audio", reel.clip(48, 60, metadata=words), name=f"A{i}") for i in (1, 2)]
    timeline = reel.opened(*tracks)
    assert [clip.channels for clip in timeline.clips] == [(Channel(0, 0),), (Channel(0, 1),)]
    edit, _ = reel.ridden(timeline)
    assert [clip.channels for clip in sounding(edit)] == [(0,), (1,)]


def test_tracks_say_what_they_hold(tmp_path: Path) -> None:
    reel = Reel(tmp_path, "Resolve_OTIO")
    track = kit.track("Audio", *(reel.clip(48, 24) for _ in range(3)), name="A1", metadata=reel.words())
    voice = kit.track("Audio", reel.clip(48, 24), name="Dialogue", metadata=reel.words())
    timeline = reel.opened(track, voice)
    kinds = {("A1", 1): "effects", ("A1", 2): "dialogue", ("A1", 3): "dialogue", ("Dialogue", 1): "dialogue"}
    results: dict[int, list[Any]] = {}
    for clip in timeline.clips:
        number = int(clip.record_in) + 1
        results[clip.index] = [Ridden(GAIN, {}, category=kinds[clip.track, number])]
    out = write_result(timeline, results, tmp_path / "out.otio")
    tracks = [t for t in json.loads(out.read_text())["tracks"]["children"] if "sightmix" in t["metadata"]]
    assert [t["name"] for t in tracks] == [
        "A1 dialogue rebalanced",
        "A1 effects rebalanced",
        "Dialogue rebalanced",
    ]
    assert [t["metadata"]["sightmix"]["category"] for t in tracks] == ["dialogue", "effects", "dialogue"]
    edit = read_edit(load(out, keep=True).root, Library(tmp_path))
    assert [t.role for t in edit.tracks] == ["", "", "dialogue", "effects", "dialogue"]


@pytest.mark.parametrize(
    ("effects", "later"),
    [
        ([], [kit.warp(2.0)]),
        ([], [ramp((0, 0), (4, 2), (8, 10), (12, 20))]),
        ([kit.warp(2.0)], None),
        ([kit.warp(-1.0)], None),
        ([ramp((0, 0), (3, 2), (4, 4), (8, 10), (12, 20))], None),
    ],
    ids=["sped up", "ramped", "fast", "reverse", "ramp"],
)
def test_a_curve_stays_with_the_sound_when_the_editor_trims(
    tmp_path: Path, effects: list[Any], later: list[Any] | None
) -> None:
    reel = Reel(tmp_path, "")
    timeline = reel.opened(kit.track("Audio", reel.clip(48, 60, *effects), name="A1"))
    edit, document = reel.ridden(timeline)
    [before] = sounding(edit)
    made = document["tracks"]["children"][1]["children"][0]
    made["source_range"] = kit.tr(55, 41)
    made["effects"] = effects if later is None else later
    trimmed = read_edit(document, Library(tmp_path)).tracks[1].clips[0]
    ours, now = TimeMap(plays(before)), TimeMap(plays(trimmed))
    compared = 0
    for t in np.linspace(0, float(trimmed.duration), 50):
        then = ours.inverse(now.at(Fraction(t)))
        assert then is not None
        compared += 0 <= then <= before.duration
        assert at(trimmed.gain, t) == pytest.approx(at(before.gain, float(then)), abs=1e-6)
    assert compared > 5
    assert at(trimmed.gain, 0) != at(before.gain, 0), "or nothing was shown"


def test_a_second_run_begins_with_the_originals(tmp_path: Path) -> None:
    reel = Reel(tmp_path, "Resolve_OTIO")
    pieces = [reel.clip(48, 60, volume(-3.0)), kit.transition(6, 9), reel.clip(200, 60, kit.warp(2.0))]
    pieces.append(kit.stack(kit.track("Audio", reel.clip(10, 60)), name="comp", source_range=kit.tr(6, 24)))
    timeline = reel.opened(kit.track("Audio", *pieces, name="A1", metadata=reel.words()))
    reel.ridden(timeline, category="music")
    first = (tmp_path / "out.otio").read_text()
    again = open_timeline(tmp_path / "out.otio")
    assert again.root == timeline.root
    assert to_text(again.root, again.document.style) == (tmp_path / "cut.otio").read_text()
    results = {clip.index: [Ridden(GAIN, {"who": "test"}, category="music")] for clip in again.clips}
    second = write_result(again, results, tmp_path / "two.otio", mute_originals=True)
    assert second.read_text() == first
