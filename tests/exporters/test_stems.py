"""Stems: sample-exact, equally long, adding up, time-stamped, named, versioned, and never half-written."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st
from sightmix.engine.edit.model import Edit, EditClip, EditTransition, GainCurve
from sightmix.engine.errors import Cancelled, MediaError, SettingsError, WriteError
from sightmix.engine.media.layout import Layout
from sightmix.engine.media.reader import probe
from sightmix.engine.media.resample import resample
from sightmix.engine.media.writer import WavWriter
from sightmix.engine.programme.sound import mixed, voices
from sightmix.engine.progress import Progress
from sightmix.engine.stamp import Stamp
from sightmix.exporters import stems as module
from sightmix.exporters.naming import next_version, parse
from sightmix.exporters.stems import StemOptions, StemSet, export_stems
from stem_kit import RATE, ROLES, clip, edit, media, noise, read, three, track, write
from wavinfo import WavInfoReader

STEREO = Layout.of_count(2)
NTSC = [Fraction(n * 1000, 1001) for n in (24, 30, 60)]


def out(folder: Path) -> Path:
    (folder / "out").mkdir(exist_ok=True)
    return folder / "out"


def export(made: Edit, folder: Path, **options: Any) -> StemSet:
    [found] = export_stems(made, out(folder), StemOptions(**options))
    return found


def sound(found: StemSet, stem: str) -> np.ndarray:
    [file] = [f for f in found.files if f.stem == stem]
    return np.concatenate([read(path) for path in file.paths], axis=1)


def played(made: EditClip, rate: int = RATE, channels: int = 2) -> np.ndarray:
    """A clip alone on a track, from its first record sample, (samples, channels)."""
    lanes, layout = [voices(track("music", made), rate)], Layout.of_count(channels)
    first, last = lanes[0][0].first, lanes[0][0].last
    return np.concatenate([b[0] for b in mixed(lanes, rate, layout, first, last - first)], axis=1).T


def test_stems_are_as_long_as_the_timeline_and_sum_to_the_mix_to_the_bit(tmp_path: Path) -> None:
    sounds = [noise(RATE + 1234, 0.05, seed=i) for i in range(3)]
    made = three(tmp_path, sounds)
    made = replace(made, tracks=(*made.tracks, track("", clip(None, 0, 2), name="V1", enabled=False)))
    found = export(made, tmp_path, project="Film", reel="R1")
    names = sorted(path.name for path in out(tmp_path).iterdir())
    assert names == [f"Film_R1_{stem}_2.0_48k24_v001.wav" for stem in ("DX", "FX", "ME", "MIX", "MX")]
    assert found.samples == 2 * RATE
    assert {len(sound(found, f.stem)) for f in found.files} == {2 * RATE}
    dx, mx, fx, me, mix = (sound(found, stem) for stem in ("DX", "MX", "FX", "ME", "MIX"))
    np.testing.assert_array_equal(dx[: len(sounds[0])], sounds[0])
    assert not dx[len(sounds[0]) :].any()
    np.testing.assert_array_equal(dx + mx + fx, mix)
    np.testing.assert_array_equal(mx + fx, me)
    assert {sf.info(str(f.paths[0])).subtype for f in found.files} == {"PCM_24"}
    assert found.notes == ()


def test_media_cut_short_since_the_timeline_was_read_is_no_silence(tmp_path: Path) -> None:
    made = three(tmp_path, [noise(RATE, 0.05, seed=i) for i in range(3)])
    first = made.tracks[0].clips[0]
    assert first.media is not None
    assert first.media.path is not None
    known = replace(first, media=replace(first.media, stamp=Stamp.of(first.media.path)))
    made = replace(made, tracks=(replace(made.tracks[0], clips=(known,)), *made.tracks[1:]))
    os.truncate(first.media.path, first.media.path.stat().st_size - 20_000)
    with pytest.raises(MediaError, match="is not what it was when the timeline was read"):
        export(made, tmp_path)
    assert not list(out(tmp_path).glob("*.wav"))


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(25), *NTSC])
def test_clips_begin_at_their_exact_sample(tmp_path: Path, rate: Fraction) -> None:
    click = np.zeros((RATE, 1))
    click[0] = 0.5
    path = write(tmp_path / "click.wav", click)
    frames = (0, 7, 1001, 12_345)
    clips = [clip(path, Fraction(n) / rate, Fraction(3) / rate) for n in frames]
    found = export(edit(track("effects", *clips, channels=1), rate=rate), tmp_path)
    where = np.flatnonzero(sound(found, "FX")[:, 0])
    assert where.tolist() == [int(n * RATE / rate + Fraction(1, 2)) for n in frames]


def test_gain_curves_are_applied_straight_in_decibels(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.full((2 * RATE, 2), 0.25))
    curve = GainCurve((Fraction(1, 4), Fraction(3, 4)), (0.0, -20.0))
    x = played(clip(path, "0.5", 1, source_in=Fraction(1, 3), gain=curve))
    t = np.arange(RATE) / RATE
    np.testing.assert_allclose(x[:, 0], 0.25 * 10 ** (np.interp(t, [0.25, 0.75], [0, -20]) / 20), rtol=1e-6)


def test_source_offsets_count_in_the_medias_own_time(tmp_path: Path) -> None:
    x = noise(RATE)
    found = media(write(tmp_path / "a.wav", x), Fraction(3600))
    made = clip(None, 2, "0.5", source_in=Fraction(3600) + Fraction(1, 5))
    np.testing.assert_allclose(played(replace(made, media=found)), x[9600 : 9600 + 24_000], atol=1e-7)


def test_other_sample_rates_are_resampled_without_edges(tmp_path: Path) -> None:
    x = noise(4 * 44_100, channels=2)
    path = write(tmp_path / "a.wav", x, 44_100)
    made = played(clip(path, "0.25", 2, source_in=Fraction(1)))
    whole = resample(x.T.astype(np.float32), 44_100, RATE).T[RATE : 3 * RATE]
    np.testing.assert_allclose(made, whole, atol=3e-6)


@pytest.mark.parametrize("speed", [Fraction(2), Fraction(1, 2), Fraction(-1), Fraction(-2)])
def test_speeds_take_the_pitch_along(tmp_path: Path, speed: Fraction) -> None:
    t = np.arange(6 * RATE) / RATE
    path = write(tmp_path / "a.wav", (0.3 * np.sin(2 * np.pi * (300 * t + 40 * t**2)))[:, None])
    x = played(clip(path, 1, 1, source_in=Fraction(3), speed=speed), channels=1)[:, 0]
    # Backwards, the first sample heard is the last one before the in-point.
    at = 3 + float(speed) * np.arange(RATE) / RATE - (1 / RATE if speed < 0 else 0)
    np.testing.assert_allclose(x, 0.3 * np.sin(2 * np.pi * (300 * at + 40 * at**2)), atol=2e-3)


def test_reverse_is_the_same_samples_backwards(tmp_path: Path) -> None:
    x = noise(RATE)
    path = write(tmp_path / "a.wav", x)
    made = played(clip(path, 0, "0.5", source_in=Fraction(3, 4), speed=Fraction(-1)))
    np.testing.assert_allclose(made, x[12_000:36_000][::-1], atol=1e-6)


def test_dissolves_and_fades(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.full((4 * RATE, 2), 0.5))
    a = clip(path, 0, 1, source_in=Fraction(1), fade_in=Fraction(1, 4))
    b = clip(path, 1, 1, source_in=Fraction(1), fade_out=Fraction(1, 2))
    cross = EditTransition(Fraction(1), Fraction(1, 4), Fraction(1, 8))
    found = export(edit(track("music", a, b, transitions=(cross,))), tmp_path, stems=("MX",))
    x = sound(found, "MX")[:, 0]
    assert len(x) == 2 * RATE
    np.testing.assert_allclose(x[RATE // 4 : RATE * 3 // 2], 0.5, atol=1e-6)
    np.testing.assert_allclose(x[: RATE // 4], 0.5 * (np.arange(RATE // 4) + 0.5) / (RATE // 4), atol=1e-6)
    assert x[-1] == pytest.approx(0, abs=1e-4)
    b = replace(b, media=media(write(tmp_path / "b.wav", np.zeros((4 * RATE, 2)))))
    [x] = [played_track(a, b, cross)]
    at = RATE + np.array([-RATE // 4 - 1, -RATE // 16, RATE // 8])
    np.testing.assert_allclose(x[at], [0.5, 0.25, 0.0], atol=1e-4)


def played_track(a: EditClip, b: EditClip, cross: EditTransition) -> np.ndarray:
    lanes = [voices(track("music", a, b, transitions=(cross,)), RATE)]
    return np.concatenate([block[0, 0] for block in mixed(lanes, RATE, STEREO, 0, 2 * RATE)])


def test_channels_are_chosen_and_spread(tmp_path: Path) -> None:
    six = noise(RATE, channels=6)
    path = write(tmp_path / "six.wav", six)
    mono = write(tmp_path / "mono.wav", noise(RATE, channels=1, seed=9))
    wide = track("effects", clip(path), channels=6)
    dialogue = track("dialogue", clip(mono), channels=1)
    picked = track("music", clip(path, channels=(4, 1)))
    found = export(edit(wide, dialogue, picked), tmp_path)
    assert {f.channels for f in found.files} == {6}
    assert found.files[0].paths[0].name.endswith("_DX_5.1_48k24_v001.wav")
    np.testing.assert_array_equal(sound(found, "FX"), six)
    np.testing.assert_array_equal(np.flatnonzero(sound(found, "DX").any(axis=0)), [2])
    np.testing.assert_array_equal(sound(found, "MX")[:, :2], six[:, [4, 1]])
    assert WavInfoReader(str(found.files[0].paths[0])).fmt.channel_count == 6


def routed(folder: Path, source: str, target: str) -> dict[str, dict[str, float]]:
    """Where each channel of a clip's file comes out in a stem: gains by the stem's labels, its own by speaker."""
    own, other = Layout.named(source), Layout.named(target)
    found: dict[str, dict[str, float]] = {}
    for channel, speaker in enumerate(own.speakers):
        x = np.zeros((960, own.channels), np.float32)
        x[:, channel] = 0.25
        with WavWriter(folder / f"{channel}.wav", RATE, own.channels, layout=own) as writer:
            writer.write(x.T)
        with WavWriter(folder / "bed.wav", RATE, other.channels, layout=other) as writer:
            writer.write(np.zeros((other.channels, 960), np.float32))
        place = folder / speaker
        place.mkdir()
        tracks = (
            track("music", clip(folder / f"{channel}.wav", 0, "0.02"), channels=own.channels),
            track("effects", clip(folder / "bed.wav", 0, "0.02"), channels=other.channels),
        )
        made = export(edit(*tracks), place, stems=("MX",))
        [file] = made.files
        layout = probe(file.paths[0]).audio[0].layout
        levels = sound(made, "MX")[100] / 0.25
        found[speaker] = {s: round(float(g), 4) for s, g in zip(layout.labels, levels, strict=True) if g}
    return found


@pytest.mark.parametrize(
    ("source", "target", "found"),
    [
        ("mono", "quad", {"FC": {"L": 1, "R": 1}}),
        ("mono", "5.1", {"FC": {"C": 1}}),
        ("quad", "5.1", {"FL": {"L": 1}, "FR": {"R": 1}, "BL": {"Ls": 1}, "BR": {"Rs": 1}}),
        (
            "5.0",
            "5.1",
            {"FL": {"L": 1}, "FR": {"R": 1}, "FC": {"C": 1}, "BL": {"Ls": 1}, "BR": {"Rs": 1}},
        ),
        ("3.0", "quad", {"FL": {"L": 1}, "FR": {"R": 1}, "FC": {"L": 0.7071, "R": 0.7071}}),
        ("2.1", "4.0", {"FL": {"L": 1}, "FR": {"R": 1}, "LFE": {}}),
    ],
)
def test_stems_are_routed_by_speaker(
    tmp_path: Path, source: str, target: str, found: dict[str, dict[str, float]]
) -> None:
    assert routed(tmp_path, source, target) == found


def test_side_surrounds_stand_in_for_back_ones(tmp_path: Path) -> None:
    x = noise(RATE, channels=6)
    side = Layout.named("5.1(side)")
    with WavWriter(tmp_path / "side.wav", RATE, 6, layout=side) as writer:
        writer.write(x.T.astype(np.float32))
    tracks = [track("music", clip(tmp_path / "side.wav"), channels=6), track("effects", channels=6)]
    found = export(edit(*tracks), tmp_path, stems=("MX",))
    np.testing.assert_array_equal(sound(found, "MX"), read(tmp_path / "side.wav"))


@pytest.mark.parametrize(
    ("name", "figures", "labels"),
    [
        ("4.0", "4.0", "L R C Cs"), ("6.1", "6.1", "L R C LFE Cs Ls Rs"), ("7.0", "7.0", "L R C Lrs Rrs Ls Rs"),
        ("7.1.4", "7.1.4", "L R C LFE Lrs Rrs Ls Rs Ltf Rtf Ltr Rtr"),
    ],
)  # fmt: skip
def test_stems_keep_the_layout_of_what_they_are_made_of(
    tmp_path: Path, name: str, figures: str, labels: str
) -> None:
    layout = Layout.named(name)
    with WavWriter(tmp_path / "a.wav", RATE, layout.channels, layout=layout) as writer:
        writer.write(noise(RATE, channels=layout.channels).T.astype(np.float32))
    made = edit(track("effects", clip(tmp_path / "a.wav"), channels=layout.channels))
    found = export(made, tmp_path, stems=("FX",))
    [path] = found.files[0].paths
    assert path.name == f"Reel_FX_{figures}_48k24_v001.wav"
    assert probe(path).audio[0].layout == layout
    split = export(made, tmp_path, stems=("FX",), interleaved=False)
    assert [p.name.split(".")[-2] for p in split.files[0].paths] == labels.split()
    assert all(parse(p) is not None for p in split.files[0].paths)


def test_multi_mono(tmp_path: Path) -> None:
    path = write(tmp_path / "six.wav", noise(RATE, channels=6))
    found = export(edit(track("effects", clip(path), channels=6)), tmp_path, interleaved=False, stems=("FX",))
    names = [p.name for p in found.files[0].paths]
    assert names == [f"Reel_FX_5.1_48k24_v001.{s}.wav" for s in ("L", "R", "C", "LFE", "Ls", "Rs")]
    np.testing.assert_array_equal(sound(found, "FX"), read(path))
    tracks = [WavInfoReader(str(p)).ixml.track_list for p in found.files[0].paths]
    assert [next(iter(t)).name for t in tracks] == [f"FX {s}" for s in ("L", "R", "C", "LFE", "Ls", "Rs")]


@pytest.mark.parametrize(
    ("rate", "start", "drop", "stamp", "code"),
    [
        (Fraction(30000, 1001), Fraction(107_892 * 1001, 30000), True, 172_799_827, "01:00:00;00"),
        (Fraction(30000, 1001), Fraction(108_000 * 1001, 30000), False, 172_972_800, "01:00:00:00"),
        (Fraction(24000, 1001), Fraction(86_400 * 1001, 24000), False, 172_972_800, "01:00:00:00"),
        (Fraction(25), Fraction(36_000), False, 1_728_000_000, "10:00:00:00"),
    ],
)
def test_every_field_of_the_stamp_is_read_back(
    tmp_path: Path, rate: Fraction, start: Fraction, drop: bool, stamp: int, code: str
) -> None:
    made = three(
        tmp_path, [noise(RATE // 2, seed=i) for i in range(3)], rate=rate, start=start, drop_frame=drop
    )
    found = export(made, tmp_path, project="The Film", reel="R2")
    assert (found.time_reference, found.start) == (stamp, code)
    for file in found.files:
        path = file.paths[0]
        info = WavInfoReader(str(path))
        assert info.bext.time_reference == stamp
        assert info.bext.description == f"The-Film_R2 {file.stem} 2.0"
        assert (info.bext.originator, info.bext.version) == ("sightmix", 2)
        assert info.bext.originator_ref == path.stem[-32:]
        assert len(info.bext.originator_date) == 10
        assert len(info.bext.originator_time) == 8
        assert "F=48000,W=24,M=stereo" in info.bext.coding_history
        assert (info.fmt.sample_rate, info.fmt.bits_per_sample, info.fmt.channel_count) == (48_000, 24, 2)
        assert info.data.frame_count == RATE // 2
        ixml = info.ixml
        assert (ixml.project, ixml.tape, ixml.take) == ("The Film", "R2", "1")
        assert [t.name for t in ixml.track_list] == [f"{file.stem} L", f"{file.stem} R"]
        text = path.read_bytes().decode("latin-1")
        assert f"<TIMECODE_RATE>{rate.numerator}/{rate.denominator}</TIMECODE_RATE>" in text
        assert f"<TIMECODE_FLAG>{'DF' if drop else 'NDF'}</TIMECODE_FLAG>" in text
        assert f"<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>{stamp}</" in text
        with av.open(str(path)) as container:
            tags = container.metadata
            stream = container.streams.audio[0]
            assert int(tags["time_reference"]) == stamp
            assert tags["originator_reference"] == path.stem[-32:]
            assert tags["date"] == info.bext.originator_date
            assert tags["creation_time"] == info.bext.originator_time
            assert (stream.codec_context.name, stream.layout.name) == ("pcm_s24le", "stereo")
            assert stream.duration == RATE // 2
    mix = WavInfoReader(str(found.files[-1].paths[0])).bext
    assert found.files[-1].loudness is not None
    assert mix.loudness_value == pytest.approx(found.files[-1].loudness.integrated, abs=0.005)
    assert mix.max_true_peak == pytest.approx(found.files[-1].loudness.true_peak, abs=0.005)


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")
def test_ffprobe_reads_the_stamp(tmp_path: Path) -> None:
    made = three(tmp_path, [noise(RATE // 2, seed=i) for i in range(3)], start=Fraction(36_000))
    path = export(made, tmp_path).files[0].paths[0]
    command = ["ffprobe", "-v", "error", "-show_entries", "format_tags:stream", "-of", "flat", str(path)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    wanted = {
        "format.tags.time_reference": '"1728000000"',
        "format.tags.originator_reference": f'"{path.stem[-32:]}"',
        "streams.stream.0.codec_name": '"pcm_s24le"',
        "streams.stream.0.sample_rate": '"48000"',
        "streams.stream.0.bits_per_sample": "24",
        "streams.stream.0.duration_ts": str(RATE // 2),
    }
    for key, value in wanted.items():
        line = f"{key}={value}"
        assert line in text, text


def test_versions_never_overwrite(tmp_path: Path) -> None:
    made = three(tmp_path, [noise(4800, seed=i) for i in range(3)])
    first = export(made, tmp_path)
    bytes_ = {p: p.read_bytes() for f in first.files for p in f.paths}
    second = export(made, tmp_path, stems=("DX",))
    assert (first.version, second.version) == (1, 2)
    third = export(made, tmp_path, interleaved=False)
    assert third.version == 3
    assert export(made, tmp_path, reel="R9").version == 1, "another reel has versions of its own"
    assert all(p.read_bytes() == data for p, data in bytes_.items())
    assert not [p for p in out(tmp_path).iterdir() if p.name.startswith(".")]


def test_exports_at_the_same_time_get_different_versions(tmp_path: Path) -> None:
    with next_version(tmp_path, ["A_R1"]) as one, next_version(tmp_path, ["A_R1"]) as two:
        assert (one, two) == (1, 2)
    (tmp_path / "A_R1_DX_2.0_48k24_v041.wav").touch()
    with next_version(tmp_path, ["A_R1"]) as three_:
        assert three_ == 42
    with pytest.raises(WriteError, match="create it first"), next_version(tmp_path / "none", ["A"]):
        pass


def test_names_are_taken_apart_again() -> None:
    name = parse(Path("/x/My-Film_R1_003-shot_ME_5.1_48k24_v012.Ls.wav"))
    assert name is not None
    assert (name.base, name.stem, name.layout, name.version, name.speaker) == (
        "My-Film_R1_003-shot", "ME", "5.1", 12, "Ls",
    )  # fmt: skip
    assert name.file == "My-Film_R1_003-shot_ME_5.1_48k24_v012.Ls.wav"
    for other in ("a.wav", "A_DX_2.0_48k24_v1.wav", "A_VOX_2.0_48k24_v001.wav"):
        assert parse(Path(other)) is None


def test_names_are_plain_ascii(tmp_path: Path) -> None:
    made = three(tmp_path, [noise(480, seed=i) for i in range(3)], name="Früh/stück: a_b ☾")
    found = export(made, tmp_path)
    assert found.files[0].paths[0].name == "Fruh-stuck-a-b_DX_2.0_48k24_v001.wav"
    made = replace(made, name="☾")
    assert export(made, tmp_path).files[0].paths[0].name.startswith("PROJECT_DX")


def test_a_set_per_clip(tmp_path: Path) -> None:
    paths = {role: write(tmp_path / f"{role}.wav", noise(3 * RATE, seed=i)) for i, role in enumerate(ROLES)}
    spans = [("0.52", 1, "one.mov"), ("1.52", "0.6", "two"), ("3.2", 1, "one.mov")]
    tracks = [
        track(role, *(clip(path, start, length, source_in=Fraction(1), metadata={"sightmix": {"source": name}})
                      for start, length, name in spans),
              transitions=(EditTransition(Fraction("1.52"), Fraction(1, 5), Fraction(1, 5)),))
        for role, path in paths.items()
    ]  # fmt: skip
    made = edit(*tracks, start=Fraction(3600))
    found = export_stems(made, out(tmp_path), StemOptions(per="clip", project="F"))
    assert [s.name for s in found] == ["F_001-one", "F_002-two", "F_003-one"]
    for one, (start, length, _) in zip(found, spans, strict=True):
        assert one.samples == int(Fraction(str(length)) * RATE)
        assert one.time_reference == int((3600 + Fraction(start)) * RATE)
        np.testing.assert_array_equal(
            sound(one, "DX"), read(paths["dialogue"])[RATE : RATE + one.samples], "dissolves stay out"
        )
        np.testing.assert_array_equal(sum(sound(one, s) for s in ("DX", "MX", "FX")), sound(one, "MIX"))
    assert found[1].start == "01:00:01:13"


def test_a_finished_mix_alone_is_exported_as_the_mix(tmp_path: Path) -> None:
    x = noise(RATE)
    made = edit(track("rebalanced", clip(write(tmp_path / "a.wav", x))))
    found = export(made, tmp_path)
    assert [f.stem for f in found.files] == ["MIX"]
    np.testing.assert_array_equal(sound(found, "MIX"), x)
    with pytest.raises(SettingsError, match="no tracks for DX, ME"):
        export(made, tmp_path, stems=("DX", "ME"))
    assert len(list(out(tmp_path).iterdir())) == 1


def test_muted_stems_beside_a_finished_mix_are_exported_and_others_are_not(tmp_path: Path) -> None:
    made = three(tmp_path, [noise(RATE, seed=i) for i in range(3)])
    muted = tuple(replace(t, enabled=False) for t in made.tracks)
    mix = track("rebalanced", clip(write(tmp_path / "m.wav", noise(RATE, seed=7))))
    found = export(replace(made, tracks=(mix, *muted)), tmp_path)
    np.testing.assert_array_equal(sound(found, "DX"), read(tmp_path / "dialogue.wav"))
    found = export(replace(made, tracks=(made.tracks[0], muted[1], made.tracks[2])), tmp_path)
    assert [f.stem for f in found.files] == ["DX", "FX", "ME", "MIX"]


def test_tracks_of_the_editors_are_named_or_put_into_a_stem(tmp_path: Path) -> None:
    made = three(tmp_path, [noise(RATE, seed=i) for i in range(3)])
    room = write(tmp_path / "room.wav", noise(RATE, seed=8))
    ours = clip(room, 0, 1)
    foreign = track("", replace(ours, start=Fraction(1)), name="Foley")
    made = replace(made, tracks=(*made.tracks, foreign, track("", ours, name="covered")))
    found = export(made, tmp_path)
    assert len(found.notes) == 1
    assert found.notes[0].startswith("'Foley' also sounds where no stem does")
    found = export(made, tmp_path, assign={"Foley": "FX"})
    assert found.notes == ()
    np.testing.assert_array_equal(sound(found, "FX")[RATE:], read(room))
    with pytest.raises(SettingsError, match=r"no audio track 'Foly'; this timeline has .*'Foley'"):
        export(made, tmp_path, assign={"Foly": "FX"})


def test_a_mix_that_came_back_whole_beside_ridden_tracks_is_named_or_put_into_a_stem(tmp_path: Path) -> None:
    voice = track("dialogue", clip(write(tmp_path / "v.wav", noise(RATE, seed=1))))
    room = write(tmp_path / "m.wav", noise(RATE, seed=2))
    mix = track("rebalanced", clip(room, 1), name="Film rebalanced")
    found = export(edit(voice, mix), tmp_path)
    assert found.notes[0].startswith("'Film rebalanced' also sounds where no stem does")
    found = export(edit(voice, mix), tmp_path, assign={"Film rebalanced": "FX"})
    assert found.notes == ()
    np.testing.assert_array_equal(sound(found, "FX")[RATE:], read(room))


def test_offline_clips_are_silent_and_said_so(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(RATE))
    lost = replace(clip(path, 1, 1), media=replace(media(path), path=None))
    found = export(edit(track("dialogue", clip(path, 0, 1), lost, clip(path, 2, 1, enabled=False))), tmp_path)
    assert found.notes == ("No sound could be read for 'shot'; the stems are silent there.",)
    assert not sound(found, "DX")[RATE:].any()


def test_clipping_is_said(tmp_path: Path) -> None:
    loud = np.full((RATE, 2), 0.75)
    found = export(three(tmp_path, [loud, loud, np.zeros_like(loud)]), tmp_path)
    assert "ME" not in found.notes[-1]
    assert f"MIX ({2 * RATE} samples) passed full scale" in found.notes[-1]


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"stems": ("VX",)}, "'VX' is no stem"),
        ({"assign": {"A1": "MIX"}}, "DX, MX or FX"),
        ({"per": "scene"}, "not per 'scene'"),
    ],
)
def test_options_that_cannot_be(given: dict[str, Any], what: str) -> None:
    with pytest.raises(SettingsError, match=what):
        StemOptions(**given)


def test_edits_that_cannot_be_exported(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(480))
    with pytest.raises(SettingsError, match="no tracks of ours"):
        export(edit(track("", clip(path))), tmp_path)
    with pytest.raises(SettingsError, match="9 channels"):
        export(edit(track("music", clip(path), channels=9)), tmp_path)
    with pytest.raises(SettingsError, match="no clips of ours"):
        export(edit(track("music", clip(path, enabled=False))), tmp_path, per="clip")
    with pytest.raises(WriteError, match="does not exist"):
        export_stems(edit(track("music", clip(path))), tmp_path / "none", StemOptions())
    assert not any(out(tmp_path).iterdir())


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = three(tmp_path, [noise(2 * RATE, seed=i) for i in range(3)])
    progress = Progress(lambda step: progress.cancel() if step.done > 0.5 else None)
    with pytest.raises(Cancelled):
        export_stems(made, out(tmp_path), StemOptions(), progress)
    assert not any(out(tmp_path).iterdir())
    closing = module.WavWriter.close

    def fail(self: Any) -> None:
        if "_FX_" in self.path.name:
            self.abort()
            raise WriteError("The disk is full.")
        closing(self)

    monkeypatch.setattr(module.WavWriter, "close", fail)
    with pytest.raises(WriteError):
        export_stems(made, out(tmp_path), StemOptions())
    assert not any(out(tmp_path).iterdir())


def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    made = three(tmp_path, [noise(RATE, seed=i) for i in range(3)])
    (tmp_path / "music.wav").write_bytes(b"RIFFnothing")
    with pytest.raises(MediaError):
        export(made, tmp_path)
    assert not any(out(tmp_path).iterdir())


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    """Only blocks and open clips are held: peak memory of a minute is that of ten seconds."""
    import tracemalloc

    path = write(tmp_path / "a.wav", noise(RATE * 60))
    peaks = []
    for seconds in (10, 60):
        lanes = [voices(track("music", clip(path, 0, seconds)), RATE)]
        tracemalloc.start()
        for _ in mixed(lanes, RATE, STEREO, 0, seconds * RATE):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_any_arrangement_sounds_as_plain_arithmetic_says(data: st.DataObject) -> None:
    """Random clips with offsets, curves and fades on random record samples, against a mix by hand."""
    rate = Fraction(data.draw(st.sampled_from([24, 25, 30, *NTSC])))
    wanted = np.zeros((2, 60_000))
    tracks = []
    with tempfile.TemporaryDirectory() as folder:
        x = noise(50_000, 0.1, seed=3)  # longer than any clip reaches
        path = write(Path(folder) / "a.wav", x)
        for _ in range(data.draw(st.integers(1, 3))):
            start, source = (Fraction(data.draw(st.integers(0, 12))) / rate for _ in range(2))
            length = Fraction(data.draw(st.integers(1, 10))) / rate
            db = data.draw(st.floats(-30, 6))
            curve = GainCurve((Fraction(0), length), (0.0, db))
            fade = data.draw(st.sampled_from([Fraction(0), length / 2]))
            made = clip(path, str(start), str(length), source_in=source, gain=curve, fade_in=fade)
            tracks.append(track("effects", made))
            first, last = (int(t * RATE + Fraction(1, 2)) for t in (start, start + length))
            n = np.arange(last - first)
            levels = np.interp(n / RATE, [0, float(length)], [0, db])
            ramp_end = int((start + fade) * RATE + Fraction(1, 2)) - first
            ramp = np.clip((n + 0.5) / ramp_end, 0, 1) if fade else np.ones(len(n))
            at = int(source * RATE + Fraction(1, 2))
            wanted[:, first:last] += (x[at : at + len(n)].T) * 10 ** (levels / 20) * ramp
        lanes = [[voice for found in tracks for voice in voices(found, RATE)]]
        begin = data.draw(st.integers(0, 30_000))
        got = np.concatenate([b[0] for b in mixed(lanes, RATE, STEREO, begin, 60_000 - begin)], axis=1)
    np.testing.assert_allclose(got, wanted[:, begin:], atol=1e-6)


def test_long_stems_become_rf64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.WavWriter, "riff_limit", 100_000)
    x = noise(RATE)
    made = edit(track("music", clip(write(tmp_path / "a.wav", x))), start=Fraction(3600))
    found = export(made, tmp_path, stems=("MX",))
    path = found.files[0].paths[0]
    assert path.read_bytes()[:4] == b"RF64"
    info = WavInfoReader(str(path))
    assert (info.data.frame_count, info.bext.time_reference) == (RATE, 3600 * RATE)
    assert info.ixml.project == "Reel"
    np.testing.assert_array_equal(sound(found, "MX"), x)
