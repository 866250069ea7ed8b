"""CMX 3600 lists read line by line, and by OTIO's adapter where that reads sound."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio
import pytest
from exporter_edits import RATES, dissolve_edit, sample_edit, sound, with_clip
from sightmix.engine.edit.model import Edit, EditClip, EditTrack, EditTransition
from sightmix.engine.media.time import parse_timecode, to_frames
from sightmix.exporters import edl

EVENT = re.compile(
    r"(?P<number>\d{3,4})  (?P<reel>\S+) +(?P<code>\S+) +(?P<cut>C|D +\d{3}) +"
    r"(?P<times>\d\d:\d\d:\d\d[:;]\d\d( \d\d:\d\d:\d\d[:;]\d\d){3})"
)


def written(edit: Edit, folder: Path) -> tuple[list[str], tuple[str, ...]]:
    out = folder / "out.edl"
    losses = edl.write(edit, out)
    raw = out.read_bytes()
    assert raw.count(b"\n") == raw.count(b"\r\n")
    return raw.decode().splitlines(), losses


def events(lines: list[str], rate: Fraction) -> list[tuple[str, str, list[int]]]:
    """Reel, channels and the four times in frames of every event."""
    found = []
    for i, line in enumerate(lines):
        if match := EVENT.fullmatch(line):
            below = lines[i + 1] if i + 1 < len(lines) and lines[i + 1].startswith("AUD") else ""
            frames = [to_frames(parse_timecode(t, rate), rate) for t in match["times"].split()]
            found.append((match["reel"], f"{match['code']} {below}".strip(), frames))
    return found


@pytest.mark.parametrize("rate", RATES)
def test_every_cut_is_on_its_frame(tmp_path: Path, rate: Fraction) -> None:
    edit = sample_edit(tmp_path, rate, drop=rate == Fraction(30000, 1001))
    lines, losses = written(edit, tmp_path)
    assert lines[0] == "TITLE: Reel 1 – Schnitt"
    assert lines[1] == ("FCM: DROP FRAME" if edit.drop_frame else "FCM: NON-DROP FRAME")
    origin = to_frames(edit.start, rate)
    assert origin == (107892 if edit.drop_frame else 3600 * round(rate))
    found = events(lines, rate)
    assert [code for _, code, _ in found] == ["V", "A", "A2", "NONE AUD   3"] * 2
    for cut, group in enumerate((found[:4], found[4:])):
        for (_, _, times), track in zip(group, (edit.tracks[0], *edit.tracks[2:]), strict=True):
            clip = track.clips[cut]
            span = [to_frames(clip.source_in, rate), to_frames(clip.source_in + clip.duration, rate)]
            record = [origin + to_frames(clip.start, rate), origin + to_frames(clip.end, rate)]
            assert times == [*span, *record]
    assert "Disabled tracks are left out." in losses
    assert any("one channel each" in loss for loss in losses)


def test_drop_frame_is_written_with_semicolons(tmp_path: Path) -> None:
    lines, _ = written(sample_edit(tmp_path, Fraction(30000, 1001), drop=True), tmp_path)
    assert "01:00:00;00" in lines[3]


def test_two_stereo_tracks_fill_four_channels(tmp_path: Path) -> None:
    edit = sample_edit(tmp_path)
    lines, _ = written(replace(edit, tracks=edit.tracks[2:4]), tmp_path)
    assert [code for _, code, _ in events(lines, edit.rate)] == ["AA", "NONE AUD   3    4"] * 2


def test_odd_widths_share_the_channels(tmp_path: Path) -> None:
    mono, stereo = sound(tmp_path, "m.wav", channels=1), sound(tmp_path, "s.wav")
    tracks = [
        EditTrack(
            "audio", str(i), (EditClip(str(i), Fraction(0), Fraction(1), media),), channels=media.channels
        )
        for i, media in enumerate((mono, stereo, mono))
    ]
    lines, _ = written(Edit("x", Fraction(25), tuple(tracks)), tmp_path)
    assert [code for _, code, _ in events(lines, Fraction(25))] == ["A", "A2 AUD   3", "NONE AUD   4"]


def test_tracks_beyond_the_fourth_channel_are_named_in_the_losses(tmp_path: Path) -> None:
    edit = sample_edit(tmp_path)
    lines, losses = written(replace(edit, tracks=(*edit.tracks[2:], *edit.tracks[2:])), tmp_path)
    assert losses[1] == "Sound tracks beyond the fourth channel are left out: music A1, effects A1."
    assert len(events(lines, edit.rate)) == 8


def test_otio_reads_picture_and_two_channels(tmp_path: Path) -> None:
    edit = sample_edit(tmp_path)
    edit = replace(edit, tracks=(edit.tracks[0], edit.tracks[2]))
    edl.write(edit, tmp_path / "out.edl")
    timeline = otio.adapters.read_from_file(str(tmp_path / "out.edl"), adapter_name="cmx_3600", rate=25)
    assert [t.name for t in timeline.tracks] == ["V", "A1", "A2"]
    for track, own in zip(timeline.tracks, (edit.tracks[0], edit.tracks[1], edit.tracks[1]), strict=True):
        clips = list(track.find_clips())
        assert [c.name for c in clips] == [c.name for c in own.clips]
        starts = [c.range_in_parent().start_time.value for c in clips]
        assert starts == [c.start * 25 for c in own.clips]
        assert [c.source_range.start_time.value for c in clips] == [c.source_in * 25 for c in own.clips]


def test_dissolves_begin_where_the_new_clip_does(tmp_path: Path) -> None:
    edit = dissolve_edit(tmp_path)
    lines, losses = written(edit, tmp_path)
    found = events(lines, edit.rate)
    assert [reel for reel, _, _ in found] == ["BL", "ONE", "ONE", "TWO"]
    assert [times for _, _, times in found] == [
        [0, 0, 0, 0],
        [50, 145, 0, 95],
        [145, 145, 95, 95],
        [65, 130, 95, 160],
    ]
    assert "D    008" in lines[4]
    assert losses == (
        "Fades to black or silence are left out (1 clip).",
        "Dissolves keep their beginning and length, but not where their cut was (1 clip).",
    )
    assert any("D    010" in line for line in lines)


def test_gain_curves_are_comments_and_the_loss_is_said(tmp_path: Path) -> None:
    edit = sample_edit(tmp_path)
    lines, losses = written(replace(edit, tracks=edit.tracks[3:4]), tmp_path)
    levels = [line for line in lines if line.startswith("* AUDIO LEVEL")]
    assert levels[0] == "* AUDIO LEVEL AT 01:00:00:00 IS +0.00 DB  (REEL MUSIC_0 A1 A2)"
    assert levels[-1].startswith("* AUDIO LEVEL AT 01:00:08:20 IS -9.00 DB")
    assert losses == ("Gain curves are comments, which no editor applies (2 clips).",)


def test_reels_are_short_and_different(tmp_path: Path) -> None:
    clips = tuple(
        EditClip(f"c{i}", Fraction(i), Fraction(1), sound(tmp_path, f"a very long name {i}.wav", Fraction(2)))
        for i in range(11)
    )
    lines, _ = written(Edit("reels", Fraction(24), (EditTrack("audio", "A1", clips),)), tmp_path)
    reels = [reel for reel, _, _ in events(lines, Fraction(24))]
    assert reels[:2] == ["A_VERY_L", "A_VERY_2"]
    assert len(set(reels)) == 11
    assert all(len(reel) <= 8 for reel in reels)


def test_speed_is_an_m2_line(tmp_path: Path) -> None:
    edit = with_clip(sample_edit(tmp_path), 0, 0, speed=Fraction(1, 2))
    lines, _ = written(replace(edit, tracks=edit.tracks[:1]), tmp_path)
    assert lines[3].split()[4:6] == ["00:00:04:10", "00:00:06:20"]
    assert lines[4].split()[:3] == ["M2", "SC_NE_1", "0012.500"]


def test_a_thousand_dissolves_in_a_row(tmp_path: Path) -> None:
    media = sound(tmp_path, "long.wav", Fraction(2))
    clips = tuple(EditClip(str(i), Fraction(i), Fraction(1), media, Fraction(1, 2)) for i in range(1200))
    cuts = tuple(EditTransition(Fraction(i), Fraction(1, 5), Fraction(1, 5)) for i in range(1, 1200))
    lines, losses = written(Edit("x", Fraction(25), (EditTrack("audio", "A1", clips, cuts),)), tmp_path)
    assert len(events(lines, Fraction(25))) == 1200 + 1199
    assert "The list has 1200 events; CMX 3600 numbers 999 of them." in losses
    assert "Dissolves keep their beginning and length, but not where their cut was (1199 clips)." in losses


def test_what_no_medium_can_give_is_shortened(tmp_path: Path) -> None:
    """A dissolve at the very start of its media and a clip from before it: timecode never wraps round midnight."""
    edit = dissolve_edit(tmp_path)
    edit = with_clip(edit, 0, 1, source_in=Fraction(2, 25))
    lines, losses = written(edit, tmp_path)
    assert events(lines, edit.rate)[-1][2] == [0, 62, 98, 160]
    assert losses[0] == "Dissolves longer than the media around their cut are shortened (1 clip)."
    early = with_clip(sample_edit(tmp_path), 2, 0, source_in=Fraction(-1, 5))
    lines, losses = written(replace(early, tracks=early.tracks[2:3]), tmp_path)
    assert events(lines, edit.rate)[0][2] == [0, 115, 90005, 90120]
    assert "Clips that begin before their media start with it (1 clip)." in losses
