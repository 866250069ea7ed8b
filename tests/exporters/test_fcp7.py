"""Final Cut Pro 7 XML read back by OTIO's adapter and element by element."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import opentimelineio as otio
import pytest
from exporter_edits import RATES, dissolve_edit, film, sample_edit, sound, with_clip
from sightmix.engine.edit import keyframes
from sightmix.engine.edit.model import Edit, EditClip, EditTrack, GainCurve
from sightmix.engine.errors import WriteError
from sightmix.engine.media.time import to_frames
from sightmix.exporters import fcp7


def written(edit: Edit, folder: Path) -> tuple[ET.Element, tuple[str, ...]]:
    out = folder / "out.xml"
    losses = fcp7.write(edit, out)
    return ET.parse(out).getroot(), losses


@pytest.mark.parametrize("rate", RATES)
def test_otio_reads_every_clip_where_it_was(tmp_path: Path, rate: Fraction) -> None:
    edit = sample_edit(tmp_path, rate)
    fcp7.write(edit, tmp_path / "out.xml")
    timeline = otio.adapters.read_from_file(str(tmp_path / "out.xml"), adapter_name="fcp_xml")
    assert timeline.name == edit.name
    assert [t.name for t in timeline.tracks] == [t.name for t in edit.tracks]
    assert [t.kind.lower() for t in timeline.tracks] == [t.kind for t in edit.tracks]
    assert timeline.global_start_time.value == to_frames(edit.start, rate)
    for track, mine in zip(timeline.tracks, edit.tracks, strict=True):
        clips = list(track.find_clips())
        assert [c.name for c in clips] == [c.name for c in mine.clips]
        for clip, own in zip(clips, mine.clips, strict=True):
            placed = clip.range_in_parent()
            assert placed.start_time.value == to_frames(own.start, rate)
            assert placed.duration.value == to_frames(own.duration, rate)
            assert clip.source_range.start_time.value == to_frames(own.source_in, rate)
            assert clip.media_reference.target_url.startswith("file://localhost/")


def test_a_stereo_track_is_two_linked_tracks_of_one_channel(tmp_path: Path) -> None:
    root, losses = written(sample_edit(tmp_path), tmp_path)
    assert losses == ()
    tracks = root.findall(".//audio/track")
    assert [t.get("currentExplodedTrackIndex") for t in tracks] == ["0", "1"] * 4
    assert {t.get("premiereTrackType") for t in tracks} == {"Stereo"}
    assert [t.findtext("outputchannelindex") for t in tracks[:2]] == ["1", "2"]
    assert [t.findtext("enabled") for t in tracks] == ["FALSE"] * 2 + ["TRUE"] * 6
    assert [c.findtext("sourcetrack/trackindex") for t in tracks[2:4] for c in t.findall("clipitem")] == list(
        "1122"
    )
    by_id = {c.get("id"): c for c in root.iter("clipitem")}
    first = root.find(".//video/track/clipitem")
    linked = first.findall("link")
    assert len(linked) == 1 + 2 + 6
    for link in linked:
        index = int(link.findtext("trackindex")) - 1
        track = root.findall(f".//sequence/media/{link.findtext('mediatype')}/track")[index]
        target = track.findall("clipitem")[int(link.findtext("clipindex")) - 1]
        assert target is by_id[link.findtext("linkclipref")]
        assert target.findtext("start") == first.findtext("start")


def test_files_say_what_is_in_them(tmp_path: Path) -> None:
    root, _ = written(sample_edit(tmp_path), tmp_path)
    files = [f for f in root.iter("file") if len(f)]
    assert len(files) == 7
    assert len({f.get("id") for f in root.iter("file")}) == 7
    stem = next(f for f in files if f.findtext("name") == "music 0.wav")
    assert stem.findtext("pathurl") == "file://localhost" + (tmp_path / "music 0.wav").as_uri()[7:]
    assert stem.findtext("media/audio/channelcount") == "2"
    assert stem.findtext("media/audio/samplecharacteristics/depth") == "24"
    assert stem.findtext("media/audio/samplecharacteristics/samplerate") == "48000"
    assert stem.find("media/video") is None
    shot = next(f for f in files if f.find("media/video") is not None)
    assert shot.findtext("timecode/frame") == "100"
    assert shot.findtext("pathurl") == "file://localhost/media/sc%C3%A8ne%201.mov"
    assert root.findtext(".//audio/numOutputChannels") == "2"
    assert [g.findtext("index") for g in root.findall(".//outputs/group")] == ["1", "2"]


def test_surround_keeps_its_six_channels(tmp_path: Path) -> None:
    media = sound(tmp_path, "mix.wav", Fraction(4), 6)
    track = EditTrack("audio", "5.1", (EditClip("mix", Fraction(1), Fraction(2), media),), channels=6)
    root, _ = written(Edit("surround", Fraction(25), (track,)), tmp_path)
    tracks = root.findall(".//audio/track")
    assert [t.findtext("outputchannelindex") for t in tracks] == list("123456")
    assert {t.get("premiereTrackType") for t in tracks} == {"5.1"}
    assert [t.findtext("clipitem/sourcetrack/trackindex") for t in tracks] == list("123456")
    assert len(root.findall(".//outputs/group")) == 6


def test_a_clip_of_one_channel_plays_that_channel(tmp_path: Path) -> None:
    edit = sample_edit(tmp_path)
    edit = with_clip(edit, 1, 0, channels=(1,))
    root, _ = written(edit, tmp_path)
    left, right = root.findall(".//audio/track")[:2]
    assert left.findtext("clipitem/sourcetrack/trackindex") == "2"
    assert [c.findtext("name") for c in right.findall("clipitem")] == ["shot 1"]


def level(item: ET.Element, frame: int, straight: str) -> float:
    """The level in dB that a host draws `frame` frames into the clip, straight in dB or in amplitude."""
    keys = [(int(k.findtext("when")) - int(item.findtext("in")), float(k.findtext("value")))
            for k in item.iterfind("filter/effect/parameter/keyframe")]  # fmt: skip
    for (a, x), (b, y) in pairwise(keys):
        if a <= frame <= b:
            share = (frame - a) / (b - a)
            value = x + share * (y - x) if straight == "amplitude" else x ** (1 - share) * y**share
            return 20 * math.log10(value)
    raise AssertionError(f"no keyframes around {frame}")


@pytest.mark.parametrize("straight", ["dB", "amplitude"])
def test_keyframes_follow_the_gain_curve_whichever_way_they_are_joined(tmp_path: Path, straight: str) -> None:
    edit = sample_edit(tmp_path)
    root, _ = written(edit, tmp_path)
    item = next(c for c in root.iter("clipitem") if c.findtext("name") == "music 0")
    curve = edit.tracks[3].clips[0].gain
    for frame in range(121):
        assert level(item, frame, straight) == pytest.approx(
            keyframes.at(curve, Fraction(frame, 25)), abs=0.1
        )
    effect = item.find("filter/effect")
    assert effect.findtext("effectid") == "audiolevels"
    assert int(effect.find("parameter/keyframe").findtext("when")) == int(item.findtext("in")) == 25


def test_a_steady_gain_is_one_value(tmp_path: Path) -> None:
    edit = with_clip(sample_edit(tmp_path), 2, 0, gain=GainCurve((Fraction(0),), (-6.0,)))
    root, _ = written(edit, tmp_path)
    item = next(c for c in root.iter("clipitem") if c.findtext("name") == "dialogue 0")
    assert item.findtext("filter/effect/parameter/value") == "0.5011872"
    assert item.find("filter/effect/parameter/keyframe") is None


@pytest.mark.parametrize("channels", [(1,), (0, 0), (1, 0)])
def test_gains_beyond_the_fader_are_said_once_whatever_channels_play(
    tmp_path: Path, channels: tuple[int, ...]
) -> None:
    curve = GainCurve((Fraction(0),), (20.0,))
    _, losses = written(with_clip(sample_edit(tmp_path), 2, 0, gain=curve, channels=channels), tmp_path)
    assert losses == ("Gains above 12 dB are cut to it, where the fader ends (1 clip).",)


def test_gains_beyond_the_fader_in_what_is_not_played_are_no_loss(tmp_path: Path) -> None:
    curve = GainCurve((Fraction(-1), Fraction(0), Fraction(100), Fraction(101)), (20.0, 0.0, 0.0, 20.0))
    _, losses = written(with_clip(sample_edit(tmp_path), 2, 0, gain=curve), tmp_path)
    assert losses == ()


def test_gains_beyond_the_fader_are_cut_and_said(tmp_path: Path) -> None:
    curve = GainCurve((Fraction(0), Fraction(2)), (-200.0, 20.0))
    root, losses = written(with_clip(sample_edit(tmp_path), 2, 0, gain=curve), tmp_path)
    item = next(c for c in root.iter("clipitem") if c.findtext("name") == "dialogue 0")
    values = [float(k.findtext("value")) for k in item.iter("keyframe")]
    assert values[0] == 0.0
    assert max(values) == pytest.approx(3.98107, abs=1e-4)
    assert losses == ("Gains above 12 dB are cut to it, where the fader ends (1 clip).",)


def test_drop_frame_shows_as_drop_frame(tmp_path: Path) -> None:
    root, _ = written(sample_edit(tmp_path, Fraction(30000, 1001), drop=True), tmp_path)
    timecode = root.find("sequence/timecode")
    assert timecode.findtext("string") == "01:00:00;00"
    assert timecode.findtext("frame") == "107892"
    assert timecode.findtext("displayformat") == "DF"
    plain, _ = written(sample_edit(tmp_path, Fraction(30000, 1001)), tmp_path)
    assert plain.findtext("sequence/timecode/frame") == "108000"
    assert plain.findtext("sequence/timecode/displayformat") == "NDF"
    assert plain.findtext("sequence/rate/ntsc") == "TRUE"


def test_otio_reads_dissolves_and_fades(tmp_path: Path) -> None:
    fcp7.write(dissolve_edit(tmp_path), tmp_path / "out.xml")
    timeline = otio.adapters.read_from_file(str(tmp_path / "out.xml"), adapter_name="fcp_xml")
    track = timeline.tracks[0]
    kinds = [type(child).__name__ for child in track]
    assert kinds == ["Transition", "Clip", "Transition", "Clip", "Transition"]
    offsets = [
        (t.in_offset.value, t.out_offset.value) for t in track if isinstance(t, otio.schema.Transition)
    ]
    assert offsets == [(0, 8), (5, 5), (12, 0)]
    ranges = [(c.range_in_parent().start_time.value, c.source_range.start_time.value, c.duration().value)
              for c in track.find_clips()]  # fmt: skip
    assert ranges == [(0, 50, 100), (100, 70, 60)]


def test_speed_becomes_a_time_remap(tmp_path: Path) -> None:
    edit = with_clip(sample_edit(tmp_path), 0, 0, speed=Fraction(2), source_in=Fraction(100 + 10, 25))
    root, _ = written(edit, tmp_path)
    item = root.find(".//video/track/clipitem")
    values = {p.findtext("parameterid"): p.findtext("value") for p in item.iter("parameter")}
    assert values == {"variablespeed": "0", "speed": "200", "reverse": "FALSE", "frameblending": "FALSE"}
    assert (item.findtext("in"), item.findtext("out")) == ("5", "125")
    back, _ = written(with_clip(edit, 0, 0, speed=Fraction(-1), source_in=Fraction(100 + 600, 25)), tmp_path)
    item = back.find(".//video/track/clipitem")
    assert {p.findtext("parameterid"): p.findtext("value") for p in item.iter("parameter")}[
        "reverse"
    ] == "TRUE"
    assert item.findtext("in") == "0"


def test_what_lies_between_frames_is_rounded_with_sound_kept_in_sync(tmp_path: Path) -> None:
    quarter = Fraction(1, 100)
    edit = with_clip(
        sample_edit(tmp_path), 2, 0, start=quarter, duration=Fraction(2), source_in=Fraction(1) + quarter
    )
    root, losses = written(edit, tmp_path)
    item = next(c for c in root.iter("clipitem") if c.findtext("name") == "dialogue 0")
    assert (item.findtext("start"), item.findtext("in")) == ("0", "25")
    assert int(item.findtext("pproTicksIn")) == fcp7.TICKS
    assert losses == ("Cuts between frames, or in points between frames of the media, are rounded (1 clip).",)


def test_missing_media_stays_a_clip(tmp_path: Path) -> None:
    fcp7.write(with_clip(sample_edit(tmp_path), 1, 0, media=None), tmp_path / "out.xml")
    timeline = otio.adapters.read_from_file(str(tmp_path / "out.xml"), adapter_name="fcp_xml")
    clip = next(iter(timeline.tracks[1].find_clips()))
    assert clip.name == "shot 0"
    assert clip.media_reference.is_missing_reference


def test_film_of_another_rate_counts_in_points_on_the_timeline_s_grid(tmp_path: Path) -> None:
    media = replace(film(Fraction(50)), start=Fraction(0))
    clip = EditClip("fast", Fraction(0), Fraction(2), media, Fraction(3))
    root, _ = written(Edit("mixed", Fraction(25), (EditTrack("video", "V1", (clip,)),)), tmp_path)
    assert root.findtext(".//clipitem/in") == "75"
    assert root.findtext(".//clipitem/file/rate/timebase") == "50"
    assert root.findtext(".//clipitem/file/duration") == "600"


def test_markers_lie_on_the_sequence(tmp_path: Path) -> None:
    root, _ = written(sample_edit(tmp_path), tmp_path)
    marker = root.find("sequence/marker")
    assert [marker.findtext(tag) for tag in ("name", "comment", "in", "out")] == ["look", "here", "50", "-1"]


def test_an_odd_rate_is_refused_and_nothing_is_left_behind(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(WriteError, match=r"12\.5 frames per second"):
        fcp7.write(sample_edit(tmp_path, Fraction(25, 2)), folder / "out.xml")
    assert list(folder.iterdir()) == []
    with pytest.raises(WriteError, match="cannot be written"):
        fcp7.write(sample_edit(tmp_path), folder / "missing" / "out.xml")
