"""FCPXML against the rules of its version, read back by OTIO's adapter and by exact times."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import opentimelineio as otio
import pytest
from exporter_edits import RATES, dissolve_edit, sample_edit, sound, with_clip
from fcpxml_rules import check, placed, time
from sightmix.engine.edit import keyframes
from sightmix.engine.edit.model import Edit, EditClip, EditMarker, EditTrack, GainCurve
from sightmix.engine.errors import WriteError
from sightmix.exporters import fcpxml


def written(edit: Edit, folder: Path) -> tuple[ET.Element, tuple[str, ...]]:
    out = folder / "out.fcpxml"
    losses = fcpxml.write(edit, out)
    root = ET.parse(out).getroot()
    check(root)
    return root, losses


@pytest.mark.parametrize("rate", RATES)
def test_every_clip_lies_exactly_where_it_was(tmp_path: Path, rate: Fraction) -> None:
    edit = sample_edit(tmp_path, rate)
    root, losses = written(edit, tmp_path)
    assert losses == ()
    clips = placed(root)
    for lane, track in zip((0, -1, -2, -3, -4), edit.tracks, strict=True):
        found = [(c.name, c.start, c.duration, c.source) for c in clips if c.lane == lane]
        assert found == [(c.name, c.start, c.duration, c.source_in) for c in track.clips]
    assert time(root.find(".//sequence").get("tcStart")) == edit.start


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(25), Fraction(30), Fraction(50)])
def test_otio_reads_the_same_positions(tmp_path: Path, rate: Fraction) -> None:
    edit = replace(sample_edit(tmp_path, rate), start=Fraction(0))
    fcpxml.write(edit, tmp_path / "out.fcpxml")
    timeline = otio.adapters.read_from_file(str(tmp_path / "out.fcpxml"), adapter_name="fcpx_xml")[0]
    assert timeline.name == edit.name
    lanes = {track.name: track for track in timeline.tracks}
    for lane, track in zip(("0", "-1", "-2", "-3", "-4"), edit.tracks, strict=True):
        assert lanes[lane].kind.lower() == track.kind if track.role else True
        for clip, own in zip(lanes[lane].find_clips(), track.clips, strict=True):
            span = clip.range_in_parent()
            assert (span.start_time.value, span.duration.value) == (own.start * rate, own.duration * rate)
            assert clip.source_range.start_time.value == own.source_in * rate


def test_sound_may_lie_between_frames(tmp_path: Path) -> None:
    start, source = Fraction(48001, 48000), Fraction(12345, 48000)
    root, losses = written(with_clip(sample_edit(tmp_path), 2, 0, start=start, source_in=source), tmp_path)
    clip = next(c for c in placed(root) if c.name == "dialogue 0")
    assert (clip.start, clip.source) == (start, source)
    assert losses == ()


def test_picture_between_frames_is_rounded_and_said(tmp_path: Path) -> None:
    root, losses = written(with_clip(sample_edit(tmp_path), 0, 0, duration=Fraction(1, 10)), tmp_path)
    assert placed(root)[0].duration == Fraction(3, 25)
    assert losses == ("Picture cuts between frames are rounded (1 clip).",)


def test_roles_stand_for_tracks(tmp_path: Path) -> None:
    root, _ = written(sample_edit(tmp_path), tmp_path)
    roles = {c.name: c.element.get("audioRole") for c in placed(root) if c.lane}
    assert roles["dialogue 0"] == "dialogue.dialogue A1"
    assert roles["music 1"] == "music.music A1"
    assert roles["effects 1"] == "effects.effects A1"
    assert roles["shot 0"] == "Location"
    assert {c.element.get("videoRole") for c in placed(root) if not c.lane} == {"video.V1"}


def test_muted_tracks_are_disabled_clips_and_sides_are_told_apart(tmp_path: Path) -> None:
    root, _ = written(sample_edit(tmp_path), tmp_path)
    for clip in placed(root):
        assert clip.element.get("enabled") == ("0" if clip.lane == -1 else None)
        side = {0: "video", -1: "audio"}.get(clip.lane)
        assert clip.element.get("srcEnable") == side


def test_files_keep_their_handles_and_say_what_is_in_them(tmp_path: Path) -> None:
    root, _ = written(sample_edit(tmp_path), tmp_path)
    stem = next(a for a in root.iter("asset") if a.get("name") == "music 0.wav")
    assert (time(stem.get("start")), time(stem.get("duration"))) == (0, 7)
    assert (stem.get("audioChannels"), stem.get("audioRate"), stem.get("hasVideo")) == ("2", "48000", None)
    assert stem.find("media-rep").get("src") == (tmp_path / "music 0.wav").as_uri()
    shot = next(a for a in root.iter("asset") if a.get("hasVideo"))
    assert time(shot.get("start")) == 4
    assert (shot.get("hasAudio"), shot.get("audioSources")) == ("1", "1")


def test_an_audio_only_timeline_hangs_on_a_gap(tmp_path: Path) -> None:
    edit = sample_edit(tmp_path, picture=False)
    root, _ = written(edit, tmp_path)
    spine = root.find(".//sequence/spine")
    assert [child.tag for child in spine] == ["gap"]
    assert [c.lane for c in placed(root)] == [-1, -1, -2, -2, -3, -3, -4, -4]
    timeline = otio.adapters.read_from_file(str(tmp_path / "out.fcpxml"), adapter_name="fcpx_xml")[0]
    assert len(timeline.tracks) == 4


def test_keyframes_are_the_gain_curve_in_the_clip_s_own_time(tmp_path: Path) -> None:
    edit = sample_edit(tmp_path)
    root, _ = written(edit, tmp_path)
    clip = next(c for c in placed(root) if c.name == "music 0")
    keys = [(time(k.get("time")) - clip.source, float(k.get("value"))) for k in clip.element.iter("keyframe")]
    own = edit.tracks[3].clips[0].gain
    curve = GainCurve(tuple(t for t, _ in keys), tuple(db for _, db in keys))
    for i in range(481):
        t = Fraction(i, 100)
        assert keyframes.at(curve, t) == pytest.approx(keyframes.at(own, t), abs=1e-4)
    assert max(abs(b - a) for (_, a), (_, b) in pairwise(keys)) <= 1.81
    assert clip.element.find("adjust-volume/param").get("name") == "amount"


def test_a_steady_gain_is_a_bare_number_of_db(tmp_path: Path) -> None:
    root, _ = written(
        with_clip(sample_edit(tmp_path), 2, 0, gain=GainCurve((Fraction(0),), (-6.0,))), tmp_path
    )
    clip = next(c for c in placed(root) if c.name == "dialogue 0")
    assert clip.element.find("adjust-volume").attrib == {"amount": "-6"}
    unity, _ = written(with_clip(sample_edit(tmp_path), 2, 0, gain=None), tmp_path)
    clip = next(c for c in placed(unity) if c.name == "dialogue 0")
    assert clip.element.find("adjust-volume") is None


def test_gains_beyond_the_fader_in_what_is_not_played_are_no_loss(tmp_path: Path) -> None:
    curve = GainCurve((Fraction(-1), Fraction(0), Fraction(100), Fraction(101)), (20.0, 0.0, 0.0, 20.0))
    _, losses = written(with_clip(sample_edit(tmp_path), 2, 0, gain=curve), tmp_path)
    assert losses == ()


def test_gains_beyond_the_fader_are_cut_and_said(tmp_path: Path) -> None:
    curve = GainCurve((Fraction(0), Fraction(2)), (-200.0, 20.0))
    root, losses = written(with_clip(sample_edit(tmp_path), 2, 0, gain=curve), tmp_path)
    clip = next(c for c in placed(root) if c.name == "dialogue 0")
    values = [float(k.get("value")) for k in clip.element.iter("keyframe")]
    assert (min(values), max(values)) == (-96, 12)
    assert losses == ("Gains above 12 dB are cut to it, where the fader ends (1 clip).",)


def test_dissolves_share_a_storyline_and_fades_are_fades(tmp_path: Path) -> None:
    root, _ = written(dissolve_edit(tmp_path), tmp_path)
    one, two = placed(root)
    assert (one.start, one.duration, two.start, two.source) == (0, 4, 4, Fraction(70, 25))
    spine = root.find(".//gap/spine")
    assert [child.tag for child in spine] == ["asset-clip", "transition", "asset-clip"]
    assert (time(spine[1].get("offset")), time(spine[1].get("duration"))) == (
        Fraction(95, 25),
        Fraction(10, 25),
    )
    assert time(one.element.find(".//fadeIn").get("duration")) == Fraction(8, 25)
    assert time(two.element.find(".//fadeOut").get("duration")) == Fraction(12, 25)
    assert root.find("resources/effect").get("uid") == "FFAudioTransition"


def test_fades_and_gains_go_together(tmp_path: Path) -> None:
    edit = with_clip(dissolve_edit(tmp_path), 0, 0, gain=GainCurve((Fraction(0), Fraction(1)), (0.0, -3.0)))
    root, _ = written(edit, tmp_path)
    amount = placed(root)[0].element.find("adjust-volume/param")
    assert [child.tag for child in amount] == ["fadeIn", "keyframeAnimation"]


def test_speed_is_a_time_map(tmp_path: Path) -> None:
    edit = with_clip(sample_edit(tmp_path), 0, 0, speed=Fraction(2))
    root, _ = written(edit, tmp_path)
    clip = placed(root)[0].element
    ramp = [(time(p.get("time")), time(p.get("value"))) for p in clip.iter("timept")]
    assert ramp[0] == (time(clip.get("start")), Fraction(110, 25))
    assert (ramp[1][1] - ramp[0][1]) / (ramp[1][0] - ramp[0][0]) == 2


def test_chosen_channels_are_named_from_one(tmp_path: Path) -> None:
    media = sound(tmp_path, "mix.wav", Fraction(4), 6)
    clip = EditClip("mix", Fraction(0), Fraction(2), media, channels=(0, 2))
    root, _ = written(Edit("x", Fraction(25), (EditTrack("audio", "5.1", (clip,), channels=6),)), tmp_path)
    assert root.find(".//audio-channel-source").get("srcCh") == "1, 3"
    assert root.find(".//sequence").get("audioLayout") == "surround"


def test_drop_frame_and_markers(tmp_path: Path) -> None:
    rate = Fraction(30000, 1001)
    root, _ = written(sample_edit(tmp_path, rate, drop=True), tmp_path)
    sequence = root.find(".//sequence")
    assert sequence.get("tcFormat") == "DF"
    assert time(sequence.get("tcStart")) == 107892 / rate
    marker = root.find(".//marker")
    assert (marker.get("value"), marker.get("note")) == ("look", "here")
    first = sequence.find("spine")[0]
    assert time(marker.get("start")) - time(first.get("start")) == 50 / rate
    late = replace(sample_edit(tmp_path), markers=(EditMarker(Fraction(999), Fraction(0), "late"),))
    assert "Markers beyond the end" in written(late, tmp_path)[1][0]


def test_missing_media_is_said(tmp_path: Path) -> None:
    root, losses = written(with_clip(sample_edit(tmp_path), 2, 0, media=None), tmp_path)
    assert losses == ("Clips without media point to files that do not exist (1 clip).",)
    assert placed(root)[4].duration == Fraction(120, 25)


def test_an_odd_rate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match=r"12\.5 frames"):
        fcpxml.write(sample_edit(tmp_path, Fraction(25, 2)), tmp_path / "out.fcpxml")
