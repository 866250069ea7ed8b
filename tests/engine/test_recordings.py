"""The packed recordings of a split, and which of them are drawn."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from made_recordings import RATE, make_corpus, tone
from sightmix.engine.errors import TrainingError
from sightmix.engine.training.material.levels import HOP, STEMS
from sightmix.engine.training.scenes.dice import Dice
from sightmix.engine.training.scenes.recordings import GAP, Recordings


def noise(seconds: float, seed: int) -> np.ndarray:
    return 0.2 * np.random.default_rng(seed).uniform(-1, 1, round(seconds * RATE))


def sounds() -> dict[str, list[tuple[str, np.ndarray]]]:
    return {
        "speech": [("b", noise(0.1, k)) for k in range(30)] + [("a", noise(0.4, 99))] * 30,
        "music": [("m", noise(1.0, 1)), ("m", noise(3.0, 2)), ("n", noise(1.0, 3))],
        "effects": [("a", noise(0.5, 4)), ("b", noise(0.05, 5))],
    }


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory):
    return make_corpus(tmp_path_factory.mktemp("corpus"), sounds())


@pytest.fixture(scope="module")
def recordings(corpus) -> Recordings:
    return Recordings(corpus, "train", pictures={"a-effects-0": 7})


def test_every_recording_lies_whole_between_gaps_of_silence(corpus, recordings: Recordings) -> None:
    for kind in STEMS:
        own = sorted(corpus.items(kind, "train"), key=lambda item: item.package)
        table = recordings.kinds[kind]
        for k, item in enumerate(own):
            start, count = int(table.start[k]), int(table.samples[k])
            whole = recordings.samples[start - GAP : start + count + GAP].float() / 32768
            np.testing.assert_array_equal(whole[GAP:-GAP], corpus.audio(item))
            assert not whole[:GAP].any()
            assert not whole[-GAP:].any()
            assert recordings.packages[int(table.package[k])] == item.package


def test_pictures_are_known_by_the_recordings_id(recordings: Recordings) -> None:
    assert recordings.kinds["effects"].picture.tolist() == [7, -1]
    assert set(recordings.kinds["speech"].picture.tolist()) == {-1}


def test_packages_are_drawn_by_the_root_of_their_length_and_music_by_length(recordings: Recordings) -> None:
    dice = Dice("train", range(20_000))
    speech = recordings.draw(dice, "s", "speech")
    # Package a has four times b's length, and so twice its share; within it all are alike.
    assert float((speech < 30).float().mean()) == pytest.approx(2 / 3, abs=0.01)
    counts = torch.bincount(speech, minlength=60).float() / 20_000
    assert float((counts[:30] - 2 / 90).abs().max()) < 0.006
    assert float((counts[30:] - 1 / 90).abs().max()) < 0.004
    music = torch.bincount(recordings.draw(dice, "m", "music"), minlength=3) / 20_000
    np.testing.assert_allclose(music, [2 / 3 / 4, 2 / 3 * 3 / 4, 1 / 3], atol=0.012)


def test_neighbours_are_of_the_same_package_and_at_most_ten_away(recordings: Recordings) -> None:
    dice = Dice("train", range(3000))
    for voice in (0, 3, 29, 30, 45, 59):
        near = recordings.near(dice, f"n{voice}", "speech", torch.full((3000,), voice))
        low, high = (0, 30) if voice < 30 else (30, 60)
        assert sorted(set(near.tolist())) == list(range(max(low, voice - 10), min(high, voice + 11)))


def test_an_excerpt_lies_in_its_recording_and_its_level_is_that_of_its_loud_frames(
    recordings: Recordings,
) -> None:
    dice = Dice("train", range(300))
    item = recordings.draw(dice, "m", "music", 2)
    longest = torch.where(torch.arange(300) % 2 == 0, 40_000, 100_000)[:, None]
    found = recordings.excerpt(dice, "e", "music", item, longest, 100_000)
    table = recordings.kinds["music"]
    assert bool((found.samples == torch.minimum(table.samples[item], longest)).all())
    skip = found.source - table.start[item]
    assert int(skip.min()) == 0
    assert bool((skip + found.samples <= table.samples[item]).all())
    assert len(set(skip.flatten().tolist())) > 20
    for b, k in ((0, 0), (7, 1), (12, 0)):
        first, count = int(found.source[b, k]), int(found.samples[b, k]) // HOP * HOP
        power = (recordings.samples[first : first + count].double() / 32768).square().view(-1, HOP).mean(-1)
        wanted = power[power >= 0.1 * power.max()].mean()
        assert float(found.mean_square[b, k]) == pytest.approx(float(wanted), rel=0.02)


def test_loud_frames_alone_count_and_silence_has_no_level(tmp_path: Path) -> None:
    loud = np.concatenate([tone(0.5), np.zeros(RATE), 0.01 * tone(0.5)])
    some = {kind: [("p", loud)] for kind in ("speech", "music")} | {"effects": [("p", np.zeros(RATE))]}
    recordings = Recordings(make_corpus(tmp_path, some), "train")
    dice = Dice("train", [0])
    speech = recordings.excerpt(dice, "e", "speech", torch.zeros(1, dtype=torch.int64), 10 * RATE, 10 * RATE)
    assert float(speech.mean_square[0]) == pytest.approx(0.25**2 / 2, rel=0.05)
    silent = recordings.excerpt(dice, "e", "effects", torch.zeros(1, dtype=torch.int64), 10 * RATE, 10 * RATE)
    assert float(silent.mean_square[0]) == 0.0


def test_packing_is_done_once_and_again_when_the_corpus_changes(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, sounds())
    Recordings(corpus, "train")
    first = {path: path.stat().st_mtime_ns for path in (tmp_path / "packed").iterdir()}
    assert len(first) == 2
    Recordings(corpus, "train")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "packed").iterdir()} == first
    os.utime(tmp_path / "music-m.i16", ns=(1, 1))
    Recordings(corpus, "train")
    second = set((tmp_path / "packed").iterdir())
    assert len(second) == 2
    assert not second & set(first)


def test_recordings_go_to_other_processes_without_their_samples(recordings: Recordings) -> None:
    data = pickle.dumps(recordings)
    assert len(data) < 60_000 < recordings.samples.numel()
    assert torch.equal(pickle.loads(data).samples, recordings.samples)


def test_a_split_without_a_kind_says_which(corpus) -> None:
    with pytest.raises(TrainingError, match="no speech in its test split"):
        Recordings(corpus, "test")
