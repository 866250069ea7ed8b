"""What tracks hold, as `inspect` tells it: by the user, by what is remembered, by hosts' data and by names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest
from sightmix.engine.edit.categories import Category, said
from sightmix.engine.errors import SettingsError
from sightmix.engine.media.writer import Ixml, WavWriter
from sightmix.plugin.jobs.inspection import timeline_data, timeline_tracks
from sightmix.plugin.timeline import AudioClip, Timeline
from sightmix.plugin.timeline.categories import (
    APART,
    clip_categories,
    doubts,
    held,
    remember_categories,
    track_categories,
)
from sightmix.plugin.timeline.marks import mark_generated
from sightmix.plugin.timeline.source import open_source
from timeline_kit import wav


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
    tracks = timeline_tracks(timeline, held(timeline))
    first, second = (track["category"] for track in tracks)
    assert first == {
        "kind": "dialogue",
        "by": "name",
        "confidence": 0.95,
        "certain": True,
        "reason": "its name says “dx”",
    }
    assert second == {
        "kind": None,
        "by": None,
        "confidence": 0.0,
        "certain": False,
        "reason": "nothing tells what it holds",
    }
    assert json.dumps(tracks)
    data = timeline_data(timeline, ["Scene 4"], {})
    assert [clip["category"] for clip in data["clips"]] == [first, second]
    assert data["doubts"] == [
        "A2 'Audio 2' is taken for a mix, since nothing tells what it holds; "
        "say --category A2=dialogue, music, effects or mix."
    ]


@dataclass
class _Ear:
    """Tells what sounds hold by their files' names, and of several files what they hold together."""

    asked: list[list[str]] = field(default_factory=list)

    def __call__(self, clips: Sequence[AudioClip]) -> Category:
        names = sorted({clip.path.stem for clip in clips if clip.path is not None})
        self.asked.append(names)
        kinds = {name.split("-")[0] for name in names}
        sure = 0.6 if "perhaps" in "".join(names) else 0.9
        return Category(kinds.pop() if len(kinds) == 1 else "mix", "ear", sure, "heard")


def _played(folder: Path, *tracks: tuple[str, list[str]], **roles: str) -> Timeline:
    """A timeline of tracks that play files one after the other, two seconds each, under Final Cut's roles."""
    timeline = otio.schema.Timeline("Scene 5")
    for track_name, files in tracks:
        track = otio.schema.Track(track_name, kind=otio.schema.TrackKind.Audio)
        for name in files:
            path = folder / f"{name}.wav"
            if not path.exists() and name != "offline":
                wav(path, 2.0)
            span = otio.opentime.TimeRange(
                otio.opentime.RationalTime(0, 25), otio.opentime.RationalTime(50, 25)
            )
            clip = otio.schema.Clip(name, otio.schema.ExternalReference(path.name), span)
            if name.split("-")[-1] in roles:
                clip.metadata["fcpx"] = {"audioRole": roles[name.split("-")[-1]]}
            track.append(clip)
        timeline.tracks.append(track)
    otio.adapters.write_to_file(timeline, str(folder / "scene.otio"))
    return open_source(folder / "scene.otio")[0]


def test_only_what_nothing_else_tells_is_listened_to(tmp_path: Path) -> None:
    ear = _Ear()
    timeline = _played(
        tmp_path, ("DX", ["music-1"]), ("Audio 2", ["effects-a"]), ("Audio 3", ["music-2", "offline"])
    )
    found = held(timeline, {"a2": "dialogue"}, ear)
    assert {n: (c.kind, c.by) for n, c in found.tracks.items()} == {
        1: ("dialogue", "name"),
        2: ("dialogue", "user"),
        3: ("music", "ear"),
    }
    # Sure of the whole, it is not asked clip by clip; a clip that is offline is what its track is.
    assert ear.asked == [["music-2"]]
    assert all(found.clips[c.index] == found.tracks[c.track_number] for c in timeline.clips)
    assert (
        track_categories(timeline, {}, ear)[2].kind == clip_categories(timeline, {}, ear)[2].kind == "effects"
    )
    assert doubts(timeline, found) == []


def test_clips_of_several_kinds_are_told_apart(tmp_path: Path) -> None:
    ear = _Ear()
    timeline = _played(tmp_path, ("Audio 1", ["dialogue-1", "music-1", "dialogue-1", "effects-perhaps"]))
    found = held(timeline, None, ear)
    assert found.tracks[1] == Category("", "ear", 0.5, "its clips are of several kinds")
    kinds = [found.clips[clip.index].kind for clip in timeline.clips]
    assert kinds == ["dialogue", "music", "dialogue", ""]  # of the doubtful one nothing is known
    # All together, then every sound once, however often it is played.
    assert ear.asked[1:] == [["dialogue-1"], ["music-1"], ["effects-perhaps"]]
    assert "its clips are of several kinds" in doubts(timeline, found)[0]


def test_a_doubtful_whole_of_sure_clips(tmp_path: Path) -> None:
    def ear(clips: Sequence[AudioClip]) -> Category:
        return Category("music", "ear", 0.6 if len(clips) > 1 else 0.9, "heard")

    found = held(_played(tmp_path, ("Audio 1", ["a", "b"])), None, ear)
    assert found.tracks[1] == Category("music", "ear", 0.9, "heard")


def test_doubts_in_words(tmp_path: Path) -> None:
    timeline = _played(tmp_path, ("Audio 1", ["a"]))
    seems = {"mix": "it seems to be one", "silent": "it seems to be silent", "music": "it may hold music"}
    for kind, words in seems.items():
        found = held(timeline, None, lambda _, kind=kind: Category(kind, "ear", 0.7, "heard"))
        assert doubts(timeline, found)[0].startswith(
            f"A1 'Audio 1' is taken for a mix, since {words} (heard); say "
        )


def test_no_more_sounds_of_a_track_are_heard_than_a_few(tmp_path: Path) -> None:
    ear = _Ear()
    files = [f"{kind}-{n}" for n in range(6) for kind in ("music", "effects")]
    held(_played(tmp_path, ("Audio 1", files)), None, ear)
    assert len(ear.asked) == 1 + APART


def test_clips_without_roles_among_such_with_several(tmp_path: Path) -> None:
    ear = _Ear()
    roles = {"role1": "music.music-1", "role2": "dialogue.dialogue-1"}
    timeline = _played(tmp_path, ("Audio 1", ["a-role1", "b-role2", "effects-1"]), **roles)
    found = held(timeline, None, ear)
    assert [found.clips[clip.index].kind for clip in timeline.clips] == ["music", "dialogue", "effects"]
    assert (found.tracks[1].kind, found.tracks[1].reason) == ("", "its clips are of several kinds")
    assert ear.asked == [["effects-1"]]
    assert doubts(timeline, found) == []  # every clip is known
    # Where the roles agree, a clip without one is what they say.
    agreeing = _played(tmp_path, ("Audio 1", ["a-role1", "effects-1"]), **roles)
    assert {c.kind for c in held(agreeing, None, ear).clips.values()} == {"music"}
    assert len(ear.asked) == 1


def test_recorders_names_for_channels_count_as_hosts_data(tmp_path: Path) -> None:
    for name, channels in (
        ("poly", ("Boom", "Lav 1")),
        ("mixed", ("MixL", "MixR")),
        ("odd", ("Boom", "Music")),
    ):
        with WavWriter(tmp_path / f"{name}.wav", 48_000, 2, ixml=Ixml(tracks=channels)) as out:
            out.write(np.zeros((2, 96_000), np.float32))
    timeline = _played(tmp_path, ("Audio 1", ["poly"]), ("Audio 2", ["mixed"]), ("FX", ["odd"]))
    found = held(timeline)
    assert found.tracks[1] == Category("dialogue", "host", 0.95, "its recording says “Boom”")
    assert found.tracks[2].kind == ""  # a recorder's mix is of microphones
    assert (found.tracks[3].kind, found.tracks[3].by) == ("effects", "name")


def test_what_users_said_is_remembered_through_results_and_re_runs(tmp_path: Path) -> None:
    path = _saved(tmp_path, ["Dialogue", "Audio 2", "Audio 3"])
    root = json.loads(path.read_text())
    before = json.dumps(root)
    remember_categories(root, {})
    assert json.dumps(root) == before
    remember_categories(root, said(["A1=music", "audio 2=FX", "A9=music"]))
    assert root["metadata"]["sightmix"] == {"categories": {"A1": "music", "A2": "effects"}}
    mark_generated(root["tracks"]["children"][2], {"role": "rebalanced"})
    path.write_text(json.dumps(root))
    assert _kinds(path) == {
        1: ("music", "user"),
        2: ("effects", "user"),
    }  # our own track is gone, what was said stays
    root["metadata"]["sightmix"]["kept"] = 1
    remember_categories(root, said(["a1=auto", "A2=mix"]))
    assert root["metadata"]["sightmix"] == {"categories": {"A2": "mix"}, "kept": 1}
    remember_categories(root, said(["A2=auto"]))
    assert root["metadata"]["sightmix"] == {"kept": 1}
    del root["metadata"]["sightmix"]["kept"]
    remember_categories(root, said(["A2=mix"]))
    remember_categories(root, said(["A2=auto"]))
    assert "sightmix" not in root["metadata"]


_FCPXML = """<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE fcpxml><fcpxml version="1.8"><resources>
<format id="r1" frameDuration="1/25s"/><asset id="r2" name="a" src="a.wav" start="0s" duration="4s" hasAudio="1"
 audioSources="1" audioChannels="1" audioRate="48000" format="r1"><metadata/></asset></resources><library>
<event name="e"><project name="p"><sequence format="r1" duration="8s" tcStart="0s"><spine>
<gap name="Gap" offset="0s" start="0s" duration="8s">
<asset-clip name="a" lane="-1" ref="r2" offset="0s" duration="2s" start="0s" format="r1" audioRole="dialogue.vo-1"/>
<asset-clip name="b" lane="-1" ref="r2" offset="2s" duration="2s" start="0s" format="r1" audioRole="dialogue">
 <audio-channel-source srcCh="1" role="music.music-1"/><audio-channel-source srcCh="2" role="fx" enabled="0"/>
</asset-clip>
<asset-clip name="c" lane="-1" ref="r2" offset="4s" duration="2s" start="0s" format="r1"/>
<clip name="d" lane="-1" offset="6s" duration="2s" start="0s" format="r1">
 <audio ref="r2" offset="0s" duration="2s" role="effects.hits"/></clip>
</gap></spine></sequence></project></event></library></fcpxml>"""


def test_final_cuts_roles_come_through_its_own_documents(tmp_path: Path) -> None:
    (tmp_path / "a.fcpxml").write_text(_FCPXML)
    timeline, _ = open_source(tmp_path / "a.fcpxml")
    found = held(timeline)
    assert {clip.name: found.clips[clip.index].kind for clip in timeline.clips} == {
        "a": "dialogue",
        "b": "music",
        "c": "",
        "d": "effects",
    }
    assert found.clips[1].reason == "Final Cut says “dialogue.vo-1”"


_XMEML = """<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE xmeml><xmeml version="4"><sequence id="s"><name>S</name>
<duration>50</duration><rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate><media><audio>{}</audio></media>
</sequence></xmeml>"""
_XMEML_TRACK = """<track {}><clipitem id="c{}"><name>a</name><start>0</start><end>50</end><in>0</in><out>50</out>
<duration>50</duration><rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate><file id="f{}"><name>a.wav</name>
<pathurl>a.wav</pathurl><rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate><duration>50</duration></file></clipitem>
</track>"""


def test_premieres_track_names_come_through_fcp7_xml(tmp_path: Path) -> None:
    names = ('MZ.TrackName="Musik"', 'MZ.TrackName=" "', 'MZ.TrackTargeted="1"')
    tracks = "".join(_XMEML_TRACK.format(name, n, n) for n, name in enumerate(names))
    (tmp_path / "a.xml").write_text(_XMEML.format(tracks))
    opened, _ = open_source(tmp_path / "a.xml")
    assert [clip.track for clip in opened.clips] == ["Musik", "Audio 2", "Audio 3"]
    assert held(opened).tracks[1].kind == "music"
