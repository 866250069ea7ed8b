"""Scenes laid from recordings whose every sample is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from made_recordings import RATE, make_corpus, tone
from sightmix.engine.training.material.levels import frame_power
from sightmix.engine.training.scenes import blocks as playing
from sightmix.engine.training.scenes import colour as colouring
from sightmix.engine.training.scenes import laying
from sightmix.engine.training.scenes.dice import Dice
from sightmix.engine.training.scenes.laying import Laid, LayingConfig, lay
from sightmix.engine.training.scenes.recordings import Recordings

EVERYTHING = (0.0, 0.0, 0.0)
PLAIN = LayingConfig(silent=EVERYTHING, augment=False)
RICH = LayingConfig(rooms=0.4, codecs=0.4, hard_speech=0.4)
SPEECH, MUSIC, EFFECTS = (0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, 0.0)  # alone
FULL = 10.0 ** (-23.0 / 20.0)  # root mean square of what is laid at the level


def constant(seconds: float, level: float) -> np.ndarray:
    """A recording whose samples all say how loud it was: what is laid of it is everywhere its gain times that."""
    return np.full(round(seconds * RATE), level)


@pytest.fixture(scope="module")
def constants(tmp_path_factory: pytest.TempPathFactory) -> Recordings:
    """Recordings of one value each: at the level, each sample of a stem is FULL where one plays alone."""
    sounds = {
        "speech": [("a", constant(1.0, 0.1)), ("a", constant(1.5, 0.2)), ("b", constant(0.5, 0.3))],
        "music": [("m", constant(60.0, 0.2))],
        "effects": [("e", constant(0.4, 0.1)), ("e", constant(3.0, 0.2)), ("f", constant(20.0, 0.05))],
    }
    return Recordings(
        make_corpus(tmp_path_factory.mktemp("corpus"), sounds), "train", pictures={"f-effects-2": 3}
    )


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Recordings:
    sounds = {
        "speech": [("a", tone(0.7 + k / 5, 200.0 + 10 * k)) for k in range(8)],
        "music": [("m", tone(30.0, 300.0)), ("m", tone(2.0, 330.0)), ("n", tone(7.0, 350.0))],
        "effects": [("e", tone(0.2 + 0.6 * k, 3000.0 + 50 * k)) for k in range(6)],
    }
    return Recordings(make_corpus(tmp_path_factory.mktemp("corpus"), sounds), "train")


def laid(recordings: Recordings, count: int, seconds: float = 10.0, config: LayingConfig = PLAIN) -> Laid:
    return lay(recordings, Dice("train", range(count), 3), round(seconds * RATE), config)


def test_shapes(tones: Recordings) -> None:
    got = laid(tones, 3, 4.2)
    assert got.stems.shape == (3, 3, round(4.2 * RATE))
    assert got.stems.dtype == torch.float32
    assert got.present.shape == (3, 1, 3)
    assert got.transient.shape == (3,)
    assert got.events.shape == (3, 30, 2)
    assert got.event_valid.shape == got.event_picture.shape == (3, 30)
    assert got.cuts.shape == (3, 0)
    assert got.packages.shape == (3, 3)


@pytest.mark.parametrize("config", [LayingConfig(), RICH, replace(RICH, shots=3)])
def test_a_scene_is_the_same_in_any_company_and_however_it_is_computed(
    tones: Recordings, config: LayingConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = 2.0 if config.shots == 1 else 5.0
    many = laid(tones, 4, seconds, config)
    alone = lay(tones, Dice("train", [3, 2], 3), round(seconds * RATE), config)
    again = lay(tones, Dice("train", [3, 2], 3), round(seconds * RATE), config)
    monkeypatch.setattr(playing, "is_sparse", lambda device: False)
    dense = lay(tones, Dice("train", [3, 2], 3), round(seconds * RATE), config)
    for name, value in vars(alone).items():
        assert torch.equal(value, getattr(again, name)), name
        # Spectra and products of more scenes at a time may be rounded otherwise in the last bit.
        for other in (getattr(many, name)[[3, 2]], getattr(dense, name)):
            torch.testing.assert_close(value, other, rtol=0.0, atol=1e-6)


def test_other_splits_seeds_and_scenes_differ(tones: Recordings) -> None:
    first = laid(tones, 2, 2.0)
    other = lay(tones, Dice("validation", [0], 3), 2 * RATE, PLAIN)
    seeded = lay(tones, Dice("train", [0], 4), 2 * RATE, PLAIN)
    for stems in (first.stems[1], other.stems[0], seeded.stems[0]):
        assert not torch.equal(first.stems[0], stems)


def test_silent_shares_and_silent_stems(tmp_path: Path) -> None:
    config = replace(PLAIN, silent=(0.5, 0.2, 0.1))
    short = {kind: [("p", tone(0.02))] for kind in ("speech", "music", "effects")}
    got = lay(Recordings(make_corpus(tmp_path, short), "train"), Dice("train", range(1200)), 512, config)
    there = got.present[:, 0]
    assert bool(there.any(1).all()), "something sounds in every scene"
    alone = 1 - 0.5 * 0.2 * 0.1
    np.testing.assert_allclose(there.float().mean(0), np.array([0.5, 0.8, 0.9]) / alone, atol=0.03)
    assert not got.stems[~there].any()
    assert bool((got.packages[~there] == -1).all())
    assert bool((got.packages[there] >= 0).all())


def test_lines_are_whole_recordings_one_after_another_at_their_level(constants: Recordings) -> None:
    got = laid(constants, 80, 6.0, replace(PLAIN, silent=SPEECH))
    lengths = np.array([round(seconds * RATE) for seconds in (1.0, 1.5, 0.5)])
    pauses, levels = [], []
    for stem in got.stems[:, 0].numpy():
        sounding = np.flatnonzero(np.diff(np.concatenate([[0], (stem > 0).astype(int), [0]])))
        starts, ends = sounding[::2], sounding[1::2]
        for start, end in zip(starts, ends, strict=True):
            if start > 0 and end < stem.size:
                assert abs(lengths - (end - start)).min() <= 1
                middle = stem[start + 400 : end - 1000]
                assert np.ptp(middle) < 1e-6
                levels.append(20 * np.log10(middle[0] / FULL))
        pauses += list((starts[1:] - ends[:-1]) / RATE)
    assert min(pauses) >= 0.079
    # Offsets of about 108 speakers within ±2 dB and of some 200 lines with a spread of 1.2 dB, about the level: the
    # mean's own spread is 0.14 dB (speakers have more or fewer lines), that of the spread 0.08 dB. Three of each.
    assert np.mean(levels) == pytest.approx(0.0, abs=0.42)
    assert np.std(levels) == pytest.approx(np.hypot(4 / np.sqrt(12), 1.2), abs=0.25)


def test_speakers_of_a_scene_share_packages_of_their_first_lines(tmp_path: Path) -> None:
    # Twenty packages, each with a value of its own: one or two of them are heard in a scene.
    sounds = {
        "speech": [(f"p{k:02d}", tone(0.4, 100.0 * (k + 1))) for k in range(20) for _ in range(3)],
        "music": [("m", tone(1.0))],
        "effects": [("e", tone(1.0))],
    }
    recordings = Recordings(make_corpus(tmp_path, sounds), "train")
    got = laid(recordings, 24, 6.0)
    counts = []
    for stem, package in zip(got.stems[:, 0].numpy(), got.packages[:, 0].tolist(), strict=True):
        spectrum = np.abs(np.fft.rfft(stem))
        strength = np.array([spectrum[600 * (k + 1) - 20 : 600 * (k + 1) + 20].max() for k in range(20)])
        found = set(np.flatnonzero(strength > 0.2 * strength.max()).tolist())
        assert int(recordings.packages[package][1:]) in found
        counts.append(len(found))
    assert set(counts) == {1, 2}
    assert 2 <= counts.count(2) <= 14


def test_music_lies_at_the_level_and_may_begin_late_or_end_early(constants: Recordings) -> None:
    count = 160
    music = laid(constants, count, 4.0, replace(PLAIN, silent=MUSIC)).stems[:, 1].numpy()
    middle = music[:, music.shape[1] // 2]
    assert np.median(middle) == pytest.approx(FULL, rel=1e-5)
    assert music.max() <= FULL * (1 + 1e-3), "cues cross at constant sum"
    # One cue alone (0.85) begins at least half a second late (0.15), or ends so early (0.15). Two seconds of cues that
    # begin very late reach the end or never begin, about as often. Three standard deviations of a share.
    late = (music[:, RATE // 4] == 0).mean()
    early = (music[:, -RATE // 4] == 0).mean()
    share = 0.85 * 0.15
    apart = 3 * np.sqrt(share * (1 - share) / count)
    assert late == pytest.approx(share, abs=apart)
    assert early == pytest.approx(share, abs=apart)


def test_a_short_music_recording_is_followed_by_others(tmp_path: Path) -> None:
    sounds = {kind: [("p", constant(1.0, 0.2))] for kind in ("speech", "music", "effects")}
    got = laid(Recordings(make_corpus(tmp_path, sounds), "train"), 12, 3.0)
    heard = (got.stems[:, 1] > 0.5 * FULL).float().mean(1)
    assert float(heard.median()) > 0.9


def test_events_say_where_effects_sound(constants: Recordings) -> None:
    got = laid(constants, 40, 5.0)
    grid = np.arange(got.stems.shape[-1]) / RATE
    for b in range(40):
        stem = got.stems[b, 2].numpy()
        times = got.events[b][got.event_valid[b]].numpy()
        covered = np.zeros(stem.size, bool)
        for start, end in times:
            covered |= (grid >= start - 1e-4) & (grid < end + 1e-4)
        if (stem == 0).any():
            assert not stem[~covered].any(), "nothing sounds outside of events where there is no bed"
            inside = covered.copy()
            for start, end in times:
                inside &= (abs(grid - start) > 0.001) & (abs(grid - end) > 0.001)
            assert (stem[inside] > 0).all()
    valid = got.event_valid
    assert set(got.event_picture[valid].tolist()) == {-1, 3}
    assert bool((got.event_picture[~valid] == -1).all())
    shown = got.event_picture == 3
    lengths = (got.events[..., 1] - got.events[..., 0])[shown]
    assert float(lengths.max()) <= 6.0


def test_a_lone_event_lies_within_5_db_of_the_level(constants: Recordings) -> None:
    got = laid(constants, 100, 3.0, replace(PLAIN, silent=EFFECTS))
    levels = []
    for b in torch.nonzero((got.event_valid.sum(1) == 1) & (got.transient == 1.0))[:, 0].tolist():
        start, end = got.events[b][got.event_valid[b]][0].tolist()
        at = round((max(start, 0) + min(end, 3.0)) / 2 * RATE)
        if (got.stems[b, 2] == 0).any() and end - start > 0.2:
            levels.append(20 * np.log10(float(got.stems[b, 2, at]) / FULL))
    assert len(levels) > 2
    assert min(levels) > -5.01
    assert max(levels) < 5.01
    # Of three or more even draws from 10 dB, all lie within 1 dB of each other in 3 of 100 sets at most.
    assert np.ptp(levels) > 1.0


def test_a_bed_covers_the_scene_and_the_transient_share_says_how_far_it_lies_below(tmp_path: Path) -> None:
    # Recordings shorter than their scene: a bed is a loop of one, and events leave most of it alone.
    sounds = {
        "speech": [("a", constant(0.5, 0.1))],
        "music": [("m", constant(0.5, 0.1))],
        "effects": [("e", constant(0.1, 0.1)), ("e", constant(0.2, 0.2)), ("f", constant(0.15, 0.05))],
    }
    recordings = Recordings(make_corpus(tmp_path, sounds), "train")
    count = 120
    got = laid(recordings, count, 3.0, replace(PLAIN, silent=EFFECTS))
    quiet = got.stems[:, 2].amin(1)
    bed, alone = quiet > 0, got.transient == 0.0
    assert bool(bed[alone].all())
    assert not got.event_valid[alone].any()
    for there, share in ((alone, 0.12), (bed, 0.12 + 0.88 * 0.45)):
        apart = 3 * np.sqrt(share * (1 - share) / count)
        assert float(there.float().mean()) == pytest.approx(share, abs=apart)
    # A bed of one value is one value, loops and cross-fades included: fades may be a sample apart.
    np.testing.assert_allclose(got.stems[alone, 2], FULL, rtol=2e-3)
    below = -20 * np.log10(quiet[bed & ~alone].numpy() / FULL)
    assert below.min() >= 5.99
    assert below.max() <= 18.01
    np.testing.assert_allclose(np.minimum(below / 14.0, 1.0), got.transient[bed & ~alone], atol=0.002)


def test_a_bed_is_at_the_level_as_it_is_heard(tmp_path: Path) -> None:
    # Loud where the loop fades, quiet in between: the recording is louder than what is heard of it.
    ends = np.concatenate([constant(0.2, 0.3), constant(0.5, 0.12), constant(0.2, 0.3)])
    sounds = {kind: [("p", ends)] for kind in ("speech", "music", "effects")}
    recordings = Recordings(make_corpus(tmp_path, sounds), "train")
    got = laid(recordings, 40, 3.0, replace(PLAIN, silent=EFFECTS))
    beds = got.stems[got.transient == 0.0, 2].numpy()
    assert len(beds) > 1
    for bed in beds:
        power = frame_power(bed)
        loud = power[power >= 0.1 * power.max()]
        assert np.sqrt(loud.mean()) == pytest.approx(FULL, rel=1e-3)


def test_one_recording_a_kind_and_shorter_than_anything_is_enough(tmp_path: Path) -> None:
    sounds = {kind: [("p", tone(0.06))] for kind in ("speech", "music", "effects")}
    got = laid(Recordings(make_corpus(tmp_path, sounds), "train"), 4, 1.5, replace(RICH, silent=EVERYTHING))
    assert bool(torch.isfinite(got.stems).all())
    assert bool(got.stems.abs().amax(-1).gt(0).all())


def test_a_bed_shorter_than_a_frame_is_not_heard_and_breaks_nothing(tmp_path: Path) -> None:
    """Of 88 samples not even a period of one block is left, which times and places are divided by."""
    sounds = {kind: [("p", tone(0.002, 4000.0))] for kind in ("speech", "music", "effects")}
    got = laid(Recordings(make_corpus(tmp_path, sounds), "train"), 40, 0.5, replace(PLAIN, silent=EFFECTS))
    effects, alone = got.stems[:, 2], got.transient == 0.0
    assert bool(torch.isfinite(effects).all())
    assert bool(alone.any())
    assert not effects[alone].any()


def test_silent_recordings_stay_silent(tmp_path: Path) -> None:
    sounds = {kind: [("p", np.zeros(RATE))] for kind in ("speech", "music", "effects")}
    got = laid(Recordings(make_corpus(tmp_path, sounds), "train"), 4, 1.5, replace(RICH, silent=EVERYTHING))
    assert not got.stems.any()


def test_shots_cut_effects_and_let_voices_and_music_go_on(constants: Recordings) -> None:
    config = replace(PLAIN, shots=3)
    going = laid(constants, 2, 30.0, replace(config, goes_on=1.0))
    assert going.cuts.shape == (2, 2)
    assert bool((going.cuts[:, 0] < going.cuts[:, 1]).all())
    # Ten seconds apart, each up to a third of that early or late, to the nearest grain of 0.74 s.
    assert float(going.cuts.min()) > 10.0 - 3.3 - 0.38
    assert float(going.cuts.max()) < 20.0 + 3.3 + 0.38
    music = going.stems[:, 1]
    np.testing.assert_allclose(music[:, RATE : 29 * RATE], FULL, rtol=1e-4, err_msg="one cue all through")
    for stem, cuts in zip(going.stems[:, 2], going.cuts.tolist(), strict=True):
        assert float(stem.abs().max()) > 0.02
        for cut in cuts:
            around = stem[round(cut * RATE) - 1 : round(cut * RATE) + 1]
            assert float(around.abs().max()) < 0.01 * float(stem.abs().max()), "effects pause at a cut"
    new = laid(constants, 2, 30.0, replace(config, goes_on=0.0, silent=MUSIC))
    np.testing.assert_allclose(new.stems[:, 1, RATE : 29 * RATE], FULL, rtol=2e-3)


def test_hard_speech_comes_and_goes_smoothly_by_2_to_6_db_and_other_speech_not(
    constants: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One constant voice, so that levels against the same scenes without are the movement alone."""
    monkeypatch.setattr(laying, "CROWD", 0)
    monkeypatch.setattr(colouring, "_off_microphone", lambda colours, *_: colours)
    config = replace(PLAIN, hard_speech=0.6, silent=SPEECH)
    got = laid(constants, 12, 13.0, config)
    monkeypatch.setattr(laying, "_move", lambda *_: None)
    still = laid(constants, 12, 13.0, config)
    hard = got.hard.tolist()
    assert {True, False} == set(hard)
    swings = []
    for moved, plain, is_hard in zip(got.stems[:, 0].numpy(), still.stems[:, 0].numpy(), hard, strict=True):
        if not is_hard:
            np.testing.assert_array_equal(moved, plain)
            continue
        at = np.flatnonzero(plain > 0.01)
        drift = 20 * np.log10(moved[at].astype(float) / plain[at])
        # The fastest is 6 dB at 0.4 Hz, 15 dB a second: no step from one sample or block to the next.
        assert abs(np.diff(drift) / np.diff(at)).max() * RATE < 15.2
        swings.append(abs(drift).max())
    # Thirteen seconds are a whole period of the slowest, and somebody speaks somewhere near a crest.
    assert min(swings) > 1.5
    assert max(swings) <= 6.001
    assert np.ptp(swings) > 1.0


def test_hard_speech_has_several_voices_at_once_and_moves(constants: Recordings) -> None:
    count = 24
    got = laid(constants, count, 4.0, replace(PLAIN, hard_speech=0.5, silent=SPEECH))
    hard = got.hard.numpy()
    # Half of 24, within three standard deviations.
    assert abs(hard.sum() - count / 2) <= 3 * np.sqrt(count / 4)
    stems = got.stems[:, 0].numpy()
    power = 10 * np.log10(frame_power(stems) + 1e-12)
    spread = np.array([np.std(row[row > -50]) for row in power])
    assert np.median(spread[hard]) > 1.5 * np.median(spread[~hard])
    busy = (stems > 0).mean(1)
    assert np.median(busy[hard]) > np.median(busy[~hard]) + 0.1
