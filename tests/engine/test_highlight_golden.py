"""The shipped model still says what it said: both backends on small fixed inputs, and a passage through all of it."""

from __future__ import annotations

from pathlib import Path

import golden_highlight as golden
import numpy as np
import pytest
from sightmix.engine.version import SHIPPED_MODEL
from sightmix.engine.weights.store import load_card


@pytest.fixture(scope="module")
def kept() -> dict[str, np.ndarray]:
    with np.load(golden.FILE) as stored:
        return dict(stored)


@pytest.fixture(scope="module")
def networks() -> dict[type, object]:
    """Each backend is opened once."""
    return {
        kind: kind.open(load_card(SHIPPED_MODEL), "cpu") for kind in (golden.OnnxNetwork, golden.TorchNetwork)
    }


def wanted(kept: dict[str, np.ndarray], part: str) -> dict[str, np.ndarray]:
    return {k.partition("/")[2]: v for k, v in kept.items() if k.startswith(f"{part}/")}


@pytest.mark.parametrize("name", golden.windows_asked())
def test_the_shipped_model_says_what_it_said(name: str, kept, networks) -> None:
    backend, frames, seen = golden.windows_asked()[name]
    said, told = golden.answers(networks[backend], frames, seen), wanted(kept, golden.stored_under(name))
    assert np.abs(said["masks"] - told["masks"] / 65535).max() < 1e-4
    assert np.abs(said["gains"] - told["gains"]).max() < 1e-4 * max(1, np.abs(told["gains"]).max())


def test_the_shipped_graph_can_be_told_how_loud_stems_are(kept, networks) -> None:
    told = golden.answers(networks[golden.OnnxNetwork], golden.WINDOW_FRAMES, True, (0.7, 0.1, 0.2))
    same = golden.answers(networks[golden.TorchNetwork], golden.WINDOW_FRAMES, True, (0.7, 0.1, 0.2))
    assert np.abs(told["gains"] - same["gains"]).max() < 1e-4
    assert np.abs(told["gains"] - kept["pictures/gains"]).max() > 0.5
    assert np.abs(told["masks"] - kept["pictures/masks"] / 65535).max() < 1e-4


def test_what_is_kept_has_something_to_say(kept) -> None:
    """Answers that were all alike would hold nobody to anything."""
    for part in ("pictures", "none", "short"):
        told = wanted(kept, part)
        assert np.ptp(told["masks"] / 65535, axis=(1, 2)).min() > 0.5
        assert np.ptp(told["gains"], axis=1).min() > 0.1
    assert np.abs(kept["pictures/gains"] - kept["none/gains"]).max() > 0.1
    assert len(kept["pipeline/windows"]) == 2


def test_a_passage_sounds_as_it_did(kept, tmp_path: Path) -> None:
    """Windows on cuts, masks and gains at the file's own rate, offsets, and the levels that are reported."""
    said, told = golden.render(tmp_path), wanted(kept, "pipeline")
    np.testing.assert_array_equal(said["windows"].astype(np.float32), told["windows"])
    assert np.abs(said["mix"] - told["mix"]).max() <= 1e-5 * 2**23
    assert np.abs(said["curves"] - told["curves"]).max() < 1e-3
    assert np.abs(said["loudness"] - told["loudness"]).max() < 1e-3
