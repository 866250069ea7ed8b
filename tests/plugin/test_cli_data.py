"""``sightmix data``: from a folder of films to shards, and what it says on the way."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from sightmix.engine.training.scenes.shards import ShardFolder
from sightmix.plugin.cli.app import app
from tiny_training import NETWORK, RATE, sound
from typer.testing import CliRunner


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """Three seconds of stems."""
    folder = tmp_path / "films"
    folder.mkdir()
    rng = np.random.default_rng(1)
    for kind in ("speech", "music", "effects"):
        soundfile.write(folder / f"Reel 1_{kind}.wav", sound(kind, rng, 3.0), RATE)
    return folder


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["data", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


def test_stems_become_shards_and_a_second_run_keeps_them(films: Path, tmp_path: Path) -> None:
    words = ("muddy-mix", films, "-o", tmp_path / "out", "--licence", "CC0", "--seconds", 1, "--per-shard", 2)
    words = (*words, "--context", "none", "--policy", "high", "--validation", 0, "--test", 0)
    status, out, err = run(*words)
    assert status == 0
    assert "3 clips in 2 shards: 0:03 train, 0:00 validation, 0:00 test." in out
    assert "No film fell in the validation split" in err
    assert "progress: " in err
    status, out, _ = run(*words, "--json")
    built = json.loads(out)
    assert (status, built["clips"], built["shards"], built["left_out"]) == (0, 3, 2, [])
    clips = ShardFolder(tmp_path / "out").manifest["clips"]
    assert {clip["degradation"]["policy"] for clip in clips} == {"high"}
    assert {clip["licence"] for clip in clips} == {"CC0"}


def test_a_film_is_separated_by_the_model_asked_for(tmp_path: Path, tiny_model: str) -> None:
    (tmp_path / "films").mkdir()
    rng = np.random.default_rng(1)
    mix = sum(sound(kind, rng, 1.2) / 3 for kind in ("speech", "music", "effects")) / 32768
    soundfile.write(tmp_path / "films" / "film.wav", mix, RATE)
    (tmp_path / "films" / "torn.mp4").write_bytes(b"torn")
    words = ("-o", tmp_path / "out", "--licence", "CC0", "--seconds", 1, "--separator", tiny_model)
    status, out, err = run("muddy-mix", tmp_path / "films", *words)
    assert status == 1
    assert "Left out: films/torn.mp4: " in err
    assert "1 clips in 1 shards" in out
    folder = ShardFolder(tmp_path / "out")
    assert folder.manifest["weights_sha256"].keys() == {tiny_model, "efficientnet-lite0"}
    (clip,) = folder.manifest["clips"]
    assert clip["separator"] == tiny_model


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--policy", "papre", "--licence", "CC0"), "Unknown degradation policy 'papre'"),
        (("--context", "none"), "No licence is known for "),
        (("--licence", "CC0", "--context", "efficientnet-lite1"), "did you mean 'efficientnet-lite0'?"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    films: Path, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    status, _, err = run("muddy-mix", films, "-o", tmp_path / "out", "--seconds", 1, *words)
    assert status == 2
    assert sentence in err
    assert err.count("\n") == 1


def test_separators_are_listed_and_taken_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTMIX_WEIGHTS", str(tmp_path / "shelf"))
    torch.save({"share": torch.zeros(3)}, tmp_path / "mine.pth")
    status, out, _ = run("separator", "tiger", tmp_path / "mine.pth", "--name", "mine")
    assert (status, "mine: " in out, "Apache-2.0" in out) == (0, True, True)
    status, out, _ = run("separators", "--json")
    rows = {row["name"]: row["missing"] for row in json.loads(out)["separators"]}
    assert rows["mine"].startswith("code of https://github.com/JusperLee/TIGER")
    status, out, _ = run("separators")
    assert (status, "A bandit-v2 checkpoint of your own (CC-BY-SA-4.0)" in out) == (0, True)


def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    """Every command of the tutorial in its order, with its own files, on three seconds and a smaller network."""
    text = (Path(__file__).parents[2] / "docs" / "own_films.md").read_text(encoding="utf-8")
    commands = [line.strip() for line in text.splitlines() if line.startswith("    sightmix ")]
    assert len(commands) == 3
    side = next(line for line in text.splitlines() if line.startswith("    {"))
    for split in ("train", "validation"):
        folder = tmp_path / "FILMS" / split
        folder.mkdir(parents=True)
        rng = np.random.default_rng(2)
        for kind in ("speech", "music", "effects"):
            soundfile.write(folder / f"{kind}.wav", sound(kind, rng, 2.0), RATE)
        facts = json.loads(side) | {"split": split}
        (folder / "sightmix.json").write_text(json.dumps(facts))
    config = json.loads(text.partition("```json")[2].partition("```")[0])
    small = {"steps": 1, "seconds": 1.0, "batch": 1, "validate_clips": 1, "workers": 0}
    (tmp_path / "CONFIG").write_text(json.dumps(config | small | {"network": NETWORK}))
    for command in commands:
        words = [
            str(tmp_path / word) if word.isupper() else word for word in command.split() if word != "sightmix"
        ]
        more = ["--seconds", "1"] if words[0] == "data" else ["--device", "cpu"]
        result = CliRunner().invoke(app, [*words, *more])
        assert result.exit_code == 0, result.stderr
    card = json.loads((tmp_path / "WEIGHTS" / "cards" / "my-films.json").read_text())
    assert card["trained_on"] == ["FILMS/train: 0.00 h; CC-BY-4.0"]
