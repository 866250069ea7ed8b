"""Batches drawn where they are learned from: always the same, dealt from hands of longer scenes, shared by devices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sightmix.engine.training.loop.batches import COMPANY, LaidBatches, LaidClips, Shown, pinned, scenes_of
from sightmix.engine.training.loop.config import TrainConfig
from sightmix.engine.training.loop.run import Trainer
from sightmix.engine.training.networks.step import Batch
from tiny_training import CONFIG

PLAIN = replace(CONFIG, batch=2)
PIECES = replace(CONFIG, batch=5, pieces=2, seconds=1.0)
PROGRAMME = {"programme": 6.0, "picture": 1.0}
WINDOWS = replace(CONFIG, batch=3, seconds=1.0, scene_options=PROGRAMME)
KINDS = pytest.mark.parametrize("config", [PLAIN, PIECES, WINDOWS], ids=["plain", "pieces", "windows"])


def same(a: Batch, b: Batch) -> bool:
    """But for what the size of a batch does to the last bit of its sums."""
    pairs = zip(vars(a).values(), vars(b).values(), strict=True)
    return all(x.shape == y.shape and torch.allclose(x.float(), y.float(), atol=1e-5) for x, y in pairs)


@KINDS
def test_a_batch_is_made_of_the_clips_of_its_numbers(tiny_corpus: Path, config: TrainConfig) -> None:
    """Whatever was drawn before, one by one or together, on the first run or on one that goes on."""
    shown = Shown.of(tiny_corpus, "frames", 8)
    batches = LaidBatches(tiny_corpus, config, shown, 0)
    wanted = [batches[index] for index in (0, 1, 4)]
    clips = scenes_of(tiny_corpus, "train", config)
    for index, batch in zip((4, 0), (wanted[2], wanted[0]), strict=True):
        assert same(batch, shown.batch([clips[index * config.batch + row] for row in range(config.batch)]))
    resumed = LaidBatches(tiny_corpus, config, shown, 4)
    assert same(next(iter(resumed)), wanted[2])
    assert len(resumed) == config.steps - 4


def test_a_hand_is_dealt_out_whole_batch_by_batch_in_an_order_of_its_own(tiny_corpus: Path) -> None:
    """No window of a hand comes twice, and the windows of a programme do not come one after another."""
    clips = LaidClips(tiny_corpus, "train", WINDOWS)
    assert (clips.laid, clips.windows, clips.dealt) == (4, 6, 24)
    dealt = clips.places(0).tolist()
    assert sorted(dealt) == list(range(24))
    assert dealt != sorted(dealt)
    assert clips.places(1).tolist() != dealt
    whole = clips.scenes.batch(range(4))
    first = clips.clips(0, 3)
    assert torch.equal(first.stems, whole.stems[dealt[:3]])
    assert torch.equal(first.picture, whole.picture[dealt[:3]])
    odd = LaidClips(tiny_corpus, "train", PIECES)
    assert (odd.laid, odd.dealt) == (COMPANY, 30)  # of 32 pieces, six batches of five
    large = LaidClips(tiny_corpus, "train", replace(PIECES, batch=70))
    assert (large.laid, large.dealt) == (35, 70)


def test_windows_are_for_learning_and_validation_takes_them_one_after_another(tiny_corpus: Path) -> None:
    held = LaidClips(tiny_corpus, "validation", WINDOWS)
    assert not held.in_hands
    programme = held.scenes.batch([0])
    for window in (0, 1, 5):
        assert np.array_equal(held[window].stems, programme.scene(window).stems)


@KINDS
def test_devices_share_the_scenes_out(tiny_corpus: Path, config: TrainConfig) -> None:
    """Two devices draw nothing twice; of scenes that stand alone they draw what one would."""
    shown = Shown.of(tiny_corpus, "frames", 8)
    one = LaidBatches(tiny_corpus, config, shown, 0)
    two = [LaidBatches(tiny_corpus, config, shown, 0, rank=rank, ranks=2) for rank in (0, 1)]
    turns = 2 * one.laid.dealt // config.batch
    firsts = [[part._place(turn) for turn in range(turns)] for part in two]
    alone = [one._place(turn) for turn in range(2 * turns)]
    assert sorted(firsts[0] + firsts[1]) == alone
    if config is PLAIN:
        assert same(two[1][0], one[1])


def test_films_take_the_place_of_their_share(tiny_corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sightmix.engine.training.loop import batches as module

    others = scenes_of(tiny_corpus, "validation", CONFIG)
    monkeypatch.setattr(module, "films_of", lambda folder, *_: {"films": others}[folder.name])
    shown = Shown.of(tiny_corpus, "frames", 8)
    config = replace(PLAIN, films=0.25)
    mixed, plain = (LaidBatches(tiny_corpus, c, shown, 0) for c in (config, PLAIN))
    for index in range(4):
        with_films, without = mixed[index], plain[index]
        assert torch.equal(with_films.stems[0], without.stems[0])
        if index % 2:
            assert torch.equal(with_films.stems[1], torch.from_numpy(others[index // 2].stems))
            assert torch.equal(with_films.gains_db[1], torch.from_numpy(others[index // 2].gains_db))
        else:
            assert torch.equal(with_films.stems[1], without.stems[1])


def test_what_is_not_known_is_not_shown(tiny_corpus: Path) -> None:
    shown = Shown({"a": np.full(3, 2.0, np.float32)}, 3)
    features, known = shown.table(("b", "a"), "cpu")
    assert features.tolist() == [[0, 0, 0], [2, 2, 2]]
    assert known.tolist() == [False, True]
    features, known = Shown({}, 0).table((), "cpu")
    assert (features.shape, known.any()) == ((1, 1), False)
    batch = LaidBatches(tiny_corpus, WINDOWS, Shown.of(tiny_corpus, "one_frame", 8), 0)[0]
    assert not batch.valid[:, [0, 1, 2, 3, 4, 6, 7, 8, 9]].any()
    assert pinned(batch, torch.device("cpu")).stems is batch.stems


def test_a_run_on_windows_resumes_to_the_bit(tiny_corpus: Path, tmp_path: Path) -> None:
    whole = Trainer(WINDOWS, tiny_corpus, tmp_path / "whole")
    whole.run()
    part = Trainer(WINDOWS, tiny_corpus, tmp_path / "part")
    for batch, _ in zip(part._batches(), range(2), strict=False):
        part._advance(batch)
    part.save()
    again = Trainer(WINDOWS, tiny_corpus, tmp_path / "part")
    again.resume()
    again.run()
    for mine, theirs in zip(whole.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(mine, theirs)
