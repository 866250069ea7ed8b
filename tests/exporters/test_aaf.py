"""AAF read back by pyaaf2, object by object, and by OTIO's adapter."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import aaf2
import numpy as np
import opentimelineio as otio
import pytest
import soundfile
from exporter_edits import RATES, dissolve_edit, film, sample_edit, sound, with_clip
from sightmix.engine.edit import keyframes
from sightmix.engine.edit.model import Edit, EditClip, EditMarker, EditMedia, EditTrack, GainCurve
from sightmix.engine.errors import MediaError, WriteError
from sightmix.engine.media.time import to_frames
from sightmix.exporters import aaf


def written(edit: Edit, folder: Path, **options: bool) -> tuple[Path, tuple[str, ...]]:
    out = folder / "out.aaf"
    return out, aaf.write(edit, out, **options)


def slots(file: Any) -> dict[str, Any]:
    """The composition's slots by name."""
    return {slot.name: slot for slot in next(file.content.compositionmobs()).slots}


def clips(slot: Any) -> list[tuple[int, Any, Any]]:
    """Start, source clip and gain (None without one) of everything on a slot, transitions taken off."""
    found = []
    for _, position, component in slot.segment.positions():
        kind = type(component).__name__
        if kind == "OperationGroup":
            found.append((position, component.segments[0], component.parameters.value[0]))
        elif kind == "SourceClip":
            found.append((position, component, None))
    return found


@pytest.mark.parametrize("rate", RATES)
def test_every_clip_starts_on_its_sample(tmp_path: Path, rate: Fraction) -> None:
    edit = sample_edit(tmp_path, rate)
    out, losses = written(edit, tmp_path)
    assert not [loss for loss in losses if "left out" in loss]
    with aaf2.open(str(out)) as file:
        found = slots(file)
        sounds = ("Location", "dialogue A1", "music A1", "effects A1")
        names = ["TC", "V1"] + [f"{name}.{side}" for name in sounds for side in "LR"]
        assert [name for name, slot in found.items() if type(slot).__name__ != "EventMobSlot"] == names
        for track in edit.tracks[2:]:
            for side in "LR":
                slot = found[f"{track.name}.{side}"]
                assert slot.edit_rate == 48000
                for (start, source, _), own in zip(clips(slot), track.clips, strict=True):
                    assert start == round(own.start * 48000)
                    assert start + source.length == round(own.end * 48000)
                    assert source.start == 48000
                    assert source.mob.name == own.name
                    assert source.slot_id == "LR".index(side) + 1
        picture = [(start, c.length, c.start) for start, c, _ in clips(found["V1"])]
        assert picture == [(0, 120, 10), (130, 90, 200)]
        assert found["V1"].edit_rate == rate
        assert found["V1"]["PhysicalTrackNumber"].value == 1
        assert found["effects A1.R"]["PhysicalTrackNumber"].value == 8


def test_positions_between_frames_stay_on_their_sample(tmp_path: Path) -> None:
    edit = with_clip(
        sample_edit(tmp_path), 2, 0, start=Fraction(7, 48000), duration=Fraction(12345, 48000),
        source_in=Fraction(777, 48000),
    )  # fmt: skip
    out, _ = written(edit, tmp_path)
    with aaf2.open(str(out)) as file:
        start, source, _ = clips(slots(file)["dialogue A1.L"])[0]
        assert (start, source.length, source.start) == (7, 12345, 777)


def test_linked_files_are_described_as_they_are(tmp_path: Path) -> None:
    out, losses = written(sample_edit(tmp_path), tmp_path)
    assert not any("refuse" in loss for loss in losses)
    with aaf2.open(str(out)) as file:
        _, source, _ = clips(slots(file)["music A1.R"])[0]
        physical = source.mob.slot_at(2).segment
        mob = physical.mob
        assert physical.slot_id == 2
        assert mob.name == "music 0.wav"
        described = {key: mob.descriptor[key].value for key in ("Channels", "QuantizationBits", "BlockAlign",
                     "AverageBPS", "AudioSamplingRate", "SampleRate", "Length")}  # fmt: skip
        assert described == {
            "Channels": 2, "QuantizationBits": 24, "BlockAlign": 6, "AverageBPS": 288000,
            "AudioSamplingRate": 48000, "SampleRate": 48000, "Length": 336000,
        }  # fmt: skip
        assert type(mob.descriptor).__name__ == "PCMDescriptor"
        assert mob.descriptor["ContainerFormat"].value.name == "ContainerDef_External"
        assert [x["URLString"].value for x in mob.descriptor.locator] == [(tmp_path / "music 0.wav").as_uri()]
        assert [(s.slot_id, s["PhysicalTrackNumber"].value, s.segment.length) for s in mob.slots] == [
            (1, 1, 336000),
            (2, 2, 336000),
        ]


def test_a_file_is_described_once_however_often_it_plays(tmp_path: Path) -> None:
    media = sound(tmp_path, "room.wav", Fraction(10), 1)
    track = EditTrack(
        "audio", "Room", tuple(EditClip("room", Fraction(i), Fraction(1), media, Fraction(i)) for i in range(5)),
        channels=1,
    )  # fmt: skip
    out, _ = written(Edit("x", Fraction(24), (track,)), tmp_path)
    with aaf2.open(str(out)) as file:
        assert len(list(file.content.mastermobs())) == 1
        assert len(list(file.content.sourcemobs())) == 1
        assert [source.start for _, source, _ in clips(slots(file)["Room"])] == [48000 * i for i in range(5)]


def test_gain_curves_are_automation(tmp_path: Path) -> None:
    edit = sample_edit(tmp_path)
    out, _ = written(edit, tmp_path)
    own = edit.tracks[3].clips[0]
    with aaf2.open(str(out)) as file:
        for side in "LR":
            _, source, gain = clips(slots(file)[f"music A1.{side}"])[0]
            assert type(gain).__name__ == "VaryingValue"
            assert gain.name == "Amplitude"
            points = list(gain["PointList"])
            assert (points[0].time, points[-1].time) == (0, 1)
            for i in range(0, 481, 3):
                share = i / 480
                db = 20 * np.log10(gain.value_at(share))
                assert db == pytest.approx(keyframes.at(own.gain, own.duration * Fraction(i, 480)), abs=0.06)
            group = slots(file)[f"music A1.{side}"].segment.components[0]
            assert group.operation.name == "Mono Audio Gain"
            assert group.length == source.length


def test_a_steady_gain_is_one_value_and_unity_none(tmp_path: Path) -> None:
    edit = with_clip(sample_edit(tmp_path), 3, 0, gain=GainCurve((Fraction(0),), (-6.0,)))
    out, _ = written(edit, tmp_path)
    with aaf2.open(str(out)) as file:
        gain = clips(slots(file)["music A1.L"])[0][2]
        assert type(gain).__name__ == "ConstantValue"
        assert float(gain.value) == pytest.approx(10 ** (-6 / 20), abs=1e-6)
    plain = with_clip(edit, 3, 0, gain=None)
    with aaf2.open(str(written(plain, tmp_path)[0])) as file:
        assert clips(slots(file)["music A1.L"])[0][2] is None


def test_dissolves_and_fades_are_transitions(tmp_path: Path) -> None:
    out, _ = written(dissolve_edit(tmp_path), tmp_path)
    frame = 1920
    with aaf2.open(str(out)) as file:
        slot = slots(file)["A1.L"]
        parts = [(type(c).__name__, c.length // frame) for c in slot.segment.components]
        assert parts == [
            ("Filler", 8), ("Transition", 8), ("SourceClip", 105), ("Transition", 10), ("SourceClip", 65),
            ("Transition", 12), ("Filler", 12),
        ]  # fmt: skip
        assert [c.cutpoint // frame for c in slot.segment.components if type(c).__name__ == "Transition"] == [
            0,
            5,
            12,
        ]
        first, second = clips(slot)
        assert (first[0], first[1].start) == (0, 50 * frame)
        assert (second[0], second[1].start) == (95 * frame, 65 * frame)
        assert slot.length == slot.segment.length == 160 * frame


def otio_clips(track: otio.schema.Track) -> list[tuple[str, float, float, float]]:
    """Name, start, length and source start, in the track's own units."""
    found = []
    for clip in track.find_clips():
        placed = clip.transformed_time_range(clip.trimmed_range(), track)
        found.append(
            (clip.name, placed.start_time.value, placed.duration.value, clip.source_range.start_time.value)
        )
    return found


def test_otio_reads_the_same_clips(tmp_path: Path) -> None:
    edit = sample_edit(tmp_path)
    out, _ = written(edit, tmp_path)
    timeline = otio.adapters.read_from_file(str(out), adapter_name="AAF")
    assert timeline.name == edit.name
    assert timeline.global_start_time == otio.opentime.RationalTime(90000, 25)
    tracks = [t for t in timeline.tracks if t.kind == "Audio" and not t.name.startswith("Location")]
    assert len(tracks) == 6
    for i, own in enumerate(t for t in edit.tracks[2:] for _ in "LR"):
        expected = [(c.name, c.start * 48000, c.duration * 48000, c.source_in * 48000) for c in own.clips]
        assert otio_clips(tracks[i]) == expected
        reference = next(iter(tracks[i].find_clips())).media_reference
        assert reference.target_url == own.clips[0].media.path.as_uri()


def test_drop_frame_timecode(tmp_path: Path) -> None:
    out, _ = written(sample_edit(tmp_path, Fraction(30000, 1001), drop=True), tmp_path)
    with aaf2.open(str(out)) as file:
        timecode = slots(file)["TC"].segment
        assert (timecode.start, timecode.fps, timecode.drop) == (107892, 30, True)


def test_media_keep_their_own_timecode(tmp_path: Path) -> None:
    media = replace(film(Fraction(25), Fraction(36000)), path=None)
    clip = EditClip("shot", Fraction(0), Fraction(2), media, Fraction(36003))
    edit = Edit("x", Fraction(25), (EditTrack("video", "V1", (clip,)), EditTrack("audio", "A1", (clip,))))
    out, losses = written(edit, tmp_path)
    assert "Sound is linked inside film files, which mixing rooms often refuse." in losses
    timeline = otio.adapters.read_from_file(str(out), adapter_name="AAF")
    for track, rate in zip([t for t in timeline.tracks if t.find_clips()], (25, 48000, 48000), strict=True):
        assert otio_clips(track) == [("shot", 0, 2 * rate, 36003 * rate)]


def test_embedded_sound_is_the_file_s(tmp_path: Path) -> None:
    edit = sample_edit(tmp_path)
    edit = replace(edit, tracks=edit.tracks[3:4])
    out, _ = written(edit, tmp_path, embed=True)
    expected, _ = soundfile.read(tmp_path / "music 0.wav", dtype="int32")
    with aaf2.open(str(out)) as file:
        for number, side in enumerate("LR"):
            _, source, _ = clips(slots(file)[f"music A1.{side}"])[0]
            mob = source.mob.slot_at(source.slot_id).segment.mob
            assert (mob.descriptor["Channels"].value, mob.descriptor["QuantizationBits"].value) == (1, 24)
            mob.export_audio(str(tmp_path / "back.wav"))
            back, rate = soundfile.read(tmp_path / "back.wav", dtype="int32")
            assert rate == 48000
            np.testing.assert_array_equal(back, expected[:, number])
    location = replace(sample_edit(tmp_path).tracks[1], enabled=True)
    with pytest.raises(MediaError, match="offline"):
        aaf.write(Edit("x", Fraction(25), (location,)), tmp_path / "no.aaf", embed=True)
    assert not (tmp_path / "no.aaf").exists()


def test_surround_and_chosen_channels(tmp_path: Path) -> None:
    media = sound(tmp_path, "mix.wav", Fraction(4), 6)
    whole = EditTrack("audio", "Mix", (EditClip("mix", Fraction(0), Fraction(2), media),), channels=6)
    centre = EditTrack(
        "audio", "Centre", (EditClip("mix", Fraction(0), Fraction(2), media, channels=(2,)),), channels=1
    )
    out, _ = written(Edit("x", Fraction(25), (whole, centre)), tmp_path)
    with aaf2.open(str(out)) as file:
        found = slots(file)
        assert list(found)[1:] == [f"Mix.{c}" for c in ("L", "R", "C", "LFE", "Ls", "Rs")] + ["Centre"]
        assert [clips(slot)[0][1].slot_id for name, slot in found.items() if name != "TC"] == [
            1,
            2,
            3,
            4,
            5,
            6,
            3,
        ]


def test_sound_at_another_rate_keeps_one_clock(tmp_path: Path) -> None:
    media = sound(tmp_path, "cd.wav", Fraction(5), 2, 44100)
    track = EditTrack("audio", "CD", (EditClip("cd", Fraction(1), Fraction(2), media, Fraction(1)),))
    out, _ = written(Edit("x", Fraction(25), (track,)), tmp_path)
    with aaf2.open(str(out)) as file:
        start, source, _ = clips(slots(file)["CD.L"])[0]
        assert (start, source.start, source.length) == (48000, 48000, 96000)
        master = source.mob.slot_at(1)
        assert (master.edit_rate, master.segment.mob.slot_at(1).edit_rate) == (48000, 48000)
        assert master.segment.mob.descriptor["SampleRate"].value == 44100
        assert master.segment.mob.descriptor.length == 220500


def test_what_an_aaf_cannot_carry_is_said(tmp_path: Path) -> None:
    edit = with_clip(sample_edit(tmp_path), 2, 0, media=None)
    edit = with_clip(edit, 3, 0, speed=Fraction(2))
    edit = with_clip(edit, 4, 0, duration=Fraction(1, 200_000))
    _, losses = written(edit, tmp_path)
    assert losses == (
        "Clips without media are empty (1 clip).",
        "Changed speeds are not carried: the clips play at their own (1 clip).",
        "Clips shorter than half an edit unit are left out (1 clip).",
    )


def test_what_is_muted_is_there_and_plays_nothing(tmp_path: Path) -> None:
    edit = with_clip(sample_edit(tmp_path), 4, 0, enabled=False)
    out, _ = written(edit, tmp_path)
    with aaf2.open(str(out)) as file:
        found = slots(file)
        for name, muted in (("Location.L", [0, 1]), ("effects A1.R", [0]), ("dialogue A1.L", [])):
            track = next(t for t in edit.tracks if t.name == name.partition(".")[0])
            parts = [part for part in found[name].segment.components if type(part).__name__ != "Filler"]
            parts = [part.segments[0] if type(part).__name__ == "OperationGroup" else part for part in parts]
            kinds = [type(part).__name__ for part in parts]
            assert [i for i, kind in enumerate(kinds) if kind == "Selector"] == muted
            for i in muted:
                selected, [kept] = parts[i]["Selected"].value, parts[i]["Alternates"].value
                assert type(selected).__name__ == "Filler"
                assert parts[i].length == selected.length == kept.length
                assert parts[i].length == round(track.clips[i].duration * 48000)
    back = otio.adapters.read_from_file(str(out))
    tracks = {track.name: [clip.enabled for clip in track.find_clips()] for track in back.tracks}
    assert tracks["Location.R"] == [False, False]
    assert tracks["effects A1.L"] == [False, True]
    assert tracks["music A1.L"] == [True, True]


def test_sound_that_is_muted_is_not_embedded(tmp_path: Path) -> None:
    edit = sample_edit(tmp_path)
    location = edit.tracks[1].clips
    offline = [replace(clip, media=replace(clip.media, path=None)) for clip in location]
    tracks = list(edit.tracks)
    tracks[1] = replace(tracks[1], clips=tuple(offline))
    _, losses = written(replace(edit, tracks=tuple(tracks)), tmp_path, embed=True)
    assert "Muted clips are left out where sound is embedded (2 clips)." in losses


@pytest.mark.parametrize("rate", RATES)
def test_markers_lie_on_their_frame(tmp_path: Path, rate: Fraction) -> None:
    edit = sample_edit(tmp_path, rate)
    markers = (
        EditMarker(Fraction(3) / rate, Fraction(10) / rate, "late", "a note", "GREEN"),
        EditMarker(Fraction(0), Fraction(0), "first"),
    )
    out, _ = written(replace(edit, markers=markers), tmp_path)
    with aaf2.open(str(out)) as file:
        [slot] = [s for s in next(file.content.compositionmobs()).slots if type(s).__name__ == "EventMobSlot"]
        assert Fraction(slot.edit_rate) == rate
        told = [(e["Position"].value, e["Length"].value, e["Comment"].value) for e in slot.segment.components]
        assert told == [(0, 1, "first"), (3, 10, "late: a note")]
        described = {tuple(event["DescribedSlots"].value) for event in slot.segment.components}
        assert described == {(slots(file)["V1"].slot_id,)}
    back = otio.adapters.read_from_file(str(out))
    found = [(m.name, m.color) for clip in back.tracks[0] for m in clip.markers]
    assert found == [("first", "RED"), ("late: a note", "GREEN")]


def test_nothing_half_written(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    edit = sample_edit(tmp_path)
    gone = replace(edit.tracks[2].clips[0].media, path=tmp_path / "gone.wav")
    with pytest.raises(MediaError):
        aaf.write(with_clip(edit, 2, 0, media=gone), folder / "out.aaf", embed=True)
    assert list(folder.iterdir()) == []
    with pytest.raises(WriteError):
        aaf.write(edit, folder / "missing" / "out.aaf")
    assert to_frames(Fraction(1), Fraction(25)) == 25


@pytest.mark.parametrize(
    ("channels", "labels"),
    [
        (1, ""), (3, "L R C"), (4, "L R Ls Rs"), (5, "L R C Ls Rs"), (6, "L R C LFE Ls Rs"),
        (7, "L R C Lrs Rrs Ls Rs"), (8, "L R C LFE Lrs Rrs Ls Rs"), (9, "1 2 3 4 5 6 7 8 9"),
    ],
)  # fmt: skip
def test_slots_are_called_by_the_speakers_of_a_wav_file(tmp_path: Path, channels: int, labels: str) -> None:
    media = sound(tmp_path, "bed.wav", Fraction(2), channels)
    track = EditTrack("audio", "Bed", (EditClip("bed", Fraction(0), Fraction(1), media),), channels=channels)
    out, _ = written(Edit("x", Fraction(24), (track,)), tmp_path)
    with aaf2.open(str(out)) as file:
        found = slots(file)
        for number, name in enumerate([f"Bed.{label}" for label in labels.split()] or ["Bed"], start=1):
            assert clips(found[name])[0][1].slot_id == number


def test_a_clip_whose_channels_nobody_knows_plays_all_of_its_track(tmp_path: Path) -> None:
    lost = EditClip("lost", Fraction(0), Fraction(2), EditMedia("lost.wav", "/gone/lost.wav", None))
    edit = Edit("offline", Fraction(25), (EditTrack("audio", "A1", (lost,), channels=6),))
    out, _ = written(edit, tmp_path)
    with aaf2.open(str(out)) as file:
        found = slots(file)
        played = [clips(found[f"A1.{side}"])[0][1].slot_id for side in ("L", "R", "C", "LFE", "Ls", "Rs")]
    assert played == [1, 2, 3, 4, 5, 6]
