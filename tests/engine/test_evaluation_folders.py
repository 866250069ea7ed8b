"""Folders judged against folders: pairs by name, known distances, and bad input in one sentence."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sightmix.engine.errors import MediaError, SettingsError
from sightmix.engine.evaluation.folders import Pair, find_pairs, score_folder, score_pair
from sightmix.engine.progress import Cancelled, Progress
from sightmix.engine.training.loop.metrics import measure, sdr
from sightmix.plugin.cli.app import app
from typer.testing import CliRunner

RATE = 44_100


def noise(seconds: float, seed: int = 0, level: float = 0.1) -> np.ndarray:
    return (level * np.random.default_rng(seed).standard_normal(round(seconds * RATE))).astype(np.float32)


def put(path: Path, sound: np.ndarray, rate: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound.T, rate, subtype="FLOAT" if path.suffix == ".wav" else None)
    return path


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """Two clips: halves of the targets, targets, and quarters of them before."""
    for name, seconds, seed in (("a", 2.0, 1), ("deep/b", 3.0, 2)):
        x = noise(seconds, seed)
        for folder, factor in (("sounds", 0.5), ("targets", 1.0), ("before", 0.25)):
            put(tmp_path / folder / f"{name}.wav", factor * x)
    return {name: tmp_path / name for name in ("sounds", "targets", "before")}


def test_pairs_are_found_by_name_and_the_rest_is_named(folders: dict[str, Path]) -> None:
    put(folders["sounds"] / "alone.wav", noise(1))
    (folders["targets"] / "b.wav").write_bytes(b"")
    pairs, alone = find_pairs(*folders.values())
    assert [pair.name for pair in pairs] == ["a", "deep/b"]
    assert alone == ["alone", "b"]
    assert pairs[1].before == folders["before"] / "deep/b.wav"


def test_a_changed_level_has_known_measures(folders: dict[str, Path]) -> None:
    """At half the level the error is half the target: SDR 6 dB; a quarter before is an error of three quarters."""
    score = score_folder(find_pairs(*folders.values())[0])
    assert score.means["SDR"] == pytest.approx(20 * math.log10(2), abs=1e-3)
    assert score.improvement is not None
    assert score.improvement["W"] == pytest.approx(100 * (1 - 0.5 / 0.75), abs=0.01)
    assert score.improvement["ENV"] == pytest.approx(100 * (1 - 0.5 / 0.75), abs=0.01)
    assert score.means["MAG_matched"] < 1e-3 * score.means["MAG"]
    seconds = np.array([file.seconds for file in score.files])
    means = np.array([file.measures["MAG"] for file in score.files])
    assert score.means["MAG"] == pytest.approx(float(np.average(means, weights=seconds)))


def test_long_files_are_judged_ten_seconds_at_a_time(tmp_path: Path) -> None:
    target, sound = noise(20.6, 3), noise(20.6, 4, 0.05)
    got = score_pair(Pair("x", put(tmp_path / "s.wav", sound), put(tmp_path / "t.wav", target)))
    parts = [slice(0, 10 * RATE), slice(10 * RATE, None)]
    by_hand = [measure(sound[p], target[p])["MAG"] for p in parts]
    weights = [target[p].size for p in parts]
    assert got.measures["MAG"] == pytest.approx(float(np.average(by_hand, weights=weights)), rel=1e-6)
    assert got.seconds == pytest.approx(20.6, abs=1e-3)


def test_surround_is_judged_by_its_downmix_without_the_lfe(tmp_path: Path) -> None:
    rumble = np.tile(noise(2, 7), (6, 1)) * np.array([[0], [0], [1], [3], [0], [0]], np.float32)
    five = put(tmp_path / "s.wav", rumble)
    got = score_pair(Pair("x", five, put(tmp_path / "t.wav", 0.7071 * noise(2, 7))))
    assert got.measures["MAG"] < 1e-5


def test_other_rates_and_channels_meet_in_mono_at_44100(tmp_path: Path) -> None:
    t = np.arange(48_000 * 2) / 48_000
    tone = (0.1 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)
    stereo = put(tmp_path / "s.wav", np.stack([tone * 0.5, tone * 1.5]), 48_000)
    got = score_pair(Pair("x", stereo, put(tmp_path / "t.wav", tone, 48_000)))
    assert got.measures["SDR"] > 100


def test_silence_has_no_ratio_and_spoils_no_mean(tmp_path: Path) -> None:
    pairs = [
        Pair("quiet", put(tmp_path / "s.wav", noise(1)), put(tmp_path / "t.wav", np.zeros(RATE, np.float32))),
        Pair("loud", put(tmp_path / "u.wav", noise(1)), put(tmp_path / "v.wav", 2 * noise(1))),
    ]
    score = score_folder(pairs)
    assert math.isnan(score.files[0].measures["SDR"])
    assert score.means["SDR"] == pytest.approx(20 * math.log10(2), abs=1e-3)


def test_sdr_of_the_target_itself_is_infinite() -> None:
    x = noise(0.2)
    assert sdr(x, x) == math.inf
    assert math.isnan(sdr(x, 0 * x))


def test_bad_input_is_one_sentence(folders: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is not a folder"):
        find_pairs(tmp_path / "nowhere", folders["targets"])
    with pytest.raises(SettingsError, match="has a namesake"):
        find_pairs(folders["sounds"] / "deep", folders["targets"])
    with pytest.raises(MediaError, match=r"differ in length by 1\.00 s"):
        score_pair(Pair("x", folders["sounds"] / "a.wav", folders["targets"] / "deep/b.wav"))
    short = put(tmp_path / "short.wav", noise(0.05))
    with pytest.raises(MediaError, match="too short"):
        score_pair(Pair("x", short, short))
    put(folders["sounds"] / "a.flac", noise(1))
    with pytest.raises(SettingsError, match="the same name without suffix"):
        find_pairs(folders["sounds"], folders["targets"])


def test_it_can_be_stopped(folders: dict[str, Path]) -> None:
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        score_folder(find_pairs(folders["sounds"], folders["targets"])[0], (), progress)


def test_the_command_prints_a_table_or_json(folders: dict[str, Path]) -> None:
    options = ["--input", str(folders["sounds"]), "--target", str(folders["targets"])]
    plain = CliRunner().invoke(app, ["evaluate", *options, "--before", str(folders["before"])])
    assert plain.exit_code == 0
    assert "better than before" in plain.stdout
    assert "+33.3 %" in plain.stdout
    data = json.loads(CliRunner().invoke(app, ["evaluate", *options, "--json"]).stdout)
    assert data["means"]["SDR"] == pytest.approx(6.02, abs=0.01)
    assert data["improvement_percent"] is None
    wrong = CliRunner().invoke(app, ["evaluate", "--input", "nowhere", "--target", "nowhere"])
    assert wrong.exit_code == 2
    assert "is not a folder" in wrong.stderr
