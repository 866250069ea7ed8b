"""Muddy-mix shards of films made here: what is in them, that a kill costs nothing, and training from them."""

from __future__ import annotations

import gc
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import warnings
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from media_files import sweep, write_audio
from sightmix.engine.errors import Cancelled, MediaError, SettingsError, TrainingError, WriteError
from sightmix.engine.media.reader import read_span
from sightmix.engine.progress import Progress
from sightmix.engine.training.loop.batches import ShardBatches, Shown, scenes_of
from sightmix.engine.training.loop.config import SHIPPED, TrainConfig
from sightmix.engine.training.loop.export import corpus_credits
from sightmix.engine.training.loop.run import Trainer
from sightmix.engine.training.material.films import find_films, split_of
from sightmix.engine.training.material.levels import SAMPLE_RATE, apply_gain
from sightmix.engine.training.scenes import filmdata
from sightmix.engine.training.scenes.filmdata import MuddyMix, build_shards
from sightmix.engine.training.scenes.pictures import picture_features
from sightmix.engine.training.scenes.scene import Scene
from sightmix.engine.training.scenes.settings import PRODUCT, SceneConfig
from sightmix.engine.training.scenes.shards import ShardFolder, ShardScenes, read_clip
from tiny_training import CONFIG, NETWORK, sound

TINY = MuddyMix(separator="halves", encoder="eight", seconds=1.0, per_shard=2, licence="CC0")
STEMS_ONLY = MuddyMix(encoder="", seconds=1.0, per_shard=2, licence="CC0")


class Halves:
    """Separates by fixed shares; quick, and wrong in a way that adds up."""

    name, rate = "halves", 44_100

    def separate(self, sound: np.ndarray, rate: int) -> np.ndarray:
        assert rate == SAMPLE_RATE
        return np.stack([0.5 * sound, 0.3 * sound, 0.2 * sound]).astype(np.float32)


class Eight:
    """Eight numbers that tell one test picture from another."""

    name, dim, size = "eight", 8, 32

    def encode(self, frames: np.ndarray) -> np.ndarray:
        assert frames.shape[1:] == (32, 32, 3)
        return frames.reshape(len(frames), 8, -1).mean(2).astype(np.float32) / 255


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filmdata, "load_separator", lambda *_, **__: Halves())
    monkeypatch.setattr(filmdata, "load_encoder", lambda *_, **__: Eight())


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of four and a half seconds in the training split, one for validation, a set of stems, a broken file."""
    folder = tmp_path_factory.mktemp("material") / "films"
    folder.mkdir()
    write_audio(folder / "one.mp4", "aac", sweep(48_000, 2, 4.5), picture=True)
    write_audio(folder / "two.mov", "pcm_s16le", sweep(44_100, 1, 2.5, seed=1), rate=44_100, layout="mono")
    (folder / "one.json").write_text('{"split": "train", "credit": "A. Film"}')
    (folder / "two.mov.json").write_text('{"split": "validation", "licence": "CC-BY-4.0"}')
    stems(folder / "stems" / "Scene 4")
    (folder / "broken.mkv").write_bytes(b"no film")
    return folder


def stems(folder: Path, seconds: float = 4.0) -> None:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(3)
    for kind, name in (("speech", "DX"), ("music", "MX"), ("effects", "sfx")):
        soundfile.write(folder / f"{name}.wav", sound(kind, rng, seconds), SAMPLE_RATE)
    soundfile.write(folder / "mix.wav", np.zeros(100), SAMPLE_RATE)
    (folder / "sightmix.json").write_text('{"split": "train"}')


@pytest.fixture(scope="module")
def built_once(films: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(filmdata, "load_separator", lambda *_, **__: Halves())
        patch.setattr(filmdata, "load_encoder", lambda *_, **__: Eight())
        build_shards([films], films.parent / "shards", TINY)
    return films.parent / "shards"


@pytest.fixture
def built(built_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built_once, tmp_path / "out"))


def digests(root: Path) -> dict[str, str]:
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in root.rglob("*.tar")}


# ------------------------------------------------------------------------------------------------------ what is built


def test_the_manifest_says_what_there_is(built: Path) -> None:
    manifest = json.loads((built / "manifest.json").read_text())
    assert [(film["name"], film["kind"], film["licence"], film["split"]) for film in manifest["films"]] == [
        ("films/one.mp4", "film", "CC0", "train"),
        ("films/stems/Scene 4", "stems", "CC0", "train"),
        ("films/two.mov", "film", "CC-BY-4.0", "validation"),
    ]
    assert manifest["films"][0]["credit"] == "A. Film"
    assert [(s["split"], s["clips"]) for s in manifest["shards"]] == [
        ("train", 2), ("train", 2), ("train", 2), ("train", 2), ("validation", 2),
    ]  # fmt: skip
    assert manifest["hours"] == pytest.approx(
        {"train": 8 / 3600, "validation": 2 / 3600, "test": 0}, abs=1e-6
    )
    (left,) = manifest["left_out"]
    assert left["film"] == "films/broken.mkv"
    for shard in manifest["shards"]:
        data = (built / shard["file"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (shard["size"], shard["sha256"])
    clip = manifest["clips"][1]
    assert (clip["film"], clip["start"], clip["duration"], clip["licence"]) == (
        "films/one.mp4",
        1.0,
        1.0,
        "CC0",
    )
    assert clip["degradation"]["policy"] in (*PRODUCT.policies, "none")
    assert len(clip["degradation"]["seed"]) == 2
    assert len({tuple(c["degradation"]["seed"]) for c in manifest["clips"]}) == len(manifest["clips"])


def test_undoing_the_gains_gives_the_films_own_mix(built: Path, films: Path) -> None:
    folder = ShardFolder(built)
    keys = folder.keys("train")
    assert len(keys) == 8
    for key in keys[:4]:
        clip = folder.clip(key)
        span = read_span(films / "one.mp4", int(clip.record["start"]), 1, rate=SAMPLE_RATE).mean(0)
        undone = apply_gain(clip.stems, clip.gains_db).sum(0)
        error = np.sqrt(np.mean((undone - span) ** 2) / np.mean(span**2))
        assert 20 * np.log10(error) < -60
    changed = [clip for clip in map(folder.clip, keys) if np.abs(clip.gains_db).max() > 1]
    assert changed


def test_given_stems_are_taken_as_they_are(built: Path, films: Path) -> None:
    folder = ShardFolder(built)
    (key,) = [k for k in folder.keys("train") if folder.clip(k).record["film"].endswith("Scene 4")][:1]
    clip = folder.clip(key)
    good = apply_gain(clip.stems, clip.gains_db)
    for row, name in zip(good, ("DX", "MX", "sfx"), strict=True):
        expected, _ = soundfile.read(films / "stems/Scene 4" / f"{name}.wav", frames=SAMPLE_RATE)
        assert np.abs(row - expected).max() < 1e-5
    assert clip.record["separator"] == ""


def test_pictures_are_there_every_second(built: Path) -> None:
    folder = ShardFolder(built)
    clips = [folder.clip(key) for key in folder.keys("train")]
    seen = [clip for clip in clips if clip.record["film"] == "films/one.mp4"]
    assert [clip.features.shape for clip in seen] == [(1, 8)] * 4
    assert all(len(clip.pictures) == 1 and clip.pictures[0][:2] == b"\xff\xd8" for clip in seen)
    assert np.abs(seen[0].features - seen[1].features).max() > 0.01
    assert all(clip.features.size == 0 for clip in clips if clip not in seen)


def test_webdataset_reads_the_shards(built: Path) -> None:
    wds = pytest.importorskip("webdataset")
    shards = sorted(map(str, built.rglob("*.tar")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it leaves files for the garbage collector to close
        samples = list(wds.WebDataset(shards, shardshuffle=False).decode())
        gc.collect()
    assert len(samples) == 10
    assert samples[0]["gains.npy"].shape == (3, 44)
    assert samples[0]["json"]["licence"] == "CC0"


def test_shards_are_plain_tar_files(built: Path) -> None:
    with tarfile.open(next(built.rglob("*0000.tar"))) as tar:
        names = tar.getnames()
    keys = {name.partition(".")[0] for name in names}
    assert all({f"{key}.json", f"{key}.stems.flac", f"{key}.gains.npy"} <= set(names) for key in keys)


def test_silence_is_left_out(tmp_path: Path) -> None:
    x = sweep(44_100, 1, 3.0)
    x[:, 44_100:88_200] = 0
    (tmp_path / "f").mkdir()
    write_audio(tmp_path / "f" / "a.wav", "pcm_s16le", x, rate=44_100, layout="mono")
    manifest = build_shards([tmp_path / "f"], tmp_path / "out", TINY)
    assert ([clip["start"] for clip in manifest["clips"]], manifest["silent"]) == ([0.0, 2.0], 1)


# ------------------------------------------------------------------------------------------------ stopping and resuming


def test_a_stopped_build_goes_on_and_gives_the_same(films: Path, built: Path, tmp_path: Path) -> None:
    progress, seen = Progress(), []

    def stop(step: object) -> None:
        seen.append(step)
        if step.stage == "clips" and len({s.item for s in seen if s.stage == "clips"}) == 2:
            progress.cancel()

    progress.observe = stop
    again = tmp_path / "again"
    with pytest.raises(Cancelled):
        build_shards([films], again, TINY, progress=progress)
    assert not list(again.rglob("*.part"))
    before = {p: p.stat().st_mtime_ns for p in again.rglob("*.tar")}
    assert 0 < len(before) < 5
    assert len(json.loads((again / "manifest.json").read_text())["shards"]) == len(before)
    build_shards([films], again, TINY)
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert digests(again) == digests(built)
    assert (again / "manifest.json").read_bytes() == (built / "manifest.json").read_bytes()


KILLED = """
import os, signal, sys
from pathlib import Path
from sightmix.engine.progress import Progress
from sightmix.engine.training.scenes.filmdata import MuddyMix, build_shards
def die(step):
    if step.stage == "clips" and step.done == 1 and list(Path(sys.argv[2]).rglob("*.tar")):
        os.kill(os.getpid(), signal.SIGKILL)
settings = MuddyMix(encoder="", seconds=1.0, per_shard=2, licence="CC0")
build_shards([Path(sys.argv[1])], Path(sys.argv[2]), settings, progress=Progress(die))
"""


def test_a_killed_build_goes_on_and_gives_the_same(tmp_path: Path) -> None:
    stems(tmp_path / "set")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    build_shards([tmp_path / "set"], whole, STEMS_ONLY)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "set"), str(killed)], check=False, timeout=1800
    )
    assert done.returncode == -9
    assert [len(list(killed.rglob(pattern))) for pattern in ("*.tar", ".*.part")] == [1, 1]
    for part in (killed / "parts").iterdir():  # as if the kill had come before the list of clips was written
        part.unlink()
    build_shards([tmp_path / "set"], killed, STEMS_ONLY)
    assert not list(killed.rglob("*.part"))
    assert digests(killed) == digests(whole)
    assert (killed / "manifest.json").read_bytes() == (whole / "manifest.json").read_bytes()


def test_processes_that_build_shards_begin_as_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[bool] = []
    monkeypatch.setattr(filmdata, "begin_worker", lambda: begun.append(True))
    monkeypatch.setattr(filmdata, "_mine", None)
    monkeypatch.setattr(filmdata, "_stopped", None)
    builder = filmdata.Builder(TINY, Path())
    filmdata._start(builder, None)
    assert begun == [True]
    assert filmdata._mine is builder


def test_several_processes_give_the_same(tmp_path: Path) -> None:
    stems(tmp_path / "set")
    build_shards([tmp_path / "set"], tmp_path / "one", STEMS_ONLY)
    steps = []
    build_shards([tmp_path / "set"], tmp_path / "two", STEMS_ONLY, 2, Progress(steps.append))
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert (steps[-1].done, steps[-1].total, steps[-1].unit) == (4, 4, "clips")


def test_other_settings_in_the_same_folder_are_refused(films: Path, built: Path) -> None:
    with pytest.raises(SettingsError, match=r"one-\w+-0000\.tar was built with other settings"):
        build_shards([films], built, replace(TINY, seed=1))
    next((built / "parts").glob("*one-*-0000.json")).unlink()
    with pytest.raises(SettingsError, match="was built with other settings"):
        build_shards([films], built, replace(TINY, policy="paper"))


def test_a_full_disk_is_one_sentence(films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "addfile", full)
    with pytest.raises(WriteError, match="the disk is full"):
        build_shards([films], tmp_path / "out", TINY)
    assert not list((tmp_path / "out").rglob("*.part"))


# ------------------------------------------------------------------------------------------------------ finding films


def test_stems_are_found_by_folder_and_by_name(tmp_path: Path) -> None:
    for name in ("a/dialogue.wav", "a/music.flac", "b/Reel 1_DX.wav", "b/Reel 1_FX.wav", "b/Reel 1.mp4",
                 "b/Chill music.wav", "b/.hidden.wav", "b/notes.txt"):  # fmt: skip
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    found = find_films([tmp_path / "in"], "CC0")
    assert [(film.name, [role for role, _ in film.files]) for film in found] == [
        ("in/a", ["speech", "music"]),
        ("in/b/Chill music.wav", ["mix"]),
        ("in/b/Reel 1", ["speech", "effects"]),
    ]
    assert found[2].picture == tmp_path / "in/b/Reel 1.mp4"
    assert found[0].picture is None


def test_splits_follow_from_names_in_the_shares_asked_for() -> None:
    splits = [split_of(f"film {n}", 0.1, 0.2) for n in range(2000)]
    assert splits == [split_of(f"film {n}", 0.1, 0.2) for n in range(2000)]
    assert splits.count("validation") / 2000 == pytest.approx(0.1, abs=0.02)
    assert splits.count("test") / 2000 == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize(
    ("side", "sentence"),
    [
        ('{"credit": "x"}', "No licence is known for .*a.wav: give --licence"),
        ('{"license": "x"}', "unknown entry 'license'; did you mean 'licence'"),
        ('{"licence": "x", "split": "training"}', "split is one of train, validation, test"),
        ("[", "cannot be read"),
        ('{"licence": 3}', "one JSON object of texts"),
    ],
)
def test_what_side_files_get_wrong_is_one_sentence(tmp_path: Path, side: str, sentence: str) -> None:
    (tmp_path / "a.wav").touch()
    (tmp_path / "a.json").write_text(side)
    with pytest.raises(SettingsError, match=sentence):
        find_films([tmp_path])


def test_nothing_to_build_from_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="does not exist"):
        build_shards([tmp_path / "nowhere"], tmp_path / "out", TINY)
    with pytest.raises(MediaError, match="There are no films"):
        build_shards([tmp_path], tmp_path / "out", TINY)
    write_audio(tmp_path / "short.wav", "pcm_s16le", sweep(44_100, 1, 0.5), rate=44_100, layout="mono")
    with pytest.raises(MediaError, match=r"could be used: .*short.wav is shorter than 1 s"):
        build_shards([tmp_path], tmp_path / "out", TINY)
    for changes in ({"policy": "papre"}, {"seconds": 0.1}, {"test": 1.5}):
        with pytest.raises(SettingsError):
            replace(TINY, **changes)


# ------------------------------------------------------------------------------------------------------- training


TRAIN = replace(CONFIG, data="shards", seconds=1.0, steps=2, scene_options={"picture": 1.0})


def test_scenes_repeat_and_every_epoch_takes_all_clips(built: Path) -> None:
    scenes = ShardScenes(built, "train", 0.5, PRODUCT)
    again = ShardScenes(built, "train", 0.5, PRODUCT)
    for index in (13, 2, 7, 13):
        one, two = scenes[index], again[index]
        assert np.array_equal(one.stems, two.stems)
        assert np.array_equal(one.gains_db, two.gains_db)
        assert one.record == two.record
    epochs = [[scenes[e * 8 + i].record["key"] for i in range(8)] for e in (0, 1)]
    assert sorted(epochs[0]) == sorted(epochs[1]) == sorted(ShardFolder(built).keys("train"))
    assert epochs[0] != epochs[1]
    assert scenes[3].stems.shape == (3, 22_050)
    assert scenes[3].gains_db.shape == scenes[3].active.shape == (3, 22)


def test_later_epochs_spoil_the_same_film_anew(built: Path) -> None:
    scenes = ShardScenes(built, "train", 1.0, replace(PRODUCT, trim_sd=0.0))
    by_key = [{s.record["key"]: s for s in (scenes[e * 8 + i] for i in range(8))} for e in (0, 1)]
    for key, first in by_key[0].items():
        good, second = first.target(), by_key[1][key].target()
        assert np.sqrt(np.mean((good - second) ** 2) / np.mean(good**2)) < 1e-3
    assert any(not np.array_equal(first.stems, by_key[1][key].stems) for key, first in by_key[0].items())
    held = ShardScenes(built, "validation", 1.0, PRODUCT)
    assert {held[i].record["key"] for i in range(2)} == {held[i].record["key"] for i in range(2, 4)}
    stored = {
        key: read_clip(built / "validation" / f"{key[:-6]}-0000.tar", key)
        for key in held.folder.keys("validation")
    }
    assert all(np.array_equal(held[i].stems, stored[held[i].record["key"]].stems) for i in range(4))


def test_pictures_come_with_the_scene_and_drop_out(built: Path) -> None:
    features = picture_features(built)
    assert len(features) == len(list(features)) == 4
    with pytest.raises(KeyError):
        features["nothing:0"]
    shown, hidden = (ShardScenes(built, "train", 1.0, replace(PRODUCT, picture=p)) for p in (1.0, 0.0))
    scenes = [shown[i] for i in range(8)]
    pictured = [scene for scene in scenes if scene.record["pictures"]]
    assert len(pictured) == 4
    for scene in pictured:
        ((start, name),) = scene.pictures
        assert (start, name) == (0.0, f"{scene.record['key']}:0")
        assert features[name].shape == (8,)
    assert all(hidden[i].pictures is None for i in range(8))


def test_training_from_shards_resumes_to_the_bit(built: Path, tmp_path: Path) -> None:
    whole = Trainer(TRAIN, built, tmp_path / "whole")
    whole.run()
    part = Trainer(TRAIN, built, tmp_path / "part")
    for batch, _ in zip(part._batches(), range(1), strict=False):
        assert batch.valid.shape == (1, 10)
        part._advance(batch)
    part.save()
    again = Trainer(TRAIN, built, tmp_path / "part")
    again.resume()
    again.run()
    flat = [torch.cat([p.detach().flatten() for p in t.model.parameters()]) for t in (whole, again)]
    assert torch.equal(*flat)
    assert corpus_credits(built) == ["films/one.mp4: 0.00 h; CC0", "films/stems/Scene 4: 0.00 h; CC0"]


OTHER_ENCODER = """
import sys
from sightmix.engine.training.loop.run import main
if __name__ == "__main__":
    sys.exit(main([*sys.argv[1:], "--device", "cpu"]))
"""


def test_training_on_shards_of_another_encoder_is_one_sentence_and_ends(built: Path, tmp_path: Path) -> None:
    """The shards are opened by the process that makes batches of them."""
    config = replace(TRAIN, workers=1, network={**TRAIN.network, "context_dim": 16})
    (tmp_path / "c.json").write_text(json.dumps(asdict(config)))
    (tmp_path / "main.py").write_text(OTHER_ENCODER)
    command = [sys.executable, "main.py", "c.json", "--corpus", str(built), "--out", "run"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "pictures by eight in 8 numbers, and the network takes 16" in done.stderr.splitlines()[-1]


def test_a_configuration_chooses_shards(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"name": "x", "network": NETWORK, "data": "shards"}))
    assert type(CONFIG).read(path).data == "shards"
    path.write_text(json.dumps({"name": "x", "network": NETWORK, "data": "tapes"}))
    with pytest.raises(TrainingError, match="data is one of corpus, shards"):
        type(CONFIG).read(path)


def test_a_damaged_shard_is_one_sentence_naming_it(built: Path) -> None:
    scenes = scenes_of(built, "train", TRAIN)
    shard = built / ShardFolder(built).manifest["shards"][0]["file"]
    whole = shard.read_bytes()
    middle = bytearray(whole)
    middle[whole.index(b"fLaC") + 2000] ^= 0xFF
    for data, why in ((bytes(middle), "has changed"), (whole[:9000], ""), (b"", ""), (b"x" * 2048, "")):
        shard.write_bytes(data)
        with pytest.raises(TrainingError, match=rf"{shard.name} is damaged \(.*{why}.*remove it") as caught:
            [scenes[i] for i in range(8)]
        assert "\n" not in str(caught.value)
    shard.unlink()
    with pytest.raises(TrainingError, match=f"{shard.name} is damaged"):
        [scenes[i] for i in range(8)]


def test_a_removed_shard_is_built_again(films: Path, built: Path) -> None:
    before = digests(built)
    shard = next(built.rglob("*one-*0001.tar"))
    shard.unlink()
    build_shards([films], built, TINY)
    assert digests(built) == before


def test_damaged_pictures_are_one_sentence(films: Path, built: Path) -> None:
    (cache,) = (built / "pictures").iterdir()
    cache.write_bytes(cache.read_bytes()[:200])
    next(built.rglob("*one-*0001.tar")).unlink()
    with pytest.raises(TrainingError, match=r"pictures kept in .*npz are damaged; remove the file"):
        build_shards([films], built, TINY)


def test_shards_that_cannot_serve_are_one_sentence(built: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no clips in their test split"):
        ShardScenes(built, "test", 1.0, PRODUCT)
    with pytest.raises(TrainingError, match=r"Scenes of 3 s cannot be cut from .*, which has 1 s"):
        ShardScenes(built, "train", 3.0, PRODUCT)[0]
    with pytest.raises(TrainingError, match="pictures by eight in 8 numbers, and the network takes 768"):
        ShardScenes(built, "train", 1.0, PRODUCT, 768)
    with pytest.raises(TrainingError, match="There are no shards in"):
        ShardFolder(tmp_path)
    shutil.copytree(built, tmp_path / "old")
    (tmp_path / "old" / "manifest.json").write_text('{"schema": "sightmix.muddy-mix/0"}')
    with pytest.raises(TrainingError, match="another version"):
        ShardFolder(tmp_path / "old")


def test_films_are_blended_into_scenes_laid_from_recordings(built: Path, tiny_corpus: Path) -> None:
    shutil.copytree(built, tiny_corpus / "films")
    config = replace(TRAIN, data="corpus", films=0.25, scene_options={"picture": 1.0})
    scenes = scenes_of(tiny_corpus, "train", config)
    found = [scenes[i] for i in range(12)]
    from_films = ["first_frame" in scene.record for scene in found]
    assert from_films == [i % 4 == 3 for i in range(12)]
    alone = scenes_of(tiny_corpus / "films", "train", replace(config, data="shards", films=0.0))
    np.testing.assert_array_equal(found[7].stems, alone[1].stems)
    laid = scenes_of(tiny_corpus, "train", replace(config, films=0.0))
    np.testing.assert_array_equal(found[6].stems, laid[6].stems)
    batch = Shown.of(tiny_corpus, "frames", 8).batch([found[3], found[7], found[11]])
    assert batch.valid.any(), "a film's pictures are shown"
    assert any("films/one.mp4" in line for line in corpus_credits(tiny_corpus))
    unseen = scenes_of(tiny_corpus, "validation", config)
    assert not any("first_frame" in unseen[i].record for i in range(8))


# --------------------------------------------------------------------------------------------------- the paper's recipe


def paper_recipe(**changes: object) -> TrainConfig:
    """VisAH's shipped configuration, for clips of a second and pictures of eight numbers."""
    config = TrainConfig.read(SHIPPED / "visah.json")
    tiny = {**NETWORK, "kind": "visah"}
    return replace(config, network=tiny, seconds=1.0, batch=4, steps=6, workers=0, **changes)


@pytest.fixture(scope="module")
def papers_own(films: Path) -> Path:
    """Shards as the paper built its data, of films so loud that what is brought up has to make room."""
    root = films.parent
    loud = root / "loud"
    for number in range(12):
        rng = np.random.default_rng(number)
        folder = loud / f"Scene {number}"
        folder.mkdir(parents=True)
        for kind, level in zip(("speech", "music", "effects"), rng.permutation([1.0, 0.7, 0.5]), strict=True):
            soundfile.write(folder / f"{kind}.wav", 4 * level * sound(kind, rng, 1.0), SAMPLE_RATE)
        (folder / "sightmix.json").write_text('{"split": "train"}')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(filmdata, "load_separator", lambda *_, **__: Halves())
        patch.setattr(filmdata, "load_encoder", lambda *_, **__: Eight())
        build_shards([films, loud], root / "papers", replace(TINY, policy="paper"))
    return root / "papers"


@pytest.mark.parametrize("redraw", [False, True])
def test_the_papers_recipe_draws_what_the_paper_drew(papers_own: Path, redraw: bool) -> None:
    """Loudest stem down by 12, 9 or 6 dB, the others up, each by its own draw; nothing else, in any epoch."""
    config = paper_recipe(redraw=redraw)
    loader = ShardBatches(papers_own, config, Shown.of(papers_own, config.context, 8), 0)
    clips = len(ShardFolder(papers_own).keys("train"))
    epochs = 3
    drawn: list[Scene] = []
    for index in range(epochs * clips // config.batch):
        batch = loader[index]
        scenes = [loader.scenes[index * config.batch + i] for i in range(config.batch)]
        drawn += scenes
        # What the loader hands to the network is these scenes, pictures and all.
        assert torch.equal(batch.stems, torch.from_numpy(np.stack([s.stems for s in scenes])))
        assert batch.valid.any(1).tolist() == [scene.record["pictures"] > 0 for scene in scenes]
    assert sum(scene.pictures is not None for scene in drawn) == 3 * 4  # the film's clips, every time
    steps: Counter[float] = Counter()
    for scene in drawn:
        made = scene.record["degradation"]
        assert made["policy"] == "paper"
        assert made.get("trim_db", 0.0) == 0.0
        assert np.ptp(scene.gains_db, axis=1).max() < 1e-4  # one change for the whole clip
        changes = -scene.gains_db[:, 0] - made["guard_db"]
        levels = [level if level is not None else -np.inf for level in made["levels_lufs"]]
        heard = np.flatnonzero(made["present"])
        assert len(heard) == 3
        for k in heard:
            steps[round(float(changes[k]), 2)] += 1
            assert (changes[k] < 0) == (k == int(np.argmax(levels)))
    assert set(steps) == {-12.0, -9.0, -6.0, 6.0, 9.0, 12.0}
    down, up = (sum(n for step, n in steps.items() if (step > 0) == rising) for rising in (False, True))
    assert (down, up) == (len(drawn), 2 * len(drawn))
    draws = len(drawn) if redraw else clips  # of the loudest stem, independent ones
    for step in (6.0, 9.0, 12.0):
        assert abs(steps[step] / up - 1 / 3) < 2.5 * (2 / 9 / (2 * draws)) ** 0.5
        assert abs(steps[-step] / down - 1 / 3) < 2.5 * (2 / 9 / draws) ** 0.5


def test_what_the_paper_aims_at_is_the_films_own_mix(papers_own: Path) -> None:
    """However far back the way is: the loudest comes up by 12 dB and by all that was turned down to make room."""
    scenes = ShardScenes(papers_own, "train", 1.0, paper_recipe_scenes(), redraw=False)
    by_key: dict[str, list[Scene]] = {}
    clips = len(scenes.folder.keys("train"))
    for index in range(2 * clips):
        by_key.setdefault(scenes[index].record["key"], []).append(scenes[index])
    assert max(float(pair[0].gains_db.max()) for pair in by_key.values()) > 18.0
    for key, (first, second) in by_key.items():
        assert np.array_equal(first.stems, second.stems), "later passes take the clips as they were built"
        whole = scenes.folder.clip(key)
        own = apply_gain(whole.stems, whole.gains_db).sum(0)
        assert np.abs(first.target() - own).max() < 1e-6


def paper_recipe_scenes() -> SceneConfig:
    config = paper_recipe()
    return replace(PRODUCT, **config.scene_options)


def test_another_seed_gives_other_passes_over_shards(built: Path) -> None:
    one, again, other = (
        [ShardScenes(built, "train", 0.5, PRODUCT, seed=seed)[i].record["key"] for i in range(8)]
        for seed in (1, 1, 2)
    )
    assert one == again
    assert one != other
    held = [
        [scenes_of(built, "validation", replace(TRAIN, seed=s))[i].record for i in (0, 1)] for s in (1, 2)
    ]
    assert held[0] == held[1]
