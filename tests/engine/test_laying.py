"""Scenes laid from recordings whose every sample is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from made_recordings import RATE, make_corpus, tone
from sightmix.engine.training.scenes import blocks as playing
from sightmix.engine.training.scenes.dice import Dice
from sightmix.engine.training.scenes.laying import Laid, LayingConfig, lay
from sightmix.engine.training.scenes.recordings import Recordings

EVERYTHING = (0.0, 0.0, 0.0)
PLAIN = LayingConfig(silent=EVERYTHING, augment=False)
RICH = LayingConfig(rooms=0.4, codecs=0.4, hard_speech=0.4)
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


def test_silent_shares_and_silent_stems(tones: Recordings) -> None:
    config = replace(PLAIN, silent=(0.5, 0.2, 0.1))
    got = lay(tones, Dice("train", range(1200)), 512, config)
    there = got.present[:, 0]
    assert bool(there.any(1).all()), "something sounds in every scene"
    alone = 1 - 0.5 * 0.2 * 0.1
    np.testing.assert_allclose(there.float().mean(0), np.array([0.5, 0.8, 0.9]) / alone, atol=0.03)
    assert not got.stems[~there].any()
    assert bool((got.packages[~there] == -1).all())
    assert bool((got.packages[there] >= 0).all())


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
