"""The same recording is found at any gain, trim, sample rate and coding; others of its kind are not."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray
from scipy.signal import lfilter
from sightmix.engine.errors import TrainingError
from sightmix.engine.training.material.duplicates import find_pairs, main, refuse_leaks
from sightmix.engine.training.material.library import Corpus, Item

RATE = 44_100
Sound = NDArray[np.float32]


def knock(seed: int) -> Sound:
    """Three knocks on wood: bursts of noise through a resonance, dying away, each like no other."""
    rng = np.random.default_rng(seed)
    out = np.zeros(RATE, np.float32)
    for start in np.sort(rng.uniform(0.02, 0.7, 3)):
        at = int(start * RATE)
        burst = rng.standard_normal(RATE // 5) * np.exp(-np.arange(RATE // 5) / RATE * 40)
        pole = 0.98 * np.exp(2j * np.pi * rng.uniform(300, 900) / RATE)
        out[at : at + burst.size] += lfilter([1], np.poly([pole, pole.conj()]).real, burst)
    return (out / np.abs(out).max() / 2).astype(np.float32)


def tune(seed: int) -> Sound:
    """Six seconds of plucked notes, all from one scale."""
    rng = np.random.default_rng(seed)
    out = np.zeros(6 * RATE, np.float32)
    time = np.arange(RATE) / RATE
    for start in range(0, 5 * RATE + 1, RATE // 4):
        pitch = 220 * 2 ** (rng.choice([0, 2, 4, 5, 7, 9, 11, 12]) / 12)
        note = sum(np.sin(2 * np.pi * k * pitch * time + rng.uniform(0, 6)) / k for k in range(1, 6))
        out[start : start + RATE] += (note * np.exp(-5 * time)).astype(np.float32)
    return out / np.abs(out).max() / 2


def coded(sound: Sound) -> Sound:
    file = io.BytesIO()
    soundfile.write(file, sound, RATE, format="OGG", subtype="VORBIS")
    return np.asarray(soundfile.read(io.BytesIO(file.getvalue()), dtype="float32")[0])


def resampled(sound: Sound) -> Sound:
    return np.asarray(soxr.resample(soxr.resample(sound, RATE, 11_025), 11_025, RATE), dtype=np.float32)


CHANGES = {
    "quieter": lambda sound: sound * 0.1,
    "turned over": lambda sound: -sound,
    "trimmed": lambda sound: sound[4001:-2000],
    "resampled": resampled,
    "vorbis": coded,
    "all at once": lambda sound: -0.3 * coded(resampled(sound)[3001:]),
}


def corpus_of(root: Path, sounds: list[tuple[str, str, Sound]]) -> Corpus:
    """A corpus of (kind, split, sound)."""
    root.mkdir(exist_ok=True)
    items, start = [], 0
    with (root / "all.i16").open("wb") as file:
        for number, (kind, split, sound) in enumerate(sounds):
            file.write(np.rint(sound * 32767).astype("<i2").tobytes())
            items.append(
                Item(f"s{number}", kind, f"p{split}", "CC0", f"{number}.wav", split, "all.i16", start, sound.size,
                     -20.0, 0.5, 9000.0, "x")
            )  # fmt: skip
            start += sound.size
    lists = {"packages": {}, "pictures": [], "distractors": [], "items": [asdict(item) for item in items]}
    (root / "corpus.json").write_text(json.dumps({"version": 1, "sample_rate": RATE, **lists}))
    return Corpus(root)


@pytest.mark.parametrize("make", [knock, tune], ids=["knock", "tune"])
def test_a_copy_is_found_however_it_was_changed(make, tmp_path):
    kind = "effects" if make is knock else "music"
    kept = [(kind, "train", make(seed)) for seed in range(6)]
    copies = [(kind, "test", change(make(3))) for change in CHANGES.values()]
    pairs = find_pairs(corpus_of(tmp_path, kept + copies))
    assert {pair.first.id if pair.first.split == "train" else pair.second.id for pair in pairs} == {"s3"}
    assert len(pairs) == len(CHANGES)
    assert all(pair.leaks for pair in pairs)


def test_others_of_the_same_kind_are_not_taken_for_it(tmp_path):
    kept = [("effects", "train", knock(seed)) for seed in range(12)]
    kept += [("music", "train", tune(seed)) for seed in range(6)]
    others = [("effects", "test", knock(100 + seed)) for seed in range(12)]
    others += [("music", "validation", tune(100 + seed)) for seed in range(6)]
    corpus = corpus_of(tmp_path, kept + others)
    assert max((pair.correlation for pair in find_pairs(corpus, at_least=0.0)), default=0.0) < 0.7
    refuse_leaks(corpus)


def test_an_excerpt_of_music_is_found(tmp_path):
    whole = np.concatenate([tune(1), tune(2), tune(3)])
    corpus = corpus_of(
        tmp_path, [("music", "train", whole), ("music", "test", 0.2 * whole[7 * RATE : 12 * RATE])]
    )
    (pair,) = find_pairs(corpus)
    assert pair.correlation > 0.99


def test_a_corpus_that_leaks_is_refused_by_name(tmp_path, capsys):
    corpus = corpus_of(tmp_path, [("effects", "train", knock(1)), ("effects", "validation", 0.5 * knock(1))])
    with pytest.raises(TrainingError, match=r"1 times in all.*1\.wav \(validation\).*Drop one of each pair"):
        refuse_leaks(corpus)
    assert main([str(tmp_path)]) == 1
    assert "effects: highest correlation across splits 1.000" in capsys.readouterr().out


def test_copies_inside_a_split_are_only_counted(tmp_path, capsys):
    corpus = corpus_of(tmp_path, [("effects", "train", knock(1)), ("effects", "train", 0.5 * knock(1))])
    refuse_leaks(corpus)
    assert find_pairs(corpus) == []
    assert len(find_pairs(corpus, inside=True)) == 1
    assert main([str(tmp_path), "--inside"]) == 0
    assert "1 pairs of one recording inside a split" in capsys.readouterr().out
