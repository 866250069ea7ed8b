"""What we write as FCPXML is read back as it was: clips, times, levels, fades, mutes, start timecodes, dissolves."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from exporter_edits import RATES, dissolve_edit, sample_edit, sound, with_clip
from hypothesis import given, settings
from hypothesis import strategies as st
from sightmix.engine.edit import keyframes
from sightmix.engine.edit.losses import Losses
from sightmix.engine.edit.model import Edit, EditClip, EditTrack
from sightmix.exporters import fcpxml
from sightmix.exporters.common import LOUDEST_DB, feasible
from sightmix.plugin.timeline.source import open_edit
from test_formats_random import QUICK, edits

DATA = Path(__file__).parents[1] / "data" / "otio"
FIXTURES = [
    "resolve/base.otio",
    "resolve/ref2.otio",
    "resolve/ref3_clipvol.otio",
    "otio_core/premiere_example.otio",
    "otio_core/multitrack.otio",
    "otio_core/nested_example.otio",
    "otio_core/transition.otio",
    "avid/2997fps.otio",
    "tlrender/LinearTimeWarp.otio",
]


def back(edit: Edit, folder: Path) -> Edit:
    fcpxml.write(edit, folder / "out.fcpxml")
    return open_edit(folder / "out.fcpxml")


def facts(edit: Edit, kind: str) -> Iterator[tuple[object, ...]]:
    """Everything of a track's clips that the format carries."""
    for track in edit.tracks:
        if track.kind == kind and track.clips:
            met = {clip.start for clip in track.clips} & {clip.end for clip in track.clips}
            yield (
                track.name,
                [
                    (
                        clip.name,
                        clip.start,
                        clip.duration,
                        clip.source_in,
                        clip.speed,
                        clip.enabled and track.enabled,
                        clip.media and clip.media.name,
                        clip.channels,
                    )
                    for clip in track.clips
                ],
                [(t.cut, t.before, t.after) for t in track.transitions if t.cut in met],
            )


def places(track: EditTrack) -> Iterator[tuple[bool, tuple[Fraction, ...]]]:
    """Whether each clip plays, its record time, length and media time, and how fast it runs."""
    for clip in track.clips:
        yield clip.enabled and track.enabled, (clip.start, clip.duration, clip.source_in, clip.speed)


def same_levels(one: EditClip, other: EditClip) -> None:
    for own, read in ((one.fade_in, other.fade_in), (one.fade_out, other.fade_out)):
        assert float(read) == pytest.approx(float(own), abs=1e-6)
    for i in range(41):
        t = one.duration * Fraction(i, 40)
        wanted = keyframes.at(one.gain, t) if one.gain else 0.0
        wanted = min(max(wanted, keyframes.SILENCE_DB), LOUDEST_DB)
        assert (keyframes.at(other.gain, t) if other.gain else 0.0) == pytest.approx(wanted, abs=0.06)


def same(edit: Edit, found: Edit) -> None:
    assert (found.name, found.rate, found.start, found.drop_frame) == (
        edit.name,
        edit.rate,
        edit.start,
        edit.drop_frame,
    )
    for kind in ("video", "audio"):
        assert list(facts(found, kind)) == list(facts(edit, kind))
    own, read = ([c for t in e.tracks if t.kind == "audio" for c in t.clips] for e in (edit, found))
    for one, other in zip(own, read, strict=True):
        same_levels(one, other)


@pytest.mark.parametrize("rate", RATES)
def test_a_timeline_with_stems_comes_back(tmp_path: Path, rate: Fraction) -> None:
    edit = sample_edit(tmp_path, rate)
    found = back(edit, tmp_path)
    same(edit, found)
    assert [(m.start, m.name, m.note) for m in found.markers] == [
        (m.start, m.name, m.note) for m in edit.markers
    ]


def test_drop_frame_fades_dissolves_speeds_and_notes_come_back(tmp_path: Path) -> None:
    same(edit := sample_edit(tmp_path, Fraction(30000, 1001), drop=True), back(edit, tmp_path))
    same(edit := dissolve_edit(tmp_path), back(edit, tmp_path))
    edit = with_clip(sample_edit(tmp_path), 2, 1, speed=Fraction(1, 2), notes="slow", enabled=False)
    same(edit, found := back(edit, tmp_path))
    assert found.tracks[2].clips[1].notes == "slow"


def test_sound_between_frames_and_tracks_of_one_name_come_back(tmp_path: Path) -> None:
    edit = with_clip(sample_edit(tmp_path), 2, 0, start=Fraction(1, 48000), source_in=Fraction(24013, 48000))
    named = tuple(replace(track, name="A1", role="") for track in edit.tracks[1:])
    edit = replace(edit, tracks=(edit.tracks[0], *named))
    same(edit, back(edit, tmp_path))


def test_the_first_of_several_streams_comes_back_alone(tmp_path: Path) -> None:
    media = replace(sound(tmp_path, "a.wav"), path=None, url="/none/a.mxf", streams=(2, 2), channels=4)
    clips = (EditClip("a", Fraction(0), Fraction(2), media),)
    edit = Edit("streams", Fraction(25), (EditTrack("audio", "A1", clips),))
    found = back(edit, tmp_path)
    assert [(t.name, [c.channels for c in t.clips]) for t in found.tracks] == [("A1", [(0, 1)])]


@settings(max_examples=40, deadline=None, phases=QUICK)
@given(edit=edits(), off=st.integers(0, 3))
def test_random_timelines_come_back(edit: Edit, off: int) -> None:
    tracks = tuple(
        _filmed(replace(track, name=f"{track.name} {i}", enabled=i != off), edit.rate)
        for i, track in enumerate(edit.tracks)
    )
    edit = feasible(replace(edit, tracks=tracks), Losses())
    with tempfile.TemporaryDirectory() as folder:
        same(edit, back(edit, Path(folder)))


def _filmed(track: EditTrack, rate: Fraction) -> EditTrack:
    """The track, its media with a picture if it is one of pictures, its levels within what faders reach."""
    if track.kind == "audio":
        return replace(track, clips=tuple(_within_reach(clip) for clip in track.clips))
    shape = {"width": 1920, "height": 1080, "rate": rate}
    clips = [
        replace(clip, media=replace(clip.media, **shape) if clip.media else None) for clip in track.clips
    ]
    return replace(track, clips=tuple(clips))


def _within_reach(clip: EditClip) -> EditClip:
    if clip.gain is None:
        return clip
    levels = tuple(min(max(db, keyframes.SILENCE_DB), LOUDEST_DB) for db in clip.gain.db)
    return replace(clip, gain=replace(clip.gain, db=levels))


@pytest.mark.parametrize("name", FIXTURES)
def test_timelines_of_other_hosts_come_back(tmp_path: Path, name: str) -> None:
    edit = feasible(open_edit(DATA / name), Losses())
    found = back(edit, tmp_path)
    assert (found.rate, found.start) == (edit.rate, edit.start)
    for kind, slack in (("audio", Fraction(1, 10**6)), ("video", 1 / edit.rate)):
        own = [list(places(track)) for track in edit.tracks if track.kind == kind and track.clips]
        read = [list(places(track)) for track in found.tracks if track.kind == kind]
        assert [len(track) for track in read] == [len(track) for track in own]
        for one, other in zip(own, read, strict=True):
            for wanted, read_ in zip(one, other, strict=True):
                assert read_[0] == wanted[0]
                assert max(abs(a - b) for a, b in zip(wanted[1], read_[1], strict=True)) <= slack
