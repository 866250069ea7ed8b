"""Plain OTIO: stock schemas, whole files on whole frames, and the sound of the edit all the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import exporter_edits
import exporter_sound as kit
import numpy as np
import opentimelineio as otio
import pytest
import soundfile
from numpy.typing import NDArray
from sightmix.engine.edit.model import (
    Edit,
    EditClip,
    EditMarker,
    EditMedia,
    EditTrack,
    EditTransition,
    GainCurve,
)
from sightmix.engine.errors import Cancelled, WriteError
from sightmix.engine.media.reader import MediaInfo, probe
from sightmix.engine.programme.programme import audible
from sightmix.engine.progress import Progress
from sightmix.exporters import baking, formats, otio_plain
from sightmix.exporters.flatten import edit_of

RATES = [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(60000, 1001)]
HOUR = Fraction(3600)
SR = kit.SAMPLE_RATE
STOCK = {"Timeline.1", "Stack.1", "Track.1", "Clip.2", "Gap.1", "Transition.1", "ExternalReference.1",
         "MissingReference.1", "RationalTime.1", "TimeRange.1", "Marker.2"}  # fmt: skip


def written(edit: Edit, folder: Path) -> tuple[otio.schema.Timeline, tuple[str, ...]]:
    out = folder / "edit.otio"
    losses = otio_plain.write(edit, out)
    return otio.adapters.read_from_file(str(out)), losses


def rendered(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "edit.sounds").glob("*"))


def heard(edit: Edit) -> NDArray[np.float32]:
    """What sounds of an edit, (channels, samples)."""
    return np.concatenate([block[0] for block in audible(edit).blocks()], axis=1)


def off_db(found: Edit, wanted: Edit) -> float:
    """How far below the sound wanted the difference lies, in dB; lengths may differ by the silence at the end."""
    a, b = heard(found), heard(wanted)
    assert a.shape[0] == b.shape[0]
    long = max(a.shape[1], b.shape[1])
    a, b = (np.pad(x, ((0, 0), (0, long - x.shape[1]))).astype(np.float64) for x in (a, b))
    return float(10 * np.log10(np.mean((a - b) ** 2) / np.mean(b**2) + 1e-30))


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "OTIO_SCHEMA" in value:
            yield value
        for inner in value.values():
            yield from nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes(inner)


def rich(folder: Path, rate: Fraction) -> Edit:
    """All that simple readers get wrong, sound under a picture with a dissolve, from hour one."""
    one, two = kit.noise(folder / "one.wav", 8, seed=1), kit.noise(folder / "two.wav", 8, seed=2)
    late = replace(two, start=HOUR)  # as a host says whose timeline counts the media from there
    curve = GainCurve((Fraction(0), Fraction(1), Fraction(3, 2)), (-3.0, -20.0, 2.0))
    first = (
        kit.framed(one, rate, 0, 40, 10),
        kit.framed(one, rate, 50, 50, 10, gain=curve, fade_in=Fraction(1, 5)),
        kit.framed(two, rate, 100, 40, 30),
    )
    odd = 70 / rate + Fraction(1, 111)
    second = (
        kit.framed(one, rate, 10, 20, 50, speed=Fraction(3, 2)),
        kit.framed(one, rate, 30, 9, 90, speed=Fraction(-1)),
        kit.framed(two, rate, 40, 20, 50, channels=(1, 0)),
        EditClip("between", odd, Fraction(1), one, Fraction(1, 7)),
        EditClip("next", odd + 1, Fraction(1, 2), two, Fraction(3)),
        kit.framed(two, rate, 200, 10, 20, enabled=False),
    )
    third = (EditClip("late", 5 / rate, 30 / rate, late, HOUR + 7 / rate),)
    shot = exporter_edits.film(rate, HOUR)
    pictures = tuple(
        EditClip("shot", i * 50 / rate, 50 / rate, shot, HOUR + (20 + 100 * i) / rate) for i in (0, 1)
    )
    joint = EditTransition(50 / rate, 5 / rate, 7 / rate)
    tracks = (
        EditTrack("video", "V1", pictures, (joint,)),
        EditTrack("audio", "A1", first, (EditTransition(100 / rate, 5 / rate, 6 / rate),)),
        EditTrack("audio", "A2", second),
        EditTrack("audio", "A3", third),
        EditTrack("audio", "muted", first[:1], enabled=False),
    )
    marker = EditMarker(1 / rate, Fraction(0), "look", "here")
    return Edit("plain", rate, tracks, HOUR, markers=(marker,))


@pytest.mark.parametrize("rate", RATES, ids=lambda r: f"{float(r):.6g}")
def test_it_reads_back_to_the_same_sound(rate: Fraction, tmp_path: Path) -> None:
    edit = rich(tmp_path, rate)
    timeline, _ = written(edit, tmp_path)
    assert off_db(edit_of(timeline, tmp_path), edit) < -120


def test_it_has_stock_schemas_on_whole_frames_and_nothing_to_trip_on(tmp_path: Path) -> None:
    written(rich(tmp_path, Fraction(25)), tmp_path)
    document = json.loads((tmp_path / "edit.otio").read_text())
    assert {node["OTIO_SCHEMA"] for node in nodes(document)} <= STOCK
    for node in nodes(document):
        schema = node["OTIO_SCHEMA"].partition(".")[0]
        assert not node.get("metadata")
        assert not node.get("effects")
        assert node.get("enabled", True)
        if schema == "RationalTime":
            assert (node["rate"], node["value"] % 1) == (25, 0)
        if schema == "ExternalReference":
            assert Path(node["target_url"].removeprefix("file://")).is_file()
            assert node["available_range"]["start_time"]["value"] == 0
    assert [track["name"] for track in document["tracks"]["children"]] == ["V1", "A1", "A2", "A3"]
    timeline = otio.adapters.read_from_file(str(tmp_path / "edit.otio"))
    assert {track.duration().value for track in timeline.tracks} == {140}


def test_what_is_a_stretch_of_a_file_stays_the_editors_file(tmp_path: Path) -> None:
    rate = Fraction(25)
    media = replace(kit.noise(tmp_path / "ä b.wav", 6), start=HOUR)
    clips = [EditClip("a", 7 / rate, 41 / rate, media, HOUR + 13 / rate), EditClip("b", 2, 1, media, HOUR)]
    timeline, losses = written(replace(kit.audio_edit(rate, clips), length=Fraction(9)), tmp_path)
    assert losses == ()
    assert timeline.duration().value == 9 * rate
    found = list(timeline.find_clips())
    assert {clip.media_reference.target_url for clip in found} == {media.path.as_uri()}
    assert [clip.source_range.start_time.value for clip in found] == [13, 0]
    assert [clip.trimmed_range_in_parent().start_time.value for clip in found] == [7, 50]
    assert not (tmp_path / "edit.sounds").exists()


@pytest.mark.parametrize(
    "changed",
    [{"changes": (Fraction(1),)}, {"order": (1, 0)}, {"jumps": ("a jump",)}],
    ids=lambda changed: next(iter(changed)),
)
def test_files_that_readers_read_differently_are_rendered(
    changed: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate = Fraction(25)
    edit = kit.audio_edit(rate, [kit.framed(kit.noise(tmp_path / "a.wav", 4), rate, 0, 25, 10)])
    written(edit, tmp_path)
    assert rendered(tmp_path) == []

    def found(path: Path) -> MediaInfo:
        info = probe(path)
        return replace(info, audio=(replace(info.audio[0], **changed),))

    monkeypatch.setattr(baking, "probe", found)
    written(edit, tmp_path)
    assert rendered(tmp_path) == ["a.wav"]


def test_a_stream_beside_others_is_rendered(tmp_path: Path) -> None:
    rate = Fraction(25)
    path = tmp_path / "two.mov"
    x = np.random.default_rng(3).integers(-3000, 3000, (2, 1, SR * 8)).astype(np.int16)
    with av.open(str(path), "w") as file:
        streams = [file.add_stream("pcm_s16le", rate=SR, layout="stereo") for _ in range(2)]
        for stream, samples in zip(streams, x, strict=True):
            frame = av.AudioFrame.from_ndarray(samples, "s16", "stereo")
            frame.sample_rate = SR
            file.mux([*stream.encode(frame), *stream.encode()])
    media = EditMedia(
        "two.mov", str(path), path, duration=Fraction(4), sample_rate=SR, channels=4, streams=(2, 2), bits=16
    )
    edit = kit.audio_edit(rate, [kit.framed(media, rate, 5, 50, 10)])
    timeline, _ = written(edit, tmp_path)
    assert rendered(tmp_path) == ["two.wav"]
    assert off_db(edit_of(timeline, tmp_path), edit) < -120


def test_only_what_needs_it_is_rendered(tmp_path: Path) -> None:
    timeline, losses = written(rich(tmp_path, Fraction(25)), tmp_path)
    sources = {
        track.name: [
            Path(c.media_reference.target_url).parent.name == "edit.sounds" for c in track.find_clips()
        ]
        for track in timeline.tracks
        if track.kind == "Audio"
    }
    assert sources == {"A1": [False, True], "A2": [True] * 4, "A3": [False]}
    assert "Muted tracks are left out." in losses
    assert "Disabled clips are left out (1 clip)." in losses
    assert "Clips that dissolve into each other or meet inside a frame become one (4 clips)." in losses
    assert len(rendered(tmp_path)) == 5
    for name in rendered(tmp_path):
        assert soundfile.info(tmp_path / "edit.sounds" / name).subtype == "PCM_24"


def test_the_picture_keeps_its_dissolve_and_counts_from_zero(tmp_path: Path) -> None:
    rate = Fraction(25)
    edit = rich(tmp_path, rate)
    film = tmp_path / "one.wav"  # any file that opens
    shots = [
        replace(c, media=replace(c.media, path=film)) for c in edit.tracks[0].clips if c.media is not None
    ]
    edit = replace(edit, tracks=(replace(edit.tracks[0], clips=tuple(shots)), *edit.tracks[1:]))
    timeline, _ = written(edit, tmp_path)
    one, joint, two, _ = timeline.tracks[0]
    assert (joint.transition_type, joint.in_offset.value, joint.out_offset.value) == ("SMPTE_Dissolve", 5, 7)
    assert [c.source_range.start_time.value for c in (one, two)] == [20, 120]
    assert one.media_reference.target_url == film.as_uri()
    assert one.media_reference.available_range.start_time.value == 0


def test_offline_clips_keep_their_place_without_a_file(tmp_path: Path) -> None:
    rate = Fraction(25)
    there = kit.noise(tmp_path / "a.wav", 4)
    gone = EditMedia("gone.wav", "/x/gone.wav", None, duration=Fraction(9))
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no sound at all")
    bad = replace(there, path=broken, url=str(broken))
    lost = [
        EditClip("gone", 1, 1, gone, Fraction(2)),
        EditClip("bad", 2, 1, bad, gain=GainCurve((Fraction(0),), (-3.0,))),
    ]
    timeline, losses = written(kit.audio_edit(rate, [kit.framed(there, rate, 0, 25, 0), *lost]), tmp_path)
    first, second, third = timeline.tracks[0]
    assert not first.media_reference.is_missing_reference
    assert second.media_reference.is_missing_reference
    assert third.media_reference.is_missing_reference
    assert second.trimmed_range_in_parent().start_time.value == 25
    assert losses == (
        "Clips whose file is missing or cannot be read keep only their place and name (2 clips).",
    )


def test_sound_past_full_scale_is_written_as_float(tmp_path: Path) -> None:
    rate = Fraction(25)
    media = kit.noise(tmp_path / "a.wav", 2, level=0.5)
    louder = GainCurve((Fraction(0),), (12.0,))
    edit = kit.audio_edit(rate, [kit.framed(media, rate, 0, 25, 0, gain=louder)])
    timeline, _ = written(edit, tmp_path)
    [name] = rendered(tmp_path)
    assert soundfile.info(tmp_path / "edit.sounds" / name).subtype == "FLOAT"
    assert off_db(edit_of(timeline, tmp_path), edit) < -120


def test_surround_is_rendered_in_its_layout(tmp_path: Path) -> None:
    rate = Fraction(24)
    six, two = kit.noise(tmp_path / "six.wav", 3, channels=6), kit.noise(tmp_path / "two.wav", 3)
    fade = {"fade_out": Fraction(1, 2)}
    edit = kit.audio_edit(
        rate, [kit.framed(six, rate, 11, 48, 5)], [kit.framed(two, rate, 0, 24, 0, **fade)], channels=6
    )
    timeline, _ = written(edit, tmp_path)
    [name] = rendered(tmp_path)
    assert soundfile.info(tmp_path / "edit.sounds" / name).channels == 6
    assert off_db(edit_of(timeline, tmp_path), edit) < -120


def faded(folder: Path, seed: int) -> Edit:
    rate = Fraction(25)
    media = kit.noise(folder / "a.wav", 2, seed=seed)
    return kit.audio_edit(rate, [kit.framed(media, rate, 0, 25, 0, fade_in=Fraction(1))])


def test_once_more_is_the_same_and_other_sound_gets_another_name(tmp_path: Path) -> None:
    written(faded(tmp_path, 1), tmp_path)
    before = (tmp_path / "edit.otio").read_bytes()
    kept = (tmp_path / "edit.sounds/a.wav").read_bytes()
    written(faded(tmp_path, 1), tmp_path)
    assert (tmp_path / "edit.otio").read_bytes() == before
    assert rendered(tmp_path) == ["a.wav"]
    written(faded(tmp_path, 2), tmp_path)
    assert rendered(tmp_path) == ["a-2.wav", "a.wav"]
    assert (tmp_path / "edit.sounds/a.wav").read_bytes() == kept


@pytest.mark.parametrize("there", [False, True])
def test_what_fails_leaves_nothing_behind(
    there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit = faded(tmp_path, 1)
    if there:
        (tmp_path / "edit.sounds").mkdir()

    def refuse(*_: object) -> None:
        raise WriteError("The disk is full.")

    monkeypatch.setattr(otio_plain, "write_text", refuse)
    with pytest.raises(WriteError):
        otio_plain.write(edit, tmp_path / "edit.otio")
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == (["a.wav", "edit.sounds"] if there else ["a.wav"])
    assert rendered(tmp_path) == []


def test_it_stops_on_request_and_takes_back_what_was_rendered(tmp_path: Path) -> None:
    rate = Fraction(25)
    media = kit.noise(tmp_path / "a.wav", 4)
    clips = [kit.framed(media, rate, i * 25, 25, 0, fade_in=Fraction(i + 1, 5)) for i in range(3)]
    progress = Progress()
    progress.observe = lambda step: progress.cancel() if step.done == 2 else None
    with pytest.raises(Cancelled):
        formats.export(kit.audio_edit(rate, clips), tmp_path / "edit.otio", "otio-plain", progress=progress)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav"]


def test_a_file_in_the_folders_way_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "edit.sounds").write_text("mine")
    with pytest.raises(WriteError, match=r"edit\.sounds cannot be written"):
        otio_plain.write(faded(tmp_path, 1), tmp_path / "edit.otio")
    assert (tmp_path / "edit.sounds").read_text() == "mine"
