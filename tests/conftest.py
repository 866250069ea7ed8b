"""What tests of several rooms share: a tiny model with random weights, on the weights path."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Test processes run side by side; more threads than cores make every one of them crawl.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["SIGHTMIX_CONFIG"] = ""  # whoever runs the tests may have defaults of their own

os.environ.setdefault("PYTEST_QT_API", "pyside6")


def _no_qt() -> str:
    """Why Qt cannot be loaded here, "" where it can: pytest-qt would stop all tests for want of it."""
    try:
        import PySide6.QtWidgets  # noqa: F401
    except ImportError as error:
        return str(error)
    return ""


NO_QT = _no_qt()
pytest_plugins = [] if NO_QT else ["pytestqt.plugin"]


def pytest_report_header() -> str:
    """Say it where the tests of the panel are left out."""
    return f"tests/ui is left out: {NO_QT}" if NO_QT else ""


# No example is wrong for being slow: the machine may be busy with something else.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder with the model "tiny": the product network at its smallest, shaken so that it acts."""
    import torch
    from sightmix.engine.highlight.config import NetworkConfig
    from sightmix.engine.highlight.network import build
    from sightmix.engine.training.loop.config import TrainConfig
    from sightmix.engine.training.loop.export import export

    root = tmp_path_factory.mktemp("tiny")
    network = NetworkConfig(
        kind="product", channels=4, width=32, heads=4, decoder_layers=1, encoder_layers=1, context_dim=1280,
        spectrogram="log",
    )  # fmt: skip
    torch.manual_seed(0)
    model = build(network)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
        model.gain.out.weight.mul_(20)
    config = json.dumps(asdict(TrainConfig(name="tiny", network=network.to_dict())))
    torch.save({"average": model.state_dict(), "step": 1, "config": config}, root / "checkpoint.pt")
    export(root / "checkpoint.pt", root, name="tiny", licence="CC0-1.0", trained_on=["nothing"])
    return root


@pytest.fixture
def tiny_model(tiny_weights: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of that model, findable for the length of a test."""
    monkeypatch.setenv("SIGHTMIX_WEIGHTS", str(tiny_weights))
    return "tiny"


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of made-up sounds to train on."""
    from tiny_training import build_corpus

    root = tmp_path_factory.mktemp("corpus")
    build_corpus(root)
    return root
