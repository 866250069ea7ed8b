"""``sightmix train``: from a configuration to a model that ships, and what it says on the way."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from sightmix.engine.weights.store import load_card
from sightmix.plugin.cli.app import app
from sightmix.plugin.cli.train import View, config_path, sparkline
from tiny_training import NETWORK
from typer.testing import CliRunner


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.json"
    entries = {"name": "tiny", "seconds": 1.5, "batch": 1, "steps": 2, "workers": 0, "validate_clips": 1}
    path.write_text(json.dumps(entries | {"network": NETWORK}))
    return path


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["train", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


def test_training_ends_in_a_model_that_loads(
    config: Path, tiny_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = tmp_path / "shelf"
    ship = ("--ship", "mine", "--weights", shelf, "--device", "cpu")
    status, out, err = run(config, "--corpus", tiny_corpus, "--out", tmp_path / "run", *ship)
    assert (status, err.count("start"), err.count("done")) == (0, 1, 1)
    assert "Done at step 2" in out
    monkeypatch.setenv("SIGHTMIX_WEIGHTS", str(shelf))
    card = load_card("mine")
    assert card.config["steps"] == 2
    assert any("made in a test" in line or "CC0" in line for line in card.trained_on)
    status, out, _ = run(
        config, "--corpus", tiny_corpus, "--out", tmp_path / "run", "--steps", 3, "--device", "cpu"
    )
    assert (status, "Done at step 3" in out) == (0, True)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nothing",), "There is no training configuration nothing; give a file, or one of "),
        (("product", "--ship", "x"), "--ship NAME and --weights FOLDER go together"),
        (("product", "--device", "abacus"), "cannot use 1 × abacus"),
        (
            ("lce", "--ship", "x", "--weights", "w"),
            "lce.json is about the network lce, a baseline to measure against",
        ),
    ],
)
def test_what_cannot_be_is_one_sentence(words: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    status, _, err = run(*words, "--corpus", tmp_path, "--out", tmp_path / "run")
    assert status == 2
    assert sentence in err
    assert err.count("\n") == 1


def test_shipped_configurations_are_found_by_name() -> None:
    assert config_path("product").name == "product.json"


def test_the_view_shows_how_far_how_fast_and_every_loss() -> None:
    view = View(100)
    view({"event": "start", "step": 0, "parameters": 7})
    for step, loss in ((20, 1.0), (40, 0.5)):
        pace = {"seconds_per_step": 2.0, "clips_per_second": 3.5, "waiting_for_data": 0.04}
        view({"step": step, **pace, "mask": loss})
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(view.table())
    text = console.export_text()
    for words in ("40 of 100, 2:00 left", "3.50 clips/s, 4% waiting for data", "0.5  █▁", "parameters 7"):
        assert words in text


def test_a_sparkline_runs_from_the_least_to_the_greatest() -> None:
    assert sparkline([0, 1, 2, 7]) == "▁▂▃█"
    assert sparkline([3, 3]) == "▁▁"
    assert sparkline([]) == ""
    assert len(sparkline([float(x) for x in range(500)])) == 60
