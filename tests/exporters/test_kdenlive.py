"""OTIO for Kdenlive: read back by the library the way Kdenlive's importer reads it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import exporter_sound as kit
import opentimelineio as otio
import pytest
from sightmix.engine.edit.model import Edit, EditMarker, EditMedia, EditTrack, EditTransition, GainCurve
from sightmix.engine.media.time import to_frames
from sightmix.exporters import kdenlive
from sightmix.exporters.flatten import edit_of


def read(edit: Edit, folder: Path) -> tuple[otio.schema.Timeline, tuple[str, ...]]:
    out = folder / "edit.otio"
    losses = kdenlive.write(edit, out)
    return otio.adapters.read_from_file(str(out)), losses


@pytest.mark.parametrize("rate", kit.RATES, ids=lambda r: f"{float(r):.6g}")
def test_positions_as_the_importer_counts_them(rate: Fraction, tmp_path: Path) -> None:
    media = kit.noise(tmp_path / "ä b.wav", 6)
    clips = [kit.framed(media, rate, 7, 41, 13), kit.framed(media, rate, 60, 20, 5)]
    timeline, losses = read(kit.audio_edit(rate, clips, clips[1:]), tmp_path)
    assert losses == ()
    assert timeline.duration().rate == float(rate)
    for track, wanted in zip(timeline.tracks, (clips, clips[1:]), strict=True):
        for made, clip in zip(track.find_clips(), wanted, strict=True):
            placed = made.trimmed_range_in_parent()
            assert placed.start_time.value == to_frames(clip.start, rate)
            assert placed.duration.value == to_frames(clip.duration, rate)
            assert made.source_range.start_time.value == to_frames(clip.source_in, rate)
            assert made.media_reference.target_url == media.path.as_uri()


def test_a_picture_keeps_its_timecode_and_a_sound_file_loses_it(tmp_path: Path) -> None:
    rate, hour = Fraction(25), Fraction(3600)
    shot = EditMedia("s.mov", "/x/s.mov", None, start=hour, duration=Fraction(10), width=1920, height=1080)
    stem = EditMedia("s.wav", "/x/s.wav", None, start=hour, duration=Fraction(10), sample_rate=48000)
    tracks = tuple(
        EditTrack(kind, kind, (replace(kit.framed(media, rate, 0, 50, 0), source_in=hour + 2),))
        for kind, media in (("video", shot), ("audio", stem))
    )
    timeline, _ = read(Edit("cut", rate, tracks), tmp_path)
    starts = [clip.source_range.start_time.value for clip in timeline.find_clips()]
    assert starts == [3602 * 25, 2 * 25]


def test_what_kdenlive_would_misread_is_left_out_and_said(tmp_path: Path) -> None:
    rate = Fraction(25)
    media = kit.noise(tmp_path / "a.wav", 9)
    curve = GainCurve((Fraction(0), Fraction(1)), (0.0, -6.0))
    clips = (
        kit.framed(media, rate, 0, 25, 0, gain=curve, fade_in=Fraction(1, 5)),
        kit.framed(media, rate, 25, 25, 30, speed=Fraction(2), channels=(1,)),
        kit.framed(media, rate, 50, 25, 30, enabled=False),
    )
    tracks = (
        EditTrack("audio", "A", clips, (EditTransition(Fraction(1), Fraction(1, 5), Fraction(1, 5)),)),
        EditTrack("audio", "muted", clips[:1], enabled=False),
    )
    edit = Edit("cut", rate, tracks, markers=(EditMarker(Fraction(1), Fraction(0), "here", "look"),))
    timeline, losses = read(edit, tmp_path)
    assert [len(track) for track in timeline.tracks] == [2]
    assert len(losses) == 7
    assert timeline.tracks.markers[0].comment == "here: look"


def test_there_and_back(tmp_path: Path) -> None:
    rate = Fraction(30000, 1001)
    media = kit.noise(tmp_path / "a.wav", 6)
    edit = kit.audio_edit(rate, [kit.framed(media, rate, 7, 41, 13)])
    timeline, _ = read(edit, tmp_path)
    [track] = edit_of(timeline, tmp_path).tracks
    [clip] = track.clips
    wanted = edit.tracks[0].clips[0]
    assert (clip.start, clip.duration, clip.source_in) == (wanted.start, wanted.duration, wanted.source_in)
