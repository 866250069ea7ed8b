"""The lanes of a timeline: what lies where, heard at any place, whatever is broken."""

from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest
import soundfile as sf
from job_helpers import RATE, heard, tone, write
from sightmix.engine.errors import SettingsError
from sightmix.plugin.jobs.desk import MARGIN
from sightmix.plugin.jobs.laid import Laid, Parted
from sightmix.plugin.session.sound import Lanes, lay
from sightmix.plugin.timeline import open_timeline
from test_programme_jobs import bursts, married, reel, source

SECONDS = 12
__all__ = ["source"]


def whole(lanes: Lanes) -> np.ndarray:
    return np.concatenate(list(lanes.blocks()), axis=2)


def test_tracks_that_say_what_they_hold_have_lanes_and_doubtful_ones_are_the_rest(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav", "c.wav"):
        tone(tmp_path / name, 4)
    path = reel(tmp_path, Dialogue=[("a.wav", 0, 0, 2)], Audio=[("b.wav", 0, 0, 2)], Mix=[("c.wav", 0, 0, 2)])
    timeline = open_timeline(path)
    assert lay(timeline) == Laid({1: "dialogue", 3: "mix"}, frozenset({1}))
    told = lay(timeline, ["A2=music"])
    assert (told.kinds, told.moved) == ({1: "dialogue", 2: "music", 3: "mix"}, {1, 2})
    with pytest.raises(SettingsError, match="fits no audio track"):
        lay(timeline, ["A9=music"])


def test_lanes_are_the_tracks_and_sum_to_what_is_heard(source: Path) -> None:
    timeline = open_timeline(source)
    lanes = Lanes(timeline, lay(timeline))
    found = whole(lanes)
    assert found.shape == (4, 2, SECONDS * RATE)
    assert [bool(lane.any()) for lane in found] == [True, True, True, False]
    np.testing.assert_allclose(found.sum(axis=0).T, heard(source, SECONDS), atol=1e-6)
    still = whole(Lanes(timeline, Laid({1: "dialogue"}, frozenset())))
    assert [bool(lane.any()) for lane in still] == [False, False, False, True]


def test_any_place_is_heard_as_it_is_in_the_whole(source: Path) -> None:
    timeline = open_timeline(source)
    lanes = Lanes(timeline, lay(timeline))
    found = whole(lanes)
    for first, samples in ((0, 100), (5 * RATE + 17, 70_000), (11 * RATE, 2 * RATE)):
        part = np.concatenate(list(lanes.blocks(first, samples)), axis=2)
        there = found[:, :, first : first + samples]
        assert part.shape[2] == samples
        np.testing.assert_array_equal(part[:, :, : there.shape[2]], there)
        assert not part[:, :, there.shape[2] :].any()


@pytest.mark.parametrize("scalar", [1.0, 0.5, -1.25])
def test_any_place_of_what_is_resampled_is_heard_as_in_the_whole(tmp_path: Path, scalar: float) -> None:
    rng = np.random.default_rng(4)
    sf.write(tmp_path / "a.wav", 0.1 * rng.standard_normal((44_100 * 8, 2)), 44_100, subtype="FLOAT")
    path = reel(tmp_path, Music=[("a.wav", 0, 0, 5)])
    timeline = otio.adapters.read_from_file(str(path))
    timeline.tracks[0][0].effects.append(otio.schema.LinearTimeWarp(time_scalar=scalar))
    otio.adapters.write_to_file(timeline, str(path))
    opened = open_timeline(path)
    lanes = Lanes(opened, lay(opened))
    found = whole(lanes)
    assert np.abs(found[1]).max() > 0.1
    for first in (1, 48_001, 100_003):
        part = next(lanes.blocks(first, 4000))
        np.testing.assert_allclose(part, found[:, :, first : first + 4000], atol=2e-5)


def parted(folder: Path, first: int, samples: int) -> Parted:
    stems = {}
    for stem, level in (("speech", 0.1), ("music", 0.2), ("effects", 0.3)):
        stems[stem] = folder / f"{stem}.wav"
        write(stems[stem], np.full((2, samples), level, np.float32))
    return Parted(stems, first, samples, RATE)


def test_a_stretch_that_was_separated_is_stems_and_the_rest_as_it_was(tmp_path: Path) -> None:
    timeline = open_timeline(married(tmp_path))
    kinds = {1: "mix", 2: "music", 3: "mix"}
    plain = whole(Lanes(timeline, Laid(kinds, frozenset())))
    # Clip 3 plays its file from second 8 at record second 6: stems of seconds 9 to 11 are heard from 7 to 9.
    laid = Laid(kinds, frozenset({3}), {3: parted(tmp_path, 9 * RATE, 2 * RATE)})
    found = whole(Lanes(timeline, laid))
    inside = slice(7 * RATE + MARGIN, 9 * RATE - MARGIN)
    for lane, level in enumerate((0.1, 0.2, 0.3)):
        np.testing.assert_allclose(found[lane, :, inside], level, atol=1e-6)
        assert not found[lane, :, : 7 * RATE].any()
        assert not found[lane, :, 9 * RATE :].any()
    outside = np.ones(SECONDS * RATE, bool)
    outside[inside] = False
    np.testing.assert_array_equal(found[3][:, outside], plain[3][:, outside])
    assert np.abs(found[3][:, inside] - plain[3][:, inside]).max() > 0.01


def test_stems_that_are_gone_or_no_sound_leave_the_clip_as_it_is(tmp_path: Path) -> None:
    timeline = open_timeline(married(tmp_path))
    kinds = {1: "mix", 2: "music", 3: "mix"}
    plain = whole(Lanes(timeline, Laid(kinds, frozenset({2}))))
    there = parted(tmp_path, 8 * RATE, 6 * RATE)
    laid = Laid(kinds, frozenset({2, 3}), {3: there})
    there.stems["music"].write_bytes(b"no sound")
    np.testing.assert_array_equal(whole(Lanes(timeline, laid)), plain)
    there.stems["music"].unlink()
    np.testing.assert_array_equal(whole(Lanes(timeline, laid)), plain)


def test_a_broken_file_is_silent_and_named_and_costs_nobody_else(source: Path) -> None:
    timeline = open_timeline(source)
    lanes = Lanes(timeline, lay(timeline))
    good = whole(lanes)
    assert lanes.broken == ()
    song = source.parent / "song.wav"
    song.write_bytes(song.read_bytes()[:40] + bytes(64))
    timeline = open_timeline(source)
    lanes = Lanes(timeline, lay(timeline))
    found = whole(lanes)
    assert not found[1].any()
    np.testing.assert_array_equal(found[[0, 2, 3]], good[[0, 2, 3]])


def test_a_file_that_breaks_while_it_is_heard_is_silent_from_there_on(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sightmix.engine.errors import MediaError
    from sightmix.engine.programme import sound

    timeline = open_timeline(source)
    lanes = Lanes(timeline, lay(timeline))
    good = whole(lanes)
    read = sound.read_blocks

    def torn(path: Path, *rest: object, **more: object) -> object:
        if path.name == "song.wav":
            raise MediaError(f"{path} holds samples that are not numbers; export it again.")
        return read(path, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(sound, "read_blocks", torn)
    found = whole(lanes)
    assert not found[1].any()
    np.testing.assert_array_equal(found[[0, 2, 3]], good[[0, 2, 3]])
    assert len(lanes.broken) == 1
    assert "song.wav" in lanes.broken[0]


def test_five_point_one_is_heard_in_stereo(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    write(tmp_path / "wide.wav", rng.normal(0, 0.1, (6, RATE)).astype(np.float32))
    bursts(tmp_path / "two.wav", -20, -60, 4, 1.0)
    timeline = open_timeline(reel(tmp_path, Music=[("wide.wav", 0, 0, 1)], Dialogue=[("two.wav", 0, 0, 1)]))
    lanes = Lanes(timeline, lay(timeline))
    block = next(lanes.blocks())
    assert block.shape[1] == lanes.layout.channels == 6
    stereo = lanes.stereo(block)
    left = block[1, 0] + 0.5**0.5 * (block[1, 2] + block[1, 4])
    np.testing.assert_allclose(stereo[1, 0], left, atol=1e-6)
